/*
 * log_file: the files that agent-run appends its events to.
 */
#ifndef AGENT_RUN_LOG_FILE_H
#define AGENT_RUN_LOG_FILE_H

#include "base/buffer.h"

/* Open `path` for appending, and create it if it does not exist. A last line without a newline
 * (left by a crash) gets one. Exits on a failure. */
int log_file_open(const char *path);

/* The same for a log that is read first, a regular file. It is locked against other writers until
 * this process ends; exits if another process has locked it. A torn last line is dropped with a
 * message. The contents are appended to `text`. `must_exist`: the file is not created. */
int log_file_open_session(const char *path, bool must_exist, struct buffer *text);

#endif
