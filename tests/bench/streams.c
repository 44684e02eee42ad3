/*
 * streams URL COUNT
 *
 * The least that a program on libcurl can do with many streams: COUNT answers at once in one
 * process, by curl_multi_socket_action and epoll, their bytes counted. Prints the count.
 */
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/error.h"

enum { EVENTS = 64 };

static const char body[] = "{\"model\":\"test-model\",\"stream\":true,"
			   "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";

struct streams {
	CURLM *multi;
	int epoll;
	long timeout; /* milliseconds; -1: none */
	int running;
	size_t total;
};

static size_t count_bytes(char *bytes, size_t size, size_t n, void *total)
{
	(void)bytes;
	*(size_t *)total += size * n;
	return size * n;
}

static int watch(CURL *curl, curl_socket_t fd, int what, void *context, void *known)
{
	struct streams *s = context;
	struct epoll_event event = {.data.fd = fd};

	(void)curl;
	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(s->epoll, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	event.events = ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) |
		       ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U);
	epoll_ctl(s->epoll, known == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
	curl_multi_assign(s->multi, fd, s);
	return 0;
}

static int set_timeout(CURLM *multi, long milliseconds, void *context)
{
	struct streams *s = context;

	(void)multi;
	s->timeout = milliseconds;
	return 0;
}

static void add_stream(struct streams *s, const char *url, struct curl_slist *headers)
{
	CURL *curl = curl_easy_init();

	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, count_bytes);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &s->total);
	curl_multi_add_handle(s->multi, curl);
}

static void turn(struct streams *s)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(s->epoll, events, EVENTS, (int)s->timeout);

	if (n < 0 && errno != EINTR)
		die(STATUS_FAILED, "epoll_wait: %s", strerror(errno));
	for (int i = 0; i < n; i++)
		curl_multi_socket_action(
		    s->multi, events[i].data.fd,
		    ((events[i].events & (EPOLLIN | EPOLLHUP)) != 0 ? CURL_CSELECT_IN : 0) |
			((events[i].events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
			((events[i].events & EPOLLERR) != 0 ? CURL_CSELECT_ERR : 0),
		    &s->running);
	if (n <= 0)
		curl_multi_socket_action(s->multi, CURL_SOCKET_TIMEOUT, 0, &s->running);
}

/* Free what has ended; a failure ends the program. */
static void clean_up(struct streams *s)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(s->multi, &left)) != NULL) {
		CURL *curl = message->easy_handle;

		if (message->data.result != CURLE_OK)
			die(STATUS_FAILED, "%s", curl_easy_strerror(message->data.result));
		curl_multi_remove_handle(s->multi, curl);
		curl_easy_cleanup(curl);
	}
}

int main(int argc, char **argv)
{
	struct streams s = {.timeout = -1};
	struct curl_slist *headers;
	long count = argc == 3 ? strtol(argv[2], NULL, 10) : 0;

	if (count <= 0)
		die(STATUS_USAGE, "usage: streams URL COUNT");
	curl_global_init(CURL_GLOBAL_DEFAULT);
	headers = curl_slist_append(NULL, "Content-Type: application/json");
	s.multi = curl_multi_init();
	s.epoll = epoll_create1(EPOLL_CLOEXEC);
	curl_multi_setopt(s.multi, CURLMOPT_SOCKETFUNCTION, watch);
	curl_multi_setopt(s.multi, CURLMOPT_SOCKETDATA, &s);
	curl_multi_setopt(s.multi, CURLMOPT_TIMERFUNCTION, set_timeout);
	curl_multi_setopt(s.multi, CURLMOPT_TIMERDATA, &s);
	for (long i = 0; i < count; i++)
		add_stream(&s, argv[1], headers);
	curl_multi_socket_action(s.multi, CURL_SOCKET_TIMEOUT, 0, &s.running);
	while (s.running > 0) {
		turn(&s);
		clean_up(&s);
	}
	clean_up(&s);
	printf("%zu\n", s.total);
	curl_multi_cleanup(s.multi);
	curl_slist_free_all(headers);
	return STATUS_OK;
}
