/*
 * error: errors of functions, exit statuses, and messages to the user.
 *
 * Messages go to stderr as "PROGRAM: one sentence". Library functions report failures through
 * struct error. Exceptions: no memory or pipe, the command line (base/option.h,
 * event/reader_main.h), standard output (base/file.h). Readers, batches and histories warn about
 * input that they skip.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

#include "base/span.h"

struct buffer;

/* The exit statuses of all programs, as in agent-events(5). */
enum status {
	STATUS_OK = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
	STATUS_LIMIT = 3,
	STATUS_INCOMPLETE = 4,
	STATUS_INVALID_OUTPUT = 5,
	STATUS_REFUSED = 6,
	STATUS_TIMEOUT = 124,
	/* 128 + N: ended by signal N */
};

/* An error: a sentence for the user and a word for programs. A zeroed struct means no error. */
struct error {
	char *message;    /* owned; free with error_clear */
	const char *kind; /* a literal such as "usage" or "network" */
};

/* Set `e`, replacing its contents, and return false, so that a function can `return
 * error_set(...)`. `e` may be NULL. */
bool error_set(struct error *e, const char *kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with kind "usage" for an error at byte `offset` of the file `source`, whose contents are
 * `text`. The sentence starts with "SOURCE:LINE: ". */
bool error_at(struct error *e, const char *source, struct span text, size_t offset,
	      const char *format, ...) __attribute__((format(printf, 5, 6)));
void error_clear(struct error *e);

/* The name of the running program, with which messages start. */
const char *program_name(void);

/* Write "PROGRAM: sentence\n" to stderr, and wait until stderr accepts it. */
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Append the line that warn() writes to `out`. While a loop runs, messages go to the buffer of its
 * sink (event/sink.h), because the loop must not wait. */
void warn_to(struct buffer *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Write a message like warn(), then exit with `status`. */
_Noreturn void die(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Exit with STATUS_USAGE and the message of `e`, unless `good`. */
void die_unless(bool good, const struct error *e);

#endif
