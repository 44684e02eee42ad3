/*
 * failure: what a provider says went wrong, from the many shapes of error bodies to one.
 *
 * Every adapter uses it for errors inside a stream, http_model.c for HTTP answers that are not 2xx.
 */
#ifndef MODEL_FAILURE_H
#define MODEL_FAILURE_H

#include "model/model.h"
#include "model/registry.h"

/* Zeroed: nothing failed. */
struct failure {
	enum error_kind kind;  /* ERROR_NONE: nothing failed */
	struct buffer message; /* one sentence */
	struct buffer code;    /* the provider's; empty: none */
	struct buffer feedback;
	struct buffer request_id;
	int http_status;
	double retry_after; /* 0: not asked */
	bool retryable;
};

/* Record a failure that was noticed here. The first one counts; returns false. */
bool failure_set(struct failure *failure, enum error_kind kind, bool retryable, const char *format,
		 ...) __attribute__((format(printf, 4, 5)));

/* Record what `body` says: JSON of any known shape, else the beginning of the text. `http_status`
 * is 0 for an error inside a stream. The first failure counts; returns false. */
bool failure_read(struct failure *failure, const struct provider *provider, int http_status,
		  struct span body);

/* Append the beginning of a body that is not JSON, on one line and without what stands in <...>. */
void failure_quote(struct span body, struct buffer *out);

/* Add what the head of the answer says: request id, Retry-After, x-should-retry. */
void failure_head(struct failure *failure, const struct http_head *head);

/* Write the failure, if there is one, into `outcome` (finish and error). The strings stay
 * `failure`'s. */
void failure_write(struct failure *failure, struct model_outcome *outcome);

/* The same for a failure of `provider`: its secrets are masked first. */
void failure_report(struct failure *failure, const struct provider *provider,
		    struct model_outcome *outcome);

void failure_free(struct failure *failure);

#endif
