/* agent-text: the text of an event stream, as it arrives. */
#include <unistd.h>

#include "base/tty.h"
#include "event/reader_main.h"
#include "show.h"

static const char help[] =
    "usage: agent-text [options] [FILE ...]\n"
    "Print the text of an agent's event stream as it arrives; exit with the status of the run.\n"
    "\n"
    "  -d, --debounce SECONDS group text that arrives within SECONDS of the first piece\n"
    "  -D, --deltas           print each piece as a JSON string, one per line\n"
    "  -S, --snapshots        print the whole text so far as a JSON string, one per line\n"
    "  -p, --partial          print the structured output completed so far, one JSON value per "
    "line\n"
    "  -F, --final            print only the text of the last message, at the end\n"
    "  -T, --thinking         print the reasoning too\n"
    "      --sse              print the events as text/event-stream for a browser\n"
    "  -n, --no-newline       do not add a newline at the end\n"
    "  -r, --run ID           print only the run whose id starts or ends with ID\n"
    "      --nested           print nested runs too\n" READER_HELP;

enum { OPT_SSE = READER_OPT_OWN, OPT_NESTED };

static const struct option long_options[] = {
    {"debounce", required_argument, NULL, 'd'},
    {"deltas", no_argument, NULL, 'D'},
    {"snapshots", no_argument, NULL, 'S'},
    {"partial", no_argument, NULL, 'p'},
    {"final", no_argument, NULL, 'F'},
    {"thinking", no_argument, NULL, 'T'},
    {"sse", no_argument, NULL, OPT_SSE},
    {"no-newline", no_argument, NULL, 'n'},
    {"run", required_argument, NULL, 'r'},
    {"nested", no_argument, NULL, OPT_NESTED},
    READER_LONG_OPTIONS,
};

struct text_program {
	struct reader_main main;
	struct show_options options;
	bool nested;
	struct show *show;
};

static void take_option(void *self, int option, char *value)
{
	struct text_program *p = self;

	switch (option) {
	case 'd':
		p->options.debounce = reader_main_seconds("--debounce", value);
		break;
	case 'D':
		p->options.form = FORM_DELTAS;
		break;
	case 'S':
		p->options.form = FORM_SNAPSHOTS;
		break;
	case 'p':
		p->options.form = FORM_PARTIAL;
		break;
	case 'F':
		p->options.form = FORM_FINAL;
		break;
	case OPT_SSE:
		p->options.form = FORM_SSE;
		break;
	case 'T':
		p->options.thinking = true;
		break;
	case 'n':
		p->options.no_newline = true;
		break;
	case 'r':
		p->main.run = value;
		break;
	default:
		p->nested = true;
		break;
	}
}

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
	    .help = help,
	    .letters = "d:DSpFTnr:" READER_SHORT_OPTIONS,
	    .names = long_options,
	    .option = take_option,
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
