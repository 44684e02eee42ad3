/*
 * unit: what a unit test needs. Each check prints a TAP line; main ends with `return unit_done();`.
 */
#ifndef UNIT_H
#define UNIT_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/file.h"
#include "json/json.h"

static int unit_count, unit_failures;

/* The data of this tree, by hand as under tests/run. Unit programs run from the top folder. */
__attribute__((constructor)) static void unit_share(void)
{
	setenv("AGENT_SHARE", "share/agent", 1);
}

/* One check, named by a sentence. */
__attribute__((unused, format(printf, 2, 3))) static bool unit_ok(bool passed, const char *format,
								  ...)
{
	va_list args;

	va_start(args, format);
	printf("%sok %d - ", passed ? "" : "not ", ++unit_count);
	vprintf(format, args);
	putchar('\n');
	va_end(args);
	unit_failures += !passed;
	return passed;
}

/* Two texts must be the same; says both when they are not. */
__attribute__((unused)) static bool unit_same(struct span got, struct span want, const char *name)
{
	bool same = span_equal(got, want);

	unit_ok(same, "%s", name);
	if (!same)
		printf("# got:  %.*s\n# want: %.*s\n", SPAN_ARG(got), SPAN_ARG(want));
	return same;
}

/* Append what the base64 text (RFC 4648) stands for. */
__attribute__((unused)) static void unit_base64(struct span text, struct buffer *out)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned bits = 0;
	int have = 0;

	for (size_t i = 0; i < text.len && text.at[i] != '='; i++) {
		const char *digit = strchr(digits, text.at[i]);

		if (digit == NULL)
			continue;
		bits = bits << 6 | (unsigned)(digit - digits);
		have += 6;
		if (have >= 8) {
			have -= 8;
			buffer_add_char(out, (char)(bits >> have & 0xFF));
		}
	}
}

/* The next line of `text`, which moves on behind it; absent at the end. */
__attribute__((unused)) static struct span unit_line(struct span *text)
{
	struct span line;

	return span_next_line(text, &line, NULL) ? line : (struct span){0};
}

__attribute__((unused)) static void unit_read(const char *path, struct buffer *out)
{
	struct error e = {0};

	if (!file_read(path, out, &e)) {
		printf("Bail out! %s\n", e.message);
		exit(2);
	}
}

__attribute__((unused)) static int unit_done(void)
{
	printf("1..%d\n", unit_count);
	return unit_failures > 0;
}

#endif
