/*
 * blocks: what the decoders of responses that consist of content blocks have in common (Anthropic,
 * Bedrock): a block begins, grows and ends, and becomes a part of the message.
 */
#ifndef MODEL_BLOCKS_H
#define MODEL_BLOCKS_H

#include "model/protocol/decoder.h"

enum block_type {
	BLOCK_TEXT,
	BLOCK_THINKING,
	BLOCK_CALL,          /* of a tool that runs here */
	BLOCK_PROVIDER_CALL, /* of a tool that runs at the provider */
	BLOCK_OTHER,         /* goes back as it came */
};

/* A block that has begun and not ended. */
struct block {
	int64_t index; /* the provider's */
	enum block_type type;
	struct buffer json;      /* as it began, on one line */
	struct buffer signature; /* of thinking: a JSON string; empty: none */
	struct buffer items;     /* citations of a text, results: JSON separated by commas */
	struct partial_char partial;
	int call;  /* of a call: its index in the response */
	bool some; /* some of its text or arguments was emitted */
};

struct block_decoder {
	struct decoder base;
	struct block *blocks;
	size_t block_count;
};

/* The open block `index`; if the event or the last block has no index (-1), the last block. NULL:
 * there is none. */
struct block *blocks_find(struct block_decoder *d, int64_t index);

/* A block begins with the JSON object `json`. Pointers to blocks are valid until a block begins or
 * is removed. */
struct block *blocks_begin(struct block_decoder *d, int64_t index, enum block_type type,
			   struct span json);

/* The block is the call `id` of the tool `name`, both JSON strings. Returns false after recording a
 * failure. */
bool block_call(struct block_decoder *d, struct block *block, struct span id, struct span name);

/* A piece of its text or arguments, a JSON string (anything else is ignored); and arguments, of the
 * type 'a' (decoder_members). */
void block_grow(struct block_decoder *d, struct block *block, struct span string);
void block_args(struct block_decoder *d, struct block *block, struct span args);

/* Add one citation or result, or all those of a list. */
void block_add_item(struct block *block, struct span json);
void block_add_items(struct block *block, struct span list);

/* No more of the block will come: emit what was held back, and what its end shows. */
void block_end(struct block_decoder *d, struct block *block);

/* Remove a block. */
void blocks_remove(struct block_decoder *d, struct block *block);
void blocks_free(struct block_decoder *d);

#endif
