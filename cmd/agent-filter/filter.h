/*
 * filter: what the parts of agent-filter share. main.c has the options, select.c chooses events and
 * finds the status of their runs, write.c writes them.
 */
#ifndef AGENT_FILTER_FILTER_H
#define AGENT_FILTER_FILTER_H

#include "choose.h"
#include "envelope.h"
#include "event/keep_alive.h"
#include "event/reader_main.h"
#include "jq/program.h"
#include "merge.h"
#include "schema/schema.h"
#include "translate.h"

/* A jq expression, and the option that has it. */
struct expression {
	const char *option, *text; /* NULL: none */
	struct jq_program *program;
};

struct filter {
	struct reader_main main;
	char **argv;
	struct choice choice;
	struct expression *selects, map; /* an event satisfies all of `selects` */
	size_t select_count;
	const char *from_name, *to_name;
	struct jq_variable *variables; /* owned, with their JSON */
	size_t variable_count;
	struct merge merge;
	struct keep_alive keep_alive;
	bool sse, count_only, exit_status, validate, ends, renumber, redacts;
	bool safe;       /* for a terminal: control characters are made visible */
	bool has_reader; /* standard output is a pipe, whose reader reports the end of a run */

	struct schema **valid; /* an event satisfies all of them */
	size_t valid_count;
	struct schema *events; /* of --validate */
	struct translation *from, *to;
	struct envelopes envelopes; /* of --renumber */
	struct buffer numbered, redacted;
	struct buffer out;
	uint64_t printed, ends_printed; /* lines: all, and those that only --ends selected */
	bool end_passed;                /* the agent_end was written as an event */
	bool translated;                /* --from has made an event */
	bool halted;                    /* an expression called halt, */
	int halt_status;                /* with this exit status */
};

/* ---- select.c ---- */

/* Take a line of the input. Returns whether to go on. */
bool filter_line(void *filter, struct span line);

/* The end of the input: write what --from and --debounce hold, and report runs that failed, but
 * have no agent_end. */
void filter_end_input(struct filter *filter);

/* Free run->state. */
void filter_free_failure(void *state);

/* ---- write.c ---- */

/* Write an event that is selected: without what --redact drops, and as --map says. Does nothing if
 * it is absent. */
void filter_pass(struct filter *filter, struct span line);

/* The event for --redact, valid until the next one. */
struct span filter_redacted(struct filter *filter, struct span line);

/* Write a line, with its number of --renumber, in the vocabulary of --to. An absent line is the end
 * of the input. */
void filter_write(struct filter *filter, struct span line);

/* Run an expression on a line: write all of its values or, without `prints`, stop at the first
 * value that is true, and return whether there is one. */
bool filter_evaluate(struct filter *filter, const struct expression *x, struct span line,
		     bool prints);

/* Report a line that the module of `option` (--from or --to) did not translate. */
void filter_report_untranslated(struct filter *filter, const char *option, const char *format,
				struct error *e);

/* Write to standard output what is pending. */
void filter_flush(void *filter);

#endif
