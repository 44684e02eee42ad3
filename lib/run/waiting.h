/*
 * waiting: messages about what a run waits for, so that nobody takes the wait for a hang.
 *
 * Each wait is reported once: on a terminal faintly and early, elsewhere after 10 seconds. A
 * question on the terminal is not disturbed. The messages go to the errors of the sink.
 */
#ifndef RUN_WAITING_H
#define RUN_WAITING_H

#include "base/buffer.h"
#include "loop/loop.h"

/* One wait. Zeroed: there is none. */
struct waiting {
	/* private */
	struct loop *loop;
	struct buffer *errors;
	struct loop_timer *timer;
	struct buffer before, after; /* of the message, around the time that is left */
	int64_t until;               /* clock_monotonic; 0: not known */
};

/* How long a wait may last before it is reported. */
struct waiting_limits {
	double on_terminal, elsewhere; /* seconds; negative: it is not reported there */
};
#define WAITING_ELSEWHERE 10.0

/* A wait of `seconds` (negative: nobody knows) begins. The message is `before`, ", again in N s"
 * if the time is known, and `after`. */
void waiting_begin(struct waiting *waiting, struct loop *loop, struct buffer *errors,
		   struct waiting_limits limits, double seconds, const char *before,
		   const char *after);

/* It is over; nothing happens if there is none. */
void waiting_end(struct waiting *waiting);

#endif
