#include "model/protocol/anthropic.h"

#include <stdlib.h>

/* ---- what the message says beside its blocks ---- */

static void replace(struct buffer *out, struct span string)
{
	if (json_type(string) == JSON_STRING && string.len > 2) {
		buffer_clear(out);
		json_decode(string, out);
	}
}

static void read_count(struct span usage, const char *name, int64_t *count)
{
	int64_t value = model_tokens(json_get(usage, name), -1);

	if (value >= 0)
		*count = value;
}

/* Counts are of the whole answer so far: the last one holds, and one that is left out stays. */
static void read_usage(struct anthropic_decoder *d, struct span usage)
{
	read_count(usage, "input_tokens", &d->input);
	read_count(usage, "output_tokens", &d->output);
	read_count(usage, "cache_read_input_tokens", &d->cache_read);
	read_count(usage, "cache_creation_input_tokens", &d->cache_write);
	read_count(json_get(usage, "output_tokens_details"), "thinking_tokens", &d->thinking);
}

/* Of the message in message_start, and of the delta in message_delta. */
static void read_ending(struct anthropic_decoder *d, struct span from)
{
	struct span container = json_get(from, "container");

	replace(&d->stop_reason, json_get(from, "stop_reason"));
	replace(&d->refusal, json_path(from, "stop_details.explanation"));
	if (json_type(container) == JSON_OBJECT) {
		buffer_clear(&d->container);
		json_write_line(&d->container, pieces_repair(&d->pieces, container));
	}
}

/* A message, whole or as it begins. */
static void read_message(struct anthropic_decoder *d, struct span message)
{
	struct json_walk walk = json_walk(json_get(message, "content"));
	int64_t index = 0;

	replace(&d->id, json_get(message, "id"));
	replace(&d->model, json_get(message, "model"));
	read_usage(d, json_get(message, "usage"));
	read_ending(d, message);
	for (; d->failure.kind == NULL && json_next(&walk); index++) {
		anthropic_block_start(d, index, walk.value);
		anthropic_block_stop(d, index);
	}
}

/* ---- events ---- */

/* Some gateways send the beginning twice; others, whose connection broke, put another answer behind
 * the half of the first. The two cannot be told apart afterwards, nor sent back. */
static bool start(struct anthropic_decoder *d, struct span message)
{
	struct span id = json_get(message, "id");

	if (d->started) {
		if (id.at == NULL || json_is(id, buffer_string(&d->id)))
			return true;
		return failure_set(&d->failure, "invalid_response", true,
				   "%s began a second answer in the middle of the first",
				   d->base.provider->name);
	}
	d->started = true;
	read_message(d, message);
	return d->failure.kind == NULL;
}

/* Unknown events are no fault: new ones come every month. */
static bool read_event(struct anthropic_decoder *d, struct span json)
{
	struct span type = json_plain(json_get(json, "type"));
	int64_t index = json_int(json_get(json, "index"), 0);

	if (span_is(type, "content_block_delta")) {
		anthropic_block_delta(d, index, json_get(json, "delta"));
	} else if (span_is(type, "content_block_start")) {
		anthropic_block_start(d, index, json_get(json, "content_block"));
	} else if (span_is(type, "content_block_stop")) {
		anthropic_block_stop(d, index);
	} else if (span_is(type, "message_start")) {
		return start(d, json_get(json, "message"));
	} else if (span_is(type, "message_delta")) {
		read_ending(d, json_get(json, "delta"));
		read_usage(d, json_get(json, "usage"));
	} else if (span_is(type, "message_stop")) {
		d->done = true;
	} else if (span_is(type, "error") ||
		   (type.at == NULL && json_get(json, "error").at != NULL)) {
		return failure_read(&d->failure, d->base.provider, 0, json);
	}
	return d->failure.kind == NULL;
}

static bool anthropic_event(struct decoder *decoder, struct span name, struct span data)
{
	struct anthropic_decoder *d = (struct anthropic_decoder *)decoder;
	struct json_fault fault;

	if (d->failure.kind != NULL)
		return false;
	data = json_trim(data);
	if (data.len == 0 || d->done || span_starts(data, "[DONE]"))
		return true;
	if (d->torn)
		return failure_set(&d->failure, "invalid_response", true,
				   "%s sent half an event in the middle of its answer",
				   d->base.provider->name);
	if (pieces_check(&d->pieces, data, &fault))
		return read_event(d, data);
	if (span_is(name, "error"))
		return failure_read(&d->failure, d->base.provider, 0, data);
	/* The last event of a stream that broke off: `end` decides whether it was needed. */
	d->torn = fault.offset >= data.len;
	if (d->torn)
		return true;
	return failure_set(&d->failure, "invalid_response", true,
			   "%s sent an event that is not JSON (%s at byte %zu)",
			   d->base.provider->name, fault.what, fault.offset);
}

static bool anthropic_document(struct decoder *decoder, struct span json)
{
	struct anthropic_decoder *d = (struct anthropic_decoder *)decoder;

	json = json_trim(json);
	if (json.len == 0 || !pieces_check(&d->pieces, json, NULL) ||
	    (json_get(json, "error").at == NULL &&
	     json_type(json_get(json, "content")) != JSON_ARRAY))
		return failure_set(&d->failure, "invalid_response", true,
				   "%s answered with something that is not a message: %.*s",
				   d->base.provider->name, json.len < 200 ? (int)json.len : 200,
				   json.at);
	if (json_get(json, "error").at != NULL)
		return failure_read(&d->failure, d->base.provider, 0, json);
	read_message(d, json);
	d->done = true;
	return d->failure.kind == NULL;
}

/* ---- the end ---- */

static void check_end(struct anthropic_decoder *d)
{
	const char *name = d->base.provider->name;

	if (d->failure.kind != NULL || d->stop_reason.len > 0 || (d->done && d->some))
		return;
	if (d->done)
		failure_set(&d->failure, "stream_truncated", true, "%s answered nothing", name);
	else
		failure_set(&d->failure, "stream_truncated", true,
			    "%s broke off in the middle of its answer", name);
}

static enum model_finish finish_of(const struct anthropic_decoder *d)
{
	struct span reason = buffer_span(&d->stop_reason);

	if (span_is(reason, "refusal"))
		return MODEL_REFUSAL;
	if (span_is(reason, "max_tokens") || span_is(reason, "model_context_window_exceeded"))
		return MODEL_LENGTH;
	if (d->calls_here > 0)
		return MODEL_TOOL_CALLS;
	return span_is(reason, "pause_turn") ? MODEL_PAUSE : MODEL_STOP;
}

/* Where the provider ran code: the next request of the loop names it. */
static void keep_container(struct anthropic_decoder *d)
{
	struct buffer data = {0};

	if (d->container.len == 0)
		return;
	json_open(&data, '{');
	json_put_raw(&data, "container", buffer_span(&d->container));
	json_close(&data, '}');
	d->base.handler->delta(d->base.handler->context,
			       &(struct model_delta){.type = MODEL_MESSAGE_DATA,
						     .index = -1,
						     .text = buffer_span(&data)});
	buffer_free(&data);
}

/* Cached input and what is written to the cache are counted apart from the rest. */
static struct model_usage usage_of(const struct anthropic_decoder *d)
{
	struct model_usage u = MODEL_USAGE_NONE;

	u.input = d->input;
	if (d->cache_read > 0)
		u.input = (u.input > 0 ? u.input : 0) + d->cache_read;
	if (d->cache_write > 0)
		u.input = (u.input > 0 ? u.input : 0) + d->cache_write;
	u.output = d->output;
	u.cached_input = d->cache_read;
	u.cache_write = d->cache_write;
	u.reasoning = d->thinking;
	return u;
}

/* Whether the bytes broke off does not matter here: either the answer had ended before, or not. */
static void anthropic_end(struct decoder *decoder, bool cut, struct model_outcome *outcome)
{
	struct anthropic_decoder *d = (struct anthropic_decoder *)decoder;

	(void)cut;
	check_end(d);
	if (d->failure.kind == NULL) {
		anthropic_blocks_end(d);
		keep_container(d);
	}
	*outcome = (struct model_outcome){
	    .usage = usage_of(d),
	    .response_id = d->id.len > 0 ? buffer_string(&d->id) : NULL,
	    .model = d->model.len > 0 ? buffer_string(&d->model) : NULL,
	    .error.retry_after_seconds = -1,
	};
	if (d->failure.kind != NULL) {
		failure_report(&d->failure, d->base.provider, outcome);
		return;
	}
	outcome->finish = finish_of(d);
	if (outcome->finish == MODEL_REFUSAL && d->refusal.len > 0)
		outcome->refusal = buffer_string(&d->refusal);
}

static struct decoder *anthropic_decoder_new(const struct model_request *request)
{
	struct anthropic_decoder *d = mem_zero(sizeof(*d));

	d->base.protocol = &protocol_anthropic;
	d->input = d->output = d->cache_read = d->cache_write = d->thinking = -1;
	d->answer_by_tool = request->schema.at != NULL;
	return &d->base;
}

static void anthropic_decoder_free(struct decoder *decoder)
{
	struct anthropic_decoder *d = (struct anthropic_decoder *)decoder;

	anthropic_blocks_free(d);
	pieces_free(&d->pieces);
	buffer_free(&d->id);
	buffer_free(&d->model);
	buffer_free(&d->stop_reason);
	buffer_free(&d->refusal);
	buffer_free(&d->container);
	failure_free(&d->failure);
	free(d);
}

const struct protocol protocol_anthropic = {
    .name = "anthropic",
    .framing = FRAMING_SSE,
    .request = anthropic_request,
    .decoder_new = anthropic_decoder_new,
    .event = anthropic_event,
    .document = anthropic_document,
    .end = anthropic_end,
    .decoder_free = anthropic_decoder_free,
    .list_request = anthropic_list_request,
    .list_read = anthropic_list_read,
};
