/*
 * writer: events going out.
 *
 * An event is begun, its data written with lib/json, and ended:
 *     struct buffer *data = event_begin(stream, EVENT_LLM_CHUNK);
 *     json_put_string(data, "text", text);
 *     event_end(stream);
 * The line then waits in the stream's sink. The owner of the sink flushes it before it sleeps, and
 * whoever does something that must not be lost (a tool starting) waits for event_when_logged.
 */
#ifndef EVENT_WRITER_H
#define EVENT_WRITER_H

#include "base/clock.h"
#include "event/sink.h"
#include "event/types.h"
#include "json/json.h"

/* The events of one run. */
struct event_stream {
	struct event_sink *sink;
	char run_id[37]; /* UUIDv7 */
	struct clock_stamp stamp;
	int64_t seq; /* of the next event */
};

/* A stream with a new run_id. */
void event_stream_init(struct event_stream *stream, struct event_sink *sink);

/* Begin an event of `type` (not EVENT_OTHER); returns the buffer, the sink's, into which the
 * members of `data` are written. Between the two nothing else is done with the sink. */
struct buffer *event_begin(struct event_stream *stream, enum event_type type);
void event_end(struct event_stream *stream);

#endif
