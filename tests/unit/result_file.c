/* result_file: replaced or left alone, also without O_TMPFILE and through symbolic links. */
#define _GNU_SOURCE /* O_TMPFILE */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/result_file.h"

static bool has_nameless_files = true;

/* The open of this program: it may have no files without a name, as on NFS or FAT. */
int open(const char *path, int flags, ...)
{
	va_list list;
	int mode;

	va_start(list, flags);
	mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, int) : 0;
	va_end(list);
	if (has_nameless_files || (flags & O_TMPFILE) != O_TMPFILE)
		return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	errno = EOPNOTSUPP;
	return -1;
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));

static void is_file(const char *path, const char *contents, int mode, const char *name)
{
	char text[64] = "";
	struct stat info;
	int fd = open(path, O_RDONLY, 0);
	ssize_t len = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

	unit_ok(len >= 0 && strcmp(text, contents) == 0 && fstat(fd, &info) == 0 &&
		    (int)(info.st_mode & 0777) == mode,
		name);
	close(fd);
}

/* The number of names in the current folder. */
static int count_files(void)
{
	DIR *folder = opendir(".");
	int n = -2; /* . and .. */

	while (readdir(folder) != NULL)
		n++;
	closedir(folder);
	return n;
}

static void refused(struct error *e, const char *message)
{
	unit_same(span_of(e->message), span_of(message), "its message");
	error_clear(e);
}

static void write_text(struct result_file *file, const char *path, const char *text)
{
	struct error e = {0};

	unit_ok(result_file_open(file, path, &e) && write(file->fd, text, strlen(text)) > 0, path);
}

static void check_files(void)
{
	struct result_file file;
	struct error e = {0};

	write_text(&file, "new", "dropped");
	unit_ok(file.is_named != has_nameless_files, "with or without a name");
	result_file_drop(&file);
	unit_ok(count_files() == 0, "what is dropped leaves nothing");

	write_text(&file, "new", "one two");
	unit_ok(access("new", F_OK) != 0, "the file is not there before it is complete");
	unit_ok(result_file_is_hidden(&file) && result_file_cut(&file, 4) &&
		    write(file.fd, "three", 5) == 5,
		"the end is cut");
	unit_ok(result_file_replace(&file, &e), "replaced");
	is_file("new", "one three", 0640, "a new file has the permissions of the umask");
	unit_ok(count_files() == 1, "and no other file stays");

	chmod("new", 0604);
	write_text(&file, "new", "four");
	is_file("new", "one three", 0604, "a file stays until the end");
	unit_ok(result_file_replace(&file, &e), "replaced");
	is_file("new", "four", 0604, "and keeps its permissions");

	symlink("new", "link");
	symlink("link", "second");
	write_text(&file, "second", "five");
	unit_ok(result_file_replace(&file, &e), "replaced through links");
	is_file("new", "five", 0604, "a link leads to the file");
	unlink("new");
	write_text(&file, "second", "six");
	unit_ok(result_file_replace(&file, &e), "created through links");
	is_file("new", "six", 0640, "a link may lead to no file yet");

	symlink("circle", "circle");
	unit_ok(!result_file_open(&file, "circle", &e), "links in a circle");
	refused(&e, "circle: Too many levels of symbolic links");
	unit_ok(!result_file_open(&file, "none/file", &e), "no folder");
	refused(&e, "none/file: No such file or directory");
	unit_ok(count_files() == 4, "nothing else is left");
	unlink("circle");
	unlink("second");
	unlink("link");
	unlink("new");
}

int main(void)
{
	char folder[] = "/tmp/unit-result-XXXXXX";

	if (mkdtemp(folder) == NULL || chdir(folder) != 0) {
		printf("Bail out! cannot make %s\n", folder);
		return 2;
	}
	umask(0027);
	check_files();
	has_nameless_files = false;
	check_files();
	rmdir(folder);
	return unit_done();
}
