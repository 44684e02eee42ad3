#include <stdlib.h>

#include "model/protocol/openai.h"
#include "model/protocol/openai_responses.h"

/* ---- kinds ---- */

enum responses_kind responses_kind_of(struct span type)
{
	if (span_is(type, "message"))
		return ITEM_MESSAGE;
	if (span_is(type, "reasoning"))
		return ITEM_REASONING;
	if (span_is(type, "function_call") || span_is(type, "custom_tool_call"))
		return ITEM_CALL;
	if (span_ends(type, "_output"))
		return ITEM_OUTPUT;
	if (span_ends(type, "_call") || span_is(type, "mcp_list_tools") ||
	    span_is(type, "mcp_approval_request") || span_is(type, "program"))
		return ITEM_HOSTED;
	return ITEM_OPAQUE;
}

/* ---- the list ---- */

/* The list is in the order of output_index; items that have none come last. */
static struct responses_item *insert(struct responses_decoder *d, struct span type, int64_t index)
{
	struct responses_item *item = mem_zero(sizeof(*item));
	size_t at = d->item_count;

	buffer_add_span(&item->type, type);
	item->kind = responses_kind_of(type);
	item->index = index;
	item->number = -1;
	d->items = array_grow(d->items, d->item_count, sizeof(*d->items));
	while (index >= 0 && at > 0 && d->items[at - 1]->index > index) {
		d->items[at] = d->items[at - 1];
		at--;
	}
	d->items[at] = item;
	d->item_count++;
	return item;
}

static struct responses_item *by_index(struct responses_decoder *d, enum responses_kind kind,
				       int64_t index)
{
	for (size_t i = d->item_count; index >= 0 && i-- > 0;)
		if (d->items[i]->kind == kind && d->items[i]->index == index)
			return d->items[i];
	return NULL;
}

static struct responses_item *by_id(struct responses_decoder *d, enum responses_kind kind,
				    struct span id)
{
	for (size_t i = d->item_count; decoder_is_text(id) && i-- > 0;)
		if (d->items[i]->kind == kind && json_is(id, buffer_string(&d->items[i]->id)))
			return d->items[i];
	return NULL;
}

static struct responses_item *by_call_id(struct responses_decoder *d, enum responses_kind kind,
					 struct span call_id)
{
	for (size_t i = d->item_count; decoder_is_text(call_id) && i-- > 0;)
		if (d->items[i]->kind == kind && !d->items[i]->done &&
		    json_is(call_id, buffer_string(&d->items[i]->call_id)))
			return d->items[i];
	return NULL;
}

/* Whether an open item may be the one at `index`: one of the two has no position. */
static bool may_be(const struct responses_item *item, enum responses_kind kind, int64_t index)
{
	return item->kind == kind && !item->done && (index < 0 || item->index < 0);
}

static struct responses_item *first_open(struct responses_decoder *d, enum responses_kind kind,
					 int64_t index)
{
	for (size_t i = 0; i < d->item_count; i++)
		if (may_be(d->items[i], kind, index))
			return d->items[i];
	return NULL;
}

static struct responses_item *last_open(struct responses_decoder *d, enum responses_kind kind,
					int64_t index)
{
	for (size_t i = d->item_count; i-- > 0;)
		if (may_be(d->items[i], kind, index))
			return d->items[i];
	return NULL;
}

/* ---- finding ---- */

struct responses_item *responses_find(struct responses_decoder *d, enum responses_kind kind,
				      const struct responses_event *event)
{
	struct responses_item *item = by_index(d, kind, event->output_index);

	if (item == NULL)
		item = by_id(d, kind, event->item_id);
	if (item == NULL)
		item = last_open(d, kind, event->output_index);
	return item;
}

struct responses_item *responses_need(struct responses_decoder *d, const char *type,
				      const struct responses_event *event)
{
	struct responses_item *item = responses_find(d, responses_kind_of(span_of(type)), event);

	if (item == NULL) {
		item = insert(d, span_of(type), event->output_index);
		json_decode(event->item_id, &item->id);
	}
	return item;
}

/* The members that name an item. Some proxies send another id in each event. */
static void describe(struct responses_item *item, struct span value)
{
	struct span id = json_get(value, "id");

	if (item->id.len == 0)
		json_decode(id, &item->id);
	else if (decoder_is_text(id) && !json_is(id, buffer_string(&item->id)))
		item->other_id = true;
	if (item->call_id.len == 0)
		json_decode(json_get(value, "call_id"), &item->call_id);
	if (item->name.len == 0)
		json_decode(json_get(value, "name"), &item->name);
}

/* The type of an item, decoded; valid until the next call. */
static struct span type_of(struct responses_decoder *d, struct span value)
{
	buffer_clear(&d->base.scratch);
	json_decode(json_get(value, "type"), &d->base.scratch);
	return buffer_span(&d->base.scratch);
}

/* Whether `value` has an id or call_id of `item`. */
static bool is_same(struct responses_item *item, struct span value)
{
	struct span id = json_get(value, "id"), call_id = json_get(value, "call_id");

	return (decoder_is_text(id) && json_is(id, buffer_string(&item->id))) ||
	       (decoder_is_text(call_id) && json_is(call_id, buffer_string(&item->call_id)));
}

/* Whether `value` is another id than `known`. */
static bool differs(struct buffer *known, struct span value)
{
	return known->len > 0 && decoder_is_text(value) && !json_is(value, buffer_string(known));
}

/* The item that `value` completes: by its position, else by its ids, which may be other ones in
 * every event. It is done already if the provider sends its end twice. */
static struct responses_item *ended_item(struct responses_decoder *d, enum responses_kind kind,
					 struct span value, int64_t index)
{
	struct responses_item *named = by_call_id(d, kind, json_get(value, "call_id"));
	struct responses_item *item = by_index(d, kind, index);

	if (named != NULL && named->index == index)
		return named;
	if (item != NULL && (!item->done || is_same(item, value)))
		return item;
	item = by_id(d, kind, json_get(value, "id"));
	if (item != NULL && !item->done)
		return item;
	if (named != NULL)
		return named;
	return first_open(d, kind, index);
}

/* The item that begins as `value`, if it is there already: a delta came too early, or the item
 * begins a second time. */
static struct responses_item *known_item(struct responses_decoder *d, enum responses_kind kind,
					 struct span value, int64_t index)
{
	struct responses_item *item = by_index(d, kind, index);

	if (item == NULL)
		item = by_id(d, kind, json_get(value, "id"));
	if (item == NULL || item->done || (item->index >= 0 && item->index != index))
		return NULL;
	if (item->added && (differs(&item->id, json_get(value, "id")) ||
			    differs(&item->call_id, json_get(value, "call_id"))))
		return NULL;
	return item;
}

/* The item that output_item.added or output_item.done is about. NULL: it has no type. */
static struct responses_item *item_of(struct responses_decoder *d,
				      const struct responses_event *event, bool added)
{
	struct span value = event->item;
	int64_t index = event->output_index;
	struct span type = type_of(d, value);
	enum responses_kind kind = responses_kind_of(type);
	struct responses_item *item;

	if (type.len == 0)
		return NULL;
	item = added ? known_item(d, kind, value, index) : ended_item(d, kind, value, index);
	if (item == NULL)
		item = insert(d, type, index);
	item->added |= added;
	describe(item, value);
	return item;
}

/* The item that `value`, at `index` of a response's "output", is: the first one of its type that is
 * not listed yet. NULL: it has no type. */
static struct responses_item *listed_item(struct responses_decoder *d, struct span value,
					  int64_t index)
{
	struct span type = type_of(d, value);
	struct responses_item *item = NULL;

	if (type.len == 0)
		return NULL;
	for (size_t i = 0; item == NULL && i < d->item_count; i++)
		if (!d->items[i]->listed && span_equal(buffer_span(&d->items[i]->type), type))
			item = d->items[i];
	if (item == NULL)
		item = insert(d, type, index);
	item->listed = true;
	if (!item->done)
		describe(item, value);
	return item;
}

/* ---- items begin and end ---- */

static void item_added(struct responses_decoder *d, const struct responses_event *event)
{
	struct responses_item *item = item_of(d, event, true);

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
		responses_opaque_done(d, item, value);
		break;
	}
	item->done = true;
	responses_pass_on(d, false);
}

/* ---- the response ---- */

static void read_head(struct responses_decoder *d, struct span response)
{
	decoder_store_last(&d->base.id, json_get(response, "id"));
	decoder_store_last(&d->base.model, json_get(response, "model"));
	decoder_usage(&d->base, json_get(response, "usage"));
}

/* The response as a whole has what events left out: items, their ends, and on Azure the encrypted
 * content of reasoning. */
static void read_output(struct responses_decoder *d, struct span output)
{
	struct json_walk walk = json_walk(output);

	for (size_t i = 0; i < d->item_count; i++)
		d->items[i]->listed = false;
	for (int64_t i = 0; json_next(&walk); i++) {
		struct responses_item *item = listed_item(d, walk.value, i);
		struct span encrypted = json_get(walk.value, "encrypted_content");

		if (item != NULL && item->kind == ITEM_REASONING && item->done &&
		    !item->encrypted && decoder_is_text(encrypted))
			responses_reasoning_late(item, walk.value);
		item_done(d, item, walk.value);
	}
}

/* The code is all that shows why a response failed. Of the codes that are not known, only those
 * that name a fault of the server are worth another attempt. */
static bool is_passing(const char *code)
{
	static const char *const words[] = {"server_error", "internal", "unavailable", "timeout",
					    NULL};

	for (size_t i = 0; words[i] != NULL; i++)
		if (strstr(code, words[i]) != NULL)
			return true;
	/* An error without a code has its type here, which is that of every error event. */
	return *code == '\0' || strcmp(code, "error") == 0 || (*code >= '0' && *code <= '9');
}

static bool read_failure(struct responses_decoder *d, struct span body)
{
	bool first = d->base.failure.kind == ERROR_NONE;

	decoder_fail_with(&d->base, body);
	if (first && d->base.failure.kind == ERROR_SERVER &&
	    !is_passing(buffer_string(&d->base.failure.code))) {
		d->base.failure.kind = ERROR_INVALID_REQUEST;
		d->base.failure.retryable = false;
	}
	return false;
}

static bool fail(struct responses_decoder *d, struct span response)
{
	struct span error = json_get(response, "error");

	if (json_type(error) == JSON_OBJECT || json_type(error) == JSON_STRING)
		return read_failure(d, response);
	return failure_set(&d->base.failure, ERROR_SERVER, true, "%s did not finish its answer",
			   d->base.provider->name);
}

/* A response that is over; `by_event` is the status that the event's name has, for responses
 * without one. */
static bool read_response(struct responses_decoder *d, struct span response, const char *by_event)
{
	struct span status = json_get(response, "status");
	struct span reason = json_path(response, "incomplete_details.reason");
	const char *finish = "completed";

	read_head(d, response);
	if (json_is(status, "failed") || json_is(status, "cancelled") ||
	    strcmp(by_event, "failed") == 0 || decoder_is_error(json_get(response, "error")))
		return fail(d, response);
	read_output(d, json_get(response, "output"));
	if (json_is(status, "incomplete") ||
	    (json_type(status) != JSON_STRING && strcmp(by_event, "incomplete") == 0))
		finish = json_is(reason, "content_filter") ? "content_filter" : "incomplete";
	buffer_clear(&d->base.finish);
	buffer_add_text(&d->base.finish, finish);
	return true;
}

/* ---- events ---- */

/* A call's arguments, JSON or free form, in pieces or whole. */
static bool call_event(struct responses_decoder *d, const struct responses_event *event)
{
	bool custom = span_starts(event->type, "response.custom_tool_call_input.");
	struct responses_item *item;

	if (!custom && !span_starts(event->type, "response.function_call_arguments."))
		return false;
	item = responses_need(d, custom ? "custom_tool_call" : "function_call", event);
	if (item->done)
		return true;
	if (span_ends(event->type, ".delta")) {
		responses_args(d, item, event->delta);
	} else if (span_ends(event->type, ".done")) {
		if (item->name.len == 0)
			json_decode(json_get(event->json, "name"), &item->name);
		responses_args_done(d, item, json_get(event->json, custom ? "input" : "arguments"));
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

static bool read_event(struct responses_decoder *d, const struct responses_event *event)
{
	struct span type = event->type;

	if (span_is(type, "response.output_text.delta"))
		responses_text_delta(d, event);
	else if (span_is(type, "response.output_text.done"))
		responses_text_done(d, event);
	else if (span_is(type, "error") || span_is(type, "response.error"))
		return read_failure(d, event->json);
	else if (span_is(type, "response.refusal.delta"))
		responses_refusal_delta(d, event);
	else if (is_reasoning_delta(type))
		responses_reasoning_delta(d, event);
	else if (span_is(type, "response.output_item.added"))
		item_added(d, event);
	else if (span_is(type, "response.output_item.done"))
		item_done(d, item_of(d, event, false), event->item);
	else if (span_is(type, "response.completed") || span_is(type, "response.done"))
		return read_response(d, event->response, "completed");
	else if (span_is(type, "response.incomplete"))
		return read_response(d, event->response, "incomplete");
	else if (span_is(type, "response.failed") || span_is(type, "response.cancelled"))
		return read_response(d, event->response, "failed");
	else if (event->response.at != NULL)
		read_head(d, event->response);
	else if (type.len == 0 && decoder_is_error(event->error))
		return read_failure(d, event->json);
	else if (!call_event(d, event) && span_starts(type, "response."))
		responses_hosted_event(d, event);
	return true;
}

/* Some servers leave event names out, but none the type in the data. */
static bool responses_chunk(struct decoder *base, struct span name, struct span json)
{
	static const struct span names[] = {SPAN_INIT("type"),          SPAN_INIT("delta"),
					    SPAN_INIT("output_index"),  SPAN_INIT("item_id"),
					    SPAN_INIT("item"),          SPAN_INIT("response"),
					    SPAN_INIT("error"),         SPAN_INIT("summary_index"),
					    SPAN_INIT("content_index"), {0}};
	enum { TYPE, DELTA, INDEX, ID, ITEM, RESPONSE, ERROR, SUMMARY, CONTENT, MEMBERS };
	struct responses_decoder *d = (struct responses_decoder *)base;
	struct span member[MEMBERS];
	struct responses_event event;

	decoder_members(base, json, names, member);
	event = (struct responses_event){
	    .json = json,
	    .type = json_type(member[TYPE]) == JSON_STRING ? json_plain(member[TYPE]) : name,
	    .delta = member[DELTA],
	    .output_index = json_int(member[INDEX], -1),
	    .item_id = member[ID],
	    .item = member[ITEM],
	    .response = member[RESPONSE],
	    .error = member[ERROR],
	    .summary_index = json_int(member[SUMMARY], 0),
	    .content_index = json_int(member[CONTENT], 0),
	};
	return read_event(d, &event);
}

static bool responses_document(struct decoder *base, struct span json)
{
	struct responses_decoder *d = (struct responses_decoder *)base;
	struct span status;

	if (json_type(json) == JSON_ARRAY)
		json = json_path(json, "0");
	status = json_get(json, "status");
	if (json_type(json_get(json, "output")) != JSON_ARRAY && json_type(status) != JSON_STRING)
		return read_failure(d, json);
	if (json_is(status, "in_progress") || json_is(status, "queued"))
		return failure_set(&base->failure, ERROR_INVALID_RESPONSE, false,
				   "%s answered with a response that is not complete",
				   base->provider->name);
	return read_response(d, json, "completed");
}

/* ---- the protocol ---- */

static void responses_flush(struct decoder *base)
{
	responses_items_flush((struct responses_decoder *)base);
}

static void responses_complete(struct decoder *base)
{
	responses_items_end((struct responses_decoder *)base);
}

static void responses_clear(struct decoder *base)
{
	struct responses_decoder *d = (struct responses_decoder *)base;

	for (size_t i = 0; i < d->item_count; i++) {
		struct responses_item *item = d->items[i];

		buffer_free(&item->type);
		buffer_free(&item->id);
		buffer_free(&item->text);
		buffer_free(&item->call_id);
		buffer_free(&item->name);
		buffer_free(&item->data);
		free(item);
	}
	free(d->items);
}

static const struct finish_reason reasons[] = {
    {"content_filter", .finish = MODEL_CONTENT_FILTER},
    {"incomplete", .finish = MODEL_LENGTH},
    {0},
};

static const struct usage_name usage[] = {
    {SPAN_INIT("input_tokens"), .count = USAGE_INPUT},
    {SPAN_INIT("output_tokens"), .count = USAGE_OUTPUT},
    {SPAN_INIT("input_tokens_details"), "cached_tokens", .count = USAGE_CACHED},
    {SPAN_INIT("input_tokens_details"), "cache_write_tokens", .count = USAGE_WRITTEN},
    {SPAN_INIT("output_tokens_details"), "reasoning_tokens", .count = USAGE_REASONING},
    USAGE_BILLED,
    {.name = {0}},
};

const struct protocol protocol_openai_responses = {
    .name = "openai-responses",
    .framing = FRAMING_SSE,
    .request = responses_request,
    .answers_by_tool = openai_answers_by_tool,
    .decoder_size = sizeof(struct responses_decoder),
    .reasons = reasons,
    .usage = usage,
    .not_response = "not a response",
    .chunk = responses_chunk,
    .document = responses_document,
    .flush = responses_flush,
    .complete = responses_complete,
    .clear = responses_clear,
    .advise = responses_advise,
    .list = OPENAI_LIST,
};
