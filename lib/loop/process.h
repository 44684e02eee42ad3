/*
 * process: a child program on the loop: its input, its output, and how it ended.
 *
 * The child leads a session of its own, without a terminal, so that it can be stopped with all its
 * descendants. It starts with no signal blocked or ignored, and with no descriptors except 0, 1 and
 * 2. If descriptors or processes are short, it starts when others have ended. Its input
 * and output pass through non-blocking pipes in bounded memory; its output is not read while the
 * loop is held.
 */
#ifndef LOOP_PROCESS_H
#define LOOP_PROCESS_H

#include "base/buffer.h"
#include "loop/loop.h"

struct process;

struct process_command {
	char *const *argv;        /* NULL-terminated; argv[0] without a slash is found in PATH */
	char *const *environment; /* "NAME=value", NULL-terminated; NULL: that of this process */
	/* For its stdin, copied; absent: stdin is /dev/null. The program must ignore SIGPIPE: the
	 * child may close its stdin before it has read everything. */
	struct span input;
	double timeout;      /* seconds after which it is stopped; 0: none */
	double idle_timeout; /* the same without output */
	bool shares_group;   /* it stays in our session and process group, so that it can use the
			      * terminal, and only the child itself is stopped */
};

enum process_outcome {
	PROCESS_EXITED,      /* value: its exit status */
	PROCESS_KILLED,      /* value: the signal that ended it */
	PROCESS_TIMED_OUT,   /* it was stopped because its time was over */
	PROCESS_IDLE,        /* it was stopped because it wrote nothing */
	PROCESS_TOO_MUCH,    /* process_run stopped it because it printed too much */
	PROCESS_STOPPED,     /* it was stopped by process_stop */
	PROCESS_NOT_STARTED, /* value: errno */
};

struct process_end {
	enum process_outcome outcome;
	int value;
	double limit;   /* the seconds for which it was stopped */
	double seconds; /* from start to end */
	bool held;      /* background processes still had its output open, and were stopped */
};

/* The callbacks may cancel the process. */
struct process_handler {
	void *context;
	void (*output)(void *context, struct span bytes); /* stdout; NULL: discarded */
	void (*errors)(void *context, struct span bytes); /* stderr; NULL: the child has ours */
	/* Called exactly once unless the process is cancelled. The process is freed afterwards. */
	void (*done)(void *context, const struct process_end *end);
};

/* A process is over when the child has ended and its stdout and stderr are closed. If descendants
 * keep them open, the process is over this long after the child has ended, and they get TERM. */
#define PROCESS_LINGER_SECONDS 1.0

/* Start a program. The strings are needed during the call only. Callbacks never run inside it;
 * failing to start is reported through done. */
struct process *process_start(struct loop *loop, const struct process_command *command,
			      const struct process_handler *handler);

/* Ask the child, its descendants and its session to end (TERM, then KILL after LOOP_GRACE_SECONDS).
 * Callbacks go on until done. */
void process_stop(struct process *process);

/* The same without further callbacks, with `grace` seconds between TERM and KILL; the loop reaps
 * the child and frees the process. With grace 0 the child is killed, reaped and freed at once: do
 * this before you free the loop. */
void process_cancel(struct process *process, double grace);

/* The maximum number of bytes that process_run stores of each output. A program that prints more to
 * stdout is stopped. */
enum { PROCESS_RUN_MAX = 1024 * 1024 };

/* Run a program to its end on a loop of its own, while everything else waits. Appends its stdout to
 * `out` and its stderr to `errors` (NULL: the child has our stderr). */
struct process_end process_run(const struct process_command *command, struct buffer *out,
			       struct buffer *errors);

/* Append how the process ended, as the end of a sentence: "exit status 2", "killed by signal 9
 * (Killed)", "timed out after 5 seconds", "cannot be started: ...". */
void process_describe_end(struct buffer *out, const struct process_end *end);

#endif
