/*
 * agent-collect: the result of each run of an event stream. See agent-collect(1).
 */
#include "collect.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "event/reader_options.h"

static const char help[] =
    "usage: agent-collect [options] [FILE ...]\n"
    "Collects the events of agent runs into one result a run.\n"
    "\n"
    "  -o, --output=FORMAT    json (default), text, markdown, html, messages, csv, events, otlp\n"
    "  -p, --pass             pass the events on to standard output (needs --result)\n"
    "  -r, --result=FILE      write the results to FILE\n"
    "      --status           show a live line on the terminal\n"
    "      --check=EXPR       a jq condition that every result must meet, else exit 1\n"
    "      --total            one more result over all runs\n" READER_HELP "\n"
    "Exit status: that of the worst run; 1 also for malformed lines and failed checks;\n"
    "2 usage; 4 a run did not end. See agent-collect(1).\n";

enum { OUTPUT_BUFFER = 64 * 1024 };

struct options {
	struct reader_options common;
	const struct format *format;
	const char *result_file;
	char **checks;
	size_t check_count;
	bool pass, status, total;
};

struct program {
	struct options options;
	struct reader *reader;
	struct runs *runs;
	struct collection collection;
	struct wants wants;
	struct output pass;
	struct checks *checks;
	struct total total;
	struct live *live;          /* NULL: no --status, or no terminal */
	bool check_failed, stopped; /* stopped: by --strict */
};

/* ---- options ---- */

static const struct format *find_format(const char *name)
{
	static const struct format *const formats[] = {
	    &format_json,     &format_text, &format_markdown, &format_html,
	    &format_messages, &format_csv,  &format_events,   &format_otlp,
	};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i]->name, name) == 0)
			return formats[i];
	die(STATUS_USAGE,
	    "--output: no format is named '%s'; there are json, text, markdown, html, messages, "
	    "csv, events and otlp",
	    name);
}

static void add_check(struct options *options, char *expression)
{
	options->checks = mem_resize(options->checks, (options->check_count + 1) * sizeof(char *));
	options->checks[options->check_count++] = expression;
}

static void check_options(const struct options *options)
{
	if (options->pass &&
	    (options->result_file == NULL || strcmp(options->result_file, "-") == 0))
		die(STATUS_USAGE,
		    "--pass needs --result FILE, as standard output is for the events");
	if (options->total && options->format->total == NULL)
		die(STATUS_USAGE, "--total has no place in the format '%s'", options->format->name);
}

static void read_options(struct options *options, int argc, char **argv)
{
	enum { CHECK = READER_OPT_OWN, STATUS, TOTAL };
	static const struct option names[] = {
	    {"output", required_argument, NULL, 'o'},
	    {"pass", no_argument, NULL, 'p'},
	    {"result", required_argument, NULL, 'r'},
	    {"check", required_argument, NULL, CHECK},
	    {"status", no_argument, NULL, STATUS},
	    {"total", no_argument, NULL, TOTAL},
	    READER_LONG_OPTIONS,
	    {NULL, 0, NULL, 0},
	};
	int option;

	reader_options_init(&options->common);
	options->format = &format_json;
	while ((option = reader_options_next(&options->common, argc, argv,
					     "o:pr:" READER_SHORT_OPTIONS, names, help)) != -1) {
		switch (option) {
		case 'o':
			options->format = find_format(optarg);
			break;
		case 'p':
			options->pass = true;
			break;
		case 'r':
			options->result_file = optarg;
			break;
		case CHECK:
			add_check(options, optarg);
			break;
		case STATUS:
			options->status = true;
			break;
		case TOTAL:
			options->total = true;
			break;
		default:
			break;
		}
	}
	if (options->common.is_over)
		exit(options->common.exit_status);
	check_options(options);
}

/* ---- the end of a run ---- */

static void check_result(struct program *program, const struct result *result)
{
	struct buffer json = {0};

	if (program->checks == NULL)
		return;
	result_write(result, &json, false);
	live_clear(program->live);
	if (!checks_hold(program->checks, buffer_span(&json)))
		program->check_failed = true;
	buffer_free(&json);
}

static void flush(void *context)
{
	struct program *program = context;

	if (program->collection.output.pending.len > 0 || program->pass.pending.len > 0)
		live_clear(program->live);
	output_flush(&program->pass);
	output_flush(&program->collection.output);
}

/* Whether the usage of a nested run is part of its parent's, which is in the input as well. */
static bool is_in_parent(const struct program *program, const struct run *run)
{
	return run->parent_id != NULL && runs_has(program->runs, span_of(run->parent_id));
}

/* Write the result of a run that is over, whole or not. */
static void finish(struct program *program, const struct result *result)
{
	program->collection.format->result(&program->collection, result);
	program->collection.written++;
	if (program->options.total)
		total_add(&program->total, result, is_in_parent(program, result->run));
	check_result(program, result);
	if (program->collection.output.pending.len >= OUTPUT_BUFFER)
		flush(program);
}

/* At the end of the input: what is known of the runs that have not ended. */
static void finish_open_runs(struct program *program)
{
	struct run *run = NULL;

	while ((run = runs_next(program->runs, run)) != NULL) {
		if (run->ended || !run->counts || run->state == NULL)
			continue;
		result_settle_time(run->state);
		finish(program, run->state);
	}
}

/* ---- lines ---- */

static void pass_on(struct program *program, struct span line)
{
	if (!program->options.pass)
		return;
	buffer_add_span(&program->pass.pending, line);
	buffer_add_char(&program->pass.pending, '\n');
	if (program->pass.pending.len >= OUTPUT_BUFFER)
		flush(program);
}

static void take_event(struct program *program, const struct event *event)
{
	struct run *run = runs_event(program->runs, event, program->reader);
	struct result *result;
	enum event_type type;

	if (run == NULL)
		return;
	if (run->state == NULL)
		run->state = result_new(run);
	result = run->state;
	type = result_add(result, event, &program->wants, program->reader);
	if (program->live != NULL) {
		result_settle_time(result);
		live_event(program->live, event, type, result, program->runs);
	}
	if (type == EVENT_AGENT_END) {
		finish(program, result);
		runs_forget(program->runs, run);
	}
}

static void take_line(struct program *program, struct span line)
{
	struct json_fault fault;
	struct event event;

	if (event_read(line, &event, &fault)) {
		pass_on(program, line);
		take_event(program, &event);
	} else {
		reader_warn_skipped(program->reader, &fault);
	}
}

/* Whether --follow has seen all it waited for. */
static bool all_ended(const struct program *program)
{
	return runs_ended(program->runs) > 0 && runs_open(program->runs) == 0 &&
	       reader_is_drained(program->reader);
}

static void read_all(struct program *program)
{
	enum reader_result read = READER_TIMEOUT;
	struct span line;

	while (read != READER_END && !program->stopped) {
		read = reader_next(program->reader, &line,
				   program->live != NULL ? live_draw(program->live) : 0);
		if (read == READER_LINE)
			take_line(program, line);
		if (read == READER_LINE && program->options.common.follow && all_ended(program))
			reader_stop_following(program->reader);
		program->stopped =
		    program->options.common.strict && reader_status(program->reader) != STATUS_OK;
	}
}

/* ---- the program ---- */

/* A signal must not leave the live line behind. */
static void on_signal(int signal_number)
{
	static const char clear[] = "\r\033[K";
	ssize_t ignored = write(STDERR_FILENO, clear, sizeof(clear) - 1);

	(void)ignored;
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

static void begin_status(struct program *program)
{
	struct sigaction action = {.sa_handler = on_signal};

	if (!program->options.status || !isatty(STDERR_FILENO))
		return;
	program->live = live_new(STDERR_FILENO);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGPIPE, &action, NULL);
}

static struct output open_output(const struct options *options, const char *file, bool is_json)
{
	struct output output = {.fd = STDOUT_FILENO, .is_json = is_json};

	if (file != NULL && strcmp(file, "-") != 0)
		output.fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (output.fd < 0)
		die(STATUS_USAGE, "%s: %s", file, strerror(errno));
	output.is_terminal = !options->common.raw_control && isatty(output.fd);
	return output;
}

static void begin(struct program *program)
{
	const struct options *options = &program->options;
	struct collection *collection = &program->collection;
	struct error e = {0};

	if (options->check_count > 0) {
		program->checks = checks_new(options->checks, options->check_count, &e);
		if (program->checks == NULL)
			die(STATUS_USAGE, "--check: %s", e.message);
	}
	program->runs = runs_new(result_free, options->common.strict);
	program->wants = options->format->wants;
	if (options->check_count > 0)
		program->wants.calls = program->wants.errors = true;
	total_init(&program->total);
	collection->format = options->format;
	collection->runs = program->runs;
	collection->output = open_output(options, options->result_file, options->format->is_json);
	program->pass = open_output(options, NULL, true);
	program->reader =
	    reader_open(options->common.files, options->common.file_count, options->common.follow);
	reader_before_wait(program->reader, flush, program);
	begin_status(program);
	reader_before_warn(program->reader, live_clear, program->live);
	if (options->format->begin != NULL)
		options->format->begin(collection);
}

static void end(struct program *program)
{
	const struct format *format = program->options.format;

	if (!program->stopped)
		finish_open_runs(program);
	total_close(&program->total);
	if (program->options.total)
		format->total(&program->collection, &program->total);
	if (format->end != NULL)
		format->end(&program->collection);
	flush(program);
}

/* What the streams lacked, and the exit status. */
static int judge(const struct program *program)
{
	int status = runs_status(program->runs), malformed = reader_status(program->reader);

	if (malformed == STATUS_USAGE || program->stopped)
		return malformed;
	if (status == STATUS_INCOMPLETE)
		warn("%s", runs_open(program->runs) > 0
			       ? "the stream ended without agent_end: its writer was killed"
			       : "there was no event to read");
	if (program->check_failed && status < STATUS_FAILED)
		status = STATUS_FAILED;
	return malformed > status ? malformed : status;
}

int main(int argc, char **argv)
{
	struct program program = {0};
	int status;

	setlocale(LC_CTYPE, "C.UTF-8");
	read_options(&program.options, argc, argv);
	begin(&program);
	read_all(&program);
	end(&program);
	live_free(program.live);
	status = judge(&program);
	checks_free(program.checks);
	runs_free(program.runs);
	reader_close(program.reader);
	buffer_free(&program.collection.output.pending);
	buffer_free(&program.pass.pending);
	free(program.options.checks);
	return status;
}
