#include "collect.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/clock.h"
#include "base/utf8.h"

/* Names of unknown types are kept up to this length: they are somebody's identifiers. */
enum { MAX_TYPE_NAME = 64, MAX_NAME_SHOWN = 60 };

/* ---- remembering ---- */

static struct span keep_span(struct span span)
{
	return span.at != NULL ? (struct span){mem_copy(span), span.len} : span;
}

static void replace_span(struct span *old, struct span with)
{
	free((char *)old->at);
	*old = keep_span(with);
}

static struct kept keep(const struct result *result, const struct event *event)
{
	return (struct kept){
	    .type = event->type,
	    .order = result->events,
	    .time = result->last_time,
	    .data = keep_span(event->data),
	};
}

static void forget(struct kept *kept)
{
	free((char *)kept->data.at);
	*kept = (struct kept){0};
}

static void list_add(struct kept_list *list, struct kept kept)
{
	list->at = array_grow(list->at, list->count, sizeof(*list->at));
	list->at[list->count++] = kept;
}

static void list_free(struct kept_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		forget(&list->at[i]);
	free(list->at);
}

static void call_free(struct tool_call *call)
{
	forget(&call->start);
	forget(&call->end);
	free(call->run_id);
	free(call);
}

static void call_list_add(struct call_list *list, struct tool_call *call)
{
	list->at = array_grow(list->at, list->count, sizeof(struct tool_call *));
	list->at[list->count++] = call;
}

struct result *result_new(const struct run *run)
{
	struct result *result = mem_zero(sizeof(*result));

	result->run = run;
	result->first_time = result->last_time = result->first_chunk_time = -1;
	for (int i = 0; i < USAGE_KEYS; i++)
		result->usage[i] = -1;
	return result;
}

void result_free(void *state)
{
	struct result *result = state;

	if (result == NULL)
		return;
	forget(&result->start);
	forget(&result->end);
	free(result->started);
	free(result->ended);
	free((char *)result->agent_name.at);
	free((char *)result->model.at);
	free((char *)result->cost.at);
	buffer_free(&result->answer);
	for (size_t i = 0; i < result->open.count; i++)
		if (!result->open.at[i]->listed)
			call_free(result->open.at[i]);
	free(result->open.at);
	for (size_t i = 0; i < result->calls.count; i++)
		call_free(result->calls.at[i]);
	free(result->calls.at);
	list_free(&result->errors);
	list_free(&result->kept);
	buffer_free(&result->lines);
	for (size_t i = 0; i < result->other_types; i++)
		free(result->others[i].name);
	free(result);
}

/* ---- counting ---- */

/* The count of a type that is not known by number; the last place is for all that find none. */
static int64_t *other_counter(struct result *result, struct span name)
{
	for (size_t i = 0; i < result->other_types; i++)
		if (span_is(name, result->others[i].name))
			return &result->others[i].count;
	if (name.len > MAX_TYPE_NAME || result->other_types == MAX_OTHER_TYPES)
		return &result->counts[EVENT_OTHER];
	result->others[result->other_types].name = mem_copy(name);
	return &result->others[result->other_types++].count;
}

static void count(struct result *result, const struct event *event)
{
	result->events++;
	if (event->type == EVENT_OTHER)
		++*other_counter(result, event->type_name);
	else
		result->counts[event->type]++;
}

void result_settle_time(struct result *result)
{
	struct span stamp = {result->last_stamp, result->last_stamp_len};
	int64_t time = stamp.len > 0 ? clock_parse_timestamp(stamp) : -1;

	result->last_stamp_len = 0;
	if (time < 0)
		return;
	if (result->first_time < 0) {
		result->first_time = time;
		result->started = mem_copy(stamp);
	}
	result->last_time = time;
}

/* Timestamps are read when they matter: that of a chunk only when it is the first or the last. */
static void note_time(struct result *result, const struct event *event)
{
	if (event->timestamp.at == NULL || event->timestamp.len > MAX_TIMESTAMP)
		return;
	memcpy(result->last_stamp, event->timestamp.at, event->timestamp.len);
	result->last_stamp_len = event->timestamp.len;
	if (!event_type_is(event->type, EVENT_IS_CHUNK) || result->first_time < 0)
		result_settle_time(result);
}

/* ---- the model's answers ---- */

static void add_chunk(struct result *result, const struct event *event)
{
	if (result->answer_is_over) {
		buffer_clear(&result->answer);
		result->answer_is_over = false;
	}
	if (result->first_chunk_time < 0) {
		result_settle_time(result);
		result->first_chunk_time = result->last_time;
	}
	event_add_text(event, &result->answer);
}

static void begin_iteration(struct result *result, struct span data)
{
	int64_t iteration = json_int(json_get(data, "iteration"), 0);

	if (iteration > result->iteration)
		result->iteration = iteration;
	buffer_clear(&result->answer);
	result->answer_is_over = false;
	result->requests++;
}

/* The text of a message of which no piece was in the stream. */
static void take_message(struct result *result, struct span message)
{
	struct json_walk walk;

	if (!result->answer_is_over && result->answer.len > 0)
		return; /* it came in pieces */
	walk = json_walk(json_get(message, "content"));
	buffer_clear(&result->answer);
	while (json_next(&walk))
		if (json_is(json_get(walk.value, "type"), "text"))
			json_decode(json_get(walk.value, "text"), &result->answer);
}

static void end_response(struct result *result, struct span data)
{
	static const struct span names[] = {
	    SPAN_INIT("iteration"), SPAN_INIT("usage"), SPAN_INIT("message"), {0}};
	struct span values[3];
	int64_t iteration;

	json_members(json_walk(data), names, values);
	iteration = json_int(values[0], 0);
	result->responses++;
	take_message(result, values[2]);
	result->answer_is_over = true;
	if (iteration > result->iteration)
		result->iteration = iteration;
	for (int i = 0; i < USAGE_KEYS; i++)
		usage_add_count(&result->usage[i],
				json_int(json_get(values[1], usage_names[i]), -1));
}

/* ---- tool calls ---- */

/* What tells a call from others: its id, or in events written by hand its tool's name. */
static struct span call_identity(struct span data)
{
	struct span id = json_get(data, "tool_call_id");

	return json_type(id) == JSON_STRING ? id : json_get(data, "tool_name");
}

/* Warn about a call, which is named by what came from a stranger. */
static void warn_call(struct reader *reader, struct span identity, const char *what)
{
	struct buffer name = {0};

	json_decode(identity, &name);
	reader_warn(reader, "tool call '%.*s' %s",
		    SPAN_ARG(utf8_cut(buffer_span(&name), MAX_NAME_SHOWN)), what);
	buffer_free(&name);
}

/* The place in result->open of the call that is running under this identity; open.count: none. */
static size_t find_open_call(const struct result *result, struct span identity)
{
	uint64_t id = hash_add(HASH_START, identity);
	size_t i = 0;

	for (; i < result->open.count; i++) {
		const struct tool_call *call = result->open.at[i];

		if (call->id == id && span_equal(call_identity(call->start.data), identity))
			break;
	}
	return i;
}

static void start_call(struct result *result, const struct event *event, bool listed,
		       struct reader *reader)
{
	struct span identity = call_identity(event->data);
	struct tool_call *call;

	if (json_get(event->data, "tool_call_id").at != NULL &&
	    find_open_call(result, identity) < result->open.count) {
		if (result->run->resumed)
			return; /* it was interrupted, and runs again */
		warn_call(reader, identity, "starts a second time; the second start is ignored");
		return;
	}
	call = mem_alloc(sizeof(*call));
	*call = (struct tool_call){
	    .id = hash_add(HASH_START, identity),
	    .run_id = listed ? mem_copy(span_of(result->run->id)) : NULL,
	    .start = keep(result, event),
	    .iteration = json_int(json_get(event->data, "iteration"), result->iteration),
	    .listed = listed,
	};
	call_list_add(&result->open, call);
	if (listed)
		call_list_add(&result->calls, call);
	result->calls_started++;
}

/* A result may be long: it is walked over only once. */
static void look_up_end(struct tool_call *call)
{
	static const struct span names[] = {
	    SPAN_INIT("result"), SPAN_INIT("is_error"), SPAN_INIT("duration_seconds"), {0}};
	struct span values[3];

	json_members(json_walk(call->end.data), names, values);
	call->result = values[0];
	call->is_error = values[1];
	call->duration = values[2];
}

static void end_call(struct result *result, const struct event *event, struct reader *reader)
{
	struct span identity = call_identity(event->data);
	size_t i = find_open_call(result, identity);
	struct tool_call *call;

	if (i == result->open.count) {
		warn_call(reader, identity, "ends without having started; it is left out");
		return;
	}
	call = result->open.at[i];
	result->open.count--;
	memmove(&result->open.at[i], &result->open.at[i + 1],
		(result->open.count - i) * sizeof(call));
	call->end = keep(result, event);
	look_up_end(call);
	result->calls_failed += call_failed(call);
	if (!call->listed)
		call_free(call);
}

/* ---- events ---- */

static void start_run(struct result *result, const struct event *event)
{
	if (result->run->resumed)
		return; /* its beginning is known */
	forget(&result->start);
	result->start = keep(result, event);
	replace_span(&result->agent_name, json_get(event->data, "agent_name"));
	replace_span(&result->model, json_get(event->data, "model"));
}

static void hand_off(struct result *result, struct span data)
{
	struct span model = json_get(data, "model");

	replace_span(&result->agent_name, json_get(data, "agent_name"));
	if (json_type(model) == JSON_STRING)
		replace_span(&result->model, model);
}

static void end_run(struct result *result, const struct event *event)
{
	struct span name = json_get(event->data, "agent_name");

	result->end = keep(result, event);
	if (event->timestamp.at != NULL)
		result->ended = mem_copy(event->timestamp);
	if (json_type(name) == JSON_STRING)
		replace_span(&result->agent_name, name);
}

static void add_by_type(struct result *result, const struct event *event, const struct wants *wants,
			struct reader *reader)
{
	switch (event->type) {
	case EVENT_AGENT_START:
		start_run(result, event);
		break;
	case EVENT_AGENT_UPDATED:
		hand_off(result, event->data);
		break;
	case EVENT_PROGRESS:
		replace_span(&result->cost, json_get(event->data, "total_cost_usd"));
		break;
	case EVENT_ERROR:
		result->error_count++;
		if (wants->errors)
			list_add(&result->errors, keep(result, event));
		break;
	case EVENT_AGENT_END:
		end_run(result, event);
		break;
	case EVENT_LLM_START:
		begin_iteration(result, event->data);
		break;
	case EVENT_LLM_CHUNK:
		add_chunk(result, event);
		break;
	case EVENT_LLM_RETRY:
		if (event_discards(event))
			buffer_clear(&result->answer);
		break;
	case EVENT_LLM_END:
		end_response(result, event->data);
		break;
	case EVENT_TOOL_START:
		start_call(result, event, wants->calls, reader);
		break;
	case EVENT_TOOL_END:
		end_call(result, event, reader);
		break;
	case EVENT_THINKING_CHUNK:
	case EVENT_TOOL_CALL_START:
	case EVENT_TOOL_CALL_CHUNK:
	case EVENT_TOOL_CALL_END:
	case EVENT_OUTPUT_CHUNK:
	case EVENT_TOOL_CHUNK:
	case EVENT_TOOL_APPROVAL:
	case EVENT_RAW:
	case EVENT_OTHER:
		break;
	}
}

void result_add(struct result *result, const struct event *event, const struct wants *wants,
		struct reader *reader)
{
	count(result, event);
	note_time(result, event);
	if (wants->lines) {
		if (result->lines.len > 0)
			buffer_add_char(&result->lines, ',');
		buffer_add_span(&result->lines, event->line);
	}
	add_by_type(result, event, wants, reader);
	if (event_set_has(wants->types, event->type))
		list_add(&result->kept, keep(result, event));
}
