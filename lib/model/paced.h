/*
 * paced: the responses of the built-in models test and replay, which deliver a limited number of
 * deltas in one turn of the loop, so that signals and other streams are handled in between.
 */
#ifndef MODEL_PACED_H
#define MODEL_PACED_H

#include "model/model_type.h"

/* The first member of the struct of such a call, which is allocated by mem_zero. */
struct paced_call {
	struct model_call call;
	struct model_handler handler;

	/* Deliver the next delta, if there is one, and set the `seconds` to wait after it (0:
	 * none). Returns false if nothing is left. */
	bool (*next)(struct paced_call *call, double *seconds);

	/* Write how the response ended; the strings are valid until `release`. */
	void (*outcome)(struct paced_call *call, struct model_outcome *outcome);

	/* Free what the call owns; the struct itself is freed afterwards. */
	void (*release)(struct paced_call *call);

	/* private */
	struct loop *loop;
	struct loop_timer *timer;
	bool busy, cancelled;
};

/* Deliver the response after `seconds`, never inside this call. */
struct model_call *paced_start(struct paced_call *call, struct loop *loop, double seconds);

/* The cancel function of a model_type. */
bool paced_cancel(struct model_call *call);

/* Whether all options of the request are in `known` (NULL-terminated). Else sets `e`, which lists
 * the options of the model `model`. */
bool options_known(const struct model_request *request, const char *const *known, const char *model,
		   struct error *e);

/* Append the text of an option, or the JSON of another value. Returns whether the option is set. */
bool option_text(const struct model_request *request, const char *key, struct buffer *out);

/* A number of at least 0, a duration or a count in an option; `otherwise` if it is not set. False
 * with `e` for other values. */
bool option_number(const struct model_request *request, const char *key, double otherwise,
		   double *number, struct error *e);
bool option_duration(const struct model_request *request, const char *key, double otherwise,
		     double *seconds, struct error *e);
bool option_count(const struct model_request *request, const char *key, int64_t otherwise,
		  int64_t *count, struct error *e);

#endif
