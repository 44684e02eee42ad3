#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/number.h"
#include "base/utf8.h"
#include "json/json.h"
#include "json/scan.h"

static const char *skip_space(const char *at, const char *end)
{
	while (at < end && span_is_space(*at))
		at++;
	return at;
}

/* Behind the value that begins at `at`, or `end`. Always moves on when at < end. */
static const char *skip_value(const char *at, const char *end)
{
	size_t depth = 0;

	if (at == end)
		return end;
	do {
		switch (*at) {
		case '"':
			at = scan_past_string(at, end);
			break;
		case '{':
		case '[':
			depth++;
			at++;
			break;
		case '}':
		case ']':
			depth -= depth > 0;
			at++;
			break;
		default:
			at++;
			while (depth == 0 && at < end && !span_is_space(*at) && *at != ',' &&
			       *at != ']' && *at != '}' && *at != ':')
				at++;
			break;
		}
	} while (depth > 0 && at < end);
	return at;
}

const char *json_type_name(enum json_type type)
{
	static const char *const names[] = {
	    [JSON_ABSENT] = "nothing", [JSON_NULL] = "null",     [JSON_BOOL] = "boolean",
	    [JSON_NUMBER] = "number",  [JSON_STRING] = "string", [JSON_ARRAY] = "array",
	    [JSON_OBJECT] = "object"};

	return names[type];
}

struct span json_trim(struct span text)
{
	return span_trim(text);
}

/* ---- walking ---- */

struct json_walk json_walk(struct span value)
{
	enum json_type type = json_type(value);
	struct json_walk walk = {.is_object = type == JSON_OBJECT};

	if (type == JSON_OBJECT || type == JSON_ARRAY) {
		walk.at = value.at + 1;
		walk.end = value.at + value.len;
	}
	return walk;
}

static struct span take_value(struct json_walk *walk)
{
	const char *start = walk->at = skip_space(walk->at, walk->end);

	walk->at = skip_value(walk->at, walk->end);
	return (struct span){start, (size_t)(walk->at - start)};
}

static bool next_node(struct json_walk *walk)
{
	if (walk->node == walk->last)
		return false;
	walk->key = walk->node->key;
	walk->value = walk->node->value;
	walk->node += walk->node->size;
	return true;
}

bool json_next(struct json_walk *walk)
{
	if (walk->node != NULL)
		return next_node(walk);
	if (walk->at == walk->end)
		return false;
	walk->at = skip_space(walk->at, walk->end);
	if (walk->begun && walk->at < walk->end && *walk->at == ',')
		walk->at = skip_space(walk->at + 1, walk->end);
	walk->begun = true;
	if (walk->at == walk->end || *walk->at == '}' || *walk->at == ']') {
		walk->at = walk->end;
		return false;
	}
	if (walk->is_object) {
		walk->key = take_value(walk);
		walk->at = skip_space(walk->at, walk->end);
		if (walk->at == walk->end || *walk->at != ':') {
			walk->at = walk->end;
			return false;
		}
		walk->at++;
	}
	walk->value = take_value(walk);
	return walk->value.len > 0;
}

/* The nodes are in the order of the text, and no two values begin at the same byte. */
struct json_walk json_index_walk(const struct json_index *index, struct span value)
{
	struct json_walk walk = json_walk(value);
	size_t low = 0, high = walk.at != NULL ? index->count : 0;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct json_node *node = &index->nodes[middle];

		if (node->value.at == value.at) {
			walk.node = node + 1;
			walk.last = node + node->size;
			break;
		}
		if (node->value.at < value.at)
			low = middle + 1;
		else
			high = middle;
	}
	return walk;
}

/* Store `value` as that of the name `key` (text), unless it has one. */
static size_t store_member(struct span key, struct span value, const struct span *names,
			   struct span *values)
{
	size_t i = 0;

	while (names[i].at != NULL && !(names[i].len == key.len && names[i].at[0] == *key.at &&
					memcmp(names[i].at, key.at, key.len) == 0))
		i++;
	if (names[i].at == NULL || values[i].at != NULL)
		return 0;
	values[i] = value;
	return 1;
}

static size_t store_escaped(struct span key, struct span value, const struct span *names,
			    struct span *values)
{
	struct buffer text = {0};
	size_t stored;

	json_decode(key, &text);
	stored = store_member(buffer_span(&text), value, names, values);
	buffer_free(&text);
	return stored;
}

void json_members(struct json_walk walk, const struct span *names, struct span *values)
{
	size_t missing = 0;

	while (names[missing].at != NULL)
		values[missing++] = (struct span){0};
	while (missing > 0 && walk.is_object && json_next(&walk)) {
		struct span key = walk.key;
		size_t stored = 0;

		/* Compare the bytes first: few keys have escapes. */
		if (key.len >= 2)
			stored = store_member((struct span){key.at + 1, key.len - 2}, walk.value,
					      names, values);
		if (stored == 0 && memchr(key.at, '\\', key.len) != NULL)
			stored = store_escaped(key, walk.value, names, values);
		missing -= stored;
	}
}

bool json_has(struct span array, const char *text)
{
	for (struct json_walk walk = json_walk(array); json_next(&walk);)
		if (json_is(walk.value, text))
			return true;
	return false;
}

size_t json_count(struct span value)
{
	struct json_walk walk = json_walk(value);
	size_t count = 0;

	while (json_next(&walk))
		count++;
	return count;
}

/* Whether a string value's decoded text is `text`. */
static bool string_is(struct span string, struct span text)
{
	struct buffer scratch = {0};
	struct span decoded = json_string_text(string, &scratch);
	bool same = decoded.at != NULL && span_equal(decoded, text);

	buffer_free(&scratch);
	return same;
}

static struct span get(struct span object, struct span key)
{
	for (struct json_walk walk = json_walk(object); walk.is_object && json_next(&walk);)
		if (string_is(walk.key, key))
			return walk.value;
	return (struct span){0};
}

struct span json_get(struct span object, const char *key)
{
	return get(object, span_of(key));
}

static struct span element(struct span array, struct span digits)
{
	struct json_walk walk = json_walk(array);
	size_t position = 0;

	for (size_t i = 0; i < digits.len; i++) {
		if (digits.at[i] < '0' || digits.at[i] > '9' || position > SIZE_MAX / 10 - 10)
			return (struct span){0};
		position = position * 10 + (size_t)(digits.at[i] - '0');
	}
	while (json_next(&walk))
		if (position-- == 0)
			return walk.value;
	return (struct span){0};
}

struct span json_path(struct span value, const char *path)
{
	while (*path != '\0' && value.at != NULL) {
		size_t len = strcspn(path, ".");
		struct span step = {path, len};

		value = json_type(value) == JSON_ARRAY ? element(value, step) : get(value, step);
		path += len + (path[len] == '.');
	}
	return value;
}

/* ---- strings ---- */

struct span json_plain(struct span string)
{
	if (json_type(string) != JSON_STRING || string.at[string.len - 1] != '"' ||
	    memchr(string.at, '\\', string.len) != NULL)
		return (struct span){0};
	return (struct span){string.at + 1, string.len - 2};
}

struct span json_amount(struct span value)
{
	return json_type(value) == JSON_NUMBER ? value : json_plain(value);
}

/* The value of \uXXXX at `at`; -1 when it is none. */
static int32_t hex_escape(const char *at, const char *end)
{
	int32_t value = 0;

	if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		int digit = hex_digit(at[i]);

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

/* Decode the \u escape at `at`, or two of them for a surrogate pair, and return what is behind. */
static const char *decode_code_point(const char *at, const char *end, struct buffer *out)
{
	int32_t high = hex_escape(at, end), low;

	if (high < 0)
		return at + 2;
	if (high >= 0xD800 && high <= 0xDBFF) {
		low = hex_escape(at + 6, end);
		if (low >= 0xDC00 && low <= 0xDFFF) {
			utf8_add_code_point(out, 0x10000 + (((uint32_t)high & 0x3FF) << 10) +
						     ((uint32_t)low & 0x3FF));
			return at + 12;
		}
	}
	utf8_add_code_point(out, (uint32_t)high);
	return at + 6;
}

/* Decode the escape at `at` and return what is behind it. */
static const char *decode_escape(const char *at, const char *end, struct buffer *out)
{
	if (end - at < 2)
		return end;
	if (at[1] == 'u')
		return decode_code_point(at, end, out);
	if (scan_escaped(at[1]) != '\0')
		buffer_add_char(out, scan_escaped(at[1]));
	return at + 2;
}

bool json_decode(struct span string, struct buffer *out)
{
	const char *at, *end;

	if (json_type(string) != JSON_STRING)
		return false;
	at = string.at + 1;
	end = string.at + string.len - (string.at[string.len - 1] == '"');
	buffer_reserve(out, string.len);
	while (at < end) {
		bool ascii = true;
		const char *stop = scan_string(string.at, at, end, &ascii);
		bool escape = stop < end && *stop == '\\';
		struct span plain;

		stop += stop < end && !escape; /* no JSON: it stands for itself */
		plain = (struct span){at, (size_t)(stop - at)};
		if (ascii)
			buffer_add_span(out, plain);
		else
			utf8_add(out, plain);
		at = escape ? decode_escape(stop, end, out) : stop;
	}
	return true;
}

struct span json_string_text(struct span string, struct buffer *scratch)
{
	struct span plain = json_plain(string);

	if (plain.at != NULL)
		return plain;
	buffer_clear(scratch);
	return json_decode(string, scratch) ? buffer_span(scratch) : (struct span){0};
}

char *json_text(struct span string)
{
	struct buffer text = {0}, safe = {0};

	if (!json_decode(string, &text))
		return NULL;
	if (text.len == 0 || memchr(text.at, '\0', text.len) == NULL)
		return buffer_take(&text);
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] == '\0')
			buffer_add_text(&safe, "\xEF\xBF\xBD");
		else
			buffer_add_char(&safe, text.at[i]);
	}
	buffer_free(&text);
	return buffer_take(&safe);
}

bool json_is(struct span string, const char *text)
{
	return string_is(string, span_of(text));
}

bool json_is_any(struct span string, const char *const *texts)
{
	for (; *texts != NULL; texts++)
		if (json_is(string, *texts))
			return true;
	return false;
}

/* ---- other scalars ---- */

bool json_true(struct span value)
{
	return span_is(value, "true");
}

bool json_false(struct span value)
{
	return span_is(value, "false");
}

double json_double(struct span number, double fallback)
{
	char *copy;
	double value;

	if (json_type(number) != JSON_NUMBER)
		return fallback;
	copy = mem_copy(number);
	value = strtod(copy, NULL);
	free(copy);
	return value;
}

int64_t json_int(struct span number, int64_t fallback)
{
	bool negative;
	uint64_t value = 0, limit;

	if (json_type(number) != JSON_NUMBER)
		return fallback;
	negative = number.at[0] == '-';
	limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
	for (size_t i = negative; i < number.len; i++) {
		uint64_t digit = (unsigned char)number.at[i] - (uint64_t)'0';

		if (digit > 9) {
			double real = json_double(number, 0);

			if (real >= 9223372036854775807.0)
				return INT64_MAX;
			return real <= -9223372036854775808.0 ? INT64_MIN : (int64_t)real;
		}
		if (value > (limit - digit) / 10)
			return negative ? INT64_MIN : INT64_MAX;
		value = value * 10 + digit;
	}
	return negative ? (int64_t)(0 - value) : (int64_t)value;
}
