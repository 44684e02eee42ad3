#include "event/log.h"

#include <stdlib.h>

bool log_next_line(struct span *text, struct span *line, bool *is_torn)
{
	const char *newline;

	if (text->len == 0)
		return false;
	newline = memchr(text->at, '\n', text->len);
	*line = (struct span){text->at, newline ? (size_t)(newline - text->at) : text->len};
	*text = span_from(*text, line->len + (newline != NULL));
	if (is_torn != NULL)
		*is_torn = newline == NULL;
	return true;
}

/* ---- runs ---- */

int log_find(const struct log *log, struct span id)
{
	const uintptr_t *run = table_find(&log->ids, id);

	return run != NULL ? (int)*run : LOG_NO_RUN;
}

/* The run whose id is the member `key` of `data`. */
static int named_run(const struct log *log, struct span data, const char *key)
{
	char *id = json_text(json_get(data, key));
	int run = log_find(log, span_of(id));

	free(id);
	return run;
}

static int add_run(struct log *log, struct span id)
{
	log->runs = array_grow(log->runs, (size_t)log->count, sizeof(*log->runs));
	log->runs[log->count] = (struct log_run){
	    .id = id, .resumes = LOG_NO_RUN, .resumed_by = LOG_NO_RUN, .parent = LOG_NO_RUN};
	*table_add(&log->ids, id) = (uintptr_t)log->count;
	return log->count++;
}

static void start_run(struct log *log, int number, struct span data)
{
	struct log_run *run = &log->runs[number];
	int resumes = named_run(log, data, "resumed_from");
	int parent = named_run(log, data, "parent_run_id");

	run->data = data;
	run->ended = run->succeeded = false;
	run->nested = json_type(json_get(data, "parent_run_id")) == JSON_STRING;
	run->parent = parent < number ? parent : LOG_NO_RUN; /* no cycles */
	run->resumes = resumes < number ? resumes : LOG_NO_RUN;
	if (run->resumes != LOG_NO_RUN && log->runs[resumes].resumed_by == LOG_NO_RUN)
		log->runs[resumes].resumed_by = number;
}

int log_add(struct log *log, const struct event *event)
{
	struct span id = event->run_id.at != NULL ? event->run_id : SPAN("");
	int run = log_find(log, id);

	if (run == LOG_NO_RUN)
		run = add_run(log, id);
	if (event->type == EVENT_AGENT_START) {
		start_run(log, run, event->data);
	} else if (event->type == EVENT_AGENT_END) {
		log->runs[run].ended = true;
		log->runs[run].succeeded = json_true(json_get(event->data, "success"));
	}
	return run;
}

int log_outermost(const struct log *log, int run)
{
	while (log->runs[run].parent != LOG_NO_RUN)
		run = log->runs[run].parent;
	return run;
}

void log_free(struct log *log)
{
	free(log->runs);
	table_free(&log->ids);
	*log = (struct log){0};
}

/* ---- what an event contains ---- */

bool event_discards(const struct event *event)
{
	return event->type == EVENT_LLM_RETRY && json_true(json_get(event->data, "discard"));
}

bool event_is_hosted(struct span call)
{
	return json_get(call, "executed_by").at != NULL;
}

bool event_next_call(struct json_walk *walk)
{
	while (json_next(walk))
		if (json_is(json_get(walk->value, "type"), "tool_call") &&
		    !event_is_hosted(walk->value))
			return true;
	return false;
}

const char *const usage_names[USAGE_KEYS] = {
    "input_tokens",       "output_tokens",    "cached_input_tokens",
    "cache_write_tokens", "reasoning_tokens",
};

void usage_add_count(int64_t *sum, int64_t more)
{
	int64_t known = *sum > 0 ? *sum : 0;

	if (more >= 0 && known <= INT64_MAX - more)
		*sum = known + more;
}
