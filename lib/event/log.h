/*
 * log: what a run in a log is, decided in one place for all who read whole logs: history and
 * resume, batches, replay, and the results of agent-collect.
 *
 * A run may continue another one (`resumed_from`), and is nested in one that called its agent
 * (`parent_run_id`). What was streamed of an answer is forgotten when a retry discards it. A tool
 * call is ours unless the provider ran it (`executed_by`).
 *
 * The readers of streams, which must not remember all runs, use event/runs.h instead.
 */
#ifndef EVENT_LOG_H
#define EVENT_LOG_H

#include "base/table.h"
#include "event/event.h"

/* ---- the lines of a log ---- */

/* Store the next line of `text`, which moves on behind it, without its newline. *is_torn says that
 * the newline is missing (may be NULL). False at the end. */
bool log_next_line(struct span *text, struct span *line, bool *is_torn);

/* ---- the runs of a log ---- */

enum { LOG_NO_RUN = -1 };

/* Runs are known by number: 0, 1, ... in the order in which they appear. */
struct log_run {
	struct span id;   /* text; borrowed from the log, "" for events without run_id */
	struct span data; /* of its last agent_start; absent: there was none */
	int resumes;      /* the run that it continues; LOG_NO_RUN: none, or none in this log */
	int resumed_by;   /* the first run that continues it */
	int parent;       /* the run that it is nested in; LOG_NO_RUN: none, or none in this log */
	bool nested;      /* it has a parent_run_id */
	bool ended, succeeded; /* there was an agent_end; what it said */
};

/* Zeroed: empty. */
struct log {
	struct log_run *runs;
	int count;
	struct table ids; /* of the runs, to their numbers */
};

/* Add an event, whose line must live as long as the log. Returns the number of its run. */
int log_add(struct log *log, const struct event *event);

/* The run with this id; LOG_NO_RUN: there is none. */
int log_find(const struct log *log, struct span id);

/* The run around all those that `run` is nested in; `run` itself if it is not nested. */
int log_outermost(const struct log *log, int run);

void log_free(struct log *log);

/* ---- what an event says ---- */

/* Whether the event takes back all chunks of its iteration so far: an llm_retry with `discard`. */
bool event_discards(const struct event *event);

/* Whether a call (a part of a message, or the data of an event about it) is run by the provider. */
bool event_is_hosted(struct span call);

/* Move on to the next part of a message's content that is a call to be run here:
 *     struct json_walk walk = json_walk(json_get(message, "content"));
 *     while (event_next_call(&walk)) ... walk.value */
bool event_next_call(struct json_walk *walk);

/* Token counts by the keys of `usage`. */
enum usage_key { USAGE_INPUT, USAGE_OUTPUT, USAGE_CACHED, USAGE_CACHE_WRITE, USAGE_REASONING };
enum { USAGE_KEYS = 5 };
extern const char *const usage_names[USAGE_KEYS];

/* Add a count to a sum. Negative numbers are unknown counts: they add nothing, and an unknown sum
 * stays unknown until a count is known. A sum that would overflow stays as it is. */
void usage_add_count(int64_t *sum, int64_t more);

#endif
