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
	char error[CURL_ERROR_SIZE]; /* the message of libcurl */
	const char *fault;           /* what is wrong with the response; NULL: nothing */

	enum http_outcome late; /* HTTP_IDLE or HTTP_TIMEOUT: this client ended the exchange */

	struct http_head head; /* zero until it is complete */
	struct buffer head_lines;

	int64_t started, last_progress; /* loop_source_time */
	struct loop_timer *idle_timer, *total_timer;

	bool paused;    /* until the loop is released */
	bool added;     /* to the multi handle */
	bool cancelled; /* inside libcurl: drop it afterwards */
	bool ended;     /* done is called */
	struct http_call *previous, *next;
};

/* http_options.c: set the options of call->easy. call->headers is freed with the call. */
void options_set(struct http_call *call);

/* http_head.c: add a line of the head, and fill call->head after its last line. Returns false and
 * sets call->fault if the head is too long. */
bool head_add_line(struct http_call *call, struct span line);

/* http_failure.c: how the exchange ended, from call->late and libcurl's `code`. The message, if
 * there is one, is in `message`. */
struct http_result failure_result(const struct http_call *call, CURLcode code,
				  struct buffer *message);

#endif
