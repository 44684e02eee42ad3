/*
 * keep_alive: comments in a text/event-stream while nothing else is written, so that proxies and
 * browsers do not take the connection for dead.
 */
#ifndef EVENT_KEEP_ALIVE_H
#define EVENT_KEEP_ALIVE_H

#include <stdint.h>

#include "base/buffer.h"

/* Zeroed except for `seconds`. */
struct keep_alive {
	double seconds; /* 0: no comments */
	int64_t due;    /* private: the clock_monotonic time of the next comment */
};

/* Something was written. */
void keep_alive_written(struct keep_alive *alive);

/* Append a comment if it is due. Returns the clock_monotonic time of the next one; 0: never. */
int64_t keep_alive_add(struct keep_alive *alive, struct buffer *out);

#endif
