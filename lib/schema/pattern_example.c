#include <stdlib.h>

#include "base/utf8.h"
#include "schema/pattern.h"

/* Works on the translated form, which has few spellings. A text is made of the first alternative of
 * everything, repeated as seldom as allowed. Assertions add nothing: whether they hold shows when
 * the text is matched. */
enum { MAX_DEPTH = 250, MAX_EXAMPLE = 10000, MAX_STEPS = 100000 };

struct maker {
	const struct pattern *pattern;
	struct span rest;
	struct buffer *out;
	int depth;
};

static bool make_branches(struct maker *maker);

static bool starts(const struct maker *maker, const char *text)
{
	return span_starts(maker->rest, text);
}

static void skip(struct maker *maker, size_t n)
{
	maker->rest = span_from(maker->rest, n < maker->rest.len ? n : maker->rest.len);
}

/* Step over what stands before `end`, and over it. */
static void skip_past(struct maker *maker, char end)
{
	const char *found = memchr(maker->rest.at, end, maker->rest.len);

	skip(maker, found != NULL ? (size_t)(found - maker->rest.at) + 1 : maker->rest.len);
}

/* A character that the bracket expression matches: the most ordinary ones first. */
static bool make_bracket(struct maker *maker, struct span bracket)
{
	static const char ordinary[] = "a0Ab1_- .:/";
	const int first = sizeof(ordinary) - 1;

	for (int i = 0; i < first + 0x80; i++) {
		char c = i < first ? ordinary[i] : (char)(i - first);

		if (pattern_piece_matches(maker->pattern, bracket, (struct span){&c, 1})) {
			buffer_add_char(maker->out, c);
			return true;
		}
	}
	/* Beyond ASCII, the first member. */
	bracket = span_from(bracket, 1);
	if (bracket.len > 1 && (unsigned char)bracket.at[0] >= 0x80) {
		size_t size;

		utf8_add_code_point(maker->out, utf8_decode(bracket, &size));
		return true;
	}
	return false;
}

/* The bracket expression at the start of the rest: inside, a ']' has a backslash before it. */
static struct span take_bracket(struct maker *maker)
{
	struct span bracket = maker->rest;

	bracket.len = 1;
	while (bracket.len < maker->rest.len && bracket.at[bracket.len] != ']')
		bracket.len += bracket.at[bracket.len] == '\\' ? 2 : 1;
	bracket.len = bracket.len < maker->rest.len ? bracket.len + 1 : maker->rest.len;
	skip(maker, bracket.len);
	return bracket;
}

static bool make_group(struct maker *maker)
{
	size_t start = maker->out->len;
	bool is_assertion = starts(maker, "(?=") || starts(maker, "(?!") || starts(maker, "(?<=") ||
			    starts(maker, "(?<!");
	bool good;

	if (is_assertion)
		skip(maker, starts(maker, "(?<") ? 4 : 3);
	else if (starts(maker, "(?<"))
		skip_past(maker, '>');
	else if (starts(maker, "(?"))
		skip_past(maker, ':');
	else
		skip(maker, 1);
	if (++maker->depth > MAX_DEPTH)
		return false;
	good = make_branches(maker);
	maker->depth--;
	if (is_assertion)
		maker->out->len = start;
	if (!good || maker->rest.len == 0)
		return false;
	skip(maker, 1);
	return true;
}

/* What follows a backslash. */
static bool make_escape(struct maker *maker)
{
	if (starts(maker, "x{")) {
		skip(maker, 2);
		utf8_add_code_point(maker->out, (uint32_t)strtoul(maker->rest.at, NULL, 16));
		skip_past(maker, '}');
	} else if (starts(maker, "g{")) {
		skip_past(maker, '}');
	} else if (starts(maker, "k<")) {
		skip_past(maker, '>');
	} else if (starts(maker, "b") || starts(maker, "B")) {
		skip(maker, 1);
	} else if (maker->rest.len > 0) {
		buffer_add_char(maker->out, maker->rest.at[0]);
		skip(maker, 1);
	}
	return true;
}

/* One atom without what repeats it. */
static bool make_atom(struct maker *maker)
{
	size_t size;

	switch (maker->rest.at[0]) {
	case '(':
		return make_group(maker);
	case '[':
		return make_bracket(maker, take_bracket(maker));
	case '^':
	case '$':
		skip(maker, 1);
		return true;
	case '\\':
		skip(maker, 1);
		return make_escape(maker);
	}
	utf8_decode(maker->rest, &size);
	buffer_add(maker->out, maker->rest.at, size);
	skip(maker, size);
	return true;
}

/* How often the atom just read must stand at least; steps over its quantifier. */
static unsigned long take_least(struct maker *maker)
{
	char c = maker->rest.len > 0 ? maker->rest.at[0] : '\0';
	unsigned long least = c == '*' || c == '?' ? 0 : 1;

	if (c == '{') {
		least = strtoul(maker->rest.at + 1, NULL, 10);
		skip_past(maker, '}');
	} else if (c == '*' || c == '+' || c == '?') {
		skip(maker, 1);
	} else {
		return 1;
	}
	if (starts(maker, "?"))
		skip(maker, 1);
	return least;
}

static bool make_repeated(struct maker *maker)
{
	size_t start = maker->out->len, len;
	unsigned long least;

	if (starts(maker, "(?C)")) {
		skip(maker, 4);
		return true;
	}
	if (!make_atom(maker))
		return false;
	len = maker->out->len - start;
	least = take_least(maker);
	if (least == 0)
		maker->out->len = start;
	if (len > 0 && least > MAX_EXAMPLE / len)
		return false;
	for (unsigned long i = 1; i < least; i++) {
		buffer_reserve(maker->out, len);
		buffer_add(maker->out, maker->out->at + start, len);
	}
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
			skip(maker, 1);
		} else if (!make_repeated(maker)) {
			return false;
		}
	}
	if (chosen)
		maker->out->len = first;
	return true;
}

bool pattern_example(struct pattern *pattern, struct buffer *out)
{
	struct buffer form = {0};
	struct maker maker = {.pattern = pattern, .out = out};
	size_t start = out->len;
	int64_t steps = MAX_STEPS;
	bool good;

	/* A NUL behind it, for strtoul. */
	buffer_add_span(&form, pattern_translated(pattern));
	buffer_string(&form);
	maker.rest = buffer_span(&form);
	good =
	    make_branches(&maker) && maker.rest.len == 0 &&
	    pattern_match(pattern, span_from(buffer_span(out), start), &steps) == PATTERN_MATCHES;
	buffer_free(&form);
	return good;
}
