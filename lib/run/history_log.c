#include <stdlib.h>

#include "event/event.h"
#include "run/history.h"
#include "run/output.h"

/* A nested run is no part of the conversation; what it uses, its parent uses. */
struct nested_run {
	struct span run_id;
	size_t parent;   /* its parent is the nested run before this index; 0: it is not nested */
	double cost_usd; /* so far, of those nested in it too */
};

struct log_reader {
	struct history *history;
	struct nested_run *nested;
	size_t nested_count;
};

/* ---- the last answer ---- */

static struct history_call *find_call(struct history *history, struct span id)
{
	for (size_t i = 0; i < history->call_count; i++)
		if (span_equal(history->calls[i].id, id))
			return &history->calls[i];
	return NULL;
}

static void add_call(struct history *history, struct span id)
{
	history->calls =
	    mem_resize(history->calls, (history->call_count + 1) * sizeof(*history->calls));
	history->calls[history->call_count++] = (struct history_call){.id = id};
	json_decode(id, &history->ids);
	buffer_add_char(&history->ids, '\0');
}

static void read_answer(struct history *history, struct span message)
{
	struct json_walk walk = json_walk(json_get(message, "content"));

	if (json_type(message) != JSON_OBJECT)
		return;
	history->call_count = 0;
	while (json_next(&walk))
		if (json_is(json_get(walk.value, "type"), "tool_call") &&
		    json_get(walk.value, "executed_by").at == NULL)
			add_call(history, json_get(walk.value, "tool_call_id"));
	history->tool_calls += (int64_t)history->call_count;
	if (history->call_count > 0)
		history->message = message;
	else
		conversation_add(&history->conversation, message);
}

static void add_count(int64_t *sum, struct span count)
{
	int64_t more = json_int(count, -1);

	if (more >= 0)
		*sum = (*sum >= 0 ? *sum : 0) + more;
}

static void read_usage(struct usage_total *total, struct span usage)
{
	add_count(&total->tokens.input, json_get(usage, "input_tokens"));
	add_count(&total->tokens.output, json_get(usage, "output_tokens"));
	add_count(&total->tokens.cached_input, json_get(usage, "cached_input_tokens"));
	add_count(&total->tokens.cache_write, json_get(usage, "cache_write_tokens"));
	add_count(&total->tokens.reasoning, json_get(usage, "reasoning_tokens"));
	total->requests += json_int(json_get(usage, "requests"), 1);
}

static void read_response(struct history *history, struct span data)
{
	history_close(history);
	history->iteration = json_int(json_get(data, "iteration"), history->iteration + 1);
	history->is_final = json_true(json_get(data, "is_final"));
	history->finish_reason = json_get(data, "finish_reason");
	history->answer = json_get(data, "message");
	read_usage(&history->total, json_get(data, "usage"));
	read_answer(history, json_get(data, "message"));
}

static void read_cost(struct usage_total *total, struct span cost)
{
	total->cost_unknown = json_type(cost) != JSON_NUMBER;
	total->cost_usd = json_double(cost, 0);
}

/* ---- nested runs ---- */

/* Behind the nested run `run_id`; 0: it is not nested. */
static size_t find_nested(const struct log_reader *log, struct span run_id)
{
	size_t i = log->nested_count;

	while (i > 0 && !span_equal(log->nested[i - 1].run_id, run_id))
		i--;
	return i;
}

static void add_nested(struct log_reader *log, struct span run_id, struct span parent)
{
	const struct nested_run nested = {
	    .run_id = run_id,
	    .parent = find_nested(log, (struct span){parent.at + 1, parent.len - 2}),
	};

	log->nested = mem_resize(log->nested, (log->nested_count + 1) * sizeof(*log->nested));
	log->nested[log->nested_count++] = nested;
}

/* What the run has cost by now: those that it is nested in pay what is new. */
static void read_nested_cost(struct log_reader *log, size_t nested, struct span cost)
{
	double more = json_double(cost, 0) - log->nested[nested - 1].cost_usd;

	if (json_type(cost) != JSON_NUMBER) {
		log->history->total.cost_unknown = true;
		return;
	}
	for (size_t i = nested; i > 0; i = log->nested[i - 1].parent)
		log->nested[i - 1].cost_usd += more;
	log->history->total.cost_usd += more;
}

static void read_nested(struct log_reader *log, size_t nested, const struct event *event)
{
	struct json_walk walk = json_walk(json_path(event->data, "message.content"));

	if (event->type == EVENT_PROGRESS)
		read_nested_cost(log, nested, json_get(event->data, "total_cost_usd"));
	if (event->type != EVENT_LLM_END)
		return;
	read_usage(&log->history->total, json_get(event->data, "usage"));
	while (json_next(&walk))
		log->history->nested_calls += json_is(json_get(walk.value, "type"), "tool_call") &&
					      json_get(walk.value, "executed_by").at == NULL;
}

/* ---- runs ---- */

static void keep_text(char **kept, struct span string)
{
	char *text = json_text(string);

	if (text == NULL)
		return;
	free(*kept);
	*kept = text;
}

/* A new run begins: what is known of the last one goes. */
static void begin_run(struct history *history, struct span data)
{
	struct span attachments = json_get(data, "attachments");
	struct buffer text = {0};

	history_close(history);
	history->iteration = history->tool_calls = 0;
	history->nested_calls = history->since = 0;
	history->is_final = false;
	buffer_clear(&history->ids);
	usage_init(&history->total);
	if (history->conversation.system.len == 0 && json_decode(json_get(data, "system"), &text))
		conversation_add_system(&history->conversation, buffer_span(&text));
	buffer_clear(&text);
	if (json_type(attachments) == JSON_ARRAY)
		attachments = json_trim((struct span){attachments.at + 1, attachments.len - 2});
	else
		attachments = (struct span){0};
	if (json_decode(json_get(data, "prompt"), &text))
		conversation_add_text(&history->conversation, "user", attachments,
				      buffer_span(&text));
	buffer_free(&text);
}

/* Who goes on from here. */
static void read_agent(struct history *history, struct span data)
{
	keep_text(&history->agent_name, json_get(data, "agent_name"));
	keep_text(&history->model, json_get(data, "model"));
	keep_text(&history->provider, json_get(data, "provider"));
	free(history->system);
	history->system = json_text(json_get(data, "system"));
}

static void read_start(struct log_reader *log, const struct event *event)
{
	struct history *history = log->history;
	struct span resumed = json_get(event->data, "resumed_from");
	struct span parent = json_get(event->data, "parent_run_id");

	if (json_type(parent) == JSON_STRING) {
		add_nested(log, event->run_id, parent);
		return;
	}
	if (history->run_id == NULL || !json_is(resumed, history->run_id))
		begin_run(history, event->data);
	free(history->run_id);
	history->run_id = mem_copy(event->run_id);
	history->ended = history->succeeded = false;
	read_agent(history, event->data);
	keep_text(&history->prompt, json_get(event->data, "prompt"));
}

static void read_tool(struct history *history, const struct event *event)
{
	struct history_call *call = find_call(history, json_get(event->data, "tool_call_id"));

	if (call == NULL || history->message.at == NULL)
		return;
	if (event->type == EVENT_TOOL_START) {
		if (call->state == HISTORY_CALL_NEW)
			call->state = HISTORY_CALL_BEGUN;
		return;
	}
	call->state = HISTORY_CALL_DONE;
	call->result = json_get(event->data, "result");
	call->is_error = json_true(json_get(event->data, "is_error"));
}

/* A final answer was wrong in form: the model was told so, and asked again. */
static void read_fault(struct history *history, struct span data)
{
	struct buffer fault = {0}, correction = {0};

	json_decode(json_get(data, "error"), &fault);
	if (!json_true(json_get(data, "fatal")) &&
	    json_is(json_get(data, "exception_type"), "invalid_output") &&
	    output_correction(buffer_span(&fault), &correction))
		conversation_add_text(&history->conversation, "user", (struct span){0},
				      buffer_span(&correction));
	buffer_free(&fault);
	buffer_free(&correction);
}

/* Another agent took over: all calls before it have their results. */
static void read_handoff(struct history *history, struct span data)
{
	struct buffer reason = {0};
	char *from = json_text(json_get(data, "previous_agent"));

	history_close(history);
	json_decode(json_get(data, "reason"), &reason);
	conversation_hand_over(&history->conversation,
			       handoff_input_of(json_get(data, "handoff_input")),
			       from != NULL ? from : "", buffer_span(&reason));
	read_agent(history, data);
	history->since = history->iteration;
	buffer_free(&reason);
	free(from);
}

static void read_event(struct log_reader *log, const struct event *event)
{
	struct history *history = log->history;
	size_t nested = find_nested(log, event->run_id);

	if (event->type == EVENT_AGENT_START) {
		read_start(log, event);
	} else if (nested > 0) {
		read_nested(log, nested, event);
	} else if (event->type == EVENT_LLM_END) {
		read_response(history, event->data);
	} else if (event->type == EVENT_TOOL_START || event->type == EVENT_TOOL_END) {
		read_tool(history, event);
	} else if (event->type == EVENT_ERROR) {
		read_fault(history, event->data);
	} else if (event->type == EVENT_AGENT_UPDATED) {
		read_handoff(history, event->data);
	} else if (event->type == EVENT_PROGRESS) {
		read_cost(&history->total, json_get(event->data, "total_cost_usd"));
	} else if (event->type == EVENT_AGENT_END) {
		history->ended = true;
		history->succeeded = json_true(json_get(event->data, "success"));
	}
}

bool history_load_log(struct history *history, struct span text, const char *source,
		      struct error *e)
{
	struct log_reader log = {.history = history};
	size_t line_number = 0, events = 0;
	bool good = true;

	while (text.len > 0 && good) {
		const char *newline = memchr(text.at, '\n', text.len);
		size_t len = newline != NULL ? (size_t)(newline - text.at) : text.len;
		struct span line = json_trim((struct span){text.at, len});
		struct json_fault fault;
		struct event event;

		line_number++;
		text = span_from(text, len + (newline != NULL));
		if (line.len == 0)
			continue;
		if (event_read(line, &event, &fault)) {
			events += event.type_name.len > 0;
			read_event(&log, &event);
		} else if (newline != NULL || events == 0) {
			good = error_set(e, "usage", "%s:%zu: not an event: %s", source,
					 line_number, fault.what);
		} else {
			warn("%s:%zu: the last line is torn; it is left out", source, line_number);
		}
	}
	if (good && events == 0)
		good =
		    error_set(e, "usage", "%s: holds no events and no array of messages", source);
	free(log.nested);
	return good;
}
