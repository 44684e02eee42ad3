/*
 * anthropic: Anthropic's Messages API and the servers that speak it. Private to its files:
 *   anthropic.c           the decoder: events, and how an answer ends
 *   anthropic_blocks.c    content blocks into deltas, with what must go back of them
 *   anthropic_results.c   what the provider's own tools gave
 *   anthropic_request.c   the request: URL, headers and parameters
 *   anthropic_tools.c     the request's tools and which of them may be called
 *   anthropic_messages.c  the request's conversation
 *   anthropic_schema.c    the request for an answer that satisfies a schema
 *   anthropic_list.c      the list of models
 */
#ifndef MODEL_ANTHROPIC_H
#define MODEL_ANTHROPIC_H

#include "model/failure.h"
#include "model/parameters.h"
#include "model/protocol/joint.h"
#include "model/protocol/protocol.h"

/* ---- the decoder ---- */

enum block_type {
	BLOCK_NONE,
	BLOCK_TEXT,
	BLOCK_THINKING,
	BLOCK_CALL,          /* of a tool that runs here */
	BLOCK_PROVIDER_CALL, /* of a tool that runs at the provider */
	BLOCK_ANSWER,        /* of the tool whose arguments are the answer (anthropic_schema.c) */
	BLOCK_OTHER,         /* kept as it is */
};

/* A content block that has begun and not ended. */
struct anthropic_block {
	int64_t index; /* the provider's */
	enum block_type type;
	struct buffer json;      /* as it began, on one line */
	struct buffer signature; /* of thinking, raw JSON; empty: none */
	struct buffer citations; /* of text, raw JSON parted by commas */
	struct joint joint;
	int call;  /* of a call: its index in the answer */
	bool some; /* something was emitted of its text or arguments */
};

struct anthropic_decoder {
	struct decoder base;
	struct pieces pieces;
	struct buffer id, model, stop_reason, refusal, container;
	struct anthropic_block *blocks; /* the open ones */
	size_t block_count, block_capacity;
	struct buffer *provider_calls; /* ids by index; empty for those that run here */
	int call_count, calls_here;
	enum block_type growing; /* the text or thinking that would take the next of its kind in */
	int64_t input, output, cache_read, cache_write, thinking; /* tokens, -1: not said */
	bool answer_by_tool; /* the request may have offered that tool */
	bool started;        /* message_start was seen */
	bool some;           /* a block began */
	bool torn;           /* the last event was the beginning of one */
	bool done;           /* message_stop was seen */
	struct failure failure;
};

/* A block begins, with the object `block`, grows by `delta`, and ends. */
void anthropic_block_start(struct anthropic_decoder *d, int64_t index, struct span block);
void anthropic_block_delta(struct anthropic_decoder *d, int64_t index, struct span delta);
void anthropic_block_stop(struct anthropic_decoder *d, int64_t index);

/* End the blocks that are open, and forget all. */
void anthropic_blocks_end(struct anthropic_decoder *d);
void anthropic_blocks_free(struct anthropic_decoder *d);

/* Append what a result block says, as text or JSON without what only the provider can read; returns
 * whether it is an error. */
bool anthropic_result(struct span block, struct buffer *out);

/* ---- the request ---- */

/* As protocol.h says. */
bool anthropic_request(const struct provider *provider, const char *model, const char *base_url,
		       const struct model_request *request, struct http_request *out,
		       struct error *e);
bool anthropic_list_request(const struct provider *provider, const char *base_url,
			    struct http_request *out, struct error *e);
void anthropic_list_read(struct span json, struct buffer *out);

/* The URL of `path` ("/messages") below a base URL that may or may not end with "/v1", which the
 * caller frees; and the header that says which version of the API is spoken. */
char *anthropic_url(const char *base_url, const char *path);
void anthropic_version(const struct provider *provider, struct http_request *out);

/* What a request is made of while it is written. */
struct anthropic_writer {
	const struct provider *provider;
	const char *model;
	const struct model_request *request;
	struct buffer *out;
	struct error *e;
};

/* The tools of the user's option "tools", which stand beside those that run here: the provider's
 * own. Absent when there are none. */
struct span anthropic_provider_tools(const struct model_request *request);

/* Whether the model can be made to call a tool. */
bool anthropic_can_force(const struct anthropic_writer *w);

/* Append "tools" and "tool_choice"; with `cached`, the tools end with a mark for the prompt cache.
 */
void anthropic_write_tools(const struct anthropic_writer *w, bool cached);

/* Append the value of "messages". */
bool anthropic_write_messages(const struct anthropic_writer *w);

/* How a schema is asked for: by "output_config", by a tool that is called with the answer, or in
 * words. */
enum anthropic_schema { SCHEMA_NONE, SCHEMA_NATIVE, SCHEMA_TOOL, SCHEMA_WORDS };
enum anthropic_schema anthropic_schema_way(const struct provider *provider, const char *model,
					   const struct model_request *request);

/* Whether "output_config.format" can tell `schema`: its objects are closed and do not nest in
 * themselves. */
bool anthropic_schema_fits(struct span schema);

/* The name of that tool. */
#define ANTHROPIC_ANSWER_TOOL "give_answer"

/* Append `schema` as "output_config.format" takes it: closed objects, and what it does not take
 * told in the description. */
void anthropic_write_schema(struct span schema, struct buffer *out);

#endif
