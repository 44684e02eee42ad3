#include "redact.h"

#include <ctype.h>

/* Texts under these keys stay, also in arrays: ids, and names that the user gave. */
static const char *const kept[] = {"event_type",
				   "timestamp",
				   "run_id",
				   "parent_run_id",
				   "id",
				   "agent_name",
				   "previous_agent",
				   "tool_call_id",
				   "parent_tool_call_id",
				   "resumed_from",
				   "continues",
				   "session_id",
				   NULL};

/* Texts under these keys stay if they are words. They can be something else: the model of exec is a
 * command, and a model can write anything as the name of a tool. */
static const char *const words[] = {"model",         "provider",      "provider_id",
				    "trace_parent",  "tools",         "tool_name",
				    "executed_by",   "handoff_input", "exception_type",
				    "provider_code", "request_id",    "response_id",
				    "status",        "finish_reason", "provider_finish_reason",
				    "output_in",     "decision",      "by",
				    "stream",        "role",          "type",
				    "media_type",    "event",         NULL};

/* Objects under these keys have members of agent-events(5). */
static const char *const containers[] = {"data",    "usage",       "message",
					 "content", "attachments", NULL};

/* Values of any type that a model, a tool or a provider wrote. */
static const char *const contents[] = {"args",        "result",  "result_json",   "output",
				       "output_json", "payload", "provider_data", NULL};

static void redact_members(struct buffer *out, struct span object);

/* Whether a string is a word: no sentence, no command, no path. */
static bool is_word(struct span string)
{
	enum { MAX = 128 };
	static const char signs[] = "_-.:/@+";
	struct span text = json_plain(string);
	bool word = text.at != NULL && text.len > 0 && text.len <= MAX &&
		    strchr("-./:", text.at[0]) == NULL;

	for (size_t i = 0; word && i < text.len; i++)
		word = (isalnum((unsigned char)text.at[i]) && (unsigned char)text.at[i] < 0x80) ||
		       strchr(signs, text.at[i]) != NULL;
	return word;
}

/* `key` is absent for the event itself. */
static void redact_value(struct buffer *out, struct span key, struct span value)
{
	bool is_content = key.at != NULL && json_is_any(key, contents);

	switch (json_type(value)) {
	case JSON_OBJECT:
		json_open(out, '{');
		if (key.at == NULL || json_is_any(key, containers))
			redact_members(out, value);
		json_close(out, '}');
		break;
	case JSON_ARRAY:
		json_open(out, '[');
		for (struct json_walk walk = json_walk(value); !is_content && json_next(&walk);) {
			json_comma(out);
			redact_value(out, key, walk.value);
		}
		json_close(out, ']');
		break;
	case JSON_STRING:
		if (value.len == 2 || json_is_any(key, kept) ||
		    (json_is_any(key, words) && is_word(value)))
			buffer_add_span(out, value);
		else
			buffer_add_text(out, "\"[redacted]\"");
		break;
	default:
		buffer_add_span(out, is_content ? SPAN("null") : value);
	}
}

static void redact_members(struct buffer *out, struct span object)
{
	for (struct json_walk walk = json_walk(object); json_next(&walk);) {
		json_copy_key(out, walk.key);
		redact_value(out, walk.key, walk.value);
	}
}

void redact(struct buffer *out, struct span line)
{
	redact_value(out, (struct span){0}, line);
}
