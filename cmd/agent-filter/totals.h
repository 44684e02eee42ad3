/*
 * totals: what the events of a run that is written by hand add up to, to complete its agent_end.
 */
#ifndef AGENT_FILTER_TOTALS_H
#define AGENT_FILTER_TOTALS_H

#include "event/event.h"

/* Zeroed: a run without events. Free it with totals_free. */
struct totals {
	struct buffer text;        /* of the last response, as in a JSON string */
	bool is_over;              /* the response of `text` is complete */
	bool is_cut;               /* `text` is its beginning */
	struct buffer cost;        /* of the last progress: JSON */
	int64_t tokens;            /* the same; 0: unknown */
	int64_t usage[USAGE_KEYS]; /* the sums of the responses */
	int64_t iterations, calls;
	int64_t first_time; /* microseconds since 1970; 0: there was no event */
};

/* Take account of an event of the run. */
void totals_add(struct totals *totals, struct span type, struct span data, int64_t time);

/* Append the data of an agent_end. Where it says nothing (null, no text, no calls), it gets what
 * the events say. */
void totals_complete(const struct totals *totals, struct span data, int64_t time,
		     struct buffer *out);

void totals_free(struct totals *totals);

#endif
