#include "loop/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/message.h"

struct loop *loop_new(void)
{
	struct loop *loop = mem_zero(sizeof(*loop));

	loop->poller = poller_new();
	loop->signal_pipe[0] = loop->signal_pipe[1] = -1;
	children_default();
	return loop;
}

static void free_list(struct loop_fd *watch)
{
	while (watch != NULL) {
		struct loop_fd *next = watch->next;

		free(watch);
		watch = next;
	}
}

void loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	children_free(loop);
	signals_free(loop);
	timers_free(loop);
	free_list(loop->fds);
	free_list(loop->dead);
	poller_free(loop->poller);
	free(loop);
}

struct loop_fd *loop_fd_add(struct loop *loop, int fd, int events,
			    void (*ready)(void *context, int events), void *context)
{
	struct loop_fd *watch = mem_zero(sizeof(*watch));

	*watch = (struct loop_fd){
	    .loop = loop, .fd = fd, .events = events, .ready = ready, .context = context};
	if (!poller_add(loop->poller, watch)) {
		free(watch);
		return NULL;
	}
	watch->next = loop->fds;
	if (watch->next != NULL)
		watch->next->previous = watch;
	loop->fds = watch;
	return watch;
}

/* ---- sources ---- */

static bool is_source(const struct loop_fd *watch)
{
	return (watch->events & (LOOP_SOURCE | LOOP_READ | LOOP_WRITE)) ==
	       (LOOP_SOURCE | LOOP_READ);
}

/* Watched without a direction, a pipe whose writer is gone would be reported again and again. */
static void park(struct loop_fd *watch)
{
	poller_remove(watch->loop->poller, watch);
	watch->parked = true;
}

static void unpark(struct loop_fd *watch)
{
	watch->parked = false;
	if (!poller_add(watch->loop->poller, watch))
		die(STATUS_FAILED, "cannot watch a descriptor again: %s", strerror(errno));
}

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
	for (struct loop_fd *watch = loop->fds; watch != NULL; watch = watch->next)
		if (watch->parked)
			unpark(watch);
	timers_release(loop);
}

bool loop_is_held(const struct loop *loop)
{
	return loop->held_since != 0;
}

int64_t loop_source_time(const struct loop *loop)
{
	return (loop->held_since != 0 ? loop->held_since : clock_monotonic()) - loop->held;
}

/* ---- descriptors ---- */

void loop_fd_change(struct loop_fd *watch, int events)
{
	int changed = (watch->events ^ events) & (LOOP_READ | LOOP_WRITE);

	watch->events = events;
	if (watch->parked && !is_source(watch))
		unpark(watch);
	else if (changed != 0 && !watch->parked)
		poller_change(watch->loop->poller, watch);
}

void loop_fd_remove(struct loop_fd *watch)
{
	struct loop *loop;

	if (watch == NULL || watch->dead)
		return;
	loop = watch->loop;
	if (!watch->parked)
		poller_remove(loop->poller, watch);
	if (watch->previous != NULL)
		watch->previous->next = watch->next;
	else
		loop->fds = watch->next;
	if (watch->next != NULL)
		watch->next->previous = watch->previous;
	if (!loop->dispatching) {
		free(watch);
		return;
	}
	watch->dead = true;
	watch->next = loop->dead;
	loop->dead = watch;
}

void loop_before_wait(struct loop *loop, void (*before_wait)(void *context), void *context)
{
	loop->before_wait = before_wait;
	loop->before_wait_context = context;
}

/* Earlier callbacks of the batch may have removed a watch or lost interest in a direction. */
static void dispatch(struct loop *loop, int count)
{
	loop->dispatching = true;
	for (int i = 0; i < count && !loop->stopped; i++) {
		struct loop_fd *watch = loop->ready[i].watch;
		int events = loop->ready[i].events;

		if (watch->dead)
			continue;
		events &= watch->events | LOOP_HANGUP;
		if (loop->held_since != 0 && (events & LOOP_READ) && is_source(watch))
			park(watch);
		else if (events != 0)
			watch->ready(watch->context, events);
	}
	loop->dispatching = false;
	free_list(loop->dead);
	loop->dead = NULL;
}

void loop_run(struct loop *loop)
{
	while (!loop->stopped) {
		if (loop->before_wait != NULL)
			loop->before_wait(loop->before_wait_context);
		if (loop->stopped)
			break;
		dispatch(loop, poller_wait(loop->poller, timers_timeout(loop), loop->ready));
		timers_run(loop);
	}
	loop->stopped = false;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}
