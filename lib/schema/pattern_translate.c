#include <ctype.h>
#include <stdlib.h>

#include "base/number.h"
#include "base/utf8.h"
#include "schema/pattern.h"

enum {
	MAX_GROUPS = 200, /* nested; PCRE2's own limit is 250 */
	MAX_EXAMPLE = 100000,
};

/* Whether the item just written may be repeated. */
enum repeatable { REPEAT_NOT, REPEAT_YES, REPEAT_DONE };

struct group {
	bool is_assertion; /* look-ahead or look-behind: not repeated, no part of the example */
	bool dot_all, multiline; /* modifiers s and m */
	bool has_alternatives;
	size_t example_start, example_end; /* of the first alternative, once there is another */
};

struct pattern_reader {
	const char *at, *end; /* the rest; a NUL follows it */
	struct buffer *out, *why;
	struct group groups[MAX_GROUPS + 1]; /* the first is the whole pattern */
	size_t depth;
	enum repeatable last;
	/* A text that the pattern matches, as far as the pattern has been read: the first
	 * alternative of everything, repeated as seldom as allowed. */
	struct buffer *example;
	size_t item;                   /* where the example of the item just written begins */
	const struct pattern *sampled; /* NULL: the members of classes are left out */
};

/* White space and line terminators of ECMA-262, and everything else. */
#define SPACES "\\x{9}-\\x{d}\\x{feff}\\p{Z}"
#define NO_SPACES                                                                                  \
	"\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}"           \
	"\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}"             \
	"\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}"
#define LINE_ENDS "\\n\\r\\x{2028}\\x{2029}"
#define ANYTHING  "\\x{0}-\\x{10ffff}"
#define DIGITS    "0123456789"

static bool fail(struct pattern_reader *t, const char *why)
{
	if (t->why->len == 0)
		buffer_add_text(t->why, why);
	return false;
}

static bool starts(const struct pattern_reader *t, const char *text)
{
	return strncmp(t->at, text, strlen(text)) == 0;
}

/* Step over `text` if the rest starts with it. */
static bool take(struct pattern_reader *t, const char *text)
{
	bool found = starts(t, text);

	t->at += found ? strlen(text) : 0;
	return found;
}

/* Write the next `len` bytes as they are. */
static bool copy(struct pattern_reader *t, size_t len)
{
	buffer_add(t->out, t->at, len);
	t->at += len;
	return true;
}

/* ---- single characters ---- */

/* Write a character as a literal, for use in brackets and outside. */
static void add_character(struct buffer *out, uint32_t c)
{
	if (c >= 0x21 && c < 0x7F && !isalnum((int)c))
		buffer_add_format(out, "\\%c", (int)c);
	else if (c < 0x20 || c == 0x7F || (c >= 0xD800 && c <= 0xDFFF))
		buffer_add_format(out, "\\x{%x}", (unsigned)c);
	else
		utf8_add_code_point(out, c);
}

static uint32_t take_code_point(struct pattern_reader *t)
{
	size_t size;
	uint32_t c = utf8_decode((struct span){t->at, (size_t)(t->end - t->at)}, &size);

	t->at += size;
	return c;
}

/* Step over `least` to `most` hexadecimal digits. */
static bool take_hex(struct pattern_reader *t, size_t least, size_t most, uint32_t *value)
{
	size_t n = 0;

	for (*value = 0; n < most && hex_digit(t->at[n]) >= 0 && *value <= 0x10FFFF; n++)
		*value = *value << 4 | (uint32_t)hex_digit(t->at[n]);
	t->at += n;
	return n >= least && *value <= 0x10FFFF;
}

/* What follows \u: a code point, or two surrogates that make one. */
static bool take_unicode(struct pattern_reader *t, uint32_t *c)
{
	const char *before;
	uint32_t second;

	if (take(t, "{"))
		return take_hex(t, 1, SIZE_MAX, c) && take(t, "}");
	if (!take_hex(t, 4, 4, c))
		return false;
	before = t->at;
	if (*c >= 0xD800 && *c < 0xDC00 && take(t, "\\u") && take_hex(t, 4, 4, &second) &&
	    second >= 0xDC00 && second < 0xE000)
		*c = 0x10000 + ((*c - 0xD800) << 10) + (second - 0xDC00);
	else
		t->at = before;
	return true;
}

/* The character of an escape for one character, whose backslash has been read. */
static bool take_escaped(struct pattern_reader *t, uint32_t *c)
{
	static const char letters[] = "nrtfv", characters[] = "\n\r\t\f\v";
	char letter = *t->at;
	const char *found;

	if (t->at == t->end)
		return fail(t, "a backslash at its end");
	if (!isalnum((unsigned char)letter)) {
		*c = take_code_point(t);
		return true;
	}
	t->at++;
	found = strchr(letters, letter);
	*c = found != NULL ? (uint32_t)characters[found - letters] : 0;
	if (found != NULL || (letter == '0' && !isdigit((unsigned char)*t->at)))
		return true;
	if (letter == 'c' && isalpha((unsigned char)*t->at)) {
		*c = (uint32_t)*t->at++ & 0x1F;
		return true;
	}
	if ((letter == 'x' && take_hex(t, 2, 2, c)) || (letter == 'u' && take_unicode(t, c)))
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
static bool take_property(struct pattern_reader *t, bool negated)
{
	static const char *const kinds[][2] = {{"Script=", "sc:"},
					       {"Script_Extensions=", "scx:"},
					       {"General_Category=", ""},
					       {"sc=", "sc:"},
					       {"scx=", "scx:"},
					       {"gc=", ""},
					       {"", ""}};
	size_t kind = 0;
	struct span name;

	if (!take(t, "{"))
		return fail(t, "\\p needs the name of a property in braces");
	while (!take(t, kinds[kind][0]))
		kind++;
	for (name = (struct span){t->at, 0}; isalnum((unsigned char)*t->at) || *t->at == '_';
	     t->at++)
		name.len++;
	if (!take(t, "}"))
		return fail(t, "\\p needs the name of a property in braces");
	if (span_is(name, "Assigned")) {
		negated = !negated;
		name = SPAN("Cn");
	}
	if (*kinds[kind][1] == '\0')
		name = category_of(name);
	buffer_add_format(t->out, "\\%c{%s%.*s}", negated ? 'P' : 'p', kinds[kind][1],
			  SPAN_ARG(name));
	return true;
}

/* Whether \d, \w, \s, \p or one of their opposites stands at `at`. */
static bool is_class(const char *at)
{
	return at[0] == '\\' && at[1] != '\0' && strchr("dDwWsSpP", at[1]) != NULL;
}

/* Write the members of such a class. */
static bool take_class(struct pattern_reader *t)
{
	char letter = t->at[1];

	if (letter == 'd' || letter == 'D' || letter == 'w' || letter == 'W')
		return copy(t, 2);
	t->at += 2;
	if (letter == 'p' || letter == 'P')
		return take_property(t, letter == 'P');
	buffer_add_text(t->out, letter == 's' ? SPACES : NO_SPACES);
	return true;
}

/* One character of a bracket expression. */
static bool take_member(struct pattern_reader *t, uint32_t *c)
{
	if (take(t, "\\b"))
		*c = '\b';
	else if (take(t, "\\"))
		return take_escaped(t, c);
	else
		*c = take_code_point(t);
	return true;
}

/* A character or a range. A '-' beside a class is a literal. */
static bool take_range(struct pattern_reader *t)
{
	uint32_t first, last;

	if (!take_member(t, &first))
		return false;
	add_character(t->out, first);
	if (*t->at != '-' || t->at + 1 == t->end || t->at[1] == ']' || is_class(t->at + 1))
		return true;
	copy(t, 1);
	if (!take_member(t, &last))
		return false;
	add_character(t->out, last);
	return first <= last || fail(t, "a range in brackets is out of order");
}

/* Add a character of the class that was written from `start` on to the example: the most ordinary
 * one that is in ASCII, else the first member. */
static void sample_class(struct pattern_reader *t, size_t start)
{
	struct span class = span_from(buffer_span(t->out), start);
	struct buffer ordinary = {0};
	size_t found, size;

	if (t->sampled == NULL)
		return;
	buffer_add_text(&ordinary, "a0Ab1_- .:/");
	for (int c = 0; c <= 0x7F; c++)
		buffer_add_char(&ordinary, (char)c);
	found = pattern_piece_find(t->sampled, class, buffer_span(&ordinary));
	if (found < ordinary.len)
		buffer_add_char(t->example, ordinary.at[found]);
	else if ((unsigned char)class.at[1] >= 0x80)
		utf8_add_code_point(t->example, utf8_decode(span_from(class, 1), &size));
	buffer_free(&ordinary);
}

/* A bracket expression behind its '['. */
static bool take_bracket(struct pattern_reader *t)
{
	size_t start = t->out->len;

	buffer_add_text(t->out, take(t, "^") ? "[^" : "[");
	if (*t->at == ']') {
		/* PCRE2 repeats [] wrongly. */
		t->out->len = start;
		buffer_add_text(t->out, t->at[-1] == '^' ? "[" ANYTHING : "[^" ANYTHING);
	}
	while (t->at < t->end && *t->at != ']')
		if (!is_class(t->at)) {
			if (!take_range(t))
				return false;
		} else {
			if (!take_class(t))
				return false;
			if (*t->at == '-' && t->at[1] != ']' && take(t, "-"))
				add_character(t->out, '-');
		}
	buffer_add_char(t->out, ']');
	sample_class(t, start);
	return take(t, "]") || fail(t, "a ']' is missing");
}

/* ---- groups ---- */

/* The modifiers of (?ims-ims:...), which hold inside the group. */
static bool take_modifiers(struct pattern_reader *t, struct group *group)
{
	bool on = true, case_on = false, case_off = false;

	for (; *t->at != '\0' && strchr("ims-", *t->at) != NULL; t->at++)
		if (*t->at == '-')
			on = false;
		else if (*t->at == 'm')
			group->multiline = on;
		else if (*t->at == 's')
			group->dot_all = on;
		else if (on)
			case_on = true;
		else
			case_off = true;
	if (!take(t, ":"))
		return fail(t, "a group starts with (? and what ECMA-262 does not know");
	buffer_add_text(t->out, case_on ? "(?i:" : case_off ? "(?-i:" : "(?:");
	return true;
}

/* The name of a group, up to its '>'. */
static bool take_name(struct pattern_reader *t)
{
	const char *end = memchr(t->at, '>', (size_t)(t->end - t->at));

	return end != NULL ? copy(t, (size_t)(end - t->at) + 1)
			   : fail(t, "the name of a group has no end");
}

/* A group, from its '(' on. */
static bool open_group(struct pattern_reader *t)
{
	static const char *const assertions[] = {"(?=", "(?!", "(?<=", "(?<!"};
	struct group *outer = &t->groups[t->depth], *group = outer + 1;

	if (t->depth == MAX_GROUPS)
		return fail(t, "groups are nested too deep");
	*group = (struct group){.dot_all = outer->dot_all,
				.multiline = outer->multiline,
				.example_start = t->example->len};
	t->depth++;
	t->last = REPEAT_NOT;
	for (size_t i = 0; i < ARRAY_LEN(assertions); i++)
		if (starts(t, assertions[i])) {
			group->is_assertion = true;
			return copy(t, strlen(assertions[i]));
		}
	if (starts(t, "(?<"))
		return take_name(t);
	if (take(t, "(?"))
		return take_modifiers(t, group);
	return copy(t, 1);
}

static bool close_group(struct pattern_reader *t)
{
	const struct group *group = &t->groups[t->depth];

	if (t->depth == 0)
		return fail(t, "a ')' has no '('");
	t->depth--;
	t->last = group->is_assertion ? REPEAT_NOT : REPEAT_YES;
	t->item = group->example_start;
	if (group->has_alternatives)
		t->example->len = group->example_end;
	if (group->is_assertion)
		t->example->len = group->example_start;
	return copy(t, 1);
}

/* Begin another alternative. */
static bool take_bar(struct pattern_reader *t)
{
	struct group *group = &t->groups[t->depth];

	if (!group->has_alternatives)
		group->example_end = t->example->len;
	group->has_alternatives = true;
	t->last = REPEAT_NOT;
	copy(t, 1);
	buffer_add_text(t->out, "(?C)");
	return true;
}

/* ---- quantifiers ---- */

/* The length of the quantifier at `at`; 0: there is none. A brace that begins no quantifier is a
 * literal. */
static size_t quantifier_length(const char *at)
{
	size_t len = 1 + strspn(at + (*at == '{'), DIGITS);

	if (*at != '{')
		return *at == '*' || *at == '+' || *at == '?';
	if (len > 1 && at[len] == ',')
		len += 1 + strspn(at + len + 1, DIGITS);
	return len > 1 && at[len] == '}' ? len + 1 : 0;
}

/* Repeat the example of the last item. */
static void repeat_example(struct pattern_reader *t, unsigned long times)
{
	size_t len = t->example->len - t->item;

	if (times == 0)
		t->example->len = t->item;
	if (len == 0 || times > (MAX_EXAMPLE - t->example->len) / len)
		return;
	for (; times > 1; times--) {
		buffer_reserve(t->example, len);
		buffer_add(t->example, t->example->at + t->item, len);
	}
}

/* A quantifier of `len` bytes. If the number of times is not fixed, a match counts a step here. */
static bool take_quantifier(struct pattern_reader *t, size_t len)
{
	bool braces = *t->at == '{', fixed = braces && memchr(t->at, ',', len) == NULL;

	if (t->last != REPEAT_YES)
		return fail(t, "a quantifier has nothing to repeat");
	repeat_example(t, braces ? strtoul(t->at + 1, NULL, 10) : *t->at == '+');
	copy(t, len);
	if (*t->at == '?')
		copy(t, 1);
	if (!fixed)
		buffer_add_text(t->out, "(?C)");
	t->last = REPEAT_DONE;
	return true;
}

/* ---- the whole ---- */

/* An escape outside of brackets. */
static bool take_escape(struct pattern_reader *t)
{
	size_t digits = strspn(t->at + 1, DIGITS), start = t->out->len;
	uint32_t c = 0;

	if (is_class(t->at)) {
		buffer_add_char(t->out, '[');
		if (!take_class(t))
			return false;
		buffer_add_char(t->out, ']');
		sample_class(t, start);
		return true;
	}
	if (starts(t, "\\b") || starts(t, "\\B")) {
		t->last = REPEAT_NOT;
		return copy(t, 2);
	}
	if (starts(t, "\\k<"))
		return take_name(t);
	if (digits > 0 && t->at[1] != '0') {
		buffer_add_format(t->out, "\\g{%.*s}", (int)digits, t->at + 1);
		t->at += digits + 1;
		return true;
	}
	take(t, "\\");
	if (!take_escaped(t, &c))
		return false;
	add_character(t->out, c);
	utf8_add_code_point(t->example, c);
	return true;
}

static bool take_anchor(struct pattern_reader *t)
{
	t->last = REPEAT_NOT;
	if (!t->groups[t->depth].multiline)
		return copy(t, 1);
	buffer_add_text(t->out,
			*t->at++ == '^' ? "(?:^|(?<=[" LINE_ENDS "]))" : "(?=[" LINE_ENDS "]|$)");
	return true;
}

static bool take_dot(struct pattern_reader *t)
{
	size_t start = t->out->len;

	t->at++;
	buffer_add_text(t->out,
			t->groups[t->depth].dot_all ? "[" ANYTHING "]" : "[^" LINE_ENDS "]");
	sample_class(t, start);
	return true;
}

static bool take_next(struct pattern_reader *t)
{
	size_t quantifier = quantifier_length(t->at);
	uint32_t c;

	if (quantifier > 0)
		return take_quantifier(t, quantifier);
	t->last = REPEAT_YES;
	t->item = t->example->len;
	switch (*t->at) {
	case '\\':
		return take_escape(t);
	case '(':
		return open_group(t);
	case ')':
		return close_group(t);
	case '^':
	case '$':
		return take_anchor(t);
	case '|':
		return take_bar(t);
	case '[':
		t->at++;
		return take_bracket(t);
	case '.':
		return take_dot(t);
	}
	c = take_code_point(t);
	add_character(t->out, c);
	utf8_add_code_point(t->example, c);
	return true;
}

bool pattern_translate(struct span text, const struct pattern *sampled, struct buffer *out,
		       struct buffer *example, struct buffer *why)
{
	char *rest = mem_copy(text);
	struct pattern_reader t = {.at = rest,
				   .end = rest + text.len,
				   .out = out,
				   .why = why,
				   .example = example,
				   .sampled = sampled};
	bool good = true;

	buffer_clear(example);
	buffer_add_text(out, "(?C)(?:");
	while (good && t.at < t.end)
		good = take_next(&t);
	buffer_add_char(out, ')');
	if (t.depth > 0)
		good = good && fail(&t, "a ')' is missing");
	if (t.groups[0].has_alternatives)
		example->len = t.groups[0].example_end;
	free(rest);
	return good;
}
