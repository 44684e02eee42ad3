/*
 * timers: a heap of moments, the next first; a thousand streams wait in it at once.
 */
#ifndef PROVIDER_TIMERS_H
#define PROVIDER_TIMERS_H

#include <stddef.h>
#include <stdint.h>

struct timer {
	int64_t due;     /* nanoseconds of the monotonic clock */
	size_t position; /* in the heap, from 1; 0: not set */
};

struct timers {
	struct timer **heap;
	size_t count, cap;
};

/* Set `timer` (again) for `due`. */
void timers_set(struct timers *timers, struct timer *timer, int64_t due);
void timers_clear(struct timers *timers, struct timer *timer); /* not set: nothing happens */

/* The one that is due first; NULL: none is set. */
struct timer *timers_first(const struct timers *timers);

void timers_free(struct timers *timers);

#endif
