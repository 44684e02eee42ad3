#include "run/usage.h"

#include "event/log.h"

void usage_init(struct usage_total *total)
{
	*total = (struct usage_total){.tokens = MODEL_USAGE_NONE};
}

void usage_add_tokens(struct usage_total *total, const struct model_usage *usage)
{
	usage_add_count(&total->tokens.input, usage->input);
	usage_add_count(&total->tokens.output, usage->output);
	usage_add_count(&total->tokens.cached_input, usage->cached_input);
	usage_add_count(&total->tokens.cache_write, usage->cache_write);
	usage_add_count(&total->tokens.reasoning, usage->reasoning);
}

void usage_add(struct usage_total *total, struct prices *prices, const char *provider,
	       const char *model, const struct model_usage *usage, struct error *e)
{
	double cost = usage->cost_usd;

	usage_add_tokens(total, usage);
	if (cost < 0 && !total->cost_unknown &&
	    !prices_cost(prices, provider, model, usage, &cost, e))
		total->cost_unknown = true;
	if (cost > 0)
		total->cost_usd += cost;
}

int64_t usage_total_tokens(const struct usage_total *total)
{
	int64_t sum = -1;

	usage_add_count(&sum, total->tokens.input);
	usage_add_count(&sum, total->tokens.output);
	return sum;
}

static void put_count(struct buffer *out, const char *key, int64_t count)
{
	if (count >= 0)
		json_put_int(out, key, count);
	else
		json_put_null(out, key);
}

void usage_put(struct buffer *out, const struct model_usage *usage, int64_t requests)
{
	json_key(out, "usage");
	json_open(out, '{');
	put_count(out, usage_names[USAGE_INPUT], usage->input);
	put_count(out, usage_names[USAGE_OUTPUT], usage->output);
	put_count(out, usage_names[USAGE_CACHED], usage->cached_input);
	put_count(out, usage_names[USAGE_CACHE_WRITE], usage->cache_write);
	put_count(out, usage_names[USAGE_REASONING], usage->reasoning);
	json_put_int(out, "requests", requests);
	json_close(out, '}');
}

void usage_put_totals(struct buffer *out, const struct usage_total *total)
{
	put_count(out, "total_tokens", usage_total_tokens(total));
	if (total->cost_unknown || total->requests == 0)
		json_put_null(out, "total_cost_usd");
	else
		json_put_double(out, "total_cost_usd", total->cost_usd);
}
