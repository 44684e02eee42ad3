#define _GNU_SOURCE /* O_TMPFILE */
#include "base/result_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"

static bool fail(const struct result_file *file, struct error *e)
{
	return error_set(e, "usage", "%s: %s", file->path, strerror(errno));
}

/* Open what cannot be replaced. */
static bool open_as_it_is(struct result_file *file, bool is_output, struct error *e)
{
	file->fd = is_output ? STDOUT_FILENO : open(file->path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	return file->fd >= 0 || fail(file, e);
}

/* .NAME.PID in the folder of the target. */
static char *temporary_name(const char *target, const char *folder)
{
	struct buffer name = {0};

	buffer_add_format(&name, "%s.%s.%ld", folder, target + strlen(folder), (long)getpid());
	return buffer_take(&name);
}

/* The path to which symbolic links lead, also if there is no file yet. Returns NULL with errno set
 * if there are too many. */
static char *follow_links(const char *path)
{
	enum { MAX_LINKS = 40 };
	char *at = mem_copy(span_of(path)), text[PATH_MAX];

	for (int i = 0; i < MAX_LINKS; i++) {
		ssize_t len = readlink(at, text, sizeof(text));
		struct buffer next = {0};

		if (len < 0)
			return at;
		if (text[0] != '/') {
			char *folder = path_folder(at);

			buffer_add_text(&next, folder);
			free(folder);
		}
		buffer_add(&next, text, (size_t)len);
		free(at);
		at = buffer_take(&next);
	}
	free(at);
	errno = ELOOP;
	return NULL;
}

/* Open a new file in the folder of the target. A file without a name gets one by /proc. */
static bool open_new(struct result_file *file, struct error *e)
{
	char *folder = path_folder(file->target);

	file->temporary = temporary_name(file->target, folder);
	file->fd = -1;
	if (access("/proc/self/fd", F_OK) == 0)
		file->fd =
		    open(folder[0] != '\0' ? folder : ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
	if (file->fd < 0) {
		unlink(file->temporary);
		file->fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		file->is_named = file->fd >= 0;
	}
	free(folder);
	if (file->fd < 0 && (errno == EACCES || errno == EPERM || errno == EROFS))
		return error_set(e, "usage", "%s: its folder must be writable: %s", file->path,
				 strerror(errno));
	return file->fd >= 0 || fail(file, e);
}

bool result_file_open(struct result_file *file, const char *path, struct error *e)
{
	struct stat info, output;
	bool exists = stat(path, &info) == 0;
	bool is_output = strcmp(path, "-") == 0 || (exists && fstat(STDOUT_FILENO, &output) == 0 &&
						    file_is_same(&info, &output));

	*file = (struct result_file){.path = path, .fd = -1};
	if (exists && S_ISDIR(info.st_mode))
		return error_set(e, "usage", "%s: is a directory", path);
	if (is_output || (exists && !S_ISREG(info.st_mode)))
		return open_as_it_is(file, is_output, e);
	if (exists && access(path, W_OK) != 0)
		return fail(file, e);
	file->target = follow_links(path);
	if (file->target == NULL)
		return fail(file, e);
	if (!open_new(file, e)) {
		result_file_drop(file);
		return false;
	}
	if (exists)
		fchmod(file->fd, info.st_mode & 0777);
	return true;
}

bool result_file_is_hidden(const struct result_file *file)
{
	return file->target != NULL;
}

bool result_file_cut(struct result_file *file, size_t size)
{
	return ftruncate(file->fd, (off_t)size) == 0 && lseek(file->fd, (off_t)size, SEEK_SET) >= 0;
}

/* Give the new file its temporary name. A process that was killed may have left one. */
static bool name_it(struct result_file *file)
{
	char path[32];

	if (file->is_named)
		return true;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file->fd);
	unlink(file->temporary);
	file->is_named = linkat(AT_FDCWD, path, AT_FDCWD, file->temporary, AT_SYMLINK_FOLLOW) == 0;
	return file->is_named;
}

bool result_file_replace(struct result_file *file, struct error *e)
{
	bool good = true;

	if (file->target != NULL) {
		good = fsync(file->fd) == 0 && name_it(file) &&
		       rename(file->temporary, file->target) == 0;
		file->is_named = file->is_named && !good;
	}
	if (!good)
		fail(file, e);
	result_file_drop(file);
	return good;
}

void result_file_drop(struct result_file *file)
{
	if (file->is_named)
		unlink(file->temporary);
	if (file->fd > STDERR_FILENO)
		close(file->fd);
	free(file->target);
	free(file->temporary);
	*file = (struct result_file){.fd = -1};
}
