#include "model/response_body.h"

#include <strings.h>

#include "net/limits.h"

/* ---- events of each framing ---- */

static void on_event(void *context, const struct sse_event *event)
{
	struct response_body *body = context;
	struct span name = event->type;

	if (span_is(name, "message"))
		name = (struct span){0};
	body->event(body->context, name, event->data);
}

static void on_line(void *context, struct span line)
{
	struct response_body *body = context;

	body->event(body->context, (struct span){0}, line);
}

/* The name of an exception is "!" and its type; an error has a message only in a header. */
static void on_message(void *context, const struct aws_message *message)
{
	struct response_body *body = context;
	struct buffer name = {0}, data = {0};

	if (!span_is(message->type, "event") && message->type.at != NULL)
		buffer_add_char(&name, '!');
	buffer_add_span(&name, message->name);
	json_pack(&data, "{'message':%s}", message->error);
	body->event(body->context, buffer_span(&name),
		    message->error.at != NULL ? buffer_span(&data) : message->payload);
	buffer_free(&name);
	buffer_free(&data);
}

void body_init(struct response_body *body, enum framing framing,
	       void (*event)(void *context, struct span name, struct span data), void *context)
{
	*body = (struct response_body){.framing = framing, .event = event, .context = context};
	sse_init(&body->sse, on_event, body);
	ndjson_init(&body->ndjson, on_line, body);
	aws_stream_init(&body->aws, on_message, body);
}

void body_free(struct response_body *body)
{
	sse_free(&body->sse);
	ndjson_free(&body->ndjson);
	aws_stream_free(&body->aws);
	buffer_free(&body->bytes);
}

/* ---- the kind of a body ---- */

/* Whether `bytes`, the beginning of a stream, may begin an SSE field. */
static bool is_field(struct span bytes)
{
	static const char *const fields[] = {":", "data", "event", "error", "id", "retry", NULL};

	for (size_t i = 0; fields[i] != NULL; i++) {
		size_t len = strlen(fields[i]);

		if (memcmp(bytes.at, fields[i], bytes.len < len ? bytes.len : len) == 0)
			return true;
	}
	return false;
}

static bool is_event_stream(const struct http_head *head, struct span bytes)
{
	static const char type[] = "text/event-stream";
	size_t len = sizeof(type) - 1;

	return strchr("{[", bytes.at[0]) == NULL &&
	       (is_field(bytes) || (head->content_type.len >= len &&
				    strncasecmp(head->content_type.at, type, len) == 0));
}

static enum body_kind kind_of(const struct response_body *body, const struct http_head *head,
			      struct span bytes)
{
	struct span text = bytes;

	if (head->status < 200 || head->status > 299)
		return BODY_ERROR;
	if (body->framing == FRAMING_NDJSON)
		return BODY_LINES;
	/* A message begins with its length, whose first byte is never that of a text. */
	if (body->framing == FRAMING_AWS && bytes.len > 0)
		return (unsigned char)bytes.at[0] <= NET_MAX_LINE >> 24 ? BODY_MESSAGES
									: BODY_DOCUMENT;
	while (text.len > 0 && strchr(" \t\r\n", text.at[0]) != NULL)
		text = span_from(text, 1);
	if (text.len == 0)
		return BODY_UNKNOWN;
	return is_event_stream(head, text) ? BODY_EVENTS : BODY_DOCUMENT;
}

static struct span without_mark(struct response_body *body, struct span bytes)
{
	static const char mark[] = "\xEF\xBB\xBF";

	while (body->kind == BODY_UNKNOWN && body->mark < 3 && bytes.len > 0 &&
	       bytes.at[0] == mark[body->mark]) {
		bytes = span_from(bytes, 1);
		body->mark++;
	}
	return bytes;
}

/* ---- bytes ---- */

static void collect(struct response_body *body, struct span bytes, size_t most)
{
	size_t room = most - body->bytes.len;

	buffer_add(&body->bytes, bytes.at, bytes.len < room ? bytes.len : room);
}

/* The position after the line at `at`. */
static size_t next_line(struct span bytes, size_t at)
{
	const char *newline = memchr(bytes.at + at, '\n', bytes.len - at);

	return newline != NULL ? (size_t)(newline - bytes.at) + 1 : bytes.len;
}

/* Where a line begins that is JSON instead of a field; bytes.len if there is none. */
static size_t stray_line(struct response_body *body, struct span bytes)
{
	size_t at = body->mid_line ? next_line(bytes, 0) : 0;

	while (at < bytes.len && bytes.at[at] != '{' && bytes.at[at] != '[')
		at = next_line(bytes, at);
	if (bytes.len > 0)
		body->mid_line = bytes.at[bytes.len - 1] != '\n';
	return at;
}

static bool feed_events(struct response_body *body, struct span bytes)
{
	size_t stray = stray_line(body, bytes);
	bool good = sse_feed(&body->sse, (struct span){bytes.at, stray});

	if (stray < bytes.len) {
		body->kind = BODY_STRAY;
		collect(body, span_from(bytes, stray), BODY_MAX_ERROR);
	}
	return good;
}

static bool feed_document(struct response_body *body, struct span bytes)
{
	bool fits = bytes.len <= NET_MAX_LINE - body->bytes.len;

	collect(body, bytes, NET_MAX_LINE);
	return fits;
}

bool body_feed(struct response_body *body, const struct http_head *head, struct span bytes,
	       const struct provider *provider, struct failure *failure)
{
	bool fits = true;

	bytes = without_mark(body, bytes);
	if (body->kind == BODY_UNKNOWN)
		body->kind = kind_of(body, head, bytes);
	switch (body->kind) {
	case BODY_UNKNOWN:
		break;
	case BODY_EVENTS:
		fits = feed_events(body, bytes);
		break;
	case BODY_LINES:
		fits = ndjson_feed(&body->ndjson, bytes);
		break;
	case BODY_MESSAGES:
		if (!aws_stream_feed(&body->aws, bytes))
			return failure_set(failure, ERROR_INVALID_RESPONSE, true,
					   "%s sent a damaged stream: %s", provider->name,
					   body->aws.fault);
		break;
	case BODY_DOCUMENT:
		fits = feed_document(body, bytes);
		break;
	case BODY_STRAY:
	case BODY_ERROR:
		collect(body, bytes, BODY_MAX_ERROR);
		break;
	}
	return fits || failure_set(failure, ERROR_INVALID_RESPONSE, false,
				   "%s sent more than %d bytes without an end", provider->name,
				   NET_MAX_LINE);
}

size_t body_pending(const struct response_body *body)
{
	switch (body->kind) {
	case BODY_EVENTS:
		return span_starts(buffer_span(&body->sse.line), ":") ? 0 : body->sse.line.len;
	case BODY_LINES:
		return body->ndjson.pending.len;
	case BODY_MESSAGES:
		return body->aws.pending.len;
	default:
		return 0;
	}
}

void body_end(struct response_body *body)
{
	if (body->kind == BODY_EVENTS || body->kind == BODY_STRAY)
		sse_end(&body->sse);
	else if (body->kind == BODY_LINES)
		ndjson_end(&body->ndjson);
	if (body->kind == BODY_STRAY)
		body->event(body->context, SPAN("error"), buffer_span(&body->bytes));
}
