#include "model/protocol/bedrock.h"

/* What each exception's HTTP status would have been; a stream has no other. The model's own failure
 * is worth another try as a server's is. */
static int status_of(struct span name)
{
	static const struct {
		const char *name;
		int status;
	} known[] = {
	    {"throttlingException", 429},       {"serviceUnavailableException", 503},
	    {"internalServerException", 500},   {"modelStreamErrorException", 500},
	    {"modelTimeoutException", 408},     {"modelNotReadyException", 429},
	    {"validationException", 400},       {"accessDeniedException", 403},
	    {"resourceNotFoundException", 404}, {"serviceQuotaExceededException", 400},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (span_is(name, known[i].name))
			return known[i].status;
	return 500;
}

bool bedrock_exception(struct bedrock_decoder *d, struct span name, struct span payload)
{
	struct buffer text = {0}, json = {0};

	if (json_check(payload, NULL)) {
		struct span message = json_get(payload, "message");

		if (message.at == NULL)
			message = json_get(payload, "Message");
		json_decode(message, &text);
		if (text.len == 0)
			json_decode(json_get(payload, "originalMessage"), &text);
	} else {
		buffer_add_span(&text, payload);
	}
	if (text.len == 0)
		buffer_add_span(&text, name);
	json_open(&json, '{');
	json_put_string(&json, "type", name);
	json_put_int(&json, "status_code", status_of(name));
	json_put_string(&json, "message", buffer_span(&text));
	json_close(&json, '}');
	failure_read(&d->failure, d->base.provider, 0, buffer_span(&json));
	buffer_free(&text);
	buffer_free(&json);
	return false;
}
