#include "loop/private.h"

#include <stdlib.h>
#include <sys/wait.h>

#include "base/buffer.h"

/* The status of a child that somebody else has waited for. */
enum { STATUS_UNKNOWN = 127 << 8 };

struct loop_child *loop_child_add(struct loop *loop, pid_t pid,
				  void (*ended)(void *context, int wait_status), void *context)
{
	struct loop_child *child = mem_zero(sizeof(*child));

	*child = (struct loop_child){
	    .loop = loop, .pid = pid, .ended = ended, .context = context, .next = loop->children};
	loop->children = child;
	signals_watch_children(loop);
	loop->reap = true; /* it may have ended before SIGCHLD was watched */
	return child;
}

static void remove_child(struct loop *loop, struct loop_child *child)
{
	struct loop_child **link = &loop->children;

	while (*link != child)
		link = &(*link)->next;
	*link = child->next;
	free(child);
}

void loop_child_remove(struct loop_child *child)
{
	if (child != NULL)
		remove_child(child->loop, child);
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

static struct loop_child *find_reaped(const struct loop *loop)
{
	struct loop_child *child = loop->children;

	while (child != NULL && !child->reaped)
		child = child->next;
	return child;
}

/* Callbacks may add and remove any child, so the list is searched anew after each. */
void children_reap(struct loop *loop)
{
	struct loop_child *child;

	if (!loop->reap)
		return;
	loop->reap = false;
	for (child = loop->children; child != NULL; child = child->next) {
		pid_t pid = child->reaped ? 0 : waitpid(child->pid, &child->status, WNOHANG);

		if (pid < 0)
			child->status = STATUS_UNKNOWN;
		child->reaped = child->reaped || pid != 0;
	}
	while (!loop->stopped && (child = find_reaped(loop)) != NULL) {
		struct loop_child copy = *child;

		remove_child(loop, child);
		copy.ended(copy.context, copy.status);
	}
	if (loop->stopped)
		loop->reap = true; /* for the next loop_run */
}

void children_free(struct loop *loop)
{
	for (struct loop_child *child = loop->children, *next; child != NULL; child = next) {
		next = child->next;
		free(child);
	}
}
