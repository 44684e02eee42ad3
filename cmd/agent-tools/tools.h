/*
 * tools: what the parts of agent-tools share.
 *
 * take.c learns from events which calls are open (calls.c) and end; it tells one view: live
 * lines (live.c), one record a completed call (record.c), or a table at the end (summary.c).
 */
#ifndef AGENT_TOOLS_TOOLS_H
#define AGENT_TOOLS_TOOLS_H

#include "calls.h"

enum form { FORM_TEXT, FORM_JSON, FORM_TSV };

struct tools_options {
	enum form form;
	bool summary;
	bool args;        /* show arguments while the model writes them */
	bool errors_only; /* only calls that failed */
	bool safe;        /* control characters are made visible */
	bool color;
	bool redraw;  /* standard output is a terminal on which a line can be taken back */
	size_t width; /* of lines, in columns; 0: unlimited */
	char **names; /* globs; a call is shown when one matches, or when there is none */
	size_t name_count;
};

/* A call that has ended. Spans live as long as its event and `call`. */
struct ended_call {
	const struct run *run;
	const struct call *call; /* NULL: its beginning was not in the stream */
	struct span id;          /* tool_call_id, JSON; absent when it has none */
	struct span name;        /* text */
	struct span args;        /* JSON; absent when not known */
	struct span result;      /* JSON; absent when not told */
	bool is_error;
	double seconds; /* negative: not known */
	int64_t iteration;
};

/* ---- text.c ---- */

/* Append a text that must stay on one line; `safe` as in struct tools_options. */
void add_one_line(struct buffer *out, struct span text, bool safe);

/* Append `text` with tab, newline, carriage return and backslash escaped. */
void add_tsv(struct buffer *out, struct span text);

/* Append a duration: 0.52s, 2m05s, 1h00m. */
void add_seconds(struct buffer *out, double seconds);

/* Rounded to microseconds: events tell no more, and more digits say nothing. */
double to_microseconds(double seconds);

/* ---- record.c: one line a call ---- */

void record_json(struct buffer *out, const struct ended_call *ended);
void record_tsv(struct buffer *out, const struct ended_call *ended);

#endif
