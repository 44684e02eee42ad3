/*
 * Ollama's own protocol, /api/chat.
 *
 * The response is NDJSON; its last line has "done": true. Calls come whole, their arguments as an
 * object. Their ids, if the server sends any, are optional in a request: a result names its tool.
 * Parameters of sampling and memory (temperature, num_ctx) are members of "options", so the user's
 * options go there, except for those of the request itself (keep_alive).
 */
#include "model/parameters.h"
#include "model/protocol/openai.h"
#include "model/protocol/protocol.h"
#include "model/protocol/think.h"

/* ---- the request: messages ---- */

/* The server enforces "format" without showing the schema to the model: the instructions contain
 * it. */
static void write_system(struct transcript *t)
{
	struct span text = transcript_instructions(t, true);

	if (text.len > 0)
		openai_put_message(t, "system", text);
}

/* Images are in a list beside the text; files cannot be sent. */
static bool write_attachment(struct transcript *t, const struct part *part)
{
	if (part->type != PART_IMAGE)
		return false;
	json_pack(&t->parts, "%j", part->data);
	return true;
}

static void end_users(struct transcript *t)
{
	struct span images = buffer_span(&t->parts), text = buffer_span(&t->text);

	if (images.len > 0)
		json_pack(t->out, "{'role':'user','content':%s,'images':[%j]}", text, images);
	else if (text.len > 0)
		openai_put_message(t, "user", text);
	buffer_clear(&t->text);
	buffer_clear(&t->parts);
}

/* The id that the server itself gave the call; empty where it gave none. */
static void call_id(struct transcript *t, const struct part *call, struct buffer *id)
{
	struct span own = transcript_own_id(t, call);

	json_decode(own.at != NULL ? own : call->tool_call_id, id);
}

static void write_call(struct transcript *t, const struct part *part, int64_t position)
{
	json_pack(t->out, "{'id':%s,'function':{'index':%d,'name':%j,'arguments':%j}}",
		  transcript_unless_empty(transcript_call_id(t, part)), position, part->tool_name,
		  transcript_args_text(t, part));
}

/* Reasoning goes back within the tool loop that is running, as the models' templates have it. */
static void write_thinking(struct transcript *t, const struct message *message)
{
	buffer_clear(&t->scratch);
	if (t->in_loop && transcript_is_own(t, message))
		transcript_add_thinking(message, &t->scratch);
	json_pack(t->out, "'thinking':%s", transcript_unless_empty(buffer_span(&t->scratch)));
}

static void write_response(struct transcript *t, const struct message *message)
{
	openai_put_response(t, message, "\"\"", write_thinking, write_call);
}

static void write_result(struct transcript *t, const struct transcript_call *call)
{
	json_pack(t->out, "{'role':'tool','content':%s,'tool_name':%j,'tool_call_id':%s}",
		  transcript_result_text(t, call->result),
		  call->result != NULL ? call->result->tool_name : call->part->tool_name,
		  transcript_unless_empty(call->id));
}

static const struct transcript_form form = {
    .member = "messages",
    .joins_users = true,
    .uses_in_loop = true,
    .id = call_id,
    .system = write_system,
    .attachment = write_attachment,
    .end_users = end_users,
    .response = write_response,
    .result = write_result,
};

/* ---- parameters ---- */

/* Options of the request itself are members of the body; all others are options of the model. */
static const char *const own[] = {
    "model", "messages", "stream", "format",   "keep_alive",   "tools", "options",
    "think", "truncate", "shift",  "logprobs", "top_logprobs", NULL,
};

static const struct parameter_place places[] = {{NULL, own}, {"options", NULL}};

static const struct parameter_rules rules = {
    .effort = "{\"none\":{\"think\":false},\"low\":{\"think\":true},\"medium\":{\"think\":true},"
	      "\"high\":{\"think\":true},\"max\":{\"think\":true}}",
    .places = places,
};

/* A tool choice cannot be sent: with "none" no tool is offered, with a name only that one. With
 * tools offered, a format would keep the model from calling one. */
static bool answers_by_tool(const struct transcript *t)
{
	return t->request->tool_count > 0 &&
	       parameters_choice(t->request->tool_choice) != CHOICE_NONE;
}

static bool write_body(struct transcript *t)
{
	const struct model_request *request = t->request;

	json_pack(t->out, "{'model':%t,'stream':true", t->model);
	transcript_put_messages(t);
	if (answers_by_tool(t))
		openai_put_functions(t, openai_named_tool(request));
	else
		json_pack(t->out, "'format':%j", request->schema);
	if (request->max_tokens > 0)
		json_pack(t->out, "'options':{'num_predict':%d}", request->max_tokens);
	json_close(t->out, '}');
	return parameters_apply(t, &rules);
}

static bool make_request(struct transcript *t, struct http_request *out)
{
	/* Neither can be requested. */
	if (t->request->tool_count > 0 && parameters_choice(t->request->tool_choice) == CHOICE_ANY)
		return parameters_refuse_force(t);
	if (parameters_one_call(t->request))
		return parameters_refuse_one_call(t);
	out->url = protocol_url(t->provider, "/api/chat");
	return transcript_request(t, &form, write_body);
}

struct ollama_decoder {
	struct decoder base;
	struct think think;
};

/* ---- calls: they come whole ---- */

static void read_call(struct ollama_decoder *d, struct span call)
{
	struct span function = decoder_get(&d->base, call, "function", 'o');
	struct span args = decoder_get(&d->base, function, "arguments", 'a'), text;
	int index;

	think_end(&d->think, &d->base);
	index =
	    decoder_read_call(&d->base, json_get(call, "id"), json_get(function, "name"), false);
	if (index < 0)
		return;
	text = decoder_args(&d->base, args);
	decoder_emit_args(&d->base, index, text.len > 0 ? text : SPAN("{}"));
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

	decoder_members(base, line, names, "....s", member);
	if (span_is(event, "error") || json_type(member[ERROR]) > JSON_NULL)
		return decoder_fail_with(base, line);
	decoder_store_first(&base->model, member[MODEL]);
	decoder_members(base, decoder_typed(base, "message", member[MESSAGE], 'o'), parts, "ssl",
			part);
	think_reasoning(&d->think, base, part[THINKING]);
	think_text(&d->think, base, part[CONTENT]);
	for (struct json_walk calls = decoder_walk(base, part[CALLS]);
	     decoder_next(base, &calls, "tool_calls[]");)
		read_call(d, calls.value);
	if (!json_true(member[DONE]))
		return true;
	decoder_usage(base, line);
	json_decode(member[REASON], &base->finish);
	base->done = true;
	return true;
}

/* ---- the protocol ---- */

static void ollama_flush(struct decoder *base)
{
	think_end(&((struct ollama_decoder *)base)->think, base);
}

static void ollama_clear(struct decoder *base)
{
	think_free(&((struct ollama_decoder *)base)->think);
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

static const struct usage_name usage[] = {
    {SPAN_INIT("prompt_eval_count"), .count = TOKENS_INPUT},
    {SPAN_INIT("eval_count"), .count = TOKENS_OUTPUT},
    {.name = {0}},
};
_Static_assert(ARRAY_LEN(usage) <= TOKENS_MAX_ROWS, "too many rows");

const struct protocol protocol_ollama = {
    .name = "ollama",
    .framing = FRAMING_NDJSON,
    .request = make_request,
    .answers_by_tool = answers_by_tool,
    .decoder_size = sizeof(struct ollama_decoder),
    .usage = usage,
    .stops_after_calls = true,
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
