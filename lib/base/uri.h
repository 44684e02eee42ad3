/*
 * uri: resolving references and decoding escapes (RFC 3986).
 */
#ifndef BASE_URI_H
#define BASE_URI_H

#include "base/buffer.h"

/* Append the URI that `reference` denotes in a document at `base`. Neither has a fragment; `base`
 * may be empty. */
void uri_resolve(struct span reference, struct span base, struct buffer *out);

/* Append `text` with its %-escapes decoded. Anything else is copied. */
void uri_decode(struct span text, struct buffer *out);

#endif
