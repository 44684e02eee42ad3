/*
 * event_answer: an answer told in our own events (agent-events(5)), turned into deltas: what replay
 * reads from a log and exec from a program.
 *
 * Of an iteration's events llm_chunk, thinking_chunk, tool_call_start, tool_call_chunk,
 * tool_call_end, llm_end and error say something, of calls that the provider ran itself
 * ("executed_by":"provider") tool_start and tool_end too, others are let pass. An llm_end with
 * "is_final":false and no call asks to be asked again. What was not streamed is
 * taken from llm_end.message. Instead of an event a line may be a short form:
 *     {"text":"..."} {"thinking":"..."} {"tool_name":"...","args":{...}} {"error":"..."}
 */
#ifndef MODEL_EVENT_ANSWER_H
#define MODEL_EVENT_ANSWER_H

#include "model/failure.h"

struct event_answer_call {
	char *id;
	bool has_args;
	bool by_provider, over; /* the provider runs it itself; its result was told */
};

struct event_answer {
	struct model_handler handler;
	bool stopped;           /* set when the call is cancelled: no delta any more */
	struct failure failure; /* set by the caller, or by an event */

	/* private */
	struct event_answer_call *calls;
	size_t call_count;
	bool has_text, has_thinking;
	enum model_finish finish;
	struct model_usage usage;
	struct buffer response_id, model, refusal, text;
};

void event_answer_init(struct event_answer *answer, const struct model_handler *handler);

/* Take one event or short form, a JSON object. Returns false when it is the error that ends the
 * answer. */
bool event_answer_take(struct event_answer *answer, struct span line);

/* How the answer ended; the strings are `answer`'s. */
void event_answer_outcome(struct event_answer *answer, struct model_outcome *outcome);

void event_answer_free(struct event_answer *answer);

#endif
