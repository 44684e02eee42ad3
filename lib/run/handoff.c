#include "run/emit.h"
#include "run/run_state.h"

void run_decide_handoff(struct agent_run *run, const struct tool *tool, const char *call_id,
			struct span args)
{
	if (run->handoff.to == NULL)
		run->handoff = (struct handoff){tool->agent, call_id, args};
}

/* The first handoff of a response decides; the others get an error. */
static struct tool_call *start(const struct tool *tool, const struct tool_request *request,
			       const struct tool_handler *handler)
{
	struct agent_run *run = request->caller;
	struct tool_result result = {.exit_status = -1};
	struct buffer text = {0};

	if (run->handoff.to != NULL) {
		result.is_error = true;
		buffer_add_text(&text, "Multiple handoffs detected, ignoring this one.");
	} else {
		run_decide_handoff(run, tool, request->call_id, request->args);
		/* As OpenAI's Agents SDK writes it, to the space: models have seen it often. */
		buffer_add_text(&text, "{\"assistant\": ");
		json_write_string(&text, span_of(tool->agent->name));
		buffer_add_char(&text, '}');
	}
	result.text = buffer_span(&text);
	handler->done(handler->context, &result);
	buffer_free(&text);
	return NULL;
}

const struct tool_kind tool_handoff = {.start = start};

/* The setting of the new agent overrides that of the previous one. */
static enum handoff_input input_of(const struct agent *from, const struct agent *to)
{
	return to->handoff_input != HANDOFF_DEFAULT ? to->handoff_input : from->handoff_input;
}

static bool same_models(const struct model_specs *one, const struct model_specs *other)
{
	bool same = one->count == other->count;

	for (size_t i = 0; same && i < one->count; i++)
		same = strcmp(one->at[i], other->at[i]) == 0;
	return same;
}

/* Open the models of the agent that takes over. If the agent before had the same, those stay open:
 * a recording does not begin again. */
static bool open_models(struct agent_run *run, const struct model_specs *before, struct error *e)
{
	struct open_models models = {0};

	run->model_index = 0;
	if (same_models(&run->specs, before))
		return true;
	if (!open_models_add(&models, run->config.host, &run->specs, e)) {
		open_models_close(&models);
		return false;
	}
	open_models_close(&run->models);
	run->models = models;
	return true;
}

bool run_hand_over(struct agent_run *run)
{
	const struct agent *to = run->handoff.to, *from = run->agent;
	struct model_specs before = run->specs;
	enum handoff_input input = input_of(from, to);
	struct buffer reason = {0};
	struct error e = {0};

	json_decode(json_get(run->handoff.args, "reason"), &reason);
	run_set_agent(run, to);
	if (!open_models(run, &before, &e)) {
		run_set_agent(run, from);
		run_fail(run, STATUS_USAGE, ERROR_USAGE, "%s", e.message);
	} else {
		run->agent_since = run->budget.total.iterations;
		conversation_hand_over(&run->conversation, input, from->name, buffer_span(&reason));
		run->prompt_at = window_prompt(&run->conversation);
		emit_agent_updated(run, from->name, run->handoff.call_id, input,
				   buffer_span(&reason));
	}
	run->handoff = (struct handoff){0};
	error_clear(&e);
	buffer_free(&reason);
	return run->phase != PHASE_ENDED;
}
