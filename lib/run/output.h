/*
 * output: a structured answer, while it is written and when it is complete.
 */
#ifndef RUN_OUTPUT_H
#define RUN_OUTPUT_H

#include "schema/schema.h"

/* Zeroed: nothing was written yet. */
struct output {
	struct buffer text;  /* of the answer so far */
	struct buffer value; /* the JSON that it shows so far */
	size_t looked_at;    /* bytes of text when that was found */
};

/* The answer has grown by `piece`. Returns whether `value` is another one now: not every byte
 * changes it, and of a long text only every sixty-fourth part is looked at. */
bool output_add(struct output *output, struct span piece);

/* Another answer begins. */
void output_clear(struct output *output);
void output_free(struct output *output);

/* The JSON value that the complete answer `text` consists of, a code fence around it left out;
 * absent when it is none. */
struct span output_json(struct span text);

/* Whether the answer is JSON that satisfies `schema`; if not, `why` gets a sentence that the model
 * can act on. */
bool output_check(struct span text, struct schema *schema, struct buffer *why);

/* How the error event of an answer that does not satisfy the schema begins; what is wrong follows.
 */
#define OUTPUT_FAULT "the answer does not satisfy the schema: "

/* Append what the model is told when it is asked again: `fault` is the sentence of the event.
 * False, with nothing appended, for other sentences. */
bool output_correction(struct span fault, struct buffer *out);

#endif
