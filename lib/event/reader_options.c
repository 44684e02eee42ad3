#include "event/reader_options.h"

#include <stdio.h>
#include <stdlib.h>

void reader_options_init(struct reader_options *options)
{
	*options = (struct reader_options){.color = "auto"};
}

static void end(struct reader_options *options, int exit_status)
{
	options->is_over = true;
	options->exit_status = exit_status;
}

static void take_color(struct reader_options *options, const char *value)
{
	static const char *const choices[] = {"auto", "always", "never"};

	for (size_t i = 0; i < sizeof(choices) / sizeof(*choices); i++) {
		if (strcmp(value, choices[i]) == 0) {
			options->color = choices[i];
			return;
		}
	}
	warn("--color is auto, always or never, not '%s'", value);
	end(options, STATUS_USAGE);
}

/* Returns false for an option that is the program's own. */
static bool take(struct reader_options *options, int option, const char *value, const char *help)
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
		take_color(options, value != NULL ? value : "always");
		return true;
	case 'h':
		fputs(help, stdout);
		end(options, STATUS_OK);
		return true;
	case 'V':
		printf("%s " VERSION "\n", program_name());
		end(options, STATUS_OK);
		return true;
	case '?':
		fprintf(stderr, "try '%s --help'\n", program_name());
		end(options, STATUS_USAGE);
		return true;
	default:
		return false;
	}
}

int reader_options_next(struct reader_options *options, int argc, char **argv, const char *letters,
			const struct option *names, const char *help)
{
	int option;

	while (!options->is_over) {
		option = getopt_long(argc, argv, letters, names, NULL);
		if (option == -1) {
			options->files = argv + optind;
			options->file_count = (size_t)(argc - optind);
			return -1;
		}
		if (!take(options, option, optarg, help))
			return option;
	}
	return -1;
}

double reader_options_seconds(struct reader_options *options, const char *option, const char *value)
{
	char *rest;
	double seconds = strtod(value, &rest);

	if (rest != value && *rest == '\0' && seconds >= 0 && seconds < 1e9)
		return seconds;
	warn("%s takes a number of seconds, not '%s'", option, value);
	end(options, STATUS_USAGE);
	return 0;
}
