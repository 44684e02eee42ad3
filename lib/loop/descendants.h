/*
 * descendants: the processes that descend from this one, found in /proc. Those of its own session
 * are never chosen: each child of process.c leads a session.
 */
#ifndef LOOP_DESCENDANTS_H
#define LOOP_DESCENDANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct pids {
	pid_t *at;
	size_t count;
};

/* Which ones; zeroed: all. */
struct descendants {
	pid_t root;           /* those of this child, itself included, and all of its session */
	const char *variable; /* those with this "NAME=value" in their environment */
	const int *pipes;     /* those that have a pipe open which one of these descriptors reads */
	size_t pipe_count;
	struct pids others; /* not these, and none of their sessions */
};

/* kill(2). A process that is stopped continues to receive TERM. Returns whether it is there. */
bool descendants_kill(pid_t pid, int signal);

/* Send `signal` (0: none) to them, and return how many there were. */
size_t descendants_signal(const struct descendants *which, int signal);

/* The children of this process, those that have ended included; the caller frees them. Returns
 * false if they cannot be found out. */
bool descendants_children(struct pids *children);

void pids_add(struct pids *pids, pid_t pid);
bool pids_has(const struct pids *pids, pid_t pid);

#endif
