/* agent-filter: choose and change events. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/number.h"
#include "choose.h"
#include "envelope.h"
#include "event/keep_alive.h"
#include "event/reader_main.h"
#include "event/terminal.h"
#include "jq/program.h"
#include "merge.h"
#include "redact.h"
#include "schema/schema.h"
#include "translate.h"

static const char usage[] = "usage: agent-filter [options] [FILE ...]\n"
			    "Select, change and translate the events of an agent's stream.\n";

static const char help_end[] =
    "Exit status: the highest status of the selected runs, or with -e: 0, 1 if nothing was "
    "written;\n"
    "1 also for malformed lines; 2 wrong usage; 4 a run did not end. See agent-filter(1).\n";

/* Output is written when it has grown to this, and before the program waits. */
enum { OUTPUT_SIZE = 256 * 1024 };

/* A jq expression, and the option that has it. */
struct expression {
	const char *option, *text; /* NULL: none */
	struct jq_program *program;
};

struct filter {
	struct reader_main main;
	char **argv;
	struct choice choice;
	struct expression *selects, map; /* an event satisfies all of `selects` */
	size_t select_count;
	const char *from_name, *to_name;
	struct jq_variable *variables; /* owned, with their JSON */
	size_t variable_count;
	struct merge merge;
	struct keep_alive keep_alive;
	bool sse, count_only, exit_status, validate, ends, renumber, redacts;
	bool safe;       /* for a terminal: control characters are made visible */
	bool has_reader; /* standard output is a pipe, whose reader reports the end of a run */

	struct schema **valid; /* an event satisfies all of them */
	size_t valid_count;
	struct schema *events; /* of --validate */
	struct translation *from, *to;
	struct envelopes envelopes; /* of --renumber */
	struct buffer numbered, redacted;
	struct buffer out;
	uint64_t printed, ends_printed; /* lines: all, and those that only --ends selected */
	bool end_passed;                /* the agent_end was written as an event */
	bool translated;                /* --from has made an event */
	bool halted;                    /* an expression called halt, */
	int halt_status;                /* with this exit status */
};

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
    {OPTION_TEXT, 0, "valid", "SCHEMA", "keep events that satisfy the JSON Schema in this file",
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

/* ---- output ---- */

static void flush(void *self)
{
	struct filter *f = self;

	if (f->out.len > 0)
		keep_alive_written(&f->keep_alive);
	if (f->safe)
		terminal_clean(&f->out, true);
	stdout_write(&f->out);
}

/* Values of other vocabularies have no type and no seq. Strings are sent without quotes. */
static void add_sse_value(struct buffer *out, struct span value)
{
	buffer_add_text(out, "data: ");
	if (!json_decode(value, out))
		buffer_add_span(out, value);
	buffer_add_text(out, "\n\n");
}

static bool is_agent_end(struct span line)
{
	struct span type = event_type_quick(line);

	return type.at != NULL && event_type_of(type) == EVENT_AGENT_END;
}

static void print(struct filter *f, struct span line)
{
	struct event event;

	f->printed++;
	if (f->count_only)
		return;
	if (f->sse && f->to != NULL) {
		add_sse_value(&f->out, line);
	} else if (f->sse) {
		event_envelope(line, &event);
		event_add_sse(&f->out, &event);
	} else {
		f->end_passed = f->end_passed || is_agent_end(line);
		buffer_reserve(&f->out, line.len + 1);
		buffer_add_span(&f->out, line);
		buffer_add_char(&f->out, '\n');
	}
	if (f->out.len >= OUTPUT_SIZE)
		flush(f);
}

/* ---- translations ---- */

static void report_untranslated(struct filter *f, const char *option, const char *format,
				struct error *e)
{
	reader_warn(f->main.reader, "%s %s: %s; the line is skipped", option, format, e->message);
	error_clear(e);
}

/* Print a line, with its number of --renumber, in the vocabulary of --to. An absent line is the end
 * of the input. */
static void print_to(struct filter *f, struct span line)
{
	struct error e = {0};
	struct span value;

	if (f->renumber && line.at != NULL) {
		buffer_clear(&f->numbered);
		if (!envelopes_add(&f->envelopes, json_trim(line), &f->numbered)) {
			reader_warn(f->main.reader, "--renumber: the value is not an event with "
						    "event_type and data; it is skipped");
			return;
		}
		line = buffer_span(&f->numbered);
	}
	if (f->to == NULL) {
		if (line.at != NULL)
			print(f, line);
		return;
	}
	if (!translation_take(f->to, line, &e)) {
		report_untranslated(f, "--to", f->to_name, &e);
		return;
	}
	while ((value = translation_next(f->to, &e)).at != NULL)
		print(f, value);
}

/* ---- jq ---- */

/* An expression has failed on this line, or ended with halt_error. */
static void report_failure(struct filter *f, const struct expression *x, const char *message)
{
	struct buffer text = {0};

	if (!jq_program_halted(x->program, &f->halt_status)) {
		reader_warn(f->main.reader, "--%s: %s", x->option, message);
		return;
	}
	terminal_add(&text, span_of(message));
	if (!span_ends(buffer_span(&text), "\n"))
		buffer_add_char(&text, '\n');
	write_all(STDERR_FILENO, buffer_span(&text));
	buffer_free(&text);
}

/* Run an expression on a line: print all of its values or, without `prints`, stop at the first
 * value that is true, and return whether there is one. */
static bool evaluate(struct filter *f, const struct expression *x, struct span line, bool prints)
{
	struct jq_program *program = x->program;
	enum jq_result result = JQ_RESULT_ERROR;
	struct error e = {0};
	struct span value;
	bool truthy = false;

	if (jq_program_halted(program, &f->halt_status))
		return false;
	if (jq_program_start(program, line, &e)) {
		while ((prints || !truthy) &&
		       (result = jq_program_next(program, prints ? &value : NULL, &truthy, &e)) ==
			   JQ_RESULT_VALUE)
			if (prints)
				print_to(f, value);
	}
	if (result == JQ_RESULT_ERROR)
		report_failure(f, x, e.message);
	f->halted = f->halted || jq_program_halted(program, &f->halt_status);
	error_clear(&e);
	return result == JQ_RESULT_VALUE;
}

/* ---- choosing ---- */

/* The event for --redact, valid until the next one. */
static struct span redacted(struct filter *f, struct span line)
{
	if (!f->redacts)
		return line;
	buffer_clear(&f->redacted);
	redact(&f->redacted, json_trim(line));
	return buffer_span(&f->redacted);
}

/* Print an event that is kept. Does nothing if it is absent. */
static void pass(struct filter *f, struct span line)
{
	if (line.at == NULL)
		return;
	line = redacted(f, line);
	if (f->map.program != NULL)
		evaluate(f, &f->map, line, true);
	else
		print_to(f, line);
}

/* ---- the status of the runs ---- */

/* The types of --ends, and those that decide the exit status. */
enum {
	END_TYPES = EVENT_BIT(EVENT_AGENT_START) | EVENT_BIT(EVENT_AGENT_END),
	STATUS_TYPES = END_TYPES | EVENT_BIT(EVENT_ERROR),
};

static void free_failure(void *state)
{
	buffer_free(state);
	free(state);
}

/* If the event says why a run failed, add the sentence to the run. */
static void add_failure(struct filter *f, struct run *run, const struct event *event)
{
	struct buffer sentence = {0};

	if (run->nested || !run_error_sentence(f->main.runs, run, event, &sentence))
		return;
	if (run->state == NULL)
		run->state = mem_zero(sizeof(struct buffer));
	else
		buffer_add_char(run->state, '\n');
	buffer_add_span(run->state, buffer_span(&sentence));
	buffer_free(&sentence);
}

/* Report why the run failed. */
static void report_run(struct filter *f, const struct run *run)
{
	struct span lines, line;
	bool is_torn;

	if (run->state == NULL || f->main.ignores_runs)
		return;
	flush(f);
	for (lines = buffer_span(run->state); span_next_line(&lines, &line, &is_torn);)
		warn("%.*s", SPAN_ARG(line));
}

/* Take note of an event of a selected run, after it was written or dropped. Faults of the stream
 * are not reported. A reader behind the filter reports a failure whose agent_end it gets. */
static void note_event(struct filter *f, struct event event)
{
	struct run *run;

	if (!f->main.follow && !event_set_has(STATUS_TYPES, event.type))
		return;
	event.seq = -1;
	run = runs_event(f->main.runs, &event, NULL);
	if (run == NULL)
		return;
	add_failure(f, run, &event);
	if (!run->ended)
		return;
	if (!f->end_passed || !f->has_reader)
		report_run(f, run);
	runs_forget(f->main.runs, run);
}

/* ---- lines ---- */

/* Whether the type is selected. A type that is written with escapes is decoded. */
static bool is_chosen(struct filter *f, const struct event *event)
{
	char *text;
	bool chosen;

	if (event->type_name.len > 0 || event->type != EVENT_OTHER)
		return choice_type(&f->choice, event->type, event->type_name);
	text = json_text(json_get(json_trim(event->line), "event_type"));
	chosen = choice_type(&f->choice, EVENT_OTHER, text != NULL ? span_of(text) : SPAN(""));
	free(text);
	return chosen;
}

/* For --validate: whether the event is one of agent-events(5); if not, say why. */
static bool is_event(struct filter *f, struct span line)
{
	struct buffer why = {0};
	bool valid = f->events == NULL || schema_check(f->events, line, &why);

	if (!valid)
		reader_warn(f->main.reader, "%s; the line is skipped", buffer_string(&why));
	buffer_free(&why);
	return valid;
}

/* Whether the event satisfies the schemas. */
static bool is_valid(struct filter *f, struct span line)
{
	bool valid = true;

	for (size_t i = 0; valid && i < f->valid_count; i++) {
		valid = schema_check(f->valid[i], line, NULL);
		if (!valid && schema_gave_up(f->valid[i]))
			reader_warn(f->main.reader,
				    "--valid: " SCHEMA_EXPENSIVE "; the line is skipped");
	}
	return valid;
}

/* Whether the expressions of --select are true. */
static bool is_selected(struct filter *f, struct span line)
{
	bool selected = true;

	for (size_t i = 0; selected && i < f->select_count; i++)
		selected = evaluate(f, &f->selects[i], line, false);
	return selected;
}

/* Whether the line is dropped by its type, without a check of the rest. */
static bool is_dropped(struct filter *f, struct span line)
{
	struct span type_name = event_type_quick(line);
	enum event_type type = event_type_of(type_name);
	struct event event;

	if (f->events != NULL || type_name.at == NULL || event_set_has(STATUS_TYPES, type) ||
	    choice_type(&f->choice, type, type_name))
		return false;
	if (f->main.follow) {
		event_envelope(line, &event);
		if (run_choice_has(&f->main.choice, &event))
			note_event(f, event);
	}
	return true;
}

/* Write an event of a selected run, if the other options select it. */
static void take_selected(struct filter *f, const struct event *event)
{
	bool passes_end = f->ends && event_set_has(END_TYPES, event->type);
	bool selected = is_chosen(f, event) && choice_tool(&f->choice, event) &&
			is_valid(f, event->line) && is_selected(f, event->line);
	uint64_t printed;
	struct span ready;

	if (!selected && !passes_end)
		return;
	if (f->merge.seconds > 0 && merge_take(&f->merge, event, &ready)) {
		pass(f, ready);
		return;
	}
	pass(f, merge_close(&f->merge));
	printed = f->printed;
	if (passes_end)
		print_to(f, redacted(f, event->line));
	else
		pass(f, event->line);
	if (!selected)
		f->ends_printed += f->printed - printed;
}

/* Returns whether to go on. */
static bool take_event(struct filter *f, struct span line)
{
	struct json_fault fault;
	struct event event;

	if (is_dropped(f, line))
		return true;
	if (!event_read(line, &event, &fault))
		return reader_main_skip(&f->main, &line, &fault) ? take_event(f, line)
								 : !f->main.strict;
	if (!is_event(f, line))
		return !f->main.strict;
	if (!run_choice_has(&f->main.choice, &event))
		return true;
	f->end_passed = false;
	take_selected(f, &event);
	note_event(f, event);
	return true;
}

/* A line of another format than that of --from. If the whole input is in the other format, this is
 * reported at its end. Returns whether to go on. */
static bool skip_other(const struct filter *f)
{
	if (!f->main.format.found)
		return true;
	reader_warn(f->main.reader, "the line is not a %s event; it is skipped", f->from_name);
	return !f->main.strict;
}

/* Translate a line of another agent's stream. An absent line is its end. Returns whether to go on.
 */
static bool take_foreign(struct filter *f, struct span line)
{
	struct json_fault fault;
	struct error e = {0};
	struct event event;
	struct span made;
	bool go_on = true;

	if (line.at != NULL && !event_read(line, &event, &fault)) {
		reader_main_skip(&f->main, &line, &fault);
		return !f->main.strict;
	}
	if (line.at != NULL && format_is_other(&f->main.format, line))
		return skip_other(f);
	if (!translation_take(f->from, line, &e)) {
		report_untranslated(f, "--from", f->from_name, &e);
		return !f->main.strict;
	}
	while (go_on && (made = translation_next(f->from, &e)).at != NULL) {
		f->translated = f->main.format.found = true;
		go_on = take_event(f, made) && !f->halted;
	}
	if (e.message != NULL) {
		report_untranslated(f, "--from", f->from_name, &e);
		return !f->main.strict;
	}
	return go_on;
}

static bool take_line(void *self, struct span line)
{
	struct filter *f = self;

	return (f->from != NULL ? take_foreign(f, line) : take_event(f, line)) && !f->halted;
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
		pass(f, merge_close(&f->merge));
	due = keep_alive_add(&f->keep_alive, &f->out);
	return f->merge.due != 0 && (due == 0 || f->merge.due < due) ? f->merge.due : due;
}

static void end(void *self)
{
	struct filter *f = self;

	if (f->from != NULL && !f->halted)
		take_foreign(f, (struct span){0});
	pass(f, merge_close(&f->merge));
	for (struct run *run = NULL; (run = runs_next(f->main.runs, run)) != NULL;)
		if (!run->ended)
			report_run(f, run);
	if (f->to != NULL)
		print_to(f, (struct span){0});
	if (f->count_only)
		buffer_add_format(&f->out, "%llu\n", (unsigned long long)f->printed);
	flush(f);
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
	    .line = take_line,
	    .idle = idle,
	    .flush = flush,
	    .end = end,
	    .status = exit_status,
	    .free = free_all,
	    .release = free_failure,
	};
	struct filter f = {.argv = argv};

	return reader_main(&reader, &f.main, argc, argv);
}
