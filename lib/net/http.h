/*
 * http: HTTP requests with streamed responses, on libcurl's multi interface and lib/loop.
 *
 * TLS certificates are verified (CURL_CA_BUNDLE, SSL_CERT_FILE and SSL_CERT_DIR apply, as in the
 * curl program). HTTP/2 is used if the server supports it over TLS. Proxies come from the
 * environment. Responses may be compressed with gzip, and are not read while the loop is held
 * (loop_hold). Redirects are not followed: a key in a header must not reach another host.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "loop/loop.h"

struct http;
struct http_call;

/* A header line "Name: value". If it is secret, the value is masked when a request is shown. */
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

/* Add a header. Line breaks in the formatted line become spaces. */
void http_request_add_header(struct http_request *request, bool secret, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void http_request_free(struct http_request *request);

struct http_limits {
	double connect_seconds; /* until the connection is established (0: none), usually 30 */
	double idle_seconds;    /* without progress while the loop is not held (0: none) */
	double total_seconds;   /* the whole exchange (0: none) */
};

/* How an exchange ended. */
enum http_outcome {
	HTTP_COMPLETE,    /* a complete response was received, with any status */
	HTTP_UNREACHABLE, /* no response: name, connection, TLS, connect timeout */
	HTTP_BROKEN,      /* the response is incomplete (connection lost, bad framing) */
	HTTP_IDLE,        /* idle_seconds passed without progress */
	HTTP_TIMEOUT,     /* total_seconds passed */
};

/* The head of a response; spans are valid during the callback. */
struct http_head {
	int status; /* 0: none was received */
	struct span content_type;
	struct buffer *headers; /* every header line "name: value\n", names in lower case */
};

struct http_result {
	enum http_outcome outcome;
	const struct http_head *head;
	const char *message; /* the error, for the user; NULL if complete */
	bool retryable;      /* false for permanent errors: bad certificate, unknown URL scheme */
	bool sent;           /* http_is_sent */
};

struct http_handler {
	void *context;
	/* The head is complete. Not called for informational heads (1xx). May be NULL. */
	void (*head)(void *context, const struct http_head *head);
	/* The next bytes of the body. May be NULL. */
	void (*body)(void *context, const struct http_head *head, struct span bytes);
	/* Called exactly once unless the call is cancelled. The call is freed afterwards. */
	void (*done)(void *context, const struct http_result *result);
	/* Whether the last bytes of the body are progress. NULL: all are. */
	bool (*is_progress)(void *context);
};

/* A client: a pool of connections on `loop`. libcurl is initialised at the first call. */
struct http *http_new(struct loop *loop);
void http_free(struct http *http);

/* Send `request`, which must live until done. Failures to even start are reported through done,
 * later. Callbacks never run inside http_start. */
struct http_call *http_start(struct http *http, const struct http_request *request,
			     const struct http_limits *limits, const struct http_handler *handler);

/* Whether a connection was established, so that the request could be sent. */
bool http_is_sent(const struct http_call *call);

/* End the exchange without further callbacks. May be called inside a callback. */
void http_cancel(struct http_call *call);

/* The value of a header (name in lower case) in `head`; absent if there is none. */
struct span http_header_value(const struct http_head *head, const char *name);

#endif
