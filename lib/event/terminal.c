#include "event/terminal.h"

#include <unistd.h>

#include "base/error.h"
#include "base/tty.h"
#include "base/utf8.h"
#include "event/event.h"
#include "json/json.h"

/* Code points above ASCII that control a terminal: C1, bidirectional marks, line separators. */
static bool is_control(uint32_t c)
{
	return (c >= 0x80 && c <= 0x9F) || c == 0x061C || c == 0x200E || c == 0x200F ||
	       (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

/* Other code points without ink: what Unicode calls default ignorable, blanks, joiners of
 * hieroglyphs, noncharacters, and those for private use, which look as the font likes. In pairs,
 * first and last. */
static bool is_invisible(uint32_t c)
{
	static const uint32_t ranges[] = {
	    0xA0,    0xA0,    0xAD,    0xAD,    0x34F,   0x34F,   0x115F,  0x1160,
	    0x1680,  0x1680,  0x17B4,  0x17B5,  0x180B,  0x180F,  0x2000,  0x200F,
	    0x2028,  0x202F,  0x205F,  0x206F,  0x2800,  0x2800,  0x3000,  0x3000,
	    0x3164,  0x3164,  0xE000,  0xF8FF,  0xFDD0,  0xFDEF,  0xFE00,  0xFE0F,
	    0xFEFF,  0xFEFF,  0xFFA0,  0xFFA0,  0xFFF0,  0xFFFB,  0x13430, 0x1343F,
	    0x1BCA0, 0x1BCA3, 0x1D173, 0x1D17A, 0xE0000, 0xE0FFF, 0xF0000, 0x10FFFF,
	};

	for (size_t i = 0; i < ARRAY_LEN(ranges); i += 2)
		if (c >= ranges[i] && c <= ranges[i + 1])
			return true;
	return (c & 0xFFFE) == 0xFFFE;
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

/* The number of bytes `c` at the beginning of the text. */
static size_t count_same(struct span text, char c)
{
	size_t n = 0;

	while (n < text.len && text.at[n] == c)
		n++;
	return n;
}

/* Append the blanks at the beginning of the text. Returns how many there are. A tab becomes blanks,
 * so that the columns of a line can be counted. */
static size_t add_blanks(struct buffer *out, struct span text)
{
	enum { TAB = 8, MAX_BLANKS = 40 };
	size_t n = 0, columns = 0;

	for (; n < text.len && (text.at[n] == ' ' || text.at[n] == '\t'); n++)
		columns += text.at[n] == '\t' ? TAB : 1;
	for (size_t i = 0, same; i < n; i += same) {
		same = count_same(span_from(text, i), text.at[i]);
		if (columns <= MAX_BLANKS)
			buffer_add_format(out, "%*s", (int)(text.at[i] == '\t' ? same * TAB : same),
					  "");
		else
			buffer_add_format(out, same > 1 ? "\\x%02x{%zu}" : "\\x%02x",
					  (unsigned)text.at[i], same);
	}
	return n;
}

void terminal_add_visible(struct buffer *out, struct span text)
{
	while (text.len > 0) {
		size_t size = add_blanks(out, text);
		uint32_t c;

		if (size == 0) {
			c = utf8_decode(text, &size);
			if (is_invisible(c))
				buffer_add_format(out, "\\u{%x}", (unsigned)c);
			else
				add_safe(out, (struct span){text.at, size}, true);
		}
		text = span_from(text, size);
	}
}

void terminal_add_string(struct buffer *out, struct span string, const char *fallback)
{
	struct buffer text = {0};

	if (!json_decode(string, &text) || text.len == 0)
		buffer_add_text(&text, fallback);
	add_safe(out, buffer_span(&text), true);
	buffer_free(&text);
}

static void add_json_escape(struct buffer *out, uint32_t c)
{
	if (c < 0x10000)
		buffer_add_format(out, "\\u%04x", (unsigned)c);
	else
		buffer_add_format(out, "\\u%04x\\u%04x", 0xD7C0 + (unsigned)(c >> 10),
				  0xDC00 | (unsigned)(c & 0x3FF));
}

void terminal_add_json(struct buffer *out, struct span json)
{
	size_t done = 0, i = 0, size;

	while (i < json.len) {
		uint32_t c = (unsigned char)json.at[i];

		size = 1;
		if (c >= 0x80)
			c = utf8_decode(span_from(json, i), &size);
		if (c == '\r' || c == 0x7F || is_control(c) || is_invisible(c)) {
			buffer_add(out, json.at + done, i - done);
			if (c == '\r') /* between two tokens */
				buffer_add_char(out, ' ');
			else
				add_json_escape(out, c);
			done = i + size;
		}
		i += size;
	}
	buffer_add(out, json.at + done, json.len - done);
}

static const char faint[] = "\033[2m", plain[] = "\033[0m";

/* The style of an event's type. */
static const char *type_style(enum event_type type)
{
	switch (type) {
	case EVENT_ERROR:
	case EVENT_LLM_RETRY:
		return "\033[31m";
	case EVENT_TOOL_START:
	case EVENT_TOOL_CHUNK:
	case EVENT_TOOL_END:
	case EVENT_TOOL_APPROVAL:
		return "\033[36m";
	case EVENT_LLM_CHUNK:
	case EVENT_OUTPUT_CHUNK:
		return "\033[32m";
	default:
		return "\033[1m";
	}
}

static void add_styled(struct buffer *out, const char *style, struct span json)
{
	buffer_add_text(out, style);
	terminal_add_json(out, json);
	buffer_add_text(out, plain);
}

void terminal_add_event(struct buffer *out, struct span line, bool color)
{
	struct event event;
	size_t type, type_end, data;

	event_envelope(line, &event);
	if (!color || event.type_name.len == 0 || event.data.at < event.type_name.at) {
		terminal_add_json(out, line);
	} else {
		type = (size_t)(event.type_name.at - line.at);
		type_end = type + event.type_name.len;
		data = (size_t)(event.data.at - line.at);
		add_styled(out, faint, (struct span){line.at, type});
		add_styled(out, type_style(event.type), event.type_name);
		add_styled(out, faint, (struct span){line.at + type_end, data - type_end});
		terminal_add_json(out, event.data);
		add_styled(out, faint, span_from(line, data + event.data.len));
	}
	buffer_add_char(out, '\n');
}

void terminal_clean(struct buffer *text, bool is_json)
{
	struct buffer safe = {0};

	(is_json ? terminal_add_json : terminal_add)(&safe, buffer_span(text));
	buffer_free(text);
	*text = safe;
}

void terminal_add_hint(struct buffer *out, const char *text)
{
	bool color = tty_use_color("auto", STDERR_FILENO);

	buffer_add_text(out, color ? faint : "");
	warn_to(out, "%s%s", text, color ? plain : "");
}
