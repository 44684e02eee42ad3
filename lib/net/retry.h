/*
 * retry: whether and when a failed request is worth sending again. Pure functions; who waits and
 * counts is the run.
 */
#ifndef NET_RETRY_H
#define NET_RETRY_H

#include <stdint.h>

#include "net/http.h"

/* Whether an HTTP status may pass when tried again: 408, 409, 429, 498 and 5xx. */
bool retry_status(int status);

/* Seconds that the server asked to wait, from retry-after-ms, then Retry-After (seconds, RFC 9110
 * section 10.2.3 dates); negative when it asked nothing. `now` is clock_realtime. */
double retry_after(const struct http_head *head, int64_t now);

/* Seconds to wait before attempt `attempt` (1: the first repetition): what the server asked, or
 * 0.5 * 2^(attempt-1), at most 8, less up to a quarter of it by `random` in [0, 1). */
double retry_wait(int attempt, double asked, double random);

/* Longest wait a server may ask for; beyond it the request fails for good. */
enum { RETRY_MAX_WAIT_SECONDS = 120 };

#endif
