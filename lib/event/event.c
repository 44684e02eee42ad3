#include "event/event.h"

#include "base/utf8.h"
#include "json/scan.h"

/* ---- lines in the form in which agent-run writes them ----
 * Most of such a line is constant. The functions compare it, and return the position after the part
 * that they read, or NULL if the line has another form. */

/* The caller makes sure that there are enough bytes. */
static inline const char *after_text(const char *at, struct span text)
{
	return at != NULL && memcmp(at, text.at, text.len) == 0 ? at + text.len : NULL;
}

/* Returns the quote that ends the type. */
static inline const char *after_type(struct span line, struct span *type)
{
	const struct span before_type = SPAN("{\"event_type\":\"");
	const char *start = line.at + before_type.len, *end = line.at + line.len, *quote;
	bool ascii = true;

	if (line.len < before_type.len || after_text(line.at, before_type) == NULL)
		return NULL;
	quote = scan_string(line.at, start, end, &ascii);
	*type = (struct span){start, (size_t)(quote - start)};
	return ascii && quote < end && *quote == '"' ? quote : NULL;
}

/* A string of `len` bytes without escapes. */
static inline const char *after_plain(const char *at, size_t len, struct span *string)
{
	if (at == NULL || !scan_is_plain(at, len))
		return NULL;
	*string = (struct span){at, len};
	return at + len;
}

/* The members between event_type and the number of seq have a constant length. */
static inline const char *after_constant(const char *at, const char *end, struct event *event)
{
	enum { UUID = 36 };
	const struct span before_time = SPAN("\",\"timestamp\":\"");
	const struct span before_run = SPAN("\",\"run_id\":\""), before_seq = SPAN("\",\"seq\":");

	if ((size_t)(end - at) <
	    before_time.len + EVENT_TIMESTAMP + before_run.len + UUID + before_seq.len)
		return NULL;
	at = after_plain(after_text(at, before_time), EVENT_TIMESTAMP, &event->timestamp);
	at = after_plain(after_text(at, before_run), UUID, &event->run_id);
	return after_text(at, before_seq);
}

/* A number of at most 18 digits, which always fits. */
static inline const char *after_number(const char *at, const char *end, int64_t *number)
{
	enum { DIGITS = 18 };
	const char *start = at;
	int64_t value = 0;

	if (at == NULL)
		return NULL;
	for (; at < end && *at >= '0' && *at <= '9' && at - start < DIGITS; at++)
		value = 10 * value + (*at - '0');
	*number = value;
	return at == start || (*start == '0' && at - start > 1) ? NULL : at;
}

/* Whether `data` is an object. Stores the text if that is its first member. */
static bool check_data(struct event *event)
{
	struct json_member first;
	size_t count;

	if (!json_check_object(event->data, 1, &first, 1, &count, NULL))
		return false;
	if (count > 0 && span_is(first.key, "\"text\""))
		event->text = first.value;
	return true;
}

/* The same, faster, for data of nothing but a text and its part, which most chunks have. Returns
 * false for other data and for escapes of code points. */
static bool check_text(struct span line, struct event *event)
{
	const struct span before_text = SPAN("{\"text\":\""), before_part = SPAN("\",\"part\":");
	const char *at = event->data.at, *end = at + event->data.len, *start;
	bool ascii = true, plain = true;
	int64_t part = 0;
	struct span text;

	if (event->data.len < before_text.len || after_text(at, before_text) == NULL)
		return false;
	start = at = at + before_text.len;
	while (at = scan_string(line.at, at, end, &ascii),
	       end - at >= 3 && *at == '\\' && scan_escaped(at[1]) != '\0') {
		plain = false;
		at += 2;
	}
	text = (struct span){start, (size_t)(at - start)};
	if ((end - at != 2 || *at != '"') &&
	    ((size_t)(end - at) < before_part.len ||
	     after_number(after_text(at, before_part), end, &part) != end - 1))
		return false;
	if (!ascii && utf8_valid(text) < text.len)
		return false;
	event->part = part;
	if (plain)
		event->plain_text = text;
	else
		event->text = (struct span){start - 1, text.len + 2};
	return true;
}

/* Read the line from the end of its type on. Returns false if it has another form. */
static bool read_usual(const char *at, struct event *event)
{
	const struct span before_data = SPAN(",\"data\":"), line = event->line;
	const char *end = line.at + line.len;

	event->text = event->plain_text = (struct span){0};
	event->part = -1;
	at = after_number(after_constant(at, end, event), end, &event->seq);
	if (at == NULL || (size_t)(end - at) < before_data.len + 3)
		return false;
	at = after_text(at, before_data);
	if (at == NULL || *at != '{' || end[-2] != '}' || end[-1] != '}')
		return false;
	event->data = (struct span){at, (size_t)(end - 1 - at)};
	return check_text(line, event) || check_data(event);
}

struct span event_type_quick(struct span line)
{
	struct span type;

	return after_type(line, &type) != NULL ? type : (struct span){0};
}

/* ---- lines in any form ---- */

/* A string without its quotes; "" for other values and for strings with escapes. */
static struct span text_of(struct span value)
{
	struct span plain = json_plain(value);

	return plain.at == NULL && value.at != NULL ? SPAN("") : plain;
}

/* The type that a string names, with or without escapes. */
static enum event_type type_of(struct span string)
{
	struct span plain = json_plain(string);
	int type = 0;

	if (plain.len > 0)
		return event_type_of(plain);
	while (type < EVENT_OTHER && !json_is(string, event_type_name((enum event_type)type)))
		type++;
	return (enum event_type)type;
}

static void read_members(struct json_walk walk, struct span line, struct event *event)
{
	enum { TYPE, TIMESTAMP, RUN_ID, SEQ, DATA, COUNT };
	static const struct span names[COUNT + 1] = {SPAN_INIT("event_type"),
						     SPAN_INIT("timestamp"), SPAN_INIT("run_id"),
						     SPAN_INIT("seq"), SPAN_INIT("data")};
	struct span values[COUNT];

	json_members(walk, names, values);
	*event = (struct event){
	    .line = line,
	    .type = type_of(values[TYPE]),
	    .type_name = values[TYPE].at != NULL ? text_of(values[TYPE]) : SPAN(""),
	    .timestamp = text_of(values[TIMESTAMP]),
	    .run_id = text_of(values[RUN_ID]),
	    .seq = json_int(values[SEQ], -1),
	    .data = values[DATA],
	    .part = -1,
	};
}

void event_envelope(struct span line, struct event *event)
{
	read_members(json_walk(json_trim(line)), line, event);
}

static bool read_any(struct span line, struct event *event, struct json_fault *fault)
{
	struct span object = json_trim(line);
	struct json_index index;

	if (!json_check_index(line, &index, fault))
		return false;
	if (json_type(object) != JSON_OBJECT) {
		if (fault != NULL)
			*fault = (struct json_fault){.what = "not a JSON object"};
		return false;
	}
	read_members(json_index_walk(&index, object), line, event);
	return true;
}

enum event_result event_read_one_of(struct span line, event_set types, struct event *event,
				    struct json_fault *fault)
{
	const char *at = after_type(line, &event->type_name);

	if (at != NULL) {
		event->line = line;
		event->type = event_type_of(event->type_name);
		if (!event_set_has(types, event->type) && !event_may_be_damaged(line))
			return EVENT_SKIPPED;
		if (read_usual(at, event))
			return EVENT_READ;
	}
	return read_any(line, event, fault) ? EVENT_READ : EVENT_MALFORMED;
}

bool event_read(struct span line, struct event *event, struct json_fault *fault)
{
	return event_read_one_of(line, EVENT_ALL, event, fault) == EVENT_READ;
}

/* ---- damaged lines ---- */

static bool is_space_or_nul(char c)
{
	return c == '\0' || span_is_space(c);
}

struct span event_trim(struct span line, size_t *nuls)
{
	while (line.len > 0 && is_space_or_nul(line.at[0])) {
		*nuls += line.at[0] == '\0';
		line = span_from(line, 1);
	}
	for (; line.len > 0 && is_space_or_nul(line.at[line.len - 1]); line.len--)
		*nuls += line.at[line.len - 1] == '\0';
	return line;
}

bool event_may_be_damaged(struct span line)
{
	const char *end = line.at + line.len, *at = line.at;
	size_t opened = 1, closed = 0;

	if (!span_ends(line, "}}") || memchr(at, '\0', line.len) != NULL)
		return true;
	/* Faster than memmem, since few lines have many braces. */
	while ((at = memchr(at + 1, '{', (size_t)(end - at - 1))) != NULL) {
		opened++;
		if (span_starts((struct span){at, (size_t)(end - at)}, "{\"event_type\":\""))
			return true;
	}
	for (at = line.at; (at = memchr(at, '}', (size_t)(end - at))) != NULL; at++)
		closed++;
	return opened != closed;
}

bool event_head(struct span line, struct event *event)
{
	const char *end = line.at + line.len, *at;

	*event = (struct event){.line = line, .seq = -1, .part = -1};
	at = after_type(line, &event->type_name);
	if (at != NULL)
		at = after_constant(at, end, event);
	if (at == NULL)
		return false;
	event->type = event_type_of(event->type_name);
	at = after_number(at, end, &event->seq);
	if (at == NULL || at == end)
		event->seq = -1;
	return true;
}

struct span event_tail(struct span line)
{
	struct event event;

	for (size_t i = line.len; i-- > 1;) {
		struct span tail = span_from(line, i);

		if (tail.at[0] == '{' && span_starts(tail, "{\"event_type\":\""))
			return event_head(tail, &event) && event_read(tail, &event, NULL)
				   ? tail
				   : (struct span){0};
	}
	return (struct span){0};
}

void event_add_nuls(struct buffer *out, size_t nuls)
{
	buffer_add_format(out, "%zu NUL byte%s skipped", nuls, nuls == 1 ? " is" : "s are");
}

void event_add_fault(struct buffer *out, const struct json_fault *fault, struct span tail,
		     bool torn)
{
	buffer_add_format(out, "byte %zu: %s; %s", fault->offset + 1, fault->what,
			  tail.at != NULL ? "only the event at the end of the line is read"
			  : torn          ? "the last line is cut off, and skipped"
					  : "the line is skipped");
}

/* ---- what an event contains ---- */

void event_add_text(const struct event *event, struct buffer *out)
{
	if (event->plain_text.at != NULL)
		buffer_add_span(out, event->plain_text);
	else
		json_decode(event->text.at != NULL ? event->text : json_get(event->data, "text"),
			    out);
}

int64_t event_part(const struct event *event)
{
	return event->part >= 0 ? event->part : json_int(json_get(event->data, "part"), 0);
}

bool event_discards(const struct event *event)
{
	return event->type == EVENT_LLM_RETRY && json_true(json_get(event->data, "discard"));
}

bool event_is_hosted(struct span call)
{
	return json_get(call, "executed_by").at != NULL;
}

void event_note_tools(const struct event *event, struct patterns *names)
{
	struct json_walk walk;

	if (event->type != EVENT_AGENT_START || names->count == 0)
		return;
	for (walk = json_walk(json_get(event->data, "tools")); json_next(&walk);) {
		char *name = json_text(walk.value);

		if (name != NULL)
			patterns_note(names, name);
		free(name);
	}
}

bool event_is_left_out(struct span data)
{
	struct span reason = json_get(data, "finish_reason");

	return json_true(json_get(data, "is_wrap_up")) ||
	       (json_true(json_get(data, "is_final")) &&
		(json_true(json_get(data, "truncated")) ||
		 (reason.at != NULL && !json_is(reason, "stop") &&
		  !json_is(reason, "tool_calls"))));
}

bool event_is_stopped_call(struct span data)
{
	return span_equal(json_get(data, "result"), SPAN("\"" EVENT_STOPPED_RESULT "\"")) &&
	       json_true(json_get(data, "is_error")) && json_get(data, "exit_status").at == NULL &&
	       json_get(data, "reason").at == NULL;
}

bool event_next_call(struct json_walk *walk)
{
	while (json_next(walk))
		if (json_is(json_get(walk->value, "type"), "tool_call") &&
		    !event_is_hosted(walk->value))
			return true;
	return false;
}

void event_add_sse(struct buffer *out, const struct event *event)
{
	if (event->type_name.len > 0)
		buffer_add_format(out, "event: %s%.*s\n", event->type == EVENT_ERROR ? "run_" : "",
				  SPAN_ARG(event->type_name));
	if (event->seq >= 0)
		buffer_add_format(out, "id: %.*s%s%lld\n", SPAN_ARG(event->run_id),
				  event->run_id.len > 0 ? ":" : "", (long long)event->seq);
	buffer_add_text(out, "data: ");
	json_write_line(out, event->line);
	buffer_add_text(out, "\n\n");
}

/* ---- usage ---- */

const char *const usage_names[USAGE_KEYS] = {
    "input_tokens",       "output_tokens",    "cached_input_tokens",
    "cache_write_tokens", "reasoning_tokens",
};

void usage_add_count(int64_t *sum, int64_t more)
{
	int64_t known = *sum > 0 ? *sum : 0;

	if (more >= 0 && known <= INT64_MAX - more)
		*sum = known + more;
}
