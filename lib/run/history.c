#include "run/history.h"

#include <stdlib.h>

/* ---- from a JSON array ---- */

/* A message of the array, and its members. */
struct given_message {
	struct span json, role, content, tool_calls, tool_call_id;
};

static struct given_message read_members(struct span json)
{
	enum { ROLE, CONTENT, TOOL_CALLS, TOOL_CALL_ID, MEMBERS };
	static const struct span names[MEMBERS + 1] = {SPAN_INIT("role"),
						       SPAN_INIT("content"),
						       SPAN_INIT("tool_calls"),
						       SPAN_INIT("tool_call_id"),
						       {0}};
	struct span values[MEMBERS];

	json_members(json_walk(json), names, values);
	return (struct given_message){
	    .json = json,
	    .role = values[ROLE],
	    .content = values[CONTENT],
	    .tool_calls = values[TOOL_CALLS],
	    .tool_call_id = values[TOOL_CALL_ID],
	};
}

/* The text of a message's content: a string, or the text parts of an array. */
static void content_text(struct span content, struct buffer *out)
{
	struct json_walk walk = json_walk(content);

	json_decode(content, out);
	if (json_type(content) != JSON_ARRAY)
		return;
	while (json_next(&walk))
		if (json_is(json_get(walk.value, "type"), "text"))
			json_decode(json_get(walk.value, "text"), out);
}

/* Append a call of Chat Completions as a neutral part. False: it is none. */
static bool put_call(struct buffer *out, struct span call)
{
	struct span function = json_get(call, "function"), id = json_get(call, "id");
	struct span name = json_get(function, "name");
	struct buffer args = {0};
	struct span object;

	if (json_type(id) != JSON_STRING || json_type(name) != JSON_STRING)
		return false;
	json_decode(json_get(function, "arguments"), &args);
	object = json_trim(buffer_span(&args));
	json_open(out, '{');
	json_put_text(out, "type", "tool_call");
	json_put_raw(out, "tool_call_id", id);
	json_put_raw(out, "tool_name", name);
	json_key(out, "args");
	if (json_type(object) == JSON_OBJECT && json_check(object, NULL)) {
		json_write_line(out, object);
	} else {
		buffer_add_text(out, "{}");
		if (object.len > 0)
			json_put_string(out, "invalid_args", buffer_span(&args));
	}
	json_close(out, '}');
	buffer_free(&args);
	return true;
}

/* {"role":"assistant","content":"text","tool_calls":[...]} */
static bool add_calls(struct conversation *c, const struct given_message *message)
{
	struct json_walk walk = json_walk(message->tool_calls);
	struct buffer out = {0}, text = {0};
	bool good = true;

	content_text(message->content, &text);
	buffer_add_text(&out, "{\"role\":\"assistant\",\"content\":[");
	if (text.len > 0) {
		json_open(&out, '{');
		json_put_text(&out, "type", "text");
		json_put_string(&out, "text", buffer_span(&text));
		json_close(&out, '}');
	}
	while (good && json_next(&walk))
		good = put_call(&out, walk.value);
	buffer_add_text(&out, "]}");
	if (good)
		conversation_add(c, buffer_span(&out));
	buffer_free(&out);
	buffer_free(&text);
	return good;
}

/* The name of the function that was called as `id`, in any message so far. */
static struct span called_name(const struct conversation *c, struct span id)
{
	const struct call_entry *entry = call_table_find(&c->calls, id);

	return entry != NULL ? entry->call->tool_name : SPAN("\"unknown\"");
}

/* {"role":"tool","tool_call_id":"...","content":"text"}: results that follow each other become one
 * message, which is written to `results` until another message comes. */
static void add_result(const struct conversation *c, const struct given_message *message,
		       struct buffer *results)
{
	struct buffer text = {0};

	content_text(message->content, &text);
	if (results->len == 0)
		buffer_add_text(results, "{\"role\":\"tool\",\"content\":[");
	json_open(results, '{');
	json_put_text(results, "type", "tool_result");
	json_put_raw(results, "tool_call_id", message->tool_call_id);
	json_put_raw(results, "tool_name", called_name(c, message->tool_call_id));
	json_put_string(results, "result", buffer_span(&text));
	json_put_bool(results, "is_error", false);
	json_close(results, '}');
	buffer_free(&text);
}

static void end_results(struct conversation *c, struct buffer *results)
{
	if (results->len == 0)
		return;
	buffer_add_text(results, "]}");
	conversation_add(c, buffer_span(results));
	buffer_clear(results);
}

static void add_whole(struct conversation *c, struct span message)
{
	struct buffer out = {0};

	json_write_compact(&out, message);
	conversation_add(c, buffer_span(&out));
	buffer_free(&out);
}

/* Text where the role is written by hand, the message itself where it is neutral. */
static bool add_user(struct conversation *c, const struct given_message *message, const char *role)
{
	struct buffer text = {0};

	if (json_type(message->content) == JSON_ARRAY) {
		add_whole(c, message->json);
		return true;
	}
	if (!json_decode(message->content, &text))
		return false;
	conversation_add_text(c, role, (struct span){0}, buffer_span(&text));
	buffer_free(&text);
	return true;
}

/* `results` holds those before, as add_result writes them. */
static bool add_message(struct conversation *c, const struct given_message *message,
			struct buffer *results)
{
	struct span role = message->role, content = message->content;
	struct buffer text = {0};

	if (json_is(role, "system") || json_is(role, "developer")) {
		content_text(content, &text);
		conversation_add_system(c, buffer_span(&text));
		buffer_free(&text);
		return json_type(content) == JSON_STRING || json_type(content) == JSON_ARRAY;
	}
	if (json_is(role, "tool") && json_type(message->tool_call_id) == JSON_STRING) {
		add_result(c, message, results);
		return true;
	}
	end_results(c, results);
	if (json_is(role, "user"))
		return add_user(c, message, "user");
	if (json_is(role, "assistant"))
		return json_count(message->tool_calls) > 0 ? add_calls(c, message)
							   : add_user(c, message, "assistant");
	if (!json_is(role, "tool") || json_type(content) != JSON_ARRAY)
		return false;
	add_whole(c, message->json);
	return true;
}

static bool load_array(struct conversation *c, struct span array, const char *source,
		       struct error *e)
{
	struct json_walk walk = json_walk(array);
	bool goes_on = c->count > 0; /* the instructions are said at the beginning */
	struct buffer results = {0};
	bool good = true;

	for (size_t n = 1; good && json_next(&walk); n++) {
		struct given_message message = read_members(walk.value);

		if (goes_on && json_is(message.role, "system"))
			continue;
		good = add_message(c, &message, &results) ||
		       error_set(e, "usage",
				 "%s: message %zu is not {\"role\": \"user\", \"assistant\", "
				 "\"system\" or \"tool\", \"content\": ...}",
				 source, n);
	}
	end_results(c, &results);
	buffer_free(&results);
	return good;
}

static struct span first_line(struct span text)
{
	const char *newline = memchr(text.at, '\n', text.len);

	return (struct span){text.at, newline != NULL ? (size_t)(newline - text.at) : text.len};
}

/* An array a line, as agent-collect writes them for several runs. */
static bool load_lines(struct conversation *c, struct span text, const char *source,
		       struct error *e)
{
	struct json_fault fault;

	for (size_t number = 1; text.len > 0; number++) {
		struct span line = first_line(text);

		text = span_from(text, line.len + (line.len < text.len));
		if (json_trim(line).len == 0)
			continue;
		if (!json_check(line, &fault))
			return error_set(e, "usage", "%s:%zu: byte %zu: %s", source, number,
					 fault.offset + 1, fault.what);
		if (!load_array(c, line, source, e))
			return false;
	}
	return true;
}

bool history_load(struct history *history, struct span text, const char *source, struct error *e)
{
	struct span whole = json_trim(text);
	struct json_fault fault;

	history->total = USAGE_NOTHING;
	if (whole.len == 0)
		return error_set(e, "usage",
				 "%s: is empty; expected an event log or an array of messages",
				 source);
	if (whole.at[0] != '[')
		return history_load_log(history, text, source, e);
	if (json_check(whole, &fault))
		return load_array(&history->conversation, whole, source, e);
	if (json_check(first_line(whole), NULL))
		return load_lines(&history->conversation, whole, source, e);
	return error_set(e, "usage", "%s: byte %zu: %s", source, fault.offset + 1, fault.what);
}

/* ---- the last answer ---- */

static void put_result(struct buffer *out, struct span call, const struct history_call *known)
{
	bool done = known->state == HISTORY_CALL_DONE;

	json_open(out, '{');
	json_put_text(out, "type", "tool_result");
	json_put_raw(out, "tool_call_id", known->id);
	json_put_raw(out, "tool_name", json_get(call, "tool_name"));
	json_put_raw(out, "result",
		     done ? known->result
			  : SPAN("\"The call was interrupted before it had a result.\""));
	json_put_bool(out, "is_error", !done || known->is_error);
	json_close(out, '}');
}

void history_close(struct history *history)
{
	struct json_walk walk = json_walk(json_get(history->message, "content"));
	struct buffer tool = {0};
	size_t n = 0;

	if (history->message.at == NULL)
		return;
	conversation_add(&history->conversation, history->message);
	buffer_add_text(&tool, "{\"role\":\"tool\",\"content\":[");
	while (n < history->call_count && json_next(&walk))
		if (span_equal(json_get(walk.value, "tool_call_id"), history->calls[n].id))
			put_result(&tool, walk.value, &history->calls[n++]);
	buffer_add_text(&tool, "]}");
	if (history->call_count > 0)
		conversation_add(&history->conversation, buffer_span(&tool));
	buffer_free(&tool);
	history->message = (struct span){0};
	history->call_count = 0;
}

char *history_model(const struct history *history)
{
	struct buffer spec = {0};

	if (history->model == NULL)
		return NULL;
	if (history->provider != NULL && strcmp(history->provider, history->model) != 0)
		buffer_add_format(&spec, "%s:", history->provider);
	buffer_add_text(&spec, history->model);
	return buffer_take(&spec);
}

void history_free(struct history *history)
{
	conversation_free(&history->conversation);
	free(history->calls);
	free(history->run_id);
	free(history->agent_name);
	free(history->model);
	free(history->provider);
	free(history->prompt);
	free(history->system);
	*history = (struct history){0};
}
