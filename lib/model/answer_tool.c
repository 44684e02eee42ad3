#include "model/answer_tool.h"

#include <stdlib.h>

#include "model/parameters.h"
#include "model/protocol/protocol.h"

/* In place of an index: the call is the answer, or is ignored because there is an answer already.
 */
enum { THE_ANSWER = -1, IGNORED = -2 };

/* ---- the request ---- */

static bool can_force(const struct transcript *t)
{
	struct span quirk = parameters_quirk(t, "force");

	if (t->provider->protocol->can_force != NULL)
		return t->provider->protocol->can_force(t);
	return !json_false(quirk) && !parameters_reasons(t->request) &&
	       parameters_option(t->request, "thinking").at == NULL;
}

static bool is_taken(const struct model_request *request)
{
	for (size_t i = 0; i < request->tool_count; i++)
		if (strcmp(request->tools[i].name, ANSWER_TOOL) == 0)
			return true;
	return false;
}

/* The tool choice with the tool; NULL: the model decides. */
static const char *choose(const struct protocol *protocol, const struct model_request *request,
			  bool force)
{
	enum tool_choice choice = parameters_choice(request->tool_choice);

	if (choice == CHOICE_NONE)
		return ANSWER_TOOL;
	if (choice != CHOICE_AUTO)
		return request->tool_choice;
	if (force && protocol->answers_by_any_call)
		return "required";
	return force && parameters_tool_count(request) == 0 ? ANSWER_TOOL : NULL;
}

bool answer_request_make(struct answer_request *changed, const struct provider *provider,
			 const char *model, const struct model_request *request)
{
	const struct protocol *protocol = provider->protocol;
	const struct transcript t = {.provider = provider, .model = model, .request = request};
	bool force;

	*changed = (struct answer_request){.request = *request};
	if (protocol->answers_by_tool == NULL ||
	    !json_is(json_get(request->schema, "type"), "object") || is_taken(request) ||
	    !protocol->answers_by_tool(&t))
		return false;
	force = can_force(&t);
	if (!force && parameters_choice(request->tool_choice) == CHOICE_NONE)
		return false;
	changed->tools = mem_alloc((request->tool_count + 1) * sizeof(*changed->tools));
	for (size_t i = 0; i < request->tool_count; i++)
		changed->tools[i] = request->tools[i];
	changed->tools[request->tool_count] = (struct model_tool){
	    .name = ANSWER_TOOL,
	    .description = "Gives your final answer. Call it once, when the answer is complete, "
			   "instead of answering in text.",
	    .parameters = request->schema,
	};
	changed->request.tools = changed->tools;
	changed->request.tool_count++;
	changed->request.schema = (struct span){0};
	changed->request.tool_choice = choose(protocol, request, force);
	if (changed->request.tool_choice != NULL || protocol->answers_by_any_call)
		return true;
	buffer_add_format(&changed->system, "%s%s%s",
			  request->system != NULL ? request->system : "",
			  request->system != NULL && *request->system != '\0' ? "\n\n" : "",
			  "Give your final answer by calling " ANSWER_TOOL ", not in text.");
	changed->request.system = buffer_string(&changed->system);
	return true;
}

void answer_request_free(struct answer_request *changed)
{
	free(changed->tools);
	buffer_free(&changed->system);
	*changed = (struct answer_request){0};
}

/* ---- the answer ---- */

static void deliver(const struct answer_tool *tool, enum model_delta_type type, struct span text)
{
	tool->handler.delta(tool->handler.context,
			    &(struct model_delta){.type = type, .text = text, .index = -1});
}

/* Deliver the text that was held back, as text or as thinking: after the answer always as thinking.
 */
static void deliver_text(struct answer_tool *tool, enum model_delta_type type)
{
	if (tool->text.len == 0)
		return;
	if (tool->called)
		type = MODEL_THINKING;
	deliver(tool, type, buffer_span(&tool->text));
	if (tool->data.len > 0 && type == MODEL_TEXT)
		deliver(tool, MODEL_PART_DATA, buffer_span(&tool->data));
	buffer_clear(&tool->text);
	buffer_clear(&tool->data);
}

/* Text that does not begin like JSON may be what the model writes before the call. Text after the
 * call is not the answer. */
static void on_text(struct answer_tool *tool, const struct model_delta *delta)
{
	struct span text;

	if (tool->plain) {
		tool->handler.delta(tool->handler.context, delta);
		return;
	}
	buffer_add_span(&tool->text, delta->text);
	text = json_trim(buffer_span(&tool->text));
	if (tool->called || text.len == 0 || strchr("{[`\"", text.at[0]) == NULL)
		return;
	tool->plain = true;
	deliver_text(tool, MODEL_TEXT);
}

static void begin_call(struct answer_tool *tool, const struct model_delta *delta)
{
	bool answer = span_is(model_bare_name(delta->name), ANSWER_TOOL) && !delta->by_provider;
	int as = answer ? tool->called ? IGNORED : THE_ANSWER : tool->others++;

	/* The answer may follow a hosted call in the same response. */
	deliver_text(tool, answer || delta->by_provider ? MODEL_THINKING : MODEL_TEXT);
	tool->called = tool->called || answer;
	tool->waiting |= !answer && !delta->by_provider;
	tool->calls = array_grow(tool->calls, tool->count, sizeof(*tool->calls));
	tool->calls[tool->count++] = as;
}

/* A delta of a call. */
static void on_call(struct answer_tool *tool, const struct model_delta *delta)
{
	struct model_delta mapped = *delta;

	if (delta->type == MODEL_TOOL_CALL)
		begin_call(tool, delta);
	if (delta->index < 0 || (size_t)delta->index >= tool->count)
		return;
	mapped.index = tool->calls[delta->index];
	if (mapped.index >= 0)
		tool->handler.delta(tool->handler.context, &mapped);
	else if (mapped.index == THE_ANSWER && delta->type == MODEL_TOOL_ARGS)
		deliver(tool, MODEL_TEXT, delta->text);
}

static void on_delta(void *context, const struct model_delta *delta)
{
	struct answer_tool *tool = context;

	switch (delta->type) {
	case MODEL_TEXT:
		on_text(tool, delta);
		return;
	case MODEL_TOOL_CALL:
	case MODEL_TOOL_ARGS:
	case MODEL_TOOL_RUNNING:
	case MODEL_TOOL_RESULT:
		on_call(tool, delta);
		return;
	case MODEL_PART_DATA:
		if (delta->index >= 0) {
			on_call(tool, delta);
			return;
		}
		if (tool->text.len > 0) {
			buffer_clear(&tool->data);
			buffer_add_span(&tool->data, delta->text);
			return;
		}
		break;
	case MODEL_OPAQUE:
		deliver_text(tool, MODEL_TEXT);
		break;
	case MODEL_THINKING:
	case MODEL_MESSAGE_DATA:
	case MODEL_RAW:
		break;
	}
	tool->handler.delta(tool->handler.context, delta);
}

static void on_done(void *context, const struct model_outcome *outcome)
{
	struct answer_tool *tool = context;
	struct model_outcome seen = *outcome;

	deliver_text(tool, MODEL_TEXT);
	if (tool->called && !tool->waiting && seen.finish == MODEL_TOOL_CALLS)
		seen.finish = MODEL_STOP;
	tool->handler.done(tool->handler.context, &seen);
}

struct model_handler answer_tool_handler(struct answer_tool *tool)
{
	return (struct model_handler){tool, on_delta, on_done};
}

void answer_tool_free(struct answer_tool *tool)
{
	free(tool->calls);
	buffer_free(&tool->text);
	buffer_free(&tool->data);
	*tool = (struct answer_tool){0};
}
