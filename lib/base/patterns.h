/*
 * patterns: a list of glob patterns (fnmatch), or of other texts, from comma-separated options.
 */
#ifndef BASE_PATTERNS_H
#define BASE_PATTERNS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct pattern_note;

/* Zeroed: empty. */
struct patterns {
	char **items; /* owned */
	size_t count;
	struct pattern_note *notes; /* private */
};

/* Add the comma-separated patterns of `list`, without white space around them. Returns false and
 * sets `e` (kind "usage") if it contains none, or one that is malformed ("[a", "a\\"), which would
 * match nothing. `option`, for the message, is the option that has the list, without its dashes. */
bool patterns_add(struct patterns *patterns, const char *option, const char *list, struct error *e);

/* Whether one of the patterns matches the whole of `text`; false if there is none. */
bool patterns_match(const struct patterns *patterns, const char *text);

/* A name that the input has, for patterns_warn. Nothing may be added to `patterns` afterwards. */
void patterns_note(struct patterns *patterns, const char *name);

/* Warn about each pattern without wildcards that is none of the names that were noted, but nearly
 * one: it may be misspelt. `what`: what is named. */
void patterns_warn(struct patterns *patterns, const char *option, const char *what);

void patterns_free(struct patterns *patterns);

#endif
