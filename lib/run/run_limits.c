#include "run/run_state.h"

/* How many output tokens every model may be asked for. */
enum { EVERY_MODEL = 4096 };

/* The next request in tokens. */
static int64_t next_input(const struct agent_run *run)
{
	struct window window;
	struct model_request request = run_request(run, &window);
	int64_t tokens = budget_input(&run->budget, estimate_request(&request));

	window_free(&window);
	return tokens;
}

void run_fit_request(struct agent_run *run, struct model_request *request)
{
	int64_t most, wanted = request->max_tokens > 0 ? request->max_tokens : EVERY_MODEL;

	run->capped = false;
	if (!budget_is_limited(&run->budget) && run->config.max_history_tokens == 0)
		return;
	run->budget.last.asked = estimate_request(request);
	most = budget_output(&run->budget, run_model(run),
			     budget_input(&run->budget, run->budget.last.asked));
	/* Reasoning has its own demands on the length. */
	run->capped = most < wanted && most >= BUDGET_LEAST_OUTPUT && request->effort == NULL;
	if (run->capped)
		request->max_tokens = most;
}

/* The last request: no tools, and why. */
static void wrap_up(struct agent_run *run)
{
	struct buffer sentence = {0};

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

static void end_at_limit(struct agent_run *run)
{
	run_fail(run, RUN_LIMIT, STATUS_LIMIT, ERROR_LIMIT, "%s", buffer_string(&run->limit));
}

void run_reach_limit(struct agent_run *run, const char *why)
{
	if (run->limit.len == 0)
		buffer_add_text(&run->limit, why);
	if (run->config.wrap_up && run->phase != PHASE_WRAPPING_UP) {
		run_enter(run, PHASE_WRAPPING_UP);
		run->budget.keeps_last = false;
		run_tools_refuse(run, buffer_string(&run->limit));
		if (!budget_is_limited(&run->budget) ||
		    budget_output(&run->budget, run_model(run), next_input(run)) >=
			BUDGET_LEAST_OUTPUT) {
			wrap_up(run);
			return;
		}
	}
	end_at_limit(run);
}

void run_wrapped_up(struct agent_run *run)
{
	run_tools_refuse(run, buffer_string(&run->limit));
	end_at_limit(run);
}

bool run_within_limits(struct agent_run *run)
{
	struct buffer why = {0};
	bool spent = budget_is_limited(&run->budget) &&
		     budget_is_spent(&run->budget, run_model(run), next_input(run), &why);

	if (spent)
		run_reach_limit(run, buffer_string(&why));
	buffer_free(&why);
	return !spent;
}
