#include "loop/private.h"

#if !LOOP_EPOLL

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/buffer.h"

struct poller {
	struct pollfd *fds;
	struct loop_fd **watches; /* beside `fds` */
	size_t count;
	size_t turn; /* where the next search for ready ones begins, so that each has its turn */
};

struct poller *poller_new(void)
{
	return mem_zero(sizeof(struct poller));
}

void poller_free(struct poller *poller)
{
	free(poller->fds);
	free(poller->watches);
	free(poller);
}

/* What epoll refuses is refused here as well, so that both behave alike. */
static bool can_watch(const struct poller *poller, int fd)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return false;
	if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) {
		errno = EPERM;
		return false;
	}
	for (size_t i = 0; i < poller->count; i++)
		if (poller->fds[i].fd == fd) {
			errno = EEXIST;
			return false;
		}
	return true;
}

bool poller_add(struct poller *poller, struct loop_fd *watch)
{
	if (!can_watch(poller, watch->fd))
		return false;
	poller->fds = array_grow(poller->fds, poller->count, sizeof(*poller->fds));
	poller->watches = array_grow(poller->watches, poller->count, sizeof(*poller->watches));
	watch->slot = poller->count++;
	poller->watches[watch->slot] = watch;
	poller->fds[watch->slot] = (struct pollfd){.fd = watch->fd};
	poller_change(poller, watch);
	return true;
}

void poller_change(struct poller *poller, struct loop_fd *watch)
{
	int events =
	    (watch->events & LOOP_READ ? POLLIN : 0) | (watch->events & LOOP_WRITE ? POLLOUT : 0);

	poller->fds[watch->slot].events = (short)events;
}

void poller_remove(struct poller *poller, struct loop_fd *watch)
{
	size_t last = --poller->count;

	poller->fds[watch->slot] = poller->fds[last];
	poller->watches[watch->slot] = poller->watches[last];
	poller->watches[watch->slot]->slot = watch->slot;
}

static int ready_events(short events, int watched)
{
	if (events & (POLLERR | POLLHUP | POLLNVAL))
		return LOOP_HANGUP | watched;
	return (events & POLLIN ? LOOP_READ : 0) | (events & POLLOUT ? LOOP_WRITE : 0);
}

int poller_wait(struct poller *poller, int milliseconds, struct loop_ready *ready)
{
	int left = poll(poller->fds, (nfds_t)poller->count, milliseconds);
	int count = 0;

	for (size_t i = 0; i < poller->count && left > 0 && count < LOOP_BATCH; i++) {
		size_t at = (poller->turn + i) % poller->count;

		if (poller->fds[at].revents == 0)
			continue;
		left--;
		ready[count++] = (struct loop_ready){
		    poller->watches[at],
		    ready_events(poller->fds[at].revents, poller->watches[at]->events)};
	}
	poller->turn++;
	return count;
}

#endif
