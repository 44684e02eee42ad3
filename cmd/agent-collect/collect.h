/*
 * collect: what the parts of agent-collect share.
 *
 * main.c reads lines and gives each event to the result of its run (result.c). When a run ends, its
 * result is written by the chosen format (one file each), checked (check.c) and forgotten, so
 * memory holds open runs only, and of these what the format asks for.
 */
#ifndef COLLECT_H
#define COLLECT_H

#include "event/log.h"
#include "event/reader.h"
#include "event/runs.h"
#include "json/json.h"

/* ---- the result of a run (result.c) ---- */

/* An event that is remembered. Zeroed: there was none. */
struct kept {
	enum event_type type;
	uint64_t order;   /* position in the run: 1, 2, ...; 0: there was no such event */
	int64_t time;     /* microseconds since 1970; -1: not said */
	struct span data; /* owned; absent when the event had none */
};

struct kept_list {
	struct kept *at;
	size_t count;
};

struct tool_call {
	uint64_t id;  /* a hash of what tells it from others: tool_call_id, else tool_name */
	char *run_id; /* as it was when the call began, which tools are told; NULL: forgotten */
	struct kept start;
	struct kept end; /* order 0: it has not ended; of its data, looked up once: */
	struct span result, is_error, duration;
	int64_t iteration; /* 0: not known */
	bool listed;       /* in result.calls, which owns it */
};

struct call_list {
	struct tool_call **at;
	size_t count;
};

struct other_count {
	char *name;
	int64_t count;
};

enum { MAX_OTHER_TYPES = 64, MAX_TIMESTAMP = 40 };

struct result {
	const struct run *run;
	uint64_t events; /* so far */
	struct kept start, end;
	char *started, *ended; /* timestamps as they were written; NULL: none */
	int64_t first_time, last_time, first_chunk_time; /* microseconds since 1970; -1: not said */
	char last_stamp[MAX_TIMESTAMP]; /* the last timestamp, while last_time is not yet its */
	size_t last_stamp_len;

	struct span agent_name, model; /* JSON, owned; follow handoffs */
	struct span cost;              /* JSON, owned: of the last progress; absent: none */
	int64_t iteration;             /* the highest that was named, or counted */
	int64_t usage[USAGE_KEYS];     /* summed over responses; -1: not known */
	int64_t requests, responses;

	struct buffer answer;   /* the text of the present iteration */
	bool answer_is_over;    /* the next chunk begins another */
	struct call_list calls; /* in the order in which they started, when they are wanted */
	struct call_list open;  /* those that run */
	int64_t calls_started, calls_failed;
	struct kept_list errors, kept;
	int64_t error_count;
	struct buffer lines; /* every event, separated by commas */

	int64_t counts[EVENT_OTHER + 1];
	struct other_count others[MAX_OTHER_TYPES]; /* further names are counted together */
	size_t other_types;
};

/* What a format wants remembered beyond what every result needs. */
struct wants {
	bool calls;     /* ended calls with arguments and results, not only open ones */
	bool errors;    /* error events */
	bool lines;     /* every event as it is */
	uint32_t types; /* events to keep: TYPE_BITs */
};

struct result *result_new(const struct run *run);
void result_free(void *result);

/* Add one more event of the run. Faults go to reader_warn. */
void result_add(struct result *result, const struct event *event, const struct wants *wants,
		struct reader *reader);

/* Make last_time that of the last event: chunks only note their timestamps. */
void result_settle_time(struct result *result);

/* ---- what a result says (facts.c): spans are JSON, valid as long as the result ---- */

bool result_complete(const struct result *result); /* there was an agent_end */
bool result_success(const struct result *result);
/* A member of agent_end; absent when there is none or it is null. */
struct span result_end(const struct result *result, const char *key);
/* A member of agent_start; the same. */
struct span result_start(const struct result *result, const char *key);
/* Text; valid until `scratch` changes. */
struct span result_status(const struct result *result, struct buffer *scratch);
/* The final text, or the answer so far. Appends; false when the run's output is null. */
bool result_output(const struct result *result, struct buffer *out);
struct span result_cost(const struct result *result);
/* Of agent_end, else summed over the responses; -1: not known. */
int64_t result_tokens(const struct result *result, enum usage_key key);
int64_t result_requests(const struct result *result);
int64_t result_iterations(const struct result *result);
int64_t result_tool_calls(const struct result *result);
/* Seconds; negative: not known. */
double result_duration(const struct result *result);
double result_first_chunk(const struct result *result);
double call_duration(const struct tool_call *call);
bool call_failed(const struct tool_call *call);

/* Append the result object, without its closing brace when it is `open`. */
void result_write(const struct result *result, struct buffer *out, bool open);
/* Append members of the result object. */
void write_call(const struct tool_call *call, struct buffer *out);
void write_seconds(struct buffer *out, const char *key, double seconds);

/* Append JSON text so that a person can read it: 12345 as 12,345; 0.00123 as $0.00123. */
void write_count(struct buffer *out, int64_t count);
void write_cost(struct buffer *out, struct span cost);
void write_duration(struct buffer *out, double seconds);

/* ---- all runs together (total.c) ---- */

/* A sum that loses no digits on the way. */
struct sum {
	double value, lost;
};
double sum_value(const struct sum *sum);

struct total {
	int64_t runs, nested, succeeded, failed, incomplete;
	int64_t usage[USAGE_KEYS], requests, iterations, tool_calls, tool_errors, errors;
	struct sum cost, run_seconds;
	bool cost_unknown;
	int64_t first_time, last_time;
	struct failed_run *failed_runs; /* not counted yet: a run that resumes one counts on */
	size_t failed_count;
	struct table failed_ids; /* to their positions in failed_runs */
};

void total_init(struct total *total);
/* `in_parent`: what the run used is part of what its parent did. */
void total_add(struct total *total, const struct result *result, bool in_parent);
/* Nothing more will be added. */
void total_close(struct total *total);
void total_write(const struct total *total, struct buffer *out);
/* From the first event to the last, in seconds; negative: not known. */
double total_duration(const struct total *total);

/* ---- output (output.c) ---- */

struct result_output {
	int fd;
	bool is_terminal; /* and what is shown there is to be made safe */
	bool is_json;     /* what is written is JSON */
	struct buffer pending;
};

/* Write what is pending; ends the program when that fails (quietly when the reader is gone). */
void output_flush(struct result_output *output);

/* ---- formats ---- */

struct collection {
	const struct format *format;
	struct runs *runs; /* to find a nested run's parent */
	struct result_output output;
	uint64_t written;                 /* results so far */
	bool first_done;                  /* for formats that separate */
	struct otlp_providers *providers; /* of the format otlp */
};

struct format {
	const char *name;
	struct wants wants;
	bool is_json;
	void (*begin)(struct collection *collection); /* before the first result; may be NULL */
	void (*result)(struct collection *collection, const struct result *result);
	void (*total)(struct collection *collection, const struct total *total); /* NULL: none */
	void (*end)(struct collection *collection);                              /* may be NULL */
};

/* One file each, and a row in the table of main.c; agent-collect(1) describes them. */
extern const struct format format_json, format_events, format_text, format_markdown, format_html,
    format_messages, format_csv, format_otlp;

/* All formats in the order in which --help names them, the default first; NULL ends the list. */
extern const struct format *const formats[];

/* ---- the live line (live.c) ---- */

struct collect_live;

/* On standard error, which is a terminal. */
struct collect_live *live_new(void);
void live_event(struct collect_live *live, const struct event *event, const struct result *result,
		const struct runs *runs);
/* Draw when something has changed and the last time is a tenth of a second ago; returns when to be
 * called again (clock_monotonic). */
int64_t live_draw(struct collect_live *live);
/* Take the line off the screen (it comes back with the next live_draw); NULL: there is none. */
void live_clear(struct collect_live *live);
void live_free(struct collect_live *live);

/* ---- conditions (check.c) ---- */

struct checks;

/* NULL with `e` when an expression does not compile. */
struct checks *checks_new(const char *const *expressions, size_t count, struct error *e);
/* Says which conditions the result does not meet; false when there is one. */
bool checks_hold(struct checks *checks, struct span result);
void checks_free(struct checks *checks);

#endif
