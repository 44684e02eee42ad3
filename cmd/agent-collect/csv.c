/* Comma-separated values (RFC 4180): a header line, then a row a run. */
#include "collect.h"

#include <stdio.h>

struct row {
	struct buffer *out;
	bool begun;
};

/* Whether a spreadsheet would take the field for a formula. */
static bool is_formula(struct span text)
{
	static const char *const full_width[] = {"\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d",
						 "\xef\xbc\xa0"}; /* of =, +, - and @ */
	bool starts =
	    text.len > 0 && text.at[0] != '\0' && strchr("=+-@\t\r\n", text.at[0]) != NULL;

	for (size_t i = 0; i < ARRAY_LEN(full_width); i++)
		starts = starts || span_starts(text, full_width[i]);
	return starts && (json_type(text) != JSON_NUMBER || !json_check(text, NULL));
}

static void put_field(struct row *row, struct span text)
{
	const char *mark = is_formula(text) ? "'" : "";
	bool quoted = false;

	if (row->begun)
		buffer_add_char(row->out, ',');
	row->begun = true;
	for (size_t i = 0; i < text.len && !quoted; i++)
		quoted = text.at[i] != '\0' && strchr(",\"\r\n", text.at[i]) != NULL;
	if (!quoted) {
		buffer_add_text(row->out, mark);
		buffer_add_span(row->out, text);
		return;
	}
	buffer_add_format(row->out, "\"%s", mark);
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
	struct buffer scratch = {0};

	put_field(row, json_string_text(json, &scratch));
	buffer_free(&scratch);
}

static void put_counts(struct row *row, const struct facts *facts)
{
	for (int i = 0; i < COUNTS; i++) {
		struct buffer text = {0};

		if (facts->counts[i] >= 0)
			json_write_int(&text, facts->counts[i]);
		put_field(row, buffer_span(&text));
		buffer_free(&text);
	}
}

static void put_amount(struct row *row, const struct amount *amount)
{
	struct buffer scratch = {0};

	put_field(row, amount_json(amount, &scratch));
	buffer_free(&scratch);
}

static void end_row(struct collection *collection)
{
	/* On a terminal the CR of RFC 4180 would show. */
	buffer_add_text(&collection->output.pending, collection->output.is_safe ? "\n" : "\r\n");
}

static void write_header(struct collection *collection)
{
	struct buffer *out = &collection->output.pending;

	buffer_add_text(out,
			"run_id,parent_run_id,id,agent_name,model,success,status,finish_reason");
	for (int i = 0; i < COUNTS; i++)
		buffer_add_format(out, ",%s", count_names[i]);
	buffer_add_text(out, ",total_cost_usd,started,ended,duration_seconds,"
			     "time_to_first_chunk_seconds,output");
	end_row(collection);
}

static void write_row(struct collection *collection, const struct result *result)
{
	struct row row = {.out = &collection->output.pending};
	struct buffer output = {0};

	put_field(&row, span_of(result->run->id));
	put_field(&row, span_of(result->run->parent_id));
	put_string(&row, result_start(result, START_ID));
	put_string(&row, result->agent_name);
	put_string(&row, result->model);
	put_field(&row, result->success ? SPAN("true") : SPAN("false"));
	put_field(&row, buffer_span(&result->status));
	put_string(&row, result_end(result, END_FINISH_REASON));
	put_counts(&row, &result->facts);
	put_amount(&row, &result->facts.cost);
	put_field(&row, span_of(result->started));
	put_field(&row, span_of(result->ended));
	put_amount(&row, &result->facts.seconds);
	put_amount(&row, &result->facts.first_chunk);
	result_output(result, &output);
	put_field(&row, buffer_span(&output));
	buffer_free(&output);
	end_row(collection);
}

static void write_total(struct collection *collection, const struct total *total)
{
	bool success = total->runs > 0 && total->succeeded == total->runs;
	struct row row = {.out = &collection->output.pending};

	buffer_add_format(row.out, "total,,,,,%s,,", success ? "true" : "false");
	row.begun = true;
	put_counts(&row, &total->facts);
	put_amount(&row, &total->facts.cost);
	buffer_add_text(row.out, ",,");
	put_amount(&row, &total->facts.seconds);
	buffer_add_text(row.out, ",,");
	end_row(collection);
}

const struct format format_csv = {
    .name = "csv",
    .begin = write_header,
    .result = write_row,
    .total = write_total,
};
