#include "run/run_state.h"

/* How many output tokens are kept for the last request of --wrap-up (at most an eighth of all), how
 * many every model may be asked for, and how few are no answer. */
enum { WRAP_UP_TOKENS = 1024, EVERY_MODEL = 4096, LEAST_OUTPUT = 16 };

/* What the limits leave for the output of a request of `input` tokens; INT64_MAX: no limit. */
struct room {
	int64_t input, tokens, cost;
};

/* ---- what is left ---- */

static int64_t used_tokens(const struct agent_run *run)
{
	int64_t tokens = usage_total_tokens(&run->total);

	return tokens > 0 ? tokens : 0;
}

/* What so many tokens cost with the model that is asked; as much of the input is taken as cached as
 * it was last time. 0 when the price is not known. */
static double cost_of(const struct agent_run *run, int64_t input, int64_t output)
{
	const struct model *model = run->models[run->model_index];
	struct model_usage usage = MODEL_USAGE_NONE;
	double usd = 0;

	usage.input = input;
	usage.output = output;
	if (run->last.measured > 0 && run->last.cached > 0)
		usage.cached_input = (int64_t)((double)input * (double)run->last.cached /
					       (double)run->last.measured);
	if (!prices_cost(run->config.prices, model_provider(model), model_name(model), &usage, &usd,
			 NULL))
		return 0;
	return usd;
}

/* How many tokens of output the money buys. */
static int64_t bought(const struct agent_run *run, double usd)
{
	static const int64_t many = 1000000;
	double price = cost_of(run, 0, many) / (double)many;

	if (usd <= 0)
		return 0;
	return price > 0 && usd / price < (double)INT64_MAX / 2 ? (int64_t)(usd / price)
								: INT64_MAX;
}

/* What is kept for the last request, of a limit that is `most` tokens of output in all. */
static int64_t reserve(int64_t most)
{
	return most / 8 < WRAP_UP_TOKENS ? most / 8 : WRAP_UP_TOKENS;
}

/* The next request in tokens: as the provider counted the last one, with what is new. */
static int64_t next_input(const struct agent_run *run)
{
	struct window window;
	struct model_request request = run_request(run, &window);
	int64_t tokens = estimate_request(&request);

	window_free(&window);
	if (run->last.measured > 0)
		tokens += run->last.measured - run->last.estimated;
	return tokens > 0 ? tokens : 0;
}

static bool has_budget(const struct agent_run *run)
{
	return run->config.limits.max_total_tokens > 0 || run->config.limits.max_cost_usd > 0;
}

/* Whether the run, or one that it is nested in, may only use so much. */
static bool is_limited(const struct agent_run *run)
{
	for (const struct agent_run *at = run; at != NULL; at = at->config.parent)
		if (has_budget(at))
			return true;
	return false;
}

/* How much output a request of `input` tokens may have; with --wrap-up another request must have
 * its room as well. */
static struct room room_for(const struct agent_run *run, int64_t input)
{
	bool twice = run->config.wrap_up && !run->wrapping;
	struct room room = {input, INT64_MAX, INT64_MAX};

	if (twice)
		input *= 2;
	for (const struct agent_run *at = run; at != NULL; at = at->config.parent) {
		const struct run_limits *limits = &at->config.limits;
		int64_t left;

		if (limits->max_total_tokens > 0) {
			left = limits->max_total_tokens - used_tokens(at) - input -
			       (twice ? reserve(limits->max_total_tokens) : 0);
			room.tokens = left < room.tokens ? left : room.tokens;
		}
		if (limits->max_cost_usd > 0) {
			left = bought(run, limits->max_cost_usd - at->total.cost_usd -
					       cost_of(run, input, 0)) -
			       (twice ? reserve(bought(run, limits->max_cost_usd)) : 0);
			room.cost = left < room.cost ? left : room.cost;
		}
	}
	return room;
}

/* ---- the request ---- */

void run_fit_request(struct agent_run *run, struct model_request *request)
{
	struct room room;
	int64_t most, wanted = request->max_tokens > 0 ? request->max_tokens : EVERY_MODEL;

	run->capped = false;
	if (!is_limited(run) && run->config.max_history_tokens == 0)
		return;
	run->last.asked = estimate_request(request);
	room = room_for(run, next_input(run));
	most = room.tokens < room.cost ? room.tokens : room.cost;
	/* Reasoning has its own demands on the length. */
	run->capped = most < wanted && most >= LEAST_OUTPUT && request->effort == NULL;
	if (run->capped)
		request->max_tokens = most;
}

void run_note_usage(struct agent_run *run, const struct model_usage *usage)
{
	run->last.measured = usage->input;
	run->last.cached = usage->cached_input;
	run->last.estimated = run->last.asked;
}

double run_token_scale(const struct agent_run *run)
{
	static const double most = 4;
	double scale = 1;

	if (run->last.measured > run->last.estimated && run->last.estimated > 0)
		scale = (double)run->last.measured / (double)run->last.estimated;
	return scale < most ? scale : most;
}

/* ---- reaching a limit ---- */

/* The last request: no tools, and why. */
static void wrap_up(struct agent_run *run)
{
	struct buffer sentence = {0};

	run->wrapping = true;
	buffer_add_format(&sentence,
			  "A limit of this run is reached: %s. No tool can be called any more, and "
			  "this is your last answer. Give the best answer you can from what you "
			  "have: what is done, what was found, and what is missing.",
			  buffer_string(&run->limit));
	run_begin_iteration(run);
	conversation_add_text(&run->conversation, "user", (struct span){0}, buffer_span(&sentence));
	buffer_free(&sentence);
	run_ask(run);
}

void run_reach_limit(struct agent_run *run, const char *format, ...)
{
	struct room room;
	va_list args;

	if (run->limit.len == 0) {
		va_start(args, format);
		buffer_add_format_list(&run->limit, format, args);
		va_end(args);
	}
	if (run->config.wrap_up && !run->wrapping) {
		run->wrapping = true; /* nothing is kept back any more */
		run_tools_refuse(run, buffer_string(&run->limit));
		room = room_for(run, is_limited(run) ? next_input(run) : 0);
		if (room.tokens >= LEAST_OUTPUT && room.cost >= LEAST_OUTPUT) {
			wrap_up(run);
			return;
		}
	}
	run_fail(run, RUN_LIMIT, STATUS_LIMIT, ERROR_LIMIT, "%s", buffer_string(&run->limit));
}

void run_wrapped_up(struct agent_run *run)
{
	run_tools_refuse(run, buffer_string(&run->limit));
	run_fail(run, RUN_LIMIT, STATUS_LIMIT, ERROR_LIMIT, "%s", buffer_string(&run->limit));
}

/* Whether what `at`, the run itself or one that it is nested in, has used leaves anything. */
static bool has_room(struct agent_run *run, const struct agent_run *at, const struct room *room)
{
	const struct run_limits *limits = &at->config.limits;
	int64_t used = used_tokens(at);

	if (limits->max_total_tokens > 0 && used >= limits->max_total_tokens)
		run_reach_limit(run,
				"the run used %lld tokens, the limit is %lld (--max-total-tokens)",
				(long long)used, (long long)limits->max_total_tokens);
	else if (limits->max_cost_usd > 0 && at->total.cost_usd >= limits->max_cost_usd)
		run_reach_limit(run, "the run cost %g USD, the limit is %g (--max-cost)",
				at->total.cost_usd, limits->max_cost_usd);
	else if (limits->max_total_tokens > 0 && room->tokens < LEAST_OUTPUT)
		run_reach_limit(run,
				"the run used %lld of %lld tokens, too many for another request of "
				"about %lld (--max-total-tokens)",
				(long long)used, (long long)limits->max_total_tokens,
				(long long)room->input);
	else if (limits->max_cost_usd > 0 && room->cost < LEAST_OUTPUT)
		run_reach_limit(run,
				"the run cost %g of %g USD, too much for another request of about "
				"%lld tokens (--max-cost)",
				at->total.cost_usd, limits->max_cost_usd, (long long)room->input);
	else
		return true;
	return false;
}

bool run_within_limits(struct agent_run *run)
{
	struct room room;

	if (!is_limited(run))
		return true;
	room = room_for(run, next_input(run));
	for (const struct agent_run *at = run; at != NULL; at = at->config.parent)
		if (has_budget(at) && !has_room(run, at, &room))
			return false;
	return true;
}
