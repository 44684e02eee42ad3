/* process_run: a program that runs while everything else waits. */
#include "loop/process.h"

struct single_run {
	struct loop *loop;
	struct process *process;
	struct buffer *out, *errors;
	bool too_much;
	struct process_end end;
};

/* Returns whether the bytes fit. */
static bool add_bounded(struct buffer *out, struct span bytes)
{
	bool fits = bytes.len <= PROCESS_RUN_MAX - out->len;

	if (fits)
		buffer_add_span(out, bytes);
	return fits;
}

static void run_output(void *context, struct span bytes)
{
	struct single_run *run = context;

	if (run->too_much || add_bounded(run->out, bytes))
		return;
	run->too_much = true;
	process_stop(run->process);
}

static void run_errors(void *context, struct span bytes)
{
	add_bounded(((struct single_run *)context)->errors, bytes);
}

static void run_ended(void *context, const struct process_end *end)
{
	struct single_run *run = context;

	run->end = *end;
	loop_stop(run->loop);
}

struct process_end process_run(const struct process_command *command, struct buffer *out,
			       struct buffer *errors)
{
	struct single_run run = {.loop = loop_new(), .out = out, .errors = errors};
	const struct process_handler handler = {&run, run_output,
						errors != NULL ? run_errors : NULL, run_ended};

	run.process = process_start(run.loop, command, &handler);
	loop_run(run.loop);
	if (run.too_much)
		run.end.outcome = PROCESS_TOO_MUCH;
	loop_free(run.loop);
	return run.end;
}
