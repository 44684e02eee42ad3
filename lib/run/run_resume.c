#include <stdlib.h>

#include "run/run_state.h"

/* Ids of the calls so far: those of new calls must be others. */
static void take_ids(struct agent_run *run, struct span ids)
{
	while (ids.len > 0) {
		size_t len = strlen(ids.at);

		run_use_id(run, (struct span){ids.at, len});
		ids = span_from(ids, len + 1);
	}
}

void run_resume_state(struct agent_run *run)
{
	const struct history *history = run->config.history;
	const struct agent *agent = NULL;

	if (run->config.agents != NULL && history->agent_name != NULL)
		agent = agent_set_find(run->config.agents, history->agent_name);
	if (agent != NULL)
		run_become(run, agent);
	if (run_own_system(run) == NULL)
		run->system = history->system; /* of the agent that the run had come to */
	run->since = history->since;
	run->budget.iterations = history->iteration;
	run->budget.tool_calls = history->tool_calls;
	run->budget.nested_calls = history->nested_calls;
	run->budget.total = history->total;
	take_ids(run, buffer_span(&history->ids));
}

static enum model_finish finish_of(struct span name)
{
	for (int i = MODEL_STOP; i < MODEL_ERROR; i++)
		if (json_is(name, model_finish_name((enum model_finish)i)))
			return (enum model_finish)i;
	return MODEL_ERROR;
}

void run_resume(struct agent_run *run)
{
	const struct history *history = run->config.history;

	if (history->message.at == NULL && !history->is_final) {
		run_next_iteration(run);
		return;
	}
	answer_load(&run->answer, history->answer);
	run->finish = finish_of(history->finish_reason);
	run->has_finish = true;
	if (history->message.at == NULL) {
		run_final_answer(run, &(struct model_outcome){.finish = run->finish});
	} else {
		conversation_add(&run->conversation, history->message);
		run_tools_resume(run, history);
	}
}
