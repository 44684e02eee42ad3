/* agent-tools: the tool calls of an event stream, as they happen. See agent-tools(1). */
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/tty.h"
#include "event/terminal.h"
#include "calls.h"

static const char usage[] =
    "usage: agent-tools [options] [FILE ...]\n"
    "Show the tool calls of an agent's event stream as they happen; exit with the status of the "
    "run.\n";

static void add_names(void *self, const struct option_row *row, const char *list)
{
	struct patterns *names = &((struct tools_program *)self)->options.names;
	struct error e = {0};

	die_unless(patterns_add(names, row->name, list, &e), &e);
}

static const char help_end[] = "Exit status: the highest status of the runs; 1 also for malformed "
			       "lines; 2 wrong usage; 4 a run\n"
			       "did not end. See agent-tools(1).\n";

#define AT(member) .offset = offsetof(struct tools_program, member)

static const struct option_row options[] = {
    {OPTION_CHOICE, 'j', "json", NULL, "print one JSON object per completed call", AT(options.form),
     .number = RECORD_JSON},
    {OPTION_CHOICE, 0, "tsv", NULL, "print the same values separated by tabs", AT(options.form),
     .number = RECORD_TSV},
    {OPTION_FLAG, 'a', "args", NULL, "print the arguments while the model writes them",
     AT(options.args)},
    {OPTION_FLAG, 's', "summary", NULL,
     "print a table at the end: calls, errors and durations of each tool", AT(options.summary)},
    {OPTION_TEXT, 'N', "name", "GLOBS",
     "show only calls of tools whose name matches one of the patterns", .apply = add_names},
    {OPTION_FLAG, 'e', "errors", NULL, "show only calls that failed", AT(options.errors_only)},
    {OPTION_TEXT, 'r', "run", "ID",
     "show only the run with this id, batch id or part of an id, or 'last'",
     .apply = reader_main_add_run},
    {OPTION_COUNT, 'w', "width", "N",
     "cut lines to N columns; 0 never cuts (default: the terminal's width)", AT(width)},
};

static void begin(void *self)
{
	struct tools_program *p = self;
	struct tools_options *o = &p->options;
	size_t columns = tty_columns(STDOUT_FILENO);

	o->width = p->width < 0 ? columns : (size_t)p->width;
	o->safe = reader_main_is_safe(&p->main, STDOUT_FILENO);
	o->color = tty_use_color(p->main.color, STDOUT_FILENO);
	o->redraw = columns > 0 && tty_can_redraw(STDOUT_FILENO);
	if (o->args && o->errors_only)
		die(STATUS_USAGE, "--args and --errors exclude each other; give one");
	p->main.types = EVENT_BIT(EVENT_TOOL_START) | EVENT_BIT(EVENT_TOOL_END) |
			EVENT_BIT(EVENT_TOOL_APPROVAL) | EVENT_BIT(EVENT_AGENT_START) |
			EVENT_BIT(EVENT_AGENT_END) | EVENT_BIT(EVENT_ERROR);
	if (o->args)
		p->main.types |= EVENT_BIT(EVENT_TOOL_CALL_START) |
				 EVENT_BIT(EVENT_TOOL_CALL_CHUNK) | EVENT_BIT(EVENT_TOOL_CALL_END) |
				 EVENT_BIT(EVENT_LLM_RETRY);
	if (o->summary)
		p->summary = summary_new();
	else if (o->form == RECORD_NONE)
		p->live = tools_live_new(o, p->main.runs, &p->calls);
}

/* ---- output ---- */

/* Records on a terminal are made safe as a whole: their own tabs and newlines stay. */
static void write_records(struct tools_program *p)
{
	if (p->options.safe)
		terminal_clean(&p->out, p->options.form == RECORD_JSON);
	stdout_write(&p->out);
}

void tools_flush(void *self)
{
	struct tools_program *p = self;

	if (p->live != NULL)
		tools_live_flush(p->live);
	else if (p->summary == NULL)
		write_records(p);
}

void tools_clear(void *self)
{
	struct tools_program *p = self;

	if (p->live != NULL)
		tools_live_clear(p->live);
	else
		tools_flush(p);
}

/* ---- the program ---- */

static int64_t idle(void *self)
{
	const struct tools_program *p = self;

	return p->live != NULL ? tools_live_draw(p->live) : 0;
}

static void end(void *self)
{
	struct tools_program *p = self;

	call_events_end(p);
	if (p->summary != NULL) {
		summary_write(p->summary, &p->options, &p->out);
		write_records(p);
	}
	tools_clear(p);
	if (p->main.format.found)
		patterns_warn(&p->options.names, "name", "tool");
}

static void free_all(void *self)
{
	struct tools_program *p = self;

	tools_live_free(p->live);
	summary_free(p->summary);
	calls_free(&p->calls);
	buffer_free(&p->out);
	buffer_free(&p->key);
	buffer_free(&p->name);
	patterns_free(&p->options.names);
}

int main(int argc, char **argv)
{
	static const struct reader_program reader = {
	    .usage = usage,
	    .help_end = help_end,
	    .options = options,
	    .option_count = ARRAY_LEN(options),
	    .begin = begin,
	    .event = call_event,
	    .idle = idle,
	    .flush = tools_flush,
	    .clear = tools_clear,
	    .end = end,
	    .free = free_all,
	};
	struct tools_program p = {.width = -1};

	return reader_main(&reader, &p.main, argc, argv);
}
