#include "form.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "event/log.h"
#include "event/runs.h"
#include "event/terminal.h"

enum {
	OUTPUT_SIZE = 64 * 1024, /* output is written when it has grown to this */
	MAX_GROUP = 1024 * 1024, /* as is a group of --debounce */
};

struct show *show_new(const struct show_options *options, struct runs *runs)
{
	struct show *show = mem_zero(sizeof(*show));

	show->options = *options;
	show->runs = runs;
	return show;
}

void show_release(void *state)
{
	struct text_state *s = state;

	buffer_free(&s->out);
	buffer_free(&s->text);
	buffer_free(&s->group);
	buffer_free(&s->last);
	free(s);
}

void show_free(struct show *show)
{
	buffer_free(&show->out);
	free(show);
}

void show_flush(struct show *show)
{
	stdout_write(&show->out);
}

/* Show the group that --debounce holds. */
static void close_group(struct show *show, struct run *run)
{
	struct text_state *s = run->state;

	if (s->group.len > 0)
		show_piece(show, run, buffer_span(&s->group), s->group_thinking);
	buffer_clear(&s->group);
	s->group_due = 0;
}

/* Whether a piece of plain text goes on where the last one has ended: nothing stands between. */
static bool goes_on(const struct show *show, const struct text_state *s, bool thinking)
{
	return show->options.form == FORM_TEXT && !show->options.safe &&
	       show->options.debounce <= 0 && s->wrote && s->wrote_iteration &&
	       thinking == s->in_thinking;
}

static void take_piece(struct show *show, struct run *run, const struct event *event, bool thinking)
{
	struct text_state *s = run->state;
	bool grouped = show->options.debounce > 0;

	if (goes_on(show, s, thinking)) {
		struct buffer *out = output_of(show, run);
		size_t start = out->len;

		event_add_text(event, out);
		count_newlines(s, span_from(buffer_span(out), start));
		return;
	}
	if (s->group.len > 0 && (thinking != s->group_thinking || !grouped))
		close_group(show, run);
	event_add_text(event, &s->group);
	if (s->group.len == 0)
		return;
	s->group_thinking = thinking;
	if (!grouped || s->group.len >= MAX_GROUP)
		close_group(show, run);
	else if (s->group_due == 0)
		s->group_due = clock_monotonic() + clock_nanoseconds(show->options.debounce);
}

int64_t show_due(struct show *show)
{
	int64_t first = 0, now;

	if (show->options.debounce <= 0)
		return 0;
	now = clock_monotonic();
	for (struct run *run = runs_next(show->runs, NULL); run != NULL;
	     run = runs_next(show->runs, run)) {
		const struct text_state *s = run->state;

		if (s == NULL || s->group_due == 0)
			continue;
		if (s->group_due <= now)
			close_group(show, run);
		else if (first == 0 || s->group_due < first)
			first = s->group_due;
	}
	return first;
}

/* ---- answers that came without their pieces ---- */

/* The parts of a message, where none of their pieces was in the stream: it was filtered. */
static void show_message(struct show *show, struct run *run, struct span message)
{
	struct json_walk walk = json_walk(json_get(message, "content"));
	struct buffer text = {0};

	while (json_next(&walk)) {
		struct span type = json_get(walk.value, "type");
		bool thinking = json_is(type, "thinking");

		if (!json_is(type, "text") && !(thinking && show->options.thinking))
			continue;
		buffer_clear(&text);
		if (json_decode(json_get(walk.value, "text"), &text) && text.len > 0)
			show_piece(show, run, buffer_span(&text), thinking);
	}
	buffer_free(&text);
}

/* ---- other events ---- */

static void begin_iteration(struct text_state *s)
{
	s->wrote_iteration = false;
	s->iteration_at = s->text.len;
	s->out_mark = s->out.len;
}

/* What is written before must be on the screen before a message is. */
static void say(struct show *show, struct buffer *sentence)
{
	show_flush(show);
	warn("%s", buffer_string(sentence));
	buffer_free(sentence);
}

static void say_restart(struct show *show, struct span reason)
{
	struct buffer text = {0}, sentence = {0};

	if (!json_decode(reason, &text) || text.len == 0)
		buffer_add_text(&text, "retry");
	buffer_add_text(&sentence, "the answer starts again (");
	terminal_add_line(&sentence, buffer_span(&text));
	buffer_add_text(&sentence, ")");
	say(show, &sentence);
	buffer_free(&text);
}

/* The answer of this iteration is taken back. What is out cannot be: say so. */
static void discard(struct show *show, struct run *run, struct span reason)
{
	struct text_state *s = run->state;
	bool line_open = s->wrote_iteration && s->newlines == 0;

	s->text.len = s->iteration_at;
	if (!s->wrote_iteration)
		return;
	if (show->live != run) {
		s->out.len = s->out_mark;
		begin_iteration(s);
		return;
	}
	if (show->options.form == FORM_TEXT || show->options.form == FORM_DELTAS) {
		end_thinking(show, s, &show->out);
		if (show->options.form == FORM_TEXT && line_open) {
			buffer_add_char(&show->out, '\n');
			s->newlines = 1;
		}
		say_restart(show, reason);
	}
	begin_iteration(s);
}

static void end_line(struct show *show, struct run *run)
{
	struct text_state *s = run->state;
	struct buffer *out = output_of(show, run);

	end_thinking(show, s, out);
	if ((show->options.form == FORM_TEXT || show->options.form == FORM_FINAL) && s->wrote &&
	    s->newlines == 0 && !show->options.no_newline) {
		buffer_add_char(out, '\n');
		s->newlines = 1;
	}
}

/* The value or text that only the end tells. */
static void show_output_value(struct show *show, struct run *run, const struct event *event)
{
	struct text_state *s = run->state;
	struct buffer *out = output_of(show, run), text = {0};
	struct span json = json_get(event->data, "output_json");

	json_decode(json_get(event->data, "output"), &text);
	if (show->options.form == FORM_PARTIAL) {
		if (json.at == NULL && json_check(buffer_span(&text), NULL))
			json = buffer_span(&text);
		if (json.at != NULL)
			show_value(show, s, out, json);
	} else if (show->options.form == FORM_FINAL && text.len > 0) {
		part_runs(show, run, out);
		add_text(show, out, buffer_span(&text));
		count_newlines(s, buffer_span(&text));
	} else if (text.len > 0 && !s->answered) { /* nothing else of the answer came */
		show_piece(show, run, buffer_span(&text), false);
	}
	buffer_free(&text);
}

static void take_end(struct show *show, struct run *run, const struct event *event)
{
	struct text_state *s = run->state;
	struct buffer sentence = {0};

	show_output_value(show, run, event);
	end_line(show, run);
	s->over = true;
	if (run_error_sentence(show->runs, run, event, &sentence))
		say(show, &sentence);
}

static void take_error(struct show *show, struct run *run, const struct event *event)
{
	struct buffer sentence = {0};

	if (!run_error_sentence(show->runs, run, event, &sentence))
		return;
	end_line(show, run);
	say(show, &sentence);
}

/* ---- whose turn it is ---- */

/* Output that has waited, parted from what an earlier run has shown. */
static void release(struct show *show, struct text_state *s)
{
	if (show->any && (show->options.form == FORM_TEXT || show->options.form == FORM_FINAL))
		buffer_add_char(&show->out, '\n');
	buffer_add_span(&show->out, buffer_span(&s->out));
	buffer_clear(&s->out);
	show->any = true;
}

/* The next run streams live; what it has said meanwhile comes first. */
static void pass_turn(struct show *show)
{
	struct run *run = runs_next(show->runs, NULL);

	while (run != NULL) {
		struct text_state *s = run->state;
		struct run *next = runs_next(show->runs, run);

		if (s == NULL) { /* not shown */
			run = next;
			continue;
		}
		if (s->out.len > 0) {
			release(show, s);
		}
		if (!s->over) {
			show->live = run;
			return;
		}
		runs_forget(show->runs, run);
		run = next;
	}
	show->live = NULL;
}

static void finish(struct show *show, struct run *run)
{
	struct text_state *s = run->state;

	if (show->live != run)
		return;
	show->any = show->any || s->wrote;
	show->live = NULL;
	runs_forget(show->runs, run);
	pass_turn(show);
}

static void take_event(struct show *show, struct run *run, const struct event *event)
{
	bool is_thinking = event->type == EVENT_THINKING_CHUNK;
	struct text_state *s = run->state;

	if (s == NULL)
		s = run->state = mem_zero(sizeof(*s));
	if (show->live == NULL)
		show->live = run;
	if (show->options.form == FORM_SSE)
		show_frame(show, event);
	if (event->type == EVENT_LLM_CHUNK || (is_thinking && show->options.thinking)) {
		take_piece(show, run, event, is_thinking);
		return;
	}
	close_group(show, run);
	switch (event->type) {
	case EVENT_LLM_START:
		if (s->wrote_iteration)
			begin_iteration(s);
		break;
	case EVENT_LLM_END:
		if (!s->wrote_iteration)
			show_message(show, run, json_get(event->data, "message"));
		begin_iteration(s);
		break;
	case EVENT_LLM_RETRY:
		if (event_discards(event))
			discard(show, run, json_get(event->data, "reason"));
		break;
	case EVENT_AGENT_START:
		if (run->resumed) /* the interrupted answer is requested again */
			discard(show, run, SPAN("\"the run was resumed\""));
		break;
	case EVENT_OUTPUT_CHUNK:
		if (show->options.form == FORM_PARTIAL)
			show_value(show, s, output_of(show, run), json_get(event->data, "output"));
		break;
	case EVENT_ERROR:
		take_error(show, run, event);
		break;
	case EVENT_AGENT_END:
		take_end(show, run, event);
		finish(show, run);
		break;
	case EVENT_AGENT_UPDATED:
	case EVENT_PROGRESS:
	case EVENT_LLM_CHUNK:
	case EVENT_THINKING_CHUNK:
	case EVENT_TOOL_CALL_START:
	case EVENT_TOOL_CALL_CHUNK:
	case EVENT_TOOL_CALL_END:
	case EVENT_TOOL_START:
	case EVENT_TOOL_CHUNK:
	case EVENT_TOOL_END:
	case EVENT_TOOL_APPROVAL:
	case EVENT_RAW:
	case EVENT_OTHER:
		break;
	}
}

void show_event(struct show *show, struct run *run, const struct event *event)
{
	take_event(show, run, event);
	if (show->out.len >= OUTPUT_SIZE)
		show_flush(show);
}

void show_end(struct show *show)
{
	for (struct run *run = runs_next(show->runs, NULL); run != NULL;) {
		struct run *next = runs_next(show->runs, run);
		struct text_state *s = run->state;

		if (s != NULL) {
			close_group(show, run);
			if (!s->over && show->options.form == FORM_FINAL) {
				struct span text =
				    span_from(buffer_span(&s->text), s->iteration_at);

				if (text.len > 0) {
					part_runs(show, run, output_of(show, run));
					add_text(show, output_of(show, run), text);
					count_newlines(s, text);
				}
			}
			end_line(show, run);
			if (run != show->live && s->out.len > 0)
				release(show, s);
			show->any = show->any || s->wrote;
		}
		run = next;
	}
}
