/*
 * process: a child program on the loop: what goes in, what comes out, how it ended.
 *
 * The child leads a process group of its own, so that it can be stopped with all it has started,
 * and begins with no signal blocked or ignored and no descriptor but 0, 1 and 2. What it is given
 * to read and what it prints pass through non-blocking pipes in bounded memory; its output is not
 * read while the loop is held.
 */
#ifndef LOOP_PROCESS_H
#define LOOP_PROCESS_H

#include "base/buffer.h"
#include "loop/loop.h"

struct process;

struct process_command {
	char *const *argv;        /* NULL-terminated; argv[0] without a slash is found in PATH */
	char *const *environment; /* "NAME=value", NULL-terminated; NULL: this process's own */
	struct span input;        /* for its stdin, copied; absent: stdin is /dev/null */
	double timeout;           /* seconds after which it is stopped; 0: none */
	bool shares_group; /* stay in our process group, and so may use the terminal; only the
			    * child itself is stopped then */
};

enum process_outcome {
	PROCESS_EXITED,      /* value: its exit status */
	PROCESS_KILLED,      /* value: the signal that ended it */
	PROCESS_TIMED_OUT,   /* it was stopped because its time was over */
	PROCESS_STOPPED,     /* it was stopped by process_stop */
	PROCESS_NOT_STARTED, /* value: errno */
};

struct process_end {
	enum process_outcome outcome;
	int value;
	double seconds; /* from start to end */
};

/* The callbacks may cancel the process. */
struct process_handler {
	void *context;
	void (*output)(void *context, struct span bytes); /* stdout; NULL: thrown away */
	void (*errors)(void *context, struct span bytes); /* stderr; NULL: the child has ours */
	/* Called exactly once unless the process is cancelled; the process is gone afterwards. */
	void (*done)(void *context, const struct process_end *end);
};

/* How long a process has between TERM and KILL. */
#define PROCESS_GRACE_SECONDS 2.0

/* A process is over when it has ended and its stdout and stderr are closed. Where something that it
 * started keeps them open, it is over this long after its own end, and its group is killed. */
#define PROCESS_LINGER_SECONDS 1.0

/* Start a program. The strings are needed during the call only. Callbacks never run inside it;
 * failing to start is reported through done. */
struct process *process_start(struct loop *loop, const struct process_command *command,
			      const struct process_handler *handler);

/* Ask the group to end (TERM, KILL after PROCESS_GRACE_SECONDS). The callbacks go on until done. */
void process_stop(struct process *process);

/* The same without further callbacks, with `grace` seconds between TERM and KILL; the loop reaps
 * the child and frees the process. With grace 0 it is killed, reaped and freed at once: what to do
 * before the loop is freed. */
void process_cancel(struct process *process, double grace);

/* Append how `end` came about as the end of a sentence: "exit status 2", "killed by signal 9
 * (Killed)", "timed out after 5 seconds" (`timeout`), "cannot be started: ...". */
void process_describe_end(struct buffer *out, const struct process_end *end, double timeout);

#endif
