/*
 * log_file: the files that agent-run appends its events to.
 */
#ifndef AGENT_RUN_LOG_FILE_H
#define AGENT_RUN_LOG_FILE_H

#include "base/buffer.h"

/* Exit if `path` is a regular file that is clearly no event log: it has text, but no event among
 * the first lines. */
void log_file_check(const char *path);

/* Open `path` for appending, and create it (mode 0600) if it does not exist. A last line without a
 * newline (left by a crash) gets one, or is removed if it is not complete, no other run is writing,
 * and `trims`: the caller has read and reported it. Exits on a failure, also if `path` is a FIFO
 * without a reader. */
int log_file_open(const char *path, bool trims);

/* Append to `text` what the session `path`, a regular file, contains, without a torn last line,
 * whose size is set in `torn`. Returns -1 if the file does not exist; otherwise it stays locked
 * against other writers until the returned descriptor is closed, and exits if another process has
 * locked it. `only_read`: always return -1, without locking. The file is not changed. */
int log_file_read(const char *path, bool only_read, struct buffer *text, size_t *torn);

/* Open the session that log_file_read has returned as `fd`, `text` and `torn` for appending: create
 * it if it did not exist, remove a torn last line with a message, and complete one that lacks only
 * its newline. */
int log_file_continue(int fd, const char *path, struct span text, size_t torn);

#endif
