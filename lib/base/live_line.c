#include "base/live_line.h"

#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/signals.h"
#include "base/tty.h"
#include "base/utf8.h"

static const char erase[] = "\r\033[K", plain[] = "\033[0m";

void live_line_open(struct live_line *line, int fd, const char *style)
{
	*line = (struct live_line){.style = style};
	screen_open(&line->screen, fd);
}

void live_line_close(struct live_line *line)
{
	screen_close(&line->screen);
}

/* Whether another program needs the place of the line. What it has written may have replaced it. */
static bool is_taken(struct live_line *line)
{
	static const enum screen_lock locks[] = {SCREEN_TEXT, SCREEN_LINE, SCREEN_QUESTION};

	for (size_t i = 0; i < ARRAY_LEN(locks); i++)
		if (screen_is_taken(line->screen.device, locks[i])) {
			line->drawn = false;
			screen_release(line->screen.device, SCREEN_LINE);
			return true;
		}
	return false;
}

bool live_line_is_due(struct live_line *line, int64_t tick, int64_t *next)
{
	int64_t now = clock_monotonic();

	*next = line->drawn_at + (line->changed || !line->drawn ? LIVE_LINE_NS : tick);
	if (now < *next)
		return false;
	*next = now + tick;
	if (!is_taken(line))
		return true;
	*next = now + LIVE_LINE_NS;
	return false;
}

static void add_line(const struct live_line *line, struct span text, struct buffer *screen)
{
	size_t columns = tty_columns(line->screen.fd);

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
	bool draws = !is_taken(line) && text.len > 0;

	if (draws && above.len == 0)
		buffer_add_char(screen, '\r'); /* no flicker: the new text replaces the old */
	else if (line->drawn)
		buffer_add_text(screen, erase);
	buffer_add_span(screen, above);
	if (draws && screen_take(line->screen.device, SCREEN_LINE))
		add_line(line, text, screen);
	else if (line->drawn)
		screen_release(line->screen.device, SCREEN_LINE);
	line->drawn = draws;
	line->changed = false;
	line->drawn_at = clock_monotonic();
}

bool live_line_write(struct live_line *line, struct span above, bool in_line, struct span text)
{
	struct buffer before = {0}, screen = {0};
	bool written;

	screen_begin(&line->screen, true, &before);
	if (above.len > 0 && (is_taken(line) || !line->drawn))
		buffer_add_span(&screen, buffer_span(&before));
	live_line_add(line, above, text, &screen);
	written = write_all(line->screen.fd, buffer_span(&screen));
	screen_end(&line->screen, in_line);
	buffer_free(&before);
	buffer_free(&screen);
	return written;
}

void live_line_clear(struct live_line *line)
{
	if (line->drawn)
		live_line_write(line, SPAN(""), false, SPAN(""));
}

/* ---- signals ---- */

/* The line is on the screen if somebody has it, and nobody has written text in its place. */
static void leave(int fd, int number)
{
	int device = screen_device(fd);
	bool drawn = device < 0 || (screen_is_taken(device, SCREEN_LINE) &&
				    !screen_is_taken(device, SCREEN_TEXT));
	ssize_t ignored = drawn ? write(fd, erase, sizeof(erase) - 1) : 0;

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

	action.sa_handler = line->screen.fd == STDOUT_FILENO ? leave_output : leave_error;
	sigaction(SIGPIPE, &action, NULL);
	for (int i = 0; i < ENDING_SIGNALS; i++)
		if (!signal_is_ignored(ending_signals[i]))
			sigaction(ending_signals[i], &action, NULL);
}
