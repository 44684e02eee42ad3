#include "model/protocol/finish_reason.h"

#include <ctype.h>

/* Reasons of all protocols: proxies give those of the provider behind them. */
static const struct finish_reason reasons[] = {
    {"stop", .finish = MODEL_STOP},
    {"end_turn", .finish = MODEL_STOP},
    {"stop_sequence", .finish = MODEL_STOP},
    {"eos", .finish = MODEL_STOP},
    {"eos_token", .finish = MODEL_STOP},
    {"complete", .finish = MODEL_STOP},
    {"completed", .finish = MODEL_STOP},
    {"tool_calls", .finish = MODEL_TOOL_CALLS},
    {"tool_call", .finish = MODEL_TOOL_CALLS},
    {"tool_use", .finish = MODEL_TOOL_CALLS},
    {"function_call", .finish = MODEL_TOOL_CALLS},
    {"length", .finish = MODEL_LENGTH},
    {"model_length", .finish = MODEL_LENGTH},
    {"max_length", .finish = MODEL_LENGTH},
    {"max_tokens", .finish = MODEL_LENGTH},
    {"max_output_tokens", .finish = MODEL_LENGTH},
    {"model_context_window_exceeded", .finish = MODEL_LENGTH},
    {"incomplete", .finish = MODEL_LENGTH},
    {"content_filter", .finish = MODEL_CONTENT_FILTER},
    {"content_filtered", .finish = MODEL_CONTENT_FILTER},
    {"guardrail_intervened", .finish = MODEL_CONTENT_FILTER},
    {"sensitive", .finish = MODEL_CONTENT_FILTER},
    {"safety", .finish = MODEL_CONTENT_FILTER},
    {"recitation", .finish = MODEL_CONTENT_FILTER},
    {"blocklist", .finish = MODEL_CONTENT_FILTER},
    {"prohibited_content", .finish = MODEL_CONTENT_FILTER},
    {"spii", .finish = MODEL_CONTENT_FILTER},
    {"refusal", .finish = MODEL_REFUSAL},
    {"error", MODEL_ERROR, ERROR_SERVER, "ended its response with an error", .retryable = true},
    {"insufficient_system_resource", MODEL_ERROR, ERROR_OVERLOADED,
     "interrupted its response for lack of resources", .retryable = true},
    {"network_error", MODEL_ERROR, ERROR_NETWORK,
     "interrupted its response because of a network error", .retryable = true},
    {0},
};

/* The next letter or digit of `text`, in lower case; 0: there is none. */
static int next_letter(struct span *text)
{
	int letter = 0;

	while (text->len > 0 && letter == 0) {
		if (isalnum((unsigned char)text->at[0]))
			letter = tolower((unsigned char)text->at[0]);
		*text = span_from(*text, 1);
	}
	return letter;
}

/* Whether two spellings are the same reason: MAX_TOKENS, max-tokens, FinishReason.MAX_TOKENS. */
static bool same_reason(struct span a, struct span b)
{
	static const char prefix[] = "FinishReason.";
	int letter;

	if (span_starts(a, prefix))
		a = span_from(a, strlen(prefix));
	do {
		letter = next_letter(&a);
		if (letter != next_letter(&b))
			return false;
	} while (letter != 0);
	return true;
}

const struct finish_reason *finish_reason_find(struct span name, const struct finish_reason *own)
{
	const struct finish_reason *const tables[] = {own, reasons};

	for (size_t i = 0; i < ARRAY_LEN(tables) && name.len > 0; i++)
		for (const struct finish_reason *reason = tables[i];
		     reason != NULL && reason->name != NULL; reason++)
			if (same_reason(name, span_of(reason->name)))
				return reason;
	return NULL;
}
