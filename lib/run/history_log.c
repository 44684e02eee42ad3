#include <stdlib.h>

#include "event/format.h"
#include "event/log.h"
#include "event/runs.h"
#include "run/history.h"
#include "run/output.h"
#include "run/tools.h"

struct log_reader {
	struct history *history;
	struct event_log *log;
	struct runs *runs;
	const struct run *run; /* the last run that is not nested */
};

/* ---- the last response ---- */

static struct history_call *find_call(struct history *history, struct span id)
{
	for (size_t i = 0; i < history->call_count; i++)
		if (span_equal(history->calls[i].id, id))
			return &history->calls[i];
	return NULL;
}

/* Whether the event is the end of a call that a limit forbade, which does not count. */
static bool is_over_limit(const struct event *event)
{
	return event->type == EVENT_TOOL_END && json_true(json_get(event->data, "is_error")) &&
	       span_starts(json_get(event->data, "result"), "\"" TOOLS_OVER_LIMIT);
}

/* `cut`: the message is not whole, so that its calls cannot run. */
static void read_message(struct history *history, struct span message, bool cut)
{
	struct json_walk walk = json_walk(json_get(message, "content"));

	if (json_type(message) != JSON_OBJECT)
		return;
	history->call_count = 0;
	while (event_next_call(&walk)) {
		history->calls =
		    array_grow(history->calls, history->call_count, sizeof(*history->calls));
		history->calls[history->call_count++] =
		    (struct history_call){.id = json_get(walk.value, "tool_call_id"),
					  .name = json_get(walk.value, "tool_name"),
					  .state = cut ? HISTORY_CALL_DONE : HISTORY_CALL_NEW,
					  .result = SPAN(EVENT_NO_RESULT),
					  .is_error = true};
	}
	history->total.tool_calls += (int64_t)history->call_count;
	history->message = message;
}

static void read_usage(struct usage_total *total, struct span json)
{
	struct model_usage usage;

	model_usage_read(json, &usage);
	usage_add_tokens(total, &usage);
	total->requests += json_int(json_get(json, "requests"), 1);
	total->answered = true;
}

static void read_response(struct history *history, struct span data)
{
	buffer_clear(&history->unfinished);
	history->follows_left_out = history->message.at != NULL && history->is_left_out;
	history_close(history);
	history->misses_response = false;
	history->total.iterations =
	    json_int(json_get(data, "iteration"), history->total.iterations + 1);
	history->is_final = json_true(json_get(data, "is_final"));
	history->is_wrap_up = json_true(json_get(data, "is_wrap_up"));
	history->is_left_out = event_is_left_out(data);
	history->finish_reason = json_get(data, "finish_reason");
	history->last_words = (struct span){0};
	read_usage(&history->total, json_get(data, "usage"));
	read_message(history, json_get(data, "message"), json_true(json_get(data, "truncated")));
}

static void read_cost(struct usage_total *total, struct span cost)
{
	total->cost_unknown = json_type(cost) != JSON_NUMBER;
	total->cost_usd = json_double(cost, 0);
}

/* ---- nested runs ----
 * They are not part of the conversation, but their usage counts for the run around them. */

/* The cost of a nested run and those nested in it so far. */
static double *cost_of(struct run *run)
{
	if (run->state == NULL)
		run->state = mem_zero(sizeof(double));
	return run->state;
}

/* A nested run has cost `cost` so far: add the difference to the last time to the runs around it.
 */
static void read_nested_cost(struct log_reader *reader, struct run *run, struct span cost)
{
	double more = json_double(cost, 0) - *cost_of(run);

	if (json_type(cost) != JSON_NUMBER) {
		reader->history->total.cost_unknown = true;
		return;
	}
	for (; run != NULL && run->parent_id != NULL; run = runs_parent(reader->runs, run))
		*cost_of(run) += more;
	reader->history->total.cost_usd += more;
}

static void read_nested(struct log_reader *reader, struct run *run, const struct event *event)
{
	struct json_walk walk;

	if (event->type == EVENT_PROGRESS)
		read_nested_cost(reader, run, json_get(event->data, "total_cost_usd"));
	reader->history->total.nested_calls -= is_over_limit(event);
	if (event->type != EVENT_LLM_END)
		return;
	read_usage(&reader->history->total, json_get(event->data, "usage"));
	walk = json_walk(json_path(event->data, "message.content"));
	while (event_next_call(&walk))
		reader->history->total.nested_calls++;
}

/* ---- runs ---- */

static void set_text(char **text, struct span string)
{
	if (json_type(string) != JSON_STRING)
		return;
	free(*text);
	*text = json_text(string);
}

/* A new run begins: forget the last one. */
static void begin_run(struct history *history, struct span data)
{
	struct span attachments = json_get(data, "attachments");
	struct buffer text = {0};

	history_close(history);
	history->misses_response = false;
	history->agent_since = 0;
	history->total = USAGE_NOTHING;
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

/* The agent that goes on from here. */
static void read_agent(struct history *history, struct span data)
{
	set_text(&history->agent_name, json_get(data, "agent_name"));
	set_text(&history->model, json_get(data, "model"));
	set_text(&history->provider, json_get(data, "provider"));
	history->tools = json_get(data, "tools");
	history->has_schema = json_true(json_get(data, "output_schema"));
	free(history->system);
	history->system = json_text(json_get(data, "system"));
}

static void read_start(struct log_reader *reader, const struct run *run, const struct event *event)
{
	struct history *history = reader->history;

	if (run != reader->run || !run->resumed) {
		begin_run(history, event->data);
	} else {
		buffer_clear(&history->unfinished); /* the request is sent again */
		history_reopen(history);
	}
	reader->run = run;
	history->misses_start = history->calls_used_up = false;
	free(history->run_id);
	history->run_id = mem_copy(event->run_id);
	history->ended = history->succeeded = false;
	read_agent(history, event->data);
	set_text(&history->prompt, json_get(event->data, "prompt"));
}

static void read_tool(struct history *history, const struct event *event)
{
	struct history_call *call = find_call(history, json_get(event->data, "tool_call_id"));

	if (call == NULL || history->message.at == NULL) {
		history->misses_response |= !event_is_hosted(event->data);
		return;
	}
	if (event->type == EVENT_TOOL_START) {
		if (call->state != HISTORY_CALL_DONE)
			call->state = HISTORY_CALL_BEGUN;
		return;
	}
	history->total.tool_calls -= is_over_limit(event);
	call->state = event_is_stopped_call(event->data) ? HISTORY_CALL_STOPPED : HISTORY_CALL_DONE;
	call->result = json_get(event->data, "result");
	call->is_error = json_true(json_get(event->data, "is_error"));
}

/* The run has reached a limit. Logs of earlier versions do not mark the wrap-up. */
static void read_limit(struct history *history, struct span sentence)
{
	history->is_wrap_up = history->is_wrap_up || history->is_final;
	history->is_left_out = history->is_left_out || history->is_wrap_up;
	history->calls_used_up = span_ends(sentence, "(--max-tool-calls)");
}

/* An answer did not satisfy the schema: the model was told so, and asked again. */
static void read_fault(struct history *history, struct span data)
{
	struct span type = json_get(data, "exception_type");
	bool fatal = json_true(json_get(data, "fatal"));
	struct buffer fault = {0}, correction = {0};

	json_decode(json_get(data, "error"), &fault);
	if (fatal && json_is(type, "limit"))
		read_limit(history, buffer_span(&fault));
	if (!fatal && json_is(type, "invalid_output") &&
	    output_correction(buffer_span(&fault), &correction)) {
		history_close(history);
		conversation_add_text(&history->conversation, "user", (struct span){0},
				      buffer_span(&correction));
	}
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
	history->agent_since = history->total.iterations;
	buffer_free(&reason);
	free(from);
}

static void read_own(struct log_reader *reader, const struct run *run, const struct event *event)
{
	struct history *history = reader->history;

	switch (event->type) {
	case EVENT_AGENT_START:
		read_start(reader, run, event);
		break;
	case EVENT_LLM_CHUNK:
		json_decode(json_get(event->data, "text"), &history->unfinished);
		break;
	case EVENT_LLM_RETRY:
		if (json_true(json_get(event->data, "discard")))
			buffer_clear(&history->unfinished);
		break;
	case EVENT_LLM_END:
		read_response(history, event->data);
		break;
	case EVENT_TOOL_START:
	case EVENT_TOOL_END:
		read_tool(history, event);
		break;
	case EVENT_ERROR:
		read_fault(history, event->data);
		break;
	case EVENT_AGENT_UPDATED:
		read_handoff(history, event->data);
		break;
	case EVENT_PROGRESS:
		read_cost(&history->total, json_get(event->data, "total_cost_usd"));
		break;
	case EVENT_AGENT_END:
		history->total.requests =
		    json_int(json_path(event->data, "usage.requests"), history->total.requests);
		history->ended = true;
		history->succeeded = run->succeeded;
		break;
	default:
		break; /* other types are ignored */
	}
}

static void read_event(struct log_reader *reader, const struct event *event)
{
	struct run *run = runs_log_event(reader->runs, event, reader->log);

	if (run == NULL)
		return;
	/* The agent_start may be lost: of a run that is nested in the open one, or of a later run.
	 */
	if (!run->started && reader->run != NULL) {
		if (!reader->run->ended)
			return;
		reader->history->misses_start = true;
	}
	if (run->parent_id == NULL)
		read_own(reader, run, event);
	else if (event->type != EVENT_AGENT_START)
		read_nested(reader, run, event);
}

/* Whether the text has an event; sets `e` if not. */
static bool has_events(struct span text, const char *source, struct error *e)
{
	struct event_log log = {.rest = text};
	const char *format = NULL;
	struct buffer remedy = {0};
	struct event event;

	while (event_log_next(&log, EVENT_ALL, &event)) {
		if (event.type_name.len > 0)
			return true;
		if (format == NULL)
			format = format_of(event.line);
	}
	if (log.damaged > 0)
		return error_set(e, "usage", "%s:%zu: not an event; the log has none", source,
				 log.damaged);
	format_add_remedy(&remedy, format);
	error_set(e, "usage", "%s: contains neither events nor an array of messages%s", source,
		  buffer_string(&remedy));
	buffer_free(&remedy);
	return false;
}

bool history_load_log(struct history *history, struct span text, const char *source,
		      struct error *e)
{
	struct event_log log = {.rest = text, .source = source};
	struct log_reader reader = {.history = history, .log = &log};
	struct event event;

	if (!has_events(text, source, e))
		return false;
	reader.runs = runs_new(free, false);
	while (event_log_next(&log, EVENT_ALL, &event))
		read_event(&reader, &event);
	history->damaged = log.damaged;
	runs_free(reader.runs);
	return true;
}
