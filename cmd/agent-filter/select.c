#include "filter.h"

#include <stdlib.h>

/* ---- the status of the runs ---- */

/* The types of --ends, and those that decide the exit status. */
enum {
	END_TYPES = EVENT_BIT(EVENT_AGENT_START) | EVENT_BIT(EVENT_AGENT_END),
	STATUS_TYPES = END_TYPES | EVENT_BIT(EVENT_ERROR),
};

void filter_free_failure(void *state)
{
	buffer_free(state);
	free(state);
}

/* If the event says why a run failed, add the sentence to the run; with --redact, only its status.
 */
static void add_failure(struct filter *f, struct run *run, const struct event *event)
{
	struct buffer sentence = {0};

	if (run->nested || (f->redacts && event->type == EVENT_ERROR) ||
	    !run_error_sentence(f->main.runs, run, event, &sentence))
		return;
	if (run->state == NULL)
		run->state = mem_zero(sizeof(struct buffer));
	else
		buffer_add_char(run->state, '\n');
	buffer_add_span(run->state, buffer_span(&sentence));
	buffer_free(&sentence);
}

/* Report why the run failed. */
static void report_run(struct filter *f, const struct run *run)
{
	struct span lines, line;
	bool is_torn;

	if (run->state == NULL || f->main.ignores_runs)
		return;
	filter_flush(f);
	for (lines = buffer_span(run->state); span_next_line(&lines, &line, &is_torn);)
		warn("%.*s", SPAN_ARG(line));
}

/* Take note of an event of a selected run, after it was written or dropped. Faults of the stream
 * are not reported. A reader behind the filter reports a failure whose agent_end it gets. */
static void note_event(struct filter *f, struct event event)
{
	struct run *run;

	if (!f->main.follow && !event_set_has(STATUS_TYPES, event.type))
		return;
	event.seq = -1;
	run = runs_event(f->main.runs, &event, NULL);
	if (run == NULL)
		return;
	add_failure(f, run, &event);
	if (!run->ended)
		return;
	if (!f->end_passed || !f->has_reader)
		report_run(f, run);
	runs_forget(f->main.runs, run);
}

/* ---- lines ---- */

/* Whether the type is selected. A type that is written with escapes is decoded. */
static bool is_chosen(struct filter *f, const struct event *event)
{
	char *text;
	bool chosen;

	if (event->type_name.len > 0 || event->type != EVENT_OTHER)
		return choice_type(&f->choice, event->type, event->type_name);
	text = json_text(json_get(json_trim(event->line), "event_type"));
	chosen = choice_type(&f->choice, EVENT_OTHER, text != NULL ? span_of(text) : SPAN(""));
	free(text);
	return chosen;
}

/* For --validate: whether the event is one of agent-events(5); if not, say why. */
static bool is_event(struct filter *f, struct span line)
{
	struct buffer why = {0};
	bool valid = f->events == NULL || schema_check(f->events, line, &why);

	if (!valid)
		reader_warn(f->main.reader, "%s; the line is skipped", buffer_string(&why));
	buffer_free(&why);
	return valid;
}

/* Whether the event satisfies the schemas. */
static bool is_valid(struct filter *f, struct span line)
{
	bool valid = true;

	for (size_t i = 0; valid && i < f->valid_count; i++) {
		valid = schema_check(f->valid[i], line, NULL);
		if (!valid && schema_gave_up(f->valid[i]))
			reader_warn(f->main.reader,
				    "--valid: " SCHEMA_EXPENSIVE "; the line is skipped");
	}
	return valid;
}

/* Whether the expressions of --select are true. */
static bool is_selected(struct filter *f, struct span line)
{
	bool selected = true;

	for (size_t i = 0; selected && i < f->select_count; i++)
		selected = filter_evaluate(f, &f->selects[i], line, false);
	return selected;
}

/* Whether the line is dropped by its type, without a check of the rest. */
static bool is_dropped(struct filter *f, struct span line)
{
	struct span type_name = event_type_quick(line);
	enum event_type type = event_type_of(type_name);
	struct event event;

	if (f->events != NULL || type_name.at == NULL || event_set_has(STATUS_TYPES, type) ||
	    choice_type(&f->choice, type, type_name) || event_may_be_damaged(line))
		return false;
	if (f->main.follow) {
		event_envelope(line, &event);
		if (run_choice_has(&f->main.choice, &event))
			note_event(f, event);
	}
	return true;
}

/* Write an event of a selected run, if the other options select it. */
static void take_selected(struct filter *f, const struct event *event)
{
	bool passes_end = f->ends && event_set_has(END_TYPES, event->type);
	bool selected = is_chosen(f, event) && choice_tool(&f->choice, event) &&
			is_valid(f, event->line) && is_selected(f, event->line);
	uint64_t printed;
	struct span ready;

	if (!selected && !passes_end)
		return;
	if (f->merge.seconds > 0 && merge_take(&f->merge, event, &ready)) {
		filter_pass(f, ready);
		return;
	}
	filter_pass(f, merge_close(&f->merge));
	printed = f->printed;
	if (passes_end)
		filter_write(f, filter_redacted(f, event->line));
	else
		filter_pass(f, event->line);
	if (!selected)
		f->ends_printed += f->printed - printed;
}

/* Returns whether to go on. */
static bool take_event(struct filter *f, struct span line)
{
	struct json_fault fault;
	struct event event;

	if (is_dropped(f, line)) {
		reader_settle(f->main.reader, READER_NOT_EVENT);
		return true;
	}
	while (!event_read(line, &event, &fault))
		if (!reader_main_skip(&f->main, &line, &fault))
			return !f->main.strict;
	reader_settle(f->main.reader, READER_NOT_EVENT);
	if (!is_event(f, line))
		return !f->main.strict;
	if (!run_choice_has(&f->main.choice, &event))
		return true;
	f->end_passed = false;
	event_note_tools(&event, &f->choice.names);
	take_selected(f, &event);
	note_event(f, event);
	return true;
}

/* A line of another format than that of --from. If the whole input is in the other format, this is
 * reported at its end. Returns whether to go on. */
static bool skip_other(const struct filter *f)
{
	if (!f->main.format.found)
		return true;
	reader_add_failure(f->main.reader, "the line is not a %s event; it is skipped",
			   f->from_name);
	return !f->main.strict;
}

/* Translate a line of another agent's stream. An absent line is its end. Returns whether to go on.
 */
static bool take_foreign(struct filter *f, struct span line)
{
	struct json_fault fault;
	struct error e = {0};
	struct event event;
	struct span made;
	bool go_on = true;

	if (line.at != NULL && !event_read(line, &event, &fault)) {
		reader_main_skip(&f->main, &line, &fault);
		return !f->main.strict;
	}
	if (line.at != NULL && format_is_other(&f->main.format, line))
		return skip_other(f);
	if (!translation_take(f->from, line, &e)) {
		filter_report_untranslated(f, "--from", f->from_name, &e);
		return !f->main.strict;
	}
	while (go_on && (made = translation_next(f->from, &e)).at != NULL) {
		f->translated = f->main.format.found = true;
		go_on = take_event(f, made) && !f->halted;
	}
	if (e.message != NULL) {
		filter_report_untranslated(f, "--from", f->from_name, &e);
		return !f->main.strict;
	}
	return go_on;
}

bool filter_line(void *self, struct span line)
{
	struct filter *f = self;

	return (f->from != NULL ? take_foreign(f, line) : take_event(f, line)) && !f->halted;
}

void filter_end_input(struct filter *f)
{
	if (f->from != NULL && !f->halted)
		take_foreign(f, (struct span){0});
	filter_pass(f, merge_close(&f->merge));
	for (struct run *run = NULL; (run = runs_next(f->main.runs, run)) != NULL;)
		if (!run->ended)
			report_run(f, run);
}
