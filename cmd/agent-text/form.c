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
	show->end.newlines = n == text.len ? show->end.newlines + (int)n : (int)n;
	if (show->end.newlines > 2)
		show->end.newlines = 2;
}

static void end_thinking(struct show *show)
{
	if (show->end.in_thinking && show->dim)
		buffer_add_text(&show->out, "\033[0m");
	show->end.in_thinking = false;
}

/* How many newlines precede the piece, so that it is a block. */
static size_t gap_before(const struct show *show, const struct text_run *t,
			 const struct piece *piece)
{
	bool is_block = piece->is_block || show->end.writer != t;

	return is_block && show->end.wrote ? (size_t)(2 - show->end.newlines) : 0;
}

static void add_plain(struct show *show, size_t gap, bool thinking, struct span text)
{
	if (!thinking || gap > 0)
		end_thinking(show);
	for (; gap > 0; gap--)
		buffer_add_char(&show->out, '\n');
	if (thinking && !show->end.in_thinking && show->dim)
		buffer_add_text(&show->out, "\033[2m");
	show->end.in_thinking = thinking;
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

static void add_heading(const struct text_run *t, struct buffer *out)
{
	buffer_add_text(out, "==> ");
	terminal_add_line(out, span_of(id_of(t)));
	buffer_add_text(out, " <==\n");
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
	if (show->ids && show->end.writer != t) {
		add_heading(t, &headed);
		buffer_add_span(&headed, text);
		text = buffer_span(&headed);
	}
	if (is_plain(show))
		add_plain(show, gap, piece->kind == PIECE_THINKING, text);
	else
		add_json(show, gap, text);
	show->end.newlines += (int)gap;
	count_newlines(show, text);
	show->end.writer = t;
	show->end.wrote = true;
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
	struct place place = show->end;

	place.len = is_plain(show) ? show->written + show->out.len : show->text.len;
	return place;
}

static void take_back_text(struct show *show, size_t len)
{
	if (len < show->written) {
		show_flush(show);
		if (!result_file_cut(&show->result, len))
			show_fail(show);
		show->written = len;
	}
	show->out.len = len - show->written;
}

bool form_take_back(struct show *show, struct place place)
{
	if (is_plain(show) && !result_file_is_hidden(&show->result))
		return false;
	if (is_plain(show)) {
		take_back_text(show, place.len);
	} else {
		add_line(show, SPAN("null"));
		if (!show->is_cut)
			show->text.len = place.len;
		if (show->text.len > 0)
			add_string(show, buffer_span(&show->text));
	}
	show->end = place;
	return true;
}

void form_end_line(struct show *show)
{
	end_thinking(show);
	if (!is_plain(show) || !show->end.wrote || show->end.newlines > 0)
		return;
	buffer_add_char(&show->out, '\n');
	show->end.newlines = 1;
}
