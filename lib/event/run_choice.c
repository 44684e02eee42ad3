#include "event/run_choice.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/utf8.h"
#include "event/reader.h"
#include "event/terminal.h"

enum run_match { MATCH_NONE, MATCH_SUFFIX, MATCH_PREFIX, MATCH_LAST, MATCH_BATCH_ID, MATCH_RUN_ID };

enum { NO_RUN = -1 };

struct listed_run {
	char *run_id, *batch_id; /* batch_id: NULL if there is none */
	char *prompt, *started;  /* for messages */
	size_t first;            /* the run that it resumes, directly or not; itself */
	int parent;              /* NO_RUN: it is not nested */
	bool chosen;
};

/* ---- the list of runs ---- */

static int find_run(const struct run_choice *c, struct span id)
{
	const uintptr_t *at = id.at != NULL ? table_find(&c->by_id, id) : NULL;

	return at != NULL ? (int)*at : NO_RUN;
}

/* The run that a member of an agent_start names. */
static int named_run(const struct run_choice *c, struct span data, const char *key)
{
	char *id = json_text(json_get(data, key));
	int run = id != NULL ? find_run(c, span_of(id)) : NO_RUN;

	free(id);
	return run;
}

static size_t add_run(struct run_choice *c, struct span id)
{
	struct listed_run *run;

	c->runs = array_grow(c->runs, c->count, sizeof(*c->runs));
	run = &c->runs[c->count];
	*run = (struct listed_run){.run_id = mem_copy(id), .first = c->count, .parent = NO_RUN};
	*table_add(&c->by_id, span_of(run->run_id)) = c->count;
	return c->count++;
}

static void read_start(struct run_choice *c, size_t number, const struct event *event)
{
	struct listed_run *run = &c->runs[number];
	int resumed = named_run(c, event->data, "resumed_from");

	if (run->started != NULL)
		return;
	run->batch_id = json_text(json_get(event->data, "id"));
	run->prompt = json_text(json_get(event->data, "prompt"));
	run->started = mem_copy(event->timestamp.at != NULL ? event->timestamp : SPAN(""));
	run->parent = named_run(c, event->data, "parent_run_id");
	if (resumed >= 0)
		run->first = c->runs[resumed].first;
}

/* The number of the event's run, which is listed if it is new. *is_news becomes whether anything is
 * known now that was not known before. */
static size_t note(struct run_choice *c, const struct event *event, bool *is_news)
{
	struct span id = event->run_id.at != NULL ? event->run_id : SPAN("");
	int run = (int)c->latest;

	if (c->count == 0 || !span_is(id, c->runs[run].run_id))
		run = find_run(c, id);
	*is_news = run < 0 || event->type == EVENT_AGENT_START;
	c->latest = run >= 0 ? (size_t)run : add_run(c, id);
	if (event->type == EVENT_AGENT_START)
		read_start(c, c->latest, event);
	return c->latest;
}

/* ---- matching ---- */

int run_choice_match(const char *id, struct span run_id, struct span batch_id)
{
	if (span_is(run_id, id))
		return MATCH_RUN_ID;
	if (span_is(batch_id, id))
		return MATCH_BATCH_ID;
	if (run_id.at == NULL)
		return MATCH_NONE;
	return span_starts(run_id, id) ? MATCH_PREFIX
	       : span_ends(run_id, id) ? MATCH_SUFFIX
				       : MATCH_NONE;
}

static int match(const struct run_choice *c, size_t run, const char *id, size_t last)
{
	int found =
	    run_choice_match(id, span_of(c->runs[run].run_id), span_of(c->runs[run].batch_id));

	return strcmp(id, "last") == 0 && run == last && found < MATCH_LAST ? MATCH_LAST : found;
}

/* The last run that is not nested; `count`: there is none. */
static size_t last_run(const struct run_choice *c)
{
	size_t last = c->count;

	for (size_t i = 0; i < c->count; i++)
		if (c->runs[i].parent == NO_RUN)
			last = i;
	return last;
}

static bool is_listed(const size_t *runs, size_t count, size_t run)
{
	while (count > 0)
		if (runs[--count] == run)
			return true;
	return false;
}

static bool has_listed_parent(const struct run_choice *c, const struct listed_run *run,
			      const size_t *runs, size_t count)
{
	while (run->parent >= 0) {
		run = &c->runs[run->parent];
		if (is_listed(runs, count, run->first))
			return true;
	}
	return false;
}

/* The runs that an ID names, as an array that the caller frees: the first of those that resume each
 * other. */
static size_t *matches(const struct run_choice *c, const char *id, size_t *count)
{
	size_t *found = NULL, last = last_run(c);
	int best = MATCH_NONE;

	*count = 0;
	for (size_t i = 0; i < c->count; i++) {
		const struct listed_run *run = &c->runs[i];
		int how = match(c, i, id, last);

		if (how > best) {
			best = how;
			*count = 0;
		}
		if (how == MATCH_NONE || how < best || is_listed(found, *count, run->first) ||
		    has_listed_parent(c, run, found, *count))
			continue;
		found = array_grow(found, *count, sizeof(*found));
		found[(*count)++] = run->first;
	}
	return found;
}

/* ---- messages ---- */

static void add_run_line(struct buffer *out, const struct listed_run *run)
{
	enum { STAMP = 19, SHOWN = 50 };
	struct span prompt = span_of(run->prompt);

	buffer_add_text(out, "\n  ");
	terminal_add_line(out, span_of(run->run_id));
	if (run->started != NULL && strlen(run->started) > STAMP)
		buffer_add_format(out, "  %.*sZ", STAMP, run->started);
	if (run->batch_id != NULL) {
		buffer_add_text(out, "  id ");
		terminal_add_line(out, utf8_cut(span_of(run->batch_id), SHOWN));
	}
	if (prompt.len > 0) {
		buffer_add_text(out, "  ");
		terminal_add_line(out, utf8_cut(prompt, SHOWN));
	}
}

static void report_several(const struct run_choice *c, const char *id, const size_t *runs,
			   size_t count)
{
	enum { LISTED = 20 };
	struct buffer list = {0};

	for (size_t i = 0; i < count && i < LISTED; i++)
		add_run_line(&list, &c->runs[runs[i]]);
	if (count > LISTED)
		buffer_add_format(&list, "\n  and %zu more", count - LISTED);
	warn("--run %s: %zu runs match; give more of the id of one:%s", id, count,
	     buffer_string(&list));
	buffer_free(&list);
}

/* Whether each ID names one run, or none if `may_come`. Reports those that do not. */
static bool check(const struct run_choice *c, const char *input, bool may_come, bool *missing)
{
	bool good = true;

	*missing = false;
	for (size_t i = 0; i < c->ids.count; i++) {
		size_t count;
		size_t *runs = matches(c, c->ids.items[i], &count);

		*missing = *missing || count == 0;
		if (count > 1)
			report_several(c, c->ids.items[i], runs, count);
		else if (count == 0 && !may_come)
			warn("no run %s in %s", c->ids.items[i], input);
		good = good && (count == 1 || (count == 0 && may_come));
		free(runs);
	}
	return good;
}

bool run_choice_check(const struct run_choice *c, const char *input)
{
	bool missing;

	return c->is_resolved || check(c, input, false, &missing);
}

/* ---- files ---- */

/* The kind of a file; 0: it does not exist. */
static mode_t kind_of(const char *path)
{
	struct stat info;
	bool found =
	    strcmp(path, "-") == 0 ? fstat(STDIN_FILENO, &info) == 0 : stat(path, &info) == 0;

	return found ? info.st_mode & S_IFMT : 0;
}

/* A file without a name with what comes from the pipe `from`. */
static int store(int from)
{
	FILE *file = tmpfile();
	struct buffer text = {0};
	ssize_t n = 0;
	int fd;

	if (file == NULL)
		die(STATUS_FAILED, "--run last: no temporary file: %s", strerror(errno));
	do {
		buffer_clear(&text);
		buffer_reserve(&text, 1 << 16);
		n = read(from, text.at, 1 << 16);
		text.len = n > 0 ? (size_t)n : 0;
		if (!write_all(fileno(file), buffer_span(&text)))
			die(STATUS_FAILED, "--run last: temporary file: %s", strerror(errno));
	} while (n > 0 || (n < 0 && errno == EINTR));
	buffer_free(&text);
	fd = dup(fileno(file));
	lseek(fd, 0, SEEK_SET);
	(void)fclose(file);
	return fd;
}

/* Replace a file that is a pipe by a file with its contents. */
static void store_pipe(char **path)
{
	bool is_stdin = strcmp(*path, "-") == 0;
	int from = is_stdin ? STDIN_FILENO : open(*path, O_RDONLY | O_CLOEXEC), to;
	struct buffer name = {0};

	if (from < 0)
		die(STATUS_USAGE, "%s: %s", *path, strerror(errno));
	to = store(from);
	if (is_stdin) {
		dup2(to, STDIN_FILENO);
		close(to);
		return;
	}
	close(from);
	buffer_add_format(&name, "/dev/fd/%d", to);
	*path = buffer_take(&name);
}

static bool wants_last(const struct run_choice *c)
{
	for (size_t i = 0; i < c->ids.count; i++)
		if (strcmp(c->ids.items[i], "last") == 0)
			return true;
	return false;
}

/* Whether the runs of all files can be listed before the files are read. */
static bool can_list(const struct run_choice *c, char **files, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		mode_t kind = kind_of(files[i]);

		if (kind == S_IFREG)
			continue;
		if (!wants_last(c) || kind == 0 || kind == S_IFDIR)
			return false;
		store_pipe(&files[i]);
	}
	return true;
}

static void list_runs(struct run_choice *c, char *const *files, size_t count)
{
	off_t start = lseek(STDIN_FILENO, 0, SEEK_CUR);
	struct reader *reader = reader_open(files, count, false);
	enum reader_result result;
	struct span line;
	struct event event;
	bool is_news;

	reader_set_quiet(reader);
	while ((result = reader_next(reader, &line, 0)) != READER_END) {
		bool is_event = result == READER_LINE && event_head(line, &event);

		if (result == READER_LINE && (!is_event || event.type == EVENT_AGENT_START))
			is_event = event_read(line, &event, NULL);
		if (is_event && (event.run_id.at != NULL || event.type != EVENT_OTHER))
			note(c, &event, &is_news);
	}
	reader_close(reader);
	lseek(STDIN_FILENO, start, SEEK_SET);
}

static void choose(struct run_choice *c)
{
	for (size_t i = 0; i < c->ids.count; i++) {
		size_t count;
		size_t *runs = matches(c, c->ids.items[i], &count);

		for (size_t j = 0; j < count; j++)
			c->runs[runs[j]].chosen = true;
		free(runs);
	}
}

void run_choice_add(struct run_choice *c, const char *list)
{
	struct error e = {0};

	if (list[strspn(list, ", \t")] == '\0')
		die(STATUS_USAGE, "--run needs at least one id, not '%s'", list);
	die_unless(patterns_add(&c->ids, "run", list, &e), &e);
}

bool run_choice_resolve(struct run_choice *c, char **files, size_t count, bool follow)
{
	char *standard_input[] = {"-"};
	struct buffer names = {0};
	bool missing, good;

	if (count == 0) {
		files = standard_input;
		count = 1;
	}
	if (c->ids.count == 0 || !can_list(c, files, count))
		return true;
	list_runs(c, files, count);
	if (c->count == 0)
		return true;
	for (size_t i = 0; i < count; i++)
		buffer_add_format(&names, "%s%s", i > 0 ? ", " : "",
				  strcmp(files[i], "-") == 0 ? "standard input" : files[i]);
	good = check(c, buffer_string(&names), follow, &missing);
	buffer_free(&names);
	c->is_resolved = !missing;
	choose(c);
	return good;
}

/* ---- events ---- */

bool run_choice_has(struct run_choice *c, const struct event *event)
{
	struct listed_run *run;
	size_t number;
	bool is_news;

	if (c->ids.count == 0)
		return true;
	number = note(c, event, &is_news);
	run = &c->runs[number];
	if (!is_news)
		return c->runs[run->first].chosen || run->chosen;
	if (c->best == NULL)
		c->best = mem_zero(c->ids.count * sizeof(*c->best));
	for (size_t i = 0; i < c->ids.count && !c->is_resolved; i++) {
		int how = match(c, number, c->ids.items[i], c->count);

		if (how != MATCH_NONE && how >= c->best[i]) {
			c->best[i] = how;
			run->chosen = true;
		}
	}
	return c->runs[run->first].chosen || run->chosen;
}

void run_choice_free(struct run_choice *c)
{
	for (size_t i = 0; i < c->count; i++) {
		free(c->runs[i].run_id);
		free(c->runs[i].batch_id);
		free(c->runs[i].prompt);
		free(c->runs[i].started);
	}
	free(c->runs);
	free(c->best);
	table_free(&c->by_id);
	patterns_free(&c->ids);
}
