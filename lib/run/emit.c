#include "run/emit.h"

#include "base/clock.h"
#include "run/run_state.h"

enum { SCHEMA_VERSION = 1 };

/* Seconds with microseconds: further digits say nothing. */
static void put_seconds(struct buffer *out, const char *key, double seconds)
{
	json_put_double(out, key, (double)(int64_t)(seconds * 1e6 + 0.5) / 1e6);
}

static void put_nanoseconds(struct buffer *out, const char *key, int64_t nanoseconds)
{
	put_seconds(out, key, (double)nanoseconds / 1e9);
}

/* Begin any event but a chunk: chunks that are held back come before it. */
static struct buffer *begin(struct agent_run *run, enum event_type type)
{
	if (run->held.text.len > 0)
		emit_held(run);
	return event_begin(&run->stream, type);
}

static void end(struct agent_run *run)
{
	event_end(&run->stream);
}

/* ---- the run ---- */

static void put_model(struct buffer *data, const struct agent_run *run)
{
	json_put_text(data, "model", model_name(run_model(run)));
}

static void put_provider(struct buffer *data, const struct agent_run *run)
{
	json_put_text(data, "provider", model_provider(run_model(run)));
}

static void put_tools(struct buffer *data, const struct tool_set *tools)
{
	json_key(data, "tools");
	json_open(data, '[');
	for (size_t i = 0; i < tools->count; i++) {
		json_comma(data);
		json_write_string(data, span_of(tools->tools[i]->name));
	}
	json_close(data, ']');
}

void emit_agent_start(struct agent_run *run)
{
	const struct run_config *config = &run->config;
	struct buffer *data = begin(run, EVENT_AGENT_START);

	json_put_text(data, "agent_name", run->agent->name);
	put_model(data, run);
	json_put_text(data, "prompt", config->prompt);
	json_put_text_if(data, "id", config->id);
	if (config->attachments.len > 0) {
		json_key(data, "attachments");
		json_open(data, '[');
		buffer_add_span(data, config->attachments);
		json_close(data, ']');
	}
	put_tools(data, &run->agent->tools);
	json_put_int(data, "schema_version", SCHEMA_VERSION);
	json_put_text_if(data, "system", run->system);
	put_provider(data, run);
	if (config->resume)
		json_put_text(data, "resumed_from", config->history->run_id);
	if (config->parent != NULL) {
		json_put_text(data, "parent_run_id", config->parent->stream.run_id);
		json_put_text(data, "parent_tool_call_id", config->parent_call_id);
	}
	json_put_text_if(data, "trace_parent", run->trace_parent);
	end(run);
}

void emit_agent_updated(struct agent_run *run, const char *previous, const char *call_id,
			enum handoff_input input, struct span reason)
{
	struct buffer *data = begin(run, EVENT_AGENT_UPDATED);

	json_put_text(data, "agent_name", run->agent->name);
	json_put_text(data, "previous_agent", previous);
	put_model(data, run);
	json_put_text(data, "tool_call_id", call_id);
	put_provider(data, run);
	json_put_text(data, "handoff_input", handoff_input_name(input));
	json_put_string_if(data, "reason", reason);
	put_tools(data, &run->agent->tools);
	json_put_text_if(data, "system", run->system);
	end(run);
}

void emit_progress(struct agent_run *run)
{
	struct buffer *data = begin(run, EVENT_PROGRESS);
	const struct usage_total *total = &run->budget.total;

	json_put_int(data, "iteration", total->iterations);
	usage_put_totals(data, total);
	if (total->tokens.input >= 0)
		json_put_int(data, "input_tokens", total->tokens.input);
	if (total->tokens.output >= 0)
		json_put_int(data, "output_tokens", total->tokens.output);
	put_nanoseconds(data, "elapsed_seconds", clock_monotonic() - run->started_at);
	end(run);
}

void emit_error(struct agent_run *run, const struct model_error *error, bool fatal)
{
	struct buffer *data = begin(run, EVENT_ERROR);

	json_put_text(data, "error", error->message);
	json_put_text(data, "exception_type", error_kind_name(error->kind));
	json_put_bool(data, "fatal", fatal);
	json_put_bool(data, "retryable", error->retryable);
	if (error->http_status != 0)
		json_put_int(data, "http_status", error->http_status);
	json_put_text_if(data, "provider_code", error->code);
	json_put_text_if(data, "request_id", error->request_id);
	if (error->retry_after_seconds >= 0 && error->http_status != 0)
		json_put_double(data, "retry_after_seconds", error->retry_after_seconds);
	end(run);
}

/* An answer to a schema is carried as JSON, too. */
static void put_output_json(struct buffer *data, const struct agent_run *run)
{
	struct buffer text = {0};
	struct span json;

	if (run->agent->schema == NULL)
		return;
	answer_text(&run->answer, &text);
	json = output_json(buffer_span(&text));
	if (json.at != NULL) {
		json_key(data, "output_json");
		json_write_line(data, json);
	}
	buffer_free(&text);
}

/* How a run with this exit status ended, as agent_end says it. */
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

	json_put_text(data, "agent_name", run->agent->name);
	json_put_bool(data, "success", run->exit_status == STATUS_OK);
	json_put_text(data, "status", end_status(run->exit_status));
	json_put_int(data, "exit_status", run->exit_status);
	json_key(data, "output");
	answer_write_text(&run->answer, data);
	put_output_json(data, run);
	json_put_text(data, "finish_reason",
		      model_finish_name(run->has_finish ? run->finish : MODEL_ERROR));
	json_put_int(data, "total_iterations", total->iterations);
	usage_put_totals(data, total);
	usage_put(data, &total->tokens, total->requests);
	json_put_int(data, "tool_calls", total->tool_calls);
	put_nanoseconds(data, "duration_seconds", clock_monotonic() - run->started_at);
	if (run->first_answer_at != 0)
		put_nanoseconds(data, "time_to_first_chunk_seconds",
				run->first_answer_at - run->started_at);
	end(run);
}

/* ---- the response ---- */

void emit_llm_start(struct agent_run *run, size_t dropped)
{
	struct buffer *data = begin(run, EVENT_LLM_START);

	json_put_int(data, "iteration", run->budget.total.iterations);
	put_model(data, run);
	json_put_int(data, "attempt", run->attempt);
	if (dropped > 0)
		json_put_int(data, "dropped_messages", (int64_t)dropped);
	end(run);
}

void emit_llm_end(struct agent_run *run, const struct model_outcome *outcome, bool is_final)
{
	const char *model = model_name(run_model(run));
	struct buffer *data = begin(run, EVENT_LLM_END);

	json_put_int(data, "iteration", run->budget.total.iterations);
	json_put_text(data, "model", outcome->model != NULL ? outcome->model : model);
	json_put_text(data, "finish_reason", model_finish_name(outcome->finish));
	json_put_bool(data, "is_final", is_final);
	usage_put(data, &outcome->usage, run->attempt);
	json_key(data, "message");
	answer_write_message(&run->answer, model_provider(run_model(run)), model, outcome->refusal,
			     data);
	put_nanoseconds(data, "duration_seconds", clock_monotonic() - run->asked_at);
	json_put_text_if(data, "response_id", outcome->response_id);
	if (run->first_chunk_at != 0)
		put_nanoseconds(data, "time_to_first_chunk_seconds",
				run->first_chunk_at - run->asked_at);
	end(run);
}

void emit_llm_retry(struct agent_run *run, const struct model_error *error, double wait_seconds,
		    const char *next_model)
{
	struct buffer *data = begin(run, EVENT_LLM_RETRY);

	json_put_int(data, "attempt", run->attempt + 1);
	put_seconds(data, "wait_seconds", wait_seconds);
	json_put_text(data, "reason", error->message);
	json_put_bool(data, "discard", run->streamed);
	if (error->http_status != 0)
		json_put_int(data, "http_status", error->http_status);
	json_put_text_if(data, "model", next_model);
	end(run);
}

static struct buffer *begin_call(struct agent_run *run, enum event_type type,
				 const struct answer_call *call)
{
	struct buffer *data = begin(run, type);

	json_put_text(data, "tool_call_id", call->id);
	json_put_text(data, "tool_name", call->name);
	return data;
}

static void emit_chunk(struct agent_run *run, enum model_delta_type type, int index,
		       struct span text)
{
	struct buffer *data;

	run->streamed = true;
	if (type == MODEL_TOOL_ARGS) {
		data = begin_call(run, EVENT_TOOL_CALL_CHUNK, &run->answer.calls[index]);
		json_put_string(data, "args_delta", text);
	} else {
		data = begin(run, type == MODEL_TEXT ? EVENT_LLM_CHUNK : EVENT_THINKING_CHUNK);
		json_put_string(data, "text", text);
	}
	end(run);
	if (type != MODEL_TEXT || run->agent->schema == NULL || !output_add(&run->structured, text))
		return;
	data = begin(run, EVENT_OUTPUT_CHUNK);
	json_key(data, "output");
	json_write_line(data, buffer_span(&run->structured.value));
	end(run);
}

void emit_held(struct agent_run *run)
{
	struct held_chunk *held = &run->held;
	struct buffer text = held->text;

	loop_timer_remove(held->timer);
	held->timer = NULL;
	held->text.len = 0;
	if (text.len > 0)
		emit_chunk(run, held->type, held->index, buffer_span(&text));
}

static void held_is_due(void *context)
{
	struct agent_run *run = context;

	run->held.timer = NULL;
	emit_held(run);
}

static void hold(struct agent_run *run, const struct model_delta *delta)
{
	struct held_chunk *held = &run->held;

	if (held->text.len > 0 && (held->type != delta->type || held->index != delta->index))
		emit_held(run);
	if (held->text.len == 0) {
		held->type = delta->type;
		held->index = delta->index;
		held->timer = loop_timer_add(
		    run->loop, clock_nanoseconds(run->config.debounce_seconds), held_is_due, run);
	}
	buffer_add_span(&held->text, delta->text);
}

static void emit_raw(struct agent_run *run, const struct model_delta *delta)
{
	struct buffer *data = begin(run, EVENT_RAW);

	put_provider(data, run);
	if (delta->name.at != NULL)
		json_put_string(data, "event", delta->name);
	json_put_raw(data, "payload", delta->text);
	end(run);
}

static void emit_tool_call_start(struct agent_run *run, int index)
{
	const struct answer_call *call = &run->answer.calls[index];
	struct buffer *data = begin_call(run, EVENT_TOOL_CALL_START, call);

	json_put_int(data, "index", index);
	json_put_text_if(data, "executed_by", call->by_provider ? "provider" : NULL);
	run->streamed = true;
	end(run);
}

void emit_delta(struct agent_run *run, const struct model_delta *delta)
{
	switch (delta->type) {
	case MODEL_TEXT:
	case MODEL_THINKING:
	case MODEL_TOOL_ARGS:
		if (delta->text.len == 0)
			break;
		if (run->config.debounce_seconds > 0)
			hold(run, delta);
		else
			emit_chunk(run, delta->type, delta->index, delta->text);
		break;
	case MODEL_TOOL_CALL:
		emit_tool_call_start(run, delta->index);
		break;
	case MODEL_RAW:
		emit_raw(run, delta);
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

static struct buffer *begin_call_with_args(struct agent_run *run, enum event_type type,
					   const struct answer_call *call)
{
	struct buffer *data = begin_call(run, type, call);

	json_key(data, "args");
	json_write_line(data, answer_args(call));
	return data;
}

void emit_tool_call_end(struct agent_run *run, const struct answer_call *call)
{
	begin_call_with_args(run, EVENT_TOOL_CALL_END, call);
	end(run);
}

void emit_tool_start(struct agent_run *run, const struct answer_call *call)
{
	struct buffer *data = begin_call_with_args(run, EVENT_TOOL_START, call);

	json_put_int(data, "iteration", run->budget.total.iterations);
	json_put_text_if(data, "executed_by", call->by_provider ? "provider" : NULL);
	end(run);
}

void emit_tool_chunk(struct agent_run *run, const struct answer_call *call, struct span text,
		     const char *stream)
{
	struct buffer *data = begin_call(run, EVENT_TOOL_CHUNK, call);

	json_put_text_if(data, "stream", stream);
	json_put_string(data, "text", text);
	end(run);
}

/* A result that is itself JSON is carried as such too, so that filters can look into it. */
static void put_result_json(struct buffer *data, const struct tool_result *result)
{
	struct span json = json_trim(result->text);

	if (result->is_error || result->truncated || json.len == 0 ||
	    (json.at[0] != '{' && json.at[0] != '[') || !json_check(json, NULL))
		return;
	json_key(data, "result_json");
	json_write_line(data, json);
}

void emit_tool_end(struct agent_run *run, const struct answer_call *call,
		   const struct tool_result *result)
{
	struct buffer *data = begin_call(run, EVENT_TOOL_END, call);

	json_put_string(data, "result", result->text);
	json_put_bool(data, "is_error", result->is_error);
	put_seconds(data, "duration_seconds", result->seconds);
	if (result->exit_status >= 0)
		json_put_int(data, "exit_status", result->exit_status);
	if (result->truncated)
		json_put_bool(data, "truncated", true);
	json_put_text_if(data, "executed_by", call->by_provider ? "provider" : NULL);
	put_result_json(data, result);
	end(run);
}

void emit_tool_approval(struct agent_run *run, const struct answer_call *call, bool approved,
			const char *by, const char *reason)
{
	struct buffer *data = begin_call_with_args(run, EVENT_TOOL_APPROVAL, call);

	json_put_text(data, "decision", approved ? "approved" : "denied");
	json_put_text(data, "by", by);
	json_put_string_if(data, "reason", span_of(reason));
	end(run);
}
