#include "event/event.h"

#include "base/utf8.h"
#include "json/scan.h"

/* ---- a line as writers write it ----
 * Most of such a line is fixed text, to be compared. Each function takes the place where something
 * begins and returns the one behind it, or NULL when something else stands there. */

/* Compare without looking for the end. */
static inline const char *behind_text(const char *at, struct span text)
{
	return memcmp(at, text.at, text.len) == 0 ? at + text.len : NULL;
}

static const struct span before_type = {"{\"event_type\":\"", 15};

static inline const char *behind_type(struct span line, struct span *type)
{
	const char *start = line.at + before_type.len, *end = line.at + line.len, *quote;
	bool ascii = true;

	if (line.len < before_type.len || behind_text(line.at, before_type) == NULL)
		return NULL;
	quote = scan_string(line.at, start, end, &ascii);
	*type = (struct span){start, (size_t)(quote - start)};
	return ascii && quote < end && *quote == '"' ? quote : NULL;
}

/* From behind the type to the seq a line has as many bytes each time: a time in microseconds and a
 * UUID. */
static inline const char *behind_fixed(const char *at, const char *end, struct event *event)
{
	enum { TIMESTAMP = 27, UUID = 36 };
	const struct span before_time = SPAN("\",\"timestamp\":\"");
	const struct span before_run = SPAN("\",\"run_id\":\""), before_seq = SPAN("\",\"seq\":");

	if ((size_t)(end - at) <
	    before_time.len + TIMESTAMP + before_run.len + UUID + before_seq.len)
		return NULL;
	at = behind_text(at, before_time);
	if (at == NULL || !scan_is_plain(at, TIMESTAMP))
		return NULL;
	event->timestamp = (struct span){at, TIMESTAMP};
	at = behind_text(at + TIMESTAMP, before_run);
	if (at == NULL || !scan_is_plain(at, UUID))
		return NULL;
	event->run_id = (struct span){at, UUID};
	return behind_text(at + UUID, before_seq);
}

static inline const char *behind_seq(const char *at, const char *end, int64_t *seq)
{
	enum { DIGITS = 18 }; /* as many always fit */
	const char *start = at;
	int64_t value = 0;

	for (; at < end && *at >= '0' && *at <= '9' && at - start < DIGITS; at++)
		value = 10 * value + (*at - '0');
	*seq = value;
	return at == start || (*start == '0' && at - start > 1) ? NULL : at;
}

/* Whether data is right; where its first member is a text, as that of most chunks is, it is noted.
 */
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

/* Whether `c` behind a backslash is one of the usual escapes; json_check_object knows the others.
 */
static inline bool is_usual_escape(char c)
{
	return c == 'n' || c == '"' || c == '\\' || c == 't' || c == '/' || c == 'r';
}

/* The same for data that is nothing but a text, as that of most chunks is. Returns false for any
 * other. */
static bool check_text(struct span line, struct event *event)
{
	const struct span before_text = SPAN("{\"text\":\"");
	const char *at = event->data.at, *end = at + event->data.len, *start;
	bool ascii = true, plain = true;
	struct span text;

	if (event->data.len < before_text.len || behind_text(at, before_text) == NULL)
		return false;
	start = at = at + before_text.len;
	for (;;) {
		at = scan_string(line.at, at, end, &ascii);
		if (end - at < 3 || *at != '\\' || !is_usual_escape(at[1]))
			break;
		plain = false;
		at += 2;
	}
	if (end - at != 2 || *at != '"')
		return false;
	text = (struct span){start, (size_t)(at - start)};
	if (!ascii && utf8_valid(text) < text.len)
		return false;
	if (plain)
		event->plain_text = text;
	else
		event->text = (struct span){start - 1, text.len + 2};
	return true;
}

/* Read a line whose first bytes, up to the quote at `at`, name the type event->type. Returns false
 * unless the line has exactly the form which writers give it. */
static bool read_usual(const char *at, struct event *event)
{
	const struct span before_data = SPAN(",\"data\":"), line = event->line;
	const char *end = line.at + line.len;

	event->text = event->plain_text = (struct span){0};
	at = behind_fixed(at, end, event);
	if (at != NULL)
		at = behind_seq(at, end, &event->seq);
	if (at == NULL || (size_t)(end - at) < before_data.len + 3)
		return false;
	at = behind_text(at, before_data);
	if (at == NULL || *at != '{' || end[-2] != '}' || end[-1] != '}')
		return false;
	event->data = (struct span){at, (size_t)(end - 1 - at)};
	return check_text(line, event) || check_data(event);
}

struct span event_type_quick(struct span line)
{
	struct span type;

	return behind_type(line, &type) != NULL ? type : (struct span){0};
}

/* ---- any line ---- */

static struct span text_of(struct span value)
{
	struct span plain = json_plain(value);

	return plain.at == NULL && value.at != NULL ? SPAN("") : plain;
}

/* The type that a value of event_type names, with escapes or without. */
static enum event_type type_of(struct span value, struct span plain)
{
	int type = 0;

	if (plain.len > 0)
		return event_type_of(plain);
	while (type < EVENT_OTHER && !json_is(value, event_type_name((enum event_type)type)))
		type++;
	return (enum event_type)type;
}

static void take_type(struct event *event, struct span value)
{
	event->type_name = text_of(value);
	event->type = type_of(value, event->type_name);
}

/* An event before its members are known. */
static struct event no_members(struct span line)
{
	return (struct event){.line = line, .type = EVENT_OTHER, .seq = -1};
}

/* Of a key that comes again the first counts, as for json_get. */
static void take_member(struct event *event, struct span quoted_key, struct span value)
{
	struct span key = json_plain(quoted_key);

	if (event->type_name.at == NULL && span_is(key, "event_type"))
		take_type(event, value);
	else if (event->timestamp.at == NULL && span_is(key, "timestamp"))
		event->timestamp = text_of(value);
	else if (event->run_id.at == NULL && span_is(key, "run_id"))
		event->run_id = text_of(value);
	else if (event->seq < 0 && span_is(key, "seq"))
		event->seq = json_int(value, -1);
	else if (event->data.at == NULL && span_is(key, "data"))
		event->data = value;
}

void event_envelope(struct span line, struct event *event)
{
	struct json_walk walk = json_walk(json_trim(line));

	*event = no_members(line);
	while (json_next(&walk))
		take_member(event, walk.key, walk.value);
	if (event->type_name.at == NULL)
		event->type_name = SPAN("");
}

/* Read a line in any form. */
static bool read_any(struct span line, struct event *event, struct json_fault *fault)
{
	enum { USUAL_MEMBERS = 8 };
	struct json_member members[USUAL_MEMBERS];
	size_t count;

	if (!json_check_object(line, 0, members, USUAL_MEMBERS, &count, fault))
		return false;
	if (json_type(json_trim(line)) != JSON_OBJECT) {
		if (fault != NULL)
			*fault = (struct json_fault){.what = "not a JSON object"};
		return false;
	}
	if (count > USUAL_MEMBERS) {
		event_envelope(line, event);
		return true;
	}
	*event = no_members(line);
	for (size_t i = 0; i < count; i++)
		take_member(event, members[i].key, members[i].value);
	if (event->type_name.at == NULL)
		event->type_name = SPAN("");
	return true;
}

enum event_result event_read_one_of(struct span line, event_set types, struct event *event,
				    struct json_fault *fault)
{
	const char *at = behind_type(line, &event->type_name);

	if (at != NULL) {
		event->line = line;
		event->type = event_type_of(event->type_name);
		if (!event_set_has(types, event->type) && line.at[line.len - 1] == '}')
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

void event_add_text(const struct event *event, struct buffer *out)
{
	if (event->plain_text.at != NULL)
		buffer_add_span(out, event->plain_text);
	else
		json_decode(event->text.at != NULL ? event->text : json_get(event->data, "text"),
			    out);
}

void event_add_sse(struct buffer *out, const struct event *event)
{
	if (event->type_name.len > 0)
		buffer_add_format(out, "event: %.*s\n", SPAN_ARG(event->type_name));
	if (event->seq >= 0)
		buffer_add_format(out, "id: %lld\n", (long long)event->seq);
	buffer_add_text(out, "data: ");
	json_write_line(out, event->line);
	buffer_add_text(out, "\n\n");
}
