#include "run/history.h"

#include <stdlib.h>

#include "event/event.h"

/* ---- from a JSON array ---- */

/* The members of a message of the array. */
enum { ROLE, CONTENT, TOOL_CALLS, TOOL_CALL_ID, MEMBERS };

static const struct span member_names[MEMBERS + 1] = {SPAN_INIT("role"),
						      SPAN_INIT("content"),
						      SPAN_INIT("tool_calls"),
						      SPAN_INIT("tool_call_id"),
						      {0}};

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

/* Append a call of Chat Completions as a neutral part. False if it is malformed. */
static bool put_call(struct buffer *out, struct span call)
{
	struct span function = json_get(call, "function"), id = json_get(call, "id");
	struct span name = json_get(function, "name");
	struct buffer args = {0};
	struct span object, none = {0};
	bool valid;

	if (json_type(id) != JSON_STRING || json_type(name) != JSON_STRING)
		return false;
	json_decode(json_get(function, "arguments"), &args);
	object = json_trim(buffer_span(&args));
	valid = json_type(object) == JSON_OBJECT && json_check(object, NULL);
	json_pack(out,
		  "{'type':'tool_call','tool_call_id':%j,'tool_name':%j,'args':%l,"
		  "'invalid_args':%s}",
		  id, name, valid ? object : SPAN("{}"),
		  valid || object.len == 0 ? none : buffer_span(&args));
	buffer_free(&args);
	return true;
}

/* {"role":"assistant","content":"text","tool_calls":[...]} */
static bool add_calls(struct conversation *c, const struct span *message)
{
	struct json_walk walk = json_walk(message[TOOL_CALLS]);
	struct buffer out = {0}, text = {0};
	bool good = true;

	content_text(message[CONTENT], &text);
	json_pack(&out, "{'role':'assistant','content':[");
	if (text.len > 0)
		json_pack(&out, "{'type':'text','text':%s}", buffer_span(&text));
	while (good && json_next(&walk))
		good = put_call(&out, walk.value);
	json_pack(&out, "]}");
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

/* {"role":"tool","tool_call_id":"...","content":"text"}: neighbouring results become one message,
 * which is written to `results` until another message comes. */
static void add_result(const struct conversation *c, const struct span *message,
		       struct buffer *results)
{
	struct buffer text = {0};

	content_text(message[CONTENT], &text);
	if (results->len == 0)
		json_pack(results, "{'role':'tool','content':[");
	json_pack(
	    results,
	    "{'type':'tool_result','tool_call_id':%j,'tool_name':%j,'result':%s,'is_error':false}",
	    message[TOOL_CALL_ID], called_name(c, message[TOOL_CALL_ID]), buffer_span(&text));
	buffer_free(&text);
}

static void end_results(struct conversation *c, struct buffer *results)
{
	if (results->len == 0)
		return;
	json_pack(results, "]}");
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

/* Add a message whose content is a string, or a neutral message as it is. */
static bool add_user(struct conversation *c, struct span json, struct span content,
		     const char *role)
{
	struct buffer text = {0};

	if (json_type(content) == JSON_ARRAY) {
		add_whole(c, json);
		return true;
	}
	if (!json_decode(content, &text))
		return false;
	conversation_add_text(c, role, (struct span){0}, buffer_span(&text));
	buffer_free(&text);
	return true;
}

/* Add one message of the array; `results` has the results before it. */
static bool add_message(struct conversation *c, struct span json, const struct span *message,
			struct buffer *results)
{
	struct span role = message[ROLE], content = message[CONTENT];
	struct buffer text = {0};

	if (json_is(role, "system") || json_is(role, "developer")) {
		content_text(content, &text);
		conversation_add_system(c, buffer_span(&text));
		buffer_free(&text);
		return json_type(content) == JSON_STRING || json_type(content) == JSON_ARRAY;
	}
	if (json_is(role, "tool") && json_type(message[TOOL_CALL_ID]) == JSON_STRING) {
		add_result(c, message, results);
		return true;
	}
	end_results(c, results);
	if (json_is(role, "user"))
		return add_user(c, json, content, "user");
	if (json_is(role, "assistant"))
		return json_count(message[TOOL_CALLS]) > 0
			   ? add_calls(c, message)
			   : add_user(c, json, content, "assistant");
	if (!json_is(role, "tool") || json_type(content) != JSON_ARRAY)
		return false;
	add_whole(c, json);
	return true;
}

static bool load_array(struct conversation *c, struct span array, const char *source,
		       struct error *e)
{
	struct json_walk walk = json_walk(array);
	bool goes_on = c->count > 0; /* the instructions stand at the beginning */
	struct buffer results = {0};
	bool good = true;

	for (size_t n = 1; good && json_next(&walk); n++) {
		struct span message[MEMBERS];

		json_members(json_walk(walk.value), member_names, message);
		if (goes_on && json_is(message[ROLE], "system"))
			continue;
		good = add_message(c, walk.value, message, &results) ||
		       error_set(e, "usage",
				 "%s: message %zu is not {\"role\": \"user\", \"assistant\", "
				 "\"system\" or \"tool\", \"content\": ...}",
				 source, n);
	}
	end_results(c, &results);
	buffer_free(&results);
	return good;
}

/* One array for each line, as agent-collect writes them for several runs. */
static bool load_lines(struct conversation *c, struct span text, const char *source,
		       struct error *e)
{
	struct json_fault fault;
	struct span line;

	for (size_t number = 1; span_next_line(&text, &line, NULL); number++) {
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
	struct span whole = json_trim(text), rest = whole, line = whole;
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
	if (span_next_line(&rest, &line, NULL) && json_check(line, NULL))
		return load_lines(&history->conversation, whole, source, e);
	return error_set(e, "usage", "%s: byte %zu: %s", source, fault.offset + 1, fault.what);
}

/* ---- the last response ---- */

static void put_result(struct buffer *out, const struct history_call *call)
{
	bool done = call->state >= HISTORY_CALL_STOPPED;

	json_pack(out,
		  "{'type':'tool_result','tool_call_id':%j,'tool_name':%J,'result':%J,"
		  "'is_error':%b}",
		  call->id, call->name, done ? call->result : SPAN(EVENT_NO_RESULT),
		  !done || call->is_error);
}

static void close_calls(struct history *history)
{
	struct buffer tool = {0};

	conversation_add(&history->conversation, history->message);
	json_pack(&tool, "{'role':'tool','content':[");
	for (size_t i = 0; i < history->call_count; i++)
		put_result(&tool, &history->calls[i]);
	json_pack(&tool, "]}");
	if (history->call_count > 0)
		conversation_add(&history->conversation, buffer_span(&tool));
	buffer_free(&tool);
	history->message = (struct span){0};
	history->call_count = 0;
}

void history_close(struct history *history)
{
	struct span text = span_trim(buffer_span(&history->unfinished));
	struct buffer marked = {0};

	if (history->message.at != NULL)
		close_calls(history);
	if (text.len > 0) {
		buffer_add_span(&marked, text);
		/* A run that is written by hand can succeed without an llm_end. */
		if (!history->ended || !history->succeeded)
			buffer_add_text(&marked, "\n\n[interrupted]");
		conversation_add_text(&history->conversation, "assistant", (struct span){0},
				      buffer_span(&marked));
	}
	buffer_free(&marked);
	buffer_clear(&history->unfinished);
}

void history_reopen(struct history *history)
{
	struct conversation *conversation = &history->conversation;

	if (history->message.at == NULL || !history->is_left_out)
		return;
	history->last_words = history->is_wrap_up ? history->message : (struct span){0};
	history->total.iterations--;
	history->total.tool_calls -= (int64_t)history->call_count;
	/* The ids of its calls stay in use. */
	conversation_add(conversation, history->message);
	conversation_truncate(conversation,
			      conversation->count - (history->follows_left_out ? 2 : 1));
	history->message = (struct span){0};
	history->call_count = 0;
}

bool history_can_resume(const struct history *history, const char *log, size_t damaged,
			struct error *e)
{
	if (damaged == 0)
		return true;
	if (history->misses_start)
		return error_set(e, "usage",
				 "%s:%zu: the agent_start of the last run is lost, so that it "
				 "cannot be resumed",
				 log, damaged);
	return !history->misses_response ||
	       error_set(e, "usage",
			 "%s:%zu: a response is lost whose tools were called; run %s cannot be "
			 "resumed, since they would be called again",
			 log, damaged, history->run_id);
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

bool history_has_new_call(const struct history *history, const char *name)
{
	for (size_t i = 0; i < history->call_count; i++)
		if (history->calls[i].state == HISTORY_CALL_NEW &&
		    json_is(history->calls[i].name, name))
			return true;
	return false;
}

void history_free(struct history *history)
{
	conversation_free(&history->conversation);
	free(history->calls);
	buffer_free(&history->unfinished);
	free(history->run_id);
	free(history->agent_name);
	free(history->model);
	free(history->provider);
	free(history->prompt);
	free(history->system);
	*history = (struct history){0};
}
