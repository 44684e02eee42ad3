#include "base/patterns.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/suggestion.h"

/* What is known about a pattern for patterns_warn. */
struct pattern_note {
	bool settled; /* it has wildcards, or is one of the names */
	struct suggestion suggestion;
	char *meant; /* owned */
};

/* Longer names are not looked at: nobody meant them. */
enum { LONGEST_NAME = 256 };

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
	for (size_t i = 0; i < patterns->count && patterns->notes != NULL; i++)
		free(patterns->notes[i].meant);
	free(patterns->notes);
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

/* ---- names that may be misspelt ---- */

static void make_notes(struct patterns *patterns)
{
	if (patterns->notes != NULL || patterns->count == 0)
		return;
	patterns->notes = mem_zero(patterns->count * sizeof(*patterns->notes));
	for (size_t i = 0; i < patterns->count; i++) {
		patterns->notes[i].settled = strpbrk(patterns->items[i], "*?[\\") != NULL;
		patterns->notes[i].suggestion = suggestion_for(patterns->items[i]);
	}
}

static void consider(struct pattern_note *note, const char *name)
{
	suggestion_consider(&note->suggestion, name);
	if (note->suggestion.meant != name)
		return;
	free(note->meant);
	note->suggestion.meant = note->meant = mem_copy(span_of(name));
}

void patterns_note(struct patterns *patterns, const char *name)
{
	make_notes(patterns);
	for (size_t i = 0; i < patterns->count; i++) {
		struct pattern_note *note = &patterns->notes[i];

		note->settled = note->settled || strcmp(patterns->items[i], name) == 0;
		if (!note->settled && strlen(name) <= LONGEST_NAME)
			consider(note, name);
	}
}

void patterns_warn(struct patterns *patterns, const char *option, const char *what)
{
	make_notes(patterns);
	for (size_t i = 0; i < patterns->count; i++) {
		struct buffer meant = {0};

		if (patterns->notes[i].settled || patterns->notes[i].meant == NULL)
			continue;
		suggestion_write(&patterns->notes[i].suggestion, &meant);
		warn("--%s %s: the input has no such %s%s", option, patterns->items[i], what,
		     buffer_string(&meant));
		buffer_free(&meant);
	}
}
