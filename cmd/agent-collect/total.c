/* All runs together. */
#include <stdlib.h>

#include "collect.h"

/* What a failed run adds to the total unless another one resumes it. */
struct failed_run {
	char *id; /* NULL: it was resumed */
	struct total share;
};

void total_init(struct total *total)
{
	*total = (struct total){.first_time = -1, .last_time = -1};
	for (int i = 0; i < USAGE_KEYS; i++)
		total->usage[i] = -1;
}

/* Neumaier's sum: a hundred times 0.0012 is 0.12. */
static void add_exact(struct sum *sum, double more)
{
	double whole = sum->value + more;

	if ((sum->value >= 0 ? sum->value : -sum->value) >= (more >= 0 ? more : -more))
		sum->lost += sum->value - whole + more;
	else
		sum->lost += more - whole + sum->value;
	sum->value = whole;
}

double sum_value(const struct sum *sum)
{
	return sum->value + sum->lost;
}

static void add_times(struct total *total, const struct result *result)
{
	double seconds = result_duration(result);

	if (result->first_time >= 0 &&
	    (total->first_time < 0 || result->first_time < total->first_time))
		total->first_time = result->first_time;
	if (result->last_time > total->last_time)
		total->last_time = result->last_time;
	if (seconds > 0)
		add_exact(&total->run_seconds, seconds);
}

static void add_usage(struct total *total, const struct result *result)
{
	struct span cost = result_cost(result);

	for (int i = 0; i < USAGE_KEYS; i++)
		usage_add_count(&total->usage[i], result_tokens(result, (enum usage_key)i));
	usage_add_count(&total->requests, result_requests(result));
	if (cost.at != NULL)
		add_exact(&total->cost, json_double(cost, 0));
	else
		total->cost_unknown = true;
}

/* What a run that resumes this one counts again. */
static void add_share(struct total *total, const struct total *share)
{
	for (int i = 0; i < USAGE_KEYS; i++)
		usage_add_count(&total->usage[i], share->usage[i]);
	usage_add_count(&total->requests, share->requests);
	usage_add_count(&total->iterations, share->iterations);
	usage_add_count(&total->tool_calls, share->tool_calls);
	add_exact(&total->cost, sum_value(&share->cost));
	total->cost_unknown = total->cost_unknown || share->cost_unknown;
}

static void put_aside(struct total *total, const char *id, const struct total *share)
{
	struct failed_run *failed;

	total->failed_runs =
	    array_grow(total->failed_runs, total->failed_count, sizeof(*total->failed_runs));
	failed = &total->failed_runs[total->failed_count++];
	*failed = (struct failed_run){mem_copy(span_of(id)), *share};
	*table_add(&total->failed_ids, span_of(failed->id)) = total->failed_count - 1;
}

/* The run `id` (JSON) is resumed: both are one. */
static void take_back(struct total *total, struct span id)
{
	struct buffer text = {0};
	const size_t *found = NULL;
	struct failed_run *failed;

	if (json_decode(id, &text))
		found = table_find(&total->failed_ids, buffer_span(&text));
	buffer_free(&text);
	if (found == NULL)
		return;
	failed = &total->failed_runs[*found];
	table_remove(&total->failed_ids, span_of(failed->id));
	free(failed->id);
	failed->id = NULL;
	total->runs--;
	total->failed--;
}

void total_add(struct total *total, const struct result *result, bool in_parent)
{
	bool failed = result_complete(result) && !result_success(result);
	struct total share;

	total_init(&share);
	if (!in_parent)
		add_usage(&share, result);
	usage_add_count(&share.iterations, result_iterations(result));
	usage_add_count(&share.tool_calls, result_tool_calls(result));
	take_back(total, result_start(result, "resumed_from"));
	total->runs++;
	total->nested += result->run->parent_id != NULL;
	total->incomplete += !result_complete(result);
	total->succeeded += result_success(result);
	total->failed += failed;
	total->tool_errors += result->calls_failed;
	total->errors += result->error_count;
	add_times(total, result);
	if (failed && result->run->parent_id == NULL)
		put_aside(total, result->run->id, &share);
	else
		add_share(total, &share);
}

void total_close(struct total *total)
{
	for (size_t i = 0; i < total->failed_count; i++) {
		if (total->failed_runs[i].id != NULL)
			add_share(total, &total->failed_runs[i].share);
		free(total->failed_runs[i].id);
	}
	free(total->failed_runs);
	table_free(&total->failed_ids);
	total->failed_runs = NULL;
	total->failed_count = 0;
}

double total_duration(const struct total *total)
{
	if (total->first_time < 0 || total->last_time < total->first_time)
		return -1;
	return (double)(total->last_time - total->first_time) / 1e6;
}

static void put_usage(const struct total *total, struct buffer *out)
{
	json_key(out, "usage");
	json_open(out, '{');
	for (int i = 0; i < USAGE_KEYS; i++) {
		if (total->usage[i] >= 0)
			json_put_int(out, usage_names[i], total->usage[i]);
		else
			json_put_null(out, usage_names[i]);
	}
	json_put_int(out, "requests", total->requests);
	json_close(out, '}');
}

void total_write(const struct total *total, struct buffer *out)
{
	json_open(out, '{');
	json_put_bool(out, "total", true);
	json_put_int(out, "runs", total->runs);
	json_put_int(out, "nested_runs", total->nested);
	json_put_int(out, "succeeded", total->succeeded);
	json_put_int(out, "failed", total->failed);
	json_put_int(out, "incomplete", total->incomplete);
	put_usage(total, out);
	if (total->cost_unknown || total->runs == 0)
		json_put_null(out, "total_cost_usd");
	else
		json_put_double(out, "total_cost_usd", sum_value(&total->cost));
	json_put_int(out, "iterations", total->iterations);
	json_put_int(out, "tool_calls", total->tool_calls);
	json_put_int(out, "tool_errors", total->tool_errors);
	json_put_int(out, "errors", total->errors);
	write_seconds(out, "duration_seconds", total_duration(total));
	json_put_double(out, "run_seconds", sum_value(&total->run_seconds));
	json_close(out, '}');
}
