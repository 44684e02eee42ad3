/*
 * form: how text and values look on their way out, and the state that they leave behind.
 *
 * show.c decides what is shown and when; here is what it looks like in each form.
 */
#ifndef AGENT_TEXT_FORM_H
#define AGENT_TEXT_FORM_H

#include "show.h"

/* What a run has to show: `run->state`. */
struct text_state {
	struct buffer out;   /* output that waits for the run's turn */
	struct buffer text;  /* the answer so far, all iterations (snapshots, partial, final) */
	size_t iteration_at; /* where this iteration begins in `text` */
	size_t out_mark;     /* the same in `out` */
	struct buffer group; /* held back by --debounce */
	bool group_thinking;
	int64_t group_due;
	bool wrote;           /* something of the run is out */
	bool answered;        /* a piece of answer text has come */
	bool wrote_iteration; /* something of this iteration is */
	bool in_thinking;
	int newlines;       /* at the end of what is out, up to 2 */
	struct buffer last; /* the last --partial value */
	bool over;
};

struct show {
	struct show_options options;
	struct runs *runs;
	struct buffer out;
	struct run *live; /* whose turn it is; NULL: nobody's */
	bool any;         /* something of an earlier run is out */
};

/* Where the run's output goes now: out, or to where it waits for its turn. */
struct buffer *output_of(struct show *show, const struct run *run);

/* A piece of the answer, or of thinking, in the form that is wanted. */
void show_piece(struct show *show, struct run *run, struct span text, bool thinking);

/* The next piece of plain text goes on where `text` has ended. */
void count_newlines(struct text_state *s, struct span text);

/* Append text as it may be shown. */
void add_text(const struct show *show, struct buffer *out, struct span text);

/* The style of thinking ends here. */
void end_thinking(const struct show *show, struct text_state *s, struct buffer *out);

/* Something of the run comes: a blank line parts the first from an earlier run's. */
void part_runs(const struct show *show, const struct run *run, struct buffer *out);

/* An event as text/event-stream. */
void show_frame(struct show *show, const struct event *event);

/* A value of --partial, unless it is the one shown last. */
void show_value(const struct show *show, struct text_state *s, struct buffer *out,
		struct span json);

#endif
