#include "event/event.h"

#include "base/utf8.h"
#include "json/scan.h"

static const char quick[] = "{\"event_type\":\"";

struct span event_type_quick(struct span line)
{
	const char *start, *end;

	if (!span_starts(line, quick))
		return (struct span){0};
	start = line.at + sizeof(quick) - 1;
	end = memchr(start, '"', line.len - (sizeof(quick) - 1));
	if (end == NULL || memchr(start, '\\', (size_t)(end - start)) != NULL)
		return (struct span){0};
	return (struct span){start, (size_t)(end - start)};
}

bool event_may_be(struct span line, const char *const *types, size_t count)
{
	struct span type = event_type_quick(line);

	if (type.at == NULL || line.at[line.len - 1] != '}')
		return true;
	for (size_t i = 0; i < count; i++)
		if (type.at[0] == types[i][0] && span_is(type, types[i]))
			return true;
	return false;
}

static struct span text_of(struct span value)
{
	struct span plain = json_plain(value);

	return plain.at == NULL && value.at != NULL ? SPAN("") : plain;
}

/* Of a key that comes again the first counts, as for json_get. */
static void take_member(struct event *event, struct span quoted_key, struct span value)
{
	struct span key = json_plain(quoted_key);

	if (event->type.at == NULL && span_is(key, "event_type"))
		event->type = text_of(value);
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

	*event = (struct event){.line = line, .seq = -1};
	while (json_next(&walk))
		take_member(event, walk.key, walk.value);
	if (event->type.at == NULL)
		event->type = SPAN("");
}

/* ---- an envelope as writers write it ---- */

static inline bool take_text(struct span *rest, struct span text)
{
	if (rest->len < text.len || memcmp(rest->at, text.at, text.len) != 0)
		return false;
	*rest = span_from(*rest, text.len);
	return true;
}

/* A string of ASCII without escapes, whose opening quote is already taken, up to its closing one.
 */
static inline bool take_plain(struct span line, struct span *rest, struct span *text)
{
	const char *end = rest->at + rest->len;
	bool ascii = true;
	const char *stop = scan_string(line.at, rest->at, end, &ascii);

	*text = (struct span){rest->at, (size_t)(stop - rest->at)};
	*rest = span_from(*rest, text->len);
	return ascii && rest->len > 0 && rest->at[0] == '"';
}

static bool take_seq(struct span *rest, int64_t *seq)
{
	enum { DIGITS = 18 }; /* as many always fit */
	size_t n = 0;

	*seq = 0;
	for (; n < rest->len && n < DIGITS && rest->at[n] >= '0' && rest->at[n] <= '9'; n++)
		*seq = 10 * *seq + (rest->at[n] - '0');
	if (n == 0 || (n > 1 && rest->at[0] == '0'))
		return false;
	*rest = span_from(*rest, n);
	return true;
}

/* Data that is nothing but a text, as that of most chunks is, and one without escapes. */
static bool read_plain_text(struct span line, struct event *event)
{
	struct span rest = event->data, text;
	const char *end = rest.at + rest.len, *stop;
	bool ascii = true;

	if (!take_text(&rest, SPAN("{\"text\":\"")))
		return false;
	stop = scan_string(line.at, rest.at, end, &ascii);
	if (end - stop != 2 || stop[0] != '"' || stop[1] != '}')
		return false;
	text = (struct span){rest.at, (size_t)(stop - rest.at)};
	if (!ascii && utf8_valid(text) < text.len)
		return false;
	event->text = (struct span){text.at - 1, text.len + 2};
	return true;
}

static bool read_data(struct span line, struct event *event)
{
	struct json_member first;
	size_t count;

	event->text = (struct span){0};
	if (read_plain_text(line, event))
		return true;
	if (!json_check_object(event->data, &first, 1, &count, NULL))
		return false;
	if (count > 0 && span_is(first.key, "\"text\""))
		event->text = first.value;
	return true;
}

/* Read a line that has exactly the form which writers give it: then most of it is fixed text, to
 * be compared, and only `data` is left to be checked. Returns false for any other line. */
static bool read_usual(struct span line, struct event *event)
{
	struct span rest = line;

	event->line = line;
	if (!take_text(&rest, SPAN("{\"event_type\":\"")) ||
	    !take_plain(line, &rest, &event->type) ||
	    !take_text(&rest, SPAN("\",\"timestamp\":\"")) ||
	    !take_plain(line, &rest, &event->timestamp) ||
	    !take_text(&rest, SPAN("\",\"run_id\":\"")) ||
	    !take_plain(line, &rest, &event->run_id) || !take_text(&rest, SPAN("\",\"seq\":")) ||
	    !take_seq(&rest, &event->seq) || !take_text(&rest, SPAN(",\"data\":")) || rest.len < 3)
		return false;
	event->data = (struct span){rest.at, rest.len - 1};
	return rest.at[0] == '{' && rest.at[rest.len - 2] == '}' && rest.at[rest.len - 1] == '}' &&
	       read_data(line, event);
}

bool event_read(struct span line, struct event *event, struct json_fault *fault)
{
	enum { USUAL_MEMBERS = 8 };
	struct json_member members[USUAL_MEMBERS];
	size_t count;

	if (read_usual(line, event))
		return true;
	if (!json_check_object(line, members, USUAL_MEMBERS, &count, fault))
		return false;
	if (json_type(json_trim(line)) != JSON_OBJECT) {
		fault->what = "not a JSON object";
		fault->offset = 0;
		return false;
	}
	if (count > USUAL_MEMBERS) {
		event_envelope(line, event);
		return true;
	}
	*event = (struct event){.line = line, .seq = -1};
	for (size_t i = 0; i < count; i++)
		take_member(event, members[i].key, members[i].value);
	if (event->type.at == NULL)
		event->type = SPAN("");
	return true;
}

struct span event_text(const struct event *event)
{
	return event->text.at != NULL ? event->text : json_get(event->data, "text");
}

void event_add_sse(struct buffer *out, const struct event *event)
{
	if (event->type.len > 0)
		buffer_add_format(out, "event: %.*s\n", SPAN_ARG(event->type));
	if (event->seq >= 0)
		buffer_add_format(out, "id: %lld\n", (long long)event->seq);
	buffer_add_text(out, "data: ");
	json_write_line(out, event->line);
	buffer_add_text(out, "\n\n");
}
