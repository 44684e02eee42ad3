#include "model/protocol/openai_chat.h"

/* ---- chunks ---- */

/* Mistral: [{"type":"thinking","thinking":[{"type":"text","text":"..."}]},{"type":"text",...}] */
static void read_parts(struct chat_decoder *d, struct span parts)
{
	for (struct json_walk walk = json_walk(parts);
	     decoder_next(&d->base, &walk, "content[]");) {
		struct span type = decoder_get(&d->base, walk.value, "type", 's');
		struct span thinking = decoder_get(&d->base, walk.value, "thinking", 't');
		struct json_walk inner = json_walk(thinking);

		if (!json_is(type, "thinking")) {
			think_text(&d->think, &d->base,
				   decoder_get(&d->base, walk.value, "text", 's'));
			continue;
		}
		think_reasoning(&d->think, &d->base, thinking);
		while (decoder_next(&d->base, &inner, "thinking[]"))
			think_reasoning(&d->think, &d->base,
					decoder_get(&d->base, inner.value, "text", 's'));
	}
}

static void read_message(struct chat_decoder *d, struct span delta)
{
	static const struct span names[] = {
	    SPAN_INIT("content"),           SPAN_INIT("tool_calls"),    SPAN_INIT("refusal"),
	    SPAN_INIT("reasoning_content"), SPAN_INIT("reasoning"),     SPAN_INIT("reasoning_text"),
	    SPAN_INIT("reasoning_details"), SPAN_INIT("function_call"), {0}};
	enum { CONTENT, CALLS, REFUSAL, THINKING, THINKING_2, THINKING_3, DETAILS, CALL, MEMBERS };
	struct span member[MEMBERS];
	bool thought = false;

	decoder_members(&d->base, delta, names, "tlsssslo", member);
	/* Several servers send the same reasoning under several names. */
	for (size_t i = THINKING; !thought && i <= THINKING_3; i++)
		thought = think_reasoning(&d->think, &d->base, member[i]);
	chat_details_read(d, member[DETAILS], !thought);
	if (json_type(member[CONTENT]) == JSON_ARRAY)
		read_parts(d, member[CONTENT]);
	else
		think_text(&d->think, &d->base, member[CONTENT]);
	buffer_add_span(&d->base.refusal,
			pieces_text(&d->base.pieces, &d->partial_refusal, member[REFUSAL]));
	chat_calls_read(d, member[CALLS], member[CALL]);
}

/* One element of "choices". Only the first choice is the response. */
static void read_choice(struct chat_decoder *d, struct span choice)
{
	static const struct span names[] = {SPAN_INIT("index"),
					    SPAN_INIT("delta"),
					    SPAN_INIT("message"),
					    SPAN_INIT("finish_reason"),
					    SPAN_INIT("usage"),
					    SPAN_INIT("error"),
					    {0}};
	enum { INDEX, DELTA, MESSAGE, REASON, USAGE, ERROR, MEMBERS };
	struct span member[MEMBERS];

	decoder_members(&d->base, choice, names, "noos..", member);
	if (json_int(member[INDEX], 0) != 0)
		return;
	decoder_store_last(&d->base.finish, member[REASON]);
	decoder_usage(&d->base, member[USAGE]);
	read_message(d, member[DELTA].at != NULL ? member[DELTA] : member[MESSAGE]);
	if (decoder_is_error(member[ERROR]))
		decoder_fail_with(&d->base, choice);
}

static bool chat_chunk(struct decoder *base, struct span name, struct span json)
{
	static const struct span names[] = {SPAN_INIT("choices"), SPAN_INIT("usage"),
					    SPAN_INIT("error"),   SPAN_INIT("id"),
					    SPAN_INIT("model"),   SPAN_INIT("x_groq"),
					    SPAN_INIT("object"),  SPAN_INIT("message"),
					    SPAN_INIT("detail"),  {0}};
	enum { CHOICES, USAGE, ERROR, ID, MODEL, GROQ, OBJECT, MESSAGE, DETAIL, MEMBERS };
	struct chat_decoder *d = (struct chat_decoder *)base;
	struct span member[MEMBERS], groq_error = {0};

	if (span_is(name, "error"))
		return decoder_fail_with(base, json);
	decoder_members(base, json, names, "l........", member);
	decoder_store_first(&base->id, member[ID]);
	decoder_store_first(&base->model, member[MODEL]);
	if (member[GROQ].at != NULL) {
		decoder_usage(base, json_get(member[GROQ], "usage"));
		groq_error = json_get(member[GROQ], "error");
	}
	for (struct json_walk walk = decoder_walk(base, member[CHOICES]);
	     decoder_next(base, &walk, "choices[]");)
		read_choice(d, walk.value);
	decoder_usage(base, member[USAGE]);
	if (member[ERROR].at == NULL && decoder_is_error(groq_error))
		return decoder_fail_with(base, groq_error);
	if (decoder_is_error(member[ERROR]) || decoder_is_error(groq_error) ||
	    (member[CHOICES].at == NULL &&
	     (json_is(member[OBJECT], "error") || decoder_is_error(member[DETAIL]) ||
	      json_type(member[MESSAGE]) == JSON_STRING)))
		return decoder_fail_with(base, json);
	return true;
}

/* ---- the end ---- */

static void chat_flush(struct decoder *base)
{
	struct chat_decoder *d = (struct chat_decoder *)base;

	think_end(&d->think, base);
	buffer_add_span(&base->refusal, partial_char_end(&d->partial_refusal));
}

static void chat_complete(struct decoder *base)
{
	struct chat_decoder *d = (struct chat_decoder *)base;

	chat_calls_end(d);
	if (base->failure.kind == ERROR_NONE)
		chat_details_end(d);
}

/* ---- the protocol ---- */

static void chat_clear(struct decoder *base)
{
	struct chat_decoder *d = (struct chat_decoder *)base;

	think_free(&d->think);
	chat_details_free(d);
	chat_calls_free(d);
}

static const struct usage_name usage[] = {
    {SPAN_INIT("prompt_tokens"), .count = TOKENS_INPUT},
    {SPAN_INIT("completion_tokens"), .count = TOKENS_OUTPUT},
    {SPAN_INIT("prompt_tokens_details"), "cached_tokens", .count = TOKENS_CACHED},
    {SPAN_INIT("prompt_cache_hit_tokens"), .count = TOKENS_CACHED},
    {SPAN_INIT("cached_tokens"), .count = TOKENS_CACHED},
    {SPAN_INIT("prompt_tokens_details"), "cache_write_tokens", .count = TOKENS_CACHE_WRITE},
    {SPAN_INIT("completion_tokens_details"), "reasoning_tokens", .count = TOKENS_REASONING},
    {SPAN_INIT("reasoning_tokens"), .count = TOKENS_REASONING},
    {SPAN_INIT("total_tokens"), .count = TOKENS_TOTAL},
    TOKENS_BILLED,
    {.name = {0}},
};
_Static_assert(ARRAY_LEN(usage) <= TOKENS_MAX_ROWS, "too many rows");

const struct protocol protocol_openai_chat = {
    .name = "openai-chat",
    .framing = FRAMING_SSE,
    .request = chat_request,
    .answers_by_tool = openai_answers_by_tool,
    .decoder_size = sizeof(struct chat_decoder),
    .usage = usage,
    .done_ends = true,
    .not_response = "not a chat completion",
    .chunk = chat_chunk,
    .flush = chat_flush,
    .complete = chat_complete,
    .clear = chat_clear,
    .list = OPENAI_LIST,
};
