#define _DEFAULT_SOURCE /* getentropy */
#include <unistd.h>

#include "base/clock.h"
#include "net/retry.h"
#include "run/run_state.h"

/* A model's failure, in the terms of the exit status. */
static void model_failed(struct agent_run *run, const struct model_error *error)
{
	if (error->kind == ERROR_TIMEOUT)
		run_end(run, RUN_TIMEOUT, STATUS_TIMEOUT, error);
	else if (error->kind == ERROR_CONTENT_FILTER)
		run_end(run, RUN_REFUSED, STATUS_REFUSED, error);
	else
		run_end(run, RUN_ERROR, STATUS_FAILED, error);
}

static double random_fraction(void)
{
	uint32_t bits = 0;

	if (getentropy(&bits, sizeof(bits)) != 0)
		bits = (uint32_t)clock_monotonic();
	return bits / 4294967296.0;
}

static void wait_is_over(void *context)
{
	struct agent_run *run = context;

	run->wait = NULL;
	run_ask(run);
}

/* A rate limit is shared: the other runs of this host wait as well. */
static void hold_others(struct agent_run *run, const struct model_error *error, double wait_seconds)
{
	int64_t until = clock_monotonic() + clock_nanoseconds(wait_seconds);

	if (error->kind == ERROR_RATE_LIMIT && until > run->config.host->hold_until)
		run->config.host->hold_until = until;
}

bool run_is_held(struct agent_run *run)
{
	int64_t left = run->config.host->hold_until - clock_monotonic();

	run_enter(run, PHASE_WAITING);
	if (loop_is_held(run->loop)) {
		run->wait = loop_source_timer_add(run->loop, 0, wait_is_over, run);
		return true;
	}
	if (run->config.host->hold_until == 0 || left <= 0)
		return false;
	run->wait = loop_timer_add(run->loop, left + (int64_t)(random_fraction() * 0.25e9),
				   wait_is_over, run);
	return true;
}

static void ask_again(struct agent_run *run, const struct model_error *error, double wait_seconds,
		      const char *next_model)
{
	hold_others(run, error, wait_seconds);
	emit_held(run);
	run_provider_close(run, true);
	emit_llm_retry(run, error, wait_seconds, next_model);
	answer_clear(&run->answer);
	run->attempt++;
	run_enter(run, PHASE_WAITING);
	run->wait = loop_timer_add(run->loop, clock_nanoseconds(wait_seconds), wait_is_over, run);
}

void run_recover(struct agent_run *run, const struct model_error *error)
{
	const struct run_config *config = &run->config;

	if (error->feedback != NULL && run->repairs < config->output_retries) {
		run->repairs++;
		conversation_add_text(&run->conversation, "user", (struct span){0},
				      span_of(error->feedback));
		ask_again(run, error, 0, NULL);
	} else if (error->retryable && run->tries <= config->retries &&
		   error->retry_after_seconds <= RETRY_MAX_WAIT_SECONDS) {
		ask_again(run, error,
			  retry_wait(run->tries, error->retry_after_seconds, random_fraction()),
			  NULL);
	} else if (run->model_index + 1 < run->specs.count) {
		run->model_index++;
		run->tries = 0;
		ask_again(run, error, 0, model_name(run_model(run)));
	} else {
		model_failed(run, error);
	}
}
