#include "loop/private.h"

#if LOOP_EPOLL

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/message.h"

struct poller {
	int fd;
};

struct poller *poller_new(void)
{
	struct poller *poller = mem_zero(sizeof(*poller));

	poller->fd = epoll_create1(EPOLL_CLOEXEC);
	if (poller->fd < 0)
		die(STATUS_FAILED, "cannot make an epoll instance: %s", strerror(errno));
	return poller;
}

void poller_free(struct poller *poller)
{
	close(poller->fd);
	free(poller);
}

static int control(struct poller *poller, int operation, struct loop_fd *watch)
{
	struct epoll_event event = {.data.ptr = watch};

	event.events = (watch->events & LOOP_READ ? EPOLLIN : 0U) |
		       (watch->events & LOOP_WRITE ? EPOLLOUT : 0U);
	return epoll_ctl(poller->fd, operation, watch->fd, &event);
}

bool poller_add(struct poller *poller, struct loop_fd *watch)
{
	return control(poller, EPOLL_CTL_ADD, watch) == 0;
}

void poller_change(struct poller *poller, struct loop_fd *watch)
{
	control(poller, EPOLL_CTL_MOD, watch);
}

void poller_remove(struct poller *poller, struct loop_fd *watch)
{
	control(poller, EPOLL_CTL_DEL, watch);
}

/* After a hangup the watched directions count as ready too: reading shows what is left and then the
 * end, writing shows the error. */
static int ready_events(uint32_t events, int watched)
{
	if (events & (EPOLLERR | EPOLLHUP))
		return LOOP_HANGUP | watched;
	return (events & EPOLLIN ? LOOP_READ : 0) | (events & EPOLLOUT ? LOOP_WRITE : 0);
}

int poller_wait(struct poller *poller, int milliseconds, struct loop_ready *ready)
{
	struct epoll_event events[LOOP_BATCH];
	int count = epoll_wait(poller->fd, events, LOOP_BATCH, milliseconds);

	for (int i = 0; i < count; i++) {
		struct loop_fd *watch = events[i].data.ptr;

		ready[i] =
		    (struct loop_ready){watch, ready_events(events[i].events, watch->events)};
	}
	return count > 0 ? count : 0;
}

#endif
