/*
 * collect: what the parts of agent-collect share.
 *
 * main.c reads lines and gives each event to the result of its run (result.c). When a run ends, its
 * result is written by the chosen format (one file each), checked (check.c) and forgotten, so
 * memory holds open runs only, and of these what the format asks for.
 */
#ifndef COLLECT_H
#define COLLECT_H

#include "base/ids.h"
#include "event/reader.h"
#include "event/runs.h"
#include "json/json.h"

/* ---- the result of a run (result.c) ---- */

/* An event that is kept. Zeroed: none. */
struct kept {
	enum event_type type;
	uint64_t order;   /* position in the run: 1, 2, ...; 0: no event */
	int64_t time;     /* microseconds since 1970; -1: unknown */
	struct span data; /* owned; absent when the event had none */
};

struct kept_list {
	struct kept *at;
	size_t count;
};

/* A number that a result shows. */
struct amount {
	double value;     /* negative: unknown */
	struct span json; /* as the log has it; absent: computed */
};

struct result_call {
	char *run_id; /* when the call began: tools get this id; NULL: not listed */
	struct kept start;
	struct kept end;            /* order 0: the call has not ended */
	struct span id, name, args; /* JSON, in start.data */
	struct span result;         /* JSON, in end.data */
	struct amount seconds;
	bool failed;
	bool stopped; /* with its run; it may run again when this is resumed, and is in result.open
		       */
	int64_t iteration; /* 0: unknown */
	bool listed;       /* in result.calls, which owns it */
};

struct call_list {
	struct result_call **at;
	size_t count;
};

struct other_count {
	char *name;
	int64_t count;
};

enum { MAX_OTHER_TYPES = 64, MAX_TIMESTAMP = 40 };

/* Members of agent_start and of agent_end that results use. */
enum start_key {
	START_ID,
	START_SYSTEM,
	START_PROMPT,
	START_ATTACHMENTS,
	START_TOOLS,
	START_PROVIDER,
	START_TRACE_PARENT,
	START_RESUMED_FROM,
	START_PARENT_CALL,
	START_AGENT_NAME,
	START_MODEL,
	START_KEYS,
};
enum end_key {
	END_AGENT_NAME,
	END_SUCCESS,
	END_STATUS,
	END_OUTPUT,
	END_OUTPUT_JSON,
	END_FINISH_REASON,
	END_USAGE,
	END_COST,
	END_ITERATIONS,
	END_TOOL_CALLS,
	END_SECONDS,
	END_FIRST_CHUNK,
	END_KEYS,
};

/* Counts of a run, and of all runs, in the order of the columns of CSV. */
enum count {
	COUNT_ITERATIONS,
	COUNT_TOOL_CALLS,
	COUNT_TOOL_ERRORS,
	COUNT_ERRORS,
	COUNT_TOKENS, /* and those of the other usage keys */
	COUNT_REQUESTS = COUNT_TOKENS + USAGE_KEYS,
	COUNTS,
};
extern const char *const count_names[COUNTS];

/* The numbers of a run, or of all. */
struct facts {
	int64_t counts[COUNTS]; /* -1: unknown */
	struct amount cost, seconds, first_chunk;
};

struct result {
	const struct run *run;
	uint64_t events; /* so far */
	struct kept start, end;
	struct span start_values[START_KEYS], end_values[END_KEYS]; /* JSON in their data */
	char *started, *ended;                           /* timestamps as in the log; NULL: none */
	int64_t first_time, last_time, first_chunk_time; /* microseconds since 1970; -1: unknown */
	int64_t piece_time; /* when the run, or the last run that resumed it, began; -1: unknown */
	double earlier_seconds;         /* the durations of what a later run resumed */
	char last_stamp[MAX_TIMESTAMP]; /* the last timestamp, until last_time is set from it */
	size_t last_stamp_len;

	struct span agent_name, model; /* JSON, owned; follow handoffs */
	struct span cost;              /* JSON, owned: of the last progress; absent: none */
	int64_t iteration;             /* the highest that was named */
	int64_t usage[USAGE_KEYS];     /* summed over responses; -1: unknown */
	int64_t requests, responses;

	struct buffer response; /* the text of the last or present one */
	bool response_is_over;  /* the next chunk begins another */
	struct call_list calls; /* in the order in which they started, if the format wants them */
	struct call_list open;  /* the running ones */
	int64_t calls_started, calls_failed, errors;
	struct kept_list kept; /* events of the types that the format wants */
	struct buffer lines;   /* every event, separated by commas */

	int64_t event_counts[EVENT_OTHER + 1];
	struct other_count others[MAX_OTHER_TYPES]; /* further names are counted together */
	size_t other_types;

	/* Set by result_settle: */
	struct facts facts;
	bool complete; /* there was an agent_end */
	bool success;
	struct buffer status;
};

/* The data that a format needs in addition to that of every result. */
struct wants {
	bool calls;      /* ended calls with arguments and results, not only open ones */
	bool lines;      /* every event as it is */
	event_set types; /* events to keep */
};

struct result *result_new(const struct run *run);
void result_free(void *result);

/* Add one more event of the run. Faults go to reader_warn. */
void result_add(struct result *result, const struct event *event, const struct wants *wants,
		struct reader *reader);

/* Set last_time from the last event: chunks only note their timestamps. */
void result_settle_time(struct result *result);

/* The first kept event after `kept` (NULL: from the beginning) with one of the types; NULL at the
 * end. */
const struct kept *result_next(const struct result *result, const struct kept *kept,
			       event_set types);

/* ---- the responses of a run (response.c) ---- */

/* A response of the model with all its attempts. Zeroed: before the first one. */
struct result_response {
	const struct kept *first; /* its llm_start; its llm_end if it has no llm_start */
	const struct kept *end;   /* its llm_end; NULL: it is not complete */
	const struct kept *after; /* the kept event behind it */
	int64_t end_time;         /* of its end, or of what came instead */
	int64_t number;           /* 1, 2, ... */
};

/* Move to the next response of a run whose llm_start and llm_end are kept. Returns false at the
 * end. */
bool result_next_response(const struct result *result, struct result_response *response);

/* ---- the facts of a result (facts.c): spans are JSON, valid as long as the result ---- */

/* Compute the facts of the run as far as it has come; the formats get settled results. */
void result_settle(struct result *result);
/* A member of agent_start or agent_end; absent if there is none or it is null. */
struct span result_start(const struct result *result, enum start_key key);
struct span result_end(const struct result *result, enum end_key key);
/* The data of the last error event; absent: there was none, or the format does not want them. */
struct span result_last_error(const struct result *result);
/* Append the final text, or that of the response so far. Returns false if the run has no output. */
bool result_output(const struct result *result, struct buffer *out);
/* Store the counts in `usage`, a JSON object; -1: unknown. */
void usage_counts(struct span usage, int64_t counts[USAGE_KEYS]);
/* The seconds between two times in microseconds; -1: unknown. */
double seconds_between(int64_t from, int64_t to);

/* Append the result object, without its closing brace when it is `open`. */
void result_write(const struct result *result, struct buffer *out, bool open);
/* The amount in `json`, else `computed`. */
struct amount amount_of(struct span json, double computed);
/* JSON of an amount; absent if it is unknown. Valid until `scratch` changes. */
struct span amount_json(const struct amount *amount, struct buffer *scratch);

/* Append text for people: 12345 as 12,345; 0.00123 as $0.00123. */
void write_count(struct buffer *out, int64_t count);
void write_cost(struct buffer *out, double cost);
void write_duration(struct buffer *out, double seconds);
/* Append text with the markup of HTML escaped and control characters shown. */
void write_html(struct buffer *out, struct span text);
/* The longest beginning of at most `max` bytes that does not end inside a code point. */
struct span cut_text(struct span text, size_t max);

/* ---- all runs together (total.c) ---- */

/* A sum that loses no digits on the way. */
struct sum {
	double value, lost;
};

struct total {
	int64_t runs, nested, succeeded, failed, incomplete;
	struct facts facts; /* cost and seconds are set by total_close */
	struct sum cost, run_seconds;
	int64_t unpriced; /* runs with unknown cost */
	int64_t first_time, last_time;
};

void total_init(struct total *total);
/* `in_parent`: the usage of the run is part of its parent's. */
void total_add(struct total *total, const struct result *result, bool in_parent);
/* Nothing more will be added. */
void total_close(struct total *total);
void total_write(const struct total *total, struct buffer *out);

/* ---- traces (run_trace.c): ids in W3C Trace Context follow from run_id and tool_call_id ---- */

struct trace {
	char trace_id[TRACE_ID_SIZE];
	char agent_id[TRACE_SPAN_ID_SIZE], parent_id[TRACE_SPAN_ID_SIZE]; /* "": a root */
	struct span provider; /* OpenTelemetry's name of the provider; absent: unknown */
};

struct collection;

/* Find the place of a run: in the trace of trace_parent, in that of the run that it is nested in,
 * or in its own. */
void trace_of(const struct collection *collection, const struct result *result,
	      struct trace *trace);

/* The span of a tool call: the one that agent-run gives to the tool in TRACEPARENT. Without a
 * tool_call_id it follows from the position in the run. */
void trace_call_id(char out[TRACE_SPAN_ID_SIZE], const struct result *result,
		   const struct result_call *call);

/* ---- formats ---- */

struct output_file {
	int fd;
	bool is_safe; /* a terminal: control characters are made visible */
	bool is_json; /* what is written is JSON */
	struct buffer pending;
};

struct collection {
	const struct format *format;
	struct runs *runs; /* to find a nested run's parent */
	struct output_file output;
	bool first_done;                  /* for formats that separate */
	struct otlp_providers *providers; /* of the format otlp */
};

/* One file each; the list is in main.c, agent-collect(1) describes them. */
struct format {
	const char *name;
	struct wants wants;
	bool is_json;
	void (*begin)(struct collection *collection); /* before the first result; may be NULL */
	void (*result)(struct collection *collection, const struct result *result);
	void (*total)(struct collection *collection, const struct total *total); /* NULL: none */
	void (*end)(struct collection *collection);                              /* may be NULL */
};

/* ---- the live line (live.c) ---- */

struct collect_live;

/* On standard error, which is a terminal. */
struct collect_live *collect_live_new(void);
void collect_live_event(struct collect_live *live, const struct event *event,
			const struct result *result, const struct runs *runs);
/* Draw when something has changed and the last time is a tenth of a second ago; returns when to be
 * called again (clock_monotonic). */
int64_t collect_live_draw(struct collect_live *live);
/* Take the line off the screen (it comes back with the next collect_live_draw); NULL: there is
 * none. */
void collect_live_clear(struct collect_live *live);
void collect_live_free(struct collect_live *live);

/* ---- conditions (check.c) ---- */

/* Zeroed: none. */
struct checks {
	struct check *at;
	size_t count;
};

/* Add a condition; an expression that does not compile ends the program. */
void checks_add(struct checks *checks, const char *expression);
/* Whether the result object meets all conditions; warns of those that it does not meet. */
bool checks_hold(const struct checks *checks, struct span result);
void checks_free(struct checks *checks);

#endif
