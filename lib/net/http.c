#include "net/http_private.h"

#include <stdlib.h>

#include "base/clock.h"

/* Easy handles kept for the next call, with their TLS sessions. */
enum { SPARES = 16 };

struct http {
	struct loop *loop;
	CURLM *multi;                    /* NULL until the first call */
	struct loop_timer *timer;        /* when libcurl wants to be called; NULL: not at all */
	bool inside;                     /* libcurl, which must not be entered again */
	bool unsettled;                  /* calls were started or cancelled meanwhile */
	struct loop_timer *resume_timer; /* for paused calls; NULL: there are none */
	struct http_call *calls;
	CURL *spares[SPARES];
	size_t spare_count;
};

struct http_socket {
	struct http *http;
	curl_socket_t fd;
	struct loop_fd *watch;
};

static void enter(struct http *http, curl_socket_t fd, int events);

/* ---- libcurl's sockets and timer on the loop ---- */

static void socket_ready(void *context, int events)
{
	const struct http_socket *socket = context;

	enter(socket->http, socket->fd,
	      (events & LOOP_READ ? CURL_CSELECT_IN : 0) |
		  (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0));
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *known)
{
	struct http_socket *socket = known;
	struct http *http = context;
	int events =
	    (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0);

	(void)easy;
	if (socket != NULL && what != CURL_POLL_REMOVE) {
		loop_fd_change(socket->watch, events);
		return 0;
	}
	if (socket == NULL && what != CURL_POLL_REMOVE) {
		socket = mem_zero(sizeof(*socket));
		*socket = (struct http_socket){.http = http, .fd = fd};
		socket->watch = loop_fd_add(http->loop, fd, events, socket_ready, socket);
		if (socket->watch != NULL) {
			curl_multi_assign(http->multi, fd, socket);
			return 0;
		}
	} else if (socket != NULL) {
		loop_fd_remove(socket->watch);
	}
	free(socket);
	return what == CURL_POLL_REMOVE ? 0 : -1;
}

static void timer_off(void *context);

static int on_timer(CURLM *multi, long milliseconds, void *context)
{
	struct http *http = context;

	(void)multi;
	loop_timer_remove(http->timer);
	http->timer = NULL;
	if (milliseconds >= 0)
		http->timer =
		    loop_timer_add(http->loop, (int64_t)milliseconds * 1000000, timer_off, http);
	return 0;
}

static void timer_off(void *context)
{
	struct http *http = context;
	long left = -1;

	http->timer = NULL;
	enter(http, CURL_SOCKET_TIMEOUT, 0);
	/* libcurl does not ask again for a time that it believes to have asked for. */
	if (http->timer == NULL && curl_multi_timeout(http->multi, &left) == CURLM_OK)
		on_timer(http->multi, left, http);
}

/* ---- the life of a call ---- */

static CURL *take_easy(struct http *http)
{
	CURL *easy;

	if (http->spare_count > 0)
		return http->spares[--http->spare_count];
	easy = curl_easy_init();
	if (easy == NULL)
		die(STATUS_FAILED, "out of memory");
	return easy;
}

/* Take the call out of libcurl and of the client. No callback of libcurl follows. */
static void detach(struct http_call *call)
{
	struct http *http = call->http;

	if (call->added)
		curl_multi_remove_handle(http->multi, call->easy);
	curl_easy_reset(call->easy);
	if (http->spare_count < SPARES)
		http->spares[http->spare_count++] = call->easy;
	else
		curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	loop_timer_remove(call->idle_timer);
	loop_timer_remove(call->total_timer);
	if (call->previous != NULL)
		call->previous->next = call->next;
	else
		http->calls = call->next;
	if (call->next != NULL)
		call->next->previous = call->previous;
}

static void call_free(struct http_call *call)
{
	buffer_free(&call->head_lines);
	free(call);
}

static void drop(struct http_call *call)
{
	detach(call);
	call_free(call);
}

static void finish(struct http_call *call, CURLcode code)
{
	struct buffer message = {0};
	struct http_result result = failure_result(call, code, &message);

	call->ended = true;
	detach(call);
	if (call->handler.done != NULL)
		call->handler.done(call->handler.context, &result);
	buffer_free(&message);
	call_free(call);
}

/* End a call that has taken too long. */
static void finish_late(struct http_call *call, enum http_outcome outcome)
{
	call->late = outcome;
	finish(call, CURLE_OPERATION_TIMEDOUT);
}

static void add_to_multi(struct http_call *call)
{
	if (curl_multi_add_handle(call->http->multi, call->easy) != CURLM_OK)
		die(STATUS_FAILED, "out of memory");
	call->added = true;
}

/* After libcurl was left: add and drop the calls that callbacks started and cancelled meanwhile,
 * and finish the calls that have ended. */
static void leave(struct http *http)
{
	CURLMsg *message;
	int left;

	http->inside = false;
	for (struct http_call *call = http->unsettled ? http->calls : NULL, *next; call != NULL;
	     call = next) {
		next = call->next;
		if (call->cancelled)
			drop(call);
		else if (!call->added)
			add_to_multi(call);
	}
	http->unsettled = false;
	while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
		CURLcode code = message->data.result;
		void *call = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
		finish(call, code);
	}
}

static void enter(struct http *http, curl_socket_t fd, int events)
{
	int running;

	http->inside = true;
	curl_multi_socket_action(http->multi, fd, events, &running);
	leave(http);
}

/* ---- what libcurl receives ---- */

/* The loop has been released. libcurl delivers at once what it has kept of a paused response, and
 * the call may be paused again meanwhile. */
static void resume(void *context)
{
	struct http *http = context;

	http->resume_timer = NULL;
	http->inside = true;
	for (struct http_call *call = http->calls; call != NULL; call = call->next) {
		if (!call->paused)
			continue;
		call->paused = false;
		curl_easy_pause(call->easy, CURLPAUSE_CONT);
	}
	leave(http);
}

/* Let libcurl keep the bytes and stop reading this response. */
static size_t pause_call(struct http_call *call)
{
	struct http *http = call->http;

	call->paused = true;
	if (http->resume_timer == NULL)
		http->resume_timer = loop_source_timer_add(http->loop, 0, resume, http);
	return CURL_WRITEFUNC_PAUSE;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
	struct http_call *call = context;
	bool was_complete = call->head.status != 0;

	(void)size; /* 1 */
	if (call->cancelled || !head_add_line(call, (struct span){bytes, count}))
		return 0;
	if (!was_complete && call->head.status != 0) {
		if (call->handler.head != NULL)
			call->handler.head(call->handler.context, &call->head);
		call->last_progress = loop_source_time(call->http->loop);
	}
	return call->cancelled ? 0 : count;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct http_call *call = context;

	(void)size; /* 1 */
	if (call->cancelled)
		return 0;
	if (loop_is_held(call->http->loop))
		return pause_call(call);
	if (call->handler.body != NULL)
		call->handler.body(call->handler.context, &call->head, (struct span){bytes, count});
	if (call->cancelled)
		return 0;
	if (call->handler.is_progress == NULL || call->handler.is_progress(call->handler.context))
		call->last_progress = loop_source_time(call->http->loop);
	return count;
}

/* ---- limits ---- */

static void total_off(void *context)
{
	struct http_call *call = context;

	call->total_timer = NULL;
	finish_late(call, HTTP_TIMEOUT);
}

/* Waiting for a response begins when the connection is established. */
static int64_t waiting_since(const struct http_call *call, int64_t now)
{
	curl_off_t connected = 0;

	if (call->last_progress > 0)
		return call->last_progress;
	curl_easy_getinfo(call->easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
	return connected > 0 ? call->started + (int64_t)connected * 1000 : now;
}

/* Progress only stores the time; the timer compares it when it is due. */
static void idle_off(void *context)
{
	struct http_call *call = context;
	int64_t limit = clock_nanoseconds(call->limits.idle_seconds);
	int64_t now = loop_source_time(call->http->loop);
	int64_t left = waiting_since(call, now) + limit - now;

	call->idle_timer = NULL;
	if (left > 0)
		call->idle_timer = loop_source_timer_add(call->http->loop, left, idle_off, call);
	else
		finish_late(call, HTTP_IDLE);
}

/* ---- starting ---- */

static void set_callbacks(struct http_call *call)
{
	CURL *easy = call->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->error);
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
}

static void set_limits(struct http_call *call)
{
	struct loop *loop = call->http->loop;
	int64_t idle = clock_nanoseconds(call->limits.idle_seconds);
	int64_t total = clock_nanoseconds(call->limits.total_seconds);

	if (idle > 0)
		call->idle_timer = loop_source_timer_add(loop, idle, idle_off, call);
	if (total > 0)
		call->total_timer = loop_timer_add(loop, total, total_off, call);
}

static void prepare(struct http *http)
{
	if (http->multi != NULL)
		return;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		die(STATUS_FAILED, "cannot initialise libcurl");
	http->multi = curl_multi_init();
	if (http->multi == NULL)
		die(STATUS_FAILED, "out of memory");
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
}

struct http_call *http_start(struct http *http, const struct http_request *request,
			     const struct http_limits *limits, const struct http_handler *handler)
{
	struct http_call *call = mem_zero(sizeof(*call));

	prepare(http);
	*call = (struct http_call){.http = http,
				   .request = request,
				   .limits = *limits,
				   .handler = *handler,
				   .easy = take_easy(http),
				   .started = loop_source_time(http->loop),
				   .next = http->calls};
	if (call->next != NULL)
		call->next->previous = call;
	http->calls = call;
	options_set(call);
	set_callbacks(call);
	set_limits(call);
	if (http->inside)
		http->unsettled = true;
	else
		add_to_multi(call);
	return call;
}

void http_cancel(struct http_call *call)
{
	if (call == NULL || call->ended || call->cancelled)
		return;
	if (!call->http->inside) {
		drop(call);
		return;
	}
	call->cancelled = true;
	call->http->unsettled = true;
}

struct http *http_new(struct loop *loop)
{
	struct http *http = mem_zero(sizeof(*http));

	http->loop = loop;
	return http;
}

void http_free(struct http *http)
{
	if (http == NULL)
		return;
	for (struct http_call *call = http->calls, *next; call != NULL; call = next) {
		next = call->next;
		drop(call);
	}
	while (http->spare_count > 0)
		curl_easy_cleanup(http->spares[--http->spare_count]);
	if (http->multi != NULL) {
		curl_multi_cleanup(http->multi);
		curl_global_cleanup();
	}
	loop_timer_remove(http->timer);
	loop_timer_remove(http->resume_timer);
	free(http);
}
