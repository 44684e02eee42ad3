#include "model/protocol/openai_responses.h"

static bool is_free_form(const struct responses_item *item)
{
	return span_is(buffer_span(&item->type), "custom_tool_call");
}

void responses_announce(struct responses_decoder *d, struct responses_item *item)
{
	struct model_delta delta = {.type = MODEL_TOOL_CALL};

	if (item->number >= 0 || item->name.len == 0)
		return;
	responses_leave_reasoning(d, item);
	item->number = d->call_count++;
	delta.index = item->number;
	delta.id = buffer_span(item->call_id.len > 0 ? &item->call_id : &item->id);
	delta.name = buffer_span(&item->name);
	delta.by_provider = item->kind == ITEM_HOSTED;
	delta.free_form = is_free_form(item);
	responses_emit(d, delta);
}

/* Pass on the arguments that have not been; nothing is before the call has a name. */
static void pass(struct responses_decoder *d, struct responses_item *item)
{
	struct model_delta delta = {.type = MODEL_TOOL_ARGS};

	responses_announce(d, item);
	if (item->number < 0 || item->said == item->text.len)
		return;
	delta.index = item->number;
	delta.text = span_from(buffer_span(&item->text), item->said);
	item->said = item->text.len;
	responses_emit(d, delta);
}

void responses_args(struct responses_decoder *d, struct responses_item *item, struct span delta)
{
	buffer_add_span(&item->text, pieces_text(&d->pieces, &item->joint, delta));
	pass(d, item);
}

void responses_args_done(struct responses_decoder *d, struct responses_item *item, struct span args)
{
	struct buffer whole = {0};

	/* Not what the protocol says: the arguments themselves instead of their text. */
	if (json_type(args) == JSON_OBJECT) {
		json_write_compact(&whole, args);
		if (item->text.len == 0)
			buffer_add_span(&item->text,
					pieces_repair(&d->pieces, buffer_span(&whole)));
	} else if (json_decode(args, &whole)) {
		struct span rest = responses_rest(buffer_span(&whole), item);

		buffer_add_span(&item->text, rest.len > 0 ? rest : joint_end(&item->joint));
		item->joint.len = 0;
	}
	buffer_free(&whole);
	pass(d, item);
}

/* What is sent back beside the arguments: the item's id, and whatever else it says. */
static void keep_data(struct responses_decoder *d, struct responses_item *item, struct span value)
{
	static const char *const known[] = {"arguments", "input", "name", "call_id",
					    "status",    "id",    "type", NULL};
	struct buffer *data = &d->scratch;
	struct model_delta delta = {.type = MODEL_PART_DATA, .index = item->number};

	buffer_clear(data);
	json_open(data, '{');
	if (is_free_form(item))
		json_put_string(data, "type", buffer_span(&item->type));
	if (item->id.len > 0 && !item->other_id)
		json_put_string(data, "id", buffer_span(&item->id));
	responses_members(value, known, data);
	json_close(data, '}');
	if (data->len == 2 || item->number < 0)
		return;
	delta.text = pieces_repair(&d->pieces, buffer_span(data));
	responses_emit(d, delta);
}

void responses_call_done(struct responses_decoder *d, struct responses_item *item,
			 struct span value)
{
	responses_args_done(d, item, json_get(value, is_free_form(item) ? "input" : "arguments"));
	keep_data(d, item, value);
}

/* ---- the end ---- */

static bool is_blank(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (strchr(" \t\r\n", text.at[i]) == NULL)
			return false;
	return true;
}

bool responses_calls_end(struct responses_decoder *d)
{
	for (size_t i = 0; i < d->item_count; i++) {
		struct responses_item *item = d->items[i];

		if (item->kind != ITEM_CALL)
			continue;
		if (item->name.len == 0)
			return failure_set(&d->failure, "invalid_response", true,
					   "%s sent a tool call without a name",
					   d->base.provider->name);
		buffer_add_span(&item->text, joint_end(&item->joint));
		if (!is_free_form(item) && is_blank(buffer_span(&item->text)))
			buffer_add_text(&item->text, "{}");
		pass(d, item);
	}
	return true;
}

enum responses_args responses_calls_state(const struct responses_decoder *d)
{
	enum responses_args worst = ARGS_NONE;

	for (size_t i = 0; i < d->item_count; i++) {
		const struct responses_item *item = d->items[i];
		struct json_fault fault;

		if (item->kind != ITEM_CALL)
			continue;
		if (worst == ARGS_NONE)
			worst = ARGS_COMPLETE;
		if (!is_free_form(item) && !json_check(buffer_span(&item->text), &fault) &&
		    fault.offset >= item->text.len)
			worst = ARGS_CUT;
	}
	return worst;
}
