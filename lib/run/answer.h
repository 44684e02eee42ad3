/*
 * answer: one response of the model, assembled from its deltas.
 */
#ifndef RUN_ANSWER_H
#define RUN_ANSWER_H

#include "model/model.h"
#include "schema/schema.h"

struct answer_call {
	char *id;          /* unique within the run */
	char *provider_id; /* the provider's id, if it is another one; NULL: it is `id` */
	char *name;
	struct buffer args;          /* as the model wrote them; {} if it wrote nothing */
	struct buffer provider_data; /* empty: none */
	bool valid;                  /* args are a JSON object; known after answer_finish */

	bool free_form;   /* the arguments are text and not yet {"input":"..."} */
	bool by_provider; /* a hosted call; the rest is for hosted calls only */
	enum { ANSWER_CALL_NEW, ANSWER_CALL_RUNNING, ANSWER_CALL_OVER } state;
	int64_t began_at;     /* clock_monotonic */
	struct buffer result; /* JSON or plain text */
	bool is_error;
};

enum answer_part_type { ANSWER_TEXT, ANSWER_THINKING, ANSWER_CALL, ANSWER_OPAQUE };

struct answer_part {
	enum answer_part_type type;
	struct buffer text;          /* of text and thinking */
	struct buffer provider_data; /* empty: none */
	size_t call;                 /* position of a call */
};

/* Zeroed: empty. */
struct answer {
	struct answer_part *parts;
	size_t part_count;
	struct answer_call *calls; /* by delta index */
	size_t call_count;
	struct buffer provider_data;
};

/* Add a delta. For MODEL_TOOL_CALL, `id` is the call id to use instead of the delta's. */
void answer_add(struct answer *answer, const struct model_delta *delta, const char *id);

/* Add a whole message that answer_write_message wrote. */
void answer_load(struct answer *answer, struct span message);

/* The call `index`; NULL: there is none. Valid until the next answer_add. */
struct answer_call *answer_call_at(struct answer *answer, int index);

/* How many calls are to be run here. */
size_t answer_calls_to_run(const struct answer *answer);

/* Decide whether the arguments of a call are valid; they are complete. */
void answer_finish_call(struct answer_call *call);

/* The response is complete: decide which calls are valid. */
void answer_finish(struct answer *answer);

/* The arguments of a call without white space around them; {} if they are not valid. */
struct span answer_args(const struct answer_call *call);

/* Append the neutral message. `refusal` may be NULL. */
void answer_write_message(const struct answer *answer, const char *provider, const char *model,
			  const char *refusal, struct buffer *out);

/* All text parts together, valid until the answer or `joined` changes. `joined`, which is empty, is
 * filled if there are several parts. */
struct span answer_text(const struct answer *answer, struct buffer *joined);

/* Empty it for the next response. */
void answer_clear(struct answer *answer);
void answer_free(struct answer *answer);

/* ---- structured output ---- */

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
