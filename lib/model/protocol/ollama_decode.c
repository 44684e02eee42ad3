#include "model/protocol/ollama.h"
#include "model/protocol/protocol.h"
#include "model/protocol/think.h"

struct ollama_decoder {
	struct decoder base;
	struct buffer id, name; /* of the call at hand */
	struct think think;
};

/* ---- calls: they come whole ---- */

/* The arguments as text: of an object, as documented, or the text of one. */
static struct span read_args(struct ollama_decoder *d, struct span value)
{
	struct buffer *args = &d->base.scratch;

	buffer_clear(args);
	if (json_type(value) == JSON_STRING)
		json_decode(value, args);
	else if (json_type(value) > JSON_NULL)
		json_write_compact(args, value);
	if (args->len == 0)
		buffer_add_text(args, "{}");
	return pieces_repair(&d->base.pieces, buffer_span(args));
}

static bool read_call(struct ollama_decoder *d, struct span call)
{
	struct span function = json_get(call, "function");
	int index;

	buffer_clear(&d->id);
	buffer_clear(&d->name);
	json_decode(json_get(call, "id"), &d->id);
	json_decode(json_get(function, "name"), &d->name);
	think_end(&d->think, &d->base);
	index = decoder_call(&d->base, buffer_span(&d->id), buffer_span(&d->name), false);
	if (index < 0)
		return false;
	decoder_emit_args(&d->base, index, read_args(d, json_get(function, "arguments")));
	return true;
}

/* ---- lines ---- */

static bool ollama_chunk(struct decoder *base, struct span event, struct span line)
{
	static const struct span names[] = {SPAN_INIT("message"),     SPAN_INIT("error"),
					    SPAN_INIT("model"),       SPAN_INIT("done"),
					    SPAN_INIT("done_reason"), {0}};
	static const struct span parts[] = {
	    SPAN_INIT("content"), SPAN_INIT("thinking"), SPAN_INIT("tool_calls"), {0}};
	enum { MESSAGE, ERROR, MODEL, DONE, REASON, MEMBERS };
	enum { CONTENT, THINKING, CALLS, PARTS };
	struct ollama_decoder *d = (struct ollama_decoder *)base;
	struct span member[MEMBERS], part[PARTS];

	decoder_members(base, line, names, member);
	if (span_is(event, "error") || json_type(member[ERROR]) > JSON_NULL)
		return decoder_fail_with(base, line);
	if (json_type(line) != JSON_OBJECT)
		return decoder_fail(base, "sent a line that is no object");
	decoder_store_first(&base->model, member[MODEL]);
	decoder_members(base, member[MESSAGE], parts, part);
	think_reasoning(&d->think, base, part[THINKING]);
	think_text(&d->think, base, part[CONTENT]);
	for (struct json_walk calls = decoder_walk(base, part[CALLS]); json_next(&calls);)
		if (!read_call(d, calls.value))
			return false;
	if (!json_true(member[DONE]))
		return true;
	decoder_usage(base, line);
	json_decode(member[REASON], &base->finish);
	base->done = base->some = true; /* an empty response is one, too */
	return true;
}

/* ---- the protocol ---- */

static void ollama_flush(struct decoder *base)
{
	think_end(&((struct ollama_decoder *)base)->think, base);
}

static void ollama_clear(struct decoder *base)
{
	struct ollama_decoder *d = (struct ollama_decoder *)base;

	buffer_free(&d->id);
	buffer_free(&d->name);
	think_free(&d->think);
}

/* A model that is not there can be fetched. */
static void ollama_advise(const struct provider *provider, const char *model,
			  struct failure *failure)
{
	if (failure->kind == ERROR_NOT_FOUND &&
	    strstr(buffer_string(&failure->message), "model") != NULL &&
	    strstr(provider->base_url, "ollama.com") == NULL)
		buffer_add_format(&failure->message, "; get it with: ollama pull %s", model);
}

/* done_reason stays "stop" after calls. */
static const struct finish_reason reasons[] = {{"length", .finish = MODEL_LENGTH}, {0}};

static const struct usage_name usage[] = {
    {SPAN_INIT("prompt_eval_count"), .count = USAGE_INPUT},
    {SPAN_INIT("eval_count"), .count = USAGE_OUTPUT},
    {.name = {0}},
};

const struct protocol protocol_ollama = {
    .name = "ollama",
    .framing = FRAMING_NDJSON,
    .request = ollama_request,
    .answers_by_tool = ollama_answers_by_tool,
    .decoder_size = sizeof(struct ollama_decoder),
    .reasons = reasons,
    .usage = usage,
    .not_response = "not a response",
    .chunk = ollama_chunk,
    .flush = ollama_flush,
    .clear = ollama_clear,
    .advise = ollama_advise,
    .list = {.path = "/api/tags",
	     .without = {"/api/chat", "/api", "/v1"},
	     .lists = {"models"},
	     .ids = {"model", "name"}},
};
