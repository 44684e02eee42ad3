/*
 * live_line: a line at the bottom of a terminal that shows what is going on.
 *
 * The cursor stays at the beginning of the line, so that a question (base/tty.h) replaces it. The
 * line is taken off the screen before anything else is written there. Where another program has an
 * open line of text, a live line or a question (base/screen.h), no line is drawn.
 */
#ifndef BASE_LIVE_LINE_H
#define BASE_LIVE_LINE_H

#include <stdint.h>

#include "base/screen.h"

/* Drawn at most this often, in nanoseconds. */
#define LIVE_LINE_NS INT64_C(100000000)

struct live_line {
	struct screen screen; /* a terminal; opened by live_line_open */
	const char *style;    /* an escape sequence that begins the line's style; NULL: none */
	bool changed;         /* set by the owner: the line should say something else */
	bool drawn;           /* it is on the screen */
	int64_t drawn_at;     /* private: clock_monotonic; 0: never */
};

/* `style`: see above. */
void live_line_open(struct live_line *line, int fd, const char *style);
void live_line_close(struct live_line *line);

/* Whether to draw now: LIVE_LINE_NS after the last time if the line has changed or is not on the
 * screen, else after `tick` nanoseconds; not while another program needs the place. Sets *next to
 * when to ask again (clock_monotonic). */
bool live_line_is_due(struct live_line *line, int64_t tick, int64_t *next);

/* Write `above` in place of the line, and the line with `text`, cut to the width of the terminal,
 * below it (none if `text` is empty). A question on the terminal stays: `above` goes below it, and
 * the line is not drawn. `in_line`: `above` does not end with a newline. Returns false with errno
 * set if writing failed. */
bool live_line_write(struct live_line *line, struct span above, bool in_line, struct span text);

/* Append to `screen` what live_line_write writes. The caller writes it to the terminal. */
void live_line_add(struct live_line *line, struct span above, struct span text,
		   struct buffer *screen);

/* Take the line off the screen. */
void live_line_clear(struct live_line *line);

/* From now on a signal that ends the program (base/signals.h, and SIGPIPE) takes the line off
 * first. `fd` is standard output or standard error. */
void live_line_clear_at_signals(const struct live_line *line);

#endif
