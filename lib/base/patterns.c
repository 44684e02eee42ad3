#include "base/patterns.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

/* The end of the bracket expression that starts at `at`; NULL: it is not closed. */
static const char *past_bracket(const char *at)
{
	at += at[1] == '!' || at[1] == '^' ? 2 : 1;
	for (bool first = true; *at != '\0'; at++, first = false) {
		if (*at == ']' && !first)
			return at + 1;
		if (*at == '[' && at[1] != '\0' && strchr(":.=", at[1]) != NULL) {
			const char end[] = {at[1], ']', '\0'};

			at = strstr(at + 2, end);
			if (at == NULL)
				return NULL;
			at++;
		} else if (*at == '\\' && *++at == '\0') {
			return NULL;
		}
	}
	return NULL;
}

/* What is wrong with a pattern; NULL: nothing. */
static const char *fault_of(const char *pattern)
{
	while (pattern != NULL && *pattern != '\0') {
		if (*pattern == '\\' && *++pattern == '\0')
			return "nothing follows the \\ at its end";
		pattern = *pattern == '[' ? past_bracket(pattern) : pattern + 1;
	}
	return pattern != NULL ? NULL : "the [ has no ]; write \\[ for a [ that stands for itself";
}

bool patterns_add(struct patterns *patterns, const char *option, const char *list, struct error *e)
{
	struct span rest = span_of(list);
	size_t before = patterns->count;

	while (rest.len > 0) {
		size_t len = strcspn(rest.at, ",");
		struct span pattern = span_trim((struct span){rest.at, len});
		const char *fault;

		rest = span_from(rest, len + (len < rest.len));
		if (pattern.len == 0)
			continue;
		patterns->items = array_grow(patterns->items, patterns->count, sizeof(char *));
		patterns->items[patterns->count] = mem_copy(pattern);
		fault = fault_of(patterns->items[patterns->count++]);
		if (fault != NULL)
			return error_set(e, "usage", "--%s: the pattern '%.*s' is malformed: %s",
					 option, SPAN_ARG(pattern), fault);
	}
	return patterns->count > before ||
	       error_set(e, "usage", "--%s needs at least one pattern, not '%s'", option, list);
}

void patterns_free(struct patterns *patterns)
{
	for (size_t i = 0; i < patterns->count; i++)
		free(patterns->items[i]);
	free(patterns->items);
	*patterns = (struct patterns){0};
}

bool patterns_match(const struct patterns *patterns, const char *text)
{
	for (size_t i = 0; i < patterns->count; i++)
		if (fnmatch(patterns->items[i], text, 0) == 0)
			return true;
	return false;
}
