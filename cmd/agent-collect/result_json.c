/* The result object, the formats made of it, json and events, and the format text. */
#include "collect.h"

static void put_amount(struct buffer *out, const char *key, const struct amount *amount)
{
	struct buffer scratch = {0};

	json_put_raw(out, key, amount_json(amount, &scratch));
	buffer_free(&scratch);
}

static void put_usage(const struct result *result, struct buffer *out)
{
	struct span usage = result_end(result, END_USAGE);

	if (usage.at != NULL) {
		json_put_raw(out, "usage", usage);
		return;
	}
	json_pack(out, "'usage':{");
	for (int i = COUNT_TOKENS; i <= COUNT_REQUESTS; i++)
		json_pack(out, "%t:%U", count_names[i], result->facts.counts[i]);
	json_close(out, '}');
}

static void put_calls(const struct result *result, struct buffer *out)
{
	json_pack(out, "'tool_calls':[");
	for (size_t i = 0; i < result->calls.count; i++) {
		const struct result_call *call = result->calls.at[i];
		bool ended = call->end.order != 0;

		json_pack(out, "{'tool_call_id':%J,'tool_name':%J,'args':%J,'result':%J", call->id,
			  call->name, call->args, call->result);
		json_pack(out, ended ? "'is_error':%b" : "'is_error':null", call->failed);
		put_amount(out, "duration_seconds", &call->seconds);
		json_pack(out, "'iteration':%U}", call->iteration > 0 ? call->iteration : -1);
	}
	json_close(out, ']');
}

static void put_errors(const struct result *result, struct buffer *out)
{
	const struct kept *error = NULL;

	json_pack(out, "'errors':[");
	while ((error = result_next(result, error, EVENT_BIT(EVENT_ERROR))) != NULL)
		json_pack(out, "%j", error->data.at != NULL ? error->data : SPAN("{}"));
	json_close(out, ']');
}

static void put_event_counts(const struct result *result, struct buffer *out)
{
	json_pack(out, "'event_counts':{");
	for (int type = 0; type < EVENT_OTHER; type++)
		if (result->event_counts[type] > 0)
			json_put_int(out, event_type_name((enum event_type)type),
				     result->event_counts[type]);
	for (size_t i = 0; i < result->other_types; i++)
		json_pack(out, "%t:%d", result->others[i].name, result->others[i].count);
	if (result->event_counts[EVENT_OTHER] > 0)
		json_put_int(out, "(other)", result->event_counts[EVENT_OTHER]);
	json_close(out, '}');
}

void result_write(const struct result *result, struct buffer *out, bool open)
{
	const struct run *run = result->run;
	struct span output = result->end_values[END_OUTPUT];
	struct buffer answer = {0};

	if (output.at == NULL && result->response.len > 0) {
		json_write_string(&answer, buffer_span(&result->response));
		output = buffer_span(&answer);
	}
	json_pack(out, "{'run_id':%T,'parent_run_id':%t,'id':%j,'agent_name':%J,'model':%J",
		  run->id[0] != '\0' ? run->id : NULL, run->parent_id,
		  result_start(result, START_ID), result->agent_name, result->model);
	json_pack(out, "'success':%b,'status':%s,'output':%J,'output_json':%J,'finish_reason':%J",
		  result->success, buffer_span(&result->status), output,
		  result_end(result, END_OUTPUT_JSON), result_end(result, END_FINISH_REASON));
	put_usage(result, out);
	put_amount(out, "total_cost_usd", &result->facts.cost);
	json_pack(out, "'iterations':%U", result->facts.counts[COUNT_ITERATIONS]);
	put_calls(result, out);
	json_pack(out, "'tool_errors':%d", result->facts.counts[COUNT_TOOL_ERRORS]);
	put_errors(result, out);
	put_event_counts(result, out);
	json_pack(out, "'started':%T,'ended':%T", result->started, result->ended);
	put_amount(out, "duration_seconds", &result->facts.seconds);
	put_amount(out, "time_to_first_chunk_seconds", &result->facts.first_chunk);
	if (!open)
		json_close(out, '}');
	buffer_free(&answer);
}

/* ---- the formats ---- */

/* Objects are written apart from the pending output: json_open would see its last byte and put a
 * comma between them. */
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
	json_pack(&object, "'events':[%j]}", buffer_span(&result->lines));
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
    .wants = {.calls = true, .types = EVENT_BIT(EVENT_ERROR)},
    .is_json = true,
    .result = write_json,
    .total = write_total,
};

const struct format format_events = {
    .name = "events",
    .wants = {.calls = true, .lines = true, .types = EVENT_BIT(EVENT_ERROR)},
    .is_json = true,
    .result = write_events,
    .total = write_total,
};

/* The final text of each run, separated by blank lines. */
static void write_text(struct collection *collection, const struct result *result)
{
	struct buffer *out = &collection->output.pending;
	struct buffer text = {0};

	if (!result->run->nested && result_output(result, &text) && text.len > 0) {
		if (collection->first_done)
			buffer_add_char(out, '\n');
		collection->first_done = true;
		buffer_add_span(out, buffer_span(&text));
		if (!span_ends(buffer_span(&text), "\n"))
			buffer_add_char(out, '\n');
	}
	buffer_free(&text);
}

const struct format format_text = {.name = "text", .result = write_text};
