/* terminal: run a program at a pseudo terminal, and type what a person would. */
#define _XOPEN_SOURCE   700
#define _DEFAULT_SOURCE /* TIOCSCTTY */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"

static const char help[] =
    "usage: terminal [--background] [--slow] [--screen FILE] [WAIT TYPE] ... -- COMMAND ...\n"
    "Run COMMAND in a session of its own at a new terminal, which is its standard input and "
    "standard error.\n"
    "When the text WAIT appears on the screen (after the one before), TYPE is typed.\n"
    "--screen writes what was on the screen to FILE; --background: another job has the "
    "terminal;\n"
    "--slow thinks for a moment before typing.\n"
    "Exit status: COMMAND's; 98 when it left the terminal in another state, 99 when a WAIT did not "
    "come.\n";

enum { STATE_CHANGED = 98, NOT_SEEN = 99 };

struct terminal {
	int master, slave;
	struct termios settings;
	char **steps; /* pairs of WAIT and TYPE */
	int step_count, step;
	struct buffer screen;
	size_t seen; /* of the screen, by the steps that are done */
	const char *screen_file;
	bool background, slow;
};

static void open_terminal(struct terminal *t)
{
	t->master = posix_openpt(O_RDWR | O_NOCTTY);
	if (t->master < 0 || grantpt(t->master) != 0 || unlockpt(t->master) != 0)
		die(2, "no pseudo terminal: %s", strerror(errno));
	t->slave = open(ptsname(t->master), O_RDWR | O_NOCTTY);
	if (t->slave < 0 || setsid() < 0 || ioctl(t->slave, TIOCSCTTY, 0) != 0 ||
	    tcgetattr(t->slave, &t->settings) != 0)
		die(2, "no pseudo terminal: %s", strerror(errno));
	fcntl(t->master, F_SETFD, FD_CLOEXEC);
}

/* The program, in a process group that has the terminal unless it is to be in the background. */
static pid_t start(const struct terminal *t, char **command)
{
	pid_t child = fork();

	if (child < 0)
		die(2, "no process: %s", strerror(errno));
	signal(SIGTTOU, SIG_IGN);
	setpgid(child, child);
	if (!t->background)
		tcsetpgrp(t->slave, child == 0 ? getpid() : child);
	if (child != 0)
		return child;
	signal(SIGTTOU, SIG_DFL);
	dup2(t->slave, STDIN_FILENO);
	dup2(t->slave, STDERR_FILENO);
	close(t->slave);
	execvp(command[0], command);
	_exit(127);
}

static const char *find(struct span text, const char *needle)
{
	for (size_t i = 0; i + strlen(needle) <= text.len; i++)
		if (memcmp(text.at + i, needle, strlen(needle)) == 0)
			return text.at + i;
	return NULL;
}

static void type(struct terminal *t)
{
	while (t->step + 1 < t->step_count) {
		struct span rest = span_from(buffer_span(&t->screen), t->seen);
		const char *found = find(rest, t->steps[t->step]);

		if (found == NULL)
			return;
		t->seen += (size_t)(found - rest.at) + strlen(t->steps[t->step]);
		if (t->slow)
			poll(NULL, 0, 300);
		write_all(t->master, span_of(t->steps[t->step + 1]));
		t->step += 2;
	}
}

/* Take what is on the screen now; waits for it for a moment. */
static void look(struct terminal *t, int milliseconds)
{
	struct pollfd ready = {.fd = t->master, .events = POLLIN};
	char bytes[4096];
	ssize_t got;

	while (poll(&ready, 1, milliseconds) > 0 && (ready.revents & POLLIN) != 0) {
		got = read(t->master, bytes, sizeof bytes);
		if (got <= 0)
			return;
		buffer_add(&t->screen, bytes, (size_t)got);
		type(t);
	}
}

static bool is_unchanged(const struct terminal *t)
{
	struct termios now;

	return tcgetattr(t->slave, &now) == 0 && now.c_lflag == t->settings.c_lflag &&
	       now.c_iflag == t->settings.c_iflag && now.c_oflag == t->settings.c_oflag;
}

static int watch(struct terminal *t, pid_t child)
{
	int status = 0;

	while (waitpid(child, &status, WNOHANG) == 0)
		look(t, 10);
	look(t, 0);
	if (t->step < t->step_count) {
		warn("never seen: %s", t->steps[t->step]);
		return NOT_SEEN;
	}
	if (!is_unchanged(t))
		return STATE_CHANGED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* In a process that can begin a session. */
static int attend(struct terminal *t, char **command)
{
	int fd, status;

	signal(SIGHUP, SIG_IGN);
	open_terminal(t);
	status = watch(t, start(t, command));
	if (t->screen_file != NULL) {
		fd = open(t->screen_file, O_WRONLY | O_CREAT | O_TRUNC, 0666);
		write_all(fd, buffer_span(&t->screen));
		close(fd);
	}
	buffer_free(&t->screen);
	return status;
}

int main(int argc, char **argv)
{
	struct terminal t = {0};
	int at = 1, end, status = 0;
	pid_t child;

	for (; at < argc; at++)
		if (strcmp(argv[at], "--background") == 0)
			t.background = true;
		else if (strcmp(argv[at], "--slow") == 0)
			t.slow = true;
		else if (strcmp(argv[at], "--screen") == 0 && at + 1 < argc)
			t.screen_file = argv[++at];
		else
			break;
	for (end = at; end < argc && strcmp(argv[end], "--") != 0; end++)
		;
	if (end + 1 >= argc || (end - at) % 2 != 0) {
		fputs(help, stderr);
		return 2;
	}
	t.steps = argv + at;
	t.step_count = end - at;
	child = fork();
	if (child == 0)
		return attend(&t, argv + end + 1);
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}
