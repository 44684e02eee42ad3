#include "event/run_error.h"

#include "event/terminal.h"

static void add_text(struct buffer *out, struct span string, const char *fallback)
{
	struct buffer text = {0};

	if (!json_decode(string, &text) || text.len == 0)
		buffer_add_text(&text, fallback);
	terminal_add_line(out, buffer_span(&text));
	buffer_free(&text);
}

static bool names_run(const struct runs *runs, const struct run *run)
{
	return runs_open(runs) + runs_ended(runs) > 1 && run->id[0] != '\0';
}

bool run_error_sentence(const struct runs *runs, struct run *run, const struct event *event,
			struct buffer *out)
{
	bool fatal = event->type == EVENT_ERROR && json_true(json_get(event->data, "fatal"));
	bool ended = event->type == EVENT_AGENT_END && !run->failure_said && !run->succeeded;

	if (!fatal && !ended)
		return false;
	if (names_run(runs, run)) {
		buffer_add_text(out, "run ");
		terminal_add_line(out, span_of(run->id));
		buffer_add_text(out, fatal ? ": " : "");
	} else if (ended) {
		buffer_add_text(out, "the run");
	}
	if (fatal) {
		add_text(out, json_get(event->data, "error"), "an error without a message");
		run->failure_said = true;
	} else {
		buffer_add_text(out, " ended with status '");
		add_text(out, json_get(event->data, "status"), "failed");
		buffer_add_text(out, "'");
	}
	return true;
}
