/*
 * openai_responses: OpenAI's Responses and everything that speaks it. Private to its files:
 *   openai_responses_decode.c   the decoder: events, and the items they are about
 *   openai_responses_items.c    items into deltas, with what must go back of them
 *   openai_responses_hosted.c   the same for calls that the provider runs
 *   openai_responses_request.c  the request
 */
#ifndef MODEL_OPENAI_RESPONSES_H
#define MODEL_OPENAI_RESPONSES_H

#include "model/protocol/protocol.h"

enum responses_kind {
	ITEM_MESSAGE,
	ITEM_REASONING,
	ITEM_CALL,   /* function_call, custom_tool_call: to be run here */
	ITEM_HOSTED, /* run by the provider: web_search_call, mcp_call, program, ... */
	ITEM_OUTPUT, /* the result of such a call: shell_call_output, ... */
	ITEM_OPAQUE, /* compaction, and unknown types: only to be sent back */
};

/* One item of the response. */
struct responses_item {
	enum responses_kind kind;
	struct buffer type; /* as the provider names it */
	struct buffer id;   /* the first that was sent */
	int64_t index;      /* output_index; -1: none */
	int number;         /* of a call that has begun; -1: none */
	struct buffer text; /* what was received of its text or arguments */
	size_t emitted;     /* how much of it was emitted */
	uint64_t part;      /* which part of a reasoning the text belongs to */
	struct partial_char partial;
	bool refused;   /* it contains a refusal */
	bool lost;      /* a piece could not be read: only the whole can complete the text */
	bool other_id;  /* its events disagree about its id */
	bool running;   /* MODEL_TOOL_RUNNING was emitted */
	bool finished;  /* MODEL_TOOL_RESULT was emitted; all of a message was */
	bool has_data;  /* of reasoning: the data of its part was emitted */
	bool encrypted; /* and contains the encrypted content */
	bool added;     /* output_item.added was seen */
	bool done;      /* output_item.done was seen */
	bool listed;    /* it was found in the output of the response */
	struct buffer call_id, name;
	/* Of a hosted call the items to send back, without brackets; of a message its phase; of
	 * reasoning the item, if it came after the data of its part. */
	struct buffer data;
};

struct responses_decoder {
	struct decoder base;
	struct responses_item **items; /* in order of output_index; those without one come last */
	size_t item_count;
	const struct responses_item *last; /* whose text was emitted last; NULL: no item's */
};

/* Whether the item is of the type `type`. */
bool responses_is(const struct responses_item *item, const char *type);

/* Append the members of `item` but null ones and those named. */
void responses_members(struct span item, const char *const *without, struct buffer *out);

/* ---- items into deltas ---- */

/* A call begins, if its name is known. */
void responses_begin(struct responses_decoder *d, struct responses_item *item);

/* A piece of the item's text or arguments; the whole, a string or (of arguments) an object, which
 * completes what was received if it continues it. */
void responses_piece(struct responses_decoder *d, struct responses_item *item, struct span value);
void responses_whole(struct responses_decoder *d, struct responses_item *item, struct span value);

/* A piece of a message's refusal, and of the part `part` of a reasoning. */
void responses_refusal(struct responses_decoder *d, struct responses_item *item, struct span value);
void responses_reasoning(struct responses_decoder *d, struct responses_item *item, uint64_t part,
			 struct span value);

/* The item is complete: `value` is all of it. Nothing if it was complete before. */
void responses_done(struct responses_decoder *d, struct responses_item *item, struct span value);

/* Keep the reasoning item `value`, which came after the data of its part, for the message's data.
 */
void responses_keep_reasoning(struct responses_item *item, struct span value);

/* The response has ended: emit what was held back. */
void responses_flush(struct decoder *base);

/* It is complete: end its calls. */
void responses_complete(struct decoder *base);

/* ---- calls that the provider runs ---- */

/* The provider runs the call: its arguments are complete. */
void responses_run(struct responses_decoder *d, struct responses_item *item);

/* The call is complete, or the item that is the result of one: `value` is all of it. */
void responses_hosted_done(struct responses_decoder *d, struct responses_item *item,
			   struct span value);
void responses_output_done(struct responses_decoder *d, struct responses_item *item,
			   struct span value);

/* The response is complete: emit what goes back of the call, and a result if the provider leaves it
 * to its client. */
void responses_hosted_complete(struct responses_decoder *d, struct responses_item *item);

/* ---- the request ---- */

/* See protocol.h. */
bool responses_request(struct transcript *t, struct http_request *out);

/* See protocol.h. */
void responses_advise(const struct provider *provider, const char *model, struct failure *failure);

#endif
