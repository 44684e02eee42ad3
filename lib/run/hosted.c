/* Hosted calls: the events about them. */
#include "base/clock.h"
#include "run/emit.h"
#include "run/run_state.h"
#include "run/tools.h"

void tools_follow_hosted(struct agent_run *run, const struct model_delta *delta)
{
	struct response_call *call = response_call_at(&run->response, delta->index);

	if (call == NULL || !call->by_provider || call->state == RESPONSE_CALL_OVER)
		return;
	if (call->state == RESPONSE_CALL_NEW) {
		call->state = RESPONSE_CALL_RUNNING;
		call->began_at = clock_monotonic();
		response_finish_call(call);
		if (call->valid)
			emit_tool_call_end(run, call);
		emit_tool_start(run, call);
	}
	if (delta->type == MODEL_TOOL_RESULT) {
		call->state = RESPONSE_CALL_OVER;
		emit_tool_end(run, call,
			      &(struct tool_result){
				  .text = buffer_span(&call->result),
				  .is_error = call->is_error,
				  .exit_status = -1,
				  .seconds = (double)(clock_monotonic() - call->began_at) / 1e9,
			      });
	}
}

void tools_close_hosted(struct agent_run *run, bool failed)
{
	for (size_t i = 0; i < run->response.call_count; i++) {
		struct response_call *call = &run->response.calls[i];

		if (call->by_provider && call->state != RESPONSE_CALL_OVER)
			call->is_error = failed;
		tools_follow_hosted(
		    run, &(struct model_delta){.type = MODEL_TOOL_RESULT, .index = (int)i});
	}
}
