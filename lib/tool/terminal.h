/*
 * terminal: where a person can be asked, however input and output are redirected.
 */
#ifndef TOOL_TERMINAL_H
#define TOOL_TERMINAL_H

#include <stdbool.h>

struct terminal {
	int fd;   /* for reading (non-blocking) and writing; -1: closed */
	int lock; /* private */
};

enum { TERMINAL_CLOSED = -1 };

/* Open the controlling terminal. Returns NULL, or why nobody can be asked: there is none, or
 * another job has it. */
const char *terminal_open(struct terminal *terminal);

/* Take the terminal for a question, so that several programs (xargs -P, make -j) do not take each
 * other's answers. False when another one has it. */
bool terminal_lock(struct terminal *terminal);

/* Begin a line, wherever the cursor is; a live line below which the cursor waits is overwritten. */
void terminal_begin_line(const struct terminal *terminal);

/* Whether a question stands on the terminal at `fd`, of this program or of another: it is no time
 * to draw there. */
bool terminal_is_asked(int fd);

/* Close it, and give it to the next. */
void terminal_close(struct terminal *terminal);

#endif
