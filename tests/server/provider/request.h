/*
 * request: an HTTP/1.1 request, read as its bytes arrive.
 */
#ifndef PROVIDER_REQUEST_H
#define PROVIDER_REQUEST_H

#include "base/buffer.h"

struct request_header {
	char *name; /* in lower case */
	char *value;
};

struct request {
	char *method, *path, *version; /* owned; NULL until the head is complete */
	struct request_header *headers;
	size_t header_count;
	struct buffer body;

	/* private */
	enum {
		REQUEST_HEAD,
		REQUEST_LENGTH,
		REQUEST_CHUNK_SIZE,
		REQUEST_CHUNK,
		REQUEST_CHUNK_END,
		REQUEST_TRAILER,
		REQUEST_WHOLE
	} state;
	size_t missing; /* bytes of the body or of the chunk still to come */
};

enum request_progress {
	REQUEST_NEEDS_MORE,
	REQUEST_NEEDS_CONTINUE, /* the head asks for "100 Continue", and no body is there yet */
	REQUEST_COMPLETE,
	REQUEST_BAD,
};

/* Take what belongs to the request from the start of `in`. Call again when more has arrived. A
 * zeroed request is ready for a new one. */
enum request_progress request_read(struct request *request, struct buffer *in);

/* The value of a header, its name in lower case; NULL when there is none. */
const char *request_header(const struct request *request, const char *name);

/* Whether the connection stays open after the answer, by version and Connection header. */
bool request_keeps_alive(const struct request *request);

/* Append the request as one line of JSON. `number` and `connection` count from 1. */
void request_log(const struct request *request, int number, int connection, struct buffer *out);

void request_free(struct request *request);

#endif
