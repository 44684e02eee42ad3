#include <stdlib.h>

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

static void message_text(struct span message, struct buffer *out)
{
	struct json_walk walk = json_walk(json_get(message, "content"));

	while (json_next(&walk))
		if (json_is(json_get(walk.value, "type"), "text"))
			json_decode(json_get(walk.value, "text"), out);
}

void replay_prompt_text(struct span message, struct buffer *out)
{
	struct json_walk walk = json_walk(json_get(message, "content"));
	struct span last = {0};

	while (json_next(&walk))
		last = json_get(walk.value, "text");
	json_decode(last, out);
}

/* A prompt stands behind its attachments, some of which are text too. */
static bool same_prompt(struct buffer *why, struct span start, struct span message)
{
	struct json_walk parts = json_walk(json_get(message, "content"));
	struct json_walk attached = json_walk(json_get(start, "attachments"));
	size_t count = json_count(json_get(start, "attachments"));
	size_t came = json_count(json_get(message, "content"));
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
	for (size_t n = 1; same && json_next(&attached) && json_next(&parts); n++)
		if (!json_equal(attached.value, parts.value)) {
			buffer_add_format(why, "attachment %zu is not the recorded one", n);
			return false;
		}
	return same;
}

/* Whether the user's message says what a correction is about, the sentence behind the ": ". */
static bool same_correction(struct buffer *why, struct span sentence, struct span message)
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
static bool same_handoff(struct buffer *why, struct span data, struct span message)
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

/* The next call of a message that was run here; false: there is none. */
static bool next_call(struct json_walk *walk)
{
	while (json_next(walk))
		if (json_is(json_get(walk->value, "type"), "tool_call") &&
		    json_get(walk->value, "executed_by").at == NULL)
			return true;
	return false;
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

static bool same_calls(struct buffer *why, struct span expected, struct span message)
{
	struct json_walk wanted = json_walk(json_get(expected, "content"));
	struct json_walk parts = json_walk(json_get(message, "content"));

	while (next_call(&wanted)) {
		struct span call = wanted.value,
			    came = next_call(&parts) ? parts.value : (struct span){0};
		struct span args = json_get(call, "args");

		if (came.at == NULL ||
		    !json_equal(json_get(call, "tool_call_id"), json_get(came, "tool_call_id")) ||
		    !json_equal(json_get(call, "tool_name"), json_get(came, "tool_name")))
			return calls_differ(why, call, came);
		if (!json_equal(args, json_get(came, "args")))
			return call_differs(why, "the arguments", call, args,
					    json_get(came, "args"));
	}
	return !next_call(&parts) || calls_differ(why, (struct span){0}, parts.value);
}

static struct span find_result(const struct replay_run *run, struct span id)
{
	for (size_t i = run->result_count; i-- > 0;)
		if (json_equal(json_get(run->results[i], "tool_call_id"), id))
			return run->results[i];
	return (struct span){0};
}

/* Whether a result is what the log's tool_end says. */
static bool same_result(struct buffer *why, struct span expected, struct span call,
			struct span part)
{
	struct span failed = json_get(expected, "is_error"), fails = json_get(part, "is_error");
	struct buffer want = {0}, came = {0};
	bool same;

	json_decode(json_get(expected, "result"), &want);
	json_decode(json_get(part, "result"), &came);
	buffer_string(&want);
	buffer_string(&came);
	same = span_equal(buffer_span(&want), buffer_span(&came));
	if (expected.at == NULL)
		same = call_differs(why, "the result", call, expected, buffer_span(&came));
	else if (!same)
		call_differs(why, "the result", call, buffer_span(&want), buffer_span(&came));
	else if (json_true(failed) != json_true(fails))
		same = call_differs(why, "whether it failed", call,
				    json_true(failed) ? SPAN("error") : SPAN("ok"),
				    json_true(fails) ? SPAN("error") : SPAN("ok"));
	buffer_free(&want);
	buffer_free(&came);
	return same;
}

static bool same_results(const struct replay_run *run, struct buffer *why, struct span asked,
			 struct span message)
{
	struct json_walk calls = json_walk(json_get(asked, "content"));
	struct json_walk parts = json_walk(json_get(message, "content"));

	while (next_call(&calls)) {
		struct span id = json_get(calls.value, "tool_call_id");
		struct span expected = find_result(run, id), result;

		if (!json_next(&parts) || !json_equal(json_get(parts.value, "tool_call_id"), id)) {
			result = json_get(expected, "result");
			return call_differs(why, "the result", calls.value, result,
					    (struct span){0});
		}
		if (!same_result(why, expected, calls.value, parts.value))
			return false;
	}
	return true;
}

/* ---- the request ---- */

static bool same_role(struct buffer *why, const char *role, struct span message)
{
	struct buffer came = {0};
	bool same = json_is(json_get(message, "role"), role);

	json_decode(json_get(message, "role"), &came);
	if (!same)
		differs(why, "the role of a message", span_of(role), buffer_span(&came));
	buffer_free(&came);
	return same;
}

static bool same_answer(struct buffer *why, struct span expected, struct span message)
{
	struct buffer text = {0}, came = {0};
	bool same;

	message_text(expected, &text);
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
		      struct span message, struct buffer *why)
{
	switch (step->type) {
	case REPLAY_USER:
		return same_role(why, "user", message) && same_prompt(why, step->value, message);
	case REPLAY_CORRECTION:
		return same_role(why, "user", message) &&
		       same_correction(why, step->value, message);
	case REPLAY_ANSWER:
		return same_role(why, "assistant", message) &&
		       same_answer(why, step->value, message);
	case REPLAY_HANDOFF:
		return same_role(why, "user", message) && same_handoff(why, step->value, message);
	case REPLAY_RESULTS:
		break;
	}
	return same_role(why, "tool", message) && same_results(run, why, step->value, message);
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

bool replay_check(const struct replay_run *run, const struct replay_answer *answer,
		  const struct model_request *request, struct buffer *why)
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
	for (size_t i = 0; i < steps; i++)
		if (!same_step(run, &run->steps[answer->first + i],
			       request->messages[before + i]->json, why))
			return false;
	return true;
}
