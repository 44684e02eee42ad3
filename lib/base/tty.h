/*
 * tty: the terminal of a program: its width and colours, and the questions on it, which reach a
 * person however input and output are redirected.
 */
#ifndef BASE_TTY_H
#define BASE_TTY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

struct tty {
	int fd;   /* for reading (non-blocking) and writing; -1: closed */
	int lock; /* private */
};

enum { TTY_CLOSED = -1 };

/* Open the controlling terminal. Returns NULL, or the reason why the user cannot be asked: there is
 * no terminal, or another job has it. */
const char *tty_open(struct tty *tty);

/* Lock the terminal for a question, so that several programs (xargs -P, make -j) do not read each
 * other's answers. Returns false if another program holds the lock. */
bool tty_lock(struct tty *tty);

/* Append what starts a new line, wherever the cursor is. A live line at the cursor is overwritten.
 */
void tty_begin_line(int fd, struct buffer *out);

/* Close the terminal and release the lock. */
void tty_close(struct tty *tty);

/* Whether output to `fd` is coloured: `when` is "always", "never" or "auto" (a terminal that is not
 * dumb, and no NO_COLOR). */
bool tty_use_color(const char *when, int fd);

/* Whether `fd` is a terminal on which a line can be replaced: one that is not dumb. */
bool tty_can_redraw(int fd);

/* The size of the terminal at `fd`; zeros if it is no terminal or does not know. */
struct tty_size {
	size_t rows, columns;
};
struct tty_size tty_size(int fd);
size_t tty_columns(int fd);

#endif
