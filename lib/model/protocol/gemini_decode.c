#include <stdlib.h>

#include "model/protocol/gemini.h"

/* ---- why a response ended ---- */

static const struct finish_reason reasons[] = {
    {"STOP", .finish = MODEL_STOP, .number = 1},
    {"MAX_TOKENS", .finish = MODEL_LENGTH, .number = 2},
    {"CONTINUATION", .finish = MODEL_LENGTH},
    {"SAFETY", .finish = MODEL_CONTENT_FILTER, .number = 3},
    {"RECITATION", .finish = MODEL_CONTENT_FILTER, .number = 4},
    {"BLOCKLIST", .finish = MODEL_CONTENT_FILTER, .number = 6},
    {"PROHIBITED_CONTENT", .finish = MODEL_CONTENT_FILTER, .number = 7},
    {"SPII", .finish = MODEL_CONTENT_FILTER, .number = 8},
    {"MODEL_ARMOR", .finish = MODEL_CONTENT_FILTER, .number = 10},
    {"IMAGE_SAFETY", .finish = MODEL_CONTENT_FILTER, .number = 11},
    {"IMAGE_PROHIBITED_CONTENT", .finish = MODEL_CONTENT_FILTER, .number = 12},
    {"IMAGE_RECITATION", .finish = MODEL_CONTENT_FILTER, .number = 13},
    {"MALFORMED_FUNCTION_CALL", .finish = MODEL_ERROR, .kind = ERROR_TOOL_VALIDATION, .number = 9},
    {"UNEXPECTED_TOOL_CALL", .finish = MODEL_ERROR, .kind = ERROR_TOOL_VALIDATION, .number = 16},
    {"MALFORMED_RESPONSE", .finish = MODEL_ERROR, .kind = ERROR_SERVER, .retryable = true},
    {"OTHER", .finish = MODEL_ERROR, .kind = ERROR_SERVER, .number = 5},
    {"LANGUAGE", .finish = MODEL_ERROR, .kind = ERROR_SERVER},
    {"NO_IMAGE", .finish = MODEL_ERROR, .kind = ERROR_SERVER, .number = 15},
    {"IMAGE_OTHER", .finish = MODEL_ERROR, .kind = ERROR_SERVER, .number = 14},
    {"TOO_MANY_TOOL_CALLS", .finish = MODEL_ERROR, .kind = ERROR_SERVER},
    {"MISSING_THOUGHT_SIGNATURE", .finish = MODEL_ERROR, .kind = ERROR_SERVER},
    {0},
};

/* The reason as text (Vertex AI with enum-encoding=int sends numbers); one that stands for
 * "unknown" is ignored. The last reason applies. */
static void read_reason(struct span value, struct buffer *out)
{
	const struct finish_reason *reason = reasons;
	struct buffer text = {0};

	if (json_type(value) == JSON_NUMBER) {
		while (reason->name != NULL &&
		       (reason->number == 0 || reason->number != json_int(value, 0)))
			reason++;
		buffer_add_span(&text, reason->name != NULL ? span_of(reason->name) : value);
	}
	json_decode(value, &text);
	if (text.len > 0 && !span_is(buffer_span(&text), "0") &&
	    !span_ends(buffer_span(&text), "_UNSPECIFIED")) {
		buffer_clear(out);
		buffer_add_span(out, buffer_span(&text));
	}
	buffer_free(&text);
}

/* ---- sources ---- */

/* Every chunk may have such an object, often empty; the last ones with something in them apply. */
static void store_sources(struct gemini_decoder *d, struct span value, const char *a, const char *b,
			  struct buffer *out)
{
	if (json_count(json_get(value, a)) == 0 && json_count(json_get(value, b)) == 0)
		return;
	buffer_clear(out);
	json_write_line(out, pieces_repair(&d->base.pieces, value));
}

static void read_grounding(struct gemini_decoder *d, struct span grounding, struct span urls)
{
	store_sources(d, grounding, "webSearchQueries", "groundingChunks", &d->grounding);
	store_sources(d, urls, "urlMetadata", "urlMetadata", &d->url_context);
}

/* A call with the arguments {"`key`":`list`} that gave `result`. */
static void emit_call(struct gemini_decoder *d, const char *name, const char *key, struct span list,
		      struct span result)
{
	int index = gemini_start_call(d, (struct span){0}, span_of(name), RUN_AS_TOOL);
	struct buffer args = {0};

	json_pack(&args, "{%t:%j}", key, json_count(list) > 0 ? list : (struct span){0});
	gemini_run_call(d, index, buffer_span(&args));
	decoder_emit_result(&d->base, index, json_count(result) > 0 ? result : SPAN("[]"), false);
	buffer_free(&args);
}

/* The tool, by where its sources are from. */
static const char *search_name(struct span chunks)
{
	if (json_path(chunks, "0.maps").at != NULL)
		return "google_maps";
	if (json_path(chunks, "0.retrievedContext").at != NULL)
		return "file_search";
	return "google_search";
}

static void emit_urls(struct gemini_decoder *d, struct span list)
{
	struct json_walk walk = json_walk(list);
	struct buffer urls = {0};

	json_open(&urls, '[');
	while (json_next(&walk)) {
		struct span url = json_get(walk.value, "retrievedUrl");

		if (json_type(url) != JSON_STRING)
			continue;
		json_comma(&urls);
		buffer_add_span(&urls, url);
	}
	json_close(&urls, ']');
	emit_call(d, "url_context", "urls", buffer_span(&urls), list);
	buffer_free(&urls);
}

/* Searches show only in the sources, after the response, unless the calls were parts of it. */
static void end_grounding(struct gemini_decoder *d)
{
	struct span grounding = buffer_span(&d->grounding);
	struct span queries = json_get(grounding, "webSearchQueries");
	struct span chunks = json_get(grounding, "groundingChunks");
	struct span urls = json_get(buffer_span(&d->url_context), "urlMetadata");

	for (int i = 0; i < d->base.call_count; i++)
		if (d->calls[i].runner == RUN_AS_TOOL)
			return;
	if (urls.at != NULL)
		emit_urls(d, urls);
	if (json_count(queries) > 0 || (json_count(chunks) > 0 && urls.at == NULL))
		emit_call(d, search_name(chunks), "queries", queries, chunks);
}

/* ---- chunks ---- */

static void read_candidate(struct gemini_decoder *d, struct span candidate)
{
	static const struct span names[] = {SPAN_INIT("index"),
					    SPAN_INIT("content"),
					    SPAN_INIT("finishReason"),
					    SPAN_INIT("finishMessage"),
					    SPAN_INIT("groundingMetadata"),
					    SPAN_INIT("urlContextMetadata"),
					    {0}};
	enum { INDEX, CONTENT, REASON, MESSAGE, GROUNDING, URLS, MEMBERS };
	static const struct span inside[] = {SPAN_INIT("parts"), {0}};
	struct span member[MEMBERS], parts;
	struct json_walk walk;

	decoder_members(&d->base, candidate, names, "now...", member);
	if (json_int(member[INDEX], 0) != 0)
		return;
	decoder_members(&d->base, member[CONTENT], inside, "l", &parts);
	walk = decoder_walk(&d->base, parts);
	while (decoder_next(&d->base, &walk, "parts[]"))
		gemini_part(d, walk.value);
	read_grounding(d, member[GROUNDING], member[URLS]);
	decoder_store_last(&d->finish_message, member[MESSAGE]);
	read_reason(member[REASON], &d->base.finish);
}

static bool gemini_chunk(struct decoder *base, struct span name, struct span chunk)
{
	static const struct span names[] = {SPAN_INIT("candidates"),
					    SPAN_INIT("error"),
					    SPAN_INIT("promptFeedback"),
					    SPAN_INIT("responseId"),
					    SPAN_INIT("modelVersion"),
					    SPAN_INIT("usageMetadata"),
					    {0}};
	enum { CANDIDATES, ERROR, FEEDBACK, ID, MODEL, USAGE, MEMBERS };
	struct gemini_decoder *d = (struct gemini_decoder *)base;
	struct span member[MEMBERS];
	struct json_walk walk;

	decoder_members(base, chunk, names, "l.....", member);
	if (span_is(name, "error") || json_type(member[ERROR]) == JSON_OBJECT ||
	    json_type(member[ERROR]) == JSON_STRING)
		return decoder_fail_with(base, chunk);
	decoder_store_first(&base->id, member[ID]);
	decoder_store_first(&base->model, member[MODEL]);
	decoder_usage(base, member[USAGE]);
	if (member[FEEDBACK].at != NULL) {
		read_reason(json_get(member[FEEDBACK], "blockReason"), &d->block);
		decoder_store_first(&d->block_message,
				    json_get(member[FEEDBACK], "blockReasonMessage"));
	}
	walk = decoder_walk(base, member[CANDIDATES]);
	while (decoder_next(base, &walk, "candidates[]"))
		read_candidate(d, walk.value);
	return true;
}

static bool gemini_document(struct decoder *base, struct span json)
{
	static const char *const names[] = {"candidates", "promptFeedback", "usageMetadata",
					    "error", NULL};

	for (size_t i = 0; names[i] != NULL; i++)
		if (json_get(json, names[i]).at != NULL)
			return gemini_chunk(base, (struct span){0}, json);
	return decoder_fail_document(base, json);
}

/* ---- the end ---- */

/* The model's call was wrong: the next request explains it to the model. */
static void fail_call(struct gemini_decoder *d)
{
	struct failure *failure = &d->base.failure;
	const char *why =
	    buffer_string(d->finish_message.len > 0 ? &d->finish_message : &d->base.finish);

	failure_set(failure, ERROR_TOOL_VALIDATION, true, "%s refused the model's tool call: %s",
		    d->base.provider->name, why);
	buffer_add_format(&failure->feedback,
			  "Your last tool call was refused: %s\n"
			  "Try again with one of the tools offered and arguments that match its "
			  "schema.",
			  why);
}

static void check_reason(struct decoder *base)
{
	struct gemini_decoder *d = (struct gemini_decoder *)base;
	const struct finish_reason *reason = decoder_reason(base);
	bool is_blocked = base->finish.len == 0 && d->block.len > 0;
	const char *name = base->provider->name;

	if (base->failure.kind != ERROR_NONE)
		return;
	if (is_blocked)
		failure_set(&base->failure, ERROR_CONTENT_FILTER, false,
			    "%s refused the prompt (blocked: %s%s%s)", name,
			    buffer_string(&d->block), d->block_message.len > 0 ? ": " : "",
			    buffer_string(&d->block_message));
	else if (reason == NULL || reason->finish != MODEL_ERROR)
		return;
	else if (reason->kind == ERROR_TOOL_VALIDATION)
		fail_call(d);
	else
		failure_set(&base->failure, reason->kind, reason->retryable,
			    "%s ended its response with %s%s%s", name, reason->name,
			    d->finish_message.len > 0 ? ": " : "",
			    buffer_string(&d->finish_message));
	buffer_add_span(&base->failure.code, buffer_span(is_blocked ? &d->block : &base->finish));
}

static void gemini_complete(struct decoder *base)
{
	struct gemini_decoder *d = (struct gemini_decoder *)base;
	const struct finish_reason *reason = decoder_reason(base);

	gemini_parts_end(d, reason == NULL || reason->finish != MODEL_LENGTH);
	end_grounding(d);
}

/* ---- the protocol ---- */

static void gemini_begin(struct decoder *base)
{
	((struct gemini_decoder *)base)->open = -1;
}

static void gemini_clear(struct decoder *base)
{
	struct gemini_decoder *d = (struct gemini_decoder *)base;

	buffer_free(&d->finish_message);
	buffer_free(&d->block);
	buffer_free(&d->block_message);
	buffer_free(&d->grounding);
	buffer_free(&d->url_context);
	gemini_parts_free(d);
}

static const struct usage_name usage[] = {
    {SPAN_INIT("promptTokenCount"), .count = TOKENS_INPUT},
    {SPAN_INIT("candidatesTokenCount"), .count = TOKENS_OUTPUT},
    {SPAN_INIT("thoughtsTokenCount"), .count = TOKENS_REASONING, .apart = true},
    {SPAN_INIT("cachedContentTokenCount"), .count = TOKENS_CACHED},
    {SPAN_INIT("toolUsePromptTokenCount"), .count = TOKENS_TOOLS, .apart = true},
    {.name = {0}},
};
_Static_assert(ARRAY_LEN(usage) <= TOKENS_MAX_ROWS, "too many rows");

/* The list of models of Vertex AI does not belong to a project: remove the project from the URL. */
static void list_base(const struct provider *provider, struct buffer *out)
{
	const char *project;

	gemini_base_url(provider, out);
	project = strstr(buffer_string(out), "/v1/projects/");
	if (project != NULL) {
		out->len = (size_t)(project - out->at);
		buffer_add_text(out, "/v1beta1/publishers/google");
	}
}

/* Models that embed or draw are in the list, too. */
static bool answers(struct span model)
{
	struct span methods = json_get(model, "supportedGenerationMethods");

	return methods.at == NULL || json_has(methods, "generateContent");
}

const struct protocol protocol_gemini = {
    .name = "gemini",
    .framing = FRAMING_SSE,
    .request = gemini_request,
    .answers_by_tool = gemini_answers_by_tool,
    .decoder_size = sizeof(struct gemini_decoder),
    .reasons = reasons,
    .usage = usage,
    .stops_after_calls = true,
    .done_ends = true,
    .not_response = "not a response",
    .begin = gemini_begin,
    .chunk = gemini_chunk,
    .document = gemini_document,
    .flush = check_reason,
    .complete = gemini_complete,
    .clear = gemini_clear,
    .list = {.path = "/models?pageSize=1000",
	     .base = list_base,
	     .lists = {"models", "publisherModels"},
	     .ids = {"name"},
	     .names = {"displayName"},
	     .windows = {"inputTokenLimit"},
	     .id_is_path = true,
	     .answers = answers},
};
