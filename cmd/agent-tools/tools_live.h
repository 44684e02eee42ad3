/*
 * tools_live: a line when a call starts and one when it ends, as it happens.
 *
 *     -> read_file {"path":"a.txt"}
 *     <- read_file 0.52s ok: first line
 *
 * On a terminal a line below them tells how long the running calls have taken; it is taken away
 * before anything else is written. Output is gathered until live_flush.
 */
#ifndef TOOLS_LIVE_H
#define TOOLS_LIVE_H

#include "tools.h"

struct tools_live;

struct tools_live *live_new(const struct tools_options *options, struct runs *runs,
			    const struct calls *calls);

/* A run appeared. Lines of several runs carry a short form of the run's id. */
void live_run(struct tools_live *live, const struct run *run);

/* The model writes the arguments of `call` (--args), and has written them. */
void live_args(struct tools_live *live, const struct call *call, struct span delta);
void live_args_end(struct tools_live *live);

void live_start(struct tools_live *live, const struct call *call);

/* A call of the tool `name` was decided against; `by` is a JSON string: policy, user or hook. */
void live_denied(struct tools_live *live, const struct run *run, struct span name, struct span by);

void live_end(struct tools_live *live, const struct ended_call *ended);
void live_unfinished(struct tools_live *live, const struct call *call);

/* Bring the line of running calls up to date when it is due. Returns when it is due next
 * (clock_monotonic); 0: there is none. */
int64_t live_draw(struct tools_live *live);

/* Write what is gathered. */
void live_flush(struct tools_live *live);

/* The same, and take the line of running calls away. */
void live_clear(struct tools_live *live);

void live_free(struct tools_live *live);

#endif
