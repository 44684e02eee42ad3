#include <stdlib.h>

#include "event/log.h"
#include "json/json.h"
#include "model/replay_log.h"

/* Of texts that differ, so much is shown: what is the same before the difference, and in all. */
enum { SHOWN_BEFORE = 20, SHOWN = 80 };

/* ---- saying what differs ---- */

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xC0) == 0x80;
}

/* Append the text around `from` as a JSON string. */
static void show_text(struct buffer *out, struct span text, size_t from)
{
	size_t begin = from > SHOWN_BEFORE ? from - SHOWN_BEFORE : 0;
	size_t end = text.len - begin > SHOWN ? begin + SHOWN : text.len;

	while (begin > 0 && begin < text.len && is_continuation(text.at[begin]))
		begin--;
	while (end < text.len && is_continuation(text.at[end]))
		end--;
	buffer_add_text(out, begin > 0 ? "..." : "");
	json_write_string(out, (struct span){text.at + begin, end - begin});
	buffer_add_text(out, end < text.len ? "..." : "");
}

static bool differs(struct buffer *why, const char *what, struct span expected, struct span came)
{
	size_t same = 0;

	while (expected.at != NULL && came.at != NULL && same < expected.len && same < came.len &&
	       expected.at[same] == came.at[same])
		same++;
	buffer_add_format(why, "%s: expected ", what);
	if (expected.at == NULL)
		buffer_add_text(why, "none");
	else
		show_text(why, expected, same);
	buffer_add_text(why, ", got ");
	if (came.at == NULL)
		buffer_add_text(why, "none");
	else
		show_text(why, came, same);
	return false;
}

/* Whether a text is the JSON string `expected`, which may be absent, as `came` may. */
static bool same_text(struct buffer *why, const char *what, struct span expected, struct span came)
{
	struct buffer text = {0};
	bool same, known = json_decode(expected, &text);

	buffer_string(&text);
	same = known ? came.at != NULL && span_equal(buffer_span(&text), came) : came.at == NULL;
	if (!same)
		differs(why, what, known ? buffer_span(&text) : (struct span){0}, came);
	buffer_free(&text);
	return same;
}

/* ---- messages ---- */

/* The text of a recorded message. */
static void recorded_text(struct span message, struct buffer *out)
{
	struct json_walk walk = json_walk(json_get(message, "content"));

	while (json_next(&walk))
		if (json_is(json_get(walk.value, "type"), "text"))
			json_decode(json_get(walk.value, "text"), out);
}

static void message_text(const struct message *message, struct buffer *out)
{
	for (size_t i = 0; i < message->part_count; i++)
		if (message->parts[i].type == PART_TEXT)
			json_decode(message->parts[i].text, out);
}

void replay_prompt_text(const struct message *message, struct buffer *out)
{
	if (message->part_count > 0)
		json_decode(message->parts[message->part_count - 1].text, out);
}

/* A prompt stands behind its attachments, some of which are text too. */
static bool same_prompt(struct buffer *why, struct span start, const struct message *message)
{
	struct json_walk attached = json_walk(json_get(start, "attachments"));
	size_t count = json_count(json_get(start, "attachments"));
	size_t came = message->part_count;
	struct buffer text = {0};
	bool same;

	replay_prompt_text(message, &text);
	buffer_string(&text);
	same = same_text(why, "the prompt", json_get(start, "prompt"), buffer_span(&text));
	buffer_free(&text);
	if (same && came != count + 1) {
		buffer_add_format(why, "attachments: expected %zu, got %zu", count, came - 1);
		return false;
	}
	for (size_t n = 0; same && json_next(&attached); n++)
		if (!json_equal(attached.value, message->parts[n].json)) {
			buffer_add_format(why, "attachment %zu is not the recorded one", n + 1);
			return false;
		}
	return same;
}

/* Whether the user's message says what a correction is about, the sentence behind the ": ". */
static bool same_correction(struct buffer *why, struct span sentence, const struct message *message)
{
	struct buffer expected = {0}, text = {0};
	const char *cause;
	bool same;

	json_decode(sentence, &expected);
	cause = strstr(buffer_string(&expected), ": ");
	cause = cause != NULL ? cause + 2 : buffer_string(&expected);
	message_text(message, &text);
	same = strstr(buffer_string(&text), cause) != NULL;
	if (!same)
		differs(why, "the correction of the answer", span_of(cause), buffer_span(&text));
	buffer_free(&expected);
	buffer_free(&text);
	return same;
}

/* Whether the user's message tells who handed over, and why. */
static bool same_handoff(struct buffer *why, struct span data, const struct message *message)
{
	static const char *const keys[] = {"previous_agent", "reason"};
	struct buffer text = {0};
	bool same = true;

	message_text(message, &text);
	for (size_t i = 0; i < 2 && same; i++) {
		char *expected = json_text(json_get(data, keys[i]));

		same = expected == NULL || strstr(buffer_string(&text), expected) != NULL ||
		       differs(why, "what is told of a handoff", span_of(expected),
			       buffer_span(&text));
		free(expected);
	}
	buffer_free(&text);
	return same;
}

/* ---- calls ---- */

/* The next call of a message from part *at on; NULL: there is none. */
static const struct part *next_part(const struct message *message, size_t *at)
{
	while (*at < message->part_count) {
		const struct part *part = &message->parts[(*at)++];

		if (part->type == PART_CALL)
			return part;
	}
	return NULL;
}

static char *call_text(struct span call, const char *key)
{
	char *text = json_text(json_get(call, key));

	return text != NULL ? text : mem_copy(SPAN("?"));
}

/* Append a call as "weather (call_1)". */
static void name_call(struct buffer *out, struct span call)
{
	char *name = call_text(call, "tool_name"), *id = call_text(call, "tool_call_id");

	buffer_add_format(out, "%s (%s)", name, id);
	free(name);
	free(id);
}

/* Say of a call what differs. */
static bool call_differs(struct buffer *why, const char *what, struct span call,
			 struct span expected, struct span came)
{
	struct buffer of = {0};

	buffer_add_format(&of, "%s of ", what);
	name_call(&of, call);
	differs(why, buffer_string(&of), expected, came);
	buffer_free(&of);
	return false;
}

/* One call instead of the other; either may be absent. */
static bool calls_differ(struct buffer *why, struct span expected, struct span came)
{
	buffer_add_text(why, "an earlier call: expected ");
	if (expected.at != NULL)
		name_call(why, expected);
	else
		buffer_add_text(why, "none");
	buffer_add_text(why, ", got ");
	if (came.at != NULL)
		name_call(why, came);
	else
		buffer_add_text(why, "none");
	return false;
}

static bool same_calls(struct buffer *why, struct span expected, const struct message *message)
{
	struct json_walk wanted = json_walk(json_get(expected, "content"));
	const struct part *came;
	size_t at = 0;

	while (event_next_call(&wanted)) {
		struct span call = wanted.value, args = json_get(call, "args");

		came = next_part(message, &at);
		if (came == NULL ||
		    !json_equal(json_get(call, "tool_call_id"), came->tool_call_id) ||
		    !json_equal(json_get(call, "tool_name"), came->tool_name))
			return calls_differ(why, call,
					    came != NULL ? came->json : (struct span){0});
		if (!json_equal(args, came->args))
			return call_differs(why, "the arguments", call, args, came->args);
	}
	came = next_part(message, &at);
	return came == NULL || calls_differ(why, (struct span){0}, came->json);
}

/* Of several results of one id the last one counts. */
static struct span find_result(const struct replay_run *run, struct replay_checked *checked,
			       struct span id)
{
	struct table *table = &checked->results;
	bool is_new = table->count == 0;
	const size_t *found;

	for (size_t i = 0; is_new && i < run->result_count; i++) {
		struct span key = json_get(run->results[i], "tool_call_id");

		if (key.at != NULL)
			*table_add(table, key) = i + 1;
	}
	found = table_find(table, id);
	return found != NULL ? run->results[*found - 1] : (struct span){0};
}

/* Whether a result is what the log's tool_end says. */
static bool same_result(struct buffer *why, struct span expected, struct span call,
			const struct part *part)
{
	bool failed = json_true(json_get(expected, "is_error"));
	struct buffer want = {0}, came = {0};
	bool same;

	json_decode(json_get(expected, "result"), &want);
	json_decode(part->result, &came);
	buffer_string(&want);
	buffer_string(&came);
	same = span_equal(buffer_span(&want), buffer_span(&came));
	if (expected.at == NULL)
		same = call_differs(why, "the result", call, expected, buffer_span(&came));
	else if (!same)
		call_differs(why, "the result", call, buffer_span(&want), buffer_span(&came));
	else if (failed != part->is_error)
		same = call_differs(why, "whether it failed", call,
				    failed ? SPAN("error") : SPAN("ok"),
				    part->is_error ? SPAN("error") : SPAN("ok"));
	buffer_free(&want);
	buffer_free(&came);
	return same;
}

static bool same_results(const struct replay_run *run, struct replay_checked *checked,
			 struct buffer *why, struct span asked, const struct message *message)
{
	struct json_walk calls = json_walk(json_get(asked, "content"));

	for (size_t i = 0; event_next_call(&calls); i++) {
		struct span id = json_get(calls.value, "tool_call_id");
		struct span expected = find_result(run, checked, id);

		if (i >= message->part_count || !json_equal(message->parts[i].tool_call_id, id))
			return call_differs(why, "the result", calls.value,
					    json_get(expected, "result"), (struct span){0});
		if (!same_result(why, expected, calls.value, &message->parts[i]))
			return false;
	}
	return true;
}

/* ---- the request ---- */

static bool same_role(struct buffer *why, enum message_role role, const struct message *message)
{
	static const char *const names[] = {
	    [MESSAGE_USER] = "user", [MESSAGE_ASSISTANT] = "assistant", [MESSAGE_TOOL] = "tool"};
	struct buffer came = {0};

	if (message->role == role)
		return true;
	json_decode(json_get(message->json, "role"), &came);
	differs(why, "the role of a message", span_of(names[role]), buffer_span(&came));
	buffer_free(&came);
	return false;
}

static bool same_answer(struct buffer *why, struct span expected, const struct message *message)
{
	struct buffer text = {0}, came = {0};
	bool same;

	recorded_text(expected, &text);
	message_text(message, &came);
	buffer_string(&text);
	buffer_string(&came);
	same = (span_equal(buffer_span(&text), buffer_span(&came)) ||
		differs(why, "an earlier answer", buffer_span(&text), buffer_span(&came))) &&
	       same_calls(why, expected, message);
	buffer_free(&text);
	buffer_free(&came);
	return same;
}

static bool same_step(const struct replay_run *run, const struct replay_step *step,
		      struct replay_checked *checked, const struct message *message,
		      struct buffer *why)
{
	switch (step->type) {
	case REPLAY_USER:
		return same_role(why, MESSAGE_USER, message) &&
		       same_prompt(why, step->value, message);
	case REPLAY_CORRECTION:
		return same_role(why, MESSAGE_USER, message) &&
		       same_correction(why, step->value, message);
	case REPLAY_ANSWER:
		return same_role(why, MESSAGE_ASSISTANT, message) &&
		       same_answer(why, step->value, message);
	case REPLAY_HANDOFF:
		return same_role(why, MESSAGE_USER, message) &&
		       same_handoff(why, step->value, message);
	case REPLAY_RESULTS:
		break;
	}
	return same_role(why, MESSAGE_TOOL, message) &&
	       same_results(run, checked, why, step->value, message);
}

/* Names of tools as "a, b". */
static bool same_tools(struct buffer *why, struct span expected,
		       const struct model_request *request)
{
	struct json_walk walk = json_walk(expected);
	struct buffer want = {0}, came = {0};
	bool same;

	while (json_next(&walk)) {
		buffer_add_text(&want, want.len > 0 ? ", " : "");
		json_decode(walk.value, &want);
	}
	for (size_t i = 0; i < request->tool_count; i++) {
		buffer_add_text(&came, i > 0 ? ", " : "");
		buffer_add_text(&came, request->tools[i].name);
	}
	buffer_string(&want);
	buffer_string(&came);
	same = span_equal(buffer_span(&want), buffer_span(&came)) ||
	       differs(why, "the tools", buffer_span(&want), buffer_span(&came));
	buffer_free(&want);
	buffer_free(&came);
	return same;
}

/* Whether it is the agent that asked then; logs of older versions do not tell of all. */
static bool same_agent(struct buffer *why, struct span agent, const struct model_request *request)
{
	struct span tools = json_get(agent, "tools");

	return tools.at == NULL || (same_text(why, "the instructions", json_get(agent, "system"),
					      span_of(request->system)) &&
				    same_tools(why, tools, request));
}

/* Whether the message was found to be step `nth` before. */
static bool is_checked(const struct replay_checked *checked, size_t nth,
		       const struct message *message)
{
	return nth < checked->count && checked->messages[nth] == message;
}

/* The message is kept alive, so that no other one has its address. */
static void note_checked(struct replay_checked *checked, size_t nth, struct message *message)
{
	while (checked->count <= nth) {
		checked->messages =
		    array_grow(checked->messages, checked->count, sizeof(*checked->messages));
		checked->messages[checked->count++] = NULL;
	}
	message_free(checked->messages[nth]);
	checked->messages[nth] = message_share(message);
}

void replay_checked_free(struct replay_checked *checked)
{
	for (size_t i = 0; i < checked->count; i++)
		message_free(checked->messages[i]);
	free(checked->messages);
	table_free(&checked->results);
	*checked = (struct replay_checked){0};
}

bool replay_check(const struct replay_run *run, const struct replay_answer *answer,
		  const struct model_request *request, struct replay_checked *checked,
		  struct buffer *why)
{
	size_t steps = answer->steps - answer->first, before;

	if (!same_agent(why, answer->agent, request))
		return false;
	if (request->message_count < steps) {
		buffer_add_format(why, "messages: expected %zu, got %zu", steps,
				  request->message_count);
		return false;
	}
	before = request->message_count - steps;
	for (size_t i = 0; i < steps; i++) {
		struct message *message = request->messages[before + i];
		size_t nth = answer->first + i;

		if (is_checked(checked, nth, message))
			continue;
		if (!same_step(run, &run->steps[nth], checked, message, why))
			return false;
		note_checked(checked, nth, message);
	}
	return true;
}
