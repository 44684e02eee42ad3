#include "model/protocol/openai_responses.h"

void responses_members(struct span item, const char *const *without, struct buffer *out)
{
	struct json_walk walk = json_walk(item);

	while (json_type(item) == JSON_OBJECT && json_next(&walk)) {
		if (json_type(walk.value) == JSON_NULL || json_is_any(walk.key, without))
			continue;
		json_copy_key(out, walk.key);
		json_write_compact(out, walk.value);
	}
}

bool responses_is(const struct responses_item *item, const char *type)
{
	return span_is(buffer_span(&item->type), type);
}

/* The id to send back; absent: none. */
static struct span sent_id(const struct responses_item *item)
{
	return item->id.len > 0 && !item->other_id ? buffer_span(&item->id) : (struct span){0};
}

/* ---- texts and their parts ---- */

static void emit_part_data(struct responses_decoder *d, struct responses_item *item,
			   struct span json);

/* A delta that belongs to `next` follows: the parts of reasoning before it end, whatever is still
 * to come of their items. */
static void end_reasoning(struct responses_decoder *d, const struct responses_item *next)
{
	struct buffer data = {0};

	for (size_t i = 0; i < d->item_count && d->items[i] != next; i++) {
		struct responses_item *item = d->items[i];

		if (item->kind != ITEM_REASONING || item->has_data || item->done)
			continue;
		item->has_data = true;
		buffer_clear(&data);
		json_pack(&data, "{'id':%s,'type':'reasoning','summary':[]}", sent_id(item));
		emit_part_data(d, item, buffer_span(&data));
	}
	buffer_free(&data);
}

static void emit_text(struct responses_decoder *d, struct responses_item *item, struct span text)
{
	bool thinking = item->kind == ITEM_REASONING;

	if (!thinking)
		end_reasoning(d, item);
	/* The text of two items is two parts, whether they have ids to send back or not. */
	if (d->last != NULL && d->last != item && d->last->kind == item->kind)
		decoder_emit_data(&d->base, MODEL_PART_DATA, -1, SPAN("{}"));
	d->last = item;
	decoder_emit(&d->base, (struct model_delta){.type = thinking ? MODEL_THINKING : MODEL_TEXT,
						    .text = text,
						    .index = -1});
}

/* The data of the item's part, which ends with it. */
static void emit_part_data(struct responses_decoder *d, struct responses_item *item,
			   struct span json)
{
	if (d->last != item && item->kind == ITEM_MESSAGE)
		return;
	if (d->last != item)
		emit_text(d, item, SPAN(""));
	d->last = NULL;
	decoder_emit_data(&d->base, MODEL_PART_DATA, -1, json);
}

/* The data of a message's text: its id, and the phase it belongs to. */
static void emit_message_data(struct responses_decoder *d, struct responses_item *item)
{
	struct buffer *data = &d->base.scratch;

	buffer_clear(data);
	json_pack(data, "{'id':%s,'phase':%j}", sent_id(item),
		  item->data.len > 0 ? buffer_span(&item->data) : (struct span){0});
	if (data->len > 2 && item->emitted > 0)
		emit_part_data(d, item, buffer_span(data));
}

/* Emit the text of messages in their order: the text of one waits until those before it are done,
 * or until the response has ended. */
static void emit_messages(struct responses_decoder *d, bool ended)
{
	for (size_t i = 0; i < d->item_count; i++) {
		struct responses_item *item = d->items[i];

		if (item->kind != ITEM_MESSAGE || item->finished)
			continue;
		if (item->emitted < item->text.len)
			emit_text(d, item, span_from(buffer_span(&item->text), item->emitted));
		item->emitted = item->text.len;
		if (!item->done && !ended)
			return;
		if (item->done)
			emit_message_data(d, item);
		item->finished = item->done;
	}
}

/* ---- calls ---- */

/* The arguments are text, not JSON. */
static bool is_custom(const struct responses_item *item)
{
	return responses_is(item, "custom_tool_call");
}

/* "web_search" of web_search_call and of web_search_call_output; an MCP tool has a name of its
 * own. */
static void name_hosted(struct responses_item *item)
{
	struct span type = buffer_span(&item->type);

	if (item->name.len > 0)
		return;
	if (span_ends(type, "_output"))
		type.len -= strlen("_output");
	if (span_ends(type, "_call"))
		type.len -= strlen("_call");
	buffer_add_span(&item->name, type.len > 0 ? type : buffer_span(&item->type));
}

void responses_begin(struct responses_decoder *d, struct responses_item *item)
{
	bool hosted = item->kind == ITEM_HOSTED;

	if (hosted)
		name_hosted(item);
	if (item->number >= 0 || item->name.len == 0 || (!hosted && item->kind != ITEM_CALL))
		return;
	end_reasoning(d, item);
	d->last = NULL;
	item->number = decoder_call(
	    &d->base, (struct model_delta){
			  .id = buffer_span(item->call_id.len > 0 ? &item->call_id : &item->id),
			  .name = buffer_span(&item->name),
			  .by_provider = hosted,
			  .free_form = is_custom(item),
		      });
}

/* Code comes as text; the arguments are {"code":"..."}. */
static void emit_code(struct responses_decoder *d, struct responses_item *item, struct span text)
{
	struct buffer *json = &d->base.scratch;

	buffer_clear(json);
	if (item->emitted == 0)
		buffer_add_text(json, "{\"code\":\"");
	json_write_escaped(json, text);
	decoder_emit_args(&d->base, item->number, buffer_span(json));
}

/* ---- text that arrives in pieces, and again as a whole ---- */

/* Emit what was received and is not emitted yet; no arguments before the call has begun. */
static void emit_new(struct responses_decoder *d, struct responses_item *item)
{
	struct span rest = span_from(buffer_span(&item->text), item->emitted);

	if (item->kind == ITEM_MESSAGE) {
		emit_messages(d, false);
		return;
	}
	if (item->kind == ITEM_CALL || rest.len > 0)
		responses_begin(d, item);
	if (rest.len == 0 || (item->kind != ITEM_REASONING && item->number < 0))
		return;
	if (item->kind == ITEM_REASONING)
		emit_text(d, item, rest);
	else if (responses_is(item, "code_interpreter_call"))
		emit_code(d, item, rest);
	else
		decoder_emit_args(&d->base, item->number, rest);
	item->emitted = item->text.len;
}

/* Whether `whole` continues what was received. */
static bool continues(const struct responses_item *item, struct span whole)
{
	return whole.len > item->text.len &&
	       memcmp(whole.at, buffer_span(&item->text).at, item->text.len) == 0;
}

static void complete(struct responses_item *item, struct span whole)
{
	struct span rest = partial_char_end(&item->partial);

	if (continues(item, whole))
		rest = span_from(whole, item->text.len);
	buffer_add_span(&item->text, rest);
	item->lost = item->lost && !span_equal(whole, buffer_span(&item->text));
}

/* The text of a piece, a string; after anything else the whole has to complete the text. Reasoning
 * may have pieces without text. */
static struct span read_piece(struct responses_decoder *d, struct responses_item *item,
			      struct span value)
{
	struct span text = pieces_text(&d->base.pieces, &item->partial, value);

	item->lost |= json_type(value) != JSON_STRING &&
		      (item->kind != ITEM_REASONING || json_type(value) > JSON_NULL);
	return item->lost || item->done ? SPAN("") : text;
}

void responses_piece(struct responses_decoder *d, struct responses_item *item, struct span value)
{
	buffer_add_span(&item->text, read_piece(d, item, value));
	if (!item->done)
		emit_new(d, item);
}

/* Whether the pieces of the arguments of a call are not what the provider repeats as a whole. */
static bool differs(const struct responses_item *item, struct span whole)
{
	struct span pieces = buffer_span(&item->text);

	return item->kind == ITEM_CALL && json_count(whole) > 0 && json_check(whole, NULL) &&
	       !(json_check(pieces, NULL) && json_equal(pieces, whole));
}

void responses_whole(struct responses_decoder *d, struct responses_item *item, struct span value)
{
	struct buffer whole = {0};

	if (item->done)
		return;
	if (json_type(value) == JSON_OBJECT)
		json_write_compact(&whole, value);
	else
		json_decode(value, &whole);
	complete(item, pieces_repair(&d->base.pieces, buffer_span(&whole)));
	if (differs(item, buffer_span(&whole)))
		decoder_fail(&d->base, "sent the arguments of a call twice, and not the same");
	buffer_free(&whole);
	emit_new(d, item);
}

void responses_refusal(struct responses_decoder *d, struct responses_item *item, struct span value)
{
	struct span text = pieces_text(&d->base.pieces, &item->partial, value);

	item->refused |= text.len > 0;
	buffer_add_span(&d->base.refusal, text);
}

/* Blank lines separate the parts of a reasoning. */
void responses_reasoning(struct responses_decoder *d, struct responses_item *item, uint64_t part,
			 struct span value)
{
	struct span text = read_piece(d, item, value);

	if (text.len == 0)
		return;
	if (item->text.len > 0 && item->part != part) {
		buffer_add_text(&item->text, "\n\n");
		emit_new(d, item);
	}
	item->part = part;
	buffer_add_span(&item->text, text);
	emit_new(d, item);
}

/* ---- messages, reasoning and calls are done ---- */

/* Whether `whole` has what the pieces have, and more in front of it or between them. */
static bool lacks(const struct responses_item *item, struct span whole)
{
	struct span pieces = buffer_span(&item->text);
	size_t found = 0;

	for (size_t i = 0; i < whole.len && found < pieces.len; i++)
		found += whole.at[i] == pieces.at[found];
	return found == pieces.len && whole.len > pieces.len && !continues(item, whole);
}

static void end_message(struct responses_decoder *d, struct responses_item *item, struct span value)
{
	struct span phase = json_get(value, "phase");
	struct json_walk walk = json_walk(decoder_get(&d->base, value, "content", 'l'));
	struct buffer whole = {0};
	bool only_text = true;

	while (decoder_next(&d->base, &walk, "content[]")) {
		struct span type = decoder_get(&d->base, walk.value, "type", 's');

		only_text &= json_is(type, "output_text");
		if (!json_is(type, "refusal"))
			json_decode(decoder_get(&d->base, walk.value, "text", 's'), &whole);
		else if (!item->refused)
			json_decode(decoder_get(&d->base, walk.value, "refusal", 's'),
				    &d->base.refusal);
	}
	if (item->refused)
		buffer_add_span(&d->base.refusal, partial_char_end(&item->partial));
	if (only_text && lacks(item, buffer_span(&whole)))
		decoder_fail(&d->base, "left out a piece of its text");
	complete(item, buffer_span(&whole));
	if (json_type(phase) == JSON_STRING)
		buffer_add_span(&item->data, pieces_repair(&d->base.pieces, phase));
	buffer_free(&whole);
}

/* The texts of the list `name`. */
static void join_parts(struct responses_decoder *d, struct span item, const char *name,
		       struct buffer *out)
{
	struct json_walk walk = json_walk(decoder_get(&d->base, item, name, 'l'));

	buffer_clear(out);
	while (decoder_next(&d->base, &walk, name)) {
		struct span text = decoder_get(&d->base, walk.value, "text", 's');

		if (out->len > 0 && text.len > 2)
			buffer_add_text(out, "\n\n");
		json_decode(text, out);
	}
}

static const char *const not_reasoning_data[] = {"status", "id", NULL};

void responses_keep_reasoning(struct responses_item *item, struct span value)
{
	buffer_clear(&item->data);
	json_open(&item->data, '{');
	responses_members(value, not_reasoning_data, &item->data);
	json_close(&item->data, '}');
}

/* The whole text is the summary, or else the reasoning itself. */
static void end_reasoning_item(struct responses_decoder *d, struct responses_item *item,
			       struct span value)
{
	struct buffer *data = &d->base.scratch, whole = {0};

	join_parts(d, value, "summary", &whole);
	if (!continues(item, buffer_span(&whole)))
		join_parts(d, value, "content", &whole);
	complete(item, buffer_span(&whole));
	buffer_free(&whole);
	emit_new(d, item);
	if (item->has_data) {
		responses_keep_reasoning(item, value);
		return;
	}
	item->has_data = true;
	item->encrypted = decoder_is_text(json_get(value, "encrypted_content"));
	buffer_clear(data);
	json_pack(data, "{'id':%s", sent_id(item));
	responses_members(value, not_reasoning_data, data);
	json_close(data, '}');
	emit_part_data(d, item, buffer_span(data));
}

/* The item's id goes back with the call, and the members that are not parts of the call. */
static void end_call(struct responses_decoder *d, struct responses_item *item, struct span value)
{
	static const char *const known[] = {"arguments", "input", "name", "call_id",
					    "status",    "id",    "type", NULL};
	struct buffer *data = &d->base.scratch;
	bool custom = is_custom(item);

	responses_whole(d, item,
			custom ? decoder_get(&d->base, value, "input", 's')
			       : decoder_get(&d->base, value, "arguments", 'a'));
	buffer_clear(data);
	json_pack(data, "{'type':%s,'id':%s", custom ? buffer_span(&item->type) : (struct span){0},
		  sent_id(item));
	responses_members(value, known, data);
	json_close(data, '}');
	if (data->len > 2 && item->number >= 0)
		decoder_emit_data(&d->base, MODEL_PART_DATA, item->number, buffer_span(data));
}

static void end_opaque(struct responses_decoder *d, struct responses_item *item, struct span value)
{
	struct buffer *json = &d->base.scratch;

	end_reasoning(d, item);
	d->last = NULL;
	buffer_clear(json);
	json_write_compact(json, value);
	decoder_emit_data(&d->base, MODEL_OPAQUE, -1, buffer_span(json));
}

/* ---- items are done ---- */

void responses_done(struct responses_decoder *d, struct responses_item *item, struct span value)
{
	static void (*const ends[])(struct responses_decoder * d, struct responses_item * item,
				    struct span value) = {
	    [ITEM_MESSAGE] = end_message,
	    [ITEM_REASONING] = end_reasoning_item,
	    [ITEM_CALL] = end_call,
	    [ITEM_HOSTED] = responses_hosted_done,
	    [ITEM_OUTPUT] = responses_output_done,
	    [ITEM_OPAQUE] = end_opaque,
	};

	if (item == NULL || item->done)
		return;
	ends[item->kind](d, item, value);
	item->done = true;
	emit_messages(d, false);
}

/* ---- the end ---- */

/* Reasoning that came after the data of its part goes to the message, in the order of the parts. */
static void emit_kept_reasoning(struct responses_decoder *d)
{
	struct buffer *list = &d->base.scratch;
	bool some = false;

	buffer_clear(list);
	json_open(list, '[');
	for (size_t i = 0; i < d->item_count; i++) {
		struct responses_item *item = d->items[i];
		bool is_kept = item->data.len > 0;

		if (item->kind != ITEM_REASONING || !item->has_data)
			continue;
		some |= is_kept;
		json_pack(list, "%j", is_kept ? buffer_span(&item->data) : SPAN("null"));
	}
	json_close(list, ']');
	if (some && d->base.failure.kind == ERROR_NONE)
		decoder_emit_member(&d->base, MODEL_MESSAGE_DATA, -1, "reasoning",
				    buffer_span(list));
}

void responses_flush(struct decoder *base)
{
	struct responses_decoder *d = (struct responses_decoder *)base;

	for (size_t i = 0; i < d->item_count; i++) {
		struct responses_item *item = d->items[i];

		if (item->kind != ITEM_MESSAGE && item->kind != ITEM_REASONING)
			continue;
		buffer_add_span(item->refused ? &base->refusal : &item->text,
				partial_char_end(&item->partial));
		if (item->kind == ITEM_REASONING)
			emit_new(d, item);
	}
	emit_messages(d, true);
	emit_kept_reasoning(d);
}

/* Empty arguments become "{}". */
static bool complete_call(struct responses_decoder *d, struct responses_item *item)
{
	bool custom = is_custom(item);

	if (item->name.len == 0)
		return decoder_fail(&d->base, "sent a tool call without a name");
	buffer_add_span(&item->text, partial_char_end(&item->partial));
	if (!custom && decoder_is_blank(buffer_span(&item->text)))
		buffer_add_text(&item->text, "{}");
	emit_new(d, item);
	d->base.cut_args |= !custom && decoder_args_state(buffer_span(&item->text)) == ARGS_CUT;
	return true;
}

void responses_complete(struct decoder *base)
{
	struct responses_decoder *d = (struct responses_decoder *)base;

	for (size_t i = 0; i < d->item_count; i++) {
		if (d->items[i]->lost)
			decoder_fail(base,
				     "sent a piece of its response (\"delta\") of a wrong type");
		if (d->items[i]->kind == ITEM_CALL && !complete_call(d, d->items[i]))
			return;
	}
	for (size_t i = 0; i < d->item_count; i++)
		if (d->items[i]->kind == ITEM_HOSTED)
			responses_hosted_complete(d, d->items[i]);
}
