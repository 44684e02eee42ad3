/*
 * tools_program: the parts of agent-tools together.
 */
#ifndef TOOLS_PROGRAM_H
#define TOOLS_PROGRAM_H

#include "event/reader_main.h"
#include "tools_live.h"
#include "summary.h"

struct tools_program {
	struct reader_main main;
	struct tools_options options;
	int width; /* --width; -1: not given */
	struct calls *calls;
	struct tools_live *live; /* NULL: records or a summary are wanted */
	struct summary *summary; /* NULL: not wanted */
	struct buffer out;       /* records, and the summary */
	struct buffer key, name; /* of the event at hand */
};

/* The functions that take `self` are members of struct reader_program: it is a struct
 * tools_program.
 */

/* ---- output.c ---- */

/* Write what is gathered; the line of running calls stays. */
void output_flush(void *self);

/* The same, before something is said on standard error: nothing is left on the line. */
void output_clear(void *self);

/* At the end of input: the summary, if it is wanted, and what is still gathered. */
void output_finish(struct tools_program *p);

/* ---- take.c: what an event says of calls ---- */

/* `event` of `run` happened; an agent_end forgets the run. */
void take_event(void *self, struct run *run, const struct event *event);

/* Input is over: no call will end any more. */
void take_end_of_input(struct tools_program *p);

#endif
