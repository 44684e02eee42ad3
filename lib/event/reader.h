/*
 * reader: the lines of files, pipes and growing logs, in bounded memory.
 *
 *     struct reader *reader = reader_open(files, count, follow);
 *     while (reader_next(reader, &line, 0) == READER_LINE) ...
 *
 * All four readers (agent-filter, agent-text, agent-tools, agent-collect) read their input through
 * it, so that they handle files, "-", --follow, long lines and read errors in the same way.
 */
#ifndef EVENT_READER_H
#define EVENT_READER_H

#include <stdint.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/error.h"
#include "json/json.h"

struct reader;

enum reader_result {
	READER_LINE,    /* a line was read */
	READER_SKIPPED, /* a line was too long; it is skipped */
	READER_TIMEOUT, /* the deadline passed */
	READER_END,     /* all files have been read */
};

/* Read `count` files in order ("-": standard input); without files, standard input. The strings
 * are borrowed. With `follow`, wait at the end of a regular file for more lines, as tail -F does
 * (also if the file is truncated or replaced), until reader_stop_following is called; a file that
 * does not exist is waited for, with a message, if its folder exists. A file that cannot be read is
 * reported when it is opened, and sets reader_status. */
struct reader *reader_open(char *const *files, size_t count, bool follow);
void reader_close(struct reader *reader);

/* The name of the input that is the regular file `file`, into which the program would write; NULL:
 * none. */
const char *reader_find_input(const struct reader *reader, const struct stat *file);

/* Report nothing. */
void reader_set_quiet(struct reader *reader);

struct reader_callbacks {
	void (*before_wait)(void *context); /* the reader waits for input: flush output */
	void (*before_warn)(void *context); /* it prints a message: clear a live line */

	/* A file that is followed is at rest for `time` nanoseconds (0 the first time): all of it
	 * is read, and no process has locked it (as agent-run locks its log) or, on Linux, has it
	 * open for writing. */
	void (*at_rest)(void *context, int64_t time);
	void *context;
};

/* Functions may be NULL. */
void reader_set_callbacks(struct reader *reader, const struct reader_callbacks *callbacks);

/* Get the next line without its newline, valid until the next call. `deadline` is the
 * clock_monotonic time at which to return READER_TIMEOUT (0: never). Blank lines are skipped, a
 * byte order mark before the first line of a file, and with a message NUL bytes around a line. The
 * last line of a file needs no newline, unless the file is followed. Of a line longer than
 * EVENT_MAX_LINE, which is reported, only the beginning is stored. */
enum reader_result reader_next(struct reader *reader, struct span *line, int64_t deadline);

/* If NUL bytes were skipped before the last line, the beginning of the line before them (EVENT_HEAD
 * bytes or more; empty if there is no such line), valid until the next call of reader_next;
 * otherwise absent. */
struct span reader_line_before_nuls(const struct reader *reader);

/* Do not follow the current file beyond its end, because every run in it has ended. Holds until the
 * next line is read. */
void reader_stop_following(struct reader *reader);

/* Whether the last line had no newline. For tests. */
bool reader_line_is_torn(const struct reader *reader);

/* warn("FILE:LINE: sentence"), and set reader_status. Makes bytes from the input safe for
 * terminals. Does nothing if `reader` is NULL. */
void reader_warn(struct reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same for a text that is no fault: reader_status stays. */
void reader_report(struct reader *reader, struct span text);

/* Report the last line because it is not an event (event_read), and return the event at its end
 * (event_tail). Does not set reader_status: what was lost may be in a run that another one resumes
 * (runs_lose). */
struct span reader_skip(struct reader *reader, struct span line, const struct json_fault *fault);

/* Faults of neighbouring lines are reported as one message, when a line without such a fault comes
 * (reader_settle), before another message, before the reader waits, and at the end of a file. */
enum reader_fault {
	READER_NOT_EVENT, /* of reader_skip */
	READER_FAILURE,   /* of reader_add_failure: the program could not process the line */
};
void reader_settle(struct reader *reader, enum reader_fault kind);

/* As reader_warn, together with the same fault of neighbouring lines. */
void reader_add_failure(struct reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Set reader_status to STATUS_FAILED, unless it is set. */
void reader_fail(struct reader *reader);

/* Report the faults that wait. STATUS_OK; STATUS_FAILED if the input has faults; STATUS_USAGE if a
 * file could not be read. */
int reader_status(struct reader *reader);

#endif
