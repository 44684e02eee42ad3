/*
 * ndjson: one JSON value per line. Bytes may arrive in pieces of any size. CRLF and blank lines are
 * accepted; a last line without a newline is delivered at the end.
 */
#ifndef NET_NDJSON_H
#define NET_NDJSON_H

#include "base/buffer.h"

struct ndjson {
	void (*line)(void *context, struct span line); /* valid during the call */
	void *context;
	struct buffer pending; /* private */
};

void ndjson_init(struct ndjson *ndjson, void (*line)(void *context, struct span line),
		 void *context);
/* Feed the next bytes. Returns false if a line is longer than NET_MAX_LINE (net/limits.h). */
bool ndjson_feed(struct ndjson *ndjson, struct span bytes);
void ndjson_end(struct ndjson *ndjson);
void ndjson_free(struct ndjson *ndjson);

#endif
