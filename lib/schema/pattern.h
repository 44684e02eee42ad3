/*
 * pattern: the regular expressions of JSON Schema (ECMA-262 with the flag u), matched by PCRE2.
 *
 * A pattern is translated, because the two languages spell many things differently; what ECMA-262
 * does not have is an error, also where PCRE2 has it. As JSON Schemas in use need it, three things
 * that the flag u forbids are accepted with the meaning that they have without it: a needless
 * backslash before a character that is no letter or digit, a brace or ']' that stands for itself,
 * and a '-' beside a class such as \w in brackets.
 *
 * libpcre2-8 is loaded by pattern_engine_open.
 */
#ifndef SCHEMA_PATTERN_H
#define SCHEMA_PATTERN_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

/* libpcre2-8, loaded. NULL with `e` (kind "usage") if it is not installed. */
struct pattern_engine *pattern_engine_open(struct error *e);
void pattern_engine_close(struct pattern_engine *engine);

/* Compile `text` (UTF-8). NULL with `e` (kind "usage"; the sentence quotes the pattern) if it is
 * not a pattern of ECMA-262 or PCRE2 cannot compile it. It needs the engine as long as it lives. */
struct pattern *pattern_compile(struct pattern_engine *engine, struct span text, struct error *e);
void pattern_free(struct pattern *pattern);

/* The pattern as it is written. */
struct span pattern_text(const struct pattern *pattern);

enum pattern_result { PATTERN_MATCHES, PATTERN_DIFFERS, PATTERN_EXPENSIVE };

/* Whether the pattern is found in `text`, UTF-8. The work is subtracted from *steps; when that
 * becomes negative the result is PATTERN_EXPENSIVE. */
enum pattern_result pattern_match(struct pattern *pattern, struct span text, int64_t *steps);

/* Store in `out` a short text in which the pattern is found. False, with some text stored, if none
 * was found. */
bool pattern_example(struct pattern *pattern, struct buffer *out);

#endif
