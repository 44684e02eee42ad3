/*
 * error_kind: what kind of error ends a response or a run: the words of "exception_type" in
 * agent-events(5).
 */
#ifndef MODEL_ERROR_KIND_H
#define MODEL_ERROR_KIND_H

#include "base/span.h"

enum error_kind {
	ERROR_NONE,
	/* of a model; event_response.c reads these from logs */
	ERROR_AUTH,
	ERROR_QUOTA,
	ERROR_RATE_LIMIT,
	ERROR_OVERLOADED,
	ERROR_CONTEXT,
	ERROR_CONTENT_FILTER,
	ERROR_NOT_FOUND,
	ERROR_INVALID_REQUEST,
	ERROR_SERVER,
	ERROR_NETWORK,
	ERROR_TIMEOUT,
	ERROR_STREAM_TRUNCATED,
	ERROR_TOOL_VALIDATION,
	ERROR_EMPTY_RESPONSE,
	ERROR_INVALID_RESPONSE,
	/* of a run */
	ERROR_REPLAY_MISMATCH,
	ERROR_USAGE,
	ERROR_CANCELLED,
	ERROR_LIMIT,
	ERROR_LENGTH,
	ERROR_REFUSAL,
	ERROR_MODEL,
	ERROR_PRICES,
	ERROR_INVALID_OUTPUT,
	ERROR_SYSTEM,
};

/* "rate_limit"; NULL for ERROR_NONE. */
const char *error_kind_name(enum error_kind kind);

/* The kind of a model's error that the JSON string `name` names; ERROR_SERVER for any other. */
enum error_kind error_kind_of_model(struct span name);

#endif
