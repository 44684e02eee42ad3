/*
 * private: what the files of lib/loop share. Nobody else includes it.
 */
#ifndef LOOP_PRIVATE_H
#define LOOP_PRIVATE_H

#include <signal.h>

#include "loop/loop.h"

#if defined(__linux__) && !defined(LOOP_USE_POLL)
#define LOOP_EPOLL 1
#else
#define LOOP_EPOLL 0
#endif

enum {
	LOOP_BATCH = 256, /* events taken by one wait */
	LOOP_SIGNALS = 4, /* SIGINT, SIGTERM, SIGHUP, SIGCHLD */
};

struct loop_fd {
	struct loop *loop;
	int fd;
	int events;
	void (*ready)(void *context, int events);
	void *context;
	bool dead;   /* removed while a batch is being worked off; freed after it */
	bool parked; /* a source that is ready while the loop is held: not watched */
	size_t slot; /* its place in poll's array */
	struct loop_fd *previous, *next;
};

struct loop_ready {
	struct loop_fd *watch;
	int events;
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
	int pidfd; /* -1: none, SIGCHLD tells */
	struct loop_fd *watch;
	int status;                /* of one that has ended */
	struct loop_timer *report; /* going to call back; NULL: not ended, or by pidfd */
	struct loop_child *previous, *next;
};

struct loop {
	struct poller *poller;
	struct loop_fd *fds;  /* all that are watched */
	struct loop_fd *dead; /* removed, still in the batch */
	struct loop_ready ready[LOOP_BATCH];
	bool dispatching, stopped;
	int64_t held_since; /* 0: the loop is not held */
	int64_t held;       /* nanoseconds that it was, until it was released the last time */

	struct loop_timer **timers; /* a binary heap, the next one first */
	size_t timer_count;
	uint64_t timer_number;

	struct loop_child *children;

	int signal_pipe[2]; /* -1: not open */
	struct loop_fd *signal_watch;
	struct sigaction former[LOOP_SIGNALS];
	bool installed[LOOP_SIGNALS];
	void (*caught)(void *context, int signal);
	void *caught_context;

	void (*before_wait)(void *context);
	void *before_wait_context;
};

/* epoll.c or poll.c: which of the watched descriptors are ready. poller_add returns false with
 * errno; poller_wait fills `ready` with at most LOOP_BATCH entries and returns how many. */
struct poller *poller_new(void);
void poller_free(struct poller *poller);
bool poller_add(struct poller *poller, struct loop_fd *watch);
void poller_change(struct poller *poller, struct loop_fd *watch);
void poller_remove(struct poller *poller, struct loop_fd *watch);
int poller_wait(struct poller *poller, int milliseconds, struct loop_ready *ready);

/* timer.c: milliseconds until the next timer (-1: there is none); calling those that are due. */
int timers_timeout(const struct loop *loop);
void timers_run(struct loop *loop);
/* Make the parked timers due. */
void timers_release(struct loop *loop);
void timers_free(struct loop *loop);

/* child.c */
void children_default(void);
void children_reap(struct loop *loop);
void children_free(struct loop *loop);

/* signal.c: have SIGCHLD call children_reap. */
void signals_watch_children(struct loop *loop);
void signals_free(struct loop *loop);

#endif
