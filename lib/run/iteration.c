#define _DEFAULT_SOURCE /* getentropy */
#include "run/iteration.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/retry.h"
#include "run/emit.h"
#include "run/run_state.h"
#include "run/tools.h"

static const int64_t second = 1000000000;

static void ask(struct agent_run *run);

static void begin_iteration(struct agent_run *run)
{
	run->budget.total.iterations++;
	run->attempt = 1;
	run->tries = run->requests = 0;
	run->settled = run->conversation.count;
	response_clear(&run->response);
}

static void add_user(struct agent_run *run, struct span text)
{
	conversation_add_text(&run->conversation, "user", (struct span){0}, text);
}

/* ---- the request ---- */

struct model_request iteration_request(const struct agent_run *run, struct window *window)
{
	const struct agent *agent = run->agent;
	struct model_request request = {
	    .system = run->system,
	    .tools = run->offered,
	    .tool_count = agent->tools.count,
	    .tool_choice = agent->tool_choice,
	    .options = agent->options,
	    .option_count = agent->option_count,
	    .effort = agent->effort,
	    .max_tokens = agent->max_tokens,
	    .schema = schema_text(agent->schema),
	};

	window_choose(window, &run->conversation, run->prompt_at, run->config.max_history_tokens,
		      budget_scale(&run->budget));
	request.messages = window->messages;
	request.message_count = window->count;
	/* A forced call is forced once: the loop would never end otherwise. */
	if (request.tool_choice != NULL && run->budget.total.iterations > run->agent_since + 1 &&
	    strcmp(request.tool_choice, "none") != 0)
		request.tool_choice = NULL;
	/* The provider must still know the tools that were called before. */
	if (run->phase == PHASE_WRAPPING_UP && request.tool_count > 0)
		request.tool_choice = "none";
	return request;
}

/* ---- limits ---- */

/* How many output tokens every model may be asked for. */
enum { EVERY_MODEL = 4096 };

/* The next request in tokens. */
static int64_t next_input(const struct agent_run *run)
{
	struct window window;
	struct model_request request = iteration_request(run, &window);
	int64_t tokens = budget_input(&run->budget, estimate_request(&request));

	window_free(&window);
	return tokens;
}

/* Ask for no more output than the limits leave. */
static void fit_request(struct agent_run *run, struct model_request *request)
{
	int64_t most, wanted = request->max_tokens > 0 ? request->max_tokens : EVERY_MODEL;

	run->capped = false;
	if (!budget_is_limited(&run->budget) && run->config.max_history_tokens == 0)
		return;
	run->budget.last.asked = estimate_request(request);
	most = budget_output(&run->budget, run_model(run),
			     budget_input(&run->budget, run->budget.last.asked));
	/* Reasoning counts as output, so a reduced limit may leave no text. */
	run->capped = most < wanted && most >= BUDGET_LEAST_OUTPUT && request->effort == NULL;
	if (run->capped)
		request->max_tokens = most;
}

/* Send the last request: without tools, and with the reason. */
static void wrap_up(struct agent_run *run)
{
	struct buffer sentence = {0};

	buffer_add_format(&sentence,
			  "A limit of this run is reached: %s. No tool can be called any more, and "
			  "this is your last answer. Give the best answer you can from what you "
			  "have: what is done, what was found, and what is missing.",
			  buffer_string(&run->limit));
	begin_iteration(run);
	add_user(run, buffer_span(&sentence));
	buffer_free(&sentence);
	ask(run);
}

static void end_at_limit(struct agent_run *run)
{
	run_fail(run, STATUS_LIMIT, ERROR_LIMIT, "%s", buffer_string(&run->limit));
}

/* Whether the resumed run has answered already at the limit, which is reached again. */
static bool load_last_words(struct agent_run *run)
{
	const struct history *history = run->config.resume ? run->config.history : NULL;

	if (history == NULL || history->last_words.at == NULL || run->asked_at != 0)
		return false;
	response_clear(&run->response);
	response_load(&run->response, history->last_words);
	run->finish = model_finish_of(history->finish_reason, MODEL_ERROR);
	return true;
}

void iteration_reach_limit(struct agent_run *run)
{
	if (load_last_words(run)) {
		end_at_limit(run);
		return;
	}
	if (run->config.wrap_up && run->phase != PHASE_WRAPPING_UP) {
		run_enter(run, PHASE_WRAPPING_UP);
		run->budget.keeps_last = false;
		tools_refuse(run, buffer_string(&run->limit));
		if (!budget_is_limited(&run->budget) ||
		    budget_output(&run->budget, run_model(run), next_input(run)) >=
			BUDGET_LEAST_OUTPUT) {
			wrap_up(run);
			return;
		}
	}
	end_at_limit(run);
}

/* Whether tokens and money are left for another request. If not, the limit is reached. */
static bool is_within_limits(struct agent_run *run)
{
	bool spent = budget_is_limited(&run->budget) &&
		     budget_is_spent(&run->budget, run_model(run), next_input(run), &run->limit);

	if (spent)
		iteration_reach_limit(run);
	return !spent;
}

void iteration_next(struct agent_run *run)
{
	if (budget_has_no_iteration(&run->budget, &run->limit)) {
		iteration_reach_limit(run);
	} else if (is_within_limits(run)) {
		begin_iteration(run);
		ask(run);
	}
}

/* ---- retries ---- */

static double random_fraction(void)
{
	uint32_t bits = 0;

	if (getentropy(&bits, sizeof(bits)) != 0)
		bits = (uint32_t)clock_monotonic();
	return bits / 4294967296.0;
}

static void wait_is_over(void *context)
{
	struct agent_run *run = context;

	run->wait = NULL;
	buffer_clear(&run->awaited);
	waiting_end(&run->waiting);
	ask(run);
}

/* Wait if another run met a rate limit or a reader is slow; returns whether it waits. After a rate
 * limit, the runs do not ask at the same moment. */
static bool wait_if_held(struct agent_run *run)
{
	int64_t left = run->config.host->hold_until - clock_monotonic();

	run_enter(run, PHASE_WAITING);
	if (loop_is_held(run->loop)) {
		run->wait = loop_source_timer_add(run->loop, 0, wait_is_over, run);
		return true;
	}
	if (run->config.host->hold_until == 0 || left <= 0)
		return false;
	buffer_add_text(&run->awaited, "for the end of a rate limit");
	run->wait = loop_timer_add(run->loop, left + (int64_t)(random_fraction() * 0.25e9),
				   wait_is_over, run);
	return true;
}

/* "rate limited, again in 60 s, 1 of 4". */
static void report_wait(struct agent_run *run, const struct model_error *error, double seconds)
{
	const char *id = run->config.id;
	const char *why = error->kind == ERROR_RATE_LIMIT   ? "rate limited"
			  : error->kind == ERROR_OVERLOADED ? "overloaded"
							    : error->message;
	char *before = mem_format("%s%s%s", id != NULL ? id : "", id != NULL ? ": " : "", why);
	char *after = mem_format(", %d of %d", run->tries, run->config.retries);

	waiting_begin(&run->waiting, run->loop, &run->stream.sink->errors,
		      (struct waiting_limits){0, WAITING_ELSEWHERE}, seconds, before, after);
	free(before);
	free(after);
}

static void ask_again(struct agent_run *run, const struct model_error *error, double wait_seconds,
		      const char *next_model)
{
	int64_t wait = clock_nanoseconds(wait_seconds), until = clock_monotonic() + wait;
	bool limited = error->kind == ERROR_RATE_LIMIT;

	/* The other runs of this host wait for a rate limit, too. If several meet it at the same
	 * time, one reports it. */
	if (!limited || until > run->config.host->hold_until + second)
		report_wait(run, error, wait_seconds);
	if (limited && until > run->config.host->hold_until)
		run->config.host->hold_until = until;
	emit_held(run);
	tools_close_hosted(run, true);
	emit_llm_retry(run, error, wait_seconds, next_model);
	response_clear(&run->response);
	run->attempt++;
	run_enter(run, PHASE_WAITING);
	buffer_add_format(&run->awaited, "to send a request again (%s)", error->message);
	run->wait = loop_timer_add(run->loop, wait, wait_is_over, run);
}

/* Tell the user, who chose another model; once for all runs of a batch. */
static void report_fallback(struct agent_run *run, const struct model_error *error)
{
	const char *failed = run->specs.at[run->model_index - 1];
	const char *next = run->specs.at[run->model_index];

	if (run->config.host->fallback != next)
		warn_to(&run->stream.sink->errors, "%s failed: %s; %s is used instead", failed,
			error->message, next);
	run->config.host->fallback = next;
}

/* The response failed: ask the same model again, ask the next one, or end the run. */
static void recover(struct agent_run *run, const struct model_error *error)
{
	const struct run_config *config = &run->config;

	if (error->feedback != NULL && run->repairs < config->output_retries) {
		run->repairs++;
		add_user(run, span_of(error->feedback));
		ask_again(run, error, 0, NULL);
	} else if (error->retryable && run->tries <= config->retries &&
		   error->retry_after_seconds <= RETRY_MAX_WAIT_SECONDS) {
		ask_again(run, error,
			  retry_wait(run->tries, error->retry_after_seconds, random_fraction()),
			  NULL);
	} else if (run->model_index + 1 < run->models.count) {
		run->model_index++;
		run->tries = 0;
		report_fallback(run, error);
		ask_again(run, error, 0, model_name(run_model(run)));
	} else {
		run_end(run,
			error->kind == ERROR_TIMEOUT          ? STATUS_TIMEOUT
			: error->kind == ERROR_CONTENT_FILTER ? STATUS_REFUSED
							      : STATUS_FAILED,
			error);
	}
}

/* ---- the response ---- */

/* A call of a tool, by the name that the tool has. */
static struct model_delta with_tool_name(const struct agent_run *run, struct model_delta call)
{
	const struct tool_set *tools = &run->agent->tools;
	const struct tool *tool = tool_set_find(tools, model_bare_name(call.name));

	if (!call.by_provider && tool != NULL && tool_set_find(tools, call.name) == NULL)
		call.name = span_of(tool->name);
	return call;
}

static void on_delta(void *context, const struct model_delta *delta)
{
	struct agent_run *run = context;
	bool is_call = delta->type == MODEL_TOOL_CALL;
	struct model_delta call;

	if (is_call) {
		call = with_tool_name(run, *delta);
		delta = &call;
	}
	response_add(&run->response, delta,
		     is_call ? conversation_new_id(&run->conversation, delta->id) : NULL);
	if (run->first_chunk_at == 0 && delta->type != MODEL_RAW) {
		run->first_chunk_at = clock_monotonic();
		if (run->earliest_chunk_at == 0)
			run->earliest_chunk_at = run->first_chunk_at;
	}
	emit_delta(run, delta);
	if (delta->type == MODEL_TOOL_RUNNING || delta->type == MODEL_TOOL_RESULT)
		tools_follow_hosted(run, delta);
}

/* Models see the sentences, in the result of a nested run or with --wrap-up, and a strict replay
 * compares them with those of the log: they stay as they are. */
static void end_run(struct agent_run *run, const struct model_outcome *outcome)
{
	struct model_error error = {.retry_after_seconds = -1};

	switch (outcome->finish) {
	case MODEL_STOP:
	case MODEL_PAUSE:
	case MODEL_TOOL_CALLS:
		run_end(run, STATUS_OK, NULL);
		return;
	case MODEL_LENGTH:
		if (!run->capped) {
			run_fail(
			    run, STATUS_LIMIT, ERROR_LENGTH,
			    "the answer was cut at the model's token limit (raise --max-tokens)");
			return;
		}
		buffer_add_text(&run->limit, "the answer was cut where the limit of the run is "
					     "(--max-total-tokens, --max-cost)");
		iteration_reach_limit(run);
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
		run_fail(run, STATUS_FAILED, ERROR_MODEL,
			 "the model ended its answer with an error");
		return;
	}
	run_end(run, STATUS_REFUSED, &error);
}

static void add_usage(struct agent_run *run, const struct model_outcome *outcome)
{
	const struct model *model = run_model(run);
	struct buffer message = {0};
	struct error e = {0};
	int64_t output = 0;

	if (outcome->usage.output < 0 && budget_is_limited(&run->budget)) {
		response_write_message(&run->response, model_provider(model), model_name(model),
				       outcome->refusal, &message);
		output = estimate_text(buffer_span(&message));
	}
	buffer_free(&message);
	budget_add(&run->budget, model, outcome->model != NULL ? outcome->model : model_name(model),
		   &outcome->usage, output, &e);
	if (e.message != NULL)
		emit_error(run,
			   &(struct model_error){.kind = ERROR_PRICES,
						 .message = e.message,
						 .retry_after_seconds = -1},
			   false);
	error_clear(&e);
}

/* The conversation goes on: the response becomes part of it. */
static void add_response(struct agent_run *run, const struct model_outcome *outcome)
{
	const struct model *model = run_model(run);
	struct buffer message = {0};

	response_write_message(&run->response, model_provider(model), model_name(model),
			       outcome->refusal, &message);
	conversation_truncate(&run->conversation, run->settled);
	conversation_add(&run->conversation, buffer_span(&message));
	buffer_free(&message);
}

/* Whether a final answer is what --schema asks for; `why` says what is wrong. A truncated or
 * refused answer fails for that reason instead. */
static bool satisfies_schema(const struct agent_run *run, const struct model_outcome *outcome,
			     struct buffer *why)
{
	struct buffer joined = {0};
	bool good;

	if (run->agent->schema == NULL || outcome->finish != MODEL_STOP)
		return true;
	good = output_check(response_text(&run->response, &joined), run->agent->schema, why);
	buffer_free(&joined);
	return good;
}

/* Tell the model what is wrong with its response, and ask again. */
static void correct_answer(struct agent_run *run, const char *why)
{
	struct buffer sentence = {0}, correction = {0};

	buffer_add_format(&sentence, OUTPUT_FAULT "%s", why);
	emit_error(run,
		   &(struct model_error){.kind = ERROR_INVALID_OUTPUT,
					 .message = buffer_string(&sentence),
					 .retryable = true,
					 .retry_after_seconds = -1},
		   false);
	output_correction(buffer_span(&sentence), &correction);
	add_user(run, buffer_span(&correction));
	buffer_free(&sentence);
	buffer_free(&correction);
	iteration_next(run);
}

void iteration_resume(struct agent_run *run, bool is_final)
{
	const struct model_outcome outcome = {.finish = run->finish};
	struct buffer why = {0};

	if (!is_final)
		iteration_next(run);
	else if (satisfies_schema(run, &outcome, &why))
		end_run(run, &outcome);
	else
		correct_answer(run, buffer_string(&why));
	buffer_free(&why);
}

/* Whether no request follows a response. A call that the output limit cut does not run: asking
 * again would be cut there, too. Logs of earlier versions went on after such a call. */
static bool is_final(const struct response *response, const struct model_outcome *outcome)
{
	switch (outcome->finish) {
	case MODEL_REFUSAL:
	case MODEL_CONTENT_FILTER:
		return true;
	case MODEL_PAUSE:
		return false;
	case MODEL_LENGTH:
		if (outcome->recorded ? !outcome->goes_on : response_is_cut(response))
			return true;
		break;
	default:
		break;
	}
	return response_calls_to_run(response) == 0;
}

static void on_complete(struct agent_run *run, const struct model_outcome *outcome)
{
	struct response *response = &run->response;
	bool calls = response_calls_to_run(response) > 0;
	bool last_request = run->phase == PHASE_WRAPPING_UP;
	bool is_last, wrong, again;
	struct buffer why = {0};

	run->finish = outcome->finish;
	tools_close_hosted(run, false);
	response_finish(response);
	is_last = is_final(response, outcome);
	wrong = is_last && !last_request && !satisfies_schema(run, outcome, &why);
	again = wrong && run->repairs < run->config.output_retries;
	for (size_t i = 0; i < response->call_count; i++)
		if (response->calls[i].valid && !response->calls[i].by_provider)
			emit_tool_call_end(run, &response->calls[i]);
	add_usage(run, outcome);
	emit_llm_end(run, outcome, is_last && !again);
	emit_progress(run);
	if (!is_last || again || run->capped)
		add_response(run, outcome);
	if (last_request) {
		tools_refuse(run, buffer_string(&run->limit));
		end_at_limit(run);
	} else if (again) {
		run->repairs++;
		correct_answer(run, buffer_string(&why));
	} else if (wrong) {
		run_fail(run, STATUS_INVALID_OUTPUT, ERROR_INVALID_OUTPUT, OUTPUT_FAULT "%s",
			 buffer_string(&why));
	} else if (is_last) {
		end_run(run, outcome);
	} else if (!calls) {
		iteration_next(run);
	} else if (is_within_limits(run)) {
		tools_run(run);
	}
	buffer_free(&why);
}

/* What is wrong with a complete response that is no answer and calls no tool; NULL: it is not of
 * that kind. A log decided that of its responses when they were recorded. */
static const char *fault_of_empty(const struct response *response,
				  const struct model_outcome *outcome)
{
	bool has_text = response_has(response, RESPONSE_TEXT), calls = response->call_count > 0;

	if (outcome->recorded || outcome->has_file || outcome->refusal != NULL ||
	    response_calls_to_run(response) > 0)
		return NULL;
	switch (outcome->finish) {
	case MODEL_TOOL_CALLS:
		if (!calls)
			return "ended its response for a tool call, but made none";
		break;
	case MODEL_PAUSE:
		if (response->part_count > 0)
			return NULL;
		break;
	case MODEL_STOP:
		break;
	default:
		return NULL;
	}
	if (has_text)
		return NULL;
	if (calls)
		return "ran its own tools, but gave no answer";
	return response_has(response, RESPONSE_THINKING)
		   ? "gave no answer: its response has only thinking"
		   : "answered nothing: its response has no text and no tool call";
}

/* An empty response is one more failed attempt, which was paid for. What the provider's own tools
 * did may not be done twice. */
static void fail_empty(struct agent_run *run, const struct model_outcome *outcome,
		       const char *fault)
{
	const char *reason = outcome->provider_finish_reason;
	struct buffer message = {0};

	buffer_add_format(&message, "%s %s", model_provider(run_model(run)), fault);
	if (reason != NULL)
		buffer_add_format(&message, " (finish reason: %s)", reason);
	add_usage(run, outcome);
	recover(run, &(struct model_error){.kind = ERROR_EMPTY_RESPONSE,
					   .message = buffer_string(&message),
					   .retryable = run->response.call_count == 0,
					   .retry_after_seconds = -1});
	buffer_free(&message);
}

static void on_done(void *context, const struct model_outcome *outcome)
{
	struct agent_run *run = context;
	const char *fault = NULL;

	run->call = NULL;
	emit_held(run);
	if (!outcome->error.unsent) {
		run->requests++;
		budget_add_request(&run->budget);
	}
	if (outcome->error.kind == ERROR_NONE)
		fault = fault_of_empty(&run->response, outcome);
	if (outcome->error.kind != ERROR_NONE)
		recover(run, &outcome->error);
	else if (fault != NULL)
		fail_empty(run, outcome, fault);
	else
		on_complete(run, outcome);
}

/* Send the request of this iteration. */
static void ask(struct agent_run *run)
{
	const struct model_handler handler = {run, on_delta, on_done};
	struct model_request request;
	struct window window;
	struct error e = {0};

	if (wait_if_held(run))
		return;
	request = iteration_request(run, &window);
	fit_request(run, &request);
	run_enter(run, PHASE_ASKING);
	run->tries++;
	run->streamed = false;
	output_clear(&run->structured);
	run->first_chunk_at = 0;
	run->asked_at = clock_monotonic();
	emit_llm_start(run, window.dropped);
	run->call = model_ask(run_model(run), &request, &handler, &e);
	window_free(&window);
	if (run->call == NULL && run->model_index + 1 < run->models.count)
		recover(run, &(struct model_error){.kind = ERROR_USAGE,
						   .message = e.message,
						   .retry_after_seconds = -1});
	else if (run->call == NULL)
		run_fail(run, STATUS_USAGE, ERROR_USAGE, "%s", e.message);
	error_clear(&e);
}
