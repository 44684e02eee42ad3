#include "model/error_kind.h"

#include "json/json.h"

static const char *const names[] = {
    [ERROR_NONE] = NULL,
    [ERROR_AUTH] = "auth",
    [ERROR_QUOTA] = "quota",
    [ERROR_RATE_LIMIT] = "rate_limit",
    [ERROR_OVERLOADED] = "overloaded",
    [ERROR_CONTEXT] = "context",
    [ERROR_CONTENT_FILTER] = "content_filter",
    [ERROR_NOT_FOUND] = "not_found",
    [ERROR_INVALID_REQUEST] = "invalid_request",
    [ERROR_SERVER] = "server",
    [ERROR_NETWORK] = "network",
    [ERROR_TIMEOUT] = "timeout",
    [ERROR_STREAM_TRUNCATED] = "stream_truncated",
    [ERROR_TOOL_VALIDATION] = "tool_validation",
    [ERROR_EMPTY_RESPONSE] = "empty_response",
    [ERROR_INVALID_RESPONSE] = "invalid_response",
    [ERROR_REPLAY_MISMATCH] = "replay_mismatch",
    [ERROR_USAGE] = "usage",
    [ERROR_CANCELLED] = "cancelled",
    [ERROR_LIMIT] = "limit",
    [ERROR_LENGTH] = "length",
    [ERROR_REFUSAL] = "refusal",
    [ERROR_MODEL] = "model",
    [ERROR_PRICES] = "prices",
    [ERROR_INVALID_OUTPUT] = "invalid_output",
    [ERROR_SYSTEM] = "system",
};

const char *error_kind_name(enum error_kind kind)
{
	return names[kind];
}

enum error_kind error_kind_of_model(struct span name)
{
	for (enum error_kind kind = ERROR_AUTH; kind <= ERROR_INVALID_RESPONSE; kind++)
		if (json_is(name, names[kind]))
			return kind;
	return ERROR_SERVER;
}
