#include "event/sink.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ids.h"
#include "event/shorten.h"
#include "base/tty.h"
#include "event/terminal.h"

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

static size_t waiting_size(const struct event_sink *sink)
{
	size_t shown = is_open(&sink->output) ? sink->shown.len : 0;

	return sink->pending.len - done(sink) + shown + sink->errors.len;
}

bool event_sink_is_idle(const struct event_sink *sink)
{
	return waiting_size(sink) == 0;
}

/* ---- writing ---- */

/* Write `text` up to `limit`. Returns whether anything was written. */
static bool write_to(struct event_output *output, const struct buffer *text, size_t limit)
{
	ssize_t n;

	if (!is_open(output) || limit <= output->written)
		return false;
	n = fd_writer_write(&output->writer,
			    (struct span){text->at + output->written, limit - output->written});
	if (n < 0)
		output->error = errno;
	else
		output->written += (size_t)n;
	if (n > 0)
		output->in_line = text->at[output->written - 1] != '\n';
	return n > 0;
}

static bool write_log(struct event_sink *sink)
{
	bool progress = write_to(&sink->log, &sink->pending, sink->pending.len);

	/* EINVAL: not a file that can be synchronised */
	if (progress && sink->sync && fdatasync(sink->log.writer.fd) != 0 && errno != EINVAL)
		sink->log.error = errno;
	return progress;
}

/* Standard output gets only complete lines that are in the log. */
static size_t output_limit(const struct event_sink *sink)
{
	size_t limit = sink->pending.len;

	if (sink->held > 0)
		limit = (size_t)(sink->held - sink->dropped);
	if (!is_open(&sink->log) || sink->log.written >= limit)
		return limit;
	limit = sink->log.written;
	while (limit > 0 && sink->pending.at[limit - 1] != '\n')
		limit--;
	return limit;
}

/* Write the lines to a terminal. Those in `shown` count as written. */
static bool write_shown(struct event_sink *sink)
{
	struct event_output *output = &sink->output;
	struct span lines =
	    span_from((struct span){sink->pending.at, output_limit(sink)}, output->written);
	struct span line;
	ssize_t n;

	if (!is_open(output))
		return false;
	if (sink->shown.len == 0) {
		output->written += lines.len;
		while (span_next_line(&lines, &line, NULL))
			terminal_add_event(&sink->shown, line, sink->has_color);
	}
	n = fd_writer_write(&output->writer, buffer_span(&sink->shown));
	if (n < 0)
		output->error = errno;
	buffer_drop(&sink->shown, n > 0 ? (size_t)n : 0);
	output->in_line = sink->shown.len > 0;
	return n > 0;
}

static bool write_output(struct event_sink *sink)
{
	return sink->is_shown ? write_shown(sink)
			      : write_to(&sink->output, &sink->pending, output_limit(sink));
}

/* On a terminal, a message begins on a line of its own. */
static void add_beginning(struct event_sink *sink)
{
	struct buffer text = {0};

	screen_begin(&sink->screen, false, &text);
	if (text.len == 0)
		return;
	buffer_add_span(&text, buffer_span(&sink->errors));
	buffer_free(&sink->errors);
	sink->errors = text;
}

/* A message does not interrupt a line of an event in the same file. */
static bool write_errors(struct event_sink *sink)
{
	struct event_output *output = &sink->error_output;
	bool waits = sink->shares_file && is_open(&sink->output) && sink->output.in_line;
	bool progress;

	if (waits || sink->errors.len == 0)
		return false;
	if (!output->in_line)
		add_beginning(sink);
	secrets_mask_text(&sink->secrets, &sink->errors, 0);
	progress = write_to(output, &sink->errors, sink->errors.len);
	screen_end(&sink->screen, false);
	buffer_drop(&sink->errors, is_open(output) ? output->written : sink->errors.len);
	output->written = 0;
	return progress;
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
	size_t waiting = waiting_size(sink);

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
	sink->waits = !event_sink_is_idle(sink);
	hold_or_release(sink);
	if (sink->waiters != NULL && sink->waiter_timer == NULL &&
	    is_logged(sink, sink->waiters->position))
		sink->waiter_timer = loop_timer_add(sink->loop, 0, call_waiters, sink);
}

void event_sink_flush(struct event_sink *sink)
{
	bool progress = !sink->waits;

	if (sink->loop == NULL || sink->pending.len + sink->shown.len + sink->errors.len == 0)
		return;
	progress |= write_log(sink);
	progress |= write_output(sink);
	progress |= write_errors(sink);
	if (progress && sink->stall_timer != NULL)
		sink->progress_at = clock_monotonic();
	settle(sink);
}

/* ---- a log that fails ---- */

bool event_sink_log_failure(const struct event_sink *sink, struct buffer *out)
{
	if (sink->log.error != 0)
		buffer_add_format(out, "%s: %s; the log is not complete", sink->log_name,
				  strerror(sink->log.error));
	return sink->log.error != 0;
}

void event_sink_hold_output(struct event_sink *sink)
{
	event_sink_flush(sink);
	if (is_open(&sink->log) && is_open(&sink->output))
		sink->held = sink->dropped + (int64_t)sink->pending.len;
}

bool event_sink_release_output(struct event_sink *sink)
{
	bool good;

	if (sink->held == 0)
		return true;
	event_sink_flush(sink);
	good = sink->log.error == 0;
	if (!good)
		sink->pending.len = (size_t)(sink->held - sink->dropped);
	sink->held = 0;
	event_sink_flush(sink);
	return good;
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

/* Bytes in the pipes. A reader may read less than the next write needs, which is progress too. */
static int count_unread(const struct event_sink *sink)
{
	return fd_writer_unread(&sink->output.writer) +
	       fd_writer_unread(&sink->error_output.writer);
}

static void check_progress(void *context)
{
	struct event_sink *sink = context;
	int unread = count_unread(sink);
	int64_t now = clock_monotonic();

	if (event_sink_is_idle(sink) || unread < sink->unread)
		sink->progress_at = now;
	sink->unread = unread;
	if (sink->progress_at + max_stall <= now) {
		sink->progress_at = now;
		if (sink->errors.len > 0)
			give_up(&sink->error_output, ETIMEDOUT);
		if (is_open(&sink->log) && sink->log.written < sink->pending.len)
			give_up(&sink->log, ETIMEDOUT);
		else if (!event_sink_is_idle(sink))
			give_up(&sink->output, ETIMEDOUT);
	}
	sink->stall_timer =
	    loop_timer_add(sink->loop, sink->progress_at + max_stall - now, check_progress, sink);
}

void event_sink_limit_stall(struct event_sink *sink)
{
	if (sink->loop == NULL || sink->stall_timer != NULL)
		return;
	sink->unread = count_unread(sink);
	sink->progress_at = clock_monotonic();
	sink->stall_timer = loop_timer_add(sink->loop, max_stall, check_progress, sink);
}

/* ---- without the loop ---- */

void event_sink_drop_partial(struct event_sink *sink)
{
	struct buffer *lines = &sink->pending;

	while (lines->len > 0 && lines->at[lines->len - 1] != '\n')
		lines->len--;
}

void event_sink_drain(struct event_sink *sink)
{
	enum { PAUSE_MS = 10 };

	for (int ms = 0; ms <= EVENT_SINK_STALL_MS; ms += PAUSE_MS) {
		sink->output.writer.full = sink->log.writer.full = false;
		sink->error_output.writer.full = false;
		event_sink_flush(sink);
		if (sink->loop == NULL || event_sink_is_idle(sink))
			break;
		poll(NULL, 0, PAUSE_MS);
	}
}

/* ---- beginning and end ---- */

static bool is_same_file(int a, int b)
{
	struct stat of_a, of_b;

	return fstat(a, &of_a) == 0 && fstat(b, &of_b) == 0 && file_is_same(&of_a, &of_b);
}

static void open_output(struct event_output *output, struct event_sink *sink, int fd)
{
	output->sink = sink;
	fd_writer_open(&output->writer, sink->loop, fd, ready, output);
}

void event_sink_start(struct event_sink *sink, struct loop *loop, int fd, int log_fd, int error_fd)
{
	sink->loop = loop;
	sink->is_shown = isatty(fd);
	sink->has_color = tty_use_color("auto", fd);
	open_output(&sink->output, sink, fd);
	open_output(&sink->log, sink, log_fd);
	open_output(&sink->error_output, sink, error_fd);
	screen_open(&sink->screen, error_fd);
	sink->shares_file = is_same_file(fd, error_fd);
}

void event_sink_free(struct event_sink *sink)
{
	if (sink->loop != NULL) {
		loop_timer_remove(sink->waiter_timer);
		loop_timer_remove(sink->stall_timer);
		fd_writer_close(&sink->output.writer);
		fd_writer_close(&sink->log.writer);
		fd_writer_close(&sink->error_output.writer);
	}
	buffer_free(&sink->pending);
	buffer_free(&sink->shown);
	secrets_free(&sink->secrets);
	buffer_free(&sink->errors);
	if (sink->loop != NULL)
		screen_close(&sink->screen);
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

	stream->line = line->len;
	buffer_add(line, "{\"event_type\":\"", 15);
	buffer_add_text(line, event_type_name(type));
	buffer_add(line, "\",\"timestamp\":\"", 15);
	clock_stamp_add(&stream->stamp, line, clock_realtime());
	buffer_add(line, "\",\"run_id\":\"", 12);
	buffer_add(line, stream->run_id, 36);
	buffer_add(line, "\",\"seq\":", 8);
	json_write_int(line, stream->seq);
	buffer_add(line, ",\"data\":{", 9);
	stream->sink->data_start = line->len;
	return line;
}

void event_end(struct event_stream *stream)
{
	struct event_sink *sink = stream->sink;

	secrets_mask_json(&sink->secrets, &sink->pending, sink->data_start);
	event_shorten(&sink->pending, stream->line, sink->data_start - 1);
	buffer_add(&sink->pending, "}}\n", 3);
	stream->seq++;
	if (sink->pending.len - sink->flushed >= FLUSH_SIZE)
		event_sink_flush(sink);
}
