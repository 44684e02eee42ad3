/*
 * show: what agent-text prints of each run, and in which order.
 *
 * The first open run is live: its output is printed as it arrives. The output of later runs is held
 * and printed when their turn comes. show.c decides what is printed and when, form.c how it looks.
 */
#ifndef AGENT_TEXT_SHOW_H
#define AGENT_TEXT_SHOW_H

#include "event/reader_main.h"

enum form { FORM_TEXT, FORM_DELTAS, FORM_SNAPSHOTS, FORM_PARTIAL, FORM_FINAL, FORM_SSE };

struct show {
	struct reader_main main;

	/* options */
	enum form form;
	bool thinking, nested;
	bool no_newline; /* never add a newline at the end */
	double debounce; /* seconds; 0: none */
	bool dim;        /* print thinking in the faint style of terminals */
	bool safe;       /* make control characters visible */

	struct buffer out;      /* output of the live run */
	struct text_run *live;  /* NULL: none */
	bool wrote_earlier_run; /* an earlier run has printed something */
};

/* One run: run->state. */
struct text_run {
	struct show *show;
	struct run *run;
	struct buffer out;        /* held until the run is live */
	struct buffer text;       /* the text of all iterations (snapshots, partial, final) */
	size_t text_start;        /* of this iteration, in `text` */
	size_t out_start;         /* the same in `out` */
	struct buffer group;      /* held by --debounce */
	bool group_is_thinking;   /* the kind of its chunks */
	int64_t group_due;        /* when to print it; 0: there is none */
	bool wrote;               /* output of this run exists, */
	bool wrote_iteration;     /* also of this iteration */
	bool has_text;            /* an llm_chunk or a message had text */
	bool in_thinking;         /* the last output was thinking */
	int newlines;             /* at the end of the output, at most 2 */
	struct buffer last_value; /* of --partial */
	bool over;                /* its agent_end has been read */
};

/* ---- form.c ---- */

/* Where the output of the run goes. */
struct buffer *text_output(struct text_run *t);

/* Update t->newlines for `text` at the end of the output. */
void text_count_newlines(struct text_run *t, struct span text);

/* Print text unchanged, after an empty line if it is the first text after an earlier run. */
void text_add(struct text_run *t, struct span text);

/* Print a piece of text or thinking, in the form of the options. */
void text_add_piece(struct text_run *t, struct span text, bool thinking);

/* Print a JSON value on a line of its own, unless it equals the last one. */
void text_add_value(struct text_run *t, struct span json);

/* End the style of thinking. */
void text_end_thinking(struct text_run *t);

/* End the last line. */
void text_end_line(struct text_run *t);

/* ---- show.c: functions of struct reader_program; `self` is a struct show ---- */

void show_event(void *self, struct run *run, const struct event *event);
int64_t show_groups(void *self);
void show_flush(void *self);
void show_end(void *self);
void show_free(void *self);
void show_release(void *state);

#endif
