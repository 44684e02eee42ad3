/* agent-text: the text of an event stream, as it arrives. */
#include <unistd.h>

#include "base/tty.h"
#include "show.h"

static const char usage[] =
    "usage: agent-text [options] [FILE ...]\n"
    "Print the text of an agent's event stream as it arrives; exit with the status of the run.\n";

static const char help_end[] = "Exit status: the highest status of the runs; 1 also for malformed "
			       "lines; 2 wrong usage; 4 a run\n"
			       "did not end. See agent-text(1).\n";

#define AT(member) .offset = offsetof(struct show, member)

static const struct option_row options[] = {
    {OPTION_DURATION, 'd', "debounce", "TIME",
     "group text that arrives within TIME of the first piece", AT(debounce)},
    {OPTION_CHOICE, 'D', "deltas", NULL, "print each piece as a JSON string, one per line",
     AT(form), .number = FORM_DELTAS},
    {OPTION_CHOICE, 'S', "snapshots", NULL,
     "print the whole text so far as a JSON string, one per line", AT(form),
     .number = FORM_SNAPSHOTS},
    {OPTION_CHOICE, 'p', "partial", NULL,
     "print the structured output completed so far, one JSON value per line", AT(form),
     .number = FORM_PARTIAL},
    {OPTION_CHOICE, 'F', "final", NULL, "print only the text of the last message, at the end",
     AT(form), .number = FORM_FINAL},
    {OPTION_FLAG, 'T', "thinking", NULL, "print the reasoning too", AT(thinking)},
    {OPTION_CHOICE, 0, "sse", NULL, "print the events as text/event-stream for a browser", AT(form),
     .number = FORM_SSE},
    {OPTION_DURATION, 0, "keep-alive", "TIME",
     "with --sse: write a comment whenever nothing was written for this time",
     AT(keep_alive.seconds)},
    {OPTION_NAME, 0, "result", "FILE", "write FILE instead, when the run has succeeded",
     AT(result_path)},
    {OPTION_FLAG, 'n', "no-newline", NULL, "do not add a newline at the end", AT(no_newline)},
    {OPTION_TEXT, 'r', "run", "ID",
     "print only the run with this id, batch id or part of an id, or 'last'",
     .apply = reader_main_add_run},
    {OPTION_FLAG, 0, "nested", NULL, "print nested runs too", AT(nested)},
    {OPTION_FLAG, 0, "ids", NULL, "print the id of each run or batch line before its text",
     AT(ids)},
};

/* Open the output before the run has cost anything. Returns its descriptor. */
static int open_output(struct show *show)
{
	struct error e = {0};

	if (show->result_path == NULL)
		return STDOUT_FILENO;
	reader_main_check_result(&show->main, show->result_path);
	die_unless(result_file_open(&show->result, show->result_path, &e), &e);
	return show->result.fd;
}

static void begin(void *self)
{
	struct show *show = self;
	int fd = open_output(show);

	if (show->keep_alive.seconds > 0 && show->form != FORM_SSE)
		die(STATUS_USAGE, "--keep-alive writes comments of --sse; add --sse");
	screen_open(&show->screen, fd);
	show->safe = reader_main_is_safe(&show->main, fd);
	show->dim = tty_use_color(show->main.color, fd);
	if (show->form == FORM_SSE)
		return; /* it prints every event */
	show->main.types = EVENT_BIT(EVENT_LLM_CHUNK) | EVENT_BIT(EVENT_AGENT_START) |
			   EVENT_BIT(EVENT_AGENT_UPDATED) | EVENT_BIT(EVENT_AGENT_END) |
			   EVENT_BIT(EVENT_LLM_START) | EVENT_BIT(EVENT_LLM_END) |
			   EVENT_BIT(EVENT_LLM_RETRY) | EVENT_BIT(EVENT_ERROR) |
			   EVENT_BIT(EVENT_OUTPUT_CHUNK);
	if (show->thinking)
		show->main.types |= EVENT_BIT(EVENT_THINKING_CHUNK);
}

static int64_t idle(void *self)
{
	struct show *show = self;

	return show->form == FORM_SSE ? keep_alive_add(&show->keep_alive, &show->out)
				      : show_groups(show);
}

/* Write the file of --result if every run has succeeded. */
static int finish_result(struct show *show, int status)
{
	const struct runs *runs = show->main.runs;
	struct error e = {0};

	if (status != STATUS_OK || runs_status(runs) != STATUS_OK) {
		result_file_drop(&show->result);
	} else if (runs_ended(runs) == 0) {
		result_file_drop(&show->result);
		warn("%s is not written: no agent_end says that the run succeeded",
		     show->result_path);
		status = STATUS_INCOMPLETE;
	} else if (!result_file_replace(&show->result, &e)) {
		warn("%s", e.message);
		error_clear(&e);
		status = STATUS_FAILED;
	}
	return status;
}

static int exit_status(void *self, int status)
{
	struct show *show = self;

	if (show->failed && status < STATUS_FAILED)
		status = STATUS_FAILED;
	return show->result_path != NULL ? finish_result(show, status) : status;
}

int main(int argc, char **argv)
{
	static const struct reader_program reader = {
	    .usage = usage,
	    .help_end = help_end,
	    .options = options,
	    .option_count = ARRAY_LEN(options),
	    .begin = begin,
	    .event = show_event,
	    .idle = idle,
	    .flush = show_flush,
	    .at_rest = show_end,
	    .end = show_end,
	    .status = exit_status,
	    .free = show_free,
	    .release = show_release,
	};
	struct show show = {0};

	return reader_main(&reader, &show.main, argc, argv);
}
