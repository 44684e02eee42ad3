/*
 * protocol: what an adapter of one wire protocol implements; lib/model/http_model.c drives it.
 *
 * To add a protocol: write NAME.c (a large protocol: NAME_request.c, and NAME_decode.c with the
 * row), and add the row to the end of this header and to the table in protocol.c. Nothing else in
 * lib/ knows its name.
 */
#ifndef MODEL_PROTOCOL_H
#define MODEL_PROTOCOL_H

#include "model/model.h"
#include "model/protocol/decoder.h"
#include "model/protocol/transcript.h"

enum framing { FRAMING_SSE, FRAMING_NDJSON, FRAMING_AWS };

/* Where the list of models is, and what it consists of. NULL ends each array of names; of several
 * members the first that is there applies. */
struct model_list_form {
	const char *path;       /* below the base URL */
	const char *without[4]; /* what is removed from the end of the base URL before */
	const char *host[2];    /* what is replaced in the base URL, and by what */
	const char *lists[3];   /* the member with the list; the document itself may be the list */
	const char *ids[3];     /* members of a model: its id, */
	const char *names[3];   /* its name, */
	const char *windows[5]; /* the tokens of its context window */
	bool id_is_path;        /* the id is what follows the last slash */

	/* Append the base URL to use in place of the provider's. May be NULL. */
	void (*base)(const struct provider *provider, struct buffer *out);
	/* Add the protocol's own headers. May be NULL. */
	void (*headers)(const struct provider *provider, struct http_request *out);
	/* Whether `model` can answer a request. NULL: all can. */
	bool (*answers)(struct span model);
};

struct protocol {
	const char *name;
	enum framing framing;

	/* ---- the request ---- */

	/* Write the request: `t` is as protocol_request prepares it, and `out` has the headers that
	 * all protocols send. Fill the URL, more headers, and the body, which is t->out. A protocol
	 * with a larger transcript copies `t` into it. */
	bool (*request)(struct transcript *t, struct http_request *out);

	/* Whether the answer to the request, which has a schema, is asked for by a tool
	 * (model/answer_tool.h); then the request that is written has none. Else it has the schema
	 * in the protocol's own way. NULL: never. */
	bool (*answers_by_tool)(const struct transcript *t);
	/* Such a request requires some call, if a call can be forced. Else it forces the call of
	 * this tool if it is the only one, and asks for the call in the instructions otherwise. */
	bool answers_by_any_call;
	/* Whether the model can be forced to call a tool. NULL: unless it reasons or the quirk
	 * "force" is false. */
	bool (*can_force)(const struct transcript *t);

	/* ---- the response: the functions that decoder.c calls ---- */

	size_t decoder_size;                 /* of the struct that begins with a struct decoder */
	const struct finish_reason *reasons; /* of its own; NULL: none */
	const struct usage_name *usage;      /* a row without a name ends each table */
	bool stops_after_calls; /* the reason of a response with calls is that of others */
	bool done_ends;         /* [DONE] ends the response; else it is ignored */
	/* "not a message": the end of "PROVIDER answered with something that is ..." */
	const char *not_response;

	/* Prepare the decoder, which is zeroed but for its base. May be NULL. */
	void (*begin)(struct decoder *decoder);

	/* An event whose data is the JSON value `json`. Returns false if the response has failed.
	 */
	bool (*chunk)(struct decoder *decoder, struct span name, struct span json);

	/* A whole response in one JSON value. NULL: as a chunk. */
	bool (*document)(struct decoder *decoder, struct span json);

	/* An exception in an AWS event stream; `data` may be anything. Returns false. NULL: the
	 * framing has none. */
	bool (*exception)(struct decoder *decoder, struct span name, struct span data);

	/* The bytes have ended, whether the response is complete or not: emit text that was held
	 * back, and record what the provider ended the response for, if it is an error. May be
	 * NULL. */
	void (*flush)(struct decoder *decoder);

	/* The response is complete: emit what only its end shows. It may still fail. May be NULL.
	 */
	void (*complete)(struct decoder *decoder);

	/* Free what the protocol added to the base. May be NULL. */
	void (*clear)(struct decoder *decoder);

	/* Add advice to the message of `failure`, of an HTTP status that is not 2xx. May be NULL.
	 */
	void (*advise)(const struct provider *provider, const char *model, struct failure *failure);

	struct model_list_form list;
};

/* The protocol of the name `name` (absent: openai-chat, which most servers speak); NULL if there is
 * none. */
const struct protocol *protocol_find(struct span name);

/* Append the names of all protocols. */
void protocol_names(struct buffer *out);

/* Write `request` to `model` in the provider's protocol: URL, headers (without the key) and body.
 * Returns false with `e` for what cannot be sent. */
bool protocol_request(const struct provider *provider, const char *model,
		      const struct model_request *request, struct http_request *out,
		      struct error *e);

/* The URL `path` of a server, by the paths that the list of models goes without; the caller frees
 * it. */
char *protocol_url(const struct provider *provider, const char *path);

/* The request for the provider's list of models (GET; without the key). Returns false with `e` if
 * the provider has no such list. */
bool protocol_list_request(const struct provider *provider, struct http_request *out,
			   struct error *e);

/* Append a line for each model of the list `json`: "ID\tCONTEXT WINDOW\tNAME\n", the last two empty
 * where the provider does not give them. */
void protocol_list_read(const struct protocol *protocol, struct span json, struct buffer *out);

extern const struct protocol protocol_bedrock;
extern const struct protocol protocol_gemini;
extern const struct protocol protocol_ollama;
extern const struct protocol protocol_openai_chat;
extern const struct protocol protocol_openai_responses;
extern const struct protocol protocol_anthropic;

#endif
