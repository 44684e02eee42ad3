/*
 * program: jq expressions, run by libjq on JSON texts.
 *
 * The only room that knows libjq. The library is loaded when the first expression is compiled, so a
 * program that is given none starts without it. Expressions may import modules from the user's
 * $XDG_CONFIG_HOME/agent/jq and from share/agent/jq: import "agent" as a; ...
 *
 * libjq before 1.7 holds numbers as doubles: what a program yields may have lost digits, so who
 * passes JSON on takes it from the input. Lone surrogate escapes become U+FFFD.
 */
#ifndef JQ_PROGRAM_H
#define JQ_PROGRAM_H

#include "base/message.h"
#include "base/span.h"

struct jq_program;

/* $name in the expression. */
struct jq_variable {
	const char *name;
	struct span json;
};

/* Compile `expression`. `debug` and `stderr` in it write to standard error, as jq does; `input` has
 * nothing to give. NULL with `e` (kind "usage"): libjq is missing (the message names the
 * package), a variable is not JSON, or the expression does not compile (the message is jq's own,
 * several lines). */
struct jq_program *jq_program_open(const char *expression, const struct jq_variable *variables,
				   size_t count, struct error *e);
void jq_program_close(struct jq_program *program);

/* Begin to run the program on a JSON text. False with `e` when libjq does not read it: it is not
 * JSON, or nested deeper than libjq takes (256 levels before 1.7). */
bool jq_program_start(struct jq_program *program, struct span json, struct error *e);

enum jq_result {
	JQ_RESULT_VALUE,
	JQ_RESULT_END,
	JQ_RESULT_ERROR, /* `e` holds the run-time error; there are no more values */
};

/* The next value: its compact JSON text (valid until the next call; NULL to leave it out, which is
 * faster), and whether it is neither false nor null. */
enum jq_result jq_program_next(struct jq_program *program, struct span *json, bool *truthy,
			       struct error *e);

/* Run the program on the JSON object `json` and the state that it keeps between its steps, which it
 * finds in the member "state" (none before the first step). It is to yield
 * {"state":..., "events":[...]}: the state of the next step, and values that jq_program_event
 * hands out. False with `e` when libjq does not read the text, the program fails or yields
 * something else; the state is then what it was. */
bool jq_program_step(struct jq_program *program, struct span json, struct error *e);

/* The next event of the last step: its compact JSON text, valid until the next call. False: there
 * are no more. */
bool jq_program_event(struct jq_program *program, struct span *json);

/* Whether the program has ended by `halt` (the result was JQ_RESULT_END) or `halt_error`
 * (JQ_RESULT_ERROR, `e` holding its message): it wants no more input. `status` is the exit status
 * that it asks for. */
bool jq_program_halted(struct jq_program *program, int *status);

#endif
