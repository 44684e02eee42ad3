/*
 * Errors of providers: every shape of body, and what each one means.
 */
#include "openai_chat_chunks.h"

static void shapes(void)
{
	http_error("quirk 66: {\"error\":{\"message\"}}",
		   " error [not_found] prov answered HTTP 404: The model `x` does not exist", 404,
		   "{\"error\":{\"message\":\"The model `x` does not exist.\",\"type\":"
		   "\"invalid_request_error\",\"param\":null,\"code\":\"model_not_found\"}}");
	http_error("quirk 66: error is a string beside code (xAI)",
		   " error [auth] prov refused the key (HTTP 400: Incorrect API key provided: xx); "
		   "check TEST_API_KEY",
		   400,
		   "{\"code\":\"invalid-argument\",\"error\":\"Incorrect API key provided: xx.\"}");
	http_error("quirk 66: {\"message\"} (Cohere, Bedrock)",
		   " error [invalid_request] prov answered HTTP 400: invalid model", 400,
		   "{\"message\":\"invalid model\"}");
	http_error("quirk 66: {\"type\":\"error\",\"error\":{}} (Anthropic)",
		   " error [overloaded, retry] prov answered HTTP 529: Overloaded", 529,
		   "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":"
		   "\"Overloaded\"}}");
	http_error(
	    "quirk 66: [{\"error\":{}}] (Gemini)",
	    " error [invalid_request] prov answered HTTP 400: bad", 400,
	    "[{\"error\":{\"code\":400,\"message\":\"bad\",\"status\":\"INVALID_ARGUMENT\"}}]");
	http_error("quirk 66: {\"error\":\"text\"} (Ollama)",
		   " error [not_found] prov answered HTTP 404: model 'x' not found", 404,
		   "{\"error\":\"model 'x' not found\"}");
	http_error(
	    "quirk 67: {\"detail\":\"text\"} (Mistral)",
	    " error [auth] prov refused the key (HTTP 401: Invalid API Key); check TEST_API_KEY",
	    401, "{\"detail\":\"Invalid API Key\"}");
	http_error("{\"detail\":[{\"msg\"}]} (FastAPI)",
		   " error [invalid_request] prov answered HTTP 422: field required", 422,
		   "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"field required\"}]}");
	http_error("{\"Message\":\"text\"} (AWS)",
		   " error [auth] prov refused access (HTTP 403: denied); check TEST_API_KEY", 403,
		   "{\"Message\":\"denied\"}");
	http_error(
	    "{\"errors\":[{}]} (Cloudflare)",
	    " error [invalid_request] prov answered HTTP 400: No such model", 400,
	    "{\"success\":false,\"errors\":[{\"code\":7000,\"message\":\"No such model\"}]}");
	http_error("{\"object\":\"error\",\"message\"} (Mistral, vLLM)",
		   " error [invalid_request] prov answered HTTP 400: Not the same number of calls",
		   400,
		   "{\"object\":\"error\",\"message\":\"Not the same number of calls\",\"type\":"
		   "\"invalid_request_message_order\",\"param\":null,\"code\":\"3230\"}");
	http_error(
	    "{\"error\":{\"metadata\":{\"raw\"}}} (OpenRouter)",
	    " error [rate_limit, retry] prov answered HTTP 429: Provider returned error: slow "
	    "down",
	    429,
	    "{\"error\":{\"message\":\"Provider returned error\",\"code\":429,\"metadata\":{"
	    "\"raw\":\"slow down\",\"provider_name\":\"P\"}}}");
	http_error(
	    "HTML from a proxy",
	    " error [server, retry] prov answered HTTP 502: 502 Bad Gateway nginx", 502,
	    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center>nginx"
	    "</center>\r\n</body></html>");
	http_error("an empty body", " error [server, retry] prov answered HTTP 500", 500, "");
	http_error("text", " error [overloaded, retry] prov answered HTTP 503: try later", 503,
		   "try later\n");
	http_error("text that is no UTF-8",
		   " error [server, retry] prov answered HTTP 500: a\xEF\xBF\xBD"
		   "b",
		   500,
		   "a\xFF"
		   "b");
	http_error("JSON that is no error", " error [server, retry] prov answered HTTP 500: {}",
		   500, "{}");
	http_error("JSON that is null", " error [server, retry] prov answered HTTP 500: null", 500,
		   "null");
}

static void kinds(void)
{
	http_error("quota is not worth a retry",
		   " error [quota] prov answered HTTP 429: You exceeded your current quota", 429,
		   "{\"error\":{\"message\":\"You exceeded your current quota.\",\"type\":"
		   "\"insufficient_quota\",\"code\":\"insufficient_quota\"}}");
	http_error("neither is a plan's limit",
		   " error [quota] prov answered HTTP 429: Usage limit reached", 429,
		   "{\"error\":{\"code\":\"1308\",\"message\":\"Usage limit reached\"}}");
	http_error("nor a balance of nothing",
		   " error [quota] prov answered HTTP 402: Insufficient Balance", 402,
		   "{\"error\":{\"message\":\"Insufficient Balance\",\"type\":\"unknown_error\"}}");
	http_error(
	    "nor a day's quota", " error [quota] prov answered HTTP 429: quota", 429,
	    "{\"error\":{\"code\":429,\"message\":\"quota\",\"status\":\"RESOURCE_EXHAUSTED\","
	    "\"details\":[{\"violations\":[{\"quotaId\":\"RequestsPerDayPerProject\"}]}]}}");
	http_error(
	    "a rate limit is",
	    " error [rate_limit, retry] prov answered HTTP 429: Rate limit reached", 429,
	    "{\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"Rate limit reached\"}}");
	http_error(
	    "a request above the limit a minute is not",
	    " error [rate_limit] prov answered HTTP 413: Request too large: tokens per minute", 413,
	    "{\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"Request too large: "
	    "tokens per minute\"}}");
	http_error("quirk 71: a bad key as 400 (Gemini)",
		   " error [auth] prov refused the key (HTTP 400: API key not valid); check "
		   "TEST_API_KEY",
		   400,
		   "{\"error\":{\"code\":400,\"message\":\"API key not valid.\",\"status\":"
		   "\"INVALID_ARGUMENT\",\"details\":[{\"reason\":\"API_KEY_INVALID\"}]}}");
	http_error("quirk 71: a bad key as 403 (Bedrock)",
		   " error [auth] prov refused the key (HTTP 403: The token is invalid); check "
		   "TEST_API_KEY",
		   403, "{\"message\":\"The token is invalid.\"}");
	http_error(
	    "Azure's content filter is not an error of the program",
	    " content_filter [content_filter] prov answered HTTP 400: filtered", 400,
	    "{\"error\":{\"code\":\"content_filter\",\"message\":\"filtered\",\"innererror\":{"
	    "\"code\":\"ResponsibleAIPolicyViolation\"}}}");
	document("the same with HTTP 200",
		 " content_filter [content_filter] prov reported an error: filtered",
		 "{ \"error\": { \"message\": \"filtered\", \"type\": null, \"param\": \"prompt\", "
		 "\"code\": \"content_filter\", \"status\": 400 } }");
	document("HTTP 200 with something else",
		 " error [invalid_response, retry] prov answered with something that is not a chat "
		 "completion: <html>",
		 "<html>");
	CHUNKS("an error that is a string", " error [server, retry] prov reported an error: boom",
	       "{\"error\":\"boom\"}");
	CHUNKS(
	    "an error that is nothing", "T(a) stop",
	    "{\"error\":null,\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}",
	    "{\"error\":\"\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}",
	    "{\"error\":{}}");
	CHUNKS("an error that is a detail", " error [server, retry] prov reported an error: boom",
	       "{\"detail\":\"boom\"}");
	CHUNKS("an error that is an object of its own",
	       " error [invalid_request] prov reported an error: too bad",
	       "{\"object\":\"error\",\"message\":\"too bad\",\"code\":400}");
	CHUNKS("an error in a list", " error [server, retry] prov reported an error: boom",
	       "[{\"error\":{\"message\":\"boom\"}}]");
	CHUNKS(
	    "quota inside a stream", "T(a) error [quota] prov reported an error: no quota",
	    CONTENT("a"),
	    "{\"error\":{\"message\":\"no quota\",\"type\":\"insufficient_quota\",\"code\":429}}");
}

static void contexts(void)
{
	static const char *const messages[] = {
	    "This model's maximum context length is 10 tokens. However, you requested 12",
	    "Your input exceeds the context window of this model",
	    "prompt is too long: 12 tokens > 10 maximum",
	    "The input token count (12) exceeds the maximum number of tokens allowed (10)",
	    "This model's maximum prompt length is 10 but the request contains 12",
	    "Please reduce the length of the messages or completion",
	    "Prompt contains 12 tokens, too large for model with 10 maximum context length",
	    "The input (12 tokens) is longer than the model's context length (10 tokens)",
	    "Input is too long for requested model",
	    "too many tokens: 12",
	    "request (12 tokens) exceeds the available context size (10 tokens), try increasing it",
	    "trying to keep 12 tokens, greater than the context length",
	    "prompt too long; exceeded max context length by 2 tokens",
	    "Your request exceeded model token limit: 10",
	    "context window exceeds limit",
	    "Range of input length should be [1, 10]",
	    "litellm.ContextWindowExceededError: no",
	    "The total length of all messages is too long",
	};

	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		struct buffer want = {0}, body = {0};

		buffer_add_format(&want, " error [context] prov answered HTTP 400: %s",
				  messages[i]);
		buffer_add_format(&body, "{\"error\":{\"message\":\"%s\"}}", messages[i]);
		http_error(messages[i], buffer_string(&want), 400, buffer_string(&body));
		buffer_free(&want);
		buffer_free(&body);
	}
	http_error("context_length_exceeded", " error [context] prov answered HTTP 400: x", 400,
		   "{\"error\":{\"message\":\"x\",\"code\":\"context_length_exceeded\"}}");
	http_error(
	    "quirk 68: whatever the content type (DeepSeek)",
	    " error [context] prov answered HTTP 400: This model's maximum context length is "
	    "1048565 tokens",
	    400,
	    "{\"error\":{\"message\":\"This model's maximum context length is 1048565 tokens.\","
	    "\"type\":\"invalid_request_error\",\"param\":null,\"code\":"
	    "\"invalid_request_error\"}}");
	http_error("too many tokens a minute are a rate limit",
		   " error [rate_limit, retry] prov answered HTTP 429: Rate limit: too many tokens "
		   "per minute",
		   429, "{\"error\":{\"message\":\"Rate limit: too many tokens per minute\"}}");
}

/* ---- what stands beside the message ---- */

static struct model_error read_with(struct failure *failure, struct provider *provider, int status,
				    const char *body, const char *headers)
{
	struct buffer lines = {0};
	struct http_head head = {.status = status, .headers = &lines};
	struct model_outcome outcome = {0};

	buffer_add_text(&lines, headers);
	failure_free(failure);
	failure_read(failure, provider, status, span_of(body));
	failure_head(failure, &head);
	failure_report(failure, provider, &outcome);
	buffer_free(&lines);
	return outcome.error;
}

static void extras(void)
{
	struct provider *provider = make_provider("prov");
	struct failure failure = {0};
	struct model_error error;

	error = read_with(&failure, provider, 429, "{\"error\":{\"message\":\"slow\"}}",
			  "retry-after: 7\nretry-after-ms: 0\nx-request-id: req_1\n");
	unit_ok(error.retry_after_seconds == 7 && strcmp(error.request_id, "req_1") == 0,
		"quirk 69: retry-after where retry-after-ms is 0, and the request id");
	error = read_with(
	    &failure, provider, 429,
	    "{\"error\":{\"code\":429,\"message\":\"Please retry in 48.9s.\",\"details\":[{"
	    "\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":"
	    "\"48s\"}]}}",
	    "");
	unit_ok(error.retry_after_seconds == 48 && error.retryable,
		"quirk 70: retryDelay of RetryInfo");
	error = read_with(
	    &failure, provider, 429,
	    "{\"error\":{\"message\":\"Rate limit reached. Please retry in 1m2.5s.\"}}", "");
	unit_ok(error.retry_after_seconds == 62.5, "the wait that the text asks for");
	error = read_with(&failure, provider, 429, "{\"error\":{\"message\":\"slow\"}}",
			  "retry-after: 0\n");
	unit_ok(error.retry_after_seconds < 0, "retry-after: 0 asks for no wait");
	error = read_with(&failure, provider, 429,
			  "{\"error\":{\"message\":\"Please retry in 3s.\"}}", "retry-after: 0\n");
	unit_ok(error.retry_after_seconds == 3, "and does not replace the wait of the text");
	error = read_with(&failure, provider, 500, "", "x-should-retry: false\n");
	unit_ok(!error.retryable, "x-should-retry: false");
	error = read_with(&failure, provider, 400, "", "x-should-retry: true\n");
	unit_ok(error.retryable && error.retry_after_seconds < 0, "x-should-retry: true");
	error = read_with(&failure, provider, 402, "{\"error\":{\"message\":\"top up\"}}",
			  "retry-after: 3\n");
	unit_ok(error.retryable, "402 that names a wait passes");
	error =
	    read_with(&failure, provider, 400,
		      "{\"error\":{\"message\":\"tool call validation failed\",\"code\":"
		      "\"tool_use_failed\",\"failed_generation\":\"{\\\"name\\\":\\\"f\\\"}\"}}",
		      "");
	unit_same(
	    span_of(error.feedback),
	    SPAN("Your last tool call was refused: tool call validation failed\n"
		 "You wrote: {\"name\":\"f\"}\n"
		 "Try again with one of the tools offered and arguments that match its schema."),
	    "a tool call that the server refused is told to the model");
	unit_same(span_of(error.code), SPAN("tool_use_failed"), "the provider's code");
	error =
	    read_with(&failure, provider, 401,
		      "{\"error\":{\"message\":\"Incorrect API key provided: test-key-0123456789 "
		      "(sk-proj-abc*****xyz). Bearer abcdefghijkl\"}}",
		      "");
	unit_same(span_of(error.message),
		  SPAN("prov refused the key (HTTP 401: Incorrect API key provided: *** (***). "
		       "Bearer ***); check TEST_API_KEY"),
		  "keys are masked");
	buffer_clear(&provider->key);
	error = read_with(&failure, provider, 401, "{\"error\":\"no\"}", "");
	unit_same(span_of(error.message),
		  SPAN("prov requires a key (HTTP 401: no); set TEST_API_KEY"),
		  "without a key the sentence says what to set");
	failure_free(&failure);
	provider_free(provider);
}

int main(void)
{
	shapes();
	kinds();
	contexts();
	extras();
	return unit_done();
}
