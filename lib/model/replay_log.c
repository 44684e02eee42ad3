#include "model/replay_log.h"

#include <stdlib.h>

#include "base/clock.h"
#include "event/log.h"

static struct replay_answer *last_answer(const struct replay_run *run)
{
	return run->answer_count > 0 ? &run->answers[run->answer_count - 1] : NULL;
}

static void add_step(struct replay_run *run, struct replay_step step)
{
	run->steps = array_grow(run->steps, run->step_count, sizeof(*run->steps));
	run->steps[run->step_count++] = step;
}

/* ---- runs ---- */

/* The runs of the log while it is read, and which recorded run each belongs to. */
struct replay_reader {
	struct replay_log *log;
	struct log runs;
	size_t *recorded; /* by the numbers of `runs`: the position in log->runs */
	int count;
};

static size_t add_run(struct replay_log *log, struct span run_id)
{
	log->runs = array_grow(log->runs, log->run_count, sizeof(*log->runs));
	log->runs[log->run_count] = (struct replay_run){.run_id = run_id};
	return log->run_count++;
}

/* The recorded run of an event of the run `number`: a new one, unless the run continues another. */
static struct replay_run *recorded_run(struct replay_reader *reader, int number,
				       const struct event *event)
{
	const struct log_run *run = &reader->runs.runs[number];

	if (number == reader->count) {
		bool resumes = run->resumes != LOG_NO_RUN &&
			       reader->runs.runs[run->resumes].resumed_by == number;

		reader->recorded = array_grow(reader->recorded, (size_t)reader->count++,
					      sizeof(*reader->recorded));
		reader->recorded[number] =
		    resumes ? reader->recorded[run->resumes] : add_run(reader->log, event->run_id);
	}
	return &reader->log->runs[reader->recorded[number]];
}

/* An answer that did not come to its end is asked for again by the run that resumes this one. */
static void drop_unfinished(struct replay_run *run)
{
	struct replay_answer *last = last_answer(run);

	if (last == NULL || (last->ended && !last->failed))
		return;
	free(last->lines);
	run->answer_count--;
}

static void begin_run(struct replay_reader *reader, int number, const struct event *event)
{
	const struct log_run *logged = &reader->runs.runs[number];
	struct replay_run *run = &reader->log->runs[reader->recorded[number]];

	if (logged->resumes != LOG_NO_RUN &&
	    reader->recorded[logged->resumes] == reader->recorded[number]) {
		drop_unfinished(run);
		return;
	}
	run->start = run->agent = event->data;
	run->nested = logged->nested;
	add_step(run, (struct replay_step){REPLAY_USER, event->data});
}

/* ---- answers ---- */

/* A request was sent: a new answer begins unless this was another attempt at the same. */
static void begin_answer(struct replay_run *run, const struct event *event)
{
	struct replay_answer *last = last_answer(run);

	if (last != NULL && !last->ended && json_int(json_get(event->data, "attempt"), 1) > 1) {
		last->begun = clock_parse_timestamp(event->timestamp);
		return;
	}
	run->answers = array_grow(run->answers, run->answer_count, sizeof(*run->answers));
	run->answers[run->answer_count++] =
	    (struct replay_answer){.begun = clock_parse_timestamp(event->timestamp),
				   .first = run->first_step,
				   .steps = run->step_count,
				   .agent = run->agent};
}

/* Events that are part of an answer. Errors that were not its end (a retry followed) are not. */
static bool is_told(const struct event *event)
{
	return event_type_is(event->type, EVENT_OF_ANSWER) &&
	       (event->type != EVENT_ERROR || json_true(json_get(event->data, "fatal")));
}

static bool has_calls(struct span message)
{
	struct json_walk walk = json_walk(json_get(message, "content"));

	return event_next_call(&walk);
}

/* Another agent takes over, and may not see all that was said. */
static void take_handoff(struct replay_run *run, struct span data)
{
	bool last = json_is(json_get(data, "handoff_input"), "last");
	bool none = json_is(json_get(data, "handoff_input"), "none");
	size_t prompt = run->step_count;

	run->agent = data;
	if (!last && !none)
		return;
	run->first_step = run->step_count;
	while (prompt > 0 && (run->steps[prompt - 1].type == REPLAY_ANSWER ||
			      run->steps[prompt - 1].type == REPLAY_RESULTS))
		prompt--;
	if (last && prompt > 0)
		add_step(run, run->steps[prompt - 1]);
	if (run->step_count == run->first_step || json_get(data, "reason").at != NULL)
		add_step(run, (struct replay_step){REPLAY_HANDOFF, data});
}

/* What an event adds to the conversation. */
static void take_step(struct replay_run *run, const struct event *event)
{
	struct span message = json_get(event->data, "message");

	if (event->type == EVENT_LLM_END) {
		add_step(run, (struct replay_step){REPLAY_ANSWER, message});
		if (has_calls(message))
			add_step(run, (struct replay_step){REPLAY_RESULTS, message});
	} else if (event->type == EVENT_TOOL_END) {
		run->results = array_grow(run->results, run->result_count, sizeof(*run->results));
		run->results[run->result_count++] = event->data;
	} else if (event->type == EVENT_ERROR &&
		   json_is(json_get(event->data, "exception_type"), "invalid_output") &&
		   !json_true(json_get(event->data, "fatal"))) {
		add_step(run,
			 (struct replay_step){REPLAY_CORRECTION, json_get(event->data, "error")});
		if (run->answer_count > 0)
			last_answer(run)->corrected = true;
	} else if (event->type == EVENT_AGENT_UPDATED) {
		take_handoff(run, event->data);
	}
}

static void take_line(struct replay_answer *answer, const struct event *event)
{
	if (answer == NULL || answer->ended)
		return;
	if (event_discards(event)) {
		answer->count = 0;
		return;
	}
	if (!is_told(event))
		return;
	answer->lines = array_grow(answer->lines, answer->count, sizeof(*answer->lines));
	answer->lines[answer->count++] = event->line;
	answer->failed = event->type == EVENT_ERROR;
	answer->ended = answer->failed || event->type == EVENT_LLM_END;
}

static void take_event(struct replay_reader *reader, const struct event *event)
{
	int number = log_add(&reader->runs, event);
	struct replay_run *run = recorded_run(reader, number, event);

	if (event->type == EVENT_AGENT_START) {
		begin_run(reader, number, event);
	} else if (event->type == EVENT_LLM_START) {
		begin_answer(run, event);
	} else {
		take_line(last_answer(run), event);
		take_step(run, event);
	}
}

/* ---- the log ---- */

void replay_log_read(struct replay_log *log)
{
	struct replay_reader reader = {.log = log};
	struct span rest = buffer_span(&log->text), line;
	struct event event;

	while (log_next_line(&rest, &line, NULL))
		if (event_read(line, &event, NULL))
			take_event(&reader, &event);
	log_free(&reader.runs);
	free(reader.recorded);
}

void replay_log_free(struct replay_log *log)
{
	for (size_t i = 0; i < log->run_count; i++) {
		for (size_t j = 0; j < log->runs[i].answer_count; j++)
			free(log->runs[i].answers[j].lines);
		free(log->runs[i].answers);
		free(log->runs[i].steps);
		free(log->runs[i].results);
	}
	free(log->runs);
	buffer_free(&log->text);
}
