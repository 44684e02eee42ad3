#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "json/json.h"
#include "json/scan.h"

static void write_escape(struct buffer *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char letters[256] = {['"'] = '"',  ['\\'] = '\\', ['\n'] = 'n', ['\r'] = 'r',
					  ['\t'] = 't', ['\b'] = 'b',  ['\f'] = 'f'};
	char escape[6] = {'\\', letters[c], '0', '0', hex[c >> 4], hex[c & 15]};

	if (letters[c] == '\0')
		escape[1] = 'u';
	buffer_add(out, escape, letters[c] != '\0' ? 2 : sizeof(escape));
}

void json_write_escaped(struct buffer *out, struct span text)
{
	const char *at = text.at, *end = text.at + text.len;

	while (at < end) {
		bool ascii = true;
		const char *stop = scan_string(text.at, at, end, &ascii);
		struct span plain = {at, (size_t)(stop - at)};

		if (ascii)
			buffer_add_span(out, plain);
		else
			utf8_add(out, plain);
		at = stop;
		if (at < end)
			write_escape(out, (unsigned char)*at++);
	}
}

void json_write_string(struct buffer *out, struct span text)
{
	buffer_reserve(out, text.len + 2);
	buffer_add_char(out, '"');
	json_write_escaped(out, text);
	buffer_add_char(out, '"');
}

size_t json_string_size(struct span text)
{
	struct buffer out = {0};
	size_t size;

	json_write_string(&out, text);
	size = out.len;
	buffer_free(&out);
	return size;
}

/* Write `value` in decimal so that it ends before `end`; returns where it begins. */
static char *write_digits(char *end, uint64_t value)
{
	do
		*--end = (char)('0' + value % 10);
	while ((value /= 10) > 0);
	return end;
}

void json_write_int(struct buffer *out, int64_t value)
{
	char digits[20], *end = digits + sizeof(digits);
	char *at = write_digits(end, value < 0 ? -(uint64_t)value : (uint64_t)value);

	if (value < 0)
		*--at = '-';
	buffer_add(out, at, (size_t)(end - at));
}

/* Append a number with at most six decimals and 15 digits: seconds and most prices. Two decimals of
 * up to 15 digits never read back as the same double, so this one is the shortest. Returns false,
 * appending nothing, for any other number. */
static bool write_decimal(struct buffer *out, double value)
{
	char digits[20], *end = digits + sizeof(digits), *at;
	double size = value < 0 ? -value : value;
	uint64_t millionths;
	size_t fraction = 6;

	if (!(size > 0 && size < 1e9))
		return false;
	millionths = (uint64_t)(size * 1e6 + 0.5);
	if ((double)millionths / 1e6 != size)
		return false;
	for (; fraction > 0 && millionths % 10 == 0; fraction--)
		millionths /= 10;
	at = write_digits(end, millionths);
	while ((size_t)(end - at) < fraction + 1)
		*--at = '0';
	if (value < 0)
		buffer_add_char(out, '-');
	buffer_add(out, at, (size_t)(end - at) - fraction);
	if (fraction > 0) {
		buffer_add_char(out, '.');
		buffer_add(out, end - fraction, fraction);
	}
	return true;
}

void json_write_double(struct buffer *out, double value)
{
	char digits[40];
	double size = value < 0 ? -value : value;
	const char *exponent;
	int precision = 1, decimals;

	if (write_decimal(out, value))
		return;
	if (!isfinite(value)) {
		buffer_add_text(out, "null");
		return;
	}
	for (; precision <= 17; precision++) {
		snprintf(digits, sizeof(digits), "%.*g", precision, value);
		if (strtod(digits, NULL) == value)
			break;
	}
	exponent = strchr(digits, 'e');
	if (exponent != NULL && size < 1e15 && size >= 1e-7) {
		/* 100, not 1e+02 */
		decimals = precision - 1 - (int)strtol(exponent + 1, NULL, 10);
		snprintf(digits, sizeof(digits), "%.*f", decimals > 0 ? decimals : 0, value);
	}
	buffer_add_text(out, digits);
}

void json_comma(struct buffer *out)
{
	char last = '{';

	if (out->len > 0)
		last = out->at[out->len - 1];
	if (last != '{' && last != '[' && last != ',' && last != ':')
		buffer_add_char(out, ',');
}

void json_open(struct buffer *out, char bracket)
{
	json_comma(out);
	buffer_add_char(out, bracket);
}

void json_close(struct buffer *out, char bracket)
{
	buffer_add_char(out, bracket);
}

void json_key(struct buffer *out, const char *key)
{
	json_comma(out);
	json_write_string(out, span_of(key));
	buffer_add_char(out, ':');
}

void json_copy_key(struct buffer *out, struct span key)
{
	json_comma(out);
	buffer_add_span(out, key);
	if (key.at != NULL)
		buffer_add_char(out, ':');
}

void json_copy_elements(struct buffer *out, struct span array)
{
	struct json_walk walk = json_walk(array);

	while (json_type(array) == JSON_ARRAY && json_next(&walk)) {
		json_comma(out);
		buffer_add_span(out, walk.value);
	}
}

void json_put_string(struct buffer *out, const char *key, struct span text)
{
	json_key(out, key);
	json_write_string(out, text);
}

void json_put_text(struct buffer *out, const char *key, const char *text)
{
	if (text != NULL)
		json_put_string(out, key, span_of(text));
	else
		json_put_null(out, key);
}

void json_put_int(struct buffer *out, const char *key, int64_t value)
{
	json_key(out, key);
	json_write_int(out, value);
}

void json_put_double(struct buffer *out, const char *key, double value)
{
	json_key(out, key);
	json_write_double(out, value);
}

void json_put_bool(struct buffer *out, const char *key, bool value)
{
	json_put_raw(out, key, value ? SPAN("true") : SPAN("false"));
}

void json_put_null(struct buffer *out, const char *key)
{
	json_put_raw(out, key, SPAN("null"));
}

void json_put_raw(struct buffer *out, const char *key, struct span json)
{
	json_key(out, key);
	buffer_add_span(out, json.at != NULL ? json : SPAN("null"));
}

void json_write_compact(struct buffer *out, struct span value)
{
	bool in_string = false;

	for (size_t i = 0; i < value.len; i++) {
		char c = value.at[i];

		if (in_string && c == '\\' && i + 1 < value.len) {
			buffer_add_char(out, c);
			c = value.at[++i];
		} else if (c == '"') {
			in_string = !in_string;
		} else if (!in_string && (c == ' ' || c == '\n' || c == '\r' || c == '\t')) {
			continue;
		}
		buffer_add_char(out, c);
	}
}

void json_write_line(struct buffer *out, struct span value)
{
	if (value.len > 0 && (memchr(value.at, '\n', value.len) != NULL ||
			      memchr(value.at, '\r', value.len) != NULL))
		json_write_compact(out, value);
	else
		buffer_add_span(out, value);
}
