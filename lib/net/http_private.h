/*
 * http_private: what the files of the HTTP client share. Nobody else includes it.
 */
#ifndef NET_HTTP_PRIVATE_H
#define NET_HTTP_PRIVATE_H

#include <curl/curl.h>

#include "net/http.h"

struct http_call {
	struct http *http;
	const struct http_request *request;
	struct http_limits limits;
	struct http_handler handler;

	CURL *easy;
	struct curl_slist *headers;
	char error[CURL_ERROR_SIZE]; /* what libcurl says */
	const char *fault;           /* what this client objects to in the answer; NULL: nothing */

	struct http_head head; /* zero until it is complete */
	struct buffer head_lines;
	int head_status;
	bool head_complete;

	int64_t started, last_byte; /* loop_source_time */
	struct loop_timer *idle_timer, *total_timer;

	bool paused;    /* until the loop is released */
	bool added;     /* to the multi handle */
	bool cancelled; /* inside libcurl, to be dropped afterwards */
	bool ended;     /* done is being called */
	bool queued;    /* in http->queue */
	struct http_call *queue_next;
	struct http_call *previous, *next;
};

/* http_options.c: tell libcurl what to send, and how. call->headers is freed with the call. */
void options_set(struct http_call *call);

/* http_head.c: take one line of an answer's head as libcurl hands it out. Returns false, with
 * call->fault, when the head is too long; `*complete` tells that this was its last line. */
bool head_take_line(struct http_call *call, struct span line, bool *complete);
void head_free(struct http_call *call);

/* http_failure.c: how libcurl's `code` ended the exchange, with the message in `message`. */
struct http_result failure_result(const struct http_call *call, CURLcode code,
				  struct buffer *message);
/* The same for an exchange that this client ended: `outcome` is HTTP_IDLE or HTTP_TIMEOUT. */
struct http_result failure_late(const struct http_call *call, enum http_outcome outcome,
				struct buffer *message);

#endif
