/* agent-filter: choose and change events. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "choose.h"
#include "event/reader_options.h"
#include "event/runs.h"
#include "jq/program.h"
#include "merge.h"

static const char help[] =
    "usage: agent-filter [options] [FILE ...]\n"
    "Choose and change the events of an agent's stream.\n"
    "\n"
    "  -t, --type TYPES       keep these types: comma-separated globs\n"
    "  -T, --not-type TYPES   drop these\n"
    "  -i, --items            finished things only: no *_chunk, no raw\n"
    "  -N, --name GLOB        events of these tools\n"
    "  -r, --run ID           events of the runs whose id begins with ID\n"
    "  -s, --select EXPR      keep events for which the jq expression is true\n"
    "  -m, --map EXPR         what the jq expression yields instead, one value a line\n"
    "      --arg NAME VALUE   $NAME in expressions is the text VALUE\n"
    "      --argjson NAME JSON  $NAME in expressions is this JSON value\n"
    "  -d, --debounce SECONDS merge neighbouring chunks of one run and kind\n"
    "      --sse              frame the output as text/event-stream\n"
    "  -c, --count            print only how many lines there would be\n"
    "  -e, --exit-status      exit 1 when nothing was printed\n" READER_HELP;

enum { OPT_SSE = READER_OPT_OWN, OPT_ARG, OPT_ARGJSON };

static const struct option long_options[] = {
    {"type", required_argument, NULL, 't'},
    {"not-type", required_argument, NULL, 'T'},
    {"items", no_argument, NULL, 'i'},
    {"name", required_argument, NULL, 'N'},
    {"run", required_argument, NULL, 'r'},
    {"select", required_argument, NULL, 's'},
    {"map", required_argument, NULL, 'm'},
    {"arg", required_argument, NULL, OPT_ARG},
    {"argjson", required_argument, NULL, OPT_ARGJSON},
    {"debounce", required_argument, NULL, 'd'},
    {"sse", no_argument, NULL, OPT_SSE},
    {"count", no_argument, NULL, 'c'},
    {"exit-status", no_argument, NULL, 'e'},
    READER_LONG_OPTIONS,
    {NULL, 0, NULL, 0},
};

/* Output is written when it has grown to this, and before the program waits. */
enum { OUTPUT_SIZE = 256 * 1024 };

struct filter {
	struct reader_options common;
	struct choice choice;
	const char *select_text, *map_text;
	struct jq_variable *variables; /* owned, with their JSON */
	size_t variable_count;
	struct merge merge;
	bool sse, count_only, exit_status;

	struct reader *reader;
	struct runs *runs; /* with --follow: when have all ended? */
	struct jq_program *select, *map;
	struct buffer out;
	uint64_t printed;
};

/* ---- options ---- */

/* --arg takes two words: getopt gives the first, the second is the next one. */
static void add_variable(struct filter *f, const char *name, bool is_json, int argc, char **argv)
{
	struct buffer json = {0};
	const char *value;

	if (optind >= argc)
		die(STATUS_USAGE, "--%s takes a name and a value", is_json ? "argjson" : "arg");
	value = argv[optind++];
	if (is_json)
		buffer_add_text(&json, value);
	else
		json_write_string(&json, span_of(value));
	f->variables = mem_resize(f->variables, (f->variable_count + 1) * sizeof(*f->variables));
	f->variables[f->variable_count++] =
	    (struct jq_variable){.name = name, .json = {json.at, json.len}};
}

static void parse(struct filter *f, int argc, char **argv)
{
	int option;

	reader_options_init(&f->common);
	while ((option = getopt_long(argc, argv, "t:T:iN:r:s:m:d:ce" READER_SHORT_OPTIONS,
				     long_options, NULL)) != -1) {
		if (reader_options_take(&f->common, option, optarg, help))
			continue;
		switch (option) {
		case 't':
			patterns_add(&f->choice.types, optarg);
			break;
		case 'T':
			patterns_add(&f->choice.not_types, optarg);
			break;
		case 'i':
			f->choice.items_only = true;
			break;
		case 'N':
			patterns_add(&f->choice.names, optarg);
			break;
		case 'r':
			patterns_add(&f->choice.runs, optarg);
			break;
		case 's':
			f->select_text = optarg;
			break;
		case 'm':
			f->map_text = optarg;
			break;
		case OPT_ARG:
		case OPT_ARGJSON:
			add_variable(f, optarg, option == OPT_ARGJSON, argc, argv);
			break;
		case 'd':
			f->merge.seconds = reader_options_seconds("--debounce", optarg);
			break;
		case OPT_SSE:
			f->sse = true;
			break;
		case 'c':
			f->count_only = true;
			break;
		default:
			f->exit_status = true;
			break;
		}
	}
	reader_options_files(&f->common, argc, argv, optind);
}

/* What jq says of an expression that does not compile is shown as jq shows it. */
static struct jq_program *compile(const struct filter *f, const char *expression)
{
	struct error e = {0};
	struct jq_program *program;

	if (expression == NULL)
		return NULL;
	program = jq_program_open(expression, f->variables, f->variable_count, &e);
	if (program == NULL) {
		if (span_starts(span_of(e.message), "jq:"))
			fprintf(stderr, "%s\n", e.message);
		else
			warn("%s", e.message);
		exit(STATUS_USAGE);
	}
	return program;
}

/* ---- output ---- */

static void flush(void *context)
{
	struct filter *f = context;

	if (!write_all(STDOUT_FILENO, buffer_span(&f->out))) {
		if (errno == EPIPE)
			_exit(128 + SIGPIPE);
		die(STATUS_FAILED, "standard output: %s", strerror(errno));
	}
	buffer_clear(&f->out);
}

static void print(struct filter *f, struct span line)
{
	struct event event;

	f->printed++;
	if (f->count_only)
		return;
	if (f->sse) {
		event_envelope(line, &event);
		event_add_sse(&f->out, &event);
	} else {
		buffer_reserve(&f->out, line.len + 1);
		buffer_add_span(&f->out, line);
		buffer_add_char(&f->out, '\n');
	}
	if (f->out.len >= OUTPUT_SIZE)
		flush(f);
}

static void map(struct filter *f, struct span line)
{
	struct error e = {0};
	struct span value;
	enum jq_result result = JQ_RESULT_ERROR;
	bool truthy;

	if (jq_program_start(f->map, line, &e))
		while ((result = jq_program_next(f->map, &value, &truthy, &e)) == JQ_RESULT_VALUE)
			print(f, value);
	if (result == JQ_RESULT_ERROR)
		reader_warn(f->reader, "--map: %s", e.message);
	error_clear(&e);
}

/* The last step: an event that is kept. An absent one is none. */
static void pass(struct filter *f, struct span line)
{
	if (line.at == NULL)
		return;
	if (f->map != NULL)
		map(f, line);
	else
		print(f, line);
}

/* ---- choosing ---- */

static bool is_selected(struct filter *f, struct span line)
{
	struct error e = {0};
	enum jq_result result = JQ_RESULT_ERROR;
	bool truthy = false, selected = false;

	if (jq_program_start(f->select, line, &e))
		while ((result = jq_program_next(f->select, NULL, &truthy, &e)) == JQ_RESULT_VALUE)
			selected = selected || truthy;
	if (result == JQ_RESULT_ERROR)
		reader_warn(f->reader, "--select: %s", e.message);
	error_clear(&e);
	return selected;
}

/* The line is not what it should be. Returns whether to go on. */
static bool malformed(const struct filter *f, const struct json_fault *fault)
{
	reader_warn(f->reader, "byte %zu: %s; the line is skipped", fault->offset + 1, fault->what);
	return !f->common.strict;
}

static void follow(struct filter *f, const struct event *event)
{
	struct run *run = runs_event(f->runs, event, f->reader);

	if (run != NULL && run->ended)
		runs_forget(f->runs, run);
	if (runs_open(f->runs) == 0)
		reader_stop_following(f->reader);
}

/* Take a line; returns false when reading is to stop. */
static bool take_line(struct filter *f, struct span line)
{
	struct span type = event_type_quick(line), ready;
	bool simple = f->select == NULL && f->runs == NULL && f->merge.seconds <= 0 &&
		      !choice_looks_inside(&f->choice);
	struct json_fault fault;
	struct event event;

	if (type.at != NULL && f->runs == NULL && !choice_type(&f->choice, type))
		return true;
	if (type.at != NULL && simple) {
		if (!json_check(line, &fault))
			return malformed(f, &fault);
		pass(f, line);
		return true;
	}
	if (!event_read(line, &event, &fault))
		return malformed(f, &fault);
	if (f->runs != NULL)
		follow(f, &event);
	if (!choice_type(&f->choice, event.type) || !choice_event(&f->choice, &event) ||
	    (f->select != NULL && !is_selected(f, line)))
		return true;
	if (f->merge.seconds > 0 && merge_take(&f->merge, &event, &ready)) {
		pass(f, ready);
		return true;
	}
	pass(f, merge_close(&f->merge));
	pass(f, line);
	return true;
}

static void read_all(struct filter *f)
{
	struct span line;

	for (;;) {
		if (f->merge.due != 0 && f->merge.due <= clock_monotonic())
			pass(f, merge_close(&f->merge));
		switch (reader_next(f->reader, &line, f->merge.due)) {
		case READER_LINE:
			if (!take_line(f, line))
				return;
			break;
		case READER_TIMEOUT:
			break;
		case READER_END:
			return;
		}
	}
}

static void free_all(struct filter *f)
{
	for (size_t i = 0; i < f->variable_count; i++)
		free((char *)f->variables[i].json.at);
	free(f->variables);
	choice_free(&f->choice);
	merge_free(&f->merge);
	jq_program_close(f->select);
	jq_program_close(f->map);
	runs_free(f->runs);
	reader_close(f->reader);
	buffer_free(&f->out);
}

int main(int argc, char **argv)
{
	struct filter f = {0};
	int status;

	parse(&f, argc, argv);
	f.select = compile(&f, f.select_text);
	f.map = compile(&f, f.map_text);
	f.reader = reader_open(f.common.files, f.common.file_count, f.common.follow);
	if (f.common.follow)
		f.runs = runs_new(NULL, false);
	reader_before_wait(f.reader, flush, &f);
	read_all(&f);
	pass(&f, merge_close(&f.merge));
	if (f.count_only)
		buffer_add_format(&f.out, "%llu\n", (unsigned long long)f.printed);
	flush(&f);
	status = reader_status(f.reader);
	if (status == STATUS_OK && f.exit_status && f.printed == 0)
		status = STATUS_FAILED;
	free_all(&f);
	return status;
}
