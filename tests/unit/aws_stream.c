/*
 * AWS's event streams: cut anywhere, damaged anywhere, and as Bedrock really sends them.
 */
#include "unit.h"

#include "aws_frames.h"
#include "net/limits.h"

static void on_message(void *context, const struct aws_message *m)
{
	buffer_add_format(context, "[%.*s %.*s %.*s %.*s]", SPAN_ARG(m->type), SPAN_ARG(m->name),
			  SPAN_ARG(m->error), SPAN_ARG(m->payload));
}

/* Feed `bytes` in two pieces, then say what came and what was wrong. Each piece is in memory of its
 * own, so that reading beyond it shows. */
static void read_cut(struct span bytes, size_t cut, struct buffer *got)
{
	const struct span pieces[2] = {{bytes.at, cut}, span_from(bytes, cut)};
	struct aws_stream stream;

	aws_stream_init(&stream, on_message, got);
	for (int i = 0; i < 2; i++) {
		char *piece = mem_copy(pieces[i]);
		bool ok = aws_stream_feed(&stream, (struct span){piece, pieces[i].len});

		free(piece);
		if (ok != (stream.fault == NULL))
			buffer_add_text(got, " (the two do not agree)");
	}
	if (stream.fault != NULL)
		buffer_add_format(got, " %s", stream.fault);
	else if (stream.pending.len > 0)
		buffer_add_text(got, " (more is to come)");
	aws_stream_free(&stream);
}

static void reads(const char *title, struct span bytes, const char *want)
{
	struct buffer got = {0};

	read_cut(bytes, bytes.len, &got);
	unit_same(buffer_span(&got), span_of(want), title);
	buffer_free(&got);
}

/* Three messages, with headers of every type among them. */
static void three(struct buffer *out)
{
	static const char others[] = "\001a\000\001b\001\001c\002x\001d\003xx\001e\004xxxx\001f\005"
				     "xxxxxxxx\001g\006\000\002xx\001h\010xxxxxxxx\001i\011"
				     "xxxxxxxxxxxxxxxx";
	struct buffer headers = {0};

	frame(out, "event", "messageStart", "{\"role\":\"assistant\"}");
	buffer_add(&headers, others, sizeof(others) - 1);
	frame_header(&headers, ":message-type", "error");
	frame_header(&headers, ":error-code", "Oops");
	frame_header(&headers, ":error-message", "it broke");
	frame_put(out, buffer_span(&headers), SPAN(""));
	frame(out, "exception", "throttlingException", "{\"message\":\"slow\"}");
	buffer_free(&headers);
}

#define THREE                                                                                      \
	"[event messageStart  {\"role\":\"assistant\"}][error Oops it broke ]"                     \
	"[exception throttlingException  {\"message\":\"slow\"}]"

static void cuts(void)
{
	struct buffer bytes = {0}, got = {0};
	size_t wrong = 0;

	three(&bytes);
	for (size_t cut = 0; cut <= bytes.len; cut++) {
		buffer_clear(&got);
		read_cut(buffer_span(&bytes), cut, &got);
		wrong += !span_is(buffer_span(&got), THREE);
	}
	unit_ok(wrong == 0, "three messages, cut at each of %zu places (%zu wrong)", bytes.len,
		wrong);
	wrong = 0;
	for (size_t len = 1; len < bytes.len; len++) {
		buffer_clear(&got);
		read_cut((struct span){bytes.at, len}, len / 2, &got);
		if (span_ends(buffer_span(&got), " (more is to come)"))
			got.len -= strlen(" (more is to come)");
		wrong += strncmp(buffer_string(&got), THREE, got.len) != 0;
	}
	unit_ok(wrong == 0, "a stream that ends early is no damaged one (%zu wrong)", wrong);
	buffer_free(&bytes);
	buffer_free(&got);
}

/* Whatever bit of the stream is turned, nothing is told that was not sent, and it is noticed. */
static void damages(void)
{
	struct buffer bytes = {0}, got = {0};
	size_t unnoticed = 0, invented = 0;

	three(&bytes);
	for (size_t bit = 0; bit < 8 * bytes.len; bit++) {
		char *text;
		size_t len;

		bytes.at[bit / 8] = (char)(bytes.at[bit / 8] ^ 1 << bit % 8);
		buffer_clear(&got);
		read_cut(buffer_span(&bytes), bit / 8, &got);
		bytes.at[bit / 8] = (char)(bytes.at[bit / 8] ^ 1 << bit % 8);
		text = buffer_take(&got);
		len = strcspn(text, "]") + 1;
		unnoticed += strstr(text, "checksum") == NULL;
		invented += text[0] == '[' && strncmp(text, THREE, len) != 0;
		free(text);
	}
	unit_ok(unnoticed == 0, "each of %zu turned bits is noticed (%zu are not)", 8 * bytes.len,
		unnoticed);
	unit_ok(invented == 0, "and nothing is invented (%zu are)", invented);
	buffer_free(&bytes);
	buffer_free(&got);
}

static void prelude(const char *title, size_t total, size_t headers, const char *want)
{
	struct buffer bytes = {0};

	frame_number(&bytes, total, 4);
	frame_number(&bytes, headers, 4);
	frame_number(&bytes, aws_stream_crc(buffer_span(&bytes)), 4);
	buffer_add_text(&bytes, "0123456789");
	reads(title, buffer_span(&bytes), want);
	buffer_free(&bytes);
}

static void headers(const char *title, struct span bytes, const char *want)
{
	struct buffer message = {0};

	frame_put(&message, bytes, SPAN("{}"));
	reads(title, buffer_span(&message), want);
	buffer_free(&message);
}

static void faults(void)
{
	prelude("a message shorter than its frame", 15, 0, " a message has an impossible length");
	prelude("headers longer than their message", 20, 5, " a message has an impossible length");
	prelude("lengths that overflow", 20, 0xFFFFFFFF, " a message has an impossible length");
	prelude("a message that is too long", (size_t)NET_MAX_LINE + 1, 0,
		" a message is too long");
	prelude("a long one may come", NET_MAX_LINE, 0, " (more is to come)");
	reads("text in its place", SPAN("{\"message\":\"no\"}"),
	      " the checksum of a message's beginning is wrong");
	headers("no headers", SPAN(""), "[   {}]");
	headers("a name that does not end", SPAN("\011ab"),
		" the headers of a message are malformed");
	headers("a name without a value", SPAN("\001a"), " the headers of a message are malformed");
	headers("a value that does not end", SPAN("\001a\007\000\005xx"),
		" the headers of a message are malformed");
	headers("a value without its length", SPAN("\001a\007\000"),
		" the headers of a message are malformed");
	headers("a type that there is not", SPAN("\001a\012"),
		" the headers of a message are malformed");
	headers("an empty text", SPAN("\013:event-type\007\000\000"), "[   {}]");
}

static void recorded(const char *folder, const char *want)
{
	struct buffer path = {0}, bytes = {0}, got = {0};

	buffer_add_format(&path, "tests/data/recordings/bedrock/%s/response.eventstream", folder);
	unit_read(buffer_string(&path), &bytes);
	read_cut(buffer_span(&bytes), bytes.len / 2, &got);
	unit_same(buffer_span(&got), span_of(want), folder);
	buffer_free(&path);
	buffer_free(&bytes);
	buffer_free(&got);
}

int main(void)
{
	unit_ok(aws_stream_crc(SPAN("123456789")) == 0xCBF43926, "the CRC that zlib computes");
	cuts();
	damages();
	faults();
	recorded(
	    "converse-rb-tools-tools-with-multi-turn-streaming-conversations/01",
	    "[event messageStart  {\"p\":\"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "01234\",\"role\":\"assistant\"}]"
	    "[event contentBlockStart  {\"contentBlockIndex\":0,\"p\":\"abcdefghijklmnopqr\","
	    "\"start\":{\"toolUse\":{\"name\":\"weather\",\"toolUseId\":"
	    "\"tooluse_hsyz7O0QqkhdTHrpQhVYXj\"}}}]"
	    "[event contentBlockDelta  {\"contentBlockIndex\":0,\"delta\":{\"toolUse\":"
	    "{\"input\":\"{\\\"latitude\\\":\\\"52.5200\\\",\\\"longitude\\\":\\\"13.4050\\\"}"
	    "\"}},\"p\":\"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXY\"}]"
	    "[event contentBlockStop  {\"contentBlockIndex\":0,\"p\":"
	    "\"abcdefghijklmnopqrstuvwxyzABCDEFGHIJK\"}]"
	    "[event messageStop  {\"p\":\"abcdefghijklmnopqrs\",\"stopReason\":\"tool_use\"}]"
	    "[event metadata  {\"metrics\":{\"latencyMs\":604},\"p\":\"abcdefghijklmn\",\"usage\":"
	    "{\"inputTokens\":986,\"outputTokens\":42,\"serverToolUsage\":{},\"totalTokens\":1028}}"
	    "]");
	return unit_done();
}
