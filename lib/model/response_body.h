/*
 * response_body: splits the bytes of an HTTP response into the events of its framing.
 *
 * Headers are not reliable: some errors have the type text/event-stream, some streams
 * application/json. So the status and the first bytes decide the kind of a body; a byte order mark
 * is skipped.
 */
#ifndef MODEL_RESPONSE_BODY_H
#define MODEL_RESPONSE_BODY_H

#include "model/protocol/protocol.h"
#include "net/aws_stream.h"
#include "net/ndjson.h"
#include "net/sse.h"

/* The maximum number of bytes stored of the body of an error. */
enum { BODY_MAX_ERROR = 1024 * 1024 };

enum body_kind {
	BODY_UNKNOWN, /* not decided yet */
	BODY_EVENTS,
	BODY_LINES,
	BODY_MESSAGES,
	BODY_DOCUMENT, /* one JSON document instead of a stream */
	BODY_STRAY,    /* events, then a JSON document: some servers end a stream by an error */
	BODY_ERROR,    /* the status is not 2xx */
};

struct response_body {
	enum body_kind kind;
	struct buffer
	    bytes; /* of a document, of a stray one (at most BODY_MAX_ERROR), of an error */
	/* private */
	enum framing framing;
	void (*event)(void *context, struct span name, struct span data);
	void *context;
	struct sse sse;
	struct ndjson ndjson;
	struct aws_stream aws;
	size_t mark;   /* bytes of a byte order mark that were skipped */
	bool mid_line; /* the last byte of the stream did not end a line */
};

/* `event` gets each event, named as decoder_event says. `body` must not move. */
void body_init(struct response_body *body, enum framing framing,
	       void (*event)(void *context, struct span name, struct span data), void *context);

/* Read the next bytes. Returns false after recording a failure of `provider`: a line, an event or a
 * document that is too long, or a damaged AWS event stream. */
bool body_feed(struct response_body *body, const struct http_head *head, struct span bytes,
	       const struct provider *provider, struct failure *failure);

/* The bytes of an event that is not complete; 0 for a comment. */
size_t body_pending(const struct response_body *body);

/* The bytes have ended: emit the last event. A stray document is an event "error". */
void body_end(struct response_body *body);

void body_free(struct response_body *body);

#endif
