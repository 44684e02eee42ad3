/*
 * aws_stream: application/vnd.amazon.eventstream, AWS's framing of events in binary messages.
 *
 * A message, all numbers big endian:
 *     u32 length of the whole   u32 length of the headers   u32 CRC-32 of these eight bytes
 *     headers: u8 length of the name, name, u8 type of the value, value (7: u16 length, text)
 *     payload                   u32 CRC-32 of everything before
 * Both checksums are checked before anything else is believed. Bytes may arrive in pieces of any
 * size.
 */
#ifndef NET_AWS_STREAM_H
#define NET_AWS_STREAM_H

#include <stdint.h>

#include "base/buffer.h"

/* Spans are valid during the callback; what a message does not have is absent. */
struct aws_message {
	struct span type;    /* :message-type, "event", "exception" or "error" */
	struct span name;    /* :event-type, :exception-type or :error-code */
	struct span error;   /* :error-message */
	struct span payload; /* JSON, where the service says nothing else */
};

struct aws_stream {
	void (*message)(void *context, const struct aws_message *message);
	void *context;
	const char *fault;     /* what is wrong with the stream; NULL: nothing so far */
	struct buffer pending; /* private: the beginning of a message */
};

void aws_stream_init(struct aws_stream *stream,
		     void (*message)(void *context, const struct aws_message *message),
		     void *context);

/* The next bytes. Returns false, with stream->fault, when they are not what the framing says (a
 * wrong checksum, an impossible length, a message longer than NET_MAX_LINE, net/sse.h): there is no
 * way to find the next message, the stream is to be given up. `message` must not call
 * aws_stream_free. */
bool aws_stream_feed(struct aws_stream *stream, struct span bytes);

void aws_stream_free(struct aws_stream *stream);

/* CRC-32 as zlib computes it. */
uint32_t aws_stream_crc(struct span bytes);

#endif
