#include "run/budget.h"

#include <stdio.h>

#include "base/number.h"
#include "event/event.h"

/* How many output tokens are kept for the last request (at most an eighth of all). */
enum { LAST_REQUEST = 1024 };

/* What the limits leave for the output of a request; INT64_MAX: no limit. */
struct room {
	int64_t tokens, cost;
};

/* ---- what was used ---- */

void usage_add_tokens(struct usage_total *total, const struct model_usage *usage)
{
	usage_add_count(&total->tokens.input, usage->input);
	usage_add_count(&total->tokens.output, usage->output);
	usage_add_count(&total->tokens.cached_input, usage->cached_input);
	usage_add_count(&total->tokens.cache_write, usage->cache_write);
	usage_add_count(&total->tokens.reasoning, usage->reasoning);
}

int64_t usage_tokens(const struct usage_total *total)
{
	int64_t sum = -1;

	usage_add_count(&sum, total->tokens.input);
	usage_add_count(&sum, total->tokens.output);
	return sum;
}

bool usage_check_price(struct prices *prices, const struct model *model, struct error *e)
{
	const char *provider = model_provider(model), *name = model_name(model);

	return model_charge(model) != MODEL_UNKNOWN_CHARGE ||
	       prices_known(prices, provider, name) ||
	       error_set(e, "usage",
			 "the price of %s:%s is not known, so --max-cost cannot limit its cost: "
			 "add it to prices.json, see agent-providers(5), or allow it with "
			 "--unpriced allow",
			 provider, name);
}

double usage_cost(const struct usage_total *total, bool received)
{
	bool interrupted = received && !total->answered;

	return total->cost_unknown || interrupted ? -1 : total->cost_usd;
}

/* ---- tokens and money ---- */

static int64_t used_tokens(const struct budget *budget)
{
	int64_t tokens = usage_tokens(&budget->total);

	return (tokens > 0 ? tokens : 0) + budget->uncounted.tokens;
}

static double used_usd(const struct budget *budget)
{
	return budget->total.cost_usd + budget->uncounted.usd;
}

/* What so many tokens cost. As much of the input counts as cached as last time. 0 if the price is
 * not known. */
static double cost_of(const struct budget *budget, const struct model *model, int64_t input,
		      int64_t output)
{
	struct model_usage usage = MODEL_USAGE_NONE;
	double usd = 0;

	usage.input = input;
	usage.output = output;
	if (budget->last.measured > 0 && budget->last.cached > 0)
		usage.cached_input = (int64_t)((double)input * (double)budget->last.cached /
					       (double)budget->last.measured);
	if (!prices_cost(budget->prices, model_provider(model), model_name(model), &usage, &usd,
			 NULL))
		return 0;
	return usd;
}

/* How many tokens of output `usd` buys. */
static int64_t bought(const struct budget *budget, const struct model *model, double usd)
{
	static const int64_t many = 1000000;
	double price = cost_of(budget, model, 0, many) / (double)many;

	if (usd <= 0)
		return 0;
	return price > 0 && usd / price < (double)INT64_MAX / 2 ? (int64_t)(usd / price)
								: INT64_MAX;
}

/* What is kept for the last request, of a limit that is `most` tokens of output in all. */
static int64_t reserve(int64_t most)
{
	return most / 8 < LAST_REQUEST ? most / 8 : LAST_REQUEST;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* The room of this budget and all parents; the last request, if room is kept for it, sends about as
 * much as this one. */
static struct room room_for(const struct budget *budget, const struct model *model, int64_t input)
{
	struct room room = {INT64_MAX, INT64_MAX};
	bool twice = budget->keeps_last;

	if (twice)
		input *= 2;
	for (const struct budget *at = budget; at != NULL; at = at->parent) {
		int64_t tokens = at->limits.max_total_tokens;
		double usd = at->limits.max_cost_usd;

		if (tokens > 0)
			room.tokens = least(room.tokens, tokens - used_tokens(at) - input -
							     (twice ? reserve(tokens) : 0));
		if (usd > 0)
			room.cost =
			    least(room.cost,
				  bought(budget, model,
					 usd - used_usd(at) - cost_of(budget, model, input, 0)) -
				      (twice ? reserve(bought(budget, model, usd)) : 0));
	}
	return room;
}

bool budget_is_limited(const struct budget *budget)
{
	for (const struct budget *at = budget; at != NULL; at = at->parent)
		if (at->limits.max_total_tokens > 0 || at->limits.max_cost_usd > 0)
			return true;
	return false;
}

int64_t budget_input(const struct budget *budget, int64_t estimate)
{
	if (budget->last.measured > 0)
		estimate += budget->last.measured - budget->last.estimated;
	return estimate > 0 ? estimate : 0;
}

double budget_scale(const struct budget *budget)
{
	static const double most = 4;
	double scale = 1;

	if (budget->last.measured > budget->last.estimated && budget->last.estimated > 0)
		scale = (double)budget->last.measured / (double)budget->last.estimated;
	return scale < most ? scale : most;
}

/* Write an amount without an exponent, such as 0.0000001. */
static const char *usd_text(char *text, size_t size, double usd)
{
	int len = snprintf(text, size, usd < 0.001 ? "%.10f" : "%g", usd);

	if (strchr(text, '.') != NULL) {
		while (text[len - 1] == '0')
			len--;
		text[text[len - 1] == '.' ? len - 1 : len] = '\0';
	}
	return text;
}

/* Whether what this budget alone has used leaves nothing. Models see `why`, in results of calls and
 * in the prompt of a wrap-up, so other words would make strict replays of old logs fail. */
static bool is_spent(const struct budget *budget, const struct room *room, int64_t input,
		     struct buffer *why)
{
	const struct run_limits *limits = &budget->limits;
	int64_t used = used_tokens(budget);
	char cost[32], limit[32];

	usd_text(cost, sizeof(cost), used_usd(budget));
	usd_text(limit, sizeof(limit), limits->max_cost_usd);
	if (limits->max_total_tokens > 0 && used >= limits->max_total_tokens)
		buffer_add_format(
		    why, "the run used %lld tokens, the limit is %lld (--max-total-tokens)",
		    (long long)used, (long long)limits->max_total_tokens);
	else if (limits->max_cost_usd > 0 && used_usd(budget) >= limits->max_cost_usd)
		buffer_add_format(why, "the run cost %s USD, the limit is %s (--max-cost)", cost,
				  limit);
	else if (limits->max_total_tokens > 0 && room->tokens < BUDGET_LEAST_OUTPUT && used == 0)
		buffer_add_format(
		    why,
		    "the first request, of about %lld tokens, is too long for the limit "
		    "of %lld tokens (--max-total-tokens)",
		    (long long)input, (long long)limits->max_total_tokens);
	else if (limits->max_total_tokens > 0 && room->tokens < BUDGET_LEAST_OUTPUT)
		buffer_add_format(
		    why,
		    "the run used %lld of %lld tokens, too many for another request of "
		    "about %lld (--max-total-tokens)",
		    (long long)used, (long long)limits->max_total_tokens, (long long)input);
	else if (limits->max_cost_usd > 0 && room->cost < BUDGET_LEAST_OUTPUT && used == 0)
		buffer_add_format(
		    why,
		    "the first request, of about %lld tokens, is too expensive for the "
		    "limit of %s USD (--max-cost)",
		    (long long)input, limit);
	else if (limits->max_cost_usd > 0 && room->cost < BUDGET_LEAST_OUTPUT)
		buffer_add_format(
		    why,
		    "the run cost %s of %s USD, too much for another request of about "
		    "%lld tokens (--max-cost)",
		    cost, limit, (long long)input);
	else
		return false;
	return true;
}

bool budget_is_spent(const struct budget *budget, const struct model *model, int64_t input,
		     struct buffer *why)
{
	struct room room = room_for(budget, model, input);

	for (const struct budget *at = budget; at != NULL; at = at->parent)
		if (is_spent(at, &room, input, why))
			return true;
	return false;
}

int64_t budget_output(const struct budget *budget, const struct model *model, int64_t input)
{
	struct room room = room_for(budget, model, input);

	return least(room.tokens, room.cost);
}

/* The cost by the price of the model that has answered, or else of the one that was asked. */
static bool response_cost(struct prices *prices, const struct model *model, const char *name,
			  const struct model_usage *usage, double *usd, struct error *e)
{
	const char *provider = model_provider(model);
	bool is_free = model_charge(model) == MODEL_FREE || model_charge(model) == MODEL_LOCAL;

	if (prices_cost(prices, provider, name, usage, usd, e) ||
	    prices_cost(prices, provider, model_name(model), usage, usd, e))
		return true;
	*usd = 0;
	return is_free && !prices_known(prices, provider, model_name(model));
}

void budget_add_request(struct budget *budget)
{
	for (struct budget *at = budget; at != NULL; at = at->parent)
		at->total.requests++;
}

void budget_add(struct budget *budget, const struct model *model, const char *name,
		const struct model_usage *usage, int64_t output, struct error *e)
{
	int64_t input = usage->input < 0 ? budget->last.asked : 0;
	double cost = usage->cost_usd, guess = 0;
	bool known = cost >= 0 || response_cost(budget->prices, model, name, usage, &cost, e);

	if (usage->output >= 0)
		output = 0;
	if (!known)
		guess = cost_of(budget, model, usage->input < 0 ? input : usage->input,
				usage->output < 0 ? output : usage->output);
	budget->last.measured = usage->input;
	budget->last.cached = usage->cached_input;
	budget->last.estimated = budget->last.asked;
	for (struct budget *at = budget; at != NULL; at = at->parent) {
		at->total.answered = true;
		at->uncounted.tokens += input + output;
		at->uncounted.usd += guess;
		usage_add_tokens(&at->total, usage);
		at->total.cost_unknown = at->total.cost_unknown || !known;
		if (cost > 0)
			at->total.cost_usd += cost;
	}
}

/* ---- responses and tool calls ---- */

bool budget_has_no_iteration(const struct budget *budget, struct buffer *why)
{
	int64_t most = budget->limits.max_iterations;

	if (most == 0 || budget->total.iterations < most)
		return false;
	buffer_add_format(why, "no answer after %lld model response%s (--max-iterations)",
			  (long long)budget->total.iterations,
			  plural((double)budget->total.iterations));
	return true;
}

static int64_t own_calls_left(const struct budget *budget)
{
	int64_t left =
	    budget->limits.max_tool_calls - budget->total.tool_calls - budget->total.nested_calls;

	if (budget->limits.max_tool_calls <= 0)
		return INT64_MAX / 2;
	return left > 0 ? left : 0;
}

int64_t budget_calls_left(const struct budget *budget, int64_t *limit)
{
	const struct budget *nearest = budget;

	for (const struct budget *at = budget->parent; at != NULL; at = at->parent)
		if (own_calls_left(at) < own_calls_left(nearest))
			nearest = at;
	*limit = nearest->limits.max_tool_calls;
	return own_calls_left(nearest);
}

void budget_add_calls(struct budget *budget, int64_t count)
{
	budget->total.tool_calls += count;
	for (struct budget *at = budget->parent; at != NULL; at = at->parent)
		at->total.nested_calls += count;
}
