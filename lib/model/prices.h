/*
 * prices: what tokens cost, from share/agent/prices.json, overridden model by model by the user's
 * $XDG_CONFIG_HOME/agent/prices.json.
 *
 * The files map a provider to its models, and a model to USD per million tokens:
 *     {"openai": {"gpt-4o": {"input": 2.5, "output": 10, "cache_read": 1.25}},
 *      "openai-chat": "openai", "openrouter": "*"}
 * with "cache_read" and "cache_write" for such input, "reasoning" for such output, and what is only
 * for the reader, "context" (the context window) and "max_output", both in tokens.
 * A provider that is a string shares the prices of another one; "*": its models are called
 * MAKER/MODEL and cost what they cost at MAKER. The model "*" stands for every other one.
 */
#ifndef MODEL_PRICES_H
#define MODEL_PRICES_H

#include "model/model.h"

/* The files, read when the first price is asked for, and what each model that was asked for costs.
 * Zeroed: not yet read. */
struct prices {
	struct buffer own, shipped;
	bool read;
	struct price *known;
	size_t count;
};

/* What `usage` costs at `provider` for `model`: its exact name, or that name with a date behind it
 * (gpt-4o-2024-11-20), "models/" or an ARN before it, or as Bedrock names models, with a version
 * and a region around it (us.anthropic.claude-opus-5-v1:0; a region may have a price of its own).
 * False when the price or the token counts are not known. A file that is not JSON fills `e` (NULL
 * allowed) once and counts as empty. */
bool prices_cost(struct prices *prices, const char *provider, const char *model,
		 const struct model_usage *usage, double *usd, struct error *e);

void prices_free(struct prices *prices);

#endif
