/*
 * sigv4: AWS Signature Version 4 in headers.
 *
 * libcurl can sign too, but its versions differ: versions up to 8.x, including 7.88, sign the path
 * as it is sent, while AWS requires every segment to be encoded once more for all services except
 * S3. No spelling of a path with ':', which names of models contain, works with both. Signing here
 * works with every version of libcurl.
 */
#ifndef NET_SIGV4_H
#define NET_SIGV4_H

#include <stdint.h>

#include "net/http.h"

struct sigv4 {
	const char *key_id, *secret;
	const char *token; /* the session token; NULL: none */
	const char *region, *service;
	int64_t now; /* seconds since 1970 */
};

/* Sign `request`, which must otherwise be complete: add X-Amz-Date, X-Amz-Security-Token (if there
 * is a token) and Authorization. The signature covers the host as libcurl sends it, Content-Type
 * and all X-Amz headers. */
void sigv4_sign(const struct sigv4 *sigv4, struct http_request *request);

#endif
