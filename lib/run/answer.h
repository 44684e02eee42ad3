/*
 * answer: one response of the model, put together from its deltas.
 */
#ifndef RUN_ANSWER_H
#define RUN_ANSWER_H

#include "model/model.h"
#include "schema/schema.h"

struct answer_call {
	char *id;          /* unique within the run */
	char *provider_id; /* the provider's own where that is another one; NULL: it is `id` */
	char *name;
	struct buffer args;          /* as the model wrote them; {} when it wrote nothing */
	struct buffer provider_data; /* empty: none */
	bool valid;                  /* args are a JSON object; known after answer_finish */

	bool free_form;   /* the arguments are text and not yet {"input":"..."} */
	bool by_provider; /* the provider runs it; the rest is of such calls only */
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

/* Take a delta in. For MODEL_TOOL_CALL, `id` is the id to use instead of the delta's own. */
void answer_add(struct answer *answer, const struct model_delta *delta, const char *id);

/* Take in a whole message, as answer_write_message wrote it. */
void answer_load(struct answer *answer, struct span message);

/* The call `index`; NULL when there is none. */
struct answer_call *answer_call_at(struct answer *answer, int index);

/* How many calls are to be run here. */
size_t answer_calls_to_run(const struct answer *answer);

/* Decide whether the arguments of a call are valid; they are complete. */
void answer_finish_call(struct answer_call *call);

/* The response is complete: decide which calls are valid. */
void answer_finish(struct answer *answer);

/* The arguments of a call without white space around them; {} when they are not valid. */
struct span answer_args(const struct answer_call *call);

/* Append the neutral message. `refusal` may be NULL. */
void answer_write_message(const struct answer *answer, const char *provider, const char *model,
			  const char *refusal, struct buffer *out);

/* Append the answer's text, all text parts together. */
void answer_text(const struct answer *answer, struct buffer *out);

/* Empty it for the next response. */
void answer_clear(struct answer *answer);
void answer_free(struct answer *answer);

/* ---- structured output ---- */

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
