#include "run/run_state.h"

bool run_output_satisfies(const struct agent_run *run, const struct model_outcome *outcome,
			  struct buffer *why)
{
	struct buffer text = {0};
	bool good;

	if (run->config.schema.at == NULL || outcome->finish != MODEL_STOP)
		return true;
	answer_text(&run->answer, &text);
	good = output_check(buffer_span(&text), run->config.schema, why);
	buffer_free(&text);
	return good;
}

void run_output_correct(struct agent_run *run, const char *why)
{
	struct buffer sentence = {0};

	buffer_add_format(&sentence, "the answer does not satisfy the schema: %s", why);
	emit_error(run,
		   &(struct model_error){.kind = "invalid_output",
					 .message = buffer_string(&sentence),
					 .retryable = true,
					 .retry_after_seconds = -1},
		   false);
	buffer_clear(&sentence);
	buffer_add_format(&sentence,
			  "Your answer does not satisfy the JSON Schema that was asked for: %s. "
			  "Answer again with the corrected JSON value and nothing else.",
			  why);
	conversation_add_text(&run->conversation, "user", (struct span){0}, buffer_span(&sentence));
	buffer_free(&sentence);
	run->repairs++;
	if (run_within_limits(run))
		run_next_iteration(run);
}
