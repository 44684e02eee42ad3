#include "progress.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/tty.h"

#define SECOND_NS INT64_C(1000000000)

static void draw(struct progress *progress)
{
	const struct batch_count *count = &progress->count;
	struct buffer line = {0};

	buffer_add_format(&line, "%zu of %zu", count->succeeded + count->failed,
			  count->lines - count->skipped);
	if (count->failed > 0)
		buffer_add_format(&line, ", %zu failed", count->failed);
	buffer_add_format(&line, ", %zu running", count->running);
	if (count->cost_usd > 0)
		buffer_add_format(&line, ", $%.4f", count->cost_usd);
	buffer_add_format(&line, ", %llds",
			  (long long)((clock_monotonic() - progress->started_at) / SECOND_NS));
	live_line_add(&progress->line, SPAN(""), buffer_span(&line), progress->screen);
	buffer_free(&line);
}

static void look_again(void *context)
{
	struct progress *progress = context;
	int64_t next;

	progress->tick = loop_timer_add(progress->loop, LIVE_LINE_NS, look_again, progress);
	if (progress->count.lines > 0 && live_line_is_due(&progress->line, SECOND_NS, &next) &&
	    progress->screen->len == 0)
		draw(progress);
}

/* If standard output is a pipe, its reader writes to the terminal itself. */
static bool is_wanted(void)
{
	struct stat info;

	return tty_can_redraw(STDERR_FILENO) && !isatty(STDOUT_FILENO) &&
	       (fstat(STDOUT_FILENO, &info) != 0 || !S_ISFIFO(info.st_mode));
}

void progress_start(struct progress *progress, struct loop *loop, struct buffer *screen)
{
	*progress =
	    (struct progress){.loop = loop, .screen = screen, .started_at = clock_monotonic()};
	live_line_open(&progress->line, STDERR_FILENO, NULL);
	if (is_wanted())
		progress->tick = loop_timer_add(loop, 0, look_again, progress);
}

void progress_show(struct progress *progress, const struct batch_count *count)
{
	progress->count = *count;
	progress->line.changed = true;
}

void progress_end(struct progress *progress)
{
	loop_timer_remove(progress->tick);
	progress->tick = NULL;
	if (progress->line.drawn)
		live_line_add(&progress->line, SPAN(""), SPAN(""), progress->screen);
	live_line_close(&progress->line);
}
