/*
 * sha256: SHA-256 (FIPS 180-4) and its HMAC (RFC 2104), for signing requests.
 */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include "base/buffer.h"

enum { SHA256_BYTES = 32 };

void sha256(struct span text, unsigned char digest[SHA256_BYTES]);

void sha256_hmac(struct span key, struct span text, unsigned char digest[SHA256_BYTES]);

/* Append a digest as lower-case hexadecimal. */
void sha256_add_hex(const unsigned char digest[SHA256_BYTES], struct buffer *out);

#endif
