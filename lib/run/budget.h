/*
 * budget: what a run may use and what it has used: responses, tokens, money, tool calls.
 *
 * A budget knows prices, but nothing of the run. The parent of a nested run's budget is its
 * caller's: what the nested run uses counts there too, and the nearest limit of all of them holds.
 */
#ifndef RUN_BUDGET_H
#define RUN_BUDGET_H

#include "model/prices.h"
#include "run/agent.h"

/* ---- what was used ---- */

/* What a run has used. */
struct usage_total {
	struct model_usage tokens; /* a count is -1 until a response has reported it */
	int64_t requests;          /* that were sent */
	bool answered;             /* a response was complete */
	double cost_usd;
	bool cost_unknown;    /* the price of a response is not known: the total is null */
	int64_t iterations;   /* responses asked for */
	int64_t tool_calls;   /* of this run */
	int64_t nested_calls; /* of runs nested in it */
};

/* The total of a run that has not begun. */
#define USAGE_NOTHING ((struct usage_total){.tokens = MODEL_USAGE_NONE})

/* Add the token counts of one response. */
void usage_add_tokens(struct usage_total *total, const struct model_usage *usage);

/* Whether the cost of the model's responses can be limited: it has a price, costs nothing, or
 * repeats a log. Else sets `e`. */
bool usage_check_price(struct prices *prices, const struct model *model, struct error *e);

/* Input and output tokens together; -1: none are known. The cost in USD; -1: it is not known.
 * `received`: at least a part of a response has arrived; without one, the cost is 0. */
int64_t usage_tokens(const struct usage_total *total);
double usage_cost(const struct usage_total *total, bool received);

/* ---- what may be used ---- */

struct budget {
	struct run_limits limits;
	struct budget *parent; /* NULL: none */
	struct prices *prices; /* borrowed */
	bool keeps_last;       /* room is kept for one more request, the last (--wrap-up) */
	struct usage_total total;
	struct {
		int64_t asked; /* estimated tokens of the current request */
		/* Tokens of the last answered request; measured -1: unknown. */
		int64_t estimated, measured;
		int64_t cached; /* of `measured`, those read from the cache */
	} last;
	/* What responses have used whose tokens the provider did not count; only the limits know
	 * these estimates. */
	struct {
		int64_t tokens;
		double usd;
	} uncounted;
};

/* Whether tokens or money are limited, here or in a parent. */
bool budget_is_limited(const struct budget *budget);

/* The next request in tokens: `estimate`, corrected by what the provider counted last time. */
int64_t budget_input(const struct budget *budget, int64_t estimate);

/* The ratio of counted to estimated tokens of the last request, between 1 and 4; 1 if unknown. */
double budget_scale(const struct budget *budget);

/* Whether nothing is left for a request of `input` tokens to `model`. `why` then gets a sentence
 * that names the limit. */
bool budget_is_spent(const struct budget *budget, const struct model *model, int64_t input,
		     struct buffer *why);

/* How many tokens of output a request of `input` tokens may have; INT64_MAX: no limit; fewer than
 * BUDGET_LEAST_OUTPUT are no answer. */
enum { BUDGET_LEAST_OUTPUT = 16 };
int64_t budget_output(const struct budget *budget, const struct model *model, int64_t input);

/* A request was sent. */
void budget_add_request(struct budget *budget);

/* Add a response that is complete. `name` is the model as the provider names it. Where `usage` has
 * no counts, the limits use estimates: of the request that was sent, and `output` tokens. Its cost
 * is what the provider billed, else follows from the price list; `e` is filled if the list cannot
 * be read.
 */
void budget_add(struct budget *budget, const struct model *model, const char *name,
		const struct model_usage *usage, int64_t output, struct error *e);

/* Whether the limit of responses is reached. `why` then gets a sentence. */
bool budget_has_no_iteration(const struct budget *budget, struct buffer *why);

/* How many tool calls may still be made, here and in all parents; `limit` gets the nearest limit
 * (0: there is none). */
int64_t budget_calls_left(const struct budget *budget, int64_t *limit);
void budget_add_calls(struct budget *budget, int64_t count);

#endif
