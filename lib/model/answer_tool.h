/*
 * answer_tool: structured output of models that support it only through a tool whose arguments are
 * the answer.
 *
 * It changes the request and delivers the arguments of the call as the text of the response. The
 * caller does not see the call.
 */
#ifndef MODEL_ANSWER_TOOL_H
#define MODEL_ANSWER_TOOL_H

#include "model/model.h"
#include "model/provider.h"

#define ANSWER_TOOL "give_answer"

/* A request that has the tool instead of its schema. Zeroed: none. */
struct answer_request {
	struct model_request request; /* borrows from the one it was made of, and from here */
	struct model_tool *tools;
	struct buffer system;
};

/* Make `changed` from `request`. The protocol decides whether the tool is used and how its call is
 * forced (protocol/protocol.h). Returns false if it is not used: the request has no schema, or the
 * protocol has another way for it; the schema is not one of an object; another tool has the name;
 * or the tool choice does not allow the call. */
bool answer_request_make(struct answer_request *changed, const struct provider *provider,
			 const char *model, const struct model_request *request);
void answer_request_free(struct answer_request *changed);

/* The response to such a request. Zeroed but for `handler`: nothing has arrived. */
struct answer_tool {
	struct model_handler handler; /* of the caller */
	int *calls;                   /* from the provider's index to the caller's, or -1, -2 */
	size_t count;
	int others;         /* calls of other tools */
	bool waiting;       /* one of them is to be run here */
	bool called;        /* the tool was called */
	bool plain;         /* the text is the answer itself */
	struct buffer text; /* not delivered yet: text beside the answer, or instead of it */
	struct buffer data; /* its provider_data */
};

/* The handler for the protocol. Text before and after the call becomes thinking. */
struct model_handler answer_tool_handler(struct answer_tool *tool);
void answer_tool_free(struct answer_tool *tool);

#endif
