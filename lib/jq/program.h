/*
 * program: run jq expressions on JSON texts with libjq.
 *
 * This is the only code that uses libjq. The library is loaded when the first expression is
 * compiled, so a program without expressions starts without it. Expressions can import modules from
 * the user's $XDG_CONFIG_HOME/agent/jq and from share/agent/jq: import "agent" as a; ...
 *
 * libjq before 1.7 stores numbers as doubles, so results can lose digits. Code that copies JSON
 * copies it from the input instead. Lone surrogate escapes become U+FFFD.
 */
#ifndef JQ_PROGRAM_H
#define JQ_PROGRAM_H

#include "base/error.h"
#include "base/span.h"

struct jq_program;

/* A variable $name in the expression. */
struct jq_variable {
	const char *name;
	struct span json;
};

/* Compile `expression`. `debug` and `stderr` in it write to standard error, as in jq; `input`
 * fails. Returns NULL and sets `e` (kind "usage") if libjq is missing (the message names the
 * package), a variable is not JSON, or the expression does not compile (the message is jq's own,
 * several lines). */
struct jq_program *jq_program_open(const char *expression, const struct jq_variable *variables,
				   size_t count, struct error *e);
void jq_program_close(struct jq_program *program);

/* Start the program on a JSON text. Returns false and sets `e` if libjq refuses the text: it is not
 * JSON, or nested deeper than libjq accepts (256 levels before 1.7). */
bool jq_program_start(struct jq_program *program, struct span json, struct error *e);

enum jq_result {
	JQ_RESULT_VALUE,
	JQ_RESULT_END,
	JQ_RESULT_ERROR, /* `e` contains the run-time error; there are no more values */
};

/* Get the next value: its compact JSON text (valid until the next call; pass NULL if you do not
 * need it, which is faster), and whether it is neither false nor null. */
enum jq_result jq_program_next(struct jq_program *program, struct span *json, bool *truthy,
			       struct error *e);

/* Run the program on the JSON object `json`. The program gets the state of the previous step in the
 * member "state" (missing in the first step). It must yield {"state":..., "events":[...]}: the
 * state for the next step, and the values that jq_program_event returns. Returns false and sets `e`
 * if libjq refuses the text, or if the program fails or yields something else; the state does not
 * change then. */
bool jq_program_step(struct jq_program *program, struct span json, struct error *e);

/* Get the next event of the last step: its compact JSON text, valid until the next call. Returns
 * false if there are no more. */
bool jq_program_event(struct jq_program *program, struct span *json);

/* Whether the program ended with `halt` (the result was JQ_RESULT_END) or `halt_error`
 * (JQ_RESULT_ERROR, with the message in `e`) and needs no more input. Sets `status` to the exit
 * status that it requests. */
bool jq_program_halted(struct jq_program *program, int *status);

#endif
