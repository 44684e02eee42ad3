/*
 * openai_responses: OpenAI's Responses and everything that speaks it. Private to its files:
 *   openai_responses_decode.c   the decoder: events and the items they are about
 *   openai_responses_items.c    items into deltas, with what must go back of them
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
	ITEM_OUTPUT, /* what such a call gave: shell_call_output, ... */
	ITEM_OPAQUE, /* compaction, and what is not known: only to be sent back */
};

/* One item of the answer. */
struct responses_item {
	enum responses_kind kind;
	struct buffer type; /* as the provider names it */
	struct buffer id;   /* of the item, as it was called first */
	int64_t index;      /* output_index; -1: none */
	int number;         /* the call's, in order of announcement; -1: none */
	struct buffer text; /* what was received of its text or arguments */
	size_t emitted;     /* how much of it was emitted */
	uint64_t part;      /* which part of a reasoning the text belongs to */
	struct joint joint;
	bool refused;   /* it said a refusal */
	bool other_id;  /* its events disagree about its id */
	bool running;   /* MODEL_TOOL_RUNNING was emitted */
	bool over;      /* MODEL_TOOL_RESULT was emitted; all of a message was */
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
	struct responses_item **items; /* in order of output_index; those without one come last */
	size_t item_count;
	const struct responses_item *last; /* whose text was emitted last; NULL: no one's */
};

/* An event: its JSON, and the members that most events have; absent where it has none. */
struct responses_event {
	struct span json, type; /* type: as text */
	struct span delta, item_id, item, response, error;
	int64_t output_index;                 /* -1: none */
	int64_t summary_index, content_index; /* 0: none */
};

/* ---- finding items ---- */

enum responses_kind responses_kind_of(struct span type);

/* The item of `kind` to which an event belongs: by its output_index, else by its item_id, else the
 * last one that is not done. NULL: there is none. */
struct responses_item *responses_find(struct responses_decoder *d, enum responses_kind kind,
				      const struct responses_event *event);

/* The same; a new one of `type` if there is none. */
struct responses_item *responses_need(struct responses_decoder *d, const char *type,
				      const struct responses_event *event);

/* Append the members of `item` but null ones and those named. */
void responses_members(struct span item, const char *const *without, struct buffer *out);

/* ---- items into deltas ---- */

/* A piece of a message's text, and all of it from servers that send no pieces; a piece of a
 * refusal; a piece of reasoning. */
void responses_text_delta(struct responses_decoder *d, const struct responses_event *event);
void responses_text_done(struct responses_decoder *d, const struct responses_event *event);
void responses_refusal_delta(struct responses_decoder *d, const struct responses_event *event);
void responses_reasoning_delta(struct responses_decoder *d, const struct responses_event *event);

/* Announce a call under the item's name and call_id; emit a piece of its arguments, and all of them
 * (a string). */
void responses_announce(struct responses_decoder *d, struct responses_item *item);
void responses_args(struct responses_decoder *d, struct responses_item *item, struct span delta);
void responses_args_done(struct responses_decoder *d, struct responses_item *item,
			 struct span args);

/* A call that the provider runs begins; an event about one
 * ("response.mcp_call_arguments.delta"). */
void responses_hosted_begin(struct responses_decoder *d, struct responses_item *item);
void responses_hosted_event(struct responses_decoder *d, const struct responses_event *event);

/* The item is complete: `value` is all of it. */
void responses_message_done(struct responses_decoder *d, struct responses_item *item,
			    struct span value);
void responses_reasoning_done(struct responses_decoder *d, struct responses_item *item,
			      struct span value);
void responses_call_done(struct responses_decoder *d, struct responses_item *item,
			 struct span value);
void responses_hosted_done(struct responses_decoder *d, struct responses_item *item,
			   struct span value);
void responses_output_done(struct responses_decoder *d, struct responses_item *item,
			   struct span value);
void responses_opaque_done(struct responses_decoder *d, struct responses_item *item,
			   struct span value);

/* The reasoning `item`, whose part is over, is `value`. */
void responses_reasoning_late(struct responses_item *item, struct span value);

/* Emit the text of messages in their order: the text of one waits until those before it are done,
 * or until the response has ended. */
void responses_pass_on(struct responses_decoder *d, bool ended);

/* The response has ended: emit what was held back. */
void responses_items_flush(struct responses_decoder *d);

/* It is complete: end its calls. */
void responses_items_end(struct responses_decoder *d);

/* ---- the request ---- */

bool responses_request(const struct provider *provider, const char *model, const char *base_url,
		       const struct model_request *request, struct http_request *out,
		       struct error *e);

/* As protocol.h says. */
void responses_advise(const struct provider *provider, const char *model, struct failure *failure);

#endif
