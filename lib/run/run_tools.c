#include <signal.h>
#include <stdlib.h>

#include "schema/schema.h"
#include "run/run_state.h"

static void pump(struct agent_run *run);

static const struct answer_call *asked(const struct batch_call *call)
{
	return &call->run->answer.calls[call->index];
}

/* The call has its result. */
static void settle(struct batch_call *call, const struct tool_result *result)
{
	if (call->state != CALL_WAITING)
		call->run->busy--;
	call->state = CALL_DONE;
	call->running = NULL;
	buffer_add_span(&call->result, result->text);
	call->is_error = result->is_error;
	emit_tool_end(call->run, asked(call), result);
}

/* The call did not run; `why` is what the model is told. */
static void settle_refused(struct batch_call *call, const char *why)
{
	const struct tool_result result = {
	    .text = span_of(why), .is_error = true, .exit_status = -1};

	emit_tool_start(call->run, asked(call));
	settle(call, &result);
}

static void on_output(void *context, struct span text)
{
	struct batch_call *call = context;

	emit_tool_chunk(call->run, asked(call), text, NULL);
}

static void on_errors(void *context, struct span text)
{
	struct batch_call *call = context;

	emit_tool_chunk(call->run, asked(call), text, "stderr");
}

/* A call may be answered while it is started: whoever starts it goes on then. */
static void on_done(void *context, const struct tool_result *result)
{
	struct batch_call *call = context;

	settle(call, result);
	if (!call->starting)
		pump(call->run);
}

/* ---- starting ---- */

static char **make_environment(const struct batch_call *call)
{
	const struct agent_run *run = call->run;
	struct buffer text[4] = {{0}};
	char *extra[5] = {NULL};
	char span_id[TRACE_SPAN_ID_SIZE];
	char **environment;

	buffer_add_format(&text[0], "AGENT_RUN_ID=%s", run->stream.run_id);
	buffer_add_format(&text[1], "AGENT_TOOL_CALL_ID=%s", asked(call)->id);
	buffer_add_format(&text[2], "AGENT_TOOL_NAME=%s", asked(call)->name);
	trace_span_id(span_id, span_of(run->stream.run_id), span_of(asked(call)->id));
	buffer_add_format(&text[3], "TRACEPARENT=00-%s-%s-01", run->trace_id, span_id);
	for (int i = 0; i < 4; i++)
		extra[i] = buffer_take(&text[i]);
	environment = tool_environment(run->config.secrets, extra);
	for (int i = 0; i < 4; i++)
		free(extra[i]);
	return environment;
}

static void start_tool(struct batch_call *call)
{
	struct agent_run *run = call->run;
	bool streams = run->config.tool_output;
	const struct tool_handler handler = {call, streams ? on_output : NULL, on_done,
					     streams ? on_errors : NULL};
	const struct tool_request request = {.loop = run->loop,
					     .args = answer_args(asked(call)),
					     .environment = call->environment,
					     .limits = run->config.tool_limits,
					     .caller = run,
					     .call_id = asked(call)->id};
	struct tool_call *running;

	call->starting = true;
	running = tool_start(call->tool, &request, &handler);
	call->starting = false;
	if (call->state == CALL_RUNNING)
		call->running = running;
}

static void is_logged(void *context)
{
	struct batch_call *call = context;

	start_tool(call);
	pump(call->run);
}

static void execute(struct batch_call *call)
{
	struct event_sink *sink = call->run->stream.sink;

	call->state = CALL_RUNNING;
	emit_tool_start(call->run, asked(call));
	call->logged = (struct event_waiter){.logged = is_logged, .context = call};
	if (!call->tool->kind->is_external || event_when_logged(sink, &call->logged))
		start_tool(call);
}

/* What the model is told of a call that was not approved. */
static void deny(struct batch_call *call, const char *by, const char *reason)
{
	struct buffer why = {0};

	buffer_add_text(&why, strcmp(by, "user") == 0 ? "The user denied the call"
						      : "The call was denied");
	if (reason[0] != '\0')
		buffer_add_format(&why, ": %s", reason);
	else
		buffer_add_char(&why, '.');
	settle_refused(call, buffer_string(&why));
	buffer_free(&why);
}

static struct agent_run *outermost(struct agent_run *run)
{
	while (run->config.parent != NULL)
		run = run->config.parent;
	return run;
}

static void on_decided(void *context, bool approved, const char *by, const char *reason)
{
	struct batch_call *call = context;
	struct agent_run *run = call->run;

	call->approval = NULL;
	emit_tool_approval(run, asked(call), approved, by, reason);
	if (approved)
		execute(call);
	else
		deny(call, by, reason);
	if (run->config.policy->quitting)
		run_fail(outermost(run), RUN_CANCELLED, 128 + SIGINT, ERROR_CANCELLED,
			 "the user denied a call and ended the run");
	else
		pump(run);
}

/* What is wrong with a call before anything runs, told to the model; false when nothing is. */
static bool is_faulty(struct batch_call *call, struct buffer *why)
{
	const struct answer_call *said = asked(call);
	const struct tool_set *tools = &call->run->agent->tools;
	struct buffer faults = {0};
	struct json_fault fault;

	call->tool = tool_set_find(tools, span_of(said->name));
	if (call->tool == NULL) {
		buffer_add_format(why, "There is no tool named \"%s\".", said->name);
		for (size_t i = 0; i < tools->count; i++)
			buffer_add_format(why, "%s%s", i == 0 ? " The tools are: " : ", ",
					  tools->tools[i]->name);
		return true;
	}
	if (!said->valid) {
		if (json_check(buffer_span(&said->args), &fault))
			buffer_add_text(why, "The arguments must be a JSON object.");
		else
			buffer_add_format(
			    why,
			    "The arguments are not valid JSON: %s at byte %zu. Fix the "
			    "errors and try again.",
			    fault.what, fault.offset + 1);
		return true;
	}
	if (schema_check(call->tool->schema, answer_args(said), &faults))
		return false;
	buffer_add_format(why,
			  "The arguments do not satisfy the tool's schema: %s. Fix the errors and "
			  "try again.",
			  buffer_string(&faults));
	buffer_free(&faults);
	return true;
}

static void begin_call(struct batch_call *call)
{
	struct agent_run *run = call->run;
	const struct approval_handler handler = {call, on_decided};
	struct buffer why = {0};
	int64_t limit;

	if (call->over_limit) {
		budget_calls_left(&run->budget, &limit);
		buffer_add_format(&why,
				  "The call was not run: the limit of %lld tool calls is reached "
				  "(--max-tool-calls).",
				  (long long)limit);
	}
	if (call->over_limit || is_faulty(call, &why)) {
		settle_refused(call, buffer_string(&why));
		buffer_free(&why);
		return;
	}
	call->environment = make_environment(call);
	switch (approval_rule_for(run->config.policy, call->tool)) {
	case APPROVAL_DENY:
		emit_tool_approval(run, asked(call), false, "policy", "");
		settle_refused(call, "The call was denied by policy.");
		break;
	case APPROVAL_ASK:
		run->busy++;
		call->state = CALL_ASKING;
		event_flush(run->stream.sink);
		call->approval = approval_ask(run->loop, run->config.policy, call->tool,
					      span_of(asked(call)->id), answer_args(asked(call)),
					      call->environment, &handler);
		break;
	case APPROVAL_NONE:
	case APPROVAL_ALLOW:
		run->busy++;
		execute(call);
		break;
	}
}

/* ---- the batch ---- */

/* One message with the results of all calls, in the order of the calls. */
static void add_results(struct agent_run *run)
{
	struct buffer message = {0};

	json_open(&message, '{');
	json_put_text(&message, "role", "tool");
	json_key(&message, "content");
	json_open(&message, '[');
	for (size_t i = 0; i < run->batch_count; i++) {
		const struct batch_call *call = &run->batch[i];

		json_open(&message, '{');
		json_put_text(&message, "type", "tool_result");
		json_put_text(&message, "tool_call_id", asked(call)->id);
		json_put_text(&message, "tool_name", asked(call)->name);
		json_put_string(&message, "result", buffer_span(&call->result));
		json_put_bool(&message, "is_error", call->is_error);
		json_close(&message, '}');
	}
	json_close(&message, ']');
	json_close(&message, '}');
	conversation_add(&run->conversation, buffer_span(&message));
	buffer_free(&message);
}

/* Whether the model keeps writing calls that cannot be run. */
static bool is_stuck(struct agent_run *run)
{
	size_t faulty = 0;

	for (size_t i = 0; i < run->batch_count; i++)
		faulty += !asked(&run->batch[i])->valid;
	run->repairs = faulty == run->batch_count ? run->repairs + 1 : 0;
	return run->repairs > run->config.output_retries;
}

static void too_many_calls(struct agent_run *run)
{
	struct buffer why = {0};
	int64_t limit;

	budget_calls_left(&run->budget, &limit);
	buffer_add_format(&why, "the model asked for more than %lld tool calls (--max-tool-calls)",
			  (long long)limit);
	run_reach_limit(run, buffer_string(&why));
	buffer_free(&why);
}

/* Start what may start; when nothing is left, go on with the conversation. */
static void pump(struct agent_run *run)
{
	bool over;

	for (size_t i = 0; i < run->batch_count && run->phase == PHASE_TOOLS; i++) {
		if (run->busy >= run->config.parallel)
			return;
		if (run->batch[i].state == CALL_WAITING)
			begin_call(&run->batch[i]);
	}
	for (size_t i = 0; i < run->batch_count; i++)
		if (run->batch[i].state != CALL_DONE)
			return;
	if (run->phase != PHASE_TOOLS)
		return;
	add_results(run);
	if (is_stuck(run)) {
		run_fail(run, RUN_ERROR, STATUS_FAILED, ERROR_INVALID_RESPONSE,
			 "the model wrote invalid tool arguments %d times in a row", run->repairs);
		return;
	}
	if (run->handoff.to != NULL && !run_hand_over(run))
		return;
	over = run->batch[run->batch_count - 1].over_limit;
	run_tools_free(run);
	if (over)
		too_many_calls(run);
	else
		run_next_iteration(run);
}

/* The calls of the answer, of which the first `allowed` may run. */
static void make_batch(struct agent_run *run, int64_t allowed)
{
	size_t n = 0;

	run->batch_count = answer_calls_to_run(&run->answer);
	run->batch = mem_zero(run->batch_count * sizeof(*run->batch));
	for (size_t i = 0; i < run->answer.call_count; i++)
		if (!run->answer.calls[i].by_provider) {
			run->batch[n] = (struct batch_call){.run = run, .index = i};
			run->batch[n].over_limit = (int64_t)n >= allowed;
			n++;
		}
}

void run_tools(struct agent_run *run)
{
	int64_t limit, left = budget_calls_left(&run->budget, &limit);

	run_enter(run, PHASE_TOOLS);
	make_batch(run, left);
	budget_add_calls(&run->budget,
			 (int64_t)run->batch_count < left ? (int64_t)run->batch_count : left);
	pump(run);
}

void run_tools_refuse(struct agent_run *run, const char *why)
{
	const struct conversation *c = &run->conversation;
	struct buffer sentence = {0};

	if (answer_calls_to_run(&run->answer) == 0 || run->batch_count > 0 ||
	    c->messages[c->count - 1]->role != MESSAGE_ASSISTANT)
		return;
	buffer_add_format(&sentence, "The call was not run: %s.", why);
	make_batch(run, INT64_MAX);
	for (size_t i = 0; i < run->batch_count; i++)
		settle_refused(&run->batch[i], buffer_string(&sentence));
	add_results(run);
	run_tools_free(run);
	buffer_free(&sentence);
}

/* A call that had begun when the program was stopped: nobody knows how far it came. */
static void interrupt(struct batch_call *call)
{
	const struct tool_result unknown = {
	    .text = SPAN("The call was interrupted: this program was stopped while it ran. Whether "
			 "it had an effect is not known."),
	    .is_error = true,
	    .exit_status = -1};
	const struct tool *tool =
	    tool_set_find(&call->run->agent->tools, span_of(asked(call)->name));

	if (tool == NULL || !tool->idempotent)
		settle(call, &unknown);
}

/* A handoff was decided, and the run stopped before it took place. */
static void take_handoff(struct batch_call *call)
{
	const struct tool *tool =
	    tool_set_find(&call->run->agent->tools, span_of(asked(call)->name));

	if (tool != NULL && tool->kind == &tool_handoff && !call->is_error)
		run_decide_handoff(call->run, tool, asked(call)->id, answer_args(asked(call)));
}

void run_tools_resume(struct agent_run *run, const struct history *history)
{
	run_enter(run, PHASE_TOOLS);
	make_batch(run, INT64_MAX); /* they have been counted */
	for (size_t i = 0; i < run->batch_count && i < history->call_count; i++) {
		const struct history_call *known = &history->calls[i];
		struct batch_call *call = &run->batch[i];

		if (known->state == HISTORY_CALL_DONE) {
			call->state = CALL_DONE;
			json_decode(known->result, &call->result);
			call->is_error = known->is_error;
			take_handoff(call);
		} else if (known->state == HISTORY_CALL_BEGUN) {
			interrupt(call);
		}
	}
	pump(run);
}

void run_tools_stop(struct agent_run *run)
{
	const struct tool_result stopped = {
	    .text = SPAN("The call was cancelled."), .is_error = true, .exit_status = -1};

	for (size_t i = 0; i < run->batch_count; i++) {
		struct batch_call *call = &run->batch[i];

		event_waiter_remove(run->stream.sink, &call->logged);
		tool_cancel(call->running, TOOL_GRACE_SECONDS);
		if (call->approval != NULL)
			approval_cancel(call->approval);
		call->approval = NULL;
		if (call->state == CALL_RUNNING)
			settle(call, &stopped);
		else if (call->state != CALL_DONE)
			settle_refused(call, "The call was cancelled.");
	}
}

void run_tools_free(struct agent_run *run)
{
	for (size_t i = 0; i < run->batch_count; i++) {
		buffer_free(&run->batch[i].result);
		free(run->batch[i].environment);
	}
	free(run->batch);
	run->batch = NULL;
	run->batch_count = 0;
}
