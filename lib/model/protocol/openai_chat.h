/*
 * openai_chat: OpenAI's Chat Completions and everything that speaks it. Private to its files:
 *   openai_chat.c          the decoder: chunks into deltas, and how an answer ends
 *   openai_chat_calls.c    tool calls put together from their pieces
 *   openai_chat_usage.c    token counts and costs, wherever they stand
 *   openai_chat_details.c  OpenRouter's reasoning_details, kept to be sent back
 *   openai_chat_request.c  the request: URL and parameters
 *   openai_chat_messages.c the request's messages
 *   openai_chat_list.c     the list of models
 *   openai_chat_schema.c   the request for an answer that satisfies a schema
 */
#ifndef MODEL_OPENAI_CHAT_H
#define MODEL_OPENAI_CHAT_H

#include "model/failure.h"
#include "model/protocol/joint.h"
#include "model/protocol/protocol.h"
#include "model/protocol/think.h"

/* One tool call of the answer. */
struct chat_call {
	struct buffer wire_id; /* as the provider names it; empty: it does not */
	struct buffer id;      /* as we announced it; empty: not yet announced */
	struct buffer name, args;
	struct buffer extra; /* provider_data that waits for the announcement */
	int64_t index;       /* the provider's; -1: none */
	int number;          /* ours, in order of announcement */
	struct joint joint;
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
	struct buffer id, model, finish, usage, refusal;
	struct pieces pieces;
	struct joint text_joint, thinking_joint, refusal_joint;
	struct think think;
	struct chat_call *calls;
	size_t call_count, call_cap;
	int announced; /* how many of them are */
	struct chat_details details;
	bool torn; /* the last event was the beginning of one */
	bool done; /* [DONE] was seen */
	bool some; /* something was answered */
	struct failure failure;
};

/* The member tool_calls of a delta. */
void chat_calls_read(struct chat_decoder *d, struct span tool_calls);

/* Give empty arguments their "{}". Returns false after recording a failure: a call without a name.
 */
bool chat_calls_end(struct chat_decoder *d);

enum chat_args { CHAT_ARGS_NONE, CHAT_ARGS_COMPLETE, CHAT_ARGS_CUT, CHAT_ARGS_INVALID };

/* The state of the arguments of all calls: the worst one. */
enum chat_args chat_calls_args(struct chat_decoder *d);

void chat_calls_free(struct chat_decoder *d);

/* The member reasoning_details of a delta; when `say`, its text is emitted as thinking. */
void chat_details_read(struct chat_decoder *d, struct span details, bool say);
void chat_details_end(struct chat_decoder *d);
void chat_details_free(struct chat_decoder *d);

/* Emit the string `value` as thinking; returns whether it was one that is not empty. */
bool chat_thinking(struct chat_decoder *d, struct span value);

/* The token counts of a usage object (absent: none). */
struct model_usage chat_usage(struct span usage);

/* What a usage object says was billed, in USD; negative: nothing. */
double chat_billed(struct span usage);

/* `base_url` with the model put in for {model} and `path` behind it, unless it ends so; the caller
 * frees it. */
char *chat_url(const char *base_url, const char *model, const char *path);

bool chat_request(const struct provider *provider, const char *model, const char *base_url,
		  const struct model_request *request, struct http_request *out, struct error *e);

/* Append the value of "messages". */
bool chat_messages(const struct provider *provider, const char *model,
		   const struct model_request *request, struct buffer *out, struct error *e);

/* How the provider takes a schema for its answer (quirk "schema"): "json_schema" where it says
 * nothing; "json_object", which promises JSON but not its form; false: not at all. Of the latter
 * two the model is told in its instructions. */
bool chat_schema_is_native(const struct provider *provider, const struct model_request *request);
/* struct protocol.answers_by_tool, of the Responses API too: where it is not, and the quirk is not
 * "words". */
bool chat_answers_by_tool(const struct provider *provider, const char *model,
			  const struct model_request *request);

/* As protocol.h says. */
bool chat_list_request(const struct provider *provider, const char *base_url,
		       struct http_request *out, struct error *e);
void chat_list_read(struct span json, struct buffer *out);

/* Append "response_format" where one is wanted and the provider has it. */
void chat_schema_write(const struct provider *provider, const struct model_request *request,
		       struct buffer *out);

#endif
