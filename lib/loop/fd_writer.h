/*
 * fd_writer: write to a descriptor that this process has inherited, such as standard output,
 * without ever waiting for its reader.
 *
 * O_NONBLOCK is never set on the inherited descriptor: the flag belongs to the open file
 * description, which other processes share. Instead
 *   - a pipe, a FIFO or a terminal is opened once more (/proc/self/fd/N), which gives a description
 *     of our own, with O_NONBLOCK. A write of up to PIPE_BUF bytes to it is done at once or not at
 *     all (pipe(7)), and costs no other system call;
 *   - a socket is written to by send with MSG_DONTWAIT;
 *   - what cannot be opened again (no /proc, a pipe of another user) is asked by poll before each
 *     piece of at most PIPE_BUF bytes, because POLLOUT of a pipe promises room for PIPE_BUF only. A
 *     terminal promises less, so there a write may still wait;
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
	int fd;                /* what is written to; -1: nothing */
	bool opened;           /* by us: fd_writer_close closes it */
	bool full;             /* it took less than was offered; `ready` tells when it takes more */
	bool is_pipe;          /* a pipe or FIFO */
	struct loop_fd *watch; /* NULL: it cannot be watched, or the reader is gone */
	void (*ready)(void *context, bool gone);
	void *context;
};

/* Write to `fd`, which the caller closes after fd_writer_close. `ready` is called by the loop when
 * a full descriptor takes bytes again, and with `gone`, once, when its reader has gone. */
void fd_writer_open(struct fd_writer *writer, struct loop *loop, int fd,
		    void (*ready)(void *context, bool gone), void *context);
void fd_writer_close(struct fd_writer *writer);

/* Write as much of `text` as the descriptor takes now, and return its length. -1 with errno when it
 * fails. Text goes out in pieces of whole lines, at most PIPE_BUF bytes each, so that a line that
 * fits into PIPE_BUF is never split on a pipe; a longer line goes out by itself. A full descriptor
 * takes nothing, at no cost, until `ready` was called. */
ssize_t fd_writer_write(struct fd_writer *writer, struct span text);

/* How many bytes in a pipe its reader has not read yet; 0 when that is not known. */
int fd_writer_unread(const struct fd_writer *writer);

#endif
