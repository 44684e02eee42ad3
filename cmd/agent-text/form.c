#include "event/terminal.h"
#include "show.h"

struct buffer *text_output(struct text_run *t)
{
	return t->show->live == t ? &t->show->out : &t->out;
}

/* ---- plain text ---- */

void text_count_newlines(struct text_run *t, struct span text)
{
	size_t n = 0;

	while (n < text.len && text.at[text.len - 1 - n] == '\n')
		n++;
	t->newlines = n == text.len ? t->newlines + (int)n : (int)n;
	if (t->newlines > 2)
		t->newlines = 2;
}

static void add_newlines(struct text_run *t, int count)
{
	for (; t->newlines < count; t->newlines++)
		buffer_add_char(text_output(t), '\n');
}

void text_end_thinking(struct text_run *t)
{
	if (t->in_thinking && t->show->dim)
		buffer_add_text(text_output(t), "\033[0m");
	t->in_thinking = false;
}

void text_end_line(struct text_run *t)
{
	enum form form = t->show->form;

	text_end_thinking(t);
	if ((form == FORM_TEXT || form == FORM_FINAL) && t->wrote && !t->show->no_newline)
		add_newlines(t, 1);
}

void text_add(struct text_run *t, struct span text)
{
	struct buffer *out = text_output(t);

	if (!t->wrote && t->show->live == t && t->show->wrote_earlier_run)
		buffer_add_char(out, '\n');
	t->wrote = true;
	if (t->show->safe)
		terminal_add(out, text);
	else
		buffer_add_span(out, text);
	text_count_newlines(t, text);
}

/* Iterations, and thinking and text, are separated by an empty line. */
static void add_plain(struct text_run *t, struct span text, bool thinking)
{
	if (t->wrote && (!t->wrote_iteration || thinking != t->in_thinking)) {
		text_end_thinking(t);
		add_newlines(t, 2);
	}
	if (thinking && !t->in_thinking && t->show->dim)
		buffer_add_text(text_output(t), "\033[2m");
	t->in_thinking = thinking;
	text_add(t, text);
}

/* ---- JSON ---- */

static void add_string(struct text_run *t, struct span text)
{
	json_write_string(text_output(t), text);
	buffer_add_char(text_output(t), '\n');
}

void text_add_value(struct text_run *t, struct span json)
{
	struct buffer value = {0};

	json_write_compact(&value, json);
	if (!span_equal(buffer_span(&value), buffer_span(&t->last_value))) {
		buffer_add_span(text_output(t), buffer_span(&value));
		buffer_add_char(text_output(t), '\n');
		buffer_clear(&t->last_value);
		buffer_add_span(&t->last_value, buffer_span(&value));
		t->wrote = true;
	}
	buffer_free(&value);
}

static void add_partial_value(struct text_run *t)
{
	struct buffer value = {0};

	if (json_complete(span_from(buffer_span(&t->text), t->text_start), &value))
		text_add_value(t, buffer_span(&value));
	buffer_free(&value);
}

/* ---- pieces ---- */

/* Append to t->text, in which iterations are separated by an empty line. */
static void add_to_text(struct text_run *t, struct span text)
{
	if (t->text.len == t->text_start && t->text_start > 0 && !t->wrote_iteration) {
		while (!span_ends(buffer_span(&t->text), "\n\n"))
			buffer_add_char(&t->text, '\n');
		t->text_start = t->text.len;
	}
	buffer_add_span(&t->text, text);
}

void text_add_piece(struct text_run *t, struct span text, bool thinking)
{
	enum form form = t->show->form;

	t->has_text = t->has_text || !thinking;
	if (form == FORM_SNAPSHOTS || form == FORM_PARTIAL || form == FORM_FINAL)
		add_to_text(t, text);
	if (form == FORM_TEXT)
		add_plain(t, text, thinking);
	else if (form == FORM_DELTAS)
		add_string(t, text);
	else if (form == FORM_SNAPSHOTS)
		add_string(t, buffer_span(&t->text));
	else if (form == FORM_PARTIAL)
		add_partial_value(t);
	t->wrote_iteration = true;
}
