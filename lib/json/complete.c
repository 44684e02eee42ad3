#include "base/utf8.h"
#include "json/json.h"

/* The completer reads the beginning of a value and remembers the last place at which it could be
 * closed: `good` bytes of it, followed by the closing brackets of everything then open. */
struct completer {
	const char *at, *end;
	struct buffer brackets;      /* closing brackets owed, innermost last */
	struct buffer good_brackets; /* the same at the last good place */
	const char *good;            /* NULL: nowhere yet */
	const char *start;
};

static void skip_space(struct completer *c)
{
	while (c->at < c->end &&
	       (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r'))
		c->at++;
}

static void mark_good(struct completer *c)
{
	c->good = c->at;
	buffer_clear(&c->good_brackets);
	buffer_add_span(&c->good_brackets, buffer_span(&c->brackets));
}

/* Move behind the string at `at`; false when it is cut off. */
static bool whole_string(struct completer *c)
{
	c->at++;
	while (c->at < c->end) {
		if (*c->at == '"') {
			c->at++;
			return true;
		}
		c->at += *c->at == '\\' ? 2 : 1;
	}
	c->at = c->end;
	return false;
}

/* The end of what is whole in the string that starts at `quote`: before a half escape, a high
 * surrogate that waits for its other half, or a half code point. */
static const char *whole_text(const char *quote, const char *end)
{
	const char *at = quote + 1;

	while (at < end) {
		size_t need = 1;

		if (*at == '\\') {
			need = at + 1 < end && at[1] == 'u' ? 6 : 2;
			if (need == 6 && end - at >= 4 && (at[2] == 'd' || at[2] == 'D') &&
			    strchr("89abAB", at[3]) != NULL)
				need = end - at > 6 && at[6] != '\\' ? 6 : 12;
		}
		if ((size_t)(end - at) < need)
			return at;
		at += need;
	}
	return end - utf8_incomplete_tail((struct span){quote + 1, (size_t)(end - quote - 1)});
}

/* A scalar that is no string; false when it is cut off, as a number at the end of the text may be.
 */
static bool whole_word(struct completer *c)
{
	const char *start = c->at;

	while (c->at < c->end &&
	       strchr("+-.0123456789abcdefghijklmnopqrstuvwxyzE", *c->at) != NULL && *c->at != '\0')
		c->at++;
	if (json_check((struct span){start, (size_t)(c->at - start)}, NULL))
		return c->at < c->end || (*start >= 'a' && *start <= 'z');
	return false;
}

enum step { STEP_ON, STEP_CUT, STEP_DONE };

/* After a value: commas and closing brackets up to where the next key or value begins. */
static enum step after_value(struct completer *c)
{
	for (;;) {
		mark_good(c);
		if (c->brackets.len == 0)
			return STEP_DONE;
		skip_space(c);
		if (c->at == c->end)
			return STEP_CUT;
		if (*c->at == ',') {
			c->at++;
			return STEP_ON;
		}
		if (*c->at != c->brackets.at[c->brackets.len - 1])
			return STEP_CUT;
		c->at++;
		c->brackets.len--;
	}
}

/* A key and its colon, where the innermost bracket is an object's; false when they are cut off. */
static bool key(struct completer *c)
{
	if (c->brackets.len == 0 || c->brackets.at[c->brackets.len - 1] != '}')
		return true;
	skip_space(c);
	if (c->at == c->end || *c->at != '"' || !whole_string(c))
		return false;
	skip_space(c);
	if (c->at == c->end || *c->at != ':')
		return false;
	c->at++;
	return true;
}

/* A string value that is cut off ends the text: write what it shows so far, and close. */
static void close_string(struct completer *c, const char *quote, struct buffer *out)
{
	const char *stop = whole_text(quote, c->end);

	buffer_add(out, c->start, (size_t)(stop - c->start));
	buffer_add_char(out, '"');
	for (size_t i = c->brackets.len; i > 0; i--)
		buffer_add_char(out, c->brackets.at[i - 1]);
}

static enum step value(struct completer *c, struct buffer *out)
{
	const char *start = c->at;
	char bracket = *c->at == '{' ? '}' : ']';

	if (*c->at == '"') {
		if (whole_string(c))
			return after_value(c);
		close_string(c, start, out);
		c->good = NULL;
		return STEP_CUT;
	}
	if (*c->at == '{' || *c->at == '[') {
		if (c->brackets.len == JSON_MAX_DEPTH)
			return STEP_CUT;
		buffer_add_char(&c->brackets, bracket);
		c->at++;
		mark_good(c);
		skip_space(c);
		if (c->at == c->end || *c->at != bracket)
			return STEP_ON;
		c->at++;
		c->brackets.len--;
		return after_value(c);
	}
	return whole_word(c) ? after_value(c) : STEP_CUT;
}

bool json_complete(struct span text, struct buffer *out)
{
	struct completer c = {.at = text.at, .end = text.at + text.len};
	struct buffer whole = {0};
	enum step step = STEP_ON;
	bool good;

	skip_space(&c);
	c.start = c.at;
	while (step == STEP_ON) {
		if (!key(&c))
			break;
		skip_space(&c);
		if (c.at == c.end)
			break;
		step = value(&c, &whole);
	}
	if (c.good != NULL) {
		buffer_add(&whole, c.start, (size_t)(c.good - c.start));
		for (size_t i = c.good_brackets.len; i > 0; i--)
			buffer_add_char(&whole, c.good_brackets.at[i - 1]);
	}
	good = whole.len > 0 && json_check(buffer_span(&whole), NULL);
	if (good)
		buffer_add_span(out, buffer_span(&whole));
	buffer_free(&whole);
	buffer_free(&c.brackets);
	buffer_free(&c.good_brackets);
	return good;
}
