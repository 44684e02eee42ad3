/*
 * Calls on the loop, one after the other and at the same time: connections that are kept, long
 * bodies, calls that are cancelled and calls that begin others.
 */
#include "http_exchange.h"

/* The server numbers the requests of each connection. */
static void test_keep_alive(void)
{
	struct exchange exchange = open_client();

	exchange_with(&exchange, "/number", &usual,
		      "head 200; body of 200: request 1; done complete");
	exchange_with(&exchange, "/chunked", &usual, "head 200; body of 200: abcde; done complete");
	exchange_with(&exchange, "/redirect", &usual, "head 302; done complete");
	exchange_with(&exchange, "/limit", &usual, "head 429; body of 429: {}; done complete");
	exchange_with(&exchange, "/number", &usual,
		      "head 200; body of 200: request 5; done complete");
	close_client(&exchange);
}

/* The connection that is kept has been closed by the server meanwhile. */
static void test_stale_connection(void)
{
	struct exchange exchange = open_client();

	for (int i = 0; i < 3; i++)
		exchange_with(&exchange, "/once", &usual,
			      "head 200; body of 200: once; done complete");
	close_client(&exchange);
}

static void test_long_body(void)
{
	struct exchange exchange = open_client();
	struct http_request request = request_of("/echo");
	enum { LONG = 3 * 1024 * 1024 };

	for (int i = 2; i < LONG; i++)
		buffer_add_char(&request.body, 'x');
	begin(&exchange, &request, &usual);
	loop_run(exchange.loop);
	unit_ok(exchange.ended && exchange.received > LONG && exchange.received < LONG + 1000,
		"a body of 3 MiB is sent at once and received back");
	http_request_free(&request);
	close_client(&exchange);
}

static void test_many_chunks(void)
{
	struct exchange exchange = open_client();
	struct http_request request = request_of("/many");

	begin(&exchange, &request, &usual);
	loop_run(exchange.loop);
	unit_ok(exchange.ended && exchange.received == 100000, "20,000 chunks arrive");
	http_request_free(&request);
	close_client(&exchange);
}

static void hold_for_a_while(void *context)
{
	struct exchange *exchange = context;

	exchange->received_held = exchange->received;
	loop_hold(exchange->loop, false);
}

static void on_body_hold(void *context, const struct http_head *head, struct span bytes)
{
	struct exchange *exchange = context;

	on_body(context, head, bytes);
	if (exchange->received_held == 0 && !loop_is_held(exchange->loop)) {
		loop_hold(exchange->loop, true);
		loop_timer_add(exchange->loop, 1500 * (int64_t)1000000, hold_for_a_while, exchange);
	}
}

/* The limit for silence is shorter than the time for which the loop is held. */
static void test_hold(void)
{
	const struct http_limits limits = {.connect_seconds = 10, .idle_seconds = 1};
	struct exchange exchange = open_client();
	struct http_handler handler = {&exchange, on_head, on_body_hold, on_done, NULL};
	struct http_request request = request_of("/many");

	exchange.call = http_start(exchange.http, &request, &limits, &handler);
	loop_run(exchange.loop);
	unit_ok(exchange.received_held > 0 && exchange.received_held < 100000,
		"a response is not read while the loop is held");
	unit_ok(exchange.ended && exchange.received == 100000 &&
		    span_ends(buffer_span(&exchange.log), "done complete"),
		"all of it arrives afterwards, and the time does not count as silence");
	http_request_free(&request);
	close_client(&exchange);
}

static void test_cancel_held(void)
{
	struct exchange exchange = open_client();
	struct http_handler handler = {&exchange, on_head, on_body_hold, on_done, NULL};
	const struct http_limits limits = {.connect_seconds = 10, .total_seconds = 1};
	struct http_request request = request_of("/endless");

	exchange.call = http_start(exchange.http, &request, &limits, &handler);
	loop_run(exchange.loop);
	unit_ok(exchange.ended && loop_is_held(exchange.loop),
		"the limit of the whole exchange goes on while the loop is held");
	http_request_free(&request);
	close_client(&exchange);
}

static void test_cancel(void)
{
	struct exchange exchange = open_client();
	struct http_request request = request_of("/endless");

	exchange.cancel_in_body = true;
	exchange.other = begin(&exchange, &request, &usual);
	begin(&exchange, &request, &usual);
	loop_run(exchange.loop);
	unit_ok(exchange.cancelled, "two calls are cancelled in the body callback of one");
	exchange.cancel_in_body = exchange.cancelled = false;
	exchange.cancel_in_head = true;
	begin(&exchange, &request, &usual);
	loop_run(exchange.loop);
	unit_ok(exchange.cancelled, "a call is cancelled in its head callback");
	exchange.cancel_in_head = exchange.cancelled = false;
	http_cancel(begin(&exchange, &request, &usual));
	buffer_clear(&exchange.log);
	exchange.received = 0;
	exchange_with(&exchange, "/chunked", &usual, "head 200; body of 200: abcde; done complete");
	unit_ok(exchange.late == 0, "nothing is called back after a cancel");
	begin(&exchange, &request, &usual); /* http_free drops it */
	http_request_free(&request);
	close_client(&exchange);
}

/* ---- calls that begin and end calls ---- */

enum { PARALLEL = 100 };

struct crowd {
	struct exchange *exchange;
	struct http_request request;
	struct http_call *victim;
	int begun, complete, bytes;
};

static void crowd_done(void *context, const struct http_result *result);
static void crowd_body(void *context, const struct http_head *head, struct span bytes);

static struct http_call *crowd_start(struct crowd *crowd)
{
	struct http_handler handler = {crowd, NULL, crowd_body, crowd_done, NULL};

	crowd->begun++;
	return http_start(crowd->exchange->http, &crowd->request, &usual, &handler);
}

static void crowd_body(void *context, const struct http_head *head, struct span bytes)
{
	struct crowd *crowd = context;

	(void)head;
	crowd->bytes += (int)bytes.len;
	if (crowd->begun == 1) /* inside libcurl: one that stays and one that is dropped at once */
		crowd_start(crowd);
	if (crowd->begun == 2)
		http_cancel(crowd_start(crowd));
}

static void crowd_done(void *context, const struct http_result *result)
{
	struct crowd *crowd = context;

	crowd->complete += result->outcome == HTTP_COMPLETE;
	if (crowd->victim != NULL) {
		http_cancel(crowd->victim);
		crowd->victim = NULL;
	}
	if (crowd->complete < PARALLEL)
		crowd_start(crowd);
	else
		loop_stop(crowd->exchange->loop);
}

static void test_crowd(void)
{
	struct exchange exchange = open_client();
	struct crowd crowd = {.exchange = &exchange, .request = request_of("/chunked")};

	crowd_start(&crowd);
	crowd.victim = NULL;
	loop_run(exchange.loop);
	unit_ok(crowd.complete >= PARALLEL && crowd.bytes >= PARALLEL * 5,
		"calls begin calls in body and done, one after the other");
	crowd.complete = crowd.bytes = 0;
	for (int i = 0; i < PARALLEL; i++)
		crowd_start(&crowd);
	crowd.victim = crowd_start(&crowd);
	loop_run(exchange.loop);
	unit_ok(crowd.complete >= PARALLEL, "%d calls run at the same time", PARALLEL);
	http_request_free(&crowd.request);
	close_client(&exchange);
}

int main(void)
{
	server_start();
	test_keep_alive();
	test_stale_connection();
	test_long_body();
	test_many_chunks();
	test_hold();
	test_cancel_held();
	test_cancel();
	test_crowd();
	server_end();
	return unit_done();
}
