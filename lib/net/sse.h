/*
 * sse: text/event-stream parsed by the WHATWG algorithm (HTML, section 9.2.6), with two deliberate
 * differences that real providers need:
 *  - an event that is not closed by a blank line when the stream ends is delivered all the same;
 *  - a field named "error" (llama.cpp) is delivered as an event of type "error" with that data.
 * Bytes may arrive in pieces of any size. One byte order mark at the very start is skipped. Invalid
 * UTF-8 is passed on as it is; who embeds the data in JSON checks it.
 */
#ifndef NET_SSE_H
#define NET_SSE_H

#include <stdint.h>

#include "base/buffer.h"

struct sse_event {
	struct span type; /* the event field; "message" when absent */
	struct span data; /* data fields joined by \n, without the last \n */
	struct span id;   /* last event id of the stream */
};

struct sse {
	/* Called for each event; the spans are valid during the call. */
	void (*event)(void *context, const struct sse_event *event);
	void *context;
	int64_t retry; /* reconnection time in ms that the stream asked for; -1: none */
	/* private */
	struct buffer line; /* the beginning of a line whose end has not come yet */
	struct buffer type, data, id;
	struct span held; /* the only data line so far, still where it was fed; absent: in `data` */
	bool has_data, after_cr, begun;
	size_t bom; /* bytes of a byte order mark seen at the very start */
};

void sse_init(struct sse *sse, void (*event)(void *context, const struct sse_event *event),
	      void *context);

/* The next bytes of the stream. A line, and an event's data, may be up to NET_MAX_LINE long;
 * returns false when one is longer (the stream is to be given up). `event` must not call sse_free.
 */
bool sse_feed(struct sse *sse, struct span bytes);

/* The stream has ended: deliver an event that was not closed. */
void sse_end(struct sse *sse);
void sse_free(struct sse *sse);

/* Longest line of a provider's stream: images come as base64 in one line. */
enum { NET_MAX_LINE = 64 * 1024 * 1024 };

#endif
