#include "numbers.h"

#include <ctype.h>

/* U+FDD0 in UTF-8, and as an escape. */
#define MARK        "\xef\xb7\x90"
#define MARK_ESCAPE "\\ufdd0"
enum { MARK_LEN = 3, MARK_ESCAPE_LEN = 6 };

/* Numbers with so many digits survive the conversion to a double. */
enum { SAFE_DIGITS = 15 };

/* The end of the string whose opening quote is at `at`. */
static size_t string_end(struct span json, size_t at)
{
	for (at++; at < json.len && json.at[at] != '"'; at++)
		if (json.at[at] == '\\')
			at++;
	return at < json.len ? at + 1 : json.len;
}

static size_t number_end(struct span json, size_t at)
{
	while (at < json.len && (isalnum((unsigned char)json.at[at]) || json.at[at] == '-' ||
				 json.at[at] == '+' || json.at[at] == '.'))
		at++;
	return at;
}

static bool begins_number(char c)
{
	return c == '-' || isdigit((unsigned char)c);
}

/* The length of a mark at the beginning of `text`, in either spelling; 0 if there is none. */
static size_t mark_len(struct span text)
{
	static const char escape[] = MARK_ESCAPE;

	if (span_starts(text, MARK))
		return MARK_LEN;
	if (text.len < MARK_ESCAPE_LEN)
		return 0;
	for (size_t i = 0; i < MARK_ESCAPE_LEN; i++)
		if ((i > 1 ? tolower((unsigned char)text.at[i]) : text.at[i]) != escape[i])
			return 0;
	return MARK_ESCAPE_LEN;
}

/* Whether libjq writes the number unchanged: few digits, no exponent, no trailing zero. */
static bool is_safe(struct span number)
{
	bool has_point = memchr(number.at, '.', number.len) != NULL;
	size_t digits = 0;

	for (size_t i = 0; i < number.len; i++) {
		if (isdigit((unsigned char)number.at[i]))
			digits++;
		else if (number.at[i] == 'e' || number.at[i] == 'E')
			return false;
	}
	if (digits > SAFE_DIGITS || span_is(number, "-0"))
		return false;
	if (number.at[0] == '-')
		number = span_from(number, 1);
	return !has_point || (number.at[number.len - 1] != '0' && !span_starts(number, "0.000"));
}

static void hide_string(struct buffer *out, struct span string)
{
	buffer_add_char(out, '"');
	if (mark_len(span_from(string, 1)) > 0)
		buffer_add_text(out, MARK);
	buffer_add_span(out, span_from(string, 1));
}

static void hide_number(struct buffer *out, struct span number)
{
	if (is_safe(number)) {
		buffer_add_span(out, number);
		return;
	}
	buffer_add_text(out, "\"" MARK);
	buffer_add_span(out, number);
	buffer_add_char(out, '"');
}

void numbers_hide(struct buffer *out, struct span json)
{
	size_t at = 0, end;

	for (; at < json.len; at = end) {
		if (json.at[at] == '"') {
			end = string_end(json, at);
			hide_string(out, (struct span){json.at + at, end - at});
		} else if (begins_number(json.at[at])) {
			end = number_end(json, at);
			hide_number(out, (struct span){json.at + at, end - at});
		} else {
			end = at + 1;
			buffer_add_char(out, json.at[at]);
		}
	}
}

/* `string` has its quotes. Keys are never numbers. */
static void show_string(struct buffer *out, struct span string, bool is_key)
{
	size_t mark = mark_len(span_from(string, 1));
	struct span rest = span_from(string, 1 + mark), number = {rest.at, rest.len - 1};

	if (mark == 0) {
		buffer_add_span(out, string);
	} else if (!is_key && number.len > 0 && begins_number(number.at[0]) &&
		   json_check(number, NULL)) {
		buffer_add_span(out, number);
	} else {
		buffer_add_char(out, '"');
		buffer_add_span(out, rest);
	}
}

void numbers_show(struct buffer *out, struct span json)
{
	size_t at = 0, end;

	for (; at < json.len; at = end) {
		if (json.at[at] == '"') {
			end = string_end(json, at);
			show_string(out, (struct span){json.at + at, end - at},
				    end < json.len && json.at[end] == ':');
		} else {
			const char *quote = memchr(json.at + at, '"', json.len - at);

			end = quote != NULL ? (size_t)(quote - json.at) : json.len;
			buffer_add(out, json.at + at, end - at);
		}
	}
}
