#include "net/sse.h"

#include "net/limits.h"

static const struct span byte_order_mark = {"\xEF\xBB\xBF", 3};

/* Positions of the next LF and CR at or after the reading position, so that each byte is scanned
 * only once for each of them. */
struct scan {
	const char *at, *end;
	const char *lf, *cr;
};

void sse_init(struct sse *sse, void (*event)(void *context, const struct sse_event *event),
	      void *context)
{
	*sse = (struct sse){.event = event, .context = context, .retry = -1};
}

void sse_free(struct sse *sse)
{
	buffer_free(&sse->line);
	buffer_free(&sse->type);
	buffer_free(&sse->data);
	buffer_free(&sse->id);
	sse->held = (struct span){0};
}

static void deliver(struct sse *sse, struct span type, struct span data)
{
	struct sse_event event = {.type = type, .data = data, .id = buffer_span(&sse->id)};

	sse->event(sse->context, &event);
}

/* A blank line ends the event. An event without a data field is dropped (HTML, 9.2.6). */
static void dispatch(struct sse *sse)
{
	if (sse->has_data) {
		struct span type = sse->type.len > 0 ? buffer_span(&sse->type) : SPAN("message");

		deliver(sse, type, sse->held.at != NULL ? sse->held : buffer_span(&sse->data));
	}
	sse->has_data = false;
	sse->held = (struct span){0};
	buffer_clear(&sse->data);
	buffer_clear(&sse->type);
}

/* Copy the held line into `data`, because a second line follows or its bytes become invalid. */
static void keep_held(struct sse *sse)
{
	if (sse->held.at == NULL)
		return;
	buffer_add_span(&sse->data, sse->held);
	sse->held = (struct span){0};
}

static bool add_data(struct sse *sse, struct span value)
{
	if (!sse->has_data) {
		sse->has_data = true;
		sse->held = value;
		return true;
	}
	keep_held(sse);
	if (value.len >= NET_MAX_LINE - sse->data.len)
		return false;
	buffer_add_char(&sse->data, '\n');
	buffer_add_span(&sse->data, value);
	return true;
}

static void set_retry(struct sse *sse, struct span value)
{
	int64_t milliseconds = 0;

	if (value.len == 0)
		return;
	for (size_t i = 0; i < value.len; i++) {
		if (value.at[i] < '0' || value.at[i] > '9')
			return;
		if (milliseconds < INT64_MAX / 10 - 9)
			milliseconds = milliseconds * 10 + (value.at[i] - '0');
	}
	sse->retry = milliseconds;
}

static void set(struct buffer *b, struct span value)
{
	buffer_clear(b);
	buffer_add_span(b, value);
}

/* An error field is an event of its own. The event before it is delivered first. */
static void report_error(struct sse *sse, struct span value)
{
	if (sse->has_data)
		dispatch(sse);
	deliver(sse, SPAN("error"), value);
}

static bool take_field(struct sse *sse, struct span name, struct span value)
{
	if (span_equal(name, SPAN("data")))
		return add_data(sse, value);
	if (span_equal(name, SPAN("event")))
		set(&sse->type, value);
	else if (span_equal(name, SPAN("id")) && memchr(value.at, '\0', value.len) == NULL)
		set(&sse->id, value);
	else if (span_equal(name, SPAN("retry")))
		set_retry(sse, value);
	else if (span_equal(name, SPAN("error")))
		report_error(sse, value);
	return true;
}

static bool take_line(struct sse *sse, struct span line)
{
	const char *colon;
	struct span name = line, value = {line.at + line.len, 0};

	if (line.len == 0) {
		dispatch(sse);
		return true;
	}
	colon = memchr(line.at, ':', line.len);
	if (colon == line.at)
		return true;
	if (colon != NULL) {
		name.len = (size_t)(colon - line.at);
		value = span_from(line, name.len + 1);
		if (value.len > 0 && value.at[0] == ' ')
			value = span_from(value, 1);
	}
	return take_field(sse, name, value);
}

/* Skip a byte order mark at the start of the stream, which may arrive in pieces. Returns the rest
 * of `bytes`. Bytes that turn out not to be a mark become the start of the first line. */
static struct span skip_mark(struct sse *sse, struct span bytes)
{
	while (!sse->begun && bytes.len > 0) {
		if (bytes.at[0] != byte_order_mark.at[sse->bom]) {
			buffer_add(&sse->line, byte_order_mark.at, sse->bom);
			sse->begun = true;
			break;
		}
		bytes = span_from(bytes, 1);
		sse->begun = ++sse->bom == byte_order_mark.len;
	}
	return bytes;
}

static const char *find(const char *at, const char *end, char c)
{
	const char *found = memchr(at, c, (size_t)(end - at));

	return found != NULL ? found : end;
}

/* Find the end of the line that starts at scan->at and move past its terminator. Returns false if
 * the bytes end before that. */
static bool next_line(struct sse *sse, struct scan *scan, struct span *line)
{
	const char *end;

	if (scan->lf < scan->at)
		scan->lf = find(scan->at, scan->end, '\n');
	if (scan->cr < scan->at)
		scan->cr = find(scan->at, scan->end, '\r');
	end = scan->lf < scan->cr ? scan->lf : scan->cr;
	*line = (struct span){scan->at, (size_t)(end - scan->at)};
	if (end == scan->end)
		return false;
	scan->at = end + 1;
	if (end == scan->cr) {
		sse->after_cr = scan->at == scan->end;
		scan->at += scan->at < scan->end && *scan->at == '\n';
	}
	return true;
}

static bool feed_lines(struct sse *sse, struct scan *scan)
{
	struct span line;

	while (scan->at < scan->end && next_line(sse, scan, &line)) {
		bool pieced = sse->line.len > 0;

		if (line.len > NET_MAX_LINE - sse->line.len)
			return false;
		if (pieced) {
			buffer_add_span(&sse->line, line);
			line = buffer_span(&sse->line);
		}
		if (!take_line(sse, line))
			return false;
		if (pieced)
			buffer_clear(&sse->line);
	}
	return true;
}

bool sse_feed(struct sse *sse, struct span bytes)
{
	struct scan scan;
	size_t rest;
	bool fits;

	bytes = skip_mark(sse, bytes);
	if (sse->after_cr && bytes.len > 0) {
		sse->after_cr = false;
		if (bytes.at[0] == '\n')
			bytes = span_from(bytes, 1);
	}
	if (bytes.len == 0)
		return true;
	scan = (struct scan){.at = bytes.at, .end = bytes.at + bytes.len};
	scan.lf = find(scan.at, scan.end, '\n');
	scan.cr = find(scan.at, scan.end, '\r');
	fits = feed_lines(sse, &scan);
	keep_held(sse);
	rest = (size_t)(scan.end - scan.at);
	if (!fits || rest > NET_MAX_LINE - sse->line.len)
		return false;
	buffer_add(&sse->line, scan.at, rest);
	return true;
}

void sse_end(struct sse *sse)
{
	if (sse->line.len > 0)
		take_line(sse, buffer_span(&sse->line));
	dispatch(sse);
	buffer_clear(&sse->line);
}
