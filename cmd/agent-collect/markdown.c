/*
 * A report in Markdown (GitHub's), fit for a CI job's summary.
 *
 * Texts from the log must not become markup: short ones are put into code spans, long ones into
 * fences longer than any run of backticks in them, and what stands in HTML is escaped. Control
 * characters are shown, as on a terminal: a report is for people.
 */
#include "collect.h"

#include "base/utf8.h"
#include "event/terminal.h"

/* A job's summary may have 1 MiB: of each run, so much is shown. */
enum {
	MAX_ANSWER = 256 * 1024,
	MAX_ERRORS = 50,
	MAX_CALLS = 200,
	MAX_ARGS = 1024,
	MAX_RESULT = 2048,
};

static size_t longest_backticks(struct span text)
{
	size_t longest = 0, run = 0;

	for (size_t i = 0; i < text.len; i++) {
		run = text.at[i] == '`' ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	return longest;
}

static void put_backticks(struct buffer *out, size_t count)
{
	while (count-- > 0)
		buffer_add_char(out, '`');
}

/* Text on one line as a code span. In a table a bar would end the cell, even in code, and renderers
 * differ in what `\|` is: a broken bar stands for it. */
static void put_code(struct buffer *out, struct span raw, bool in_table)
{
	struct buffer shown = {0};
	struct span text;
	size_t fence;

	terminal_add(&shown, raw);
	text = buffer_span(&shown);
	fence = longest_backticks(text) + 1;

	put_backticks(out, fence);
	if (text.len == 0 || text.at[0] == '`' || text.at[text.len - 1] == '`')
		buffer_add_char(out, ' ');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c == '|' && in_table)
			buffer_add_text(out, "\u00A6");
		else
			buffer_add_char(out, (char)(c < ' ' ? ' ' : c));
	}
	if (text.len == 0 || text.at[0] == '`' || text.at[text.len - 1] == '`')
		buffer_add_char(out, ' ');
	put_backticks(out, fence);
	buffer_free(&shown);
}

/* Text as a block of its own. */
static void put_fenced(struct buffer *out, const char *language, struct span raw)
{
	struct buffer shown = {0};
	struct span text;
	size_t fence;

	terminal_add(&shown, raw);
	text = buffer_span(&shown);
	fence = longest_backticks(text) + 1;
	if (fence < 3)
		fence = 3;
	put_backticks(out, fence);
	buffer_add_format(out, "%s\n", language);
	buffer_add_span(out, text);
	if (!span_ends(text, "\n"))
		buffer_add_char(out, '\n');
	put_backticks(out, fence);
	buffer_add_char(out, '\n');
	buffer_free(&shown);
}

/* Text on one line inside HTML. */
static void put_html(struct buffer *out, struct span raw)
{
	struct buffer shown = {0};

	terminal_add(&shown, raw);
	for (size_t i = 0; i < shown.len; i++) {
		unsigned char c = (unsigned char)shown.at[i];

		if (c == '<' || c == '>' || c == '&' || c == '"' || c == '\'')
			buffer_add_format(out, "&#%d;", c);
		else
			buffer_add_char(out, (char)(c < ' ' ? ' ' : c));
	}
	buffer_free(&shown);
}

/* The longest beginning that fits into `max` bytes, not cutting inside a code point. */
static struct span cut(struct span text, size_t max)
{
	if (text.len > max) {
		text.len = max;
		text.len -= utf8_incomplete_tail(text);
	}
	return text;
}

/* Say so when of `count` things only `shown` are there. */
static void put_left_out(struct buffer *out, size_t count, size_t shown, const char *what)
{
	if (count <= shown)
		return;
	buffer_add_text(out, "\n*");
	write_count(out, (int64_t)(count - shown));
	buffer_add_format(out, " more %s are left out.*\n", what);
}

static void put_cut(struct buffer *out, const char *language, struct span text, size_t max)
{
	struct span shown = cut(text, max);

	put_fenced(out, language, shown);
	put_left_out(out, text.len, shown.len, "bytes");
}

/* The text of a JSON string as code; "unknown" for anything else. */
static void put_name(struct buffer *out, struct span json, bool in_table)
{
	struct buffer text = {0};

	if (json_decode(json, &text))
		put_code(out, buffer_span(&text), in_table);
	else
		buffer_add_text(out, "unknown");
	buffer_free(&text);
}

static void row(struct buffer *out, const char *name)
{
	buffer_add_format(out, "| %s | ", name);
}

static void end_row(struct buffer *out)
{
	buffer_add_text(out, " |\n");
}

static void put_tokens(struct buffer *out, const int64_t usage[USAGE_KEYS])
{
	static const char *const what[USAGE_KEYS] = {"in", "out", "from cache", "written to cache",
						     "reasoning"};
	bool begun = false;

	for (int i = 0; i < USAGE_KEYS; i++) {
		if (usage[i] < 0 || (i > USAGE_OUTPUT && usage[i] == 0))
			continue;
		if (begun)
			buffer_add_text(out, ", ");
		write_count(out, usage[i]);
		buffer_add_format(out, " %s", what[i]);
		begun = true;
	}
	if (!begun)
		buffer_add_text(out, "unknown");
}

static void put_calls_count(struct buffer *out, int64_t calls, int64_t failed)
{
	write_count(out, calls);
	if (failed > 0) {
		buffer_add_text(out, " (");
		write_count(out, failed);
		buffer_add_text(out, " failed)");
	}
}

static void put_status(struct buffer *out, const struct result *result)
{
	struct buffer scratch = {0};
	struct span status = result_status(result, &scratch);
	struct span finish = result_end(result, "finish_reason");

	row(out, "Status");
	put_code(out, status, true);
	if (json_type(finish) == JSON_STRING) {
		buffer_add_text(out, ", finished by ");
		put_name(out, finish, true);
	}
	end_row(out);
	buffer_free(&scratch);
}

static void put_table(struct buffer *out, const struct result *result)
{
	int64_t usage[USAGE_KEYS];

	for (int i = 0; i < USAGE_KEYS; i++)
		usage[i] = result_tokens(result, (enum usage_key)i);
	buffer_add_text(out, "| | |\n| --- | --- |\n");
	put_status(out, result);
	row(out, "Model");
	put_name(out, result->model, true);
	end_row(out);
	row(out, "Duration");
	write_duration(out, result_duration(result));
	if (result_first_chunk(result) >= 0) {
		buffer_add_text(out, ", first text after ");
		write_duration(out, result_first_chunk(result));
	}
	end_row(out);
	row(out, "Tokens");
	put_tokens(out, usage);
	end_row(out);
	row(out, "Cost");
	write_cost(out, result_cost(result));
	end_row(out);
	row(out, "Iterations");
	write_count(out, result_iterations(result));
	end_row(out);
	row(out, "Tool calls");
	put_calls_count(out, result_tool_calls(result), result->calls_failed);
	end_row(out);
	if (result->run->id[0] != '\0') {
		row(out, "Run");
		put_code(out, span_of(result->run->id), true);
		end_row(out);
	}
	if (result->run->parent_id != NULL) {
		row(out, "Part of run");
		put_code(out, span_of(result->run->parent_id), true);
		end_row(out);
	}
}

static void put_errors(struct buffer *out, const struct result *result)
{
	struct buffer text = {0};

	if (result->errors.count == 0)
		return;
	buffer_add_text(out, "\n### Errors\n\n");
	for (size_t i = 0; i < result->errors.count && i < MAX_ERRORS; i++) {
		struct span data = result->errors.at[i].data;

		buffer_clear(&text);
		json_decode(json_get(data, "error"), &text);
		buffer_add_text(out, "- ");
		put_name(out, json_get(data, "exception_type"), false);
		buffer_add_text(out, ": ");
		put_code(out, cut(buffer_span(&text), MAX_RESULT), false);
		buffer_add_char(out, '\n');
	}
	put_left_out(out, result->errors.count, MAX_ERRORS, "errors");
	buffer_free(&text);
}

static void put_call(struct buffer *out, const struct tool_call *call)
{
	struct span result = json_get(call->end.data, "result"), args;
	struct buffer text = {0};

	json_decode(json_get(call->start.data, "tool_name"), &text);
	buffer_add_text(out, "\n<details><summary>");
	if (call->end.order == 0)
		buffer_add_text(out, "&#9203; ");
	else if (call_failed(call))
		buffer_add_text(out, "&#10060; ");
	buffer_add_text(out, "<code>");
	put_html(out, cut(buffer_span(&text), 200));
	buffer_add_text(out, "</code> ");
	if (call->end.order != 0)
		write_duration(out, call_duration(call));
	else
		buffer_add_text(out, "did not end");
	buffer_add_text(out, "</summary>\n\n");
	args = json_get(call->start.data, "args");
	if (args.at != NULL)
		put_cut(out, "json", args, MAX_ARGS);
	buffer_clear(&text);
	if (json_decode(result, &text) && text.len > 0) {
		buffer_add_char(out, '\n');
		put_cut(out, "text", buffer_span(&text), MAX_RESULT);
	}
	buffer_add_text(out, "\n</details>\n");
	buffer_free(&text);
}

static void put_calls(struct buffer *out, const struct result *result)
{
	size_t count = result->calls.count;

	if (count == 0)
		return;
	buffer_add_text(out, "\n### Tool calls\n");
	for (size_t i = 0; i < count && i < MAX_CALLS; i++)
		put_call(out, result->calls.at[i]);
	put_left_out(out, count, MAX_CALLS, "calls");
}

static void put_title(struct buffer *out, const struct result *result)
{
	struct buffer scratch = {0};
	struct span status = result_status(result, &scratch);

	buffer_add_text(out, result_success(result) ? "## &#9989; " : "## &#10060; ");
	if (json_type(result->agent_name) == JSON_STRING) {
		put_name(out, result->agent_name, false);
		buffer_add_text(out, ": ");
	}
	put_code(out, status, false);
	buffer_add_text(out, "\n\n");
	buffer_free(&scratch);
}

static void begin_section(struct collection *collection)
{
	if (collection->first_done)
		buffer_add_char(&collection->output.pending, '\n');
	collection->first_done = true;
}

static void write_markdown(struct collection *collection, const struct result *result)
{
	struct buffer *out = &collection->output.pending;
	struct buffer text = {0};

	begin_section(collection);
	put_title(out, result);
	put_table(out, result);
	put_errors(out, result);
	if (result_output(result, &text) && text.len > 0) {
		buffer_add_text(out, result_complete(result) ? "\n### Answer\n\n"
							     : "\n### Answer so far\n\n");
		put_cut(out, "text", buffer_span(&text), MAX_ANSWER);
	}
	put_calls(out, result);
	buffer_free(&text);
}

static void write_total(struct collection *collection, const struct total *total)
{
	struct buffer *out = &collection->output.pending;
	struct buffer cost = {0};

	begin_section(collection);
	buffer_add_text(out, total->succeeded == total->runs ? "## &#9989; Total\n\n"
							     : "## &#10060; Total\n\n");
	buffer_add_text(out, "| | |\n| --- | --- |\n| Runs | ");
	write_count(out, total->runs);
	buffer_add_format(out, ": %lld succeeded, %lld failed, %lld incomplete |\n",
			  (long long)total->succeeded, (long long)total->failed,
			  (long long)total->incomplete);
	row(out, "Duration");
	write_duration(out, total_duration(total));
	end_row(out);
	row(out, "Tokens");
	put_tokens(out, total->usage);
	end_row(out);
	row(out, "Cost");
	if (!total->cost_unknown)
		json_write_double(&cost, sum_value(&total->cost));
	write_cost(out, buffer_span(&cost));
	end_row(out);
	row(out, "Iterations");
	write_count(out, total->iterations);
	end_row(out);
	row(out, "Tool calls");
	put_calls_count(out, total->tool_calls, total->tool_errors);
	end_row(out);
	buffer_free(&cost);
}

const struct format format_markdown = {
    .name = "markdown",
    .wants = {.calls = true, .errors = true},
    .result = write_markdown,
    .total = write_total,
};
