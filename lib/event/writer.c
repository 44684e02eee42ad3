#define _DEFAULT_SOURCE /* getentropy */
#include "event/writer.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

/* Lines wait for the owner's flush only up to here, so that memory stays flat. */
enum { FLUSH_SIZE = 64 * 1024 };

void uuid_v7(char out[37])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char bytes[16];
	int64_t ms = clock_realtime() / 1000;
	char *at = out;

	if (getentropy(bytes, sizeof(bytes)) != 0) {
		int64_t now = clock_monotonic();

		memcpy(bytes, &now, sizeof(now));
		memcpy(bytes + 8, &now, sizeof(now));
	}
	for (int i = 0; i < 6; i++)
		bytes[i] = (unsigned char)(ms >> (40 - 8 * i));
	bytes[6] = (unsigned char)(0x70 | (bytes[6] & 0x0F));
	bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3F));
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		*at++ = hex[bytes[i] >> 4];
		*at++ = hex[bytes[i] & 15];
	}
	*at = '\0';
}

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
	clock_add_timestamp(line, clock_realtime());
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
	if (sink->pending.len >= FLUSH_SIZE)
		event_flush(sink);
}

static bool is_ready(int fd, int milliseconds)
{
	struct pollfd wait = {.fd = fd, .events = POLLOUT};
	int got;

	do
		got = poll(&wait, 1, milliseconds);
	while (got < 0 && errno == EINTR && milliseconds >= 0);
	return got != 0;
}

/* Write to standard output, which may be a pipe that is full while a signal asks us to end: the
 * reader gets what it still takes, but one that takes nothing must not hold us. */
static bool write_output(struct event_sink *sink, struct span text)
{
	while (text.len > 0) {
		bool ending = sink->ending != NULL && sink->ending(sink->context);
		ssize_t n;

		if (ending && !is_ready(sink->fd, EVENT_PATIENCE_MS)) {
			errno = ETIMEDOUT;
			return false;
		}
		/* What a pipe is ready for is PIPE_BUF; more might block. */
		n = write(sink->fd, text.at, ending && text.len > PIPE_BUF ? PIPE_BUF : text.len);
		if (n >= 0)
			text = span_from(text, (size_t)n);
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			is_ready(sink->fd, ending ? EVENT_PATIENCE_MS : -1);
		else if (errno != EINTR)
			return false;
	}
	return true;
}

/* How much of `text` to write at once: whole lines, as many as fit into PIPE_BUF, at least one. */
static size_t piece(struct span text)
{
	const char *newline;
	size_t size;

	if (text.len <= PIPE_BUF)
		return text.len;
	size = PIPE_BUF;
	while (size > 0 && text.at[size - 1] != '\n')
		size--;
	if (size > 0)
		return size;
	newline = memchr(text.at, '\n', text.len);
	return newline != NULL ? (size_t)(newline - text.at) + 1 : text.len;
}

bool event_flush(struct event_sink *sink)
{
	struct span text = buffer_span(&sink->pending);

	if (text.len == 0)
		return !sink->broken;
	if (sink->log_fd >= 0 && sink->log_errno == 0 &&
	    (!write_all(sink->log_fd, text) ||
	     (sink->sync && fdatasync(sink->log_fd) != 0 && errno != EINVAL)))
		sink->log_errno = errno; /* EINVAL: not a file that can be synchronised */
	while (text.len > 0 && sink->fd >= 0 && !sink->broken) {
		size_t size = piece(text);

		sink->broken = !write_output(sink, (struct span){text.at, size});
		if (sink->broken)
			sink->fd_errno = errno;
		text = span_from(text, size);
	}
	buffer_clear(&sink->pending);
	return !sink->broken;
}

void event_sink_free(struct event_sink *sink)
{
	buffer_free(&sink->pending);
}
