#include "loop/private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

/* A signal handler reaches nothing else. */
static volatile sig_atomic_t wake_fd = -1;

/* The index of SIGCHLD, after the signals that end a program. */
enum { CHILD = ENDING_SIGNALS };

static int signal_at(int which)
{
	return which == CHILD ? SIGCHLD : ending_signals[which];
}

static void send_byte(int fd, int signal)
{
	unsigned char byte = (unsigned char)signal;

	if (fd >= 0 && write(fd, &byte, 1) < 0) {
		/* The pipe is full, so the loop will wake up anyway. */
	}
}

static void handle(int signal)
{
	int saved = errno;

	send_byte(wake_fd, signal);
	errno = saved;
}

static void pipe_ready(void *context, int events)
{
	struct loop *loop = context;
	unsigned char got[64];
	ssize_t count = read(loop->signal_pipe[0], got, sizeof(got));

	(void)events;
	for (ssize_t i = 0; i < count; i++)
		if (got[i] == SIGCHLD)
			loop->reap = true;
		else if (loop->caught != NULL)
			loop->caught(loop->caught_context, got[i]);
		else
			send_byte(loop->outer_wake, got[i]);
}

static void open_pipe(struct loop *loop)
{
	if (loop->signal_pipe[0] >= 0)
		return;
	if (pipe(loop->signal_pipe) != 0)
		die(STATUS_FAILED, "cannot make a pipe: %s", strerror(errno));
	for (int i = 0; i < 2; i++) {
		fcntl(loop->signal_pipe[i], F_SETFD, FD_CLOEXEC);
		fcntl(loop->signal_pipe[i], F_SETFL, O_NONBLOCK);
	}
	loop->signal_watch = loop_fd_add(loop, loop->signal_pipe[0], LOOP_READ, pipe_ready, loop);
	loop->outer_wake = wake_fd;
	wake_fd = loop->signal_pipe[1];
}

static void install(struct loop *loop, int which)
{
	struct sigaction action = {.sa_handler = handle};
	sigset_t set;

	if (loop->installed[which])
		return;
	open_pipe(loop);
	if (which == CHILD)
		action.sa_flags = SA_RESTART | SA_NOCLDSTOP;
	sigaction(signal_at(which), &action, &loop->former[which]);
	loop->installed[which] = true;
	sigemptyset(&set);
	sigaddset(&set, signal_at(which));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void loop_catch_signals(struct loop *loop, void (*caught)(void *context, int signal), void *context)
{
	loop->caught = caught;
	loop->caught_context = context;
	for (int i = 0; i < ENDING_SIGNALS; i++)
		if (!signal_is_ignored(ending_signals[i]))
			install(loop, i);
}

void loop_take_signals(struct loop *loop)
{
	if (loop->signal_pipe[0] >= 0)
		pipe_ready(loop, 0);
}

void signals_watch_children(struct loop *loop)
{
	install(loop, CHILD);
}

void signals_free(struct loop *loop)
{
	for (int i = 0; i < LOOP_SIGNALS; i++)
		if (loop->installed[i])
			sigaction(signal_at(i), &loop->former[i], NULL);
	if (loop->signal_pipe[0] < 0)
		return;
	/* Pass what this loop has not handled to the outer one. */
	wake_fd = loop->outer_wake;
	loop->caught = NULL;
	pipe_ready(loop, 0);
	send_byte(loop->outer_wake, SIGCHLD);
	loop_fd_remove(loop->signal_watch);
	close(loop->signal_pipe[0]);
	close(loop->signal_pipe[1]);
}
