/*
 * decoder: what the decoders of all protocols have in common.
 *
 * A decoder turns the events of one response into deltas (model.h). The base checks each event,
 * recognises the end and a response that broke off, reads token counts and reasons by the
 * protocol's tables, and assembles the outcome. A protocol adds what its chunks mean: its functions
 * in struct protocol (protocol.h), whose decoder is a struct with a struct decoder as its first
 * member.
 */
#ifndef MODEL_DECODER_H
#define MODEL_DECODER_H

#include "model/failure.h"
#include "model/model.h"
#include "model/protocol/finish_reason.h"
#include "model/protocol/pieces.h"

/* ---- tables of a protocol ---- */

enum token_count {
	TOKENS_INPUT,
	TOKENS_OUTPUT,
	TOKENS_CACHED,      /* input read from a cache */
	TOKENS_CACHE_WRITE, /* input written to a cache */
	TOKENS_REASONING,   /* of the output */
	TOKENS_TOOLS,       /* input that the provider's own tools produced */
	TOKENS_TOTAL,
	TOKENS_COST,  /* in USD */
	TOKENS_TICKS, /* the same in 1e-10 USD */
	TOKENS_COUNTS,
};

enum { TOKENS_MAX_ROWS = 16 }; /* of a table, with the row that ends it; its file asserts it */

/* The member `name` of a usage object, or the member `inner` of that member, is the count. If
 * several rows are for one count, the first that has a number applies. `apart`: the provider's
 * count of input or output does not include this one. */
struct usage_name {
	struct span name;  /* absent: the table ends */
	const char *inner; /* NULL: none */
	enum token_count count;
	bool apart;
};

/* ---- the base ---- */

struct decoder {
	const struct protocol *protocol;
	const struct provider *provider;
	const struct model_handler *handler;

	struct json_index index; /* of the event at hand */
	struct pieces pieces;
	struct buffer scratch;       /* for one value at a time */
	struct buffer id, model;     /* of the response */
	struct buffer finish;        /* the provider's reason for the end; empty: none */
	struct buffer refusal;       /* a refusal that is not part of the text */
	bool has_file;               /* the response contains an image or a file */
	double usage[TOKENS_COUNTS]; /* negative: unknown */
	enum model_delta_type part;  /* the last delta that began or ended a part */
	int call_count;              /* calls announced */
	struct buffer *call_ids;     /* of these calls, by index */
	int calls_here;              /* of these, calls that the provider does not run itself */
	bool cut_args; /* arguments stop in the middle: the length ended the response */
	bool torn;     /* the last event was the beginning of one */
	bool done;     /* nothing more is to come */
	struct failure failure;
};

/* A decoder for one response of `provider`, which emits deltas to `handler`; all are borrowed. */
struct decoder *decoder_new(const struct protocol *protocol, const struct provider *provider,
			    const struct model_handler *handler);

/* One event of the stream: the SSE event's name (absent for NDJSON; for AWS event streams the
 * header :event-type, or of an exception or error "!" and its :exception-type or :error-code) and
 * its data. Returns false if the response has failed: decoder_end reports why. */
bool decoder_event(struct decoder *decoder, struct span name, struct span data);

/* A whole response that came as one JSON document instead of a stream. Returns as decoder_event. */
bool decoder_document(struct decoder *decoder, struct span json);

/* No more bytes will come: emit what was held back and fill `outcome`, whose strings belong to the
 * decoder. */
void decoder_end(struct decoder *decoder, struct model_outcome *outcome);

void decoder_free(struct decoder *decoder);

/* ---- for protocols: reading ---- */

/* Known members of `object`, a value of the current event: values[i] becomes the member names[i]
 * (json_members). `types` has one letter for each name: 's' string, 'o' object, 'l' list, 't' text
 * (a string or a list of parts), 'a' arguments (an object or the text of one), 'b' boolean, 'n'
 * number, 'w' a word or its number, '.' anything. A member of another type is a failure that names
 * it, and absent, as null is; so nothing of a response is left out silently. Some servers write []
 * for {}: unless they are arguments, empty values are absent. decoder_get reads one member, of any
 * value; decoder_typed checks the member `name`. */
void decoder_members(struct decoder *decoder, struct span object, const struct span *names,
		     const char *types, struct span *values);
struct span decoder_get(struct decoder *decoder, struct span object, const char *name, char type);
struct span decoder_typed(struct decoder *decoder, const char *name, struct span value, char type);

/* As json_walk, for a value of the current event. decoder_next goes on to the next object in a
 * list; false after the last one, or after recording a failure for an element that is no object;
 * `name` is what it calls the element, "choices[]". */
struct json_walk decoder_walk(const struct decoder *decoder, struct span value);
bool decoder_next(struct decoder *decoder, struct json_walk *walk, const char *name);

/* The text of arguments that came whole, a member of the type 'a'; empty for an empty object, which
 * servers send before pieces. Valid until the next one. */
struct span decoder_args(struct decoder *decoder, struct span args);

/* Whether `value` is a string that is not empty. */
bool decoder_is_text(struct span value);

/* The row of decoder->finish; NULL if the reason is unknown. */
const struct finish_reason *decoder_reason(const struct decoder *decoder);

/* Store a string in `out`: unless `out` has one already; or unless the string is empty. */
void decoder_store_first(struct buffer *out, struct span string);
void decoder_store_last(struct buffer *out, struct span string);

/* Append a JSON string to the one that `json` holds (empty: none yet). Others are ignored. */
void decoder_join(struct buffer *json, struct span string);

/* Whether the member "error" of a chunk reports one: a string, object or array that is not empty,
 * or true. */
bool decoder_is_error(struct span error);

/* Take the counts of a usage object by the protocol's table. Counts are of the whole response so
 * far: later ones replace earlier ones, and counts that are missing stay. */
void decoder_usage(struct decoder *decoder, struct span usage);

/* Whether the text `args` is JSON, the beginning of JSON, or neither. */
enum args_state { ARGS_COMPLETE, ARGS_CUT, ARGS_INVALID };
enum args_state decoder_args_state(struct span args);

/* Whether `args` has nothing but white space. */
bool decoder_is_blank(struct span args);

/* ---- for protocols: deltas ---- */

void decoder_emit(struct decoder *decoder, struct model_delta delta);

/* A piece of text, or (MODEL_TOOL_ARGS) of the arguments of call `index`. An empty one is not
 * emitted. */
void decoder_emit_text(struct decoder *decoder, enum model_delta_type type, struct span text);
void decoder_emit_args(struct decoder *decoder, int index, struct span text);

/* A call begins: count it and emit MODEL_TOOL_CALL, with the id, name and flags of `call`. Returns
 * its index; -1 after recording a failure if the name is empty. */
int decoder_call(struct decoder *decoder, struct model_delta call);

/* The same with an id and a name that are JSON strings. */
int decoder_read_call(struct decoder *decoder, struct span id, struct span name, bool by_provider);

/* The last call with this id, a JSON string; -1: there is none. */
int decoder_find_call(const struct decoder *decoder, struct span id);

/* What the provider's own call `index` returned. */
void decoder_emit_result(struct decoder *decoder, int index, struct span text, bool is_error);

/* The next piece of text or thinking (`type`) begins a part of its own. */
void decoder_split(struct decoder *decoder, enum model_delta_type type);

/* JSON to be sent back to the provider (MODEL_PART_DATA, MODEL_OPAQUE, MODEL_MESSAGE_DATA), made
 * valid UTF-8 and put on one line. `index` is the call's, or -1. decoder_emit_member emits
 * {"NAME":json}. */
void decoder_emit_data(struct decoder *decoder, enum model_delta_type type, int index,
		       struct span json);
void decoder_emit_member(struct decoder *decoder, enum model_delta_type type, int index,
			 const char *name, struct span json);

/* ---- for protocols: failures; all return false, and the first failure counts ---- */

/* "PROVIDER sentence" of kind ERROR_INVALID_RESPONSE. */
bool decoder_fail(struct decoder *decoder, const char *sentence);

/* What `body` reports (failure_read). */
bool decoder_fail_with(struct decoder *decoder, struct span body);

/* The document is no response of this protocol. */
bool decoder_fail_document(struct decoder *decoder, struct span json);

#endif
