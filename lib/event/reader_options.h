/*
 * reader_options: what the command lines of the four readers have in common:
 *   -f, --follow  --strict  --raw-control  --color=WHEN  -h, --help  -V, --version  FILE ...
 */
#ifndef EVENT_READER_OPTIONS_H
#define EVENT_READER_OPTIONS_H

#include <getopt.h>

#include "event/reader.h"

struct reader_options {
	bool follow, strict, raw_control;
	const char *color; /* "auto", "always" or "never" */
	char **files;
	size_t file_count;
};

/* Values of the common long options without a letter; a program's own begin at READER_OPT_OWN. */
enum { READER_OPT_STRICT = 256, READER_OPT_RAW_CONTROL, READER_OPT_COLOR, READER_OPT_OWN };

/* The common entries of a program's `struct option` table, and the letters of its option string. */
#define READER_LONG_OPTIONS                                                                        \
	{"follow", no_argument, NULL, 'f'}, {"strict", no_argument, NULL, READER_OPT_STRICT},      \
	    {"raw-control", no_argument, NULL, READER_OPT_RAW_CONTROL},                            \
	    {"color", optional_argument, NULL, READER_OPT_COLOR},                                  \
	    {"help", no_argument, NULL, 'h'},                                                      \
	{                                                                                          \
		"version", no_argument, NULL, 'V'                                                  \
	}
#define READER_SHORT_OPTIONS "fhV"

/* The lines about them for --help. */
#define READER_HELP                                                                                \
	"  -f, --follow           wait for more until every run has ended\n"                       \
	"      --strict           stop at the first malformed line; tell missing events\n"         \
	"      --color=WHEN       auto, always or never\n"                                         \
	"      --raw-control      send control characters to the terminal as they are\n"           \
	"  -h, --help             show this text\n"                                                \
	"  -V, --version          show the version\n"

/* Before the first option. */
void reader_options_init(struct reader_options *options);

/* Handle one result of getopt_long. Returns false for an option that is the program's own. Exits 0
 * after -h (printing `help`) and -V, 2 for an unknown option or a wrong value. */
bool reader_options_take(struct reader_options *options, int option, const char *value,
			 const char *help);

/* What follows the options are the files. */
void reader_options_files(struct reader_options *options, int argc, char **argv, int first);

/* A number of seconds, as several options take it; exits 2 when it is none. */
double reader_options_seconds(const char *option, const char *value);

#endif
