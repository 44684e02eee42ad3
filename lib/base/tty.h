/*
 * tty: the terminal of a program: its width and colours, and the questions on it, which reach a
 * person however input and output are redirected.
 */
#ifndef BASE_TTY_H
#define BASE_TTY_H

#include <stdbool.h>
#include <stddef.h>

struct tty {
	int fd;   /* for reading (non-blocking) and writing; -1: closed */
	int lock; /* private */
};

enum { TTY_CLOSED = -1 };

/* Open the controlling terminal. Returns NULL, or why nobody can be asked: there is none, or
 * another job has it. */
const char *tty_open(struct tty *tty);

/* Take the terminal for a question, so that several programs (xargs -P, make -j) do not take each
 * other's answers. False when another one has it. */
bool tty_lock(struct tty *tty);

/* Begin a line, wherever the cursor is; a live line below which the cursor waits is overwritten. */
void tty_begin_line(const struct tty *tty);

/* Whether a question stands on the terminal at `fd`, of this program or of another: it is no time
 * to draw there. */
bool tty_is_asked(int fd);

/* Close it, and give it to the next. */
void tty_close(struct tty *tty);

/* Whether output to `fd` is coloured: `when` is "always", "never" or "auto" (a terminal that is not
 * dumb, and no NO_COLOR). */
bool tty_use_color(const char *when, int fd);

/* The width of the terminal at `fd` in columns; 0 if it is no terminal. */
size_t tty_columns(int fd);

#endif
