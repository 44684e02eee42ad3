/* The command line of agent-tools. */
#include <stdlib.h>
#include <unistd.h>

#include "event/terminal.h"
#include "program.h"

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

void options_parse(struct program *p, int argc, char **argv)
{
	struct tools_options *options = &p->options;
	int option;

	reader_options_init(&p->common);
	options->width = terminal_columns(STDOUT_FILENO);
	while (
	    (option = reader_options_next(&p->common, argc, argv, "jasN:er:w:" READER_SHORT_OPTIONS,
					  long_options, help)) != -1) {
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
	if (p->common.is_over)
		exit(p->common.exit_status);
	options->safe = isatty(STDOUT_FILENO) && !p->common.raw_control;
	options->color = terminal_use_color(p->common.color, STDOUT_FILENO);
	options->redraw = terminal_columns(STDOUT_FILENO) > 0;
	options->args = options->args && !options->errors_only;
}
