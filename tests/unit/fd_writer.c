/* fd_writer: writing to pipes, sockets and files without waiting for their readers. */
#define _GNU_SOURCE /* F_SETPIPE_SZ */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/fd_writer.h"

enum { LINES = 20000 };

struct writing {
	struct loop *loop;
	struct fd_writer writer;
	struct span rest;
	struct buffer received;
	int reader;
	bool gone;
};

/* Write what the descriptor takes; close it at the end. */
static void go_on(struct writing *writing, int *fd)
{
	ssize_t n = fd_writer_write(&writing->writer, writing->rest);

	if (n > 0)
		writing->rest = span_from(writing->rest, (size_t)n);
	if (writing->rest.len > 0 || *fd < 0)
		return;
	fd_writer_close(&writing->writer);
	close(*fd);
	*fd = -1;
}

static int output;

static void ready(void *context, bool gone)
{
	struct writing *writing = context;

	writing->gone = gone;
	if (gone)
		loop_stop(writing->loop);
	else
		go_on(writing, &output);
}

static void readable(void *context, int events)
{
	struct writing *writing = context;
	char bytes[5000];
	ssize_t got = read(writing->reader, bytes, sizeof(bytes));

	(void)events;
	if (got > 0)
		buffer_add(&writing->received, bytes, (size_t)got);
	else
		loop_stop(writing->loop);
}

/* Everything that is written to ends[1] arrives at ends[0]. */
static void transfer(int ends[2], const char *what)
{
	struct writing writing = {.loop = loop_new(), .reader = ends[0]};
	struct buffer text = {0};
	struct loop_fd *watch;

	for (int i = 0; i < LINES; i++)
		buffer_add_format(&text, "line %d\n", i);
	output = ends[1];
	writing.rest = buffer_span(&text);
	fd_writer_open(&writing.writer, writing.loop, output, ready, &writing);
	go_on(&writing, &output);
	unit_ok(writing.writer.full && writing.rest.len > 0, "%s: a write does not wait", what);
	unit_ok(fd_writer_write(&writing.writer, SPAN("x")) == 0, "%s: it is full", what);
	unit_ok((fcntl(ends[1], F_GETFL) & O_NONBLOCK) == 0, "%s: it stays blocking", what);
	watch = loop_fd_add(writing.loop, ends[0], LOOP_READ, readable, &writing);
	loop_run(writing.loop);
	unit_ok(span_equal(buffer_span(&writing.received), buffer_span(&text)),
		"%s: everything arrives", what);
	loop_fd_remove(watch);
	close(ends[0]);
	loop_free(writing.loop);
	buffer_free(&text);
	buffer_free(&writing.received);
}

static void test_gone(void)
{
	struct writing writing = {.loop = loop_new()};
	int ends[2];

	if (pipe(ends) != 0)
		exit(2);
	fd_writer_open(&writing.writer, writing.loop, ends[1], ready, &writing);
	unit_ok(fd_writer_write(&writing.writer, SPAN("abc\n")) == 4 &&
		    fd_writer_unread(&writing.writer) == 4,
		"the unread bytes of a pipe are known");
	close(ends[0]);
	loop_run(writing.loop);
	unit_ok(writing.gone, "a reader that closes its end is reported");
	unit_ok(fd_writer_write(&writing.writer, SPAN("x\n")) < 0, "and writing fails");
	fd_writer_close(&writing.writer);
	close(ends[1]);
	loop_free(writing.loop);
}

static void test_device(void)
{
	struct writing writing = {.loop = loop_new()};
	int fd = open("/dev/null", O_WRONLY);

	fd_writer_open(&writing.writer, writing.loop, fd, ready, &writing);
	unit_ok(writing.writer.kind == FD_WRITER_DIRECT && writing.writer.watch == NULL,
		"/dev/null is written directly");
	unit_ok(fd_writer_write(&writing.writer, SPAN("x\n")) == 2, "and takes everything");
	fd_writer_close(&writing.writer);
	close(fd);
	loop_free(writing.loop);
}

int main(void)
{
	int ends[2];

	signal(SIGPIPE, SIG_IGN);
	if (pipe(ends) != 0)
		return 2;
	transfer(ends, "pipe");
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		return 2;
	transfer(ends, "socket");
	test_gone();
	test_device();
	return unit_done();
}
