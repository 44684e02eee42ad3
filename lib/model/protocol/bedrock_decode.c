#include <stdlib.h>

#include "model/protocol/bedrock.h"
#include "model/protocol/protocol.h"

enum bedrock_kind {
	BEDROCK_NONE,
	BEDROCK_TEXT,
	BEDROCK_THINKING,
	BEDROCK_CALL,
	BEDROCK_RESULT, /* of a call that the provider ran */
};

/* The content block at hand. */
struct bedrock_block {
	int64_t index; /* the provider's */
	enum bedrock_kind kind;
	struct buffer signature; /* of reasoning, decoded */
	struct buffer redacted;  /* reasoning that only the provider can read: base64 */
	struct buffer list;      /* of text: citations; of a result: its content; JSON, separated by
				  * commas */
	struct buffer
	    head; /* of a result, or of a call by the provider: the object that began it */
	struct joint joint;
	int call;  /* of a call or a result: the index of the call; -1: an unknown one */
	bool some; /* something was emitted of it */
};

struct bedrock_decoder {
	struct decoder base;
	struct bedrock_block block;
	struct buffer *ids; /* of the calls, by index */
	bool text_open;     /* text was emitted last: the next of another block must not join it */
};

/* ---- deltas ---- */

static void emit(struct bedrock_decoder *d, struct model_delta delta)
{
	decoder_emit(&d->base, delta);
	d->text_open = delta.type == MODEL_TEXT;
}

static void emit_piece(struct bedrock_decoder *d, enum model_delta_type type, struct span text)
{
	emit(d, (struct model_delta){.type = type, .text = text, .index = -1});
}

/* `of_call`: the index of a call, or -1. */
static void emit_data(struct bedrock_decoder *d, enum model_delta_type type, int of_call,
		      const char *name, struct span json)
{
	decoder_emit_member(&d->base, type, of_call, name, json);
	d->text_open = false;
}

/* ---- how a block ends ---- */

static void emit_string(struct bedrock_decoder *d, enum model_delta_type type, const char *name,
			const struct buffer *text)
{
	struct buffer json = {0};

	json_write_string(&json, buffer_span(text));
	emit_data(d, type, -1, name, buffer_span(&json));
	buffer_free(&json);
}

/* The signature, and what nobody else can read, must go back; so must the bounds of the block. */
static void end_thinking(struct bedrock_decoder *d, struct bedrock_block *b)
{
	if (b->signature.len > 0) {
		if (!b->some)
			emit_piece(d, MODEL_THINKING, SPAN(""));
		emit_string(d, MODEL_PART_DATA, "signature", &b->signature);
	}
	if (b->redacted.len > 0)
		emit_string(d, MODEL_OPAQUE, "redactedContent", &b->redacted);
}

/* The list of `b` in brackets. */
static void write_list(const struct bedrock_block *b, struct buffer *out)
{
	json_open(out, '[');
	buffer_add_span(out, buffer_span(&b->list));
	json_close(out, ']');
}

static void end_text(struct bedrock_decoder *d, struct bedrock_block *b)
{
	struct buffer list = {0};

	if (b->list.len == 0 || !b->some)
		return;
	write_list(b, &list);
	emit_data(d, MODEL_PART_DATA, -1, "citations", buffer_span(&list));
	buffer_free(&list);
}

static void end_call(struct bedrock_decoder *d, struct bedrock_block *b)
{
	if (!b->some)
		decoder_emit_args(&d->base, b->call, SPAN("{}"));
	if (b->head.len > 0)
		emit(d, (struct model_delta){.type = MODEL_TOOL_RUNNING, .index = b->call});
}

/* What the provider's own tool returned, and the block as it must go back. */
static void end_result(struct bedrock_decoder *d, struct bedrock_block *b)
{
	struct span head = buffer_span(&b->head);
	struct buffer list = {0}, back = {0};

	if (b->call < 0)
		return;
	write_list(b, &list);
	emit(d, (struct model_delta){
		    .type = MODEL_TOOL_RESULT,
		    .index = b->call,
		    .is_error = json_is(json_get(head, "status"), "error"),
		    .text = pieces_repair(&d->base.pieces, buffer_span(&list)),
		});
	json_open(&back, '{');
	json_put_raw(&back, "result", head);
	json_put_raw(&back, "content", buffer_span(&list));
	json_close(&back, '}');
	decoder_emit_data(&d->base, MODEL_PART_DATA, b->call, buffer_span(&back));
	buffer_free(&list);
	buffer_free(&back);
}

/* What waits for the rest of a code point does not wait any longer. */
static void end_joint(struct bedrock_decoder *d, struct bedrock_block *b)
{
	struct span rest = joint_end(&b->joint);

	if (rest.len == 0)
		return;
	if (b->kind == BEDROCK_CALL)
		decoder_emit_args(&d->base, b->call, rest);
	else
		emit_piece(d, b->kind == BEDROCK_TEXT ? MODEL_TEXT : MODEL_THINKING, rest);
	b->some = true;
}

static void stop_block(struct decoder *base)
{
	struct bedrock_decoder *d = (struct bedrock_decoder *)base;
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
	stop_block(&d->base);
	b->kind = kind;
	b->index = index;
	b->call = -1;
	b->some = false;
	return b;
}

static int find_call(const struct bedrock_decoder *d, struct span id)
{
	for (int i = d->base.call_count; i-- > 0;)
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
	struct buffer name = {0}, id = {0};

	json_decode(json_get(call, "name"), &name);
	json_decode(json_get(call, "toolUseId"), &id);
	b->call = decoder_call(&d->base, buffer_span(&id), buffer_span(&name), by_provider);
	d->text_open = false;
	buffer_free(&name);
	if (b->call < 0) {
		b->kind = BEDROCK_NONE;
		buffer_free(&id);
		return false;
	}
	d->ids = array_grow(d->ids, (size_t)b->call, sizeof(*d->ids));
	d->ids[b->call] = id;
	if (by_provider)
		json_write_compact(&b->head, call);
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

/* The block `index` begins with what its start has (absent: nothing). */
static bool start_block(struct bedrock_decoder *d, int64_t index, struct span start)
{
	struct span call = json_get(start, "toolUse"), result = json_get(start, "toolResult");

	stop_block(&d->base);
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
	struct span text = pieces_text(&d->base.pieces, &b->joint, value);

	if (text.len == 0)
		return;
	/* Text that follows the text of another block is a part of its own: the citations of one do
	 * not belong to both. */
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
	struct buffer *args = &d->base.scratch;
	struct span text = {0};

	if (b->kind != BEDROCK_CALL || b->index != index)
		return;
	if (json_type(input) == JSON_STRING) {
		text = pieces_text(&d->base.pieces, &b->joint, input);
	} else if (input.at != NULL) {
		buffer_clear(args);
		json_write_compact(args, input);
		text = pieces_repair(&d->base.pieces, buffer_span(args));
	}
	b->some |= text.len > 0;
	decoder_emit_args(&d->base, b->call, text);
}

static void add_reasoning(struct bedrock_decoder *d, int64_t index, struct span reasoning)
{
	struct span redacted = json_get(reasoning, "redactedContent");
	struct span text = json_get(reasoning, "text");
	struct bedrock_block *b = enter(d, index, BEDROCK_THINKING);

	if (text.at != NULL)
		add_text(d, index, BEDROCK_THINKING, text);
	json_decode(json_get(reasoning, "signature"), &b->signature);
	/* Base64 cannot continue after its padding: what follows is another block. */
	if (redacted.at != NULL && span_ends(buffer_span(&b->redacted), "=")) {
		stop_block(&d->base);
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

static void grow_block(struct bedrock_decoder *d, int64_t index, struct span delta)
{
	static const struct span names[] = {
	    SPAN_INIT("text"),    SPAN_INIT("citation"),   SPAN_INIT("reasoningContent"),
	    SPAN_INIT("toolUse"), SPAN_INIT("toolResult"), {0}};
	enum { TEXT, CITATION, REASONING, CALL, RESULT, MEMBERS };
	struct span member[MEMBERS];

	decoder_members(&d->base, delta, names, member);
	if (json_type(member[TEXT]) == JSON_STRING)
		add_text(d, index, BEDROCK_TEXT, member[TEXT]);
	if (json_type(member[CITATION]) == JSON_OBJECT)
		add_item(&enter(d, index, BEDROCK_TEXT)->list, member[CITATION]);
	if (json_type(member[REASONING]) == JSON_OBJECT)
		add_reasoning(d, index, member[REASONING]);
	add_args(d, index, json_get(member[CALL], "input"));
	add_results(d, index, member[RESULT]);
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

/* A block that came whole, in a document. */
static bool read_block(struct bedrock_decoder *d, int64_t index, struct span block)
{
	struct span call = json_get(block, "toolUse"), result = json_get(block, "toolResult");
	struct span reasoning = json_get(block, "reasoningContent");
	struct span text = json_get(reasoning, "reasoningText");

	if (json_type(call) == JSON_OBJECT || json_type(result) == JSON_OBJECT) {
		if (!start_block(d, index, block))
			return false;
		add_args(d, index, json_get(call, "input"));
		add_results(d, index, json_get(result, "content"));
	} else if (json_type(text) == JSON_OBJECT) {
		add_reasoning(d, index, text);
	} else if (json_type(json_get(block, "citationsContent")) == JSON_OBJECT) {
		read_citations(d, index, json_get(block, "citationsContent"));
	} else {
		grow_block(d, index, block);
	}
	stop_block(&d->base);
	return true;
}

/* ---- events ---- */

static void read_stop(struct decoder *base, struct span event)
{
	stop_block(base);
	buffer_clear(&base->finish);
	json_decode(json_get(event, "stopReason"), &base->finish);
	if (base->finish.len == 0)
		buffer_add_text(&base->finish, "end_turn");
}

/* Unknown events are no fault. */
static bool bedrock_chunk(struct decoder *base, struct span name, struct span event)
{
	static const struct span names[] = {SPAN_INIT("contentBlockIndex"),
					    SPAN_INIT("delta"),
					    SPAN_INIT("start"),
					    SPAN_INIT("usage"),
					    {0}};
	enum { INDEX, DELTA, START, USAGE, MEMBERS };
	struct bedrock_decoder *d = (struct bedrock_decoder *)base;
	struct span member[MEMBERS];
	int64_t index;

	decoder_members(base, event, names, member);
	index = json_int(member[INDEX], 0);
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
	struct bedrock_decoder *d = (struct bedrock_decoder *)base;
	struct span output = json_get(json, "output");
	struct json_walk walk = json_walk(json_path(output, "message.content"));

	if (json_type(output) != JSON_OBJECT)
		return decoder_fail_with(base, json);
	for (int64_t index = 0; json_next(&walk); index++)
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

	if (json_check(payload, NULL)) {
		for (size_t i = 0; names[i] != NULL && text.len == 0; i++)
			json_decode(json_get(payload, names[i]), &text);
	} else {
		buffer_add_span(&text, payload);
	}
	if (text.len == 0)
		buffer_add_span(&text, name);
	json_open(&json, '{');
	json_put_string(&json, "type", name);
	json_put_int(&json, "status_code", status_of(name));
	json_put_string(&json, "message", buffer_span(&text));
	json_close(&json, '}');
	decoder_fail_with(base, buffer_span(&json));
	buffer_free(&text);
	buffer_free(&json);
	return false;
}

/* ---- the protocol ---- */

static void bedrock_clear(struct decoder *base)
{
	struct bedrock_decoder *d = (struct bedrock_decoder *)base;

	for (int i = 0; i < base->call_count; i++)
		buffer_free(&d->ids[i]);
	free(d->ids);
	buffer_free(&d->block.signature);
	buffer_free(&d->block.redacted);
	buffer_free(&d->block.list);
	buffer_free(&d->block.head);
}

#define MALFORMED(reason)                                                                          \
	{                                                                                          \
		reason, MODEL_ERROR, ERROR_INVALID_RESPONSE,                                       \
		    "ended its answer because the model wrote something malformed (" reason ")",   \
		    .retryable = true                                                              \
	}

static const struct finish_reason reasons[] = {
    {"guardrail_intervened", .finish = MODEL_CONTENT_FILTER},
    {"content_filtered", .finish = MODEL_CONTENT_FILTER},
    {"refusal", .finish = MODEL_REFUSAL},
    {"pause_turn", .finish = MODEL_PAUSE},
    {"max_tokens", .finish = MODEL_LENGTH},
    {"model_context_window_exceeded", .finish = MODEL_LENGTH},
    MALFORMED("malformed_model_output"),
    MALFORMED("malformed_tool_use"),
    {0},
};

static const struct usage_name usage[] = {
    {SPAN_INIT("inputTokens"), .count = USAGE_INPUT},
    {SPAN_INIT("outputTokens"), .count = USAGE_OUTPUT},
    {SPAN_INIT("cacheReadInputTokens"), .count = USAGE_CACHED, .apart = true},
    {SPAN_INIT("cacheWriteInputTokens"), .count = USAGE_WRITTEN, .apart = true},
    {.name = {0}},
};

/* Whether the list `list` has `word`; a model without the list may have it, too. */
static bool may(struct span list, const char *word)
{
	struct json_walk walk = json_walk(list);

	while (json_next(&walk))
		if (json_is(walk.value, word))
			return true;
	return json_type(list) != JSON_ARRAY;
}

/* Models that answer with text, as a stream. */
static bool answers(struct span model)
{
	struct span streams = json_get(model, "responseStreamingSupported");

	return may(json_get(model, "outputModalities"), "TEXT") &&
	       (json_type(streams) != JSON_BOOL || json_true(streams));
}

const struct protocol protocol_bedrock = {
    .name = "bedrock",
    .framing = FRAMING_AWS,
    .request = bedrock_request,
    .answers_by_tool = bedrock_answers_by_tool,
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
