/*
 * batch_input: the input of a batch, private to batch*.c: its lines (batch_line.c), and the log of
 * earlier runs (batch_log.c).
 *
 * A line is text, or a JSON object {"id", "prompt", "system", "model", "vars": {...}, ...}. A
 * template is a prompt with places: {NAME} stands for the member NAME of "vars" or of the line
 * itself, {text} for the whole line when it is text, {{NAME}} for {NAME}. A template without places
 * is followed by a blank line and the line's own prompt; a line's prompt may have places for its
 * "vars".
 */
#ifndef RUN_BATCH_INPUT_H
#define RUN_BATCH_INPUT_H

#include "base/error.h"
#include "event/secrets.h"
#include "json/json.h"

struct batch_line {
	char *id;             /* the number of the line if it has no id */
	char *prompt;         /* as it is sent */
	char *system, *model; /* NULL: those of the batch */
};

/* Read line `number` of `source`. `template` may be NULL. False with a usage error that names both
 * if the line is neither text nor an object, if nothing fills a place, or if there is no prompt. */
bool batch_line_read(struct span text, size_t number, const char *source, const char *template,
		     struct batch_line *line, struct error *e);
void batch_line_free(struct batch_line *line);

/* ---- the log ---- */

/* Which lines are done, and the events of those that were interrupted or failed. */
struct batch_log;

/* Index the text of a log in which `secrets` are masked; both are borrowed. Lines that are not
 * events are reported, with the log's name `source`, and skipped. */
struct batch_log *batch_log_new(struct span text, const char *source,
				const struct secrets *secrets);

/* The number of the last line that is not an event; 0: none. */
size_t batch_log_damaged(const struct batch_log *log);

/* Whether a run for `id` with `prompt` has succeeded. `log` may be NULL: there is no log. */
bool batch_log_is_done(const struct batch_log *log, const char *id, const char *prompt);

/* Append the events of the last run for `id` with `prompt`, and of those that it resumed: lines of
 * a log. Returns false if there is none. `log` may be NULL. */
bool batch_log_unfinished(const struct batch_log *log, const char *id, const char *prompt,
			  struct buffer *out);

void batch_log_free(struct batch_log *log);

#endif
