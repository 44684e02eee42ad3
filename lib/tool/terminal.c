#define _DEFAULT_SOURCE /* flock, major, TIOCGDEV */
#include "tool/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = TERMINAL_CLOSED;
}

const char *terminal_open(struct terminal *terminal)
{
	pid_t foreground;

	terminal->lock = TERMINAL_CLOSED;
	terminal->fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (terminal->fd < 0)
		return "it needs a yes, and there is no terminal to ask on (--allow or "
		       "--approve-with decide without one)";
	/* Reading would stop the whole program until somebody notices. */
	foreground = tcgetpgrp(terminal->fd);
	if (foreground >= 0 && foreground != getpgrp())
		return "it needs a yes, and nobody can be asked in the background (--allow or "
		       "--approve-with decide there)";
	return NULL;
}

/* /dev/tty is one file for all terminals: the lock is on the one behind it. */
static int open_device(int fd)
{
	enum { FIRST_PSEUDO = 136, LAST_PSEUDO = 143 };
	unsigned device = 0;
	struct stat info;
	char path[32];
	int opened;

	if (ioctl(fd, TIOCGDEV, &device) != 0 || major(device) < FIRST_PSEUDO ||
	    major(device) > LAST_PSEUDO)
		return -1;
	snprintf(path, sizeof path, "/dev/pts/%u", minor(device));
	opened = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (opened >= 0 && (fstat(opened, &info) != 0 || info.st_rdev != (dev_t)device))
		close_fd(&opened);
	return opened;
}

bool terminal_lock(struct terminal *terminal)
{
	terminal->lock = open_device(terminal->fd);
	if (terminal->lock < 0 || flock(terminal->lock, LOCK_EX | LOCK_NB) == 0 ||
	    errno != EWOULDBLOCK)
		return true;
	close_fd(&terminal->lock);
	return false;
}

/* As many blanks as there are columns end on the next line, but for those that began a line. */
void terminal_begin_line(const struct terminal *terminal)
{
	struct winsize size = {0};
	struct buffer blanks = {0};

	if (ioctl(terminal->fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return;
	buffer_add_format(&blanks, "%*s\r", (int)size.ws_col, "");
	write_all(terminal->fd, buffer_span(&blanks));
	buffer_free(&blanks);
}

bool terminal_is_asked(int fd)
{
	int device = open_device(fd);
	bool asked = device >= 0 && flock(device, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;

	close_fd(&device);
	return asked;
}

void terminal_close(struct terminal *terminal)
{
	close_fd(&terminal->fd);
	close_fd(&terminal->lock);
}
