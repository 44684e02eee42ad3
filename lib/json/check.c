#include "base/utf8.h"
#include "json/json.h"
#include "json/scan.h"

/* A checker walks the text once. The kinds of the open brackets are kept as bits, so that nesting
 * costs no stack and no allocation. */
struct checker {
	const char *begin, *at, *end;
	const char *what; /* the fault; NULL: none so far */
	int depth;
	uint64_t is_object[JSON_MAX_DEPTH / 64];
	/* the members of the outermost object */
	struct json_member *members;
	size_t member_count, member_capacity;
	struct span key;
	const char *value;
};

static bool fail(struct checker *c, const char *what)
{
	c->what = what;
	return false;
}

static void skip_space(struct checker *c)
{
	while (c->at < c->end &&
	       (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r'))
		c->at++;
}

static bool is_digit(const struct checker *c)
{
	return c->at < c->end && *c->at >= '0' && *c->at <= '9';
}

static bool check_digits(struct checker *c)
{
	if (!is_digit(c))
		return fail(c, c->at == c->end ? "unexpected end of text" : "a digit is missing");
	while (is_digit(c))
		c->at++;
	return true;
}

static bool check_number(struct checker *c)
{
	if (*c->at == '-')
		c->at++;
	if (c->at < c->end && *c->at == '0')
		c->at++;
	else if (!check_digits(c))
		return false;
	if (c->at < c->end && *c->at == '.') {
		c->at++;
		if (!check_digits(c))
			return false;
	}
	if (c->at < c->end && (*c->at == 'e' || *c->at == 'E')) {
		c->at++;
		if (c->at < c->end && (*c->at == '+' || *c->at == '-'))
			c->at++;
		if (!check_digits(c))
			return false;
	}
	return true;
}

static bool check_hex(struct checker *c)
{
	for (int i = 0; i < 4; i++, c->at++) {
		if (c->at == c->end)
			return fail(c, "unexpected end of text");
		if (!((*c->at >= '0' && *c->at <= '9') || (*c->at >= 'a' && *c->at <= 'f') ||
		      (*c->at >= 'A' && *c->at <= 'F')))
			return fail(c, "\\u must be followed by four hexadecimal digits");
	}
	return true;
}

static bool check_escape(struct checker *c)
{
	c->at++;
	if (c->at == c->end)
		return fail(c, "unexpected end of text");
	switch (*c->at) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		c->at++;
		return true;
	case 'u':
		c->at++;
		return check_hex(c);
	default:
		return fail(c, "unknown escape in a string");
	}
}

static bool check_string(struct checker *c)
{
	const char *start = ++c->at;
	bool ascii = true;

	for (;;) {
		c->at = scan_string(c->begin, c->at, c->end, &ascii);
		if (c->at == c->end)
			return fail(c, "unexpected end of text");
		if (*c->at == '"')
			break;
		if (*c->at != '\\')
			return fail(c, "control character in a string");
		if (!check_escape(c))
			return false;
	}
	if (!ascii) {
		struct span text = {start, (size_t)(c->at - start)};
		size_t good = utf8_valid(text);

		if (good < text.len) {
			c->at = start + good;
			return fail(c, "invalid UTF-8");
		}
	}
	c->at++;
	return true;
}

static bool check_literal(struct checker *c, const char *literal)
{
	size_t len = strlen(literal);

	if ((size_t)(c->end - c->at) < len || memcmp(c->at, literal, len) != 0)
		return fail(c, "unknown word");
	c->at += len;
	return true;
}

static bool check_scalar(struct checker *c)
{
	switch (*c->at) {
	case '"':
		return check_string(c);
	case 't':
		return check_literal(c, "true");
	case 'f':
		return check_literal(c, "false");
	case 'n':
		return check_literal(c, "null");
	default:
		if (*c->at == '-' || is_digit(c))
			return check_number(c);
		return fail(c, "a value is missing");
	}
}

static bool in_object(const struct checker *c)
{
	return c->is_object[(c->depth - 1) / 64] >> ((c->depth - 1) % 64) & 1;
}

static bool push(struct checker *c, bool object)
{
	uint64_t bit = UINT64_C(1) << (c->depth % 64);

	if (c->depth == JSON_MAX_DEPTH)
		return fail(c, "nested too deep");
	if (object) /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): zeroed by the
		       callers */
		c->is_object[c->depth / 64] |= bit;
	else /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign) */
		c->is_object[c->depth / 64] &= ~bit;
	c->depth++;
	c->at++;
	return true;
}

/* A value of the outermost object has ended. */
static void note_member(struct checker *c)
{
	if (c->depth != 1 || c->members == NULL || !in_object(c))
		return;
	if (c->member_count < c->member_capacity)
		c->members[c->member_count] =
		    (struct json_member){c->key, {c->value, (size_t)(c->at - c->value)}};
	c->member_count++;
}

static bool check_key(struct checker *c)
{
	const char *start;

	skip_space(c);
	if (c->at == c->end)
		return fail(c, "unexpected end of text");
	if (*c->at != '"')
		return fail(c, "a key is missing");
	start = c->at;
	if (!check_string(c))
		return false;
	if (c->depth == 1)
		c->key = (struct span){start, (size_t)(c->at - start)};
	skip_space(c);
	if (c->at == c->end || *c->at != ':')
		return fail(c, c->at == c->end ? "unexpected end of text" : "':' is missing");
	c->at++;
	return true;
}

/* A value has ended: close brackets and step over commas until the next value begins, or the text
 * is whole (*done). */
static bool after_value(struct checker *c, bool *done)
{
	for (;;) {
		skip_space(c);
		if (c->depth == 0) {
			*done = true;
			return c->at == c->end || fail(c, "something follows the value");
		}
		if (c->at == c->end)
			return fail(c, "unexpected end of text");
		if (*c->at == ',') {
			c->at++;
			return !in_object(c) || check_key(c);
		}
		if (*c->at != (in_object(c) ? '}' : ']'))
			return fail(c, in_object(c) ? "',' or '}' is missing"
						    : "',' or ']' is missing");
		c->at++;
		c->depth--;
		note_member(c);
	}
}

/* Open a bracket. *empty: it was closed at once. */
static bool open_bracket(struct checker *c, bool *empty)
{
	bool object = *c->at == '{';

	if (!push(c, object))
		return false;
	skip_space(c);
	*empty = c->at < c->end && *c->at == (object ? '}' : ']');
	if (*empty) {
		c->at++;
		c->depth--;
		return true;
	}
	return !object || check_key(c);
}

static bool check_all(struct checker *c)
{
	bool done = false;

	while (!done) {
		skip_space(c);
		if (c->at == c->end)
			return fail(c, "unexpected end of text");
		if (c->depth == 1)
			c->value = c->at;
		if (*c->at == '{' || *c->at == '[') {
			bool empty;

			if (!open_bracket(c, &empty))
				return false;
			if (!empty)
				continue;
		} else if (!check_scalar(c)) {
			return false;
		}
		note_member(c);
		if (!after_value(c, &done))
			return false;
	}
	return true;
}

static bool check(struct checker *c, struct span text, struct json_fault *fault)
{
	if (text.at != NULL) {
		c->begin = c->at = text.at;
		c->end = text.at + text.len;
		if (check_all(c))
			return true;
	}
	if (fault != NULL) {
		fault->what = c->what != NULL ? c->what : "unexpected end of text";
		fault->offset = (size_t)(c->at - text.at);
	}
	return false;
}

bool json_check(struct span text, struct json_fault *fault)
{
	struct checker c = {0};

	return check(&c, text, fault);
}

bool json_check_object(struct span text, struct json_member *members, size_t capacity,
		       size_t *count, struct json_fault *fault)
{
	struct checker c = {.members = members, .member_capacity = capacity};
	bool good = check(&c, text, fault);

	*count = c.member_count;
	return good;
}
