/*
 * aws_frames: messages of application/vnd.amazon.eventstream, for the tests of who reads them.
 */
#ifndef AWS_FRAMES_H
#define AWS_FRAMES_H

#include "net/aws_stream.h"

static void frame_number(struct buffer *out, size_t number, int size)
{
	for (int i = size - 1; i >= 0; i--)
		buffer_add_char(out, (char)(number >> 8 * i & 0xFF));
}

__attribute__((unused)) static void frame_header(struct buffer *out, const char *name,
						 const char *value)
{
	frame_number(out, strlen(name), 1);
	buffer_add_text(out, name);
	buffer_add_char(out, 7);
	frame_number(out, strlen(value), 2);
	buffer_add_text(out, value);
}

/* Append the message with these headers, written by frame_header. */
static void frame_put(struct buffer *out, struct span headers, struct span payload)
{
	size_t start = out->len;

	frame_number(out, 16 + headers.len + payload.len, 4);
	frame_number(out, headers.len, 4);
	frame_number(out, aws_stream_crc((struct span){out->at + start, 8}), 4);
	buffer_add_span(out, headers);
	buffer_add_span(out, payload);
	frame_number(out, aws_stream_crc(span_from(buffer_span(out), start)), 4);
}

/* One of `type` ("event", "exception"), of `name`. */
__attribute__((unused)) static void frame(struct buffer *out, const char *type, const char *name,
					  const char *payload)
{
	struct buffer headers = {0}, key = {0};

	buffer_add_format(&key, ":%s-type", type);
	frame_header(&headers, buffer_string(&key), name);
	frame_header(&headers, ":content-type", "application/json");
	frame_header(&headers, ":message-type", type);
	frame_put(out, buffer_span(&headers), span_of(payload));
	buffer_free(&headers);
	buffer_free(&key);
}

#endif
