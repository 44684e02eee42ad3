/*
 * writer: events going out.
 *
 * An event is begun, its data written with lib/json, and ended:
 *     struct buffer *data = event_begin(stream, EVENT_LLM_CHUNK);
 *     json_put_string(data, "text", text);
 *     event_end(stream);
 * Lines are gathered and written by event_flush, never split over two writes as long as a line fits
 * into PIPE_BUF; the owner flushes before it sleeps and before anything happens that must not be
 * lost (a tool starting).
 */
#ifndef EVENT_WRITER_H
#define EVENT_WRITER_H

#include "event/types.h"
#include "json/json.h"

/* How long a reader may take nothing after we were asked to end. */
enum { EVENT_PATIENCE_MS = 1000 };

/* Where lines go: standard output, and a log to which they are appended as well. Several runs may
 * share one sink, their events interleaved. */
struct event_sink {
	int fd;                /* -1: nowhere */
	int log_fd;            /* -1: no log */
	struct buffer pending; /* lines not yet written; the last one may have been begun only */
	bool sync;             /* the log is on the disk before event_flush returns */
	bool broken;           /* fd takes nothing any more: only the log is written from now on */
	int fd_errno;          /* why it is broken: EPIPE, no reader; ETIMEDOUT, given up; ... */
	int log_errno;         /* why the log could not be written, 0: it could */
	/* Whether we are asked to end: then fd is given up once it has taken nothing for
	 * EVENT_PATIENCE_MS. May be NULL. */
	bool (*ending)(void *context);
	void *context;
};

/* The events of one run. */
struct event_stream {
	struct event_sink *sink;
	char run_id[37]; /* UUIDv7 */
	int64_t seq;     /* of the next event */
};

/* A new UUIDv7 (RFC 9562, section 5.7): 36 characters and a NUL. */
void uuid_v7(char out[37]);

/* A stream with a new run_id. */
void event_stream_init(struct event_stream *stream, struct event_sink *sink);

/* Begin an event of `type` (not EVENT_OTHER); returns the buffer, the sink's, into which the
 * members of `data` are written. Between the two nothing else is done with the sink. */
struct buffer *event_begin(struct event_stream *stream, enum event_type type);
void event_end(struct event_stream *stream);

/* Write what is pending. Returns false once standard output is broken. */
bool event_flush(struct event_sink *sink);
void event_sink_free(struct event_sink *sink);

#endif
