/*
 * merge: --debounce, neighbouring chunks of one run, kind and tool call as one event.
 *
 * The merged event has the timestamp of the first piece and the seq of the last one; the texts are
 * joined as they are written, escapes included. Chunks which differ in anything else are not
 * merged. A chunk without neighbours passes byte for byte.
 */
#ifndef AGENT_FILTER_MERGE_H
#define AGENT_FILTER_MERGE_H

#include "event/event.h"

/* Zeroed but for `seconds`: empty. */
struct merge {
	double seconds;
	int64_t due; /* clock_monotonic when the group is to be shown; 0: there is none */
	/* private */
	struct buffer first, text,
	    line; /* the first piece's line; the joined text; the merged line */
	int64_t seq;
	size_t pieces;
};

/* Take an event in. Returns false when it cannot be merged: merge_close, then pass it on. `ready`
 * is set to the line of a group that this event's arrival has closed (valid until the next call),
 * else to an absent span. */
bool merge_take(struct merge *merge, const struct event *event, struct span *ready);

/* Close the group; its line, absent when there is none (valid until the next call). */
struct span merge_close(struct merge *merge);

void merge_free(struct merge *merge);

#endif
