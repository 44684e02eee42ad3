/*
 * answer_tool: structured output of models that cannot be asked for it in any other way than by a
 * tool whose arguments are the answer.
 *
 * It stands between a protocol and whoever asked: the request is changed, and the arguments arrive
 * as the text of the answer. Nobody else sees a call.
 */
#ifndef MODEL_ANSWER_TOOL_H
#define MODEL_ANSWER_TOOL_H

#include "model/model.h"
#include "model/provider.h"

#define ANSWER_TOOL "give_answer"

/* A request that offers the tool in place of its schema. Zeroed: none. */
struct answer_request {
	struct model_request request; /* borrows from the one it was made of, and from here */
	struct model_tool *tools;
	struct buffer system;
};

/* Make `changed` of `request`, which has a schema. The tool is forced when there is no other,
 * unless the quirk "force" says that the model cannot be. False when it cannot be done: a tool
 * takes an object, and the choice must leave room for it. */
bool answer_request_make(struct answer_request *changed, const struct provider *provider,
			 const char *model, const struct model_request *request);
void answer_request_free(struct answer_request *changed);

/* The answer to such a request. Zeroed but for `handler`: nothing has come. */
struct answer_tool {
	struct model_handler handler; /* who asked */
	int *calls;                   /* by the provider's index: the caller's, or -1, -2 */
	size_t count;
	int others;         /* calls of other tools */
	bool called;        /* the tool was */
	bool plain;         /* the text is the answer itself */
	struct buffer text; /* in front of the answer, or instead of it; nobody knows yet */
	struct buffer data; /* its provider_data */
};

/* The handler to give to the protocol. Text in front of the call becomes thinking. */
struct model_handler answer_tool_handler(struct answer_tool *tool);
void answer_tool_free(struct answer_tool *tool);

#endif
