/*
 * iteration: one pass of a run's loop: the limits are checked, a request is sent and repeated if it
 * fails, its response is received; then the calls run (run/tools.h) or the run ends.
 */
#ifndef RUN_ITERATION_H
#define RUN_ITERATION_H

#include "run/run.h"
#include "run/window.h"

/* Ask the model for the next response, unless a limit forbids it. */
void iteration_next(struct agent_run *run);

/* A limit is reached, run->limit says which: end the run or, with --wrap-up, send its last request;
 * waiting calls are refused then. */
void iteration_reach_limit(struct agent_run *run);

/* Go on after a response of the resumed run that calls no tool and is part of the conversation. If
 * it does not satisfy the schema, the model is asked to correct it, even if it has been asked
 * --output-retries times. */
void iteration_resume(struct agent_run *run, bool is_final);

/* The next request; it points into `window`, which the caller frees. */
struct model_request iteration_request(const struct agent_run *run, struct window *window);

#endif
