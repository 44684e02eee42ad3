/*
 * openai: what OpenAI's protocols have in common, in tables of their rows.
 */
#ifndef MODEL_OPENAI_H
#define MODEL_OPENAI_H

#include "model/protocol/protocol.h"

/* What was billed: OpenRouter, Perplexity, xAI. */
#define USAGE_BILLED                                                                               \
	{SPAN_INIT("cost"), .count = USAGE_COST},                                                  \
	    {SPAN_INIT("cost"), "total_cost", .count = USAGE_COST},                                \
	{                                                                                          \
		SPAN_INIT("cost_in_usd_ticks"), .count = USAGE_TICKS                               \
	}

/* OpenAI's list has no sizes and no names; servers that have them agree on no member. */
#define OPENAI_LIST                                                                                \
	{                                                                                          \
		.path = "/models", .lists = {"data"}, .ids = {"id"},                               \
		.names = {"name", "display_name"},                                                 \
		.windows = {"context_length", "context_window", "max_context_length",              \
			    "max_model_len"},                                                      \
	}

#endif
