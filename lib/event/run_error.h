/*
 * run_error: why a run failed, as one sentence for standard error.
 *
 * The programs that exit with the run's status say why it is not 0: they give their events here and
 * warn with the sentence that comes back.
 */
#ifndef EVENT_RUN_ERROR_H
#define EVENT_RUN_ERROR_H

#include "event/runs.h"

/* Append what there is to say about an event of `run`, safe for one line of a terminal: the message
 * of a fatal `error`, or the status of an `agent_end` without success that no fatal error came
 * before. With several runs in the stream the sentence names the run. Returns false, appending
 * nothing, for anything else. */
bool run_error_sentence(const struct runs *runs, struct run *run, const struct event *event,
			struct buffer *out);

#endif
