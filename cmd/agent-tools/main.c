/* agent-tools: the tool calls of an event stream, as they happen. See agent-tools(1). */
#include <fnmatch.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "event/failure.h"
#include "event/reader_options.h"
#include "event/terminal.h"
#include "live.h"
#include "summary.h"

static const char help[] =
    "usage: agent-tools [options] [FILE ...]\n"
    "Show the tool calls of an agent's event stream as they happen; exit with the run's status.\n"
    "\n"
    "  -j, --json             one JSON object a completed call\n"
    "      --tsv              the same as tab-separated values\n"
    "  -a, --args             the arguments while the model writes them\n"
    "  -s, --summary          a table at the end: calls, errors and times of each tool\n"
    "  -N, --name GLOBS       only calls of tools whose name matches one of them\n"
    "  -e, --errors           only calls that failed\n"
    "  -r, --run ID           only runs whose id begins or ends with ID\n"
    "  -w, --width N          cut lines to N columns (the terminal's; 0: never)\n" READER_HELP;

enum { OPT_TSV = READER_OPT_OWN };

static const struct option long_options[] = {
    {"json", no_argument, NULL, 'j'},
    {"tsv", no_argument, NULL, OPT_TSV},
    {"args", no_argument, NULL, 'a'},
    {"summary", no_argument, NULL, 's'},
    {"name", required_argument, NULL, 'N'},
    {"errors", no_argument, NULL, 'e'},
    {"run", required_argument, NULL, 'r'},
    {"width", required_argument, NULL, 'w'},
    READER_LONG_OPTIONS,
    {NULL, 0, NULL, 0},
};

enum { FLUSH_SIZE = 64 * 1024 };

struct program {
	struct reader_options common;
	struct tools_options options;
	const char *run; /* --run */
	struct reader *reader;
	struct runs *runs;
	struct calls *calls;
	struct live *live;       /* NULL: records or a summary are wanted */
	struct summary *summary; /* NULL: not wanted */
	struct buffer out;       /* records, and the summary */
	struct buffer key, name; /* of the event at hand */
};

/* ---- options ---- */

static void add_names(struct tools_options *options, const char *list)
{
	while (*list != '\0') {
		size_t len = strcspn(list, ",");

		if (len > 0) {
			options->names =
			    mem_resize(options->names, (options->name_count + 1) * sizeof(char *));
			options->names[options->name_count++] = mem_copy((struct span){list, len});
		}
		list += len + (list[len] == ',');
	}
}

static size_t read_width(const char *value)
{
	char *end;
	unsigned long width = strtoul(value, &end, 10);

	if (value[0] < '0' || value[0] > '9' || *end != '\0' || width > 1000000)
		die(STATUS_USAGE, "--width takes a number of columns, not '%s'", value);
	return width;
}

static void parse(struct program *p, int argc, char **argv)
{
	struct tools_options *options = &p->options;
	int option;

	reader_options_init(&p->common);
	options->width = terminal_columns(STDOUT_FILENO);
	while ((option = getopt_long(argc, argv, "jasN:er:w:" READER_SHORT_OPTIONS, long_options,
				     NULL)) != -1) {
		if (reader_options_take(&p->common, option, optarg, help))
			continue;
		switch (option) {
		case 'j':
			options->form = FORM_JSON;
			break;
		case OPT_TSV:
			options->form = FORM_TSV;
			break;
		case 'a':
			options->args = true;
			break;
		case 's':
			options->summary = true;
			break;
		case 'N':
			add_names(options, optarg);
			break;
		case 'e':
			options->errors_only = true;
			break;
		case 'r':
			p->run = optarg;
			break;
		default:
			options->width = read_width(optarg);
			break;
		}
	}
	reader_options_files(&p->common, argc, argv, optind);
	options->safe = isatty(STDOUT_FILENO) && !p->common.raw_control;
	options->color = terminal_use_color(p->common.color, STDOUT_FILENO);
	options->redraw = terminal_columns(STDOUT_FILENO) > 0;
	options->args = options->args && !options->errors_only;
}

/* ---- output ---- */

/* Records on a terminal are made safe as a whole: their own tabs and newlines stay. */
static void write_records(struct program *p)
{
	struct buffer safe = {0};

	if (!p->options.safe) {
		write_out(&p->out);
		return;
	}
	if (p->options.form == FORM_JSON)
		terminal_add_json(&safe, buffer_span(&p->out));
	else
		terminal_add(&safe, buffer_span(&p->out));
	buffer_clear(&p->out);
	write_out(&safe);
	buffer_free(&safe);
}

static void flush(void *context)
{
	struct program *p = context;

	if (p->live != NULL)
		live_flush(p->live);
	else if (p->summary == NULL)
		write_records(p);
}

/* Before something is said on standard error. */
static void clear(void *context)
{
	struct program *p = context;

	if (p->live != NULL)
		live_clear(p->live);
	else
		flush(p);
}

/* ---- events ---- */

static bool is_asked_name(const struct tools_options *options, const char *name)
{
	for (size_t i = 0; i < options->name_count; i++)
		if (fnmatch(options->names[i], name, 0) == 0)
			return true;
	return options->name_count == 0;
}

/* The open call that the event is about; NULL: there is none. */
static struct call *find_call(struct program *p, const struct run *run, const struct event *event)
{
	buffer_clear(&p->key);
	calls_key(event, &p->key);
	return calls_find(p->calls, run, buffer_span(&p->key));
}

/* Whether the event's tool is asked for; its name is in p->name then. */
static bool is_asked(struct program *p, const struct event *event)
{
	buffer_clear(&p->name);
	if (!json_decode(json_get(event->data, "tool_name"), &p->name))
		buffer_add_char(&p->name, '?');
	return is_asked_name(&p->options, buffer_string(&p->name));
}

/* Open the call whose key and name are at hand. */
static struct call *open_call(struct program *p, const struct run *run)
{
	return calls_open(p->calls, run, buffer_span(&p->key), buffer_span(&p->name));
}

/* The open call; it is opened where there is none. NULL: its tool is not asked for. */
static struct call *find_or_open(struct program *p, const struct run *run,
				 const struct event *event)
{
	struct call *call = find_call(p, run, event);

	return call != NULL || !is_asked(p, event) ? call : open_call(p, run);
}

static void take_args(struct program *p, const struct run *run, const struct event *event)
{
	struct call *call;

	if (span_is(event->type, "tool_call_end")) {
		live_args_end(p->live);
		return;
	}
	call = find_or_open(p, run, event);
	if (call != NULL && span_is(event->type, "tool_call_chunk"))
		live_args(p->live, call, json_get(event->data, "args_delta"));
}

static void take_start(struct program *p, const struct run *run, const struct event *event)
{
	struct call *call = find_or_open(p, run, event);

	if (call == NULL)
		return;
	if (call->running && run->resumed)
		return; /* it was interrupted, and runs again */
	if (call->running) {
		reader_warn(p->reader, "call %.*s of '%s' starts again; the event is ignored",
			    SPAN_ARG(buffer_span(&call->key)), buffer_string(&call->name));
		return;
	}
	call->running = true;
	call->iteration = json_int(json_get(event->data, "iteration"), -1);
	if (event->timestamp.at != NULL)
		call->log_time = clock_parse_timestamp(event->timestamp);
	if (p->options.redraw)
		call->seen_at = clock_monotonic();
	if (p->summary == NULL && json_get(event->data, "args").at != NULL)
		json_write_line(&call->args, json_get(event->data, "args"));
	if (p->live != NULL && !p->options.errors_only)
		live_start(p->live, call);
}

/* How long the call took, by its own word or by the log's clock; negative: not known. */
static double seconds_of(const struct call *call, const struct event *event)
{
	double seconds = json_double(json_get(event->data, "duration_seconds"), -1);
	int64_t now;

	if (seconds >= 0 && isfinite(seconds))
		return seconds;
	if (call == NULL || call->log_time < 0 || event->timestamp.at == NULL)
		return -1;
	now = clock_parse_timestamp(event->timestamp);
	return now >= call->log_time ? (double)(now - call->log_time) / 1e6 : -1;
}

/* Whether a tool_end that no tool_start came before may count; says what is wrong with it. In a
 * stream that begins in the middle of a run, or was filtered, nothing is. */
static bool check_lone_end(struct program *p, const struct run *run)
{
	bool again = calls_was_closed(p->calls, run, buffer_span(&p->key));

	if (again)
		reader_warn(p->reader, "a second tool_end of call %.*s; it is ignored",
			    SPAN_ARG(buffer_span(&p->key)));
	else if (run->started)
		reader_warn(p->reader, "a tool_end of call %.*s without its tool_start",
			    SPAN_ARG(buffer_span(&p->key)));
	return !again;
}

static void show_ended(struct program *p, const struct ended_call *ended)
{
	if (p->options.errors_only && !ended->is_error)
		return;
	if (p->summary != NULL) {
		summary_add(p->summary, ended);
	} else if (p->live != NULL) {
		if (p->options.errors_only && ended->call != NULL)
			live_start(p->live, ended->call);
		live_end(p->live, ended);
	} else if (p->options.form == FORM_JSON) {
		record_json(&p->out, ended);
	} else {
		record_tsv(&p->out, ended);
	}
	if (p->out.len >= FLUSH_SIZE)
		flush(p);
}

static void take_end(struct program *p, const struct run *run, const struct event *event)
{
	struct call *call = find_call(p, run, event);
	struct ended_call ended = {
	    .run = run,
	    .id = json_get(event->data, "tool_call_id"),
	    .result = json_get(event->data, "result"),
	    .is_error = json_true(json_get(event->data, "is_error")),
	    .seconds = seconds_of(call, event),
	};

	if (call == NULL && !is_asked(p, event))
		return;
	if ((call == NULL || !call->running) && !check_lone_end(p, run))
		return;
	if (call == NULL)
		call = open_call(p, run);
	ended.call = call;
	ended.name = buffer_span(&call->name);
	ended.iteration = json_int(json_get(event->data, "iteration"), call->iteration);
	if (call->args.len > 0)
		ended.args = buffer_span(&call->args);
	show_ended(p, &ended);
	calls_close(p->calls, call);
}

static void take_approval(struct program *p, const struct run *run, const struct event *event)
{
	if (json_is(json_get(event->data, "decision"), "denied") && is_asked(p, event))
		live_denied(p->live, run, buffer_span(&p->name), json_get(event->data, "by"));
}

/* ---- the end of a run ---- */

static void say_unfinished(struct program *p, const struct call *call)
{
	struct buffer text = {0};

	add_one_line(&text, buffer_span(&call->name), true);
	clear(p);
	warn("a call of %s never ended", buffer_string(&text));
	buffer_free(&text);
}

/* The call will not end any more; one that was only written by the model was not to run. */
static void give_up(struct program *p, struct call *call)
{
	if (p->live != NULL)
		live_args_end(p->live);
	if (call->running && p->summary != NULL)
		summary_add_unfinished(p->summary, buffer_span(&call->name));
	else if (call->running && p->live != NULL)
		live_unfinished(p->live, call);
	else if (call->running)
		say_unfinished(p, call);
	calls_close(p->calls, call);
}

/* The calls of `run` (NULL: of every run) that are still open; or only the written ones. */
static void give_up_calls(struct program *p, const struct run *run, bool written_only)
{
	struct call *next = calls_next(p->calls, NULL), *call;

	while ((call = next) != NULL) {
		next = calls_next(p->calls, call);
		if ((run == NULL || call->run == run) && !(written_only && call->running))
			give_up(p, call);
	}
}

static void say_failure(struct program *p, struct run *run, const struct event *event)
{
	struct buffer sentence = {0};

	if (run->parent_id == NULL && failure_sentence(p->runs, run, event, &sentence)) {
		clear(p);
		warn("%s", buffer_string(&sentence));
	}
	buffer_free(&sentence);
}

static void take_event(struct program *p, struct run *run, const struct event *event)
{
	if (p->live != NULL)
		live_run(p->live, run);
	if (span_is(event->type, "tool_start")) {
		take_start(p, run, event);
	} else if (span_is(event->type, "tool_end")) {
		take_end(p, run, event);
	} else if (span_starts(event->type, "tool_call_")) {
		if (p->live != NULL && p->options.args)
			take_args(p, run, event);
	} else if (span_is(event->type, "tool_approval")) {
		if (p->live != NULL)
			take_approval(p, run, event);
	} else if (span_is(event->type, "llm_retry")) {
		if (json_true(json_get(event->data, "discard")))
			give_up_calls(p, run, true);
	} else if (span_is(event->type, "error")) {
		say_failure(p, run, event);
	} else if (span_is(event->type, "agent_end")) {
		give_up_calls(p, run, false);
		say_failure(p, run, event);
		runs_forget(p->runs, run);
	}
}

/* ---- lines ---- */

/* Events that say nothing about tools are passed over by their first bytes. */
static bool is_needed(const struct program *p, struct span line)
{
	static const char *const types[] = {"tool_end", "tool_start", "agent_start", "agent_end",
					    "error", "tool_approval",
					    /* only with --args: */
					    "tool_call_chunk", "tool_call_end", "tool_call_start",
					    "llm_retry"};
	size_t count = sizeof(types) / sizeof(*types) - (p->options.args ? 0 : 4);

	return p->common.strict || event_may_be(line, types, count);
}

/* Returns false when reading is to stop. */
static bool take_line(struct program *p, struct span line)
{
	struct json_fault fault;
	struct event event;
	struct run *run;

	if (!is_needed(p, line))
		return true;
	if (!event_read(line, &event, &fault)) {
		reader_warn(p->reader, "byte %zu: %s; the line is skipped", fault.offset + 1,
			    fault.what);
		return !p->common.strict;
	}
	if (p->run != NULL && !runs_is_asked(event.run_id, p->run))
		return true;
	run = runs_event(p->runs, &event, p->reader);
	if (run != NULL)
		take_event(p, run, &event);
	if (p->common.follow && runs_open(p->runs) == 0 && runs_ended(p->runs) > 0 &&
	    reader_is_drained(p->reader))
		reader_stop_following(p->reader);
	return true;
}

static void read_all(struct program *p)
{
	struct span line;

	for (;;) {
		int64_t due = p->live != NULL ? live_draw(p->live) : 0;
		enum reader_result result = reader_next(p->reader, &line, due);

		if (result == READER_END || (result == READER_LINE && !take_line(p, line)))
			return;
	}
}

/* ---- the program ---- */

/* A signal must not leave the line of running calls behind. */
static void on_signal(int signal_number)
{
	static const char erase[] = "\r\033[K";
	ssize_t ignored = write(STDOUT_FILENO, erase, sizeof(erase) - 1);

	(void)ignored;
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

static void begin(struct program *p)
{
	struct sigaction action = {.sa_handler = on_signal};

	p->runs = runs_new(NULL, p->common.strict);
	p->calls = calls_new();
	if (p->options.summary)
		p->summary = summary_new();
	else if (p->options.form == FORM_TEXT)
		p->live = live_new(&p->options, p->runs, p->calls);
	p->reader = reader_open(p->common.files, p->common.file_count, p->common.follow);
	reader_before_wait(p->reader, flush, p);
	reader_before_warn(p->reader, clear, p);
	if (p->live != NULL && p->options.redraw) {
		sigaction(SIGINT, &action, NULL);
		sigaction(SIGTERM, &action, NULL);
		sigaction(SIGHUP, &action, NULL);
	}
}

static void end(struct program *p)
{
	give_up_calls(p, NULL, false);
	if (p->summary != NULL) {
		summary_write(p->summary, &p->options, &p->out);
		write_records(p);
	}
	clear(p);
}

int main(int argc, char **argv)
{
	struct program p = {0};
	int status;

	setlocale(LC_CTYPE, "C.UTF-8");
	parse(&p, argc, argv);
	begin(&p);
	read_all(&p);
	end(&p);
	status = runs_verdict(p.runs, p.reader);
	live_free(p.live);
	summary_free(p.summary);
	calls_free(p.calls);
	runs_free(p.runs);
	reader_close(p.reader);
	buffer_free(&p.out);
	buffer_free(&p.key);
	buffer_free(&p.name);
	for (size_t i = 0; i < p.options.name_count; i++)
		free(p.options.names[i]);
	free(p.options.names);
	return status;
}
