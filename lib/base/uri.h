/*
 * uri: references and what they mean in a document (RFC 3986).
 */
#ifndef BASE_URI_H
#define BASE_URI_H

#include "base/buffer.h"

/* Append the URI that `reference` means in a document at `base`; neither has a fragment, `base` may
 * be empty. */
void uri_resolve(struct span reference, struct span base, struct buffer *out);

/* Append `text` with its %-escapes undone; what is no escape stays. */
void uri_decode(struct span text, struct buffer *out);

#endif
