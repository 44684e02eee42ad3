#include <stdlib.h>

#include "model/protocol/anthropic.h"
#include "model/protocol/blocks.h"

struct anthropic_decoder {
	struct block_decoder d;
	struct buffer container; /* raw JSON; empty: none */
	bool started;            /* message_start was received */
};

/* ---- results of the provider's own tools ---- */

/* Append `value` without the members that only the provider can read: they are long, and go back
 * with the block itself. */
static void write_readable(struct span value, struct buffer *out)
{
	bool is_object = json_type(value) == JSON_OBJECT;
	struct json_walk walk = json_walk(value);

	if (!is_object && json_type(value) != JSON_ARRAY) {
		buffer_add_span(out, value);
		return;
	}
	json_open(out, is_object ? '{' : '[');
	while (json_next(&walk)) {
		if (span_starts(walk.key, "\"encrypted_"))
			continue;
		json_copy_key(out, walk.key);
		write_readable(walk.value, out);
	}
	json_close(out, is_object ? '}' : ']');
}

/* Append a list of texts, one a line; false: it is something else, or empty. */
static bool write_texts(struct span content, struct buffer *out)
{
	for (struct json_walk walk = json_walk(content); json_next(&walk);) {
		if (!json_is(json_get(walk.value, "type"), "text")) {
			buffer_clear(out);
			return false;
		}
		if (out->len > 0)
			buffer_add_char(out, '\n');
		json_decode(json_get(walk.value, "text"), out);
	}
	return json_count(content) > 0;
}

/* Emit the result that a block has, as text or JSON without what only the provider can read. */
static void emit_result(struct decoder *base, int call, struct span block)
{
	struct span content = json_get(block, "content");
	struct span type = json_plain(json_get(content, "type"));
	struct buffer text = {0};

	if (!write_texts(content, &text) && !json_decode(content, &text) && content.at != NULL)
		write_readable(content, &text);
	decoder_emit_result(base, call, buffer_span(&text),
			    json_true(json_get(block, "is_error")) || span_ends(type, "_error"));
	buffer_free(&text);
}

/* ---- the end of a block ---- */

/* The members of a call that are not its id, name or arguments go back with it; also its type, if
 * it is not the usual one. */
static void emit_call_data(struct block_decoder *d, const struct block *block)
{
	static const char *const own[] = {"id", "name", "input", NULL};
	struct json_walk walk = json_walk(buffer_span(&block->json));
	struct buffer data = {0};

	json_open(&data, '{');
	while (json_next(&walk)) {
		if (json_is_any(walk.key, own) ||
		    (block->type == BLOCK_CALL && json_is(walk.key, "type")))
			continue;
		json_copy_key(&data, walk.key);
		buffer_add_span(&data, walk.value);
	}
	json_close(&data, '}');
	if (data.len > 2)
		decoder_emit_data(&d->base, MODEL_PART_DATA, block->call, buffer_span(&data));
	buffer_free(&data);
}

/* A block that goes back as it came; it may be the result of a call of this response, too. */
static void emit_other(struct block_decoder *d, const struct block *block)
{
	struct span json = buffer_span(&block->json);
	int call = decoder_find_call(&d->base, json_get(json, "tool_use_id"));

	if (call >= 0)
		emit_result(&d->base, call, json);
	decoder_emit_data(&d->base, MODEL_OPAQUE, -1, json);
}

static void stop_block(struct block_decoder *d, int64_t index)
{
	struct block *block = blocks_find(d, index);

	if (block == NULL)
		return;
	block_end(d, block);
	if (block->type == BLOCK_OTHER)
		emit_other(d, block);
	else if (block->call >= 0)
		emit_call_data(d, block);
	blocks_remove(d, block);
}

/* ---- the beginning of a block ---- */

static enum block_type type_of(struct span type, struct span block)
{
	if (span_is(type, "text"))
		return BLOCK_TEXT;
	if (span_is(type, "thinking"))
		return BLOCK_THINKING;
	if (span_is(type, "tool_use"))
		return BLOCK_CALL;
	return span_ends(type, "_tool_use") && decoder_is_text(json_get(block, "name"))
		   ? BLOCK_PROVIDER_CALL
		   : BLOCK_OTHER;
}

/* A block that does not come in a stream has everything from the beginning. */
static void start_block(struct block_decoder *d, int64_t index, struct span json)
{
	struct span type = decoder_get(&d->base, json, "type", 's'), signature;
	struct block *block;

	if (json.at == NULL)
		return;
	if (!decoder_is_text(type))
		decoder_fail(&d->base, "sent a block of its response without a type");
	stop_block(d, index);
	block = blocks_begin(d, index, type_of(json_plain(type), json), json);
	if (block->type == BLOCK_TEXT) {
		block_grow(d, block, decoder_get(&d->base, json, "text", 's'));
		block_add_items(block, json_get(json, "citations"));
	} else if (block->type == BLOCK_THINKING) {
		block_grow(d, block, decoder_get(&d->base, json, "thinking", 's'));
		signature = decoder_get(&d->base, json, "signature", 's');
		if (decoder_is_text(signature))
			decoder_join(&block->signature, signature);
	} else if (block->type == BLOCK_CALL || block->type == BLOCK_PROVIDER_CALL) {
		block_call(d, block, json_get(json, "id"), json_get(json, "name"));
	}
}

/* ---- growing ---- */

/* A delta of a block that goes back as it came: its members become the block's, strings grow. */
static void absorb(struct block_decoder *d, struct block *block, struct span delta)
{
	struct buffer patch = {0}, value = {0};

	json_open(&patch, '{');
	for (struct json_walk walk = json_walk(delta); json_next(&walk);) {
		char *key = json_text(walk.key);
		struct span old = json_get(buffer_span(&block->json), key);
		bool grows = json_type(old) == JSON_STRING && json_type(walk.value) == JSON_STRING;

		free(key);
		if (json_is(walk.key, "type"))
			continue;
		buffer_clear(&value);
		json_write_line(&value, grows ? old : walk.value);
		if (grows)
			decoder_join(&value, walk.value);
		json_copy_key(&patch, walk.key);
		buffer_add_span(&patch, buffer_span(&value));
	}
	json_close(&patch, '}');
	json_merge_into(&block->json, pieces_repair(&d->base.pieces, buffer_span(&patch)));
	buffer_free(&patch);
	buffer_free(&value);
}

static void grow_block(struct block_decoder *d, int64_t index, struct span delta)
{
	static const struct span names[] = {SPAN_INIT("type"),
					    SPAN_INIT("text"),
					    SPAN_INIT("thinking"),
					    SPAN_INIT("partial_json"),
					    SPAN_INIT("signature"),
					    SPAN_INIT("citation"),
					    {0}};
	enum { TYPE, TEXT, THINKING, INPUT, SIGNATURE, CITATION, MEMBERS };
	struct block *block = blocks_find(d, index);
	struct span member[MEMBERS], type, text = {0};

	if (block != NULL && block->type == BLOCK_OTHER) {
		absorb(d, block, delta);
		return;
	}
	decoder_members(&d->base, delta, names, "sssas.", member);
	type = json_plain(member[TYPE]);
	if (block == NULL && span_is(type, "text_delta")) {
		start_block(d, index, SPAN("{\"type\":\"text\"}"));
		block = blocks_find(d, index);
	}
	if (block == NULL)
		return;
	if (span_is(type, "text_delta"))
		text = member[TEXT];
	else if (span_is(type, "thinking_delta"))
		text = member[THINKING];
	else if (span_is(type, "input_json_delta"))
		block_args(d, block, member[INPUT]);
	else if (span_is(type, "citations_delta"))
		block_add_item(block, member[CITATION]);
	else if (span_is(type, "signature_delta") && member[SIGNATURE].at != NULL) {
		buffer_clear(&block->signature);
		decoder_join(&block->signature, member[SIGNATURE]);
	}
	block_grow(d, block, text);
}

/* ---- the message ---- */

/* Read the end of a message: from the message of message_start, or the delta of message_delta. */
static void read_ending(struct anthropic_decoder *d, struct span from)
{
	struct span container = json_get(from, "container");

	decoder_store_last(&d->d.base.finish, decoder_get(&d->d.base, from, "stop_reason", 's'));
	decoder_store_last(&d->d.base.refusal, json_path(from, "stop_details.explanation"));
	if (json_type(container) == JSON_OBJECT) {
		buffer_clear(&d->container);
		buffer_add_span(&d->container, container);
	}
}

/* A message, whole or as it begins. */
static bool read_message(struct anthropic_decoder *d, struct span message)
{
	struct json_walk walk = json_walk(decoder_get(&d->d.base, message, "content", 'l'));

	decoder_store_last(&d->d.base.id, json_get(message, "id"));
	decoder_store_last(&d->d.base.model, json_get(message, "model"));
	decoder_usage(&d->d.base, json_get(message, "usage"));
	read_ending(d, message);
	for (int64_t index = 0; decoder_next(&d->d.base, &walk, "content[]"); index++) {
		start_block(&d->d, index, walk.value);
		stop_block(&d->d, index);
	}
	return d->d.base.failure.kind == ERROR_NONE;
}

/* Some gateways send the beginning twice; others, whose connection broke, append another response
 * to half of the first. The two cannot be separated afterwards. */
static bool start_message(struct anthropic_decoder *d, struct span message)
{
	struct span id = json_get(message, "id");

	if (d->started && id.at != NULL && !json_is(id, buffer_string(&d->d.base.id)))
		return decoder_fail(&d->d.base,
				    "began a second response in the middle of the first");
	if (d->started)
		return true;
	d->started = true;
	return read_message(d, message);
}

/* Unknown events are ignored: the provider adds new ones. */
static bool anthropic_chunk(struct decoder *base, struct span name, struct span json)
{
	static const struct span names[] = {SPAN_INIT("type"),  SPAN_INIT("index"),
					    SPAN_INIT("delta"), SPAN_INIT("content_block"),
					    SPAN_INIT("usage"), SPAN_INIT("message"),
					    SPAN_INIT("error"), {0}};
	enum { TYPE, INDEX, DELTA, BLOCK, USAGE, MESSAGE, ERROR, MEMBERS };
	struct anthropic_decoder *d = (struct anthropic_decoder *)base;
	struct span member[MEMBERS], type;
	int64_t index;

	decoder_members(base, json, names, "snoo...", member);
	type = member[TYPE].at != NULL ? json_plain(member[TYPE]) : name;
	index = json_int(member[INDEX], -1);
	if (span_is(type, "content_block_delta")) {
		grow_block(&d->d, index, member[DELTA]);
	} else if (span_is(type, "content_block_start")) {
		start_block(&d->d, index, member[BLOCK]);
	} else if (span_is(type, "content_block_stop")) {
		stop_block(&d->d, index);
	} else if (span_is(type, "message_start")) {
		return start_message(d, decoder_typed(base, "message", member[MESSAGE], 'o'));
	} else if (span_is(type, "message_delta")) {
		read_ending(d, member[DELTA]);
		decoder_usage(base, member[USAGE]);
	} else if (span_is(type, "message_stop")) {
		base->done = true;
	} else if (span_is(type, "error") || (type.len == 0 && member[ERROR].at != NULL)) {
		return decoder_fail_with(base, json);
	} else if (type.len == 0 && (member[DELTA].at != NULL || member[BLOCK].at != NULL)) {
		return decoder_fail(base, "sent an event without a type");
	}
	return true;
}

static bool anthropic_document(struct decoder *base, struct span json)
{
	if (json_get(json, "error").at != NULL)
		return decoder_fail_with(base, json);
	if (json_type(json_get(json, "content")) != JSON_ARRAY)
		return decoder_fail_document(base, json);
	return read_message((struct anthropic_decoder *)base, json);
}

/* ---- the protocol ---- */

/* The explanation replaces the text only in a refusal. */
static void anthropic_flush(struct decoder *base)
{
	const struct finish_reason *reason = decoder_reason(base);

	if (reason == NULL || reason->finish != MODEL_REFUSAL)
		buffer_clear(&base->refusal);
}

/* The container in which the provider ran code: the next request of the loop names it. */
static void anthropic_complete(struct decoder *base)
{
	struct anthropic_decoder *d = (struct anthropic_decoder *)base;

	while (d->d.block_count > 0)
		stop_block(&d->d, d->d.blocks[0].index);
	if (d->container.len > 0)
		decoder_emit_member(base, MODEL_MESSAGE_DATA, -1, "container",
				    buffer_span(&d->container));
}

static void anthropic_clear(struct decoder *base)
{
	struct anthropic_decoder *d = (struct anthropic_decoder *)base;

	blocks_free(&d->d);
	buffer_free(&d->container);
}

static const struct finish_reason reasons[] = {
    {"pause_turn", .finish = MODEL_PAUSE},
    {"compaction", .finish = MODEL_PAUSE},
    {0},
};

static const struct usage_name usage[] = {
    {SPAN_INIT("input_tokens"), .count = TOKENS_INPUT},
    {SPAN_INIT("output_tokens"), .count = TOKENS_OUTPUT},
    {SPAN_INIT("cache_read_input_tokens"), .count = TOKENS_CACHED, .apart = true},
    {SPAN_INIT("cache_creation_input_tokens"), .count = TOKENS_CACHE_WRITE, .apart = true},
    {SPAN_INIT("output_tokens_details"), "thinking_tokens", .count = TOKENS_REASONING},
    {.name = {0}},
};
_Static_assert(ARRAY_LEN(usage) <= TOKENS_MAX_ROWS, "too many rows");

const struct protocol protocol_anthropic = {
    .name = "anthropic",
    .framing = FRAMING_SSE,
    .request = anthropic_request,
    .answers_by_tool = anthropic_answers_by_tool,
    .answers_by_any_call = true,
    .can_force = anthropic_can_force,
    .decoder_size = sizeof(struct anthropic_decoder),
    .reasons = reasons,
    .usage = usage,
    .not_response = "not a message",
    .chunk = anthropic_chunk,
    .document = anthropic_document,
    .flush = anthropic_flush,
    .complete = anthropic_complete,
    .clear = anthropic_clear,
    .list = {.path = "/v1/models?limit=1000",
	     .without = {"/v1"},
	     .headers = anthropic_version,
	     .lists = {"data"},
	     .ids = {"id"},
	     .names = {"display_name"},
	     .windows = {"max_input_tokens"}},
};
