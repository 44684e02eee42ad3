/*
 * The conversation as neutral messages, which agent-run --history accepts: a line with a JSON array
 * for each run. Nested runs do not belong to the conversation of their parent.
 */
#include "collect.h"

/* Write a message with the parts in `attachments` (an array, or absent) and a text. */
static void put_text_message(struct buffer *out, const char *role, struct span attachments,
			     struct span text)
{
	json_pack(out, "{'role':%t,'content':[", role);
	json_copy_elements(out, attachments);
	json_pack(out, "{'type':'text','text':%j}]}", text);
}

static const event_set types = EVENT_BIT(EVENT_LLM_END) | EVENT_BIT(EVENT_TOOL_END);

/* The data of the last tool_end with this id after `response` and before the next one. */
static struct span find_end(const struct result *result, const struct kept *response,
			    struct span id)
{
	const struct kept *kept = response;
	struct span last = {0};

	while ((kept = result_next(result, kept, types)) != NULL && kept->type == EVENT_TOOL_END)
		if (span_equal(json_get(kept->data, "tool_call_id"), id))
			last = kept->data;
	return last;
}

/* Write the message of a response, and one of the role tool with a result for each of its calls. */
static void put_response(struct buffer *out, const struct result *result,
			 const struct kept *response, struct span message)
{
	struct json_walk walk = json_walk(json_get(message, "content"));
	bool begun = false;

	json_pack(out, "%j", message);
	while (event_next_call(&walk)) {
		struct span id = json_get(walk.value, "tool_call_id");
		struct span end = find_end(result, response, id);

		if (!begun)
			json_pack(out, "{'role':'tool','content':[");
		begun = true;
		json_pack(out, "{'type':'tool_result','tool_call_id':%J,'tool_name':%J", id,
			  json_get(walk.value, "tool_name"));
		json_pack(out, "'result':%J,'is_error':%b}",
			  end.at != NULL ? json_get(end, "result") : SPAN(EVENT_NO_RESULT),
			  end.at == NULL || json_true(json_get(end, "is_error")));
	}
	if (begun)
		json_pack(out, "]}");
}

/* Events written by hand may have no llm_end: the answer is the output of the run, if it succeeded;
 * otherwise the response is incomplete. */
static void put_answer(struct buffer *out, const struct result *result)
{
	struct buffer text = {0}, json = {0};

	if (result_output(result, &text) && text.len > 0) {
		json_write_string(&json, buffer_span(&text));
		put_text_message(out, "assistant", (struct span){0}, buffer_span(&json));
	}
	buffer_free(&text);
	buffer_free(&json);
}

static void write_messages(struct collection *collection, const struct result *result)
{
	struct buffer *out = &collection->output.pending;
	struct span system = result_start(result, START_SYSTEM),
		    prompt = result_start(result, START_PROMPT);
	const struct kept *kept = NULL;
	bool has_response = false;

	if (result->run->nested)
		return;
	buffer_add_char(out, '[');
	if (json_type(system) == JSON_STRING)
		put_text_message(out, "system", (struct span){0}, system);
	if (json_type(prompt) == JSON_STRING)
		put_text_message(out, "user", result_start(result, START_ATTACHMENTS), prompt);
	while ((kept = result_next(result, kept, EVENT_BIT(EVENT_LLM_END))) != NULL) {
		struct span message = json_get(kept->data, "message");

		if (json_type(message) != JSON_OBJECT ||
		    (event_is_left_out(kept->data) &&
		     result_next(result, kept, EVENT_BIT(EVENT_LLM_END)) != NULL))
			continue;
		put_response(out, result, kept, message);
		has_response = true;
	}
	if (!has_response && result->success)
		put_answer(out, result);
	buffer_add_text(out, "]\n");
}

const struct format format_messages = {
    .name = "messages",
    .wants = {.types = EVENT_BIT(EVENT_LLM_END) | EVENT_BIT(EVENT_TOOL_END)},
    .is_json = true,
    .result = write_messages,
};
