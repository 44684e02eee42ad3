#include <stdlib.h>

#include "model/protocol/anthropic.h"
#include "model/protocol/protocol.h"

enum block_type {
	BLOCK_NONE,
	BLOCK_TEXT,
	BLOCK_THINKING,
	BLOCK_CALL,          /* of a tool that runs here */
	BLOCK_PROVIDER_CALL, /* of a tool that runs at the provider */
	BLOCK_ANSWER,        /* of the tool whose arguments are the answer (anthropic_schema.c) */
	BLOCK_OTHER,         /* goes back as it came */
};

/* A content block that has begun and not ended. */
struct anthropic_block {
	int64_t index; /* the provider's */
	enum block_type type;
	struct buffer json;      /* as it began, on one line */
	struct buffer signature; /* of thinking, raw JSON; empty: none */
	struct buffer citations; /* of text, raw JSON separated by commas */
	struct joint joint;
	int call;  /* of a call: its index in the response */
	bool some; /* some of its text or arguments was emitted */
};

struct anthropic_decoder {
	struct decoder base;
	struct buffer container;        /* raw JSON; empty: none */
	struct anthropic_block *blocks; /* the open ones */
	size_t block_count;
	struct buffer *provider_calls; /* ids by index; empty for calls that run here */
	enum block_type
	    growing;  /* the text or thinking to which the next of its kind would be added */
	bool started; /* message_start was received */
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
		if (is_object && span_starts(walk.key, "\"encrypted_"))
			continue;
		json_comma(out);
		if (is_object) {
			buffer_add_span(out, walk.key);
			buffer_add_char(out, ':');
		}
		write_readable(walk.value, out);
	}
	json_close(out, is_object ? '}' : ']');
}

static bool is_text(struct span content)
{
	struct json_walk walk = json_walk(content);

	if (json_type(content) != JSON_ARRAY || json_count(content) == 0)
		return false;
	while (json_next(&walk))
		if (!json_is(json_get(walk.value, "type"), "text"))
			return false;
	return true;
}

/* Append the result that a block has, as text or JSON without what only the provider can read;
 * returns whether it is an error. */
static bool write_result(struct span block, struct buffer *out)
{
	struct span content = json_get(block, "content");
	struct json_walk walk = json_walk(content);
	struct span type = json_plain(json_get(content, "type"));

	if (is_text(content)) {
		while (json_next(&walk)) {
			if (out->len > 0)
				buffer_add_char(out, '\n');
			json_decode(json_get(walk.value, "text"), out);
		}
	} else if (!json_decode(content, out) && content.at != NULL) {
		write_readable(content, out);
	}
	return json_true(json_get(block, "is_error")) || span_ends(type, "_error");
}

/* ---- deltas ---- */

/* JSON for the provider, of call `call` or (-1) of the current part, which ends with it. */
static void emit_data(struct anthropic_decoder *d, int call, struct span json)
{
	decoder_emit_data(&d->base, MODEL_PART_DATA, call, json);
	if (call < 0)
		d->growing = BLOCK_NONE;
}

/* Text or thinking. A block begins a part of its own, so that it goes back as the block it was. */
static void emit_text(struct anthropic_decoder *d, struct anthropic_block *block, struct span text)
{
	bool thinking = block->type == BLOCK_THINKING;
	enum block_type part = thinking ? BLOCK_THINKING : BLOCK_TEXT;

	if (text.len == 0)
		return;
	if (!block->some && d->growing == part)
		emit_data(d, -1, SPAN("{}"));
	block->some = true;
	d->growing = part;
	decoder_emit_text(&d->base, thinking ? MODEL_THINKING : MODEL_TEXT, text);
}

/* A piece of whatever the block consists of. */
static void grow(struct anthropic_decoder *d, struct anthropic_block *block, struct span text)
{
	if (block->type != BLOCK_CALL && block->type != BLOCK_PROVIDER_CALL) {
		emit_text(d, block, text);
		return;
	}
	block->some |= text.len > 0;
	decoder_emit_args(&d->base, block->call, text);
}

/* ---- the open blocks ---- */

static struct anthropic_block *find_block(struct anthropic_decoder *d, int64_t index)
{
	for (size_t i = 0; i < d->block_count; i++)
		if (d->blocks[i].index == index)
			return &d->blocks[i];
	return NULL;
}

static struct anthropic_block *add(struct anthropic_decoder *d, int64_t index)
{
	struct anthropic_block *block;

	d->blocks = array_grow(d->blocks, d->block_count, sizeof(*d->blocks));
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
		return d->base.has_schema && json_is(json_get(block, "name"), ANTHROPIC_ANSWER_TOOL)
			   ? BLOCK_ANSWER
			   : BLOCK_CALL;
	if (span_ends(type, "_tool_use") && json_get(block, "name").len > 2)
		return BLOCK_PROVIDER_CALL;
	return BLOCK_OTHER;
}

/* ---- the end of a block ---- */

/* {"NAME":json} for the provider, of the current part. */
static void emit_member(struct anthropic_decoder *d, const char *name, struct span json)
{
	decoder_emit_member(&d->base, MODEL_PART_DATA, -1, name, json);
	d->growing = BLOCK_NONE;
}

static void stop_text(struct anthropic_decoder *d, struct anthropic_block *block)
{
	struct buffer list = {0};

	if (block->some && block->citations.len > 0) {
		json_open(&list, '[');
		buffer_add_span(&list, buffer_span(&block->citations));
		json_close(&list, ']');
		emit_member(d, "citations", buffer_span(&list));
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
			emit_data(d, -1, SPAN("{}"));
		decoder_emit(&d->base, (struct model_delta){
					   .type = MODEL_THINKING, .index = -1, .text = SPAN("")});
	}
	emit_member(d, "signature", buffer_span(&block->signature));
}

/* The members of a call that are not its id, name or arguments go back with it; also its type, if
 * it is not the usual one. */
static void emit_call_data(struct anthropic_decoder *d, const struct anthropic_block *block)
{
	struct json_walk walk = json_walk(buffer_span(&block->json));
	struct buffer data = {0};

	json_open(&data, '{');
	while (json_next(&walk)) {
		if (json_is(walk.key, "id") || json_is(walk.key, "name") ||
		    json_is(walk.key, "input") ||
		    (block->type == BLOCK_CALL && json_is(walk.key, "type")))
			continue;
		json_copy_key(&data, walk.key);
		buffer_add_span(&data, walk.value);
	}
	json_close(&data, '}');
	if (data.len > 2)
		emit_data(d, block->call, buffer_span(&data));
	buffer_free(&data);
}

/* The arguments are in the block's beginning only where no piece of them came. */
static void stop_call(struct anthropic_decoder *d, struct anthropic_block *block)
{
	struct span input = json_get(buffer_span(&block->json), "input");

	if (block->call < 0)
		return;
	if (!block->some)
		decoder_emit_args(&d->base, block->call,
				  json_count(input) > 0 ? input : SPAN("{}"));
	if (block->type == BLOCK_PROVIDER_CALL)
		decoder_emit(&d->base, (struct model_delta){.type = MODEL_TOOL_RUNNING,
							    .index = block->call});
	emit_call_data(d, block);
}

static int find_provider_call(const struct anthropic_decoder *d, struct span id)
{
	for (int i = 0; id.len > 2 && i < d->base.call_count; i++)
		if (d->provider_calls[i].len > 0 &&
		    json_is(id, buffer_string(&d->provider_calls[i])))
			return i;
	return -1;
}

/* A block that goes back as it came; it may be the result of a call of this response, too. */
static void stop_other(struct anthropic_decoder *d, struct anthropic_block *block)
{
	struct span json = buffer_span(&block->json);
	int call = find_provider_call(d, json_get(json, "tool_use_id"));

	if (call >= 0) {
		struct buffer text = {0};
		bool is_error = write_result(json, &text);

		decoder_emit(&d->base, (struct model_delta){.type = MODEL_TOOL_RESULT,
							    .index = call,
							    .text = buffer_span(&text),
							    .is_error = is_error});
		buffer_free(&text);
	}
	decoder_emit_data(&d->base, MODEL_OPAQUE, -1, json);
	d->growing = BLOCK_NONE;
}

static void stop_block(struct anthropic_decoder *d, int64_t index)
{
	struct anthropic_block *block = find_block(d, index);

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

/* ---- the beginning of a block ---- */

static void start_call(struct anthropic_decoder *d, struct anthropic_block *block)
{
	bool by_provider = block->type == BLOCK_PROVIDER_CALL;
	struct span json = buffer_span(&block->json);
	struct buffer id = {0}, name = {0};

	json_decode(json_get(json, "id"), &id);
	json_decode(json_get(json, "name"), &name);
	if (name.len == 0)
		decoder_fail(&d->base, "called a tool without a name");
	block->call = decoder_call(&d->base, buffer_span(&id), buffer_span(&name), by_provider);
	buffer_free(&name);
	if (block->call < 0 || !by_provider)
		buffer_free(&id);
	if (block->call < 0)
		return;
	d->growing = BLOCK_NONE;
	d->provider_calls =
	    array_grow(d->provider_calls, (size_t)block->call, sizeof(*d->provider_calls));
	d->provider_calls[block->call] = id;
}

static void add_citation(struct anthropic_decoder *d, struct anthropic_block *block,
			 struct span citation)
{
	json_comma(&block->citations);
	json_write_line(&block->citations, pieces_repair(&d->base.pieces, citation));
}

/* What the block has from the beginning: all of it where the answer is no stream. */
static void read_start(struct anthropic_decoder *d, struct anthropic_block *block, struct span json)
{
	struct span signature = json_get(json, "signature");
	struct json_walk citations = json_walk(json_get(json, "citations"));

	switch (block->type) {
	case BLOCK_TEXT:
		grow(d, block, pieces_text(&d->base.pieces, &block->joint, json_get(json, "text")));
		while (json_next(&citations))
			add_citation(d, block, citations.value);
		break;
	case BLOCK_THINKING:
		grow(d, block,
		     pieces_text(&d->base.pieces, &block->joint, json_get(json, "thinking")));
		if (decoder_is_text(signature))
			buffer_add_span(&block->signature,
					pieces_repair(&d->base.pieces, signature));
		break;
	case BLOCK_CALL:
	case BLOCK_PROVIDER_CALL:
		start_call(d, block);
		break;
	default:
		break;
	}
}

static void start_block(struct anthropic_decoder *d, int64_t index, struct span block)
{
	struct anthropic_block *new;

	if (json_type(block) != JSON_OBJECT)
		return;
	stop_block(d, index);
	d->base.some = true;
	new = add(d, index);
	new->type = type_of(d, block);
	json_write_line(&new->json, pieces_repair(&d->base.pieces, block));
	read_start(d, new, block);
}

/* ---- growing ---- */

/* Two string values as one, but for its quotes. */
static void put_joined(struct buffer *out, struct span first, struct span second)
{
	buffer_add(out, first.at, first.len - 1);
	buffer_add(out, second.at + 1, second.len - 1);
}

/* A delta of a block that goes back as it came: its members become the block's, strings grow. */
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
		json_copy_key(&patch, walk.key);
		if (json_type(old) == JSON_STRING && json_type(walk.value) == JSON_STRING)
			put_joined(&patch, old, walk.value);
		else
			json_write_line(&patch, walk.value);
	}
	json_close(&patch, '}');
	json_merge(&merged, json, pieces_repair(&d->base.pieces, buffer_span(&patch)));
	buffer_free(&patch);
	buffer_free(&block->json);
	block->json = merged;
}

static void grow_block(struct anthropic_decoder *d, int64_t index, struct span delta)
{
	static const struct span names[] = {SPAN_INIT("type"),
					    SPAN_INIT("text"),
					    SPAN_INIT("thinking"),
					    SPAN_INIT("partial_json"),
					    SPAN_INIT("signature"),
					    SPAN_INIT("citation"),
					    {0}};
	enum { TYPE, TEXT, THINKING, INPUT, SIGNATURE, CITATION, MEMBERS };
	struct anthropic_block *block = find_block(d, index);
	struct span member[MEMBERS], type, text = {0};

	decoder_members(&d->base, delta, names, member);
	type = json_plain(member[TYPE]);
	if (block == NULL && span_is(type, "text_delta")) {
		start_block(d, index, SPAN("{\"type\":\"text\"}"));
		block = find_block(d, index);
	}
	if (block == NULL)
		return;
	if (block->type == BLOCK_OTHER)
		absorb(d, block, delta);
	else if (span_is(type, "text_delta"))
		text = member[TEXT];
	else if (span_is(type, "thinking_delta"))
		text = member[THINKING];
	else if (span_is(type, "input_json_delta"))
		text = member[INPUT];
	else if (span_is(type, "citations_delta"))
		add_citation(d, block, member[CITATION]);
	else if (span_is(type, "signature_delta") && json_type(member[SIGNATURE]) == JSON_STRING) {
		buffer_clear(&block->signature);
		buffer_add_span(&block->signature,
				pieces_repair(&d->base.pieces, member[SIGNATURE]));
	}
	grow(d, block, pieces_text(&d->base.pieces, &block->joint, text));
}

/* ---- the message ---- */

/* Of the message in message_start, and of the delta in message_delta. */
static void read_ending(struct anthropic_decoder *d, struct span from)
{
	struct span container = json_get(from, "container");

	decoder_store_last(&d->base.finish, json_get(from, "stop_reason"));
	decoder_store_last(&d->base.refusal, json_path(from, "stop_details.explanation"));
	if (json_type(container) == JSON_OBJECT) {
		buffer_clear(&d->container);
		buffer_add_span(&d->container, container);
	}
}

/* A message, whole or as it begins. */
static bool read_message(struct anthropic_decoder *d, struct span message)
{
	struct json_walk walk = json_walk(json_get(message, "content"));

	decoder_store_last(&d->base.id, json_get(message, "id"));
	decoder_store_last(&d->base.model, json_get(message, "model"));
	decoder_usage(&d->base, json_get(message, "usage"));
	read_ending(d, message);
	for (int64_t index = 0; d->base.failure.kind == ERROR_NONE && json_next(&walk); index++) {
		start_block(d, index, walk.value);
		stop_block(d, index);
	}
	return d->base.failure.kind == ERROR_NONE;
}

/* Some gateways send the beginning twice; others, whose connection broke, put another response
 * after the half of the first. Nobody can tell the two apart afterwards. */
static bool start_message(struct anthropic_decoder *d, struct span message)
{
	struct span id = json_get(message, "id");

	if (d->started && id.at != NULL && !json_is(id, buffer_string(&d->base.id)))
		return decoder_fail(&d->base, "began a second answer in the middle of the first");
	if (d->started)
		return true;
	d->started = true;
	return read_message(d, message);
}

/* Unknown events are no fault: new ones come every month. */
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

	decoder_members(base, json, names, member);
	type = json_plain(member[TYPE]);
	index = json_int(member[INDEX], 0);
	if (span_is(type, "content_block_delta")) {
		grow_block(d, index, member[DELTA]);
	} else if (span_is(type, "content_block_start")) {
		start_block(d, index, member[BLOCK]);
	} else if (span_is(type, "content_block_stop")) {
		stop_block(d, index);
	} else if (span_is(type, "message_start")) {
		return start_message(d, member[MESSAGE]);
	} else if (span_is(type, "message_delta")) {
		read_ending(d, member[DELTA]);
		decoder_usage(base, member[USAGE]);
	} else if (span_is(type, "message_stop")) {
		base->done = true;
	} else if (span_is(type, "error") ||
		   (type.at == NULL && (member[ERROR].at != NULL || span_is(name, "error")))) {
		return decoder_fail_with(base, json);
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

/* The explanation replaces the answer only in a refusal. */
static void anthropic_flush(struct decoder *base)
{
	if (!span_is(buffer_span(&base->finish), "refusal"))
		buffer_clear(&base->refusal);
}

/* The container in which the provider ran code: the next request of the loop names it. */
static void anthropic_complete(struct decoder *base)
{
	struct anthropic_decoder *d = (struct anthropic_decoder *)base;

	while (d->block_count > 0)
		stop_block(d, d->blocks[0].index);
	if (d->container.len > 0)
		decoder_emit_member(base, MODEL_MESSAGE_DATA, -1, "container",
				    buffer_span(&d->container));
}

static void anthropic_clear(struct decoder *base)
{
	struct anthropic_decoder *d = (struct anthropic_decoder *)base;

	while (d->block_count > 0)
		forget(d, &d->blocks[0]);
	free(d->blocks);
	for (int i = 0; i < base->call_count; i++)
		buffer_free(&d->provider_calls[i]);
	free(d->provider_calls);
	buffer_free(&d->container);
}

static const struct finish_reason reasons[] = {
    {"refusal", .finish = MODEL_REFUSAL},
    {"max_tokens", .finish = MODEL_LENGTH},
    {"model_context_window_exceeded", .finish = MODEL_LENGTH},
    {"pause_turn", .finish = MODEL_PAUSE},
    {0},
};

static const struct usage_name usage[] = {
    {SPAN_INIT("input_tokens"), .count = USAGE_INPUT},
    {SPAN_INIT("output_tokens"), .count = USAGE_OUTPUT},
    {SPAN_INIT("cache_read_input_tokens"), .count = USAGE_CACHED, .apart = true},
    {SPAN_INIT("cache_creation_input_tokens"), .count = USAGE_WRITTEN, .apart = true},
    {SPAN_INIT("output_tokens_details"), "thinking_tokens", .count = USAGE_REASONING},
    {.name = {0}},
};

const struct protocol protocol_anthropic = {
    .name = "anthropic",
    .framing = FRAMING_SSE,
    .request = anthropic_request,
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
