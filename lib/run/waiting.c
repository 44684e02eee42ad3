#include "run/waiting.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/screen.h"
#include "event/terminal.h"

static void report(void *context);

static void report_after(struct waiting *waiting, double seconds)
{
	waiting->timer = loop_timer_add(waiting->loop, clock_nanoseconds(seconds), report, waiting);
}

/* The time that is left: tenths of a second if it is short. */
static void add_time_left(const struct waiting *waiting, struct buffer *out)
{
	double left = (double)(waiting->until - clock_monotonic()) / 1e9;
	int decimals = left < 9.95 ? 1 : 0;

	if (waiting->until != 0)
		buffer_add_format(out, ", again in %.*f s", decimals, left > 0 ? left : 0);
}

/* Whether a question of this program or another one is on the terminal. */
static bool is_asked(void)
{
	int device = screen_device(STDERR_FILENO);
	bool asked = screen_is_taken(device, SCREEN_QUESTION);

	if (device >= 0)
		close(device);
	return asked;
}

static void report(void *context)
{
	struct waiting *waiting = context;
	struct buffer text = {0}, line = {0};

	waiting->timer = NULL;
	if (is_asked()) {
		report_after(waiting, 1);
		return;
	}
	buffer_add_span(&text, buffer_span(&waiting->before));
	add_time_left(waiting, &text);
	buffer_add_span(&text, buffer_span(&waiting->after));
	terminal_add_line(&line, buffer_span(&text));
	terminal_add_hint(waiting->errors, buffer_string(&line));
	buffer_free(&text);
	buffer_free(&line);
}

void waiting_begin(struct waiting *waiting, struct loop *loop, struct buffer *errors,
		   struct waiting_limits limits, double seconds, const char *before,
		   const char *after)
{
	double wait = isatty(STDERR_FILENO) ? limits.on_terminal : limits.elsewhere;

	waiting_end(waiting);
	if (wait < 0 || (seconds >= 0 && seconds <= wait))
		return;
	waiting->loop = loop;
	waiting->errors = errors;
	waiting->until = seconds >= 0 ? clock_monotonic() + clock_nanoseconds(seconds) : 0;
	buffer_add_text(&waiting->before, before);
	buffer_add_text(&waiting->after, after);
	if (wait > 0)
		report_after(waiting, wait);
	else
		report(waiting);
}

void waiting_end(struct waiting *waiting)
{
	loop_timer_remove(waiting->timer);
	buffer_free(&waiting->before);
	buffer_free(&waiting->after);
	*waiting = (struct waiting){0};
}
