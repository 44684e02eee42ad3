#include <stdlib.h>

#include "model/protocol/anthropic.h"
#include "model/protocol/bedrock.h"
#include "model/protocol/blocks.h"

/* One block is open at a time. The result of a call that the provider ran is a BLOCK_OTHER whose
 * `call` is that of the call. */
struct bedrock_decoder {
	struct block_decoder d;
	struct buffer redacted; /* of the open block: reasoning that only the provider can read, a
				 * JSON string; empty: none */
};

/* ---- the end of a block ---- */

/* What the provider's own tool returned, and the block as it must go back. */
static void emit_result(struct decoder *base, const struct block *block)
{
	struct span head = buffer_span(&block->json);
	struct buffer list = {0}, back = {0};

	if (block->call < 0)
		return;
	json_pack(&list, "[%j]", buffer_span(&block->items));
	decoder_emit_result(base, block->call, buffer_span(&list),
			    json_is(json_get(head, "status"), "error"));
	json_pack(&back, "{'result':%j,'content':%j}", head, buffer_span(&list));
	decoder_emit_data(base, MODEL_PART_DATA, block->call, buffer_span(&back));
	buffer_free(&list);
	buffer_free(&back);
}

static void stop_block(struct decoder *base)
{
	struct bedrock_decoder *b = (struct bedrock_decoder *)base;
	struct block *block = b->d.blocks;

	if (b->d.block_count == 0)
		return;
	block_end(&b->d, block);
	if (b->redacted.len > 0)
		decoder_emit_member(base, MODEL_OPAQUE, -1, "redactedContent",
				    buffer_span(&b->redacted));
	buffer_clear(&b->redacted);
	if (block->type == BLOCK_OTHER)
		emit_result(base, block);
	blocks_remove(&b->d, block);
}

/* ---- the beginning of a block ---- */

static struct block *begin(struct block_decoder *d, int64_t index, enum block_type type,
			   struct span json)
{
	stop_block(&d->base);
	return blocks_begin(d, index, type, json);
}

/* The block `index` of text or thinking: the open one, or a new one. */
static struct block *enter(struct block_decoder *d, int64_t index, enum block_type type)
{
	struct block *block = blocks_find(d, index);

	return block != NULL && block->type == type ? block : begin(d, index, type, SPAN("{}"));
}

/* {"toolUseId":"...","name":"...","type":"server_tool_use"}; the type only if the provider runs it
 */
static bool start_call(struct block_decoder *d, int64_t index, struct span call)
{
	struct span type = decoder_get(&d->base, call, "type", 's');
	bool by_provider = json_type(type) == JSON_STRING && !json_is(type, "tool_use");
	struct block *block = begin(d, index, by_provider ? BLOCK_PROVIDER_CALL : BLOCK_CALL, call);

	return block_call(d, block, json_get(call, "toolUseId"), json_get(call, "name"));
}

static void start_result(struct block_decoder *d, int64_t index, struct span result)
{
	begin(d, index, BLOCK_OTHER, result)->call =
	    decoder_find_call(&d->base, json_get(result, "toolUseId"));
}

/* The block `index` begins with what its start has (absent: nothing). */
static bool start_block(struct block_decoder *d, int64_t index, struct span start)
{
	struct span call = decoder_get(&d->base, start, "toolUse", 'o');
	struct span result = decoder_get(&d->base, start, "toolResult", 'o');

	stop_block(&d->base);
	if (call.at != NULL)
		return start_call(d, index, call);
	if (result.at != NULL)
		start_result(d, index, result);
	return true;
}

/* ---- how a block grows ---- */

static void add_text(struct block_decoder *d, int64_t index, enum block_type type, struct span text)
{
	block_grow(d, enter(d, index, type), text);
}

static void add_reasoning(struct block_decoder *d, int64_t index, struct span reasoning)
{
	struct buffer *redacted = &((struct bedrock_decoder *)d)->redacted;
	struct span more = decoder_get(&d->base, reasoning, "redactedContent", 's');

	add_text(d, index, BLOCK_THINKING, decoder_get(&d->base, reasoning, "text", 's'));
	decoder_join(&enter(d, index, BLOCK_THINKING)->signature,
		     decoder_get(&d->base, reasoning, "signature", 's'));
	/* Base64 cannot continue after its padding: what follows is another block. */
	if (more.at != NULL && span_ends(buffer_span(redacted), "=\"")) {
		stop_block(&d->base);
		enter(d, index, BLOCK_THINKING);
	}
	decoder_join(redacted, more);
}

/* Arguments are the text of JSON; as JSON they are accepted, too. */
static void add_args(struct block_decoder *d, struct block *block, struct span call)
{
	if (block->call >= 0 && block->type != BLOCK_OTHER)
		block_args(d, block, decoder_get(&d->base, call, "input", 'a'));
}

static void add_results(struct block *block, struct span results)
{
	if (block->type == BLOCK_OTHER)
		block_add_items(block, results);
}

static void grow_block(struct block_decoder *d, int64_t index, struct span delta)
{
	static const struct span names[] = {
	    SPAN_INIT("text"),    SPAN_INIT("citation"),   SPAN_INIT("reasoningContent"),
	    SPAN_INIT("toolUse"), SPAN_INIT("toolResult"), {0}};
	enum { TEXT, CITATION, REASONING, CALL, RESULT, MEMBERS };
	struct span member[MEMBERS];
	struct block *block;

	decoder_members(&d->base, delta, names, "soool", member);
	if (member[TEXT].at != NULL)
		add_text(d, index, BLOCK_TEXT, member[TEXT]);
	if (member[CITATION].at != NULL)
		block_add_item(enter(d, index, BLOCK_TEXT), member[CITATION]);
	if (member[REASONING].at != NULL)
		add_reasoning(d, index, member[REASONING]);
	block = blocks_find(d, index);
	if (block == NULL)
		return;
	add_args(d, block, member[CALL]);
	add_results(block, member[RESULT]);
}

/* ---- whole blocks ---- */

static void read_citations(struct block_decoder *d, int64_t index, struct span block)
{
	struct json_walk texts = json_walk(decoder_get(&d->base, block, "content", 'l'));

	while (decoder_next(&d->base, &texts, "content[]"))
		add_text(d, index, BLOCK_TEXT, decoder_get(&d->base, texts.value, "text", 's'));
	block_add_items(enter(d, index, BLOCK_TEXT), json_get(block, "citations"));
}

/* A block that came whole, in a document. */
static bool read_block(struct block_decoder *d, int64_t index, struct span block)
{
	struct span reasoning = decoder_get(&d->base, block, "reasoningContent", 'o');
	struct span text = decoder_get(&d->base, reasoning, "reasoningText", 'o');
	struct span cited = decoder_get(&d->base, block, "citationsContent", 'o');

	if (!start_block(d, index, block))
		return false;
	if (d->block_count > 0) {
		add_args(d, d->blocks, json_get(block, "toolUse"));
		add_results(d->blocks, json_path(block, "toolResult.content"));
	} else if (text.at != NULL)
		add_reasoning(d, index, text);
	else if (cited.at != NULL)
		read_citations(d, index, cited);
	else
		grow_block(d, index, block);
	stop_block(&d->base);
	return true;
}

/* ---- events ---- */

static void read_stop(struct decoder *base, struct span event)
{
	stop_block(base);
	buffer_clear(&base->finish);
	json_decode(decoder_get(base, event, "stopReason", 's'), &base->finish);
	if (base->finish.len == 0)
		buffer_add_text(&base->finish, "end_turn");
}

/* Unknown events are ignored. */
static bool bedrock_chunk(struct decoder *base, struct span name, struct span event)
{
	static const struct span names[] = {SPAN_INIT("contentBlockIndex"),
					    SPAN_INIT("delta"),
					    SPAN_INIT("start"),
					    SPAN_INIT("usage"),
					    {0}};
	enum { INDEX, DELTA, START, USAGE, MEMBERS };
	struct block_decoder *d = (struct block_decoder *)base;
	struct span member[MEMBERS];
	int64_t index;

	decoder_members(base, event, names, "noo.", member);
	index = json_int(member[INDEX], -1);
	if (span_is(name, "contentBlockDelta"))
		grow_block(d, index, member[DELTA]);
	else if (span_is(name, "contentBlockStart"))
		return start_block(d, index, member[START]);
	else if (span_is(name, "contentBlockStop"))
		stop_block(base);
	else if (span_is(name, "messageStop"))
		read_stop(base, event);
	else if (span_is(name, "metadata"))
		decoder_usage(base, member[USAGE]);
	return true;
}

/* The response to Converse, which does not stream. */
static bool bedrock_document(struct decoder *base, struct span json)
{
	struct block_decoder *d = (struct block_decoder *)base;
	struct span output = json_get(json, "output");
	struct span message = decoder_get(base, output, "message", 'o');
	struct json_walk walk = json_walk(decoder_get(base, message, "content", 'l'));

	if (json_type(output) != JSON_OBJECT)
		return decoder_fail_with(base, json);
	for (int64_t index = 0; decoder_next(base, &walk, "content[]"); index++)
		if (!read_block(d, index, walk.value))
			return false;
	read_stop(base, json);
	decoder_usage(base, json_get(json, "usage"));
	return true;
}

/* ---- exceptions ---- */

/* The HTTP status that each exception would have outside of a stream, which has no other. The
 * model's own failure is worth another attempt, as a server's is. */
static int status_of(struct span name)
{
	static const struct {
		const char *name;
		int status;
	} known[] = {
	    {"throttlingException", 429},       {"serviceUnavailableException", 503},
	    {"internalServerException", 500},   {"modelStreamErrorException", 500},
	    {"modelTimeoutException", 408},     {"modelNotReadyException", 429},
	    {"validationException", 400},       {"accessDeniedException", 403},
	    {"resourceNotFoundException", 404}, {"serviceQuotaExceededException", 400},
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (span_is(name, known[i].name))
			return known[i].status;
	return 500;
}

static bool bedrock_exception(struct decoder *base, struct span name, struct span payload)
{
	static const char *const names[] = {"message", "Message", "originalMessage", NULL};
	struct buffer text = {0}, json = {0};

	if (!json_check(payload, NULL))
		buffer_add_span(&text, payload);
	for (size_t i = 0; names[i] != NULL; i++)
		decoder_store_first(&text, json_get(payload, names[i]));
	json_pack(&json, "{'type':%s,'status_code':%d,'message':%s}", name,
		  (int64_t)status_of(name), text.len > 0 ? buffer_span(&text) : name);
	decoder_fail_with(base, buffer_span(&json));
	buffer_free(&text);
	buffer_free(&json);
	return false;
}

/* ---- the protocol ---- */

static void bedrock_clear(struct decoder *base)
{
	struct bedrock_decoder *d = (struct bedrock_decoder *)base;

	blocks_free(&d->d);
	buffer_free(&d->redacted);
}

#define MALFORMED(reason)                                                                          \
	{                                                                                          \
		reason, MODEL_ERROR, ERROR_INVALID_RESPONSE,                                       \
		    "ended its response because the model wrote something malformed (" reason ")", \
		    .retryable = true                                                              \
	}

static const struct finish_reason reasons[] = {
    {"pause_turn", .finish = MODEL_PAUSE},
    MALFORMED("malformed_model_output"),
    MALFORMED("malformed_tool_use"),
    {0},
};

static const struct usage_name usage[] = {
    {SPAN_INIT("inputTokens"), .count = TOKENS_INPUT},
    {SPAN_INIT("outputTokens"), .count = TOKENS_OUTPUT},
    {SPAN_INIT("cacheReadInputTokens"), .count = TOKENS_CACHED, .apart = true},
    {SPAN_INIT("cacheWriteInputTokens"), .count = TOKENS_CACHE_WRITE, .apart = true},
    {.name = {0}},
};
_Static_assert(ARRAY_LEN(usage) <= TOKENS_MAX_ROWS, "too many rows");

/* Models that answer with text, as a stream, as far as the list shows. */
static bool answers(struct span model)
{
	struct span streams = json_get(model, "responseStreamingSupported");
	struct span outputs = json_get(model, "outputModalities");

	return (json_type(outputs) != JSON_ARRAY || json_has(outputs, "TEXT")) &&
	       !json_false(streams);
}

const struct protocol protocol_bedrock = {
    .name = "bedrock",
    .framing = FRAMING_AWS,
    .request = bedrock_request,
    .answers_by_tool = anthropic_answers_by_tool,
    .decoder_size = sizeof(struct bedrock_decoder),
    .reasons = reasons,
    .usage = usage,
    .not_response = "no event stream",
    .chunk = bedrock_chunk,
    .document = bedrock_document,
    .exception = bedrock_exception,
    .flush = stop_block,
    .clear = bedrock_clear,
    /* Models are listed by another host than the one that runs them. */
    .list = {.path = "/foundation-models",
	     .host = {"://bedrock-runtime.", "://bedrock."},
	     .lists = {"modelSummaries"},
	     .ids = {"modelId"},
	     .names = {"modelName"},
	     .answers = answers},
};
