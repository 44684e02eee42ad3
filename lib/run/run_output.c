#include "run/run_state.h"

bool run_output_satisfies(const struct agent_run *run, const struct model_outcome *outcome,
			  struct buffer *why)
{
	struct buffer text = {0};
	bool good;

	if (run->agent->schema == NULL || outcome->finish != MODEL_STOP)
		return true;
	answer_text(&run->answer, &text);
	good = output_check(buffer_span(&text), run->agent->schema, why);
	buffer_free(&text);
	return good;
}

void run_output_correct(struct agent_run *run, const char *why)
{
	struct buffer sentence = {0}, correction = {0};

	buffer_add_format(&sentence, OUTPUT_FAULT "%s", why);
	emit_error(run,
		   &(struct model_error){.kind = ERROR_INVALID_OUTPUT,
					 .message = buffer_string(&sentence),
					 .retryable = true,
					 .retry_after_seconds = -1},
		   false);
	output_correction(buffer_span(&sentence), &correction);
	conversation_add_text(&run->conversation, "user", (struct span){0},
			      buffer_span(&correction));
	buffer_free(&sentence);
	buffer_free(&correction);
	run->repairs++;
	if (run_within_limits(run))
		run_next_iteration(run);
}
