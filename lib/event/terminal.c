#define _DEFAULT_SOURCE /* TIOCGWINSZ */
#include "event/terminal.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/utf8.h"

/* Code points above ASCII that steer: C1, bidirectional marks, line separators. */
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

void terminal_add_json(struct buffer *out, struct span json)
{
	size_t done = 0, i = 0, size;

	while (i < json.len) {
		uint32_t c = (unsigned char)json.at[i];

		size = 1;
		if (c >= 0x80)
			c = utf8_decode(span_from(json, i), &size);
		if (c == 0x7F || is_control(c)) {
			buffer_add(out, json.at + done, i - done);
			buffer_add_format(out, "\\u%04x", (unsigned)c);
			done = i + size;
		}
		i += size;
	}
	buffer_add(out, json.at + done, json.len - done);
}

size_t terminal_width(struct span text)
{
	size_t width = 0;

	while (text.len > 0) {
		size_t size;

		width += (size_t)utf8_width(utf8_decode(text, &size));
		text = span_from(text, size);
	}
	return width;
}

struct span terminal_cut(struct span text, size_t columns)
{
	size_t width = 0, used = 0;

	while (used < text.len) {
		size_t size;

		width += (size_t)utf8_width(utf8_decode(span_from(text, used), &size));
		if (width > columns)
			break;
		used += size;
	}
	return (struct span){text.at, used};
}

bool terminal_use_color(const char *when, int fd)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (strcmp(when, "auto") != 0)
		return strcmp(when, "always") == 0;
	return isatty(fd) && (no_color == NULL || no_color[0] == '\0') &&
	       (term == NULL || strcmp(term, "dumb") != 0);
}

size_t terminal_columns(int fd)
{
	struct winsize size;

	if (!isatty(fd) || ioctl(fd, TIOCGWINSZ, &size) != 0)
		return 0;
	return size.ws_col;
}
