/* When what agent-tools shows is written. */
#include "base/file.h"
#include "event/terminal.h"
#include "tools_program.h"

/* Records on a terminal are made safe as a whole: their own tabs and newlines stay. */
static void write_records(struct tools_program *p)
{
	struct buffer safe = {0};

	if (!p->options.safe) {
		stdout_write(&p->out);
		return;
	}
	if (p->options.form == FORM_JSON)
		terminal_add_json(&safe, buffer_span(&p->out));
	else
		terminal_add(&safe, buffer_span(&p->out));
	buffer_clear(&p->out);
	stdout_write(&safe);
	buffer_free(&safe);
}

void output_flush(void *self)
{
	struct tools_program *p = self;

	if (p->live != NULL)
		live_flush(p->live);
	else if (p->summary == NULL)
		write_records(p);
}

void output_clear(void *self)
{
	struct tools_program *p = self;

	if (p->live != NULL)
		live_clear(p->live);
	else
		output_flush(p);
}

void output_finish(struct tools_program *p)
{
	if (p->summary != NULL) {
		summary_write(p->summary, &p->options, &p->out);
		write_records(p);
	}
	output_clear(p);
}
