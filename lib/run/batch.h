/*
 * batch: one run for each line of a file, several at a time, in one process and one loop.
 *
 * Each run is the common configuration with the line's own prompt, system and model; its
 * agent_start carries the line's id. Lines that have succeeded according to the log are skipped;
 * runs that were interrupted or failed are resumed.
 */
#ifndef RUN_BATCH_H
#define RUN_BATCH_H

#include "run/run.h"

struct batch_config {
	const struct run_config *run; /* prompt: the template; NULL or empty: none */
	const char *path;             /* the file, for messages; "-": standard input */
	struct span text;             /* its contents, borrowed */
	const char *log;              /* where earlier runs may be, as a regular file; NULL: none */
	int jobs;                     /* runs at a time, at least 1 */
};

struct batch_count {
	size_t lines;   /* to be run or skipped */
	size_t skipped; /* done before */
	size_t running, succeeded, failed;
	size_t interrupted; /* by batch_cancel */
	double cost_usd;
};

struct batch_handler {
	void *context;
	/* Something has changed. */
	void (*changed)(void *context, const struct batch_count *count);
	/* All runs are over; `exit_status` is the worst of them (numerically highest). Never called
	 * inside batch_start or batch_cancel. */
	void (*done)(void *context, int exit_status, const struct batch_count *count);
};

struct batch;

/* Read the log and begin. NULL with `e` if it cannot be read or a line cannot be run; nothing is
 * sent then. */
struct batch *batch_start(const struct batch_config *config, struct event_sink *sink,
			  const struct batch_handler *handler, struct error *e);

/* Stop what runs, as run_cancel does, and begin nothing more. */
void batch_cancel(struct batch *batch, int signal);

/* The same for all runs, as run_abort. */
void batch_abort(struct batch *batch, const char *why);

void batch_free(struct batch *batch);

#endif
