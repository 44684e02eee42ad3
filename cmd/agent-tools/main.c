/* agent-tools: the tool calls of an event stream, as they happen. See agent-tools(1). */
#include <stdlib.h>
#include <unistd.h>

#include "base/tty.h"
#include "tools_program.h"

static const char help[] =
    "usage: agent-tools [options] [FILE ...]\n"
    "Show the tool calls of an agent's event stream as they happen; exit with the status of the "
    "run.\n"
    "\n"
    "  -j, --json             print one JSON object per completed call\n"
    "      --tsv              print the same values separated by tabs\n"
    "  -a, --args             print the arguments while the model writes them\n"
    "  -s, --summary          print a table at the end: calls, errors and durations of each tool\n"
    "  -N, --name GLOBS       show only calls of tools whose name matches one of the patterns\n"
    "  -e, --errors           show only calls that failed\n"
    "  -r, --run ID           show only runs whose id starts or ends with ID\n"
    "  -w, --width N          cut lines to N columns; 0 never cuts (default: the terminal's "
    "width)\n" READER_HELP;

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
};

static void add_names(struct tools_options *options, const char *list)
{
	while (*list != '\0') {
		size_t len = strcspn(list, ",");

		if (len > 0) {
			options->names =
			    array_grow(options->names, options->name_count, sizeof(char *));
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

static void take_option(void *self, int option, char *value)
{
	struct tools_program *p = self;
	struct tools_options *options = &p->options;

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
		add_names(options, value);
		break;
	case 'e':
		options->errors_only = true;
		break;
	case 'r':
		p->main.run = value;
		break;
	default:
		options->width = read_width(value);
		options->has_width = true;
		break;
	}
}

static void begin(void *self)
{
	struct tools_program *p = self;
	struct tools_options *options = &p->options;
	size_t columns = tty_columns(STDOUT_FILENO);

	if (!options->has_width)
		options->width = columns;
	options->safe = reader_main_is_safe(&p->main, STDOUT_FILENO);
	options->color = tty_use_color(p->main.color, STDOUT_FILENO);
	options->redraw = columns > 0;
	options->args = options->args && !options->errors_only;
	p->main.types = EVENT_BIT(EVENT_TOOL_START) | EVENT_BIT(EVENT_TOOL_END) |
			EVENT_BIT(EVENT_TOOL_APPROVAL) | EVENT_BIT(EVENT_AGENT_START) |
			EVENT_BIT(EVENT_AGENT_END) | EVENT_BIT(EVENT_ERROR);
	if (options->args)
		p->main.types |= EVENT_BIT(EVENT_TOOL_CALL_START) |
				 EVENT_BIT(EVENT_TOOL_CALL_CHUNK) | EVENT_BIT(EVENT_TOOL_CALL_END) |
				 EVENT_BIT(EVENT_LLM_RETRY);
	p->calls = calls_new();
	if (options->summary)
		p->summary = summary_new();
	else if (options->form == FORM_TEXT)
		p->live = live_new(options, p->main.runs, p->calls);
}

static int64_t idle(void *self)
{
	const struct tools_program *p = self;

	return p->live != NULL ? live_draw(p->live) : 0;
}

static void end(void *self)
{
	take_end_of_input(self);
	output_finish(self);
}

static void free_all(void *self)
{
	struct tools_program *p = self;

	live_free(p->live);
	summary_free(p->summary);
	calls_free(p->calls);
	buffer_free(&p->out);
	buffer_free(&p->key);
	buffer_free(&p->name);
	for (size_t i = 0; i < p->options.name_count; i++)
		free(p->options.names[i]);
	free(p->options.names);
}

int main(int argc, char **argv)
{
	static const struct reader_program reader = {
	    .help = help,
	    .letters = "jasN:er:w:" READER_SHORT_OPTIONS,
	    .names = long_options,
	    .option = take_option,
	    .begin = begin,
	    .event = take_event,
	    .idle = idle,
	    .flush = output_flush,
	    .clear = output_clear,
	    .end = end,
	    .free = free_all,
	};
	struct tools_program p = {0};

	return reader_main(&reader, &p.main, argc, argv);
}
