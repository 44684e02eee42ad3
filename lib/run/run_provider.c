#include "base/clock.h"
#include "run/run_state.h"

void run_provider_call(struct agent_run *run, const struct model_delta *delta)
{
	struct answer_call *call = answer_call_at(&run->answer, delta->index);

	if (call == NULL || !call->by_provider || call->state == ANSWER_CALL_OVER)
		return;
	if (call->state == ANSWER_CALL_SAID) {
		call->state = ANSWER_CALL_RUNNING;
		call->began_at = clock_monotonic();
		answer_finish_call(call);
		emit_held(run);
		emit_provider_start(run, call);
	}
	if (delta->type == MODEL_TOOL_RESULT) {
		call->state = ANSWER_CALL_OVER;
		emit_held(run);
		emit_provider_end(run, call);
	}
}

void run_provider_close(struct agent_run *run, bool failed)
{
	for (size_t i = 0; i < run->answer.call_count; i++) {
		struct answer_call *call = &run->answer.calls[i];

		if (call->by_provider && call->state != ANSWER_CALL_OVER)
			call->is_error = failed;
		run_provider_call(
		    run, &(struct model_delta){.type = MODEL_TOOL_RESULT, .index = (int)i});
	}
}
