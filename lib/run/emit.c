#include "run/emit.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "event/event.h"
#include "run/run_state.h"

enum {
	SCHEMA_VERSION = 1,
	MAX_CHUNK = 1024 * 1024,       /* bytes of text in a chunk; escaped they fit an event */
	ROOM_FOR_OTHERS = 1024 * 1024, /* of an event, for members of usual length */
	MAX_TEXT = EVENT_MAX_LINE - ROOM_FOR_OTHERS,
};

static bool has_held(const struct held_chunk *held)
{
	return held->text.len > 0 || held->tail.text.len > 0;
}

/* Begin any event but a chunk. Chunks that are held back come before it. */
static struct buffer *begin(struct agent_run *run, enum event_type type)
{
	if (has_held(&run->held))
		emit_held(run);
	return event_begin(&run->stream, type);
}

/* Write an event whose data follow the template `form` (json_pack). */
static void emit(struct agent_run *run, enum event_type type, const char *form, ...)
{
	va_list args;

	va_start(args, form);
	json_pack_list(begin(run, type), form, args);
	va_end(args);
	event_end(&run->stream);
}

static double seconds_since(int64_t start)
{
	return clock_round((double)(clock_monotonic() - start) / 1e9);
}

/* The time from `start` to `end`; -1 if `end` is 0: it did not happen. */
static double seconds_until(int64_t end, int64_t start)
{
	return end != 0 ? clock_round((double)(end - start) / 1e9) : -1;
}

/* As much of a text as one chunk has. */
static struct span first_piece(struct span text)
{
	if (text.len > MAX_CHUNK) {
		text.len = MAX_CHUNK;
		text.len -= utf8_incomplete_tail(text);
	}
	return text;
}

bool emit_fits(struct span text, struct span json)
{
	enum { LONGEST_ESCAPE = 6 };

	return text.len + json.len <= MAX_TEXT / LONGEST_ESCAPE ||
	       json_string_size(text) + json.len <= MAX_TEXT;
}

/* ---- the run ---- */

static const char *model_of(const struct agent_run *run)
{
	return model_name(run_model(run));
}

static const char *provider_of(const struct agent_run *run)
{
	return model_provider(run_model(run));
}

/* The member `tools`: the names of the agent's tools. */
static void put_tools(struct buffer *data, const struct tool_set *tools)
{
	json_pack(data, "'tools':[");
	for (size_t i = 0; i < tools->count; i++)
		json_pack(data, "%t", tools->tools[i]->name);
	json_close(data, ']');
}

void emit_agent_start(struct agent_run *run)
{
	const struct run_config *config = &run->config;
	const struct agent_run *parent = config->parent;
	struct buffer *data = begin(run, EVENT_AGENT_START);

	json_pack(data, "'agent_name':%t,'model':%t,'prompt':%T,'id':%t", run->agent->name,
		  model_of(run), config->prompt, config->id);
	if (config->attachments.len > 0)
		json_pack(data, "'attachments':[%j]", config->attachments);
	put_tools(data, &run->agent->tools);
	json_pack(data,
		  "'schema_version':%d,'system':%t,'provider':%t,'resumed_from':%t,"
		  "'continues':%t,"
		  "'parent_run_id':%t,'parent_tool_call_id':%t,'trace_parent':%t,"
		  "'output_schema':%f",
		  (int64_t)SCHEMA_VERSION, run->system, provider_of(run),
		  config->resume ? config->history->run_id : NULL,
		  parent == NULL ? config->continues : NULL,
		  parent != NULL ? parent->stream.run_id : NULL, config->parent_call_id,
		  run->trace_parent, run->agent->schema != NULL);
	event_end(&run->stream);
}

void emit_agent_updated(struct agent_run *run, const char *previous, const char *call_id,
			enum handoff_input input, struct span reason)
{
	struct buffer *data = begin(run, EVENT_AGENT_UPDATED);

	json_pack(data,
		  "'agent_name':%t,'previous_agent':%t,'model':%t,'tool_call_id':%t,'provider':%t,"
		  "'handoff_input':%t,'reason':%s",
		  run->agent->name, previous, model_of(run), call_id, provider_of(run),
		  handoff_input_name(input), reason.len > 0 ? reason : (struct span){0});
	put_tools(data, &run->agent->tools);
	json_pack(data, "'system':%t,'output_schema':%f", run->system, run->agent->schema != NULL);
	event_end(&run->stream);
}

void emit_progress(struct agent_run *run)
{
	const struct usage_total *total = &run->budget.total;

	emit(run, EVENT_PROGRESS,
	     "'iteration':%d,'total_tokens':%U,'total_cost_usd':%G,'input_tokens':%u,"
	     "'output_tokens':%u,'elapsed_seconds':%g",
	     total->iterations, usage_tokens(total), usage_cost(total, run->earliest_chunk_at != 0),
	     total->tokens.input, total->tokens.output, seconds_since(run->started_at));
}

void emit_error(struct agent_run *run, const struct model_error *error, bool fatal)
{
	bool http = error->http_status != 0;

	emit(run, EVENT_ERROR,
	     "'error':%T,'exception_type':%T,'fatal':%b,'retryable':%b,'http_status':%u,"
	     "'provider_code':%t,'request_id':%t,'retry_after_seconds':%g",
	     error->message, error_kind_name(error->kind), fatal, error->retryable,
	     http ? (int64_t)error->http_status : -1, error->code, error->request_id,
	     http ? error->retry_after_seconds : -1);
}

/* How a run with this exit status ended. */
static const char *end_status(int exit_status)
{
	static const struct {
		int exit_status;
		const char *name;
	} ends[] = {
	    {STATUS_OK, "success"},
	    {STATUS_LIMIT, "limit"},
	    {STATUS_INVALID_OUTPUT, "invalid_output"},
	    {STATUS_REFUSED, "refused"},
	    {STATUS_TIMEOUT, "timeout"},
	};

	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (ends[i].exit_status == exit_status)
			return ends[i].name;
	return exit_status > 128 ? "cancelled" : "error";
}

void emit_agent_end(struct agent_run *run)
{
	const struct usage_total *total = &run->budget.total;
	struct buffer *data = begin(run, EVENT_AGENT_END);
	struct buffer joined = {0};
	const struct agent_run *parent = run->config.parent;
	struct span text = response_text(&run->response, &joined), json = {0};
	bool fits;

	if (run->agent->schema != NULL)
		json = output_json(text);
	fits = emit_fits(text, json);
	json_pack(data, "'agent_name':%t,'success':%b,'status':%t,'exit_status':%d",
		  run->agent->name, run->exit_status == STATUS_OK, end_status(run->exit_status),
		  (int64_t)run->exit_status);
	json_pack(data, "'output':%s,'output_json':%l", fits ? text : first_piece(text),
		  fits ? json : (struct span){0});
	if (!fits)
		json_pack(data, "'output_truncated':true,'output_in':'llm_chunk'");
	json_pack(data,
		  "'finish_reason':%t,'total_iterations':%d,'total_tokens':%U,'total_cost_usd':%G",
		  model_finish_name(run->finish), total->iterations, usage_tokens(total),
		  usage_cost(total, run->earliest_chunk_at != 0));
	model_usage_write(data, &total->tokens, total->requests);
	json_pack(data,
		  "'tool_calls':%d,'duration_seconds':%g,'time_to_first_chunk_seconds':%g,"
		  "'parent_run_id':%t",
		  total->tool_calls, seconds_since(run->started_at),
		  seconds_until(run->earliest_chunk_at, run->started_at),
		  parent != NULL ? parent->stream.run_id : NULL);
	event_end(&run->stream);
	buffer_free(&joined);
}

/* ---- the response ---- */

void emit_llm_start(struct agent_run *run, size_t dropped)
{
	emit(run, EVENT_LLM_START, "'iteration':%d,'model':%t,'attempt':%d,'dropped_messages':%u",
	     run->budget.total.iterations, model_of(run), (int64_t)run->attempt,
	     dropped > 0 ? (int64_t)dropped : -1);
}

void emit_llm_end(struct agent_run *run, const struct model_outcome *outcome, bool is_final)
{
	struct buffer *data = begin(run, EVENT_LLM_END);

	json_pack(data, "'iteration':%d,'model':%t,'finish_reason':%t,'is_final':%b",
		  run->budget.total.iterations,
		  outcome->model != NULL ? outcome->model : model_of(run),
		  model_finish_name(outcome->finish), is_final);
	model_usage_write(data, &outcome->usage, run->requests);
	json_key(data, "message");
	response_write_message(&run->response, provider_of(run), model_of(run), outcome->refusal,
			       data);
	json_pack(data,
		  "'duration_seconds':%g,'response_id':%t,'time_to_first_chunk_seconds':%g,"
		  "'provider_finish_reason':%t,'is_wrap_up':%f",
		  seconds_since(run->asked_at), outcome->response_id,
		  seconds_until(run->first_chunk_at, run->asked_at),
		  outcome->provider_finish_reason, run->phase == PHASE_WRAPPING_UP);
	event_end(&run->stream);
}

void emit_llm_retry(struct agent_run *run, const struct model_error *error, double wait_seconds,
		    const char *next_model)
{
	emit(run, EVENT_LLM_RETRY,
	     "'attempt':%d,'wait_seconds':%g,'reason':%T,'discard':%b,'http_status':%u,'model':%t",
	     (int64_t)run->attempt + 1, clock_round(wait_seconds), error->message, run->streamed,
	     error->http_status != 0 ? (int64_t)error->http_status : -1, next_model);
}

/* A chunk is written without a template, since most events are chunks. */
static void emit_piece(struct agent_run *run, enum model_delta_type type, int index, size_t part,
		       struct span text)
{
	const struct response_call *call = response_call_at(&run->response, index);
	struct buffer *data;

	if (type == MODEL_TOOL_ARGS) {
		data = event_begin(&run->stream, EVENT_TOOL_CALL_CHUNK);
		json_put_text(data, "tool_call_id", call->id);
		json_put_text(data, "tool_name", call->name);
		json_put_string(data, "args_delta", text);
	} else {
		data = event_begin(&run->stream,
				   type == MODEL_TEXT ? EVENT_LLM_CHUNK : EVENT_THINKING_CHUNK);
		json_put_string(data, "text", text);
		if (part > 0)
			json_put_int(data, "part", (int64_t)part);
	}
	event_end(&run->stream);
	if (type == MODEL_TEXT && run->agent->schema != NULL &&
	    output_add(&run->structured, text)) {
		data = event_begin(&run->stream, EVENT_OUTPUT_CHUNK);
		json_pack(data, "'output':%l", buffer_span(&run->structured.value));
		event_end(&run->stream);
	}
}

static void emit_chunk(struct agent_run *run, enum model_delta_type type, int index, size_t part,
		       struct span text)
{
	while (text.len > 0) {
		struct span piece = first_piece(text);

		emit_piece(run, type, index, part, piece);
		text = span_from(text, piece.len);
	}
}

static void emit_text(struct agent_run *run)
{
	struct held_chunk *held = &run->held;
	struct buffer text = held->text;

	loop_timer_remove(held->timer);
	held->timer = NULL;
	held->text.len = 0;
	if (text.len > 0)
		emit_chunk(run, held->type, held->index, held->part, buffer_span(&text));
}

void emit_held(struct agent_run *run)
{
	secrets_end_pieces(&run->stream.sink->secrets, &run->held.tail, &run->held.text);
	emit_text(run);
}

static void held_is_due(void *context)
{
	struct agent_run *run = context;

	run->held.timer = NULL;
	emit_text(run);
}

/* The part of the message to which a delta was added. */
static size_t part_of(const struct agent_run *run, const struct model_delta *delta)
{
	size_t count = run->response.part_count;

	return delta->type != MODEL_TOOL_ARGS && count > 0 ? count - 1 : 0;
}

/* Emit the text of a delta, or hold it back. */
static void add_text(struct agent_run *run, const struct model_delta *delta)
{
	const struct secrets *secrets = &run->stream.sink->secrets;
	struct held_chunk *held = &run->held;
	size_t part = part_of(run, delta);
	bool is_waiting;

	if (has_held(held) &&
	    (held->type != delta->type || held->index != delta->index || held->part != part))
		emit_held(run);
	is_waiting = held->text.len > 0;
	held->type = delta->type;
	held->index = delta->index;
	held->part = part;
	if (secrets->count > 0)
		secrets_mask_piece(secrets, &held->tail, delta->text, &held->text);
	else
		buffer_add_span(&held->text, delta->text);
	if (run->config.debounce_seconds <= 0)
		emit_text(run);
	else if (!is_waiting && held->text.len > 0)
		held->timer = loop_timer_add(
		    run->loop, clock_nanoseconds(run->config.debounce_seconds), held_is_due, run);
	run->streamed = true;
}

static const char *executed_by(const struct response_call *call)
{
	return call->by_provider ? "provider" : NULL;
}

void emit_delta(struct agent_run *run, const struct model_delta *delta)
{
	const struct response_call *call = response_call_at(&run->response, delta->index);

	switch (delta->type) {
	case MODEL_TEXT:
	case MODEL_THINKING:
	case MODEL_TOOL_ARGS:
		if (delta->text.len > 0)
			add_text(run, delta);
		break;
	case MODEL_TOOL_CALL:
		emit(run, EVENT_TOOL_CALL_START,
		     "'tool_call_id':%t,'tool_name':%t,'index':%d,'executed_by':%t", call->id,
		     call->name, (int64_t)delta->index, executed_by(call));
		run->streamed = true;
		break;
	case MODEL_RAW:
		emit(run, EVENT_RAW, "'provider':%t,'event':%s,'payload':%J", provider_of(run),
		     delta->name, delta->text);
		break;
	case MODEL_TOOL_RUNNING:
	case MODEL_TOOL_RESULT:
	case MODEL_PART_DATA:
	case MODEL_OPAQUE:
	case MODEL_MESSAGE_DATA:
		break;
	}
}

/* ---- tools ---- */

void emit_tool_call_end(struct agent_run *run, const struct response_call *call)
{
	emit(run, EVENT_TOOL_CALL_END, "'tool_call_id':%t,'tool_name':%t,'args':%l", call->id,
	     call->name, response_args(call));
}

void emit_tool_start(struct agent_run *run, const struct response_call *call)
{
	emit(run, EVENT_TOOL_START,
	     "'tool_call_id':%t,'tool_name':%t,'args':%l,'iteration':%d,'executed_by':%t", call->id,
	     call->name, response_args(call), run->budget.total.iterations, executed_by(call));
}

void emit_tool_chunk(struct agent_run *run, const struct response_call *call, struct span text,
		     const char *stream)
{
	emit(run, EVENT_TOOL_CHUNK, "'tool_call_id':%t,'tool_name':%t,'stream':%t,'text':%s",
	     call->id, call->name, stream, text);
}

/* The result if it is itself an object or array, so that filters can look into it. */
static struct span result_json(const struct tool_result *result)
{
	struct span json = json_trim(result->text);

	if (result->is_error || result->truncated || json.len == 0 ||
	    (json.at[0] != '{' && json.at[0] != '[') || !json_check(json, NULL))
		return (struct span){0};
	return json;
}

void emit_tool_end(struct agent_run *run, const struct response_call *call,
		   const struct tool_result *result)
{
	emit(run, EVENT_TOOL_END,
	     "'tool_call_id':%t,'tool_name':%t,'result':%s,'is_error':%b,'duration_seconds':%g,"
	     "'exit_status':%u,'reason':%s,'truncated':%f,'executed_by':%t,'result_json':%l",
	     call->id, call->name, result->text, result->is_error, clock_round(result->seconds),
	     (int64_t)result->exit_status, result->reason, result->truncated, executed_by(call),
	     result_json(result));
}

void emit_tool_approval(struct agent_run *run, const struct response_call *call, struct span args,
			bool approved, const char *by, const char *reason)
{
	emit(run, EVENT_TOOL_APPROVAL,
	     "'tool_call_id':%t,'tool_name':%t,'args':%l,'decision':%t,'by':%t,'reason':%t",
	     call->id, call->name, args, approved ? "approved" : "denied", by,
	     reason[0] != '\0' ? reason : NULL);
}
