/*
 * suggestion: the known name that was probably meant by a name that is not known.
 *
 *     struct suggestion s = suggestion_for("aproval");
 *     for each known name: suggestion_consider(&s, known);
 *     suggestion_write(&s, &message);
 */
#ifndef BASE_SUGGESTION_H
#define BASE_SUGGESTION_H

#include "base/buffer.h"

struct suggestion {
	const char *name;  /* the unknown name; borrowed */
	const char *meant; /* the nearest known name so far; borrowed; NULL: none is near */
	size_t distance;   /* of `meant`, or the largest that counts as near */
};

struct suggestion suggestion_for(const char *name);

/* A known name is near if few letters differ, or if it begins with the unknown name. */
void suggestion_consider(struct suggestion *suggestion, const char *known);

/* Append " (did you mean NAME?)", or nothing if no known name is near. */
void suggestion_write(const struct suggestion *suggestion, struct buffer *out);

#endif
