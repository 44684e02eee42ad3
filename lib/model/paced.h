/*
 * paced: answers that are made here (test, replay) and delivered as the loop goes round: many
 * deltas a turn when nothing asks for a pause, so that signals and other streams have their turn
 * too.
 */
#ifndef MODEL_PACED_H
#define MODEL_PACED_H

#include "model/model_type.h"

/* The first member of such a call's own struct, which mem_zero has allocated. */
struct paced_call {
	struct model_call call;
	struct model_handler handler;

	/* Deliver the next delta, if there is one, and set the `seconds` to wait before the next
	 * one (0: none). Returns false when nothing is left. */
	bool (*next)(struct paced_call *call, double *seconds);

	/* Fill in how the answer ended; its strings are valid until `release`. */
	void (*outcome)(struct paced_call *call, struct model_outcome *outcome);

	/* Free what the call owns; the struct itself is freed afterwards. */
	void (*release)(struct paced_call *call);

	/* private */
	struct loop *loop;
	struct loop_timer *timer;
	bool busy, cancelled;
};

/* Deliver the answer, beginning after `seconds`; never at once. */
struct model_call *paced_start(struct paced_call *call, struct loop *loop, double seconds);

/* The cancel function of a model_type. */
void paced_cancel(struct model_call *call);

/* Whether the request's options are all in `known` (NULL-terminated); else an error of the model
 * `model` that names them. */
bool options_known(const struct model_request *request, const char *const *known, const char *model,
		   struct error *e);

/* Append the text of an option, or the JSON of another value. Returns whether the option is set. */
bool option_text(const struct model_request *request, const char *key, struct buffer *out);

/* A number of at least 0 in an option; `otherwise` when it is not set. False with `e` for others.
 */
bool option_number(const struct model_request *request, const char *key, double otherwise,
		   double *number, struct error *e);

#endif
