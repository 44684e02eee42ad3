/* http: exchanges with a server of this test's own, which behaves as the path of the URL says. */
#define _DEFAULT_SOURCE /* usleep */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/http.h"
#include "net/retry.h"

/* ---- the server ---- */

struct peer {
	int fd;
	int request; /* its number on this connection, from 1 */
	struct buffer in;
};

static void say(const struct peer *peer, const char *text)
{
	write_all(peer->fd, span_of(text));
}

static bool more(struct peer *peer)
{
	ssize_t count;

	buffer_reserve(&peer->in, 4096);
	count = read(peer->fd, peer->in.at + peer->in.len, 4096);
	if (count > 0)
		peer->in.len += (size_t)count;
	return count > 0;
}

static void until_closed(struct peer *peer)
{
	while (more(peer))
		;
}

static void body(const struct peer *peer, struct span text)
{
	struct buffer out = {0};

	buffer_add_format(&out,
			  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
			  "Content-Length: %zu\r\n\r\n",
			  text.len);
	buffer_add_span(&out, text);
	write_all(peer->fd, buffer_span(&out));
	buffer_free(&out);
}

static void say_endlessly(struct peer *peer, const char *start, const char *piece)
{
	say(peer, start);
	while (write_all(peer->fd, span_of(piece)))
		;
}

static void say_number(const struct peer *peer)
{
	char text[32];

	snprintf(text, sizeof text, "request %d", peer->request);
	body(peer, span_of(text));
}

static void say_many(const struct peer *peer)
{
	struct buffer out = {0};

	say(peer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 20000; i++)
		buffer_add_text(&out, "5\r\nhello\r\n");
	buffer_add_text(&out, "0\r\n\r\n");
	write_all(peer->fd, buffer_span(&out));
	buffer_free(&out);
}

static void say_gzip(const struct peer *peer)
{
	/* printf 'hello, hello, hello' | gzip -n */
	static const char gzip[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9"
				   "\xd7\x51\xc8\x40\xa2\x00\x9f"
				   "\xa1\xca\x09\x13\x00\x00\x00";

	say(peer, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 29\r\n\r\n");
	write_all(peer->fd, (struct span){gzip, sizeof gzip - 1});
}

#define HEAD "HTTP/1.1 200 OK\r\n"

static const struct answer {
	const char *path, *text;
	enum { KEEP, CLOSE, WAIT } then;
} answers[] = {
    {"/partial", HEAD "Content-Length: 100\r\n\r\nhello", CLOSE},
    {"/chunked", HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", KEEP},
    {"/trailer", HEAD "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nLate: x\r\n\r\n", KEEP},
    {"/cut", HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", CLOSE},
    {"/misframed", HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n", CLOSE},
    {"/unsized", "HTTP/1.0 200 OK\r\n\r\nall of it", CLOSE},
    {"/idle", HEAD "Content-Length: 100\r\n\r\nhello", WAIT},
    {"/silent", "", WAIT},
    {"/close", "", CLOSE},
    {"/half-head", "HTTP/1.1 200 OK\r\nContent-", CLOSE},
    {"/informational",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" HEAD
     "Content-Length: 2\r\nX-Own: yes\r\n\r\nok",
     KEEP},
    {"/limit",
     "HTTP/1.1 429 Too Many Requests\r\nRetry-After-Ms: 1500\r\nRETRY-AFTER:  7 \r\n"
     "Content-Type: application/json; charset=utf-8\r\nEmpty:\r\nContent-Length: 2\r\n\r\n{}",
     KEEP},
    {"/redirect", "HTTP/1.1 302 Found\r\nLocation: /chunked\r\nContent-Length: 0\r\n\r\n", KEEP},
    {"/nothing", "HTTP/1.1 204 No Content\r\n\r\n", KEEP},
    {"/once", HEAD "Content-Length: 4\r\n\r\nonce", CLOSE},
    {"/other", "SSH-2.0-OpenSSH_9.2\r\nthis is not HTTP\r\n", CLOSE},
};

/* Returns whether the connection is kept. */
static bool answer(struct peer *peer, const char *path)
{
	if (strncmp(path, "http://", 7) == 0) /* we are the proxy */
		path = strchr(path + 7, '/');
	if (strcmp(path, "/number") == 0)
		say_number(peer);
	else if (strcmp(path, "/echo") == 0)
		body(peer, buffer_span(&peer->in));
	else if (strcmp(path, "/many") == 0)
		say_many(peer);
	else if (strcmp(path, "/gzip") == 0)
		say_gzip(peer);
	else if (strcmp(path, "/endless") == 0)
		say_endlessly(peer, HEAD "\r\n", "hello");
	else if (strcmp(path, "/endless-head") == 0)
		say_endlessly(peer, HEAD, "X-Header: is repeated without an end in sight\r\n");
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		if (strcmp(path, answers[i].path) != 0)
			continue;
		say(peer, answers[i].text);
		if (answers[i].then == WAIT)
			until_closed(peer);
		return answers[i].then == KEEP;
	}
	return true;
}

/* Read one request into peer->in; returns its path, which the caller frees, or NULL. */
static char *read_request(struct peer *peer)
{
	size_t want = 0;
	const char *end, *length, *space;

	buffer_clear(&peer->in);
	while ((end = strstr(buffer_string(&peer->in), "\r\n\r\n")) == NULL)
		if (!more(peer) || peer->in.at[0] == 0x16) /* a TLS handshake */
			return NULL;
	length = strstr(peer->in.at, "Content-Length: ");
	want = (size_t)(end + 4 - peer->in.at) +
	       (length != NULL && length < end ? strtoul(length + 16, NULL, 10) : 0);
	while (peer->in.len < want)
		if (!more(peer))
			return NULL;
	buffer_string(&peer->in);
	space = strchr(peer->in.at, ' ');
	return mem_copy((struct span){space + 1, strcspn(space + 1, " ?")});
}

static _Noreturn void serve_connection(int fd)
{
	struct peer peer = {.fd = fd};
	bool keep = true;

	while (keep) {
		char *path = read_request(&peer);

		if (path == NULL)
			break;
		peer.request++;
		keep = answer(&peer, path);
		free(path);
	}
	buffer_free(&peer.in);
	_exit(0);
}

static _Noreturn void serve(int listener)
{
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd >= 0 && fork() == 0)
			serve_connection(fd);
		close(fd);
	}
}

/* ---- the client ---- */

struct exchange {
	struct loop *loop;
	struct http *http;
	struct http_call *call;
	struct buffer log; /* what was called back: head, body, done */
	size_t received;
	bool cancel_in_head, cancel_in_body;
	bool cancelled;
	int late; /* callbacks after that */
	bool ended;
	double asked; /* retry_after */
	struct http_call *other;
};

static char *base; /* http://127.0.0.1:PORT */
static int port;

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
	return (struct http_handler){exchange, on_head, on_body, on_done};
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

/* Run one exchange; what happened must be `want`, in which @ stands for the server's address. */
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
	test_answer("/partial", "head 200; body of 200: hello; done broken (the answer of @ broke "
				"off: transfer closed with 95 bytes remaining to read)");
	test_answer("/cut", "head 200; body of 200: abc; done broken (the answer of @ broke off: "
			    "transfer closed with outstanding read data remaining)");
	test_answer("/misframed", "head 200; body of 200: abc; done broken (the answer of @ broke "
				  "off: Illegal or missing hexadecimal sequence in "
				  "chunked-encoding)");
}

static void test_no_answer(void)
{
	test_answer("/close?key=secret", "done unreachable without head (@ closed the connection "
					 "without an answer)");
	test_answer("/half-head",
		    "done unreachable without head (@ closed the connection without an answer)");
	test_answer("/other", "done unreachable without head (@ does not answer in HTTP) for good");
	test_answer("/endless-head", "done unreachable without head (cannot use the answer of @: "
				     "its head is too long) for good");
	test_answer(
	    "ftp://u:secret@localhost/x?key=secret",
	    "done unreachable without head (cannot use the URL: Protocol \"ftp\" not supported or "
	    "disabled in libcurl) for good");
	test_answer("http://u:secret@[::1/x?key=secret",
		    "done unreachable without head (cannot use the URL: URL using bad/illegal "
		    "format or missing URL) for good");
	test_answer("http://u:secret@localhost:99999/?key=secret",
		    "done unreachable without head (cannot use the URL: URL using bad/illegal "
		    "format or missing URL) for good");
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
		      "head 200; body of 200: hello; done timeout (@ did not complete its answer "
		      "within 1 seconds)");
	close_client(&exchange);
}

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
	struct http_handler handler = {crowd, NULL, crowd_body, crowd_done};

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

/* The connection that is kept has been closed by the server meanwhile. */
static void test_stale_connection(void)
{
	struct exchange exchange = open_client();

	for (int i = 0; i < 3; i++)
		exchange_with(&exchange, "/once", &usual,
			      "head 200; body of 200: once; done complete");
	close_client(&exchange);
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
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct buffer text = {0};
	pid_t server;

	setvbuf(stdout, NULL, _IOLBF, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 100) != 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &size) != 0)
		exit(2);
	port = ntohs(address.sin_port);
	buffer_add_format(&text, "http://127.0.0.1:%d", port);
	base = buffer_take(&text);
	server = fork();
	if (server == 0)
		serve(listener);
	close(listener);
	test_whole_answers();
	test_broken_answers();
	test_no_answer();
	test_refused();
	test_proxy();
	test_proxy_refused();
	test_no_tls();
	test_limits();
	test_keep_alive();
	test_request();
	test_methods();
	test_long_body();
	test_many_chunks();
	test_cancel();
	test_crowd();
	test_stale_connection();
	test_header_value();
	kill(server, SIGTERM);
	waitpid(server, NULL, 0);
	free(base);
	return unit_done();
}
