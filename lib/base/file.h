/*
 * file: whole files, whole writes, and where this installation keeps its data.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buffer.h"
#include "base/message.h"

/* Append the whole of `path` ("-": standard input) to `out`. On failure returns false and fills `e`
 * with a sentence that names the path. */
bool file_read(const char *path, struct buffer *out, struct error *e);

/* Write all of `text` to `fd`, also when it is a pipe that takes less at a time or is non-blocking.
 * Returns false with errno set (EPIPE: the reader is gone). EINTR is retried. */
bool write_all(int fd, struct span text);

/* The path of a data file of this installation ("providers.json", "tools", "report.html"), which
 * the caller frees: $AGENT_SHARE/NAME when that variable is set, else NAME in share/agent beside
 * the program's bin folder or, when it runs from a build tree, in the tree's own share/agent, else
 * in the prefix that was compiled in. Returns a path even when nothing is there. */
char *share_path(const char *name);

/* The path of the user's own file NAME, which the caller frees: $XDG_CONFIG_HOME/agent/NAME, else
 * $HOME/.config/agent/NAME; NULL when neither variable is set. */
char *config_path(const char *name);

/* `folder` and `name` joined by a slash (`name` alone when it is absolute or `folder` is empty). */
char *path_join(const char *folder, const char *name);

#endif
