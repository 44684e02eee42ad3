/*
 * result_file: a file that is replaced when its new contents are complete, or not at all.
 *
 * The contents are collected in a file without a name in the folder of FILE, which nobody sees if
 * the program is killed; where the system has no such files, in a hidden one. A pipe, a device or
 * standard output ("-", /dev/stdout) cannot be replaced and is written as it is. A symbolic link
 * stays; the file to which it leads is replaced or created.
 */
#ifndef BASE_RESULT_FILE_H
#define BASE_RESULT_FILE_H

#include <sys/stat.h>

#include "base/error.h"

struct result_file {
	const char *path; /* as it was given; NULL: not open */
	int fd;           /* for writing */
	/* private */
	char *target;    /* what is replaced; NULL: nothing, `fd` is the file itself */
	char *temporary; /* the name of the new file; it exists if `is_named` */
	bool is_named;
};

/* Open the file `path`, which is borrowed. Returns false and sets `e` to a sentence that names the
 * path if it could not be written. */
bool result_file_open(struct result_file *file, const char *path, struct error *e);

/* Whether nobody sees what is written before the file is replaced. */
bool result_file_is_hidden(const struct result_file *file);

/* Drop what was written behind the first `size` bytes; only if it is hidden. Returns false with
 * errno set if that failed. */
bool result_file_cut(struct result_file *file, size_t size);

/* Put the new contents in the place of the file, or drop them, and close it. A new file has the
 * permissions that the umask leaves, one that exists keeps its own. Returns false and sets `e` if
 * that failed: the file is unchanged then. */
bool result_file_replace(struct result_file *file, struct error *e);
void result_file_drop(struct result_file *file);

#endif
