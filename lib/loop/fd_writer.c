#define _DEFAULT_SOURCE /* FIONREAD */
#include "loop/fd_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the kinds ---- */

/* Open the file behind `fd` once more. Returns -1 if that is not possible. */
static int open_again(int fd)
{
	int access_mode = fcntl(fd, F_GETFL) & O_ACCMODE;
	char path[32];

	if (access_mode != O_WRONLY && access_mode != O_RDWR)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static void choose_kind(struct fd_writer *writer, int fd)
{
	struct stat info;
	int own;

	writer->fd = fd;
	writer->kind = FD_WRITER_POLLED;
	if (fstat(fd, &info) != 0)
		return;
	writer->is_pipe = S_ISFIFO(info.st_mode);
	if (S_ISREG(info.st_mode) || (S_ISCHR(info.st_mode) && !isatty(fd))) {
		writer->kind = FD_WRITER_DIRECT;
	} else if (S_ISSOCK(info.st_mode)) {
		writer->kind = FD_WRITER_SOCKET;
	} else if (writer->is_pipe || isatty(fd)) {
		own = open_again(fd);
		if (own < 0)
			return;
		writer->kind = FD_WRITER_OWN;
		writer->fd = own;
	}
}

/* ---- the loop ---- */

static void happened(void *context, int events)
{
	struct fd_writer *writer = context;
	bool gone = (events & LOOP_HANGUP) != 0;

	writer->full = false;
	if (gone) {
		loop_fd_remove(writer->watch);
		writer->watch = NULL;
	}
	writer->ready(writer->context, gone);
}

void fd_writer_open(struct fd_writer *writer, struct loop *loop, int fd,
		    void (*ready)(void *context, bool gone), void *context)
{
	*writer = (struct fd_writer){.fd = -1, .ready = ready, .context = context};
	if (fd < 0)
		return;
	choose_kind(writer, fd);
	if (writer->kind == FD_WRITER_DIRECT)
		return;
	writer->watch = loop_fd_add(loop, writer->fd, 0, happened, writer);
	/* A descriptor that cannot be watched does not wait. */
	if (writer->watch == NULL && writer->kind == FD_WRITER_POLLED)
		writer->kind = FD_WRITER_DIRECT;
}

void fd_writer_close(struct fd_writer *writer)
{
	loop_fd_remove(writer->watch);
	if (writer->kind == FD_WRITER_OWN)
		close(writer->fd);
	*writer = (struct fd_writer){.fd = -1};
}

/* ---- writing ---- */

/* The number of bytes of `text` to write at once. */
static size_t piece(const struct fd_writer *writer, struct span text)
{
	const char *newline;
	size_t size;

	if (writer->kind == FD_WRITER_DIRECT || text.len <= PIPE_BUF)
		return text.len;
	size = PIPE_BUF;
	while (size > 0 && text.at[size - 1] != '\n')
		size--;
	if (size > 0)
		return size;
	if (writer->kind == FD_WRITER_POLLED)
		return PIPE_BUF;
	newline = memchr(text.at, '\n', text.len);
	return newline != NULL ? (size_t)(newline - text.at) + 1 : text.len;
}

static bool takes_bytes(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLOUT};

	return poll(&wait, 1, 0) != 0;
}

/* Write with one system call. EAGAIN: the descriptor is full. */
static ssize_t write_piece(struct fd_writer *writer, struct span text)
{
	switch (writer->kind) {
	case FD_WRITER_SOCKET:
		return send(writer->fd, text.at, text.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	case FD_WRITER_POLLED:
		if (takes_bytes(writer->fd))
			break;
		errno = EAGAIN;
		return -1;
	case FD_WRITER_DIRECT:
	case FD_WRITER_OWN:
		break;
	}
	return write(writer->fd, text.at, text.len);
}

ssize_t fd_writer_write(struct fd_writer *writer, struct span text)
{
	struct span rest = text;

	if (writer->full)
		return 0;
	while (rest.len > 0) {
		ssize_t n = write_piece(writer, (struct span){rest.at, piece(writer, rest)});

		if (n > 0)
			rest = span_from(rest, (size_t)n);
		else if (n < 0 && errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)
			return -1;
		else if (n == 0 || errno != EINTR)
			break;
	}
	writer->full = rest.len > 0 && writer->watch != NULL;
	if (writer->watch != NULL)
		loop_fd_change(writer->watch, writer->full ? LOOP_WRITE : 0);
	return (ssize_t)(text.len - rest.len);
}

int fd_writer_unread(const struct fd_writer *writer)
{
	int unread = 0;

	if (!writer->is_pipe || ioctl(writer->fd, FIONREAD, &unread) != 0)
		return 0;
	return unread;
}
