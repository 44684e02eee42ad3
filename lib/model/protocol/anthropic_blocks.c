#include "model/protocol/anthropic.h"

#include <stdlib.h>

#include "base/utf8.h"

/* ---- deltas ---- */

static void say(struct anthropic_decoder *d, struct model_delta delta)
{
	d->base.handler->delta(d->base.handler->context, &delta);
}

/* Keep `json` for the provider, of call `call` or (-1) of the current part, which ends with it. */
static void keep(struct anthropic_decoder *d, int call, struct span json)
{
	say(d, (struct model_delta){.type = MODEL_PART_DATA, .index = call, .text = json});
	if (call < 0)
		d->growing = BLOCK_NONE;
}

/* Text or thinking. A block begins a part of its own, so that it goes back as the block it was. */
static void say_text(struct anthropic_decoder *d, struct anthropic_block *block, struct span text)
{
	bool thinking = block->type == BLOCK_THINKING;
	enum block_type part = thinking ? BLOCK_THINKING : BLOCK_TEXT;

	if (text.len == 0)
		return;
	if (!block->some && d->growing == part)
		keep(d, -1, SPAN("{}"));
	block->some = true;
	d->growing = part;
	say(d, (struct model_delta){
		   .type = thinking ? MODEL_THINKING : MODEL_TEXT, .index = -1, .text = text});
}

static void say_args(struct anthropic_decoder *d, struct anthropic_block *block, struct span text)
{
	if (text.len == 0)
		return;
	block->some = true;
	say(d, (struct model_delta){.type = MODEL_TOOL_ARGS, .index = block->call, .text = text});
}

/* A piece of whatever the block consists of. */
static void grow(struct anthropic_decoder *d, struct anthropic_block *block, struct span text)
{
	if (block->type == BLOCK_CALL || block->type == BLOCK_PROVIDER_CALL)
		say_args(d, block, text);
	else
		say_text(d, block, text);
}

/* ---- the open blocks ---- */

static struct anthropic_block *find(struct anthropic_decoder *d, int64_t index)
{
	for (size_t i = 0; i < d->block_count; i++)
		if (d->blocks[i].index == index)
			return &d->blocks[i];
	return NULL;
}

static struct anthropic_block *add(struct anthropic_decoder *d, int64_t index)
{
	struct anthropic_block *block;

	if (d->block_count == d->block_capacity) {
		d->block_capacity = d->block_capacity * 2 + 4;
		d->blocks = mem_resize(d->blocks, d->block_capacity * sizeof(*d->blocks));
	}
	block = &d->blocks[d->block_count++];
	*block = (struct anthropic_block){.index = index, .call = -1};
	return block;
}

static void forget(struct anthropic_decoder *d, struct anthropic_block *block)
{
	buffer_free(&block->json);
	buffer_free(&block->signature);
	buffer_free(&block->citations);
	*block = d->blocks[--d->block_count];
}

static enum block_type type_of(const struct anthropic_decoder *d, struct span block)
{
	struct span type = json_plain(json_get(block, "type"));

	if (span_is(type, "text"))
		return BLOCK_TEXT;
	if (span_is(type, "thinking"))
		return BLOCK_THINKING;
	if (span_is(type, "tool_use"))
		return d->answer_by_tool && json_is(json_get(block, "name"), ANTHROPIC_ANSWER_TOOL)
			   ? BLOCK_ANSWER
			   : BLOCK_CALL;
	if (span_ends(type, "_tool_use") && json_get(block, "name").len > 2)
		return BLOCK_PROVIDER_CALL;
	return BLOCK_OTHER;
}

/* ---- the beginning ---- */

static void start_call(struct anthropic_decoder *d, struct anthropic_block *block)
{
	bool by_provider = block->type == BLOCK_PROVIDER_CALL;
	struct span json = buffer_span(&block->json);
	struct buffer id = {0}, name = {0};

	json_decode(json_get(json, "id"), &id);
	json_decode(json_get(json, "name"), &name);
	if (name.len == 0) {
		failure_set(&d->failure, "invalid_response", true,
			    "%s called a tool without a name", d->base.provider->name);
	} else {
		block->call = d->call_count++;
		d->calls_here += !by_provider;
		d->growing = BLOCK_NONE;
		d->provider_calls = mem_resize(d->provider_calls,
					       (size_t)d->call_count * sizeof(*d->provider_calls));
		d->provider_calls[block->call] = (struct buffer){0};
		if (by_provider)
			buffer_add_span(&d->provider_calls[block->call], buffer_span(&id));
		say(d, (struct model_delta){.type = MODEL_TOOL_CALL,
					    .index = block->call,
					    .id = buffer_span(&id),
					    .name = buffer_span(&name),
					    .by_provider = by_provider});
	}
	buffer_free(&id);
	buffer_free(&name);
}

static void add_citations(struct anthropic_decoder *d, struct anthropic_block *block,
			  struct span citation)
{
	json_comma(&block->citations);
	json_write_line(&block->citations, pieces_repair(&d->pieces, citation));
}

/* What the block has from the beginning: all of it where the answer is no stream. */
static void read_start(struct anthropic_decoder *d, struct anthropic_block *block, struct span json)
{
	struct span signature = json_get(json, "signature");
	struct json_walk citations = json_walk(json_get(json, "citations"));

	switch (block->type) {
	case BLOCK_TEXT:
		grow(d, block, pieces_text(&d->pieces, &block->joint, json_get(json, "text")));
		while (json_next(&citations))
			add_citations(d, block, citations.value);
		break;
	case BLOCK_THINKING:
		grow(d, block, pieces_text(&d->pieces, &block->joint, json_get(json, "thinking")));
		if (json_type(signature) == JSON_STRING && signature.len > 2)
			buffer_add_span(&block->signature, pieces_repair(&d->pieces, signature));
		break;
	case BLOCK_CALL:
	case BLOCK_PROVIDER_CALL:
		start_call(d, block);
		break;
	default:
		break;
	}
}

void anthropic_block_start(struct anthropic_decoder *d, int64_t index, struct span block)
{
	struct anthropic_block *new;

	if (json_type(block) != JSON_OBJECT)
		return;
	anthropic_block_stop(d, index);
	d->some = true;
	new = add(d, index);
	new->type = type_of(d, block);
	json_write_line(&new->json, pieces_repair(&d->pieces, block));
	read_start(d, new, block);
}

/* ---- growing ---- */

/* The text of two string values, one behind the other. */
static void put_joined(struct buffer *out, struct span first, struct span second)
{
	buffer_add(out, first.at, first.len - 1);
	buffer_add(out, second.at + 1, second.len - 1);
}

/* A delta of a block that is kept as it is: its members become the block's, strings grow. */
static void absorb(struct anthropic_decoder *d, struct anthropic_block *block, struct span delta)
{
	struct span json = buffer_span(&block->json);
	struct json_walk walk = json_walk(delta);
	struct buffer patch = {0}, merged = {0};

	json_open(&patch, '{');
	while (json_next(&walk)) {
		char *key = json_text(walk.key);
		struct span old = json_get(json, key);

		free(key);
		if (json_is(walk.key, "type"))
			continue;
		json_comma(&patch);
		buffer_add_span(&patch, walk.key);
		buffer_add_char(&patch, ':');
		if (json_type(old) == JSON_STRING && json_type(walk.value) == JSON_STRING)
			put_joined(&patch, old, walk.value);
		else
			json_write_line(&patch, walk.value);
	}
	json_close(&patch, '}');
	json_merge(&merged, json, pieces_repair(&d->pieces, buffer_span(&patch)));
	buffer_free(&patch);
	buffer_free(&block->json);
	block->json = merged;
}

void anthropic_block_delta(struct anthropic_decoder *d, int64_t index, struct span delta)
{
	struct anthropic_block *block = find(d, index);
	struct span type = json_plain(json_get(delta, "type"));

	if (block == NULL && span_is(type, "text_delta")) {
		anthropic_block_start(d, index, SPAN("{\"type\":\"text\"}"));
		block = find(d, index);
	}
	if (block == NULL)
		return;
	if (block->type == BLOCK_OTHER)
		absorb(d, block, delta);
	else if (span_is(type, "text_delta"))
		grow(d, block, pieces_text(&d->pieces, &block->joint, json_get(delta, "text")));
	else if (span_is(type, "thinking_delta"))
		grow(d, block, pieces_text(&d->pieces, &block->joint, json_get(delta, "thinking")));
	else if (span_is(type, "input_json_delta"))
		grow(d, block,
		     pieces_text(&d->pieces, &block->joint, json_get(delta, "partial_json")));
	else if (span_is(type, "citations_delta"))
		add_citations(d, block, json_get(delta, "citation"));
	else if (span_is(type, "signature_delta") &&
		 json_type(json_get(delta, "signature")) == JSON_STRING) {
		buffer_clear(&block->signature);
		buffer_add_span(&block->signature,
				pieces_repair(&d->pieces, json_get(delta, "signature")));
	}
}

/* ---- the end ---- */

/* {"NAME": json} for the provider, of the current part. */
static void keep_member(struct anthropic_decoder *d, const char *name, struct span json)
{
	struct buffer data = {0};

	json_open(&data, '{');
	json_put_raw(&data, name, json);
	json_close(&data, '}');
	keep(d, -1, buffer_span(&data));
	buffer_free(&data);
}

static void stop_text(struct anthropic_decoder *d, struct anthropic_block *block)
{
	struct buffer list = {0};

	if (block->some && block->citations.len > 0) {
		json_open(&list, '[');
		buffer_add_span(&list, buffer_span(&block->citations));
		json_close(&list, ']');
		keep_member(d, "citations", buffer_span(&list));
	}
	buffer_free(&list);
}

/* Thinking that may not be seen has nothing but its signature. */
static void stop_thinking(struct anthropic_decoder *d, struct anthropic_block *block)
{
	if (block->signature.len == 0)
		return;
	if (!block->some) {
		if (d->growing == BLOCK_THINKING)
			keep(d, -1, SPAN("{}"));
		say(d, (struct model_delta){.type = MODEL_THINKING, .index = -1, .text = SPAN("")});
	}
	keep_member(d, "signature", buffer_span(&block->signature));
}

/* What a call carries beside its id, its name and its arguments goes back with it; the type too
 * where it is not the usual one. */
static void keep_call(struct anthropic_decoder *d, const struct anthropic_block *block)
{
	struct json_walk walk = json_walk(buffer_span(&block->json));
	struct buffer data = {0};

	json_open(&data, '{');
	while (json_next(&walk)) {
		if (json_is(walk.key, "id") || json_is(walk.key, "name") ||
		    json_is(walk.key, "input") ||
		    (block->type == BLOCK_CALL && json_is(walk.key, "type")))
			continue;
		json_comma(&data);
		buffer_add_span(&data, walk.key);
		buffer_add_char(&data, ':');
		buffer_add_span(&data, walk.value);
	}
	json_close(&data, '}');
	if (data.len > 2)
		keep(d, block->call, buffer_span(&data));
	buffer_free(&data);
}

/* The arguments are in the block's beginning only where no piece of them came. */
static void stop_call(struct anthropic_decoder *d, struct anthropic_block *block)
{
	struct span input = json_get(buffer_span(&block->json), "input");

	if (block->call < 0)
		return;
	if (!block->some)
		say_args(d, block, json_count(input) > 0 ? input : SPAN("{}"));
	if (block->type == BLOCK_PROVIDER_CALL)
		say(d, (struct model_delta){.type = MODEL_TOOL_RUNNING, .index = block->call});
	keep_call(d, block);
}

static int find_provider_call(const struct anthropic_decoder *d, struct span id)
{
	for (int i = 0; id.len > 2 && i < d->call_count; i++)
		if (d->provider_calls[i].len > 0 &&
		    json_is(id, buffer_string(&d->provider_calls[i])))
			return i;
	return -1;
}

/* What is kept as it is; when it is the result of a call of this answer, that is told too. */
static void stop_other(struct anthropic_decoder *d, struct anthropic_block *block)
{
	struct span json = buffer_span(&block->json);
	int call = find_provider_call(d, json_get(json, "tool_use_id"));

	if (call >= 0) {
		struct buffer text = {0};
		bool is_error = anthropic_result(json, &text);

		say(d, (struct model_delta){.type = MODEL_TOOL_RESULT,
					    .index = call,
					    .text = buffer_span(&text),
					    .is_error = is_error});
		buffer_free(&text);
	}
	say(d, (struct model_delta){.type = MODEL_OPAQUE, .index = -1, .text = json});
	d->growing = BLOCK_NONE;
}

void anthropic_block_stop(struct anthropic_decoder *d, int64_t index)
{
	struct anthropic_block *block = find(d, index);

	if (block == NULL)
		return;
	grow(d, block, joint_end(&block->joint));
	switch (block->type) {
	case BLOCK_TEXT:
		stop_text(d, block);
		break;
	case BLOCK_THINKING:
		stop_thinking(d, block);
		break;
	case BLOCK_CALL:
	case BLOCK_PROVIDER_CALL:
		stop_call(d, block);
		break;
	case BLOCK_ANSWER:
		if (!block->some)
			grow(d, block, json_get(buffer_span(&block->json), "input"));
		break;
	case BLOCK_OTHER:
		stop_other(d, block);
		break;
	case BLOCK_NONE:
		break;
	}
	forget(d, block);
}

void anthropic_blocks_end(struct anthropic_decoder *d)
{
	while (d->block_count > 0)
		anthropic_block_stop(d, d->blocks[0].index);
}

void anthropic_blocks_free(struct anthropic_decoder *d)
{
	while (d->block_count > 0)
		forget(d, &d->blocks[0]);
	free(d->blocks);
	for (int i = 0; i < d->call_count; i++)
		buffer_free(&d->provider_calls[i]);
	free(d->provider_calls);
}
