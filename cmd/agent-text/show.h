/*
 * show: what is shown of each run, and in which order.
 *
 * The first run that is open streams live; what later ones have to say is held and follows when its
 * turn comes. Output is gathered, and written by show_flush before the program waits and before it
 * says something.
 */
#ifndef AGENT_TEXT_SHOW_H
#define AGENT_TEXT_SHOW_H

#include "event/runs.h"

enum form { FORM_TEXT, FORM_DELTAS, FORM_SNAPSHOTS, FORM_PARTIAL, FORM_FINAL, FORM_SSE };

struct show_options {
	enum form form;
	bool thinking, dim; /* dim: thinking in a terminal's faint style */
	bool safe;          /* control characters are made visible */
	bool no_newline;    /* never add a newline at the end */
	double debounce;    /* seconds; 0: none */
};

struct show;

struct show *show_new(const struct show_options *options, struct runs *runs);

/* Take an event of `run` in. */
void show_event(struct show *show, struct run *run, const struct event *event);

/* Show the groups of --debounce that are due. Returns when the next one is (clock_monotonic); 0:
 * there is none. */
int64_t show_due(struct show *show);

/* The end of input: show what is held, also of runs that have not ended. */
void show_end(struct show *show);

/* Write what is gathered to standard output; a closed pipe ends the program quietly. */
void show_flush(struct show *show);

/* Frees what a run carries; for runs_new. */
void show_release(void *state);
void show_free(struct show *show);

#endif
