/* All runs together. */
#include "base/clock.h"
#include "collect.h"

void total_init(struct total *total)
{
	*total = (struct total){.first_time = -1, .last_time = -1, .facts.first_chunk.value = -1};
	for (int i = 0; i < USAGE_KEYS; i++)
		total->facts.counts[COUNT_TOKENS + i] = -1;
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

static double sum_value(const struct sum *sum)
{
	return sum->value + sum->lost;
}

static void add_times(struct total *total, const struct result *result)
{
	if (result->first_time >= 0 &&
	    (total->first_time < 0 || result->first_time < total->first_time))
		total->first_time = result->first_time;
	if (result->last_time > total->last_time)
		total->last_time = result->last_time;
	if (result->facts.seconds.value > 0)
		add_exact(&total->run_seconds, result->facts.seconds.value);
}

static bool is_usage(int count)
{
	return count >= COUNT_TOKENS && count <= COUNT_REQUESTS;
}

void total_add(struct total *total, const struct result *result, bool in_parent)
{
	const struct facts *facts = &result->facts;

	total->runs++;
	total->nested += result->run->parent_id != NULL;
	total->incomplete += !result->complete;
	total->succeeded += result->success;
	total->failed += result->complete && !result->success;
	for (int i = 0; i < COUNTS; i++)
		if (!(in_parent && is_usage(i)))
			usage_add_count(&total->facts.counts[i], facts->counts[i]);
	add_times(total, result);
	if (in_parent)
		return;
	if (facts->cost.value >= 0)
		add_exact(&total->cost, facts->cost.value);
	else
		total->unpriced++;
}

void total_close(struct total *total)
{
	total->facts.cost.value =
	    total->unpriced > 0 || total->runs == 0 ? -1 : sum_value(&total->cost);
	total->facts.seconds.value = seconds_between(total->first_time, total->last_time);
}

void total_write(const struct total *total, struct buffer *out)
{
	const int64_t *counts = total->facts.counts;

	json_pack(out,
		  "{'total':true,'runs':%d,'nested_runs':%d,'succeeded':%d,'failed':%d,"
		  "'incomplete':%d,'usage':{",
		  total->runs, total->nested, total->succeeded, total->failed, total->incomplete);
	for (int i = COUNT_TOKENS; i <= COUNT_REQUESTS; i++)
		json_pack(out, "%t:%U", count_names[i], counts[i]);
	json_pack(out, "},'total_cost_usd':%G,'known_cost_usd':%g,'unpriced_runs':%d",
		  total->facts.cost.value, sum_value(&total->cost), total->unpriced);
	for (int i = 0; i < COUNT_TOKENS; i++)
		json_put_int(out, count_names[i], counts[i]);
	json_pack(out, "'duration_seconds':%G,'run_seconds':%g}", total->facts.seconds.value,
		  clock_round(sum_value(&total->run_seconds)));
}
