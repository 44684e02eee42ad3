/*
 * merge: --debounce, neighbouring chunks of one run, kind and tool call as one event.
 *
 * The merged event has the timestamp of the first chunk and the seq of the last one. The texts are
 * joined with their escapes. Chunks that differ in anything else are not merged. A chunk without
 * neighbours is not changed.
 */
#ifndef AGENT_FILTER_MERGE_H
#define AGENT_FILTER_MERGE_H

#include "event/event.h"

/* Zeroed except for `seconds`: empty. */
struct merge {
	double seconds;
	int64_t due; /* the clock_monotonic time at which to close the group; 0: there is none */
	/* private */
	struct buffer first; /* the line of the first chunk */
	struct buffer text;  /* the joined text, after a quote */
	struct buffer line;  /* the merged line */
	int64_t seq;         /* of the last chunk */
	size_t chunks;
};

/* Add an event to the group. Returns false if it cannot be merged: call merge_close, then print the
 * event. If the event has closed a group, sets `ready` to the group's line (valid until the next
 * call), else to an absent span. */
bool merge_take(struct merge *merge, const struct event *event, struct span *ready);

/* Close the group and return its line, valid until the next call; absent if there is none. */
struct span merge_close(struct merge *merge);

void merge_free(struct merge *merge);

#endif
