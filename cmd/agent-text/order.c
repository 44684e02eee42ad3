#include "show.h"

bool order_has(const struct text_run *t)
{
	return t != NULL && !t->is_done;
}

void order_add(struct text_run *t, enum piece_kind kind, bool is_block, struct span text)
{
	struct piece piece = {kind, is_block, text.len};

	if (t->show->live == t) {
		form_add(t->show, t, &piece, text);
		return;
	}
	t->pieces = array_grow(t->pieces, t->piece_count, sizeof(*t->pieces));
	t->pieces[t->piece_count++] = piece;
	buffer_add_span(&t->held, text);
}

struct text_run *order_parent(const struct text_run *t)
{
	struct run *parent =
	    t->run->parent_id != NULL ? runs_parent(t->show->main.runs, t->run) : NULL;

	return parent != NULL ? parent->state : NULL;
}

/* The first run that is nested in `t`; of NULL: that is nested in none. */
static struct text_run *first_in(const struct show *show, const struct text_run *t)
{
	for (struct run *run = runs_next(show->main.runs, NULL); run != NULL;
	     run = runs_next(show->main.runs, run))
		if (order_has(run->state) && order_parent(run->state) == t)
			return run->state;
	return NULL;
}

/* Print the held pieces of the run, which is live. */
static void release(struct text_run *t)
{
	size_t at = 0;

	for (size_t i = 0; i < t->piece_count; i++) {
		if (i == t->first_piece)
			t->start = form_place(t->show);
		form_add(t->show, t, &t->pieces[i],
			 (struct span){t->held.at + at, t->pieces[i].len});
		at += t->pieces[i].len;
	}
	if (t->first_piece >= t->piece_count)
		t->start = form_place(t->show);
	t->piece_count = t->first_piece = t->held_start = 0;
	buffer_clear(&t->held);
}

void order_update(struct show *show)
{
	for (;;) {
		struct text_run *t = NULL, *inner = first_in(show, NULL);
		bool was_live;

		while (inner != NULL) {
			t = inner;
			inner = first_in(show, t);
		}
		if (t == show->live && (t == NULL || !t->over))
			return;
		was_live = t == show->live;
		show->live = t;
		if (t == NULL)
			return;
		if (!was_live)
			release(t);
		if (!t->over)
			return;
		if (show->end.writer == t && !show->no_newline)
			form_end_line(show);
		show->end.writer = show->end.writer == t ? NULL : show->end.writer;
		show->live = NULL;
		t->is_done = true;
		t->end = form_place(show);
		t->run->kept = t->run->ended && t->is_left_out;
		if (t->run->ended && !t->run->kept)
			runs_forget(show->main.runs, t->run);
	}
}
