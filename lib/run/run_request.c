#include "run/run_state.h"

struct model_request run_request(const struct agent_run *run, struct window *window)
{
	const struct agent *agent = run->agent;
	struct model_request request = {
	    .system = run->system,
	    .tools = run->offered,
	    .tool_count = agent->tools.count,
	    .tool_choice = agent->tool_choice,
	    .options = agent->options,
	    .option_count = agent->option_count,
	    .effort = agent->effort,
	    .max_tokens = agent->max_tokens,
	    .schema = schema_text(agent->schema),
	};

	window_choose(window, &run->conversation, run->prompt_at, run->config.max_history_tokens,
		      budget_scale(&run->budget));
	request.messages = window->messages;
	request.message_count = window->count;
	/* A forced call is forced once: the loop would never end otherwise. */
	if (request.tool_choice != NULL && run->budget.iterations > run->since + 1 &&
	    strcmp(request.tool_choice, "none") != 0)
		request.tool_choice = NULL;
	/* Tools that were called before must still be known to the provider. */
	if (run->phase == PHASE_WRAPPING_UP && request.tool_count > 0)
		request.tool_choice = "none";
	return request;
}
