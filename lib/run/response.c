#include "run/response.h"

#include <stdlib.h>

#include "event/event.h"
#include "json/tree.h"

static struct response_part *add_part(struct response *response, enum response_part_type type)
{
	response->parts =
	    array_grow(response->parts, response->part_count, sizeof(*response->parts));
	response->parts[response->part_count] = (struct response_part){.type = type};
	return &response->parts[response->part_count++];
}

/* The part that a piece of `type` continues: the last one unless it is complete, or a new one. */
static struct response_part *current_part(struct response *response, enum response_part_type type)
{
	if (response->part_count > 0) {
		struct response_part *last = &response->parts[response->part_count - 1];

		if (last->type == type && last->provider_data.len == 0)
			return last;
	}
	return add_part(response, type);
}

struct response_call *response_call_at(struct response *response, int index)
{
	return index >= 0 && (size_t)index < response->call_count ? &response->calls[index] : NULL;
}

static void add_call(struct response *response, const struct model_delta *delta, const char *id)
{
	response->calls =
	    array_grow(response->calls, response->call_count, sizeof(*response->calls));
	add_part(response, RESPONSE_CALL)->call = response->call_count;
	response->calls[response->call_count++] = (struct response_call){
	    .id = mem_copy(span_of(id)),
	    .provider_id = span_is(delta->id, id) ? NULL : mem_copy(delta->id),
	    .name = mem_copy(delta->name),
	    .free_form = delta->free_form,
	    .by_provider = delta->by_provider,
	};
}

static void replace(struct buffer *data, struct span json)
{
	buffer_clear(data);
	buffer_add_span(data, json);
}

void response_add(struct response *response, const struct model_delta *delta, const char *id)
{
	struct response_call *call = response_call_at(response, delta->index);

	switch (delta->type) {
	case MODEL_TEXT:
		buffer_add_span(&current_part(response, RESPONSE_TEXT)->text, delta->text);
		break;
	case MODEL_THINKING:
		buffer_add_span(&current_part(response, RESPONSE_THINKING)->text, delta->text);
		break;
	case MODEL_TOOL_CALL:
		add_call(response, delta, id);
		break;
	case MODEL_TOOL_ARGS:
		if (call != NULL)
			buffer_add_span(&call->args, delta->text);
		break;
	case MODEL_TOOL_RESULT:
		if (call != NULL) {
			replace(&call->result, delta->text);
			call->is_error = delta->is_error;
		}
		break;
	case MODEL_OPAQUE:
		replace(&add_part(response, RESPONSE_OPAQUE)->provider_data, delta->text);
		break;
	case MODEL_PART_DATA:
		if (call != NULL)
			replace(&call->provider_data, delta->text);
		else if (response->part_count > 0)
			replace(&response->parts[response->part_count - 1].provider_data,
				delta->text);
		break;
	case MODEL_MESSAGE_DATA:
		replace(&response->provider_data, delta->text);
		break;
	case MODEL_TOOL_RUNNING:
	case MODEL_RAW:
		break;
	}
}

size_t response_calls_to_run(const struct response *response)
{
	size_t count = 0;

	for (size_t i = 0; i < response->call_count; i++)
		count += !response->calls[i].by_provider;
	return count;
}

/* Make JSON of arguments that are free text. */
static void wrap_text(struct response_call *call)
{
	struct buffer args = {0};

	json_pack(&args, "{'input':%s}", buffer_span(&call->args));
	replace(&call->args, buffer_span(&args));
	buffer_free(&args);
	call->free_form = false;
}

/* Write the arguments as an event has them, on one line, so that the approver, the log and the tool
 * get the same bytes. */
static void make_line(struct response_call *call, struct span args)
{
	struct buffer line = {0};

	json_write_line(&line, args);
	replace(&call->args, buffer_span(&line));
	buffer_free(&line);
}

void response_finish_call(struct response_call *call)
{
	struct span args;

	if (call->free_form)
		wrap_text(call);
	args = json_trim(buffer_span(&call->args));
	if (args.len == 0) {
		replace(&call->args, SPAN("{}"));
		args = buffer_span(&call->args);
	}
	call->valid = json_type(args) == JSON_OBJECT && json_check(args, NULL) &&
		      (call->by_provider || json_find_repeated(args, NULL).at == NULL);
	if (call->valid)
		make_line(call, args);
}

void response_finish(struct response *response)
{
	for (size_t i = 0; i < response->call_count; i++)
		response_finish_call(&response->calls[i]);
}

bool response_is_cut(const struct response *response)
{
	for (size_t i = 0; i < response->call_count; i++) {
		const struct response_call *call = &response->calls[i];
		const struct response_part *last = &response->parts[response->part_count - 1];
		bool is_last = last->type == RESPONSE_CALL && last->call == i;

		if (!call->by_provider &&
		    (!call->valid || (is_last && json_count(response_args(call)) == 0)))
			return true;
	}
	return false;
}

struct span response_args(const struct response_call *call)
{
	return call->valid ? buffer_span(&call->args) : SPAN("{}");
}

static void write_call(struct buffer *out, const struct response_call *call)
{
	struct span none = {0}, data = buffer_span(&call->provider_data);

	json_pack(out,
		  "{'type':'tool_call','tool_call_id':%t,'provider_id':%t,'tool_name':%t,'args':%l,"
		  "'invalid_args':%s",
		  call->id, call->provider_id, call->name, response_args(call),
		  call->valid ? none : buffer_span(&call->args));
	if (call->by_provider)
		json_pack(out, "'executed_by':'provider','result':%s,'is_error':%b",
			  buffer_span(&call->result), call->is_error);
	json_pack(out, "'provider_data':%j}", data);
}

static void write_part(struct buffer *out, const struct response *response,
		       const struct response_part *part)
{
	static const char *const types[] = {[RESPONSE_TEXT] = "text",
					    [RESPONSE_THINKING] = "thinking",
					    [RESPONSE_OPAQUE] = "opaque"};
	struct span none = {0};

	if (part->type == RESPONSE_CALL)
		write_call(out, &response->calls[part->call]);
	else
		json_pack(out, "{'type':%t,'text':%s,'provider_data':%j}", types[part->type],
			  part->type == RESPONSE_OPAQUE ? none : buffer_span(&part->text),
			  buffer_span(&part->provider_data));
}

void response_write_message(const struct response *response, const char *provider,
			    const char *model, const char *refusal, struct buffer *out)
{
	json_pack(out, "{'role':'assistant','content':[");
	for (size_t i = 0; i < response->part_count; i++)
		write_part(out, response, &response->parts[i]);
	if (refusal != NULL)
		json_pack(out, "{'type':'refusal','text':%t}", refusal);
	json_pack(out, "],'provider':%t,'model':%t,'provider_data':%j}", provider, model,
		  buffer_span(&response->provider_data));
}

static void load_call(struct response *response, struct span part)
{
	struct span invalid = json_get(part, "invalid_args");
	char *id = json_text(json_get(part, "tool_call_id"));
	struct buffer name = {0}, own = {0};
	struct response_call *call;

	json_decode(json_get(part, "tool_name"), &name);
	if (!json_decode(json_get(part, "provider_id"), &own))
		buffer_add_text(&own, id != NULL ? id : "");
	add_call(response,
		 &(struct model_delta){
		     .id = buffer_span(&own),
		     .name = buffer_span(&name),
		     .by_provider = event_is_hosted(part),
		 },
		 id != NULL ? id : "");
	call = &response->calls[response->call_count - 1];
	if (!json_decode(invalid, &call->args))
		buffer_add_span(&call->args, json_get(part, "args"));
	buffer_add_span(&call->provider_data, json_get(part, "provider_data"));
	json_decode(json_get(part, "result"), &call->result);
	call->is_error = json_true(json_get(part, "is_error"));
	call->state = RESPONSE_CALL_OVER;
	free(id);
	buffer_free(&name);
	buffer_free(&own);
}

void response_load(struct response *response, struct span message)
{
	struct json_walk walk = json_walk(json_get(message, "content"));

	while (json_next(&walk)) {
		struct span type = json_get(walk.value, "type");

		if (json_is(type, "tool_call"))
			load_call(response, walk.value);
		else if (json_is(type, "text"))
			json_decode(json_get(walk.value, "text"),
				    &add_part(response, RESPONSE_TEXT)->text);
	}
	response_finish(response);
}

bool response_has(const struct response *response, enum response_part_type type)
{
	for (size_t i = 0; i < response->part_count; i++)
		if (response->parts[i].type == type &&
		    span_trim(buffer_span(&response->parts[i].text)).len > 0)
			return true;
	return false;
}

struct span response_text(const struct response *response, struct buffer *joined)
{
	struct span only = SPAN("");

	for (size_t i = 0; i < response->part_count; i++) {
		struct span text = buffer_span(&response->parts[i].text);

		if (response->parts[i].type != RESPONSE_TEXT || text.len == 0)
			continue;
		if (only.len > 0 && joined->len == 0)
			buffer_add_span(joined, only);
		if (only.len > 0)
			buffer_add_span(joined, text);
		else
			only = text;
	}
	return joined->len > 0 ? buffer_span(joined) : only;
}

void response_clear(struct response *response)
{
	for (size_t i = 0; i < response->part_count; i++) {
		buffer_free(&response->parts[i].text);
		buffer_free(&response->parts[i].provider_data);
	}
	for (size_t i = 0; i < response->call_count; i++) {
		free(response->calls[i].id);
		free(response->calls[i].provider_id);
		free(response->calls[i].name);
		buffer_free(&response->calls[i].args);
		buffer_free(&response->calls[i].provider_data);
		buffer_free(&response->calls[i].result);
	}
	response->part_count = 0;
	response->call_count = 0;
	buffer_clear(&response->provider_data);
}

void response_free(struct response *response)
{
	response_clear(response);
	free(response->parts);
	free(response->calls);
	buffer_free(&response->provider_data);
	*response = (struct response){0};
}
