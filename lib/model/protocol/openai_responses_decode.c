#include <stdlib.h>

#include "model/protocol/openai.h"
#include "model/protocol/openai_responses.h"

/* The members that most events have. */
enum { TYPE, DELTA, INDEX, ID, ITEM, RESPONSE, ERROR, SUMMARY, CONTENT, MEMBERS };
static const struct span names[] = {SPAN_INIT("type"),          SPAN_INIT("delta"),
				    SPAN_INIT("output_index"),  SPAN_INIT("item_id"),
				    SPAN_INIT("item"),          SPAN_INIT("response"),
				    SPAN_INIT("error"),         SPAN_INIT("summary_index"),
				    SPAN_INIT("content_index"), {0}};

struct responses_event {
	struct span json, type; /* type: as text */
	struct span member[MEMBERS];
	int64_t index; /* output_index; -1: none */
};

/* ---- the list of items ---- */

static enum responses_kind kind_of(struct span type)
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

/* The list is in the order of output_index; items that have none come last. */
static struct responses_item *insert(struct responses_decoder *d, struct span type, int64_t index)
{
	struct responses_item *item = mem_zero(sizeof(*item));
	size_t at = d->item_count;

	buffer_add_span(&item->type, type);
	item->kind = kind_of(type);
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

/* ---- finding ---- */

/* What is known of the item that an event is about; absent ids, index -1: nothing. */
struct item_key {
	enum responses_kind kind;
	int64_t index;
	struct span id, call_id;
};

static struct item_key key_of(struct span type, struct span value, int64_t index)
{
	return (struct item_key){kind_of(type), index, json_get(value, "id"),
				 json_get(value, "call_id")};
}

enum match { BY_INDEX, BY_ID, BY_CALL_ID, FIRST_OPEN, LAST_OPEN };

static bool is_id(struct span id, struct buffer *known)
{
	return decoder_is_text(id) && json_is(id, buffer_string(known));
}

static bool is_other_id(struct span id, struct buffer *known)
{
	return known->len > 0 && decoder_is_text(id) && !json_is(id, buffer_string(known));
}

/* An open item may be any that is not done, if it has no position or the key has none. */
static bool matches(struct responses_item *item, enum match by, const struct item_key *key)
{
	if (item->kind != key->kind)
		return false;
	if (by == BY_INDEX)
		return key->index >= 0 && item->index == key->index;
	if (by == BY_ID)
		return is_id(key->id, &item->id);
	if (by == BY_CALL_ID)
		return !item->done && is_id(key->call_id, &item->call_id);
	return !item->done && (key->index < 0 || item->index < 0);
}

/* The last item that matches, or the first open one; NULL: there is none. */
static struct responses_item *find(struct responses_decoder *d, enum match by,
				   const struct item_key *key)
{
	for (size_t i = 0; i < d->item_count; i++) {
		size_t at = by == FIRST_OPEN ? i : d->item_count - 1 - i;

		if (matches(d->items[at], by, key))
			return d->items[at];
	}
	return NULL;
}

/* The item of the type `type` to which an event belongs: by its output_index, else by its item_id,
 * else the last one that is not done. NULL: there is none. */
static struct responses_item *item_of_event(struct responses_decoder *d, struct span type,
					    const struct responses_event *event)
{
	struct item_key key = {kind_of(type), event->index, .id = event->member[ID]};
	struct responses_item *item = find(d, BY_INDEX, &key);

	if (item == NULL)
		item = find(d, BY_ID, &key);
	return item != NULL ? item : find(d, LAST_OPEN, &key);
}

/* The same; a new one if there is none. */
static struct responses_item *need(struct responses_decoder *d, const char *type,
				   const struct responses_event *event)
{
	struct responses_item *item = item_of_event(d, span_of(type), event);

	if (item == NULL) {
		item = insert(d, span_of(type), event->index);
		json_decode(event->member[ID], &item->id);
	}
	return item;
}

/* Store the members that name an item. Some proxies send another id in each event. */
static void describe(struct responses_item *item, struct span value)
{
	struct span id = json_get(value, "id");

	item->other_id |= is_other_id(id, &item->id);
	decoder_store_first(&item->id, id);
	decoder_store_first(&item->call_id, json_get(value, "call_id"));
	decoder_store_first(&item->name, json_get(value, "name"));
}

/* The item that is completed: by its position, else by its ids, which may be other ones in every
 * event. It is done already if the provider sends its end twice. */
static struct responses_item *ended_item(struct responses_decoder *d, const struct item_key *key)
{
	struct responses_item *named = find(d, BY_CALL_ID, key), *item = find(d, BY_INDEX, key);

	if (named != NULL && named->index == key->index)
		return named;
	if (item != NULL &&
	    (!item->done || is_id(key->id, &item->id) || is_id(key->call_id, &item->call_id)))
		return item;
	item = find(d, BY_ID, key);
	if (item != NULL && !item->done)
		return item;
	return named != NULL ? named : find(d, FIRST_OPEN, key);
}

/* The item that begins, if it is there already: a delta came too early, or the item begins a second
 * time. */
static struct responses_item *begun_item(struct responses_decoder *d, const struct item_key *key)
{
	struct responses_item *item = find(d, BY_INDEX, key);

	if (item == NULL)
		item = find(d, BY_ID, key);
	if (item == NULL || item->done || (item->index >= 0 && item->index != key->index))
		return NULL;
	if (item->added &&
	    (is_other_id(key->id, &item->id) || is_other_id(key->call_id, &item->call_id)))
		return NULL;
	return item;
}

/* The type of an item, decoded; valid until the next call. Empty: there is no item. */
static struct span type_of(struct responses_decoder *d, struct span value)
{
	buffer_clear(&d->base.scratch);
	json_decode(decoder_get(&d->base, value, "type", 's'), &d->base.scratch);
	if (d->base.scratch.len == 0 && json_count(value) > 0)
		decoder_fail(&d->base, "sent an item of its response without a type");
	return buffer_span(&d->base.scratch);
}

/* The item that output_item.added or output_item.done is about. NULL: it has no type. */
static struct responses_item *item_of(struct responses_decoder *d,
				      const struct responses_event *event, bool added)
{
	struct span type = type_of(d, event->member[ITEM]);
	struct item_key key = key_of(type, event->member[ITEM], event->index);
	struct responses_item *item;

	if (type.len == 0)
		return NULL;
	item = added ? begun_item(d, &key) : ended_item(d, &key);
	if (item == NULL)
		item = insert(d, type, event->index);
	item->added |= added;
	describe(item, event->member[ITEM]);
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
	for (int64_t i = 0; decoder_next(&d->base, &walk, "output[]"); i++) {
		struct responses_item *item = listed_item(d, walk.value, i);
		struct span encrypted = json_get(walk.value, "encrypted_content");

		if (item != NULL && item->kind == ITEM_REASONING && item->done &&
		    !item->encrypted && decoder_is_text(encrypted))
			responses_keep_reasoning(item, walk.value);
		responses_done(d, item, walk.value);
	}
}

/* Of the codes that are not known, only those that name a fault of the server are worth another
 * attempt. */
static bool is_server_fault(const char *code)
{
	static const char *const words[] = {"server_error", "internal", "unavailable", "timeout"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strstr(code, words[i]) != NULL)
			return true;
	/* An error without a code has its type here, which is that of every error event. */
	return *code == '\0' || strcmp(code, "error") == 0 || (*code >= '0' && *code <= '9');
}

/* Only the code shows why a response failed. */
static void read_failure(struct responses_decoder *d, struct span body)
{
	struct failure *failure = &d->base.failure;
	bool first = failure->kind == ERROR_NONE;

	decoder_fail_with(&d->base, body);
	if (!first || failure->kind != ERROR_SERVER ||
	    is_server_fault(buffer_string(&failure->code)))
		return;
	failure->kind = ERROR_INVALID_REQUEST;
	failure->retryable = false;
}

/* A response that is over; `by_event` is the status in the name of its event, for responses without
 * one. */
static void read_response(struct responses_decoder *d, struct span response, const char *by_event)
{
	struct span status = decoder_get(&d->base, response, "status", 's');
	struct span details = decoder_get(&d->base, response, "incomplete_details", 'o');
	struct span reason = decoder_get(&d->base, details, "reason", 's');
	struct span error = json_get(response, "error");
	bool incomplete = json_is(status, "incomplete") ||
			  (status.at == NULL && strcmp(by_event, "incomplete") == 0);

	read_head(d, response);
	if (json_is(status, "failed") || json_is(status, "cancelled") ||
	    strcmp(by_event, "failed") == 0 || decoder_is_error(error)) {
		if (json_type(error) == JSON_OBJECT || json_type(error) == JSON_STRING)
			read_failure(d, response);
		else
			failure_set(&d->base.failure, ERROR_SERVER, true,
				    "%s did not finish its response", d->base.provider->name);
		return;
	}
	read_output(d, decoder_get(&d->base, response, "output", 'l'));
	buffer_clear(&d->base.finish);
	buffer_add_text(&d->base.finish, !incomplete                         ? "completed"
					 : json_is(reason, "content_filter") ? "content_filter"
									     : "incomplete");
}

/* ---- events ---- */

/* Functions of the table of events: `word` is the third column. */

/* A piece of the text or arguments of an item of the type `word`. */
static void read_piece(struct responses_decoder *d, const struct responses_event *event,
		       const char *word)
{
	responses_piece(d, need(d, word, event), event->member[DELTA]);
}

/* All of them. The text of a message is that of one content part: it counts if no piece came. */
static void read_whole(struct responses_decoder *d, const struct responses_event *event,
		       const char *word)
{
	struct responses_item *item = need(d, word, event);
	struct span whole = decoder_get(&d->base, event->json, "arguments", 'a');

	decoder_store_first(&item->name, json_get(event->json, "name"));
	if (whole.at == NULL)
		whole = decoder_get(&d->base, event->json, "input", 's');
	if (whole.at == NULL)
		whole = decoder_get(&d->base, event->json, "text", 's');
	if (item->kind != ITEM_MESSAGE || item->text.len == 0)
		responses_whole(d, item, whole);
}

static void read_refusal(struct responses_decoder *d, const struct responses_event *event,
			 const char *word)
{
	responses_refusal(d, need(d, word, event),
			  decoder_get(&d->base, event->json, "delta", 's'));
}

/* A reasoning has a summary and its own text, each in parts. */
static void read_reasoning(struct responses_decoder *d, const struct responses_event *event,
			   const char *word)
{
	bool summary = span_starts(event->type, "response.reasoning_summary");
	int64_t number = json_int(event->member[summary ? SUMMARY : CONTENT], 0);
	struct span text = json_type(event->member[DELTA]) == JSON_OBJECT
			       ? json_get(event->member[DELTA], "text")
			       : event->member[DELTA];

	responses_reasoning(d, need(d, word, event), 2 * (uint64_t)number + summary, text);
}

/* An item begins ("added") or is done. */
static void read_item(struct responses_decoder *d, const struct responses_event *event,
		      const char *word)
{
	bool added = strcmp(word, "added") == 0;
	struct responses_item *item = item_of(d, event, added);

	if (item != NULL && added)
		responses_begin(d, item);
	else
		responses_done(d, item, event->member[ITEM]);
}

/* The response is over, with the status `word`. */
static void read_end(struct responses_decoder *d, const struct responses_event *event,
		     const char *word)
{
	read_response(d, event->member[RESPONSE], word);
}

/* The type of the item that an event about a hosted call belongs to, "mcp_call" of
 * "response.mcp_call_arguments.delta"; absent if it is about none. */
static struct span hosted_type(struct span type)
{
	struct span name = span_from(type, strlen("response."));

	for (size_t len = strlen("_call"); len <= name.len; len++)
		if (span_ends((struct span){name.at, len}, "_call"))
			return (struct span){name.at, len};
	return span_starts(name, "mcp_list_tools.") ? SPAN("mcp_list_tools") : (struct span){0};
}

static void hosted_event(struct responses_decoder *d, const struct responses_event *event)
{
	struct span type = hosted_type(event->type);
	struct responses_item *item =
	    kind_of(type) == ITEM_HOSTED ? item_of_event(d, type, event) : NULL;
	bool code = span_ends(event->type, "_code.done");

	if (item == NULL || item->running)
		return;
	if (span_ends(event->type, "_code.delta") || span_ends(event->type, "_arguments.delta"))
		responses_piece(d, item, event->member[DELTA]);
	if (!code && !span_ends(event->type, "_arguments.done"))
		return;
	responses_whole(d, item, json_get(event->json, code ? "code" : "arguments"));
	responses_run(d, item);
}

static const struct {
	const char *type;
	void (*read)(struct responses_decoder *d, const struct responses_event *event,
		     const char *word);
	const char *word;
} events[] = {
    {"response.output_text.delta", read_piece, "message"},
    {"response.output_text.done", read_whole, "message"},
    {"response.refusal.delta", read_refusal, "message"},
    {"response.reasoning_summary_text.delta", read_reasoning, "reasoning"},
    {"response.reasoning_summary.delta", read_reasoning, "reasoning"},
    {"response.reasoning_text.delta", read_reasoning, "reasoning"},
    {"response.reasoning.delta", read_reasoning, "reasoning"},
    {"response.function_call_arguments.delta", read_piece, "function_call"},
    {"response.function_call_arguments.done", read_whole, "function_call"},
    {"response.custom_tool_call_input.delta", read_piece, "custom_tool_call"},
    {"response.custom_tool_call_input.done", read_whole, "custom_tool_call"},
    {"response.output_item.added", read_item, "added"},
    {"response.output_item.done", read_item, "done"},
    {"response.completed", read_end, "completed"},
    {"response.done", read_end, "completed"},
    {"response.incomplete", read_end, "incomplete"},
    {"response.failed", read_end, "failed"},
    {"response.cancelled", read_end, "failed"},
};

static void read_event(struct responses_decoder *d, const struct responses_event *event)
{
	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		if (span_is(event->type, events[i].type)) {
			events[i].read(d, event, events[i].word);
			return;
		}
	if (span_is(event->type, "error") || span_is(event->type, "response.error") ||
	    (event->type.len == 0 && decoder_is_error(event->member[ERROR])))
		read_failure(d, event->json);
	else if (event->type.len == 0 &&
		 (event->member[DELTA].at != NULL || event->member[ITEM].at != NULL))
		decoder_fail(&d->base, "sent an event without a type");
	else if (event->member[RESPONSE].at != NULL)
		read_head(d, event->member[RESPONSE]);
	else if (span_starts(event->type, "response."))
		hosted_event(d, event);
}

/* Some servers leave event names out, but none the type in the data. */
static bool responses_chunk(struct decoder *base, struct span name, struct span json)
{
	struct responses_event event = {.json = json};

	decoder_members(base, json, names, "s.n.oo.nn", event.member);
	event.type = event.member[TYPE].at != NULL ? json_plain(event.member[TYPE]) : name;
	event.index = json_int(event.member[INDEX], -1);
	read_event((struct responses_decoder *)base, &event);
	return true;
}

static bool responses_document(struct decoder *base, struct span json)
{
	struct responses_decoder *d = (struct responses_decoder *)base;
	struct span status;

	status = json_get(json, "status");
	if (json_type(json_get(json, "output")) != JSON_ARRAY && json_type(status) != JSON_STRING)
		read_failure(d, json);
	else if (json_is(status, "in_progress") || json_is(status, "queued"))
		failure_set(&base->failure, ERROR_INVALID_RESPONSE, false,
			    "%s answered with a response that is not complete",
			    base->provider->name);
	else
		read_response(d, json, "completed");
	return true;
}

/* ---- the protocol ---- */

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

static const struct usage_name usage[] = {
    {SPAN_INIT("input_tokens"), .count = TOKENS_INPUT},
    {SPAN_INIT("output_tokens"), .count = TOKENS_OUTPUT},
    {SPAN_INIT("input_tokens_details"), "cached_tokens", .count = TOKENS_CACHED},
    {SPAN_INIT("input_tokens_details"), "cache_write_tokens", .count = TOKENS_CACHE_WRITE},
    {SPAN_INIT("output_tokens_details"), "reasoning_tokens", .count = TOKENS_REASONING},
    TOKENS_BILLED,
    {.name = {0}},
};
_Static_assert(ARRAY_LEN(usage) <= TOKENS_MAX_ROWS, "too many rows");

const struct protocol protocol_openai_responses = {
    .name = "openai-responses",
    .framing = FRAMING_SSE,
    .request = responses_request,
    .answers_by_tool = openai_answers_by_tool,
    .decoder_size = sizeof(struct responses_decoder),
    .usage = usage,
    .stops_after_calls = true,
    .not_response = "not a response",
    .chunk = responses_chunk,
    .document = responses_document,
    .flush = responses_flush,
    .complete = responses_complete,
    .clear = responses_clear,
    .advise = responses_advise,
    .list = OPENAI_LIST,
};
