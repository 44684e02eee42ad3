#include "run/run.h"

#include <stdlib.h>

#include "base/clock.h"
#include "run/run_state.h"

/* ---- the end ---- */

static void is_over(void *context)
{
	struct agent_run *run = context;

	run->done_timer = NULL;
	run->handler.done(run->handler.context, run->exit_status,
			  run->message.len > 0 ? buffer_string(&run->message) : NULL);
}

void run_enter(struct agent_run *run, enum run_phase phase)
{
	if (run->phase != PHASE_WRAPPING_UP || phase == PHASE_ENDED)
		run->phase = phase;
}

void run_end(struct agent_run *run, enum run_end end, int exit_status,
	     const struct model_error *error)
{
	bool last_request = run->phase == PHASE_WRAPPING_UP;

	if (run->phase == PHASE_ENDED)
		return;
	run_enter(run, PHASE_ENDED);
	run->exit_status = exit_status;
	if (run->call != NULL)
		model_cancel(run->call);
	run->call = NULL;
	loop_timer_remove(run->wait);
	loop_timer_remove(run->timeout);
	run->wait = run->timeout = NULL;
	emit_held(run);
	run_provider_close(run, end != RUN_SUCCESS);
	if (last_request && end == RUN_ERROR) { /* a limit is why it was sent */
		end = RUN_LIMIT;
		run->exit_status = STATUS_LIMIT;
	}
	run_tools_stop(run);
	if (error != NULL) {
		emit_error(run, error, true);
		buffer_add_text(&run->message, error->message);
	}
	emit_agent_end(run, end);
	event_flush(run->stream.sink);
	run->done_timer = loop_timer_add(run->loop, 0, is_over, run);
}

void run_fail(struct agent_run *run, enum run_end end, int exit_status, enum error_kind kind,
	      const char *format, ...)
{
	struct buffer message = {0};
	va_list args;

	va_start(args, format);
	buffer_add_format_list(&message, format, args);
	va_end(args);
	run_end(run, end, exit_status,
		&(struct model_error){
		    .kind = kind,
		    .message = buffer_string(&message),
		    .retry_after_seconds = -1,
		});
	buffer_free(&message);
}

void run_cancel(struct agent_run *run, int signal)
{
	run_fail(run, RUN_CANCELLED, 128 + signal, ERROR_CANCELLED, "interrupted by signal %d",
		 signal);
}

static void time_is_up(void *context)
{
	struct agent_run *run = context;

	run->timeout = NULL;
	run_fail(run, RUN_TIMEOUT, STATUS_TIMEOUT, ERROR_TIMEOUT,
		 "the run took longer than %g seconds (--timeout)",
		 run->config.limits.timeout_seconds);
}

/* ---- receiving ---- */

static void on_delta(void *context, const struct model_delta *delta)
{
	struct agent_run *run = context;

	answer_add(&run->answer, delta,
		   delta->type == MODEL_TOOL_CALL ? run_unique_id(run, delta->id) : NULL);
	if (run->first_chunk_at == 0 && delta->type != MODEL_RAW) {
		run->first_chunk_at = clock_monotonic();
		if (run->first_answer_at == 0)
			run->first_answer_at = run->first_chunk_at;
	}
	emit_delta(run, delta);
	if (delta->type == MODEL_TOOL_RUNNING || delta->type == MODEL_TOOL_RESULT)
		run_provider_call(run, delta);
}

void run_final_answer(struct agent_run *run, const struct model_outcome *outcome)
{
	struct model_error error = {.retry_after_seconds = -1};

	switch (outcome->finish) {
	case MODEL_STOP:
	case MODEL_PAUSE:
	case MODEL_TOOL_CALLS:
		run_end(run, RUN_SUCCESS, STATUS_OK, NULL);
		return;
	case MODEL_LENGTH:
		if (run->capped)
			run_reach_limit(run, "the answer was cut where the limit of the run is "
					     "(--max-total-tokens, --max-cost)");
		else
			run_fail(
			    run, RUN_LIMIT, STATUS_LIMIT, ERROR_LENGTH,
			    "the answer was cut at the model's token limit (raise --max-tokens)");
		return;
	case MODEL_REFUSAL:
		error.kind = ERROR_REFUSAL;
		error.message = outcome->refusal != NULL ? outcome->refusal : "the model refused";
		break;
	case MODEL_CONTENT_FILTER:
		error.kind = ERROR_CONTENT_FILTER;
		error.message = "a content filter stopped the answer";
		break;
	case MODEL_ERROR:
		run_fail(run, RUN_ERROR, STATUS_FAILED, ERROR_MODEL,
			 "the model ended its answer with an error");
		return;
	}
	run_end(run, RUN_REFUSED, STATUS_REFUSED, &error);
}

static void add_usage(struct agent_run *run, const struct model *model,
		      const struct model_outcome *outcome)
{
	struct error e = {0};

	budget_add(&run->budget, model, outcome->model != NULL ? outcome->model : model_name(model),
		   &outcome->usage, run->attempt, &e);
	if (e.message != NULL)
		emit_error(run,
			   &(struct model_error){.kind = ERROR_PRICES,
						 .message = e.message,
						 .retry_after_seconds = -1},
			   false);
	error_clear(&e);
}

/* The conversation goes on: the answer becomes part of it. */
static void remember_answer(struct agent_run *run, const struct model_outcome *outcome)
{
	const struct model *model = run_model(run);
	struct buffer message = {0};

	answer_write_message(&run->answer, model_provider(model), model_name(model),
			     outcome->refusal, &message);
	conversation_truncate(&run->conversation, run->settled);
	conversation_add(&run->conversation, buffer_span(&message));
	buffer_free(&message);
}

static void on_complete(struct agent_run *run, const struct model_outcome *outcome)
{
	struct answer *answer = &run->answer;
	struct model *model = run_model(run);
	bool calls = answer_calls_to_run(answer) > 0;
	bool is_final = (!calls && outcome->finish != MODEL_PAUSE) ||
			outcome->finish == MODEL_REFUSAL || outcome->finish == MODEL_CONTENT_FILTER;
	struct buffer why = {0};
	bool last_request = run->phase == PHASE_WRAPPING_UP;
	bool wrong = is_final && !last_request && !run_output_satisfies(run, outcome, &why);
	bool again = wrong && run->repairs < run->config.output_retries;

	run->finish = outcome->finish;
	run->has_finish = true;
	run_provider_close(run, false);
	answer_finish(answer);
	for (size_t i = 0; i < answer->call_count; i++)
		if (answer->calls[i].valid && !answer->calls[i].by_provider)
			emit_tool_call_end(run, &answer->calls[i]);
	add_usage(run, model, outcome);
	emit_llm_end(run, outcome, is_final && !again);
	emit_progress(run);
	if (!is_final || again || run->capped)
		remember_answer(run, outcome);
	if (last_request)
		run_wrapped_up(run);
	else if (again)
		run_output_correct(run, buffer_string(&why));
	else if (wrong)
		run_fail(run, RUN_INVALID_OUTPUT, STATUS_INVALID_OUTPUT, ERROR_INVALID_OUTPUT,
			 OUTPUT_FAULT "%s", buffer_string(&why));
	else if (is_final)
		run_final_answer(run, outcome);
	else if (!calls)
		run_next_iteration(run);
	else if (run_within_limits(run))
		run_tools(run);
	buffer_free(&why);
}

static void on_done(void *context, const struct model_outcome *outcome)
{
	struct agent_run *run = context;

	run->call = NULL;
	emit_held(run);
	if (outcome->error.kind != ERROR_NONE)
		run_recover(run, &outcome->error);
	else
		on_complete(run, outcome);
}

/* ---- asking ---- */

void run_ask(struct agent_run *run)
{
	const struct model_handler handler = {run, on_delta, on_done};
	struct model_request request;
	struct window window;
	struct error e = {0};

	if (run_is_held(run))
		return;
	request = run_request(run, &window);
	run_fit_request(run, &request);
	run_enter(run, PHASE_ASKING);
	run->tries++;
	run->streamed = false;
	output_clear(&run->structured);
	run->first_chunk_at = 0;
	run->asked_at = clock_monotonic();
	emit_llm_start(run, window.dropped);
	run->call = model_ask(run_model(run), &request, &handler, &e);
	window_free(&window);
	if (run->call == NULL && run->model_index + 1 < run->specs.count)
		run_recover(run, &(struct model_error){.kind = ERROR_USAGE,
						       .message = e.message,
						       .retry_after_seconds = -1});
	else if (run->call == NULL)
		run_fail(run, RUN_ERROR, STATUS_USAGE, ERROR_USAGE, "%s", e.message);
	error_clear(&e);
}

void run_begin_iteration(struct agent_run *run)
{
	run->budget.iterations++;
	run->attempt = 1;
	run->tries = 0;
	run->settled = run->conversation.count;
	answer_clear(&run->answer);
}

void run_next_iteration(struct agent_run *run)
{
	struct buffer why = {0};

	if (budget_has_no_iteration(&run->budget, &why)) {
		run_reach_limit(run, buffer_string(&why));
	} else if (run_within_limits(run)) {
		run_begin_iteration(run);
		run_ask(run);
	}
	buffer_free(&why);
}

/* ---- beginning and freeing ---- */

struct model **run_open_models(struct model_host *host, const struct model_specs *specs,
			       struct error *e)
{
	struct model **models = mem_zero(specs->count * sizeof(*models));

	for (size_t i = 0; i < specs->count; i++) {
		models[i] = model_open(host, specs->at[i], e);
		if (models[i] == NULL) {
			run_close_models(models, i);
			return NULL;
		}
	}
	return models;
}

void run_close_models(struct model **models, size_t count)
{
	for (size_t i = 0; models != NULL && i < count; i++)
		model_close(models[i]);
	free(models);
}

struct model_tool *run_offer_tools(const struct tool_set *set)
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

/* What is there before the first request: the history, and the prompt unless the run is resumed
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
	run_become(run, config->agent);
	if (config->resume)
		run_resume_state(run);
	else
		conversation_add_text(conversation, "user", config->attachments,
				      span_of(config->prompt));
	run->prompt_at = window_prompt(conversation);
	run->offered = run_offer_tools(&run->agent->tools);
}

/* Go on with the trace of whoever started us (W3C Trace Context), or begin one named by the run. */
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

static void begin(void *context)
{
	struct agent_run *run = context;

	run->wait = NULL;
	if (run->config.resume)
		run_resume(run);
	else
		run_next_iteration(run);
}

struct agent_run *run_start(const struct run_config *config, struct event_sink *sink,
			    const struct run_handler *handler, struct error *e)
{
	struct agent_run *run = mem_zero(sizeof(*run));

	run->config = *config;
	run->handler = *handler;
	run->loop = config->host->loop;
	run->started_at = clock_monotonic();
	event_stream_init(&run->stream, sink);
	run->budget =
	    budget_new(&config->limits, config->parent != NULL ? &config->parent->budget : NULL,
		       config->prices);
	run->budget.keeps_last = config->wrap_up;
	load(run);
	run->models = run_open_models(config->host, &run->specs, e);
	if (run->models == NULL) {
		run_free(run);
		return NULL;
	}
	join_trace(run);
	run_use_history_ids(run);
	emit_agent_start(run);
	if (config->limits.timeout_seconds > 0)
		run->timeout = loop_timer_add(
		    run->loop, clock_nanoseconds(config->limits.timeout_seconds), time_is_up, run);
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
	run->models = run_open_models(config->host, &run->specs, e);
	request = run_request(run, &window);
	good = run->models != NULL && model_show_request(run->models[0], &request, out, e);
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
	run_close_models(run->models, run->specs.count);
	run_free_ids(run);
	free(run->offered);
	free(run->trace_parent);
	run_tools_free(run);
	conversation_free(&run->conversation);
	answer_free(&run->answer);
	output_free(&run->structured);
	buffer_free(&run->held.text);
	buffer_free(&run->message);
	buffer_free(&run->limit);
	free(run);
}
