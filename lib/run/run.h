/*
 * run: one agent, from its prompt to agent_end: it asks the model, runs the tools that the model
 * calls, and asks again, until there is an answer, a limit, an error or a signal. Only a run writes
 * events.
 *
 * A run is a struct with a state on a shared loop: many runs go on at once.
 */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include "event/sink.h"
#include "model/prices.h"
#include "run/agent.h"
#include "run/history.h"
#include "tool/approval.h"
#include "tool/tool.h"

struct agent_run;

/* What to run. Everything is borrowed until the run is freed. Zero means "no limit", unless a
 * comment says otherwise. */
struct run_config {
	const struct agent *agent;      /* the agent that starts */
	const struct agent_set *agents; /* all agents, to resume a run; NULL: none */
	const char
	    *system; /* instead of the agent's instructions; NULL: those, else the history's */
	struct model_specs models; /* the first is asked, the others are fallbacks: of this agent,
				    * and of others that name none */
	struct run_limits limits;
	int64_t since; /* when the time limit began (clock_monotonic); 0: when the run starts */

	const char *prompt;
	struct span
	    attachments; /* parts before the prompt, the inside of a JSON array; absent: none */
	const char *id;  /* of the line of a batch; NULL: there is none */
	const struct history *history; /* NULL: none; closed (history_close) unless resumed */
	const char *continues;         /* its last run, in the same session; NULL: none */
	bool resume; /* go on with the history's last run where it stopped, instead of the prompt */

	struct model_host *host;
	struct prices *prices;
	struct approval_policy *policy;
	char *const *secrets; /* variables kept from tools, NULL-terminated */
	const char **env;     /* variables that tools get even if they look like secrets */
	size_t env_count;
	struct tool_limits tool_limits;
	int parallel;               /* tool calls at once, at least 1 */
	bool tool_output;           /* emit tool_chunk */
	bool wrap_up;               /* at a limit, ask for a last answer without tools */
	int64_t max_history_tokens; /* of the messages sent; older ones are left out */
	bool needs_prices;          /* refuse models without a price: the cost is limited */
	int retries;                /* of a failed request */
	int output_retries;         /* of an answer that is wrong in form */
	double debounce_seconds;

	/* of a nested run: the call that it answers; its usage counts in its parent's limits */
	struct agent_run *parent; /* NULL: none */
	const char *parent_call_id;
	int depth; /* 0: not nested */
};

/* How many runs deep agents that are tools may be, the outermost one included. */
enum { RUN_MAX_DEPTH = 8 };

/* Models that are open. Zeroed: none. */
struct open_models {
	struct model **at;
	size_t count;
};

/* Open the models of `specs` too. False with `e` if one cannot be opened. */
bool open_models_add(struct open_models *models, struct model_host *host,
		     const struct model_specs *specs, struct error *e);
void open_models_close(struct open_models *models);

struct run_handler {
	void *context;
	/* The run is over, agent_end is written. Called exactly once, never inside run_start or
	 * run_cancel. `message` is the error in one sentence, valid during the call; NULL on
	 * success. */
	void (*done)(void *context, int exit_status, const char *message);
};

/* Whether agent_start can hold the prompt, the instructions and the attachments (any may be
 * absent).
 */
bool run_check_size(const char *prompt, const char *system, struct span attachments,
		    struct error *e);

/* The run that config->history resumes: append the names of its agent's tools that the agent does
 * not have now to `missing`. False with `e` if one of them has calls that have not begun; `log` is
 * named there. */
bool run_check_resumed_tools(const struct run_config *config, const char *log,
			     struct buffer *missing, struct error *e);

/* Begin. NULL with `e` if a model cannot be opened or run_check_size fails; nothing is written or
 * sent then. */
struct agent_run *run_start(const struct run_config *config, struct event_sink *sink,
			    const struct run_handler *handler, struct error *e);

/* Append the first request that run_start would send (model_show_request). */
bool run_show_request(const struct run_config *config, struct buffer *out, struct error *e);

/* Stop: requests are dropped, tools get TERM, and KILL after a grace period; agent_end is written
 * with status `cancelled` and the exit status of `signal` (128 + signal). */
void run_cancel(struct agent_run *run, int signal);

/* The program cannot go on: write agent_end with status `error`, and before it `why`. What the run
 * waits for is not stopped in order. */
void run_abort(struct agent_run *run, const char *why);

/* What the run has cost so far, in USD; a response without a known price counts nothing. */
double run_cost(const struct agent_run *run);

/* Call it after done. */
void run_free(struct agent_run *run);

#endif
