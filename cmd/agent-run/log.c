#define _DEFAULT_SOURCE /* flock */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "json/json.h"

static int open_file(const char *path, int flags)
{
	int fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC | flags, 0666);

	if (fd < 0)
		die(STATUS_USAGE, "%s: %s", path, strerror(errno));
	return fd;
}

static void close_line(int fd, const char *path)
{
	if (!write_all(fd, SPAN("\n")))
		die(STATUS_FAILED, "%s: %s", path, strerror(errno));
}

/* Many runs may append to a log (LOCK_SH), but only one to a session (LOCK_EX): it goes on from
 * what the file holds. */
static void lock(int fd, const char *path, int how)
{
	if (flock(fd, how | LOCK_NB) == 0)
		return;
	if (errno == EWOULDBLOCK)
		die(STATUS_USAGE,
		    "%s: another agent-run is writing to it; wait for it, or use another file",
		    path);
	if (how == LOCK_EX)
		die(STATUS_USAGE, "%s: %s", path, strerror(errno));
}

int log_open(const char *path)
{
	int fd = open_file(path, O_CREAT);
	off_t size;
	char last;

	lock(fd, path, LOCK_SH);
	size = lseek(fd, 0, SEEK_END);
	if (size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n')
		close_line(fd, path);
	return fd;
}

/* The last line has no end: it is whole but for that, or it is torn. */
static void mend(int fd, const char *path, struct buffer *text)
{
	size_t start = text->len;

	if (text->len == 0 || text->at[text->len - 1] == '\n')
		return;
	while (start > 0 && text->at[start - 1] != '\n')
		start--;
	if (json_check((struct span){text->at + start, text->len - start}, NULL)) {
		close_line(fd, path);
		return;
	}
	warn("%s: the last line is torn; its %zu bytes are dropped", path, text->len - start);
	text->len = start;
	if (ftruncate(fd, (off_t)start) != 0)
		die(STATUS_FAILED, "%s: %s", path, strerror(errno));
}

int log_open_session(const char *path, bool must_exist, struct buffer *text)
{
	int fd = open_file(path, must_exist ? 0 : O_CREAT);
	struct error e = {0};

	lock(fd, path, LOCK_EX);
	if (!file_read(path, text, &e))
		die(STATUS_USAGE, "%s", e.message);
	mend(fd, path, text);
	return fd;
}
