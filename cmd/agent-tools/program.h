/*
 * program: the parts of agent-tools together.
 */
#ifndef AGENT_TOOLS_PROGRAM_H
#define AGENT_TOOLS_PROGRAM_H

#include "event/reader_options.h"
#include "live.h"
#include "summary.h"

struct program {
	struct reader_options common;
	struct tools_options options;
	const char *run; /* --run */
	struct reader *reader;
	struct runs *runs;
	struct calls *calls;
	struct live *live;       /* NULL: records or a summary are wanted */
	struct summary *summary; /* NULL: not wanted */
	struct buffer out;       /* records, and the summary */
	struct buffer key, name; /* of the event at hand */
};

/* ---- options.c ---- */

/* Read the command line; the program exits when it is wrong or asks for nothing else. */
void options_parse(struct program *p, int argc, char **argv);

/* ---- output.c ---- */

/* Write what is gathered; the line of running calls stays. Takes a struct program. */
void output_flush(void *context);

/* The same, before something is said on standard error: nothing is left on the line. */
void output_clear(void *context);

/* At the end of input: the summary, if it is wanted, and what is still gathered. */
void output_finish(struct program *p);

/* ---- take.c: what an event says of calls ---- */

/* `event` of `run` happened; an agent_end forgets the run. */
void take_event(struct program *p, struct run *run, const struct event *event);

/* Input is over: no call will end any more. */
void take_end_of_input(struct program *p);

#endif
