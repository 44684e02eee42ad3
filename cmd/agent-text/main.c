/* agent-text: the text of an event stream, as it arrives. */
#include <unistd.h>

#include "base/tty.h"
#include "event/reader_main.h"
#include "show.h"

static const char usage[] =
    "usage: agent-text [options] [FILE ...]\n"
    "Print the text of an agent's event stream as it arrives; exit with the status of the run.\n";

struct text_program {
	struct reader_main main;
	struct show_options options;
	bool nested;
	struct show *show;
};

#define AT(member) .offset = offsetof(struct text_program, member)

static const struct option_row options[] = {
    {OPTION_AMOUNT, 'd', "debounce", "SECONDS",
     "group text that arrives within SECONDS of the first piece", AT(options.debounce)},
    {OPTION_CHOICE, 'D', "deltas", NULL, "print each piece as a JSON string, one per line",
     AT(options.form), .number = FORM_DELTAS},
    {OPTION_CHOICE, 'S', "snapshots", NULL,
     "print the whole text so far as a JSON string, one per line", AT(options.form),
     .number = FORM_SNAPSHOTS},
    {OPTION_CHOICE, 'p', "partial", NULL,
     "print the structured output completed so far, one JSON value per line", AT(options.form),
     .number = FORM_PARTIAL},
    {OPTION_CHOICE, 'F', "final", NULL, "print only the text of the last message, at the end",
     AT(options.form), .number = FORM_FINAL},
    {OPTION_FLAG, 'T', "thinking", NULL, "print the reasoning too", AT(options.thinking)},
    {OPTION_CHOICE, 0, "sse", NULL, "print the events as text/event-stream for a browser",
     AT(options.form), .number = FORM_SSE},
    {OPTION_FLAG, 'n', "no-newline", NULL, "do not add a newline at the end",
     AT(options.no_newline)},
    {OPTION_TEXT, 'r', "run", "ID", "print only the run whose id starts or ends with ID",
     AT(main.run)},
    {OPTION_FLAG, 0, "nested", NULL, "print nested runs too", AT(nested)},
};

static void begin(void *self)
{
	struct text_program *p = self;

	p->options.safe = reader_main_is_safe(&p->main, STDOUT_FILENO);
	p->options.dim = tty_use_color(p->main.color, STDOUT_FILENO);
	p->show = show_new(&p->options, p->main.runs);
	if (p->options.form == FORM_SSE)
		return; /* shows every event */
	p->main.types = EVENT_BIT(EVENT_LLM_CHUNK) | EVENT_BIT(EVENT_AGENT_START) |
			EVENT_BIT(EVENT_AGENT_END) | EVENT_BIT(EVENT_LLM_START) |
			EVENT_BIT(EVENT_LLM_END) | EVENT_BIT(EVENT_LLM_RETRY) |
			EVENT_BIT(EVENT_ERROR) | EVENT_BIT(EVENT_OUTPUT_CHUNK);
	if (p->options.thinking)
		p->main.types |= EVENT_BIT(EVENT_THINKING_CHUNK);
}

static void take_event(void *self, struct run *run, const struct event *event)
{
	struct text_program *p = self;

	if (run->parent_id == NULL || p->nested)
		show_event(p->show, run, event);
	else if (run->ended)
		runs_forget(p->main.runs, run);
}

static int64_t idle(void *self)
{
	return show_due(((struct text_program *)self)->show);
}

static void flush(void *self)
{
	show_flush(((struct text_program *)self)->show);
}

static void end(void *self)
{
	struct text_program *p = self;

	show_end(p->show);
	show_flush(p->show);
}

static void free_all(void *self)
{
	show_free(((struct text_program *)self)->show);
}

int main(int argc, char **argv)
{
	static const struct reader_program reader = {
	    .usage = usage,
	    .options = options,
	    .option_count = ARRAY_LEN(options),
	    .begin = begin,
	    .event = take_event,
	    .idle = idle,
	    .flush = flush,
	    .end = end,
	    .free = free_all,
	    .release = show_release,
	};
	struct text_program p = {0};

	return reader_main(&reader, &p.main, argc, argv);
}
