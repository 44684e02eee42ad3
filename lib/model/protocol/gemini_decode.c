#include "model/protocol/gemini.h"

#include <stdlib.h>

#include "base/utf8.h"

/* How much of something else than an answer a message quotes. */
enum { QUOTED_BYTES = 200 };

static void keep_first(struct span value, struct buffer *out)
{
	if (out->len == 0)
		json_decode(value, out);
}

/* ---- why an answer ended ---- */

enum ending { ENDS_WELL, ENDS_CUT, ENDS_FILTERED, ENDS_BAD_CALL, ENDS_BADLY, ENDS_FOR_NOW };

/* `number` is what the reason is called where enums are numbers (Vertex AI: enum-encoding=int). */
static const struct reason {
	const char *name;
	enum ending ending;
	int number;
} reasons[] = {
    {"STOP", ENDS_WELL, 1},
    {"MAX_TOKENS", ENDS_CUT, 2},
    {"CONTINUATION", ENDS_CUT, -1},
    {"SAFETY", ENDS_FILTERED, 3},
    {"RECITATION", ENDS_FILTERED, 4},
    {"BLOCKLIST", ENDS_FILTERED, 6},
    {"PROHIBITED_CONTENT", ENDS_FILTERED, 7},
    {"SPII", ENDS_FILTERED, 8},
    {"MODEL_ARMOR", ENDS_FILTERED, 10},
    {"IMAGE_SAFETY", ENDS_FILTERED, 11},
    {"IMAGE_PROHIBITED_CONTENT", ENDS_FILTERED, 12},
    {"IMAGE_RECITATION", ENDS_FILTERED, 13},
    {"MALFORMED_FUNCTION_CALL", ENDS_BAD_CALL, 9},
    {"UNEXPECTED_TOOL_CALL", ENDS_BAD_CALL, 16},
    {"MALFORMED_RESPONSE", ENDS_FOR_NOW, -1},
    {"OTHER", ENDS_BADLY, 5},
    {"LANGUAGE", ENDS_BADLY, -1},
    {"NO_IMAGE", ENDS_BADLY, 15},
    {"IMAGE_OTHER", ENDS_BADLY, 14},
    {"TOO_MANY_TOOL_CALLS", ENDS_BADLY, -1},
    {"MISSING_THOUGHT_SIGNATURE", ENDS_BADLY, -1},
};

enum { REASON_COUNT = sizeof(reasons) / sizeof(reasons[0]) };

/* The reason as text; what only says that none is known is none. The last one holds. */
static void read_reason(struct span value, struct buffer *out)
{
	struct buffer text = {0};

	if (json_type(value) == JSON_NUMBER)
		buffer_add_span(&text, value);
	else
		json_decode(value, &text);
	for (size_t i = 0; json_type(value) == JSON_NUMBER && i < REASON_COUNT; i++)
		if (json_int(value, 0) == reasons[i].number) {
			buffer_clear(&text);
			buffer_add_text(&text, reasons[i].name);
		}
	if (text.len == 0 || span_ends(buffer_span(&text), "_UNSPECIFIED") ||
	    span_is(buffer_span(&text), "0")) {
		buffer_free(&text);
		return;
	}
	buffer_free(out);
	*out = text;
}

/* A reason that is not known yet is no fault. */
static enum ending ending_of(const struct gemini_decoder *d)
{
	for (size_t i = 0; i < REASON_COUNT; i++)
		if (span_is(buffer_span(&d->finish), reasons[i].name))
			return reasons[i].ending;
	return ENDS_WELL;
}

/* ---- chunks ---- */

static bool read_candidate(struct gemini_decoder *d, struct span candidate)
{
	struct span message = json_get(candidate, "finishMessage");
	struct json_walk walk = json_walk(json_path(candidate, "content.parts"));
	bool ok = true;

	if (json_int(json_get(candidate, "index"), 0) != 0)
		return true;
	while (ok && json_next(&walk))
		ok = gemini_part(d, walk.value);
	gemini_grounding_read(d, candidate);
	if (json_type(message) == JSON_STRING) {
		buffer_clear(&d->finish_message);
		json_decode(message, &d->finish_message);
	}
	read_reason(json_get(candidate, "finishReason"), &d->finish);
	return ok;
}

static void read_count(struct span usage, const char *name, int64_t *count)
{
	int64_t value = model_tokens(json_get(usage, name), -1);

	if (value >= 0)
		*count = value;
}

/* Counts are of the whole answer so far: the last one holds, and one that is left out stays. */
static void read_usage(struct gemini_decoder *d, struct span usage)
{
	read_count(usage, "promptTokenCount", &d->prompt);
	read_count(usage, "candidatesTokenCount", &d->candidates);
	read_count(usage, "thoughtsTokenCount", &d->thoughts);
	read_count(usage, "cachedContentTokenCount", &d->cached);
	read_count(usage, "toolUsePromptTokenCount", &d->tool_use);
}

static bool read_chunk(struct gemini_decoder *d, struct span chunk)
{
	struct json_walk walk = json_walk(json_get(chunk, "candidates"));
	struct span error = json_get(chunk, "error"), feedback = json_get(chunk, "promptFeedback");

	if (json_type(error) == JSON_OBJECT || json_type(error) == JSON_STRING)
		return failure_read(&d->failure, d->base.provider, 0, chunk);
	keep_first(json_get(chunk, "responseId"), &d->id);
	keep_first(json_get(chunk, "modelVersion"), &d->model);
	read_usage(d, json_get(chunk, "usageMetadata"));
	read_reason(json_get(feedback, "blockReason"), &d->block);
	keep_first(json_get(feedback, "blockReasonMessage"), &d->block_message);
	while (json_next(&walk))
		if (!read_candidate(d, walk.value))
			return false;
	return true;
}

/* One chunk, or a list of them. */
static bool read_chunks(struct gemini_decoder *d, struct span json)
{
	struct json_walk walk = json_walk(json);

	if (json_type(json) != JSON_ARRAY)
		return read_chunk(d, json);
	while (json_next(&walk))
		if (!read_chunk(d, walk.value))
			return false;
	return true;
}

/* ---- the protocol ---- */

static bool gemini_event(struct decoder *decoder, struct span name, struct span data)
{
	struct gemini_decoder *d = (struct gemini_decoder *)decoder;
	struct json_fault fault;

	if (d->failure.kind != NULL)
		return false;
	data = json_trim(data);
	if (data.len == 0)
		return true;
	if (span_starts(data, "[DONE]")) {
		d->done = true;
		return true;
	}
	if (span_is(name, "error"))
		return failure_read(&d->failure, d->base.provider, 0, data);
	if (d->torn)
		return failure_set(&d->failure, "invalid_response", true,
				   "%s sent half an event in the middle of its answer",
				   d->base.provider->name);
	if (pieces_check(&d->pieces, data, &fault))
		return read_chunks(d, data);
	/* The last event of a stream that broke off: `end` decides whether it was needed. */
	d->torn = fault.offset >= data.len;
	if (d->torn)
		return true;
	return failure_set(&d->failure, "invalid_response", true,
			   "%s sent an event that is not JSON (%s at byte %zu)",
			   d->base.provider->name, fault.what, fault.offset);
}

/* Whether `json` looks like an answer at all. */
static bool is_answer(struct span json)
{
	static const char *const members[] = {"candidates", "promptFeedback", "usageMetadata",
					      "error", NULL};

	if (json_type(json) == JSON_ARRAY)
		json = json_path(json, "0");
	for (size_t i = 0; members[i] != NULL; i++)
		if (json_get(json, members[i]).at != NULL)
			return true;
	return false;
}

static bool fail_answer(struct gemini_decoder *d, struct span text)
{
	struct buffer quoted = {0};

	if (text.len > QUOTED_BYTES)
		text.len = QUOTED_BYTES;
	text.len -= utf8_incomplete_tail(text);
	utf8_add(&quoted, text);
	failure_set(&d->failure, "invalid_response", true,
		    "%s answered with something that is not a response: %s", d->base.provider->name,
		    buffer_string(&quoted));
	buffer_free(&quoted);
	return false;
}

static bool gemini_document(struct decoder *decoder, struct span json)
{
	struct gemini_decoder *d = (struct gemini_decoder *)decoder;

	json = json_trim(json);
	if (json.len == 0 || !pieces_check(&d->pieces, json, NULL) || !is_answer(json))
		return fail_answer(d, json);
	if (!read_chunks(d, json))
		return false;
	d->done = true;
	return true;
}

/* ---- the end ---- */

/* The model did not get its call right: it is told so, and asked again. */
static void fail_call(struct gemini_decoder *d)
{
	const char *why = d->finish_message.len > 0 ? buffer_string(&d->finish_message)
						    : buffer_string(&d->finish);

	failure_set(&d->failure, "tool_validation", true, "%s refused the model's tool call: %s",
		    d->base.provider->name, why);
	buffer_add_span(&d->failure.code, buffer_span(&d->finish));
	buffer_add_format(&d->failure.feedback,
			  "Your last tool call was refused: %s\n"
			  "Try again with one of the tools offered and arguments that match its "
			  "schema.",
			  why);
}

static void fail_badly(struct gemini_decoder *d, bool for_now)
{
	failure_set(&d->failure, "server", for_now, "%s ended its answer with %s%s%s",
		    d->base.provider->name, buffer_string(&d->finish),
		    d->finish_message.len > 0 ? ": " : "", buffer_string(&d->finish_message));
	buffer_add_span(&d->failure.code, buffer_span(&d->finish));
}

static void fail_prompt(struct gemini_decoder *d)
{
	failure_set(&d->failure, "content_filter", false, "%s refused the prompt (blocked: %s%s%s)",
		    d->base.provider->name, buffer_string(&d->block),
		    d->block_message.len > 0 ? ": " : "", buffer_string(&d->block_message));
	buffer_add_span(&d->failure.code, buffer_span(&d->block));
}

static void check_end(struct gemini_decoder *d)
{
	const char *name = d->base.provider->name;

	if (d->failure.kind != NULL)
		return;
	if (d->finish.len == 0 && d->block.len > 0) {
		fail_prompt(d);
	} else if (d->finish.len == 0 && d->done && !d->some) {
		failure_set(&d->failure, "stream_truncated", true, "%s answered nothing", name);
	} else if (d->finish.len == 0 && !d->done) {
		failure_set(&d->failure, "stream_truncated", true,
			    "%s broke off in the middle of its answer", name);
	} else if (ending_of(d) == ENDS_BAD_CALL) {
		fail_call(d);
	} else if (ending_of(d) == ENDS_BADLY || ending_of(d) == ENDS_FOR_NOW) {
		fail_badly(d, ending_of(d) == ENDS_FOR_NOW);
	}
}

static enum model_finish finish_of(const struct gemini_decoder *d)
{
	switch (ending_of(d)) {
	case ENDS_FILTERED:
		return MODEL_CONTENT_FILTER;
	case ENDS_CUT:
		return MODEL_LENGTH;
	default:
		return d->calls_here > 0 ? MODEL_TOOL_CALLS : MODEL_STOP;
	}
}

/* The sum of two counts; -1 when there is neither. */
static int64_t sum(int64_t a, int64_t b)
{
	return a < 0 ? b : b < 0 ? a : a > INT64_MAX - b ? INT64_MAX : a + b;
}

/* What the provider's tools read into the prompt is counted apart from it, and thoughts apart from
 * the answer. */
static struct model_usage usage_of(const struct gemini_decoder *d)
{
	struct model_usage u = MODEL_USAGE_NONE;

	u.reasoning = d->thoughts;
	u.cached_input = d->cached;
	u.input = sum(d->prompt, d->tool_use);
	u.output = sum(d->candidates, d->thoughts);
	return u;
}

/* Whether the bytes broke off does not matter here: either the answer had ended before, or not. */
static void gemini_end(struct decoder *decoder, bool cut, struct model_outcome *outcome)
{
	struct gemini_decoder *d = (struct gemini_decoder *)decoder;

	(void)cut;
	check_end(d);
	if (d->failure.kind == NULL) {
		gemini_parts_end(d, ending_of(d) != ENDS_CUT);
		gemini_grounding_end(d);
	}
	*outcome = (struct model_outcome){
	    .usage = usage_of(d),
	    .response_id = d->id.len > 0 ? buffer_string(&d->id) : NULL,
	    .model = d->model.len > 0 ? buffer_string(&d->model) : NULL,
	    .error.retry_after_seconds = -1,
	};
	if (d->failure.kind != NULL)
		failure_report(&d->failure, d->base.provider, outcome);
	else
		outcome->finish = finish_of(d);
}

static struct decoder *gemini_decoder_new(const struct model_request *request)
{
	struct gemini_decoder *d = mem_zero(sizeof(*d));

	(void)request;
	d->base.protocol = &protocol_gemini;
	d->open = -1;
	d->prompt = d->candidates = d->thoughts = d->cached = d->tool_use = -1;
	return &d->base;
}

static void gemini_decoder_free(struct decoder *decoder)
{
	struct gemini_decoder *d = (struct gemini_decoder *)decoder;
	struct buffer *buffers[] = {&d->id,    &d->model,         &d->finish,    &d->finish_message,
				    &d->block, &d->block_message, &d->grounding, &d->url_context};

	for (size_t i = 0; i < sizeof(buffers) / sizeof(buffers[0]); i++)
		buffer_free(buffers[i]);
	gemini_parts_free(d);
	pieces_free(&d->pieces);
	failure_free(&d->failure);
	free(d);
}

const struct protocol protocol_gemini = {
    .name = "gemini",
    .framing = FRAMING_SSE,
    .request = gemini_request,
    .answers_by_tool = gemini_answers_by_tool,
    .decoder_new = gemini_decoder_new,
    .event = gemini_event,
    .document = gemini_document,
    .end = gemini_end,
    .decoder_free = gemini_decoder_free,
    .list_request = gemini_list_request,
    .list_read = gemini_list_read,
};
