#include "event/sink.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/ids.h"

enum {
	DROP_SIZE = 64 * 1024,  /* written bytes leave `pending` when there are this many, or all */
	FLUSH_SIZE = 64 * 1024, /* lines do not wait for the owner's flush beyond this */
};

static const int64_t max_stall = EVENT_SINK_STALL_MS * INT64_C(1000000);

static bool is_open(const struct event_output *output)
{
	return output->writer.fd >= 0 && output->error == 0;
}

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How much of `pending` no output needs any more. */
static size_t done(const struct event_sink *sink)
{
	size_t size = sink->pending.len;

	if (is_open(&sink->log))
		size = min_size(size, sink->log.written);
	if (is_open(&sink->output))
		size = min_size(size, sink->output.written);
	return size;
}

bool event_sink_is_idle(const struct event_sink *sink)
{
	return done(sink) == sink->pending.len;
}

/* ---- writing ---- */

/* Write `pending` up to `limit`. Returns whether anything was written. */
static bool write_to(struct event_output *output, size_t limit)
{
	const char *bytes = output->sink->pending.at;
	ssize_t n;

	if (!is_open(output) || limit <= output->written)
		return false;
	n = fd_writer_write(&output->writer,
			    (struct span){bytes + output->written, limit - output->written});
	if (n < 0)
		output->error = errno;
	else
		output->written += (size_t)n;
	return n > 0;
}

static bool write_log(struct event_sink *sink)
{
	bool progress = write_to(&sink->log, sink->pending.len);

	/* EINVAL: not a file that can be synchronised */
	if (progress && sink->sync && fdatasync(sink->log.writer.fd) != 0 && errno != EINVAL)
		sink->log.error = errno;
	return progress;
}

/* Standard output gets only complete lines that are in the log. */
static size_t output_limit(const struct event_sink *sink)
{
	size_t limit = sink->pending.len;

	if (!is_open(&sink->log) || sink->log.written == limit)
		return limit;
	limit = sink->log.written;
	while (limit > 0 && sink->pending.at[limit - 1] != '\n')
		limit--;
	return limit;
}

static void drop(struct event_sink *sink, size_t size)
{
	sink->dropped += (int64_t)size;
	buffer_drop(&sink->pending, size);
	sink->output.written -= min_size(sink->output.written, size);
	sink->log.written -= min_size(sink->log.written, size);
}

/* ---- waiting for the log ---- */

static bool is_logged(const struct event_sink *sink, int64_t position)
{
	return !is_open(&sink->log) || sink->dropped + (int64_t)sink->log.written >= position;
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

bool event_sink_when_logged(struct event_sink *sink, struct event_waiter *waiter)
{
	struct event_waiter **at = &sink->waiters;

	event_sink_flush(sink);
	waiter->position = sink->dropped + (int64_t)sink->pending.len;
	waiter->next = NULL;
	if (is_logged(sink, waiter->position))
		return true;
	while (*at != NULL)
		at = &(*at)->next;
	*at = waiter;
	return false;
}

void event_sink_remove_waiter(struct event_sink *sink, struct event_waiter *waiter)
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

/* Remove what is written, and notify everything that depends on it. */
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

void event_sink_flush(struct event_sink *sink)
{
	bool progress = sink->flushed == 0;

	if (sink->loop == NULL || sink->pending.len == 0)
		return;
	progress |= write_log(sink);
	progress |= write_to(&sink->output, output_limit(sink));
	if (progress && sink->stall_timer != NULL)
		sink->progress_at = clock_monotonic();
	settle(sink);
}

/* ---- outputs that are gone, or accept nothing ---- */

static void give_up(struct event_output *output, int error)
{
	if (output->error == 0)
		output->error = error;
	event_sink_flush(output->sink);
}

static void ready(void *context, bool gone)
{
	give_up(context, gone ? EPIPE : 0);
}

/* A reader of a pipe may read less than the next write needs. */
static void check_progress(void *context)
{
	struct event_sink *sink = context;
	int unread = fd_writer_unread(&sink->output.writer);
	int64_t now = clock_monotonic();

	if (event_sink_is_idle(sink) || unread < sink->unread)
		sink->progress_at = now;
	sink->unread = unread;
	if (sink->progress_at + max_stall <= now) {
		bool log_waits = is_open(&sink->log) && sink->log.written < sink->pending.len;

		sink->progress_at = now;
		give_up(log_waits ? &sink->log : &sink->output, ETIMEDOUT);
	}
	sink->stall_timer =
	    loop_timer_add(sink->loop, sink->progress_at + max_stall - now, check_progress, sink);
}

void event_sink_limit_stall(struct event_sink *sink)
{
	if (sink->loop == NULL || sink->stall_timer != NULL)
		return;
	sink->unread = fd_writer_unread(&sink->output.writer);
	sink->progress_at = clock_monotonic();
	sink->stall_timer = loop_timer_add(sink->loop, max_stall, check_progress, sink);
}

/* ---- beginning and end ---- */

static void open_output(struct event_output *output, struct event_sink *sink, int fd)
{
	output->sink = sink;
	fd_writer_open(&output->writer, sink->loop, fd, ready, output);
}

void event_sink_start(struct event_sink *sink, struct loop *loop, int fd, int log_fd)
{
	sink->loop = loop;
	open_output(&sink->output, sink, fd);
	open_output(&sink->log, sink, log_fd);
}

void event_sink_free(struct event_sink *sink)
{
	if (sink->loop != NULL) {
		loop_timer_remove(sink->waiter_timer);
		loop_timer_remove(sink->stall_timer);
		fd_writer_close(&sink->output.writer);
		fd_writer_close(&sink->log.writer);
	}
	buffer_free(&sink->pending);
}

/* ---- events ---- */

void event_stream_init(struct event_stream *stream, struct event_sink *sink)
{
	*stream = (struct event_stream){.sink = sink};
	uuid_v7(stream->run_id);
}

struct buffer *event_begin(struct event_stream *stream, enum event_type type)
{
	struct buffer *line = &stream->sink->pending;

	buffer_add(line, "{\"event_type\":\"", 15);
	buffer_add_text(line, event_type_name(type));
	buffer_add(line, "\",\"timestamp\":\"", 15);
	clock_stamp_add(&stream->stamp, line, clock_realtime());
	buffer_add(line, "\",\"run_id\":\"", 12);
	buffer_add(line, stream->run_id, 36);
	buffer_add(line, "\",\"seq\":", 8);
	json_write_int(line, stream->seq);
	buffer_add(line, ",\"data\":{", 9);
	return line;
}

void event_end(struct event_stream *stream)
{
	struct event_sink *sink = stream->sink;

	buffer_add(&sink->pending, "}}\n", 3);
	stream->seq++;
	if (sink->pending.len - sink->flushed >= FLUSH_SIZE)
		event_sink_flush(sink);
}
