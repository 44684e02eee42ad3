#define _GNU_SOURCE /* F_OFD_SETLK, TIOCGDEV, major */
#include "base/screen.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/file.h"
#include "base/tty.h"

/* "/dev/pts/N", without stdio: a signal handler asks for it. */
static void write_path(char *path, size_t size, unsigned number)
{
	static const char folder[] = "/dev/pts/";
	size_t at = size - 1;

	path[at] = '\0';
	do {
		path[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	at -= sizeof(folder) - 1;
	memcpy(path + at, folder, sizeof(folder) - 1);
	memmove(path, path + at, size - at);
}

int screen_device(int fd)
{
	enum { FIRST_PSEUDO = 136, LAST_PSEUDO = 143 };
	unsigned device = 0;
	struct stat info;
	char path[32];
	int opened;

	if (ioctl(fd, TIOCGDEV, &device) != 0 || major(device) < FIRST_PSEUDO ||
	    major(device) > LAST_PSEUDO)
		return -1;
	write_path(path, sizeof(path), minor(device));
	opened = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (opened >= 0 && (fstat(opened, &info) != 0 || info.st_rdev != (dev_t)device)) {
		close(opened);
		opened = -1;
	}
	return opened;
}

/* ---- locks ---- */

static struct flock lock_of(enum screen_lock lock, short type)
{
	return (struct flock){
	    .l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)lock, .l_len = 1};
}

bool screen_take(int device, enum screen_lock lock)
{
	struct flock range = lock_of(lock, F_WRLCK);

	return device < 0 || fcntl(device, F_OFD_SETLK, &range) == 0;
}

void screen_release(int device, enum screen_lock lock)
{
	struct flock range = lock_of(lock, F_UNLCK);

	if (device >= 0)
		fcntl(device, F_OFD_SETLK, &range);
}

bool screen_is_taken(int device, enum screen_lock lock)
{
	struct flock range = lock_of(lock, F_WRLCK);

	return device >= 0 && fcntl(device, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
}

/* ---- writing ---- */

void screen_open(struct screen *screen, int fd)
{
	*screen = (struct screen){.fd = fd, .device = isatty(fd) ? screen_device(fd) : -1};
}

void screen_close(struct screen *screen)
{
	if (screen->device >= 0)
		close(screen->device);
	*screen = (struct screen){.fd = -1, .device = -1};
}

void screen_begin(struct screen *screen, bool waits, struct buffer *out)
{
	enum { TRIES = 100, PAUSE_MS = 2 };

	if (screen->device < 0)
		return;
	for (int i = 0; !screen_take(screen->device, SCREEN_WRITING) && waits && i < TRIES; i++)
		poll(NULL, 0, PAUSE_MS);
	if (screen->in_line)
		return;
	if (screen_is_taken(screen->device, SCREEN_QUESTION))
		buffer_add_char(out, '\n');
	else if (screen_is_taken(screen->device, SCREEN_TEXT))
		tty_begin_line(screen->fd, out);
	else if (screen_is_taken(screen->device, SCREEN_LINE))
		buffer_add_text(out, "\r\033[K");
}

void screen_end(struct screen *screen, bool in_line)
{
	if (in_line && !screen->in_line)
		screen_take(screen->device, SCREEN_TEXT);
	else if (!in_line && screen->in_line)
		screen_release(screen->device, SCREEN_TEXT);
	screen->in_line = in_line;
	screen_release(screen->device, SCREEN_WRITING);
}

bool screen_write(struct screen *screen, struct span text)
{
	struct buffer all = {0};
	bool written;

	if (text.len == 0)
		return true;
	if (screen->device < 0)
		return write_all(screen->fd, text);
	screen_begin(screen, true, &all);
	buffer_add_span(&all, text);
	written = write_all(screen->fd, buffer_span(&all));
	screen_end(screen, text.at[text.len - 1] != '\n');
	buffer_free(&all);
	return written;
}

bool screen_write_lines(int fd, struct span lines)
{
	struct screen screen;
	bool written;
	int error;

	screen_open(&screen, fd);
	written = screen_write(&screen, lines);
	error = errno;
	screen_close(&screen);
	errno = error;
	return written;
}
