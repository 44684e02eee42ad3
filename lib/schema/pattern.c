#include "schema/pattern.h"

#include <locale.h>
#include <regex.h>
#include <stdlib.h>

#include "base/utf8.h"

/* Longer patterns, those whose repetitions multiply to more (the C library unrolls them) and those
 * with longer ranges beyond ASCII are not tried. */
enum { MAX_PATTERN = 2000, MAX_REPEATS = 20000, MAX_RANGE = 1000 };

/* What is left of a pattern, and what has been written. */
struct translation {
	struct span rest;
	struct buffer *out;
	long repeats;  /* how many copies of a part there may be in the end */
	bool repeated; /* a repetition has just been written */
	bool grouped;  /* the end of a group has */
};

static bool starts(const struct translation *t, const char *text)
{
	return span_starts(t->rest, text);
}

static void skip(struct translation *t, size_t n)
{
	t->rest = span_from(t->rest, n);
}

/* ---- escapes ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The code point of `count` hexadecimal digits; 0 when they are not there. */
static uint32_t take_hex(struct translation *t, size_t count)
{
	uint32_t value = 0;

	if (t->rest.len < count)
		return 0;
	for (size_t i = 0; i < count; i++) {
		int digit = hex_digit(t->rest.at[i]);

		if (digit < 0)
			return 0;
		value = value << 4 | (uint32_t)digit;
	}
	skip(t, count);
	return value;
}

/* The character that an escape stands for, behind its backslash and first letter `c`; 0 when it
 * stands for something else. */
static uint32_t escaped_character(struct translation *t, char c)
{
	static const char letters[] = "nrtfv", characters[] = "\n\r\t\f\v";
	const char *letter = memchr(letters, c, sizeof letters - 1);

	if (letter != NULL)
		return (uint32_t)characters[letter - letters];
	if (c == 'x')
		return take_hex(t, 2);
	if (c == 'u' && !starts(t, "{"))
		return take_hex(t, 4);
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return 0;
	return (unsigned char)c;
}

/* The members of a class escape inside brackets; NULL for other escapes. */
static const char *class_members(char c)
{
	switch (c) {
	case 'd':
		return "0-9";
	case 'w':
		return "A-Za-z0-9_";
	case 's':
		return "[:space:]";
	default:
		return NULL;
	}
}

/* Takes the "{Letter}" of a \\p that has a counterpart, and returns its members; else NULL. */
static const char *take_property(struct translation *t)
{
	static const char *const properties[][2] = {
	    {"{L}", "[:alpha:]"},
	    {"{Letter}", "[:alpha:]"},
	    {"{Alphabetic}", "[:alpha:]"},
	    {"{Lu}", "[:upper:]"},
	    {"{Uppercase}", "[:upper:]"},
	    {"{Uppercase_Letter}", "[:upper:]"},
	    {"{Ll}", "[:lower:]"},
	    {"{Lowercase}", "[:lower:]"},
	    {"{Lowercase_Letter}", "[:lower:]"},
	};

	for (size_t i = 0; i < sizeof properties / sizeof *properties; i++)
		if (starts(t, properties[i][0])) {
			skip(t, strlen(properties[i][0]));
			return properties[i][1];
		}
	return NULL;
}

static void add_literal(struct buffer *out, uint32_t c)
{
	if (c < 0x80 && strchr(".[]{}()*+?^$|\\", (int)c) != NULL)
		buffer_add_char(out, '\\');
	utf8_add_code_point(out, c);
}

/* An escape outside of brackets, behind its backslash. */
static bool translate_escape(struct translation *t)
{
	char c = t->rest.at[0];
	const char *members = class_members((char)(c | 0x20));
	uint32_t character;

	skip(t, 1);
	if (c == 'p' || c == 'P')
		members = take_property(t);
	if (members != NULL && strchr("dDwWsSpP", c) != NULL) {
		buffer_add_format(t->out, "[%s%s]", c & 0x20 ? "" : "^", members);
		return true;
	}
	character = escaped_character(t, c);
	if (character == 0)
		return false;
	add_literal(t->out, character);
	return true;
}

/* ---- brackets ---- */

/* The next single character of a bracket expression; 0 when it is none. */
static uint32_t take_member(struct translation *t)
{
	size_t size;
	uint32_t c;

	if (starts(t, "\\") && t->rest.len > 1) {
		char letter = t->rest.at[1];

		skip(t, 2);
		return letter == 'b' ? 0 : escaped_character(t, letter);
	}
	c = utf8_decode(t->rest, &size);
	skip(t, size);
	return c;
}

/* POSIX brackets know no escapes: these four have their places instead. */
struct bracket {
	struct buffer members;
	bool opening, closing, caret, dash; /* holds '[', ']', '^', '-' */
};

static void add_single(struct bracket *bracket, uint32_t c)
{
	bracket->opening |= c == '[';
	bracket->closing |= c == ']';
	bracket->caret |= c == '^';
	bracket->dash |= c == '-';
	if (c >= 0x80 || strchr("[]^-", (int)c) == NULL)
		utf8_add_code_point(&bracket->members, c);
}

/* The range from `first` to `last`. The C library's ranges end where ASCII ends, and their ends
 * must have no meaning of their own. */
static bool add_range(struct bracket *bracket, uint32_t first, uint32_t last)
{
	if (last < first || last - first > MAX_RANGE)
		return false;
	if (last < 0x80 && strchr("[]^-\\", (int)first) == NULL &&
	    strchr("[]^-\\", (int)last) == NULL) {
		buffer_add_format(&bracket->members, "%c-%c", (int)first, (int)last);
		return true;
	}
	for (uint32_t c = first; c <= last; c++)
		add_single(bracket, c);
	return true;
}

static bool add_member(struct translation *t, struct bracket *bracket)
{
	const char *members = NULL;
	uint32_t first, last;

	if (starts(t, "\\p")) {
		skip(t, 2);
		members = take_property(t);
		if (members == NULL)
			return false;
	} else if (starts(t, "\\") && t->rest.len > 1) {
		members = class_members(t->rest.at[1]);
		skip(t, members != NULL ? 2 : 0);
	}
	if (members != NULL) {
		buffer_add_text(&bracket->members, members);
		return true;
	}
	first = take_member(t);
	if (first == 0)
		return false;
	if (!starts(t, "-") || t->rest.len < 2 || t->rest.at[1] == ']') {
		add_single(bracket, first);
		return true;
	}
	skip(t, 1);
	last = take_member(t);
	return last != 0 && add_range(bracket, first, last);
}

static void write_bracket(struct buffer *out, struct bracket *bracket, bool negated)
{
	if (!negated && bracket->caret && bracket->members.len == 0 && !bracket->closing &&
	    !bracket->opening) {
		buffer_add_text(out, bracket->dash ? "[-^]" : "\\^");
		return;
	}
	buffer_add_text(out, negated ? "[^" : "[");
	if (bracket->closing)
		buffer_add_char(out, ']');
	buffer_add_span(out, buffer_span(&bracket->members));
	/* Behind the members, where no "[." or "[:" can come about. */
	if (bracket->opening)
		buffer_add_char(out, '[');
	if (bracket->caret)
		buffer_add_char(out, '^');
	if (bracket->dash)
		buffer_add_char(out, '-');
	buffer_add_char(out, ']');
}

/* A bracket expression behind its '['. */
static bool translate_bracket(struct translation *t)
{
	struct bracket bracket = {0};
	bool negated = starts(t, "^"), good = true;

	skip(t, negated);
	if (starts(t, "]"))
		return false; /* [] and [^]: nothing and anything */
	while (good && t->rest.len > 0 && !starts(t, "]"))
		good = add_member(t, &bracket);
	good = good && t->rest.len > 0;
	if (good) {
		skip(t, 1);
		write_bracket(t->out, &bracket, negated);
	}
	buffer_free(&bracket.members);
	return good;
}

/* ---- the rest ---- */

/* A part is repeated `times` times; false when there would be too much of it. */
static bool multiply(struct translation *t, long times)
{
	if (times > MAX_REPEATS / t->repeats)
		return false;
	t->repeats *= times;
	return true;
}

/* {n}, {n,} or {n,m}; any other brace stands for itself. */
static bool translate_brace(struct translation *t)
{
	size_t len = 1;
	long least = -1, most = 0;

	while (len < t->rest.len && strchr("0123456789,", t->rest.at[len]) != NULL)
		len++;
	if (len == 1 || len == t->rest.len || t->rest.at[len] != '}' || t->rest.at[1] == ',') {
		add_literal(t->out, '{');
		skip(t, 1);
		return true;
	}
	for (size_t i = 1; i < len; i++) {
		if (t->rest.at[i] == ',') {
			least = most;
			most = 0;
		} else if (most <= MAX_REPEATS) {
			most = most * 10 + (t->rest.at[i] - '0');
		}
	}
	if (t->rest.at[len - 1] == ',')
		most = least + 1;
	buffer_add(t->out, t->rest.at, len + 1);
	skip(t, len + 1);
	t->repeated = true;
	return most <= 1 || multiply(t, most);
}

/* *, +, ? or {, which may begin no repetition. A repetition of a repetition is an error of the
 * pattern. */
static bool translate_repeat(struct translation *t, char c)
{
	bool repeated = t->repeated;

	t->repeated = c != '{';
	if (c == '{') {
		if (!translate_brace(t))
			return false;
	} else {
		/* The C library writes x+ as xx*: in groups of groups that adds up. */
		if (c == '+' && t->grouped && !multiply(t, 2))
			return false;
		buffer_add_char(t->out, c);
		skip(t, 1);
	}
	if (t->repeated && starts(t, "?"))
		skip(t, 1); /* lazy: it finds the same texts */
	return !(t->repeated && repeated);
}

/* One step that is no repetition; false when there is no counterpart. */
static bool translate_one(struct translation *t, char c)
{
	switch (c) {
	case '\\':
		skip(t, 1);
		return t->rest.len > 0 && translate_escape(t);
	case '[':
		skip(t, 1);
		return translate_bracket(t);
	case '(':
		skip(t, starts(t, "(?:") ? 3 : 1);
		buffer_add_char(t->out, '(');
		return !starts(t, "?");
	case '.':
		skip(t, 1);
		buffer_add_text(t->out, "[^\n\r]");
		return true;
	case '}':
		skip(t, 1);
		add_literal(t->out, '}');
		return true;
	default:
		buffer_add_char(t->out, c);
		skip(t, 1);
		return true;
	}
}

/* One step; false when there is no counterpart. */
static bool translate_next(struct translation *t)
{
	char c = t->rest.at[0];
	bool good;

	if (c != '\0' && strchr("*+?{", c) != NULL) {
		good = translate_repeat(t, c);
		t->grouped = false;
	} else {
		good = translate_one(t, c);
		t->repeated = false;
		t->grouped = c == ')';
	}
	return good;
}

bool pattern_translate(struct span pattern, struct buffer *out)
{
	struct translation t = {.rest = pattern, .out = out, .repeats = 1};

	if (pattern.len > MAX_PATTERN)
		return false;
	while (t.rest.len > 0)
		if (!translate_next(&t))
			return false;
	return true;
}

/* Patterns speak of characters, whatever the program's locale. */
static enum pattern_result match(const char *pattern, const char *text)
{
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	locale_t old = uselocale(utf8);
	enum pattern_result result = PATTERN_UNKNOWN;
	regex_t compiled;

	if (regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) == 0) {
		int failure = regexec(&compiled, text, 0, NULL, 0);

		if (failure == 0)
			result = PATTERN_MATCHES;
		else if (failure == REG_NOMATCH)
			result = PATTERN_DIFFERS;
		regfree(&compiled);
	}
	uselocale(old);
	if (utf8 != (locale_t)0)
		freelocale(utf8);
	return result;
}

enum pattern_result pattern_match(struct span pattern, struct span text)
{
	struct buffer posix = {0};
	enum pattern_result result = PATTERN_UNKNOWN;

	if (pattern.len == 0)
		return PATTERN_MATCHES;
	/* A NUL would end the text for the C library. */
	if ((text.len == 0 || memchr(text.at, '\0', text.len) == NULL) &&
	    pattern_translate(pattern, &posix)) {
		char *copy = mem_copy(text);

		result = match(buffer_string(&posix), copy);
		free(copy);
	}
	buffer_free(&posix);
	return result;
}
