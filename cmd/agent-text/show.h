/*
 * show: what agent-text prints of each run, and in which order.
 *
 * The output is one document, the text of all runs. One run is live: its output is printed as it
 * arrives. That of other runs is held as pieces until they are live. The first open run is live,
 * or, with --nested, the first open run that is nested in it, whose text its parent waits for.
 *
 * show.c decides what is printed, order.c when, form.c how it looks.
 */
#ifndef AGENT_TEXT_SHOW_H
#define AGENT_TEXT_SHOW_H

#include "base/result_file.h"
#include "base/screen.h"
#include "event/keep_alive.h"
#include "event/reader_main.h"

enum form { FORM_TEXT, FORM_DELTAS, FORM_SNAPSHOTS, FORM_PARTIAL, FORM_FINAL, FORM_SSE };

/* A place in the document. */
struct place {
	const struct text_run *writer; /* of the piece before it */
	bool wrote;                    /* there is one */
	bool in_thinking;              /* it is thinking */
	int newlines;                  /* at its end, at most 2 */
	size_t len;                    /* of what precedes the place; set by form_place */
};

struct show {
	struct reader_main main;

	/* options */
	enum form form;
	bool thinking, nested, ids;
	bool no_newline; /* never add a newline at the end */
	double debounce; /* seconds; 0: none */
	struct keep_alive keep_alive;
	bool dim;                  /* print thinking in the faint style of terminals */
	bool safe;                 /* make control characters visible */
	const char *result_path;   /* --result; NULL: standard output */
	struct result_file result; /* open if it is given */
	struct screen screen;      /* what is written to */

	struct buffer out;     /* output that is not written yet */
	struct text_run *live; /* NULL: none */
	bool failed;           /* a run that succeeded had no value for --partial */

	/* the document */
	struct place end;
	size_t written;     /* bytes of plain text that are no longer in `out` */
	struct buffer text; /* all of it, for --snapshots and --deltas */
	bool is_cut;        /* --deltas: it was too long to be kept in `text` */
};

enum piece_kind { PIECE_TEXT, PIECE_THINKING, PIECE_VALUE };

struct piece {
	enum piece_kind kind;
	bool is_block; /* a blank line precedes it, unless it is the first */
	size_t len;
};

/* One run: run->state. */
struct text_run {
	struct show *show;
	struct run *run;
	bool has_schema; /* only an accepted answer is its text */
	bool over;       /* it has ended, */
	bool is_done;    /* and its output is printed */

	/* while it is not live */
	struct buffer held; /* the texts of the pieces */
	struct piece *pieces;
	size_t piece_count;

	/* the current attempt: the response that is received */
	struct buffer attempt;     /* its text, if the form or the schema needs it */
	struct buffer thoughts;    /* with a schema: its thinking, if the form shows it */
	bool attempt_is_over;      /* the next piece begins another one */
	bool wrote_attempt;        /* it has pieces */
	struct place start;        /* of its pieces in the document, */
	size_t held_start;         /* or in `held`, */
	size_t first_piece;        /* and in `pieces` */
	enum piece_kind last_kind; /* the kind of its last piece */
	int64_t last_part;         /* the part of that piece in the message, */
	char last_byte;            /* and its last byte */

	struct buffer group;      /* held by --debounce */
	bool group_is_thinking;   /* the kind of its chunks */
	int64_t group_part;       /* their part */
	int64_t group_due;        /* when to print it; 0: there is none */
	bool has_text;            /* an llm_chunk or a message had text */
	bool has_values;          /* output_chunk has the values of --partial */
	struct buffer value;      /* the last one, not printed yet if a group is due */
	struct buffer last_value; /* that was printed */
	struct buffer last;       /* the output of --final of a failed run; empty: none */
	bool is_left_out;         /* the last response, if the run is resumed, */
	struct place end;         /* whose pieces end here in the document */
};

/* ---- form.c: the document ---- */

/* Print a piece of the live run. */
void form_add(struct show *show, const struct text_run *t, const struct piece *piece,
	      struct span text);

/* The place where the document ends. */
struct place form_place(const struct show *show);

/* Take back what follows `place`: print null and what precedes it, or cut the file of --result.
 * Returns false if plain text is on its way to a reader. */
bool form_take_back(struct show *show, struct place place);

/* End the last line of plain text. */
void form_end_line(struct show *show);

/* Append plain text to the last piece, whose kind it has; FORM_TEXT only. Returns the text. */
struct span form_continue(struct show *show, const struct event *event);

/* ---- order.c: the live run ---- */

/* Whether the run still has a place in the order: it is not done. `t` may be NULL. */
bool order_has(const struct text_run *t);

/* The run in which this one is nested, if it is shown too; NULL: none. */
struct text_run *order_parent(const struct text_run *t);

/* Print a piece, or hold it until the run is live. */
void order_add(struct text_run *t, enum piece_kind kind, bool is_block, struct span text);

/* A run has come, or is over: choose the live run, and print the output of the runs before it. */
void order_update(struct show *show);

/* ---- show.c: functions of struct reader_program; `self` is a struct show ---- */

void show_event(void *self, struct run *run, const struct event *event);
int64_t show_groups(void *self);
void show_flush(void *self);
void show_fail(struct show *show); /* the output cannot be written; exits */
void show_end(void *self);
void show_free(void *self);
void show_release(void *state);

#endif
