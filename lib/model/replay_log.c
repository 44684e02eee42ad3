#include "model/replay_log.h"

#include <stdlib.h>

#include "base/clock.h"
#include "event/event.h"

/* Room for one more of `size` bytes, and for twice as many whenever `count` is a power of two. */
static void *grow(void *array, size_t count, size_t size)
{
	if ((count & (count - 1)) != 0)
		return array;
	return mem_resize(array, (count > 0 ? count * 2 : 1) * size);
}

static struct replay_answer *last_answer(const struct replay_run *run)
{
	return run->answer_count > 0 ? &run->answers[run->answer_count - 1] : NULL;
}

static void add_step(struct replay_run *run, struct replay_step step)
{
	run->steps = grow(run->steps, run->step_count, sizeof *run->steps);
	run->steps[run->step_count++] = step;
}

/* ---- runs ---- */

static struct replay_run *find_run(const struct replay_log *log, struct span run_id)
{
	for (size_t i = log->run_count; i-- > 0;)
		if (span_equal(log->runs[i].last_id, run_id))
			return &log->runs[i];
	return NULL;
}

static struct replay_run *add_run(struct replay_log *log, struct span run_id)
{
	log->runs = grow(log->runs, log->run_count, sizeof *log->runs);
	log->runs[log->run_count] = (struct replay_run){.run_id = run_id, .last_id = run_id};
	return &log->runs[log->run_count++];
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

static void begin_run(struct replay_log *log, const struct event *event)
{
	struct buffer resumed = {0};
	struct replay_run *run = NULL;

	if (json_decode(json_get(event->data, "resumed_from"), &resumed))
		run = find_run(log, buffer_span(&resumed));
	buffer_free(&resumed);
	if (run != NULL) {
		run->last_id = event->run_id;
		drop_unfinished(run);
		return;
	}
	run = find_run(log, event->run_id);
	if (run == NULL)
		run = add_run(log, event->run_id);
	run->start = run->agent = event->data;
	run->nested = json_type(json_get(event->data, "parent_run_id")) == JSON_STRING;
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
	run->answers = grow(run->answers, run->answer_count, sizeof *run->answers);
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

	while (json_next(&walk))
		if (json_is(json_get(walk.value, "type"), "tool_call") &&
		    json_get(walk.value, "executed_by").at == NULL)
			return true;
	return false;
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
		run->results = grow(run->results, run->result_count, sizeof *run->results);
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
	if (event->type == EVENT_LLM_RETRY && json_true(json_get(event->data, "discard"))) {
		answer->count = 0;
		return;
	}
	if (!is_told(event))
		return;
	answer->lines = grow(answer->lines, answer->count, sizeof *answer->lines);
	answer->lines[answer->count++] = event->line;
	answer->failed = event->type == EVENT_ERROR;
	answer->ended = answer->failed || event->type == EVENT_LLM_END;
}

static void take_event(struct replay_log *log, const struct event *event)
{
	struct replay_run *run;

	if (event->type == EVENT_AGENT_START) {
		begin_run(log, event);
		return;
	}
	run = find_run(log, event->run_id);
	if (run == NULL)
		run = add_run(log, event->run_id);
	if (event->type == EVENT_LLM_START) {
		begin_answer(run, event);
		return;
	}
	take_line(last_answer(run), event);
	take_step(run, event);
}

/* ---- the log ---- */

void replay_log_read(struct replay_log *log)
{
	struct span rest = buffer_span(&log->text);

	while (rest.len > 0) {
		const char *newline = memchr(rest.at, '\n', rest.len);
		struct span line = {rest.at, newline ? (size_t)(newline - rest.at) : rest.len};
		struct event event;

		rest = span_from(rest, line.len + (newline != NULL));
		if (event_read(line, &event, NULL))
			take_event(log, &event);
	}
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
