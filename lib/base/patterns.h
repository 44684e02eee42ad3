/*
 * patterns: a list of glob patterns (fnmatch), or of other texts, from comma-separated options.
 */
#ifndef BASE_PATTERNS_H
#define BASE_PATTERNS_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed: empty. */
struct patterns {
	char **items; /* owned */
	size_t count;
};

/* Add the comma-separated patterns of `list`. Returns false if it contains none. */
bool patterns_add(struct patterns *patterns, const char *list);

/* Whether one of the patterns matches the whole of `text`; false if there is none. */
bool patterns_match(const struct patterns *patterns, const char *text);

void patterns_free(struct patterns *patterns);

#endif
