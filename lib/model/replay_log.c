#include "model/replay_log.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "event/log.h"
#include "event/runs.h"

static struct replay_response *last_response(const struct replay_run *run)
{
	return run->response_count > 0 ? &run->responses[run->response_count - 1] : NULL;
}

static void add_step(struct replay_run *run, struct replay_step step)
{
	run->steps = array_grow(run->steps, run->step_count, sizeof(*run->steps));
	run->steps[run->step_count++] = step;
}

/* ---- runs ---- */

static struct replay_run *recorded_run(struct replay_log *log, const struct run *run)
{
	while (log->run_count <= run->order) {
		log->runs = array_grow(log->runs, log->run_count, sizeof(*log->runs));
		log->runs[log->run_count++] = (struct replay_run){.secrets = log->secrets};
	}
	return &log->runs[run->order];
}

/* The run is resumed: it requests a response again that did not end, or that it leaves out. */
static void drop_unfinished(struct replay_run *run)
{
	struct replay_response *last = last_response(run);

	if (last == NULL || (last->ended && !last->failed && !last->left_out))
		return;
	if (last->left_out)
		run->step_count = last->steps;
	free(last->lines);
	run->response_count--;
}

static void begin_run(struct replay_run *run, struct span data, bool nested)
{
	run->start = run->agent = data;
	run->nested = nested;
	add_step(run, (struct replay_step){REPLAY_USER, data});
}

/* ---- responses ---- */

/* A request was sent: a new response begins unless this is another attempt at the same. */
static void begin_response(struct replay_run *run, const struct event *event)
{
	struct replay_response *last = last_response(run);

	if (last != NULL && !last->ended && json_int(json_get(event->data, "attempt"), 1) > 1) {
		last->begun = clock_parse_timestamp(event->timestamp);
		return;
	}
	run->responses = array_grow(run->responses, run->response_count, sizeof(*run->responses));
	run->responses[run->response_count++] =
	    (struct replay_response){.begun = clock_parse_timestamp(event->timestamp),
				     .first = run->first_step,
				     .steps = run->step_count,
				     .cost_usd = -1,
				     .agent = run->agent};
}

/* Another agent takes over. With "handoff_input" it does not get all of the conversation. */
static void hand_over(struct replay_run *run, struct span data)
{
	bool last = json_is(json_get(data, "handoff_input"), "last");
	bool none = json_is(json_get(data, "handoff_input"), "none");
	size_t prompt = run->step_count;

	run->agent = data;
	if (!last && !none)
		return;
	run->first_step = run->step_count;
	while (prompt > 0 && (run->steps[prompt - 1].type == REPLAY_RESPONSE ||
			      run->steps[prompt - 1].type == REPLAY_RESULTS))
		prompt--;
	if (last && prompt > 0)
		add_step(run, run->steps[prompt - 1]);
	if (run->step_count == run->first_step || json_get(data, "reason").at != NULL)
		add_step(run, (struct replay_step){REPLAY_HANDOFF, data});
}

static void add_error(struct replay_run *run, struct span data)
{
	struct span type = json_get(data, "exception_type"), sentence = json_get(data, "error");
	bool fatal = json_true(json_get(data, "fatal"));

	if (fatal && json_is(type, "limit"))
		run->limit = sentence;
	if (fatal || !json_is(type, "invalid_output"))
		return;
	add_step(run, (struct replay_step){REPLAY_CORRECTION, sentence});
	if (run->response_count > 0)
		last_response(run)->corrected = true;
}

/* Add what an event adds to the conversation. */
static void add_event_step(struct replay_run *run, const struct event *event)
{
	struct span message = json_get(event->data, "message");
	struct json_walk parts = json_walk(json_get(message, "content"));

	switch (event->type) {
	case EVENT_LLM_END:
		add_step(run, (struct replay_step){REPLAY_RESPONSE, message});
		if (event_next_call(&parts))
			add_step(run, (struct replay_step){REPLAY_RESULTS, message});
		break;
	case EVENT_TOOL_END:
		run->results = array_grow(run->results, run->result_count, sizeof(*run->results));
		run->results[run->result_count++] = event->data;
		break;
	case EVENT_ERROR:
		add_error(run, event->data);
		break;
	case EVENT_AGENT_UPDATED:
		hand_over(run, event->data);
		break;
	default:
		break;
	}
}

/* Add the event to the lines of the last response, if it is part of it. An error that is not fatal
 * was followed by a retry. */
static void add_line(struct replay_response *response, const struct event *event)
{
	if (response == NULL || response->ended)
		return;
	if (event_discards(event))
		response->count = 0;
	if (!event_type_is(event->type, EVENT_OF_RESPONSE) ||
	    (event->type == EVENT_ERROR && !json_true(json_get(event->data, "fatal"))))
		return;
	response->lines = array_grow(response->lines, response->count, sizeof(*response->lines));
	response->lines[response->count++] = event->line;
	response->failed = event->type == EVENT_ERROR;
	response->ended = response->failed || event->type == EVENT_LLM_END;
	response->left_out = event->type == EVENT_LLM_END && event_is_left_out(event->data);
}

/* The total cost after a response. A resumed run goes on with the total of the earlier one. */
static void add_cost(struct replay_log *log, const struct runs *runs, const struct run *known,
		     struct span total)
{
	struct replay_run *run = recorded_run(log, known);
	struct replay_response *last = last_response(run);
	double cost = json_double(total, -1) - run->cost_usd;

	if (cost < 0 || last == NULL)
		return;
	last->cost_usd = cost;
	for (; known != NULL; known = runs_parent(runs, known))
		recorded_run(log, known)->cost_usd += cost;
}

static void add_event(struct replay_log *log, struct runs *runs, const struct event *event,
		      const struct event_log *lines)
{
	const struct run *known = runs_log_event(runs, event, lines);
	struct replay_run *run;

	if (known == NULL)
		return;
	run = recorded_run(log, known);
	if (run->run_id.at == NULL)
		run->run_id = event->run_id;
	if (event->type == EVENT_AGENT_START && known->resumed) {
		drop_unfinished(run);
	} else if (event->type == EVENT_AGENT_START) {
		begin_run(run, event->data, known->parent_id != NULL);
	} else if (event->type == EVENT_LLM_START) {
		begin_response(run, event);
	} else if (event->type == EVENT_PROGRESS) {
		add_cost(log, runs, known, json_get(event->data, "total_cost_usd"));
	} else {
		add_line(last_response(run), event);
		add_event_step(run, event);
	}
}

/* ---- the log ---- */

void replay_log_read(struct replay_log *log, const char *source)
{
	struct event_log lines = {.rest = buffer_span(&log->text), .source = source};
	struct runs *runs = runs_new(NULL, false);
	struct event event;

	while (event_log_next(&lines, EVENT_ALL, &event))
		add_event(log, runs, &event, &lines);
	runs_free(runs);
}

void replay_log_free(struct replay_log *log)
{
	for (size_t i = 0; i < log->run_count; i++) {
		for (size_t j = 0; j < log->runs[i].response_count; j++)
			free(log->runs[i].responses[j].lines);
		free(log->runs[i].responses);
		free(log->runs[i].steps);
		free(log->runs[i].results);
	}
	free(log->runs);
	buffer_free(&log->text);
}

/* ---- logs that models share ---- */

static bool is_regular(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

struct replay_log *replay_log_open(struct model_host *host, const char *path, struct error *e)
{
	struct replay_log *log = host->logs;

	while (log != NULL && strcmp(log->path, path) != 0)
		log = log->next;
	if (log == NULL) {
		struct buffer text = {0};

		if (!file_read(path, &text, e)) {
			buffer_free(&text);
			return NULL;
		}
		log = mem_zero(sizeof(*log));
		*log = (struct replay_log){.text = text,
					   .path = mem_copy(span_of(path)),
					   .users = !is_regular(path),
					   .secrets = host->secrets,
					   .next = host->logs};
		host->logs = log;
		replay_log_read(log, host->quiet ? NULL : path);
	}
	log->users++;
	return log;
}

void replay_log_close(struct model_host *host, struct replay_log *log)
{
	struct replay_log **link = &host->logs;

	if (--log->users > 0)
		return;
	while (*link != log)
		link = &(*link)->next;
	*link = log->next;
	replay_log_free(log);
	free(log->path);
	free(log);
}

void replay_log_close_all(struct model_host *host)
{
	while (host->logs != NULL)
		replay_log_close(host, host->logs);
}
