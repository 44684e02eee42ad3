#define _DEFAULT_SOURCE /* TIOCGWINSZ */
#include "base/tty.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/screen.h"

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

bool tty_lock(struct tty *tty)
{
	tty->lock = screen_device(tty->fd);
	if (screen_take(tty->lock, SCREEN_QUESTION))
		return true;
	close_fd(&tty->lock);
	return false;
}

/* As many blanks as there are columns move the cursor to the next line, unless it was at the start
 * of a line. */
void tty_begin_line(int fd, struct buffer *out)
{
	size_t columns = tty_size(fd).columns;

	if (columns > 0)
		buffer_add_format(out, "%*s\r", (int)columns, "");
}

void tty_close(struct tty *tty)
{
	close_fd(&tty->fd);
	close_fd(&tty->lock);
}

bool tty_can_redraw(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && (term == NULL || strcmp(term, "dumb") != 0);
}

bool tty_use_color(const char *when, int fd)
{
	const char *no_color = getenv("NO_COLOR");

	if (strcmp(when, "auto") != 0)
		return strcmp(when, "always") == 0;
	return tty_can_redraw(fd) && (no_color == NULL || no_color[0] == '\0');
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
