/*
 * base64: bytes as text (RFC 4648, section 4, with padding).
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buffer.h"

void base64_encode(struct span bytes, struct buffer *out);

#endif
