#include "input.h"

#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/screen.h"
#include "loop/loop.h"
#include "run/waiting.h"

enum { READ_SIZE = 64 * 1024 };

/* A wait of this many seconds is reported; one for a terminal at once. */
static const double patience = 2;

/* A read of standard input. */
struct reading {
	struct input *input;
	struct loop *loop;
	struct buffer text, errors; /* the latter: messages */
	int failure;                /* errno */
};

/* ^C also ends the program that writes standard input: its end may be seen before the signal. */
static void ready(void *context, int events)
{
	struct reading *reading = context;
	struct buffer *text = &reading->text;
	ssize_t n;

	(void)events;
	buffer_reserve(text, READ_SIZE);
	n = read(STDIN_FILENO, text->at + text->len, READ_SIZE);
	if (n > 0)
		text->len += (size_t)n;
	if (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)))
		return;
	if (n < 0)
		reading->failure = errno;
	loop_stop(reading->loop);
	loop_take_signals(reading->loop);
}

static void time_is_up(void *context)
{
	struct reading *reading = context;

	reading->input->late = true;
	loop_stop(reading->loop);
}

static void signal_came(void *context, int number)
{
	struct reading *reading = context;

	reading->input->signal = number;
	loop_stop(reading->loop);
}

/* There are no events yet that stderr could hold up. */
static void show_messages(void *context)
{
	struct reading *reading = context;

	screen_write_lines(STDERR_FILENO, buffer_span(&reading->errors));
	buffer_clear(&reading->errors);
}

static void read_in_loop(struct reading *reading, const char *hint)
{
	bool typed = isatty(STDIN_FILENO);
	struct waiting_limits limits = {typed ? 0 : patience, patience};
	int64_t deadline = reading->input->deadline;
	struct waiting waiting = {0};

	if (deadline > 0)
		loop_timer_add(reading->loop, deadline - clock_monotonic(), time_is_up, reading);
	loop_catch_signals(reading->loop, signal_came, reading);
	loop_before_wait(reading->loop, show_messages, reading);
	waiting_begin(&waiting, reading->loop, &reading->errors, limits, -1,
		      typed ? "reading standard input until ^D" : "waiting for standard input",
		      hint);
	loop_run(reading->loop);
	waiting_end(&waiting);
}

bool input_read(struct input *input, const char *hint, struct buffer *out)
{
	struct reading reading = {.input = input};
	struct error e = {0};

	if (input->late || input->signal != 0)
		return false;
	reading.loop = loop_new();
	if (loop_fd_add(reading.loop, STDIN_FILENO, LOOP_READ, ready, &reading) != NULL)
		read_in_loop(&reading, hint);
	else
		die_unless(file_read("-", &reading.text, &e), &e);
	loop_free(reading.loop);
	if (reading.failure != 0)
		die(STATUS_USAGE, "standard input: %s", strerror(reading.failure));
	buffer_add_span(out, span_skip_mark(buffer_span(&reading.text)));
	buffer_free(&reading.text);
	buffer_free(&reading.errors);
	return !input->late && input->signal == 0;
}

bool input_read_file(struct input *input, const char *path, struct buffer *out)
{
	struct error e = {0};

	if (strcmp(path, "-") == 0)
		return input_read(input, "", out);
	die_unless(file_read(path, out, &e), &e);
	return true;
}
