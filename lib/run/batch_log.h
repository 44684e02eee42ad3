/*
 * batch_log: what the log of a batch says of its lines: which are done, and what there is of those
 * that were interrupted or failed.
 */
#ifndef RUN_BATCH_LOG_H
#define RUN_BATCH_LOG_H

#include "base/buffer.h"

struct batch_log;

/* Index the text of a log; it is borrowed. Lines that are not events are skipped. */
struct batch_log *batch_log_new(struct span text);

/* Whether a run for `id` with `prompt` has succeeded. `log` may be NULL: there is no log. */
bool batch_log_is_done(const struct batch_log *log, const char *id, const char *prompt);

/* Append the events of the last run for `id` with `prompt`, and of those that it resumed: lines of
 * a log. Returns false if there is none. `log` may be NULL. */
bool batch_log_unfinished(const struct batch_log *log, const char *id, const char *prompt,
			  struct buffer *out);

void batch_log_free(struct batch_log *log);

#endif
