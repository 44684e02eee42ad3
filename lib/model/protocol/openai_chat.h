/*
 * openai_chat: OpenAI's Chat Completions and everything that speaks it. Private to its files:
 *   openai_chat_decode.c   the decoder: chunks into deltas
 *   openai_chat_calls.c    tool calls put together from their pieces; reasoning_details
 *   openai_chat_request.c  the request
 */
#ifndef MODEL_OPENAI_CHAT_H
#define MODEL_OPENAI_CHAT_H

#include "model/protocol/openai.h"
#include "model/protocol/think.h"

/* One tool call of the response. */
struct chat_call {
	struct buffer id; /* as the provider names it; empty: not at all */
	struct buffer name, args;
	struct buffer all,
	    more;            /* held pieces: the last, if it has all arguments; else all of them */
	struct buffer extra; /* the member extra_content, if it comes before the name */
	int64_t index;       /* the provider's; -1: none */
	int number;          /* of a call that has begun; -1: its name is not known */
	struct partial_char partial;
};

/* reasoning_details as they will be sent back: the pieces of a text put together. */
struct chat_details {
	struct buffer entries;   /* the finished ones, without brackets */
	struct buffer open;      /* the other members of the one that grows; empty: none does */
	struct buffer text;      /* its text as raw JSON, without quotes */
	struct buffer signature; /* raw JSON; empty: none */
	const char *text_key;    /* "text" or "summary" */
};

struct chat_decoder {
	struct decoder base;
	struct partial_char partial_refusal;
	struct think think;
	struct chat_call *calls;
	size_t call_count;
	struct chat_details details;
};

/* The member tool_calls of a delta; without calls there, its member function_call, which older
 * servers send: one call without an id. */
void chat_calls_read(struct chat_decoder *d, struct span tool_calls, struct span function_call);

/* The response is complete: empty arguments become "{}". Arguments without a name are a failure. */
void chat_calls_end(struct chat_decoder *d);
void chat_calls_free(struct chat_decoder *d);

/* The member reasoning_details of a delta; if `emits`, its text is emitted as thinking. */
void chat_details_read(struct chat_decoder *d, struct span details, bool emits);
void chat_details_end(struct chat_decoder *d);
void chat_details_free(struct chat_decoder *d);

/* See protocol.h. */
bool chat_request(struct transcript *t, struct http_request *out);

#endif
