#include "model/protocol/openai_chat.h"

static int64_t first_count(struct span usage, const char *const *paths)
{
	for (; *paths != NULL; paths++) {
		int64_t count = model_tokens(json_path(usage, *paths), -1);

		if (count >= 0)
			return count;
	}
	return -1;
}

/* OpenRouter, Perplexity, xAI (in 1e-10 USD). */
double chat_billed(struct span usage)
{
	double ticks = json_double(json_get(usage, "cost_in_usd_ticks"), 0);
	double cost = json_double(json_get(usage, "cost"), -1);

	if (cost < 0)
		cost = json_double(json_path(usage, "cost.total_cost"), -1);
	if (cost < 0 && ticks > 0)
		cost = ticks * 1e-10;
	return cost;
}

struct model_usage chat_usage(struct span usage)
{
	static const char *const cached[] = {"prompt_tokens_details.cached_tokens",
					     "prompt_cache_hit_tokens", "cached_tokens", NULL};
	static const char *const written[] = {"prompt_tokens_details.cache_write_tokens", NULL};
	static const char *const reasoning[] = {"completion_tokens_details.reasoning_tokens",
						"reasoning_tokens", NULL};
	struct model_usage u = {
	    .input = model_tokens(json_get(usage, "prompt_tokens"), -1),
	    .output = model_tokens(json_get(usage, "completion_tokens"), -1),
	    .cached_input = first_count(usage, cached),
	    .cache_write = first_count(usage, written),
	    .reasoning = first_count(usage, reasoning),
	    .cost_usd = chat_billed(usage),
	};
	int64_t total = model_tokens(json_get(usage, "total_tokens"), -1);

	/* xAI leaves reasoning out of completion_tokens; everyone else counts it there. */
	if (u.reasoning > 0 && u.input >= 0 && u.output >= 0 &&
	    total == u.input + u.output + u.reasoning)
		u.output += u.reasoning;
	return u;
}
