/*
 * failure: provider errors, read from error bodies of many forms.
 *
 * The decoders use it for errors inside a stream, http_model.c for HTTP statuses that are not 2xx.
 */
#ifndef MODEL_FAILURE_H
#define MODEL_FAILURE_H

#include "model/model.h"
#include "model/registry.h"

/* Zeroed: nothing failed. */
struct failure {
	enum error_kind kind;   /* ERROR_NONE: nothing failed */
	struct buffer message;  /* one sentence */
	struct buffer code;     /* the provider's; empty: none */
	struct buffer feedback; /* for the model, if the error is its mistake; empty: none */
	struct buffer request_id;
	int http_status;
	/* Seconds; 0: the provider does not ask to wait. "Retry-After: 0" counts as not asked, so
	 * that requests are not repeated at once. */
	double retry_after;
	bool retryable;
	bool unsent; /* no connection was established */
};

/* Record a failure that was found here, unless there is one already. Returns false. */
bool failure_set(struct failure *failure, enum error_kind kind, bool retryable, const char *format,
		 ...) __attribute__((format(printf, 4, 5)));

/* Record the failure that `body` reports, unless there is one already: JSON of a known form, else
 * the beginning of the text. `http_status` is 0 for an error inside a stream. Returns false. */
bool failure_read(struct failure *failure, const struct provider *provider, int http_status,
		  struct span body);

/* Append the beginning of a body that is not JSON, on one line and without <tags>. */
void failure_quote(struct span body, struct buffer *out);

/* Add the request id, Retry-After and x-should-retry from the head of the response. */
void failure_head(struct failure *failure, const struct http_head *head);

/* Write the failure, if there is one, into `outcome` (finish and error). The strings stay
 * `failure`'s. */
void failure_write(struct failure *failure, struct model_outcome *outcome);

/* The same for a failure of `provider`: its secrets are masked first. */
void failure_report(struct failure *failure, const struct provider *provider,
		    struct model_outcome *outcome);

void failure_free(struct failure *failure);

#endif
