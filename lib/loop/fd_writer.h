/*
 * fd_writer: write to an inherited descriptor, such as standard output, without waiting for its
 * reader.
 *
 * O_NONBLOCK is never set on the inherited descriptor: the flag belongs to the open file
 * description, which other processes share. Instead
 *   - a pipe, a FIFO or a terminal is opened once more (/proc/self/fd/N), which creates a separate
 *     description with O_NONBLOCK. A write of up to PIPE_BUF bytes to it is done completely or not
 *     at all (pipe(7)), and needs no other system call;
 *   - send with MSG_DONTWAIT writes to a socket;
 *   - if a descriptor cannot be opened again (no /proc, a pipe of another user), poll is called
 *     before each piece of at most PIPE_BUF bytes, because POLLOUT of a pipe promises room for
 *     PIPE_BUF bytes only. A terminal promises less, so a write to it may still wait;
 *   - a regular file or a device such as /dev/null is always ready, and written directly.
 */
#ifndef LOOP_FD_WRITER_H
#define LOOP_FD_WRITER_H

#include <sys/types.h>

#include "base/span.h"
#include "loop/loop.h"

enum fd_writer_kind { FD_WRITER_DIRECT, FD_WRITER_OWN, FD_WRITER_SOCKET, FD_WRITER_POLLED };

struct fd_writer {
	enum fd_writer_kind kind;
	int fd;       /* FD_WRITER_OWN: opened by us; -1: none */
	bool full;    /* it has accepted only a part; `ready` is called when it accepts more */
	bool is_pipe; /* a pipe or FIFO */
	struct loop_fd *watch; /* NULL: it cannot be watched, or its reader has closed it */
	void (*ready)(void *context, bool gone);
	void *context;
};

/* Write to `fd`, which the caller closes after fd_writer_close. -1: nothing is written. The loop
 * calls `ready` when a full descriptor accepts bytes again, and once with `gone` when its reader
 * has closed it. */
void fd_writer_open(struct fd_writer *writer, struct loop *loop, int fd,
		    void (*ready)(void *context, bool gone), void *context);
void fd_writer_close(struct fd_writer *writer);

/* Write as much of `text` as the descriptor accepts now, and return its length, or -1 with errno.
 * Text goes out in pieces of whole lines, at most PIPE_BUF bytes each, so that a line that fits
 * into PIPE_BUF is never split on a pipe; a longer line is written by itself. Returns 0 without a
 * system call if the descriptor is full, until `ready` was called. */
ssize_t fd_writer_write(struct fd_writer *writer, struct span text);

/* The number of bytes in a pipe that its reader has not read yet; 0 if it is not known. */
int fd_writer_unread(const struct fd_writer *writer);

#endif
