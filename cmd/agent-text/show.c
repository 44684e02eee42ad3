#include "show.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "event/terminal.h"

enum {
	OUTPUT_SIZE = 64 * 1024, /* output is written when it has this size */
	MAX_GROUP = 1024 * 1024, /* a group of --debounce is printed when it has this size */
};

void show_release(void *state)
{
	struct text_run *t = state;

	buffer_free(&t->out);
	buffer_free(&t->text);
	buffer_free(&t->group);
	buffer_free(&t->last_value);
	free(t);
}

void show_free(void *self)
{
	buffer_free(&((struct show *)self)->out);
}

void show_flush(void *self)
{
	struct show *show = self;

	if (show->safe && show->form != FORM_TEXT && show->form != FORM_FINAL)
		terminal_clean(&show->out, true);
	stdout_write(&show->out);
}

/* ---- pieces ---- */

/* Print the group that --debounce holds. */
static void show_group(struct text_run *t)
{
	if (t->group.len > 0)
		text_add_piece(t, buffer_span(&t->group), t->group_is_thinking);
	buffer_clear(&t->group);
	t->group_due = 0;
}

int64_t show_groups(void *self)
{
	struct show *show = self;
	int64_t first = 0, now = show->debounce > 0 ? clock_monotonic() : 0;

	for (struct run *run = now > 0 ? runs_next(show->main.runs, NULL) : NULL; run != NULL;
	     run = runs_next(show->main.runs, run)) {
		struct text_run *t = run->state;

		if (t == NULL || t->group_due == 0)
			continue;
		if (t->group_due <= now)
			show_group(t);
		else if (first == 0 || t->group_due < first)
			first = t->group_due;
	}
	return first;
}

/* Whether plain text follows text of the same kind, so that it can be copied to the output. */
static bool continues_text(const struct text_run *t, bool thinking)
{
	const struct show *show = t->show;

	return show->form == FORM_TEXT && !show->safe && show->debounce <= 0 && t->wrote &&
	       t->wrote_iteration && thinking == t->in_thinking;
}

static void take_chunk(struct text_run *t, const struct event *event, bool thinking)
{
	double debounce = t->show->debounce;

	if (continues_text(t, thinking)) {
		struct buffer *out = text_output(t);
		size_t start = out->len;

		event_add_text(event, out);
		text_count_newlines(t, span_from(buffer_span(out), start));
		return;
	}
	if (thinking != t->group_is_thinking)
		show_group(t);
	event_add_text(event, &t->group);
	if (t->group.len == 0)
		return;
	t->group_is_thinking = thinking;
	if (debounce <= 0 || t->group.len >= MAX_GROUP)
		show_group(t);
	else if (t->group_due == 0)
		t->group_due = clock_monotonic() + clock_nanoseconds(debounce);
}

/* Print the parts of a message whose chunks were filtered out of the stream. */
static void show_message(struct text_run *t, struct span message)
{
	struct buffer text = {0};

	for (struct json_walk walk = json_walk(json_get(message, "content")); json_next(&walk);) {
		struct span type = json_get(walk.value, "type");
		bool thinking = json_is(type, "thinking");

		if (!json_is(type, "text") && !(thinking && t->show->thinking))
			continue;
		buffer_clear(&text);
		if (json_decode(json_get(walk.value, "text"), &text) && text.len > 0)
			text_add_piece(t, buffer_span(&text), thinking);
	}
	buffer_free(&text);
}

/* ---- other events ---- */

static void begin_iteration(struct text_run *t)
{
	t->wrote_iteration = false;
	t->text_start = t->text.len;
	t->out_start = t->out.len;
}

static void warn_restart(struct show *show, struct span reason)
{
	struct buffer text = {0};

	terminal_add_string(&text, reason, "retry");
	show_flush(show);
	warn("the response starts again (%s)", buffer_string(&text));
	buffer_free(&text);
}

/* The output of this iteration is no longer valid. Drop it; if it has been printed, warn. */
static void discard(struct text_run *t, struct span reason)
{
	struct show *show = t->show;

	t->text.len = t->text_start;
	if (!t->wrote_iteration)
		return;
	if (show->live != t) {
		t->out.len = t->out_start;
	} else if (show->form == FORM_TEXT || show->form == FORM_DELTAS) {
		text_end_thinking(t);
		if (show->form == FORM_TEXT && t->newlines == 0) {
			buffer_add_char(&show->out, '\n');
			t->newlines = 1;
		}
		warn_restart(show, reason);
	}
	begin_iteration(t);
}

/* Print what only agent_end contains. */
static void show_output(struct text_run *t, struct span data)
{
	struct span json = json_get(data, "output_json");
	struct buffer text = {0};

	json_decode(json_get(data, "output"), &text);
	if (t->show->form == FORM_PARTIAL) {
		if (json.at == NULL && json_check(buffer_span(&text), NULL))
			json = buffer_span(&text);
		if (json.at != NULL)
			text_add_value(t, json);
	} else if (t->show->form == FORM_FINAL && text.len > 0) {
		text_add(t, buffer_span(&text));
	} else if (text.len > 0 && !t->has_text) {
		text_add_piece(t, buffer_span(&text), false);
	}
	buffer_free(&text);
}

static void take_failure(struct text_run *t, const struct event *event)
{
	struct buffer sentence = {0};

	if (run_error_sentence(t->show->main.runs, t->run, event, &sentence)) {
		text_end_line(t);
		show_flush(t->show);
		warn("%s", buffer_string(&sentence));
	}
	buffer_free(&sentence);
}

/* ---- the live run ---- */

/* Print the held output of a run. */
static void release(struct text_run *t)
{
	struct show *show = t->show;

	if (t->out.len == 0)
		return;
	if (show->wrote_earlier_run && (show->form == FORM_TEXT || show->form == FORM_FINAL))
		buffer_add_char(&show->out, '\n');
	buffer_add_span(&show->out, buffer_span(&t->out));
	buffer_clear(&t->out);
	show->wrote_earlier_run = true;
}

/* Make the next open run live, and print the output of the runs before it, which are over. */
static void next_turn(struct show *show)
{
	struct run *next = runs_next(show->main.runs, NULL), *run;

	show->live = NULL;
	while (show->live == NULL && (run = next) != NULL) {
		struct text_run *t = run->state;

		next = runs_next(show->main.runs, run);
		if (t == NULL)
			continue;
		release(t);
		if (t->over)
			runs_forget(show->main.runs, run);
		else
			show->live = t;
	}
}

static void take_end(struct text_run *t, const struct event *event)
{
	struct show *show = t->show;

	show_output(t, event->data);
	text_end_line(t);
	take_failure(t, event);
	t->over = true;
	if (show->live != t)
		return;
	show->wrote_earlier_run = show->wrote_earlier_run || t->wrote;
	runs_forget(show->main.runs, t->run);
	next_turn(show);
}

static void take_event(struct text_run *t, const struct event *event)
{
	bool thinking = event->type == EVENT_THINKING_CHUNK;

	if (event->type == EVENT_LLM_CHUNK || (thinking && t->show->thinking)) {
		take_chunk(t, event, thinking);
		return;
	}
	show_group(t);
	switch (event->type) {
	case EVENT_LLM_START:
		if (t->wrote_iteration)
			begin_iteration(t);
		break;
	case EVENT_LLM_END:
		if (!t->wrote_iteration)
			show_message(t, json_get(event->data, "message"));
		begin_iteration(t);
		break;
	case EVENT_LLM_RETRY:
		if (event_discards(event))
			discard(t, json_get(event->data, "reason"));
		break;
	case EVENT_AGENT_START:
		if (t->run->resumed) /* the interrupted response is requested again */
			discard(t, SPAN("\"the run was resumed\""));
		break;
	case EVENT_OUTPUT_CHUNK:
		if (t->show->form == FORM_PARTIAL)
			text_add_value(t, json_get(event->data, "output"));
		break;
	case EVENT_ERROR:
		take_failure(t, event);
		break;
	case EVENT_AGENT_END:
		take_end(t, event);
		break;
	default:
		break; /* other types are ignored */
	}
}

static struct text_run *text_run_of(struct show *show, struct run *run)
{
	struct text_run *t = run->state;

	if (t == NULL) {
		t = run->state = mem_zero(sizeof(*t));
		t->show = show;
		t->run = run;
	}
	if (show->live == NULL)
		show->live = t;
	return t;
}

void show_event(void *self, struct run *run, const struct event *event)
{
	struct show *show = self;

	if (run->nested && !show->nested) {
		if (run->ended)
			runs_forget(show->main.runs, run);
		return;
	}
	if (show->form == FORM_SSE)
		event_add_sse(&show->out, event);
	take_event(text_run_of(show, run), event);
	if (show->out.len >= OUTPUT_SIZE)
		show_flush(show);
}

void show_end(void *self)
{
	struct show *show = self;

	for (struct run *run = runs_next(show->main.runs, NULL); run != NULL;
	     run = runs_next(show->main.runs, run)) {
		struct text_run *t = run->state;
		struct span text;

		if (t == NULL)
			continue;
		show_group(t);
		text = span_from(buffer_span(&t->text), t->text_start);
		if (!t->over && show->form == FORM_FINAL && text.len > 0)
			text_add(t, text);
		text_end_line(t);
		release(t);
		show->wrote_earlier_run = show->wrote_earlier_run || t->wrote;
	}
	show_flush(show);
}
