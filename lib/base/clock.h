/*
 * clock: the two clocks, and time as the events write it.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#include "base/buffer.h"

/* Nanoseconds that only go forward, for durations and timers. */
int64_t clock_monotonic(void);

/* `seconds` in nanoseconds. What is longer than thirty years lasts that long, so that it can be
 * added to a time. */
int64_t clock_nanoseconds(double seconds);

/* Microseconds since 1970-01-01 UTC. */
int64_t clock_realtime(void);

/* Append `microseconds` since 1970 as RFC 3339 in UTC: 2026-11-20T22:49:01.123456Z (27 bytes). */
void clock_add_timestamp(struct buffer *out, int64_t microseconds);

/* The time an RFC 3339 timestamp names, in microseconds since 1970; -1 if it is none. Accepts any
 * number of fractional digits and numeric offsets. */
int64_t clock_parse_timestamp(struct span text);

#endif
