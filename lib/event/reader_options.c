#include "event/reader_options.h"

#include <stdio.h>
#include <stdlib.h>

void reader_options_init(struct reader_options *options)
{
	*options = (struct reader_options){.color = "auto"};
}

static const char *color(const char *value)
{
	static const char *const choices[] = {"auto", "always", "never"};

	if (value == NULL)
		return "always";
	for (size_t i = 0; i < sizeof(choices) / sizeof(*choices); i++)
		if (strcmp(value, choices[i]) == 0)
			return choices[i];
	die(STATUS_USAGE, "--color is auto, always or never, not '%s'", value);
}

bool reader_options_take(struct reader_options *options, int option, const char *value,
			 const char *help)
{
	switch (option) {
	case 'f':
		options->follow = true;
		return true;
	case READER_OPT_STRICT:
		options->strict = true;
		return true;
	case READER_OPT_RAW_CONTROL:
		options->raw_control = true;
		return true;
	case READER_OPT_COLOR:
		options->color = color(value);
		return true;
	case 'h':
		fputs(help, stdout);
		exit(STATUS_OK);
	case 'V':
		printf("%s " VERSION "\n", program_name());
		exit(STATUS_OK);
	case '?':
		fprintf(stderr, "try '%s --help'\n", program_name());
		exit(STATUS_USAGE);
	default:
		return false;
	}
}

void reader_options_files(struct reader_options *options, int argc, char **argv, int first)
{
	options->files = argv + first;
	options->file_count = (size_t)(argc - first);
}

double reader_options_seconds(const char *option, const char *value)
{
	char *end;
	double seconds = strtod(value, &end);

	if (end == value || *end != '\0' || !(seconds >= 0 && seconds < 1e9))
		die(STATUS_USAGE, "%s takes a number of seconds, not '%s'", option, value);
	return seconds;
}
