#define _GNU_SOURCE /* pipe2 (POSIX.1-2024) */
#include "loop/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

extern char **environ;

/* A full pipe's worth. */
enum { READ_SIZE = 64 * 1024 };

/* Reads at a process's end, when its group is dead and what is left in the pipes is fetched. */
enum { DRAIN_READS = 16 };

/* Our end of one of the child's three pipes. */
struct channel {
	struct process *process;
	int fd; /* -1: closed */
	struct loop_fd *watch;
	void (*deliver)(void *context, struct span bytes);
};

struct process {
	struct loop *loop;
	struct process_handler handler;
	pid_t pid;
	bool shares_group;
	struct loop_child *child; /* NULL: has ended (or never began) */
	struct channel in, out, err;
	struct buffer input;
	size_t written; /* of the input */
	struct loop_timer *timer;
	struct process_end end;
	int64_t started;
	bool stopping;  /* TERM was sent */
	bool cancelled; /* no callback any more */
	bool busy;      /* a callback is running: free later */
	bool finished;
};

/* ---- the end ---- */

static void channel_close(struct channel *channel)
{
	loop_fd_remove(channel->watch);
	channel->watch = NULL;
	if (channel->fd >= 0)
		close(channel->fd);
	channel->fd = -1;
}

static void release(struct process *process)
{
	process->finished = true;
	if (process->busy)
		return;
	loop_timer_remove(process->timer);
	loop_child_remove(process->child);
	channel_close(&process->in);
	channel_close(&process->out);
	channel_close(&process->err);
	buffer_free(&process->input);
	free(process);
}

/* A child that shares our group must not be signalled any more once it is reaped. */
static void signal_group(const struct process *process, int signal)
{
	if (process->pid > 0 && !process->shares_group)
		kill(-process->pid, signal);
	else if (process->pid > 0 && process->child != NULL)
		kill(process->pid, signal);
}

/* Read once. Returns false when nothing is there (any more). */
static bool channel_read(struct channel *channel)
{
	struct process *process = channel->process;
	char bytes[READ_SIZE];
	ssize_t got;

	do
		got = read(channel->fd, bytes, sizeof(bytes));
	while (got < 0 && errno == EINTR);
	if (got < 0 && errno == EAGAIN)
		return false;
	if (got <= 0) {
		channel_close(channel);
		return false;
	}
	if (channel->deliver != NULL && !process->cancelled)
		channel->deliver(process->handler.context, (struct span){bytes, (size_t)got});
	return true;
}

static void channel_drain(struct channel *channel)
{
	for (int i = 0; i < DRAIN_READS && channel->fd >= 0; i++)
		if (!channel_read(channel) || channel->process->finished)
			break;
}

static void drain(struct process *process)
{
	process->busy = true;
	channel_drain(&process->out);
	channel_drain(&process->err);
	process->busy = false;
}

static void finish(struct process *process)
{
	drain(process);
	process->busy = true;
	process->end.seconds = (double)(clock_monotonic() - process->started) / 1e9;
	if (!process->cancelled)
		process->handler.done(process->handler.context, &process->end);
	process->busy = false;
	release(process);
}

static void finish_if_over(struct process *process)
{
	if (process->child == NULL && process->out.fd < 0 && process->err.fd < 0)
		finish(process);
}

static void lingered(void *context)
{
	struct process *process = context;

	process->timer = NULL;
	signal_group(process, SIGKILL);
	finish(process);
}

static void ended(void *context, int status)
{
	struct process *process = context;
	bool by_itself = process->end.outcome == PROCESS_EXITED;

	process->child = NULL;
	loop_timer_remove(process->timer);
	process->timer = NULL;
	channel_close(&process->in);
	if (by_itself && WIFSIGNALED(status))
		process->end.outcome = PROCESS_KILLED;
	process->end.value = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
	if (process->stopping)
		signal_group(process, SIGKILL);
	if (loop_is_held(process->loop) && !process->cancelled)
		drain(process); /* the pipes are not watched */
	if (process->cancelled || (process->out.fd < 0 && process->err.fd < 0))
		finish(process);
	else
		process->timer = loop_timer_add(
		    process->loop, clock_nanoseconds(PROCESS_LINGER_SECONDS), lingered, process);
}

/* ---- stopping ---- */

static void grace_over(void *context)
{
	struct process *process = context;

	process->timer = NULL;
	signal_group(process, SIGKILL);
}

/* A stopped process (one that tried to read the terminal) must go on to see TERM. */
static void stop(struct process *process, double grace)
{
	process->stopping = true;
	signal_group(process, SIGTERM);
	signal_group(process, SIGCONT);
	loop_timer_remove(process->timer);
	process->timer =
	    loop_timer_add(process->loop, clock_nanoseconds(grace), grace_over, process);
}

static void timed_out(void *context)
{
	struct process *process = context;

	process->timer = NULL;
	process->end.outcome = PROCESS_TIMED_OUT;
	stop(process, PROCESS_GRACE_SECONDS);
}

void process_stop(struct process *process)
{
	if (process == NULL || process->child == NULL || process->stopping)
		return;
	process->end.outcome = PROCESS_STOPPED;
	stop(process, PROCESS_GRACE_SECONDS);
}

void process_cancel(struct process *process, double grace)
{
	if (process == NULL)
		return;
	process->cancelled = true;
	if (process->child != NULL && grace > 0) {
		stop(process, grace);
		return;
	}
	signal_group(process, SIGKILL);
	if (process->child != NULL) {
		loop_child_remove(process->child);
		process->child = NULL;
		while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	release(process);
}

/* ---- what goes in and comes out ---- */

static void readable(void *context, int events)
{
	struct channel *channel = context;
	struct process *process = channel->process;

	(void)events;
	process->busy = true;
	channel_read(channel);
	process->busy = false;
	if (process->finished)
		release(process);
	else
		finish_if_over(process);
}

/* write, where a reader that is gone gives EPIPE and never a signal, however the program treats
 * SIGPIPE. */
static ssize_t write_quietly(int fd, struct span bytes)
{
	static const struct timespec now;
	sigset_t sigpipe, old, pending;
	ssize_t wrote;
	int error;

	sigemptyset(&sigpipe);
	sigaddset(&sigpipe, SIGPIPE);
	sigpending(&pending);
	sigprocmask(SIG_BLOCK, &sigpipe, &old);
	wrote = write(fd, bytes.at, bytes.len);
	error = errno;
	if (wrote < 0 && error == EPIPE && !sigismember(&pending, SIGPIPE))
		sigtimedwait(&sigpipe, NULL, &now);
	sigprocmask(SIG_SETMASK, &old, NULL);
	errno = error;
	return wrote;
}

/* Write what the pipe takes; at the end of the input, or when the child does not want it, close it.
 */
static void feed(struct process *process)
{
	while (process->written < process->input.len) {
		struct span rest = span_from(buffer_span(&process->input), process->written);
		ssize_t wrote = write_quietly(process->in.fd, rest);

		if (wrote < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (wrote < 0)
			break;
		process->written += (size_t)wrote;
	}
	channel_close(&process->in);
	buffer_free(&process->input);
}

static void writable(void *context, int events)
{
	struct channel *channel = context;

	(void)events;
	feed(channel->process);
}

/* ---- the beginning ---- */

/* The child's ends, which become its descriptors 0, 1, 2; -1: none. */
struct child_ends {
	int fd[3];
};

/* Move a descriptor above 2, where the child's own will not be in its way: a program may have been
 * started with stdin, stdout or stderr closed. */
static int above_standard(int fd)
{
	int moved;

	if (fd < 0 || fd > STDERR_FILENO)
		return fd;
	moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	close(fd);
	return moved;
}

/* A pipe of which our end (`ours`: 0 reads, 1 writes) does not block. */
static bool make_pipe(struct channel *channel, int ours, int *theirs)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return false;
	channel->fd = above_standard(fds[ours]);
	*theirs = above_standard(fds[1 - ours]);
	if (channel->fd < 0 || *theirs < 0)
		return false;
	return fcntl(channel->fd, F_SETFL, O_NONBLOCK) == 0;
}

static bool make_pipes(struct process *process, const struct process_command *command,
		       struct child_ends *ends)
{
	if (command->input.at != NULL && !make_pipe(&process->in, 1, &ends->fd[0]))
		return false;
	if (!make_pipe(&process->out, 0, &ends->fd[1]))
		return false;
	return process->handler.errors == NULL || make_pipe(&process->err, 0, &ends->fd[2]);
}

static void set_actions(posix_spawn_file_actions_t *actions, const struct child_ends *ends)
{
	posix_spawn_file_actions_init(actions);
	if (ends->fd[0] < 0)
		posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
	for (int i = 0; i < 3; i++)
		if (ends->fd[i] >= 0)
			posix_spawn_file_actions_adddup2(actions, ends->fd[i], i);
}

static void set_attributes(posix_spawnattr_t *attributes, bool own_group)
{
	int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
	sigset_t none, all;

	if (own_group)
		flags |= POSIX_SPAWN_SETPGROUP;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(attributes);
	posix_spawnattr_setflags(attributes, (short)flags);
	posix_spawnattr_setpgroup(attributes, 0);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &all);
}

/* Returns 0 or an errno. */
static int spawn(struct process *process, const struct process_command *command,
		 const struct child_ends *ends)
{
	char *const *environment = command->environment != NULL ? command->environment : environ;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int failure;

	set_actions(&actions, ends);
	set_attributes(&attributes, !command->shares_group);
	failure = posix_spawnp(&process->pid, command->argv[0], &actions, &attributes,
			       command->argv, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return failure;
}

static int start(struct process *process, const struct process_command *command)
{
	struct child_ends ends = {{-1, -1, -1}};
	int failure = 0;

	if (!make_pipes(process, command, &ends))
		failure = errno;
	/* While we still hold the reading end ourselves, most input fits into the pipe at once. */
	if (failure == 0 && process->in.fd >= 0)
		feed(process);
	if (failure == 0)
		failure = spawn(process, command, &ends);
	for (int i = 0; i < 3; i++)
		if (ends.fd[i] >= 0)
			close(ends.fd[i]);
	return failure;
}

static void watch(struct process *process, struct channel *channel, int events)
{
	if (channel->fd < 0)
		return;
	channel->watch = loop_fd_add(process->loop, channel->fd, events,
				     events == LOOP_WRITE ? writable : readable, channel);
	if (channel->watch == NULL)
		channel_close(channel);
}

static void could_not_start(void *context)
{
	struct process *process = context;

	process->timer = NULL;
	finish(process);
}

static void fail(struct process *process, int failure)
{
	process->pid = 0;
	process->end = (struct process_end){PROCESS_NOT_STARTED, failure, 0};
	channel_close(&process->in);
	channel_close(&process->out);
	channel_close(&process->err);
	process->timer = loop_timer_add(process->loop, 0, could_not_start, process);
}

struct process *process_start(struct loop *loop, const struct process_command *command,
			      const struct process_handler *handler)
{
	struct process *process = mem_zero(sizeof(*process));
	int failure;

	process->loop = loop;
	process->handler = *handler;
	process->shares_group = command->shares_group;
	process->started = clock_monotonic();
	process->in = (struct channel){.process = process, .fd = -1};
	process->out = (struct channel){.process = process, .fd = -1, .deliver = handler->output};
	process->err = (struct channel){.process = process, .fd = -1, .deliver = handler->errors};
	if (command->input.at != NULL)
		buffer_add_span(&process->input, command->input);
	failure = start(process, command);
	if (failure != 0) {
		fail(process, failure);
		return process;
	}
	process->child = loop_child_add(loop, process->pid, ended, process);
	watch(process, &process->in, LOOP_WRITE);
	watch(process, &process->out, LOOP_READ | LOOP_SOURCE);
	watch(process, &process->err, LOOP_READ | LOOP_SOURCE);
	if (command->timeout > 0)
		process->timer =
		    loop_timer_add(loop, clock_nanoseconds(command->timeout), timed_out, process);
	return process;
}

/* ---- telling ---- */

static const char *start_failure(int failure)
{
	if (failure == ENOEXEC)
		return "it is not a program for this machine, or a script without a #! line";
	return strerror(failure);
}

void process_describe_end(struct buffer *out, const struct process_end *end, double timeout)
{
	switch (end->outcome) {
	case PROCESS_EXITED:
		buffer_add_format(out, "exit status %d", end->value);
		break;
	case PROCESS_KILLED:
		buffer_add_format(out, "killed by signal %d (%s)", end->value,
				  strsignal(end->value));
		break;
	case PROCESS_TIMED_OUT:
		buffer_add_format(out, "timed out after %g second%s", timeout,
				  timeout == 1 ? "" : "s");
		break;
	case PROCESS_STOPPED:
		buffer_add_text(out, "cancelled");
		break;
	case PROCESS_NOT_STARTED:
		buffer_add_format(out, "cannot be started: %s", start_failure(end->value));
		break;
	}
}
