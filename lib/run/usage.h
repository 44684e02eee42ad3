/*
 * usage: tokens and money, of one response and of a whole run.
 */
#ifndef RUN_USAGE_H
#define RUN_USAGE_H

#include "model/prices.h"

struct usage_total {
	struct model_usage tokens; /* -1 until a response has said a number */
	int64_t requests;
	double cost_usd;
	bool cost_unknown; /* a response had no known price: the total is null */
};

void usage_init(struct usage_total *total);

/* Add the token counts of one response. */
void usage_add_tokens(struct usage_total *total, const struct model_usage *usage);

/* Add one response of `model`; its cost is what the provider billed, else by the price list. `e` is
 * filled when the list cannot be read. */
void usage_add(struct usage_total *total, struct prices *prices, const char *provider,
	       const char *model, const struct model_usage *usage, struct error *e);

/* Input and output tokens together; -1 when none are known. */
int64_t usage_total_tokens(const struct usage_total *total);

/* Write the members total_tokens and total_cost_usd. */
void usage_put_totals(struct buffer *out, const struct usage_total *total);
/* Write the member `usage`, an object with every count (null: not known). */
void usage_put(struct buffer *out, const struct model_usage *usage, int64_t requests);

#endif
