/*
 * calls: the tool calls that are open, found by run and id.
 *
 * A call is open from the first event that names it to its tool_end. Of calls that have ended, some
 * thousand are remembered by a hash, to recognise a second tool_end.
 */
#ifndef AGENT_TOOLS_CALLS_H
#define AGENT_TOOLS_CALLS_H

#include "event/runs.h"

struct call {
	const struct run *run;
	struct buffer key;  /* tool_call_id as JSON; of a call without one, its name */
	struct buffer name; /* text */
	struct buffer args; /* JSON; empty when nobody needs them or they are not known */
	int64_t iteration;  /* -1: not said */
	int64_t log_time;   /* of tool_start, microseconds since 1970; -1: not said */
	int64_t seen_at;    /* clock_monotonic when tool_start was read */
	bool running;       /* tool_start was read */
	/* Calls of one name that are open at the same time are numbered. */
	unsigned number;
	bool overlaps;

	struct call *next, *previous; /* in order of appearance */
	struct call_link {
		struct call *next, **at;
	} by_key, by_name; /* in the buckets */
};

struct calls;

struct calls *calls_new(void);

/* The key of the call that an event is about, appended to `key`. */
void calls_key(const struct event *event, struct buffer *key);

/* The open call; NULL: there is none. */
struct call *calls_find(const struct calls *calls, const struct run *run, struct span key);

/* Open a call. */
struct call *calls_open(struct calls *calls, const struct run *run, struct span key,
			struct span name);

/* The call is over: forget all but that it has ended. */
void calls_close(struct calls *calls, struct call *call);

/* Whether a call that was closed lately had this key. */
bool calls_was_closed(const struct calls *calls, const struct run *run, struct span key);

/* The open calls in order of appearance: pass NULL first; NULL after the last. */
struct call *calls_next(const struct calls *calls, const struct call *call);

void calls_free(struct calls *calls);

#endif
