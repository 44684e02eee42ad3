#include "progress.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "tool/terminal.h"

#define REDRAW_NS INT64_C(100000000) /* at most ten times a second */
#define SECOND_NS INT64_C(1000000000)

/* The cursor waits at the beginning of the line, so that a question replaces it. */
static void draw(const struct progress *progress, int64_t now)
{
	const struct batch_count *count = &progress->count;
	struct buffer line = {0};

	buffer_add_format(&line, "\r\033[K%zu of %zu", count->succeeded + count->failed,
			  count->lines - count->skipped);
	if (count->failed > 0)
		buffer_add_format(&line, ", %zu failed", count->failed);
	buffer_add_format(&line, ", %zu running", count->running);
	if (count->cost_usd > 0)
		buffer_add_format(&line, ", $%.4f", count->cost_usd);
	buffer_add_format(&line, ", %llds\r",
			  (long long)((now - progress->started_at) / SECOND_NS));
	write_all(STDERR_FILENO, buffer_span(&line));
	buffer_free(&line);
}

static void look_again(void *context)
{
	struct progress *progress = context;
	int64_t now = clock_monotonic();

	progress->tick = loop_timer_add(progress->loop, REDRAW_NS, look_again, progress);
	if (terminal_is_asked(STDERR_FILENO)) {
		progress->drawn = false; /* the question has replaced it */
		return;
	}
	if (!progress->changed && (!progress->drawn || now - progress->drawn_at < SECOND_NS))
		return;
	draw(progress, now);
	progress->drawn = true;
	progress->changed = false;
	progress->drawn_at = now;
}

/* What reads the events in a pipe writes to the terminal itself. */
static bool is_wanted(void)
{
	struct stat info;

	return isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO) &&
	       (fstat(STDOUT_FILENO, &info) != 0 || !S_ISFIFO(info.st_mode));
}

void progress_start(struct progress *progress, struct loop *loop)
{
	*progress = (struct progress){.loop = loop, .started_at = clock_monotonic()};
	if (is_wanted())
		progress->tick = loop_timer_add(loop, 0, look_again, progress);
}

void progress_show(struct progress *progress, const struct batch_count *count)
{
	progress->count = *count;
	progress->changed = true;
}

void progress_end(struct progress *progress)
{
	loop_timer_remove(progress->tick);
	progress->tick = NULL;
	if (progress->drawn)
		write_all(STDERR_FILENO, SPAN("\r\033[K"));
	progress->drawn = false;
}
