/* What matches one character: characters, escapes, classes and brackets.
 *
 * Escapes are decoded here although PCRE2 has options for those of ECMA-262: the order of a range
 * and the example need the character, and PCRE2 does not join surrogates. */
#include <ctype.h>

#include "base/number.h"
#include "base/utf8.h"
#include "schema/pattern_reader.h"

/* White space and line terminators of ECMA-262, and everything else. */
#define SPACES "\\x{9}-\\x{d}\\x{feff}\\p{Z}"
#define NO_SPACES                                                                                  \
	"\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}"           \
	"\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}"             \
	"\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}"
#define ANYTHING "\\x{0}-\\x{10ffff}"

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

	if (pattern_take(t, "{"))
		return take_hex(t, 1, SIZE_MAX, c) && pattern_take(t, "}");
	if (!take_hex(t, 4, 4, c))
		return false;
	before = t->at;
	if (*c >= 0xD800 && *c < 0xDC00 && pattern_take(t, "\\u") && take_hex(t, 4, 4, &second) &&
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
		return pattern_fail(t, "a backslash at its end");
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

static bool take_character(struct pattern_reader *t, uint32_t *c)
{
	if (pattern_take(t, "\\"))
		return take_escaped(t, c);
	*c = take_code_point(t);
	return true;
}

bool pattern_take_character(struct pattern_reader *t)
{
	uint32_t c;

	if (!take_character(t, &c))
		return false;
	add_character(t->out, c);
	utf8_add_code_point(t->example, c);
	return true;
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
	enum { SCRIPTS = 4 };
	static const char *const kinds[] = {
	    "Script=", "Script_Extensions=", "sc=", "scx=", "General_Category=", "gc=", ""};
	size_t kind = 0;
	struct span name;

	if (!pattern_take(t, "{"))
		return pattern_fail(t, "\\p needs the name of a property in braces");
	while (!pattern_take(t, kinds[kind]))
		kind++;
	for (name = (struct span){t->at, 0}; isalnum((unsigned char)*t->at) || *t->at == '_';
	     t->at++)
		name.len++;
	if (!pattern_take(t, "}"))
		return pattern_fail(t, "\\p needs the name of a property in braces");
	if (span_is(name, "Assigned")) {
		negated = !negated;
		name = SPAN("Cn");
	}
	if (kind >= SCRIPTS)
		name = category_of(name);
	buffer_add_format(t->out, "\\%c{%s%.*s}", negated ? 'P' : 'p',
			  kind < SCRIPTS ? kinds[kind] : "", SPAN_ARG(name));
	return true;
}

bool pattern_is_class(const char *at)
{
	return at[0] == '\\' && at[1] != '\0' && strchr("dDwWsSpP", at[1]) != NULL;
}

/* Write the members of a class. */
static bool take_members(struct pattern_reader *t)
{
	char letter = t->at[1];

	if (letter == 'd' || letter == 'D' || letter == 'w' || letter == 'W')
		return pattern_copy(t, 2);
	t->at += 2;
	if (letter == 'p' || letter == 'P')
		return take_property(t, letter == 'P');
	buffer_add_text(t->out, letter == 's' ? SPACES : NO_SPACES);
	return true;
}

/* One character of a bracket expression. */
static bool take_member(struct pattern_reader *t, uint32_t *c)
{
	*c = '\b';
	return pattern_take(t, "\\b") || take_character(t, c);
}

/* A character or a range. A '-' beside a class is a literal. */
static bool take_range(struct pattern_reader *t)
{
	uint32_t first, last;

	if (!take_member(t, &first))
		return false;
	add_character(t->out, first);
	if (*t->at != '-' || t->at + 1 == t->end || t->at[1] == ']' || pattern_is_class(t->at + 1))
		return true;
	pattern_copy(t, 1);
	if (!take_member(t, &last))
		return false;
	add_character(t->out, last);
	return first <= last || pattern_fail(t, "a range in brackets is out of order");
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

bool pattern_take_class(struct pattern_reader *t)
{
	size_t start = t->out->len;

	buffer_add_char(t->out, '[');
	if (!take_members(t))
		return false;
	buffer_add_char(t->out, ']');
	sample_class(t, start);
	return true;
}

bool pattern_take_dot(struct pattern_reader *t)
{
	size_t start = t->out->len;

	t->at++;
	buffer_add_text(t->out, t->groups[t->depth].dot_all ? "[" ANYTHING "]"
							    : "[^" PATTERN_LINE_ENDS "]");
	sample_class(t, start);
	return true;
}

bool pattern_take_bracket(struct pattern_reader *t)
{
	size_t start = t->out->len;

	t->at++;
	buffer_add_text(t->out, pattern_take(t, "^") ? "[^" : "[");
	if (*t->at == ']') {
		/* PCRE2 repeats [] wrongly. */
		t->out->len = start;
		buffer_add_text(t->out, t->at[-1] == '^' ? "[" ANYTHING : "[^" ANYTHING);
	}
	while (t->at < t->end && *t->at != ']') {
		bool is_class = pattern_is_class(t->at);

		if (!(is_class ? take_members(t) : take_range(t)))
			return false;
		if (is_class && *t->at == '-' && t->at[1] != ']' && pattern_take(t, "-"))
			add_character(t->out, '-');
	}
	buffer_add_char(t->out, ']');
	sample_class(t, start);
	return pattern_take(t, "]") || pattern_fail(t, "a ']' is missing");
}
