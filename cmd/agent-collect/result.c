#include "collect.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/utf8.h"

/* Longer names of unknown types are counted together. */
enum { MAX_TYPE_NAME = 64, MAX_NAME_SHOWN = 60 };

static const struct span start_names[START_KEYS + 1] = {
    [START_ID] = SPAN_INIT("id"),
    [START_SYSTEM] = SPAN_INIT("system"),
    [START_PROMPT] = SPAN_INIT("prompt"),
    [START_ATTACHMENTS] = SPAN_INIT("attachments"),
    [START_TOOLS] = SPAN_INIT("tools"),
    [START_PROVIDER] = SPAN_INIT("provider"),
    [START_TRACE_PARENT] = SPAN_INIT("trace_parent"),
    [START_RESUMED_FROM] = SPAN_INIT("resumed_from"),
    [START_PARENT_CALL] = SPAN_INIT("parent_tool_call_id"),
    [START_AGENT_NAME] = SPAN_INIT("agent_name"),
    [START_MODEL] = SPAN_INIT("model"),
};
static const struct span end_names[END_KEYS + 1] = {
    [END_AGENT_NAME] = SPAN_INIT("agent_name"),
    [END_SUCCESS] = SPAN_INIT("success"),
    [END_STATUS] = SPAN_INIT("status"),
    [END_OUTPUT] = SPAN_INIT("output"),
    [END_OUTPUT_JSON] = SPAN_INIT("output_json"),
    [END_FINISH_REASON] = SPAN_INIT("finish_reason"),
    [END_USAGE] = SPAN_INIT("usage"),
    [END_COST] = SPAN_INIT("total_cost_usd"),
    [END_ITERATIONS] = SPAN_INIT("total_iterations"),
    [END_TOOL_CALLS] = SPAN_INIT("tool_calls"),
    [END_SECONDS] = SPAN_INIT("duration_seconds"),
    [END_FIRST_CHUNK] = SPAN_INIT("time_to_first_chunk_seconds"),
};

/* ---- kept events ---- */

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

const struct kept *result_next(const struct result *result, const struct kept *kept,
			       event_set types)
{
	const struct kept *end = result->kept.at + result->kept.count;

	for (kept = kept != NULL ? kept + 1 : result->kept.at; kept < end; kept++)
		if (event_set_has(types, kept->type))
			return kept;
	return NULL;
}

static void call_free(struct result_call *call)
{
	forget(&call->start);
	forget(&call->end);
	free(call->run_id);
	free(call);
}

static void call_list_add(struct call_list *list, struct result_call *call)
{
	list->at = array_grow(list->at, list->count, sizeof(struct result_call *));
	list->at[list->count++] = call;
}

struct result *result_new(const struct run *run)
{
	struct result *result = mem_zero(sizeof(*result));

	result->run = run;
	result->first_time = result->last_time = result->first_chunk_time = -1;
	result->piece_time = -1;
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
	buffer_free(&result->response);
	for (size_t i = 0; i < result->open.count; i++)
		if (!result->open.at[i]->listed)
			call_free(result->open.at[i]);
	free(result->open.at);
	for (size_t i = 0; i < result->calls.count; i++)
		call_free(result->calls.at[i]);
	free(result->calls.at);
	for (size_t i = 0; i < result->kept.count; i++)
		forget(&result->kept.at[i]);
	free(result->kept.at);
	buffer_free(&result->lines);
	buffer_free(&result->status);
	for (size_t i = 0; i < result->other_types; i++)
		free(result->others[i].name);
	free(result);
}

/* ---- counting ---- */

/* The count of a type that agent-events(5) does not list; further types share one count. */
static int64_t *other_counter(struct result *result, struct span name)
{
	for (size_t i = 0; i < result->other_types; i++)
		if (span_is(name, result->others[i].name))
			return &result->others[i].count;
	if (name.len > MAX_TYPE_NAME || result->other_types == MAX_OTHER_TYPES)
		return &result->event_counts[EVENT_OTHER];
	result->others[result->other_types].name = mem_copy(name);
	return &result->others[result->other_types++].count;
}

static void count(struct result *result, const struct event *event)
{
	result->events++;
	if (event->type == EVENT_OTHER)
		++*other_counter(result, event->type_name);
	else
		result->event_counts[event->type]++;
}

void result_settle_time(struct result *result)
{
	struct span stamp = {result->last_stamp, result->last_stamp_len};
	int64_t time = stamp.len > 0 ? clock_parse_timestamp(stamp) : -1;

	result->last_stamp_len = 0;
	if (time < 0)
		return;
	if (result->piece_time < 0)
		result->piece_time = time;
	if (result->first_time < 0) {
		result->first_time = time;
		result->started = mem_copy(stamp);
	}
	result->last_time = time;
}

/* The timestamp of a chunk is parsed only if it is the first or the last of the run. */
static void note_time(struct result *result, const struct event *event)
{
	if (event->timestamp.at == NULL || event->timestamp.len > MAX_TIMESTAMP)
		return;
	memcpy(result->last_stamp, event->timestamp.at, event->timestamp.len);
	result->last_stamp_len = event->timestamp.len;
	if (!event_type_is(event->type, EVENT_IS_CHUNK) || result->first_time < 0)
		result_settle_time(result);
}

/* ---- responses ---- */

static void add_chunk(struct result *result, const struct event *event)
{
	if (result->response_is_over) {
		buffer_clear(&result->response);
		result->response_is_over = false;
	}
	if (result->first_chunk_time < 0) {
		result_settle_time(result);
		result->first_chunk_time = result->last_time;
	}
	event_add_text(event, &result->response);
}

static void note_iteration(struct result *result, struct span number)
{
	int64_t iteration = json_int(number, 0);

	if (iteration > result->iteration)
		result->iteration = iteration;
}

static void begin_iteration(struct result *result, struct span data)
{
	note_iteration(result, json_get(data, "iteration"));
	buffer_clear(&result->response);
	result->response_is_over = false;
	result->requests++;
}

/* Add the text of a message that did not come in pieces. */
static void add_message(struct result *result, struct span message)
{
	if (!result->response_is_over && result->response.len > 0)
		return;
	buffer_clear(&result->response);
	for (struct json_walk walk = json_walk(json_get(message, "content")); json_next(&walk);)
		if (json_is(json_get(walk.value, "type"), "text"))
			json_decode(json_get(walk.value, "text"), &result->response);
}

static void end_response(struct result *result, struct span data)
{
	static const struct span names[] = {
	    SPAN_INIT("iteration"), SPAN_INIT("usage"), SPAN_INIT("message"), {0}};
	struct span values[3];
	int64_t usage[USAGE_KEYS];

	json_members(json_walk(data), names, values);
	note_iteration(result, values[0]);
	result->responses++;
	add_message(result, values[2]);
	result->response_is_over = true;
	usage_counts(values[1], usage);
	for (int i = 0; i < USAGE_KEYS; i++)
		usage_add_count(&result->usage[i], usage[i]);
}

/* ---- tool calls ---- */

/* The JSON string that distinguishes a call from others: its id, or in events written by hand the
 * name of its tool. */
static struct span call_identity(struct span id, struct span name)
{
	return json_type(id) == JSON_STRING ? id : name;
}

/* Warn about a call, whose name can be of any length. */
static void warn_call(struct reader *reader, struct span identity, const char *what)
{
	struct buffer name = {0};

	json_decode(identity, &name);
	reader_warn(reader, "tool call '%.*s' %s",
		    SPAN_ARG(utf8_cut(buffer_span(&name), MAX_NAME_SHOWN)), what);
	buffer_free(&name);
}

/* The place in result->open of the running call with this identity; open.count: none. */
static size_t find_open_call(const struct result *result, struct span identity)
{
	size_t i = 0;

	while (
	    i < result->open.count &&
	    !span_equal(call_identity(result->open.at[i]->id, result->open.at[i]->name), identity))
		i++;
	return i;
}

static struct result_call *open_call(struct result *result, bool listed)
{
	struct result_call *call = mem_alloc(sizeof(*call));

	*call = (struct result_call){
	    .run_id = listed ? mem_copy(span_of(result->run->id)) : NULL,
	    .start.time = -1,
	    .seconds.value = -1,
	    .listed = listed,
	};
	call_list_add(&result->open, call);
	if (listed)
		call_list_add(&result->calls, call);
	result->calls_started++;
	return call;
}

/* A call that was stopped runs again, or has another end. */
static void reopen_call(struct result *result, struct result_call *call)
{
	if (!call->stopped)
		return;
	forget(&call->end);
	result->calls_failed -= call->failed;
	call->stopped = false;
}

static void start_call(struct result *result, const struct event *event, bool listed,
		       struct reader *reader)
{
	static const struct span names[] = {SPAN_INIT("tool_call_id"),
					    SPAN_INIT("tool_name"),
					    SPAN_INIT("args"),
					    SPAN_INIT("iteration"),
					    {0}};
	struct kept start = keep(result, event);
	struct span values[4], identity;
	struct result_call *call;
	size_t i;

	json_members(json_walk(start.data), names, values);
	identity = call_identity(values[0], values[1]);
	i = find_open_call(result, identity);
	if (values[0].at != NULL && i < result->open.count) {
		reopen_call(result, result->open.at[i]);
		if (!result->run->resumed) /* else it was interrupted, and runs again */
			warn_call(reader, identity,
				  "starts a second time; the second start is ignored");
		forget(&start);
		return;
	}
	call = open_call(result, listed);
	call->start = start;
	call->id = values[0];
	call->name = values[1];
	call->args = values[2];
	call->iteration = json_int(values[3], result->iteration);
}

/* The call is over, unless it was stopped with its run. */
static void close_call(struct result *result, size_t i)
{
	struct result_call *call = result->open.at[i];

	if (call->stopped)
		return;
	result->open.count--;
	memmove(&result->open.at[i], &result->open.at[i + 1],
		(result->open.count - i) * sizeof(call));
	if (!call->listed)
		call_free(call);
}

static void end_call(struct result *result, const struct event *event, bool listed,
		     struct reader *reader)
{
	static const struct span names[] = {SPAN_INIT("tool_call_id"),     SPAN_INIT("tool_name"),
					    SPAN_INIT("result"),           SPAN_INIT("is_error"),
					    SPAN_INIT("duration_seconds"), {0}};
	struct kept end = keep(result, event);
	struct span values[5], identity;
	struct result_call *call;
	size_t i;

	json_members(json_walk(end.data), names, values);
	identity = call_identity(values[0], values[1]);
	i = find_open_call(result, identity);
	if (i == result->open.count && !result->run->resumes) {
		warn_call(reader, identity, "ends without having started; it is left out");
		forget(&end);
		return;
	}
	if (i == result->open.count) { /* it has started in the run that this one resumes */
		call = open_call(result, listed);
		call->id = values[0];
		call->name = values[1];
		call->iteration = result->iteration;
		call->start.time = end.time;
	}
	call = result->open.at[i];
	reopen_call(result, call);
	call->end = end;
	call->result = values[2];
	call->failed = json_true(values[3]);
	call->seconds = amount_of(values[4], seconds_between(call->start.time, end.time));
	result->calls_failed += call->failed;
	call->stopped = event_is_stopped_call(end.data);
	close_call(result, i);
}

/* ---- events ---- */

/* The agent and the model that go on. */
static void set_agent(struct result *result, struct span data)
{
	struct span name = json_get(data, "agent_name"), model = json_get(data, "model");

	if (json_type(name) == JSON_STRING)
		replace_span(&result->agent_name, name);
	if (json_type(model) == JSON_STRING)
		replace_span(&result->model, model);
}

/* The run is resumed. The time until it is does not count. */
static void end_piece(struct result *result)
{
	double seconds;

	result_settle_time(result);
	seconds = json_double(result->end_values[END_SECONDS],
			      seconds_between(result->piece_time, result->last_time));
	if (seconds > 0)
		result->earlier_seconds += seconds;
	result->piece_time = -1;
}

static void start_run(struct result *result, const struct event *event)
{
	if (result->run->resumed) { /* its beginning is known, and its end was not the end */
		forget(&result->end);
		memset(result->end_values, 0, sizeof(result->end_values));
		set_agent(result, event->data);
		return;
	}
	forget(&result->start);
	result->start = keep(result, event);
	json_members(json_walk(result->start.data), start_names, result->start_values);
	replace_span(&result->agent_name, result->start_values[START_AGENT_NAME]);
	replace_span(&result->model, result->start_values[START_MODEL]);
}

static void end_run(struct result *result, const struct event *event)
{
	struct span name;

	result->end = keep(result, event);
	json_members(json_walk(result->end.data), end_names, result->end_values);
	name = result->end_values[END_AGENT_NAME];
	if (json_true(json_get(result->end.data, "output_truncated")) && result->response.len > 0)
		result->end_values[END_OUTPUT] = (struct span){0}; /* the chunks have all of it */
	free(result->ended);
	result->ended = event->timestamp.at != NULL ? mem_copy(event->timestamp) : NULL;
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
		set_agent(result, event->data);
		break;
	case EVENT_PROGRESS:
		replace_span(&result->cost, json_get(event->data, "total_cost_usd"));
		break;
	case EVENT_ERROR:
		result->errors++;
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
			buffer_clear(&result->response);
		break;
	case EVENT_LLM_END:
		end_response(result, event->data);
		break;
	case EVENT_TOOL_START:
		start_call(result, event, wants->calls, reader);
		break;
	case EVENT_TOOL_END:
		end_call(result, event, wants->calls, reader);
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
	if (event->type == EVENT_AGENT_START && result->run->resumed)
		end_piece(result);
	count(result, event);
	note_time(result, event);
	if (wants->lines) {
		if (result->lines.len > 0)
			buffer_add_char(&result->lines, ',');
		buffer_add_span(&result->lines, event->line);
	}
	add_by_type(result, event, wants, reader);
	if (event_set_has(wants->types, event->type)) {
		result->kept.at =
		    array_grow(result->kept.at, result->kept.count, sizeof(*result->kept.at));
		result->kept.at[result->kept.count++] = keep(result, event);
	}
}
