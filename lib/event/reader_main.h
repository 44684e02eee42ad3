/*
 * reader_main: the common part of the four readers: the common options, the loop over the lines of
 * all files, --follow until all runs are over, --strict, and the exit status.
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
#include "event/format.h"
#include "event/run_choice.h"
#include "event/runs.h"

struct reader_program;

/* The beginning of a program's own struct; zeroed. */
struct reader_main {
	const struct reader_program *program;

	/* the common options */
	bool follow, follows_forever, strict, raw_control, own_status;
	const char *color; /* "auto", "always" or "never" */

	/* Set by the program's options or its `begin`. */
	struct run_choice choice; /* --run (reader_main_add_run) */
	event_set types; /* the types it needs; others are skipped without --strict. 0: all */
	struct format_check format; /* `wanted` is FORMAT_EVENTS */
	bool ignores_runs;          /* their status and the lack of events do not matter */

	struct reader *reader;
	struct runs *runs;
	bool stopped; /* before the end of the input */
	int own;      /* at the end: the status of its own work, without that of the runs */

	/* private */
	const char *input; /* names it in messages */
	bool has_hole;     /* NUL bytes were skipped */
	bool has_fragment; /* a line was skipped that begins like no event */
};

/* The part that differs between programs. `self` is the program's struct, which begins with struct
 * reader_main. `end`, `free`, and one of `event` and `line` are required; other functions may be
 * NULL. */
struct reader_program {
	/* --help: what precedes the options, and what follows them. */
	const char *usage, *help_end;
	const struct option_row *options; /* its own, which precede the common ones */
	size_t option_count;

	/* All options are read, `reader` is open. */
	void (*begin)(void *self);

	/* An event of `run`. When the run has ended, the program calls runs_forget. */
	void (*event)(void *self, struct run *run, const struct event *event);
	/* Any event, before runs_event checks it. */
	void (*any_event)(void *self, const struct event *event);
	/* Instead of both: a line, of which the program passes events to runs_event. Returns false
	 * to stop reading. */
	bool (*line)(void *self, struct span line);

	/* Do what is due. Returns the clock_monotonic time of the next call; 0: none. */
	int64_t (*idle)(void *self);
	/* Write output before the program waits for input. */
	void (*flush)(void *self);
	/* Clear a live line before a message. */
	void (*clear)(void *self);
	/* The open runs have no more events, unless another run resumes them: the file that
	 * --follow reads is at rest. */
	void (*at_rest)(void *self);
	/* The end of the input: write what remains. */
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

/* The function of an option --run. */
void reader_main_add_run(void *self, const struct option_row *row, const char *list);

/* The last line is not an event: report it (reader_skip), and note what is lost. Returns whether
 * `line` is now the event at its end; false also with --strict, where the program must stop. */
bool reader_main_skip(struct reader_main *self, struct span *line, const struct json_fault *fault);

/* Whether control characters in output to `fd` must be made visible: it is a terminal, and
 * --raw-control is not given. */
bool reader_main_is_safe(const struct reader_main *self, int fd);

/* Exit if the file of --result is one of the input files. */
void reader_main_check_result(const struct reader_main *self, const char *path);

#endif
