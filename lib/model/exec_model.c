#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/number.h"
#include "loop/process.h"
#include "model/event_response.h"
#include "model/model_type.h"
#include "net/ndjson.h"

/*
 * The model "exec:COMMAND": a program, run by sh -c, that gets the neutral request as JSON on its
 * stdin (model_write_request) and prints its response as events or their short forms, one a line
 * (model/event_response.h). The end of the output is the end of the response.
 */

/* The maximum number of bytes at the end of stderr that an error quotes. The beginning of a line
 * that is longer than KEEP_ALIVE_MAX is output that counts for --idle-timeout. */
enum { MAX_ERRORS = 1024, KEEP_ALIVE_MAX = 1024 };

struct exec_call {
	struct model_call call;
	struct event_response response;
	struct model_host *host;
	struct process *process;
	struct ndjson lines;
	uint64_t line_number;
	struct buffer errors; /* the end of stderr */
	struct loop_timer *idle_timer;
	int64_t last_output; /* that says something; loop_source_time */
	bool busy, cancelled;
};

static void call_free(struct exec_call *call)
{
	loop_timer_remove(call->idle_timer);
	ndjson_free(&call->lines);
	buffer_free(&call->errors);
	event_response_free(&call->response);
	free(call);
}

static bool exec_cancel(struct model_call *model_call)
{
	struct exec_call *call = (struct exec_call *)model_call;

	call->response.stopped = call->cancelled = true;
	process_cancel(call->process, LOOP_GRACE_SECONDS);
	call->process = NULL;
	if (!call->busy)
		call_free(call);
	return true;
}

/* ---- output ---- */

/* Nothing that the program prints from now on counts. */
static void stop(struct exec_call *call)
{
	call->response.stopped = true;
	process_stop(call->process);
}

/* Whether a line has nothing but empty pieces, which only keep the connection alive. */
static bool is_silent(struct span line)
{
	static const char *const chunks[] = {"llm_chunk", "thinking_chunk", "tool_call_chunk",
					     NULL};
	static const char *const pieces[] = {"text", "thinking", "refusal", "args_delta", NULL};
	static const char *const names[] = {"part", "tool_call_id", "tool_name", NULL};
	struct span type = json_get(line, "event_type");
	bool is_event = type.at != NULL;
	struct json_walk walk = json_walk(is_event ? json_get(line, "data") : line);

	if (is_event && !json_is_any(type, chunks))
		return false;
	while (json_next(&walk))
		if (!(json_is_any(walk.key, pieces) && json_is(walk.value, "")) &&
		    !(is_event && json_is_any(walk.key, names)))
			return false;
	return true;
}

static void on_line(void *context, struct span line)
{
	struct exec_call *call = context;
	struct failure *failure = &call->response.failure;
	struct json_fault fault;

	call->line_number++;
	if (call->response.stopped)
		return;
	line = json_trim(line);
	if (!json_check(line, &fault))
		failure_set(failure, ERROR_INVALID_RESPONSE, false,
			    "line %" PRIu64 " of the program's output is not JSON: %s",
			    call->line_number, fault.what);
	else if (json_type(line) != JSON_OBJECT)
		failure_set(failure, ERROR_INVALID_RESPONSE, false,
			    "line %" PRIu64
			    " of the program's output is not an event: a JSON object is expected",
			    call->line_number);
	else if (event_response_read(&call->response, line)) {
		if (!is_silent(line))
			call->last_output = loop_source_time(call->host->loop);
		return;
	} else if (call->response.fault.len > 0)
		failure_set(failure, ERROR_INVALID_RESPONSE, false,
			    "line %" PRIu64
			    " of the program's output: %s; the forms are " EVENT_RESPONSE_FORMS
			    "; see agent-providers(5)",
			    call->line_number, buffer_string(&call->response.fault));
	else
		failure_set(failure, ERROR_INVALID_RESPONSE, false,
			    "line %" PRIu64
			    " of the program's output is no event of a response and has "
			    "none of the forms " EVENT_RESPONSE_FORMS "; see agent-providers(5)",
			    call->line_number);
	stop(call);
}

static void on_output(void *context, struct span bytes)
{
	struct exec_call *call = context;

	call->busy = true;
	if (!ndjson_feed(&call->lines, bytes)) {
		failure_set(&call->response.failure, ERROR_INVALID_RESPONSE, false,
			    "a line of the program's output is too long");
		stop(call);
	}
	if (call->lines.pending.len > KEEP_ALIVE_MAX)
		call->last_output = loop_source_time(call->host->loop);
	call->busy = false;
	if (call->cancelled)
		call_free(call);
}

static void on_errors(void *context, struct span bytes)
{
	struct exec_call *call = context;

	buffer_add_span(&call->errors, bytes);
	if (call->errors.len > MAX_ERRORS)
		buffer_drop(&call->errors, call->errors.len - MAX_ERRORS);
}

/* ---- the end ---- */

static void fail_by_end(struct exec_call *call, const struct process_end *end)
{
	struct span errors = span_trim(buffer_span(&call->errors));
	struct buffer how = {0};

	process_describe_end(&how, end);
	failure_set(&call->response.failure, ERROR_SERVER, false,
		    "the program '%s' failed: %s%s%.*s", call->call.model->name,
		    buffer_string(&how), errors.len > 0 ? ": " : "", SPAN_ARG(errors));
	buffer_free(&how);
}

static void on_end(void *context, const struct process_end *end)
{
	struct exec_call *call = context;
	struct model_handler handler = call->response.handler;
	struct model_outcome outcome = {0};

	call->process = NULL;
	call->busy = true;
	ndjson_end(&call->lines);
	call->busy = false;
	if (call->cancelled) {
		call_free(call);
		return;
	}
	if (end->outcome != PROCESS_EXITED || end->value != 0)
		fail_by_end(call, end);
	event_response_outcome(&call->response, &outcome);
	handler.done(handler.context, &outcome);
	call_free(call);
}

static void check_idle(void *context);

/* Look in `nanoseconds` whether the program has been silent for too long. */
static void watch(struct exec_call *call, int64_t nanoseconds)
{
	call->idle_timer = loop_source_timer_add(call->host->loop, nanoseconds, check_idle, call);
}

static void check_idle(void *context)
{
	struct exec_call *call = context;
	double limit = call->host->limits.idle_seconds;
	int64_t left =
	    call->last_output + clock_nanoseconds(limit) - loop_source_time(call->host->loop);

	call->idle_timer = NULL;
	if (left > 0) {
		watch(call, left);
		return;
	}
	failure_set(&call->response.failure, ERROR_TIMEOUT, true,
		    "the program '%s' has printed nothing for %g second%s (--idle-timeout)",
		    call->call.model->name, limit, plural(limit));
	stop(call);
}

/* ---- the model ---- */

static void start(struct exec_call *call, const char *command, struct span request)
{
	char *script = mem_copy(span_of(command));
	char *argv[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, script, NULL};
	struct process_command process = {.argv = argv, .input = request};
	struct process_handler handler = {call, on_output, on_errors, on_end};

	call->process = process_start(call->host->loop, &process, &handler);
	free(script);
}

static struct model_call *exec_ask(struct model *model, const struct model_request *request,
				   const struct model_handler *handler, struct error *e)
{
	struct exec_call *call = mem_zero(sizeof(*call));
	struct buffer json = {0};

	(void)e;
	call->host = model->host;
	event_response_init(&call->response, handler);
	call->response.strict = true;
	ndjson_init(&call->lines, on_line, call);
	model_write_request(model, request, &json);
	buffer_add_char(&json, '\n');
	start(call, model->name, buffer_span(&json));
	buffer_free(&json);
	call->last_output = loop_source_time(call->host->loop);
	if (call->host->limits.idle_seconds > 0)
		watch(call, clock_nanoseconds(call->host->limits.idle_seconds));
	return &call->call;
}

static struct model *exec_open(struct model_host *host, const char *argument, struct error *e)
{
	(void)host;
	if (argument[0] != '\0')
		return model_new(sizeof(struct model), "exec", argument, MODEL_FREE);
	error_set(e, "usage", "the model exec: names no program: write exec:COMMAND");
	return NULL;
}

const struct model_type model_type_exec = {
    .spec = "exec:",
    .open = exec_open,
    .ask = exec_ask,
    .cancel = exec_cancel,
};
