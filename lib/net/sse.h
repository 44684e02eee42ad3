/*
 * sse: a parser of text/event-stream by the WHATWG algorithm (HTML, section 9.2.6), with two
 * deliberate differences that real providers require:
 *  - an event that is not closed by a blank line is delivered at the end of the stream;
 *  - a field named "error" (llama.cpp) is delivered as an event of type "error" with that data.
 * Bytes may arrive in pieces of any size. One byte order mark at the start is skipped. Invalid
 * UTF-8 is passed on; code that embeds the data in JSON checks it.
 */
#ifndef NET_SSE_H
#define NET_SSE_H

#include <stdint.h>

#include "base/buffer.h"

struct sse_event {
	struct span type; /* the event field; "message" when absent */
	struct span data; /* data fields joined by \n, without the last \n */
	struct span id;   /* last event id of the stream; for tests */
};

struct sse {
	/* Called for each event; the spans are valid during the call. */
	void (*event)(void *context, const struct sse_event *event);
	void *context;
	int64_t retry; /* reconnection time in ms requested by the stream; -1: none; for tests */
	/* private */
	struct buffer line; /* the start of an incomplete line */
	struct buffer type, data, id;
	struct span held; /* the only data line so far, still where it was fed; absent: in `data` */
	bool has_data, after_cr, begun;
	size_t bom; /* bytes of a byte order mark seen at the very start */
};

void sse_init(struct sse *sse, void (*event)(void *context, const struct sse_event *event),
	      void *context);

/* Feed the next bytes of the stream. Returns false if a line or the data of an event is longer than
 * NET_MAX_LINE (net/limits.h); the caller must then abandon the stream. `event` must not call
 * sse_free. */
bool sse_feed(struct sse *sse, struct span bytes);

/* End the stream: deliver an event that was not closed. */
void sse_end(struct sse *sse);
void sse_free(struct sse *sse);

#endif
