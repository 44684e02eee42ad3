#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "run/run_state.h"
#include "tool/excerpt.h"

/* ---- what an agent says ---- */

void run_config_take_agent(struct run_config *config, const struct agent *agent)
{
	config->agent = agent;
	config->agent_name = agent->name;
	config->system = agent->instructions;
	if (agent->models.count > 0) {
		config->models = agent->models.at;
		config->model_count = agent->models.count;
	}
	config->options = agent->options;
	config->option_count = agent->option_count;
	config->effort = agent->effort;
	config->max_tokens = agent->max_tokens;
	config->tool_choice = agent->tool_choice;
	config->schema = agent->schema;
	config->tools = &agent->tools;
}

void run_become(struct agent_run *run, const struct agent *agent)
{
	const struct run_config *given = &run->given;

	run->config.models = given->models;
	run->config.model_count = given->model_count;
	run_config_take_agent(&run->config, agent);
	if (agent != given->agent)
		return;
	/* The one that started: a line of a batch, or the history, may have said more. */
	run->config.models = given->models;
	run->config.model_count = given->model_count;
	run->config.system = given->system;
	if (given->system == NULL && run->conversation.system.len > 0)
		run->config.system = buffer_string(&run->conversation.system);
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
	if (to->handoff_input != HANDOFF_UNSAID || from == NULL)
		return to->handoff_input;
	return from->handoff_input;
}

/* Whether two configurations ask the same models. */
static bool same_models(const struct run_config *one, const struct run_config *other)
{
	bool same = one->model_count == other->model_count;

	for (size_t i = 0; same && i < one->model_count; i++)
		same = strcmp(one->models[i], other->models[i]) == 0;
	return same;
}

/* The models of the agent that takes over from the one of `before`; those that it has in common
 * with it go on: a recording does not begin again. */
static bool take_models(struct agent_run *run, const struct run_config *before, struct error *e)
{
	struct model **models;

	run->model_index = 0;
	if (same_models(&run->config, before))
		return true;
	models = run_open_models(&run->config, e);
	if (models == NULL)
		return false;
	run_close_models(run->models, before->model_count);
	run->models = models;
	return true;
}

bool run_hand_over(struct agent_run *run)
{
	const struct agent *to = run->handoff;
	const struct agent *from = run->config.agent;
	enum handoff_input input = input_of(from, to);
	struct buffer reason = {0};
	struct error e = {0};
	struct run_config before = run->config;

	json_decode(json_get(answer_args(run->handoff_call), "reason"), &reason);
	run_become(run, to);
	if (!take_models(run, &before, &e)) {
		run->config = before;
		run_fail(run, RUN_ERROR, STATUS_USAGE, e.kind, "%s", e.message);
	} else {
		free(run->offered);
		run->offered = run_offer_tools(&to->tools);
		run->since = run->iteration;
		conversation_hand_over(&run->conversation, input, before.agent_name,
				       buffer_span(&reason));
		run->prompt_at = window_prompt(&run->conversation);
		emit_agent_updated(run, before.agent_name, run->handoff_call->id, input,
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
	if (message == NULL && nested->config.schema.at != NULL) {
		json = output_json(buffer_span(&text)); /* without a code fence around it */
		buffer_add_span(out, json);
		buffer_free(&text);
		return;
	}
	if (message != NULL) {
		buffer_add_format(out, "The agent %s failed: %s", nested->config.agent_name,
				  message);
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
	struct run_config config = parent->given;
	double timeout = call->tool->timeout;

	config.models = parent->config.models;
	config.model_count = parent->config.model_count;
	run_config_take_agent(&config, agent);
	config.prompt = call->prompt;
	config.id = NULL;
	config.attachments = (struct span){0};
	config.history = NULL;
	config.resume = false;
	config.parent = call->run;
	config.parent_call_id = call_id;
	config.depth = parent->config.depth + 1;
	config.max_iterations = agent->limits.max_iterations > 0 ? agent->limits.max_iterations
								 : parent->given.max_iterations;
	config.max_total_tokens = agent->limits.max_total_tokens;
	config.max_tool_calls = agent->limits.max_tool_calls;
	config.max_cost_usd = agent->limits.max_cost_usd;
	config.timeout_seconds = agent->limits.timeout_seconds;
	if (timeout > 0 && (config.timeout_seconds <= 0 || timeout < config.timeout_seconds))
		config.timeout_seconds = timeout;
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
	run_fail(call->nested, RUN_CANCELLED, 128 + SIGTERM, "cancelled",
		 "the run that called this agent is over");
}

void run_nested_free(struct batch_call *call)
{
	run_free(call->nested);
	free(call->prompt);
	call->nested = NULL;
	call->prompt = NULL;
}
