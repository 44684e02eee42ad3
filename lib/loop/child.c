#define _DEFAULT_SOURCE /* syscall */
#include "loop/private.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__linux__) && !defined(LOOP_NO_PIDFD)
#include <sys/syscall.h>
#endif

#include "base/buffer.h"

/* What is reported of a child that somebody else has waited for: nobody knows how it ended. */
enum { STATUS_UNKNOWN = 127 << 8 };

/* With SIGCHLD ignored, as some parents leave it to us, the kernel throws the status of children
 * away. */
void children_default(void)
{
	struct sigaction action;

	if (sigaction(SIGCHLD, NULL, &action) != 0)
		return;
	if (action.sa_handler != SIG_IGN && !(action.sa_flags & SA_NOCLDWAIT))
		return;
	action.sa_handler = SIG_DFL;
	action.sa_flags = 0;
	sigaction(SIGCHLD, &action, NULL);
}

static int open_pidfd(pid_t pid)
{
#if defined(SYS_pidfd_open) && !defined(LOOP_NO_PIDFD)
	return (int)syscall(SYS_pidfd_open, pid, 0); /* is closed on exec */
#else
	(void)pid;
	return -1;
#endif
}

/* Call back if the child has ended. Returns whether it has; it is gone then. */
static bool reap(struct loop_child *child)
{
	void (*ended)(void *context, int wait_status) = child->ended;
	void *context = child->context;
	int status;
	pid_t got = waitpid(child->pid, &status, WNOHANG);

	if (got == 0)
		return false;
	if (got < 0)
		status = STATUS_UNKNOWN;
	loop_child_remove(child);
	ended(context, status);
	return true;
}

static void pidfd_ready(void *context, int events)
{
	(void)events;
	reap(context);
}

struct loop_child *loop_child_add(struct loop *loop, pid_t pid,
				  void (*ended)(void *context, int wait_status), void *context)
{
	struct loop_child *child = mem_zero(sizeof *child);

	*child = (struct loop_child){
	    .loop = loop, .pid = pid, .ended = ended, .context = context, .next = loop->children};
	if (child->next != NULL)
		child->next->previous = child;
	loop->children = child;
	child->pidfd = open_pidfd(pid);
	if (child->pidfd >= 0)
		child->watch = loop_fd_add(loop, child->pidfd, LOOP_READ, pidfd_ready, child);
	if (child->watch == NULL)
		signals_watch_children(loop);
	return child;
}

void loop_child_remove(struct loop_child *child)
{
	if (child == NULL)
		return;
	loop_fd_remove(child->watch);
	if (child->pidfd >= 0)
		close(child->pidfd);
	if (child->previous != NULL)
		child->previous->next = child->next;
	else
		child->loop->children = child->next;
	if (child->next != NULL)
		child->next->previous = child->previous;
	free(child);
}

size_t loop_child_count(const struct loop *loop)
{
	size_t count = 0;

	for (const struct loop_child *child = loop->children; child != NULL; child = child->next)
		count++;
	return count;
}

/* A callback may remove any child, so after each one the search begins anew. */
void children_reap(struct loop *loop)
{
	struct loop_child *child = loop->children;

	while (child != NULL) {
		struct loop_child *next = child->next;

		if (child->watch == NULL && reap(child))
			next = loop->children;
		child = next;
	}
}

void children_free(struct loop *loop)
{
	while (loop->children != NULL)
		loop_child_remove(loop->children);
}
