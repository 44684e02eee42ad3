/*
 * emit: the events of a run (agent-events(5)). A run's events are written here only.
 */
#ifndef RUN_EMIT_H
#define RUN_EMIT_H

#include "run/conversation.h"
#include "run/response.h"
#include "run/run.h"

/* Whether an event can hold a text of this length, and JSON, among members of usual length. */
bool emit_fits(struct span text, struct span json);

void emit_agent_start(struct agent_run *run);
/* `reason` may be empty. */
void emit_agent_updated(struct agent_run *run, const char *previous, const char *call_id,
			enum handoff_input input, struct span reason);
void emit_agent_end(struct agent_run *run);
void emit_error(struct agent_run *run, const struct model_error *error, bool fatal);
void emit_progress(struct agent_run *run);

/* `dropped`: how many old messages the request leaves out. */
void emit_llm_start(struct agent_run *run, size_t dropped);
void emit_llm_end(struct agent_run *run, const struct model_outcome *outcome, bool is_final);
/* `next_model`: NULL if the same model is asked again. */
void emit_llm_retry(struct agent_run *run, const struct model_error *error, double wait_seconds,
		    const char *next_model);
/* A piece of the response, at once or merged with its neighbours by --debounce. */
void emit_delta(struct agent_run *run, const struct model_delta *delta);
/* Write what is held back: by --debounce, and as the possible beginning of a secret. */
void emit_held(struct agent_run *run);

void emit_tool_call_end(struct agent_run *run, const struct response_call *call);
void emit_tool_start(struct agent_run *run, const struct response_call *call);
/* `stream`: NULL for output that is the result. */
void emit_tool_chunk(struct agent_run *run, const struct response_call *call, struct span text,
		     const char *stream);
void emit_tool_end(struct agent_run *run, const struct response_call *call,
		   const struct tool_result *result);
/* `args`: all that the tool gets; `reason` may be "". */
void emit_tool_approval(struct agent_run *run, const struct response_call *call, struct span args,
			bool approved, const char *by, const char *reason);

#endif
