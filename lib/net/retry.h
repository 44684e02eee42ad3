/*
 * retry: the policy for repeating failed requests. Pure functions; the run waits and counts.
 */
#ifndef NET_RETRY_H
#define NET_RETRY_H

#include <stdint.h>

#include "net/http.h"

/* Whether a request with this HTTP status can succeed when repeated: 408, 409, 429, 498 and 5xx. */
bool retry_status(int status);

/* The wait in seconds that the server requested with retry-after-ms or Retry-After (seconds or a
 * date, RFC 9110, section 10.2.3). Negative if it requested none. `now` is clock_realtime. */
double retry_after(const struct http_head *head, int64_t now);

/* The wait in seconds before repetition `attempt` (1: the first): `asked` if the server requested a
 * wait; otherwise 0.5 * 2^(attempt-1), at most 8, reduced by up to a quarter by `random` in [0, 1).
 */
double retry_wait(int attempt, double asked, double random);

/* The longest wait that a server can request. Beyond it the request fails permanently. */
enum { RETRY_MAX_WAIT_SECONDS = 120 };

#endif
