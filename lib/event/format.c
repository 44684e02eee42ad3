#include "event/format.h"

#include <fnmatch.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/number.h"
#include "event/event.h"

/* The first row that matches counts. A line is in the format if the text of `key` matches the glob
 * `value`, and it has the member `also` (NULL: none). Types that two formats share need a member
 * that only one of them has. */
static const struct signature {
	const char *format, *key, *value, *also;
} signatures[] = {
    {FORMAT_EVENTS, "event_type", "*", NULL},    {"claude", "type", "system", "subtype"},
    {"claude", "type", "assistant", "message"},  {"claude", "type", "user", "message"},
    {"claude", "type", "stream_event", "event"}, {"claude", "type", "result", "subtype"},
    {"gemini", "type", "init", "session_id"},    {"gemini", "type", "message", "role"},
    {"gemini", "type", "tool_use", "tool_id"},   {"gemini", "type", "tool_result", "tool_id"},
    {"gemini", "type", "result", "status"},      {"gemini", "type", "error", "severity"},
    {"codex", "type", "thread.*", NULL},         {"codex", "type", "turn.*", NULL},
    {"codex", "type", "item.*", NULL},           {"codex", "type", "error", "message"},
};

static bool has_signature(struct span line, const struct signature *signature)
{
	char *text = json_text(json_get(line, signature->key));
	bool has = text != NULL && fnmatch(signature->value, text, 0) == 0 &&
		   (signature->also == NULL || json_get(line, signature->also).at != NULL);

	free(text);
	return has;
}

const char *format_of(struct span line)
{
	for (size_t i = 0; i < ARRAY_LEN(signatures); i++)
		if (has_signature(json_trim(line), &signatures[i]))
			return signatures[i].format;
	return NULL;
}

void format_add_remedy(struct buffer *out, const char *format)
{
	if (format != NULL && strcmp(format, FORMAT_EVENTS) != 0)
		buffer_add_format(out,
				  "; this looks like %s, which agent-filter --from %s translates",
				  format, format);
}

void format_check_line(struct format_check *check, struct span line)
{
	const char *format = NULL;

	check->lines++;
	if (check->found)
		return;
	if (event_type_quick(line).at != NULL)
		format = FORMAT_EVENTS;
	else if (json_check(line, NULL))
		format = format_of(line);
	if (format == NULL)
		return;
	check->found = strcmp(format, check->wanted) == 0;
	if (check->other == NULL)
		check->other = format;
}

bool format_is_other(const struct format_check *check, struct span line)
{
	const char *format = format_of(line);
	bool known = false;

	for (size_t i = 0; i < ARRAY_LEN(signatures); i++)
		known = known || strcmp(signatures[i].format, check->wanted) == 0;
	return known && format != NULL && strcmp(format, check->wanted) != 0;
}

bool format_check_failed(const struct format_check *check)
{
	bool wants_events = strcmp(check->wanted, FORMAT_EVENTS) == 0;
	struct buffer text = {0};

	if (check->found || check->lines == 0)
		return false;
	buffer_add_format(&text, "%llu line%s read, none is %s %s",
			  (unsigned long long)check->lines, plural((double)check->lines),
			  wants_events ? "an event of" : "a", check->wanted);
	if (!wants_events)
		buffer_add_text(&text, " event");
	if (wants_events)
		format_add_remedy(&text, check->other);
	else if (check->other != NULL)
		buffer_add_format(&text, "; this looks like %s", check->other);
	warn("%s", buffer_string(&text));
	buffer_free(&text);
	return true;
}
