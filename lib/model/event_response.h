/*
 * event_response: a response written as events (agent-events(5)), turned into deltas. replay: reads
 * them from a log, exec: from a program.
 *
 * It uses llm_chunk, thinking_chunk, tool_call_start, tool_call_chunk, tool_call_end, llm_end and
 * error; of hosted calls ("executed_by":"provider") also tool_start and tool_end. Other events are
 * ignored. After an llm_end with "is_final":false and no call, the next request continues the
 * response. What was not streamed is taken from llm_end.message. A line can also be a short form,
 * one or several of EVENT_RESPONSE_FORMS in one object; agent-providers(5) documents all of them.
 */
#ifndef MODEL_EVENT_RESPONSE_H
#define MODEL_EVENT_RESPONSE_H

#include "model/failure.h"

#define EVENT_RESPONSE_FORMS                                                                       \
	"{\"text\":\"...\"}, {\"thinking\":\"...\"}, {\"refusal\":\"...\"}, "                      \
	"{\"tool_name\":\"...\",\"args\":{...}}, "                                                 \
	"{\"tool_call_id\":\"...\",\"tool_name\":\"...\",\"args_delta\":\"...\"}, "                \
	"{\"usage\":{...}}, {\"finish_reason\":\"...\"}, {\"error\":\"...\"}"

struct event_response_call {
	char *id;
	bool has_args;
	bool by_provider, over; /* the provider runs it; its result was delivered */
};

struct event_response {
	struct model_handler handler;
	bool stopped;           /* set when the call is cancelled: no delta any more */
	bool strict;            /* set by the caller: a line of no known form ends the response */
	struct failure failure; /* set by the caller, or by an event */
	struct buffer fault;    /* why a line has no known form; empty: nothing to add */

	/* private */
	struct event_response_call *calls;
	size_t call_count;
	bool has_text, has_thinking;
	enum model_delta_type last; /* of the part that is being written, */
	int64_t part;               /* and its number */
	enum model_finish finish;
	bool goes_on; /* the end says that it is not the final response */
	struct model_usage usage;
	struct buffer response_id, model, refusal, text;
	struct buffer reason; /* the provider's, if it is unknown or contradicts `finish` */
};

void event_response_init(struct event_response *response, const struct model_handler *handler);

/* Read one event or short form, a JSON object. Returns false if it is the error that ends the
 * response; or, without an error in `failure`, if `strict` is set and the line has no known form
 * (`fault`). The data of an event may have unknown members, a short form has none. */
bool event_response_read(struct event_response *response, struct span line);

/* Write how the response ended; the strings are owned by `response`. */
void event_response_outcome(struct event_response *response, struct model_outcome *outcome);

void event_response_free(struct event_response *response);

#endif
