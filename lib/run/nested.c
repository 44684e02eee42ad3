#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "run/run_state.h"
#include "tool/excerpt.h"

/* A call that a nested run answers. */
struct nested_call {
	struct tool_call base;
	struct tool_handler handler;
	struct agent_run *run;
	char *prompt;
	size_t max_result;
	bool cancelled; /* freed when its run is over */
};

/* The prompt of the nested run: the only argument if it is a text, or all arguments as JSON. */
static void write_prompt(struct buffer *out, struct span args)
{
	struct json_walk walk = json_walk(args);

	if (json_count(args) == 1 && json_next(&walk) && json_type(walk.value) == JSON_STRING)
		json_decode(walk.value, out);
	else
		json_write_compact(out, args);
}

/* The result for the caller: the answer, after what went wrong if something did. */
static void write_result(struct buffer *out, const struct agent_run *nested, const char *message)
{
	struct buffer joined = {0};
	struct span answer = response_text(&nested->response, &joined);

	if (message != NULL)
		buffer_add_format(out, "The agent %s failed: %s%s", nested->agent->name, message,
				  answer.len > 0 ? "\n\nIts last words were:\n" : "");
	else if (nested->agent->schema != NULL)
		answer = output_json(answer); /* without a code fence around it */
	buffer_add_span(out, answer);
	buffer_free(&joined);
}

static void free_call(struct nested_call *call)
{
	run_free(call->run);
	free(call->prompt);
	free(call);
}

static void is_over(void *context, int exit_status, const char *message)
{
	struct nested_call *call = context;
	struct tool_handler handler = call->handler;
	struct excerpt kept = {.head_max = call->max_result - call->max_result / 2,
			       .tail_max = call->max_result / 2};
	struct tool_result result = {.is_error = exit_status != STATUS_OK, .exit_status = -1};
	struct buffer text = {0}, cut = {0};

	if (call->cancelled) {
		free_call(call);
		return;
	}
	write_result(&text, call->run, message);
	excerpt_add(&kept, buffer_span(&text));
	result.truncated = excerpt_write(&kept, &cut);
	result.text = buffer_span(&cut);
	result.seconds = (double)(clock_monotonic() - call->run->started_at) / 1e9;
	free_call(call);
	handler.done(handler.context, &result);
	excerpt_free(&kept);
	buffer_free(&text);
	buffer_free(&cut);
}

static struct run_config make_config(const struct tool *tool, const struct tool_request *request,
				     const char *prompt)
{
	const struct agent_run *parent = request->caller;
	const struct agent *agent = tool->agent;
	struct run_config config = parent->config;
	double *timeout = &config.limits.timeout_seconds;

	config.agent = agent;
	config.system = NULL;
	config.models = agent->models.count > 0 ? agent->models : parent->specs;
	config.limits = agent->limits;
	if (config.limits.max_iterations == 0)
		config.limits.max_iterations = parent->config.limits.max_iterations;
	if (tool->timeout > 0 && (*timeout <= 0 || tool->timeout < *timeout))
		*timeout = tool->timeout;
	config.since = 0;
	config.prompt = prompt;
	config.id = NULL;
	config.attachments = (struct span){0};
	config.history = NULL;
	config.resume = false;
	config.parent = request->caller;
	config.parent_call_id = request->call_id;
	config.depth = parent->config.depth + 1;
	return config;
}

/* Start the run of the call; NULL, with an error for the model in `why`, if it cannot start. */
static struct agent_run *start_run(struct nested_call *call, const struct tool *tool,
				   const struct tool_request *request, struct buffer *why)
{
	const struct run_handler handler = {call, is_over};
	struct event_sink *sink = request->caller->stream.sink;
	struct run_config config = make_config(tool, request, call->prompt);
	struct agent_run *run;
	struct error e = {0};

	if (config.depth >= RUN_MAX_DEPTH) {
		buffer_add_format(why, "Agents may be nested %d deep, not deeper.", RUN_MAX_DEPTH);
		return NULL;
	}
	run = run_start(&config, sink, &handler, &e);
	if (run == NULL)
		buffer_add_format(why, "The agent could not be started: %s", e.message);
	error_clear(&e);
	return run;
}

static struct tool_call *start(const struct tool *tool, const struct tool_request *request,
			       const struct tool_handler *handler)
{
	struct nested_call *call = mem_zero(sizeof(*call));
	struct buffer prompt = {0}, why = {0};

	call->base.kind = &tool_agent;
	call->handler = *handler;
	call->max_result = request->limits.max_result;
	write_prompt(&prompt, request->args);
	call->prompt = buffer_take(&prompt);
	call->run = start_run(call, tool, request, &why);
	if (call->run != NULL)
		return &call->base;
	free_call(call);
	handler->done(
	    handler->context,
	    &(struct tool_result){.text = buffer_span(&why), .is_error = true, .exit_status = -1});
	buffer_free(&why);
	return NULL;
}

/* The run writes its agent_end now; is_over frees it. */
static void cancel(struct tool_call *base, double grace)
{
	struct nested_call *call = (struct nested_call *)base;

	(void)grace;
	call->cancelled = true;
	run_fail(call->run, 128 + SIGTERM, ERROR_CANCELLED,
		 "the run that called this agent is over");
}

const struct tool_kind tool_agent = {.start = start, .cancel = cancel};
