#include "loop/private.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/clock.h"

struct loop *loop_new(void)
{
	struct loop *loop = mem_zero(sizeof(*loop));

	loop->signal_pipe[0] = loop->signal_pipe[1] = loop->outer_wake = -1;
	if (signal_is_ignored(SIGCHLD))
		signal(SIGCHLD, SIG_DFL);
	return loop;
}

void loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	children_free(loop);
	signals_free(loop);
	timers_free(loop);
	for (size_t i = 0; i < loop->count; i++)
		free(loop->watches[i]);
	free(loop->watches);
	free(loop->polled);
	free(loop);
}

/* ---- descriptors ---- */

static bool can_watch(const struct loop *loop, int fd)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return false;
	if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) {
		errno = EPERM;
		return false;
	}
	for (size_t i = 0; i < loop->count; i++)
		if (loop->watches[i] != NULL && loop->watches[i]->fd == fd) {
			errno = EEXIST;
			return false;
		}
	return true;
}

static bool is_source(const struct loop_fd *watch)
{
	return (watch->events & (LOOP_SOURCE | LOOP_READ | LOOP_WRITE)) ==
	       (LOOP_SOURCE | LOOP_READ);
}

/* Ignore the watch until the loop is released. With no events it would still report a hangup, again
 * and again. */
static void park(struct loop_fd *watch)
{
	watch->loop->polled[watch->slot].fd = -1;
}

static void unpark(struct loop_fd *watch)
{
	watch->loop->polled[watch->slot].fd = watch->fd;
}

void loop_fd_change(struct loop_fd *watch, int events)
{
	watch->events = events;
	watch->loop->polled[watch->slot].events =
	    (short)((events & LOOP_READ ? POLLIN : 0) | (events & LOOP_WRITE ? POLLOUT : 0));
	if (!is_source(watch))
		unpark(watch);
}

struct loop_fd *loop_fd_add(struct loop *loop, int fd, int events,
			    void (*ready)(void *context, int events), void *context)
{
	struct loop_fd *watch;

	if (!can_watch(loop, fd))
		return NULL;
	watch = mem_zero(sizeof(*watch));
	*watch = (struct loop_fd){
	    .loop = loop, .fd = fd, .ready = ready, .context = context, .slot = loop->count};
	loop->watches = array_grow(loop->watches, loop->count, sizeof(struct loop_fd *));
	loop->polled = array_grow(loop->polled, loop->count, sizeof(*loop->polled));
	loop->watches[loop->count] = watch;
	loop->polled[loop->count++] = (struct pollfd){.fd = fd};
	loop_fd_change(watch, events);
	return watch;
}

void loop_fd_remove(struct loop_fd *watch)
{
	if (watch == NULL)
		return;
	park(watch);
	watch->loop->watches[watch->slot] = NULL;
	free(watch);
}

/* ---- holding the sources ---- */

void loop_hold(struct loop *loop, bool hold)
{
	if (hold == loop_is_held(loop))
		return;
	if (hold) {
		loop->held_since = clock_monotonic();
		return;
	}
	loop->held += clock_monotonic() - loop->held_since;
	loop->held_since = 0;
	for (size_t i = 0; i < loop->count; i++)
		if (loop->watches[i] != NULL)
			unpark(loop->watches[i]);
	timers_release(loop);
}

bool loop_is_held(const struct loop *loop)
{
	return loop->held_since != 0;
}

int64_t loop_source_time(const struct loop *loop)
{
	return (loop_is_held(loop) ? loop->held_since : clock_monotonic()) - loop->held;
}

/* ---- running ---- */

void loop_before_wait(struct loop *loop, void (*before_wait)(void *context), void *context)
{
	loop->before_wait = before_wait;
	loop->before_wait_context = context;
}

static void drop_removed(struct loop *loop)
{
	size_t count = 0;

	for (size_t i = 0; i < loop->count; i++) {
		if (loop->watches[i] == NULL)
			continue;
		loop->polled[count] = loop->polled[i];
		loop->watches[count] = loop->watches[i];
		loop->watches[count]->slot = count;
		count++;
	}
	loop->count = count;
}

/* After a hangup the watched directions count as ready too: reading shows what is left and then the
 * end, writing shows the error. */
static int ready_events(short polled, int watched)
{
	int events = polled & (POLLERR | POLLHUP | POLLNVAL) ? LOOP_HANGUP : 0;

	if (events != 0 || polled & POLLIN)
		events |= watched & LOOP_READ;
	if (events & LOOP_HANGUP || polled & POLLOUT)
		events |= watched & LOOP_WRITE;
	return events;
}

/* Call back for the `ready` descriptors. Callbacks may remove any watch, lose interest in a
 * direction, and add watches, which were not polled. */
static void dispatch(struct loop *loop, int ready)
{
	for (size_t i = 0; ready > 0 && i < loop->count && !loop->stopped; i++) {
		struct loop_fd *watch = loop->watches[i];
		int events;

		if (loop->polled[i].revents == 0)
			continue;
		ready--;
		events = watch != NULL ? ready_events(loop->polled[i].revents, watch->events) : 0;
		if (events != 0 && loop_is_held(loop) && is_source(watch))
			park(watch);
		else if (events != 0)
			watch->ready(watch->context, events);
	}
}

void loop_run(struct loop *loop)
{
	while (!loop->stopped) {
		int timeout;

		if (loop->before_wait != NULL)
			loop->before_wait(loop->before_wait_context);
		if (loop->stopped)
			break;
		drop_removed(loop);
		timeout = loop->reap ? 0 : timers_timeout(loop);
		dispatch(loop, poll(loop->polled, (nfds_t)loop->count, timeout));
		children_reap(loop);
		timers_run(loop);
	}
	loop->stopped = false;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}
