/*
 * agent-collect: the result of each run of an event stream. See agent-collect(1).
 */
#include "collect.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/result_file.h"
#include "base/screen.h"
#include "base/tty.h"
#include "event/reader_main.h"
#include "event/terminal.h"

enum { OUTPUT_BUFFER = 64 * 1024 };

struct collect_program {
	struct reader_main main;
	struct collection collection;
	const char *result_path; /* NULL: standard output */
	struct result_file result;
	bool passes, shows_status, adds_total;

	struct wants wants;
	struct output_file pass; /* for the events, with --pass */
	struct checks checks;
	struct total total;
	struct collect_live *live; /* NULL: no --status, or no terminal */
	bool check_failed;
	size_t kept_nested; /* nested runs that are kept */
};

extern const struct format format_json, format_events, format_text, format_markdown, format_html,
    format_messages, format_csv, format_otlp;

/* All formats in the order in which --help names them, the default first; NULL ends the list. */
static const struct format *const formats[] = {
    &format_json, &format_text,   &format_markdown, &format_html, &format_messages,
    &format_csv,  &format_events, &format_otlp,     NULL,
};

/* ---- options ---- */

static const struct format *find_format(const char *name)
{
	struct buffer names = {0};

	for (size_t i = 0; formats[i] != NULL; i++) {
		if (strcmp(formats[i]->name, name) == 0) {
			buffer_free(&names);
			return formats[i];
		}
		if (i > 0)
			buffer_add_text(&names, formats[i + 1] != NULL ? ", " : " and ");
		buffer_add_text(&names, formats[i]->name);
	}
	die(STATUS_USAGE, "--output: there is no format '%s'; the formats are %s", name,
	    buffer_string(&names));
}

static void set_format(void *self, const struct option_row *row, const char *name)
{
	(void)row;
	((struct collect_program *)self)->collection.format = find_format(name);
}

static void add_check(void *self, const struct option_row *row, const char *expression)
{
	(void)row;
	checks_add(&((struct collect_program *)self)->checks, expression);
}

static const char usage[] = "usage: agent-collect [options] [FILE ...]\n"
			    "Write one result for each run in an agent's event stream; exit with "
			    "the status of the run.\n";

static const char help_end[] =
    "Exit status: the highest status of the runs; 1 also for malformed lines and failed checks;\n"
    "2 wrong usage; 4 a run did not end. See agent-collect(1).\n";

#define AT(member) .offset = offsetof(struct collect_program, member)

static const struct option_row options[] = {
    {OPTION_TEXT, 'o', "output", "FORMAT",
     "json (default), text, markdown, html, messages, csv, events or otlp", .apply = set_format},
    {OPTION_FLAG, 'p', "pass", NULL, "copy the events to standard output (requires --result)",
     AT(passes)},
    {OPTION_NAME, 'r', "result", "FILE", "write the results to FILE", AT(result_path)},
    {OPTION_TEXT, 0, "run", "ID",
     "collect only the run with this id, batch id or part of an id, or 'last'",
     .apply = reader_main_add_run},
    {OPTION_FLAG, 0, "status", NULL, "show a live line on the terminal", AT(shows_status)},
    {OPTION_TEXT, 0, "check", "EXPR", "exit with 1 unless every result satisfies the jq expression",
     .apply = add_check},
    {OPTION_FLAG, 0, "total", NULL, "add one result over all runs", AT(adds_total)},
};

static void check_options(const struct collect_program *p)
{
	if (p->passes && (p->result_path == NULL || strcmp(p->result_path, "-") == 0))
		die(STATUS_USAGE,
		    "--pass needs --result FILE, as standard output is for the events");
	if (p->adds_total && p->collection.format->total == NULL)
		die(STATUS_USAGE, "--total is not possible in the format '%s'",
		    p->collection.format->name);
}

/* ---- output ---- */

/* Write the pending output. A failure ends the program, quietly if the reader closed the pipe. */
static void write_pending(struct collect_program *p, struct output_file *output)
{
	bool is_result = output == &p->collection.output && p->result_path != NULL;
	int error;

	if (output->is_safe)
		terminal_clean(&output->pending, output->is_json);
	if (!screen_write_lines(output->fd, buffer_span(&output->pending))) {
		error = errno;
		result_file_drop(&p->result);
		errno = error;
		if (!is_result || error == EPIPE)
			stdout_fail();
		die(STATUS_FAILED, "%s: %s", p->result_path, strerror(error));
	}
	buffer_clear(&output->pending);
}

static void flush(void *self)
{
	struct collect_program *p = self;

	if (p->collection.output.pending.len > 0 || p->pass.pending.len > 0)
		collect_live_clear(p->live);
	write_pending(p, &p->pass);
	write_pending(p, &p->collection.output);
}

/* ---- the end of a run ---- */

static void check_result(struct collect_program *p, const struct result *result)
{
	struct buffer json = {0};

	if (p->checks.count == 0)
		return;
	result_write(result, &json, false);
	collect_live_clear(p->live);
	if (!checks_hold(&p->checks, buffer_span(&json)))
		p->check_failed = true;
	buffer_free(&json);
}

/* Whether the usage of a nested run is part of its parent's, which is in the input as well. */
static bool is_in_parent(const struct collect_program *p, const struct run *run)
{
	return run->parent_id != NULL && runs_has(p->main.runs, span_of(run->parent_id));
}

/* Write the result of a run that is over, whole or not. */
static void finish(struct collect_program *p, struct run *run)
{
	struct result *result = run->state;

	result_settle(result);
	p->collection.format->result(&p->collection, result);
	if (p->adds_total)
		total_add(&p->total, result, is_in_parent(p, run));
	check_result(p, result);
	if (p->collection.output.pending.len >= OUTPUT_BUFFER)
		flush(p);
}

/* A run is over, and cannot be resumed: write the results of failed runs nested in it. */
static void finish_nested(struct collect_program *p, const struct run *parent)
{
	struct run *next = runs_next(p->main.runs, NULL), *run;

	while (p->kept_nested > 0 && (run = next) != NULL) {
		next = runs_next(p->main.runs, run);
		if (!run->kept || !runs_is_nested_in(p->main.runs, run, parent))
			continue;
		if (!run->excused)
			finish(p, run);
		runs_forget(p->main.runs, run);
		p->kept_nested--;
	}
}

/* At the end of the input: the runs that failed and, unless reading was stopped, what is known of
 * those that have not ended. */
static void finish_rest(struct collect_program *p)
{
	struct run *run = NULL;

	while ((run = runs_next(p->main.runs, run)) != NULL) {
		if (run->state != NULL && run->counts && !run->excused &&
		    (run->ended || !p->main.stopped))
			finish(p, run);
	}
}

/* ---- events ---- */

static void pass_on(void *self, const struct event *event)
{
	struct collect_program *p = self;

	if (!p->passes)
		return;
	buffer_add_span(&p->pass.pending, event->line);
	buffer_add_char(&p->pass.pending, '\n');
	if (p->pass.pending.len >= OUTPUT_BUFFER)
		flush(p);
}

static void on_event(void *self, struct run *run, const struct event *event)
{
	struct collect_program *p = self;
	struct result *result;

	if (run->state == NULL)
		run->state = result_new(run);
	result = run->state;
	result_add(result, event, &p->wants, p->main.reader);
	if (p->live != NULL) {
		result_settle(result);
		collect_live_event(p->live, event, result, p->main.runs);
	}
	if (event->type != EVENT_AGENT_END)
		return;
	/* A later run may resume a failed one: both are one result. */
	if (!run->succeeded && run->id[0] != '\0' && !p->main.follows_forever) {
		run->kept = true;
		p->kept_nested += run->nested;
		return;
	}
	finish_nested(p, run);
	finish(p, run);
	runs_forget(p->main.runs, run);
}

/* ---- the program ---- */

/* Open the file of --result, and return its descriptor. With --follow=forever there is no end at
 * which it could be replaced: each result is added when its run ends. */
static int open_result(struct collect_program *p)
{
	struct stat file, events;
	struct error e = {0};

	if (p->result_path == NULL)
		return STDOUT_FILENO;
	if (p->passes && stat(p->result_path, &file) == 0 && S_ISREG(file.st_mode) &&
	    fstat(STDOUT_FILENO, &events) == 0 && file_is_same(&file, &events))
		die(STATUS_USAGE,
		    "%s: standard output and --result are the same file; use only one of them",
		    p->result_path);
	reader_main_check_result(&p->main, p->result_path);
	if (!p->main.follows_forever || strcmp(p->result_path, "-") == 0) {
		die_unless(result_file_open(&p->result, p->result_path, &e), &e);
		return p->result.fd;
	}
	p->result.fd = open(p->result_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (p->result.fd < 0)
		die(STATUS_USAGE, "%s: %s", p->result_path, strerror(errno));
	return p->result.fd;
}

static struct output_file output_of(const struct collect_program *p, int fd, bool is_json)
{
	return (struct output_file){
	    .fd = fd, .is_json = is_json, .is_safe = reader_main_is_safe(&p->main, fd)};
}

static void begin(void *self)
{
	struct collect_program *p = self;
	struct collection *collection = &p->collection;

	if (collection->format == NULL)
		collection->format = formats[0];
	check_options(p);
	p->wants = collection->format->wants;
	if (p->checks.count > 0) { /* they check the result as the format json has it */
		p->wants.calls = true;
		p->wants.types |= EVENT_BIT(EVENT_ERROR);
	}
	total_init(&p->total);
	collection->runs = p->main.runs;
	collection->output = output_of(p, open_result(p), collection->format->is_json);
	p->pass = output_of(p, STDOUT_FILENO, true);
	if (p->shows_status && tty_can_redraw(STDERR_FILENO))
		p->live = collect_live_new();
	if (collection->format->begin != NULL)
		collection->format->begin(collection);
}

static int64_t idle(void *self)
{
	const struct collect_program *p = self;

	return p->live != NULL ? collect_live_draw(p->live) : 0;
}

static void clear(void *self)
{
	collect_live_clear(((struct collect_program *)self)->live);
}

static void end(void *self)
{
	struct collect_program *p = self;
	const struct format *format = p->collection.format;

	finish_rest(p);
	total_close(&p->total);
	if (p->adds_total)
		format->total(&p->collection, &p->total);
	if (format->end != NULL)
		format->end(&p->collection);
	flush(p);
	clear(p);
}

/* Replace the file of --result if it has the results of all of the input, whatever the status of
 * the runs. */
static int finish_result(struct collect_program *p, int status)
{
	bool complete = !p->main.stopped && p->main.format.found && p->main.own <= STATUS_FAILED;
	struct error e = {0};

	if (complete && !result_file_replace(&p->result, &e)) {
		warn("%s", e.message);
		error_clear(&e);
		return STATUS_FAILED;
	}
	result_file_drop(&p->result);
	return status;
}

static int exit_status(void *self, int status)
{
	struct collect_program *p = self;

	if (p->check_failed && status < STATUS_FAILED)
		status = STATUS_FAILED;
	return p->result_path != NULL ? finish_result(p, status) : status;
}

static void free_all(void *self)
{
	struct collect_program *p = self;

	collect_live_free(p->live);
	checks_free(&p->checks);
	buffer_free(&p->collection.output.pending);
	buffer_free(&p->pass.pending);
}

int main(int argc, char **argv)
{
	static const struct reader_program reader = {
	    .usage = usage,
	    .help_end = help_end,
	    .options = options,
	    .option_count = ARRAY_LEN(options),
	    .begin = begin,
	    .any_event = pass_on,
	    .event = on_event,
	    .idle = idle,
	    .flush = flush,
	    .clear = clear,
	    .end = end,
	    .status = exit_status,
	    .free = free_all,
	    .release = result_free,
	    .stops_at_faults = true,
	};
	struct collect_program p = {0};

	return reader_main(&reader, &p.main, argc, argv);
}
