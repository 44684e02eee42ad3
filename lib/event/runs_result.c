#include "event/runs_private.h"

#include "event/terminal.h"

uint64_t runs_open(const struct runs *runs)
{
	return runs->open;
}

uint64_t runs_ended(const struct runs *runs)
{
	return runs->ended;
}

bool runs_all_ended(const struct runs *runs)
{
	return runs->ended > 0 && runs->open == 0;
}

/* Whether the run has started, but its end has not come. */
static bool is_cut_off(const struct run *run)
{
	return run->started && !run->ended && !run->end_skipped && !run->nested && !run->continued;
}

static bool is_incomplete(const struct runs *runs)
{
	for (const struct run *run = runs->known.first; run != NULL; run = run->next)
		if (is_cut_off(run))
			return true;
	return false;
}

/* Warn that the stream ends too early, and name the runs. */
static void warn_incomplete(const struct runs *runs)
{
	enum { NAMED = 3 };
	struct buffer names = {0};
	size_t count = 0;

	for (const struct run *run = runs->known.first; run != NULL; run = run->next) {
		if (!is_cut_off(run) || run->id_len == 0)
			continue;
		if (count++ < NAMED) {
			buffer_add_text(&names, count > 1 ? ", " : "");
			terminal_add_line(&names, run_id_of(run));
		}
	}
	if (count > NAMED)
		buffer_add_format(&names, " and %zu more", count - NAMED);
	warn("the stream ends without agent_end%s%s; it was cut off",
	     count == 0  ? ""
	     : count > 1 ? " of the runs "
			 : " of run ",
	     buffer_string(&names));
	buffer_free(&names);
}

/* The highest exit status of the failed runs in the list, or `worst`. */
static int worst_status(const struct run_list *list, int worst)
{
	for (const struct run *run = list->first; run != NULL; run = run->next)
		if (run_has_failed(run) && run->exit_status > worst)
			worst = run->exit_status;
	return worst;
}

int runs_status(const struct runs *runs)
{
	int least = is_incomplete(runs) ? STATUS_INCOMPLETE : STATUS_OK;

	return worst_status(&runs->failed, worst_status(&runs->known, least));
}

int runs_verdict(const struct runs *runs)
{
	if (is_incomplete(runs))
		warn_incomplete(runs);
	return runs_status(runs);
}

bool run_error_sentence(const struct runs *runs, struct run *run, const struct event *event,
			struct buffer *out)
{
	bool fatal = event->type == EVENT_ERROR && json_true(json_get(event->data, "fatal"));
	bool ended = event->type == EVENT_AGENT_END && !run->failure_reported && !run->succeeded;

	if (!fatal && !ended)
		return false;
	if (runs->open + runs->ended > 1 && run->id_len > 0) {
		buffer_add_text(out, "run ");
		terminal_add_line(out, run_id_of(run));
		buffer_add_text(out, fatal ? ": " : "");
	} else if (ended) {
		buffer_add_text(out, "the run");
	}
	if (fatal) {
		terminal_add_string(out, json_get(event->data, "error"),
				    "an error without a message");
		run->failure_reported = true;
	} else {
		buffer_add_text(out, " ended with status '");
		terminal_add_string(out, json_get(event->data, "status"), "failed");
		buffer_add_text(out, "'");
	}
	return true;
}
