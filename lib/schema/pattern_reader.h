/*
 * pattern_reader: what the functions that translate a pattern share. They read it from left to
 * right, and write its translation and a text that it matches: the first alternative of everything,
 * repeated as seldom as allowed.
 */
#ifndef SCHEMA_PATTERN_READER_H
#define SCHEMA_PATTERN_READER_H

#include "schema/pattern.h"

enum { PATTERN_MAX_GROUPS = 200 }; /* nested; PCRE2's own limit is 250 */

/* Whether the item just written may be repeated. */
enum pattern_repeatable { REPEAT_NOT, REPEAT_YES, REPEAT_DONE };

struct pattern_group {
	bool is_assertion; /* look-ahead or look-behind: not repeated, no part of the example */
	bool dot_all, multiline; /* modifiers s and m */
	bool has_alternatives;
	size_t example_start, example_end; /* of the first alternative, once there is another */
};

struct pattern_reader {
	const char *at, *end; /* the rest; a NUL follows it */
	struct buffer *out, *why;
	struct pattern_group groups[PATTERN_MAX_GROUPS + 1]; /* the first is the whole pattern */
	size_t depth;
	enum pattern_repeatable last;
	struct buffer *example;        /* as far as the pattern has been read */
	size_t item;                   /* where the example of the item just written begins */
	const struct pattern *sampled; /* NULL: the members of classes are left out */
};

#define PATTERN_LINE_ENDS "\\n\\r\\x{2028}\\x{2029}"

/* Report why the text is not a pattern, and return false. */
static inline bool pattern_fail(struct pattern_reader *t, const char *why)
{
	if (t->why->len == 0)
		buffer_add_text(t->why, why);
	return false;
}

/* Whether the rest starts with `text`. */
static inline bool pattern_starts(const struct pattern_reader *t, const char *text)
{
	return strncmp(t->at, text, strlen(text)) == 0;
}

/* Step over `text` if the rest starts with it. */
static inline bool pattern_take(struct pattern_reader *t, const char *text)
{
	bool found = pattern_starts(t, text);

	t->at += found ? strlen(text) : 0;
	return found;
}

/* Write the next `len` bytes as they are, and return true. */
static inline bool pattern_copy(struct pattern_reader *t, size_t len)
{
	buffer_add(t->out, t->at, len);
	t->at += len;
	return true;
}

/* ---- the whole (pattern_translate.c) ---- */

/* Append the form of `text` that PCRE2 understands, and store in `example` a text that the pattern
 * may match, to which classes of characters add nothing if `sampled`, the compiled pattern, is NULL
 * (assertions are ignored). False with `why`, a phrase, if `text` is not a pattern of ECMA-262.
 * Where a match has a choice, the form has callouts (?C), at which the match counts its steps. */
bool pattern_translate(struct span text, const struct pattern *sampled, struct buffer *out,
		       struct buffer *example, struct buffer *why);

/* ---- matching (pattern.c) ---- */

/* The first place in `text` that `piece`, a part of such a form, matches; SIZE_MAX if there is
 * none. */
size_t pattern_piece_find(const struct pattern *pattern, struct span piece, struct span text);

/* ---- what matches one character (pattern_class.c) ---- */

/* A character outside of brackets, as it is or as an escape. */
bool pattern_take_character(struct pattern_reader *t);

/* Whether \d, \w, \s, \p or one of their opposites stands at `at`, and such a class. */
bool pattern_is_class(const char *at);
bool pattern_take_class(struct pattern_reader *t);

/* A bracket expression, and a dot. */
bool pattern_take_bracket(struct pattern_reader *t);
bool pattern_take_dot(struct pattern_reader *t);

#endif
