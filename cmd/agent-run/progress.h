/*
 * progress: how far a batch is, as one live line on standard error when that is a terminal and the
 * events go elsewhere.
 */
#ifndef AGENT_RUN_PROGRESS_H
#define AGENT_RUN_PROGRESS_H

#include "run/batch.h"

struct progress {
	bool wanted, drawn;
	int64_t started_at, drawn_at; /* clock_monotonic */
};

void progress_start(struct progress *progress);

/* Draw the line anew, at most 10 times a second. */
void progress_show(struct progress *progress, const struct batch_count *count);

/* Take the line away. */
void progress_end(struct progress *progress);

#endif
