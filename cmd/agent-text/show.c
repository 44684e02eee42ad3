#include "show.h"

#include <ctype.h>
#include <errno.h>
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

	buffer_free(&t->held);
	free(t->pieces);
	buffer_free(&t->attempt);
	buffer_free(&t->thoughts);
	buffer_free(&t->group);
	buffer_free(&t->value);
	buffer_free(&t->last_value);
	buffer_free(&t->last);
	free(t);
}

void show_free(void *self)
{
	struct show *show = self;

	screen_close(&show->screen);
	buffer_free(&show->out);
	buffer_free(&show->text);
}

void show_fail(struct show *show)
{
	int error = errno;

	if (show->result_path == NULL)
		stdout_fail();
	result_file_drop(&show->result);
	die(STATUS_FAILED, "%s: %s", show->result_path, strerror(error));
}

void show_flush(void *self)
{
	struct show *show = self;

	if (show->out.len > 0)
		keep_alive_written(&show->keep_alive);
	if (show->safe && show->form != FORM_TEXT && show->form != FORM_FINAL)
		terminal_clean(&show->out, true);
	if (!screen_write(&show->screen, buffer_span(&show->out)))
		show_fail(show);
	show->written += show->out.len;
	buffer_clear(&show->out);
}

/* ---- pieces ---- */

/* Whether the form shows the pieces of an attempt as they arrive. */
static bool shows_attempt(const struct text_run *t)
{
	enum form form = t->show->form;

	return form == FORM_DELTAS || form == FORM_SNAPSHOTS ||
	       (form == FORM_TEXT && !t->has_schema);
}

static void begin_attempt(struct text_run *t)
{
	t->attempt_is_over = false;
	t->wrote_attempt = false;
	buffer_clear(&t->attempt);
	buffer_clear(&t->thoughts);
	buffer_clear(&t->value);
	t->start = form_place(t->show);
	t->held_start = t->held.len;
	t->first_piece = t->piece_count;
}

/* Whether the text of another part goes on with the text of the part before it: providers divide
 * their text at citations, in the middle of a sentence. */
static bool goes_on(const struct text_run *t, int64_t part, struct span text)
{
	bool ended = strchr(".!?:", t->last_byte) != NULL;

	return t->has_schema ||
	       (part == t->last_part + 1 && !(ended && isalnum((unsigned char)text.at[0])));
}

static void show_piece(struct text_run *t, struct span text, bool thinking, int64_t part)
{
	enum piece_kind kind = thinking ? PIECE_THINKING : PIECE_TEXT;
	bool is_block = !t->wrote_attempt || kind != t->last_kind ||
			(part != t->last_part && !goes_on(t, part, text));

	order_add(t, kind, is_block, text);
	if (thinking && t->has_schema && shows_attempt(t))
		buffer_add_span(&t->thoughts, text);
	t->wrote_attempt = true;
	t->last_kind = kind;
	t->last_part = part;
	t->last_byte = text.at[text.len - 1];
}

/* Print the value of --partial, unless it was the last one. */
static void show_value(struct text_run *t, struct span json)
{
	struct buffer value = {0};

	json_write_compact(&value, json);
	if (!span_equal(buffer_span(&value), buffer_span(&t->last_value))) {
		order_add(t, PIECE_VALUE, false, buffer_span(&value));
		buffer_clear(&t->last_value);
		buffer_add_span(&t->last_value, buffer_span(&value));
	}
	buffer_free(&value);
}

/* Print the value that the attempt shows so far. Without a schema, the text may turn out to be
 * something else, so that a scalar or complete value waits for its end. */
static void show_partial(struct text_run *t)
{
	struct span text = buffer_span(&t->attempt);
	struct buffer value = {0};

	if (t->has_values) {
		if (t->value.len > 0)
			show_value(t, buffer_span(&t->value));
	} else if (json_complete(text, &value) &&
		   (t->has_schema ||
		    (strchr("{[", value.at[0]) != NULL && !json_check(text, NULL)))) {
		show_value(t, buffer_span(&value));
	}
	buffer_free(&value);
}

static void take_text(struct text_run *t, struct span text, bool thinking, int64_t part)
{
	enum form form = t->show->form;

	if (t->attempt_is_over)
		begin_attempt(t);
	t->has_text = t->has_text || !thinking;
	if (!thinking && (form == FORM_PARTIAL || form == FORM_FINAL || t->has_schema))
		buffer_add_span(&t->attempt, text);
	if (form == FORM_PARTIAL)
		show_partial(t);
	else if (shows_attempt(t) || (thinking && form == FORM_TEXT))
		show_piece(t, text, thinking, part);
}

/* ---- groups ---- */

/* Print the group that --debounce holds. */
static void show_group(struct text_run *t)
{
	if (t->group.len > 0)
		take_text(t, buffer_span(&t->group), t->group_is_thinking, t->group_part);
	else if (t->group_due != 0)
		show_partial(t);
	buffer_clear(&t->group);
	t->group_due = 0;
}

/* Print the group now, or when its time is over. */
static void show_group_when_due(struct text_run *t)
{
	double debounce = t->show->debounce;

	if (t->group_due == 0)
		t->group_due = clock_monotonic() + clock_nanoseconds(debounce);
	if (debounce <= 0 || t->group.len >= MAX_GROUP)
		show_group(t);
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
static bool continues_text(const struct text_run *t, bool thinking, int64_t part)
{
	const struct show *show = t->show;

	return show->form == FORM_TEXT && !show->safe && show->debounce <= 0 && !t->has_schema &&
	       show->end.writer == t && show->live == t && t->wrote_attempt &&
	       !t->attempt_is_over && (t->last_kind == PIECE_THINKING) == thinking &&
	       part == t->last_part;
}

/* The value of --partial grows with the text, unless output_chunk has it. */
static void take_partial(struct text_run *t, const struct event *event, bool thinking)
{
	if (thinking)
		return;
	if (t->attempt_is_over)
		begin_attempt(t);
	event_add_text(event, &t->attempt);
	if (!t->has_values)
		show_group_when_due(t);
}

static void take_chunk(struct text_run *t, const struct event *event, bool thinking)
{
	int64_t part = event_part(event);

	if (continues_text(t, thinking, part)) {
		struct span text = form_continue(t->show, event);

		if (text.len > 0)
			t->last_byte = text.at[text.len - 1];
		return;
	}
	if (t->show->form == FORM_PARTIAL) {
		take_partial(t, event, thinking);
		return;
	}
	if (thinking != t->group_is_thinking || part != t->group_part)
		show_group(t);
	event_add_text(event, &t->group);
	if (t->group.len == 0)
		return;
	t->group_is_thinking = thinking;
	t->group_part = part;
	show_group_when_due(t);
}

/* Print the parts of a message whose chunks were filtered out of the stream. */
static void show_message(struct text_run *t, struct span message)
{
	struct buffer text = {0};
	int64_t part = 0;

	for (struct json_walk walk = json_walk(json_get(message, "content")); json_next(&walk);
	     part++) {
		struct span type = json_get(walk.value, "type");
		bool thinking = json_is(type, "thinking");

		if (!json_is(type, "text") && !(thinking && t->show->thinking))
			continue;
		buffer_clear(&text);
		if (json_decode(json_get(walk.value, "text"), &text) && text.len > 0)
			take_text(t, buffer_span(&text), thinking, part);
	}
	buffer_free(&text);
}

/* ---- text that is no longer valid ---- */

static void warn_restart(struct show *show, struct span reason)
{
	struct buffer text = {0};

	terminal_add_string(&text, reason, "retry");
	form_end_line(show);
	show_flush(show);
	warn("the response starts again (%s)", buffer_string(&text));
	buffer_free(&text);
}

/* The current attempt is no longer valid. Drop it; plain text that a reader has stays, with a
 * message. */
static void discard(struct text_run *t, struct span reason)
{
	struct show *show = t->show;

	if (t->wrote_attempt && show->live != t) {
		t->held.len = t->held_start;
		t->piece_count = t->first_piece;
	} else if (t->wrote_attempt && !form_take_back(show, t->start) && !t->has_schema) {
		warn_restart(show, reason);
	}
	begin_attempt(t);
}

/* With a schema: the text of the response is not the answer. Its thinking stays. */
static void reject(struct text_run *t)
{
	struct buffer thoughts = t->thoughts;

	t->thoughts = (struct buffer){0};
	if (shows_attempt(t) && t->attempt.len > 0) {
		discard(t, SPAN(""));
		if (thoughts.len > 0)
			show_piece(t, buffer_span(&thoughts), true, 0);
	}
	begin_attempt(t);
	buffer_free(&thoughts);
}

/* ---- the end of a run ---- */

/* Append the output of agent_end. If it is only the beginning of a long answer, the attempt has it.
 */
static void add_output(const struct text_run *t, struct span data, struct buffer *out)
{
	if (json_true(json_get(data, "output_truncated")) && t->attempt.len > 0)
		buffer_add_span(out, buffer_span(&t->attempt));
	else
		json_decode(json_get(data, "output"), out);
}

/* Print the answer of a run with a schema when it was accepted, unless the form has shown it: the
 * `text`, or the `json` in it where a model put it into a code fence, or the text that was
 * streamed.
 */
static void show_accepted(struct text_run *t, struct span json, struct span text)
{
	struct buffer answer = {0};
	bool shown;

	if (!t->run->succeeded) {
		reject(t);
		return;
	}
	if (json.at != NULL && !json_check(text, NULL))
		text = json;
	buffer_add_span(&answer, text.len > 0 ? text : buffer_span(&t->attempt));
	shown = shows_attempt(t) && t->wrote_attempt &&
		span_equal(buffer_span(&answer), buffer_span(&t->attempt));
	if (!shown) {
		reject(t);
		if (answer.len > 0)
			order_add(t, PIECE_TEXT, true, buffer_span(&answer));
	}
	buffer_free(&answer);
}

static void warn_no_value(struct text_run *t)
{
	struct show *show = t->show;
	struct buffer id = {0};

	if (runs_open(show->main.runs) + runs_ended(show->main.runs) > 1) {
		buffer_add_text(&id, "run ");
		terminal_add_line(&id, span_of(t->run->id));
		buffer_add_text(&id, ": ");
	}
	show->failed = true;
	show_flush(show);
	warn("%sthe answer is not JSON, so that --partial has no value", buffer_string(&id));
	buffer_free(&id);
}

/* Print the last value of --partial. */
static void show_last_value(struct text_run *t, struct span json, struct span text)
{
	if (text.len == 0)
		text = buffer_span(&t->attempt);
	if (json.at == NULL && json_check(text, NULL))
		json = text;
	if (json.at != NULL && (t->run->succeeded || !t->has_schema))
		show_value(t, json);
	else if (t->run->succeeded && !t->has_values)
		warn_no_value(t);
}

/* Print the output of --final. That of a failed run waits for the end of the input, because another
 * run may resume it. */
static void show_final(struct text_run *t, struct span text)
{
	t->run->kept = text.len > 0 && !t->run->succeeded && !t->run->nested;
	if (t->run->kept)
		buffer_add_span(&t->last, text);
	else if (text.len > 0)
		order_add(t, PIECE_TEXT, true, text);
}

/* Print what only agent_end contains. */
static void show_output(struct text_run *t, struct span data)
{
	struct span json = json_get(data, "output_json"), text;
	struct buffer output = {0};

	add_output(t, data, &output);
	text = buffer_span(&output);
	if (t->show->form == FORM_PARTIAL)
		show_last_value(t, json, text);
	else if (t->has_schema && t->show->form != FORM_SSE)
		show_accepted(t, json, text);
	else if (t->show->form == FORM_FINAL)
		show_final(t, text);
	else if (text.len > 0 && !t->has_text)
		take_text(t, text, false, 0);
	buffer_free(&output);
}

static void take_failure(struct text_run *t, const struct event *event)
{
	struct buffer sentence = {0};

	if (run_error_sentence(t->show->main.runs, t->run, event, &sentence)) {
		if (t->show->live == t && !t->show->no_newline)
			form_end_line(t->show);
		show_flush(t->show);
		warn("%s", buffer_string(&sentence));
	}
	buffer_free(&sentence);
}

/* The runs that are nested in `t` have no more events. */
static void end_nested(struct text_run *t)
{
	for (struct run *run = runs_next(t->show->main.runs, NULL); run != NULL;
	     run = runs_next(t->show->main.runs, run)) {
		struct text_run *inner = run->state;

		if (inner == NULL || inner->over || order_parent(inner) != t)
			continue;
		show_group(inner);
		inner->over = true;
		end_nested(inner);
	}
}

/* ---- events ---- */

static void take_start(struct text_run *t, const struct event *event)
{
	if (t->run->resumed) { /* its last response may be requested again */
		if (!t->attempt_is_over || t->is_left_out)
			discard(t, SPAN("\"the run was resumed\""));
		end_nested(t);
		buffer_clear(&t->last);
		t->run->kept = false;
	}
	t->has_schema = json_true(json_get(event->data, "output_schema"));
	order_update(t->show);
}

/* A request is sent. With a schema, the text of the response before it is not the answer. */
static void take_request(struct text_run *t)
{
	if (t->has_schema)
		reject(t);
	else if (t->wrote_attempt || t->attempt_is_over)
		begin_attempt(t);
}

/* The text of the agent that hands over stays, unless it should have been an accepted answer. */
static void take_handoff(struct text_run *t, const struct event *event)
{
	take_request(t);
	t->has_schema = json_true(json_get(event->data, "output_schema"));
}

static void take_response_end(struct text_run *t, const struct event *event)
{
	if (t->attempt_is_over) /* its beginning was filtered out */
		take_request(t);
	if (!t->wrote_attempt && t->attempt.len == 0)
		show_message(t, json_get(event->data, "message"));
	if (t->has_schema && json_false(json_get(event->data, "is_final")))
		reject(t);
	t->attempt_is_over = true;
	t->is_left_out = event_is_left_out(event->data);
	/* The line ends anyway: other programs may draw on the terminal until the text goes on. */
	if (t->show->live == t && t->show->screen.device >= 0 && !t->show->no_newline)
		form_end_line(t->show);
}

static void take_end(struct text_run *t, const struct event *event)
{
	show_output(t, event->data);
	take_failure(t, event);
	t->over = !t->run->kept;
	end_nested(t);
	order_update(t->show);
}

static void take_value(struct text_run *t, const struct event *event)
{
	if (t->show->form != FORM_PARTIAL)
		return;
	if (t->attempt_is_over)
		begin_attempt(t);
	t->has_values = true;
	buffer_clear(&t->value);
	buffer_add_span(&t->value, json_get(event->data, "output"));
	show_group_when_due(t);
}

static void take_event(struct text_run *t, const struct event *event)
{
	bool thinking = event->type == EVENT_THINKING_CHUNK;

	if (event->type == EVENT_OUTPUT_CHUNK) {
		take_value(t, event);
		return;
	}
	if (event->type == EVENT_LLM_CHUNK || (thinking && t->show->thinking)) {
		take_chunk(t, event, thinking);
		return;
	}
	show_group(t);
	switch (event->type) {
	case EVENT_LLM_START:
		take_request(t);
		break;
	case EVENT_LLM_END:
		take_response_end(t, event);
		break;
	case EVENT_LLM_RETRY:
		if (event_discards(event))
			discard(t, json_get(event->data, "reason"));
		break;
	case EVENT_AGENT_START:
		take_start(t, event);
		break;
	case EVENT_AGENT_UPDATED:
		take_handoff(t, event);
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
	struct text_run *t = run->state, *parent;
	struct place start;
	bool goes_on; /* after its own text, which can be taken back */

	if (order_has(t))
		return t;
	if (t == NULL)
		t = run->state = mem_zero(sizeof(*t));
	t->show = show;
	t->run = run;
	t->is_done = t->over = false;
	parent = order_parent(t);
	if (parent != NULL)
		show_group(parent);
	goes_on = t->is_left_out && t->end.len == form_place(show).len;
	start = t->start;
	order_update(show);
	t->start = goes_on ? start : form_place(show);
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

		if (t == NULL || t->over)
			continue;
		show_group(t);
		if (t->last.len > 0)
			order_add(t, PIECE_TEXT, true, buffer_span(&t->last));
		else if (show->form == FORM_FINAL && !t->has_schema && !t->attempt_is_over &&
			 t->attempt.len > 0)
			order_add(t, PIECE_TEXT, true, buffer_span(&t->attempt));
		run->kept = false;
		t->over = true;
	}
	order_update(show);
	show_flush(show);
}
