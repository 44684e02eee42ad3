#include "model/protocol/bedrock.h"

#include <stdlib.h>

/* ---- deltas ---- */

static void emit(struct bedrock_decoder *d, const struct model_delta *delta)
{
	const struct model_handler *handler = d->base.handler;

	handler->delta(handler->context, delta);
	d->text_open = delta->type == MODEL_TEXT;
}

static void emit_piece(struct bedrock_decoder *d, enum model_delta_type type, struct span text)
{
	emit(d, &(struct model_delta){.type = type, .text = text, .index = -1});
}

/* `of_call`: the index of a call, or -1. */
static void emit_data(struct bedrock_decoder *d, enum model_delta_type type, int of_call,
		      const struct buffer *json)
{
	struct span text = pieces_repair(&d->pieces, buffer_span(json));

	emit(d, &(struct model_delta){.type = type, .text = text, .index = of_call});
}

/* ---- how a block ends ---- */

static void put_list(struct buffer *json, const char *key, const struct buffer *list)
{
	json_key(json, key);
	json_open(json, '[');
	buffer_add_span(json, buffer_span(list));
	json_close(json, ']');
}

/* The signature, or what nobody else can read, must go back; so must the bounds of the block. */
static void end_thinking(struct bedrock_decoder *d, struct bedrock_block *b)
{
	struct buffer json = {0};

	if (b->signature.len > 0) {
		if (!b->some)
			emit_piece(d, MODEL_THINKING, SPAN(""));
		json_open(&json, '{');
		json_put_string(&json, "signature", buffer_span(&b->signature));
		json_close(&json, '}');
		emit_data(d, MODEL_PART_DATA, -1, &json);
	}
	if (b->redacted.len > 0) {
		buffer_clear(&json);
		json_open(&json, '{');
		json_put_string(&json, "redactedContent", buffer_span(&b->redacted));
		json_close(&json, '}');
		emit_data(d, MODEL_OPAQUE, -1, &json);
	}
	buffer_free(&json);
}

static void end_text(struct bedrock_decoder *d, struct bedrock_block *b)
{
	struct buffer json = {0};

	if (b->list.len == 0 || !b->some)
		return;
	json_open(&json, '{');
	put_list(&json, "citations", &b->list);
	json_close(&json, '}');
	emit_data(d, MODEL_PART_DATA, -1, &json);
	buffer_free(&json);
}

static void end_call(struct bedrock_decoder *d, struct bedrock_block *b)
{
	struct model_delta delta = {.index = b->call};

	if (!b->some) {
		delta.type = MODEL_TOOL_ARGS;
		delta.text = SPAN("{}");
		emit(d, &delta);
	}
	if (b->head.len > 0) {
		delta.type = MODEL_TOOL_RUNNING;
		delta.text = (struct span){0};
		emit(d, &delta);
	}
}

/* What the provider's own tool gave, and the block as it must go back. */
static void end_result(struct bedrock_decoder *d, struct bedrock_block *b)
{
	struct span head = buffer_span(&b->head);
	struct buffer json = {0}, back = {0};
	struct model_delta delta = {.type = MODEL_TOOL_RESULT, .index = b->call};

	if (b->call < 0)
		return;
	json_open(&json, '[');
	buffer_add_span(&json, buffer_span(&b->list));
	json_close(&json, ']');
	delta.is_error = json_is(json_get(head, "status"), "error");
	delta.text = pieces_repair(&d->pieces, buffer_span(&json));
	emit(d, &delta);
	json_open(&back, '{');
	json_put_raw(&back, "result", head);
	json_put_raw(&back, "content", buffer_span(&json));
	json_close(&back, '}');
	emit_data(d, MODEL_PART_DATA, b->call, &back);
	buffer_free(&json);
	buffer_free(&back);
}

/* What waits for the rest of a code point does not wait any longer. */
static void end_joint(struct bedrock_decoder *d, struct bedrock_block *b)
{
	struct span rest = joint_end(&b->joint);
	struct model_delta delta = {.type = MODEL_TOOL_ARGS, .text = rest, .index = b->call};

	if (rest.len == 0)
		return;
	if (b->kind == BEDROCK_CALL)
		emit(d, &delta);
	else
		emit_piece(d, b->kind == BEDROCK_TEXT ? MODEL_TEXT : MODEL_THINKING, rest);
	b->some = true;
}

void bedrock_block_stop(struct bedrock_decoder *d)
{
	struct bedrock_block *b = &d->block;

	if (b->kind == BEDROCK_NONE)
		return;
	end_joint(d, b);
	if (b->kind == BEDROCK_THINKING)
		end_thinking(d, b);
	else if (b->kind == BEDROCK_TEXT)
		end_text(d, b);
	else if (b->kind == BEDROCK_CALL)
		end_call(d, b);
	else
		end_result(d, b);
	b->kind = BEDROCK_NONE;
	buffer_clear(&b->signature);
	buffer_clear(&b->redacted);
	buffer_clear(&b->list);
	buffer_clear(&b->head);
}

/* ---- how a block begins ---- */

/* The block `index` of `kind`: the one at hand, or a new one. */
static struct bedrock_block *enter(struct bedrock_decoder *d, int64_t index, enum bedrock_kind kind)
{
	struct bedrock_block *b = &d->block;

	if (b->kind == kind && b->index == index)
		return b;
	bedrock_block_stop(d);
	b->kind = kind;
	b->index = index;
	b->call = -1;
	b->some = false;
	return b;
}

static int find_call(const struct bedrock_decoder *d, struct span id)
{
	for (int i = d->call_count; i-- > 0;)
		if (span_equal(buffer_span(&d->ids[i]), id))
			return i;
	return -1;
}

/* {"toolUseId":"...","name":"...","type":"server_tool_use"}; the type only of the provider's own */
static bool start_call(struct bedrock_decoder *d, int64_t index, struct span call)
{
	struct span type = json_get(call, "type");
	bool by_provider = json_type(type) == JSON_STRING && !json_is(type, "tool_use");
	struct bedrock_block *b = enter(d, index, BEDROCK_CALL);
	struct buffer name = {0};

	json_decode(json_get(call, "name"), &name);
	if (name.len == 0) {
		b->kind = BEDROCK_NONE;
		buffer_free(&name);
		return failure_set(&d->failure, "invalid_response", true,
				   "%s sent a tool call without a name", d->base.provider->name);
	}
	b->call = d->call_count++;
	d->calls_here += !by_provider;
	d->ids = mem_resize(d->ids, (size_t)d->call_count * sizeof(*d->ids));
	d->ids[b->call] = (struct buffer){0};
	json_decode(json_get(call, "toolUseId"), &d->ids[b->call]);
	if (by_provider)
		json_write_compact(&b->head, call);
	emit(d, &(struct model_delta){
		    .type = MODEL_TOOL_CALL,
		    .index = b->call,
		    .id = buffer_span(&d->ids[b->call]),
		    .name = buffer_span(&name),
		    .by_provider = by_provider,
		});
	buffer_free(&name);
	return true;
}

static void start_result(struct bedrock_decoder *d, int64_t index, struct span result)
{
	struct bedrock_block *b = enter(d, index, BEDROCK_RESULT);
	struct buffer id = {0};

	json_decode(json_get(result, "toolUseId"), &id);
	b->call = find_call(d, buffer_span(&id));
	json_write_compact(&b->head, result);
	buffer_free(&id);
}

bool bedrock_block_start(struct bedrock_decoder *d, int64_t index, struct span start)
{
	struct span call = json_get(start, "toolUse"), result = json_get(start, "toolResult");

	bedrock_block_stop(d);
	if (json_type(call) == JSON_OBJECT)
		return start_call(d, index, call);
	if (json_type(result) == JSON_OBJECT)
		start_result(d, index, result);
	return true;
}

/* ---- how a block grows ---- */

static void add_text(struct bedrock_decoder *d, int64_t index, enum bedrock_kind kind,
		     struct span value)
{
	struct bedrock_block *b = enter(d, index, kind);
	bool is_text = kind == BEDROCK_TEXT;
	struct span text = pieces_text(&d->pieces, &b->joint, value);

	if (text.len == 0)
		return;
	/* Text that follows that of another block is a part of its own: what is said of one, its
	 * citations, is not said of both. */
	if (is_text && !b->some && d->text_open)
		emit_piece(d, MODEL_PART_DATA, SPAN("{}"));
	b->some = true;
	emit_piece(d, is_text ? MODEL_TEXT : MODEL_THINKING, text);
}

static void add_item(struct buffer *list, struct span json)
{
	if (list->len > 0)
		buffer_add_char(list, ',');
	json_write_compact(list, json);
}

static void add_args(struct bedrock_decoder *d, int64_t index, struct span input)
{
	struct bedrock_block *b = &d->block;
	struct model_delta delta = {.type = MODEL_TOOL_ARGS};

	if (b->kind != BEDROCK_CALL || b->index != index)
		return;
	if (json_type(input) == JSON_STRING) {
		delta.text = pieces_text(&d->pieces, &b->joint, input);
	} else if (input.at != NULL) {
		buffer_clear(&d->args);
		json_write_compact(&d->args, input);
		delta.text = pieces_repair(&d->pieces, buffer_span(&d->args));
	}
	if (delta.text.len == 0)
		return;
	delta.index = b->call;
	b->some = true;
	emit(d, &delta);
}

static void add_reasoning(struct bedrock_decoder *d, int64_t index, struct span reasoning)
{
	struct span redacted = json_get(reasoning, "redactedContent");
	struct span text = json_get(reasoning, "text");
	struct bedrock_block *b = enter(d, index, BEDROCK_THINKING);

	if (text.at != NULL)
		add_text(d, index, BEDROCK_THINKING, text);
	json_decode(json_get(reasoning, "signature"), &b->signature);
	/* Base64 cannot go on behind its padding: that is another block then. */
	if (redacted.at != NULL && span_ends(buffer_span(&b->redacted), "=")) {
		bedrock_block_stop(d);
		b = enter(d, index, BEDROCK_THINKING);
	}
	json_decode(redacted, &b->redacted);
}

static void add_results(struct bedrock_decoder *d, int64_t index, struct span results)
{
	struct bedrock_block *b = &d->block;
	struct json_walk walk = json_walk(results);

	while (b->kind == BEDROCK_RESULT && b->index == index && json_next(&walk))
		add_item(&b->list, walk.value);
}

void bedrock_block_delta(struct bedrock_decoder *d, int64_t index, struct span delta)
{
	struct span text = json_get(delta, "text"), citation = json_get(delta, "citation");
	struct span reasoning = json_get(delta, "reasoningContent");

	if (json_type(text) == JSON_STRING)
		add_text(d, index, BEDROCK_TEXT, text);
	if (json_type(citation) == JSON_OBJECT)
		add_item(&enter(d, index, BEDROCK_TEXT)->list, citation);
	if (json_type(reasoning) == JSON_OBJECT)
		add_reasoning(d, index, reasoning);
	add_args(d, index, json_path(delta, "toolUse.input"));
	add_results(d, index, json_get(delta, "toolResult"));
}

/* ---- whole blocks ---- */

static void read_citations(struct bedrock_decoder *d, int64_t index, struct span block)
{
	struct json_walk texts = json_walk(json_get(block, "content"));
	struct json_walk citations = json_walk(json_get(block, "citations"));

	while (json_next(&texts))
		add_text(d, index, BEDROCK_TEXT, json_get(texts.value, "text"));
	while (json_next(&citations))
		add_item(&enter(d, index, BEDROCK_TEXT)->list, citations.value);
}

bool bedrock_block_whole(struct bedrock_decoder *d, int64_t index, struct span block)
{
	struct span call = json_get(block, "toolUse"), result = json_get(block, "toolResult");
	struct span reasoning = json_get(block, "reasoningContent");
	struct span text = json_get(reasoning, "reasoningText");

	if (json_type(call) == JSON_OBJECT || json_type(result) == JSON_OBJECT) {
		if (!bedrock_block_start(d, index, block))
			return false;
		add_args(d, index, json_get(call, "input"));
		add_results(d, index, json_get(result, "content"));
	} else if (json_type(text) == JSON_OBJECT) {
		add_reasoning(d, index, text);
	} else if (json_type(json_get(block, "citationsContent")) == JSON_OBJECT) {
		read_citations(d, index, json_get(block, "citationsContent"));
	} else {
		bedrock_block_delta(d, index, block);
	}
	bedrock_block_stop(d);
	return true;
}

void bedrock_blocks_free(struct bedrock_decoder *d)
{
	for (int i = 0; i < d->call_count; i++)
		buffer_free(&d->ids[i]);
	free(d->ids);
	buffer_free(&d->block.signature);
	buffer_free(&d->block.redacted);
	buffer_free(&d->block.list);
	buffer_free(&d->block.head);
}
