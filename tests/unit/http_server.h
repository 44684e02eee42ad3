/*
 * http_server: a server in a process of its own that behaves as the path of the URL says, for the
 * tests of net/http.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* ---- its process ---- */

static char *base; /* http://127.0.0.1:PORT */
static int port;
static pid_t server_pid;

static void server_start(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct buffer text = {0};

	setvbuf(stdout, NULL, _IOLBF, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 100) != 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &size) != 0)
		exit(2);
	port = ntohs(address.sin_port);
	buffer_add_format(&text, "http://127.0.0.1:%d", port);
	base = buffer_take(&text);
	server_pid = fork();
	if (server_pid == 0)
		serve(listener);
	close(listener);
}

static void server_end(void)
{
	kill(server_pid, SIGTERM);
	waitpid(server_pid, NULL, 0);
	free(base);
}

#endif
