/* Texts and numbers on their way out. */
#include "tools.h"

#include "event/terminal.h"

void add_one_line(struct buffer *out, struct span text, bool safe)
{
	if (safe) {
		terminal_add_line(out, text);
		return;
	}
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] == '\n')
			buffer_add_text(out, "\\n");
		else if (text.at[i] == '\r')
			buffer_add_text(out, "\\r");
		else
			buffer_add_char(out, text.at[i]);
	}
}

void add_tsv(struct buffer *out, struct span text)
{
	static const char plain[] = "\t\n\r\\", letters[] = "tnr\\";

	for (size_t i = 0; i < text.len; i++) {
		const char *special = memchr(plain, text.at[i], sizeof(plain) - 1);

		if (special != NULL) {
			buffer_add_char(out, '\\');
			buffer_add_char(out, letters[special - plain]);
		} else {
			buffer_add_char(out, text.at[i]);
		}
	}
}

void add_seconds(struct buffer *out, double seconds)
{
	int64_t whole;

	if (seconds < 99.995) {
		buffer_add_format(out, "%.2fs", seconds);
		return;
	}
	if (seconds > 1e15)
		seconds = 1e15;
	whole = (int64_t)(seconds + 0.5);
	if (whole < 3600)
		buffer_add_format(out, "%lldm%02llds", (long long)(whole / 60),
				  (long long)(whole % 60));
	else
		buffer_add_format(out, "%lldh%02lldm", (long long)(whole / 3600),
				  (long long)(whole / 60 % 60));
}

double to_microseconds(double seconds)
{
	return seconds < 1e9 ? (double)(int64_t)(seconds * 1e6 + 0.5) / 1e6 : seconds;
}
