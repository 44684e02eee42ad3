/* agent-tools: the tool calls of an event stream, as they happen. See agent-tools(1). */
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "program.h"

/* Events that say nothing about tools are passed over by their first bytes. */
static bool is_needed(const struct program *p, struct span line)
{
	static const event_set types = EVENT_BIT(EVENT_TOOL_END) | EVENT_BIT(EVENT_TOOL_START) |
				       EVENT_BIT(EVENT_AGENT_START) | EVENT_BIT(EVENT_AGENT_END) |
				       EVENT_BIT(EVENT_ERROR) | EVENT_BIT(EVENT_TOOL_APPROVAL),
			       args_types = EVENT_BIT(EVENT_TOOL_CALL_START) |
					    EVENT_BIT(EVENT_TOOL_CALL_CHUNK) |
					    EVENT_BIT(EVENT_TOOL_CALL_END) |
					    EVENT_BIT(EVENT_LLM_RETRY);

	return p->common.strict || event_may_be(line, p->options.args ? types | args_types : types);
}

/* Returns false when reading is to stop. */
static bool take_line(struct program *p, struct span line)
{
	struct json_fault fault;
	struct event event;
	struct run *run;

	if (!is_needed(p, line))
		return true;
	if (!event_read(line, &event, &fault)) {
		reader_warn_skipped(p->reader, &fault);
		return !p->common.strict;
	}
	if (p->run != NULL && !runs_is_asked(event.run_id, p->run))
		return true;
	run = runs_event(p->runs, &event, p->reader);
	if (run != NULL)
		take_event(p, run, &event);
	if (p->common.follow && runs_open(p->runs) == 0 && runs_ended(p->runs) > 0 &&
	    reader_is_drained(p->reader))
		reader_stop_following(p->reader);
	return true;
}

static void read_all(struct program *p)
{
	struct span line;

	for (;;) {
		int64_t due = p->live != NULL ? live_draw(p->live) : 0;
		enum reader_result result = reader_next(p->reader, &line, due);

		if (result == READER_END || (result == READER_LINE && !take_line(p, line)))
			return;
	}
}

/* ---- the program ---- */

/* A signal must not leave the line of running calls behind. */
static void on_signal(int signal_number)
{
	static const char erase[] = "\r\033[K";
	ssize_t ignored = write(STDOUT_FILENO, erase, sizeof(erase) - 1);

	(void)ignored;
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

static void begin(struct program *p)
{
	struct sigaction action = {.sa_handler = on_signal};

	p->runs = runs_new(NULL, p->common.strict);
	p->calls = calls_new();
	if (p->options.summary)
		p->summary = summary_new();
	else if (p->options.form == FORM_TEXT)
		p->live = live_new(&p->options, p->runs, p->calls);
	p->reader = reader_open(p->common.files, p->common.file_count, p->common.follow);
	reader_before_wait(p->reader, output_flush, p);
	reader_before_warn(p->reader, output_clear, p);
	if (p->live != NULL && p->options.redraw) {
		sigaction(SIGINT, &action, NULL);
		sigaction(SIGTERM, &action, NULL);
		sigaction(SIGHUP, &action, NULL);
	}
}

int main(int argc, char **argv)
{
	struct program p = {0};
	int status;

	setlocale(LC_CTYPE, "C.UTF-8");
	options_parse(&p, argc, argv);
	begin(&p);
	read_all(&p);
	take_end_of_input(&p);
	output_finish(&p);
	status = runs_verdict(p.runs, p.reader);
	live_free(p.live);
	summary_free(p.summary);
	calls_free(p.calls);
	runs_free(p.runs);
	reader_close(p.reader);
	buffer_free(&p.out);
	buffer_free(&p.key);
	buffer_free(&p.name);
	for (size_t i = 0; i < p.options.name_count; i++)
		free(p.options.names[i]);
	free(p.options.names);
	return status;
}
