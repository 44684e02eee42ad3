/*
 * reader_main: what the four readers of event streams do alike: the common options, the loop over
 * the lines of all files, --follow until all runs have ended, --strict, and the exit status.
 *
 *     struct program {
 *             struct reader_main main;
 *             ... its own ...
 *     };
 *     int main(int argc, char **argv)
 *     {
 *             static const struct reader_program reader = {.help = help, .event = show, ...};
 *             struct program p = {0};
 *             return reader_main(&reader, &p.main, argc, argv);
 *     }
 */
#ifndef EVENT_READER_MAIN_H
#define EVENT_READER_MAIN_H

#include <getopt.h>

#include "event/runs.h"

struct reader_program;

/* The beginning of a program's own struct; zeroed. */
struct reader_main {
	const struct reader_program *program;
	int argc;
	char **argv;

	/* the common options */
	bool follow, strict, raw_control;
	const char *color; /* "auto", "always" or "never" */

	/* Set by the program, while it reads its options or begins. */
	const char *run; /* --run: only events of the runs that runs_is_asked; NULL: all */
	event_set types; /* the events it needs: without --strict others are skipped. 0: all */

	struct reader *reader;
	struct runs *runs; /* NULL if the program takes lines and makes none */
	bool stopped;      /* reading has stopped before the end of the input */
};

/* Values of the common long options without a letter; a program's own begin at READER_OPT_OWN. */
enum { READER_OPT_STRICT = 256, READER_OPT_RAW_CONTROL, READER_OPT_COLOR, READER_OPT_OWN };

/* The common entries of a program's `struct option` table, the letters of its option string, and
 * their lines for --help. */
#define READER_LONG_OPTIONS                                                                        \
	{"follow", no_argument, NULL, 'f'}, {"strict", no_argument, NULL, READER_OPT_STRICT},      \
	    {"raw-control", no_argument, NULL, READER_OPT_RAW_CONTROL},                            \
	    {"color", optional_argument, NULL, READER_OPT_COLOR},                                  \
	    {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'},                 \
	{                                                                                          \
		NULL, 0, NULL, 0                                                                   \
	}
#define READER_SHORT_OPTIONS "fhV"
#define READER_HELP                                                                                \
	"  -f, --follow           wait for more events until every run has ended\n"                \
	"      --strict           stop at the first malformed line\n"                              \
	"      --color=WHEN       use colour: auto, always or never\n"                             \
	"      --raw-control      send control characters to the terminal unchanged\n"             \
	"  -h, --help             show this text\n"                                                \
	"  -V, --version          show the version\n"

/* What is a program's own. `self` is the struct reader_main of the call, which begins the program's
 * struct. Members may be NULL where nothing else is said. */
struct reader_program {
	const char *help, *letters; /* letters end with READER_SHORT_OPTIONS */
	const struct option *names; /* end with READER_LONG_OPTIONS */
	/* Set instead of `help` if the text must be put together: print it with stdio. */
	void (*print_help)(void);

	/* One of its own options, as getopt_long returns it; `value` is optarg. */
	void (*option)(void *self, int option, char *value);
	/* All options are read, `reader` is open. */
	void (*begin)(void *self);

	/* Take an event of `run`, which the program forgets (runs_forget) once it has ended. */
	void (*event)(void *self, struct run *run, const struct event *event);
	/* Take any event before it is checked against the others of its run. */
	void (*any_event)(void *self, const struct event *event);
	/* Instead of both: take a line. Returns false to stop reading. */
	bool (*line)(void *self, struct span line);

	/* Do what is due. Returns when to be called again (clock_monotonic); 0: nothing is due. */
	int64_t (*idle)(void *self);
	/* Write output before the program waits for input. */
	void (*flush)(void *self);
	/* Take a live line off the screen before a message. */
	void (*clear)(void *self);
	/* The input is read: write what remains. */
	void (*end)(void *self);
	/* The exit status, from that of the runs and the input. */
	int (*status)(void *self, int status);
	void (*free)(void *self);

	void (*release)(void *state); /* frees run->state (runs_new) */
	bool stops_at_faults;         /* --strict stops at any fault, not only a malformed line */
};

/* Run the program. Returns its exit status. */
int reader_main(const struct reader_program *program, struct reader_main *self, int argc,
		char **argv);

/* The value of `option` as a number of seconds; any other value ends the program. */
double reader_main_seconds(const char *option, const char *value);

/* Whether control characters in output to `fd` must be made visible: it is a terminal, and
 * --raw-control is not given. */
bool reader_main_is_safe(const struct reader_main *self, int fd);

#endif
