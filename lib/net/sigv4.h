/*
 * sigv4: AWS's Signature Version 4, in headers.
 *
 * libcurl can sign too, but its versions do not agree: up to 8.x (7.88 among them) the path is
 * signed as it is sent, while AWS wants every part of it encoded once more for all services but S3.
 * No spelling of a path with ':' in it, as the names of models have, comes out right with both. So
 * requests are signed here, and no version of libcurl makes a difference.
 */
#ifndef NET_SIGV4_H
#define NET_SIGV4_H

#include <stdint.h>

#include "net/http.h"

struct sigv4 {
	const char *key_id, *secret;
	const char *token; /* of a session; NULL: none */
	const char *region, *service;
	int64_t now; /* seconds since 1970 */
};

/* Sign `request`, which is complete but for what this adds: X-Amz-Date, X-Amz-Security-Token (when
 * there is a token) and Authorization. Signed are the host as libcurl sends it, Content-Type and
 * all X-Amz headers. */
void sigv4_sign(const struct sigv4 *sigv4, struct http_request *request);

#endif
