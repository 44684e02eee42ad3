/*
 * call_text: a call as text for the person who decides whether it runs: all of it, in a form that
 * can be read, with everything visible that a terminal would hide.
 */
#ifndef TOOL_CALL_TEXT_H
#define TOOL_CALL_TEXT_H

#include "base/buffer.h"

/* Append the name of the tool and its arguments, an object, and a newline. If one of the arguments
 * has several lines (a script), each argument has lines of its own. */
void call_text_add(struct buffer *out, const char *tool_name, struct span args);

/* The beginning of `text` that fills at most `rows` rows of a terminal with `columns` columns;
 * at least one character. */
struct span call_text_page(struct span text, size_t rows, size_t columns);

/* How many rows the text fills. */
size_t call_text_rows(struct span text, size_t columns);

#endif
