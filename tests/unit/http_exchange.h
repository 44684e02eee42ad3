/*
 * http_exchange: exchanges with the server of http_server.h, and what was called back.
 */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include "http_server.h"

#include "net/http.h"
#include "net/retry.h"

struct exchange {
	struct loop *loop;
	struct http *http;
	struct http_call *call;
	struct buffer log; /* what was called back: head, body, done */
	size_t received;
	size_t received_held; /* until the loop was released */
	bool cancel_in_head, cancel_in_body;
	bool cancelled;
	int late; /* callbacks after that */
	bool ended;
	double asked; /* retry_after */
	struct http_call *other;
};

static void on_head(void *context, const struct http_head *head)
{
	struct exchange *exchange = context;

	exchange->late += exchange->cancelled;
	buffer_add_format(&exchange->log, "head %d; ", head->status);
	exchange->asked = retry_after(head, 0);
	if (exchange->cancel_in_head) {
		http_cancel(exchange->call);
		exchange->cancelled = true;
		loop_stop(exchange->loop);
	}
}

static void on_body(void *context, const struct http_head *head, struct span bytes)
{
	struct exchange *exchange = context;

	exchange->late += exchange->cancelled;
	if (exchange->received == 0)
		buffer_add_format(&exchange->log, "body of %d: ", head->status);
	exchange->received += bytes.len;
	if (exchange->received < 1000)
		buffer_add_span(&exchange->log, bytes);
	if (exchange->cancel_in_body) {
		http_cancel(exchange->call);
		http_cancel(exchange->other);
		http_cancel(exchange->call);
		exchange->cancelled = true;
		loop_stop(exchange->loop);
	}
}

static void on_done(void *context, const struct http_result *result)
{
	static const char *const names[] = {"complete", "unreachable", "broken", "idle", "timeout"};
	struct exchange *exchange = context;

	exchange->late += exchange->cancelled;
	buffer_add_format(&exchange->log, "%sdone %s", exchange->received > 0 ? "; " : "",
			  names[result->outcome]);
	if (result->head->status == 0)
		buffer_add_text(&exchange->log, " without head");
	if (result->message != NULL)
		buffer_add_format(&exchange->log, " (%s)%s", result->message,
				  result->retryable ? "" : " for good");
	exchange->ended = true;
	http_cancel(exchange->call); /* too late, and harmless */
	loop_stop(exchange->loop);
}

static const struct http_limits usual = {.connect_seconds = 10, .idle_seconds = 20};

static struct http_handler handler_of(struct exchange *exchange)
{
	return (struct http_handler){exchange, on_head, on_body, on_done, NULL};
}

static struct http_call *begin(struct exchange *exchange, const struct http_request *request,
			       const struct http_limits *limits)
{
	struct http_handler handler = handler_of(exchange);

	exchange->call = http_start(exchange->http, request, limits, &handler);
	return exchange->call;
}

static struct http_request request_of(const char *path)
{
	struct http_request request = {0};
	struct buffer url = {0};

	buffer_add_format(&url, "%s%s", path[0] == '/' ? base : "", path);
	request.url = buffer_take(&url);
	buffer_add_text(&request.body, "{}");
	http_request_add_header(&request, false, "Content-Type: application/json");
	return request;
}

/* Whether a text is `want`, in which the first "..." stands for anything. */
static bool is_like(const char *text, const char *want)
{
	const char *dots = strstr(want, "...");
	size_t start = dots != NULL ? (size_t)(dots - want) : 0, end;

	if (dots == NULL)
		return strcmp(text, want) == 0;
	end = strlen(dots + 3);
	return strlen(text) >= start + end && strncmp(text, want, start) == 0 &&
	       strcmp(text + strlen(text) - end, dots + 3) == 0;
}

/* Run one exchange; what happened must be `want`, in which @ stands for the server's address and
 * "..." for the words of libcurl, which differ from version to version. */
static void exchange_with(struct exchange *exchange, const char *path,
			  const struct http_limits *limits, const char *want)
{
	struct http_request request = request_of(path);
	struct buffer wanted = {0};

	for (; *want != '\0'; want++)
		if (*want == '@')
			buffer_add_format(&wanted, "127.0.0.1:%d", port);
		else
			buffer_add_char(&wanted, *want);
	begin(exchange, &request, limits);
	unit_ok(exchange->log.len == 0, "%s: nothing is called back inside http_start", path);
	loop_run(exchange->loop);
	if (is_like(buffer_string(&exchange->log), buffer_string(&wanted)))
		unit_ok(true, "%s", path);
	else
		unit_same(buffer_span(&exchange->log), buffer_span(&wanted), path);
	buffer_clear(&exchange->log);
	exchange->received = 0;
	buffer_free(&wanted);
	http_request_free(&request);
}

static struct exchange open_client(void)
{
	struct exchange exchange = {.loop = loop_new()};

	exchange.http = http_new(exchange.loop);
	return exchange;
}

static void close_client(struct exchange *exchange)
{
	http_free(exchange->http);
	loop_free(exchange->loop);
	buffer_free(&exchange->log);
}

#endif
