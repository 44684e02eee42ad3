#include "progress.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

static const int64_t interval = 100 * 1000000LL;

void progress_start(struct progress *progress)
{
	*progress = (struct progress){
	    .wanted = isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO),
	    .started_at = clock_monotonic(),
	};
}

static void draw(struct progress *progress, const struct batch_count *count, int64_t now)
{
	struct buffer line = {0};

	buffer_add_format(&line, "\r\033[K%zu of %zu", count->succeeded + count->failed,
			  count->lines - count->skipped);
	if (count->failed > 0)
		buffer_add_format(&line, ", %zu failed", count->failed);
	buffer_add_format(&line, ", %zu running", count->running);
	if (count->cost_usd > 0)
		buffer_add_format(&line, ", $%.4f", count->cost_usd);
	buffer_add_format(&line, ", %llds", (long long)((now - progress->started_at) / 1000000000));
	write_all(STDERR_FILENO, buffer_span(&line));
	buffer_free(&line);
}

void progress_show(struct progress *progress, const struct batch_count *count)
{
	int64_t now = clock_monotonic();

	if (!progress->wanted || (progress->drawn && now - progress->drawn_at < interval))
		return;
	draw(progress, count, now);
	progress->drawn = true;
	progress->drawn_at = now;
}

void progress_end(struct progress *progress)
{
	if (progress->drawn)
		write_all(STDERR_FILENO, SPAN("\r\033[K"));
	progress->drawn = false;
}
