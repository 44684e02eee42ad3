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
	char **files;      /* what follows the options */
	size_t file_count;
	bool is_over; /* the program is to exit with `exit_status`, as all is said */
	int exit_status;
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
	"      --strict           stop at the first malformed line\n"                              \
	"      --color=WHEN       auto, always or never\n"                                         \
	"      --raw-control      send control characters to the terminal as they are\n"           \
	"  -h, --help             show this text\n"                                                \
	"  -V, --version          show the version\n"

/* Before the first option. */
void reader_options_init(struct reader_options *options);

/* The next option that is the program's own, as getopt_long tells it; the common ones are handled
 * on the way. Returns -1 at the end, with the files filled in; or with `is_over` set: STATUS_OK
 * after -h (which prints `help`) and -V, STATUS_USAGE after an unknown option or a wrong value,
 * which it has warned about. `letters` end in READER_SHORT_OPTIONS, `names` in READER_LONG_OPTIONS.
 */
int reader_options_next(struct reader_options *options, int argc, char **argv, const char *letters,
			const struct option *names, const char *help);

/* The value of `option`, a number of seconds. One that is none is warned about, and `is_over`. */
double reader_options_seconds(struct reader_options *options, const char *option,
			      const char *value);

#endif
