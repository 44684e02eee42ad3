/*
 * calls: the calls of a stream, and what the parts of agent-tools share.
 *
 * call_events.c learns from events which calls are open (calls.c) and end. One view shows them:
 * lines as it happens (tools_live.c), one record a completed call (record.c), or a table at the end
 * (summary.c).
 */
#ifndef AGENT_TOOLS_CALLS_H
#define AGENT_TOOLS_CALLS_H

#include "base/patterns.h"
#include "base/table.h"
#include "event/reader_main.h"

/* ---- calls.c: the open calls, found by run and id ---- */

/* A call is open from the first event that names it to its tool_end. */
struct call {
	struct run *run;
	struct buffer key;  /* of calls_key */
	struct buffer name; /* text */
	struct buffer args; /* JSON; empty if nobody needs them or they are unknown */
	int64_t iteration;  /* -1: unknown */
	int64_t log_time;   /* of tool_start, microseconds since 1970; -1: unknown */
	int64_t seen_at;    /* clock_monotonic when tool_start was read */
	bool running;       /* tool_start was read */
	bool stopped; /* tool_end was read: it was stopped with its run, which may be resumed */
	/* Calls of one name that are open at the same time are numbered. */
	unsigned number;
	bool overlaps;

	/* Set by tool_end; spans live as long as the event. */
	struct span id, result, reason; /* JSON; absent if the event has none */
	bool is_error;
	int64_t exit_status; /* of a program; negative: unknown */
	double seconds;      /* negative: unknown */

	struct call *next, *previous; /* in order of appearance */
	struct call *newer, *older;   /* of the same run; run->state is the newest */
};

enum { CLOSED_CALLS = 4096 };

/* Zeroed: none. */
struct calls {
	struct call *first, *last;     /* open calls in order of appearance */
	struct table open;             /* from keys to the calls */
	uint64_t closed[CLOSED_CALLS]; /* hashes of keys, to recognise a second tool_end */
};

/* Write the key of the call that an event is about. */
void calls_key(const struct run *run, const struct event *event, struct buffer *key);

/* The id of the call in its key: tool_call_id as JSON; of a call without one, its name. */
struct span calls_id(const struct buffer *key);

/* The open call; NULL: there is none. */
struct call *calls_find(const struct calls *calls, const struct buffer *key);

struct call *calls_open(struct calls *calls, struct run *run, const struct buffer *key,
			struct span name);

/* Forget the call, but remember that it has ended. */
void calls_close(struct calls *calls, struct call *call);

/* Whether a call with this key was closed lately. */
bool calls_was_closed(const struct calls *calls, const struct buffer *key);

void calls_free(struct calls *calls);

/* ---- the program (main.c) ---- */

/* The form of records; RECORD_NONE: lines for people. */
enum record_form { RECORD_NONE, RECORD_JSON, RECORD_TSV };

struct tools_options {
	enum record_form form;
	bool summary;
	bool args;        /* show arguments while the model writes them */
	bool errors_only; /* only calls that failed */
	bool safe;        /* control characters are made visible */
	bool color;
	bool redraw;           /* standard output is a terminal on which a line can be removed */
	size_t width;          /* of lines, in columns; 0: unlimited */
	struct patterns names; /* a call is shown if one matches its tool, or if there is none */
};

struct tools_program {
	struct reader_main main;
	struct tools_options options;
	int width; /* --width; -1: not given */
	struct calls calls;
	struct tools_live *live; /* NULL: records or a summary are wanted */
	struct summary *summary; /* NULL: not wanted */
	struct buffer out;       /* records, and the summary */
	struct buffer key, name; /* of the current event */
};

/* Write the pending output; the line of running calls stays. `self`: a struct tools_program. */
void tools_flush(void *self);

/* The same before a message: the line of running calls is removed. */
void tools_clear(void *self);

/* ---- call_events.c ---- */

/* An event of `run`; agent_end forgets the run. `self`: a struct tools_program. */
void call_event(void *self, struct run *run, const struct event *event);

/* At the end of the input: no open call will end. */
void call_events_end(struct tools_program *p);

/* ---- record.c: texts, and one line for each call ---- */

/* Append a text that must stay on one line; `safe` as in struct tools_options. */
void add_one_line(struct buffer *out, struct span text, bool safe);

/* Append `text` with tab, newline, carriage return and backslash escaped. */
void add_tsv(struct buffer *out, struct span text);

/* Append a duration: 0.52s, 2m05s, 1h00m. */
void add_seconds(struct buffer *out, double seconds);

/* Round to microseconds, the precision of events. */
double to_microseconds(double seconds);

void record_json(struct buffer *out, const struct call *call);
void record_tsv(struct buffer *out, const struct call *call);

/* ---- summary.c: calls counted by tool ---- */

struct summary *summary_new(void);
void summary_add(struct summary *summary, const struct call *call);

/* A call of the tool `name` that never ended. */
void summary_add_unfinished(struct summary *summary, struct span name);

/* Append the table, or its rows as JSON objects or tab-separated values; the tool with the longest
 * total time comes first. Nothing can be added afterwards. */
void summary_write(struct summary *summary, const struct tools_options *options,
		   struct buffer *out);

void summary_free(struct summary *summary);

/*
 * ---- tools_live.c: a line when a call starts and one when it ends, as it happens ----
 *
 *     -> read_file {"path":"a.txt"}
 *     <- read_file 0.52s ok: first line
 *
 * On a terminal a line below them shows how long the running calls have taken; it is removed before
 * anything else is written. Lines are pending until tools_live_flush.
 */

struct tools_live *tools_live_new(const struct tools_options *options, struct runs *runs,
				  const struct calls *calls);

/* An event of the run was read. Lines of runs that overlap have a short form of the run's id. */
void tools_live_run(struct tools_live *live, struct run *run);

/* The model writes the arguments of `call` (--args), and has written them. */
void tools_live_args(struct tools_live *live, const struct call *call, struct span delta);
void tools_live_args_end(struct tools_live *live);

void tools_live_start(struct tools_live *live, const struct call *call);

/* A call of the tool `name` was denied; `data` is that of the event tool_approval. */
void tools_live_denied(struct tools_live *live, const struct run *run, struct span name,
		       struct span data);

void tools_live_end(struct tools_live *live, const struct call *call);
void tools_live_unfinished(struct tools_live *live, const struct call *call);

/* Update the line of running calls when it is due. Returns when it is due next (clock_monotonic);
 * 0: there is none. */
int64_t tools_live_draw(struct tools_live *live);

/* Write the pending lines. tools_live_clear also removes the line of running calls. */
void tools_live_flush(struct tools_live *live);
void tools_live_clear(struct tools_live *live);

void tools_live_free(struct tools_live *live);

#endif
