/* The calls of each tool, counted. */
#include <stdlib.h>

#include "base/utf8.h"
#include "histogram.h"
#include "calls.h"

struct tool_total {
	struct buffer name;
	uint64_t calls, errors, unfinished;
	struct histogram durations; /* of the calls with a known one */
};

struct summary {
	struct tool_total *tools;
	size_t count;
	struct table names; /* to positions in `tools` */
};

struct summary *summary_new(void)
{
	return mem_zero(sizeof(struct summary));
}

static struct tool_total *find(struct summary *summary, struct span name)
{
	const uintptr_t *found = table_find(&summary->names, name);
	struct tool_total *tool;

	if (found != NULL)
		return &summary->tools[*found];
	summary->tools = array_grow(summary->tools, summary->count, sizeof(*summary->tools));
	tool = &summary->tools[summary->count];
	*tool = (struct tool_total){.calls = 0};
	buffer_add_span(&tool->name, name);
	*table_add(&summary->names, buffer_span(&tool->name)) = summary->count++;
	return tool;
}

void summary_add(struct summary *summary, const struct call *call)
{
	struct tool_total *tool = find(summary, buffer_span(&call->name));

	tool->calls++;
	tool->errors += call->is_error;
	if (call->seconds >= 0)
		histogram_add(&tool->durations, call->seconds);
}

void summary_add_unfinished(struct summary *summary, struct span name)
{
	find(summary, name)->unfinished++;
}

/* ---- rows ---- */

enum { TOTAL, MEAN, P50, P95, MAX, TIMES };

static const char *const time_names[TIMES] = {"total", "mean", "p50", "p95", "max"};

/* The times of a tool; -1: none of its calls has a known duration. */
static void times_of(const struct tool_total *tool, double times[TIMES])
{
	const struct histogram *h = &tool->durations;

	for (int i = 0; i < TIMES; i++)
		times[i] = -1;
	if (h->count == 0)
		return;
	times[TOTAL] = h->sum;
	times[MEAN] = h->sum / (double)h->count;
	times[P50] = histogram_quantile(h, 0.50);
	times[P95] = histogram_quantile(h, 0.95);
	times[MAX] = h->max;
}

static void write_json(struct buffer *out, const struct tool_total *tool, const double times[TIMES])
{
	buffer_add_char(out, '{');
	json_pack(out, "'tool_name':%s,'calls':%d,'errors':%d,'unfinished':%d",
		  buffer_span(&tool->name), (int64_t)tool->calls, (int64_t)tool->errors,
		  (int64_t)tool->unfinished);
	for (int i = 0; i < TIMES; i++) {
		buffer_add_format(out, ",\"%s_seconds\":", time_names[i]);
		json_pack(out, "%G", times[i] >= 0 ? to_microseconds(times[i]) : -1);
	}
	buffer_add_text(out, "}\n");
}

static void write_tsv(struct buffer *out, const struct tool_total *tool, const double times[TIMES])
{
	add_tsv(out, buffer_span(&tool->name));
	buffer_add_format(out, "\t%llu\t%llu\t%llu", (unsigned long long)tool->calls,
			  (unsigned long long)tool->errors, (unsigned long long)tool->unfinished);
	for (int i = 0; i < TIMES; i++) {
		buffer_add_char(out, '\t');
		if (times[i] >= 0)
			json_write_double(out, to_microseconds(times[i]));
	}
	buffer_add_char(out, '\n');
}

/* ---- the table ---- */

struct layout {
	const struct tools_options *options;
	size_t name_columns;
	bool unfinished; /* there are some: a column for them */
};

enum { NUMBER_COLUMNS = 9 };

static void write_name(struct buffer *out, const struct layout *layout, struct span text)
{
	struct buffer name = {0};
	struct span shown;
	size_t width;

	add_one_line(&name, text, layout->options->safe);
	shown = utf8_cut(buffer_span(&name), layout->name_columns);
	if (shown.len < name.len)
		shown = utf8_cut(buffer_span(&name), layout->name_columns - 1);
	buffer_add_span(out, shown);
	width = utf8_columns(shown);
	if (shown.len < name.len) {
		buffer_add_text(out, "…");
		width++;
	}
	for (; width < layout->name_columns; width++)
		buffer_add_char(out, ' ');
	buffer_free(&name);
}

static void write_head(struct buffer *out, const struct layout *layout)
{
	write_name(out, layout, SPAN("tool"));
	buffer_add_format(out, "%*s%*s", NUMBER_COLUMNS, "calls", NUMBER_COLUMNS, "errors");
	for (int i = 0; i < TIMES; i++)
		buffer_add_format(out, "%*s", NUMBER_COLUMNS, time_names[i]);
	buffer_add_text(out, layout->unfinished ? "  unfinished\n" : "\n");
}

static void write_row(struct buffer *out, const struct layout *layout,
		      const struct tool_total *tool, const double *times, int time_count)
{
	write_name(out, layout, buffer_span(&tool->name));
	buffer_add_format(out, "%*llu%*llu", NUMBER_COLUMNS, (unsigned long long)tool->calls,
			  NUMBER_COLUMNS, (unsigned long long)tool->errors);
	for (int i = 0; i < time_count; i++) {
		struct buffer text = {0};

		if (times[i] >= 0)
			add_seconds(&text, times[i]);
		else
			buffer_add_char(&text, '-');
		buffer_add_format(out, "%*s", NUMBER_COLUMNS, buffer_string(&text));
		buffer_free(&text);
	}
	if (layout->unfinished)
		buffer_add_format(out, "%*llu", (TIMES - time_count) * NUMBER_COLUMNS + 12,
				  (unsigned long long)tool->unfinished);
	buffer_add_char(out, '\n');
}

/* The row of all tools: counts and the total time. Quantiles over different tools are useless. */
static void write_total(struct buffer *out, const struct layout *layout,
			const struct summary *summary)
{
	struct tool_total all = {.calls = 0};
	double seconds = 0;

	for (size_t i = 0; i < summary->count; i++) {
		const struct tool_total *tool = &summary->tools[i];

		all.calls += tool->calls;
		all.errors += tool->errors;
		all.unfinished += tool->unfinished;
		seconds += tool->durations.sum;
	}
	buffer_add_text(&all.name, "all");
	write_row(out, layout, &all, &seconds, 1);
	buffer_free(&all.name);
}

static struct layout lay_out(const struct tools_options *options, const struct summary *summary)
{
	struct layout layout = {.options = options, .name_columns = sizeof("tool") - 1};
	size_t numbers = (2 + TIMES) * NUMBER_COLUMNS;

	for (size_t i = 0; i < summary->count; i++) {
		struct buffer name = {0};
		size_t width;

		add_one_line(&name, buffer_span(&summary->tools[i].name), options->safe);
		width = utf8_columns(buffer_span(&name));
		if (width > layout.name_columns)
			layout.name_columns = width;
		layout.unfinished = layout.unfinished || summary->tools[i].unfinished > 0;
		buffer_free(&name);
	}
	if (layout.unfinished)
		numbers += sizeof("  unfinished") - 1;
	if (options->width > 0 && layout.name_columns + numbers > options->width)
		layout.name_columns = options->width > numbers + 8 ? options->width - numbers : 8;
	return layout;
}

static int compare_tools(const void *a, const void *b)
{
	const struct tool_total *x = a, *y = b;
	struct span left = buffer_span(&x->name), right = buffer_span(&y->name);
	int order;

	if (x->durations.sum != y->durations.sum)
		return x->durations.sum < y->durations.sum ? 1 : -1;
	order = memcmp(left.at, right.at, left.len < right.len ? left.len : right.len);
	return order != 0 ? order : (left.len > right.len) - (left.len < right.len);
}

void summary_write(struct summary *summary, const struct tools_options *options, struct buffer *out)
{
	struct layout layout = lay_out(options, summary);
	double times[TIMES];

	if (summary->count > 0)
		qsort(summary->tools, summary->count, sizeof(*summary->tools), compare_tools);
	if (options->form == RECORD_NONE)
		write_head(out, &layout);
	for (size_t i = 0; i < summary->count; i++) {
		const struct tool_total *tool = &summary->tools[i];

		times_of(tool, times);
		if (options->form == RECORD_JSON)
			write_json(out, tool, times);
		else if (options->form == RECORD_TSV)
			write_tsv(out, tool, times);
		else
			write_row(out, &layout, tool, times, TIMES);
	}
	if (options->form == RECORD_NONE && summary->count > 1)
		write_total(out, &layout, summary);
}

void summary_free(struct summary *summary)
{
	if (summary == NULL)
		return;
	for (size_t i = 0; i < summary->count; i++) {
		buffer_free(&summary->tools[i].name);
		histogram_free(&summary->tools[i].durations);
	}
	free(summary->tools);
	table_free(&summary->names);
	free(summary);
}
