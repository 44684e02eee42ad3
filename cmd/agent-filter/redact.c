#include "redact.h"

/* Texts under these keys stay, also in arrays. */
static const char *const kept[] = {"event_type",
				   "timestamp",
				   "run_id",
				   "parent_run_id",
				   "id",
				   "agent_name",
				   "previous_agent",
				   "model",
				   "provider",
				   "tools",
				   "tool_name",
				   "tool_call_id",
				   "provider_id",
				   "executed_by",
				   "parent_tool_call_id",
				   "resumed_from",
				   "trace_parent",
				   "handoff_input",
				   "exception_type",
				   "provider_code",
				   "request_id",
				   "response_id",
				   "session_id",
				   "status",
				   "finish_reason",
				   "provider_finish_reason",
				   "decision",
				   "by",
				   "stream",
				   "role",
				   "type",
				   "media_type",
				   "event",
				   NULL};

/* Objects under these keys have members of agent-events(5). */
static const char *const containers[] = {"data",    "usage",       "message",
					 "content", "attachments", NULL};

/* Values of any type that a model, a tool or a provider wrote. */
static const char *const contents[] = {"args",        "result",  "result_json",   "output",
				       "output_json", "payload", "provider_data", NULL};

static void redact_members(struct buffer *out, struct span object);

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
		if (value.len == 2 || json_is_any(key, kept))
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
