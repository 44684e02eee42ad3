/*
 * envelope: complete the envelopes of events that a translation makes or that are written by hand.
 */
#ifndef AGENT_FILTER_ENVELOPE_H
#define AGENT_FILTER_ENVELOPE_H

#include "base/ids.h"
#include "base/table.h"
#include "json/json.h"

struct envelopes {
	char run_id[UUID_SIZE]; /* of events that name none; a new one for each such run */
	bool by_hand;           /* an agent_end without seq is completed (totals.h) */
	/* private */
	struct table runs; /* the open runs, by their ids; both are owned */
};

void envelopes_begin(struct envelopes *envelopes);

/* Append the event `value` as a line: with its run_id, or that of the run without a name, the next
 * seq of this run, and its timestamp, or the present time. Other keys stay, except seq. Returns
 * false if `value` is not an object with a text event_type, or its data is not an object. */
bool envelopes_add(struct envelopes *envelopes, struct span value, struct buffer *line);

void envelopes_free(struct envelopes *envelopes);

#endif
