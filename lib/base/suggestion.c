#include "base/suggestion.h"

#include <stdlib.h>

static int lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* How many letters must be inserted, removed or replaced to make `b` of `a`, in any case. */
static size_t distance(const char *a, const char *b)
{
	size_t width = strlen(b) + 1;
	size_t *row = mem_alloc(width * sizeof(*row)), result;

	for (size_t j = 0; j < width; j++)
		row[j] = j;
	for (size_t i = 0; a[i] != '\0'; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 1; j < width; j++) {
			size_t least = diagonal + (lower(a[i]) != lower(b[j - 1]));

			diagonal = row[j];
			if (row[j] + 1 < least)
				least = row[j] + 1;
			if (row[j - 1] + 1 < least)
				least = row[j - 1] + 1;
			row[j] = least;
		}
	}
	result = row[width - 1];
	free(row);
	return result;
}

struct suggestion suggestion_for(const char *name)
{
	return (struct suggestion){.name = name, .distance = strlen(name) / 3 + 1};
}

void suggestion_consider(struct suggestion *s, const char *known)
{
	bool begins = *s->name != '\0' && span_starts(span_of(known), s->name);
	size_t far = begins ? 0 : distance(s->name, known);

	if (far < s->distance || (far == s->distance && s->meant == NULL)) {
		s->meant = known;
		s->distance = far;
	}
}

void suggestion_write(const struct suggestion *s, struct buffer *out)
{
	if (s->meant != NULL)
		buffer_add_format(out, " (did you mean %s?)", s->meant);
}
