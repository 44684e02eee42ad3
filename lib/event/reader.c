#define _GNU_SOURCE /* F_SETLEASE, flock */
#include "event/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "event/event.h"
#include "event/line_faults.h"
#include "event/terminal.h"
#include "json/json.h"

enum {
	READ_SIZE = 64 * 1024,
	FOLLOW_MS = 100, /* how often a growing file is looked at */
};

struct reader {
	char *const *files;
	size_t file_count, next_file;
	bool follow, stop; /* stop: do not follow this file any more */

	int fd; /* -1: none is open */
	const char *name;
	bool is_regular, at_end;
	bool awaited; /* the next file did not exist, which was reported */
	int64_t
	    rest_since; /* the open file is at rest (reader_callbacks) since then; 0: it is not */
	struct stat id; /* of the open file */

	struct buffer data;
	size_t start, scanned; /* in `data`: the next line, and how much of it has no newline */
	bool too_long;         /* the beginning of the next line was longer than EVENT_MAX_LINE */
	struct buffer head;    /* of that line */
	uint64_t line;
	struct span last;        /* the last line */
	struct buffer last_head; /* its beginning, when the data are moved */
	struct span before_nuls; /* reader_line_before_nuls */
	size_t nuls;             /* skipped before the next line */
	bool torn, quiet;
	int status;
	struct line_faults faults; /* not reported yet; all are */
	enum reader_fault kind;    /* of this kind */

	struct reader_callbacks callbacks;
};

struct reader *reader_open(char *const *files, size_t count, bool follow)
{
	static char *const standard_input[] = {"-"};
	struct reader *r = mem_zero(sizeof(*r));

	r->files = count > 0 ? files : standard_input;
	r->file_count = count > 0 ? count : 1;
	r->follow = follow;
	r->fd = -1;
	r->name = r->files[0];
	r->last = SPAN("");
	return r;
}

static void close_fd(struct reader *r)
{
	if (r->fd > STDIN_FILENO)
		close(r->fd);
	r->fd = -1;
}

void reader_close(struct reader *r)
{
	if (r == NULL)
		return;
	close_fd(r);
	buffer_free(&r->data);
	buffer_free(&r->head);
	buffer_free(&r->last_head);
	line_faults_free(&r->faults);
	free(r);
}

void reader_set_callbacks(struct reader *r, const struct reader_callbacks *callbacks)
{
	r->callbacks = *callbacks;
}

void reader_set_quiet(struct reader *r)
{
	r->quiet = true;
}

void reader_stop_following(struct reader *r)
{
	r->stop = true;
}

bool reader_line_is_torn(const struct reader *r)
{
	return r->torn;
}

struct span reader_line_before_nuls(const struct reader *r)
{
	return r->before_nuls;
}

const char *reader_find_input(const struct reader *r, const struct stat *file)
{
	for (size_t i = 0; S_ISREG(file->st_mode) && i < r->file_count; i++)
		if (file_is(r->files[i], file))
			return strcmp(r->files[i], "-") == 0 ? "standard input" : r->files[i];
	return NULL;
}

/* ---- messages ---- */

static void call(const struct reader *r, void (*callback)(void *context))
{
	if (callback != NULL)
		callback(r->callbacks.context);
}

/* Print "PLACE: SENTENCE". */
static void report(struct reader *r, int status, const char *place, const char *sentence)
{
	if (!r->quiet) {
		call(r, r->callbacks.before_warn);
		warn("%s: %s", place, sentence);
	}
	if (status > r->status)
		r->status = status;
}

/* Print "FILE:LINE: text", made safe for a terminal. */
static void report_at(struct reader *r, int status, uint64_t line, struct span text)
{
	struct buffer place = {0}, safe = {0};

	terminal_add_line(&safe, text);
	buffer_add_format(&place, "%s:%llu", r->name, (unsigned long long)line);
	report(r, status, buffer_string(&place), buffer_string(&safe));
	buffer_free(&place);
	buffer_free(&safe);
}

/* Report the faults that wait. */
static void report_faults(struct reader *r)
{
	struct buffer text = {0};
	uint64_t line;

	while ((line = line_faults_take(&r->faults, &text)) > 0) {
		report_at(r, STATUS_OK, line, buffer_span(&text));
		buffer_clear(&text);
	}
	buffer_free(&text);
}

static void report_line(struct reader *r, int status, struct span text)
{
	report_faults(r);
	report_at(r, status, r->line, text);
}

/* A fault of the last line is reported with those of its neighbours. */
static void add_fault(struct reader *r, enum reader_fault kind, struct span text)
{
	if (r->kind != kind || !line_faults_fit(&r->faults, text))
		report_faults(r);
	r->kind = kind;
	line_faults_add(&r->faults, r->line, text);
}

void reader_settle(struct reader *r, enum reader_fault kind)
{
	if (r->faults.count > 0 && r->kind == kind)
		report_faults(r);
}

void reader_warn(struct reader *r, const char *format, ...)
{
	struct buffer text = {0};
	va_list args;

	if (r == NULL)
		return;
	va_start(args, format);
	buffer_add_format_list(&text, format, args);
	va_end(args);
	report_line(r, STATUS_FAILED, buffer_span(&text));
	buffer_free(&text);
}

void reader_report(struct reader *r, struct span text)
{
	report_line(r, STATUS_OK, text);
}

struct span reader_skip(struct reader *r, struct span line, const struct json_fault *fault)
{
	struct span tail = event_tail(line);
	struct buffer text = {0};

	event_add_fault(&text, fault, tail, r->torn);
	if (tail.at == NULL)
		add_fault(r, READER_NOT_EVENT, buffer_span(&text));
	else
		report_line(r, STATUS_OK, buffer_span(&text));
	buffer_free(&text);
	return tail;
}

void reader_add_failure(struct reader *r, const char *format, ...)
{
	struct buffer text = {0};
	va_list args;

	va_start(args, format);
	buffer_add_format_list(&text, format, args);
	va_end(args);
	reader_fail(r);
	add_fault(r, READER_FAILURE, buffer_span(&text));
	buffer_free(&text);
}

int reader_status(struct reader *r)
{
	report_faults(r);
	return r->status;
}

void reader_fail(struct reader *r)
{
	if (r->status == STATUS_OK)
		r->status = STATUS_FAILED;
}

/* ---- files ---- */

/* Continue at the first line of the file. */
static void reset(struct reader *r)
{
	buffer_clear(&r->data);
	r->start = r->scanned = 0;
	r->too_long = false;
	r->line = 0;
}

/* A file that is followed does not exist yet. */
static void await(struct reader *r)
{
	if (!r->awaited)
		report(r, STATUS_OK, r->name, "does not exist yet; waiting for it");
	r->awaited = true;
	r->next_file--;
}

/* Whether a file that does not exist may come to exist. */
static bool may_come(const char *path)
{
	char *folder = path_folder(path);
	bool exists = path[0] != '\0' && access(folder[0] != '\0' ? folder : ".", F_OK) == 0;

	free(folder);
	errno = ENOENT;
	return exists;
}

/* Open the next file. Returns false if there is none, or if it must be waited for. */
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
			r->at_end = r->stop = r->awaited = false;
			r->rest_since = 0;
			reset(r);
			return true;
		}
		if (r->follow && r->fd < 0 && errno == ENOENT && may_come(path)) {
			await(r);
			return false;
		}
		report(r, STATUS_USAGE, r->name, is_open ? "is a directory" : strerror(errno));
		close_fd(r);
	}
	return false;
}

/* The file was truncated, or another file has replaced it: `fd`. */
static void begin_again(struct reader *r, int fd)
{
	if (r->start < r->data.len || r->too_long) {
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
	reset(r);
}

/* A file has nothing new: check whether it was truncated or replaced. */
static void check_file(struct reader *r)
{
	off_t at = lseek(r->fd, 0, SEEK_CUR);
	struct stat now, other;
	int fd;

	if (r->fd == STDIN_FILENO || fstat(r->fd, &now) != 0 || now.st_size > at)
		return; /* its remaining bytes come first */
	if (stat(r->name, &other) == 0 && !file_is_same(&other, &r->id)) {
		fd = open(r->name, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			begin_again(r, fd);
	} else if (now.st_size < at) {
		begin_again(r, r->fd);
	}
}

/* Whether a process may write to the file. */
static bool is_held(int fd)
{
	bool is_held = flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;

	flock(fd, LOCK_UN);
#ifdef F_SETLEASE
	/* A lease for reading is granted if no process has the file open for writing. A process
	 * that opens it now waits until the lease is returned; its signal is ignored. */
	fcntl(fd, F_SETSIG, SIGURG);
	if (!is_held && fcntl(fd, F_SETLEASE, F_RDLCK) == 0)
		fcntl(fd, F_SETLEASE, F_UNLCK);
	else
		is_held = is_held || errno == EAGAIN;
#endif
	return is_held;
}

static void check_rest(struct reader *r)
{
	int64_t now = clock_monotonic();
	struct stat file;

	if (fstat(r->fd, &file) != 0 || file.st_size > lseek(r->fd, 0, SEEK_CUR) || is_held(r->fd))
		r->rest_since = 0;
	else if (r->rest_since == 0)
		r->rest_since = now;
	if (r->rest_since != 0 && r->callbacks.at_rest != NULL)
		r->callbacks.at_rest(r->callbacks.context, now - r->rest_since);
}

/* ---- reading ---- */

/* Milliseconds until `deadline`, rounded up; -1 if there is none. */
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

/* The data are about to be moved: copy the beginning of the last line. */
static void copy_last(struct reader *r)
{
	if (r->last.at == r->last_head.at)
		return;
	buffer_clear(&r->last_head);
	buffer_add(&r->last_head, r->last.at, r->last.len < EVENT_HEAD ? r->last.len : EVENT_HEAD);
	r->last = buffer_span(&r->last_head);
}

static enum filled fill(struct reader *r, int64_t deadline)
{
	struct pollfd ready = {.fd = r->fd, .events = POLLIN};
	bool polls = !r->is_regular && deadline != 0;
	ssize_t n;

	copy_last(r);
	buffer_drop(&r->data, r->start);
	r->scanned -= r->start;
	r->start = 0;
	buffer_reserve(&r->data, READ_SIZE);
	if (!r->is_regular) {
		report_faults(r);
		call(r, r->callbacks.before_wait);
	}
	for (;;) {
		if (polls && poll(&ready, 1, wait_ms(deadline)) == 0)
			return FILLED_TIMEOUT;
		n = read(r->fd, r->data.at + r->data.len, r->data.cap - r->data.len);
		if (n >= 0)
			break;
		if (errno == EAGAIN || errno == EWOULDBLOCK) {
			polls = true;
		} else if (errno != EINTR) {
			report(r, STATUS_USAGE, r->name, strerror(errno));
			r->stop = true;
			return FILLED_END;
		}
	}
	r->data.len += (size_t)n;
	r->rest_since = n > 0 ? 0 : r->rest_since;
	return n > 0 ? FILLED : FILLED_END;
}

/* Wait a little for a file that is followed. Returns false if the deadline passed. */
static bool wait_a_little(struct reader *r, int64_t deadline)
{
	int ms = wait_ms(deadline);

	report_faults(r);
	call(r, r->callbacks.before_wait);
	if (ms != 0)
		poll(NULL, 0, ms < 0 || ms > FOLLOW_MS ? FOLLOW_MS : ms);
	return ms != 0;
}

/* The same at the end of the file. */
static bool wait_for_more(struct reader *r, int64_t deadline)
{
	if (!wait_a_little(r, deadline))
		return false;
	check_file(r);
	check_rest(r);
	return true;
}

/* Cut the next line from the data; at the end of a file it needs no newline. */
static struct span cut_line(struct reader *r, const char *newline)
{
	struct span line = span_from(buffer_span(&r->data), r->start);

	if (newline != NULL)
		line.len = (size_t)(newline - line.at);
	r->torn = newline == NULL;
	r->start = r->scanned = r->start + line.len + !r->torn;
	r->line++;
	return r->line == 1 ? span_skip_mark(line) : line;
}

/* The line without NUL bytes around it, which are reported; empty if it is blank. */
static struct span trim_line(struct reader *r, struct span line)
{
	struct buffer text = {0};
	struct span trimmed;
	size_t nuls = 0;

	if (line.len > 0 && line.at[0] == '{' && line.at[line.len - 1] == '}')
		return line;
	trimmed = event_trim(line, &nuls);
	if (nuls == 0)
		return trimmed.len > 0 ? line : trimmed;
	r->nuls += nuls;
	event_add_nuls(&text, nuls);
	report_line(r, STATUS_OK, buffer_span(&text));
	buffer_free(&text);
	return trimmed;
}

/* A line is too long: remember how it begins. */
static void begin_long_line(struct reader *r, const char *line)
{
	if (!r->too_long) {
		buffer_clear(&r->head);
		buffer_add(&r->head, line, EVENT_HEAD);
	}
	r->too_long = true;
}

/* Get the next line of the data. Returns READER_TIMEOUT if there is none. */
static enum reader_result next_line(struct reader *r, struct span *line)
{
	while (r->start < r->data.len || (r->at_end && r->too_long)) {
		const char *newline =
		    memchr(r->data.at + r->scanned, '\n', r->data.len - r->scanned);

		if (newline == NULL && !r->at_end)
			break;
		*line = cut_line(r, newline);
		if (r->too_long || line->len > EVENT_MAX_LINE) {
			begin_long_line(r, line->at);
			r->too_long = false;
			*line = buffer_span(&r->head);
			report_line(r, STATUS_OK,
				    SPAN("the line is longer than 16 MiB; it is skipped"));
			return READER_SKIPPED;
		}
		*line = trim_line(r, *line);
		if (line->len > 0) {
			r->before_nuls = r->nuls > 0 ? r->last : (struct span){0};
			r->nuls = 0;
			r->last = *line;
			return READER_LINE;
		}
	}
	r->scanned = r->data.len;
	if (r->data.len - r->start > EVENT_MAX_LINE) {
		begin_long_line(r, r->data.at + r->start);
		r->start = r->scanned = r->data.len;
	}
	return READER_TIMEOUT;
}

enum reader_result reader_next(struct reader *r, struct span *line, int64_t deadline)
{
	for (;;) {
		enum reader_result result;
		enum filled filled;

		if (r->fd < 0 && !open_next(r)) {
			if (!r->awaited) {
				call(r, r->callbacks.before_wait);
				return READER_END;
			}
			if (!wait_a_little(r, deadline))
				return READER_TIMEOUT;
			continue;
		}
		result = next_line(r, line);
		if (result != READER_TIMEOUT) {
			r->stop = false;
			return result;
		}
		if (r->at_end) {
			report_faults(r);
			close_fd(r);
			continue;
		}
		filled = fill(r, deadline);
		if (filled == FILLED_END && r->follow && r->is_regular && !r->stop)
			filled = wait_for_more(r, deadline) ? FILLED : FILLED_TIMEOUT;
		if (filled == FILLED_TIMEOUT)
			return READER_TIMEOUT;
		r->at_end = filled == FILLED_END;
	}
}
