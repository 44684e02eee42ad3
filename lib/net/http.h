/*
 * http: HTTP requests whose answers are streams, on libcurl's multi interface and lib/loop.
 *
 * TLS certificates are verified (CURL_CA_BUNDLE, SSL_CERT_FILE and SSL_CERT_DIR are honoured, as
 * the curl program does), HTTP/2 is used where the server has it, proxies come from the
 * environment, answers may be compressed with gzip. Responses are not read while the loop is held
 * (loop_hold). Redirects are not followed: a key in a header
 * must not reach another host.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/message.h"
#include "loop/loop.h"

struct http;
struct http_call;

/* One header line "Name: value". The value of a secret one is masked when a request is shown. */
struct http_header {
	char *line;
	bool secret;
};

struct http_request {
	char *method; /* NULL: POST */
	char *url;
	struct http_header *headers;
	size_t header_count;
	struct buffer body;
};

void http_request_add_header(struct http_request *request, bool secret, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void http_request_free(struct http_request *request);

struct http_limits {
	double connect_seconds; /* until the connection stands (0: none), 30 is usual */
	double idle_seconds;    /* without a byte received (0: none), while the loop is not held */
	double total_seconds;   /* the whole exchange (0: none) */
};

/* How an exchange ended. */
enum http_outcome {
	HTTP_COMPLETE,    /* a whole answer was received, whatever its status */
	HTTP_UNREACHABLE, /* no answer: name, connection, TLS, connect timeout */
	HTTP_BROKEN,      /* the answer broke off (connection lost, bad framing, too short) */
	HTTP_IDLE,        /* idle_seconds passed without a byte */
	HTTP_TIMEOUT,     /* total_seconds passed */
};

/* The head of an answer; spans are valid during the callback. */
struct http_head {
	int status; /* 0: none was received */
	struct span content_type;
	struct buffer *headers; /* every header line "name: value\n", names in lower case */
};

struct http_result {
	enum http_outcome outcome;
	const struct http_head *head;
	const char *message; /* what went wrong, for a person; NULL when complete */
	bool retryable;      /* false for what will not pass: bad certificate, unknown URL scheme */
};

struct http_handler {
	void *context;
	/* The head is complete and is not an informational one. May be NULL. */
	void (*head)(void *context, const struct http_head *head);
	void (*body)(void *context, const struct http_head *head, struct span bytes);
	/* Called exactly once unless the call is cancelled; the call is gone afterwards. */
	void (*done)(void *context, const struct http_result *result);
};

/* A client: a pool of connections on `loop`. libcurl is initialised at the first call. */
struct http *http_new(struct loop *loop);
void http_free(struct http *http);

/* Send `request`, which must live until done. Failures to even start are reported through done,
 * later. Callbacks never run inside http_start. */
struct http_call *http_start(struct http *http, const struct http_request *request,
			     const struct http_limits *limits, const struct http_handler *handler);

/* Drop the exchange; no callback is called any more. May be called inside a callback. */
void http_cancel(struct http_call *call);

/* The value of a header (name in lower case) in `head`; absent when there is none. */
struct span http_header_value(const struct http_head *head, const char *name);

#endif
