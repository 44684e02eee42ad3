/*
 * run_state: the inside of a run, shared by its files: run.c (the loop), run_retry.c (what to do
 * about a failed response), run_request.c (what is sent), run_ids.c (ids of calls), run_limits.c,
 * run_output.c (structured
 * answers), run_tools.c (one batch of tool calls), run_agents.c (other agents),
 * run_provider.c (calls that the provider runs),
 * run_resume.c (going on with another run) and run_events.c (what is written). Nobody else includes
 * this.
 */
#ifndef RUN_RUN_STATE_H
#define RUN_RUN_STATE_H

#include "base/table.h"
#include "base/trace.h"
#include "run/answer.h"
#include "run/budget.h"
#include "run/estimate.h"
#include "run/output.h"
#include "run/run.h"
#include "run/usage.h"
#include "run/window.h"

/* How a run ends. */
enum run_end {
	RUN_SUCCESS,
	RUN_ERROR,
	RUN_LIMIT,
	RUN_TIMEOUT,
	RUN_CANCELLED,
	RUN_REFUSED,
	RUN_INVALID_OUTPUT,
};

/* What a run is doing. */
enum run_phase {
	PHASE_WAITING,     /* for its begin, a retry or the end of a rate limit; `wait` is set */
	PHASE_ASKING,      /* a response is received; `call` is set */
	PHASE_TOOLS,       /* the calls of the response run; `batch` is set */
	PHASE_WRAPPING_UP, /* the last request, at a limit (--wrap-up), with its retries */
	PHASE_ENDED,
};

enum batch_state { CALL_WAITING, CALL_ASKING, CALL_RUNNING, CALL_DONE };

/* One call of the batch that is being worked on. */
struct batch_call {
	struct agent_run *run;
	size_t index; /* in run->answer.calls */
	const struct tool *tool;
	enum batch_state state;
	bool starting;              /* inside tool_start */
	struct event_waiter logged; /* it waits for its tool_start to be in the log */
	struct tool_call *running;  /* NULL: it does not run */
	struct approval *approval;
	char **environment;
	struct buffer result;
	bool is_error;
	bool over_limit; /* one more than --max-tool-calls */
};

/* Chunks held back by --debounce: neighbours of one kind. */
struct held_chunk {
	enum model_delta_type type;
	int index; /* of the tool call, for MODEL_TOOL_ARGS */
	struct buffer text;
	struct loop_timer *timer;
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
	const struct agent *agent; /* whose turn it is */
	const char *system;        /* its instructions; NULL: none */
	struct model_specs specs;  /* of its models, borrowed */
	struct run_handler handler;
	struct loop *loop;
	struct event_stream stream;

	struct model **models;
	size_t model_index; /* the one that is asked */
	struct model_tool *offered;
	struct conversation conversation;
	size_t settled;   /* messages that stay; what follows was said to repair a failed attempt */
	size_t prompt_at; /* the prompt of this run among them */

	/* the response that is being received */
	struct model_call *call;
	struct answer answer;
	struct output structured;         /* the text of the answer, where a schema is asked for */
	int attempt;                      /* of this iteration, over all models */
	int tries;                        /* of the present model */
	int repairs;                      /* answers wrong in form, one after the other */
	int64_t asked_at, first_chunk_at; /* clock_monotonic; 0: not yet */
	struct held_chunk held;

	/* the tools that are running */
	struct batch_call *batch;
	size_t batch_count;
	struct handoff handoff; /* takes place when the calls are done */
	int64_t since;          /* the iteration after which the present agent took over */

	/* the limits */
	struct budget budget;
	struct buffer limit; /* which limit was reached; empty: none */

	/* the whole run */
	char *trace_parent; /* 00-TRACE-SPAN-FLAGS; inherited or NULL */
	char trace_id[TRACE_ID_SIZE];
	int64_t started_at, first_answer_at;
	enum model_finish finish;
	enum run_phase phase;
	int busy; /* calls asking or running */
	int exit_status;
	bool streamed; /* chunks of this attempt have been written */
	bool capped;   /* this request may not have all the output it would like */
	bool has_finish;
	struct buffer message; /* what it failed for */
	struct loop_timer *timeout, *wait, *done_timer;
	struct table used_ids; /* tool_call_ids of this run, and of the history it goes on from;
				* owned */
};

/* ---- run.c ---- */

/* The model that is asked. */
static inline struct model *run_model(const struct agent_run *run)
{
	return run->models[run->model_index];
}

/* Go on to another phase. The last request stays in its phase until the end. */
void run_enter(struct agent_run *run, enum run_phase phase);

/* The run is over: stop what goes on, write the error and agent_end. `message` NULL: no error
 * event. */
void run_end(struct agent_run *run, enum run_end end, int exit_status,
	     const struct model_error *error);
/* The same for an error that did not come from the model. */
void run_fail(struct agent_run *run, enum run_end end, int exit_status, enum error_kind kind,
	      const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Ask the model for the next response, unless a limit forbids it. */
void run_next_iteration(struct agent_run *run);
/* Begin an iteration without asking yet. */
void run_begin_iteration(struct agent_run *run);

/* Open models: an array that the caller closes (run_close_models); NULL with `e`. */
struct model **run_open_models(struct model_host *host, const struct model_specs *specs,
			       struct error *e);
void run_close_models(struct model **models, size_t count);
/* The tools as models know them; the caller frees the array. */
struct model_tool *run_offer_tools(const struct tool_set *set);
/* Send the request for this iteration. */
void run_ask(struct agent_run *run);
/* The response is complete and needs no tools: end the run. */
void run_final_answer(struct agent_run *run, const struct model_outcome *outcome);

/* ---- run_request.c ---- */

/* The request that is next; `window` is filled, and holds its messages. */
struct model_request run_request(const struct agent_run *run, struct window *window);

/* ---- run_limits.c ---- */

/* Whether tokens and money are left for another request. When not, the limit has been reached. */
bool run_within_limits(struct agent_run *run);
/* A limit is reached; `why` is the error's sentence: the end of the run, or, with --wrap-up, its
 * last request; calls that wait are refused then. */
void run_reach_limit(struct agent_run *run, const char *why);
/* The response to the last request is complete. */
void run_wrapped_up(struct agent_run *run);
/* Ask for no more output than the limits leave. */
void run_fit_request(struct agent_run *run, struct model_request *request);

/* ---- run_retry.c ---- */

/* The response failed: the same model again, the next one, or the end. */
void run_recover(struct agent_run *run, const struct model_error *error);
/* Whether this run must wait, because another one met a rate limit or nobody takes the output; it
 * asks later then, and after a rate limit not at the same moment as all the others. */
bool run_is_held(struct agent_run *run);

/* ---- run_output.c ---- */

/* Whether a final answer is what --schema asks for; `why` says what is wrong. What was cut or
 * refused has a better reason to fail. */
bool run_output_satisfies(const struct agent_run *run, const struct model_outcome *outcome,
			  struct buffer *why);
/* Tell the model what is wrong with its answer, and ask again. */
void run_output_correct(struct agent_run *run, const char *why);

/* ---- run_ids.c ---- */

/* The id under which events know a call: the provider's, made unique within the conversation,
 * because some servers number their calls anew in every response, give none, or very long ones.
 * Borrowed. */
const char *run_unique_id(struct agent_run *run, struct span id);
/* Give `id` to no other call. Returns it, borrowed. */
const char *run_use_id(struct agent_run *run, struct span id);
/* The same for the calls of the conversation so far. */
void run_use_history_ids(struct agent_run *run);
void run_free_ids(struct agent_run *run);

/* ---- run_resume.c ---- */

/* Take over the counts and ids of the history's last run. */
void run_resume_state(struct agent_run *run);
/* Go on with the first thing that is missing. */
void run_resume(struct agent_run *run);

/* ---- run_tools.c ---- */

/* Run the calls of the answer; run_next_iteration when all have a result. */
void run_tools(struct agent_run *run);
/* The same where history says which of them have a result already, or may have had an effect. */
void run_tools_resume(struct agent_run *run, const struct history *history);
/* Answer the calls of the answer with `why`, without running them; nothing when they have their
 * results. */
void run_tools_refuse(struct agent_run *run, const char *why);
/* Stop them all, each with a result that says so. */
void run_tools_stop(struct agent_run *run);
void run_tools_free(struct agent_run *run);
/* ---- handoff.c: other agents, who take over ---- */

/* The instructions given to the present agent: of the agent that starts, those of the configuration
 * go first. NULL: none. */
const char *run_own_system(const struct agent_run *run);
/* Go on as `agent`; where it names no model, with those of the run. */
void run_become(struct agent_run *run, const struct agent *agent);
/* A call of the handoff `tool` was made: the agent takes over when the calls are done, unless an
 * earlier call decided it. */
void run_decide_handoff(struct agent_run *run, const struct tool *tool, const char *call_id,
			struct span args);
/* The calls are done and a handoff is decided: the other agent takes over. False if it cannot, and
 * the run has ended. */
bool run_hand_over(struct agent_run *run);

/* ---- run_provider.c: calls that the provider runs itself ---- */

/* Take MODEL_TOOL_RUNNING or MODEL_TOOL_RESULT: their events are written as they become known. */
void run_provider_call(struct agent_run *run, const struct model_delta *delta);
/* Calls whose result was not told are over with the response; `failed`: as errors. */
void run_provider_close(struct agent_run *run, bool failed);

/* ---- run_events.c ---- */

void emit_agent_start(struct agent_run *run);
void emit_agent_updated(struct agent_run *run, const char *previous, const char *call_id,
			enum handoff_input input, struct span reason);
void emit_agent_end(struct agent_run *run, enum run_end end);
void emit_error(struct agent_run *run, const struct model_error *error, bool fatal);
void emit_progress(struct agent_run *run);
/* `dropped`: how many old messages the request leaves out. */
void emit_llm_start(struct agent_run *run, size_t dropped);
void emit_llm_end(struct agent_run *run, const struct model_outcome *outcome, bool is_final);
void emit_llm_retry(struct agent_run *run, const struct model_error *error, double wait_seconds,
		    const char *next_model);
/* A piece of the answer, at once or merged with its neighbours by --debounce. */
void emit_delta(struct agent_run *run, const struct model_delta *delta);
/* Write what --debounce holds back. */
void emit_held(struct agent_run *run);
void emit_tool_call_end(struct agent_run *run, const struct answer_call *call);
void emit_tool_start(struct agent_run *run, const struct answer_call *call);
/* `stream`: NULL for what is the result. */
void emit_tool_chunk(struct agent_run *run, const struct answer_call *call, struct span text,
		     const char *stream);
void emit_tool_end(struct agent_run *run, const struct answer_call *call,
		   const struct tool_result *result);
/* The same for a call that the provider runs itself. */
void emit_provider_start(struct agent_run *run, const struct answer_call *call);
void emit_provider_end(struct agent_run *run, const struct answer_call *call);
/* `reason` may be "". */
void emit_tool_approval(struct agent_run *run, const struct answer_call *call, bool approved,
			const char *by, const char *reason);

#endif
