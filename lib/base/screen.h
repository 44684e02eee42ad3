/*
 * screen: a terminal on which several programs write, such as those of a pipeline.
 *
 * They agree by locks on bytes of the terminal's device (fcntl(2), F_OFD_SETLK), which end with the
 * program that holds them:
 *   0  somebody writes: held while something is written
 *   1  a line of text is open: the cursor is behind it
 *   2  a live line is drawn: the cursor is at its beginning (base/live_line.h)
 *   3  a question waits for an answer (base/tty.h)
 * Text that begins at a live line of another program replaces it, and the other program draws it
 * again when no line is open. Text that begins while another program has an open line begins on a
 * line of its own.
 */
#ifndef BASE_SCREEN_H
#define BASE_SCREEN_H

#include <stdbool.h>

#include "base/buffer.h"

enum screen_lock { SCREEN_WRITING, SCREEN_TEXT, SCREEN_LINE, SCREEN_QUESTION };

/* Open the device of the terminal `fd` (also of /dev/tty, which is one file for all terminals), for
 * the locks. Returns -1 if it is no pseudo terminal or cannot be opened; the functions below accept
 * that and change nothing. */
int screen_device(int fd);

/* Take a lock. Returns false if another program has it. */
bool screen_take(int device, enum screen_lock lock);
void screen_release(int device, enum screen_lock lock);

/* Whether another program has the lock. */
bool screen_is_taken(int device, enum screen_lock lock);

/* What a program writes to one descriptor. */
struct screen {
	int fd;
	int device;   /* -1: not a terminal, or not shared */
	bool in_line; /* its line of text is open */
};

void screen_open(struct screen *screen, int fd);
void screen_close(struct screen *screen);

/* Begin to write: take SCREEN_WRITING, waiting a little for others (`waits`), and append to `out`
 * what must precede the text. A program that does not get it writes all the same. */
void screen_begin(struct screen *screen, bool waits, struct buffer *out);

/* The text is written; `in_line`: it did not end with a newline. */
void screen_end(struct screen *screen, bool in_line);

/* Write text. Returns false with errno set if that failed. */
bool screen_write(struct screen *screen, struct span text);

/* The same for whole lines to a descriptor that may be a terminal. */
bool screen_write_lines(int fd, struct span lines);

#endif
