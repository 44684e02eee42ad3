/*
 * reader: the lines of files, pipes and growing logs, one after the other, in bounded memory.
 *
 *     struct reader *reader = reader_open(files, count, follow);
 *     while (reader_next(reader, &line)) ...
 *
 * All four readers (agent-filter, agent-text, agent-tools, agent-collect) take their input from
 * here, so that they treat files, "-", --follow, over-long lines and read errors alike.
 */
#ifndef EVENT_READER_H
#define EVENT_READER_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/message.h"
#include "json/json.h"

struct reader;

enum reader_result {
	READER_LINE,    /* a line was read */
	READER_TIMEOUT, /* the deadline passed with nothing to read */
	READER_END,     /* all files are read */
};

/* Read `count` files in order ("-": standard input); none: standard input. With `follow`, wait at
 * the end of a file for more, as tail -f does (also over truncation and replacement), until
 * reader_stop_following is called. The strings are borrowed. A file that cannot be opened is warned
 * about when its turn comes, and reader_status tells. */
struct reader *reader_open(char *const *files, size_t count, bool follow);

/* The next line, without its newline; valid until the next call. Blank lines are skipped, and a
 * byte order mark before a file's first line is left out. Before it waits for input it calls the
 * `before_wait` function, if one is set: the place to flush output. `deadline` is a clock_monotonic
 * time after which to return READER_TIMEOUT (0: none). A last line without a newline is delivered
 * at the end (of a file that is not followed). A line longer than EVENT_MAX_LINE is warned about
 * with its number, skipped, and counted as malformed. */
enum reader_result reader_next(struct reader *reader, struct span *line, int64_t deadline);

void reader_before_wait(struct reader *reader, void (*before_wait)(void *context), void *context);

/* Call `before_warn` before anything is said on standard error: the place to take a live line off
 * the screen. */
void reader_before_warn(struct reader *reader, void (*before_warn)(void *context), void *context);

/* The end of the current file is to be taken as its end, as every run in it has ended. Holds until
 * the next line is read. */
void reader_stop_following(struct reader *reader);

/* Whether the line last returned ended without a newline: a torn write or the end of the file. */
bool reader_line_is_torn(const struct reader *reader);

/* warn("FILE:LINE: sentence"), and remember that input was malformed. What came from the input is
 * made safe for terminals. A reader that is NULL says nothing. */
void reader_warn(struct reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same for a line that is no event (event_read) and is skipped because of it. */
void reader_warn_skipped(struct reader *reader, const struct json_fault *fault);

/* STATUS_OK, STATUS_FAILED when a line was malformed, STATUS_USAGE when a file could not be read.
 */
int reader_status(const struct reader *reader);

void reader_close(struct reader *reader);

#endif
