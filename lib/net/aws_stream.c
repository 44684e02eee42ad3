#include "net/aws_stream.h"

#include "net/limits.h"

enum { PRELUDE = 12, CHECKSUM = 4 };

uint32_t aws_stream_crc(struct span bytes)
{
	/* CRC-32 with the polynomial 0xEDB88320, four bits at a time. */
	static const uint32_t table[16] = {
	    0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
	    0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
	    0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
	};
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < bytes.len; i++) {
		crc ^= (unsigned char)bytes.at[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

/* The big-endian number of `size` bytes at `at`. */
static uint32_t number(const char *at, size_t size)
{
	uint32_t value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | (unsigned char)at[i];
	return value;
}

/* Remove the first `size` bytes from `in` and return them. Absent if there are fewer. */
static struct span take(struct span *in, size_t size)
{
	struct span taken = {in->at, size};

	if (in->at == NULL || size > in->len) {
		*in = (struct span){0};
		return (struct span){0};
	}
	*in = span_from(*in, size);
	return taken;
}

/* Remove a length of `size` bytes and as many bytes as it says; return the latter. */
static struct span take_counted(struct span *in, size_t size)
{
	struct span count = take(in, size);

	return count.at != NULL ? take(in, number(count.at, size)) : count;
}

/* Remove the value of a header; only texts are used. Absent if the headers end within the value. */
static struct span take_value(struct span *in, bool *is_text)
{
	static const size_t sizes[] = {0, 0, 1, 2, 4, 8, 0, 0, 8, 16};
	struct span type = take(in, 1);
	unsigned char kind = type.at != NULL ? (unsigned char)type.at[0] : 0;

	*is_text = kind == 7;
	if (type.at == NULL || kind >= ARRAY_LEN(sizes))
		return (struct span){0};
	return kind == 6 || kind == 7 ? take_counted(in, 2) : take(in, sizes[kind]);
}

static bool read_headers(struct span headers, struct aws_message *message)
{
	while (headers.len > 0) {
		struct span name = take_counted(&headers, 1), value;
		bool is_text;

		value = take_value(&headers, &is_text);
		if (name.at == NULL || value.at == NULL)
			return false;
		if (!is_text)
			continue;
		if (span_is(name, ":message-type"))
			message->type = value;
		else if (span_is(name, ":event-type") || span_is(name, ":exception-type") ||
			 span_is(name, ":error-code"))
			message->name = value;
		else if (span_is(name, ":error-message"))
			message->error = value;
	}
	return true;
}

static bool fail(struct aws_stream *stream, const char *fault)
{
	stream->fault = fault;
	return false;
}

/* Set *length to the length of the message at the start of `bytes`, or to 0 if more bytes are
 * needed. */
static bool read_length(struct aws_stream *stream, struct span bytes, size_t *length)
{
	size_t total, headers;

	*length = 0;
	if (bytes.len < PRELUDE)
		return true;
	if (aws_stream_crc((struct span){bytes.at, 8}) != number(bytes.at + 8, 4))
		return fail(stream, "the checksum of a message's beginning is wrong");
	total = number(bytes.at, 4);
	headers = number(bytes.at + 4, 4);
	if (total < PRELUDE + CHECKSUM || headers > total - PRELUDE - CHECKSUM)
		return fail(stream, "a message has an impossible length");
	if (total > NET_MAX_LINE)
		return fail(stream, "a message is too long");
	*length = total;
	return true;
}

static bool read_message(struct aws_stream *stream, struct span bytes)
{
	struct aws_message message = {0};
	size_t headers = number(bytes.at + 4, 4), end = bytes.len - CHECKSUM;

	if (aws_stream_crc((struct span){bytes.at, end}) != number(bytes.at + end, 4))
		return fail(stream, "the checksum of a message is wrong");
	if (!read_headers((struct span){bytes.at + PRELUDE, headers}, &message))
		return fail(stream, "the headers of a message are malformed");
	message.payload = (struct span){bytes.at + PRELUDE + headers, end - PRELUDE - headers};
	stream->message(stream->context, &message);
	return true;
}

void aws_stream_init(struct aws_stream *stream,
		     void (*message)(void *context, const struct aws_message *message),
		     void *context)
{
	*stream = (struct aws_stream){.message = message, .context = context};
}

bool aws_stream_feed(struct aws_stream *stream, struct span bytes)
{
	struct buffer *pending = &stream->pending;
	size_t at = 0, length;

	if (stream->fault != NULL)
		return false;
	buffer_add_span(pending, bytes);
	do {
		struct span rest = span_from(buffer_span(pending), at);

		if (!read_length(stream, rest, &length))
			return false;
		if (length == 0 || length > rest.len)
			break;
		if (!read_message(stream, (struct span){rest.at, length}))
			return false;
		at += length;
	} while (at < pending->len);
	buffer_drop(pending, at);
	return true;
}

void aws_stream_free(struct aws_stream *stream)
{
	buffer_free(&stream->pending);
}
