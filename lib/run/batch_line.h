/*
 * batch_line: one line of a batch file, and the prompt that it makes.
 *
 * A line is text, or a JSON object {"id", "prompt", "system", "model", "vars": {...}, ...}. A
 * template is a prompt with places: {NAME} stands for the member NAME of "vars" or of the line
 * itself, {text} for the whole line when it is text. A template without places is followed by a
 * blank line and the line's own prompt; a line's prompt may have places for its "vars".
 */
#ifndef RUN_BATCH_LINE_H
#define RUN_BATCH_LINE_H

#include "base/message.h"
#include "json/json.h"

struct batch_line {
	char *id;             /* the number of the line where it names none */
	char *prompt;         /* as it is asked */
	char *system, *model; /* NULL: as everybody's */
};

/* Read line `number` of `source`. `template` may be NULL. False with a usage error that names both
 * for a line that is neither, a place that nothing fills, and a line without a prompt. */
bool batch_line_read(struct span text, size_t number, const char *source, const char *template,
		     struct batch_line *line, struct error *e);
void batch_line_free(struct batch_line *line);

#endif
