#include "summary.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/utf8.h"
#include "histogram.h"

enum { BUCKETS = 1024 };

struct tool {
	struct buffer name;
	uint64_t calls, errors, unfinished;
	struct histogram durations; /* of the calls that told theirs */
	struct tool *chain;
};

struct summary {
	struct tool *buckets[BUCKETS];
	size_t count;
};

struct summary *summary_new(void)
{
	return mem_zero(sizeof(struct summary));
}

static struct tool *find(struct summary *summary, struct span name)
{
	struct tool **bucket = &summary->buckets[hash_add(HASH_START, name) % BUCKETS], *tool;

	for (tool = *bucket; tool != NULL; tool = tool->chain)
		if (span_equal(buffer_span(&tool->name), name))
			return tool;
	tool = mem_zero(sizeof(*tool));
	buffer_add_span(&tool->name, name);
	tool->chain = *bucket;
	*bucket = tool;
	summary->count++;
	return tool;
}

void summary_add(struct summary *summary, const struct ended_call *ended)
{
	struct tool *tool = find(summary, ended->name);

	tool->calls++;
	tool->errors += ended->is_error;
	if (ended->seconds >= 0)
		histogram_add(&tool->durations, ended->seconds);
}

void summary_add_unfinished(struct summary *summary, struct span name)
{
	find(summary, name)->unfinished++;
}

/* ---- rows ---- */

enum { TOTAL, MEAN, P50, P95, MAX, TIMES };

static const char *const time_names[TIMES] = {"total", "mean", "p50", "p95", "max"};

/* The five times of a tool; false when none of its calls told how long it took. */
static bool times_of(const struct tool *tool, double times[TIMES])
{
	const struct histogram *h = &tool->durations;

	if (h->count == 0)
		return false;
	times[TOTAL] = h->sum;
	times[MEAN] = h->sum / (double)h->count;
	times[P50] = histogram_quantile(h, 0.50);
	times[P95] = histogram_quantile(h, 0.95);
	times[MAX] = h->max;
	return true;
}

static void write_json(struct buffer *out, const struct tool *tool)
{
	double times[TIMES];
	bool known = times_of(tool, times);

	buffer_add_char(out, '{');
	json_put_string(out, "tool_name", buffer_span(&tool->name));
	json_put_int(out, "calls", (int64_t)tool->calls);
	json_put_int(out, "errors", (int64_t)tool->errors);
	json_put_int(out, "unfinished", (int64_t)tool->unfinished);
	for (int i = 0; i < TIMES; i++) {
		struct buffer key = {0};

		buffer_add_format(&key, "%s_seconds", time_names[i]);
		if (known)
			json_put_double(out, buffer_string(&key), to_microseconds(times[i]));
		else
			json_put_null(out, buffer_string(&key));
		buffer_free(&key);
	}
	buffer_add_text(out, "}\n");
}

static void write_tsv(struct buffer *out, const struct tool *tool)
{
	double times[TIMES];
	bool known = times_of(tool, times);

	add_tsv(out, buffer_span(&tool->name));
	buffer_add_format(out, "\t%llu\t%llu\t%llu", (unsigned long long)tool->calls,
			  (unsigned long long)tool->errors, (unsigned long long)tool->unfinished);
	for (int i = 0; i < TIMES; i++) {
		buffer_add_char(out, '\t');
		if (known)
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

static void write_count(struct buffer *out, uint64_t count)
{
	buffer_add_format(out, "%*llu", NUMBER_COLUMNS, (unsigned long long)count);
}

static void write_head(struct buffer *out, const struct layout *layout)
{
	write_name(out, layout, SPAN("tool"));
	buffer_add_format(out, "%*s%*s", NUMBER_COLUMNS, "calls", NUMBER_COLUMNS, "errors");
	for (int i = 0; i < TIMES; i++)
		buffer_add_format(out, "%*s", NUMBER_COLUMNS, time_names[i]);
	buffer_add_text(out, layout->unfinished ? "  unfinished\n" : "\n");
}

static void write_row(struct buffer *out, const struct layout *layout, const struct tool *tool)
{
	double times[TIMES];
	bool known = times_of(tool, times);

	write_name(out, layout, buffer_span(&tool->name));
	write_count(out, tool->calls);
	write_count(out, tool->errors);
	for (int i = 0; i < TIMES; i++) {
		struct buffer text = {0};

		if (known)
			add_seconds(&text, times[i]);
		else
			buffer_add_text(&text, "-");
		buffer_add_format(out, "%*s", NUMBER_COLUMNS, buffer_string(&text));
		buffer_free(&text);
	}
	if (layout->unfinished)
		buffer_add_format(out, "%12llu", (unsigned long long)tool->unfinished);
	buffer_add_char(out, '\n');
}

/* The row of all tools: counts and the total time; quantiles of different tools say nothing. */
static void write_total(struct buffer *out, const struct layout *layout, struct tool *const *tools,
			size_t count)
{
	uint64_t calls = 0, errors = 0, unfinished = 0;
	struct buffer text = {0};
	double seconds = 0;

	for (size_t i = 0; i < count; i++) {
		calls += tools[i]->calls;
		errors += tools[i]->errors;
		unfinished += tools[i]->unfinished;
		seconds += tools[i]->durations.sum;
	}
	write_name(out, layout, SPAN("all"));
	write_count(out, calls);
	write_count(out, errors);
	add_seconds(&text, seconds);
	buffer_add_format(out, "%*s", NUMBER_COLUMNS, buffer_string(&text));
	if (layout->unfinished)
		buffer_add_format(out, "%*llu", (TIMES - 1) * NUMBER_COLUMNS + 12,
				  (unsigned long long)unfinished);
	buffer_add_char(out, '\n');
	buffer_free(&text);
}

static struct layout lay_out(const struct tools_options *options, struct tool *const *tools,
			     size_t count)
{
	struct layout layout = {.options = options, .name_columns = sizeof("tool") - 1};
	size_t numbers = (2 + TIMES) * NUMBER_COLUMNS;

	for (size_t i = 0; i < count; i++) {
		struct buffer name = {0};
		size_t width;

		add_one_line(&name, buffer_span(&tools[i]->name), options->safe);
		width = utf8_columns(buffer_span(&name));
		if (width > layout.name_columns)
			layout.name_columns = width;
		layout.unfinished = layout.unfinished || tools[i]->unfinished > 0;
		buffer_free(&name);
	}
	if (layout.unfinished)
		numbers += sizeof("  unfinished") - 1;
	if (options->width > 0 && layout.name_columns + numbers > options->width)
		layout.name_columns = options->width > numbers + 8 ? options->width - numbers : 8;
	return layout;
}

static int compare(const void *a, const void *b)
{
	const struct tool *x = *(struct tool *const *)a, *y = *(struct tool *const *)b;
	struct span left = buffer_span(&x->name), right = buffer_span(&y->name);
	int order;

	if (x->durations.sum != y->durations.sum)
		return x->durations.sum < y->durations.sum ? 1 : -1;
	order = memcmp(left.at, right.at, left.len < right.len ? left.len : right.len);
	return order != 0 ? order : (left.len > right.len) - (left.len < right.len);
}

static struct tool **sort(const struct summary *summary)
{
	struct tool **tools = mem_alloc((summary->count + 1) * sizeof(struct tool *));
	size_t count = 0;

	for (size_t i = 0; i < BUCKETS; i++)
		for (struct tool *tool = summary->buckets[i]; tool != NULL; tool = tool->chain)
			tools[count++] = tool;
	qsort(tools, count, sizeof(struct tool *), compare);
	return tools;
}

void summary_write(const struct summary *summary, const struct tools_options *options,
		   struct buffer *out)
{
	struct tool **tools = sort(summary);
	struct layout layout = lay_out(options, tools, summary->count);

	if (options->form == FORM_TEXT)
		write_head(out, &layout);
	for (size_t i = 0; i < summary->count; i++) {
		if (options->form == FORM_JSON)
			write_json(out, tools[i]);
		else if (options->form == FORM_TSV)
			write_tsv(out, tools[i]);
		else
			write_row(out, &layout, tools[i]);
	}
	if (options->form == FORM_TEXT && summary->count > 1)
		write_total(out, &layout, tools, summary->count);
	free(tools);
}

void summary_free(struct summary *summary)
{
	if (summary == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		while (summary->buckets[i] != NULL) {
			struct tool *tool = summary->buckets[i];

			summary->buckets[i] = tool->chain;
			buffer_free(&tool->name);
			histogram_free(&tool->durations);
			free(tool);
		}
	}
	free(summary);
}
