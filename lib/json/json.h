/*
 * json: RFC 8259 read in place and written into a buffer.
 *
 * A value is a span of the text it stands in, without surrounding white space; nothing is parsed
 * into a tree (json/tree.h does that) and nothing is allocated to read. Numbers and strings that
 * pass through keep their bytes: 1234567890123456789, 1.10 and 1E400 come out as they came in.
 *
 * json_check decides whether text is JSON. The reading functions are safe on any bytes, but promise
 * a meaning only for text that json_check accepts. The spans they return live as long as the text.
 * An absent value is a span with at == NULL; every reading function accepts it and gives "absent",
 * zero or false.
 */
#ifndef JSON_JSON_H
#define JSON_JSON_H

#include <stdint.h>

#include "base/buffer.h"

/* Deepest nesting of arrays and objects; deeper text is refused. */
enum { JSON_MAX_DEPTH = 512 };

/* ---- checking ---- */

/* Why text is not JSON: a static phrase ("unexpected end of text") and the byte where it shows. */
struct json_fault {
	const char *what;
	size_t offset;
};

/* Whether `text`, as a whole, is one JSON value with optional white space around it: strict
 * RFC 8259, well-formed UTF-8, nested at most JSON_MAX_DEPTH deep. Lone surrogate escapes and
 * numbers of any size are grammatical and accepted. `fault` may be NULL; it is filled on false. */
bool json_check(struct span text, struct json_fault *fault);

/* Like json_check, for text inside `depth` open brackets (at most JSON_MAX_DEPTH). If it is an
 * object, also stores its first `capacity` members (keys with quotes) and sets *count to the number
 * of all; otherwise *count is 0. */
struct json_member {
	struct span key, value;
};
bool json_check_object(struct span text, size_t depth, struct json_member *members, size_t capacity,
		       size_t *count, struct json_fault *fault);

/* What a text consists of, stored while it is checked, so that walking it does not scan it again: a
 * node for each value, in the order of the text. A text with more values than JSON_INDEX_NODES has
 * no nodes. The spans live as long as the text. */
enum { JSON_INDEX_NODES = 64 };
struct json_node {
	struct span key, value; /* as json_next gives them */
	size_t size;            /* this node and those of the values inside it */
};
struct json_index {
	struct json_node nodes[JSON_INDEX_NODES];
	size_t count;
};

/* As json_check; fills `index`, which has no nodes if the text is not JSON. */
bool json_check_index(struct span text, struct json_index *index, struct json_fault *fault);

/* ---- reading ---- */

enum json_type {
	JSON_ABSENT,
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

/* The name of a type in JSON Schema: "null", "boolean", "number", "string", "array", "object". */
const char *json_type_name(enum json_type type);

/* `text` without white space around it: what to call first on a whole document. */
struct span json_trim(struct span text);

/* By the first byte: inline, since nearly every value is asked for it. */
static inline enum json_type json_type(struct span value)
{
	if (value.at == NULL || value.len == 0)
		return JSON_ABSENT;
	switch (value.at[0]) {
	case 'n':
		return JSON_NULL;
	case 't':
	case 'f':
		return JSON_BOOL;
	case '"':
		return value.len >= 2 ? JSON_STRING : JSON_ABSENT;
	case '[':
		return JSON_ARRAY;
	case '{':
		return JSON_OBJECT;
	default:
		return value.at[0] == '-' || (value.at[0] >= '0' && value.at[0] <= '9')
			   ? JSON_NUMBER
			   : JSON_ABSENT;
	}
}

/* The member `key` of an object; absent when there is none or `object` is no object. Of duplicate
 * keys the first counts. `key` is plain text: escaped spellings of a key are found too. */
struct span json_get(struct span object, const char *key);

/* The value at a path of keys and array positions, "choices.0.delta.content". */
struct span json_path(struct span value, const char *path);

/* Walk the members of an object or the elements of an array:
 *     struct json_walk walk = json_walk(value);
 *     while (json_next(&walk)) ... walk.key (a string value with its quotes; absent in arrays),
 *                              ... walk.value
 * On anything else the walk is empty. */
struct json_walk {
	struct span key, value;
	const char *at, *end; /* private */
	const struct json_node *node, *last;
	bool is_object, begun;
};
struct json_walk json_walk(struct span value);
bool json_next(struct json_walk *walk);

/* Several members of the object that `walk` is about, in one walk: values[i] becomes the value of
 * the member names[i], as json_get finds it. An absent span ends `names`; none is empty, no two
 * are equal. */
void json_members(struct json_walk walk, const struct span *names, struct span *values);

/* As json_walk, for a value of the text that `index` is about; it need not have a node there. */
struct json_walk json_index_walk(const struct json_index *index, struct span value);

/* How many members or elements. */
size_t json_count(struct span value);

/* Whether one of the elements of an array is the string `text`. */
bool json_has(struct span array, const char *text);

/* Append the text of a string value to `out` as UTF-8: escapes decoded, surrogate pairs joined,
 * lone surrogates and invalid UTF-8 replaced by U+FFFD. Appends nothing for other types; returns
 * whether it was a string. */
bool json_decode(struct span string, struct buffer *out);

/* The decoded text of a string value as a C string that the caller frees; NULL for other types.
 * A NUL inside the text (the escape \u0000) becomes U+FFFD. */
char *json_text(struct span string);

/* The decoded text of a string value; absent for other types. If the string has escapes, `scratch`
 * is overwritten and holds the text. */
struct span json_string_text(struct span string, struct buffer *scratch);

/* Whether a string value's decoded text is `text`. */
bool json_is(struct span string, const char *text);
/* Whether it is one of `texts`, which NULL ends. */
bool json_is_any(struct span string, const char *const *texts);

/* The text between the quotes of a string value if it holds no escape, else absent: a fast path for
 * names that never need one. */
struct span json_plain(struct span string);

/* The text of a number, or of a string without escapes, as base/number.h reads it: 90, "90s".
 * Absent for other values. */
struct span json_amount(struct span value);

bool json_true(struct span value);
bool json_false(struct span value);

/* The value of a number; `fallback` for other types. json_int rounds towards zero and saturates. */
int64_t json_int(struct span number, int64_t fallback);
double json_double(struct span number, double fallback);

/* Whether two values are the same: numbers by value, strings by text, objects without regard to the
 * order of their members. */
bool json_equal(struct span a, struct span b);

/* ---- writing ----
 * Functions append to `out`. A comma is put before a key or an element by looking at the last byte:
 * none after '{', '[' or ':' and at the very start, so objects and arrays are written by
 *     json_open(out, '{'); json_put_int(out, "a", 1); json_close(out, '}');
 */

/* Append the quoted, escaped form of `text`; invalid UTF-8 becomes U+FFFD. Only what must be
 * escaped is (quote, backslash, C0), so text stays readable; U+007F and above are written as they
 * are. */
void json_write_string(struct buffer *out, struct span text);

/* The number of bytes that json_write_string would append. */
size_t json_string_size(struct span text);

/* As json_write_string without the quotes: for a string that is written in pieces. */
void json_write_escaped(struct buffer *out, struct span text);

/* The shortest decimal that reads back as `value`; null for infinities and NaN. */
void json_write_double(struct buffer *out, double value);
void json_write_int(struct buffer *out, int64_t value);

void json_open(struct buffer *out, char bracket);  /* '{' or '[', after a comma where one is due */
void json_close(struct buffer *out, char bracket); /* '}' or ']' */
void json_comma(struct buffer *out);               /* a comma where one is due */
void json_key(struct buffer *out, const char *key);

/* The same with a key as json_walk gives it: its quotes and escapes are kept. If it is absent, the
 * walk is one of an array: only the comma is written. */
void json_copy_key(struct buffer *out, struct span key);

/* Write the elements of an array (nothing for other types), byte for byte. */
void json_copy_elements(struct buffer *out, struct span array);

void json_put_string(struct buffer *out, const char *key, struct span text);
void json_put_text(struct buffer *out, const char *key, const char *text); /* NULL writes null */
void json_put_int(struct buffer *out, const char *key, int64_t value);
void json_put_double(struct buffer *out, const char *key, double value);
void json_put_bool(struct buffer *out, const char *key, bool value);
void json_put_null(struct buffer *out, const char *key);
void json_put_raw(struct buffer *out, const char *key, struct span json); /* absent writes null */

/* Append JSON in the form of a template, with a comma before it where one is due:
 *     json_pack(out, "{'type':'text','text':%j,'citations':%j}", text, citations);
 * A template is JSON without white space, or a part of it, such as the members of an object that is
 * open; ' stands for a quote. Each placeholder takes an argument:
 *     %j  struct span: JSON             %d  int64_t
 *     %s  struct span: text             %u  int64_t; negative: absent
 *     %t  const char *: text            %g  double; negative: absent
 *         (also as a key)               %b  bool
 *     %l  struct span: JSON, written    %f  bool: true; false: absent
 *         by json_write_line
 * A member or element whose argument is absent or NULL is left out; with a capital letter (%J, %S,
 * %T, %U, %G) it is null instead. The compiler checks no argument; .ci/json-pack (make lint) checks
 * their number, and that no number literal lacks its cast to int64_t. */
void json_pack(struct buffer *out, const char *form, ...);
void json_pack_list(struct buffer *out, const char *form, va_list list);

/* Append `value` without the white space between its tokens, on one line: what a pretty-printed
 * value needs to become part of an event. Strings and numbers keep their bytes. */
void json_write_compact(struct buffer *out, struct span value);

/* Append `value` so that it fits on one line: its very bytes, unless it has line breaks between its
 * tokens; then as json_write_compact. */
void json_write_line(struct buffer *out, struct span value);

/* Append `base` changed by `patch` as RFC 7396 says: objects are merged member by member, null
 * removes one, anything else replaces. What is not changed keeps its bytes. */
void json_merge(struct buffer *out, struct span base, struct span patch);

/* Merge `patch` in the same way into the value that `value` holds; an empty buffer becomes the
 * patch's members. An absent patch changes nothing. The buffer keeps its memory. */
void json_merge_into(struct buffer *value, struct span patch);

/* ---- a value that is still being written ---- */

/* Append to `out` the value that the beginning `text` of a JSON value shows so far: an open string
 * is closed (without a half escape or half code point), open arrays and objects are closed, and
 * what says nothing yet is left out (a key without a value, a comma, a half literal, a number that
 * may go on). What is wrong inside an open array or object is left out too. Returns false,
 * appending nothing, when there is nothing to show yet or `text` is not the beginning of a JSON
 * value. */
bool json_complete(struct span text, struct buffer *out);

#endif
