#include "base/utf8.h"
#include "model/protocol/openai_responses.h"

/* ---- what is said ---- */

static void keep(struct responses_decoder *d, struct responses_item *item, struct span json);

static void open_data(struct responses_item *item, struct buffer *out)
{
	buffer_clear(out);
	json_open(out, '{');
	if (item->id.len > 0 && !item->other_id)
		json_put_string(out, "id", buffer_span(&item->id));
}

void responses_leave_reasoning(struct responses_decoder *d, const struct responses_item *next)
{
	struct buffer data = {0}, valid = {0};

	for (size_t i = 0; i < d->item_count && d->items[i] != next; i++) {
		struct responses_item *item = d->items[i];

		if (item->kind != ITEM_REASONING || item->kept || item->done)
			continue;
		item->kept = true;
		open_data(item, &data);
		json_put_text(&data, "type", "reasoning");
		json_put_raw(&data, "summary", SPAN("[]"));
		json_close(&data, '}');
		buffer_clear(&valid);
		utf8_add(&valid, buffer_span(&data));
		keep(d, item, buffer_span(&valid));
	}
	buffer_free(&data);
	buffer_free(&valid);
}

void responses_emit(struct responses_decoder *d, struct model_delta delta)
{
	const struct model_handler *handler = d->base.handler;

	if (delta.type == MODEL_TOOL_CALL || delta.type == MODEL_OPAQUE)
		d->last = NULL;
	handler->delta(handler->context, &delta);
}

static void say(struct responses_decoder *d, struct responses_item *item, struct span text)
{
	bool thinking = item->kind == ITEM_REASONING;

	if (!thinking)
		responses_leave_reasoning(d, item);
	/* The text of two items is two parts, whether they have ids to keep or not. */
	if (d->last != NULL && d->last != item && d->last->kind == item->kind)
		responses_emit(d, (struct model_delta){
				      .type = MODEL_PART_DATA, .text = SPAN("{}"), .index = -1});
	d->last = item;
	responses_emit(d, (struct model_delta){.type = thinking ? MODEL_THINKING : MODEL_TEXT,
					       .text = text,
					       .index = -1});
}

static void keep(struct responses_decoder *d, struct responses_item *item, struct span json)
{
	if (d->last != item && item->kind == ITEM_MESSAGE)
		return;
	if (d->last != item)
		say(d, item, SPAN(""));
	d->last = NULL;
	responses_emit(d, (struct model_delta){.type = MODEL_PART_DATA,
					       .text = pieces_repair(&d->pieces, json),
					       .index = -1});
}

/* ---- messages ---- */

/* The provider_data of a message's text: its id, and the phase it belongs to. */
static void write_data(struct responses_decoder *d, struct responses_item *item)
{
	struct buffer *data = &d->scratch;

	open_data(item, data);
	if (item->data.len > 0)
		json_put_raw(data, "phase", buffer_span(&item->data));
	json_close(data, '}');
	if (data->len > 2 && item->said > 0)
		keep(d, item, buffer_span(data));
}

/* Pass on the text of messages in their order: that of one waits until those before it are done, or
 * until the answer has ended. */
void responses_pass_on(struct responses_decoder *d, bool ended)
{
	for (size_t i = 0; i < d->item_count; i++) {
		struct responses_item *item = d->items[i];

		if (item->kind != ITEM_MESSAGE || item->over)
			continue;
		if (item->said < item->text.len) {
			say(d, item, span_from(buffer_span(&item->text), item->said));
			item->said = item->text.len;
		}
		if (item->done) {
			write_data(d, item);
			item->over = true;
		} else if (!ended) {
			return;
		}
	}
}

void responses_text_delta(struct responses_decoder *d, struct span event)
{
	struct responses_item *item = responses_need(d, "message", event);
	struct span text = pieces_text(&d->pieces, &item->joint, json_get(event, "delta"));

	if (item->done)
		return;
	buffer_add_span(&item->text, text);
	responses_pass_on(d, false);
}

/* The whole text of a content part, from servers that send no deltas. */
void responses_text_done(struct responses_decoder *d, struct span event)
{
	struct responses_item *item = responses_need(d, "message", event);

	if (item->text.len > 0 || item->done)
		return;
	item->joint.len = 0;
	json_decode(json_get(event, "text"), &item->text);
	responses_pass_on(d, false);
}

void responses_refusal_delta(struct responses_decoder *d, struct span event)
{
	struct responses_item *item = responses_need(d, "message", event);
	struct span text = pieces_text(&d->pieces, &item->joint, json_get(event, "delta"));

	item->refused |= text.len > 0;
	buffer_add_span(&d->refusal, text);
}

void responses_message_done(struct responses_decoder *d, struct responses_item *item,
			    struct span value)
{
	struct json_walk walk = json_walk(json_get(value, "content"));
	struct span phase = json_get(value, "phase");
	struct buffer whole = {0};
	struct span rest;
	bool refused = item->refused;

	while (json_next(&walk)) {
		if (!json_is(json_get(walk.value, "type"), "refusal"))
			json_decode(json_get(walk.value, "text"), &whole);
		else if (!refused)
			json_decode(json_get(walk.value, "refusal"), &d->refusal);
	}
	rest = responses_rest(buffer_span(&whole), item);
	buffer_add_span(&item->text, rest);
	if (rest.len == 0)
		buffer_add_span(item->refused ? &d->refusal : &item->text, joint_end(&item->joint));
	item->joint.len = 0;
	if (json_type(phase) == JSON_STRING)
		buffer_add_span(&item->data, pieces_repair(&d->pieces, phase));
	buffer_free(&whole);
}

/* ---- reasoning ---- */

/* The parts of a reasoning, and its summary and its own text, are parted by blank lines. */
void responses_reasoning_delta(struct responses_decoder *d, struct span type, struct span event)
{
	struct responses_item *item = responses_need(d, "reasoning", event);
	struct span delta = json_get(event, "delta");
	bool summary = span_starts(type, "response.reasoning_summary");
	int64_t number = json_int(json_get(event, summary ? "summary_index" : "content_index"), 0);
	uint64_t part = 2 * (uint64_t)number + summary;
	struct span text;

	if (json_type(delta) == JSON_OBJECT)
		delta = json_get(delta, "text");
	text = pieces_text(&d->pieces, &item->joint, delta);
	if (text.len == 0 || item->done)
		return;
	if (item->text.len > 0 && item->part != part) {
		buffer_add_text(&item->text, "\n\n");
		say(d, item, SPAN("\n\n"));
	}
	item->part = part;
	buffer_add_span(&item->text, text);
	say(d, item, text);
}

static void join_parts(struct span parts, struct buffer *out)
{
	struct json_walk walk = json_walk(parts);

	while (json_next(&walk)) {
		struct span text = json_get(walk.value, "text");

		if (out->len > 0 && text.len > 2)
			buffer_add_text(out, "\n\n");
		json_decode(text, out);
	}
}

/* What of the item's text no delta has said: its summary, or else its own words. */
static void say_rest(struct responses_decoder *d, struct responses_item *item, struct span value)
{
	static const char *const members[] = {"summary", "content", NULL};
	struct buffer whole = {0};
	struct span rest = {0};

	for (size_t i = 0; rest.len == 0 && members[i] != NULL; i++) {
		buffer_clear(&whole);
		join_parts(json_get(value, members[i]), &whole);
		rest = responses_rest(buffer_span(&whole), item);
	}
	if (rest.len == 0)
		rest = joint_end(&item->joint);
	item->joint.len = 0;
	buffer_add_span(&item->text, rest);
	if (rest.len > 0)
		say(d, item, rest);
	buffer_free(&whole);
}

void responses_reasoning_done(struct responses_decoder *d, struct responses_item *item,
			      struct span value)
{
	static const char *const without[] = {"status", "id", NULL};
	struct buffer *data = &d->scratch;

	say_rest(d, item, value);
	if (item->kept) {
		responses_reasoning_late(item, value);
		return;
	}
	item->kept = true;
	item->encrypted = json_get(value, "encrypted_content").len > 2 &&
			  json_type(json_get(value, "encrypted_content")) == JSON_STRING;
	open_data(item, data);
	responses_members(value, without, data);
	json_close(data, '}');
	keep(d, item, buffer_span(data));
}

void responses_reasoning_late(struct responses_item *item, struct span value)
{
	static const char *const without[] = {"status", "id", NULL};

	buffer_clear(&item->data);
	json_open(&item->data, '{');
	responses_members(value, without, &item->data);
	json_close(&item->data, '}');
}

/* ---- the end ---- */

/* What came too late for its part is kept for the message, in the order of the parts. */
static void tell_late(struct responses_decoder *d)
{
	struct buffer late = {0};
	bool some = false;

	buffer_add_text(&late, "{\"reasoning\":[");
	for (size_t i = 0; i < d->item_count; i++) {
		struct responses_item *item = d->items[i];
		bool is_late = item->data.len > 0;

		if (item->kind != ITEM_REASONING || !item->kept)
			continue;
		some |= is_late;
		json_comma(&late);
		buffer_add_span(&late, is_late ? buffer_span(&item->data) : SPAN("null"));
	}
	buffer_add_text(&late, "]}");
	if (some && d->failure.kind == NULL)
		responses_emit(
		    d, (struct model_delta){.type = MODEL_MESSAGE_DATA,
					    .text = pieces_repair(&d->pieces, buffer_span(&late)),
					    .index = -1});
	buffer_free(&late);
}

void responses_flush(struct responses_decoder *d)
{
	for (size_t i = 0; i < d->item_count; i++) {
		struct responses_item *item = d->items[i];
		bool waits = item->joint.len > 0;
		struct span rest = {0};

		if (item->kind == ITEM_MESSAGE || item->kind == ITEM_REASONING)
			rest = joint_end(&item->joint);
		if (!waits || rest.len == 0)
			continue;
		if (item->refused)
			buffer_add_span(&d->refusal, rest);
		else if (item->kind == ITEM_MESSAGE)
			buffer_add_span(&item->text, rest);
		else
			say(d, item, rest);
	}
	responses_pass_on(d, true);
	tell_late(d);
}
