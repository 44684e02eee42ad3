/*
 * span: a borrowed run of bytes.
 *
 * A span owns nothing. It is valid until the buffer that it points into changes or is freed; the
 * documentation of a function names that buffer. The bytes are not NUL-terminated and may contain
 * NUL. `at == NULL` means "absent", which is different from empty.
 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
	const char *at;
	size_t len;
};

/* The span of a string literal, without its NUL. */
#define SPAN(literal) ((struct span){(literal), sizeof(literal) - 1})

/* The same as an initialiser, for static tables. */
#define SPAN_INIT(literal)                                                                         \
	{                                                                                          \
		(literal), sizeof(literal) - 1                                                     \
	}

/* The number of elements of an array. */
#define ARRAY_LEN(array) (sizeof(array) / sizeof(*(array)))

/* printf's "%.*s" for a span. */
#define SPAN_ARG(s) (int)(s).len, (s).at

/* The span of a NUL-terminated string; absent if `text` is NULL. */
static inline struct span span_of(const char *text)
{
	return (struct span){text, text != NULL ? strlen(text) : 0};
}

static inline bool span_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* Whether `s` is present and equal to `text`. */
static inline bool span_is(struct span s, const char *text)
{
	return s.at != NULL && span_equal(s, span_of(text));
}

/* Whether `s` is one of `texts`, which NULL ends. */
static inline bool span_is_any(struct span s, const char *const *texts)
{
	for (; *texts != NULL; texts++)
		if (span_is(s, *texts))
			return true;
	return false;
}

static inline bool span_begins(struct span s, struct span beginning)
{
	return s.len >= beginning.len &&
	       (beginning.len == 0 || memcmp(s.at, beginning.at, beginning.len) == 0);
}

static inline bool span_starts(struct span s, const char *prefix)
{
	size_t len = strlen(prefix);

	return s.len >= len && memcmp(s.at, prefix, len) == 0;
}

static inline bool span_ends(struct span s, const char *suffix)
{
	size_t len = strlen(suffix);

	return s.len >= len && memcmp(s.at + s.len - len, suffix, len) == 0;
}

/* `s` without its first `n` bytes (n <= s.len). */
static inline struct span span_from(struct span s, size_t n)
{
	return (struct span){s.at + n, s.len - n};
}

/* The white space of JSON. */
static inline bool span_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* `s` without white space around it. */
static inline struct span span_trim(struct span s)
{
	while (s.len > 0 && span_is_space(s.at[0]))
		s = span_from(s, 1);
	while (s.len > 0 && span_is_space(s.at[s.len - 1]))
		s.len--;
	return s;
}

/* `s` without a byte order mark at its beginning. */
static inline struct span span_skip_mark(struct span s)
{
	return span_starts(s, "\xEF\xBB\xBF") ? span_from(s, 3) : s;
}

/* Move the next line of `text`, without its newline, to `line`. *is_torn becomes whether the
 * newline is missing (may be NULL). Returns false at the end. */
static inline bool span_next_line(struct span *text, struct span *line, bool *is_torn)
{
	const char *newline;

	if (text->len == 0)
		return false;
	newline = memchr(text->at, '\n', text->len);
	*line = (struct span){text->at, newline ? (size_t)(newline - text->at) : text->len};
	*text = span_from(*text, line->len + (newline != NULL));
	if (is_torn != NULL)
		*is_torn = newline == NULL;
	return true;
}

#endif
