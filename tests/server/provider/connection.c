#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "server.h"

struct connection {
	struct timer timer; /* first: connection_due casts */
	struct server *server;
	struct connection *next, **link;
	int fd, number;
	unsigned watched;
	enum {
		READING,    /* a request */
		HEAD_NEXT,  /* the head is sent when the timer is due */
		PIECE_NEXT, /* so is the next piece */
		HANGING,    /* nothing is sent any more */
		CLOSING,    /* our side is shut; the client's close is awaited */
	} state;
	struct request request;
	struct buffer in, out;
	const struct answer *answer;
	struct answer refusal; /* when the script has none */
	size_t next_piece;
	enum framing framing;
	bool keep_alive, bodyless;
	int64_t due;
};

static int64_t nanoseconds(double seconds)
{
	return (int64_t)(seconds * 1e9);
}

static void watch(struct connection *c, unsigned events)
{
	struct epoll_event event = {.events = events, .data.ptr = c};

	if (c->watched != events)
		epoll_ctl(c->server->epoll, EPOLL_CTL_MOD, c->fd, &event);
	c->watched = events;
}

void connection_accept(struct server *server, int fd)
{
	struct connection *c = mem_zero(sizeof(*c));
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c->server = server;
	c->fd = fd;
	c->number = ++server->accepted;
	c->watched = EPOLLIN;
	c->next = server->connections;
	c->link = &server->connections;
	if (c->next != NULL)
		c->next->link = &c->next;
	server->connections = c;
	epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event);
}

static void forget_answer(struct connection *c)
{
	request_free(&c->request);
	answer_free(&c->refusal);
	c->refusal = (struct answer){0};
	c->answer = NULL;
}

void connection_free(struct connection *c)
{
	timers_clear(&c->server->timers, &c->timer);
	close(c->fd);
	*c->link = c->next;
	if (c->next != NULL)
		c->next->link = c->link;
	forget_answer(c);
	buffer_free(&c->in);
	buffer_free(&c->out);
	free(c);
}

/* ---- writing ---- */

/* Send what is waiting. Returns false when the client is gone; the connection is then freed. */
static bool flush(struct connection *c)
{
	while (c->out.len > 0) {
		ssize_t n = send(c->fd, c->out.at, c->out.len, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			watch(c, EPOLLIN | EPOLLOUT);
			return true;
		}
		if (n < 0 && errno != EINTR) {
			connection_free(c);
			return false;
		}
		if (n > 0)
			buffer_drop(&c->out, (size_t)n);
	}
	watch(c, EPOLLIN);
	return true;
}

static const char *reason_of(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
	    {200, "OK"},
	    {202, "Accepted"},
	    {204, "No Content"},
	    {400, "Bad Request"},
	    {401, "Unauthorized"},
	    {403, "Forbidden"},
	    {404, "Not Found"},
	    {408, "Request Timeout"},
	    {409, "Conflict"},
	    {429, "Too Many Requests"},
	    {500, "Internal Server Error"},
	    {502, "Bad Gateway"},
	    {503, "Service Unavailable"},
	    {504, "Gateway Timeout"},
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Status";
}

static void add_head(struct connection *c)
{
	const struct answer *answer = c->answer;
	time_t now = time(NULL);
	struct tm utc;
	char date[64];

	gmtime_r(&now, &utc);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &utc);
	if (answer->early != NULL)
		buffer_add_format(&c->out, "HTTP/1.1 %s\r\nLink: </>; rel=preload\r\n\r\n",
				  answer->early);
	buffer_add_format(&c->out, "HTTP/1.1 %d %s\r\nDate: %s\r\nServer: provider\r\n",
			  answer->status, reason_of(answer->status), date);
	if (answer->type != NULL)
		buffer_add_format(&c->out, "Content-Type: %s\r\n", answer->type);
	buffer_add(&c->out, answer->headers.at, answer->headers.len);
	if (answer->status == 204 || answer->status == 304)
		; /* has no body, and says nothing about one */
	else if (c->framing == FRAMING_CHUNKED)
		buffer_add_text(&c->out, "Transfer-Encoding: chunked\r\n");
	else if (c->framing == FRAMING_LENGTH)
		buffer_add_format(&c->out, "Content-Length: %zu\r\n", answer->claimed_length);
	buffer_add_format(&c->out, "Connection: %s\r\n\r\n",
			  c->keep_alive ? "keep-alive" : "close");
}

/* Replace the marks in what has been appended since `from` by the time. */
static void stamp(struct buffer *out, size_t from)
{
	char digits[STAMP_DIGITS + 1];
	const char *mark;

	snprintf(digits, sizeof(digits), "%0*lld", STAMP_DIGITS, (long long)clock_monotonic());
	while ((mark = strstr(buffer_string(out) + from, STAMP_MARK)) != NULL) {
		from = (size_t)(mark - out->at);
		memcpy(out->at + from, digits, STAMP_DIGITS);
	}
}

static void add_piece(struct connection *c)
{
	const struct answer *answer = c->answer;
	const struct piece *piece = &answer->pieces[c->next_piece];
	size_t begin = c->next_piece > 0 ? piece[-1].end : 0, from = c->out.len;

	if (c->framing == FRAMING_CHUNKED)
		buffer_add_format(&c->out, "%zx\r\n", piece->claimed);
	buffer_add(&c->out, answer->body.at + begin, piece->end - begin);
	if (c->framing == FRAMING_CHUNKED && piece->claimed == piece->end - begin)
		buffer_add_text(&c->out, "\r\n");
	if (answer->stamped)
		stamp(&c->out, from);
	c->next_piece++;
}

/* ---- the end of an answer ---- */

static void read_requests(struct connection *c);

static void shut(struct connection *c)
{
	shutdown(c->fd, SHUT_WR);
	c->state = CLOSING;
}

static void reset(struct connection *c)
{
	struct linger abort = {.l_onoff = 1, .l_linger = 0};

	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
	connection_free(c);
}

static void finish(struct connection *c)
{
	enum ending ending = c->bodyless ? ENDING_WHOLE : c->answer->ending;

	switch (ending) {
	case ENDING_HANG:
		c->state = HANGING;
		flush(c);
		return;
	case ENDING_RST:
		if (flush(c))
			reset(c);
		return;
	case ENDING_CHUNK_HEADER:
		buffer_add_text(&c->out, "1f");
		break;
	case ENDING_FIN:
		break;
	case ENDING_WHOLE:
		if (c->framing == FRAMING_CHUNKED && !c->bodyless)
			buffer_add_text(&c->out, "0\r\n\r\n");
		break;
	}
	if (!flush(c))
		return;
	if (ending != ENDING_WHOLE || !c->keep_alive) {
		if (c->out.len == 0)
			shut(c);
		else
			c->state = CLOSING; /* shut once it is flushed */
		return;
	}
	forget_answer(c);
	c->state = READING;
	read_requests(c);
}

/* ---- playing an answer ---- */

static void play(struct connection *c)
{
	const struct answer *answer = c->answer;
	bool was_head = c->state == HEAD_NEXT;

	if (was_head) {
		add_head(c);
		c->state = PIECE_NEXT;
	} else {
		add_piece(c);
	}
	if (c->bodyless || c->next_piece == answer->piece_count) {
		finish(c);
		return;
	}
	if (!was_head)
		c->due += nanoseconds(answer->delay);
	if (!flush(c) || c->out.len > 0)
		return; /* goes on when the client has read */
	timers_set(&c->server->timers, &c->timer, c->due);
}

void connection_due(struct timer *timer)
{
	play((struct connection *)timer);
}

static void refuse(struct connection *c, int status, const char *why)
{
	struct error ignored = {0};
	struct buffer description = {0};

	buffer_add_format(&description,
			  "status=%d type=application/json close=yes "
			  "text='{\"error\":{\"message\":\"%s\"}}'",
			  status, why);
	answer_parse(&c->refusal, 0, buffer_string(&description), &ignored);
	buffer_free(&description);
	c->answer = &c->refusal;
}

static void begin_answer(struct connection *c)
{
	const struct answer *answer = c->answer;
	bool is_old = c->request.version != NULL && strcmp(c->request.version, "HTTP/1.0") == 0;

	c->framing = answer->framing;
	if (is_old && c->framing == FRAMING_CHUNKED)
		c->framing = FRAMING_CLOSE;
	c->keep_alive = c->request.version != NULL && request_keeps_alive(&c->request) &&
			!answer->close && c->framing != FRAMING_CLOSE;
	c->bodyless = answer->status == 204 || answer->status == 304 ||
		      (c->request.method != NULL && strcmp(c->request.method, "HEAD") == 0);
	c->next_piece = 0;
	if (answer->hang_before_head) {
		c->state = HANGING;
		return;
	}
	c->state = HEAD_NEXT;
	c->due = clock_monotonic() + nanoseconds(answer->wait);
	timers_set(&c->server->timers, &c->timer, c->due);
}

static void log_request(struct connection *c)
{
	struct buffer line = {0};

	c->server->requests++;
	if (c->server->log < 0)
		return;
	request_log(&c->request, c->server->requests, c->number, &line);
	write_all(c->server->log, buffer_span(&line));
	buffer_free(&line);
}

/* Answer the next request if all of it is there. */
static void read_requests(struct connection *c)
{
	const char *why = "bad request";

	if (c->in.len == 0)
		return;
	switch (request_read(&c->request, &c->in)) {
	case REQUEST_NEEDS_MORE:
		return;
	case REQUEST_NEEDS_CONTINUE:
		buffer_add_text(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
		flush(c);
		return;
	case REQUEST_BAD:
		refuse(c, 400, why);
		break;
	case REQUEST_COMPLETE:
		log_request(c);
		c->answer = server_choose(c->server, &c->request, &why);
		if (c->answer == NULL)
			refuse(c, 500, why);
		break;
	}
	begin_answer(c);
}

/* ---- events ---- */

/* Read what has come. Returns false when the client has closed; the connection is then freed. */
static bool receive(struct connection *c)
{
	enum { READ = 65536 };

	for (;;) {
		ssize_t n;

		buffer_reserve(&c->in, READ);
		n = recv(c->fd, c->in.at + c->in.len, READ, 0);
		if (n > 0) {
			c->in.len += (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			return true;
		} else if (n == 0 || errno != EINTR) {
			connection_free(c);
			return false;
		}
	}
}

/* Returns false when the client is gone; the connection is then freed. */
static bool go_on_writing(struct connection *c)
{
	if (!flush(c))
		return false;
	if (c->out.len > 0)
		return true;
	if (c->state == CLOSING)
		shut(c);
	else if (c->state == PIECE_NEXT)
		timers_set(&c->server->timers, &c->timer, c->due);
	return true;
}

void connection_ready(struct connection *c, unsigned events)
{
	if ((events & EPOLLOUT) && !go_on_writing(c))
		return;
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)) || !receive(c))
		return;
	if (c->state == READING)
		read_requests(c);
}
