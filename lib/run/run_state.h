/*
 * run_state: the inside of a run, shared by the files that work on it: run.c (its phases, begin and
 * end), iteration.c (requests and responses), tools.c and hosted.c (the calls of a response),
 * handoff.c and nested.c (other agents), and emit.c (its events).
 */
#ifndef RUN_RUN_STATE_H
#define RUN_RUN_STATE_H

#include "base/ids.h"
#include "run/budget.h"
#include "run/output.h"
#include "run/repeats.h"
#include "run/response.h"
#include "run/run.h"
#include "run/waiting.h"
#include "run/window.h"

/* What a run is doing. */
enum run_phase {
	PHASE_WAITING,     /* for its begin, a retry or the end of a rate limit; `wait` is set */
	PHASE_ASKING,      /* a response is received; `call` is set */
	PHASE_TOOLS,       /* the calls of the response run; `pending` is set */
	PHASE_WRAPPING_UP, /* the last request, at a limit (--wrap-up), with its retries */
	PHASE_ENDED,
};

/* One call of the response whose calls are run. */
struct pending_call {
	struct agent_run *run;
	const struct response_call *asked; /* in run->response */
	const struct tool *tool;
	enum { CALL_WAITING, CALL_ASKING, CALL_RUNNING, CALL_DONE } state;
	bool starting;              /* inside tool_start */
	struct event_waiter logged; /* it waits for its tool_start to be in the log */
	struct tool_call *running;  /* NULL: it does not run */
	struct approval *approval;
	struct waiting waiting; /* for the approval */
	char **environment;
	struct buffer withheld; /* names of variables that are not in it */
	struct buffer result;
	bool is_error;
	bool over_limit; /* one more than --max-tool-calls */
	bool faulty;     /* it was refused because of its name or its arguments */
	int64_t repeats; /* how often in a row it had the same result; 0: not counted */
};

/* Chunks held back by --debounce, neighbours of one kind, and the end of the text so far that may
 * be a part of a secret. */
struct held_chunk {
	enum model_delta_type type;
	int index;   /* of the tool call, for MODEL_TOOL_ARGS */
	size_t part; /* of the message, for text and thinking */
	struct buffer text;
	struct loop_timer *timer;
	struct secrets_tail tail;
};

/* A handoff that was decided: who takes over, and the call that decided it (spans of the response).
 * Zeroed: none. */
struct handoff {
	const struct agent *to;
	const char *call_id;
	struct span args;
};

struct agent_run {
	struct run_config config;
	const struct agent *agent; /* the current agent */
	const char *system;        /* its instructions; NULL: none */
	struct model_specs specs;  /* of its models; borrowed */
	struct run_handler handler;
	struct loop *loop;
	struct event_stream stream;

	struct open_models models;
	size_t model_index; /* the one that is asked */
	struct model_tool *offered;
	struct conversation conversation;
	size_t settled;   /* messages that stay; later ones ask to repair a failed attempt */
	size_t prompt_at; /* the prompt of this run among them */

	/* the response that is being received */
	struct model_call *call;
	struct response response;
	struct output structured; /* the text of the response, where a schema is asked for */
	int attempt;              /* of this iteration, over all models */
	int tries;                /* of the present model */
	int requests;             /* that were sent in this iteration */
	int repairs;              /* answers wrong in form, one after the other */
	int64_t asked_at, first_chunk_at; /* clock_monotonic; 0: not yet */
	struct held_chunk held;

	/* the calls of the response, until all have a result */
	struct pending_call *pending;
	size_t pending_count;
	struct repeats repeats; /* of all calls of the run */
	struct handoff handoff; /* takes place when the calls are done */
	int64_t agent_since;    /* the iteration after which the present agent took over */

	/* the limits */
	struct budget budget;
	struct buffer limit; /* which limit was reached; empty: none */

	/* the whole run */
	char *trace_parent; /* 00-TRACE-SPAN-FLAGS; inherited or NULL */
	char trace_id[TRACE_ID_SIZE];
	int64_t started_at, earliest_chunk_at; /* the latter: of all responses */
	enum model_finish finish; /* of the last response; MODEL_ERROR: none was complete */
	enum run_phase phase;
	int running_calls; /* waiting for an approval, or running */
	int exit_status;
	bool streamed;         /* chunks of this attempt have been written */
	bool capped;           /* this request may not have all the output it would like */
	struct buffer message; /* why it failed; empty: it did not */
	struct loop_timer *timeout, *wait, *done_timer;
	struct waiting waiting; /* for another attempt */
	struct buffer awaited;  /* what `wait` is for, "to ..."; empty: unknown */
};

/* The model that is asked. */
static inline struct model *run_model(const struct agent_run *run)
{
	return run->models.at[run->model_index];
}

/* Go on to another phase. The last request stays in its phase until the end. */
void run_enter(struct agent_run *run, enum run_phase phase);

/* The run is over: stop what goes on, write the error (NULL: none) and agent_end. */
void run_end(struct agent_run *run, int exit_status, const struct model_error *error);
/* The same for an error that did not come from the model. */
void run_fail(struct agent_run *run, int exit_status, enum error_kind kind, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Go on as `agent`, with its models (those of the run if it names none), instructions and tools. */
void run_set_agent(struct agent_run *run, const struct agent *agent);

/* ---- handoff.c: another agent takes over ---- */

/* A call of the handoff `tool` was made: the agent takes over when the calls are done, unless an
 * earlier call decided it. */
void run_decide_handoff(struct agent_run *run, const struct tool *tool, const char *call_id,
			struct span args);
/* The calls are done and a handoff is decided: the other agent takes over. False if it cannot, and
 * the run has ended. */
bool run_hand_over(struct agent_run *run);

#endif
