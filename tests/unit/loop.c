/* loop: descriptors, timers, children and signals, with callbacks that change what is watched. */
#define _DEFAULT_SOURCE /* usleep */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "loop/loop.h"

enum { MILLISECOND = 1000000 };

struct world {
	struct loop *loop;
	struct buffer log; /* what happened, in order */
	int left;          /* how many more things to wait for */
	struct loop_fd *watches[2];
	struct loop_timer *timer;
	int fd;
	int waits;
};

static void happened(struct world *world, const char *what)
{
	buffer_add_text(&world->log, what);
	buffer_add_char(&world->log, ' ');
	if (--world->left <= 0)
		loop_stop(world->loop);
}

static struct world begin(int left)
{
	return (struct world){.loop = loop_new(), .left = left};
}

static void end(struct world *world, const char *want, const char *name)
{
	unit_same(buffer_span(&world->log), span_of(want), name);
	loop_free(world->loop);
	buffer_free(&world->log);
}

static void give_up(void *context)
{
	struct world *world = context;

	world->left = 1;
	happened(world, "too-late");
}

/* ---- descriptors ---- */

static void read_some(void *context, int events)
{
	struct world *world = context;
	char text[16];
	ssize_t count = read(world->fd, text, sizeof text - 1);

	text[count > 0 ? count : 0] = '\0';
	if (events & LOOP_HANGUP)
		happened(world, "hangup");
	happened(world, count > 0 ? text : "end");
}

static void test_pipe(void)
{
	struct world world = begin(1);
	int ends[2];

	if (pipe(ends) != 0)
		exit(2);
	world.fd = ends[0];
	world.watches[0] = loop_fd_add(world.loop, ends[0], LOOP_READ, read_some, &world);
	unit_ok(loop_fd_add(world.loop, ends[0], LOOP_READ, read_some, &world) == NULL &&
		    errno == EEXIST,
		"a descriptor is watched once");
	write_all(ends[1], SPAN("one"));
	loop_run(world.loop);
	write_all(ends[1], SPAN("two"));
	close(ends[1]);
	world.left = 4;
	loop_run(world.loop);
	loop_fd_remove(world.watches[0]);
	close(ends[0]);
	end(&world, "one hangup two hangup end ", "a pipe is read to its end after a hangup");
}

static void reader_gone(void *context, int events)
{
	struct world *world = context;

	loop_fd_remove(world->watches[0]);
	happened(world, events == LOOP_HANGUP ? "reader-gone" : "other");
}

static void test_reader_gone(void)
{
	struct world world = begin(1);
	int ends[2];

	if (pipe(ends) != 0)
		exit(2);
	world.watches[0] = loop_fd_add(world.loop, ends[1], 0, reader_gone, &world);
	close(ends[0]);
	loop_run(world.loop);
	close(ends[1]);
	end(&world, "reader-gone ", "a watch without events tells that a pipe's reader is gone");
}

static void remove_both(void *context, int events)
{
	struct world *world = context;

	(void)events;
	for (int i = 0; i < 2; i++) {
		loop_fd_remove(world->watches[i]);
		world->watches[i] = NULL;
	}
	happened(world, "first");
}

static void test_remove_in_batch(void)
{
	struct world world = begin(2);
	int pairs[2][2];

	for (int i = 0; i < 2; i++) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]) != 0)
			exit(2);
		write_all(pairs[i][1], SPAN("x"));
		world.watches[i] =
		    loop_fd_add(world.loop, pairs[i][0], LOOP_READ, remove_both, &world);
	}
	loop_timer_add(world.loop, MILLISECOND, give_up, &world);
	loop_run(world.loop);
	for (int i = 0; i < 2; i++) {
		close(pairs[i][0]);
		close(pairs[i][1]);
	}
	end(&world, "first too-late ", "a watch removed in the batch is not called any more");
}

static void change_other(void *context, int events)
{
	struct world *world = context;

	(void)events;
	loop_fd_change(world->watches[0], 0);
	loop_fd_change(world->watches[1], 0);
	happened(world, "first");
}

static void test_change_in_batch(void)
{
	struct world world = begin(2);
	int pairs[2][2];

	for (int i = 0; i < 2; i++) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]) != 0)
			exit(2);
		world.watches[i] =
		    loop_fd_add(world.loop, pairs[i][0], LOOP_WRITE, change_other, &world);
	}
	loop_timer_add(world.loop, MILLISECOND, give_up, &world);
	loop_run(world.loop);
	end(&world, "first too-late ", "a direction given up in the batch is not reported");
	for (int i = 0; i < 2; i++) {
		close(pairs[i][0]);
		close(pairs[i][1]);
	}
}

static void test_regular_file(void)
{
	struct loop *loop = loop_new();
	int fd = open("Makefile", O_RDONLY);

	unit_ok(loop_fd_add(loop, fd, LOOP_READ, read_some, NULL) == NULL && errno == EPERM,
		"a regular file cannot be watched");
	close(fd);
	loop_free(loop);
}

/* ---- sources ---- */

static void source_fired(void *context)
{
	happened(context, "source-timer");
}

static void other_fired(void *context)
{
	happened(context, "timer");
}

static void count_wait(void *context)
{
	((struct world *)context)->waits++;
}

static void release_loop(void *context)
{
	struct world *world = context;

	happened(world, "released");
	loop_hold(world->loop, false);
}

/* The writer has left, too: a pipe that is ready for good must not keep the loop busy. */
static void test_hold(void)
{
	struct world world = begin(5);
	int64_t before, start = clock_monotonic();
	int ends[2];

	if (pipe(ends) != 0)
		exit(2);
	world.fd = ends[0];
	write_all(ends[1], SPAN("one"));
	close(ends[1]);
	world.watches[0] =
	    loop_fd_add(world.loop, ends[0], LOOP_READ | LOOP_SOURCE, read_some, &world);
	loop_hold(world.loop, true);
	before = loop_source_time(world.loop);
	loop_source_timer_add(world.loop, 0, source_fired, &world);
	loop_timer_add(world.loop, 10 * MILLISECOND, other_fired, &world);
	loop_timer_add(world.loop, 300 * MILLISECOND, release_loop, &world);
	loop_before_wait(world.loop, count_wait, &world);
	loop_run(world.loop);
	unit_ok(world.waits < 50, "a held loop sleeps");
	unit_ok(loop_source_time(world.loop) - before <
		    clock_monotonic() - start - 250 * MILLISECOND,
		"the time of sources stands still meanwhile");
	loop_fd_remove(world.watches[0]);
	close(ends[0]);
	end(&world, "timer released source-timer hangup one ",
	    "sources wait while the loop is held, other timers do not");
}

static void test_remove_held(void)
{
	struct world world = begin(1);
	struct loop_timer *timer;
	int ends[2];

	if (pipe(ends) != 0)
		exit(2);
	write_all(ends[1], SPAN("one"));
	world.watches[0] =
	    loop_fd_add(world.loop, ends[0], LOOP_READ | LOOP_SOURCE, read_some, &world);
	loop_hold(world.loop, true);
	timer = loop_source_timer_add(world.loop, 0, source_fired, &world);
	loop_timer_add(world.loop, 10 * MILLISECOND, other_fired, &world);
	loop_run(world.loop);
	loop_timer_remove(timer);
	loop_fd_remove(world.watches[0]);
	loop_hold(world.loop, false);
	world.left = 1;
	loop_timer_add(world.loop, MILLISECOND, other_fired, &world);
	loop_run(world.loop);
	close(ends[0]);
	close(ends[1]);
	end(&world, "timer timer ", "held sources can be removed");
}

/* ---- timers ---- */

enum { MANY = 10000 };

struct mark {
	struct world *world;
	int number;
	int64_t due_from, due_to; /* its due time lies between */
};

static struct {
	int64_t last_from;
	int count, wrong;
} order;

static void note_order(void *context)
{
	struct mark *mark = context;

	order.wrong += mark->due_to < order.last_from;
	order.last_from = mark->due_from;
	order.count++;
	happened(mark->world, "");
}

static void test_many_timers(void)
{
	struct world world = begin(MANY / 2);
	struct mark *marks = mem_zero(MANY * sizeof *marks);
	struct loop_timer **timers = mem_zero(MANY * sizeof(struct loop_timer *));
	unsigned random = 1;

	for (int i = 0; i < MANY; i++) {
		int64_t delay;

		random = random * 1103515245 + 12345;
		delay = (int64_t)(random >> 16) % 50 * MILLISECOND;
		marks[i] = (struct mark){&world, i, clock_monotonic() + delay, 0};
		timers[i] = loop_timer_add(world.loop, delay, note_order, &marks[i]);
		marks[i].due_to = clock_monotonic() + delay;
	}
	for (int i = 0; i < MANY; i += 2)
		loop_timer_remove(timers[i]);
	loop_run(world.loop);
	unit_ok(order.count == MANY / 2, "of %d timers the half not removed was called", MANY);
	unit_ok(order.wrong == 0, "timers are called in order");
	loop_free(world.loop);
	buffer_free(&world.log);
	free(marks);
	free(timers);
}

static void note_number(void *context)
{
	struct mark *mark = context;
	char text[2] = {(char)('0' + mark->number), '\0'};

	happened(mark->world, text);
}

static void test_same_time(void)
{
	struct world world = begin(10);
	struct mark marks[10];

	for (int i = 0; i < 10; i++) {
		marks[i] = (struct mark){.world = &world, .number = i};
		loop_timer_add(world.loop, -i, note_number, &marks[i]);
	}
	loop_run(world.loop);
	end(&world, "0 1 2 3 4 5 6 7 8 9 ", "timers without delay are called in the order added");
}

static void remove_timer(void *context)
{
	struct world *world = context;

	loop_timer_remove(world->timer);
	happened(world, "remover");
}

static void test_remove_due_timer(void)
{
	struct world world = begin(2);

	loop_timer_add(world.loop, 0, remove_timer, &world);
	world.timer = loop_timer_add(world.loop, 0, give_up, &world);
	loop_timer_add(world.loop, MILLISECOND, give_up, &world);
	loop_run(world.loop);
	end(&world, "remover too-late ", "a due timer can be removed by another");
}

static void again(void *context)
{
	struct world *world = context;

	loop_timer_add(world->loop, 0, again, world);
	happened(world, "again");
}

static void readable(void *context, int events)
{
	struct world *world = context;

	(void)events;
	world->left = 1;
	happened(world, "fd");
}

static void test_no_starving(void)
{
	struct world world = begin(1000);
	int ends[2];

	if (pipe(ends) != 0)
		exit(2);
	write_all(ends[1], SPAN("x"));
	loop_timer_add(world.loop, 0, again, &world);
	loop_timer_add(world.loop, 0, again, &world);
	loop_fd_add(world.loop, ends[0], LOOP_READ, readable, &world);
	loop_run(world.loop);
	end(&world, "fd ", "timers that add themselves again do not starve descriptors");
	close(ends[0]);
	close(ends[1]);
}

static void stop_twice(void *context)
{
	struct world *world = context;

	happened(world, "wait");
}

static void test_before_wait(void)
{
	struct world world = begin(1);

	loop_before_wait(world.loop, stop_twice, &world);
	loop_run(world.loop);
	end(&world, "wait ", "before_wait is called before the first wait and may stop the loop");
}

static void test_stopped_before(void)
{
	struct world world = begin(1);

	loop_stop(world.loop);
	loop_run(world.loop);
	loop_timer_add(world.loop, 0, give_up, &world);
	loop_run(world.loop);
	end(&world, "too-late ", "a stop before the run ends it, once");
}

/* ---- children ---- */

static pid_t spawn(int status)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(status);
	return pid;
}

static void ended(void *context, int status)
{
	struct world *world = context;
	char text[16];

	snprintf(text, sizeof text, "%d", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	happened(world, text);
}

static void killed(void *context, int status)
{
	happened(context, WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? "killed" : "?");
}

static void test_children(void)
{
	struct world world = begin(1);
	pid_t pid;

	loop_child_add(world.loop, spawn(3), ended, &world);
	loop_run(world.loop);
	pid = spawn(4);
	usleep(20000);
	world.left = 1;
	loop_child_add(world.loop, pid, ended, &world);
	loop_run(world.loop);
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	world.left = 1;
	loop_child_add(world.loop, pid, killed, &world);
	kill(pid, SIGKILL);
	loop_run(world.loop);
	end(&world, "3 4 killed ", "children are reported, also those that ended before");
}

static void test_many_children(void)
{
	struct world world = begin(50);

	for (int i = 0; i < 50; i++)
		loop_child_add(world.loop, spawn(7), ended, &world);
	loop_run(world.loop);
	unit_ok(world.left == 0 && world.log.len == 100, "fifty children are all reported");
	loop_free(world.loop);
	buffer_free(&world.log);
}

static struct loop_child *siblings[2];

static void remove_sibling(void *context, int status)
{
	struct world *world = context;

	/* Whichever is first removes the other; its own entry is freed already. */
	loop_child_remove(status == 1 << 8 ? siblings[1] : siblings[0]);
	happened(world, "one");
}

static void test_remove_child(void)
{
	struct world world = begin(2);
	pid_t pids[2] = {spawn(1), spawn(2)};

	usleep(20000);
	for (int i = 0; i < 2; i++)
		siblings[i] = loop_child_add(world.loop, pids[i], remove_sibling, &world);
	loop_timer_add(world.loop, 20 * (int64_t)MILLISECOND, give_up, &world);
	loop_run(world.loop);
	while (waitpid(-1, NULL, 0) > 0)
		;
	end(&world, "one too-late ", "a child's callback may remove another child");
}

static void test_ignored_sigchld(void)
{
	struct world world;

	signal(SIGCHLD, SIG_IGN);
	world = begin(1);
	loop_child_add(world.loop, spawn(9), ended, &world);
	loop_run(world.loop);
	end(&world, "9 ", "a child's status is known although SIGCHLD was inherited as ignored");
}

static void test_blocked_sigchld(void)
{
	struct world world = begin(1);
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	loop_child_add(world.loop, spawn(8), ended, &world);
	loop_run(world.loop);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	end(&world, "8 ", "a child is reported although SIGCHLD was inherited as blocked");
}

static void test_stolen_child(void)
{
	struct world world = begin(1);
	pid_t pid = spawn(5);

	loop_child_add(world.loop, pid, ended, &world);
	waitpid(pid, NULL, 0);
	loop_run(world.loop);
	end(&world, "127 ", "a child that somebody else reaped counts as 127");
}

/* ---- signals ---- */

static void caught(void *context, int signal)
{
	char text[16];

	snprintf(text, sizeof text, "%s",
		 signal == SIGINT    ? "INT"
		 : signal == SIGTERM ? "TERM"
				     : "HUP");
	happened(context, text);
}

static void test_signals(void)
{
	struct world world = begin(2);
	int ends[2];
	char byte;

	signal(SIGINT, SIG_DFL); /* the background jobs of a script ignore it */
	loop_catch_signals(world.loop, caught, &world);
	raise(SIGTERM);
	raise(SIGINT);
	loop_run(world.loop);
	if (pipe(ends) != 0)
		exit(2);
	if (fork() == 0) {
		usleep(50000);
		kill(getppid(), SIGHUP);
		_exit(0);
	}
	unit_ok(read(ends[0], &byte, 1) < 0 && errno == EINTR, "a blocked call returns EINTR");
	world.left = 1;
	loop_run(world.loop);
	while (wait(NULL) > 0)
		;
	close(ends[0]);
	close(ends[1]);
	end(&world, "TERM INT HUP ", "signals are called back in order");
}

static void test_nohup(void)
{
	struct world world;
	struct sigaction action;

	signal(SIGHUP, SIG_IGN);
	world = begin(2);
	loop_catch_signals(world.loop, caught, &world);
	raise(SIGHUP);
	raise(SIGTERM);
	loop_timer_add(world.loop, MILLISECOND, give_up, &world);
	loop_run(world.loop);
	end(&world, "TERM too-late ", "SIGHUP stays ignored under nohup");
	sigaction(SIGTERM, NULL, &action);
	unit_ok(action.sa_handler == SIG_DFL, "signal actions are put back");
	signal(SIGHUP, SIG_DFL);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0); /* nothing is left for forked children to print again */
	test_pipe();
	test_reader_gone();
	test_remove_in_batch();
	test_change_in_batch();
	test_regular_file();
	test_many_timers();
	test_same_time();
	test_remove_due_timer();
	test_no_starving();
	test_before_wait();
	test_stopped_before();
	test_children();
	test_many_children();
	test_remove_child();
	test_ignored_sigchld();
	test_blocked_sigchld();
	test_stolen_child();
	test_hold();
	test_remove_held();
	test_signals();
	test_nohup();
	return unit_done();
}
