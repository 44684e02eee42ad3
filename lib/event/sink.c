#include "event/sink.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

/* What has been written is taken out of `pending` when it is so long, or everything. */
enum { DROP_SIZE = 64 * 1024 };

static const int64_t patience = EVENT_SINK_PATIENCE_MS * INT64_C(1000000);

static bool has_output(const struct event_sink *sink)
{
	return sink->output.fd >= 0 && sink->fd_errno == 0;
}

static bool has_log(const struct event_sink *sink)
{
	return sink->log.fd >= 0 && sink->log_errno == 0;
}

/* How much of `pending` nobody needs any more. */
static size_t done(const struct event_sink *sink)
{
	size_t len = sink->pending.len;

	if (has_log(sink) && sink->logged < len)
		len = sink->logged;
	return has_output(sink) && sink->written < len ? sink->written : len;
}

bool event_sink_is_idle(const struct event_sink *sink)
{
	return done(sink) == sink->pending.len;
}

/* ---- writing ---- */

static void write_log(struct event_sink *sink)
{
	struct span rest = span_from(buffer_span(&sink->pending), sink->logged);
	ssize_t n;

	if (rest.len == 0)
		return;
	n = fd_writer_write(&sink->log, rest);
	/* EINVAL: not a file that can be synchronised */
	if (n < 0 || (n > 0 && sink->sync && fdatasync(sink->log.fd) != 0 && errno != EINVAL))
		sink->log_errno = errno;
	else
		sink->logged += (size_t)n;
}

/* How far standard output may go: whole lines that are in the log. */
static size_t output_limit(const struct event_sink *sink)
{
	size_t limit = sink->pending.len;

	if (!has_log(sink) || sink->logged == limit)
		return limit;
	limit = sink->logged;
	while (limit > 0 && sink->pending.at[limit - 1] != '\n')
		limit--;
	return limit;
}

static void write_output(struct event_sink *sink)
{
	size_t limit = output_limit(sink);
	ssize_t n;

	if (limit <= sink->written)
		return;
	n = fd_writer_write(&sink->output,
			    (struct span){sink->pending.at + sink->written, limit - sink->written});
	if (n < 0)
		sink->fd_errno = errno;
	else
		sink->written += (size_t)n;
}

static void drop(struct event_sink *sink, size_t size)
{
	sink->dropped += (int64_t)size;
	buffer_drop(&sink->pending, size);
	sink->written -= sink->written < size ? sink->written : size;
	sink->logged -= sink->logged < size ? sink->logged : size;
}

/* ---- those who wait for the log ---- */

static bool is_logged(const struct event_sink *sink, int64_t position)
{
	return !has_log(sink) || sink->dropped + (int64_t)sink->logged >= position;
}

static void call_waiters(void *context)
{
	struct event_sink *sink = context;

	sink->waiter_timer = NULL;
	while (sink->waiters != NULL && is_logged(sink, sink->waiters->position)) {
		struct event_waiter *waiter = sink->waiters;

		sink->waiters = waiter->next;
		waiter->logged(waiter->context);
	}
}

bool event_when_logged(struct event_sink *sink, struct event_waiter *waiter)
{
	struct event_waiter **at = &sink->waiters;

	event_flush(sink);
	waiter->position = sink->dropped + (int64_t)sink->pending.len;
	waiter->next = NULL;
	if (is_logged(sink, waiter->position))
		return true;
	while (*at != NULL)
		at = &(*at)->next;
	*at = waiter;
	return false;
}

void event_waiter_remove(struct event_sink *sink, struct event_waiter *waiter)
{
	for (struct event_waiter **at = &sink->waiters; *at != NULL; at = &(*at)->next)
		if (*at == waiter) {
			*at = waiter->next;
			return;
		}
}

/* ---- the flush ---- */

static void hold_or_release(struct event_sink *sink)
{
	size_t waiting = sink->pending.len - done(sink);

	if (waiting > EVENT_SINK_MAX_WAITING)
		loop_hold(sink->loop, true);
	else if (waiting <= EVENT_SINK_MAX_WAITING / 2)
		loop_hold(sink->loop, false);
}

/* What the writers have taken leaves the buffer; whoever depends on it is told. */
static void settle(struct event_sink *sink)
{
	size_t size = done(sink);

	if (size > 0 && (size == sink->pending.len || size >= DROP_SIZE))
		drop(sink, size);
	sink->flushed = sink->pending.len;
	hold_or_release(sink);
	if (sink->waiters != NULL && sink->waiter_timer == NULL &&
	    is_logged(sink, sink->waiters->position))
		sink->waiter_timer = loop_timer_add(sink->loop, 0, call_waiters, sink);
}

/* The log comes first: it never falls behind the stream. */
void event_flush(struct event_sink *sink)
{
	size_t before = sink->written + sink->logged;
	bool progress = sink->idle;

	if (sink->loop == NULL || sink->pending.len == 0)
		return;
	if (has_log(sink))
		write_log(sink);
	if (has_output(sink))
		write_output(sink);
	progress = progress || sink->written + sink->logged != before;
	if (progress && sink->patience != NULL)
		sink->progress_at = clock_monotonic();
	settle(sink);
	sink->idle = event_sink_is_idle(sink);
}

/* ---- readers that are gone, or take nothing ---- */

static void output_ready(void *context, bool gone)
{
	struct event_sink *sink = context;

	if (gone && sink->fd_errno == 0)
		sink->fd_errno = EPIPE;
	event_flush(sink);
	settle(sink);
}

static void log_ready(void *context, bool gone)
{
	struct event_sink *sink = context;

	if (gone && sink->log_errno == 0)
		sink->log_errno = EPIPE;
	event_flush(sink);
	settle(sink);
}

static void give_up(struct event_sink *sink)
{
	if (has_log(sink) && sink->logged < sink->pending.len)
		sink->log_errno = ETIMEDOUT;
	else
		sink->fd_errno = ETIMEDOUT;
	event_flush(sink);
	settle(sink);
}

/* A reader of a pipe may take less than a write needs. */
static void check_progress(void *context)
{
	struct event_sink *sink = context;
	int unread = fd_writer_unread(&sink->output);
	int64_t now = clock_monotonic();

	if (event_sink_is_idle(sink) || unread < sink->unread)
		sink->progress_at = now;
	sink->unread = unread;
	if (sink->progress_at + patience <= now) {
		sink->progress_at = now;
		give_up(sink);
	}
	sink->patience =
	    loop_timer_add(sink->loop, sink->progress_at + patience - now, check_progress, sink);
}

void event_sink_hurry(struct event_sink *sink)
{
	if (sink->loop == NULL || sink->patience != NULL)
		return;
	sink->unread = fd_writer_unread(&sink->output);
	sink->progress_at = clock_monotonic();
	sink->patience = loop_timer_add(sink->loop, patience, check_progress, sink);
}

/* ---- beginning and end ---- */

void event_sink_start(struct event_sink *sink, struct loop *loop, int fd, int log_fd)
{
	sink->loop = loop;
	sink->idle = true;
	fd_writer_open(&sink->output, loop, fd, output_ready, sink);
	fd_writer_open(&sink->log, loop, log_fd, log_ready, sink);
}

void event_sink_free(struct event_sink *sink)
{
	if (sink->loop != NULL) {
		loop_timer_remove(sink->waiter_timer);
		loop_timer_remove(sink->patience);
		fd_writer_close(&sink->output);
		fd_writer_close(&sink->log);
	}
	buffer_free(&sink->pending);
}
