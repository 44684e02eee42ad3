#include <stdlib.h>

#include "base/clock.h"
#include "base/number.h"
#include "event/run_choice.h"
#include "model/event_response.h"
#include "model/paced.h"
#include "model/parameters.h"
#include "model/replay_log.h"

/*
 * The model "replay:FILE": the n-th request of a run gets the n-th response of a run in an event
 * log, in the recorded pieces.
 */

static const char *const known_options[] = {"speed", "delay", "strict", "run", NULL};

struct replay_model {
	struct model model;
	struct replay_log *log;
	const struct replay_run *run; /* that is replayed; NULL before the first request */
	size_t next;                  /* of its responses */
	struct replay_checked checked;
};

struct replay_call {
	struct paced_call paced;
	struct event_response response;
	const struct replay_response *recorded; /* NULL: the log has no more */
	size_t next;
	double speed; /* 0: without pauses */
};

/* ---- the response ---- */

static int64_t time_of(struct span line)
{
	struct event event;

	event_envelope(line, &event);
	return clock_parse_timestamp(event.timestamp);
}

/* The pause between two recorded times, in seconds at the speed of this replay. */
static double pause_between(const struct replay_call *call, int64_t earlier, int64_t later)
{
	if (call->speed <= 0 || earlier < 0 || later <= earlier)
		return 0;
	return (double)(later - earlier) / 1e6 / call->speed;
}

static bool next(struct paced_call *paced, double *seconds)
{
	struct replay_call *call = (struct replay_call *)paced;
	const struct replay_response *recorded = call->recorded;
	struct span line;

	if (recorded == NULL || call->response.failure.kind != ERROR_NONE ||
	    call->next == recorded->count)
		return false;
	line = recorded->lines[call->next++];
	/* A delta that cancels the call must be the last one. */
	if (!event_response_read(&call->response, line))
		return false;
	if (call->speed > 0 && call->next < recorded->count)
		*seconds = pause_between(call, time_of(line), time_of(recorded->lines[call->next]));
	return true;
}

static void outcome(struct paced_call *paced, struct model_outcome *outcome)
{
	struct replay_call *call = (struct replay_call *)paced;
	const struct replay_model *replay = (const struct replay_model *)paced->call.model;

	if (call->recorded == NULL)
		failure_set(&call->response.failure, ERROR_INVALID_REQUEST, false,
			    "the log %s contains only %zu response%s", replay->model.name,
			    replay->run->response_count,
			    plural((double)replay->run->response_count));
	else if (!call->recorded->ended)
		failure_set(&call->response.failure, ERROR_STREAM_TRUNCATED, false,
			    "the log %s ends in the middle of this response", replay->model.name);
	event_response_outcome(&call->response, outcome);
	outcome->recorded = true;
	if (call->recorded != NULL && outcome->usage.cost_usd < 0)
		outcome->usage.cost_usd = call->recorded->cost_usd;
	/* The run checks the response again, and asks for the same correction. */
	if (call->recorded != NULL && call->recorded->corrected && outcome->finish == MODEL_PAUSE)
		outcome->finish = MODEL_STOP;
}

static void release(struct paced_call *paced)
{
	event_response_free(&((struct replay_call *)paced)->response);
}

static bool replay_cancel(struct model_call *model_call)
{
	((struct replay_call *)model_call)->response.stopped = true;
	return paced_cancel(model_call);
}

/* ---- the recorded run ---- */

/* The position after the last user message with the prompt of the run; 0: there is none. */
static size_t find_prompt(const struct replay_run *run, const struct model_request *request)
{
	struct buffer prompt = {0}, text = {0};
	bool has_prompt = json_decode(json_get(run->start, "prompt"), &prompt);
	size_t position = has_prompt ? request->message_count : 0;

	while (position > 0) {
		const struct message *message = request->messages[position - 1];

		replay_prompt_text(run, message, &text);
		if (message->role == MESSAGE_USER &&
		    span_equal(buffer_span(&text), buffer_span(&prompt)))
			break;
		position--;
	}
	buffer_free(&prompt);
	buffer_free(&text);
	return position;
}

/* How many responses of the run the request already has after its prompt, which ends at `position`.
 */
static size_t responses_in(const struct model_request *request, size_t position)
{
	size_t count = 0;

	for (size_t i = position; i > 0 && i < request->message_count; i++)
		count += request->messages[i]->role == MESSAGE_ASSISTANT;
	return count;
}

/* How well a run fits: how late its prompt is in the request; 0: nowhere. A run with exactly this
 * request fits better: nested runs may have the same prompt as others. */
static size_t fit_of(const struct replay_run *run, const struct model_request *request)
{
	size_t position = find_prompt(run, request);
	size_t next = responses_in(request, position);
	struct replay_checked checked = {0};
	struct buffer why = {0};
	size_t fit = position;

	if (position > 0 && next < run->response_count &&
	    replay_check(run, &run->responses[next], request, &checked, &why))
		fit += request->message_count;
	replay_checked_free(&checked);
	buffer_free(&why);
	return fit;
}

/* The run that fits best, a nested one only if it fits better than all others; else the first. */
static const struct replay_run *match_run(const struct replay_log *log,
					  const struct model_request *request)
{
	const struct replay_run *best = NULL;
	size_t most = 0;

	for (size_t i = 0; i < log->run_count; i++) {
		const struct replay_run *run = &log->runs[i];
		size_t fit = run->response_count > 0 ? 2 * fit_of(run, request) + !run->nested : 0;

		if (run->response_count > 0 && (best == NULL || fit > most)) {
			best = run;
			most = fit;
		}
	}
	return best;
}

/* The run that `id` names (event/run_choice.h), `last` the last one that is not nested. */
static const struct replay_run *named_run(const struct replay_log *log, const char *id,
					  struct error *e)
{
	const struct replay_run *found = NULL, *other = NULL, *last = NULL;
	int best = 0;

	for (size_t i = 0; i < log->run_count; i++) {
		const struct replay_run *run = &log->runs[i];
		struct buffer batch_id = {0};
		struct span line = json_string_text(json_get(run->start, "id"), &batch_id);
		int how = run_choice_match(id, run->run_id, line);

		buffer_free(&batch_id);
		if (!run->nested && run->run_id.at != NULL)
			last = run;
		if (how > best || (how > 0 && how == best && found->nested && !run->nested)) {
			best = how;
			found = run;
			other = NULL;
		} else if (how > 0 && how == best && found->nested == run->nested) {
			other = run;
		}
	}
	if (strcmp(id, "last") == 0 && found == NULL)
		found = last;
	if (found == NULL)
		error_set(e, "usage", "no run %s in %s", id, log->path);
	else if (other != NULL)
		error_set(e, "usage",
			  "-o run=%s: the runs %.*s and %.*s of %s match; give more of the id", id,
			  SPAN_ARG(found->run_id), SPAN_ARG(other->run_id), log->path);
	return other != NULL ? NULL : found;
}

/* Choose the run for the first request, which may be in the middle of a conversation that has some
 * of the responses already. */
static bool choose_run(struct replay_model *replay, const struct model_request *request,
		       struct error *e)
{
	struct buffer id = {0};

	if (replay->run != NULL)
		return true;
	replay->run = option_text(request, "run", &id)
			  ? named_run(replay->log, buffer_string(&id), e)
			  : match_run(replay->log, request);
	if (replay->run == NULL && id.len == 0)
		error_set(e, "usage", "%s: the log has no response", replay->log->path);
	buffer_free(&id);
	if (replay->run == NULL)
		return false;
	replay->next = responses_in(request, find_prompt(replay->run, request));
	return true;
}

/* ---- options ---- */

static bool is_strict(const struct model_request *request, bool *strict, struct error *e)
{
	struct span option = parameters_option(request, "strict");

	*strict = json_true(option);
	if (option.at == NULL || json_type(option) == JSON_BOOL)
		return true;
	return error_set(e, "usage", "-o strict must be true or false, not %.*s", SPAN_ARG(option));
}

/* -o delay=none (the default): no pauses; -o delay=recorded: the recorded pauses. */
static bool read_speed(const struct model_request *request, double *speed, struct error *e)
{
	struct span delay = parameters_option(request, "delay");
	bool recorded = json_is(delay, "recorded");

	if (delay.at != NULL && !recorded && !json_is(delay, "none"))
		return error_set(e, "usage", "-o delay must be none or recorded, not %.*s",
				 SPAN_ARG(delay));
	return option_number(request, "speed", recorded ? 1 : 0, speed, e);
}

/* ---- the request ---- */

/* Fail unless the request is the recorded one. */
static void check_request(struct replay_call *call, struct replay_model *replay,
			  const struct model_request *request)
{
	struct buffer why = {0};

	if (call->recorded != NULL &&
	    !replay_check(replay->run, call->recorded, request, &replay->checked, &why))
		failure_set(&call->response.failure, ERROR_REPLAY_MISMATCH, false,
			    "request %zu is not the one that %s recorded: %s", replay->next,
			    replay->model.name, buffer_string(&why));
	buffer_free(&why);
}

static struct model_call *replay_ask(struct model *model, const struct model_request *request,
				     const struct model_handler *handler, struct error *e)
{
	struct replay_model *replay = (struct replay_model *)model;
	struct replay_call *call;
	double speed = 0, wait = 0;
	bool strict = false;

	if (!options_known(request, known_options, "replay", e) ||
	    !read_speed(request, &speed, e) || !is_strict(request, &strict, e) ||
	    !choose_run(replay, request, e))
		return NULL;
	call = mem_zero(sizeof(*call));
	call->paced = (struct paced_call){
	    .handler = *handler, .next = next, .outcome = outcome, .release = release};
	call->speed = speed;
	event_response_init(&call->response, handler);
	if (replay->next < replay->run->response_count)
		call->recorded = &replay->run->responses[replay->next++];
	if (strict)
		check_request(call, replay, request);
	if (call->recorded != NULL && call->recorded->count > 0)
		wait =
		    pause_between(call, call->recorded->begun, time_of(call->recorded->lines[0]));
	return paced_start(&call->paced, model->host->loop, wait);
}

/* ---- the model ---- */

static void replay_close(struct model *model)
{
	struct replay_model *replay = (struct replay_model *)model;

	replay_checked_free(&replay->checked);
	replay_log_close(model->host, replay->log);
}

static bool has_responses(const struct replay_log *log)
{
	for (size_t i = 0; i < log->run_count; i++)
		if (log->runs[i].response_count > 0)
			return true;
	return false;
}

static struct model *replay_open(struct model_host *host, const char *argument, struct error *e)
{
	struct replay_model *replay;
	struct replay_log *log;

	if (argument[0] == '\0') {
		error_set(e, "usage", "the model replay: names no log: write replay:FILE");
		return NULL;
	}
	log = replay_log_open(host, argument, e);
	if (log == NULL)
		return NULL;
	if (!has_responses(log)) {
		error_set(e, "usage",
			  "%s: this log contains no response of a model (no llm_start event)",
			  argument);
		replay_log_close(host, log);
		return NULL;
	}
	replay = model_new(sizeof(*replay), "replay", argument, MODEL_RECORDED);
	replay->log = log;
	return &replay->model;
}

const struct model_type model_type_replay = {
    .spec = "replay:",
    .open = replay_open,
    .close = replay_close,
    .ask = replay_ask,
    .cancel = replay_cancel,
};
