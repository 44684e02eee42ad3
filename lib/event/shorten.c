#include "event/shorten.h"

#include "base/utf8.h"
#include "event/event.h"
#include "json/json.h"

static void copy_string(struct buffer *out, struct span string, size_t longest)
{
	struct buffer text = {0};
	struct span cut;

	json_decode(string, &text);
	cut = (struct span){text.at, text.len < longest ? text.len : longest};
	if (cut.len < text.len)
		cut.len -= utf8_incomplete_tail(cut);
	json_comma(out);
	json_write_string(out, cut);
	buffer_free(&text);
}

/* Append the value with strings of at most `longest` bytes. */
static void copy(struct buffer *out, struct span value, size_t longest)
{
	enum json_type type = json_type(value);
	struct json_walk walk = json_walk(value);

	if (value.len <= longest) {
		json_comma(out);
		buffer_add_span(out, value);
	} else if (type == JSON_STRING) {
		copy_string(out, value, longest);
	} else if (type == JSON_ARRAY || type == JSON_OBJECT) {
		json_open(out, type == JSON_ARRAY ? '[' : '{');
		while (json_next(&walk)) {
			json_copy_key(out, walk.key);
			copy(out, walk.value, longest);
		}
		json_close(out, type == JSON_ARRAY ? ']' : '}');
	} else {
		json_comma(out);
		buffer_add_text(out, "null");
	}
}

/* Append the members of data; without `whole`, those that are longer than `longest` are null. */
static void copy_data(struct buffer *out, struct span data, size_t longest, bool whole)
{
	bool marked = json_get(data, "truncated").at != NULL;

	json_open(out, '{');
	for (struct json_walk walk = json_walk(data); json_next(&walk);) {
		json_copy_key(out, walk.key);
		if (whole)
			copy(out, walk.value, longest);
		else
			buffer_add_span(out, walk.value.len > longest ? SPAN("null") : walk.value);
	}
	if (!marked)
		json_put_bool(out, "truncated", true);
}

void event_shorten(struct buffer *lines, size_t start, size_t data)
{
	static const size_t longest[] = {8 << 20, 1 << 20, 1 << 16, 1 << 10};
	enum { TRIES = ARRAY_LEN(longest), LARGEST_MEMBER = 1 << 18 };
	size_t room = EVENT_MAX_LINE - (data - start) - 2;
	struct buffer whole = {0}, cut = {0};

	if (lines->len - data <= room)
		return;
	buffer_add(&whole, lines->at + data, lines->len - data);
	buffer_add_char(&whole, '}');
	for (size_t i = 0; i <= TRIES && (i == 0 || cut.len > room); i++) {
		buffer_clear(&cut);
		copy_data(&cut, buffer_span(&whole), i < TRIES ? longest[i] : LARGEST_MEMBER,
			  i < TRIES);
	}
	lines->len = data;
	buffer_add_span(lines, buffer_span(&cut));
	buffer_free(&whole);
	buffer_free(&cut);
}
