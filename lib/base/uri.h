/*
 * uri: resolving references, encoding and decoding escapes (RFC 3986).
 */
#ifndef BASE_URI_H
#define BASE_URI_H

#include "base/buffer.h"

/* Append the URI that `reference` denotes in a document at `base`. Neither has a fragment; `base`
 * may be empty. */
void uri_resolve(struct span reference, struct span base, struct buffer *out);

/* Append `text` with every byte escaped except unreserved characters and those of `also`. */
void uri_encode(struct span text, const char *also, struct buffer *out);

/* Append `text` with its %-escapes decoded. Anything else is copied. */
void uri_decode(struct span text, struct buffer *out);

#endif
