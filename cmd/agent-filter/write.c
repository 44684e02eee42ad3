#include "filter.h"

#include <unistd.h>

#include "base/file.h"
#include "event/terminal.h"
#include "redact.h"

/* Output is written when it has grown to this, and before the program waits. */
enum { OUTPUT_SIZE = 256 * 1024 };

/* ---- output ---- */

void filter_flush(void *self)
{
	struct filter *f = self;

	if (f->out.len > 0)
		keep_alive_written(&f->keep_alive);
	if (f->safe)
		terminal_clean(&f->out, true);
	stdout_write(&f->out);
}

/* Values of other vocabularies have no type and no seq. Strings are sent without quotes. */
static void add_sse_value(struct buffer *out, struct span value)
{
	buffer_add_text(out, "data: ");
	if (!json_decode(value, out))
		buffer_add_span(out, value);
	buffer_add_text(out, "\n\n");
}

static bool is_agent_end(struct span line)
{
	struct span type = event_type_quick(line);

	return type.at != NULL && event_type_of(type) == EVENT_AGENT_END;
}

static void print(struct filter *f, struct span line)
{
	struct event event;

	f->printed++;
	if (f->count_only)
		return;
	if (f->sse && f->to != NULL) {
		add_sse_value(&f->out, line);
	} else if (f->sse) {
		event_envelope(line, &event);
		event_add_sse(&f->out, &event);
	} else {
		f->end_passed = f->end_passed || is_agent_end(line);
		buffer_reserve(&f->out, line.len + 1);
		buffer_add_span(&f->out, line);
		buffer_add_char(&f->out, '\n');
	}
	if (f->out.len >= OUTPUT_SIZE)
		filter_flush(f);
}

/* ---- translations ---- */

void filter_report_untranslated(struct filter *f, const char *option, const char *format,
				struct error *e)
{
	reader_add_failure(f->main.reader, "%s %s: %s; the line is skipped", option, format,
			   e->message);
	error_clear(e);
}

void filter_write(struct filter *f, struct span line)
{
	struct error e = {0};
	struct span value;

	if (f->renumber && line.at != NULL) {
		buffer_clear(&f->numbered);
		if (!envelopes_add(&f->envelopes, json_trim(line), &f->numbered)) {
			reader_warn(f->main.reader, "--renumber: the value is not an event with "
						    "event_type and data; it is skipped");
			return;
		}
		line = buffer_span(&f->numbered);
	}
	if (f->to == NULL) {
		if (line.at != NULL)
			print(f, line);
		return;
	}
	if (!translation_take(f->to, line, &e)) {
		filter_report_untranslated(f, "--to", f->to_name, &e);
		return;
	}
	while ((value = translation_next(f->to, &e)).at != NULL)
		print(f, value);
}

/* ---- jq ---- */

/* An expression has failed on this line, or ended with halt_error. */
static void report_failure(struct filter *f, const struct expression *x, const char *message)
{
	struct buffer text = {0};

	if (!jq_program_halted(x->program, &f->halt_status)) {
		reader_add_failure(f->main.reader, "--%s: %s", x->option, message);
		return;
	}
	terminal_add(&text, span_of(message));
	if (!span_ends(buffer_span(&text), "\n"))
		buffer_add_char(&text, '\n');
	write_all(STDERR_FILENO, buffer_span(&text));
	buffer_free(&text);
}

bool filter_evaluate(struct filter *f, const struct expression *x, struct span line, bool prints)
{
	struct jq_program *program = x->program;
	enum jq_result result = JQ_RESULT_ERROR;
	struct error e = {0};
	struct span value;
	bool truthy = false;

	if (jq_program_halted(program, &f->halt_status))
		return false;
	if (jq_program_start(program, line, &e)) {
		while ((prints || !truthy) &&
		       (result = jq_program_next(program, prints ? &value : NULL, &truthy, &e)) ==
			   JQ_RESULT_VALUE)
			if (prints)
				filter_write(f, value);
	}
	if (result == JQ_RESULT_ERROR)
		report_failure(f, x, e.message);
	else
		reader_settle(f->main.reader, READER_FAILURE);
	f->halted = f->halted || jq_program_halted(program, &f->halt_status);
	error_clear(&e);
	return result == JQ_RESULT_VALUE;
}

/* ---- events ---- */

struct span filter_redacted(struct filter *f, struct span line)
{
	if (!f->redacts)
		return line;
	buffer_clear(&f->redacted);
	redact(&f->redacted, json_trim(line));
	return buffer_span(&f->redacted);
}

void filter_pass(struct filter *f, struct span line)
{
	if (line.at == NULL)
		return;
	line = filter_redacted(f, line);
	if (f->map.program != NULL)
		filter_evaluate(f, &f->map, line, true);
	else
		filter_write(f, line);
}
