/*
 * openai_responses: OpenAI's Responses and everything that speaks it. Private to its files:
 *   openai_responses.c          the decoder: events into deltas, and how an answer ends
 *   openai_responses_text.c     what the model says: messages, refusals, reasoning
 *   openai_responses_items.c    what an answer consists of, found by whatever an event names it by
 *   openai_responses_calls.c    the model's function calls
 *   openai_responses_hosted.c   calls that the provider runs itself
 *   openai_responses_request.c  the request: URL and parameters
 *   openai_responses_input.c    the request's conversation
 */
#ifndef MODEL_OPENAI_RESPONSES_H
#define MODEL_OPENAI_RESPONSES_H

#include "model/failure.h"
#include "model/protocol/joint.h"
#include "model/protocol/protocol.h"

enum responses_kind {
	ITEM_MESSAGE,
	ITEM_REASONING,
	ITEM_CALL,   /* function_call, custom_tool_call: to be run here */
	ITEM_HOSTED, /* run by the provider: web_search_call, mcp_call, program, ... */
	ITEM_OUTPUT, /* what such a call gave: shell_call_output, ... */
	ITEM_OPAQUE, /* compaction, and what is not known: only to be sent back */
};

/* One item of the answer. */
struct responses_item {
	enum responses_kind kind;
	struct buffer type; /* as the provider names it */
	struct buffer id;   /* of the item, as it was called first */
	int64_t index;      /* output_index; -1: not said */
	int number;         /* the call's, in order of announcement; -1: none */
	struct buffer text; /* what was received of its text or arguments */
	size_t said;        /* how much of it was passed on */
	uint64_t part;      /* which part of a reasoning the text belongs to */
	struct joint joint;
	bool refused;   /* it said a refusal */
	bool other_id;  /* its events disagree about its id */
	bool running;   /* MODEL_TOOL_RUNNING was told */
	bool over;      /* MODEL_TOOL_RESULT was told; all of a message was passed on */
	bool kept;      /* of reasoning: its part has its data */
	bool encrypted; /* and the encrypted content is in it */
	bool added;     /* output_item.added was seen */
	bool done;      /* output_item.done was seen */
	bool listed;    /* it was met in the output of the response */
	struct buffer call_id, name;
	/* Of a hosted call the items to send back, without brackets; of a message its phase; of
	 * reasoning the item, where it was too late for its part. */
	struct buffer data;
};

struct responses_decoder {
	struct decoder base;
	struct buffer id, model, usage, refusal;
	struct pieces pieces;
	struct buffer scratch;
	struct responses_item **items; /* in order of appearance */
	size_t item_count, item_cap;
	const struct responses_item *last; /* whose text was emitted last; NULL: no one's */
	int call_count;                    /* calls announced */
	enum { RESPONSES_OPEN, RESPONSES_COMPLETED, RESPONSES_CUT, RESPONSES_FILTERED } state;
	bool torn; /* the last event was the beginning of one */
	struct failure failure;
};

/* ---- what is said ---- */

void responses_emit(struct responses_decoder *d, struct model_delta delta);

/* Something of `next` is told now: the parts of reasoning before it end, whatever is still to come
 * of their items. */
void responses_leave_reasoning(struct responses_decoder *d, const struct responses_item *next);

/* A piece of a message's text, and all of it from servers that send no pieces; a piece of a
 * refusal.
 */
void responses_text_delta(struct responses_decoder *d, struct span event);
void responses_text_done(struct responses_decoder *d, struct span event);
void responses_refusal_delta(struct responses_decoder *d, struct span event);

/* A piece of reasoning; `type` is the event's. */
void responses_reasoning_delta(struct responses_decoder *d, struct span type, struct span event);

/* The item is complete. */
void responses_message_done(struct responses_decoder *d, struct responses_item *item,
			    struct span value);
void responses_reasoning_done(struct responses_decoder *d, struct responses_item *item,
			      struct span value);

/* The reasoning `item`, whose part is over, is `value`. */
void responses_reasoning_late(struct responses_item *item, struct span value);

/* Pass on the text of messages in their order: that of one waits until those before it are done, or
 * until the answer has ended. */
void responses_pass_on(struct responses_decoder *d, bool ended);

/* Pass on what was held back, and tell what came late; the answer has ended. */
void responses_flush(struct responses_decoder *d);

/* Announce a call under the item's name and call_id. */
void responses_announce(struct responses_decoder *d, struct responses_item *item);

/* ---- items ---- */

enum responses_kind responses_kind_of(struct span type);

/* The item of `kind` to which an event belongs: by its output_index, else by its item_id, else the
 * last one that is not done. NULL: there is none. */
struct responses_item *responses_find(struct responses_decoder *d, enum responses_kind kind,
				      struct span event);

/* The same; a new one of `type` where there is none. */
struct responses_item *responses_need(struct responses_decoder *d, const char *type,
				      struct span event);

/* The item that output_item.added or output_item.done is about, with what it says of itself. */
struct responses_item *responses_take(struct responses_decoder *d, struct span event, bool added);

/* The item that `item`, at `index` of a response's "output", is: the first one of its type that is
 * not listed yet; a new one where there is none. NULL: it has no type. */
struct responses_item *responses_listed(struct responses_decoder *d, struct span item,
					int64_t index);

/* What `whole` adds to the text received so far; empty when it is not what that text begins. */
struct span responses_rest(struct span whole, const struct responses_item *item);

/* Append the members of `item` but null ones and those named. */
void responses_members(struct span item, const char *const *without, struct buffer *out);

void responses_items_free(struct responses_decoder *d);

/* ---- calls ---- */

/* A piece of the arguments, and all of them (a string). */
void responses_args(struct responses_decoder *d, struct responses_item *item, struct span delta);
void responses_args_done(struct responses_decoder *d, struct responses_item *item,
			 struct span args);

/* The item is complete. */
void responses_call_done(struct responses_decoder *d, struct responses_item *item,
			 struct span value);

/* Give empty arguments their "{}". False after recording a failure: a call without a name. */
bool responses_calls_end(struct responses_decoder *d);

enum responses_args { ARGS_NONE, ARGS_COMPLETE, ARGS_CUT };

/* The state of the arguments of all calls: the worst one. */
enum responses_args responses_calls_state(const struct responses_decoder *d);

/* ---- calls that the provider runs ---- */

void responses_hosted_begin(struct responses_decoder *d, struct responses_item *item);

/* An event about a hosted call ("response.mcp_call_arguments.delta"). */
void responses_hosted_event(struct responses_decoder *d, struct span type, struct span event);

void responses_hosted_done(struct responses_decoder *d, struct responses_item *item,
			   struct span value);
void responses_output_done(struct responses_decoder *d, struct responses_item *item,
			   struct span value);

/* Tell what is to be sent back of each, and of those without a result that they have none. */
void responses_hosted_end(struct responses_decoder *d);

/* ---- the request ---- */

bool responses_request(const struct provider *provider, const char *model, const char *base_url,
		       const struct model_request *request, struct http_request *out,
		       struct error *e);

/* As protocol.h says. */
void responses_advise(const struct provider *provider, const char *model, struct failure *failure);

/* Append the value of "input". */
bool responses_input(const struct provider *provider, const char *model,
		     const struct model_request *request, struct buffer *out, struct error *e);

#endif
