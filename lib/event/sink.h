/*
 * sink: where the lines of events go: standard output, and a log to which they are appended first.
 *
 * Nothing here waits for a reader. Lines gather in `pending` and are written by the loop when
 * standard output and the log take them; while too many wait, the loop's sources are held
 * (loop_hold), so that a slow reader slows the provider and memory stays flat, but timers, signals,
 * tools and other runs go on.
 */
#ifndef EVENT_SINK_H
#define EVENT_SINK_H

#include "base/buffer.h"
#include "loop/fd_writer.h"

enum {
	/* Above so many bytes that wait the loop is held, below half of them it is released. */
	EVENT_SINK_MAX_WAITING = 256 * 1024,
	/* How long a reader may take nothing after event_sink_hurry. */
	EVENT_SINK_PATIENCE_MS = 1000,
};

/* Somebody who waits for what was written so far to be in the log. */
struct event_waiter {
	void (*logged)(void *context);
	void *context;
	int64_t position; /* private, and the next as well */
	struct event_waiter *next;
};

/* Zero is a sink that gathers lines until event_sink_start. Several runs may share one, their
 * events interleaved. Other files use `pending` (of which the last line may have been begun only),
 * `sync`, and read fd_errno and log_errno. */
struct event_sink {
	struct buffer pending; /* lines that standard output or the log has not taken */
	bool sync;             /* the log is on the disk before anything else happens */
	int fd_errno;  /* why standard output takes nothing any more: EPIPE, no reader; ETIMEDOUT,
			* given up; ...; 0: it takes lines */
	int log_errno; /* why the log could not be written; 0: it could */

	/* private */
	struct loop *loop; /* NULL: not started */
	struct fd_writer output, log;
	bool idle;              /* after the last event_flush */
	size_t written, logged; /* of `pending`, by output and log */
	size_t flushed;         /* of `pending`, when event_flush was called the last time */
	int64_t dropped;        /* bytes that have left `pending` */
	struct event_waiter *waiters;
	struct loop_timer *waiter_timer, *patience;
	int64_t progress_at; /* the last time that nothing waited, or the reader took something */
	int unread;          /* of a pipe, at the last look */
};

/* Begin to write, from `loop`, to `fd` and, unless it is -1, to `log_fd`, which the caller closes
 * after event_sink_free. */
void event_sink_start(struct event_sink *sink, struct loop *loop, int fd, int log_fd);
void event_sink_free(struct event_sink *sink);

/* Write what standard output and the log take now. */
void event_flush(struct event_sink *sink);

/* Flush, and return whether everything so far is in the log, or cannot get there. When not,
 * waiter->logged is called once it is, by the loop. */
bool event_when_logged(struct event_sink *sink, struct event_waiter *waiter);
void event_waiter_remove(struct event_sink *sink, struct event_waiter *waiter);

/* Whether nothing waits to be written. */
bool event_sink_is_idle(const struct event_sink *sink);

/* The program is asked to end: from now on a reader that takes nothing for EVENT_SINK_PATIENCE_MS,
 * of standard output or of the log, is given up (ETIMEDOUT). */
void event_sink_hurry(struct event_sink *sink);

#endif
