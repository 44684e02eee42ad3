#include "model/event_response.h"

#include <stdlib.h>

#include "base/suggestion.h"
#include "event/event.h"
#include "model/protocol/finish_reason.h"

void event_response_init(struct event_response *response, const struct model_handler *handler)
{
	*response = (struct event_response){
	    .handler = *handler, .usage = MODEL_USAGE_NONE, .last = MODEL_TOOL_CALL};
}

void event_response_free(struct event_response *response)
{
	for (size_t i = 0; i < response->call_count; i++)
		free(response->calls[i].id);
	free(response->calls);
	failure_free(&response->failure);
	buffer_free(&response->response_id);
	buffer_free(&response->model);
	buffer_free(&response->refusal);
	buffer_free(&response->reason);
	buffer_free(&response->text);
	buffer_free(&response->fault);
}

static void deliver(struct event_response *response, const struct model_delta *delta)
{
	if (delta->type <= MODEL_TOOL_CALL)
		response->last = delta->type;
	if (!response->stopped)
		response->handler.delta(response->handler.context, delta);
}

static void deliver_text(struct event_response *response, enum model_delta_type type, int index,
			 struct span string)
{
	struct model_delta delta = {.type = type, .index = index};

	buffer_clear(&response->text);
	json_decode(string, &response->text);
	delta.text = buffer_span(&response->text);
	if (delta.text.len > 0)
		deliver(response, &delta);
}

/* Deliver a chunk. Chunks of one kind belong to separate parts if their numbers differ. */
static void deliver_chunk(struct event_response *response, enum model_delta_type type,
			  struct span data)
{
	const struct model_delta split = {.type = MODEL_PART_DATA, .index = -1, .text = SPAN("{}")};
	int64_t part = json_int(json_get(data, "part"), 0);

	if (part != response->part && response->last == type)
		deliver(response, &split);
	response->part = part;
	deliver_text(response, type, -1, json_get(data, "text"));
}

static bool read_error(struct event_response *response, struct span data)
{
	struct failure *failure = &response->failure;

	if (failure->kind != ERROR_NONE)
		return false;
	failure->kind = error_kind_of_model(json_get(data, "exception_type"));
	failure->retryable = json_true(json_get(data, "retryable"));
	failure->http_status = (int)json_int(json_get(data, "http_status"), 0);
	failure->retry_after = json_double(json_get(data, "retry_after_seconds"), 0);
	json_decode(json_get(data, "error"), &failure->message);
	if (failure->message.len == 0)
		buffer_add_text(&failure->message, "an error without a message");
	json_decode(json_get(data, "provider_code"), &failure->code);
	json_decode(json_get(data, "request_id"), &failure->request_id);
	return false;
}

/* ---- tool calls ---- */

/* The position of the call; -1 if it has not begun. */
static int find_call(const struct event_response *response, struct span id)
{
	size_t i = response->call_count; /* the last call is the one that is written */

	while (i > 0 && !json_is(id, response->calls[i - 1].id))
		i--;
	return (int)i - 1;
}

/* A call begins; one without an id gets a number. Returns its position, -1 if it has no name. */
static int begin_call(struct event_response *response, struct span data)
{
	int index = (int)response->call_count;
	struct buffer name = {0}, id = {0};
	struct model_delta delta = {
	    .type = MODEL_TOOL_CALL, .index = index, .by_provider = event_is_hosted(data)};

	json_decode(json_get(data, "tool_name"), &name);
	if (name.len == 0) {
		failure_set(&response->failure, ERROR_INVALID_RESPONSE, false,
			    "a tool call without a tool_name");
		buffer_free(&name);
		return -1;
	}
	json_decode(json_get(data, "tool_call_id"), &id);
	if (id.len == 0)
		buffer_add_format(&id, "call_%d", index + 1);
	response->calls =
	    array_grow(response->calls, response->call_count, sizeof(*response->calls));
	response->calls[response->call_count++] =
	    (struct event_response_call){.id = buffer_take(&id), .by_provider = delta.by_provider};
	delta.id = span_of(response->calls[index].id);
	delta.name = buffer_span(&name);
	deliver(response, &delta);
	buffer_free(&name);
	return index;
}

/* Deliver the complete arguments of a call: JSON, or text that is not JSON. */
static void deliver_args(struct event_response *response, int index, struct span data)
{
	struct span invalid = json_get(data, "invalid_args");
	struct model_delta delta = {
	    .type = MODEL_TOOL_ARGS, .index = index, .text = json_get(data, "args")};

	if (response->calls[index].has_args)
		return;
	response->calls[index].has_args = true;
	if (invalid.at != NULL)
		deliver_text(response, MODEL_TOOL_ARGS, index, invalid);
	else if (delta.text.at != NULL)
		deliver(response, &delta);
}

/* Deliver the result of a hosted call, or that it runs. `data` is that of a tool_start or tool_end,
 * or the part of the message. */
static void deliver_result(struct event_response *response, int index, struct span data)
{
	struct event_response_call *call = &response->calls[index];
	struct span result = json_get(data, "result");
	struct model_delta delta = {.type =
					result.at != NULL ? MODEL_TOOL_RESULT : MODEL_TOOL_RUNNING,
				    .index = index,
				    .is_error = json_true(json_get(data, "is_error"))};

	if (!call->by_provider || call->over)
		return;
	call->over = result.at != NULL;
	buffer_clear(&response->text);
	json_decode(result, &response->text);
	delta.text = buffer_span(&response->text);
	deliver(response, &delta);
}

/* A piece of a call, or a whole one. A call with a new id begins. */
static bool read_call(struct event_response *response, struct span data, bool whole)
{
	struct span id = json_get(data, "tool_call_id"), piece = json_get(data, "args_delta");
	int index = id.at != NULL ? find_call(response, id) : -1;

	if (index < 0)
		index = begin_call(response, data);
	if (index < 0)
		return false;
	if (piece.at != NULL) {
		response->calls[index].has_args = true;
		deliver_text(response, MODEL_TOOL_ARGS, index, piece);
	} else if (whole) {
		deliver_args(response, index, data);
		if (event_is_hosted(data))
			deliver_result(response, index, data);
	}
	return true;
}

/* ---- the end ---- */

static void read_reason(struct event_response *response, struct span data)
{
	const struct finish_reason *known;

	buffer_clear(&response->reason);
	json_decode(json_get(data, "finish_reason"), &response->reason);
	known = finish_reason_find(buffer_span(&response->reason), NULL);
	response->finish = known != NULL ? known->finish : MODEL_STOP;
	if (known != NULL)
		buffer_clear(&response->reason);
	json_decode(json_get(data, "provider_finish_reason"), &response->reason);
}

/* Deliver what of the whole message has not been streamed. */
static bool read_message(struct event_response *response, struct span message)
{
	bool has_text = response->has_text, has_thinking = response->has_thinking;

	for (struct json_walk walk = json_walk(json_get(message, "content")); json_next(&walk);) {
		struct span type = json_get(walk.value, "type");
		struct span text = json_get(walk.value, "text");

		if (json_is(type, "text") && !has_text)
			deliver_text(response, MODEL_TEXT, -1, text);
		else if (json_is(type, "thinking") && !has_thinking)
			deliver_text(response, MODEL_THINKING, -1, text);
		else if (json_is(type, "refusal"))
			json_decode(text, &response->refusal);
		else if (json_is(type, "tool_call") && !read_call(response, walk.value, true))
			return false;
	}
	return true;
}

static bool read_end(struct event_response *response, struct span data)
{
	read_reason(response, data);
	model_usage_read(json_get(data, "usage"), &response->usage);
	buffer_clear(&response->response_id);
	buffer_clear(&response->model);
	json_decode(json_get(data, "response_id"), &response->response_id);
	json_decode(json_get(data, "model"), &response->model);
	response->goes_on = json_false(json_get(data, "is_final"));
	if (json_is(json_get(data, "finish_reason"), "stop") && response->goes_on)
		response->finish = MODEL_PAUSE; /* unless there are calls */
	return read_message(response, json_get(data, "message"));
}

void event_response_outcome(struct event_response *response, struct model_outcome *outcome)
{
	outcome->finish = response->finish;
	for (size_t i = 0; i < response->call_count; i++)
		if (!response->calls[i].by_provider &&
		    (outcome->finish == MODEL_STOP || outcome->finish == MODEL_PAUSE))
			outcome->finish = MODEL_TOOL_CALLS;
	outcome->goes_on = response->goes_on;
	outcome->usage = response->usage;
	outcome->provider_finish_reason = buffer_string_or_null(&response->reason);
	outcome->refusal = buffer_string_or_null(&response->refusal);
	if (outcome->refusal != NULL && outcome->finish == MODEL_STOP)
		outcome->finish = MODEL_REFUSAL;
	outcome->response_id = buffer_string_or_null(&response->response_id);
	outcome->model = buffer_string_or_null(&response->model);
	failure_write(&response->failure, outcome);
}

/* ---- lines ---- */

/* Where a member may be. */
enum place {
	IN_EVENTS,
	ANYWHERE,
	MAKES_FORM /* anywhere; an object that has it is a short form */
};

/* What lines have of a response: members of short forms, and of the data of events. */
static const struct member {
	const char *name;
	enum json_type type; /* JSON_ABSENT: any */
	enum place place;
} members[] = {
    {"text", JSON_STRING, MAKES_FORM},
    {"thinking", JSON_STRING, MAKES_FORM},
    {"refusal", JSON_STRING, MAKES_FORM},
    {"tool_name", JSON_STRING, MAKES_FORM},
    {"args", JSON_OBJECT, ANYWHERE},
    {"args_delta", JSON_STRING, MAKES_FORM},
    {"usage", JSON_OBJECT, MAKES_FORM},
    {"finish_reason", JSON_STRING, MAKES_FORM},
    {"error", JSON_STRING, MAKES_FORM},
    {"tool_call_id", JSON_STRING, ANYWHERE},
    {"invalid_args", JSON_STRING, ANYWHERE},
    {"message", JSON_OBJECT, ANYWHERE},
    {"index", JSON_NUMBER, ANYWHERE},
    {"executed_by", JSON_STRING, ANYWHERE},
    {"result", JSON_ABSENT, ANYWHERE},
    {"is_error", JSON_BOOL, ANYWHERE},
    {"exception_type", JSON_STRING, ANYWHERE},
    {"retryable", JSON_BOOL, ANYWHERE},
    {"http_status", JSON_NUMBER, ANYWHERE},
    {"retry_after_seconds", JSON_NUMBER, ANYWHERE},
    {"provider_code", JSON_STRING, ANYWHERE},
    {"request_id", JSON_STRING, ANYWHERE},
    {"part", JSON_NUMBER, IN_EVENTS},
    {"is_final", JSON_BOOL, IN_EVENTS},
    {"provider_finish_reason", JSON_STRING, IN_EVENTS},
    {"response_id", JSON_STRING, IN_EVENTS},
    {"model", JSON_STRING, IN_EVENTS},
    {"content", JSON_ARRAY, IN_EVENTS},
    {"type", JSON_STRING, IN_EVENTS},
};

static bool has(struct span data, const char *name)
{
	return json_type(json_get(data, name)) > JSON_NULL;
}

static const struct member *find_member(struct span key)
{
	for (size_t i = 0; i < ARRAY_LEN(members) && members[i].place != IN_EVENTS; i++)
		if (json_is(key, members[i].name))
			return &members[i];
	return NULL;
}

static bool fails(struct event_response *response, const char *name, enum json_type type)
{
	buffer_add_format(&response->fault, "%s must be %s %s", name,
			  type == JSON_ARRAY || type == JSON_OBJECT ? "an" : "a",
			  json_type_name(type));
	return false;
}

/* Whether the members have their types; null fits too. Else `fault` says which has not. */
static bool has_types(struct event_response *response, struct span data)
{
	struct span usage = json_get(data, "usage");

	for (int i = 0; i < USAGE_KEYS; i++)
		if (has(usage, usage_names[i]) &&
		    json_type(json_get(usage, usage_names[i])) != JSON_NUMBER)
			return fails(response, usage_names[i], JSON_NUMBER);
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const struct member *member = &members[i];

		if (member->type != JSON_ABSENT && has(data, member->name) &&
		    json_type(json_get(data, member->name)) != member->type)
			return fails(response, member->name, member->type);
	}
	return true;
}

/* The same for a message and its parts. */
static bool has_part_types(struct event_response *response, struct span message)
{
	struct json_walk walk;

	if (!has_types(response, message))
		return false;
	for (walk = json_walk(json_get(message, "content")); json_next(&walk);)
		if (json_type(walk.value) != JSON_OBJECT)
			return fails(response, "a part of content", JSON_OBJECT);
		else if (!has(walk.value, "type"))
			return fails(response, "type", JSON_STRING);
		else if (!has_types(response, walk.value))
			return false;
	return true;
}

static void add_unknown(struct event_response *response, struct span key)
{
	char *name = json_text(key);
	struct suggestion suggestion = suggestion_for(name);

	for (size_t i = 0; i < ARRAY_LEN(members) && members[i].place != IN_EVENTS; i++)
		suggestion_consider(&suggestion, members[i].name);
	buffer_add_format(&response->fault, "unknown key \"%s\"", name);
	suggestion_write(&suggestion, &response->fault);
	free(name);
}

/* Whether an object is one or several short forms. An unknown member is a misspelt one, or might be
 * an argument of a call. */
static bool is_short(struct event_response *response, struct span line)
{
	bool some = false;

	for (struct json_walk walk = json_walk(line); json_next(&walk);) {
		const struct member *member = find_member(walk.key);

		if (member == NULL) {
			add_unknown(response, walk.key);
			return false;
		}
		some |= member->place == MAKES_FORM && json_type(walk.value) != JSON_NULL;
	}
	return has_types(response, line) && some;
}

/* Whether an event has what a response needs of it. */
static bool is_whole(struct event_response *response, enum event_type type, struct span data)
{
	switch (type) {
	case EVENT_LLM_CHUNK:
	case EVENT_THINKING_CHUNK:
		return has(data, "text") && has_types(response, data);
	case EVENT_TOOL_CALL_START:
		return has_types(response, data);
	case EVENT_TOOL_CALL_CHUNK:
		return has(data, "args_delta") && has_types(response, data);
	case EVENT_TOOL_CALL_END:
		return (has(data, "args") || has(data, "invalid_args")) &&
		       has_types(response, data);
	case EVENT_LLM_END:
		return json_type(data) == JSON_OBJECT && has_types(response, data) &&
		       has_part_types(response, json_get(data, "message"));
	case EVENT_ERROR:
		return has(data, "error") && has_types(response, data);
	default:
		return type != EVENT_OTHER;
	}
}

static bool read_short(struct event_response *response, struct span line)
{
	struct span text = json_get(line, "text"), thinking = json_get(line, "thinking");

	response->has_text |= text.at != NULL;
	response->has_thinking |= thinking.at != NULL;
	deliver_text(response, MODEL_THINKING, -1, thinking);
	deliver_text(response, MODEL_TEXT, -1, text);
	json_decode(json_get(line, "refusal"), &response->refusal);
	if ((has(line, "tool_name") || has(line, "args_delta")) && !read_call(response, line, true))
		return false;
	if (has(line, "usage"))
		model_usage_read(json_get(line, "usage"), &response->usage);
	if (has(line, "finish_reason"))
		read_reason(response, line);
	return !has(line, "error") || read_error(response, line);
}

bool event_response_read(struct event_response *response, struct span line)
{
	bool is_event = json_get(line, "event_type").at != NULL;
	struct event event;

	event_envelope(line, &event);
	if (response->strict &&
	    !(is_event ? is_whole(response, event.type, event.data) : is_short(response, line)))
		return false;
	switch (event.type) {
	case EVENT_LLM_CHUNK:
		response->has_text = true;
		deliver_chunk(response, MODEL_TEXT, event.data);
		return true;
	case EVENT_THINKING_CHUNK:
		response->has_thinking = true;
		deliver_chunk(response, MODEL_THINKING, event.data);
		return true;
	case EVENT_TOOL_CALL_START:
	case EVENT_TOOL_CALL_CHUNK:
		return read_call(response, event.data, false);
	case EVENT_TOOL_CALL_END:
		return read_call(response, event.data, true);
	case EVENT_TOOL_START:
	case EVENT_TOOL_END:
		return !event_is_hosted(event.data) || read_call(response, event.data, true);
	case EVENT_LLM_END:
		return read_end(response, event.data);
	case EVENT_ERROR:
		return read_error(response, event.data);
	default:
		return is_event || read_short(response, line);
	}
}
