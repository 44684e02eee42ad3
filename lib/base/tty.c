#define _DEFAULT_SOURCE /* flock, major, TIOCGDEV */
#include "base/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
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
	*fd = TTY_CLOSED;
}

const char *tty_open(struct tty *tty)
{
	pid_t foreground;

	tty->lock = TTY_CLOSED;
	tty->fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (tty->fd < 0)
		return "it needs a yes, and there is no terminal to ask on (--allow or "
		       "--approve-with decide without one)";
	/* Reading from the background would stop the program. */
	foreground = tcgetpgrp(tty->fd);
	if (foreground >= 0 && foreground != getpgrp())
		return "it needs a yes, and nobody can be asked in the background (--allow or "
		       "--approve-with decide there)";
	return NULL;
}

/* /dev/tty is one file for all terminals, so the lock is on the device behind it. */
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
	snprintf(path, sizeof(path), "/dev/pts/%u", minor(device));
	opened = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (opened >= 0 && (fstat(opened, &info) != 0 || info.st_rdev != (dev_t)device))
		close_fd(&opened);
	return opened;
}

bool tty_lock(struct tty *tty)
{
	tty->lock = open_device(tty->fd);
	if (tty->lock < 0 || flock(tty->lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
		return true;
	close_fd(&tty->lock);
	return false;
}

/* As many blanks as there are columns move the cursor to the next line, unless it was at the start
 * of a line. */
void tty_begin_line(const struct tty *tty, struct buffer *out)
{
	struct winsize size = {0};

	if (ioctl(tty->fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		buffer_add_format(out, "%*s\r", (int)size.ws_col, "");
}

bool tty_is_asked(int fd)
{
	int device = open_device(fd);
	bool asked = device >= 0 && flock(device, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;

	close_fd(&device);
	return asked;
}

void tty_close(struct tty *tty)
{
	close_fd(&tty->fd);
	close_fd(&tty->lock);
}

bool tty_use_color(const char *when, int fd)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (strcmp(when, "auto") != 0)
		return strcmp(when, "always") == 0;
	return isatty(fd) && (no_color == NULL || no_color[0] == '\0') &&
	       (term == NULL || strcmp(term, "dumb") != 0);
}

struct tty_size tty_size(int fd)
{
	struct winsize size;

	if (!isatty(fd) || ioctl(fd, TIOCGWINSZ, &size) != 0)
		return (struct tty_size){0};
	return (struct tty_size){size.ws_row, size.ws_col};
}

size_t tty_columns(int fd)
{
	return tty_size(fd).columns;
}
