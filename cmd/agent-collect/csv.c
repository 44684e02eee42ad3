/* Comma-separated values (RFC 4180): a header line, then a row a run. */
#include "collect.h"

#include <stdio.h>

struct row {
	struct buffer *out;
	bool begun;
};

static void put_field(struct row *row, struct span text)
{
	bool quoted = false;

	if (row->begun)
		buffer_add_char(row->out, ',');
	row->begun = true;
	for (size_t i = 0; i < text.len && !quoted; i++)
		quoted = text.at[i] != '\0' && strchr(",\"\r\n", text.at[i]) != NULL;
	if (!quoted) {
		buffer_add_span(row->out, text);
		return;
	}
	buffer_add_char(row->out, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] == '"')
			buffer_add_char(row->out, '"');
		buffer_add_char(row->out, text.at[i]);
	}
	buffer_add_char(row->out, '"');
}

/* The text of a JSON string; nothing for null. */
static void put_string(struct row *row, struct span json)
{
	struct buffer text = {0};

	json_decode(json, &text);
	put_field(row, buffer_span(&text));
	buffer_free(&text);
}

/* A number that was found out; negative: not known, an empty field. */
static void put_count(struct row *row, int64_t count)
{
	struct buffer text = {0};

	if (count >= 0)
		json_write_int(&text, count);
	put_field(row, buffer_span(&text));
	buffer_free(&text);
}

static void put_double(struct row *row, double number)
{
	struct buffer text = {0};

	if (number >= 0)
		json_write_double(&text, number);
	put_field(row, buffer_span(&text));
	buffer_free(&text);
}

static void end_row(struct collection *collection)
{
	/* On a terminal the CR of RFC 4180 would show. */
	buffer_add_text(&collection->output.pending,
			collection->output.is_terminal ? "\n" : "\r\n");
}

static void write_header(struct collection *collection)
{
	buffer_add_text(&collection->output.pending,
			"run_id,parent_run_id,agent_name,model,success,status,finish_reason,"
			"iterations,tool_calls,tool_errors,errors,input_tokens,output_tokens,"
			"cached_input_tokens,cache_write_tokens,reasoning_tokens,requests,"
			"total_cost_usd,started,ended,duration_seconds,"
			"time_to_first_chunk_seconds,output");
	end_row(collection);
}

static void put_identity(struct row *row, const struct result *result)
{
	struct buffer status = {0};

	put_field(row, span_of(result->run->id));
	put_field(row, span_of(result->run->parent_id));
	put_string(row, result->agent_name);
	put_string(row, result->model);
	put_field(row, result_success(result) ? SPAN("true") : SPAN("false"));
	put_field(row, result_status(result, &status));
	put_string(row, result_end(result, "finish_reason"));
	buffer_free(&status);
}

static void write_row(struct collection *collection, const struct result *result)
{
	struct row row = {.out = &collection->output.pending};
	struct buffer output = {0};

	put_identity(&row, result);
	put_count(&row, result_iterations(result));
	put_count(&row, result_tool_calls(result));
	put_count(&row, result->calls_failed);
	put_count(&row, result->error_count);
	for (int i = 0; i < USAGE_KEYS; i++)
		put_count(&row, result_tokens(result, (enum usage_key)i));
	put_count(&row, result_requests(result));
	put_field(&row, result_cost(result));
	put_field(&row, span_of(result->started));
	put_field(&row, span_of(result->ended));
	put_double(&row, result_duration(result));
	put_double(&row, result_first_chunk(result));
	result_output(result, &output);
	put_field(&row, buffer_span(&output));
	buffer_free(&output);
	end_row(collection);
}

static void write_total(struct collection *collection, const struct total *total)
{
	struct row row = {.out = &collection->output.pending};
	struct span none = {0};

	put_field(&row, SPAN("total"));
	for (int i = 0; i < 3; i++)
		put_field(&row, none);
	put_field(&row, total->runs > 0 && total->succeeded == total->runs ? SPAN("true")
									   : SPAN("false"));
	put_field(&row, none);
	put_field(&row, none);
	put_count(&row, total->iterations);
	put_count(&row, total->tool_calls);
	put_count(&row, total->tool_errors);
	put_count(&row, total->errors);
	for (int i = 0; i < USAGE_KEYS; i++)
		put_count(&row, total->usage[i]);
	put_count(&row, total->requests);
	put_double(&row, total->cost_unknown || total->runs == 0 ? -1 : sum_value(&total->cost));
	put_field(&row, none);
	put_field(&row, none);
	put_double(&row, total_duration(total));
	put_field(&row, none);
	put_field(&row, none);
	end_row(collection);
}

const struct format format_csv = {
    .name = "csv",
    .begin = write_header,
    .result = write_row,
    .total = write_total,
};
