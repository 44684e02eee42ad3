#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/live_line.h"
#include "base/file.h"
#include "base/utf8.h"
#include "calls.h"

enum {
	PIECES = 8,
	DEEPEST = 16,  /* runs nested deeper are indented like this */
	BATCH_ID = 24, /* columns of the id of a batch line */
	SHORT_ID = 6,  /* of a run id: its last characters, as UUIDv7 begin alike */
	WHOLE_ID = 12, /* ids up to this long are shown whole */
	FLUSH_SIZE = 64 * 1024,
};

static const char bold[] = "\033[1m", faint[] = "\033[2m", red[] = "\033[31m", green[] = "\033[32m",
		  plain[] = "\033[0m";

struct tools_live {
	const struct tools_options *options;
	struct runs *runs;
	const struct calls *calls;
	uint64_t runs_seen;
	struct buffer out;
	const struct call *writing; /* the line of its arguments is open */
	struct live_line line;      /* of running calls, if options->redraw */
};

struct tools_live *tools_live_new(const struct tools_options *options, struct runs *runs,
				  const struct calls *calls)
{
	struct tools_live *live = mem_zero(sizeof(*live));

	live->options = options;
	live->runs = runs;
	live->calls = calls;
	live_line_open(&live->line, STDOUT_FILENO, options->color ? faint : NULL);
	if (options->redraw)
		live_line_clear_at_signals(&live->line);
	return live;
}

void tools_live_free(struct tools_live *live)
{
	if (live == NULL)
		return;
	live_line_close(&live->line);
	buffer_free(&live->out);
	free(live);
}

/* ---- lines made of styled pieces ---- */

struct line {
	struct buffer text;
	struct {
		size_t end;
		const char *style; /* NULL: none */
	} pieces[PIECES];
	size_t count;
};

/* The text added since the last piece is a piece with this style. */
static void end_piece(struct line *line, const char *style)
{
	line->pieces[line->count].end = line->text.len;
	line->pieces[line->count++].style = style;
}

static void write_piece(struct tools_live *live, struct span text, const char *style)
{
	bool styled = live->options->color && style != NULL && text.len > 0;

	if (styled)
		buffer_add_text(&live->out, style);
	buffer_add_span(&live->out, text);
	if (styled)
		buffer_add_text(&live->out, plain);
}

/* Write the line without its end, cut to the width. */
static void write_line(struct tools_live *live, struct line *line)
{
	struct span shown = buffer_span(&line->text);
	size_t width = live->options->width, start = 0;
	bool cut = width > 0 && utf8_cut(shown, width).len < shown.len;

	if (cut)
		shown = utf8_cut(shown, width - 1);
	for (size_t i = 0; i < line->count && start < shown.len; i++) {
		size_t end = line->pieces[i].end < shown.len ? line->pieces[i].end : shown.len;

		write_piece(live, (struct span){shown.at + start, end - start},
			    line->pieces[i].style);
		start = end;
	}
	if (cut)
		buffer_add_text(&live->out, "…");
	buffer_free(&line->text);
}

static void finish_line(struct tools_live *live, struct line *line)
{
	end_piece(line, NULL);
	tools_live_args_end(live);
	write_line(live, line);
	buffer_add_char(&live->out, '\n');
	if (live->out.len >= FLUSH_SIZE)
		tools_live_flush(live);
}

/* ---- the beginning of a line ---- */

/* Whether lines of the two open runs must be told apart: neither is nested in the other one, or
 * both are nested in a third one, and so are indented alike. */
static bool are_mixed(const struct runs *runs, const struct run *a, const struct run *b)
{
	return (a->parent_id != NULL && b->parent_id != NULL) ||
	       (!runs_is_nested_in(runs, a, b) && !runs_is_nested_in(runs, b, a));
}

void tools_live_run(struct tools_live *live, struct run *run)
{
	if (run->order < live->runs_seen)
		return;
	live->runs_seen = run->order + 1;
	for (struct run *other = runs_next(live->runs, NULL); other != NULL;
	     other = runs_next(live->runs, other))
		if (other != run && !other->ended && are_mixed(live->runs, run, other))
			other->overlaps = run->overlaps = true;
}

static size_t depth_of(const struct tools_live *live, const struct run *run)
{
	size_t depth = 0;

	for (; run != NULL && run->parent_id != NULL && depth < DEEPEST;
	     run = runs_parent(live->runs, run))
		depth++;
	return depth;
}

/* Add a name, cut so that the duration and the status behind it fit into the width. */
static void add_name(const struct tools_live *live, struct buffer *out, struct span name,
		     const struct call *call)
{
	enum { REST = 30 };
	size_t width = live->options->width;
	struct span shown = utf8_cut(name, width > 3 * REST / 2 ? width - REST : width / 3);
	bool cut = width > 0 && shown.len < name.len;

	add_one_line(out, cut ? shown : name, live->options->safe);
	if (cut)
		buffer_add_text(out, "…");
	if (call != NULL && call->overlaps)
		buffer_add_format(out, "#%u", call->number);
}

static void add_run_id(const struct tools_live *live, struct buffer *out, const struct run *run)
{
	struct span id = span_of(run->id);

	if (run->batch_id != NULL) {
		id = utf8_cut(span_of(run->batch_id), BATCH_ID);
	} else if (id.len > WHOLE_ID) {
		size_t start = id.len - SHORT_ID;

		while (start > 0 && utf8_continues(id.at[start]))
			start--;
		id = span_from(id, start);
	}
	add_one_line(out, id, live->options->safe);
}

/* Begin a line about the tool `name`; `call`: NULL if the call was not opened. */
static void begin_line(const struct tools_live *live, struct line *line, const struct run *run,
		       const char *arrow, struct span name, const struct call *call)
{
	if (run->batch_id != NULL || (run->id[0] != '\0' && run->overlaps)) {
		add_run_id(live, &line->text, run);
		buffer_add_char(&line->text, ' ');
		end_piece(line, faint);
	}
	for (size_t depth = depth_of(live, run); depth > 0; depth--)
		buffer_add_text(&line->text, "  ");
	buffer_add_text(&line->text, arrow);
	end_piece(line, NULL);
	add_name(live, &line->text, name, call);
}

/* Begin a line about a call. */
static struct line call_line(const struct tools_live *live, const char *arrow,
			     const struct call *call)
{
	struct line line = {0};

	begin_line(live, &line, call->run, arrow, buffer_span(&call->name), call);
	end_piece(&line, bold);
	return line;
}

/* ---- the arguments while they are written ---- */

void tools_live_args(struct tools_live *live, const struct call *call, struct span delta)
{
	struct buffer text = {0};

	if (live->writing != call) {
		struct line line = {0};

		tools_live_args_end(live);
		begin_line(live, &line, call->run, ".. ", buffer_span(&call->name), call);
		buffer_add_char(&line.text, ' ');
		end_piece(&line, faint);
		write_line(live, &line);
		live->writing = call;
	}
	json_decode(delta, &text);
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] == '\n' || text.at[i] == '\r')
			text.at[i] = ' ';
	add_one_line(&live->out, buffer_span(&text), live->options->safe);
	buffer_free(&text);
}

void tools_live_args_end(struct tools_live *live)
{
	if (live->writing != NULL)
		buffer_add_char(&live->out, '\n');
	live->writing = NULL;
}

/* ---- the lines of a call ---- */

void tools_live_start(struct tools_live *live, const struct call *call)
{
	struct line line = call_line(live, "-> ", call);

	if (call->args.len > 0) {
		buffer_add_char(&line.text, ' ');
		add_one_line(&line.text, buffer_span(&call->args), live->options->safe);
	}
	finish_line(live, &line);
}

void tools_live_denied(struct tools_live *live, const struct run *run, struct span name,
		       struct span data)
{
	struct span by = json_get(data, "by"), reason = json_get(data, "reason");
	bool unasked = json_is(by, "policy") && reason.len > 0;
	struct line line = {0};
	struct buffer text = {0};

	begin_line(live, &line, run, "-- ", name, NULL);
	end_piece(&line, bold);
	buffer_add_text(&line.text, " denied");
	end_piece(&line, red);
	/* With a reason, no pattern has denied the call: nobody could be asked. */
	if (json_decode(unasked ? reason : by, &text) && text.len > 0) {
		buffer_add_text(&line.text, unasked ? ": " : " by ");
		add_one_line(&line.text, buffer_span(&text), live->options->safe);
	}
	buffer_free(&text);
	finish_line(live, &line);
}

static void add_part(const struct tools_live *live, struct buffer *out, struct span text)
{
	if (text.len > 0) {
		buffer_add_text(out, ": ");
		add_one_line(out, text, live->options->safe);
	}
}

/* The next line that is not blank, without blanks at its end; empty if there is none. */
static struct span next_line(struct span *text)
{
	struct span line;

	while (span_next_line(text, &line, NULL)) {
		while (line.len > 0 && strchr(" \t\r", line.at[line.len - 1]) != NULL)
			line.len--;
		if (line.len > 0)
			return line;
	}
	return *text;
}

/* The last line that is not blank, before the line `end`, if the text has it. */
static struct span last_line(struct span text, struct span end)
{
	struct span line, last = {0};

	while ((line = next_line(&text)).len > 0 && !span_equal(line, end))
		last = line;
	return last;
}

/* Why a program failed, as the result says it in a line behind the output of the program. */
static void add_reason(const struct call *call, struct buffer *out)
{
	if (!json_decode(call->reason, out) && call->is_error && call->exit_status > 0)
		buffer_add_format(out, "exit status %lld", (long long)call->exit_status);
}

/* Add what the result says: why a program failed, and the last line before that; of another result
 * the first line. */
static void add_result(const struct tools_live *live, struct buffer *out, const struct call *call)
{
	struct buffer text = {0}, reason = {0};
	struct span rest, line;

	if (json_type(call->result) != JSON_NULL && !json_decode(call->result, &text))
		json_write_compact(&text, call->result);
	add_reason(call, &reason);
	rest = buffer_span(&text);
	line = reason.len > 0 ? last_line(rest, buffer_span(&reason)) : next_line(&rest);
	add_part(live, out, buffer_span(&reason));
	add_part(live, out, line);
	buffer_free(&text);
	buffer_free(&reason);
}

void tools_live_end(struct tools_live *live, const struct call *call)
{
	struct line line = call_line(live, "<- ", call);

	buffer_add_char(&line.text, ' ');
	if (call->seconds >= 0) {
		add_seconds(&line.text, call->seconds);
		buffer_add_char(&line.text, ' ');
	}
	end_piece(&line, NULL);
	buffer_add_text(&line.text, call->is_error ? "error" : "ok");
	end_piece(&line, call->is_error ? red : green);
	add_result(live, &line.text, call);
	finish_line(live, &line);
}

void tools_live_unfinished(struct tools_live *live, const struct call *call)
{
	struct line line = call_line(live, "<- ", call);

	buffer_add_text(&line.text, " never ended");
	end_piece(&line, red);
	finish_line(live, &line);
}

/* ---- the line of running calls ---- */

/* Append the line: the calls that run. */
static void add_running(const struct tools_live *live, struct buffer *out)
{
	int64_t now = clock_monotonic();

	for (const struct call *call = live->calls->first; call != NULL && out->len < 1024;
	     call = call->next) {
		double seconds = (double)(now - call->seen_at) / 1e9;

		if (!call->running || call->stopped)
			continue;
		buffer_add_text(out, out->len > 0 ? ", " : ".. ");
		add_name(live, out, buffer_span(&call->name), call);
		buffer_add_char(out, ' ');
		if (seconds < 99.95)
			buffer_add_format(out, "%.1fs", seconds);
		else
			add_seconds(out, seconds);
	}
}

/* Write the pending lines, and with `running` the line of running calls below them. */
static void write_screen(struct tools_live *live, bool running)
{
	struct buffer text = {0};

	if (!live->options->redraw) {
		stdout_write(&live->out);
		return;
	}
	if (running && live->writing == NULL)
		add_running(live, &text);
	if (!live_line_write(&live->line, buffer_span(&live->out), live->writing != NULL,
			     buffer_span(&text)))
		stdout_fail();
	buffer_clear(&live->out);
	buffer_free(&text);
}

int64_t tools_live_draw(struct tools_live *live)
{
	int64_t next;

	if (!live->options->redraw || live->writing != NULL ||
	    (live->calls->first == NULL && !live->line.drawn))
		return 0;
	if (live_line_is_due(&live->line, LIVE_LINE_NS, &next))
		write_screen(live, true);
	return next;
}

void tools_live_flush(struct tools_live *live)
{
	if (live->out.len > 0)
		write_screen(live, live->line.drawn);
}

void tools_live_clear(struct tools_live *live)
{
	if (live->out.len > 0 || live->line.drawn)
		write_screen(live, false);
}
