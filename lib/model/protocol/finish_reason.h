/*
 * finish_reason: the reasons that providers give for the end of a response.
 */
#ifndef MODEL_FINISH_REASON_H
#define MODEL_FINISH_REASON_H

#include "model/model.h"

/* A reason. Tables of protocols have those that only their providers give; finish_reason.c has
 * those that any provider may give. Upper case and punctuation do not matter. An unknown reason
 * means MODEL_STOP: a new one is no fault. With MODEL_ERROR the response has failed: `kind` and
 * `retryable` are those of model_error, the message is "PROVIDER sentence" (NULL: the protocol's
 * flush records it). */
struct finish_reason {
	const char *name; /* NULL ends the table */
	enum model_finish finish;
	enum error_kind kind;
	const char *sentence;
	bool retryable;
	int number; /* the reason where a provider sends enums as numbers; 0: none */
};

/* The row of a reason in `own` (NULL: none) or in finish_reason.c; NULL: unknown. */
const struct finish_reason *finish_reason_find(struct span name, const struct finish_reason *own);

#endif
