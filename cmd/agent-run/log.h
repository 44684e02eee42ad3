/*
 * log: the files that agent-run appends its events to.
 */
#ifndef AGENT_RUN_LOG_H
#define AGENT_RUN_LOG_H

#include "base/buffer.h"

/* Open `path` for appending, made when it is not there; a line without its end (a crash left it) is
 * closed first. Failures end the program. */
int log_open(const char *path);

/* The same for a log that is read before it goes on, a regular file: it is locked against other
 * writers for as long as this process lives (one that is in use ends the program), a torn last line
 * is dropped with a message, and its text is appended to `text`. `must_exist`: it is not made. */
int log_open_session(const char *path, bool must_exist, struct buffer *text);

#endif
