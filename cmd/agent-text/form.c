#include "event/terminal.h"
#include "show.h"

/* --deltas keeps this much of the document, to repeat it after a null. */
enum { MAX_KEPT = EVENT_MAX_LINE };

static bool is_plain(const struct show *show)
{
	return show->form == FORM_TEXT || show->form == FORM_FINAL;
}

static void count_newlines(struct show *show, struct span text)
{
	size_t n = 0;

	while (n < text.len && text.at[text.len - 1 - n] == '\n')
		n++;
	show->newlines = n == text.len ? show->newlines + (int)n : (int)n;
	if (show->newlines > 2)
		show->newlines = 2;
}

static void end_thinking(struct show *show)
{
	if (show->in_thinking && show->dim)
		buffer_add_text(&show->out, "\033[0m");
	show->in_thinking = false;
}

/* How many newlines precede the piece, so that it is a block. */
static size_t gap_before(const struct show *show, const struct text_run *t,
			 const struct piece *piece)
{
	bool is_block = piece->is_block || show->writer != t;

	return is_block && show->wrote ? (size_t)(2 - show->newlines) : 0;
}

static void add_plain(struct show *show, size_t gap, bool thinking, struct span text)
{
	if (!thinking || gap > 0)
		end_thinking(show);
	for (; gap > 0; gap--)
		buffer_add_char(&show->out, '\n');
	if (thinking && !show->in_thinking && show->dim)
		buffer_add_text(&show->out, "\033[2m");
	show->in_thinking = thinking;
	if (show->safe)
		terminal_add(&show->out, text);
	else
		buffer_add_span(&show->out, text);
}

static void add_line(struct show *show, struct span json)
{
	buffer_add_span(&show->out, json);
	buffer_add_char(&show->out, '\n');
}

static void add_string(struct show *show, struct span text)
{
	json_write_string(&show->out, text);
	buffer_add_char(&show->out, '\n');
}

/* Print the piece, or the whole document, as a string. */
static void add_json(struct show *show, size_t gap, struct span text)
{
	struct buffer piece = {0};

	for (; gap > 0; gap--)
		buffer_add_char(&piece, '\n');
	buffer_add_span(&piece, text);
	show->is_cut =
	    show->is_cut || (show->form == FORM_DELTAS && show->text.len + piece.len > MAX_KEPT);
	if (show->is_cut)
		buffer_clear(&show->text);
	else
		buffer_add_span(&show->text, buffer_span(&piece));
	add_string(show, buffer_span(show->form == FORM_DELTAS ? &piece : &show->text));
	buffer_free(&piece);
}

static const char *id_of(const struct text_run *t)
{
	return t->run->batch_id != NULL ? t->run->batch_id : t->run->id;
}

static void add_value(struct show *show, const struct text_run *t, struct span json)
{
	struct buffer line = {0};

	if (show->ids)
		json_pack(&line, "{'id':%t,'output':%j}", id_of(t), json);
	add_line(show, show->ids ? buffer_span(&line) : json);
	buffer_free(&line);
}

void form_add(struct show *show, const struct text_run *t, const struct piece *piece,
	      struct span text)
{
	size_t gap = gap_before(show, t, piece);
	struct buffer headed = {0};

	if (piece->kind == PIECE_VALUE) {
		add_value(show, t, text);
		return;
	}
	if (show->ids && show->writer != t) {
		buffer_add_format(&headed, "==> %s <==\n%.*s", id_of(t), SPAN_ARG(text));
		text = buffer_span(&headed);
	}
	if (is_plain(show))
		add_plain(show, gap, piece->kind == PIECE_THINKING, text);
	else
		add_json(show, gap, text);
	show->newlines += (int)gap;
	count_newlines(show, text);
	show->writer = t;
	show->wrote = true;
	buffer_free(&headed);
}

struct span form_continue(struct show *show, const struct event *event)
{
	size_t start = show->out.len;
	struct span text;

	event_add_text(event, &show->out);
	text = span_from(buffer_span(&show->out), start);
	count_newlines(show, text);
	return text;
}

struct place form_place(const struct show *show)
{
	return (struct place){show->text.len, show->newlines, show->wrote};
}

void form_take_back(struct show *show, struct place place)
{
	add_line(show, SPAN("null"));
	if (!show->is_cut)
		show->text.len = place.len;
	if (show->text.len > 0)
		add_string(show, buffer_span(&show->text));
	show->newlines = place.newlines;
	show->wrote = place.wrote;
}

void form_end_line(struct show *show)
{
	end_thinking(show);
	if (!is_plain(show) || !show->wrote || show->newlines > 0)
		return;
	buffer_add_char(&show->out, '\n');
	show->newlines = 1;
}
