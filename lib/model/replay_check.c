#include <stdlib.h>

#include "base/utf8.h"
#include "event/secrets.h"
#include "json/json.h"
#include "model/replay_log.h"

/* A message about texts that differ shows so many bytes of each: before the difference, and in all.
 */
enum { SHOWN_BEFORE = 20, SHOWN = 80 };

/* The comparison of a request with the recorded one. */
struct comparison {
	const struct replay_run *run;
	struct replay_checked *checked;
	struct buffer *why;
	struct buffer expected, came; /* the decoded texts that are compared */
};

/* ---- texts ---- */

/* Append the text around `from` as a JSON string; "none" for an absent text. */
static void show_text(struct buffer *out, struct span text, size_t from)
{
	size_t begin = from > SHOWN_BEFORE ? from - SHOWN_BEFORE : 0;
	size_t end = text.len - begin > SHOWN ? begin + SHOWN : text.len;

	if (text.at == NULL) {
		buffer_add_text(out, "none");
		return;
	}
	while (begin > 0 && begin < text.len && utf8_continues(text.at[begin]))
		begin--;
	while (end < text.len && utf8_continues(text.at[end]))
		end--;
	buffer_add_text(out, begin > 0 ? "..." : "");
	json_write_string(out, (struct span){text.at + begin, end - begin});
	buffer_add_text(out, end < text.len ? "..." : "");
}

/* Write that two texts, each of which may be absent, differ. Returns false. */
static bool differs(struct buffer *why, const char *what, struct span expected, struct span came)
{
	size_t same = 0;

	while (expected.at != NULL && came.at != NULL && same < expected.len && same < came.len &&
	       expected.at[same] == came.at[same])
		same++;
	buffer_add_format(why, "%s: expected ", what);
	show_text(why, expected, same);
	buffer_add_text(why, ", got ");
	show_text(why, came, same);
	return false;
}

/* Whether `came` is the text of the JSON string `expected`. Both may be absent. */
static bool same_string(struct comparison *c, const char *what, struct span expected,
			struct span came)
{
	struct span text = {0};

	buffer_clear(&c->expected);
	if (json_decode(expected, &c->expected))
		text = buffer_span(&c->expected);
	return (span_equal(text, came) && (text.at == NULL) == (came.at == NULL)) ||
	       differs(c->why, what, text, came);
}

/* Mask what comes as the log was masked. */
static void mask(const struct replay_run *run, struct buffer *text)
{
	if (run->secrets != NULL)
		secrets_mask_text(run->secrets, text, 0);
}

static void message_text(const struct comparison *c, const struct message *message,
			 struct buffer *out)
{
	buffer_clear(out);
	for (size_t i = 0; i < message->part_count; i++)
		if (message->parts[i].type == PART_TEXT)
			json_decode(message->parts[i].text, out);
	mask(c->run, out);
}

/* Whether the message has the text `expected` in it. */
static bool mentions(struct comparison *c, const char *what, const char *expected,
		     const struct message *message)
{
	message_text(c, message, &c->came);
	return strstr(buffer_string(&c->came), expected) != NULL ||
	       differs(c->why, what, span_of(expected), buffer_span(&c->came));
}

/* ---- messages of the user ---- */

void replay_prompt_text(const struct replay_run *run, const struct message *message,
			struct buffer *out)
{
	buffer_clear(out);
	if (message->part_count > 0)
		json_decode(message->parts[message->part_count - 1].text, out);
	mask(run, out);
}

/* The prompt is the last part; the attachments are before it. */
static bool same_prompt(struct comparison *c, struct span start, const struct message *message)
{
	struct span attachments = json_get(start, "attachments");
	size_t count = json_count(attachments), nth = 0;

	replay_prompt_text(c->run, message, &c->came);
	if (!same_string(c, "the prompt", json_get(start, "prompt"), buffer_span(&c->came)))
		return false;
	if (message->part_count != count + 1) {
		buffer_add_format(c->why, "attachments: expected %zu, got %zu", count,
				  message->part_count - 1);
		return false;
	}
	for (struct json_walk walk = json_walk(attachments); json_next(&walk);)
		if (!json_equal(walk.value, message->parts[nth++].json)) {
			buffer_add_format(c->why, "attachment %zu is not the recorded one", nth);
			return false;
		}
	return true;
}

/* Whether the message names the fault that the recorded error names after its ": ". */
static bool same_correction(struct comparison *c, struct span sentence,
			    const struct message *message)
{
	const char *text, *cause;

	buffer_clear(&c->expected);
	json_decode(sentence, &c->expected);
	text = buffer_string(&c->expected);
	cause = strstr(text, ": ");
	return mentions(c, "the correction of the answer", cause != NULL ? cause + 2 : text,
			message);
}

/* Whether the message names the previous agent and the reason. */
static bool same_handoff(struct comparison *c, struct span data, const struct message *message)
{
	static const char *const keys[] = {"previous_agent", "reason"};
	bool same = true;

	for (size_t i = 0; same && i < ARRAY_LEN(keys); i++) {
		buffer_clear(&c->expected);
		if (json_decode(json_get(data, keys[i]), &c->expected))
			same = mentions(c, "what is told of a handoff", buffer_string(&c->expected),
					message);
	}
	return same;
}

/* ---- calls ---- */

/* The next call of a message from part *at on; NULL if there is none. */
static const struct part *next_call(const struct message *message, size_t *at)
{
	while (*at < message->part_count)
		if (message->parts[(*at)++].type == PART_CALL)
			return &message->parts[*at - 1];
	return NULL;
}

static void add_text(struct buffer *out, struct span string)
{
	if (!json_decode(string, out))
		buffer_add_char(out, '?');
}

/* Append a call as "weather (call_1)"; "none" for no call. */
static void name_call(struct buffer *out, const struct part *call)
{
	if (call == NULL) {
		buffer_add_text(out, "none");
		return;
	}
	add_text(out, call->tool_name);
	buffer_add_text(out, " (");
	add_text(out, call->tool_call_id);
	buffer_add_char(out, ')');
}

/* Write what of a call differs. Returns false. */
static bool call_differs(struct buffer *why, const char *what, const struct part *call,
			 struct span expected, struct span came)
{
	struct buffer of_call = {0};

	buffer_add_format(&of_call, "%s of ", what);
	name_call(&of_call, call);
	differs(why, buffer_string(&of_call), expected, came);
	buffer_free(&of_call);
	return false;
}

static bool same_args(struct comparison *c, const struct part *call, const struct part *came)
{
	buffer_clear(&c->came);
	buffer_add_span(&c->came, came->args);
	if (c->run->secrets != NULL)
		secrets_mask_json(c->run->secrets, &c->came, 0);
	return json_equal(call->args, buffer_span(&c->came));
}

static bool same_calls(struct comparison *c, const struct message *recorded,
		       const struct message *message)
{
	const struct part *call, *came;
	size_t i = 0, j = 0;

	do {
		call = next_call(recorded, &i);
		came = next_call(message, &j);
		if (call == NULL && came == NULL)
			return true;
		if (call == NULL || came == NULL ||
		    !json_equal(call->tool_call_id, came->tool_call_id) ||
		    !json_equal(call->tool_name, came->tool_name)) {
			buffer_add_text(c->why, "an earlier call: expected ");
			name_call(c->why, call);
			buffer_add_text(c->why, ", got ");
			name_call(c->why, came);
			return false;
		}
	} while (same_args(c, call, came));
	return call_differs(c->why, "the arguments", call, call->args, came->args);
}

static bool same_response(struct comparison *c, const struct message *recorded,
			  const struct message *message)
{
	message_text(c, recorded, &c->expected);
	message_text(c, message, &c->came);
	if (!span_equal(buffer_span(&c->expected), buffer_span(&c->came)))
		return differs(c->why, "an earlier response", buffer_span(&c->expected),
			       buffer_span(&c->came));
	return same_calls(c, recorded, message);
}

/* ---- results ---- */

/* The data of the last tool_end with this call id; absent if there is none. */
static struct span find_result(const struct replay_run *run, struct table *results, struct span id)
{
	bool is_new = results->count == 0;
	const uintptr_t *found;

	for (size_t i = 0; is_new && i < run->result_count; i++) {
		struct span key = json_get(run->results[i], "tool_call_id");

		if (key.at != NULL)
			*table_add(results, key) = i + 1;
	}
	found = table_find(results, id);
	return found != NULL ? run->results[*found - 1] : (struct span){0};
}

static struct span outcome_name(bool failed)
{
	return failed ? SPAN("error") : SPAN("ok");
}

/* Whether a result is the one in `end`, the data of a tool_end. */
static bool same_result(struct comparison *c, struct span end, const struct part *call,
			const struct part *result)
{
	bool failed = json_true(json_get(end, "is_error"));
	struct span expected, came;

	buffer_clear(&c->expected);
	buffer_clear(&c->came);
	json_decode(json_get(end, "result"), &c->expected);
	json_decode(result->result, &c->came);
	mask(c->run, &c->came);
	expected = end.at != NULL ? buffer_span(&c->expected) : (struct span){0};
	came = buffer_span(&c->came);
	if (end.at == NULL || !span_equal(expected, came))
		return call_differs(c->why, "the result", call, expected, came);
	return failed == result->is_error ||
	       call_differs(c->why, "whether it failed", call, outcome_name(failed),
			    outcome_name(result->is_error));
}

static bool same_results(struct comparison *c, const struct message *recorded,
			 const struct message *message)
{
	const struct part *call;
	size_t at = 0;

	for (size_t i = 0; (call = next_call(recorded, &at)) != NULL; i++) {
		struct span id = call->tool_call_id;
		struct span end = find_result(c->run, &c->checked->results, id);

		if (i >= message->part_count || !json_equal(message->parts[i].tool_call_id, id))
			return call_differs(c->why, "the result", call, json_get(end, "result"),
					    (struct span){0});
		if (!same_result(c, end, call, &message->parts[i]))
			return false;
	}
	return true;
}

/* ---- the request ---- */

static bool same_role(struct comparison *c, enum message_role role, const struct message *message)
{
	if (message->role == role)
		return true;
	buffer_clear(&c->came);
	json_decode(json_get(message->json, "role"), &c->came);
	return differs(c->why, "the role of a message", span_of(message_role_name(role)),
		       buffer_span(&c->came));
}

static bool same_step(struct comparison *c, const struct replay_step *step,
		      const struct message *message)
{
	static const enum message_role roles[] = {
	    [REPLAY_USER] = MESSAGE_USER,          [REPLAY_CORRECTION] = MESSAGE_USER,
	    [REPLAY_RESPONSE] = MESSAGE_ASSISTANT, [REPLAY_RESULTS] = MESSAGE_TOOL,
	    [REPLAY_HANDOFF] = MESSAGE_USER,
	};
	struct message *recorded;
	bool same;

	if (!same_role(c, roles[step->type], message))
		return false;
	if (step->type == REPLAY_USER)
		return same_prompt(c, step->value, message);
	if (step->type == REPLAY_CORRECTION)
		return same_correction(c, step->value, message);
	if (step->type == REPLAY_HANDOFF)
		return same_handoff(c, step->value, message);
	recorded = message_new(step->value);
	same = step->type == REPLAY_RESPONSE ? same_response(c, recorded, message)
					     : same_results(c, recorded, message);
	message_free(recorded);
	return same;
}

/* Compare the names of the tools as "a, b". */
static bool same_tools(struct comparison *c, struct span names, const struct model_request *request)
{
	buffer_clear(&c->expected);
	buffer_clear(&c->came);
	for (struct json_walk walk = json_walk(names); json_next(&walk);) {
		buffer_add_text(&c->expected, c->expected.len > 0 ? ", " : "");
		json_decode(walk.value, &c->expected);
	}
	for (size_t i = 0; i < request->tool_count; i++)
		buffer_add_format(&c->came, "%s%s", i > 0 ? ", " : "", request->tools[i].name);
	if (span_equal(buffer_span(&c->expected), buffer_span(&c->came)))
		return true;
	differs(c->why, "the tools", buffer_span(&c->expected), buffer_span(&c->came));
	if (request->tool_count == 0)
		buffer_add_text(c->why, " (give them with --tool)");
	return false;
}

/* Whether the agent is the recorded one. Logs of older versions do not have its tools. */
static bool same_agent(struct comparison *c, struct span agent, const struct model_request *request)
{
	struct span tools = json_get(agent, "tools"), system = span_of(request->system);

	if (tools.at == NULL)
		return true;
	if (system.at != NULL) {
		buffer_clear(&c->came);
		buffer_add_span(&c->came, system);
		mask(c->run, &c->came);
		system = span_of(buffer_string(&c->came));
	}
	return same_string(c, "the instructions", json_get(agent, "system"), system) &&
	       same_tools(c, tools, request);
}

/* Whether the request ends with the message that asks for the wrap-up: no event has this message,
 * but it quotes the limit at which the recorded run ended after this response. */
static bool wraps_up(struct comparison *c, const struct replay_response *response,
		     const struct model_request *request)
{
	const struct replay_run *run = c->run;
	const struct message *last =
	    request->message_count > 0 ? request->messages[request->message_count - 1] : NULL;

	buffer_clear(&c->expected);
	if (last == NULL || last->role != MESSAGE_USER ||
	    response != &run->responses[run->response_count - 1] ||
	    !json_decode(run->limit, &c->expected))
		return false;
	message_text(c, last, &c->came);
	return strstr(buffer_string(&c->came), buffer_string(&c->expected)) != NULL;
}

/* Whether an earlier request has shown that the message is step `nth`. */
static bool is_checked(const struct replay_checked *checked, size_t nth,
		       const struct message *message)
{
	return nth < checked->count && checked->messages[nth] == message;
}

/* Sharing the message keeps its address from being used for another one. */
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

static bool same_request(struct comparison *c, const struct replay_response *response,
			 const struct model_request *request)
{
	size_t steps = response->steps - response->first;
	size_t count = request->message_count - wraps_up(c, response, request);

	if (!same_agent(c, response->agent, request))
		return false;
	if (count < steps) {
		buffer_add_format(c->why, "messages: expected %zu, got %zu", steps, count);
		return false;
	}
	for (size_t i = 0; i < steps; i++) {
		struct message *message = request->messages[count - steps + i];
		size_t nth = response->first + i;

		if (is_checked(c->checked, nth, message))
			continue;
		if (!same_step(c, &c->run->steps[nth], message))
			return false;
		note_checked(c->checked, nth, message);
	}
	return true;
}

bool replay_check(const struct replay_run *run, const struct replay_response *response,
		  const struct model_request *request, struct replay_checked *checked,
		  struct buffer *why)
{
	struct comparison c = {.run = run, .checked = checked, .why = why};
	bool same = same_request(&c, response, request);

	buffer_free(&c.expected);
	buffer_free(&c.came);
	return same;
}
