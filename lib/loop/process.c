#define _GNU_SOURCE /* pipe2 (POSIX.1-2024) */
#include "loop/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "loop/descendants.h"

extern char **environ;

/* The capacity of a pipe. */
enum { READ_SIZE = 64 * 1024 };

/* The maximum number of reads from a pipe when the child has ended. */
enum { DRAIN_READS = 16 };

/* A program that cannot be started for want of descriptors or processes is tried again after each
 * RETRY_SECONDS, and while no other process runs for PATIENCE_SECONDS at most. */
#define RETRY_SECONDS    0.02
#define PATIENCE_SECONDS 1.0

/* A pipe that is a standard file of the child. */
struct channel {
	struct process *process;
	int fd;     /* our end; -1: closed */
	int theirs; /* the child's end; -1: closed */
	struct loop_fd *watch;
	void (*deliver)(void *context, struct span bytes);
};

enum { IN, OUT, ERR, CHANNELS };

struct process {
	struct loop *loop;
	struct process_handler handler;
	pid_t pid; /* 0: it could not be started */
	bool shares_group;
	struct loop_child *child;          /* NULL: it does not run */
	struct channel channels[CHANNELS]; /* indexed by the child's descriptor */
	struct buffer input;
	size_t written; /* of the input */
	struct loop_timer *timer;
	void (*due)(struct process *process); /* what the timer calls */
	struct process_end end;
	int64_t started, last_output; /* the latter: loop_source_time */
	double timeout, idle_timeout;
	struct loop_timer *idle_timer;
	bool has_input;
	char **argv, **environment; /* while it waits to be started; NULL */
	bool stopping;              /* TERM was sent */
	bool cancelled;             /* no more callbacks */
	bool busy;                  /* a callback is running: free later */
	bool finished;
};

static void timer_off(void *context)
{
	struct process *process = context;

	process->timer = NULL;
	process->due(process);
}

static void set_timer(struct process *process, double seconds, void (*due)(struct process *process))
{
	loop_timer_remove(process->timer);
	process->due = due;
	process->timer =
	    loop_timer_add(process->loop, clock_nanoseconds(seconds), timer_off, process);
}

/* ---- the end ---- */

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void channel_close(struct channel *channel)
{
	loop_fd_remove(channel->watch);
	channel->watch = NULL;
	close_end(&channel->fd);
}

static void free_waiting(struct process *process)
{
	free(process->argv);
	free(process->environment);
	process->argv = process->environment = NULL;
}

static void release(struct process *process)
{
	process->finished = true;
	if (process->busy)
		return;
	loop_timer_remove(process->timer);
	loop_timer_remove(process->idle_timer);
	loop_child_remove(process->child);
	for (int i = 0; i < CHANNELS; i++)
		channel_close(&process->channels[i]);
	buffer_free(&process->input);
	free_waiting(process);
	free(process);
}

/* Signal the child, its descendants and its session. A child that shares our group must not be
 * signalled any more once it is reaped. */
static void signal_all(const struct process *process, int signal)
{
	if (process->pid > 0 && (!process->shares_group || process->child != NULL))
		descendants_signal(&(struct descendants){.root = process->pid}, signal);
}

/* Read once. Returns false if there are no bytes (any more). */
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
	process->last_output = loop_source_time(process->loop);
	if (channel->deliver != NULL && !process->cancelled)
		channel->deliver(process->handler.context, (struct span){bytes, (size_t)got});
	return true;
}

/* Read what is left in the pipes. */
static void drain(struct process *process)
{
	process->busy = true;
	for (int i = OUT; i <= ERR; i++)
		for (int reads = 0; reads < DRAIN_READS && !process->finished; reads++)
			if (process->channels[i].fd < 0 || !channel_read(&process->channels[i]))
				break;
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

static bool is_over(const struct process *process)
{
	return process->child == NULL && process->channels[OUT].fd < 0 &&
	       process->channels[ERR].fd < 0;
}

/* Background processes hold the output. What else the child has left running goes on. */
static void lingered(struct process *process)
{
	const int pipes[] = {process->channels[OUT].fd, process->channels[ERR].fd};
	const struct descendants holders = {.pipes = pipes, .pipe_count = ARRAY_LEN(pipes)};

	process->end.held = true;
	if (descendants_signal(&holders, SIGTERM) == 0)
		signal_all(process, SIGTERM);
	finish(process);
}

/* The pipes are drained here too because they are not watched while the loop is held. */
static void ended(void *context, int status)
{
	struct process *process = context;

	process->child = NULL;
	channel_close(&process->channels[IN]);
	if (WIFSIGNALED(status) && process->end.outcome == PROCESS_EXITED)
		process->end.outcome = PROCESS_KILLED;
	process->end.value = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
	if (process->stopping)
		signal_all(process, SIGKILL);
	drain(process);
	if (process->cancelled || is_over(process))
		finish(process);
	else
		set_timer(process, PROCESS_LINGER_SECONDS, lingered);
}

/* ---- stopping ---- */

static void grace_over(struct process *process)
{
	signal_all(process, SIGKILL);
}

static void stop(struct process *process, double grace)
{
	process->stopping = true;
	signal_all(process, SIGTERM);
	set_timer(process, grace, grace_over);
}

static void stop_at_limit(struct process *process, enum process_outcome outcome, double limit)
{
	process->end.outcome = outcome;
	process->end.limit = limit;
	stop(process, LOOP_GRACE_SECONDS);
}

static void timed_out(struct process *process)
{
	stop_at_limit(process, PROCESS_TIMED_OUT, process->timeout);
}

/* Output only stores the time; the timer compares it when it is due. */
static void idle_off(void *context)
{
	struct process *process = context;
	int64_t left = process->last_output + clock_nanoseconds(process->idle_timeout) -
		       loop_source_time(process->loop);

	process->idle_timer = NULL;
	if (process->stopping || process->child == NULL)
		return;
	if (left > 0)
		process->idle_timer = loop_source_timer_add(process->loop, left, idle_off, process);
	else
		stop_at_limit(process, PROCESS_IDLE, process->idle_timeout);
}

void process_stop(struct process *process)
{
	if (process == NULL || process->stopping ||
	    (process->child == NULL && process->argv == NULL))
		return;
	process->end.outcome = PROCESS_STOPPED;
	if (process->child == NULL) {
		free_waiting(process);
		set_timer(process, 0, finish);
		return;
	}
	stop(process, LOOP_GRACE_SECONDS);
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
	signal_all(process, SIGKILL);
	if (process->child != NULL) {
		loop_child_remove(process->child);
		process->child = NULL;
		while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	release(process);
}

/* ---- input and output ---- */

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
	else if (is_over(process))
		finish(process);
}

/* Write as much input as the pipe takes. Close the pipe at the end of the input, or if the child
 * has closed it. */
static void feed(struct process *process)
{
	struct channel *in = &process->channels[IN];

	while (process->written < process->input.len) {
		struct span rest = span_from(buffer_span(&process->input), process->written);
		ssize_t wrote = write(in->fd, rest.at, rest.len);

		if (wrote < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (wrote < 0)
			break;
		process->written += (size_t)wrote;
	}
	channel_close(in);
	buffer_free(&process->input);
}

static void writable(void *context, int events)
{
	(void)events;
	feed(((struct channel *)context)->process);
}

/* ---- the beginning ---- */

/* Move a descriptor above 2, so that the child's standard files do not overwrite it: a program may
 * have been started with stdin, stdout or stderr closed. */
static int above_standard(int fd)
{
	int moved;

	if (fd < 0 || fd > STDERR_FILENO)
		return fd;
	moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	close(fd);
	return moved;
}

/* Make a pipe of which our end (`ours`: 0 reads, 1 writes) does not block. Returns false with
 * errno. */
static bool channel_open(struct channel *channel, int ours)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return false;
	channel->fd = above_standard(fds[ours]);
	channel->theirs = above_standard(fds[1 - ours]);
	return channel->fd >= 0 && channel->theirs >= 0 &&
	       fcntl(channel->fd, F_SETFL, O_NONBLOCK) == 0;
}

static void set_actions(posix_spawn_file_actions_t *actions, const struct channel *channels)
{
	posix_spawn_file_actions_init(actions);
	if (channels[IN].theirs < 0)
		posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	for (int i = 0; i < CHANNELS; i++)
		if (channels[i].theirs >= 0)
			posix_spawn_file_actions_adddup2(actions, channels[i].theirs, i);
	posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
}

static void set_attributes(posix_spawnattr_t *attributes, bool own_session)
{
	int flags =
	    POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | (own_session ? POSIX_SPAWN_SETSID : 0);
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(attributes);
	posix_spawnattr_setflags(attributes, (short)flags);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &all);
}

/* Returns 0 or an errno. */
static int spawn(struct process *process, char *const *argv, char *const *environment)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int failure;

	set_actions(&actions, process->channels);
	set_attributes(&attributes, !process->shares_group);
	failure = posix_spawnp(&process->pid, argv[0], &actions, &attributes, argv,
			       environment != NULL ? environment : environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	if (failure != 0)
		process->pid = 0;
	return failure;
}

/* Make the pipes and start the child. Returns 0 or an errno. */
static int start(struct process *process, char *const *argv, char *const *environment)
{
	const bool wanted[CHANNELS] = {process->has_input, true, process->handler.errors != NULL};
	int failure = 0;

	for (int i = 0; i < CHANNELS && failure == 0; i++)
		if (wanted[i] && !channel_open(&process->channels[i], i == IN))
			failure = errno;
	if (failure == 0)
		failure = spawn(process, argv, environment);
	/* While we still hold the reading end ourselves, most input fits into the pipe at once. */
	if (failure == 0 && wanted[IN])
		feed(process);
	for (int i = 0; i < CHANNELS; i++) {
		close_end(&process->channels[i].theirs);
		if (failure != 0)
			channel_close(&process->channels[i]);
	}
	return failure;
}

static void watch(struct process *process)
{
	for (int i = 0; i < CHANNELS; i++) {
		struct channel *channel = &process->channels[i];

		if (channel->fd < 0)
			continue;
		channel->watch = loop_fd_add(process->loop, channel->fd,
					     i == IN ? LOOP_WRITE : LOOP_READ | LOOP_SOURCE,
					     i == IN ? writable : readable, channel);
		if (channel->watch == NULL)
			channel_close(channel);
	}
}

/* The child runs, since `started`. */
static void begin(struct process *process, int64_t started)
{
	free_waiting(process);
	process->started = started;
	process->last_output = loop_source_time(process->loop);
	process->child = loop_child_add(process->loop, process->pid, ended, process);
	watch(process);
	if (process->timeout > 0)
		set_timer(process, process->timeout, timed_out);
	if (process->idle_timeout > 0)
		process->idle_timer = loop_source_timer_add(
		    process->loop, clock_nanoseconds(process->idle_timeout), idle_off, process);
}

/* ---- waiting for descriptors and processes ---- */

static bool is_shortage(int failure)
{
	return failure == EMFILE || failure == ENFILE || failure == EAGAIN || failure == ENOMEM;
}

static void fail(struct process *process, int failure)
{
	free_waiting(process);
	process->end = (struct process_end){.outcome = PROCESS_NOT_STARTED, .value = failure};
	set_timer(process, 0, finish);
}

/* Other processes of ours may end and give back what is missing; if there are none, other programs
 * may. */
static void try_again(struct process *process)
{
	int64_t now = clock_monotonic(), waited = now - process->started;
	int failure = start(process, process->argv, process->environment);

	if (failure == 0)
		begin(process, now);
	else if (is_shortage(failure) && (loop_child_count(process->loop) > 0 ||
					  waited < clock_nanoseconds(PATIENCE_SECONDS)))
		set_timer(process, RETRY_SECONDS, try_again);
	else
		fail(process, failure);
}

static void wait_for_others(struct process *process, const struct process_command *command)
{
	process->argv = strings_copy(command->argv);
	process->environment =
	    command->environment != NULL ? strings_copy(command->environment) : NULL;
	set_timer(process, RETRY_SECONDS, try_again);
}

struct process *process_start(struct loop *loop, const struct process_command *command,
			      const struct process_handler *handler)
{
	struct process *process = mem_zero(sizeof(*process));
	int failure;

	process->loop = loop;
	process->handler = *handler;
	process->shares_group = command->shares_group;
	process->timeout = command->timeout;
	process->idle_timeout = command->idle_timeout;
	process->started = clock_monotonic();
	for (int i = 0; i < CHANNELS; i++)
		process->channels[i] = (struct channel){.process = process, .fd = -1, .theirs = -1};
	process->channels[OUT].deliver = handler->output;
	process->channels[ERR].deliver = handler->errors;
	process->has_input = command->input.at != NULL;
	if (process->has_input)
		buffer_add_span(&process->input, command->input);
	failure = start(process, command->argv, command->environment);
	if (failure == 0)
		begin(process, process->started);
	else if (is_shortage(failure))
		wait_for_others(process, command);
	else
		fail(process, failure);
	return process;
}
