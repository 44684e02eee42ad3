#include "run/run.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/number.h"
#include "event/event.h"
#include "run/emit.h"
#include "run/iteration.h"
#include "run/run_state.h"
#include "run/tools.h"

/* ---- the end ---- */

static void is_over(void *context)
{
	struct agent_run *run = context;

	run->done_timer = NULL;
	run->handler.done(run->handler.context, run->exit_status,
			  buffer_string_or_null(&run->message));
}

void run_enter(struct agent_run *run, enum run_phase phase)
{
	if (run->phase != PHASE_WRAPPING_UP || phase == PHASE_ENDED)
		run->phase = phase;
}

/* Add to the stream that the log could not be written, which makes the run a failure. */
static void fail_for_log(struct agent_run *run, const char *why)
{
	bool fatal = run->exit_status == STATUS_OK;

	emit_error(
	    run,
	    &(struct model_error){.kind = ERROR_SYSTEM, .message = why, .retry_after_seconds = -1},
	    fatal);
	if (fatal)
		run->exit_status = STATUS_FAILED;
}

/* Write agent_end. If the log fails now, the one that standard output gets says so. */
static void write_end(struct agent_run *run)
{
	struct event_sink *sink = run->stream.sink;
	bool is_outermost = run->config.parent == NULL;
	struct buffer why = {0};
	int64_t seq;

	event_sink_flush(sink);
	if (is_outermost && event_sink_log_failure(sink, &why))
		fail_for_log(run, buffer_string(&why));
	seq = run->stream.seq;
	event_sink_hold_output(sink);
	emit_agent_end(run);
	if (!event_sink_release_output(sink)) {
		run->stream.seq = seq;
		if (is_outermost && event_sink_log_failure(sink, &why))
			fail_for_log(run, buffer_string(&why));
		emit_agent_end(run);
		event_sink_flush(sink);
	}
	buffer_free(&why);
}

void run_end(struct agent_run *run, int exit_status, const struct model_error *error)
{
	bool last_request = run->phase == PHASE_WRAPPING_UP;

	if (run->phase == PHASE_ENDED)
		return;
	run_enter(run, PHASE_ENDED);
	run->exit_status = exit_status;
	if (model_cancel(run->call))
		budget_add_request(&run->budget);
	run->call = NULL;
	loop_timer_remove(run->wait);
	loop_timer_remove(run->timeout);
	run->wait = run->timeout = NULL;
	waiting_end(&run->waiting);
	emit_held(run);
	tools_close_hosted(run, exit_status != STATUS_OK);
	/* The last request was sent because of a limit. */
	if (last_request && (exit_status == STATUS_FAILED || exit_status == STATUS_USAGE))
		run->exit_status = STATUS_LIMIT;
	tools_stop(run);
	if (error != NULL) {
		emit_error(run, error, true);
		buffer_add_text(&run->message, error->message);
	}
	write_end(run);
	run->done_timer = loop_timer_add(run->loop, 0, is_over, run);
}

void run_fail(struct agent_run *run, int exit_status, enum error_kind kind, const char *format, ...)
{
	struct buffer message = {0};
	va_list args;

	va_start(args, format);
	buffer_add_format_list(&message, format, args);
	va_end(args);
	run_end(run, exit_status,
		&(struct model_error){
		    .kind = kind,
		    .message = buffer_string(&message),
		    .retry_after_seconds = -1,
		});
	buffer_free(&message);
}

void run_cancel(struct agent_run *run, int signal)
{
	run_fail(run, 128 + signal, ERROR_CANCELLED, "interrupted by signal %d", signal);
}

void run_abort(struct agent_run *run, const char *why)
{
	if (run->done_timer != NULL)
		return; /* agent_end is written */
	emit_held(run);
	/* The chunks have the text; a long one may not fit into memory again. */
	if (run->pending_count == 0)
		response_free(&run->response);
	if (run->phase == PHASE_ENDED)
		run->phase = PHASE_WAITING; /* agent_end was being written */
	run_fail(run, STATUS_FAILED, ERROR_SYSTEM, "%s", why);
}

static void time_is_up(void *context)
{
	struct agent_run *run = context;
	double limit = run->config.limits.timeout_seconds;

	run->timeout = NULL;
	run_fail(run, STATUS_TIMEOUT, ERROR_TIMEOUT,
		 "the run took longer than %g second%s (--timeout)%s%s", limit, plural(limit),
		 run->awaited.len > 0 ? " and was waiting " : "", buffer_string(&run->awaited));
}

/* ---- the agent and its models ---- */

bool open_models_add(struct open_models *models, struct model_host *host,
		     const struct model_specs *specs, struct error *e)
{
	for (size_t i = 0; i < specs->count; i++) {
		struct model *model = model_open(host, specs->at[i], e);

		if (model == NULL)
			return false;
		models->at = array_grow(models->at, models->count, sizeof(struct model *));
		models->at[models->count++] = model;
	}
	return true;
}

void open_models_close(struct open_models *models)
{
	for (size_t i = 0; i < models->count; i++)
		model_close(models->at[i]);
	free(models->at);
	*models = (struct open_models){0};
}

/* The tools as models know them. */
static struct model_tool *offer(const struct tool_set *set)
{
	struct model_tool *offered = mem_zero(set->count * sizeof(*offered));

	for (size_t i = 0; i < set->count; i++)
		offered[i] = (struct model_tool){
		    .name = set->tools[i]->name,
		    .description = set->tools[i]->description,
		    .parameters = set->tools[i]->parameters,
		};
	return offered;
}

/* The instructions given to the present agent: for the agent that starts, those of the
 * configuration go first. NULL: none. */
static const char *own_system(const struct agent_run *run)
{
	const struct run_config *config = &run->config;

	return run->agent == config->agent && config->system != NULL ? config->system
								     : run->agent->instructions;
}

void run_set_agent(struct agent_run *run, const struct agent *agent)
{
	const struct run_config *config = &run->config;
	bool starts = agent == config->agent;

	run->agent = agent;
	run->specs = starts || agent->models.count == 0 ? config->models : agent->models;
	run->system = own_system(run);
	if (starts && run->system == NULL && run->conversation.system.len > 0)
		run->system = buffer_string(&run->conversation.system);
	free(run->offered);
	run->offered = offer(&agent->tools);
}

/* ---- the beginning ---- */

/* The agent of the history's last run; NULL: it is not known. */
static const struct agent *resumed_agent(const struct run_config *config)
{
	const char *name = config->history->agent_name;

	return config->agents != NULL && name != NULL ? agent_set_find(config->agents, name) : NULL;
}

static void add_name(struct buffer *names, const char *name)
{
	buffer_add_format(names, "%s%s", names->len > 0 ? ", " : "", name);
}

bool run_check_resumed_tools(const struct run_config *config, const char *log,
			     struct buffer *missing, struct error *e)
{
	const struct history *history = config->history;
	const struct agent *agent = resumed_agent(config);
	const struct tool_set *tools = agent != NULL ? &agent->tools : &config->agent->tools;
	struct json_walk walk = json_walk(history->tools);
	struct buffer needed = {0};

	while (json_next(&walk)) {
		char *name = json_text(walk.value);
		bool missed = name != NULL && tool_set_find(tools, span_of(name)) == NULL;

		if (missed)
			add_name(missing, name);
		if (missed && history_has_new_call(history, name))
			add_name(&needed, name);
		free(name);
	}
	if (history->has_schema && (agent != NULL ? agent : config->agent)->schema == NULL)
		error_set(e, "usage",
			  "%s: the answer of its run must satisfy a schema; give --schema or "
			  "--agent again",
			  log);
	else if (needed.len > 0)
		error_set(e, "usage",
			  "%s: its run has calls of tools that are not given; give --tool or "
			  "--agent again: %s",
			  log, buffer_string(&needed));
	buffer_free(&needed);
	return e->message == NULL;
}

/* Go on with the counts and the agent of the history's last run. */
static void load_state(struct agent_run *run, const struct history *history)
{
	const struct agent *agent = resumed_agent(&run->config);

	if (agent != NULL)
		run_set_agent(run, agent);
	if (own_system(run) == NULL)
		run->system = history->system; /* of the agent that the run had come to */
	run->agent_since = history->agent_since;
	run->budget.total = history->total;
}

/* The conversation before the first request: the history, and the prompt unless the run is resumed
 * (then the history has it). */
static void load(struct agent_run *run)
{
	const struct run_config *config = &run->config;
	struct conversation *conversation = &run->conversation;

	if (config->history != NULL) {
		const struct conversation *earlier = &config->history->conversation;

		conversation_share(conversation, earlier);
		buffer_add_span(&conversation->system, buffer_span(&earlier->system));
	}
	run_set_agent(run, config->agent);
	if (config->resume && config->history != NULL)
		load_state(run, config->history);
	else
		conversation_add_text(conversation, "user", config->attachments,
				      span_of(config->prompt));
	run->prompt_at = window_prompt(conversation);
}

/* Join the trace of our caller (W3C Trace Context), or begin one named by the run. */
static void join_trace(struct agent_run *run)
{
	const char *parent = getenv("TRACEPARENT");
	char span_id[TRACE_SPAN_ID_SIZE];

	if (run->config.parent != NULL)
		memcpy(run->trace_id, run->config.parent->trace_id, sizeof(run->trace_id));
	else if (parent != NULL && trace_parent_read(span_of(parent), run->trace_id, span_id))
		run->trace_parent = mem_copy(span_of(parent));
	else
		trace_run_id(run->trace_id, span_of(run->stream.run_id));
}

/* Go on with the first thing that is missing. */
static void resume(struct agent_run *run, const struct history *history)
{
	if (history->message.at == NULL) {
		if (tools_are_used_up(run))
			iteration_reach_limit(run);
		else
			iteration_next(run);
		return;
	}
	response_load(&run->response, history->message);
	run->finish = model_finish_of(history->finish_reason, MODEL_ERROR);
	conversation_add(&run->conversation, history->message);
	if (history->call_count > 0)
		tools_resume(run, history);
	else
		iteration_resume(run, history->is_final);
}

static void begin(void *context)
{
	struct agent_run *run = context;

	run->wait = NULL;
	if (run->config.resume)
		resume(run, run->config.history);
	else
		iteration_next(run);
}

bool run_check_size(const char *prompt, const char *system, struct span attachments,
		    struct error *e)
{
	struct buffer text = {0};
	bool fits;

	buffer_add_text(&text, prompt != NULL ? prompt : "");
	buffer_add_text(&text, system != NULL ? system : "");
	fits = emit_fits(buffer_span(&text), attachments);
	buffer_free(&text);
	return fits || error_set(e, "usage",
				 "the prompt is too long: with its instructions and attachments it "
				 "must fit an event of %d MiB",
				 EVENT_MAX_LINE >> 20);
}

struct agent_run *run_start(const struct run_config *config, struct event_sink *sink,
			    const struct run_handler *handler, struct error *e)
{
	struct agent_run *run = mem_zero(sizeof(*run));

	run->config = *config;
	run->handler = *handler;
	run->loop = config->host->loop;
	run->started_at = clock_monotonic();
	run->finish = MODEL_ERROR;
	event_stream_init(&run->stream, sink);
	run->budget = (struct budget){
	    .limits = config->limits,
	    .parent = config->parent != NULL ? &config->parent->budget : NULL,
	    .prices = config->prices,
	    .keeps_last = config->wrap_up,
	    .total = USAGE_NOTHING,
	};
	load(run);
	if (!run_check_size(config->prompt, run->system, config->attachments, e) ||
	    !open_models_add(&run->models, config->host, &run->specs, e)) {
		run_free(run);
		return NULL;
	}
	join_trace(run);
	emit_agent_start(run);
	if (config->limits.timeout_seconds > 0)
		run->timeout = loop_timer_add(
		    run->loop,
		    (config->since > 0 ? config->since : run->started_at) +
			clock_nanoseconds(config->limits.timeout_seconds) - run->started_at,
		    time_is_up, run);
	run->wait = loop_timer_add(run->loop, 0, begin, run);
	return run;
}

bool run_show_request(const struct run_config *config, struct buffer *out, struct error *e)
{
	struct agent_run *run = mem_zero(sizeof(*run));
	struct model_request request;
	struct window window;
	bool good;

	run->config = *config;
	load(run);
	request = iteration_request(run, &window);
	good = open_models_add(&run->models, config->host, &run->specs, e) &&
	       model_show_request(run->models.at[0], &request, out, e);
	window_free(&window);
	run_free(run);
	return good;
}

double run_cost(const struct agent_run *run)
{
	return run->budget.total.cost_usd;
}

void run_free(struct agent_run *run)
{
	if (run == NULL)
		return;
	loop_timer_remove(run->done_timer);
	waiting_end(&run->waiting);
	open_models_close(&run->models);
	free(run->offered);
	free(run->trace_parent);
	tools_free(run);
	conversation_free(&run->conversation);
	response_free(&run->response);
	output_free(&run->structured);
	repeats_free(&run->repeats);
	buffer_free(&run->held.text);
	buffer_free(&run->held.tail.text);
	buffer_free(&run->message);
	buffer_free(&run->limit);
	buffer_free(&run->awaited);
	free(run);
}
