#include "run/tools.h"

#include <signal.h>
#include <stdlib.h>

#include "base/number.h"
#include "event/event.h"
#include "json/tree.h"
#include "run/emit.h"
#include "run/iteration.h"
#include "run/run_state.h"
#include "schema/schema.h"
#include "tool/command.h"

static void pump(struct agent_run *run);

/* Count the call with its result. At --max-repeats, the result gets a note for the model. */
static void count_repeats(struct pending_call *call)
{
	int64_t most = call->run->config.limits.max_repeats;

	if (most <= 0 || (call->tool != NULL && call->tool->poll))
		return;
	call->repeats =
	    repeats_add_call(&call->run->repeats, call->asked, buffer_span(&call->result));
	if (call->repeats != most)
		return;
	if (call->result.len > 0 && !span_ends(buffer_span(&call->result), "\n"))
		buffer_add_char(&call->result, '\n');
	buffer_add_format(&call->result,
			  "[This call was made %lld time%s with the same arguments and the same "
			  "result. Do not repeat it: do something else, or answer with what you "
			  "have.]",
			  (long long)most, plural((double)most));
}

/* The call has its result. */
static void settle(struct pending_call *call, const struct tool_result *result)
{
	struct tool_result final = *result;

	if (call->state != CALL_WAITING)
		call->run->running_calls--;
	call->state = CALL_DONE;
	call->running = NULL;
	buffer_add_span(&call->result, result->text);
	secrets_mask_text(&call->run->stream.sink->secrets, &call->result, 0);
	call->is_error = result->is_error;
	count_repeats(call);
	final.text = buffer_span(&call->result);
	emit_tool_end(call->run, call->asked, &final);
}

/* The same with an error that the model gets. */
static void settle_error(struct pending_call *call, struct span why)
{
	settle(call, &(struct tool_result){.text = why, .is_error = true, .exit_status = -1});
}

/* The call does not run; the model gets the reason. */
static void __attribute__((format(printf, 2, 3)))
refuse(struct pending_call *call, const char *format, ...)
{
	struct buffer why = {0};
	va_list args;

	va_start(args, format);
	buffer_add_format_list(&why, format, args);
	va_end(args);
	emit_tool_start(call->run, call->asked);
	settle_error(call, buffer_span(&why));
	buffer_free(&why);
}

static void on_output(void *context, struct span text)
{
	struct pending_call *call = context;

	emit_tool_chunk(call->run, call->asked, text, NULL);
}

static void on_errors(void *context, struct span text)
{
	struct pending_call *call = context;

	emit_tool_chunk(call->run, call->asked, text, "stderr");
}

/* A call may end while it is started: whoever starts it goes on then. */
static void on_done(void *context, const struct tool_result *result)
{
	struct pending_call *call = context;

	settle(call, result);
	if (!call->starting)
		pump(call->run);
}

/* ---- starting ---- */

static char **make_environment(struct pending_call *call)
{
	const struct agent_run *run = call->run;
	struct buffer text[4] = {{0}};
	const struct tool_variables variables = {.secrets = run->config.secrets,
						 .tool = call->tool,
						 .named = run->config.env,
						 .named_count = run->config.env_count};
	char *extra[5] = {NULL};
	char span_id[TRACE_SPAN_ID_SIZE];
	char **environment;

	buffer_add_format(&text[0], "AGENT_RUN_ID=%s", run->stream.run_id);
	buffer_add_format(&text[1], "AGENT_TOOL_CALL_ID=%s", call->asked->id);
	buffer_add_format(&text[2], "AGENT_TOOL_NAME=%s", call->asked->name);
	trace_span_id(span_id, span_of(run->stream.run_id), span_of(call->asked->id));
	buffer_add_format(&text[3], "TRACEPARENT=00-%s-%s-01", run->trace_id, span_id);
	for (int i = 0; i < 4; i++)
		extra[i] = buffer_take(&text[i]);
	environment = tool_environment(&variables, extra, &call->withheld);
	for (int i = 0; i < 4; i++)
		free(extra[i]);
	return environment;
}

static void start_tool(struct pending_call *call)
{
	struct agent_run *run = call->run;
	bool streams = run->config.tool_output;
	const struct tool_handler handler = {call, streams ? on_output : NULL, on_done,
					     streams ? on_errors : NULL};
	const struct tool_request request = {.loop = run->loop,
					     .args = response_args(call->asked),
					     .environment = call->environment,
					     .withheld = buffer_string_or_null(&call->withheld),
					     .limits = run->config.tool_limits,
					     .caller = run,
					     .call_id = call->asked->id};
	struct tool_call *running;

	call->starting = true;
	running = tool_start(call->tool, &request, &handler);
	call->starting = false;
	if (call->state == CALL_RUNNING)
		call->running = running;
}

static void is_logged(void *context)
{
	struct pending_call *call = context;

	start_tool(call);
	pump(call->run);
}

static void execute(struct pending_call *call)
{
	struct event_sink *sink = call->run->stream.sink;

	call->state = CALL_RUNNING;
	emit_tool_start(call->run, call->asked);
	call->logged = (struct event_waiter){.logged = is_logged, .context = call};
	if (!call->tool->kind->is_external || event_sink_when_logged(sink, &call->logged))
		start_tool(call);
}

static void deny(struct pending_call *call, const char *by, const char *reason)
{
	const char *what =
	    strcmp(by, "user") == 0 ? "The user denied the call" : "The call was denied";

	if (reason[0] != '\0')
		refuse(call, "%s: %s", what, reason);
	else
		refuse(call, "%s.", what);
}

/* The decision about a call, with all that the tool would get. */
static void emit_decision(const struct pending_call *call, bool approved, const char *by,
			  const char *reason)
{
	struct buffer args = {0};

	command_complete_args(call->tool, response_args(call->asked), &args);
	emit_tool_approval(call->run, call->asked, buffer_span(&args), approved, by, reason);
	buffer_free(&args);
}

static struct agent_run *outermost(struct agent_run *run)
{
	while (run->config.parent != NULL)
		run = run->config.parent;
	return run;
}

static void on_decided(void *context, bool approved, const char *by, const char *reason)
{
	struct pending_call *call = context;
	struct agent_run *run = call->run;

	call->approval = NULL;
	waiting_end(&call->waiting);
	emit_decision(call, approved, by, reason);
	if (approved)
		execute(call);
	else
		deny(call, by, reason);
	if (run->config.policy->quitting)
		run_fail(outermost(run), 128 + SIGINT, ERROR_CANCELLED,
			 "the user denied a call and ended the run");
	else
		pump(run);
}

static void refuse_unknown(struct pending_call *call)
{
	const struct tool_set *tools = &call->run->agent->tools;
	struct buffer names = {0};

	for (size_t i = 0; i < tools->count; i++)
		buffer_add_format(&names, "%s%s", i == 0 ? " The tools are: " : ", ",
				  tools->tools[i]->name);
	refuse(call, "There is no tool named \"%s\".%s", call->asked->name, buffer_string(&names));
	buffer_free(&names);
}

static void refuse_args(struct pending_call *call)
{
	struct span args = buffer_span(&call->asked->args);
	struct buffer key = {0};
	struct json_fault fault;

	if (!json_check(args, &fault))
		refuse(call,
		       "The arguments are not valid JSON: %s at byte %zu. Fix the errors and try "
		       "again.",
		       fault.what, fault.offset + 1);
	else if (json_find_repeated(args, &key).at != NULL)
		refuse(call,
		       "The arguments contain the key \"%s\" twice in one object. Write each key "
		       "once and try again.",
		       buffer_string(&key));
	else
		refuse(call, "The arguments must be a JSON object.");
	buffer_free(&key);
}

/* Refuse a call that cannot run, so that the model can correct it. */
static bool refuse_faulty(struct pending_call *call)
{
	struct buffer faults = {0};
	int64_t limit;

	if (call->over_limit) {
		budget_calls_left(&call->run->budget, &limit);
		refuse(call, TOOLS_OVER_LIMIT "%lld tool calls is reached (--max-tool-calls).",
		       (long long)limit);
	} else if (call->tool == NULL) {
		refuse_unknown(call);
	} else if (!call->asked->valid) {
		refuse_args(call);
	} else if (!schema_check(call->tool->schema, response_args(call->asked), &faults)) {
		refuse(call,
		       "The arguments do not satisfy the tool's schema: %s. Fix the errors and try "
		       "again.",
		       buffer_string(&faults));
	} else if (call->tool->kind == &tool_program &&
		   !command_accepts(call->tool, response_args(call->asked), &faults)) {
		refuse(call, "%s", buffer_string(&faults));
	} else {
		return false;
	}
	buffer_free(&faults);
	call->faulty = !call->over_limit;
	return true;
}

/* A question on the terminal is seen; nobody sees an approving program, or a question elsewhere. */
static void report_asking(struct pending_call *call)
{
	struct agent_run *run = call->run;
	const char *program = run->config.policy->command;
	const struct waiting_limits limits = {program != NULL ? 2 : -1, WAITING_ELSEWHERE};
	char *message = mem_format("waiting for an approval of %s, %s", call->tool->name,
				   program != NULL ? "by --approve-with" : "at the terminal");

	waiting_begin(&call->waiting, run->loop, &run->stream.sink->errors, limits, -1, message,
		      "");
	free(message);
}

static void ask(struct pending_call *call)
{
	struct agent_run *run = call->run;
	const struct approval_handler handler = {call, on_decided};
	struct buffer args = {0};

	run->running_calls++;
	call->state = CALL_ASKING;
	event_sink_flush(run->stream.sink);
	command_complete_args(call->tool, response_args(call->asked), &args);
	call->approval =
	    approval_ask(run->loop, run->config.policy, call->tool, span_of(call->asked->id),
			 buffer_span(&args), call->environment, &handler);
	buffer_free(&args);
	report_asking(call);
}

static void begin_call(struct pending_call *call)
{
	struct agent_run *run = call->run;

	if (refuse_faulty(call))
		return;
	call->environment = make_environment(call);
	switch (approval_rule_for(run->config.policy, call->tool)) {
	case APPROVAL_DENY:
		emit_decision(call, false, "policy", "");
		refuse(call, "The call was denied by policy.");
		break;
	case APPROVAL_ASK:
		ask(call);
		break;
	case APPROVAL_NONE:
	case APPROVAL_ALLOW:
		run->running_calls++;
		execute(call);
		break;
	}
}

/* ---- the pending calls ---- */

/* One message with the results of all calls, in the order of the calls. */
static void add_results(struct agent_run *run)
{
	struct buffer message = {0};

	json_pack(&message, "{'role':'tool','content':[");
	for (size_t i = 0; i < run->pending_count; i++) {
		const struct pending_call *call = &run->pending[i];

		json_pack(&message,
			  "{'type':'tool_result','tool_call_id':%t,'tool_name':%t,'result':%s,"
			  "'is_error':%b}",
			  call->asked->id, call->asked->name, buffer_span(&call->result),
			  call->is_error);
	}
	json_pack(&message, "]}");
	conversation_add(&run->conversation, buffer_span(&message));
	buffer_free(&message);
}

/* Whether the model keeps writing calls that cannot be run. Then the run has ended. */
static bool is_stuck(struct agent_run *run)
{
	const struct tool *tool = NULL;
	int count;

	for (size_t i = 0; i < run->pending_count; i++) {
		repeats_add_fault(&run->repeats, run->pending[i].tool, run->pending[i].faulty);
		if (!run->pending[i].faulty)
			run->repairs = 0;
	}
	count = repeats_faults(&run->repeats, &tool);
	if (count <= run->config.output_retries)
		return false;
	if (tool == NULL)
		run_fail(run, STATUS_FAILED, ERROR_INVALID_RESPONSE,
			 "the model called a tool that does not exist %d time%s in a row "
			 "(--output-retries)",
			 count, plural(count));
	else
		run_fail(run, STATUS_FAILED, ERROR_INVALID_RESPONSE,
			 "the model wrote invalid arguments for the tool %s %d time%s in a row "
			 "(--output-retries)",
			 tool->name, count, plural(count));
	return true;
}

bool tools_are_used_up(struct agent_run *run)
{
	const struct history *history = run->config.resume ? run->config.history : NULL;
	bool over = run->pending_count > 0 && run->pending[run->pending_count - 1].over_limit;
	int64_t limit, left = budget_calls_left(&run->budget, &limit);

	if (!over && (left > 0 || history == NULL || !history->calls_used_up || run->asked_at != 0))
		return false;
	buffer_add_format(&run->limit,
			  "the model asked for more than %lld tool call%s (--max-tool-calls)",
			  (long long)limit, plural((double)limit));
	return true;
}

/* Whether the calls have reached a limit: run->limit says which. */
static bool is_over_limit(struct agent_run *run)
{
	int64_t most = run->config.limits.max_repeats;

	if (tools_are_used_up(run))
		return true;
	for (size_t i = 0; i < run->pending_count; i++) {
		const struct pending_call *call = &run->pending[i];

		if (most <= 0 || call->repeats < 2 * most)
			continue;
		buffer_add_format(&run->limit,
				  "the model made the same call of %s %lld times with the same "
				  "result (--max-repeats)",
				  call->asked->name, (long long)call->repeats);
		return true;
	}
	return false;
}

/* Start what may start; when nothing is left, go on with the conversation. */
static void pump(struct agent_run *run)
{
	bool over;

	for (size_t i = 0; i < run->pending_count && run->phase == PHASE_TOOLS; i++) {
		if (run->running_calls >= run->config.parallel)
			return;
		if (run->pending[i].state == CALL_WAITING)
			begin_call(&run->pending[i]);
	}
	for (size_t i = 0; i < run->pending_count; i++)
		if (run->pending[i].state != CALL_DONE)
			return;
	if (run->phase != PHASE_TOOLS)
		return;
	add_results(run);
	if (is_stuck(run) || (run->handoff.to != NULL && !run_hand_over(run)))
		return;
	over = is_over_limit(run);
	tools_free(run);
	if (over)
		iteration_reach_limit(run);
	else
		iteration_next(run);
}

/* Collect the calls of the response, of which the first `allowed` may run. */
static void collect_calls(struct agent_run *run, int64_t allowed)
{
	const struct response *response = &run->response;
	size_t n = 0;

	run->pending_count = response_calls_to_run(response);
	run->pending = mem_zero(run->pending_count * sizeof(*run->pending));
	for (size_t i = 0; i < response->call_count; i++) {
		if (response->calls[i].by_provider)
			continue;
		run->pending[n] = (struct pending_call){
		    .run = run,
		    .asked = &response->calls[i],
		    .tool = tool_set_find(&run->agent->tools, span_of(response->calls[i].name)),
		    .over_limit = (int64_t)n >= allowed,
		};
		n++;
	}
}

void tools_run(struct agent_run *run)
{
	int64_t limit, left = budget_calls_left(&run->budget, &limit);

	run_enter(run, PHASE_TOOLS);
	collect_calls(run, left);
	budget_add_calls(&run->budget,
			 (int64_t)run->pending_count < left ? (int64_t)run->pending_count : left);
	pump(run);
}

void tools_refuse(struct agent_run *run, const char *why)
{
	const struct conversation *c = &run->conversation;

	if (response_calls_to_run(&run->response) == 0 || run->pending_count > 0 ||
	    c->messages[c->count - 1]->role != MESSAGE_ASSISTANT)
		return;
	collect_calls(run, INT64_MAX);
	for (size_t i = 0; i < run->pending_count; i++)
		refuse(&run->pending[i], "The call was not run: %s.", why);
	add_results(run);
	tools_free(run);
}

/* The call has the result that is in the log; a handoff that it decided did not take place yet. */
static void restore(struct pending_call *call, const struct history_call *known)
{
	call->state = CALL_DONE;
	json_decode(known->result, &call->result);
	call->is_error = known->is_error;
	if (call->tool != NULL && call->tool->kind == &tool_handoff && !call->is_error)
		run_decide_handoff(call->run, call->tool, call->asked->id,
				   response_args(call->asked));
}

/* Of the calls that have not begun, the last ones may be more than the limit allows. */
static void limit_resumed(struct agent_run *run, const struct history *history)
{
	struct usage_total *total = &run->budget.total;
	int64_t limit = run->budget.limits.max_tool_calls;

	for (size_t i = run->pending_count; limit > 0 && i > 0; i--) {
		if (total->tool_calls + total->nested_calls <= limit)
			return;
		if (i <= history->call_count && history->calls[i - 1].state != HISTORY_CALL_NEW)
			continue;
		run->pending[i - 1].over_limit = true;
		total->tool_calls--;
	}
}

void tools_resume(struct agent_run *run, const struct history *history)
{
	run_enter(run, PHASE_TOOLS);
	collect_calls(run, INT64_MAX); /* they are counted already */
	limit_resumed(run, history);
	for (size_t i = 0; i < run->pending_count && i < history->call_count; i++) {
		const struct history_call *known = &history->calls[i];
		struct pending_call *call = &run->pending[i];

		if (known->state == HISTORY_CALL_DONE)
			restore(call, known);
		else if (known->state != HISTORY_CALL_NEW &&
			 (call->tool == NULL || !call->tool->idempotent))
			settle_error(call,
				     SPAN("The call was interrupted: this program was stopped "
					  "while it ran. Whether it had an effect is not known."));
	}
	pump(run);
}

void tools_stop(struct agent_run *run)
{
	for (size_t i = 0; i < run->pending_count; i++) {
		struct pending_call *call = &run->pending[i];

		event_sink_remove_waiter(run->stream.sink, &call->logged);
		tool_cancel(call->running, LOOP_GRACE_SECONDS);
		if (call->approval != NULL)
			approval_cancel(call->approval);
		call->approval = NULL;
		waiting_end(&call->waiting);
		if (call->state == CALL_RUNNING)
			settle_error(call, SPAN(EVENT_STOPPED_RESULT));
	}
}

void tools_stop_background(struct agent_run *run)
{
	char *variable = mem_format("AGENT_RUN_ID=%s", run->stream.run_id);

	loop_stop_orphans(run->loop, variable);
	free(variable);
}

void tools_free(struct agent_run *run)
{
	for (size_t i = 0; i < run->pending_count; i++) {
		buffer_free(&run->pending[i].result);
		free(run->pending[i].environment);
		buffer_free(&run->pending[i].withheld);
	}
	free(run->pending);
	run->pending = NULL;
	run->pending_count = 0;
}
