/*
 * http: what comes of an exchange with a server: whole answers, broken ones, none; and how a
 * request arrives.
 */
#include "http_exchange.h"

static void test_answer(const char *path, const char *want)
{
	struct exchange exchange = open_client();

	exchange_with(&exchange, path, &usual, want);
	close_client(&exchange);
}

static void test_whole_answers(void)
{
	test_answer("/chunked", "head 200; body of 200: abcde; done complete");
	test_answer("/trailer", "head 200; body of 200: a; done complete");
	test_answer("/unsized", "head 200; body of 200: all of it; done complete");
	test_answer("/gzip", "head 200; body of 200: hello, hello, hello; done complete");
	test_answer("/informational", "head 200; body of 200: ok; done complete");
	test_answer("/limit", "head 429; body of 429: {}; done complete");
	test_answer("/redirect", "head 302; done complete");
	test_answer("/nothing", "head 204; done complete");
}

static void test_broken_answers(void)
{
	test_answer("/partial",
		    "head 200; body of 200: hello; done broken (the response of @ broke "
		    "off: ...)");
	test_answer("/cut", "head 200; body of 200: abc; done broken (the response of @ broke off: "
			    "...)");
	test_answer("/misframed",
		    "head 200; body of 200: abc; done broken (the response of @ broke "
		    "off: ...)");
}

static void test_no_answer(void)
{
	test_answer("/close?key=secret", "done unreachable without head (@ closed the connection "
					 "without a response)");
	test_answer("/half-head",
		    "done unreachable without head (@ closed the connection without a response)");
	test_answer("/other", "done unreachable without head (@ does not answer in HTTP) for good");
	test_answer("/endless-head", "done unreachable without head (cannot use the response of @: "
				     "its head is too long) for good");
	test_answer(
	    "ftp://u:secret@localhost/x?key=secret",
	    "done unreachable without head (cannot use the URL: Protocol \"ftp\" ...) for good");
	test_answer("http://u:secret@[::1/x?key=secret",
		    "done unreachable without head (cannot use the URL: URL ...) for good");
	test_answer("http://u:secret@localhost:99999/?key=secret",
		    "done unreachable without head (cannot use the URL: URL ...) for good");
}

static void test_refused(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof address;
	struct exchange exchange = open_client();
	char url[64], want[128];
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	/* A port that is bound but does not listen refuses. */
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&address, size) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) != 0)
		exit(2);
	snprintf(url, sizeof url, "http://user:secret%%40x@127.0.0.1:%d/?key=secret",
		 ntohs(address.sin_port));
	snprintf(
	    want, sizeof want,
	    "done unreachable without head (cannot connect to 127.0.0.1:%d: Connection refused)",
	    ntohs(address.sin_port));
	exchange_with(&exchange, url, &usual, want);
	close(fd);
	close_client(&exchange);
}

/* The server stands in for a proxy. */
static void test_proxy(void)
{
	struct exchange exchange = open_client();
	struct http_request request = request_of("http://nohost.invalid/echo");

	setenv("http_proxy", base, 1);
	begin(&exchange, &request, &usual);
	loop_run(exchange.loop);
	unit_ok(
	    strstr(buffer_string(&exchange.log), "POST http://nohost.invalid/echo HTTP/1.1\r\n"),
	    "a request goes through the proxy of the environment");
	buffer_clear(&exchange.log);
	exchange.received = 0;
	setenv("no_proxy", "127.0.0.1", 1);
	exchange_with(&exchange, "/chunked", &usual, "head 200; body of 200: abcde; done complete");
	unsetenv("http_proxy");
	unsetenv("no_proxy");
	http_request_free(&request);
	close_client(&exchange);
}

static void test_proxy_refused(void)
{
	struct exchange exchange = open_client();
	struct http_request request = request_of("http://nohost.invalid/?key=secret");
	char *log;

	setenv("http_proxy", "http://user:secret@127.0.0.1:1", 1);
	begin(&exchange, &request, &usual);
	loop_run(exchange.loop);
	log = strdup(buffer_string(&exchange.log));
	unit_ok(strstr(log, "cannot connect to nohost.invalid:80: Failed to connect to 127.0.0.1 "
			    "port 1 ") &&
		    !strstr(log, "secret"),
		"a proxy that refuses is named");
	unsetenv("http_proxy");
	free(log);
	http_request_free(&request);
	close_client(&exchange);
}

static void test_no_tls(void)
{
	struct exchange exchange = open_client();
	struct buffer url = {0};
	struct http_request request;

	buffer_add_format(&url, "https://127.0.0.1:%d/close", port);
	request = request_of(buffer_string(&url));
	begin(&exchange, &request, &usual);
	loop_run(exchange.loop);
	unit_ok(strstr(buffer_string(&exchange.log),
		       "done unreachable without head (cannot set up TLS with 127.0.0.1:"),
		"https to a server without TLS fails");
	buffer_free(&url);
	http_request_free(&request);
	close_client(&exchange);
}

static void test_limits(void)
{
	struct exchange exchange = open_client();
	struct http_limits limits = {.connect_seconds = 10, .idle_seconds = 0.5};

	exchange_with(&exchange, "/idle", &limits,
		      "head 200; body of 200: hello; done idle (@ sent nothing for 0.5 seconds)");
	exchange_with(&exchange, "/silent", &limits,
		      "done idle without head (@ sent nothing for 0.5 seconds)");
	limits = (struct http_limits){.connect_seconds = 10, .total_seconds = 1};
	exchange_with(&exchange, "/idle", &limits,
		      "head 200; body of 200: hello; done timeout (@ did not complete its response "
		      "within 1 second)");
	close_client(&exchange);
}

static void test_request(void)
{
	struct exchange exchange = open_client();
	struct http_request request = request_of("/echo");
	struct buffer want = {0};

	http_request_add_header(&request, true, "Authorization: Bearer %s", "key\n");
	http_request_add_header(&request, true, "X-Injected: a\r\nb");
	begin(&exchange, &request, &usual);
	loop_run(exchange.loop);
	buffer_add_format(&want,
			  "head 200; body of 200: POST /echo HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
			  "User-Agent: agent-tools/" VERSION "\r\nAccept: */*\r\n"
			  "Content-Type: application/json\r\nAuthorization: Bearer key\r\n"
			  "X-Injected: a  b\r\nContent-Length: 2\r\n\r\n{}; done complete",
			  port);
	unit_same(buffer_span(&exchange.log), buffer_span(&want),
		  "a request arrives as it was made");
	buffer_free(&want);
	http_request_free(&request);
	close_client(&exchange);
}

static void test_methods(void)
{
	static const char *const methods[] = {"GET", "DELETE"};

	for (int i = 0; i < 2; i++) {
		struct exchange exchange = open_client();
		struct http_request request = {.method = mem_copy(span_of(methods[i]))};
		struct buffer want = {0};

		buffer_add_format(&want, "%s/echo", base);
		request.url = buffer_take(&want);
		begin(&exchange, &request, &usual);
		loop_run(exchange.loop);
		buffer_add_format(
		    &want,
		    "head 200; body of 200: %s /echo HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
		    "User-Agent: agent-tools/" VERSION "\r\nAccept: */*\r\n\r\n; done complete",
		    methods[i], port);
		unit_same(buffer_span(&exchange.log), buffer_span(&want), methods[i]);
		buffer_free(&want);
		http_request_free(&request);
		close_client(&exchange);
	}
}

static void test_header_value(void)
{
	struct buffer lines = {0};
	struct http_head head = {.headers = &lines};

	buffer_add_text(&lines, "x-ab: 1\na: \nx-a: 2\nx-a: 3\n");
	unit_same(http_header_value(&head, "x-a"), SPAN("2"), "the first header of a name counts");
	unit_ok(http_header_value(&head, "a").at != NULL && http_header_value(&head, "a").len == 0,
		"an empty header is there");
	unit_ok(http_header_value(&head, "x").at == NULL, "half a name is none");
	unit_ok(http_header_value(NULL, "x").at == NULL, "no head has no header");
	buffer_free(&lines);
}

int main(void)
{
	server_start();
	test_whole_answers();
	test_broken_answers();
	test_no_answer();
	test_refused();
	test_proxy();
	test_proxy_refused();
	test_no_tls();
	test_limits();
	test_request();
	test_methods();
	test_header_value();
	server_end();
	return unit_done();
}
