#define _DEFAULT_SOURCE /* flock */
#include "log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "event/event.h"

/* A log is private: it contains prompts and the results of tools. */
enum { FILE_MODE = 0600 };

/* How often a FIFO is opened whose reader may just have been started, and a file is locked. */
enum { TRIES = 200, SESSION_TRIES = 5, PAUSE_MS = 10 };

/* A FIFO is opened for writing only, so that writing fails when its reader leaves. */
static int open_fifo(const char *path)
{
	int fd = -1;

	for (int i = 0; i < TRIES && fd < 0; i++) {
		fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0 && errno != ENXIO)
			break;
		if (fd < 0)
			poll(NULL, 0, PAUSE_MS);
	}
	if (fd < 0 && errno == ENXIO)
		die(STATUS_USAGE, "%s: no process reads this pipe; start its reader first", path);
	return fd;
}

static int open_file(const char *path)
{
	struct stat info;
	int fd;

	if (stat(path, &info) == 0 && S_ISFIFO(info.st_mode))
		fd = open_fifo(path);
	else
		fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, FILE_MODE);
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

/* Try to lock the file: a process that repairs a log locks it exclusively for a moment, and so does
 * a reader with --follow, to see whether it is locked. */
static bool try_lock(int fd, int kind, int tries)
{
	while (flock(fd, kind | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK || --tries == 0)
			return false;
		poll(NULL, 0, PAUSE_MS);
	}
	return true;
}

/* Many runs may append to a log at once, but none to a session that is in use. A file that cannot
 * be locked cannot be a session. */
static void share(int fd, const char *path)
{
	if (!try_lock(fd, LOCK_SH, TRIES) && errno == EWOULDBLOCK)
		refuse(path);
}

static void lock(int fd, const char *path)
{
	if (!try_lock(fd, LOCK_EX, SESSION_TRIES))
		refuse(path);
}

/* The length of `text` without a torn last line. A line that lacks only its newline is complete. */
static size_t complete_length(struct span text)
{
	size_t start = text.len, nuls = 0;

	while (start > 0 && text.at[start - 1] != '\n')
		start--;
	return json_check(event_trim(span_from(text, start), &nuls), NULL) ? text.len : start;
}

static void trim_last_line(int fd, const char *path)
{
	struct buffer text = {0};
	struct error e = {0};
	size_t complete;

	die_unless(file_read(path, &text, &e), &e);
	complete = complete_length(buffer_span(&text));
	if (complete == text.len)
		close_line(fd, path);
	else if (ftruncate(fd, (off_t)complete) != 0)
		die(STATUS_FAILED, "%s: %s", path, strerror(errno));
	buffer_free(&text);
}

int log_file_open(const char *path, bool trims)
{
	int fd = open_file(path);

	share(fd, path);
	/* The last line is torn, unless another run is writing it just now. */
	if (is_torn(fd)) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0 && is_torn(fd))
			(trims ? trim_last_line : close_line)(fd, path);
		share(fd, path);
	}
	return fd;
}

/* ---- contents ---- */

/* Whether a line is an event, or what a crash left of one. */
static bool is_event(struct span line, bool torn)
{
	const struct span start = SPAN("{\"event_type\":\"");
	struct event event;

	if (torn && line.len < start.len)
		return memcmp(line.at, start.at, line.len) == 0;
	return span_starts(line, start.at) ||
	       (event_read(line, &event, NULL) && event.type_name.len > 0);
}

void log_file_check(const char *path)
{
	enum { CHECKED = 64 * 1024 };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool has_text = false, has_event = false, torn;
	struct buffer text = {0};
	struct span rest, line;
	struct stat info;
	ssize_t n = 0;

	buffer_reserve(&text, CHECKED);
	if (fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode))
		n = read(fd, text.at, CHECKED);
	text.len = n > 0 ? (size_t)n : 0;
	for (rest = span_skip_mark(buffer_span(&text)); span_next_line(&rest, &line, &torn);) {
		size_t nuls = 0;

		line = event_trim(line, &nuls);
		has_text = has_text || line.len > 0;
		has_event = has_event || (line.len > 0 && is_event(line, torn));
	}
	if (has_text && !has_event)
		die(STATUS_USAGE, "%s: is no event log, so that events are not appended to it",
		    path);
	buffer_free(&text);
	if (fd >= 0)
		close(fd);
}

/* ---- sessions ---- */

int log_file_read(const char *path, bool only_read, struct buffer *text, size_t *torn)
{
	int fd = open(path, (only_read ? O_RDONLY : O_RDWR | O_APPEND) | O_CLOEXEC);
	struct error e = {0};

	if (fd < 0 && errno != ENOENT)
		die(STATUS_USAGE, "%s: %s", path, strerror(errno));
	if (fd < 0)
		return -1;
	if (!only_read)
		lock(fd, path);
	die_unless(file_read(path, text, &e), &e);
	*torn = text->len - complete_length(buffer_span(text));
	text->len -= *torn;
	if (!only_read)
		return fd;
	if (*torn > 0)
		warn("%s: the last line is incomplete; its %zu bytes are ignored", path, *torn);
	close(fd);
	return -1;
}

int log_file_continue(int fd, const char *path, struct span text, size_t torn)
{
	bool is_new = fd < 0;
	off_t size;

	if (is_new) {
		fd = open_file(path);
		lock(fd, path);
	}
	size = lseek(fd, 0, SEEK_END);
	if (is_new && size > 0)
		die(STATUS_USAGE, "%s: another agent-run has just written it; try again", path);
	if (torn > 0) {
		warn("%s: the last line is incomplete; its %zu bytes are removed", path, torn);
		if (ftruncate(fd, size - (off_t)torn) != 0)
			die(STATUS_FAILED, "%s: %s", path, strerror(errno));
	}
	if (text.len > 0 && text.at[text.len - 1] != '\n')
		close_line(fd, path);
	return fd;
}
