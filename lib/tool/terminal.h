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

/* Close it, and give it to the next. */
void terminal_close(struct terminal *terminal);

#endif
