/* The result object. */
#include "collect.h"

void write_seconds(struct buffer *out, const char *key, double seconds)
{
	if (seconds >= 0)
		json_put_double(out, key, seconds);
	else
		json_put_null(out, key);
}

/* `told` as it was written, else the number that was found out (negative: null). */
static void put_count(struct buffer *out, const char *key, struct span told, int64_t counted)
{
	if (json_type(told) == JSON_NUMBER)
		json_put_raw(out, key, told);
	else if (counted >= 0)
		json_put_int(out, key, counted);
	else
		json_put_null(out, key);
}

static void put_seconds(struct buffer *out, const char *key, struct span told, double counted)
{
	if (json_type(told) == JSON_NUMBER)
		json_put_raw(out, key, told);
	else
		write_seconds(out, key, counted);
}

static void put_output(const struct result *result, struct buffer *out)
{
	struct span told = json_get(result->end.data, "output");

	if (told.at != NULL)
		json_put_raw(out, "output", told);
	else if (result->answer.len > 0)
		json_put_string(out, "output", buffer_span(&result->answer));
	else
		json_put_null(out, "output");
}

static void put_usage(const struct result *result, struct buffer *out)
{
	struct span told = result_end(result, "usage");

	if (told.at != NULL) {
		json_put_raw(out, "usage", told);
		return;
	}
	json_key(out, "usage");
	json_open(out, '{');
	for (int i = 0; i < USAGE_KEYS; i++)
		put_count(out, usage_names[i], (struct span){0}, result->usage[i]);
	json_put_int(out, "requests", result_requests(result));
	json_close(out, '}');
}

void write_call(const struct tool_call *call, struct buffer *out)
{
	struct span start = call->start.data;

	json_put_raw(out, "tool_call_id", json_get(start, "tool_call_id"));
	json_put_raw(out, "tool_name", json_get(start, "tool_name"));
	json_put_raw(out, "args", json_get(start, "args"));
	json_put_raw(out, "result", call->result);
	if (call->end.order != 0)
		json_put_bool(out, "is_error", call_failed(call));
	else
		json_put_null(out, "is_error");
	put_seconds(out, "duration_seconds", call->duration, call_duration(call));
	put_count(out, "iteration", json_get(start, "iteration"),
		  call->iteration > 0 ? call->iteration : -1);
}

static void put_calls(const struct result *result, struct buffer *out)
{
	json_key(out, "tool_calls");
	json_open(out, '[');
	for (size_t i = 0; i < result->calls.count; i++) {
		json_open(out, '{');
		write_call(result->calls.at[i], out);
		json_close(out, '}');
	}
	json_close(out, ']');
}

static void put_errors(const struct result *result, struct buffer *out)
{
	json_key(out, "errors");
	json_open(out, '[');
	for (size_t i = 0; i < result->errors.count; i++) {
		struct span data = result->errors.at[i].data;

		json_comma(out);
		buffer_add_span(out, data.at != NULL ? data : SPAN("{}"));
	}
	json_close(out, ']');
}

static void put_event_counts(const struct result *result, struct buffer *out)
{
	json_key(out, "event_counts");
	json_open(out, '{');
	for (int type = 0; type < EVENT_OTHER; type++)
		if (result->counts[type] > 0)
			json_put_int(out, event_type_name((enum event_type)type),
				     result->counts[type]);
	for (size_t i = 0; i < result->other_types; i++) {
		json_comma(out);
		json_write_string(out, span_of(result->others[i].name));
		buffer_add_char(out, ':');
		json_write_int(out, result->others[i].count);
	}
	if (result->counts[EVENT_OTHER] > 0)
		json_put_int(out, "(other)", result->counts[EVENT_OTHER]);
	json_close(out, '}');
}

static void put_identity(const struct result *result, struct buffer *out)
{
	const struct run *run = result->run;

	if (run->id[0] != '\0')
		json_put_text(out, "run_id", run->id);
	else
		json_put_null(out, "run_id");
	if (run->parent_id != NULL)
		json_put_text(out, "parent_run_id", run->parent_id);
	if (result_start(result, "id").at != NULL)
		json_put_raw(out, "id", result_start(result, "id"));
	json_put_raw(out, "agent_name", result->agent_name);
	json_put_raw(out, "model", result->model);
}

void result_write(const struct result *result, struct buffer *out, bool open)
{
	struct buffer status = {0};

	json_open(out, '{');
	put_identity(result, out);
	json_put_bool(out, "success", result_success(result));
	json_put_string(out, "status", result_status(result, &status));
	put_output(result, out);
	json_put_raw(out, "output_json", result_end(result, "output_json"));
	json_put_raw(out, "finish_reason", result_end(result, "finish_reason"));
	put_usage(result, out);
	json_put_raw(out, "total_cost_usd", result_cost(result));
	put_count(out, "iterations", result_end(result, "total_iterations"),
		  result_iterations(result));
	put_calls(result, out);
	put_errors(result, out);
	put_event_counts(result, out);
	json_put_text(out, "started", result->started);
	json_put_text(out, "ended", result->ended);
	put_seconds(out, "duration_seconds", result_end(result, "duration_seconds"),
		    result_duration(result));
	put_seconds(out, "time_to_first_chunk_seconds",
		    result_end(result, "time_to_first_chunk_seconds"), result_first_chunk(result));
	if (!open)
		json_close(out, '}');
	buffer_free(&status);
}

/* ---- the formats that are made of it ---- */

/* Objects are written apart from what is pending: json_open would see its last byte and put a comma
 * between them. */
static void write_line(struct collection *collection, struct buffer *object)
{
	buffer_add_char(object, '\n');
	buffer_add_span(&collection->output.pending, buffer_span(object));
	buffer_free(object);
}

static void write_json(struct collection *collection, const struct result *result)
{
	struct buffer object = {0};

	result_write(result, &object, false);
	write_line(collection, &object);
}

static void write_events(struct collection *collection, const struct result *result)
{
	struct buffer object = {0};

	result_write(result, &object, true);
	json_key(&object, "events");
	json_open(&object, '[');
	buffer_add_span(&object, buffer_span(&result->lines));
	json_close(&object, ']');
	json_close(&object, '}');
	write_line(collection, &object);
}

static void write_total(struct collection *collection, const struct total *total)
{
	struct buffer object = {0};

	total_write(total, &object);
	write_line(collection, &object);
}

const struct format format_json = {
    .name = "json",
    .wants = {.calls = true, .errors = true},
    .is_json = true,
    .result = write_json,
    .total = write_total,
};

const struct format format_events = {
    .name = "events",
    .wants = {.calls = true, .errors = true, .lines = true},
    .is_json = true,
    .result = write_events,
    .total = write_total,
};
