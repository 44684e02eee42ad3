/*
 * clock: monotonic and real time, and timestamps of events.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#include "base/buffer.h"

/* Monotonic time in nanoseconds, for durations and timers. */
int64_t clock_monotonic(void);

/* Convert seconds to nanoseconds. The result is at most thirty years, so that it can be added to a
 * time without overflow. */
int64_t clock_nanoseconds(double seconds);

/* Seconds with microseconds: further digits say nothing. */
double clock_round(double seconds);

/* Microseconds since 1970-01-01 UTC. */
int64_t clock_realtime(void);

/* Append `microseconds` since 1970 as RFC 3339 in UTC: 2026-11-20T22:49:01.123456Z (27 bytes). */
void clock_add_timestamp(struct buffer *out, int64_t microseconds);

/* The same, faster for consecutive times: the text of the last second is cached. A zeroed struct is
 * valid. */
struct clock_stamp {
	int64_t second;
	char text[20]; /* 2026-11-20T22:49:01. */
	bool valid;
};
void clock_stamp_add(struct clock_stamp *stamp, struct buffer *out, int64_t microseconds);

/* Parse an RFC 3339 timestamp. Returns microseconds since 1970, or -1 if `text` is not a timestamp.
 * Accepts any number of fractional digits and numeric offsets. */
int64_t clock_parse_timestamp(struct span text);

#endif
