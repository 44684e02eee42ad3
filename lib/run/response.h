/*
 * response: one response of the model, assembled from its deltas.
 */
#ifndef RUN_RESPONSE_H
#define RUN_RESPONSE_H

#include "model/model.h"

struct response_call {
	char *id;          /* unique within the run */
	char *provider_id; /* the provider's id, if it is another one; NULL: it is `id` */
	char *name;
	struct buffer args; /* as the model wrote them, on one line if they are valid; {} if
			     * it wrote nothing */
	struct buffer provider_data; /* empty: none */
	bool valid; /* args are a JSON object; known after response_finish. Unless the provider runs
		     * the call, no object in them has a key twice: programs differ in which counts.
		     */

	bool free_form;   /* the arguments are text and not yet {"input":"..."} */
	bool by_provider; /* a hosted call; the rest is for hosted calls only */
	enum { RESPONSE_CALL_NEW, RESPONSE_CALL_RUNNING, RESPONSE_CALL_OVER } state;
	int64_t began_at;     /* clock_monotonic */
	struct buffer result; /* JSON or plain text */
	bool is_error;
};

enum response_part_type { RESPONSE_TEXT, RESPONSE_THINKING, RESPONSE_CALL, RESPONSE_OPAQUE };

struct response_part {
	enum response_part_type type;
	struct buffer text;          /* of text and thinking */
	struct buffer provider_data; /* empty: none */
	size_t call;                 /* position of a call */
};

/* Zeroed: empty. */
struct response {
	struct response_part *parts;
	size_t part_count;
	struct response_call *calls; /* by delta index */
	size_t call_count;
	struct buffer provider_data;
};

/* Add a delta. For MODEL_TOOL_CALL, `id` is the call id to use instead of the delta's. */
void response_add(struct response *response, const struct model_delta *delta, const char *id);

/* Add a whole message that response_write_message wrote. */
void response_load(struct response *response, struct span message);

/* The call `index`; NULL: there is none. Valid until the next response_add. */
struct response_call *response_call_at(struct response *response, int index);

/* How many calls are to be run here. */
size_t response_calls_to_run(const struct response *response);

/* Decide whether the arguments of a call are valid; they are complete. */
void response_finish_call(struct response_call *call);

/* The response is complete: decide which calls are valid. */
void response_finish(struct response *response);

/* Whether the end of a complete response is missing within a call that is to be run: its arguments
 * are not valid, or the last part is such a call without arguments. */
bool response_is_cut(const struct response *response);

/* The arguments of a call; {} if they are not valid. */
struct span response_args(const struct response_call *call);

/* Append the neutral message. `refusal` may be NULL. */
void response_write_message(const struct response *response, const char *provider,
			    const char *model, const char *refusal, struct buffer *out);

/* Whether a part of the type, text or thinking, has more than white space. */
bool response_has(const struct response *response, enum response_part_type type);

/* All text parts together, valid until the response or `joined` changes. `joined`, which is empty,
 * is filled if there are several parts. */
struct span response_text(const struct response *response, struct buffer *joined);

/* Empty it for the next response. */
void response_clear(struct response *response);
void response_free(struct response *response);

#endif
