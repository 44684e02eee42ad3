/*
 * A report in Markdown (GitHub's), fit for a CI job's summary.
 *
 * Texts from the log must not become markup: short texts are code spans, long texts are in fences
 * longer than any run of backticks in them, and texts inside HTML are escaped. Control characters
 * are made visible, as on a terminal.
 */
#include "collect.h"

#include "event/terminal.h"

/* How much of each run is shown: a job's summary may have 1 MiB. */
enum {
	MAX_ANSWER = 256 * 1024,
	MAX_ERRORS = 50,
	MAX_CALLS = 200,
	MAX_ARGS = 1024,
	MAX_RESULT = 2048,
	MAX_NAME = 200,
};

/* Say how many of `count` things are left out if only `shown` are shown. */
static void put_left_out(struct buffer *out, size_t count, size_t shown, const char *what)
{
	if (count <= shown)
		return;
	buffer_add_text(out, "\n*");
	write_count(out, (int64_t)(count - shown));
	buffer_add_format(out, " more %s are left out.*\n", what);
}

/* A text to be put between backticks: more of them than it has in a row. */
struct fenced {
	struct buffer text;
	size_t fence;
};

static struct fenced fence(struct span raw, size_t least)
{
	struct fenced fenced = {.fence = least};
	size_t run = 0;

	terminal_add(&fenced.text, raw);
	for (size_t i = 0; i < fenced.text.len; i++) {
		run = fenced.text.at[i] == '`' ? run + 1 : 0;
		if (run >= fenced.fence)
			fenced.fence = run + 1;
	}
	return fenced;
}

static void put_backticks(struct buffer *out, size_t count)
{
	while (count-- > 0)
		buffer_add_char(out, '`');
}

/* Write text on one line as a code span. In a table a bar would end the cell, even in code, and
 * renderers disagree about an escaped bar: a broken bar replaces it. */
static void put_code(struct buffer *out, struct span raw, bool in_table)
{
	struct fenced code = fence(raw, 1);
	struct span text = buffer_span(&code.text);
	bool apart = text.len == 0 || text.at[0] == '`' || text.at[text.len - 1] == '`';

	put_backticks(out, code.fence);
	buffer_add_text(out, apart ? " " : "");
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c == '|' && in_table)
			buffer_add_text(out, "\u00A6");
		else
			buffer_add_char(out, (char)(c < ' ' ? ' ' : c));
	}
	buffer_add_text(out, apart ? " " : "");
	put_backticks(out, code.fence);
	buffer_free(&code.text);
}

/* The beginning of a text, `max` bytes at most, as a block of its own. */
static void put_fenced(struct buffer *out, const char *language, struct span raw, size_t max)
{
	struct span shown = cut_text(raw, max);
	struct fenced block = fence(shown, 3);

	put_backticks(out, block.fence);
	buffer_add_format(out, "%s\n", language);
	buffer_add_span(out, buffer_span(&block.text));
	if (!span_ends(buffer_span(&block.text), "\n"))
		buffer_add_char(out, '\n');
	put_backticks(out, block.fence);
	buffer_add_char(out, '\n');
	put_left_out(out, raw.len, shown.len, "bytes");
	buffer_free(&block.text);
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

/* ---- the table of a run, or of all ---- */

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

static void put_facts(struct buffer *out, const struct facts *facts)
{
	buffer_add_text(out, "| Duration | ");
	write_duration(out, facts->seconds.value);
	if (facts->first_chunk.value >= 0) {
		buffer_add_text(out, ", first text after ");
		write_duration(out, facts->first_chunk.value);
	}
	buffer_add_text(out, " |\n| Tokens | ");
	put_tokens(out, &facts->counts[COUNT_TOKENS]);
	buffer_add_text(out, " |\n| Cost | ");
	write_cost(out, facts->cost.value);
	buffer_add_text(out, " |\n| Iterations | ");
	write_count(out, facts->counts[COUNT_ITERATIONS]);
	buffer_add_text(out, " |\n| Tool calls | ");
	write_count(out, facts->counts[COUNT_TOOL_CALLS]);
	if (facts->counts[COUNT_TOOL_ERRORS] > 0) {
		buffer_add_text(out, " (");
		write_count(out, facts->counts[COUNT_TOOL_ERRORS]);
		buffer_add_text(out, " failed)");
	}
	buffer_add_text(out, " |\n");
}

static void put_id(struct buffer *out, const char *name, const char *id)
{
	if (id == NULL || id[0] == '\0')
		return;
	buffer_add_format(out, "| %s | ", name);
	put_code(out, span_of(id), true);
	buffer_add_text(out, " |\n");
}

static void put_table(struct buffer *out, const struct result *result)
{
	struct span finish = result_end(result, END_FINISH_REASON);
	struct span id = result_start(result, START_ID);

	buffer_add_text(out, "| | |\n| --- | --- |\n| Status | ");
	put_code(out, buffer_span(&result->status), true);
	if (json_type(finish) == JSON_STRING) {
		buffer_add_text(out, ", finished by ");
		put_name(out, finish, true);
	}
	buffer_add_text(out, " |\n| Model | ");
	put_name(out, result->model, true);
	buffer_add_text(out, " |\n");
	put_facts(out, &result->facts);
	if (json_type(id) == JSON_STRING) {
		buffer_add_text(out, "| Id | ");
		put_name(out, id, true);
		buffer_add_text(out, " |\n");
	}
	put_id(out, "Run", result->run->id);
	put_id(out, "Part of run", result->run->parent_id);
}

/* ---- the rest of a section ---- */

static void put_errors(struct buffer *out, const struct result *result)
{
	const struct kept *error = NULL;
	struct buffer text = {0};
	size_t count = 0;

	while ((error = result_next(result, error, EVENT_BIT(EVENT_ERROR))) != NULL) {
		if (count++ >= MAX_ERRORS)
			continue;
		buffer_add_text(out, count == 1 ? "\n### Errors\n\n- " : "- ");
		put_name(out, json_get(error->data, "exception_type"), false);
		buffer_add_text(out, ": ");
		buffer_clear(&text);
		json_decode(json_get(error->data, "error"), &text);
		put_code(out, cut_text(buffer_span(&text), MAX_RESULT), false);
		buffer_add_char(out, '\n');
	}
	put_left_out(out, count, MAX_ERRORS, "errors");
	buffer_free(&text);
}

/* A name on one line inside HTML. */
static void put_html_name(struct buffer *out, struct span json)
{
	struct buffer text = {0};

	json_decode(json, &text);
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] == '\n' || text.at[i] == '\t')
			text.at[i] = ' ';
	write_html(out, cut_text(buffer_span(&text), MAX_NAME));
	buffer_free(&text);
}

static void put_call(struct buffer *out, const struct result_call *call)
{
	bool ended = call->end.order != 0;
	struct buffer text = {0};

	buffer_add_format(out, "\n<details><summary>%s<code>",
			  !ended         ? "&#9203; "
			  : call->failed ? "&#10060; "
					 : "");
	put_html_name(out, call->name);
	buffer_add_text(out, "</code> ");
	if (ended)
		write_duration(out, call->seconds.value);
	else
		buffer_add_text(out, "did not end");
	buffer_add_text(out, "</summary>\n\n");
	if (call->args.at != NULL)
		put_fenced(out, "json", call->args, MAX_ARGS);
	if (json_decode(call->result, &text) && text.len > 0) {
		buffer_add_char(out, '\n');
		put_fenced(out, "text", buffer_span(&text), MAX_RESULT);
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

static void begin_section(struct collection *collection, bool success)
{
	struct buffer *out = &collection->output.pending;

	if (collection->first_done)
		buffer_add_char(out, '\n');
	collection->first_done = true;
	buffer_add_text(out, success ? "## &#9989; " : "## &#10060; ");
}

static void write_markdown(struct collection *collection, const struct result *result)
{
	struct buffer *out = &collection->output.pending;
	struct buffer text = {0};

	begin_section(collection, result->success);
	if (json_type(result->agent_name) == JSON_STRING) {
		put_name(out, result->agent_name, false);
		buffer_add_text(out, ": ");
	}
	put_code(out, buffer_span(&result->status), false);
	buffer_add_text(out, "\n\n");
	put_table(out, result);
	put_errors(out, result);
	if (result_output(result, &text) && text.len > 0) {
		buffer_add_text(out,
				result->complete ? "\n### Answer\n\n" : "\n### Answer so far\n\n");
		put_fenced(out, "text", buffer_span(&text), MAX_ANSWER);
	}
	put_calls(out, result);
	buffer_free(&text);
}

static void write_total(struct collection *collection, const struct total *total)
{
	struct buffer *out = &collection->output.pending;

	begin_section(collection, total->succeeded == total->runs);
	buffer_add_text(out, "Total\n\n| | |\n| --- | --- |\n| Runs | ");
	write_count(out, total->runs);
	buffer_add_format(out, ": %lld succeeded, %lld failed, %lld incomplete |\n",
			  (long long)total->succeeded, (long long)total->failed,
			  (long long)total->incomplete);
	put_facts(out, &total->facts);
}

const struct format format_markdown = {
    .name = "markdown",
    .wants = {.calls = true, .types = EVENT_BIT(EVENT_ERROR)},
    .result = write_markdown,
    .total = write_total,
};
