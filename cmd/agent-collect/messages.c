/*
 * The conversation as neutral messages (lib/model/model.h): what agent-run --history takes. One
 * JSON array a line for each run; nested runs are no part of their parent's conversation.
 */
#include "collect.h"

/* A message of a text and, before it, of `attachments`: an array of parts, or absent. */
static void put_text_message(struct buffer *out, const char *role, struct span attachments,
			     struct span text)
{
	struct json_walk walk = json_walk(attachments);

	json_open(out, '{');
	json_put_text(out, "role", role);
	json_key(out, "content");
	json_open(out, '[');
	while (json_type(attachments) == JSON_ARRAY && json_next(&walk)) {
		json_comma(out);
		buffer_add_span(out, walk.value);
	}
	json_open(out, '{');
	json_put_text(out, "type", "text");
	json_put_raw(out, "text", text);
	json_close(out, '}');
	json_close(out, ']');
	json_close(out, '}');
}

/* What is read of the kept events, in order. */
struct reading {
	const struct kept_list *events;
	size_t next;
	bool answered; /* an assistant's message has been written */
};

static bool next_is_tool_end(const struct reading *reading)
{
	return reading->next < reading->events->count &&
	       reading->events->at[reading->next].type == EVENT_TOOL_END;
}

/* The data of the tool_end with this id among events [from, to). */
static struct span find_end(const struct reading *reading, size_t from, size_t to, struct span id)
{
	for (size_t i = from; i < to; i++) {
		struct span data = reading->events->at[i].data;

		if (span_equal(json_get(data, "tool_call_id"), id))
			return data;
	}
	return (struct span){0};
}

static void put_result(struct buffer *out, struct span part, struct span end)
{
	json_open(out, '{');
	json_put_text(out, "type", "tool_result");
	json_put_raw(out, "tool_call_id", json_get(part, "tool_call_id"));
	json_put_raw(out, "tool_name", json_get(part, "tool_name"));
	if (end.at != NULL)
		json_put_raw(out, "result", json_get(end, "result"));
	else
		json_put_text(out, "result", "The call was interrupted before it had a result.");
	json_put_bool(out, "is_error", end.at == NULL || json_true(json_get(end, "is_error")));
	json_close(out, '}');
}

/* After an answer: one tool message with a result for each of its calls, in the calls' order. */
static void put_results(struct reading *reading, struct span message, struct buffer *out)
{
	struct json_walk walk = json_walk(json_get(message, "content"));
	size_t from = reading->next;
	bool begun = false;

	while (next_is_tool_end(reading))
		reading->next++;
	while (event_next_call(&walk)) {
		if (!begun) {
			json_open(out, '{');
			json_put_text(out, "role", "tool");
			json_key(out, "content");
			json_open(out, '[');
			begun = true;
		}
		put_result(
		    out, walk.value,
		    find_end(reading, from, reading->next, json_get(walk.value, "tool_call_id")));
	}
	if (begun) {
		json_close(out, ']');
		json_close(out, '}');
	}
}

static void put_answers(const struct result *result, struct reading *reading, struct buffer *out)
{
	while (reading->next < reading->events->count) {
		const struct kept *event = &reading->events->at[reading->next++];
		struct span message = json_get(event->data, "message");

		if (event->type != EVENT_LLM_END || json_type(message) != JSON_OBJECT)
			continue;
		json_comma(out);
		buffer_add_span(out, message);
		reading->answered = true;
		put_results(reading, message, out);
	}
	/* Events written by hand may have no llm_end: what was answered is the answer. */
	if (!reading->answered) {
		struct buffer text = {0}, json = {0};

		if (result_output(result, &text) && text.len > 0) {
			json_write_string(&json, buffer_span(&text));
			put_text_message(out, "assistant", (struct span){0}, buffer_span(&json));
		}
		buffer_free(&text);
		buffer_free(&json);
	}
}

static void write_messages(struct collection *collection, const struct result *result)
{
	struct buffer *out = &collection->output.pending;
	struct reading reading = {.events = &result->kept};
	struct span system = result_start(result, "system"),
		    prompt = result_start(result, "prompt");

	if (result->run->parent_id != NULL)
		return;
	buffer_add_char(out, '[');
	if (json_type(system) == JSON_STRING)
		put_text_message(out, "system", (struct span){0}, system);
	if (json_type(prompt) == JSON_STRING)
		put_text_message(out, "user", result_start(result, "attachments"), prompt);
	put_answers(result, &reading, out);
	buffer_add_text(out, "]\n");
}

const struct format format_messages = {
    .name = "messages",
    .wants = {.types = EVENT_BIT(EVENT_LLM_END) | EVENT_BIT(EVENT_TOOL_END)},
    .is_json = true,
    .result = write_messages,
};
