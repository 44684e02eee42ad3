#include "run/batch_log.h"

#include <stdlib.h>

#include "base/hash.h"
#include "event/log.h"

/* The lines of a run, also those of the runs nested in it, are a list, so that those of interleaved
 * runs are found at once. */
struct logged_run {
	uint64_t item; /* a hash of id and prompt */
	int latest;    /* the run before this one in the same bucket of by_item; -1: none */
	int first_line, last_line; /* -1: none */
	bool began;                /* there was an agent_start */
};

struct logged_line {
	struct span text;
	int next;
};

enum { BUCKETS = 16384 };

struct batch_log {
	struct log log;
	struct logged_run *runs; /* by their numbers in `log` */
	struct logged_line *lines;
	int run_count, line_count;
	int by_item[BUCKETS]; /* the last run of the items with this hash; -1: none */
	event_set types;      /* that a conversation is restored from */
};

static uint64_t hash_item(struct span id, struct span prompt)
{
	return hash_add(hash_add(hash_add(HASH_START, id), (struct span){"", 1}), prompt);
}

/* The run number `i` begins. A nested one is no line of the batch. */
static void begin_run(struct batch_log *log, int i, struct span data)
{
	struct logged_run *run = &log->runs[i];
	struct buffer id = {0}, prompt = {0};

	run->began = true;
	json_decode(json_get(data, "id"), &id);
	json_decode(json_get(data, "prompt"), &prompt);
	run->item = hash_item(buffer_span(&id), buffer_span(&prompt));
	if (log->log.runs[i].parent == LOG_NO_RUN) {
		run->latest = log->by_item[run->item % BUCKETS];
		log->by_item[run->item % BUCKETS] = i;
	}
	buffer_free(&id);
	buffer_free(&prompt);
}

static void add_line(struct batch_log *log, struct logged_run *run, struct span line)
{
	int i = log->line_count++;

	log->lines = array_grow(log->lines, (size_t)i, sizeof(*log->lines));
	log->lines[i] = (struct logged_line){.text = line, .next = -1};
	if (run->first_line < 0)
		run->first_line = i;
	else
		log->lines[run->last_line].next = i;
	run->last_line = i;
}

static void take_line(struct batch_log *log, struct span line)
{
	struct event event;
	int run;

	if (event_read_one_of(line, log->types, &event, NULL) != EVENT_READ ||
	    !event_set_has(log->types, event.type) || event.run_id.at == NULL)
		return;
	run = log_add(&log->log, &event);
	for (; log->run_count < log->log.count; log->run_count++) {
		log->runs = array_grow(log->runs, (size_t)log->run_count, sizeof(*log->runs));
		log->runs[log->run_count] =
		    (struct logged_run){.latest = -1, .first_line = -1, .last_line = -1};
	}
	if (event.type == EVENT_AGENT_START && !log->runs[run].began)
		begin_run(log, run, event.data);
	if (log->runs[run].began)
		add_line(log, &log->runs[log_outermost(&log->log, run)], line);
}

struct batch_log *batch_log_new(struct span text)
{
	struct batch_log *log = mem_zero(sizeof(*log));
	struct span line;

	log->types = event_types(EVENT_OF_CONVERSATION);
	for (int i = 0; i < BUCKETS; i++)
		log->by_item[i] = -1;
	while (log_next_line(&text, &line, NULL))
		take_line(log, line);
	return log;
}

/* The runs for an item, the last one first. */
static int next_for(const struct batch_log *log, int run, uint64_t item)
{
	run = run < 0 ? log->by_item[item % BUCKETS] : log->runs[run].latest;
	while (run >= 0 && log->runs[run].item != item)
		run = log->runs[run].latest;
	return run;
}

bool batch_log_is_done(const struct batch_log *log, const char *id, const char *prompt)
{
	uint64_t item = hash_item(span_of(id), span_of(prompt));

	for (int run = next_for(log, -1, item); run >= 0; run = next_for(log, run, item))
		if (log->log.runs[run].succeeded)
			return true;
	return false;
}

static void add_lines(const struct batch_log *log, int run, struct buffer *out)
{
	if (log->log.runs[run].resumes != LOG_NO_RUN)
		add_lines(log, log->log.runs[run].resumes, out);
	for (int i = log->runs[run].first_line; i >= 0; i = log->lines[i].next) {
		buffer_add_span(out, log->lines[i].text);
		buffer_add_char(out, '\n');
	}
}

bool batch_log_unfinished(const struct batch_log *log, const char *id, const char *prompt,
			  struct buffer *out)
{
	int run = next_for(log, -1, hash_item(span_of(id), span_of(prompt)));

	if (run < 0)
		return false;
	add_lines(log, run, out);
	return true;
}

void batch_log_free(struct batch_log *log)
{
	if (log == NULL)
		return;
	free(log->runs);
	free(log->lines);
	log_free(&log->log);
	free(log);
}
