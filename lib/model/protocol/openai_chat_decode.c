#include "model/protocol/openai_chat.h"

#include <stdlib.h>

/* ---- strings ---- */

/* Store the string `value` in `out` unless something stands there already. */
static void keep_first(struct span value, struct buffer *out)
{
	if (out->len == 0)
		json_decode(value, out);
}

static void keep_last(struct span value, struct buffer *out)
{
	if (json_type(value) == JSON_STRING && value.len > 2) {
		buffer_clear(out);
		json_decode(value, out);
	}
}

/* ---- text and thinking ---- */

static void emit(struct chat_decoder *d, enum model_delta_type type, struct span text)
{
	const struct model_handler *handler = d->base.handler;

	if (text.len == 0)
		return;
	d->some = true;
	handler->delta(handler->context,
		       &(struct model_delta){.type = type, .text = text, .index = -1});
}

static void emit_content(void *context, bool thinking, struct span text)
{
	emit(context, thinking ? MODEL_THINKING : MODEL_TEXT, text);
}

static void read_text(struct chat_decoder *d, struct span value)
{
	struct span text = pieces_text(&d->pieces, &d->text_joint, value);

	if (text.len == 0)
		return;
	emit(d, MODEL_THINKING, joint_end(&d->thinking_joint));
	think_feed(&d->think, text);
}

bool chat_thinking(struct chat_decoder *d, struct span value)
{
	struct span text = pieces_text(&d->pieces, &d->thinking_joint, value);

	if (json_type(value) != JSON_STRING || value.len <= 2)
		return false;
	emit(d, MODEL_THINKING, text);
	return true;
}

/* Mistral: [{"type":"thinking","thinking":[{"type":"text","text":"..."}]},{"type":"text",...}] */
static void read_parts(struct chat_decoder *d, struct span parts)
{
	struct json_walk walk = json_walk(parts);

	while (json_next(&walk)) {
		struct span thinking = json_get(walk.value, "thinking");
		struct json_walk inner = json_walk(thinking);

		if (!json_is(json_get(walk.value, "type"), "thinking")) {
			read_text(d, json_get(walk.value, "text"));
			continue;
		}
		chat_thinking(d, thinking);
		while (json_next(&inner))
			chat_thinking(d, json_get(inner.value, "text"));
	}
}

/* ---- chunks ---- */

/* The members of a delta (or of a whole message) that say something. */
struct message {
	struct span content, refusal, tool_calls, details;
	struct span reasoning_content, reasoning, reasoning_text;
};

static struct message read_members(struct span delta)
{
	struct json_walk walk = json_walk(delta);
	struct message m = {0};

	while (json_next(&walk)) {
		struct span key = json_plain(walk.key);

		if (span_is(key, "content"))
			m.content = walk.value;
		else if (span_is(key, "tool_calls"))
			m.tool_calls = walk.value;
		else if (span_is(key, "reasoning_content"))
			m.reasoning_content = walk.value;
		else if (span_is(key, "reasoning"))
			m.reasoning = walk.value;
		else if (span_is(key, "reasoning_text"))
			m.reasoning_text = walk.value;
		else if (span_is(key, "reasoning_details"))
			m.details = walk.value;
		else if (span_is(key, "refusal"))
			m.refusal = walk.value;
	}
	return m;
}

static void read_message(struct chat_decoder *d, struct span delta)
{
	struct message m = read_members(delta);
	/* Several servers send the same reasoning under several names. */
	bool thought = chat_thinking(d, m.reasoning_content) || chat_thinking(d, m.reasoning) ||
		       chat_thinking(d, m.reasoning_text);

	if (m.details.at != NULL)
		chat_details_read(d, m.details, !thought);
	if (json_type(m.content) == JSON_ARRAY)
		read_parts(d, m.content);
	else
		read_text(d, m.content);
	if (m.refusal.at != NULL) {
		buffer_add_span(&d->refusal, pieces_text(&d->pieces, &d->refusal_joint, m.refusal));
		d->some |= d->refusal.len > 0;
	}
	if (m.tool_calls.at != NULL)
		chat_calls_read(d, m.tool_calls);
}

static void keep_usage(struct chat_decoder *d, struct span usage)
{
	if (json_type(usage) != JSON_OBJECT)
		return;
	buffer_clear(&d->usage);
	buffer_add_span(&d->usage, usage);
}

/* One element of "choices". Only the first choice is the answer. */
static void read_choice(struct chat_decoder *d, struct span choice)
{
	struct json_walk walk = json_walk(choice);
	struct span delta = {0}, message = {0};

	while (json_next(&walk)) {
		struct span key = json_plain(walk.key);

		if (span_is(key, "index") && json_int(walk.value, 0) != 0)
			return;
		if (span_is(key, "delta"))
			delta = walk.value;
		else if (span_is(key, "message"))
			message = walk.value;
		else if (span_is(key, "finish_reason"))
			keep_last(walk.value, &d->finish);
		else if (span_is(key, "usage"))
			keep_usage(d, walk.value);
	}
	read_message(d, delta.at != NULL ? delta : message);
}

static bool is_error(struct span value)
{
	switch (json_type(value)) {
	case JSON_STRING:
		return value.len > 2;
	case JSON_OBJECT:
	case JSON_ARRAY:
		return json_count(value) > 0;
	case JSON_BOOL:
		return json_true(value);
	default:
		return false;
	}
}

/* The members of a chunk that say something. */
struct chunk {
	struct span choices, usage, error, x_groq, object, detail, message;
};

static struct chunk read_chunk_members(struct chat_decoder *d, struct span json)
{
	struct json_walk walk = json_walk(json);
	struct chunk c = {0};

	while (json_next(&walk)) {
		struct span key = json_plain(walk.key);

		if (span_is(key, "choices"))
			c.choices = walk.value;
		else if (span_is(key, "usage"))
			c.usage = walk.value;
		else if (span_is(key, "id"))
			keep_first(walk.value, &d->id);
		else if (span_is(key, "model"))
			keep_first(walk.value, &d->model);
		else if (span_is(key, "object"))
			c.object = walk.value;
		else if (span_is(key, "error"))
			c.error = walk.value;
		else if (span_is(key, "x_groq"))
			c.x_groq = walk.value;
		else if (span_is(key, "detail"))
			c.detail = walk.value;
		else if (span_is(key, "message"))
			c.message = walk.value;
	}
	return c;
}

static bool read_chunk(struct chat_decoder *d, struct span json)
{
	struct json_walk walk;
	struct chunk c;

	if (json_type(json) == JSON_ARRAY)
		json = json_path(json, "0");
	c = read_chunk_members(d, json);
	walk = json_walk(c.choices);
	if (c.x_groq.at != NULL) {
		struct span error = json_get(c.x_groq, "error");

		keep_usage(d, json_get(c.x_groq, "usage"));
		if (is_error(error))
			c.error = error;
	}
	while (json_next(&walk))
		read_choice(d, walk.value);
	keep_usage(d, c.usage);
	if (is_error(c.error) && json_get(json, "error").at == NULL)
		return failure_read(&d->failure, d->base.provider, 0, c.error);
	if (is_error(c.error) ||
	    (c.choices.at == NULL && (json_is(c.object, "error") || is_error(c.detail) ||
				      json_type(c.message) == JSON_STRING)))
		return failure_read(&d->failure, d->base.provider, 0, json);
	return true;
}

/* ---- the protocol ---- */

static bool chat_event(struct decoder *decoder, struct span name, struct span data)
{
	struct chat_decoder *d = (struct chat_decoder *)decoder;
	struct json_fault fault;

	if (d->failure.kind != NULL)
		return false;
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
	data = json_trim(data);
	if (pieces_check(&d->pieces, data, &fault))
		return read_chunk(d, data);
	/* The last event of a stream that broke off: `end` decides whether it was needed. */
	d->torn = fault.offset >= data.len;
	if (d->torn)
		return true;
	return failure_set(&d->failure, "invalid_response", true,
			   "%s sent an event that is not JSON (%s at byte %zu)",
			   d->base.provider->name, fault.what, fault.offset);
}

static bool chat_document(struct decoder *decoder, struct span json)
{
	struct chat_decoder *d = (struct chat_decoder *)decoder;

	json = json_trim(json);
	if (json.len == 0 || !pieces_check(&d->pieces, json, NULL)) {
		struct buffer quote = {0};

		failure_quote(json, &quote);
		failure_set(&d->failure, "invalid_response", true,
			    "%s answered with something that is not a chat completion: %s",
			    d->base.provider->name, buffer_string(&quote));
		buffer_free(&quote);
		return false;
	}
	if (!read_chunk(d, json))
		return false;
	d->done = true;
	return true;
}

/* ---- the end ---- */

static bool ended_in_error(struct chat_decoder *d, struct span reason)
{
	const char *name = d->base.provider->name;

	if (span_is(reason, "error"))
		return !failure_set(&d->failure, "server", true,
				    "%s ended its answer with an error", name);
	if (span_is(reason, "insufficient_system_resource"))
		return !failure_set(&d->failure, "overloaded", true,
				    "%s interrupted its answer for lack of resources", name);
	if (span_is(reason, "network_error"))
		return !failure_set(&d->failure, "network", true,
				    "%s interrupted its answer because of a network error", name);
	return false;
}

/* How the answer ended, by the last reason given and by what was received: reasons are not reliable
 * (a server may say stop, or nothing, after a tool call, and tool_calls when the length ended it).
 */
static enum model_finish finish_of(struct chat_decoder *d)
{
	struct span reason = buffer_span(&d->finish);

	if (span_is(reason, "content_filter") || span_is(reason, "sensitive"))
		return MODEL_CONTENT_FILTER;
	if (d->refusal.len > 0)
		return MODEL_REFUSAL;
	if (span_is(reason, "length") || span_is(reason, "model_length") ||
	    span_is(reason, "max_tokens") || span_is(reason, "model_context_window_exceeded"))
		return MODEL_LENGTH;
	switch (chat_calls_args(d)) {
	case CHAT_ARGS_NONE:
		return MODEL_STOP;
	case CHAT_ARGS_CUT:
		return MODEL_LENGTH;
	default:
		return MODEL_TOOL_CALLS;
	}
}

static void check_end(struct chat_decoder *d)
{
	const char *name = d->base.provider->name;
	struct span reason = buffer_span(&d->finish);

	if (d->failure.kind != NULL || ended_in_error(d, reason) || reason.len > 0)
		return;
	if (d->done && !d->some)
		failure_set(&d->failure, "stream_truncated", true,
			    "%s answered nothing (is the conversation longer than the model's "
			    "context?)",
			    name);
	else if (!d->done)
		failure_set(&d->failure, "stream_truncated", true,
			    "%s broke off in the middle of its answer", name);
}

/* Whether the bytes broke off does not matter here: either the answer had ended before, or not. */
static void chat_end(struct decoder *decoder, bool cut, struct model_outcome *outcome)
{
	struct chat_decoder *d = (struct chat_decoder *)decoder;

	(void)cut;
	emit(d, MODEL_THINKING, joint_end(&d->thinking_joint));
	think_feed(&d->think, joint_end(&d->text_joint));
	think_end(&d->think);
	buffer_add_span(&d->refusal, joint_end(&d->refusal_joint));
	check_end(d);
	if (d->failure.kind == NULL && chat_calls_end(d))
		chat_details_end(d);

	*outcome = (struct model_outcome){
	    .usage = chat_usage(buffer_span(&d->usage)),
	    .response_id = d->id.len > 0 ? buffer_string(&d->id) : NULL,
	    .model = d->model.len > 0 ? buffer_string(&d->model) : NULL,
	    .error.retry_after_seconds = -1,
	};
	if (d->failure.kind != NULL) {
		failure_report(&d->failure, d->base.provider, outcome);
		return;
	}
	outcome->finish = finish_of(d);
	if (d->refusal.len > 0)
		outcome->refusal = buffer_string(&d->refusal);
}

static struct decoder *chat_decoder_new(const struct model_request *request)
{
	struct chat_decoder *d = mem_zero(sizeof(*d));

	(void)request;
	d->base.protocol = &protocol_openai_chat;
	d->think.emit = emit_content;
	d->think.context = d;
	return &d->base;
}

static void chat_decoder_free(struct decoder *decoder)
{
	struct chat_decoder *d = (struct chat_decoder *)decoder;

	buffer_free(&d->id);
	buffer_free(&d->model);
	buffer_free(&d->finish);
	buffer_free(&d->usage);
	buffer_free(&d->refusal);
	pieces_free(&d->pieces);
	buffer_free(&d->think.held);
	chat_details_free(d);
	chat_calls_free(d);
	failure_free(&d->failure);
	free(d);
}

const struct protocol protocol_openai_chat = {
    .name = "openai-chat",
    .framing = FRAMING_SSE,
    .request = chat_request,
    .answers_by_tool = chat_answers_by_tool,
    .decoder_new = chat_decoder_new,
    .event = chat_event,
    .document = chat_document,
    .end = chat_end,
    .decoder_free = chat_decoder_free,
    .list_request = chat_list_request,
    .list_read = chat_list_read,
};
