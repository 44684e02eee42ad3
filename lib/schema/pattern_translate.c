#include <string.h>

#include "base/utf8.h"
#include "schema/pattern.h"

/* Deeper groups are refused; PCRE2's own limit is 250. */
enum { MAX_GROUPS = 200 };

/* What follows the last thing written: may it be repeated? */
enum repeatable { REPEAT_NOT, REPEAT_YES, REPEAT_DONE };

struct group {
	bool is_assertion; /* look-ahead or look-behind: not repeated */
	bool dot_all, multiline;
};

struct pattern_reader {
	struct span rest;
	struct buffer *out, *why;
	struct group groups[MAX_GROUPS];
	size_t depth;
	bool dot_all, multiline; /* modifiers s and m */
	enum repeatable last;
};

/* White space and line terminators of ECMA-262, and everything else. */
#define SPACES                                                                                     \
	"\\x{9}-\\x{d}\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}"                \
	"\\x{202f}\\x{205f}\\x{3000}\\x{feff}"
#define NO_SPACES                                                                                  \
	"\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}"           \
	"\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}"             \
	"\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}"
#define LINE_ENDS "\\n\\r\\x{2028}\\x{2029}"
#define ANYTHING  "\\x{0}-\\x{10ffff}"

static bool fail(struct pattern_reader *t, const char *why)
{
	if (t->why->len == 0)
		buffer_add_text(t->why, why);
	return false;
}

static bool starts(const struct pattern_reader *t, const char *text)
{
	return span_starts(t->rest, text);
}

/* Step over `text` if the rest starts with it. */
static bool take(struct pattern_reader *t, const char *text)
{
	bool found = starts(t, text);

	if (found)
		t->rest = span_from(t->rest, strlen(text));
	return found;
}

static bool is_ascii_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* ---- single characters ---- */

/* Write a character so that it stands for itself, in brackets and outside. */
static void add_character(struct buffer *out, uint32_t c)
{
	if (c >= 0x21 && c < 0x7F && !is_ascii_letter((char)c) && !is_digit((char)c))
		buffer_add_format(out, "\\%c", (int)c);
	else if (c < 0x20 || c == 0x7F || (c >= 0xD800 && c <= 0xDFFF))
		buffer_add_format(out, "\\x{%x}", (unsigned)c);
	else
		utf8_add_code_point(out, c);
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Step over `count` hexadecimal digits. */
static bool take_hex(struct pattern_reader *t, size_t count, uint32_t *value)
{
	*value = 0;
	if (t->rest.len < count)
		return false;
	for (size_t i = 0; i < count; i++) {
		int digit = hex_value(t->rest.at[i]);

		if (digit < 0)
			return false;
		*value = *value << 4 | (uint32_t)digit;
	}
	t->rest = span_from(t->rest, count);
	return true;
}

/* The digits and the brace of \u{...}. */
static bool take_braced_hex(struct pattern_reader *t, uint32_t *value)
{
	size_t digits = 0;

	*value = 0;
	while (digits < t->rest.len && hex_value(t->rest.at[digits]) >= 0 && *value <= 0x10FFFF)
		*value = *value << 4 | (uint32_t)hex_value(t->rest.at[digits++]);
	if (digits == 0 || *value > 0x10FFFF)
		return false;
	t->rest = span_from(t->rest, digits);
	return take(t, "}");
}

/* What follows \u: a code point, or two surrogates that make one. */
static bool take_unicode(struct pattern_reader *t, uint32_t *c)
{
	struct span before;
	uint32_t second;

	if (take(t, "{"))
		return take_braced_hex(t, c);
	if (!take_hex(t, 4, c))
		return false;
	before = t->rest;
	if (*c >= 0xD800 && *c < 0xDC00 && take(t, "\\u") && take_hex(t, 4, &second) &&
	    second >= 0xDC00 && second < 0xE000)
		*c = 0x10000 + ((*c - 0xD800) << 10) + (second - 0xDC00);
	else
		t->rest = before;
	return true;
}

/* The character of an escape, behind its backslash, that stands for one character. */
static bool take_escaped(struct pattern_reader *t, uint32_t *c)
{
	static const char letters[] = "nrtfv", characters[] = "\n\r\t\f\v";
	char letter = t->rest.len > 0 ? t->rest.at[0] : '\0';
	const char *found = letter != '\0' ? strchr(letters, letter) : NULL;
	size_t size;

	if (t->rest.len == 0)
		return fail(t, "a backslash at its end");
	if (!is_ascii_letter(letter) && !is_digit(letter)) {
		*c = utf8_decode(t->rest, &size);
		t->rest = span_from(t->rest, size);
		return true;
	}
	t->rest = span_from(t->rest, 1);
	*c = found != NULL ? (uint32_t)characters[found - letters] : 0;
	if (found != NULL)
		return true;
	if (letter == '0' && (t->rest.len == 0 || !is_digit(t->rest.at[0])))
		return true;
	if (letter == 'c' && t->rest.len > 0 && is_ascii_letter(t->rest.at[0])) {
		*c = (uint32_t)t->rest.at[0] & 0x1F;
		t->rest = span_from(t->rest, 1);
		return true;
	}
	if ((letter == 'x' && take_hex(t, 2, c)) || (letter == 'u' && take_unicode(t, c)))
		return true;
	buffer_add_format(t->why, "the escape \\%c means nothing here", letter);
	return false;
}

/* ---- classes of characters ---- */

/* The general categories: PCRE2 knows only their short names. */
static const char categories[] =
    " Letter=L Cased_Letter=L& LC=L& Uppercase_Letter=Lu Lowercase_Letter=Ll Titlecase_Letter=Lt "
    "Modifier_Letter=Lm Other_Letter=Lo Mark=M Combining_Mark=M Nonspacing_Mark=Mn "
    "Spacing_Mark=Mc Enclosing_Mark=Me Number=N Decimal_Number=Nd digit=Nd Letter_Number=Nl "
    "Other_Number=No Punctuation=P punct=P Connector_Punctuation=Pc Dash_Punctuation=Pd "
    "Open_Punctuation=Ps Close_Punctuation=Pe Initial_Punctuation=Pi Final_Punctuation=Pf "
    "Other_Punctuation=Po Symbol=S Math_Symbol=Sm Currency_Symbol=Sc Modifier_Symbol=Sk "
    "Other_Symbol=So Separator=Z Space_Separator=Zs Line_Separator=Zl Paragraph_Separator=Zp "
    "Other=C Control=Cc cntrl=Cc Format=Cf Surrogate=Cs Private_Use=Co Unassigned=Cn ";

/* The short name of a category; `name` itself if it is another one. */
static struct span category_of(struct span name)
{
	struct buffer wanted = {0};
	const char *found;

	buffer_add_format(&wanted, " %.*s=", SPAN_ARG(name));
	found = strstr(categories, buffer_string(&wanted));
	if (found != NULL)
		name = (struct span){found + wanted.len, strcspn(found + wanted.len, " ")};
	buffer_free(&wanted);
	return name;
}

/* Write the property "{Name}" or "{Kind=Name}" behind \p (or \P: negated). */
static bool take_property(struct pattern_reader *t, bool negated, struct buffer *out)
{
	static const char *const kinds[][2] = {{"Script=", "sc:"},
					       {"sc=", "sc:"},
					       {"Script_Extensions=", "scx:"},
					       {"scx=", "scx:"},
					       {"General_Category=", ""},
					       {"gc=", ""}};
	const char *end = t->rest.len > 0 ? memchr(t->rest.at, '}', t->rest.len) : NULL;
	const char *prefix = "";
	struct span name;

	if (!starts(t, "{") || end == NULL)
		return fail(t, "\\p needs the name of a property in braces");
	name = (struct span){t->rest.at + 1, (size_t)(end - t->rest.at) - 1};
	t->rest = span_from(t->rest, name.len + 2);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (span_starts(name, kinds[i][0])) {
			name = span_from(name, strlen(kinds[i][0]));
			prefix = kinds[i][1];
			break;
		}
	for (size_t i = 0; i < name.len; i++)
		if (!is_ascii_letter(name.at[i]) && !is_digit(name.at[i]) && name.at[i] != '_')
			return fail(t, "\\p needs the name of a property in braces");
	if (span_is(name, "Assigned")) {
		negated = !negated;
		name = SPAN("Cn");
	}
	if (*prefix == '\0')
		name = category_of(name);
	buffer_add_format(out, "\\%c{%s%.*s}", negated ? 'P' : 'p', prefix, SPAN_ARG(name));
	return true;
}

/* Write the members of a class escape (\d, \w, \s, \p and their opposites), which the rest starts
 * with. False with an empty t->why if it is another escape. */
static bool take_class(struct pattern_reader *t, struct buffer *out)
{
	char letter = t->rest.len > 1 && t->rest.at[0] == '\\' ? t->rest.at[1] : '\0';

	if (letter == '\0' || strchr("dDwWsSpP", letter) == NULL)
		return false;
	t->rest = span_from(t->rest, 2);
	if (letter == 'p' || letter == 'P')
		return take_property(t, letter == 'P', out);
	if (letter == 's')
		buffer_add_text(out, SPACES);
	else if (letter == 'S')
		buffer_add_text(out, NO_SPACES);
	else
		buffer_add_format(out, "\\%c", letter);
	return true;
}

/* One character of a bracket expression. */
static bool take_member(struct pattern_reader *t, uint32_t *c)
{
	size_t size;

	if (take(t, "\\b")) {
		*c = '\b';
		return true;
	}
	if (take(t, "\\"))
		return take_escaped(t, c);
	*c = utf8_decode(t->rest, &size);
	t->rest = span_from(t->rest, size);
	return true;
}

/* A character or a range. A '-' beside a class stands for itself. */
static bool take_range(struct pattern_reader *t)
{
	uint32_t first, last;
	bool is_range;

	if (!take_member(t, &first))
		return false;
	add_character(t->out, first);
	is_range = starts(t, "-") && t->rest.len > 1 && t->rest.at[1] != ']';
	if (is_range && t->rest.at[1] == '\\' && t->rest.len > 2 && t->rest.at[2] != '\0')
		is_range = strchr("dDwWsSpP", t->rest.at[2]) == NULL;
	if (!is_range)
		return true;
	take(t, "-");
	if (!take_member(t, &last))
		return false;
	if (last < first)
		return fail(t, "a range in brackets is out of order");
	buffer_add_char(t->out, '-');
	add_character(t->out, last);
	return true;
}

/* A bracket expression behind its '['. */
static bool take_bracket(struct pattern_reader *t)
{
	bool negated = take(t, "^");

	if (take(t, "]")) {
		buffer_add_text(t->out, negated ? "[" ANYTHING "]" : "[^" ANYTHING "]");
		return true;
	}
	buffer_add_text(t->out, negated ? "[^" : "[");
	while (t->rest.len > 0 && !starts(t, "]"))
		if (!take_class(t, t->out)) {
			if (t->why->len > 0 || !take_range(t))
				return false;
		} else if (starts(t, "-") && t->rest.len > 1 && t->rest.at[1] != ']') {
			take(t, "-");
			add_character(t->out, '-');
		}
	buffer_add_char(t->out, ']');
	return take(t, "]") || fail(t, "a ']' is missing");
}

/* ---- groups ---- */

/* The modifiers of (?ims-ims:...), which hold inside the group. */
static bool take_modifiers(struct pattern_reader *t)
{
	bool on = true, case_on = false, case_off = false;

	while (t->rest.len > 0 && strchr("ims-", t->rest.at[0]) != NULL) {
		char c = t->rest.at[0];

		t->rest = span_from(t->rest, 1);
		if (c == '-')
			on = false;
		else if (c == 'm')
			t->multiline = on;
		else if (c == 's')
			t->dot_all = on;
		else if (on)
			case_on = true;
		else
			case_off = true;
	}
	if (!take(t, ":"))
		return fail(t, "a group starts with (? and what ECMA-262 does not know");
	buffer_add_text(t->out, case_on ? "(?i:" : case_off ? "(?-i:" : "(?:");
	return true;
}

/* A group behind its '('. */
static bool open_group(struct pattern_reader *t)
{
	static const char *const assertions[] = {"?=", "?!", "?<=", "?<!"};
	struct group *group = &t->groups[t->depth];
	const char *end;

	if (t->depth == MAX_GROUPS)
		return fail(t, "groups are nested too deep");
	*group = (struct group){.dot_all = t->dot_all, .multiline = t->multiline};
	t->depth++;
	t->last = REPEAT_NOT;
	for (size_t i = 0; i < ARRAY_LEN(assertions); i++)
		if (take(t, assertions[i])) {
			group->is_assertion = true;
			buffer_add_format(t->out, "(%s", assertions[i]);
			return true;
		}
	if (!starts(t, "?")) {
		buffer_add_char(t->out, '(');
		return !starts(t, "*") || fail(t, "a quantifier has nothing to repeat");
	}
	if (starts(t, "?<")) {
		end = memchr(t->rest.at, '>', t->rest.len);
		if (end == NULL)
			return fail(t, "the name of a group has no end");
		buffer_add_char(t->out, '(');
		buffer_add(t->out, t->rest.at, (size_t)(end - t->rest.at) + 1);
		t->rest = span_from(t->rest, (size_t)(end - t->rest.at) + 1);
		return true;
	}
	take(t, "?");
	return take_modifiers(t);
}

static bool close_group(struct pattern_reader *t)
{
	const struct group *group;

	if (t->depth == 0)
		return fail(t, "a ')' has no '('");
	group = &t->groups[--t->depth];
	t->dot_all = group->dot_all;
	t->multiline = group->multiline;
	t->last = group->is_assertion ? REPEAT_NOT : REPEAT_YES;
	buffer_add_char(t->out, ')');
	return true;
}

/* ---- quantifiers ---- */

/* The length of "{n}", "{n,}" or "{n,m}" at the start of the rest; 0: it is none, and the brace
 * stands for itself. */
static size_t braces(const struct pattern_reader *t)
{
	size_t len = 1, digits = 0, commas = 0;

	while (len < t->rest.len && (is_digit(t->rest.at[len]) || t->rest.at[len] == ',')) {
		digits += is_digit(t->rest.at[len]) && commas == 0;
		commas += t->rest.at[len++] == ',';
	}
	return digits > 0 && commas < 2 && len < t->rest.len && t->rest.at[len] == '}' ? len + 1
										       : 0;
}

/* A quantifier of `len` bytes. A match counts a step where the number of times is not fixed. */
static bool take_quantifier(struct pattern_reader *t, size_t len)
{
	bool fixed = t->rest.at[0] == '{' && memchr(t->rest.at, ',', len) == NULL;

	if (t->last != REPEAT_YES)
		return fail(t, "a quantifier has nothing to repeat");
	buffer_add(t->out, t->rest.at, len);
	t->rest = span_from(t->rest, len);
	if (take(t, "?"))
		buffer_add_char(t->out, '?');
	if (!fixed)
		buffer_add_text(t->out, "(?C)");
	t->last = REPEAT_DONE;
	return true;
}

/* ---- the whole ---- */

/* An escape outside of brackets, which the rest starts with. */
static bool take_escape(struct pattern_reader *t)
{
	struct buffer members = {0};
	uint32_t c = 0;
	size_t digits = 1;
	const char *end;
	bool is_class = take_class(t, &members);

	t->last = REPEAT_YES;
	if (is_class)
		buffer_add_format(t->out, "[%s]", buffer_string(&members));
	buffer_free(&members);
	if (is_class || t->why->len > 0)
		return is_class;
	if (starts(t, "\\b") || starts(t, "\\B")) {
		buffer_add(t->out, t->rest.at, 2);
		t->rest = span_from(t->rest, 2);
		t->last = REPEAT_NOT;
		return true;
	}
	if (starts(t, "\\k<") && (end = memchr(t->rest.at, '>', t->rest.len)) != NULL) {
		buffer_add(t->out, t->rest.at, (size_t)(end - t->rest.at) + 1);
		t->rest = span_from(t->rest, (size_t)(end - t->rest.at) + 1);
		return true;
	}
	while (digits < t->rest.len && is_digit(t->rest.at[digits]))
		digits++;
	if (digits > 1 && t->rest.at[1] != '0') {
		buffer_add_format(t->out, "\\g{%.*s}", (int)digits - 1, t->rest.at + 1);
		t->rest = span_from(t->rest, digits);
		return true;
	}
	take(t, "\\");
	if (!take_escaped(t, &c))
		return false;
	add_character(t->out, c);
	return true;
}

/* ^ or $. */
static void take_anchor(struct pattern_reader *t, char c)
{
	static const char start[] = "(?:^|(?<=[" LINE_ENDS "]))", end[] = "(?=[" LINE_ENDS "]|$)";

	t->rest = span_from(t->rest, 1);
	if (t->multiline)
		buffer_add_text(t->out, c == '^' ? start : end);
	else
		buffer_add_char(t->out, c);
	t->last = REPEAT_NOT;
}

static bool take_next(struct pattern_reader *t)
{
	char c = t->rest.at[0];
	size_t size = c == '{' ? braces(t) : c == '*' || c == '+' || c == '?';
	uint32_t character;

	if (size > 0)
		return take_quantifier(t, size);
	switch (c) {
	case '\\':
		return take_escape(t);
	case '(':
		take(t, "(");
		return open_group(t);
	case ')':
		take(t, ")");
		return close_group(t);
	case '^':
	case '$':
		take_anchor(t, c);
		return true;
	case '|':
		take(t, "|");
		buffer_add_text(t->out, "|(?C)");
		t->last = REPEAT_NOT;
		return true;
	}
	t->last = REPEAT_YES;
	if (take(t, "["))
		return take_bracket(t);
	if (take(t, ".")) {
		buffer_add_text(t->out, t->dot_all ? "[" ANYTHING "]" : "[^" LINE_ENDS "]");
		return true;
	}
	character = utf8_decode(t->rest, &size);
	t->rest = span_from(t->rest, size);
	add_character(t->out, character);
	return true;
}

bool pattern_translate(struct span text, struct buffer *out, struct buffer *why)
{
	struct pattern_reader t = {.rest = text, .out = out, .why = why};

	buffer_add_text(out, PATTERN_HEAD);
	while (t.rest.len > 0)
		if (!take_next(&t))
			return false;
	buffer_add_text(out, PATTERN_TAIL);
	return t.depth == 0 || fail(&t, "a ')' is missing");
}
