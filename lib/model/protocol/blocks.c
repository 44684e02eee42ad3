#include "model/protocol/blocks.h"

#include <stdlib.h>

struct block *blocks_find(struct block_decoder *d, int64_t index)
{
	struct block *last = d->block_count > 0 ? &d->blocks[d->block_count - 1] : NULL;

	for (size_t i = 0; i < d->block_count; i++)
		if (d->blocks[i].index == index)
			return &d->blocks[i];
	return last != NULL && (index < 0 || last->index < 0) ? last : NULL;
}

struct block *blocks_begin(struct block_decoder *d, int64_t index, enum block_type type,
			   struct span json)
{
	struct block *block;

	d->blocks = array_grow(d->blocks, d->block_count, sizeof(*d->blocks));
	block = &d->blocks[d->block_count++];
	*block = (struct block){.index = index, .type = type, .call = -1};
	json_write_line(&block->json, pieces_repair(&d->base.pieces, json));
	return block;
}

bool block_call(struct block_decoder *d, struct block *block, struct span id, struct span name)
{
	block->call = decoder_read_call(&d->base, id, name, block->type == BLOCK_PROVIDER_CALL);
	return block->call >= 0;
}

static bool is_call(const struct block *block)
{
	return block->type == BLOCK_CALL || block->type == BLOCK_PROVIDER_CALL;
}

/* A block begins a part of its own, so that it goes back as the block it was. */
static void grow_raw(struct block_decoder *d, struct block *block, struct span text)
{
	enum model_delta_type type = block->type == BLOCK_THINKING ? MODEL_THINKING : MODEL_TEXT;

	if (text.len == 0)
		return;
	if (is_call(block)) {
		decoder_emit_args(&d->base, block->call, text);
	} else {
		if (!block->some)
			decoder_split(&d->base, type);
		decoder_emit_text(&d->base, type, text);
	}
	block->some = true;
}

void block_grow(struct block_decoder *d, struct block *block, struct span string)
{
	grow_raw(d, block, pieces_text(&d->base.pieces, &block->partial, string));
}

void block_add_item(struct block *block, struct span json)
{
	json_comma(&block->items);
	json_write_line(&block->items, json);
}

void block_add_items(struct block *block, struct span list)
{
	for (struct json_walk walk = json_walk(list); json_next(&walk);)
		block_add_item(block, walk.value);
}

/* ---- the end ---- */

static void end_text(struct block_decoder *d, const struct block *block)
{
	struct buffer data = {0};

	if (!block->some || block->items.len == 0)
		return;
	json_pack(&data, "{'citations':[%j]}", buffer_span(&block->items));
	decoder_emit_data(&d->base, MODEL_PART_DATA, -1, buffer_span(&data));
	buffer_free(&data);
}

/* Thinking that may not be seen has nothing but its signature. */
static void end_thinking(struct block_decoder *d, const struct block *block)
{
	if (block->signature.len == 0)
		return;
	if (!block->some) {
		decoder_split(&d->base, MODEL_THINKING);
		decoder_emit(&d->base, (struct model_delta){
					   .type = MODEL_THINKING, .index = -1, .text = SPAN("")});
	}
	decoder_emit_member(&d->base, MODEL_PART_DATA, -1, "signature",
			    buffer_span(&block->signature));
}

void block_args(struct block_decoder *d, struct block *block, struct span args)
{
	if (json_type(args) == JSON_STRING)
		block_grow(d, block, args);
	else
		grow_raw(d, block, decoder_args(&d->base, args));
}

/* The arguments are in the beginning of the block if no piece of them came. */
static void end_call(struct block_decoder *d, struct block *block)
{
	struct span input = {0};

	if (!block->some)
		input = decoder_get(&d->base, buffer_span(&block->json), "input", 'a');
	block_grow(d, block, input);
	if (!block->some)
		grow_raw(d, block, json_count(input) > 0 ? input : SPAN("{}"));
	if (block->type == BLOCK_PROVIDER_CALL)
		decoder_emit(&d->base, (struct model_delta){.type = MODEL_TOOL_RUNNING,
							    .index = block->call});
}

void block_end(struct block_decoder *d, struct block *block)
{
	grow_raw(d, block, partial_char_end(&block->partial));
	if (block->type == BLOCK_TEXT)
		end_text(d, block);
	else if (block->type == BLOCK_THINKING)
		end_thinking(d, block);
	else if (is_call(block) && block->call >= 0)
		end_call(d, block);
}

void blocks_remove(struct block_decoder *d, struct block *block)
{
	buffer_free(&block->json);
	buffer_free(&block->signature);
	buffer_free(&block->items);
	d->block_count--;
	memmove(block, block + 1, (d->block_count - (size_t)(block - d->blocks)) * sizeof(*block));
}

void blocks_free(struct block_decoder *d)
{
	while (d->block_count > 0)
		blocks_remove(d, &d->blocks[d->block_count - 1]);
	free(d->blocks);
}
