#include "loop/private.h"

#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/buffer.h"
#include "base/clock.h"

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
	size_t count = loop->stop_count;

	for (const struct loop_child *child = loop->children; child != NULL; child = child->next)
		count++;
	return count;
}

void loop_kill_children(const struct loop *loop)
{
	for (const struct loop_child *child = loop->children; child != NULL; child = child->next)
		if (kill(-child->pid, SIGKILL) != 0)
			kill(child->pid, SIGKILL);
	descendants_signal(&(struct descendants){.others = loop->strangers}, SIGKILL);
}

static struct loop_child *find_reaped(const struct loop *loop)
{
	struct loop_child *child = loop->children;

	while (child != NULL && !child->reaped)
		child = child->next;
	return child;
}

/* Reap adopted children. A watched one may have ended meanwhile. */
static void reap_orphans(struct loop *loop)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (struct loop_child *child = loop->children; child != NULL; child = child->next)
			if (child->pid == pid) {
				child->status = status;
				child->reaped = true;
			}
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
	if (loop->adopts)
		reap_orphans(loop);
	while (!loop->stopped && (child = find_reaped(loop)) != NULL) {
		struct loop_child copy = *child;

		remove_child(loop, child);
		copy.ended(copy.context, copy.status);
	}
	if (loop->stopped)
		loop->reap = true; /* for the next loop_run */
}

/* ---- orphans ---- */

void loop_adopt_orphans(struct loop *loop)
{
	loop->adopts = prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0;
	descendants_children(&loop->strangers);
}

struct orphan_stop {
	struct loop *loop;
	char *variable; /* NULL: all */
	int64_t began;  /* clock_monotonic; 0: not yet */
	int64_t pause;  /* nanoseconds until they are looked for again */
};

/* The children that are no orphans. The caller frees them. */
static struct pids known_children(const struct loop *loop)
{
	struct pids known = {0};

	for (size_t i = 0; i < loop->strangers.count; i++)
		pids_add(&known, loop->strangers.at[i]);
	for (const struct loop_child *child = loop->children; child != NULL; child = child->next)
		pids_add(&known, child->pid);
	return known;
}

static bool has_orphans(const struct loop *loop)
{
	struct pids known = known_children(loop), children = {0};
	bool found = !descendants_children(&children);

	for (size_t i = 0; i < children.count && !found; i++)
		found = !pids_has(&known, children.at[i]);
	free(known.at);
	free(children.at);
	return found;
}

/* Each process gets TERM once, so stopping all of them waits until others of them are stopped. */
static void stop_orphans(void *context)
{
	enum { FIRST_PAUSE = 2000000, LAST_PAUSE = 100000000 };
	struct orphan_stop *stop = context;
	struct loop *loop = stop->loop;
	struct pids known = known_children(loop);
	const struct descendants which = {.variable = stop->variable, .others = known};
	const int64_t grace = clock_nanoseconds(LOOP_GRACE_SECONDS), now = clock_monotonic();
	bool waits = stop->began == 0 && stop->variable == NULL && loop->stop_count > 1;
	bool begins = stop->began == 0 && !waits;
	int signal = 0;
	size_t count;

	if (begins)
		stop->began = now;
	if (begins)
		signal = SIGTERM;
	else if (!waits && now >= stop->began + grace)
		signal = SIGKILL;
	count = descendants_signal(&which, signal);
	if (count > 0 && (waits || now < stop->began + 2 * grace)) {
		stop->pause = stop->pause == 0 ? FIRST_PAUSE : 2 * stop->pause;
		if (stop->pause > LAST_PAUSE)
			stop->pause = LAST_PAUSE;
		loop_timer_add(loop, stop->pause, stop_orphans, stop);
	} else {
		loop->stop_count--;
		free(stop->variable);
		free(stop);
	}
	free(known.at);
}

void loop_stop_orphans(struct loop *loop, const char *variable)
{
	struct orphan_stop *stop;

	if (!loop->adopts || !has_orphans(loop))
		return;
	stop = mem_zero(sizeof(*stop));
	stop->loop = loop;
	stop->variable = variable != NULL ? mem_copy(span_of(variable)) : NULL;
	loop->stop_count++;
	stop_orphans(stop);
}

void children_free(struct loop *loop)
{
	for (struct loop_child *child = loop->children, *next; child != NULL; child = next) {
		next = child->next;
		free(child);
	}
	free(loop->strangers.at);
}
