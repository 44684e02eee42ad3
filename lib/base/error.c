#define _GNU_SOURCE /* program_invocation_short_name */
#include "base/error.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/screen.h"

/* Set `e` to the sentence `text` and what `format` gives. */
static void fill(struct error *e, const char *kind, struct buffer *text, const char *format,
		 va_list args)
{
	buffer_add_format_list(text, format, args);
	free(e->message);
	e->message = buffer_take(text);
	e->kind = kind;
}

bool error_set(struct error *e, const char *kind, const char *format, ...)
{
	struct buffer text = {0};
	va_list args;

	if (e == NULL)
		return false;
	va_start(args, format);
	fill(e, kind, &text, format, args);
	va_end(args);
	return false;
}

bool error_at(struct error *e, const char *source, struct span text, size_t offset,
	      const char *format, ...)
{
	struct buffer sentence = {0};
	size_t line = 1;
	va_list args;

	if (e == NULL)
		return false;
	for (size_t i = 0; i < offset && i < text.len; i++)
		line += text.at[i] == '\n';
	buffer_add_format(&sentence, "%s:%zu: ", source, line);
	va_start(args, format);
	fill(e, "usage", &sentence, format, args);
	va_end(args);
	return false;
}

void error_clear(struct error *e)
{
	free(e->message);
	*e = (struct error){0};
}

const char *program_name(void)
{
	return program_invocation_short_name;
}

static void add_message(struct buffer *out, const char *format, va_list args)
{
	buffer_add_format(out, "%s: ", program_name());
	buffer_add_format_list(out, format, args);
	buffer_add_char(out, '\n');
}

static void say(const char *format, va_list args)
{
	struct buffer line = {0};

	add_message(&line, format, args);
	screen_write_lines(STDERR_FILENO, buffer_span(&line));
	buffer_free(&line);
}

void warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
}

void warn_to(struct buffer *out, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_message(out, format, args);
	va_end(args);
}

void die(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	exit(status);
}

void die_unless(bool good, const struct error *e)
{
	if (!good)
		die(STATUS_USAGE, "%s", e->message);
}
