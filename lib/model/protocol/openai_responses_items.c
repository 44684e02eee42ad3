#include <stdlib.h>

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
	if (d->item_count == d->item_cap) {
		d->item_cap = d->item_cap > 0 ? 2 * d->item_cap : 8;
		d->items = mem_resize(d->items, d->item_cap * sizeof(struct responses_item *));
	}
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

/* `value`, when it is a string that says something. */
static bool is_said(struct span value)
{
	return json_type(value) == JSON_STRING && value.len > 2;
}

static struct responses_item *by_id(struct responses_decoder *d, enum responses_kind kind,
				    struct span id)
{
	for (size_t i = d->item_count; is_said(id) && i-- > 0;)
		if (d->items[i]->kind == kind && json_is(id, buffer_string(&d->items[i]->id)))
			return d->items[i];
	return NULL;
}

static struct responses_item *by_call_id(struct responses_decoder *d, enum responses_kind kind,
					 struct span call_id)
{
	for (size_t i = d->item_count; is_said(call_id) && i-- > 0;)
		if (d->items[i]->kind == kind && !d->items[i]->done &&
		    json_is(call_id, buffer_string(&d->items[i]->call_id)))
			return d->items[i];
	return NULL;
}

/* Whether an open item may be the one at `index`: one of them does not say where it is. */
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
				      struct span event)
{
	int64_t index = json_int(json_get(event, "output_index"), -1);
	struct responses_item *item = by_index(d, kind, index);

	if (item == NULL)
		item = by_id(d, kind, json_get(event, "item_id"));
	if (item == NULL)
		item = last_open(d, kind, index);
	return item;
}

struct responses_item *responses_need(struct responses_decoder *d, const char *type,
				      struct span event)
{
	struct responses_item *item = responses_find(d, responses_kind_of(span_of(type)), event);

	if (item == NULL) {
		item = insert(d, span_of(type), json_int(json_get(event, "output_index"), -1));
		json_decode(json_get(event, "item_id"), &item->id);
	}
	return item;
}

/* What an item says of itself; proxies give it another id in each event. */
static void describe(struct responses_item *item, struct span value)
{
	struct span id = json_get(value, "id");

	if (item->id.len == 0)
		json_decode(id, &item->id);
	else if (is_said(id) && !json_is(id, buffer_string(&item->id)))
		item->other_id = true;
	if (item->call_id.len == 0)
		json_decode(json_get(value, "call_id"), &item->call_id);
	if (item->name.len == 0)
		json_decode(json_get(value, "name"), &item->name);
}

/* The type of an item, decoded; valid until the next call. */
static struct span type_of(struct responses_decoder *d, struct span value)
{
	buffer_clear(&d->scratch);
	json_decode(json_get(value, "type"), &d->scratch);
	return buffer_span(&d->scratch);
}

/* Whether `item` is known by an id that `value` says, too. */
static bool is_same(struct responses_item *item, struct span value)
{
	struct span id = json_get(value, "id"), call_id = json_get(value, "call_id");

	return (is_said(id) && json_is(id, buffer_string(&item->id))) ||
	       (is_said(call_id) && json_is(call_id, buffer_string(&item->call_id)));
}

/* Whether `value` says another id than `known`. */
static bool differs(struct buffer *known, struct span value)
{
	return known->len > 0 && is_said(value) && !json_is(value, buffer_string(known));
}

/* The item that `value` has become, done already when it is told twice: the position says it, and
 * where several items claim one (or none has any) their ids; these may be other ones in every
 * event. */
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

/* The item that is announced as `value`, where it is there already: a delta came too early, or it
 * is announced a second time. */
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

struct responses_item *responses_take(struct responses_decoder *d, struct span event, bool added)
{
	struct span value = json_get(event, "item");
	int64_t index = json_int(json_get(event, "output_index"), -1);
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

struct responses_item *responses_listed(struct responses_decoder *d, struct span value,
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

/* ---- members ---- */

struct span responses_rest(struct span whole, const struct responses_item *item)
{
	struct span begun = buffer_span(&item->text);

	if (whole.len < begun.len || memcmp(whole.at, begun.at, begun.len) != 0)
		return SPAN("");
	return span_from(whole, begun.len);
}

void responses_members(struct span item, const char *const *without, struct buffer *out)
{
	struct json_walk walk = json_walk(item);

	while (json_type(item) == JSON_OBJECT && json_next(&walk)) {
		if (json_type(walk.value) == JSON_NULL || json_is_any(walk.key, without))
			continue;
		json_comma(out);
		buffer_add_span(out, walk.key);
		buffer_add_char(out, ':');
		json_write_compact(out, walk.value);
	}
}

void responses_items_free(struct responses_decoder *d)
{
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
