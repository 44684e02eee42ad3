#include "event/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "event/event.h"
#include "event/terminal.h"
#include "json/json.h"

enum {
	READ_SIZE = 256 * 1024,
	FOLLOW_MS = 100, /* how often a growing file is looked at */
};

struct reader {
	char *const *files;
	size_t file_count, next_file;
	bool follow, stop; /* stop: this file's end is its end */

	int fd; /* -1: none is open */
	const char *name;
	bool is_regular, at_end;
	struct stat id; /* of the file that is open */

	char *data; /* data[start..end) is not yet delivered; no newline before `scanned` */
	size_t start, scanned, end, capacity;
	bool too_long; /* the line that is being read is too long: skip it */
	uint64_t line;
	bool torn;
	int status;

	void (*before_wait)(void *context);
	void *context;
	void (*before_warn)(void *context);
	void *warn_context;
};

static char *const standard_input[] = {"-"};

struct reader *reader_open(char *const *files, size_t count, bool follow)
{
	struct reader *r = mem_zero(sizeof(*r));

	r->files = count > 0 ? files : standard_input;
	r->file_count = count > 0 ? count : 1;
	r->follow = follow;
	r->fd = -1;
	r->name = "standard input";
	return r;
}

void reader_close(struct reader *r)
{
	if (r == NULL)
		return;
	if (r->fd > STDIN_FILENO)
		close(r->fd);
	free(r->data);
	free(r);
}

void reader_before_wait(struct reader *r, void (*before_wait)(void *context), void *context)
{
	r->before_wait = before_wait;
	r->context = context;
}

void reader_before_warn(struct reader *r, void (*before_warn)(void *context), void *context)
{
	r->before_warn = before_warn;
	r->warn_context = context;
}

void reader_stop_following(struct reader *r)
{
	r->stop = true;
}

bool reader_line_is_torn(const struct reader *r)
{
	return r->torn;
}

void reader_warn_skipped(struct reader *reader, const struct json_fault *fault)
{
	reader_warn(reader, "byte %zu: %s; %s", fault->offset + 1, fault->what,
		    reader_line_is_torn(reader) ? "the last line is cut off, and skipped"
						: "the line is skipped");
}

int reader_status(const struct reader *r)
{
	return r->status;
}

static void note(struct reader *r, int status)
{
	if (status > r->status)
		r->status = status;
}

static void about_to_warn(struct reader *r)
{
	if (r->before_warn != NULL)
		r->before_warn(r->warn_context);
}

void reader_warn(struct reader *r, const char *format, ...)
{
	struct buffer text = {0}, safe = {0};
	va_list args;

	if (r == NULL)
		return;
	va_start(args, format);
	buffer_add_format_list(&text, format, args);
	va_end(args);
	terminal_add_line(&safe, buffer_span(&text));
	about_to_warn(r);
	warn("%s:%llu: %s", r->name, (unsigned long long)r->line, buffer_string(&safe));
	buffer_free(&text);
	buffer_free(&safe);
	note(r, STATUS_FAILED);
}

static void flush(struct reader *r)
{
	if (r->before_wait != NULL)
		r->before_wait(r->context);
}

/* ---- files ---- */

/* Open the next file; false when there is none left. */
static bool open_next(struct reader *r)
{
	while (r->next_file < r->file_count) {
		const char *path = r->files[r->next_file++];
		bool is_stdin = strcmp(path, "-") == 0, is_open;

		r->fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
		r->name = is_stdin ? "standard input" : path;
		is_open = r->fd >= 0 && fstat(r->fd, &r->id) == 0;
		if (is_open && !S_ISDIR(r->id.st_mode)) {
			r->is_regular = S_ISREG(r->id.st_mode);
			r->at_end = r->stop = false;
			r->line = 0;
			return true;
		}
		about_to_warn(r);
		warn("%s: %s", r->name, is_open ? "is a directory" : strerror(errno));
		note(r, STATUS_USAGE);
		if (r->fd > STDIN_FILENO)
			close(r->fd);
		r->fd = -1;
	}
	return false;
}

static void close_file(struct reader *r)
{
	if (r->fd > STDIN_FILENO)
		close(r->fd);
	r->fd = -1;
	r->start = r->scanned = r->end = 0;
	r->too_long = false;
}

/* Begin the file again from its start: it was truncated, or replaced by another. */
static void begin_again(struct reader *r, int fd)
{
	if (r->start < r->end || r->too_long) {
		r->line++;
		reader_warn(r, "the line is cut off: the file was %s; it is skipped",
			    fd != r->fd ? "replaced" : "truncated");
	}
	if (fd != r->fd) {
		close(r->fd);
		r->fd = fd;
		fstat(fd, &r->id);
	} else {
		lseek(fd, 0, SEEK_SET);
	}
	r->start = r->scanned = r->end = 0;
	r->too_long = false;
	r->line = 0;
}

/* A followed file that has nothing new: has it become another one? */
static void look_again(struct reader *r)
{
	off_t at = lseek(r->fd, 0, SEEK_CUR);
	struct stat now, other;
	int fd;

	if (r->fd == STDIN_FILENO || fstat(r->fd, &now) != 0 || now.st_size > at)
		return; /* what is left of it comes first */
	if (stat(r->name, &other) == 0 &&
	    (other.st_ino != r->id.st_ino || other.st_dev != r->id.st_dev)) {
		fd = open(r->name, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			begin_again(r, fd);
	} else if (now.st_size < at) {
		begin_again(r, r->fd);
	}
}

/* ---- reading ---- */

static void make_room(struct reader *r)
{
	size_t rest = r->end - r->start;

	if (r->start > 0 && rest > 0)
		memmove(r->data, r->data + r->start, rest);
	r->scanned -= r->start;
	r->start = 0;
	r->end = rest;
	if (r->capacity < rest + READ_SIZE) {
		r->capacity =
		    rest + READ_SIZE > 2 * r->capacity ? rest + READ_SIZE : 2 * r->capacity;
		r->data = mem_resize(r->data, r->capacity);
	}
}

/* Milliseconds until `deadline`, rounded up; -1 for none. */
static int wait_ms(int64_t deadline)
{
	int64_t left;

	if (deadline == 0)
		return -1;
	left = (deadline - clock_monotonic() + 999999) / 1000000;
	if (left < 0)
		return 0;
	return left > 1000000 ? 1000000 : (int)left;
}

enum filled { FILLED, FILLED_END, FILLED_TIMEOUT };

static enum filled fill(struct reader *r, int64_t deadline)
{
	ssize_t n;

	make_room(r);
	for (;;) {
		struct pollfd ready = {.fd = r->fd, .events = POLLIN};

		if (!r->is_regular) {
			flush(r);
			if (deadline != 0 && poll(&ready, 1, wait_ms(deadline)) == 0)
				return FILLED_TIMEOUT;
		}
		n = read(r->fd, r->data + r->end, r->capacity - r->end);
		if (n >= 0)
			break;
		if (errno == EAGAIN || errno == EWOULDBLOCK) {
			if (poll(&ready, 1, wait_ms(deadline)) == 0)
				return FILLED_TIMEOUT;
		} else if (errno != EINTR) {
			about_to_warn(r);
			warn("%s: %s", r->name, strerror(errno));
			note(r, STATUS_USAGE);
			n = 0;
			r->stop = true;
			break;
		}
	}
	r->end += (size_t)n;
	return n > 0 ? FILLED : FILLED_END;
}

/* At the end of a file that is followed: wait a little. False when the deadline has passed. */
static bool wait_for_more(struct reader *r, int64_t deadline)
{
	int ms = wait_ms(deadline);

	flush(r);
	if (ms == 0)
		return false;
	poll(NULL, 0, ms < 0 || ms > FOLLOW_MS ? FOLLOW_MS : ms);
	look_again(r);
	return true;
}

/* White space as of JSON alone: a line that says nothing. */
static bool is_blank(struct span line)
{
	return (line.len == 0 || line.at[0] != '{') && json_trim(line).len == 0;
}

/* A byte order mark, as editors put it before the first line of a file. */
static struct span without_mark(const struct reader *r, struct span line)
{
	return r->line == 1 && span_starts(line, "\xEF\xBB\xBF") ? span_from(line, 3) : line;
}

/* Take the next line out of what has been read; false when there is no whole one. */
static bool take_line(struct reader *r, struct span *line)
{
	char *newline;

	while (r->scanned < r->end &&
	       (newline = memchr(r->data + r->scanned, '\n', r->end - r->scanned)) != NULL) {
		*line = (struct span){r->data + r->start, (size_t)(newline - (r->data + r->start))};
		r->start = r->scanned = (size_t)(newline - r->data) + 1;
		r->line++;
		*line = without_mark(r, *line);
		if (r->too_long || line->len > EVENT_MAX_LINE) {
			r->too_long = false;
			reader_warn(r, "the line is longer than 16 MiB; it is skipped");
		} else if (!is_blank(*line)) {
			r->torn = r->stop = false;
			return true;
		}
	}
	r->scanned = r->end;
	if (r->end - r->start > EVENT_MAX_LINE) {
		r->too_long = true;
		r->start = r->scanned = r->end = 0;
	}
	return false;
}

/* At the end of a file: what stands behind its last newline. */
static bool take_rest(struct reader *r, struct span *line)
{
	*line = (struct span){r->data + r->start, r->end - r->start};
	r->start = r->scanned = r->end;
	if (line->len == 0 && !r->too_long)
		return false;
	r->line++;
	r->torn = true;
	if (r->too_long) {
		r->too_long = false;
		reader_warn(r, "the line is longer than 16 MiB; it is skipped");
		return false;
	}
	*line = without_mark(r, *line);
	return !is_blank(*line);
}

enum reader_result reader_next(struct reader *r, struct span *line, int64_t deadline)
{
	for (;;) {
		enum filled filled;

		if (r->fd < 0 && !open_next(r)) {
			flush(r);
			return READER_END;
		}
		if (take_line(r, line))
			return READER_LINE;
		if (!r->at_end) {
			filled = fill(r, deadline);
			if (filled == FILLED_TIMEOUT)
				return READER_TIMEOUT;
			if (filled == FILLED)
				continue;
		}
		if (r->follow && r->is_regular && !r->stop) {
			if (!wait_for_more(r, deadline))
				return READER_TIMEOUT;
			continue;
		}
		r->at_end = true;
		if (take_rest(r, line))
			return READER_LINE;
		close_file(r);
	}
}
