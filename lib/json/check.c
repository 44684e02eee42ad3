#include <ctype.h>

#include "base/number.h"
#include "base/utf8.h"
#include "json/json.h"
#include "json/scan.h"

/* A checker walks the text once: each function takes the place where it begins and returns the one
 * behind what it has checked, or NULL for a fault. */
struct json_checker {
	const char *begin, *end;
	const char *what, *fault; /* what is wrong, and where */
	bool *is_object;          /* the kinds of the open brackets */
	size_t depth, max_depth;
	/* the members of the outermost object */
	struct json_member *members;
	size_t member_count, member_capacity;
	struct span key;
	const char *value;
	struct json_index *index; /* NULL: none is wanted */
	size_t *open;             /* the nodes of the open brackets */
	struct span last_key;
	const char *string; /* the string that is being checked; NULL: none */
	/* the last place at which the text could end, if `good_depth` brackets were closed there */
	const char *good;
	size_t good_depth;
	bool is_partial; /* the text may be cut off: a number at its end may go on */
};

static const char *fail(struct json_checker *c, const char *at, const char *what)
{
	c->what = what;
	c->fault = at;
	return NULL;
}

static const char *fail_at_end(struct json_checker *c, const char *at)
{
	return fail(c, at, "unexpected end of text");
}

static inline const char *skip_space(const struct json_checker *c, const char *at)
{
	while (at < c->end && *at <= ' ' &&
	       (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
		at++;
	return at;
}

static bool is_digit(const struct json_checker *c, const char *at)
{
	return at < c->end && *at >= '0' && *at <= '9';
}

static const char *check_digits(struct json_checker *c, const char *at)
{
	if (at == c->end)
		return fail_at_end(c, at);
	if (!is_digit(c, at))
		return fail(c, at, "a digit is missing");
	while (is_digit(c, at))
		at++;
	return at;
}

static const char *check_number(struct json_checker *c, const char *at)
{
	if (*at == '-')
		at++;
	if (at < c->end && *at == '0')
		at++;
	else
		at = check_digits(c, at);
	if (at != NULL && at < c->end && *at == '.')
		at = check_digits(c, at + 1);
	if (at != NULL && at < c->end && (*at == 'e' || *at == 'E')) {
		at++;
		if (at < c->end && (*at == '+' || *at == '-'))
			at++;
		at = check_digits(c, at);
	}
	return at;
}

static const char *check_hex(struct json_checker *c, const char *at)
{
	for (const char *end = at + 4; at < end; at++) {
		if (at == c->end)
			return fail_at_end(c, at);
		if (hex_digit(*at) < 0)
			return fail(c, at, "\\u must be followed by four hexadecimal digits");
	}
	return at;
}

static const char *check_escape(struct json_checker *c, const char *at)
{
	at++;
	if (at == c->end)
		return fail_at_end(c, at);
	if (*at == 'u')
		return check_hex(c, at + 1);
	return scan_escaped(*at) != '\0' ? at + 1 : fail(c, at, "unknown escape in a string");
}

static const char *check_utf8(struct json_checker *c, struct span text)
{
	size_t good = utf8_valid(text);

	return good < text.len ? fail(c, text.at + good, "invalid UTF-8") : text.at + good;
}

static inline const char *check_string(struct json_checker *c, const char *at)
{
	const char *start = at + 1;
	bool ascii = true;

	c->string = at++;
	for (;;) {
		at = scan_string(c->begin, at, c->end, &ascii);
		if (at == c->end)
			return fail_at_end(c, at);
		if (*at == '"')
			break;
		if (*at != '\\')
			return fail(c, at, "control character in a string");
		at = check_escape(c, at);
		if (at == NULL)
			return NULL;
	}
	if (!ascii && check_utf8(c, (struct span){start, (size_t)(at - start)}) == NULL)
		return NULL;
	c->string = NULL;
	return at + 1;
}

static const char *check_literal(struct json_checker *c, const char *at, const char *literal)
{
	size_t len = strlen(literal);

	if ((size_t)(c->end - at) < len || memcmp(at, literal, len) != 0)
		return fail(c, at, "unknown word");
	return at + len;
}

static const char *check_word(struct json_checker *c, const char *at)
{
	switch (*at) {
	case 't':
		return check_literal(c, at, "true");
	case 'f':
		return check_literal(c, at, "false");
	case 'n':
		return check_literal(c, at, "null");
	default:
		if (*at != '-' && !is_digit(c, at))
			return fail(c, at, "a value is missing");
		return check_number(c, at);
	}
}

/* Whether the word that ends at `at` goes on, or may go on as a number at the end of the text. */
static bool is_part_of_word(const struct json_checker *c, const char *at)
{
	return at < c->end ? isalnum((unsigned char)*at) || strchr("+-.", *at) != NULL
			   : isdigit((unsigned char)at[-1]) != 0;
}

static bool in_object(const struct json_checker *c)
{
	return c->is_object[c->depth - 1];
}

/* A value of the outermost object ends at `at`. */
static void note_member(struct json_checker *c, const char *at)
{
	if (c->depth != 1 || !in_object(c))
		return;
	if (c->member_count < c->member_capacity)
		c->members[c->member_count] =
		    (struct json_member){c->key, {c->value, (size_t)(at - c->value)}};
	c->member_count++;
}

/* A value begins at `at`. Values that have no room are counted, so that the index is known to be
 * incomplete. */
static void begin_node(struct json_checker *c, const char *at)
{
	struct json_index *index = c->index;

	if (index->count < JSON_INDEX_NODES) {
		index->nodes[index->count] = (struct json_node){
		    .key = c->depth > 0 && in_object(c) ? c->last_key : (struct span){0},
		    .value = {at, 0},
		};
	}
	index->count++;
}

/* The value of the node `node` ends at `at`. */
static void end_node(struct json_checker *c, size_t node, const char *at)
{
	struct json_index *index = c->index;

	if (node >= JSON_INDEX_NODES)
		return;
	index->nodes[node].value.len = (size_t)(at - index->nodes[node].value.at);
	index->nodes[node].size = index->count - node;
}

/* A value ends at `at`; `closed`: it is the bracket that was open at this depth. */
static inline void end_value(struct json_checker *c, const char *at, bool closed)
{
	c->good = at;
	c->good_depth = c->depth;
	if (c->members != NULL)
		note_member(c, at);
	if (c->index != NULL)
		end_node(c, closed ? c->open[c->depth] : c->index->count - 1, at);
}

static const char *check_key(struct json_checker *c, const char *at)
{
	const char *start = at = skip_space(c, at);

	if (at == c->end)
		return fail_at_end(c, at);
	if (*at != '"')
		return fail(c, at, "a key is missing");
	at = check_string(c, at);
	if (at == NULL) {
		c->string = c->fault == c->end ? NULL : start; /* a cut-off key is left out */
		return NULL;
	}
	c->last_key = (struct span){start, (size_t)(at - start)};
	if (c->depth == 1)
		c->key = c->last_key;
	at = skip_space(c, at);
	if (at == c->end)
		return fail_at_end(c, at);
	return *at == ':' ? at + 1 : fail(c, at, "':' is missing");
}

/* A value has ended: close brackets and step over commas until the next value begins, or the text
 * is whole (*done). */
static const char *after_value(struct json_checker *c, const char *at, bool *done)
{
	for (;;) {
		at = skip_space(c, at);
		if (c->depth == 0) {
			*done = true;
			return at == c->end ? at : fail(c, at, "something follows the value");
		}
		if (at == c->end)
			return fail_at_end(c, at);
		if (*at == ',')
			return in_object(c) ? check_key(c, at + 1) : at + 1;
		if (*at != (in_object(c) ? '}' : ']'))
			return fail(c, at,
				    in_object(c) ? "',' or '}' is missing"
						 : "',' or ']' is missing");
		at++;
		c->depth--;
		end_value(c, at, true);
	}
}

/* Open a bracket. *empty: it was closed at once. */
static const char *open_bracket(struct json_checker *c, const char *at, bool *empty)
{
	bool object = *at == '{';

	*empty = false;
	if (c->depth == c->max_depth)
		return fail(c, at, "nested too deep");
	c->good = at + 1;
	at = skip_space(c, at + 1);
	if (at < c->end && *at == (object ? '}' : ']')) {
		*empty = true;
		return at + 1;
	}
	if (c->index != NULL)
		c->open[c->depth] = c->index->count - 1;
	c->is_object[c->depth++] = object;
	c->good_depth = c->depth;
	return object ? check_key(c, at) : at;
}

static const char *check_all(struct json_checker *c, const char *at)
{
	bool done = false;

	while (!done && at != NULL) {
		at = skip_space(c, at);
		if (at == c->end)
			return fail_at_end(c, at);
		if (c->depth == 1)
			c->value = at;
		if (c->index != NULL)
			begin_node(c, at);
		if (*at == '{' || *at == '[') {
			bool empty;

			at = open_bracket(c, at, &empty);
			if (!empty)
				continue;
		} else {
			at = *at == '"' ? check_string(c, at) : check_word(c, at);
			if (c->is_partial && at != NULL && at[-1] != '"' && is_part_of_word(c, at))
				return fail(c, at, "unknown word");
		}
		if (at == NULL)
			return NULL;
		end_value(c, at, false);
		at = after_value(c, at, &done);
	}
	return at;
}

static bool check(struct json_checker *c, struct span text, struct json_fault *fault)
{
	if (text.at == NULL)
		text = SPAN("");
	c->begin = text.at;
	c->end = text.at + text.len;
	if (check_all(c, text.at) != NULL)
		return true;
	if (fault != NULL)
		*fault = (struct json_fault){c->what, (size_t)(c->fault - text.at)};
	return false;
}

bool json_check(struct span text, struct json_fault *fault)
{
	bool is_object[JSON_MAX_DEPTH];
	struct json_checker c = {.is_object = is_object, .max_depth = JSON_MAX_DEPTH};

	return check(&c, text, fault);
}

bool json_check_index(struct span text, struct json_index *index, struct json_fault *fault)
{
	bool is_object[JSON_MAX_DEPTH];
	size_t open[JSON_MAX_DEPTH];
	struct json_checker c = {
	    .is_object = is_object, .max_depth = JSON_MAX_DEPTH, .index = index, .open = open};
	bool good;

	index->count = 0;
	good = check(&c, text, fault);
	if (!good || index->count > JSON_INDEX_NODES)
		index->count = 0;
	return good;
}

bool json_check_object(struct span text, size_t depth, struct json_member *members, size_t capacity,
		       size_t *count, struct json_fault *fault)
{
	bool is_object[JSON_MAX_DEPTH];
	struct json_checker c = {.is_object = is_object,
				 .max_depth = JSON_MAX_DEPTH - depth,
				 .members = members,
				 .member_capacity = capacity};
	bool good = check(&c, text, fault);

	*count = c.member_count;
	return good;
}

/* ---- a value that is cut off ---- */

/* The end of the string that starts at `quote` and is cut off at `end`, without an incomplete
 * escape, surrogate pair or code point. */
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

bool json_complete(struct span text, struct buffer *out)
{
	bool is_object[JSON_MAX_DEPTH];
	struct json_checker c = {
	    .is_object = is_object, .max_depth = JSON_MAX_DEPTH, .is_partial = true};
	struct buffer whole = {0};
	bool is_cut, good = check(&c, text, NULL);
	const char *start = skip_space(&c, c.begin);

	is_cut = !good && c.string != NULL && c.fault == c.end;
	if (is_cut) {
		c.good = whole_text(c.string, c.end);
		c.good_depth = c.depth;
	}
	if (c.good == NULL || (c.string != NULL && !is_cut) ||
	    (!good && c.depth == 0 && !is_cut)) /* something follows the value */
		return false;
	buffer_add(&whole, start, (size_t)(c.good - start));
	if (is_cut)
		buffer_add_char(&whole, '"');
	while (c.good_depth > 0)
		buffer_add_char(&whole, is_object[--c.good_depth] ? '}' : ']');
	good = json_check(buffer_span(&whole), NULL);
	if (good)
		buffer_add_span(out, buffer_span(&whole));
	buffer_free(&whole);
	return good;
}
