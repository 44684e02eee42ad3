/*
 * aws_stream: application/vnd.amazon.eventstream, AWS's framing of events in binary messages.
 *
 * A message, all numbers big endian:
 *     u32 length of the whole   u32 length of the headers   u32 CRC-32 of these eight bytes
 *     headers: u8 length of the name, name, u8 type of the value, value (7: u16 length, text)
 *     payload                   u32 CRC-32 of everything before
 * Both checksums are checked before anything else is used. Bytes may arrive in pieces of any size.
 */
#ifndef NET_AWS_STREAM_H
#define NET_AWS_STREAM_H

#include <stdint.h>

#include "base/buffer.h"

/* The spans are valid during the callback. Missing values are absent. */
struct aws_message {
	struct span type;    /* :message-type, "event", "exception" or "error" */
	struct span name;    /* :event-type, :exception-type or :error-code */
	struct span error;   /* :error-message */
	struct span payload; /* JSON, unless the service documents something else */
};

struct aws_stream {
	void (*message)(void *context, const struct aws_message *message);
	void *context;
	const char *fault;     /* the error in the stream; NULL: none so far */
	struct buffer pending; /* private: the start of an incomplete message */
};

void aws_stream_init(struct aws_stream *stream,
		     void (*message)(void *context, const struct aws_message *message),
		     void *context);

/* Feed the next bytes. Returns false and sets stream->fault if they violate the framing (a wrong
 * checksum, an impossible length, a message longer than NET_MAX_LINE, net/limits.h). The next
 * message cannot be found then; the caller must abandon the stream. `message` must not call
 * aws_stream_free. */
bool aws_stream_feed(struct aws_stream *stream, struct span bytes);

void aws_stream_free(struct aws_stream *stream);

/* CRC-32 as zlib computes it. */
uint32_t aws_stream_crc(struct span bytes);

#endif
