/*
 * message: what a program says to its user, and how it ends.
 *
 * Messages go to stderr as "PROGRAM: one sentence". Only cmd/ decides to exit; a library reports a
 * failure through struct error (the one exception is running out of memory).
 */
#ifndef BASE_MESSAGE_H
#define BASE_MESSAGE_H

#include <stdarg.h>
#include <stdbool.h>

#include "base/span.h"

/* Exit statuses common to all programs; the table in agent-events(5). */
enum status {
	STATUS_OK = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
	STATUS_LIMIT = 3,
	STATUS_INCOMPLETE = 4,
	STATUS_INVALID_OUTPUT = 5,
	STATUS_REFUSED = 6,
	STATUS_TIMEOUT = 124,
	STATUS_INTERRUPTED = 130,
	STATUS_TERMINATED = 143,
};

/* One sentence for a person, one word for a program. Zeroed: no error. */
struct error {
	char *message;    /* owned; free with error_clear */
	const char *kind; /* a literal such as "usage" or "network" */
};

/* Fill `e` (replacing what was there; NULL is allowed) and return false, so that a function can
 * `return error_set(...)`. */
bool error_set(struct error *e, const char *kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same, kind "usage", for what stands at byte `offset` of the file `source`, whose text is
 * `text`: "SOURCE:LINE: sentence". */
bool error_at(struct error *e, const char *source, struct span text, size_t offset,
	      const char *format, ...) __attribute__((format(printf, 5, 6)));
void error_clear(struct error *e);

/* The name of the running program, as messages begin with. */
const char *program_name(void);

/* Write "PROGRAM: sentence\n" to stderr, by one write. */
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* warn, then exit with `status`. */
_Noreturn void die(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
