#include "event/reader_main.h"

#include <locale.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"

/* So long after its last event, the runs in a log that no process holds are over. A run that fails
 * may be resumed, and another one may begin. */
static const int64_t max_rest = INT64_C(3) * 1000000000;

/* ---- options ---- */

static void set_color(void *self, const struct option_row *row, const char *value)
{
	static const char *const choices[] = {"auto", "always", "never"};

	(void)row;
	if (value == NULL)
		value = "always";
	for (size_t i = 0; i < ARRAY_LEN(choices); i++) {
		if (strcmp(value, choices[i]) == 0) {
			((struct reader_main *)self)->color = choices[i];
			return;
		}
	}
	die(STATUS_USAGE, "--color must be auto, always or never, not '%s'", value);
}

static void set_follow(void *self, const struct option_row *row, const char *value)
{
	struct reader_main *m = self;

	(void)row;
	if (value != NULL && strcmp(value, "forever") != 0)
		die(STATUS_USAGE, "--follow must have no value or =forever, not '%s'", value);
	m->follow = true;
	m->follows_forever = value != NULL;
}

#define AT(member) .offset = offsetof(struct reader_main, member)

static const struct option_row common_options[] = {
    {OPTION_TEXT, 'f', "follow", "[=forever]",
     "wait for more events until every run is over, or for ever", .apply = set_follow},
    {OPTION_FLAG, 0, "strict", NULL, "stop at the first malformed line", AT(strict)},
    {OPTION_FLAG, 0, "own-status", NULL, "exit with 0 although a run failed or was killed",
     AT(own_status)},
    {OPTION_TEXT, 0, "color", "[=WHEN]", "use colour: auto, always or never", .apply = set_color},
    {OPTION_FLAG, 0, "raw-control", NULL, "send control characters to the terminal unchanged",
     AT(raw_control)},
    {OPTION_HELP, 'h', "help", .help = "show this text"},
    {OPTION_VERSION, 'V', "version", .help = "show the version"},
};

void reader_main_add_run(void *self, const struct option_row *row, const char *list)
{
	(void)row;
	run_choice_add(&((struct reader_main *)self)->choice, list);
}

bool reader_main_is_safe(const struct reader_main *m, int fd)
{
	return !m->raw_control && isatty(fd);
}

/* Exit if the output, which the user knows as `name`, is one of the input files. */
static void check_output(const struct reader_main *m, const struct stat *file, const char *name)
{
	const char *input = reader_find_input(m->reader, file);

	if (input != NULL)
		die(STATUS_USAGE, "%s: the input and %s are the same file; write to another one",
		    input, name);
}

void reader_main_check_result(const struct reader_main *m, const char *path)
{
	struct stat file;

	if (stat(path, &file) == 0)
		check_output(m, &file, "--result");
}

/* ---- lines ---- */

/* A line was skipped that begins with `head`. */
static void lose(struct reader_main *m, struct span head, bool too_long)
{
	struct event event;

	if (m->choice.ids.count > 0 && event_head(head, &event) &&
	    !run_choice_has(&m->choice, &event))
		return;
	if (m->strict)
		reader_fail(m->reader);
	else if (too_long || event_head(head, &event))
		runs_lose(m->runs, head, too_long);
	else
		m->has_fragment = true;
}

/* A fragment before `line` is what is left of an event that is lost, or the beginning of a part of
 * the log that is there twice. Lines that are skipped do not show which. */
static void check_fragment(struct reader_main *m, struct span line)
{
	struct event event;
	bool known = event_head(line, &event);

	if (known && !event_set_has(m->types, event.type))
		return;
	if (!known || !runs_has_copy(m->runs, &event))
		runs_lose(m->runs, SPAN(""), false);
	m->has_fragment = false;
}

bool reader_main_skip(struct reader_main *m, struct span *line, const struct json_fault *fault)
{
	struct span tail = reader_skip(m->reader, *line, fault);

	lose(m, *line, false);
	if (m->has_fragment && tail.at != NULL)
		check_fragment(m, tail);
	*line = tail;
	return tail.at != NULL && !m->strict;
}

/* Check whether an event is missing in NUL bytes that were skipped after the line `before`; absent:
 * in earlier ones, for a run that begins in them may have its first whole event later. */
static void check_hole(struct reader_main *m, struct span line, struct span before)
{
	struct event event, last;

	if (!event_head(line, &event) || event.seq < 1)
		return;
	if (!runs_has(m->runs, event.run_id) ||
	    (event_head(before, &last) && span_equal(last.run_id, event.run_id) &&
	     event.seq > last.seq + 1))
		lose(m, line, false);
}

/* Returns false to stop reading. */
static bool take_line(struct reader_main *m, struct span line)
{
	enum event_result result;
	struct json_fault fault;
	struct event event;
	struct run *run;

	while ((result = event_read_one_of(line, m->types, &event, &fault)) == EVENT_MALFORMED)
		if (!reader_main_skip(m, &line, &fault))
			return !m->strict;
	reader_settle(m->reader, READER_NOT_EVENT);
	if (result == EVENT_SKIPPED || !run_choice_has(&m->choice, &event))
		return true;
	if (m->program->any_event != NULL)
		m->program->any_event(m, &event);
	run = runs_event(m->runs, &event, m->reader);
	if (run != NULL)
		m->program->event(m, run, &event);
	return true;
}

/* An array of events is one value over one or many lines, each of which would be reported. */
static void refuse_array(struct reader_main *m, struct span line)
{
	line = json_trim(line);
	if (!span_is(line, "[") && !span_starts(line, "[{"))
		return;
	m->program->free(m);
	die(m->ignores_runs ? STATUS_USAGE : STATUS_FAILED,
	    "%s is a JSON array, not one object per line; write its elements with jq -c '.[]'",
	    m->input);
}

/* Returns false to stop reading. */
static bool take(struct reader_main *m, struct span line)
{
	struct span before = reader_line_before_nuls(m->reader);

	if (m->format.lines == 0)
		refuse_array(m, line);
	format_check_line(&m->format, line);
	m->has_hole = m->has_hole || before.at != NULL;
	if (m->has_hole)
		check_hole(m, line, before);
	if (m->has_fragment)
		check_fragment(m, line);
	return m->program->line != NULL ? m->program->line(m, line) : take_line(m, line);
}

static bool is_faulty(const struct reader_main *m)
{
	return m->program->stops_at_faults && m->strict && reader_status(m->reader) != STATUS_OK;
}

static void at_rest(void *self, int64_t time)
{
	struct reader_main *m = self;

	if (!m->format.found)
		return;
	if (time == 0 && m->program->at_rest != NULL)
		m->program->at_rest(m);
	if (time >= max_rest && !m->follows_forever)
		reader_stop_following(m->reader);
}

static void read_all(struct reader_main *m)
{
	const struct reader_program *program = m->program;
	enum reader_result result = READER_TIMEOUT;
	struct span line;

	while (result != READER_END && !m->stopped) {
		result =
		    reader_next(m->reader, &line, program->idle != NULL ? program->idle(m) : 0);
		if (result == READER_LINE) {
			m->stopped = !take(m, line);
		} else if (result == READER_SKIPPED) {
			lose(m, line, true);
			m->stopped = m->strict;
		}
		if (m->follow && !m->follows_forever && runs_all_ended(m->runs))
			reader_stop_following(m->reader);
		m->stopped = m->stopped || is_faulty(m);
	}
}

/* ---- the program ---- */

static void begin(struct reader_main *m, char **files, int count)
{
	const struct reader_program *program = m->program;
	struct stat output;

	if (!run_choice_resolve(&m->choice, files, (size_t)count, m->follow))
		exit(STATUS_USAGE);
	m->input = count > 1                                  ? "the input"
		   : count == 0 || strcmp(files[0], "-") == 0 ? "standard input"
							      : files[0];
	m->reader = reader_open(files, (size_t)count, m->follow);
	if (fstat(STDOUT_FILENO, &output) == 0)
		check_output(m, &output, "standard output");
	m->runs = runs_new(program->release, m->strict);
	if (program->begin != NULL)
		program->begin(m);
	if (m->types == 0 || m->strict)
		m->types = EVENT_ALL;
	reader_set_callbacks(m->reader, &(struct reader_callbacks){.before_wait = program->flush,
								   .before_warn = program->clear,
								   .at_rest = at_rest,
								   .context = m});
}

/* Whether nothing came from a pipe. Its writer has failed, and has said why. */
static bool is_empty_pipe(const struct reader_main *m)
{
	struct stat input;

	return m->format.lines == 0 && strcmp(m->input, "standard input") == 0 &&
	       fstat(STDIN_FILENO, &input) == 0 && S_ISFIFO(input.st_mode);
}

/* Warn if the program had no events to read. Returns STATUS_OK if it had. */
static int check_input(const struct reader_main *m)
{
	if (format_check_failed(&m->format))
		return STATUS_FAILED;
	if (m->format.found && !run_choice_check(&m->choice, m->input))
		return STATUS_USAGE;
	if (m->ignores_runs || m->format.found)
		return STATUS_OK;
	if (!is_empty_pipe(m))
		warn("the input has no events; the output of %s is expected, one JSON object per "
		     "line",
		     m->format.wanted);
	return STATUS_INCOMPLETE;
}

/* Set `own`, and return the exit status at the end of the input. */
static int verdict(struct reader_main *m)
{
	int input, of_runs;

	m->own = reader_status(m->reader);
	if (m->stopped || m->own == STATUS_USAGE)
		return m->own;
	if (m->has_fragment)
		check_fragment(m, SPAN(""));
	if (runs_lost(m->runs))
		m->own = STATUS_FAILED;
	input = check_input(m);
	of_runs = input == STATUS_OK && !m->ignores_runs ? runs_verdict(m->runs) : input;
	if (input > m->own)
		m->own = input;
	return m->own_status || of_runs < m->own ? m->own : of_runs;
}

static int end(struct reader_main *m)
{
	const struct reader_program *program = m->program;
	int status;

	program->end(m);
	status = verdict(m);
	return program->status != NULL ? program->status(m, status) : status;
}

int reader_main(const struct reader_program *program, struct reader_main *m, int argc, char **argv)
{
	struct option_list options = {0};
	int first, status;

	setlocale(LC_CTYPE, "C.UTF-8"); /* for utf8_columns */
	m->program = program;
	m->color = "auto";
	m->format.wanted = FORMAT_EVENTS;
	option_list_add(&options, program->options, program->option_count);
	option_list_add(&options, common_options, ARRAY_LEN(common_options));
	first = option_list_parse(&options, m, argc, argv, program->usage, program->help_end);
	begin(m, argv + first, argc - first);
	read_all(m);
	status = end(m);
	runs_free(m->runs);
	run_choice_free(&m->choice);
	reader_close(m->reader);
	program->free(m);
	return status;
}
