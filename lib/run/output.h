/*
 * output: structured output, an answer that is JSON and satisfies a schema.
 */
#ifndef RUN_OUTPUT_H
#define RUN_OUTPUT_H

#include "schema/schema.h"

/* A structured answer that is being written. Zeroed: empty. */
struct output {
	struct buffer text;  /* of the answer so far */
	struct buffer value; /* the JSON that it shows so far */
	size_t looked_at;    /* the length of `text` when `value` was computed */
};

/* Add `piece` to the answer. Returns whether `value` has changed. The value of a long text is
 * computed only after each 64th part of it. */
bool output_add(struct output *output, struct span piece);

/* Another answer begins. */
void output_clear(struct output *output);
void output_free(struct output *output);

/* The JSON value that the complete answer `text` consists of, without a code fence around it;
 * absent: the text is not JSON. */
struct span output_json(struct span text);

/* Whether the answer is JSON that satisfies `schema`; if not, append a sentence to `why` that helps
 * the model to correct it. */
bool output_check(struct span text, struct schema *schema, struct buffer *why);

/* The beginning of the error message for an answer that does not satisfy the schema; the fault
 * follows. */
#define OUTPUT_FAULT "the answer does not satisfy the schema: "

/* Append the prompt that asks the model to correct its answer. `fault` is the error message; other
 * messages append nothing and return false. */
bool output_correction(struct span fault, struct buffer *out);

#endif
