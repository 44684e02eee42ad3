#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/screen.h"

#ifndef SHARE_DIR
#define SHARE_DIR "/usr/local/share/agent"
#endif

enum { READ_SIZE = 64 * 1024 };

bool file_read(const char *path, struct buffer *out, struct error *e)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	size_t start = out->len;
	struct span text;
	ssize_t n = -1;

	if (fd < 0)
		return error_set(e, "usage", "%s: %s", path, strerror(errno));
	do {
		buffer_reserve(out, READ_SIZE);
		n = read(fd, out->at + out->len, READ_SIZE);
		if (n > 0)
			out->len += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0)
		error_set(e, "usage", "%s: %s", is_stdin ? "standard input" : path,
			  strerror(errno));
	if (!is_stdin)
		close(fd);
	text = span_skip_mark(span_from(buffer_span(out), start));
	if (out->len > start + text.len) {
		memmove(out->at + start, text.at, text.len);
		out->len = start + text.len;
	}
	return n == 0;
}

bool write_all(int fd, struct span text)
{
	while (text.len > 0) {
		ssize_t n = write(fd, text.at, text.len);

		if (n >= 0) {
			text = span_from(text, (size_t)n);
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			struct pollfd wait = {.fd = fd, .events = POLLOUT};

			poll(&wait, 1, -1);
		} else if (errno != EINTR) {
			return false;
		}
	}
	return true;
}

bool file_is(const char *path, const struct stat *other)
{
	bool is_stdin = strcmp(path, "-") == 0;
	struct stat file;

	return (is_stdin ? fstat(STDIN_FILENO, &file) : stat(path, &file)) == 0 &&
	       file_is_same(&file, other);
}

/* ---- standard output ---- */

void stdout_fail(void)
{
	if (errno == EPIPE)
		_exit(128 + SIGPIPE);
	die(STATUS_FAILED, "standard output: %s", strerror(errno));
}

void stdout_write(struct buffer *out)
{
	if (out->len > 0 && !screen_write_lines(STDOUT_FILENO, buffer_span(out)))
		stdout_fail();
	buffer_clear(out);
}

/* ---- paths ---- */

char *path_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash != NULL ? (size_t)(slash - path) + 1 : 0;

	return mem_copy((struct span){path, len});
}

char *path_join(const char *folder, const char *name)
{
	struct buffer path = {0};

	if (name[0] != '/' && folder[0] != '\0') {
		name += strncmp(name, "./", 2) == 0 ? 2 : 0;
		buffer_add_text(&path, folder);
		if (!span_ends(buffer_span(&path), "/"))
			buffer_add_char(&path, '/');
	}
	buffer_add_text(&path, name);
	return buffer_take(&path);
}

/* The folder of the running program, or NULL if it is unknown. */
static char *program_folder(void)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path));

	if (len <= 0 || (size_t)len >= sizeof(path))
		return NULL;
	while (len > 0 && path[len - 1] != '/')
		len--;
	return mem_copy((struct span){path, (size_t)len});
}

char *share_path(const char *name)
{
	const char *set = getenv("AGENT_SHARE");
	char *folder, *root = NULL, *path;

	if (set != NULL && set[0] != '\0')
		return path_join(set, name);
	folder = program_folder();
	if (folder != NULL) {
		root = path_join(folder, "../share/agent");
		if (access(root, R_OK) != 0) {
			free(root);
			root = NULL;
		}
		free(folder);
	}
	path = path_join(root != NULL ? root : SHARE_DIR, name);
	free(root);
	return path;
}

char *config_path(const char *name)
{
	const char *home = getenv("XDG_CONFIG_HOME");
	char *base, *folder, *path;

	if (home != NULL && home[0] == '/') {
		base = mem_copy(span_of(home));
	} else {
		home = getenv("HOME");
		if (home == NULL || home[0] == '\0')
			return NULL;
		base = path_join(home, ".config");
	}
	folder = path_join(base, "agent");
	path = path_join(folder, name);
	free(folder);
	free(base);
	return path;
}
