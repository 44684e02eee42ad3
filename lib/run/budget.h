/*
 * budget: what a run may use and what it has used: responses, tokens, money, tool calls.
 *
 * A budget knows prices, but nothing of the run. A nested run's budget has its caller's for a
 * parent: what the nested run uses counts there too, and the nearest limit of all of them holds.
 */
#ifndef RUN_BUDGET_H
#define RUN_BUDGET_H

#include "model/model.h"
#include "run/agent.h"
#include "run/usage.h"

struct budget {
	struct run_limits limits;
	struct budget *parent; /* NULL: none */
	struct prices *prices; /* borrowed */
	bool keeps_last;       /* room is kept for one more request, the last (--wrap-up) */

	struct usage_total total;
	int64_t iterations;   /* responses asked for */
	int64_t tool_calls;   /* of this run */
	int64_t nested_calls; /* of runs nested in it */
	struct {
		int64_t asked;               /* estimate of the request that is being answered */
		int64_t estimated, measured; /* of the last that was; measured: -1, not known */
		int64_t cached;              /* of these */
	} last;                              /* requests in tokens */
};

/* A budget that nothing was used of. */
struct budget budget_new(const struct run_limits *limits, struct budget *parent,
			 struct prices *prices);

/* ---- tokens and money ---- */

/* Whether tokens or money are limited, here or in a parent. */
bool budget_is_limited(const struct budget *budget);

/* The next request in tokens: `estimate`, corrected by what the provider counted last time. */
int64_t budget_input(const struct budget *budget, int64_t estimate);

/* By how much tokens are more than their estimate, as far as is known: 1 to 4. */
double budget_scale(const struct budget *budget);

/* Whether nothing is left for a request of `input` tokens to `model`. `why` then gets a sentence
 * that names the limit. */
bool budget_is_spent(const struct budget *budget, const struct model *model, int64_t input,
		     struct buffer *why);

/* How many tokens of output a request of `input` tokens may have; INT64_MAX: no limit; fewer than
 * BUDGET_LEAST_OUTPUT are no answer. */
enum { BUDGET_LEAST_OUTPUT = 16 };
int64_t budget_output(const struct budget *budget, const struct model *model, int64_t input);

/* A response is complete after `requests` attempts. `name` is the model as the provider names it.
 * `e` is filled if the price list cannot be read. */
void budget_add(struct budget *budget, const struct model *model, const char *name,
		const struct model_usage *usage, int requests, struct error *e);

/* ---- responses and tool calls ---- */

/* Whether the limit of responses is reached. `why` then gets a sentence. */
bool budget_has_no_iteration(const struct budget *budget, struct buffer *why);

/* How many tool calls may still be made, here and in all parents; `limit` gets the limit that is
 * the nearest (0: there is none). */
int64_t budget_calls_left(const struct budget *budget, int64_t *limit);
void budget_add_calls(struct budget *budget, int64_t count);

#endif
