#include <regex.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "schema/pattern.h"

/* Works on the POSIX form, which has fewer spellings. A text is made of the first alternative of
 * everything, repeated as seldom as allowed. */
enum { MAX_DEPTH = 100, MAX_EXAMPLE = 10000 };

struct maker {
	struct span rest;
	struct buffer *out;
	int depth;
};

static bool make_branches(struct maker *maker);

static bool posix_matches(struct span posix, const char *text)
{
	char *pattern = mem_copy(posix);
	regex_t compiled;
	bool matches = false;

	if (regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) == 0) {
		matches = regexec(&compiled, text, 0, NULL, 0) == 0;
		regfree(&compiled);
	}
	free(pattern);
	return matches;
}

/* A character that the bracket expression matches: the most ordinary ones first. */
static bool make_bracket(struct maker *maker, struct span bracket)
{
	static const char ordinary[] = "a0Ab1_- .:/";
	char c[2] = {0};

	const int first = sizeof ordinary - 1;

	for (int i = 0; i < first + 0x7F; i++) {
		c[0] = i < first ? ordinary[i] : (char)(i - first + 1);
		if (posix_matches(bracket, c)) {
			buffer_add_char(maker->out, c[0]);
			return true;
		}
	}
	return false;
}

/* The bracket expression at the beginning of `text`: a ']' that comes first is a member. */
static struct span take_bracket(struct span text)
{
	size_t len = 1;

	if (len < text.len && text.at[len] == '^')
		len++;
	if (len < text.len && text.at[len] == ']')
		len++;
	while (len < text.len && text.at[len] != ']') {
		/* "[:space:]" */
		if (span_starts(span_from(text, len), "[:"))
			while (len + 1 < text.len &&
			       !(text.at[len] == ':' && text.at[len + 1] == ']'))
				len++;
		len++;
	}
	return (struct span){text.at, len < text.len ? len + 1 : text.len};
}

static bool make_group(struct maker *maker)
{
	bool good;

	maker->rest = span_from(maker->rest, 1);
	if (++maker->depth > MAX_DEPTH)
		return false;
	good = make_branches(maker);
	maker->depth--;
	if (!good || maker->rest.len == 0)
		return false;
	maker->rest = span_from(maker->rest, 1);
	return true;
}

/* One atom without what repeats it. */
static bool make_atom(struct maker *maker)
{
	struct span bracket;
	size_t size;

	switch (maker->rest.at[0]) {
	case '(':
		return make_group(maker);
	case '[':
		bracket = take_bracket(maker->rest);
		maker->rest = span_from(maker->rest, bracket.len);
		return make_bracket(maker, bracket);
	case '^':
	case '$':
		maker->rest = span_from(maker->rest, 1);
		return true;
	case '\\':
		maker->rest = span_from(maker->rest, 1);
		break;
	}
	if (maker->rest.len == 0)
		return false;
	utf8_decode(maker->rest, &size);
	buffer_add(maker->out, maker->rest.at, size);
	maker->rest = span_from(maker->rest, size);
	return true;
}

/* How often the atom just read must stand at least; steps over what says so. */
static long take_least(struct maker *maker)
{
	long least = 1;

	while (maker->rest.len > 0 && strchr("*+?{", maker->rest.at[0]) != NULL) {
		const char *close;

		if (maker->rest.at[0] != '{') {
			if (maker->rest.at[0] != '+')
				least = 0;
			maker->rest = span_from(maker->rest, 1);
			continue;
		}
		least *= strtol(maker->rest.at + 1, NULL, 10);
		close = memchr(maker->rest.at, '}', maker->rest.len);
		if (close == NULL)
			return least;
		maker->rest = span_from(maker->rest, (size_t)(close - maker->rest.at) + 1);
	}
	return least;
}

static bool make_repeated(struct maker *maker)
{
	size_t start = maker->out->len, len;
	long least;

	if (!make_atom(maker))
		return false;
	len = maker->out->len - start;
	least = take_least(maker);
	if (least == 0)
		maker->out->len = start;
	if ((size_t)least * len > MAX_EXAMPLE)
		return false;
	buffer_reserve(maker->out, (size_t)least * len);
	for (long i = 1; i < least; i++)
		buffer_add(maker->out, maker->out->at + start, len);
	return true;
}

/* Alternatives up to ')' or the end: the first is made, the others are read over. */
static bool make_branches(struct maker *maker)
{
	size_t first = 0;
	bool chosen = false;

	while (maker->rest.len > 0 && maker->rest.at[0] != ')') {
		if (maker->rest.at[0] == '|') {
			if (!chosen)
				first = maker->out->len;
			chosen = true;
			maker->rest = span_from(maker->rest, 1);
		} else if (!make_repeated(maker)) {
			return false;
		}
	}
	if (chosen)
		maker->out->len = first;
	return true;
}

bool pattern_example(struct span pattern, struct buffer *out)
{
	struct buffer posix = {0};
	struct maker maker = {.out = out};
	size_t start = out->len;
	bool good = pattern_translate(pattern, &posix);

	/* A NUL behind it, for strtol. */
	buffer_string(&posix);
	maker.rest = buffer_span(&posix);
	good = good && make_branches(&maker) && maker.rest.len == 0 &&
	       pattern_match(pattern, span_from(buffer_span(out), start)) == PATTERN_MATCHES;
	buffer_free(&posix);
	return good;
}
