#include "model/protocol/openai_responses.h"

/* ---- members ---- */

/* What `whole` adds to the text received so far; empty if it does not begin with that text. */
static struct span rest_of(struct span whole, const struct responses_item *item)
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
		json_copy_key(out, walk.key);
		json_write_compact(out, walk.value);
	}
}

/* ---- deltas ---- */

static void emit_part_data(struct responses_decoder *d, struct responses_item *item,
			   struct span json);

static void open_data(struct responses_item *item, struct buffer *out)
{
	buffer_clear(out);
	json_open(out, '{');
	if (item->id.len > 0 && !item->other_id)
		json_put_string(out, "id", buffer_span(&item->id));
}

/* A delta that belongs to `next` follows: the parts of reasoning before it end, whatever is still
 * to come of their items. */
static void leave_reasoning(struct responses_decoder *d, const struct responses_item *next)
{
	struct buffer data = {0};

	for (size_t i = 0; i < d->item_count && d->items[i] != next; i++) {
		struct responses_item *item = d->items[i];

		if (item->kind != ITEM_REASONING || item->kept || item->done)
			continue;
		item->kept = true;
		open_data(item, &data);
		json_put_text(&data, "type", "reasoning");
		json_put_raw(&data, "summary", SPAN("[]"));
		json_close(&data, '}');
		emit_part_data(d, item, buffer_span(&data));
	}
	buffer_free(&data);
}

static void emit_text(struct responses_decoder *d, struct responses_item *item, struct span text)
{
	bool thinking = item->kind == ITEM_REASONING;

	if (!thinking)
		leave_reasoning(d, item);
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

/* ---- messages ---- */

/* The provider_data of a message's text: its id, and the phase it belongs to. */
static void write_data(struct responses_decoder *d, struct responses_item *item)
{
	struct buffer *data = &d->base.scratch;

	open_data(item, data);
	if (item->data.len > 0)
		json_put_raw(data, "phase", buffer_span(&item->data));
	json_close(data, '}');
	if (data->len > 2 && item->emitted > 0)
		emit_part_data(d, item, buffer_span(data));
}

void responses_pass_on(struct responses_decoder *d, bool ended)
{
	for (size_t i = 0; i < d->item_count; i++) {
		struct responses_item *item = d->items[i];

		if (item->kind != ITEM_MESSAGE || item->over)
			continue;
		if (item->emitted < item->text.len) {
			emit_text(d, item, span_from(buffer_span(&item->text), item->emitted));
			item->emitted = item->text.len;
		}
		if (item->done) {
			write_data(d, item);
			item->over = true;
		} else if (!ended) {
			return;
		}
	}
}

void responses_text_delta(struct responses_decoder *d, const struct responses_event *event)
{
	struct responses_item *item = responses_need(d, "message", event);
	struct span text = pieces_text(&d->base.pieces, &item->joint, event->delta);

	if (item->done)
		return;
	buffer_add_span(&item->text, text);
	responses_pass_on(d, false);
}

/* The whole text of a content part, from servers that send no deltas. */
void responses_text_done(struct responses_decoder *d, const struct responses_event *event)
{
	struct responses_item *item = responses_need(d, "message", event);

	if (item->text.len > 0 || item->done)
		return;
	item->joint.len = 0;
	json_decode(json_get(event->json, "text"), &item->text);
	responses_pass_on(d, false);
}

void responses_refusal_delta(struct responses_decoder *d, const struct responses_event *event)
{
	struct responses_item *item = responses_need(d, "message", event);
	struct span text = pieces_text(&d->base.pieces, &item->joint, event->delta);

	item->refused |= text.len > 0;
	buffer_add_span(&d->base.refusal, text);
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
			json_decode(json_get(walk.value, "refusal"), &d->base.refusal);
	}
	rest = rest_of(buffer_span(&whole), item);
	buffer_add_span(&item->text, rest);
	if (rest.len == 0)
		buffer_add_span(item->refused ? &d->base.refusal : &item->text,
				joint_end(&item->joint));
	item->joint.len = 0;
	if (json_type(phase) == JSON_STRING)
		buffer_add_span(&item->data, pieces_repair(&d->base.pieces, phase));
	buffer_free(&whole);
}

/* ---- reasoning ---- */

/* Blank lines separate the parts of a reasoning, and its summary from its own text. */
void responses_reasoning_delta(struct responses_decoder *d, const struct responses_event *event)
{
	struct responses_item *item = responses_need(d, "reasoning", event);
	bool summary = span_starts(event->type, "response.reasoning_summary");
	int64_t number = summary ? event->summary_index : event->content_index;
	uint64_t part = 2 * (uint64_t)number + summary;
	struct span delta = event->delta, text;

	if (json_type(delta) == JSON_OBJECT)
		delta = json_get(delta, "text");
	text = pieces_text(&d->base.pieces, &item->joint, delta);
	if (text.len == 0 || item->done)
		return;
	if (item->text.len > 0 && item->part != part) {
		buffer_add_text(&item->text, "\n\n");
		emit_text(d, item, SPAN("\n\n"));
	}
	item->part = part;
	buffer_add_span(&item->text, text);
	emit_text(d, item, text);
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

/* The rest of the item's text that no delta had: of its summary, or else of its own words. */
static void emit_rest(struct responses_decoder *d, struct responses_item *item, struct span value)
{
	static const char *const members[] = {"summary", "content", NULL};
	struct buffer whole = {0};
	struct span rest = {0};

	for (size_t i = 0; rest.len == 0 && members[i] != NULL; i++) {
		buffer_clear(&whole);
		join_parts(json_get(value, members[i]), &whole);
		rest = rest_of(buffer_span(&whole), item);
	}
	if (rest.len == 0)
		rest = joint_end(&item->joint);
	item->joint.len = 0;
	buffer_add_span(&item->text, rest);
	if (rest.len > 0)
		emit_text(d, item, rest);
	buffer_free(&whole);
}

void responses_reasoning_done(struct responses_decoder *d, struct responses_item *item,
			      struct span value)
{
	static const char *const without[] = {"status", "id", NULL};
	struct buffer *data = &d->base.scratch;

	emit_rest(d, item, value);
	if (item->kept) {
		responses_reasoning_late(item, value);
		return;
	}
	item->kept = true;
	item->encrypted = decoder_is_text(json_get(value, "encrypted_content"));
	open_data(item, data);
	responses_members(value, without, data);
	json_close(data, '}');
	emit_part_data(d, item, buffer_span(data));
}

void responses_reasoning_late(struct responses_item *item, struct span value)
{
	static const char *const without[] = {"status", "id", NULL};

	buffer_clear(&item->data);
	json_open(&item->data, '{');
	responses_members(value, without, &item->data);
	json_close(&item->data, '}');
}

/* ---- items of no known kind ---- */

void responses_opaque_done(struct responses_decoder *d, struct responses_item *item,
			   struct span value)
{
	struct buffer *json = &d->base.scratch;

	leave_reasoning(d, item);
	d->last = NULL;
	buffer_clear(json);
	json_write_compact(json, value);
	decoder_emit_data(&d->base, MODEL_OPAQUE, -1, buffer_span(json));
}

/* ---- calls ---- */

static bool is_free_form(const struct responses_item *item)
{
	return span_is(buffer_span(&item->type), "custom_tool_call");
}

void responses_announce(struct responses_decoder *d, struct responses_item *item)
{
	if (item->number >= 0 || item->name.len == 0)
		return;
	leave_reasoning(d, item);
	item->number = d->base.call_count++;
	d->base.calls_here += item->kind == ITEM_CALL;
	d->last = NULL;
	decoder_emit(&d->base,
		     (struct model_delta){
			 .type = MODEL_TOOL_CALL,
			 .index = item->number,
			 .id = buffer_span(item->call_id.len > 0 ? &item->call_id : &item->id),
			 .name = buffer_span(&item->name),
			 .by_provider = item->kind == ITEM_HOSTED,
			 .free_form = is_free_form(item),
		     });
}

/* Emit the arguments that were not emitted yet; none are before the call has a name. */
static void emit_new_args(struct responses_decoder *d, struct responses_item *item)
{
	struct span rest = span_from(buffer_span(&item->text), item->emitted);

	responses_announce(d, item);
	if (item->number < 0)
		return;
	item->emitted = item->text.len;
	decoder_emit_args(&d->base, item->number, rest);
}

void responses_args(struct responses_decoder *d, struct responses_item *item, struct span delta)
{
	buffer_add_span(&item->text, pieces_text(&d->base.pieces, &item->joint, delta));
	emit_new_args(d, item);
}

void responses_args_done(struct responses_decoder *d, struct responses_item *item, struct span args)
{
	struct buffer whole = {0};

	/* Some servers send the arguments themselves instead of their text. */
	if (json_type(args) == JSON_OBJECT) {
		json_write_compact(&whole, args);
		if (item->text.len == 0)
			buffer_add_span(&item->text,
					pieces_repair(&d->base.pieces, buffer_span(&whole)));
	} else if (json_decode(args, &whole)) {
		struct span rest = rest_of(buffer_span(&whole), item);

		buffer_add_span(&item->text, rest.len > 0 ? rest : joint_end(&item->joint));
		item->joint.len = 0;
	}
	buffer_free(&whole);
	emit_new_args(d, item);
}

/* What goes back with the call: the item's id, and the members that are not parts of the call. */
static void emit_call_data(struct responses_decoder *d, struct responses_item *item,
			   struct span value)
{
	static const char *const known[] = {"arguments", "input", "name", "call_id",
					    "status",    "id",    "type", NULL};
	struct buffer *data = &d->base.scratch;

	buffer_clear(data);
	json_open(data, '{');
	if (is_free_form(item))
		json_put_string(data, "type", buffer_span(&item->type));
	if (item->id.len > 0 && !item->other_id)
		json_put_string(data, "id", buffer_span(&item->id));
	responses_members(value, known, data);
	json_close(data, '}');
	if (data->len > 2 && item->number >= 0)
		decoder_emit_data(&d->base, MODEL_PART_DATA, item->number, buffer_span(data));
}

void responses_call_done(struct responses_decoder *d, struct responses_item *item,
			 struct span value)
{
	responses_args_done(d, item, json_get(value, is_free_form(item) ? "input" : "arguments"));
	emit_call_data(d, item, value);
}

/* Empty arguments become "{}". */
static void end_calls(struct responses_decoder *d)
{
	for (size_t i = 0; i < d->item_count; i++) {
		struct responses_item *item = d->items[i];

		if (item->kind != ITEM_CALL)
			continue;
		if (item->name.len == 0) {
			decoder_fail(&d->base, "sent a tool call without a name");
			return;
		}
		buffer_add_span(&item->text, joint_end(&item->joint));
		if (!is_free_form(item) && decoder_is_blank(buffer_span(&item->text)))
			buffer_add_text(&item->text, "{}");
		emit_new_args(d, item);
		d->base.cut_args |=
		    !is_free_form(item) && decoder_args_state(buffer_span(&item->text)) == ARGS_CUT;
	}
}

/* ---- calls that the provider runs ---- */

/* Members of an item that are not arguments of the call. */
static const char *const not_args[] = {
    "id",
    "type",
    "status",
    "call_id",
    "name",
    "arguments",
    "action",
    "outputs",
    "output",
    "results",
    "result",
    "tools",
    "error",
    "environment",
    "execution",
    "fingerprint",
    "approval_request_id",
    NULL,
};

/* "web_search" of web_search_call and of web_search_call_output; an MCP tool has a name of its
 * own. */
static void name_call(struct responses_item *item)
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

void responses_hosted_begin(struct responses_decoder *d, struct responses_item *item)
{
	name_call(item);
	responses_announce(d, item);
}

static void emit_hosted(struct responses_decoder *d, struct responses_item *item,
			enum model_delta_type type, struct span text, bool is_error)
{
	responses_hosted_begin(d, item);
	decoder_emit(&d->base,
		     (struct model_delta){
			 .type = type, .text = text, .index = item->number, .is_error = is_error});
}

static void run(struct responses_decoder *d, struct responses_item *item)
{
	if (!item->running)
		emit_hosted(d, item, MODEL_TOOL_RUNNING, (struct span){0}, false);
	item->running = true;
}

static void finish(struct responses_decoder *d, struct responses_item *item, struct span text,
		   bool is_error)
{
	if (item->over)
		return;
	run(d, item);
	emit_hosted(d, item, MODEL_TOOL_RESULT, text, is_error);
	item->over = true;
}

/* ---- arguments ---- */

static bool is_code(const struct responses_item *item)
{
	return span_is(buffer_span(&item->type), "code_interpreter_call");
}

/* Code comes as text; the arguments are {"code":"..."}. */
static void add_code(struct responses_decoder *d, struct responses_item *item, struct span text)
{
	struct buffer *json = &d->base.scratch;

	if (text.len == 0)
		return;
	buffer_clear(json);
	if (item->text.len == 0)
		buffer_add_text(json, "{\"code\":\"");
	json_write_escaped(json, text);
	buffer_add_span(&item->text, text);
	emit_hosted(d, item, MODEL_TOOL_ARGS, buffer_span(json), false);
}

static void end_code(struct responses_decoder *d, struct responses_item *item, struct span whole)
{
	struct buffer text = {0};
	struct span rest;

	if (item->running)
		return;
	json_decode(whole, &text);
	rest = rest_of(buffer_span(&text), item);
	add_code(d, item, rest.len > 0 ? rest : joint_end(&item->joint));
	if (item->text.len > 0)
		emit_hosted(d, item, MODEL_TOOL_ARGS, SPAN("\"}"), false);
	run(d, item);
	buffer_free(&text);
}

/* The text that is still missing of arguments that come as JSON. */
static void end_args(struct responses_decoder *d, struct responses_item *item, struct span whole)
{
	struct buffer text = {0};
	struct span rest;

	if (item->running)
		return;
	json_decode(whole, &text);
	rest = rest_of(buffer_span(&text), item);
	if (rest.len > 0) {
		emit_hosted(d, item, MODEL_TOOL_ARGS, rest, false);
		buffer_add_span(&item->text, rest);
	}
	run(d, item);
	buffer_free(&text);
}

/* Arguments from the other members of the item. {"action":{...}} has the task, and the sources that
 * were found. */
static void args_of(struct span value, struct buffer *out)
{
	static const char *const found[] = {"sources", NULL};
	struct span action = json_get(value, "action");
	bool acts = json_type(action) == JSON_OBJECT;

	json_open(out, '{');
	responses_members(acts ? action : value, acts ? found : not_args, out);
	json_close(out, '}');
}

static void all_args(struct responses_decoder *d, struct responses_item *item, struct span value)
{
	struct span args = json_get(value, "arguments");
	struct buffer made = {0};

	if (item->running)
		return;
	if (is_code(item)) {
		end_code(d, item, json_get(value, "code"));
		return;
	}
	if (json_type(args) == JSON_STRING) {
		end_args(d, item, args);
		return;
	}
	if (json_type(args) == JSON_OBJECT)
		json_write_compact(&made, args);
	else
		args_of(value, &made);
	if (item->text.len == 0)
		emit_hosted(d, item, MODEL_TOOL_ARGS,
			    pieces_repair(&d->base.pieces, buffer_span(&made)), false);
	run(d, item);
	buffer_free(&made);
}

/* The type of the item that an event about a hosted call belongs to, "mcp_call" of
 * "response.mcp_call_arguments.delta"; false when it is about none. */
static bool hosted_type(struct span type, struct buffer *out)
{
	struct span name = span_from(type, strlen("response."));

	for (size_t i = 0; i + 5 <= name.len; i++) {
		if (memcmp(name.at + i, "_call", 5) != 0)
			continue;
		buffer_add(out, name.at, i + 5);
		return true;
	}
	if (!span_starts(name, "mcp_list_tools."))
		return false;
	buffer_add_text(out, "mcp_list_tools");
	return true;
}

void responses_hosted_event(struct responses_decoder *d, const struct responses_event *event)
{
	struct span type = event->type, delta = event->delta;
	struct buffer name = {0};
	struct responses_item *item;

	if (!hosted_type(type, &name)) {
		buffer_free(&name);
		return;
	}
	item = responses_kind_of(buffer_span(&name)) == ITEM_HOSTED
		   ? responses_find(d, ITEM_HOSTED, event)
		   : NULL;
	buffer_free(&name);
	if (item == NULL || item->running)
		return;
	if (span_ends(type, "_code.delta"))
		add_code(d, item, pieces_text(&d->base.pieces, &item->joint, delta));
	else if (span_ends(type, "_code.done"))
		end_code(d, item, json_get(event->json, "code"));
	else if (span_ends(type, "_arguments.done"))
		end_args(d, item, json_get(event->json, "arguments"));
	else if (span_ends(type, "_arguments.delta") && json_type(delta) == JSON_STRING) {
		struct span text = pieces_text(&d->base.pieces, &item->joint, delta);

		buffer_add_span(&item->text, text);
		if (text.len > 0)
			emit_hosted(d, item, MODEL_TOOL_ARGS, text, false);
	}
}

/* ---- results ---- */

/* Append the result of a call; false if it has none. */
static bool result_of(struct span value, struct buffer *out, bool *is_error)
{
	static const char *const names[] = {"output", "outputs", "results",
					    "result", "tools",   NULL};
	struct span error = json_get(value, "error"), status = json_get(value, "status");
	struct span found = json_path(value, "action.sources");

	*is_error = json_is(status, "failed") || json_is(status, "incomplete");
	if (json_type(error) > JSON_NULL) {
		*is_error = true;
		if (json_type(json_get(error, "message")) == JSON_STRING)
			error = json_get(error, "message");
		found = error;
	}
	for (size_t i = 0; json_type(found) <= JSON_NULL && names[i] != NULL; i++)
		found = json_get(value, names[i]);
	if (json_type(found) <= JSON_NULL)
		return false;
	if (!json_decode(found, out))
		json_write_compact(out, found);
	return true;
}

/* Whether the result of a call is an item of its own, or is for the client to give. */
static bool result_is_apart(struct span type)
{
	static const char *const types[] = {
	    "shell_call",       "local_shell_call",     "computer_call", "apply_patch_call",
	    "tool_search_call", "mcp_approval_request", "program",       NULL};

	for (size_t i = 0; types[i] != NULL; i++)
		if (span_is(type, types[i]))
			return true;
	return false;
}

static void keep_item(struct responses_item *item, struct span value)
{
	json_comma(&item->data);
	json_write_compact(&item->data, value);
}

void responses_hosted_done(struct responses_decoder *d, struct responses_item *item,
			   struct span value)
{
	struct buffer result = {0};
	bool is_error = false, some = result_of(value, &result, &is_error);

	all_args(d, item, value);
	keep_item(item, value);
	if (some || !result_is_apart(buffer_span(&item->type)))
		finish(d, item, pieces_repair(&d->base.pieces, buffer_span(&result)), is_error);
	buffer_free(&result);
}

/* The call that an item is the result of: the one with its call_id, else the last one that waits.
 */
static struct responses_item *call_of(struct responses_decoder *d, struct span call_id)
{
	for (size_t i = d->item_count; i-- > 0;) {
		struct responses_item *item = d->items[i];

		if (item->kind == ITEM_HOSTED && !item->over &&
		    result_is_apart(buffer_span(&item->type)) &&
		    (json_type(call_id) != JSON_STRING ||
		     json_is(call_id, buffer_string(&item->call_id))))
			return item;
	}
	return NULL;
}

void responses_output_done(struct responses_decoder *d, struct responses_item *item,
			   struct span value)
{
	struct responses_item *call = call_of(d, json_get(value, "call_id"));
	struct buffer result = {0};
	bool is_error = false;

	/* The call was in an earlier response: here its result represents it. */
	if (call == NULL) {
		call = item;
		item->kind = ITEM_HOSTED;
	}
	result_of(value, &result, &is_error);
	keep_item(call, value);
	finish(d, call, pieces_repair(&d->base.pieces, buffer_span(&result)), is_error);
	buffer_free(&result);
}

/* ---- the end ---- */

/* Emit what goes back of each call, and a result for calls that nobody runs. */
static void end_hosted(struct responses_decoder *d)
{
	struct buffer *list = &d->base.scratch;

	for (size_t i = 0; i < d->item_count; i++) {
		struct responses_item *item = d->items[i];
		bool waits = result_is_apart(buffer_span(&item->type)) &&
			     !span_is(buffer_span(&item->type), "program");

		if (item->kind != ITEM_HOSTED)
			continue;
		if (item->done && !item->over && waits) {
			finish(d, item,
			       SPAN("Not run: the provider leaves this tool to its client."), true);
			continue;
		}
		if (item->data.len == 0)
			continue;
		buffer_clear(list);
		json_open(list, '[');
		buffer_add_span(list, buffer_span(&item->data));
		json_close(list, ']');
		responses_hosted_begin(d, item);
		decoder_emit_member(&d->base, MODEL_PART_DATA, item->number, "items",
				    buffer_span(list));
	}
}

/* Reasoning that came too late for its part goes to the message, in the order of the parts. */
static void emit_late(struct responses_decoder *d)
{
	struct buffer *late = &d->base.scratch;
	bool some = false;

	buffer_clear(late);
	json_open(late, '[');
	for (size_t i = 0; i < d->item_count; i++) {
		struct responses_item *item = d->items[i];
		bool is_late = item->data.len > 0;

		if (item->kind != ITEM_REASONING || !item->kept)
			continue;
		some |= is_late;
		json_comma(late);
		buffer_add_span(late, is_late ? buffer_span(&item->data) : SPAN("null"));
	}
	json_close(late, ']');
	if (some && d->base.failure.kind == ERROR_NONE)
		decoder_emit_member(&d->base, MODEL_MESSAGE_DATA, -1, "reasoning",
				    buffer_span(late));
}

void responses_items_flush(struct responses_decoder *d)
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
			buffer_add_span(&d->base.refusal, rest);
		else if (item->kind == ITEM_MESSAGE)
			buffer_add_span(&item->text, rest);
		else
			emit_text(d, item, rest);
	}
	responses_pass_on(d, true);
	emit_late(d);
}

void responses_items_end(struct responses_decoder *d)
{
	end_calls(d);
	if (d->base.failure.kind == ERROR_NONE)
		end_hosted(d);
}
