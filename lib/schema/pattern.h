/*
 * pattern: the regular expressions of JSON Schema (ECMA-262) matched by the C library's (POSIX
 * extended), as far as both mean the same.
 */
#ifndef SCHEMA_PATTERN_H
#define SCHEMA_PATTERN_H

#include "base/buffer.h"

enum pattern_result { PATTERN_MATCHES, PATTERN_DIFFERS, PATTERN_UNKNOWN };

/* Whether the pattern is found in `text`; PATTERN_UNKNOWN for patterns that have no POSIX
 * counterpart (look-around, back references, \b, most \p{...}) or are too costly. */
enum pattern_result pattern_match(struct span pattern, struct span text);

/* Append a short text in which `pattern` is found; false, with some text appended, when none was
 * thought of. */
bool pattern_example(struct span pattern, struct buffer *out);

/* Append the POSIX form of `pattern`; false, with some of it appended, when there is none. */
bool pattern_translate(struct span pattern, struct buffer *out);

#endif
