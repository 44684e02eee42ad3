#define _GNU_SOURCE /* accept4 */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"

int server_listen(struct server *server, int port, struct error *e)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int on = 1;

	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server->listener < 0) {
		error_set(e, "system", "socket: %s", strerror(errno));
		return 0;
	}
	setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(server->listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(server->listener, SOMAXCONN) != 0 ||
	    getsockname(server->listener, (struct sockaddr *)&address, &len) != 0) {
		error_set(e, "system", "127.0.0.1:%d: %s", port, strerror(errno));
		return 0;
	}
	server->epoll = epoll_create1(EPOLL_CLOEXEC);
	server->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	return ntohs(address.sin_port);
}

static bool answers_to(const struct answer *answer, const struct request *request)
{
	if (answer->if_path != NULL && fnmatch(answer->if_path, request->path, 0) != 0)
		return false;
	return answer->if_body == NULL ||
	       (request->body.len > 0 && memmem(request->body.at, request->body.len,
						answer->if_body, strlen(answer->if_body)) != NULL);
}

/* The first unused answer to `request`, else the last one; NULL: none answers to it. */
static struct answer *find_answer(struct server *server, const struct request *request)
{
	struct answer *last = NULL;

	for (int i = 0; i < server->answer_count; i++) {
		struct answer *answer = &server->answers[i];

		if (!answers_to(answer, request))
			continue;
		last = answer;
		if (!answer->used)
			break;
	}
	return last;
}

const struct answer *server_choose(struct server *server, const struct request *request,
				   const char **why)
{
	struct answer *answer = find_answer(server, request);

	if (answer != NULL && answer->used && server->loop) {
		for (int i = 0; i < server->answer_count; i++)
			if (answers_to(&server->answers[i], request))
				server->answers[i].used = false;
		answer = find_answer(server, request);
	}
	*why = answer == NULL ? "no answer for this request" : "script exhausted";
	if (answer == NULL || (answer->used && server->strict))
		return NULL;
	answer->used = true;
	return answer;
}

static void accept_all(struct server *server)
{
	int fd;

	while ((fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
		connection_accept(server, fd);
}

static void run_due(struct server *server)
{
	int64_t now = clock_monotonic();
	struct timer *first;

	/* Not by a fresh clock: what the due ones set anew waits for the next round, so that
	 * streams without a delay take turns. */
	while ((first = timers_first(&server->timers)) != NULL && first->due <= now) {
		timers_clear(&server->timers, first);
		connection_due(first);
	}
}

static void arm_timer(struct server *server, int64_t *armed)
{
	struct timer *first = timers_first(&server->timers);
	struct itimerspec when = {{0, 0}, {0, 0}};

	if ((first != NULL ? first->due : 0) == *armed)
		return;
	*armed = first != NULL ? first->due : 0;
	when.it_value.tv_sec = (time_t)(*armed / 1000000000);
	when.it_value.tv_nsec = (long)(*armed % 1000000000);
	timerfd_settime(server->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

/* Watch a descriptor of the server itself, known by the address of `mark`; connections are known
 * by theirs. */
static bool watch(struct server *server, int fd, void *mark)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = mark};

	return epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* Whether standard input is over; what it says does not matter. */
static bool input_ended(void)
{
	char bytes[512];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));

	return n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
}

/* One event; returns whether the server goes on. */
static bool handle(struct server *server, const struct epoll_event *event)
{
	uint64_t expirations;

	if (event->data.ptr == &server->stdin_mark)
		return !input_ended();
	if (event->data.ptr == &server->listener)
		accept_all(server);
	else if (event->data.ptr != &server->timer)
		connection_ready(event->data.ptr, event->events);
	else if (read(server->timer, &expirations, sizeof(expirations)) < 0)
		return true; /* it was set anew in between */
	return true;
}

void server_run(struct server *server, bool until_eof)
{
	enum { EVENTS = 64 };
	struct epoll_event events[EVENTS];
	bool goes_on = true;
	int64_t armed = 0;

	watch(server, server->listener, &server->listener);
	watch(server, server->timer, &server->timer);
	if (until_eof)
		/* /dev/null cannot be watched: it is over. */
		goes_on = watch(server, STDIN_FILENO, &server->stdin_mark);
	while (goes_on) {
		struct timer *first = timers_first(&server->timers);
		bool is_due = first != NULL && first->due <= clock_monotonic();
		int n;

		if (!is_due)
			arm_timer(server, &armed);
		n = epoll_wait(server->epoll, events, EVENTS, is_due ? 0 : -1);
		for (int i = 0; i < n && goes_on; i++)
			goes_on = handle(server, &events[i]);
		run_due(server);
	}
	while (server->connections != NULL)
		connection_free(server->connections);
	timers_free(&server->timers);
	close(server->listener);
	close(server->epoll);
	close(server->timer);
}
