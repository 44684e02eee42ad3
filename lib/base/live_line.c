#include "base/live_line.h"

#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/signals.h"
#include "base/tty.h"
#include "base/utf8.h"

static const char erase[] = "\r\033[K", plain[] = "\033[0m";

bool live_line_is_due(struct live_line *line, int64_t tick, int64_t *next)
{
	int64_t now = clock_monotonic();

	*next = line->drawn_at + (line->changed || !line->drawn ? LIVE_LINE_NS : tick);
	if (now < *next)
		return false;
	*next = now + tick;
	if (!tty_is_asked(line->fd))
		return true;
	line->drawn = false; /* the question has replaced it */
	*next = now + LIVE_LINE_NS;
	return false;
}

static void add_line(const struct live_line *line, struct span text, struct buffer *screen)
{
	size_t columns = tty_columns(line->fd);

	if (line->style != NULL)
		buffer_add_text(screen, line->style);
	buffer_add_span(screen, utf8_cut(text, columns > 1 ? columns - 1 : 79));
	if (line->style != NULL)
		buffer_add_text(screen, plain);
	buffer_add_text(screen, "\033[K\r");
}

void live_line_add(struct live_line *line, struct span above, struct span text,
		   struct buffer *screen)
{
	bool asked = tty_is_asked(line->fd);

	if (asked && above.len > 0)
		buffer_add_char(screen, '\n');
	else if (!asked && text.len > 0 && above.len == 0)
		buffer_add_char(screen, '\r'); /* no flicker: the new text replaces the old */
	else if (!asked && line->drawn)
		buffer_add_text(screen, erase);
	buffer_add_span(screen, above);
	line->drawn = !asked && text.len > 0;
	if (line->drawn)
		add_line(line, text, screen);
	line->changed = false;
	line->drawn_at = clock_monotonic();
}

bool live_line_write(struct live_line *line, struct span above, struct span text)
{
	struct buffer screen = {0};
	bool written;

	live_line_add(line, above, text, &screen);
	written = write_all(line->fd, buffer_span(&screen));
	buffer_free(&screen);
	return written;
}

void live_line_clear(struct live_line *line)
{
	if (line->drawn)
		live_line_write(line, SPAN(""), SPAN(""));
}

/* ---- signals ---- */

static void leave(int fd, int number)
{
	ssize_t ignored = write(fd, erase, sizeof(erase) - 1);

	(void)ignored;
	signal_die(number);
}

static void leave_output(int number)
{
	leave(STDOUT_FILENO, number);
}

static void leave_error(int number)
{
	leave(STDERR_FILENO, number);
}

void live_line_clear_at_signals(const struct live_line *line)
{
	struct sigaction action = {0};

	action.sa_handler = line->fd == STDOUT_FILENO ? leave_output : leave_error;
	sigaction(SIGPIPE, &action, NULL);
	for (int i = 0; i < ENDING_SIGNALS; i++)
		if (!signal_is_ignored(ending_signals[i]))
			sigaction(ending_signals[i], &action, NULL);
}
