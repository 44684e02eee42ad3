#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "run/run_state.h"
#include "tool/excerpt.h"

/* ---- what an agent says ---- */

const char *run_own_system(const struct agent_run *run)
{
	const struct run_config *config = &run->config;

	return run->agent == config->agent && config->system != NULL ? config->system
								     : run->agent->instructions;
}

void run_become(struct agent_run *run, const struct agent *agent)
{
	const struct run_config *config = &run->config;
	bool starts = agent == config->agent;

	run->agent = agent;
	run->specs = starts || agent->models.count == 0 ? config->models : agent->models;
	run->system = run_own_system(run);
	if (starts && run->system == NULL && run->conversation.system.len > 0)
		run->system = buffer_string(&run->conversation.system);
}

/* ---- handing over ---- */

bool run_handoff(struct agent_run *run, const struct answer_call *call, const struct tool *tool,
		 struct buffer *result)
{
	if (run->handoff != NULL) {
		buffer_add_text(result, "Multiple handoffs detected, ignoring this one.");
		return false;
	}
	run->handoff = tool->agent;
	run->handoff_call = call;
	/* As OpenAI's Agents SDK says it, to the space: models have seen it often. */
	buffer_add_text(result, "{\"assistant\": ");
	json_write_string(result, span_of(tool->agent->name));
	buffer_add_char(result, '}');
	return true;
}

/* Who takes over decides what it wants to know, or else who hands over. */
static enum handoff_input input_of(const struct agent *from, const struct agent *to)
{
	return to->handoff_input != HANDOFF_UNSAID ? to->handoff_input : from->handoff_input;
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
	struct model **models;

	run->model_index = 0;
	if (same_models(&run->specs, before))
		return true;
	models = run_open_models(run->config.host, &run->specs, e);
	if (models == NULL)
		return false;
	run_close_models(run->models, before->count);
	run->models = models;
	return true;
}

bool run_hand_over(struct agent_run *run)
{
	const struct agent *to = run->handoff, *from = run->agent;
	struct model_specs before = run->specs;
	enum handoff_input input = input_of(from, to);
	struct buffer reason = {0};
	struct error e = {0};

	json_decode(json_get(answer_args(run->handoff_call), "reason"), &reason);
	run_become(run, to);
	if (!open_models(run, &before, &e)) {
		run_become(run, from);
		run_fail(run, RUN_ERROR, STATUS_USAGE, ERROR_USAGE, "%s", e.message);
	} else {
		free(run->offered);
		run->offered = run_offer_tools(&to->tools);
		run->since = run->budget.iterations;
		conversation_hand_over(&run->conversation, input, from->name, buffer_span(&reason));
		run->prompt_at = window_prompt(&run->conversation);
		emit_agent_updated(run, from->name, run->handoff_call->id, input,
				   buffer_span(&reason));
	}
	run->handoff = NULL;
	run->handoff_call = NULL;
	error_clear(&e);
	buffer_free(&reason);
	return !run->ended;
}

/* ---- nested runs ---- */

/* What the nested agent is asked: the only text among the arguments, or all of them as JSON. */
static void write_prompt(struct buffer *out, struct span args)
{
	struct json_walk walk = json_walk(args);

	if (json_count(args) == 1 && json_next(&walk) && json_type(walk.value) == JSON_STRING)
		json_decode(walk.value, out);
	else
		json_write_compact(out, args);
}

/* What the caller is told: the answer, after what went wrong if something did. */
static void write_result(struct buffer *out, const struct agent_run *nested, const char *message)
{
	struct buffer text = {0};
	struct span json;

	answer_text(&nested->answer, &text);
	if (message == NULL && nested->agent->schema != NULL) {
		json = output_json(buffer_span(&text)); /* without a code fence around it */
		buffer_add_span(out, json);
		buffer_free(&text);
		return;
	}
	if (message != NULL) {
		buffer_add_format(out, "The agent %s failed: %s", nested->agent->name, message);
		buffer_add_text(out, text.len > 0 ? "\n\nIts last words were:\n" : "");
	}
	buffer_add_span(out, buffer_span(&text));
	buffer_free(&text);
}

static void nested_is_over(void *context, int exit_status, const char *message)
{
	struct batch_call *call = context;
	const struct agent_run *nested = call->nested;
	size_t max = call->run->config.tool_limits.max_result;
	struct excerpt kept = {.head_max = max - max / 2, .tail_max = max / 2};
	struct buffer text = {0}, cut = {0};
	struct tool_result result = {.is_error = exit_status != STATUS_OK, .exit_status = -1};

	if (call->run->ended)
		return; /* the call has a result that says so */
	write_result(&text, nested, message);
	excerpt_add(&kept, buffer_span(&text));
	result.truncated = excerpt_write(&kept, &cut);
	result.text = buffer_span(&cut);
	result.seconds = (double)(clock_monotonic() - nested->started_at) / 1e9;
	run_nested_free(call);
	run_call_done(call, &result);
	excerpt_free(&kept);
	buffer_free(&text);
	buffer_free(&cut);
}

static struct run_config nested_config(const struct batch_call *call, const char *call_id)
{
	const struct agent_run *parent = call->run;
	const struct agent *agent = call->tool->agent;
	struct run_config config = parent->config;
	double timeout = call->tool->timeout;

	config.agent = agent;
	config.system = NULL;
	config.models = agent->models.count > 0 ? agent->models : parent->specs;
	config.limits = agent->limits;
	if (config.limits.max_iterations == 0)
		config.limits.max_iterations = parent->config.limits.max_iterations;
	if (timeout > 0 &&
	    (config.limits.timeout_seconds <= 0 || timeout < config.limits.timeout_seconds))
		config.limits.timeout_seconds = timeout;
	config.prompt = call->prompt;
	config.id = NULL;
	config.attachments = (struct span){0};
	config.history = NULL;
	config.resume = false;
	config.parent = call->run;
	config.parent_call_id = call_id;
	config.depth = parent->config.depth + 1;
	return config;
}

bool run_nested_start(struct batch_call *call, const struct answer_call *said, struct buffer *why)
{
	const struct run_handler handler = {call, nested_is_over};
	struct buffer prompt = {0};
	struct run_config config;
	struct error e = {0};

	if (call->run->config.depth + 1 >= RUN_MAX_DEPTH) {
		buffer_add_format(why, "Agents may be nested %d deep, not deeper.", RUN_MAX_DEPTH);
		return false;
	}
	write_prompt(&prompt, answer_args(said));
	call->prompt = buffer_take(&prompt);
	config = nested_config(call, said->id);
	call->nested = run_start(&config, call->run->stream.sink, &handler, &e);
	if (call->nested == NULL)
		buffer_add_format(why, "The agent could not be started: %s", e.message);
	error_clear(&e);
	return call->nested != NULL;
}

void run_nested_stop(struct batch_call *call)
{
	run_fail(call->nested, RUN_CANCELLED, 128 + SIGTERM, ERROR_CANCELLED,
		 "the run that called this agent is over");
}

void run_nested_free(struct batch_call *call)
{
	run_free(call->nested);
	free(call->prompt);
	call->nested = NULL;
	call->prompt = NULL;
}
