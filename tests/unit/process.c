/* process: how programs end, what they print, and running one without another loop. */
#include "unit.h"

#include <signal.h>
#include <unistd.h>

#include "loop/process.h"

#define SHELL(script) ((char *[]){(char[]){"sh"}, (char[]){"-c"}, (char[]){script}, NULL})

struct watched {
	struct loop *loop;
	struct process *process;
	struct buffer out;
	struct process_end end;
	int done;
	bool stops; /* stop the process when it prints */
};

static void printed(void *context, struct span bytes)
{
	struct watched *watched = context;

	buffer_add_span(&watched->out, bytes);
	if (watched->stops)
		process_stop(watched->process);
}

static void ended(void *context, const struct process_end *end)
{
	struct watched *watched = context;

	watched->end = *end;
	watched->done++;
	loop_stop(watched->loop);
}

static void begin(struct watched *watched, const struct process_command *command)
{
	const struct process_handler handler = {
	    .context = watched, .output = printed, .done = ended};

	*watched = (struct watched){.loop = loop_new()};
	watched->process = process_start(watched->loop, command, &handler);
}

static void finish(struct watched *watched)
{
	loop_free(watched->loop);
	buffer_free(&watched->out);
}

/* The process ends as `want` describes. */
static void ends(const struct process_command *command, const char *want)
{
	struct watched watched;
	struct buffer text = {0};

	begin(&watched, command);
	unit_ok(watched.done == 0, "process_start does not call back");
	loop_run(watched.loop);
	process_describe_end(&text, &watched.end);
	unit_same(buffer_span(&text), span_of(want), want);
	unit_ok(watched.done == 1, "done is called once");
	buffer_free(&text);
	finish(&watched);
}

static void test_ends(void)
{
	ends(&(struct process_command){.argv = SHELL("exit 3")}, "exit status 3");
	ends(&(struct process_command){.argv = SHELL("kill -9 $$")}, "killed by signal 9 (Killed)");
	ends(&(struct process_command){.argv = SHELL("exec sleep 60"), .timeout = 0.1},
	     "timed out after 0.1 seconds");
	ends(&(struct process_command){.argv = SHELL("echo hi; exec sleep 60"),
				       .timeout = 50,
				       .idle_timeout = 0.1},
	     "stopped after 0.1 seconds without output");
	ends(
	    &(struct process_command){
		.argv = SHELL("for i in 1 2 3 4 5 6; do echo; sleep 0.1; done; exit 5"),
		.idle_timeout = 0.4},
	    "exit status 5");
	ends(&(struct process_command){.argv = (char *[]){(char[]){"/nowhere/x"}, NULL}},
	     "cannot be started: No such file or directory");
}

static void test_stop(void)
{
	struct watched watched;

	begin(&watched, &(struct process_command){.argv = SHELL("trap 'echo bye; exit 4' TERM; "
								"echo hi; while :; do sleep 0.05; "
								"done")});
	watched.stops = true;
	loop_run(watched.loop);
	unit_ok(watched.end.outcome == PROCESS_STOPPED, "a stopped process is reported as stopped");
	unit_same(buffer_span(&watched.out), SPAN("hi\nbye\n"),
		  "its output is delivered until it ends");
	finish(&watched);
}

static void test_input(void)
{
	struct buffer input = {0};
	struct watched watched;

	while (input.len < 300000)
		buffer_add_text(&input, "0123456789\n");
	begin(&watched,
	      &(struct process_command){.argv = SHELL("cat"), .input = buffer_span(&input)});
	loop_run(watched.loop);
	unit_ok(span_equal(buffer_span(&watched.out), buffer_span(&input)),
		"input and output of any length pass through the pipes");
	finish(&watched);
	begin(&watched, &(struct process_command){.argv = SHELL("exec 0<&-; echo closed"),
						  .input = buffer_span(&input)});
	loop_run(watched.loop);
	unit_same(buffer_span(&watched.out), SPAN("closed\n"),
		  "a child may leave its input unread");
	finish(&watched);
	begin(&watched, &(struct process_command){.argv = SHELL("wc -c | tr -d ' '")});
	loop_run(watched.loop);
	unit_same(buffer_span(&watched.out), SPAN("0\n"), "without input, stdin is empty");
	finish(&watched);
	buffer_free(&input);
}

static void test_run(void)
{
	struct buffer out = {0}, errors = {0};
	struct process_end end;

	end =
	    process_run(&(struct process_command){.argv = SHELL("echo out; echo err >&2; exit 2")},
			&out, &errors);
	unit_ok(end.outcome == PROCESS_EXITED && end.value == 2, "process_run returns the end");
	unit_same(buffer_span(&out), SPAN("out\n"), "and stdout");
	unit_same(buffer_span(&errors), SPAN("err\n"), "and stderr");
	buffer_clear(&out);
	process_run(&(struct process_command){.argv = SHELL("head -c 3000000 /dev/zero")}, &out,
		    NULL);
	unit_ok(out.len > PROCESS_RUN_MAX / 2 && out.len <= PROCESS_RUN_MAX,
		"its output is bounded");
	buffer_free(&out);
	buffer_free(&errors);
}

/* ---- a loop inside a callback of another one ---- */

static void caught(void *context, int signal)
{
	struct watched *watched = context;

	buffer_add_format(&watched->out, "signal %d;", signal == SIGTERM ? 15 : signal);
}

/* The process of the outer loop ends, and SIGTERM comes, while the inner loop runs. */
static void run_inside(void *context)
{
	struct watched *watched = context;
	struct process_end end;

	end = process_run(&(struct process_command){.argv = SHELL("kill -TERM $PPID; sleep 0.3")},
			  &watched->out, NULL);
	unit_ok(end.outcome == PROCESS_EXITED && end.value == 0, "a loop may run inside another");
}

static void test_inside(void)
{
	struct watched watched;

	begin(&watched, &(struct process_command){.argv = SHELL("sleep 0.1")});
	loop_catch_signals(watched.loop, caught, &watched);
	loop_timer_add(watched.loop, 0, run_inside, &watched);
	loop_run(watched.loop);
	unit_ok(watched.done == 1 && watched.end.value == 0, "the outer loop learns of its child");
	unit_same(buffer_span(&watched.out), SPAN("signal 15;"), "and of its signal");
	finish(&watched);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN); /* as process_start requires */
	test_ends();
	test_stop();
	test_input();
	test_run();
	test_inside();
	return unit_done();
}
