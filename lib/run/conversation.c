#include "run/conversation.h"

#include <stdlib.h>

#include "event/event.h"

void conversation_add(struct conversation *c, struct span message)
{
	if (c->count == c->capacity) {
		c->capacity = c->capacity * 2 + 8;
		c->messages = mem_resize(c->messages, c->capacity * sizeof(*c->messages));
	}
	c->messages[c->count++] = (struct span){mem_copy(message), message.len};
}

/* `before`: the inside of an array of parts that come first. */
static void add_text_message(struct conversation *c, const char *role, struct span before,
			     struct span text)
{
	struct buffer message = {0};

	json_open(&message, '{');
	json_put_text(&message, "role", role);
	json_key(&message, "content");
	json_open(&message, '[');
	buffer_add_span(&message, before);
	json_open(&message, '{');
	json_put_text(&message, "type", "text");
	json_put_string(&message, "text", text);
	json_close(&message, '}');
	json_close(&message, ']');
	json_close(&message, '}');
	conversation_add(c, buffer_span(&message));
	buffer_free(&message);
}

void conversation_add_user(struct conversation *c, struct span text)
{
	add_text_message(c, "user", (struct span){0}, text);
}

void conversation_add_prompt(struct conversation *c, struct span attachments, struct span text)
{
	add_text_message(c, "user", attachments, text);
}

void conversation_truncate(struct conversation *c, size_t count)
{
	while (c->count > count)
		free((char *)c->messages[--c->count].at);
}

void conversation_free(struct conversation *c)
{
	conversation_truncate(c, 0);
	free(c->messages);
	buffer_free(&c->system);
	*c = (struct conversation){0};
}

static void add_system(struct conversation *c, struct span text)
{
	if (c->system.len > 0)
		buffer_add_text(&c->system, "\n\n");
	buffer_add_span(&c->system, text);
}

/* ---- from a JSON array ---- */

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

/* "text" where the role is written by hand, the message itself where it is neutral. */
static bool add_message(struct conversation *c, struct span message)
{
	struct span role = json_get(message, "role"), content = json_get(message, "content");
	bool is_text = json_type(content) == JSON_STRING;
	struct buffer text = {0};

	if (json_type(message) != JSON_OBJECT || (!is_text && json_type(content) != JSON_ARRAY))
		return false;
	if (json_is(role, "system") || json_is(role, "developer")) {
		content_text(content, &text);
		add_system(c, buffer_span(&text));
	} else if (json_is(role, "user") || json_is(role, "assistant")) {
		if (is_text) {
			json_decode(content, &text);
			add_text_message(c, json_is(role, "user") ? "user" : "assistant",
					 (struct span){0}, buffer_span(&text));
		} else {
			json_write_compact(&text, message);
			conversation_add(c, buffer_span(&text));
		}
	} else if (json_is(role, "tool") && !is_text) {
		json_write_compact(&text, message);
		conversation_add(c, buffer_span(&text));
	} else {
		return false;
	}
	buffer_free(&text);
	return true;
}

static bool load_array(struct conversation *c, struct span array, const char *source,
		       struct error *e)
{
	struct json_walk walk = json_walk(array);
	size_t n = 0;

	while (json_next(&walk)) {
		n++;
		if (!add_message(c, walk.value))
			return error_set(
			    e, "usage",
			    "%s: message %zu is not {\"role\": \"user\", \"assistant\", "
			    "\"system\" or \"tool\", \"content\": ...}",
			    source, n);
	}
	return true;
}

/* ---- from an event log ---- */

/* What the log holds of the answer whose tools are running: its calls, and the results so far. */
struct log_reader {
	struct conversation *conversation;
	struct span message;   /* the last llm_end.message with calls; absent: none is open */
	struct buffer results; /* tool_result parts, comma-separated, for calls in any order */
	struct span *nested;   /* run_ids of nested runs, which are no part of this conversation */
	size_t nested_count;
};

static void put_result(struct buffer *out, struct span id, struct span name, struct span result,
		       bool is_error)
{
	json_open(out, '{');
	json_put_text(out, "type", "tool_result");
	json_put_raw(out, "tool_call_id", id);
	json_put_raw(out, "tool_name", name);
	json_put_raw(out, "result", result);
	json_put_bool(out, "is_error", is_error);
	json_close(out, '}');
}

/* The result recorded for call `id`; absent when its tool_end is not in the log. */
static struct span find_result(struct span results, struct span id)
{
	struct json_walk walk = json_walk(results);

	while (json_next(&walk))
		if (span_equal(json_get(walk.value, "tool_call_id"), id))
			return walk.value;
	return (struct span){0};
}

/* Close the open answer: one tool message with a result for each call, in the order of the calls.
 */
static void close_calls(struct log_reader *log)
{
	struct json_walk walk = json_walk(json_get(log->message, "content"));
	struct buffer tool = {0};

	if (log->message.at == NULL)
		return;
	buffer_add_char(&log->results, ']');
	json_open(&tool, '{');
	json_put_text(&tool, "role", "tool");
	json_key(&tool, "content");
	json_open(&tool, '[');
	while (json_next(&walk)) {
		struct span id = json_get(walk.value, "tool_call_id"), found;

		if (!json_is(json_get(walk.value, "type"), "tool_call"))
			continue;
		found = find_result(buffer_span(&log->results), id);
		if (found.at != NULL) {
			json_comma(&tool);
			buffer_add_span(&tool, found);
		} else {
			put_result(&tool, id, json_get(walk.value, "tool_name"),
				   SPAN("\"The call was interrupted before it had a result.\""),
				   true);
		}
	}
	json_close(&tool, ']');
	json_close(&tool, '}');
	conversation_add(log->conversation, buffer_span(&tool));
	buffer_free(&tool);
	log->message = (struct span){0};
}

static void read_answer(struct log_reader *log, struct span message)
{
	struct json_walk walk = json_walk(json_get(message, "content"));
	bool has_calls = false;

	if (json_type(message) != JSON_OBJECT)
		return;
	conversation_add(log->conversation, message);
	while (json_next(&walk))
		has_calls = has_calls || json_is(json_get(walk.value, "type"), "tool_call");
	if (!has_calls)
		return;
	log->message = message;
	buffer_clear(&log->results);
	buffer_add_char(&log->results, '[');
}

/* What stands between the brackets of an array. */
static struct span inside(struct span array)
{
	if (json_type(array) != JSON_ARRAY || array.len < 2)
		return (struct span){0};
	return json_trim((struct span){array.at + 1, array.len - 2});
}

static void read_start(struct log_reader *log, const struct event *event)
{
	struct span attachments = json_get(event->data, "attachments");
	struct buffer text = {0};

	if (json_type(json_get(event->data, "parent_run_id")) == JSON_STRING) {
		log->nested =
		    mem_resize(log->nested, (log->nested_count + 1) * sizeof(*log->nested));
		log->nested[log->nested_count++] = event->run_id;
		return;
	}
	close_calls(log);
	if (log->conversation->system.len == 0 &&
	    json_decode(json_get(event->data, "system"), &text))
		add_system(log->conversation, buffer_span(&text));
	buffer_clear(&text);
	if (json_decode(json_get(event->data, "prompt"), &text))
		conversation_add_prompt(log->conversation, inside(attachments), buffer_span(&text));
	buffer_free(&text);
}

static void read_event(struct log_reader *log, const struct event *event)
{
	if (span_is(event->type, "agent_start")) {
		read_start(log, event);
		return;
	}
	for (size_t i = 0; i < log->nested_count; i++)
		if (span_equal(log->nested[i], event->run_id))
			return;
	if (span_is(event->type, "llm_end")) {
		close_calls(log);
		read_answer(log, json_get(event->data, "message"));
	} else if (span_is(event->type, "tool_end") && log->message.at != NULL) {
		put_result(&log->results, json_get(event->data, "tool_call_id"),
			   json_get(event->data, "tool_name"), json_get(event->data, "result"),
			   json_true(json_get(event->data, "is_error")));
	}
}

static bool load_log(struct conversation *c, struct span text, const char *source, struct error *e)
{
	struct log_reader log = {.conversation = c};
	size_t line_number = 0, events = 0;
	bool good = true;

	while (text.len > 0 && good) {
		const char *newline = memchr(text.at, '\n', text.len);
		size_t len = newline != NULL ? (size_t)(newline - text.at) : text.len;
		struct span line = json_trim((struct span){text.at, len});
		struct json_fault fault;
		struct event event;

		line_number++;
		text = span_from(text, len + (newline != NULL));
		if (line.len == 0)
			continue;
		if (event_read(line, &event, &fault)) {
			events += event.type.len > 0;
			read_event(&log, &event);
		} else if (newline != NULL || events == 0) {
			good = error_set(e, "usage", "%s:%zu: not an event: %s", source,
					 line_number, fault.what);
		} else {
			warn("%s:%zu: the last line is torn; it is left out", source, line_number);
		}
	}
	close_calls(&log);
	if (good && events == 0)
		good =
		    error_set(e, "usage", "%s: holds no events and no array of messages", source);
	buffer_free(&log.results);
	free(log.nested);
	return good;
}

bool conversation_load(struct conversation *c, struct span text, const char *source,
		       struct error *e)
{
	struct span whole = json_trim(text);
	struct json_fault fault;

	if (whole.len == 0)
		return error_set(e, "usage",
				 "%s: is empty; expected an event log or an array of messages",
				 source);
	if (whole.at[0] != '[')
		return load_log(c, text, source, e);
	if (!json_check(whole, &fault))
		return error_set(e, "usage", "%s: byte %zu: %s", source, fault.offset + 1,
				 fault.what);
	return load_array(c, whole, source, e);
}
