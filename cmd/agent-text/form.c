#include "form.h"

#include "event/terminal.h"

struct buffer *output_of(struct show *show, const struct run *run)
{
	struct text_state *s = run->state;

	return show->live == run ? &show->out : &s->out;
}

/* ---- plain text ---- */

void count_newlines(struct text_state *s, struct span text)
{
	size_t n = 0;

	while (n < text.len && text.at[text.len - 1 - n] == '\n')
		n++;
	s->newlines = n == text.len ? s->newlines + (int)n : (int)n;
	if (s->newlines > 2)
		s->newlines = 2;
}

/* A blank line between what is out and what follows. */
static void part(struct text_state *s, struct buffer *out)
{
	for (; s->newlines < 2; s->newlines++)
		buffer_add_char(out, '\n');
}

void add_text(const struct show *show, struct buffer *out, struct span text)
{
	if (show->options.safe)
		terminal_add(out, text);
	else
		buffer_add_span(out, text);
}

void end_thinking(const struct show *show, struct text_state *s, struct buffer *out)
{
	if (s->in_thinking && show->options.dim)
		buffer_add_text(out, "\033[0m");
	s->in_thinking = false;
}

void part_runs(const struct show *show, const struct run *run, struct buffer *out)
{
	struct text_state *s = run->state;

	if (!s->wrote && show->live == run && show->any)
		buffer_add_char(out, '\n');
	s->wrote = true;
}

static void show_plain(const struct show *show, const struct run *run, struct buffer *out,
		       struct span text, bool thinking)
{
	struct text_state *s = run->state;

	if (s->wrote && (!s->wrote_iteration || thinking != s->in_thinking)) {
		end_thinking(show, s, out);
		part(s, out);
	}
	if (thinking && !s->in_thinking && show->options.dim)
		buffer_add_text(out, "\033[2m");
	s->in_thinking = thinking;
	part_runs(show, run, out);
	s->wrote_iteration = true;
	add_text(show, out, text);
	count_newlines(s, text);
}

/* ---- values, one a line ---- */

/* JSON, or what frames it, in which nothing steers a terminal. */
static void add_json(const struct show *show, struct buffer *out, struct span json)
{
	if (show->options.safe)
		terminal_add_json(out, json);
	else
		buffer_add_span(out, json);
}

static void show_line(const struct show *show, struct buffer *out, struct span text)
{
	struct buffer json = {0};

	json_write_string(&json, text);
	buffer_add_char(&json, '\n');
	add_json(show, out, buffer_span(&json));
	buffer_free(&json);
}

void show_frame(struct show *show, const struct event *event)
{
	struct buffer frame = {0};

	if (!show->options.safe) {
		event_add_sse(&show->out, event);
		return;
	}
	event_add_sse(&frame, event);
	add_json(show, &show->out, buffer_span(&frame));
	buffer_free(&frame);
}

void show_value(const struct show *show, struct text_state *s, struct buffer *out, struct span json)
{
	struct buffer value = {0};

	json_write_compact(&value, json);
	if (!span_equal(buffer_span(&value), buffer_span(&s->last))) {
		add_json(show, out, buffer_span(&value));
		buffer_add_char(out, '\n');
		buffer_clear(&s->last);
		buffer_add_span(&s->last, buffer_span(&value));
		s->wrote = true;
	}
	buffer_free(&value);
}

static void show_partial_answer(const struct show *show, struct text_state *s, struct buffer *out)
{
	struct buffer value = {0};

	if (json_complete(span_from(buffer_span(&s->text), s->iteration_at), &value))
		show_value(show, s, out, buffer_span(&value));
	buffer_free(&value);
}

/* ---- pieces of text ---- */

/* The answer so far, iterations parted by a blank line. */
static void remember(struct text_state *s, struct span text)
{
	if (s->text.len == s->iteration_at && s->iteration_at > 0 && !s->wrote_iteration) {
		struct span before = buffer_span(&s->text);

		if (!span_ends(before, "\n"))
			buffer_add_char(&s->text, '\n');
		if (!span_ends(buffer_span(&s->text), "\n\n"))
			buffer_add_char(&s->text, '\n');
		s->iteration_at = s->text.len;
	}
	buffer_add_span(&s->text, text);
}

void show_piece(struct show *show, struct run *run, struct span text, bool thinking)
{
	struct text_state *s = run->state;
	struct buffer *out = output_of(show, run);

	s->answered = s->answered || !thinking;
	switch (show->options.form) {
	case FORM_TEXT:
		show_plain(show, run, out, text, thinking);
		return;
	case FORM_DELTAS:
		show_line(show, out, text);
		break;
	case FORM_SNAPSHOTS:
		remember(s, text);
		show_line(show, out, buffer_span(&s->text));
		break;
	case FORM_PARTIAL:
		remember(s, text);
		show_partial_answer(show, s, out);
		break;
	case FORM_FINAL:
		remember(s, text);
		break;
	case FORM_SSE:
		break;
	}
	s->wrote_iteration = true;
}
