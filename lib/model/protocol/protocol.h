/*
 * protocol: what an adapter of one wire protocol implements; lib/model/http_model.c drives it.
 *
 * To add a protocol: write one file that defines a struct protocol, declare it at the end of this
 * header and add it to the table in registry.c. Nothing else in the project changes.
 */
#ifndef MODEL_PROTOCOL_H
#define MODEL_PROTOCOL_H

#include "model/model.h"
#include "model/registry.h"

struct failure;

enum framing { FRAMING_SSE, FRAMING_NDJSON, FRAMING_AWS };

/* A decoder turns the events of one answer into deltas. It is embedded as the first member of the
 * protocol's own struct. */
struct decoder {
	const struct protocol *protocol;
	const struct model_handler *handler;
	const struct provider *provider;
};

struct protocol {
	const char *name;
	enum framing framing;

	/* Fill URL, headers (without the key: http_model.c adds it) and body. */
	bool (*request)(const struct provider *provider, const char *model, const char *base_url,
			const struct model_request *request, struct http_request *out,
			struct error *e);

	/* Whether the answer to `request`, which has a schema, is asked for by a tool
	 * (model/answer_tool.h); `request` is given without the schema then, else it tells the
	 * schema in its own way. NULL: never. */
	bool (*answers_by_tool)(const struct provider *provider, const char *model,
				const struct model_request *request);

	struct decoder *(*decoder_new)(const struct model_request *request);

	/* One event of the stream: the SSE event's name (absent for NDJSON; for AWS event streams
	 * the header :event-type, or of an exception or error "!" and its :exception-type or
	 * :error-code) and its data. Returns false when the answer has failed: the decoder has
	 * recorded the error for `end`. */
	bool (*event)(struct decoder *decoder, struct span name, struct span data);

	/* A whole answer that came as one JSON document instead of a stream. */
	bool (*document)(struct decoder *decoder, struct span json);

	/* The bytes have ended (`cut`: they broke off). Emit what was held back and fill `outcome`;
	 * the strings in it belong to the decoder. */
	void (*end)(struct decoder *decoder, bool cut, struct model_outcome *outcome);

	void (*decoder_free)(struct decoder *decoder);

	/* The request for the provider's list of models (GET; without the key), and the answer to
	 * it: for each model "ID\tCONTEXT WINDOW\tNAME\n" is appended, the last two empty where
	 * the provider does not say them. NULL: the provider has no such list. */
	bool (*list_request)(const struct provider *provider, const char *base_url,
			     struct http_request *out, struct error *e);
	void (*list_read)(struct span json, struct buffer *out);

	/* Add to the message of `failure`, of an HTTP status that is not 2xx, what can be done
	 * about it, where this protocol's users can know more. May be NULL. */
	void (*advise)(const struct provider *provider, const char *model, struct failure *failure);
};

extern const struct protocol protocol_bedrock;
extern const struct protocol protocol_gemini;
extern const struct protocol protocol_ollama;
extern const struct protocol protocol_openai_chat;
extern const struct protocol protocol_openai_responses;
extern const struct protocol protocol_anthropic;

#endif
