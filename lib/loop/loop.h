/*
 * loop: one event loop for file descriptors, timers, children and signals, on poll(2). One thread.
 * Callbacks may add and remove anything, including themselves, at any time.
 */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct loop;
struct loop_fd;
struct loop_timer;
struct loop_child;

enum {
	LOOP_READ = 1,
	LOOP_WRITE = 2,
	LOOP_HANGUP = 4, /* always reported: the other end is closed (POLLERR, POLLHUP) */
	LOOP_SOURCE = 8, /* with LOOP_READ alone: not read while the loop is held (loop_hold) */
};

/* Resets SIGCHLD to its default action if it is ignored, because ignored children leave no status.
 */
struct loop *loop_new(void);
/* Frees what is still watched, too, and restores the former signal actions. */
void loop_free(struct loop *loop);

/* Watch `fd` for LOOP_READ and/or LOOP_WRITE (0: only hangup). The caller keeps the fd and closes
 * it after loop_fd_remove. Returns NULL with errno if it cannot be watched: EPERM for a regular
 * file, EEXIST for an fd that is watched already. `ready` is called again and again as long as the
 * fd is ready; LOOP_HANGUP comes with the watched directions, so that reading reaches the end. */
struct loop_fd *loop_fd_add(struct loop *loop, int fd, int events,
			    void (*ready)(void *context, int events), void *context);
void loop_fd_change(struct loop_fd *watch, int events);
void loop_fd_remove(struct loop_fd *watch); /* NULL is allowed, here and below */

/* Call `due` once, `nanoseconds` from now; the timer is freed before the call. */
struct loop_timer *loop_timer_add(struct loop *loop, int64_t nanoseconds,
				  void (*due)(void *context), void *context);
void loop_timer_remove(struct loop_timer *timer);

/* Sources produce output: descriptors with LOOP_SOURCE and source timers. While the loop is held,
 * because the reader of the output does not read, sources wait and everything else continues. A
 * source that becomes ready is not watched until the loop is released, not even for hangup. */
void loop_hold(struct loop *loop, bool hold);
bool loop_is_held(const struct loop *loop);
/* The same as loop_timer_add, but the call waits while the loop is held. */
struct loop_timer *loop_source_timer_add(struct loop *loop, int64_t nanoseconds,
					 void (*due)(void *context), void *context);
/* Nanoseconds of a monotonic clock that stands still while the loop is held: for limits on how long
 * a source may be silent. */
int64_t loop_source_time(const struct loop *loop);

/* Call `ended` once, with the status of waitpid, when the child `pid` has ended; the child is
 * reaped and the watch freed before the call. A child that somebody else has waited for counts as
 * having exited with 127. A loop that runs inside a callback of another one may watch children too;
 * the outer loop learns of its signals and children when the inner one is freed. */
struct loop_child *loop_child_add(struct loop *loop, pid_t pid,
				  void (*ended)(void *context, int wait_status), void *context);
void loop_child_remove(struct loop_child *child);

/* The number of watched children, and of loop_stop_orphans in progress: before it exits, a program
 * waits until there are none. */
size_t loop_child_count(const struct loop *loop);
/* Send KILL to every child, and to all of its session and its descendants: for a program that exits
 * without waiting. */
void loop_kill_children(const struct loop *loop);

/* Make this process the parent of orphaned descendants, such as background processes of a tool that
 * has ended, so that they can be stopped. The loop reaps them. */
void loop_adopt_orphans(struct loop *loop);
/* Stop those with `variable` ("NAME=value") in their environment (NULL: all): TERM, and KILL after
 * LOOP_GRACE_SECONDS. Watched children, their sessions, and processes of our own session are left
 * alone. */
void loop_stop_orphans(struct loop *loop, const char *variable);

/* The time between TERM and KILL. */
#define LOOP_GRACE_SECONDS 2.0

/* Call `caught` for the signals that end a program (base/signals.h), which then do not. Ignored
 * ones stay ignored. The handlers are installed without SA_RESTART. */
void loop_catch_signals(struct loop *loop, void (*caught)(void *context, int signal),
			void *context);

/* Call `caught` now for the signals that have come. */
void loop_take_signals(struct loop *loop);

/* Call `before_wait` before each wait, to flush output. */
void loop_before_wait(struct loop *loop, void (*before_wait)(void *context), void *context);

/* Run callbacks until loop_stop. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

#endif
