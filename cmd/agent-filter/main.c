/* agent-filter: choose and change events. */
#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/number.h"
#include "filter.h"

static const char usage[] = "usage: agent-filter [options] [FILE ...]\n"
			    "Select, change and translate the events of an agent's stream.\n";

static const char help_end[] =
    "Exit status: the highest status of the selected runs, or with -e: 0, 1 if nothing was "
    "written;\n"
    "1 also for malformed lines; 2 wrong usage; 4 a run did not end. See agent-filter(1).\n";

/* ---- options ---- */

/* --arg takes two words: getopt gives the first, the second is the next one. */
static void add_variable(void *self, const struct option_row *row, const char *name)
{
	struct filter *f = self;
	struct buffer json = {0};
	const char *value = f->argv[optind];

	if (value == NULL)
		die(STATUS_USAGE, "--%s needs a name and a value", row->name);
	optind++;
	if (strcmp(row->name, "argjson") == 0 && !json_check(span_of(value), NULL))
		die(STATUS_USAGE, "the value of $%s is not JSON", name);
	if (strcmp(row->name, "argjson") == 0)
		buffer_add_text(&json, value);
	else
		json_write_string(&json, span_of(value));
	f->variables = array_grow(f->variables, f->variable_count, sizeof(*f->variables));
	f->variables[f->variable_count++] =
	    (struct jq_variable){.name = name, .json = {json.at, json.len}};
}

static void add_patterns(void *self, const struct option_row *row, const char *list)
{
	struct patterns *patterns = (struct patterns *)((char *)self + row->offset);
	struct error e = {0};

	die_unless(patterns_add(patterns, row->name, list, &e), &e);
}

static void read_schema(void *self, const struct option_row *row, const char *path)
{
	struct filter *f = self;
	struct error e = {0};

	(void)row;
	f->valid = array_grow(f->valid, f->valid_count, sizeof(struct schema *));
	f->valid[f->valid_count] = schema_read(path, &e);
	die_unless(f->valid[f->valid_count++] != NULL, &e);
}

static void add_select(void *self, const struct option_row *row, const char *text)
{
	struct filter *f = self;

	f->selects = array_grow(f->selects, f->select_count, sizeof(*f->selects));
	f->selects[f->select_count++] = (struct expression){row->name, text, NULL};
}

static void set_map(void *self, const struct option_row *row, const char *text)
{
	((struct filter *)self)->map = (struct expression){row->name, text, NULL};
}

#define AT(member) .offset = offsetof(struct filter, member)

static const struct option_row options[] = {
    {OPTION_TEXT, 't', "type", "TYPES", "keep these types (comma-separated globs)",
     AT(choice.types), .apply = add_patterns},
    {OPTION_TEXT, 'T', "not-type", "TYPES", "drop these types", AT(choice.not_types),
     .apply = add_patterns},
    {OPTION_FLAG, 'i', "items", NULL, "drop the pieces: *_chunk and raw", AT(choice.items_only)},
    {OPTION_TEXT, 'N', "name", "GLOBS", "keep events of these tools", AT(choice.names),
     .apply = add_patterns},
    {OPTION_TEXT, 'r', "run", "IDS",
     "keep the runs with these ids, batch ids or parts of ids, or 'last'",
     .apply = reader_main_add_run},
    {OPTION_NAME, 0, "valid", "SCHEMA", "keep events that satisfy the JSON Schema in this file",
     .apply = read_schema},
    {OPTION_FLAG, 0, "validate", NULL,
     "report events that are not those of agent-events(5), and drop them", AT(validate)},
    {OPTION_FLAG, 0, "ends", NULL,
     "also pass agent_start and agent_end of every run, unchanged by --map", AT(ends)},
    {OPTION_TEXT, 's', "select", "EXPR", "keep events for which the jq expression is true",
     .apply = add_select},
    {OPTION_TEXT, 'm', "map", "EXPR", "write the values of the jq expression instead, one per line",
     .apply = set_map},
    {OPTION_TEXT, 0, "arg", "NAME VALUE", "set $NAME in expressions to the text VALUE",
     .apply = add_variable},
    {OPTION_TEXT, 0, "argjson", "NAME JSON", "set $NAME in expressions to this JSON value",
     .apply = add_variable},
    {OPTION_DURATION, 'd', "debounce", "TIME", "merge neighbouring chunks of one run and kind",
     AT(merge.seconds)},
    {OPTION_TEXT, 0, "from", "FORMAT",
     "read the stream of another agent: claude, codex, gemini or a module's", AT(from_name)},
    {OPTION_TEXT, 0, "to", "FORMAT",
     "write another vocabulary: ai-sdk, ag-ui, openai-agents, pydantic-ai or a module's",
     AT(to_name)},
    {OPTION_FLAG, 0, "renumber", NULL,
     "give the written events a seq without gaps, and a run_id and a time if they have none",
     AT(renumber)},
    {OPTION_FLAG, 0, "redact", NULL,
     "write the events without prompts, texts, arguments, results and sentences of errors",
     AT(redacts)},
    {OPTION_FLAG, 0, "sse", NULL, "frame the output as text/event-stream", AT(sse)},
    {OPTION_DURATION, 0, "keep-alive", "TIME",
     "with --sse: write a comment whenever nothing was written for this time",
     AT(keep_alive.seconds)},
    {OPTION_FLAG, 'c', "count", NULL, "print only the number of lines", AT(count_only)},
    {OPTION_FLAG, 'e', "exit-status", NULL,
     "exit with 1 if nothing was written, 0 if something was; 2 after an error", AT(exit_status)},
};

/* Report an error about an option (those of jq have several lines); false if there is one. */
static bool report(const char *option, const char *value, struct error *e)
{
	bool good = e->message == NULL;

	if (!good && span_starts(span_of(e->message), "jq:"))
		warn("--%s%s%s: %s", option, *value != '\0' ? " " : "", value, e->message);
	else
		die_unless(good, e);
	error_clear(e);
	return good;
}

static bool open_expression(struct filter *f, struct expression *x)
{
	struct error e = {0};

	if (x->text != NULL)
		x->program = jq_program_open(x->text, f->variables, f->variable_count, &e);
	return report(x->option, "", &e);
}

static bool open_translation(const struct filter *f, const char *option, const char *format,
			     struct translation **translation)
{
	struct error e = {0};

	if (format != NULL)
		*translation = translation_open(option, format, f->sse, &e);
	return report(option, format, &e);
}

/* Compile the expressions and the modules; all that are wrong are reported. */
static void open_programs(struct filter *f)
{
	bool good = open_expression(f, &f->map);

	for (size_t i = 0; i < f->select_count; i++)
		good = open_expression(f, &f->selects[i]) && good;
	good = open_translation(f, "from", f->from_name, &f->from) && good;
	good = open_translation(f, "to", f->to_name, &f->to) && good;
	if (!good)
		exit(STATUS_USAGE);
}

static void open_events(struct filter *f)
{
	struct error e = {0};
	char *path = share_path("events.schema.json");

	f->events = schema_read(path, &e);
	die_unless(f->events != NULL, &e);
	free(path);
}

/* ---- the program ---- */

static void begin(void *self)
{
	struct filter *f = self;
	struct stat output;

	f->safe = reader_main_is_safe(&f->main, STDOUT_FILENO);
	f->has_reader = fstat(STDOUT_FILENO, &output) == 0 &&
			(S_ISFIFO(output.st_mode) || S_ISSOCK(output.st_mode));
	if (f->keep_alive.seconds > 0 && !f->sse)
		die(STATUS_USAGE, "--keep-alive writes comments of --sse; add --sse");
	choice_begin(&f->choice);
	envelopes_begin(&f->envelopes);
	f->envelopes.by_hand = true;
	if (f->validate)
		open_events(f);
	open_programs(f);
	f->main.ignores_runs = f->exit_status;
	if (f->from != NULL)
		f->main.format.wanted = f->from_name;
}

static int64_t idle(void *self)
{
	struct filter *f = self;
	int64_t due;

	if (f->merge.due != 0 && f->merge.due <= clock_monotonic())
		filter_pass(f, merge_close(&f->merge));
	due = keep_alive_add(&f->keep_alive, &f->out);
	return f->merge.due != 0 && (due == 0 || f->merge.due < due) ? f->merge.due : due;
}

static void end(void *self)
{
	struct filter *f = self;

	filter_end_input(f);
	if (f->to != NULL)
		filter_write(f, (struct span){0});
	if (f->count_only)
		buffer_add_format(&f->out, "%llu\n", (unsigned long long)f->printed);
	filter_flush(f);
	if (f->main.format.found)
		choice_warn(&f->choice);
}

static int exit_status(void *self, int status)
{
	const struct filter *f = self;
	uint64_t lines = f->main.format.lines;

	if (f->halt_status != STATUS_OK)
		return f->halt_status;
	if (f->from != NULL && f->main.format.found && !f->translated && status == STATUS_OK) {
		warn("%llu line%s of %s read, but no run begins there", (unsigned long long)lines,
		     plural((double)lines), f->from_name);
		status = STATUS_FAILED;
	}
	if (!f->exit_status)
		return status;
	if (status != STATUS_OK)
		return STATUS_USAGE;
	return f->printed > f->ends_printed ? STATUS_OK : STATUS_FAILED;
}

static void free_all(void *self)
{
	struct filter *f = self;

	for (size_t i = 0; i < f->variable_count; i++)
		free((char *)f->variables[i].json.at);
	free(f->variables);
	choice_free(&f->choice);
	merge_free(&f->merge);
	for (size_t i = 0; i < f->valid_count; i++)
		schema_free(f->valid[i]);
	free(f->valid);
	schema_free(f->events);
	for (size_t i = 0; i < f->select_count; i++)
		jq_program_close(f->selects[i].program);
	free(f->selects);
	jq_program_close(f->map.program);
	translation_close(f->from);
	translation_close(f->to);
	envelopes_free(&f->envelopes);
	buffer_free(&f->numbered);
	buffer_free(&f->redacted);
	buffer_free(&f->out);
}

int main(int argc, char **argv)
{
	static const struct reader_program reader = {
	    .usage = usage,
	    .help_end = help_end,
	    .options = options,
	    .option_count = ARRAY_LEN(options),
	    .begin = begin,
	    .line = filter_line,
	    .idle = idle,
	    .flush = filter_flush,
	    .end = end,
	    .status = exit_status,
	    .free = free_all,
	    .release = filter_free_failure,
	};
	struct filter f = {.argv = argv};

	return reader_main(&reader, &f.main, argc, argv);
}
