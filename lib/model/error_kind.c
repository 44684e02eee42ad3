#include "model/error_kind.h"

#include "json/json.h"

const char *error_kind_name(enum error_kind kind)
{
	switch (kind) {
	case ERROR_NONE:
		return NULL;
	case ERROR_AUTH:
		return "auth";
	case ERROR_QUOTA:
		return "quota";
	case ERROR_RATE_LIMIT:
		return "rate_limit";
	case ERROR_OVERLOADED:
		return "overloaded";
	case ERROR_CONTEXT:
		return "context";
	case ERROR_CONTENT_FILTER:
		return "content_filter";
	case ERROR_NOT_FOUND:
		return "not_found";
	case ERROR_INVALID_REQUEST:
		return "invalid_request";
	case ERROR_SERVER:
		return "server";
	case ERROR_NETWORK:
		return "network";
	case ERROR_TIMEOUT:
		return "timeout";
	case ERROR_STREAM_TRUNCATED:
		return "stream_truncated";
	case ERROR_TOOL_VALIDATION:
		return "tool_validation";
	case ERROR_INVALID_RESPONSE:
		return "invalid_response";
	case ERROR_REPLAY_MISMATCH:
		return "replay_mismatch";
	case ERROR_USAGE:
		return "usage";
	case ERROR_CANCELLED:
		return "cancelled";
	case ERROR_LIMIT:
		return "limit";
	case ERROR_LENGTH:
		return "length";
	case ERROR_REFUSAL:
		return "refusal";
	case ERROR_MODEL:
		return "model";
	case ERROR_PRICES:
		return "prices";
	case ERROR_INVALID_OUTPUT:
		return "invalid_output";
	}
	return NULL;
}

enum error_kind error_kind_of_model(struct span name)
{
	for (enum error_kind kind = ERROR_AUTH; kind <= ERROR_INVALID_RESPONSE; kind++)
		if (json_is(name, error_kind_name(kind)))
			return kind;
	return ERROR_SERVER;
}
