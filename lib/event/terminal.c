#include "event/terminal.h"

#include "base/utf8.h"
#include "json/json.h"

/* Code points above ASCII that control a terminal: C1, bidirectional marks, line separators. */
static bool is_control(uint32_t c)
{
	return (c >= 0x80 && c <= 0x9F) || c == 0x061C || c == 0x200E || c == 0x200F ||
	       (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

static void add_safe(struct buffer *out, struct span text, bool one_line)
{
	while (text.len > 0) {
		size_t size;
		uint32_t c = utf8_decode(text, &size);

		if (one_line && c == '\n')
			buffer_add_text(out, "\\n");
		else if (one_line && c == '\t')
			buffer_add_text(out, "\\t");
		else if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7F)
			buffer_add_format(out, "\\x%02x", (unsigned)c);
		else if (is_control(c))
			buffer_add_format(out, "\\u{%x}", (unsigned)c);
		else
			utf8_add_code_point(out, c);
		text = span_from(text, size);
	}
}

void terminal_add(struct buffer *out, struct span text)
{
	add_safe(out, text, false);
}

void terminal_add_line(struct buffer *out, struct span text)
{
	add_safe(out, text, true);
}

void terminal_add_string(struct buffer *out, struct span string, const char *fallback)
{
	struct buffer text = {0};

	if (!json_decode(string, &text) || text.len == 0)
		buffer_add_text(&text, fallback);
	add_safe(out, buffer_span(&text), true);
	buffer_free(&text);
}

void terminal_add_json(struct buffer *out, struct span json)
{
	size_t done = 0, i = 0, size;

	while (i < json.len) {
		uint32_t c = (unsigned char)json.at[i];

		size = 1;
		if (c >= 0x80)
			c = utf8_decode(span_from(json, i), &size);
		if (c == '\r' || c == 0x7F || is_control(c)) {
			buffer_add(out, json.at + done, i - done);
			if (c == '\r') /* between two tokens */
				buffer_add_char(out, ' ');
			else
				buffer_add_format(out, "\\u%04x", (unsigned)c);
			done = i + size;
		}
		i += size;
	}
	buffer_add(out, json.at + done, json.len - done);
}

void terminal_clean(struct buffer *text, bool is_json)
{
	struct buffer safe = {0};

	(is_json ? terminal_add_json : terminal_add)(&safe, buffer_span(text));
	buffer_free(text);
	*text = safe;
}
