#include "model/protocol/openai_responses.h"

#include <stdlib.h>

#include "model/protocol/openai_chat.h"

/* ---- items ---- */

static void item_added(struct responses_decoder *d, struct span event)
{
	struct responses_item *item = responses_take(d, event, true);

	if (item == NULL)
		return;
	if (item->kind == ITEM_CALL)
		responses_announce(d, item);
	else if (item->kind == ITEM_HOSTED)
		responses_hosted_begin(d, item);
}

static void item_done(struct responses_decoder *d, struct responses_item *item, struct span value)
{
	if (item == NULL || item->done)
		return;
	switch (item->kind) {
	case ITEM_MESSAGE:
		responses_message_done(d, item, value);
		break;
	case ITEM_REASONING:
		responses_reasoning_done(d, item, value);
		break;
	case ITEM_CALL:
		responses_call_done(d, item, value);
		break;
	case ITEM_HOSTED:
		responses_hosted_done(d, item, value);
		break;
	case ITEM_OUTPUT:
		responses_output_done(d, item, value);
		break;
	case ITEM_OPAQUE:
		responses_leave_reasoning(d, item);
		buffer_clear(&d->scratch);
		json_write_compact(&d->scratch, value);
		responses_emit(d, (struct model_delta){
				      .type = MODEL_OPAQUE,
				      .text = pieces_repair(&d->pieces, buffer_span(&d->scratch)),
				      .index = -1});
		break;
	}
	item->done = true;
	responses_pass_on(d, false);
}

/* ---- the response ---- */

static void keep_string(struct span value, struct buffer *out)
{
	if (json_type(value) == JSON_STRING && value.len > 2) {
		buffer_clear(out);
		json_decode(value, out);
	}
}

static void read_head(struct responses_decoder *d, struct span response)
{
	struct span usage = json_get(response, "usage");

	keep_string(json_get(response, "id"), &d->id);
	keep_string(json_get(response, "model"), &d->model);
	if (json_type(usage) == JSON_OBJECT) {
		buffer_clear(&d->usage);
		buffer_add_span(&d->usage, usage);
	}
}

/* The response as a whole has what events left out: items, their ends, and on Azure the encrypted
 * content of reasoning. */
static void read_output(struct responses_decoder *d, struct span output)
{
	struct json_walk walk = json_walk(output);

	for (size_t i = 0; i < d->item_count; i++)
		d->items[i]->listed = false;
	for (int64_t i = 0; json_next(&walk); i++) {
		struct responses_item *item = responses_listed(d, walk.value, i);
		struct span encrypted = json_get(walk.value, "encrypted_content");

		if (item != NULL && item->kind == ITEM_REASONING && item->done &&
		    !item->encrypted && json_type(encrypted) == JSON_STRING && encrypted.len > 2)
			responses_reasoning_late(item, walk.value);
		item_done(d, item, walk.value);
	}
}

/* What a response failed for is named by its code alone; of those that nothing else tells apart,
 * only what is the server's own fault may pass. */
static bool is_passing(const char *code)
{
	static const char *const words[] = {"server_error", "internal", "unavailable", "timeout",
					    NULL};

	for (size_t i = 0; words[i] != NULL; i++)
		if (strstr(code, words[i]) != NULL)
			return true;
	/* Of an error without a code it is the type, and that of every event. */
	return *code == '\0' || strcmp(code, "error") == 0 || (*code >= '0' && *code <= '9');
}

static bool read_failure(struct responses_decoder *d, struct span body)
{
	bool first = d->failure.kind == NULL;

	failure_read(&d->failure, d->base.provider, 0, body);
	if (first && strcmp(d->failure.kind, "server") == 0 &&
	    !is_passing(buffer_string(&d->failure.code))) {
		d->failure.kind = "invalid_request";
		d->failure.retryable = false;
	}
	return false;
}

static bool fail(struct responses_decoder *d, struct span response)
{
	struct span error = json_get(response, "error");

	if (json_type(error) == JSON_OBJECT || json_type(error) == JSON_STRING)
		return read_failure(d, response);
	return failure_set(&d->failure, "server", true, "%s did not finish its answer",
			   d->base.provider->name);
}

static bool is_error(struct span error)
{
	return (json_type(error) == JSON_OBJECT && json_count(error) > 0) ||
	       (json_type(error) == JSON_STRING && error.len > 2);
}

/* A response that is over; `status` is what the event's name says where the response has none. */
static bool read_response(struct responses_decoder *d, struct span response, const char *status)
{
	struct span said = json_get(response, "status");
	struct span reason = json_path(response, "incomplete_details.reason");
	bool incomplete = json_is(said, "incomplete") ||
			  (json_type(said) != JSON_STRING && strcmp(status, "incomplete") == 0);

	read_head(d, response);
	if (json_is(said, "failed") || json_is(said, "cancelled") ||
	    strcmp(status, "failed") == 0 || is_error(json_get(response, "error")))
		return fail(d, response);
	read_output(d, json_get(response, "output"));
	if (!incomplete)
		d->state = RESPONSES_COMPLETED;
	else
		d->state = json_is(reason, "content_filter") ? RESPONSES_FILTERED : RESPONSES_CUT;
	return true;
}

/* ---- events ---- */

/* A call's arguments, JSON or free form, in pieces or whole. */
static bool call_event(struct responses_decoder *d, struct span type, struct span event)
{
	bool custom = span_starts(type, "response.custom_tool_call_input.");
	struct responses_item *item;

	if (!custom && !span_starts(type, "response.function_call_arguments."))
		return false;
	item = responses_need(d, custom ? "custom_tool_call" : "function_call", event);
	if (item->done)
		return true;
	if (span_ends(type, ".delta")) {
		responses_args(d, item, json_get(event, "delta"));
	} else if (span_ends(type, ".done")) {
		if (item->name.len == 0)
			json_decode(json_get(event, "name"), &item->name);
		responses_args_done(d, item, json_get(event, custom ? "input" : "arguments"));
	}
	return true;
}

static bool is_reasoning_delta(struct span type)
{
	static const char *const types[] = {
	    "response.reasoning_summary_text.delta", "response.reasoning_text.delta",
	    "response.reasoning.delta", "response.reasoning_summary.delta", NULL};

	for (size_t i = 0; types[i] != NULL; i++)
		if (span_is(type, types[i]))
			return true;
	return false;
}

static bool read_event(struct responses_decoder *d, struct span type, struct span event)
{
	struct span response = json_get(event, "response");

	if (span_is(type, "error") || span_is(type, "response.error"))
		return read_failure(d, event);
	if (span_is(type, "response.output_text.delta"))
		responses_text_delta(d, event);
	else if (span_is(type, "response.output_text.done"))
		responses_text_done(d, event);
	else if (span_is(type, "response.refusal.delta"))
		responses_refusal_delta(d, event);
	else if (is_reasoning_delta(type))
		responses_reasoning_delta(d, type, event);
	else if (span_is(type, "response.output_item.added"))
		item_added(d, event);
	else if (span_is(type, "response.output_item.done"))
		item_done(d, responses_take(d, event, false), json_get(event, "item"));
	else if (span_is(type, "response.completed") || span_is(type, "response.done"))
		return read_response(d, response, "completed");
	else if (span_is(type, "response.incomplete"))
		return read_response(d, response, "incomplete");
	else if (span_is(type, "response.failed") || span_is(type, "response.cancelled"))
		return read_response(d, response, "failed");
	else if (response.at != NULL)
		read_head(d, response);
	else if (type.len == 0 && is_error(json_get(event, "error")))
		return read_failure(d, event);
	else if (!call_event(d, type, event) && span_starts(type, "response."))
		responses_hosted_event(d, type, event);
	return true;
}

/* ---- the protocol ---- */

static bool responses_event(struct decoder *decoder, struct span name, struct span data)
{
	struct responses_decoder *d = (struct responses_decoder *)decoder;
	struct json_fault fault;
	struct buffer type = {0};
	bool ok;

	if (d->failure.kind != NULL)
		return false;
	if (data.len == 0 || span_starts(data, "[DONE]"))
		return true;
	if (d->torn)
		return failure_set(&d->failure, "invalid_response", true,
				   "%s sent half an event in the middle of its answer",
				   d->base.provider->name);
	data = json_trim(data);
	if (!pieces_check(&d->pieces, data, &fault)) {
		if (span_is(name, "error"))
			return failure_read(&d->failure, d->base.provider, 0, data);
		/* The last event of a stream that broke off: `end` decides whether it mattered. */
		d->torn = fault.offset >= data.len;
		return d->torn || failure_set(&d->failure, "invalid_response", true,
					      "%s sent an event that is not JSON (%s at byte %zu)",
					      d->base.provider->name, fault.what, fault.offset);
	}
	/* Event names are left out by some servers, the type in the data never is. */
	if (!json_decode(json_get(data, "type"), &type))
		buffer_add_span(&type, name);
	ok = read_event(d, buffer_span(&type), data);
	buffer_free(&type);
	return ok;
}

static bool responses_document(struct decoder *decoder, struct span json)
{
	struct responses_decoder *d = (struct responses_decoder *)decoder;
	const char *name = d->base.provider->name;
	struct span status;

	json = json_trim(json);
	if (json.len == 0 || !pieces_check(&d->pieces, json, NULL))
		return failure_set(&d->failure, "invalid_response", true,
				   "%s answered with something that is not a response: %.*s", name,
				   json.len < 200 ? (int)json.len : 200, json.at);
	if (json_type(json) == JSON_ARRAY)
		json = json_path(json, "0");
	status = json_get(json, "status");
	if (json_type(json_get(json, "output")) != JSON_ARRAY && json_type(status) != JSON_STRING)
		return read_failure(d, json);
	if (json_is(status, "in_progress") || json_is(status, "queued"))
		return failure_set(&d->failure, "invalid_response", false,
				   "%s answered with a response that is not complete", name);
	return read_response(d, json, "completed");
}

/* ---- the end ---- */

static enum model_finish finish_of(struct responses_decoder *d)
{
	if (d->state == RESPONSES_FILTERED)
		return MODEL_CONTENT_FILTER;
	if (d->refusal.len > 0)
		return MODEL_REFUSAL;
	if (d->state == RESPONSES_CUT)
		return MODEL_LENGTH;
	switch (responses_calls_state(d)) {
	case ARGS_NONE:
		return MODEL_STOP;
	case ARGS_CUT:
		return MODEL_LENGTH;
	default:
		return MODEL_TOOL_CALLS;
	}
}

static struct model_usage usage_of(struct span usage)
{
	return (struct model_usage){
	    .input = model_tokens(json_get(usage, "input_tokens"), -1),
	    .output = model_tokens(json_get(usage, "output_tokens"), -1),
	    .cached_input =
		model_tokens(json_path(usage, "input_tokens_details.cached_tokens"), -1),
	    .cache_write =
		model_tokens(json_path(usage, "input_tokens_details.cache_write_tokens"), -1),
	    .reasoning =
		model_tokens(json_path(usage, "output_tokens_details.reasoning_tokens"), -1),
	    .cost_usd = chat_billed(usage),
	};
}

static void responses_end(struct decoder *decoder, bool cut, struct model_outcome *outcome)
{
	struct responses_decoder *d = (struct responses_decoder *)decoder;

	(void)cut;
	responses_flush(d);
	if (d->failure.kind == NULL && d->state == RESPONSES_OPEN)
		failure_set(&d->failure, "stream_truncated", true,
			    "%s broke off in the middle of its answer", d->base.provider->name);
	if (d->failure.kind == NULL && responses_calls_end(d))
		responses_hosted_end(d);
	*outcome = (struct model_outcome){
	    .usage = usage_of(buffer_span(&d->usage)),
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

static struct decoder *responses_decoder_new(const struct model_request *request)
{
	struct responses_decoder *d = mem_zero(sizeof(*d));

	(void)request;
	d->base.protocol = &protocol_openai_responses;
	return &d->base;
}

static void responses_decoder_free(struct decoder *decoder)
{
	struct responses_decoder *d = (struct responses_decoder *)decoder;

	responses_items_free(d);
	buffer_free(&d->id);
	buffer_free(&d->model);
	buffer_free(&d->usage);
	buffer_free(&d->refusal);
	buffer_free(&d->scratch);
	pieces_free(&d->pieces);
	failure_free(&d->failure);
	free(d);
}

const struct protocol protocol_openai_responses = {
    .name = "openai-responses",
    .framing = FRAMING_SSE,
    .request = responses_request,
    .answers_by_tool = chat_answers_by_tool,
    .decoder_new = responses_decoder_new,
    .event = responses_event,
    .document = responses_document,
    .end = responses_end,
    .decoder_free = responses_decoder_free,
    .list_request = chat_list_request,
    .list_read = chat_list_read,
    .advise = responses_advise,
};
