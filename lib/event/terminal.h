/*
 * terminal: make text from outside safe for terminals.
 */
#ifndef EVENT_TERMINAL_H
#define EVENT_TERMINAL_H

#include <stdbool.h>

#include "base/buffer.h"

/* Append `text` to `out` and make control characters visible: C0 controls such as ESC, except \n
 * and \t, as \x1b; DEL as \x7f; C1 controls, bidirectional overrides and isolates (U+061C, U+200E,
 * U+200F, U+202A..U+202E, U+2066..U+2069) and the line separators U+2028, U+2029 as \u{9b}. Invalid
 * UTF-8 becomes U+FFFD. `text` must not end inside a code point (event text never does). */
void terminal_add(struct buffer *out, struct span text);

/* The same for one line: \n and \t are made visible too. */
void terminal_add_line(struct buffer *out, struct span text);

/* The same for one line that a person must see exactly: characters without ink are made visible too
 * (zero width, joiners, variation selectors, fillers, tags, private use, and every blank but the
 * ASCII ones), a tab becomes eight blanks, and more than 40 blanks in a row are counted, as
 * \x20{300}. */
void terminal_add_visible(struct buffer *out, struct span text);

/* The same for a JSON string, decoded. `fallback` replaces an empty string and other values. */
void terminal_add_string(struct buffer *out, struct span string, const char *fallback);

/* The same for JSON text, which stays JSON: control characters and characters without ink become
 * JSON escapes (\u009b), carriage returns between tokens become spaces. */
void terminal_add_json(struct buffer *out, struct span json);

/* Append the line of an event (agent-events(5)) and a newline. Characters are made visible as
 * in terminal_add_json. `color`: the envelope is faint, and the type shows what the event is
 * about. */
void terminal_add_event(struct buffer *out, struct span line, bool color);

/* Append `text`, one safe line, as a message (warn_to) that is faint where standard error shows
 * colours. */
void terminal_add_hint(struct buffer *out, const char *text);

/* Replace the contents of `text` by what terminal_add, or for JSON terminal_add_json, makes of
 * them. */
void terminal_clean(struct buffer *text, bool is_json);

#endif
