#include "run/batch_log.h"

#include <stdlib.h>

#include "base/hash.h"
#include "event/event.h"

/* A run of the log; its lines are a list, so that those of interleaved runs are found at once. */
struct logged_run {
	struct span run_id;
	uint64_t item; /* a hash of id and prompt */
	int resumed;   /* the run that it goes on with; -1: none */
	int outermost; /* the run that it is nested in, whose lines have its own; itself: none */
	int latest;    /* index of the next run with this hash in the table below; -1: none */
	bool succeeded;
	int first_line, last_line; /* -1: none */
};

struct logged_line {
	struct span text;
	int next;
};

struct batch_log {
	struct logged_run *runs;
	struct logged_line *lines;
	int run_count, line_count;
	int *by_run, *by_item; /* hash tables: heads of chains, by run_id (next_by_run) and item */
	int *next_by_run;
	event_set types; /* that a conversation is restored from */
};

enum { BUCKETS = 16384 };

static uint64_t hash_of(struct span text)
{
	return hash_add(HASH_START, text);
}

static uint64_t hash_item(struct span id, struct span prompt)
{
	return hash_add(hash_add(hash_of(id), (struct span){"", 1}), prompt);
}

static int find_run(const struct batch_log *log, struct span run_id)
{
	int i = log->by_run[hash_of(run_id) % BUCKETS];

	while (i >= 0 && !span_equal(log->runs[i].run_id, run_id))
		i = log->next_by_run[i];
	return i;
}

static void *grow(void *array, int count, size_t size)
{
	/* Room for twice as many whenever the count is a power of two. */
	if ((count & (count - 1)) != 0)
		return array;
	return mem_resize(array, (count > 0 ? (size_t)count * 2 : 1) * size);
}

/* The run that a member of `data` names; -1: none. */
static int named_run(const struct batch_log *log, struct span data, const char *key)
{
	struct span id = json_get(data, key);

	return id.len > 2 ? find_run(log, (struct span){id.at + 1, id.len - 2}) : -1;
}

static void add_run(struct batch_log *log, const struct event *event)
{
	int i = log->run_count;
	uint64_t bucket = hash_of(event->run_id) % BUCKETS;
	int resumed = named_run(log, event->data, "resumed_from");
	int parent = named_run(log, event->data, "parent_run_id");
	struct buffer id = {0}, prompt = {0};

	json_decode(json_get(event->data, "id"), &id);
	json_decode(json_get(event->data, "prompt"), &prompt);
	log->runs = grow(log->runs, i, sizeof(*log->runs));
	log->next_by_run = grow(log->next_by_run, i, sizeof(*log->next_by_run));
	log->runs[i] = (struct logged_run){
	    .run_id = event->run_id,
	    .item = hash_item(buffer_span(&id), buffer_span(&prompt)),
	    .resumed = resumed,
	    .outermost = parent >= 0 ? log->runs[parent].outermost : i,
	    .latest = -1,
	    .first_line = -1,
	    .last_line = -1,
	};
	log->next_by_run[i] = log->by_run[bucket];
	log->by_run[bucket] = i;
	if (parent < 0) { /* a nested run is no line's */
		bucket = log->runs[i].item % BUCKETS;
		log->runs[i].latest = log->by_item[bucket];
		log->by_item[bucket] = i;
	}
	log->run_count++;
	buffer_free(&id);
	buffer_free(&prompt);
}

static void add_line(struct batch_log *log, int run, struct span line)
{
	int i = log->line_count;

	log->lines = grow(log->lines, i, sizeof(*log->lines));
	log->lines[i] = (struct logged_line){.text = line, .next = -1};
	if (log->runs[run].first_line < 0)
		log->runs[run].first_line = i;
	else
		log->lines[log->runs[run].last_line].next = i;
	log->runs[run].last_line = i;
	log->line_count++;
}

static void take_line(struct batch_log *log, struct span line)
{
	struct event event;
	int run;

	if (!event_may_be(line, log->types) || !event_read(line, &event, NULL) ||
	    !event_set_has(log->types, event.type) || event.run_id.at == NULL)
		return;
	if (event.type == EVENT_AGENT_START && find_run(log, event.run_id) < 0)
		add_run(log, &event);
	run = find_run(log, event.run_id);
	if (run < 0)
		return;
	if (event.type == EVENT_AGENT_END)
		log->runs[run].succeeded = json_true(json_get(event.data, "success"));
	add_line(log, log->runs[run].outermost, line);
}

struct batch_log *batch_log_new(struct span text)
{
	struct batch_log *log = mem_zero(sizeof(*log));

	log->types = event_types(EVENT_OF_CONVERSATION);
	log->by_run = mem_alloc(BUCKETS * sizeof(*log->by_run));
	log->by_item = mem_alloc(BUCKETS * sizeof(*log->by_item));
	for (int i = 0; i < BUCKETS; i++)
		log->by_run[i] = log->by_item[i] = -1;
	while (text.len > 0) {
		const char *newline = memchr(text.at, '\n', text.len);
		size_t len = newline != NULL ? (size_t)(newline - text.at) : text.len;

		take_line(log, (struct span){text.at, len});
		text = span_from(text, len + (newline != NULL));
	}
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
		if (log->runs[run].succeeded)
			return true;
	return false;
}

static void add_lines(const struct batch_log *log, int run, struct buffer *out)
{
	if (log->runs[run].resumed >= 0)
		add_lines(log, log->runs[run].resumed, out);
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
	free(log->by_run);
	free(log->by_item);
	free(log->next_by_run);
	free(log);
}
