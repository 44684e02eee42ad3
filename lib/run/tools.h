/*
 * tools: the calls of a response. They are checked, approved and started, several at a time; when
 * all have a result, the run goes on with its next iteration. Hosted calls, which the provider
 * runs, are only followed.
 */
#ifndef RUN_TOOLS_H
#define RUN_TOOLS_H

#include "model/model.h"
#include "run/history.h"
#include "run/run.h"

/* The beginning of the result of a call that --max-tool-calls forbids. */
#define TOOLS_OVER_LIMIT "The call was not run: the limit of "

/* Run the calls of the response. */
void tools_run(struct agent_run *run);

/* The same for a resumed run: `history` says which calls have a result already, or may have had an
 * effect. */
void tools_resume(struct agent_run *run, const struct history *history);

/* Whether more calls were asked for than the limit allows, in this run or in the one that it
 * resumes: run->limit says so then. */
bool tools_are_used_up(struct agent_run *run);

/* Answer the calls of the response with `why`, without running them; nothing if they have their
 * results. */
void tools_refuse(struct agent_run *run, const char *why);

/* Stop all calls; the result of each says so. */
void tools_stop(struct agent_run *run);

/* Stop what tools of the run have left running in the background. */
void tools_stop_background(struct agent_run *run);

void tools_free(struct agent_run *run);

/* ---- hosted.c ---- */

/* Write the events of a hosted call that MODEL_TOOL_RUNNING or MODEL_TOOL_RESULT is about. */
void tools_follow_hosted(struct agent_run *run, const struct model_delta *delta);

/* Hosted calls without a result end with the response; `failed`: as errors. */
void tools_close_hosted(struct agent_run *run, bool failed);

#endif
