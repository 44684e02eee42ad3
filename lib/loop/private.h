/*
 * private: what the files of lib/loop share. Nobody else includes it.
 */
#ifndef LOOP_PRIVATE_H
#define LOOP_PRIVATE_H

#include <poll.h>
#include <signal.h>

#include "base/signals.h"
#include "loop/descendants.h"
#include "loop/loop.h"

/* Those that end a program, and SIGCHLD. */
enum { LOOP_SIGNALS = ENDING_SIGNALS + 1 };

struct loop_fd {
	struct loop *loop;
	int fd;
	int events;
	void (*ready)(void *context, int events);
	void *context;
	size_t slot; /* index in loop->watches */
};

struct loop_timer {
	struct loop *loop;
	int64_t due;
	uint64_t number; /* timers due at the same time run in the order they were added */
	size_t place;    /* in the heap */
	bool source;     /* waits while the loop is held */
	bool parked;     /* is due and waits: at the end of the heap */
	void (*call)(void *context);
	void *context;
};

struct loop_child {
	struct loop *loop;
	pid_t pid;
	void (*ended)(void *context, int wait_status);
	void *context;
	bool reaped; /* `status` is known and not reported yet */
	int status;
	struct loop_child *next;
};

struct loop {
	/* The watched descriptors. A removed watch is NULL until the next wait. poll ignores the
	 * negative descriptors of removed and parked watches. */
	struct loop_fd **watches;
	struct pollfd *polled; /* one for each watch */
	size_t count;
	bool stopped;
	int64_t held_since; /* 0: the loop is not held */
	int64_t held;       /* nanoseconds of all earlier holds */

	struct loop_timer **timers; /* a binary heap, the next one first */
	size_t timer_count;
	uint64_t timer_number;

	struct loop_child *children;
	bool reap;             /* a child may have ended */
	bool adopts;           /* loop_adopt_orphans */
	struct pids strangers; /* children from before */
	size_t stop_count;     /* of loop_stop_orphans, in progress */

	int signal_pipe[2]; /* -1: not open */
	int outer_wake;     /* the pipe of a loop inside which this one runs; -1: none */
	struct loop_fd *signal_watch;
	struct sigaction former[LOOP_SIGNALS];
	bool installed[LOOP_SIGNALS];
	void (*caught)(void *context, int signal);
	void *caught_context;

	void (*before_wait)(void *context);
	void *before_wait_context;
};

/* timer.c: milliseconds until the next timer (-1: there is none); calling those that are due. */
int timers_timeout(const struct loop *loop);
void timers_run(struct loop *loop);
/* Make the parked timers due. */
void timers_release(struct loop *loop);
void timers_free(struct loop *loop);

/* child.c: report the children that have ended. */
void children_reap(struct loop *loop);
void children_free(struct loop *loop);

/* signal.c: let SIGCHLD set loop->reap. */
void signals_watch_children(struct loop *loop);
void signals_free(struct loop *loop);

#endif
