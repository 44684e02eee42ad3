/*
 * gemini: Google's generateContent, of the Gemini API and of Vertex AI. Private to its files:
 *   gemini_decode.c    the decoder: chunks, the end, and sources as calls by the provider
 *   gemini_parts.c     parts into deltas, with what must go back; arguments in pieces
 *   gemini_request.c   the request
 */
#ifndef MODEL_GEMINI_H
#define MODEL_GEMINI_H

#include "model/parameters.h"
#include "model/protocol/protocol.h"

/* ---- the decoder ---- */

/* Arguments as they grow. Zeroed: none yet. */
struct gemini_args {
	struct buffer json;   /* what is complete of them */
	struct buffer string; /* a string that grows; empty: none */
	struct buffer steps;  /* where it belongs */
};

enum gemini_runner { RUN_HERE, RUN_AS_CODE, RUN_AS_TOOL };

struct gemini_call {
	enum gemini_runner runner;
	bool over; /* its result was received */
};

struct gemini_decoder {
	struct decoder base;
	struct buffer finish_message;
	struct buffer block, block_message;   /* why the prompt was refused */
	struct buffer grounding, url_context; /* JSON objects; empty: none */
	enum model_delta_type growing;        /* text or thinking, which `partial` is of */
	struct partial_char partial;
	struct gemini_call *calls; /* by index */
	int open;                  /* the call whose arguments still come; -1: none */
	struct gemini_args args;
};

/* A part of the response. */
void gemini_part(struct gemini_decoder *d, struct span part);

/* No more text or arguments will come. `complete`: not because the response was cut. */
void gemini_parts_end(struct gemini_decoder *d, bool complete);
void gemini_parts_free(struct gemini_decoder *d);

/* A call begins; `id` is a JSON string or absent, `name` text that is not empty. Returns its index.
 */
int gemini_start_call(struct gemini_decoder *d, struct span id, struct span name,
		      enum gemini_runner runner);

/* The provider runs its call `index`, whose arguments are `args`. */
void gemini_run_call(struct gemini_decoder *d, int index, struct span args);

/* ---- the request ---- */

/* See protocol.h. */
bool gemini_request(struct transcript *t, struct http_request *out);
bool gemini_answers_by_tool(const struct transcript *t);

/* Append the URL below which the paths of the API begin: the base URL; one that is only a host gets
 * the path that the provider's entry has. */
void gemini_base_url(const struct provider *provider, struct buffer *out);

#endif
