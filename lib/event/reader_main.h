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
 *             static const struct reader_program reader = {.usage = usage, .event = show, ...};
 *             struct program p = {0};
 *             return reader_main(&reader, &p.main, argc, argv);
 *     }
 */
#ifndef EVENT_READER_MAIN_H
#define EVENT_READER_MAIN_H

#include "base/option.h"
#include "event/runs.h"

struct reader_program;

/* The beginning of a program's own struct; zeroed. */
struct reader_main {
	const struct reader_program *program;

	/* the common options */
	bool follow, strict, raw_control;
	const char *color; /* "auto", "always" or "never" */

	/* Set by the program, while it reads its options or begins. */
	const char
	    *run; /* --run: only events of the runs that match (runs_id_matches); NULL: all */
	event_set types; /* the events it needs: without --strict others are skipped. 0: all */

	struct reader *reader;
	struct runs *runs; /* NULL if the program takes lines and makes none */
	bool stopped;      /* reading has stopped before the end of the input */
};

/* What is a program's own. `self` is the struct reader_main of the call, which begins the program's
 * struct. Members may be NULL where nothing else is said. */
struct reader_program {
	/* --help: what precedes the options, and what follows them. */
	const char *usage, *help_end;
	const struct option_row *options; /* its own, which precede the common ones */
	size_t option_count;

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

/* Whether control characters in output to `fd` must be made visible: it is a terminal, and
 * --raw-control is not given. */
bool reader_main_is_safe(const struct reader_main *self, int fd);

#endif
