#define _DEFAULT_SOURCE /* flock */
#include "log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "json/json.h"

/* A FIFO that has a reader is opened for writing only, so that writing fails when the reader
 * leaves. Without a reader it is opened for both (open_file), which does not wait for one. */
static int open_fifo(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK);
}

static int open_file(const char *path, int flags)
{
	struct stat info;
	int fd = -1;

	if (stat(path, &info) == 0 && S_ISFIFO(info.st_mode))
		fd = open_fifo(path);
	if (fd < 0)
		fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC | flags, 0666);
	if (fd < 0)
		die(STATUS_USAGE, "%s: %s", path, strerror(errno));
	return fd;
}

static void close_line(int fd, const char *path)
{
	if (!write_all(fd, SPAN("\n")))
		die(STATUS_FAILED, "%s: %s", path, strerror(errno));
}

static bool is_torn(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char last;

	return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

static _Noreturn void refuse(const char *path)
{
	if (errno == EWOULDBLOCK)
		die(STATUS_USAGE,
		    "%s: another agent-run is writing to it; wait for it, or use another file",
		    path);
	die(STATUS_USAGE, "%s: %s", path, strerror(errno));
}

/* Many runs may append to a log at once, but none to a session that is in use. A process that
 * repairs a log locks it exclusively for a moment. A file that cannot be locked cannot be a
 * session. */
static void share(int fd, const char *path)
{
	enum { TRIES = 100, PAUSE_MS = 10 };

	for (int i = 1; flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK; i++) {
		if (i == TRIES)
			refuse(path);
		poll(NULL, 0, PAUSE_MS);
	}
}

int log_file_open(const char *path)
{
	int fd = open_file(path, O_CREAT);

	share(fd, path);
	/* The last line is torn, unless another run is writing it just now. */
	if (is_torn(fd)) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0 && is_torn(fd))
			close_line(fd, path);
		share(fd, path);
	}
	return fd;
}

/* Complete a last line that lacks only its newline, or drop a torn one. */
static void mend(int fd, const char *path, struct buffer *text)
{
	off_t end = lseek(fd, 0, SEEK_END);
	size_t start = text->len, torn;

	if (text->len == 0 || text->at[text->len - 1] == '\n')
		return;
	while (start > 0 && text->at[start - 1] != '\n')
		start--;
	if (json_check((struct span){text->at + start, text->len - start}, NULL)) {
		close_line(fd, path);
		return;
	}
	torn = text->len - start;
	warn("%s: the last line is incomplete; its %zu bytes are removed", path, torn);
	text->len = start;
	if (ftruncate(fd, end - (off_t)torn) != 0)
		die(STATUS_FAILED, "%s: %s", path, strerror(errno));
}

/* Reading a pipe would wait for its end, which does not come while this process has it open. */
static void refuse_pipe(int fd, const char *path, bool resume)
{
	struct stat info;

	if (fstat(fd, &info) == 0 &&
	    (S_ISREG(info.st_mode) || (S_ISCHR(info.st_mode) && !isatty(fd))))
		return;
	die(STATUS_USAGE,
	    resume ? "%s: only a run in a regular file can be resumed"
		   : "%s: a session must be a regular file",
	    path);
}

int log_file_open_session(const char *path, bool must_exist, struct buffer *text)
{
	int fd = open_file(path, must_exist ? 0 : O_CREAT);
	struct error e = {0};

	refuse_pipe(fd, path, must_exist);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		refuse(path);
	die_unless(file_read(path, text, &e), &e);
	mend(fd, path, text);
	return fd;
}
