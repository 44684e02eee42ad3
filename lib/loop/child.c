#define _DEFAULT_SOURCE /* syscall */
#include "loop/private.h"

#include <signal.h>
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

/* Whether the child has ended; stores its status. */
static bool has_ended(struct loop_child *child)
{
	pid_t got = waitpid(child->pid, &child->status, WNOHANG);

	if (got < 0)
		child->status = STATUS_UNKNOWN;
	return got != 0;
}

static void report(void *context)
{
	struct loop_child *child = context;
	struct loop_child copy = *child;

	child->report = NULL;
	loop_child_remove(child);
	copy.ended(copy.context, copy.status);
}

static void pidfd_ready(void *context, int events)
{
	(void)events;
	if (has_ended(context))
		report(context);
}

struct loop_child *loop_child_add(struct loop *loop, pid_t pid,
				  void (*ended)(void *context, int wait_status), void *context)
{
	struct loop_child *child = mem_zero(sizeof(*child));

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

static void release(struct loop_child *child)
{
	loop_timer_remove(child->report);
	loop_fd_remove(child->watch);
	if (child->pidfd >= 0)
		close(child->pidfd);
	free(child);
}

void loop_child_remove(struct loop_child *child)
{
	if (child == NULL)
		return;
	if (child->previous != NULL)
		child->previous->next = child->next;
	else
		child->loop->children = child->next;
	if (child->next != NULL)
		child->next->previous = child->previous;
	release(child);
}

size_t loop_child_count(const struct loop *loop)
{
	size_t count = 0;

	for (const struct loop_child *child = loop->children; child != NULL; child = child->next)
		count++;
	return count;
}

void loop_kill_children(const struct loop *loop)
{
	for (const struct loop_child *child = loop->children; child != NULL; child = child->next)
		if (kill(-child->pid, SIGKILL) != 0)
			kill(child->pid, SIGKILL);
}

/* Reported by timers, because a callback may remove any child of the list. */
void children_reap(struct loop *loop)
{
	for (struct loop_child *child = loop->children; child != NULL; child = child->next)
		if (child->watch == NULL && child->report == NULL && has_ended(child))
			child->report = loop_timer_add(loop, 0, report, child);
}

void children_free(struct loop *loop)
{
	for (struct loop_child *child = loop->children, *next; child != NULL; child = next) {
		next = child->next;
		release(child);
	}
	loop->children = NULL;
}
