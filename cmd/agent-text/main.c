/* agent-text: the text of an event stream, as it arrives. */
#include <locale.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "event/reader_options.h"
#include "event/terminal.h"
#include "show.h"

static const char help[] =
    "usage: agent-text [options] [FILE ...]\n"
    "Show the answer of an agent's event stream as it arrives; exit with the run's status.\n"
    "\n"
    "  -d, --debounce SECONDS group what arrives within this time of a group's first piece\n"
    "  -D, --deltas           each piece as one JSON string a line\n"
    "  -S, --snapshots        the whole text so far as one JSON string a line\n"
    "  -p, --partial          structured output: the JSON value completed so far, one a line\n"
    "  -F, --final            only the last message's text, at the end\n"
    "  -T, --thinking         reasoning too\n"
    "      --sse              as text/event-stream for a browser\n"
    "  -n, --no-newline       add no newline at the end\n"
    "  -r, --run ID           only the run whose id begins or ends with ID\n"
    "      --nested           nested runs too\n" READER_HELP;

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
    {NULL, 0, NULL, 0},
};

struct program {
	struct reader_options common;
	struct show_options options;
	const char *run;
	bool nested;
	struct reader *reader;
	struct runs *runs;
	struct show *show;
};

static void parse(struct program *p, int argc, char **argv)
{
	int option;

	reader_options_init(&p->common);
	while (
	    (option = reader_options_next(&p->common, argc, argv, "d:DSpFTnr:" READER_SHORT_OPTIONS,
					  long_options, help)) != -1) {
		switch (option) {
		case 'd':
			p->options.debounce =
			    reader_options_seconds(&p->common, "--debounce", optarg);
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
			p->run = optarg;
			break;
		default:
			p->nested = true;
			break;
		}
	}
	if (p->common.is_over)
		exit(p->common.exit_status);
}

/* Events that say nothing about the text are passed over by their first bytes. */
static bool is_needed(const struct program *p, struct span line)
{
	static const event_set types = EVENT_BIT(EVENT_LLM_CHUNK) | EVENT_BIT(EVENT_AGENT_START) |
				       EVENT_BIT(EVENT_AGENT_END) | EVENT_BIT(EVENT_LLM_START) |
				       EVENT_BIT(EVENT_LLM_END) | EVENT_BIT(EVENT_LLM_RETRY) |
				       EVENT_BIT(EVENT_ERROR) | EVENT_BIT(EVENT_OUTPUT_CHUNK);

	return p->common.strict || p->options.form == FORM_SSE ||
	       event_may_be(line,
			    p->options.thinking ? types | EVENT_BIT(EVENT_THINKING_CHUNK) : types);
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
	if (run == NULL)
		return true;
	if (run->parent_id != NULL && !p->nested) {
		if (run->ended)
			runs_forget(p->runs, run);
		return true;
	}
	show_event(p->show, run, &event);
	return true;
}

static void flush(void *context)
{
	show_flush(context);
}

static void read_all(struct program *p)
{
	struct span line;

	for (;;) {
		int64_t due = show_deadline(p->show);

		if (due != 0 && due <= clock_monotonic()) {
			show_due(p->show);
			continue;
		}
		switch (reader_next(p->reader, &line, due)) {
		case READER_LINE:
			if (!take_line(p, line))
				return;
			if (runs_ended(p->runs) > 0 && runs_open(p->runs) == 0)
				reader_stop_following(p->reader);
			break;
		case READER_TIMEOUT:
			break;
		case READER_END:
			return;
		}
	}
}

int main(int argc, char **argv)
{
	struct program p = {0};
	int status;

	setlocale(LC_CTYPE, "C.UTF-8");
	parse(&p, argc, argv);
	p.options.safe = isatty(STDOUT_FILENO) && !p.common.raw_control;
	p.options.dim = terminal_use_color(p.common.color, STDOUT_FILENO);
	p.runs = runs_new(show_release, p.common.strict);
	p.reader = reader_open(p.common.files, p.common.file_count, p.common.follow);
	p.show = show_new(&p.options, p.runs);
	reader_before_wait(p.reader, flush, p.show);
	read_all(&p);
	show_end(p.show);
	show_flush(p.show);
	status = runs_verdict(p.runs, p.reader);
	show_free(p.show);
	runs_free(p.runs);
	reader_close(p.reader);
	return status;
}
