/*
 * prices: the cost of tokens, from share/agent/prices.json and the user's
 * $XDG_CONFIG_HOME/agent/prices.json, whose models replace the shipped ones; null removes one.
 *
 * The files map a provider to its models, and a model to USD per million tokens:
 *     {"openai": {"gpt-4o": {"input": 2.5, "output": 10, "cache_read": 1.25}},
 *      "openai-chat": "openai", "openrouter": "*"}
 * "cache_read" and "cache_write" are prices of cached input, "reasoning" of reasoning output.
 * "context" (the context window) and "max_output", in tokens, are only information.
 * A string in place of the models names the provider that has them; "*" says that the models are
 * named MAKER/MODEL and cost the same as at MAKER. The model "*" is the price of all other models.
 */
#ifndef MODEL_PRICES_H
#define MODEL_PRICES_H

#include "model/model.h"

/* The files, which are read for the first price, and the prices of the models used so far. Zeroed:
 * not read yet. */
struct prices {
	struct buffer own, shipped;
	bool read;
	struct error fault; /* of a file that was read, until a caller takes it */
	struct price *known;
	size_t count;
};

/* Store the cost of `usage` for `model` of `provider`. A model is found by its name, also if a date
 * follows (gpt-4o-2024-11-20), if "models/" or an ARN precedes it, and with the region and version
 * of Bedrock (us.anthropic.claude-opus-5-v1:0; a region may have its own price). Returns false if
 * the price or the token counts are unknown. A file that cannot be read or is not JSON, and a
 * user's file with a mistake, is ignored; this sets `e` (NULL allowed) once. */
bool prices_cost(struct prices *prices, const char *provider, const char *model,
		 const struct model_usage *usage, double *usd, struct error *e);

/* Whether the user's file, if there is one, can be read and has no mistake; if not, sets `e`, which
 * names file and line. */
bool prices_check(struct error *e);

/* Whether there is a price of the model. */
bool prices_known(struct prices *prices, const char *provider, const char *model);

void prices_free(struct prices *prices);

#endif
