#include "tool/call_text.h"

#include "base/utf8.h"
#include "event/terminal.h"
#include "json/json.h"

/* ---- JSON ---- */

/* The string that begins at `at`, which is a quote. */
static struct span string_at(struct span json, size_t at)
{
	size_t end = at + 1;

	while (end < json.len && json.at[end] != '"')
		end += json.at[end] == '\\' ? 2 : 1;
	return (struct span){json.at + at, (end < json.len ? end + 1 : json.len) - at};
}

/* Append JSON on one line. Escapes of ordinary characters, which hide what they are, are decoded.
 */
static void add_json(struct buffer *out, struct span json)
{
	struct buffer line = {0}, plain = {0}, text = {0};
	struct span compact;

	json_write_compact(&line, json);
	compact = buffer_span(&line);
	for (size_t i = 0; i < compact.len; i++) {
		struct span string = string_at(compact, i);

		if (compact.at[i] != '"') {
			buffer_add_char(&plain, compact.at[i]);
			continue;
		}
		buffer_clear(&text);
		json_decode(string, &text);
		json_write_string(&plain, buffer_span(&text));
		i += string.len - 1;
	}
	terminal_add_visible(out, buffer_span(&plain));
	buffer_free(&line);
	buffer_free(&plain);
	buffer_free(&text);
}

/* Decode a string of several lines. Returns false for other values. */
static bool has_lines(struct span value, struct buffer *text)
{
	buffer_clear(text);
	return json_decode(value, text) && memchr(text->at, '\n', text->len) != NULL;
}

/* ---- lines ---- */

/* Append the lines of a script, each behind a bar, so that none looks like another argument. Many
 * empty lines, which would move the rest off the screen, are counted. */
static void add_lines(struct buffer *out, struct span text)
{
	enum { MAX_EMPTY = 3 };
	struct span line;

	while (text.len > 0) {
		size_t empty = 0;

		while (empty < text.len && text.at[empty] == '\n')
			empty++;
		if (empty > MAX_EMPTY) {
			buffer_add_format(out, "  (%zu empty lines)\n", empty);
			text = span_from(text, empty);
		} else if (span_next_line(&text, &line, NULL)) {
			buffer_add_text(out, "  | ");
			terminal_add_visible(out, line);
			buffer_add_char(out, '\n');
		}
	}
}

static void add_arguments(struct buffer *out, struct span args)
{
	struct buffer text = {0};

	for (struct json_walk walk = json_walk(args); json_next(&walk);) {
		bool lines = has_lines(walk.value, &text);

		buffer_add_text(out, "\n  ");
		if (!lines) {
			add_json(out, walk.key);
			buffer_add_text(out, ": ");
			add_json(out, walk.value);
			continue;
		}
		add_json(out, walk.key);
		buffer_add_text(out, ":\n");
		add_lines(out, buffer_span(&text));
		out->len--; /* each argument begins with a newline */
	}
	buffer_free(&text);
}

void call_text_add(struct buffer *out, const char *tool_name, struct span args)
{
	struct buffer text = {0};
	bool lines = false;

	for (struct json_walk walk = json_walk(args); json_next(&walk) && !lines;)
		lines = has_lines(walk.value, &text);
	terminal_add_visible(out, span_of(tool_name));
	if (lines) {
		add_arguments(out, args);
	} else {
		buffer_add_char(out, ' ');
		add_json(out, args);
	}
	buffer_add_char(out, '\n');
	buffer_free(&text);
}

/* ---- pages ---- */

static size_t rows_of(struct span line, size_t columns)
{
	size_t width = utf8_columns(line);

	return width > columns ? (width + columns - 1) / columns : 1;
}

struct span call_text_page(struct span text, size_t rows, size_t columns)
{
	struct span rest = text, line;
	size_t left = rows, len = 0;

	while (rest.len > 0) {
		size_t need, size = rest.len;

		span_next_line(&rest, &line, NULL);
		need = rows_of(line, columns);
		if (need > left && len == 0) /* a line that is longer than a page */
			return utf8_cut(line, left * columns > 2 ? left * columns : 2);
		if (need > left)
			break;
		left -= need;
		len += size - rest.len;
	}
	return (struct span){text.at, len};
}

size_t call_text_rows(struct span text, size_t columns)
{
	struct span line;
	size_t rows = 0;

	while (span_next_line(&text, &line, NULL))
		rows += rows_of(line, columns);
	return rows;
}
