/*
 * log: the runs of a complete log, for history and resume, batches, replay, and agent-collect.
 *
 * A run may resume another one (`resumed_from`), and may be nested in the run that called its agent
 * (`parent_run_id`). A retry may discard chunks. The provider runs hosted calls (`executed_by`).
 *
 * The readers of streams, which must not store all runs, use event/runs.h instead.
 */
#ifndef EVENT_LOG_H
#define EVENT_LOG_H

#include "base/table.h"
#include "event/event.h"

/* ---- the lines of a log ---- */

/* Move the next line of `text`, without its newline, to `line`. *is_torn becomes whether the
 * newline is missing (may be NULL). Returns false at the end. */
bool log_next_line(struct span *text, struct span *line, bool *is_torn);

/* ---- the runs of a log ---- */

enum { LOG_NO_RUN = -1 };

/* A run is identified by its number: 0, 1, ... in the order of appearance. */
struct log_run {
	struct span id;        /* borrowed from the log; "" for events without run_id */
	struct span data;      /* of its last agent_start; absent: there was none */
	int resumes;           /* the run that it resumes; LOG_NO_RUN: none in this log */
	int resumed_by;        /* the first run that resumes it; LOG_NO_RUN: none */
	int parent;            /* the run in which it is nested; LOG_NO_RUN: none in this log */
	bool nested;           /* it has a parent_run_id */
	bool ended, succeeded; /* it has an agent_end, and that has `success` */
};

/* Zeroed: empty. */
struct log {
	struct log_run *runs;
	int count;
	struct table ids; /* of the runs, to their numbers */
};

/* Add an event, whose line must live as long as the log. Returns the number of its run. */
int log_add(struct log *log, const struct event *event);

/* The run with this id; LOG_NO_RUN if there is none. Outside of log.c for tests only. */
int log_find(const struct log *log, struct span id);

/* The outermost run in which `run` is nested; `run` itself if it is not nested. */
int log_outermost(const struct log *log, int run);

void log_free(struct log *log);

/* ---- what an event contains ---- */

/* Whether the event discards the chunks of its iteration so far: an llm_retry with `discard`. */
bool event_discards(const struct event *event);

/* Whether a call (a part of a message, or the data of an event about it) is a hosted call. */
bool event_is_hosted(struct span call);

/* Move to the next part of a message's content that is a call, but not a hosted call:
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
