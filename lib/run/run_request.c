#include "run/run_state.h"

struct model_request run_first_request(const struct run_config *config, const struct window *window,
				       const struct model_tool *offered)
{
	return (struct model_request){
	    .system = config->system,
	    .messages = window->messages,
	    .message_count = window->count,
	    .tools = offered,
	    .tool_count = config->tools->count,
	    .tool_choice = config->tool_choice,
	    .options = config->options,
	    .option_count = config->option_count,
	    .effort = config->effort,
	    .max_tokens = config->max_tokens,
	    .schema = config->schema,
	};
}

struct model_request run_request(const struct agent_run *run, struct window *window)
{
	struct model_request request;

	window_choose(window, &run->conversation, run->prompt_at, run->config.max_history_tokens,
		      run_token_scale(run));
	request = run_first_request(&run->config, window, run->offered);
	/* A forced call is forced once: the loop would never end otherwise. */
	if (request.tool_choice != NULL && run->iteration > run->since + 1 &&
	    strcmp(request.tool_choice, "none") != 0)
		request.tool_choice = NULL;
	/* Tools that were called before must still be known to the provider. */
	if (run->wrapping && request.tool_count > 0)
		request.tool_choice = "none";
	return request;
}
