/*
 * file: reading complete files, complete writes, also to standard output, and the paths of the data
 * files.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <sys/stat.h>

#include "base/buffer.h"
#include "base/error.h"

/* Append the complete file `path` ("-": standard input) to `out`, without the byte order mark that
 * some editors write at the beginning. It reads a pipe to its end, and
 * so must not be called while a loop runs. On failure returns false and sets `e` to a sentence that
 * names the path. */
bool file_read(const char *path, struct buffer *out, struct error *e);

/* Write all of `text` to `fd`, also to a non-blocking descriptor or a pipe that accepts less at a
 * time. Returns false with errno set (EPIPE: the reader closed the pipe). Retries after EINTR. */
bool write_all(int fd, struct span text);

/* Whether these are the same file, also under two names. */
static inline bool file_is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Whether the file `path` ("-": standard input) is `other`. */
bool file_is(const char *path, const struct stat *other);

/* ---- standard output, which must be written completely or the program fails ---- */

/* Write `out` to standard output and clear it. If the pipe is closed the program ends quietly, with
 * the status of SIGPIPE; any other failure ends it with a message and STATUS_FAILED. */
void stdout_write(struct buffer *out);

/* End the program because writing to standard output failed: errno says how, as above. */
_Noreturn void stdout_fail(void);

/* ---- paths ---- */

/* The path of a data file of this installation ("providers.json", "tools", "report.html"); the
 * caller frees it. The path is $AGENT_SHARE/NAME if that variable is set. Otherwise it is NAME in
 * share/agent next to the program's bin folder or, if the program runs from a build tree, in
 * share/agent of that tree; otherwise in the prefix that was compiled in. Returns a path even if
 * the file does not exist. */
char *share_path(const char *name);

/* The path of the user's file NAME: $XDG_CONFIG_HOME/agent/NAME, else $HOME/.config/agent/NAME. The
 * caller frees it. Returns NULL if neither variable is set. */
char *config_path(const char *name);

/* The folder of `path` with its slash, "" for the current one. The caller frees it. */
char *path_folder(const char *path);

/* Join `folder` and `name` with a slash. Returns `name` alone if it is absolute or if `folder` is
 * empty. A "./" at the beginning of `name` is left out. */
char *path_join(const char *folder, const char *name);

#endif
