/*
 * gemini: Google's generateContent, of the Gemini API and of Vertex AI. Private to its files:
 *   gemini.c           the decoder: chunks, and how an answer ends
 *   gemini_parts.c     parts into deltas, with what must go back of them
 *   gemini_args.c      arguments that come in pieces
 *   gemini_grounding.c what the provider searched for and read, told as calls of its own
 *   gemini_request.c   the request: URL and parameters
 *   gemini_tools.c     the request's tools, and how a schema of the answer is asked for
 *   gemini_schema.c    a schema in the API's dialect
 *   gemini_messages.c  the request's conversation
 *   gemini_list.c      the list of models
 */
#ifndef MODEL_GEMINI_H
#define MODEL_GEMINI_H

#include "model/failure.h"
#include "model/parameters.h"
#include "model/protocol/joint.h"
#include "model/protocol/protocol.h"

/* ---- the decoder ---- */

/* Arguments as they grow. Zeroed: none yet. */
struct gemini_args {
	struct buffer json; /* what is complete of them */
	struct buffer path; /* of the string that grows */
	struct buffer text; /* its inside, as raw JSON */
	bool growing;
};

/* Take in the arguments as a whole, and the list "partialArgs": values for JSON paths. */
void gemini_args_add(struct gemini_args *args, struct span whole);
void gemini_args_patch(struct gemini_args *args, struct span patches);

/* No more will come: `json` is complete, {} when nothing came. */
void gemini_args_end(struct gemini_args *args);
void gemini_args_free(struct gemini_args *args);

enum gemini_runner { RUN_HERE, RUN_AS_CODE, RUN_AS_TOOL };

struct gemini_call {
	struct buffer id; /* the provider's; empty: none */
	enum gemini_runner runner;
	bool over; /* the provider has told what it gave */
};

enum gemini_text { TEXT_NONE, TEXT_ANSWER, TEXT_THOUGHT };

struct gemini_decoder {
	struct decoder base;
	struct pieces pieces;
	struct buffer id, model, finish, finish_message;
	struct buffer block, block_message;   /* why the prompt was refused */
	struct buffer grounding, url_context; /* JSON objects; empty: none */
	struct joint joints[3];               /* by enum gemini_text */
	enum gemini_text growing;             /* the text that would take the next of its kind in */
	bool grown;                           /* something of it was said */
	struct gemini_call *calls;
	int call_count, calls_here;
	int open; /* the call whose arguments still come; -1: none */
	struct gemini_args args;
	int64_t prompt, candidates, thoughts, cached, tool_use; /* tokens, -1: not said */
	bool some;                                              /* something was answered */
	bool torn; /* the last event was the beginning of one */
	bool done; /* nothing more is to come */
	struct failure failure;
};

void gemini_say(struct gemini_decoder *d, struct model_delta delta);

/* A part of the answer; false after recording a failure. */
bool gemini_part(struct gemini_decoder *d, struct span part);

/* Nothing more of text or arguments will come. `complete`: not because the answer was cut. */
void gemini_parts_end(struct gemini_decoder *d, bool complete);
void gemini_parts_free(struct gemini_decoder *d);

/* A call begins; returns its index. */
int gemini_start_call(struct gemini_decoder *d, struct span id, struct span name,
		      enum gemini_runner runner);

/* The provider runs its call `index`, whose arguments are `args`; and what it gave. */
void gemini_run_call(struct gemini_decoder *d, int index, struct span args);
void gemini_end_call(struct gemini_decoder *d, int index, struct span result, bool is_error);

/* Keep what a candidate says about its sources, and tell it in the end. */
void gemini_grounding_read(struct gemini_decoder *d, struct span candidate);
void gemini_grounding_end(struct gemini_decoder *d);

/* ---- the request ---- */

/* As protocol.h says. */
bool gemini_request(const struct provider *provider, const char *model, const char *base_url,
		    const struct model_request *request, struct http_request *out, struct error *e);
bool gemini_list_request(const struct provider *provider, const char *base_url,
			 struct http_request *out, struct error *e);
void gemini_list_read(struct span json, struct buffer *out);

/* What a request is made of while it is written. */
struct gemini_writer {
	const struct provider *provider;
	const char *model;
	const struct model_request *request;
	struct buffer *out;
	struct error *e;
};

/* Append the URL below which the paths of the API begin, without a slash at its end: `base_url`;
 * one that is only a host gets the path that the provider's entry has. */
void gemini_base_url(const struct provider *provider, const char *base_url, struct buffer *out);

/* Which generation the model is of: 1, 2 or 3 (and later), by the quirk "generation". From 3 on
 * calls carry signatures, and tools go together with a schema of the answer. */
int gemini_generation(const struct provider *provider, const char *model);

/* Whether the schema of the answer is asked for by the API; else by the instructions. */
bool gemini_schema_is_native(const struct gemini_writer *w);
bool gemini_answers_by_tool(const struct provider *provider, const char *model,
			    const struct model_request *request);

/* Append the members "tools" and "toolConfig". */
void gemini_write_tools(const struct gemini_writer *w);

/* Append the members of "generationConfig" that ask for an answer that satisfies the schema. */
void gemini_write_schema(const struct gemini_writer *w);

/* Append `schema` as "responseJsonSchema" takes it: what it does not take is rewritten, or told in
 * the description. */
void gemini_lower_schema(struct span schema, struct buffer *out);

/* Append the value of "contents". */
bool gemini_write_contents(const struct gemini_writer *w);

#endif
