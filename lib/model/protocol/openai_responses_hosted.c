#include "model/protocol/openai_responses.h"

static bool is_code(const struct responses_item *item)
{
	return responses_is(item, "code_interpreter_call");
}

static void emit_hosted(struct responses_decoder *d, struct responses_item *item,
			enum model_delta_type type, struct span text, bool is_error)
{
	responses_begin(d, item);
	decoder_emit(&d->base,
		     (struct model_delta){
			 .type = type, .text = text, .index = item->number, .is_error = is_error});
}

void responses_run(struct responses_decoder *d, struct responses_item *item)
{
	if (item->running)
		return;
	if (is_code(item) && item->text.len > 0)
		emit_hosted(d, item, MODEL_TOOL_ARGS, SPAN("\"}"), false);
	emit_hosted(d, item, MODEL_TOOL_RUNNING, (struct span){0}, false);
	item->running = true;
}

static void finish_hosted(struct responses_decoder *d, struct responses_item *item,
			  struct span text, bool is_error)
{
	if (item->finished)
		return;
	responses_run(d, item);
	emit_hosted(d, item, MODEL_TOOL_RESULT, pieces_repair(&d->base.pieces, text), is_error);
	item->finished = true;
}

/* Write arguments from the other members of the item. {"action":{...}} has the task, and the
 * sources that were found. */
static void write_args(struct span value, struct buffer *out)
{
	static const char *const found[] = {"sources", NULL};
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
	struct span action = json_get(value, "action");
	bool acts = json_type(action) == JSON_OBJECT;

	json_open(out, '{');
	responses_members(acts ? action : value, acts ? found : not_args, out);
	json_close(out, '}');
}

static void end_hosted_args(struct responses_decoder *d, struct responses_item *item,
			    struct span value)
{
	struct span args = json_get(value, is_code(item) ? "code" : "arguments");
	struct buffer made = {0};

	if (item->running)
		return;
	if (is_code(item) || json_type(args) == JSON_STRING || json_type(args) == JSON_OBJECT) {
		responses_whole(d, item, args);
	} else if (item->text.len == 0) {
		write_args(value, &made);
		responses_whole(d, item, buffer_span(&made));
	}
	buffer_free(&made);
	responses_run(d, item);
}

/* Append the result of a call; false if it has none. */
static bool read_result(struct span value, struct buffer *out, bool *is_error)
{
	static const char *const names[] = {"output", "outputs", "results", "result", "tools"};
	struct span error = json_get(value, "error"), status = json_get(value, "status");
	struct span found = json_path(value, "action.sources");

	*is_error = json_is(status, "failed") || json_is(status, "incomplete");
	if (json_type(error) > JSON_NULL) {
		struct span message = json_get(error, "message");

		*is_error = true;
		found = json_type(message) == JSON_STRING ? message : error;
	}
	for (size_t i = 0; json_type(found) <= JSON_NULL && i < ARRAY_LEN(names); i++)
		found = json_get(value, names[i]);
	if (json_type(found) <= JSON_NULL)
		return false;
	if (!json_decode(found, out))
		json_write_compact(out, found);
	return true;
}

/* Whether the result of a call is an item of its own, or the client has to provide it. */
static bool result_is_apart(const struct responses_item *item)
{
	static const char *const types[] = {
	    "shell_call",       "local_shell_call", "computer_call",        "apply_patch_call",
	    "tool_search_call", "program",          "mcp_approval_request", NULL};

	for (size_t i = 0; types[i] != NULL; i++)
		if (responses_is(item, types[i]))
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
	bool is_error = false, some = read_result(value, &result, &is_error);

	d->base.has_file |= some && responses_is(item, "image_generation_call");
	end_hosted_args(d, item, value);
	keep_item(item, value);
	if (some || !result_is_apart(item))
		finish_hosted(d, item, buffer_span(&result), is_error);
	buffer_free(&result);
}

/* The call that an item is the result of: the one with its call_id, else the last one that waits.
 */
static struct responses_item *call_of(struct responses_decoder *d, struct span call_id)
{
	for (size_t i = d->item_count; i-- > 0;) {
		struct responses_item *item = d->items[i];

		if (item->kind == ITEM_HOSTED && !item->finished && result_is_apart(item) &&
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
	read_result(value, &result, &is_error);
	keep_item(call, value);
	finish_hosted(d, call, buffer_span(&result), is_error);
	buffer_free(&result);
}

void responses_hosted_complete(struct responses_decoder *d, struct responses_item *item)
{
	struct buffer list = {0};

	if (item->done && !item->finished && result_is_apart(item) &&
	    !responses_is(item, "program")) {
		finish_hosted(d, item,
			      SPAN("Not run: the provider leaves this tool to its client."), true);
	} else if (item->data.len > 0) {
		responses_begin(d, item);
		json_pack(&list, "{'items':[%j]}", buffer_span(&item->data));
		decoder_emit_data(&d->base, MODEL_PART_DATA, item->number, buffer_span(&list));
	}
	buffer_free(&list);
}
