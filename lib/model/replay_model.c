#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "event/event.h"
#include "model/event_answer.h"
#include "model/paced.h"

/*
 * The model "replay:FILE": the n-th request gets the n-th answer of the first run in an event log,
 * in the pieces in which it came then.
 */

static const char *const known_options[] = {"speed", NULL};

/* The events of one iteration: lines of the log. */
struct recorded_answer {
	struct span *lines;
	size_t count;
	bool ended;    /* by llm_end or an error */
	int64_t begun; /* microseconds since 1970 of its llm_start; -1: unknown */
};

struct replay_model {
	struct model model;
	struct buffer log;
	struct recorded_answer *answers;
	size_t count, next;
};

struct replay_call {
	struct paced_call paced;
	struct event_answer answer;
	const struct recorded_answer *recorded; /* NULL: the log has no more */
	size_t next;
	double speed; /* 0: as fast as can be */
};

/* ---- reading the log ---- */

static const char *const told_types[] = {
    "llm_chunk",  "thinking_chunk", "tool_call_start", "tool_call_chunk", "tool_call_end",
    "tool_start", "tool_end",       "llm_end",         "error",           NULL};

static struct recorded_answer *last_answer(struct replay_model *replay)
{
	return replay->count > 0 ? &replay->answers[replay->count - 1] : NULL;
}

/* A request was sent: a new answer begins unless this was another attempt at the same. */
static void begin_answer(struct replay_model *replay, const struct event *event)
{
	struct recorded_answer *last = last_answer(replay);

	if (last != NULL && !last->ended && json_int(json_get(event->data, "attempt"), 1) > 1) {
		last->begun = clock_parse_timestamp(event->timestamp);
		return;
	}
	replay->answers =
	    mem_resize(replay->answers, (replay->count + 1) * sizeof *replay->answers);
	replay->answers[replay->count++] =
	    (struct recorded_answer){.begun = clock_parse_timestamp(event->timestamp)};
}

/* Errors that were not the end of the answer (a retry followed) are not part of it. */
static bool is_told(const struct event *event)
{
	bool fatal = json_true(json_get(event->data, "fatal"));

	for (size_t i = 0; told_types[i] != NULL; i++)
		if (span_is(event->type, told_types[i]))
			return fatal || !span_is(event->type, "error");
	return false;
}

static void take_event(struct replay_model *replay, const struct event *event)
{
	struct recorded_answer *answer;

	if (span_is(event->type, "llm_start")) {
		begin_answer(replay, event);
		return;
	}
	answer = last_answer(replay);
	if (answer == NULL || answer->ended)
		return;
	if (span_is(event->type, "llm_retry") && json_true(json_get(event->data, "discard"))) {
		answer->count = 0;
		return;
	}
	if (!is_told(event))
		return;
	/* Room for twice as many whenever the count is a power of two. */
	if ((answer->count & (answer->count - 1)) == 0)
		answer->lines =
		    mem_resize(answer->lines,
			       (answer->count > 0 ? answer->count * 2 : 1) * sizeof *answer->lines);
	answer->lines[answer->count++] = event->line;
	answer->ended = span_is(event->type, "llm_end") || span_is(event->type, "error");
}

/* Index the events of the first run; lines that are no events, such as a torn last one, are left
 * out. */
static void index_log(struct replay_model *replay)
{
	struct span rest = buffer_span(&replay->log), run_id = {0};
	bool found = false;

	while (rest.len > 0) {
		const char *newline = memchr(rest.at, '\n', rest.len);
		struct span line = {rest.at, newline ? (size_t)(newline - rest.at) : rest.len};
		struct event event;

		rest = span_from(rest, line.len + (newline != NULL));
		if (!event_read(line, &event, NULL))
			continue;
		if (!found)
			run_id = event.run_id;
		found = true;
		if (span_equal(event.run_id, run_id))
			take_event(replay, &event);
	}
}

/* ---- answering ---- */

static int64_t time_of(struct span line)
{
	struct event event;

	event_envelope(line, &event);
	return clock_parse_timestamp(event.timestamp);
}

/* The seconds between two recorded times, as this replay takes them. */
static double pause_between(const struct replay_call *call, int64_t earlier, int64_t later)
{
	if (call->speed <= 0 || earlier < 0 || later <= earlier)
		return 0;
	return (double)(later - earlier) / 1e6 / call->speed;
}

static bool next(struct paced_call *paced, double *seconds)
{
	struct replay_call *call = (struct replay_call *)paced;
	const struct recorded_answer *recorded = call->recorded;
	struct span line;

	if (recorded == NULL || call->next == recorded->count)
		return false;
	line = recorded->lines[call->next++];
	/* A delta that cancels the call must be the last one. */
	if (!event_answer_take(&call->answer, line))
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
		event_answer_fail(&call->answer, "invalid_request", false,
				  "the log %s holds %zu answer%s, and no more were recorded",
				  replay->model.name, replay->count, replay->count == 1 ? "" : "s");
	else if (!call->recorded->ended)
		event_answer_fail(&call->answer, "stream_truncated", false,
				  "the log %s ends within this answer", replay->model.name);
	event_answer_outcome(&call->answer, outcome);
}

static void release(struct paced_call *paced)
{
	event_answer_free(&((struct replay_call *)paced)->answer);
}

static void replay_cancel(struct model_call *model_call)
{
	((struct replay_call *)model_call)->answer.stopped = true;
	paced_cancel(model_call);
}

static struct model_call *replay_ask(struct model *model, const struct model_request *request,
				     const struct model_handler *handler, struct error *e)
{
	struct replay_model *replay = (struct replay_model *)model;
	struct replay_call *call;
	double speed, wait = 0;

	if (!options_known(request, known_options, "replay", e) ||
	    !option_number(request, "speed", 0, &speed, e))
		return NULL;
	call = mem_zero(sizeof *call);
	call->paced = (struct paced_call){
	    .handler = *handler, .next = next, .outcome = outcome, .release = release};
	call->speed = speed;
	event_answer_init(&call->answer, handler);
	if (replay->next < replay->count)
		call->recorded = &replay->answers[replay->next++];
	if (call->recorded != NULL && call->recorded->count > 0)
		wait =
		    pause_between(call, call->recorded->begun, time_of(call->recorded->lines[0]));
	return paced_start(&call->paced, model->host->loop, wait);
}

/* ---- the model ---- */

static void replay_close(struct model *model)
{
	struct replay_model *replay = (struct replay_model *)model;

	for (size_t i = 0; i < replay->count; i++)
		free(replay->answers[i].lines);
	free(replay->answers);
	buffer_free(&replay->log);
}

static struct model *replay_open(struct model_host *host, const char *argument, struct error *e)
{
	struct replay_model *replay = mem_zero(sizeof *replay);
	bool good;

	(void)host;
	if (argument[0] == '\0')
		good = error_set(e, "usage", "the model replay: names no log: write replay:FILE");
	else
		good = file_read(argument, &replay->log, e);
	if (good) {
		index_log(replay);
		good = replay->count > 0 ||
		       error_set(e, "usage",
				 "%s: no answer of a model is in this log (no llm_start event)",
				 argument);
	}
	if (!good) {
		replay_close(&replay->model);
		free(replay);
		return NULL;
	}
	replay->model.provider = mem_copy(SPAN("replay"));
	replay->model.name = mem_copy(span_of(argument));
	return &replay->model;
}

const struct model_type model_type_replay = {
    .spec = "replay:",
    .open = replay_open,
    .close = replay_close,
    .ask = replay_ask,
    .cancel = replay_cancel,
};
