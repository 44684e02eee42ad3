#include "model/protocol/openai_responses.h"

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
static void name_it(struct responses_item *item)
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
	name_it(item);
	responses_announce(d, item);
}

static void say(struct responses_decoder *d, struct responses_item *item,
		enum model_delta_type type, struct span text, bool is_error)
{
	responses_hosted_begin(d, item);
	responses_emit(
	    d, (struct model_delta){
		   .type = type, .text = text, .index = item->number, .is_error = is_error});
}

static void run(struct responses_decoder *d, struct responses_item *item)
{
	if (!item->running)
		say(d, item, MODEL_TOOL_RUNNING, (struct span){0}, false);
	item->running = true;
}

static void finish(struct responses_decoder *d, struct responses_item *item, struct span text,
		   bool is_error)
{
	if (item->over)
		return;
	run(d, item);
	say(d, item, MODEL_TOOL_RESULT, text, is_error);
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
	struct buffer *json = &d->scratch;

	if (text.len == 0)
		return;
	buffer_clear(json);
	if (item->text.len == 0)
		buffer_add_text(json, "{\"code\":\"");
	json_write_escaped(json, text);
	buffer_add_span(&item->text, text);
	say(d, item, MODEL_TOOL_ARGS, buffer_span(json), false);
}

static void end_code(struct responses_decoder *d, struct responses_item *item, struct span whole)
{
	struct buffer text = {0};
	struct span rest;

	if (item->running)
		return;
	json_decode(whole, &text);
	rest = responses_rest(buffer_span(&text), item);
	add_code(d, item, rest.len > 0 ? rest : joint_end(&item->joint));
	if (item->text.len > 0)
		say(d, item, MODEL_TOOL_ARGS, SPAN("\"}"), false);
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
	rest = responses_rest(buffer_span(&text), item);
	if (rest.len > 0) {
		say(d, item, MODEL_TOOL_ARGS, rest, false);
		buffer_add_span(&item->text, rest);
	}
	run(d, item);
	buffer_free(&text);
}

/* Arguments from what else the item says: {"action":{...}} is what it was asked to do,
 * and what was found for it. */
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
		say(d, item, MODEL_TOOL_ARGS, pieces_repair(&d->pieces, buffer_span(&made)), false);
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

void responses_hosted_event(struct responses_decoder *d, struct span type, struct span event)
{
	struct span delta = json_get(event, "delta");
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
		add_code(d, item, pieces_text(&d->pieces, &item->joint, delta));
	else if (span_ends(type, "_code.done"))
		end_code(d, item, json_get(event, "code"));
	else if (span_ends(type, "_arguments.done"))
		end_args(d, item, json_get(event, "arguments"));
	else if (span_ends(type, "_arguments.delta") && json_type(delta) == JSON_STRING) {
		struct span text = pieces_text(&d->pieces, &item->joint, delta);

		buffer_add_span(&item->text, text);
		if (text.len > 0)
			say(d, item, MODEL_TOOL_ARGS, text, false);
	}
}

/* ---- results ---- */

/* Append what a call gave; false when nothing is said of it. */
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
		finish(d, item, pieces_repair(&d->pieces, buffer_span(&result)), is_error);
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

	/* The call was in an earlier answer: here its result stands for it. */
	if (call == NULL) {
		call = item;
		item->kind = ITEM_HOSTED;
	}
	result_of(value, &result, &is_error);
	keep_item(call, value);
	finish(d, call, pieces_repair(&d->pieces, buffer_span(&result)), is_error);
	buffer_free(&result);
}

/* ---- the end ---- */

void responses_hosted_end(struct responses_decoder *d)
{
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
		buffer_clear(&d->scratch);
		buffer_add_text(&d->scratch, "{\"items\":[");
		buffer_add_span(&d->scratch, buffer_span(&item->data));
		buffer_add_text(&d->scratch, "]}");
		say(d, item, MODEL_PART_DATA, pieces_repair(&d->pieces, buffer_span(&d->scratch)),
		    false);
	}
}
