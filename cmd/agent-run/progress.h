/*
 * progress: the progress of a batch as one live line on standard error, if that is a terminal and
 * the events go to a file.
 */
#ifndef AGENT_RUN_PROGRESS_H
#define AGENT_RUN_PROGRESS_H

#include "base/live_line.h"
#include "loop/loop.h"
#include "run/batch.h"

struct progress {
	struct live_line line;
	int64_t started_at; /* clock_monotonic */
	struct batch_count count;
	struct loop *loop;
	struct buffer *screen; /* what the loop writes to standard error */
	struct loop_timer *tick;
};

/* Append the line to `screen` from now on, at most 10 times a second; not over an approval prompt,
 * and not while `screen` still holds bytes, so that a stopped terminal (^S) does not collect lines.
 */
void progress_start(struct progress *progress, struct loop *loop, struct buffer *screen);

void progress_show(struct progress *progress, const struct batch_count *count);

/* Remove the line. */
void progress_end(struct progress *progress);

#endif
