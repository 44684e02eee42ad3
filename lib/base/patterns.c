#include "base/patterns.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

bool patterns_add(struct patterns *patterns, const char *list)
{
	size_t before = patterns->count;

	while (*list != '\0') {
		size_t len = strcspn(list, ",");

		if (len > 0) {
			patterns->items =
			    array_grow(patterns->items, patterns->count, sizeof(char *));
			patterns->items[patterns->count++] = mem_copy((struct span){list, len});
		}
		list += len + (list[len] == ',');
	}
	return patterns->count > before;
}

void patterns_free(struct patterns *patterns)
{
	for (size_t i = 0; i < patterns->count; i++)
		free(patterns->items[i]);
	free(patterns->items);
}

bool patterns_match(const struct patterns *patterns, const char *text)
{
	for (size_t i = 0; i < patterns->count; i++)
		if (fnmatch(patterns->items[i], text, 0) == 0)
			return true;
	return false;
}
