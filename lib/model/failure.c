#include "model/failure.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "net/retry.h"

/* How much of a body that is not JSON a message quotes. */
enum { QUOTED_BYTES = 300 };

/* What Google calls a request that its own servers gave up. */
enum { CANCELLED = 499 };

/* What an error body said, before it is judged. */
struct said {
	struct buffer message, code, type, failed_generation, inner;
	int status;
	double retry_after;
};

/* ---- finding ---- */

static bool contains(const char *text, const char *part)
{
	size_t len = strlen(part);

	for (; *text != '\0'; text++)
		if (strncasecmp(text, part, len) == 0)
			return true;
	return false;
}

static bool contains_any(const char *text, const char *const *parts)
{
	for (; *parts != NULL; parts++)
		if (contains(text, *parts))
			return true;
	return false;
}

/* A string decoded, a number or boolean as it is written. */
static void add_scalar(struct span value, struct buffer *out)
{
	enum json_type type = json_type(value);

	if (type == JSON_STRING)
		json_decode(value, out);
	else if (type == JSON_NUMBER)
		buffer_add_span(out, value);
}

static void add_if_empty(struct span value, struct buffer *out)
{
	if (out->len == 0)
		add_scalar(value, out);
}

/* "48.9s", "1m30s", "250ms" as seconds; 0 when it is no duration. */
static double duration(const char *text)
{
	double seconds = 0;
	char *end;

	while (isdigit((unsigned char)*text)) {
		double number = strtod(text, &end);

		if (strncmp(end, "ms", 2) == 0) {
			seconds += number / 1000;
			end += 2;
		} else if (*end == 'm') {
			seconds += number * 60;
			end++;
		} else if (*end == 's') {
			seconds += number;
			end++;
		} else {
			return 0;
		}
		text = end;
	}
	return seconds;
}

/* google.rpc.RetryInfo among the details of an error. */
static void read_details(struct span details, struct said *said)
{
	struct json_walk walk = json_walk(details);

	while (json_next(&walk)) {
		char *delay = json_text(json_get(walk.value, "retryDelay"));

		if (delay != NULL)
			said->retry_after = duration(delay);
		free(delay);
		add_if_empty(json_get(walk.value, "reason"), &said->inner);
		add_scalar(json_path(walk.value, "violations.0.quotaId"), &said->inner);
	}
}

static void read_object(struct span error, struct said *said)
{
	struct json_walk walk = json_walk(error);

	while (json_next(&walk)) {
		if (json_is(walk.key, "message") || json_is(walk.key, "msg"))
			add_if_empty(walk.value, &said->message);
		else if (json_is(walk.key, "code"))
			add_if_empty(walk.value, &said->code);
		else if (json_is(walk.key, "type") || json_is(walk.key, "status"))
			add_if_empty(walk.value, &said->type);
		else if (json_is(walk.key, "status_code"))
			said->status = (int)json_int(walk.value, 0);
		else if (json_is(walk.key, "failed_generation"))
			add_if_empty(walk.value, &said->failed_generation);
		else if (json_is(walk.key, "innererror"))
			add_if_empty(json_get(walk.value, "code"), &said->inner);
		else if (json_is(walk.key, "details"))
			read_details(walk.value, said);
		else if (json_is(walk.key, "metadata") &&
			 json_type(json_get(walk.value, "raw")) == JSON_STRING) {
			buffer_add_text(&said->message, said->message.len > 0 ? ": " : "");
			json_decode(json_get(walk.value, "raw"), &said->message);
		}
	}
}

/* {"detail":"text"} and {"detail":[{"loc":...,"msg":"text"}]} */
static void read_detail(struct span detail, struct said *said)
{
	struct json_walk walk = json_walk(detail);

	add_scalar(detail, &said->message);
	while (said->message.len == 0 && json_next(&walk))
		add_scalar(json_get(walk.value, "msg"), &said->message);
}

static void read_json(struct span body, struct said *said)
{
	struct span error;

	if (json_type(body) == JSON_ARRAY)
		body = json_path(body, "0");
	error = json_get(body, "error");
	if (json_type(error) == JSON_OBJECT)
		read_object(error, said);
	else
		add_scalar(error, &said->message);
	if (json_type(error) != JSON_OBJECT)
		read_object(body, said);
	if (said->message.len == 0)
		read_detail(json_get(body, "detail"), said);
	if (json_type(body) == JSON_STRING)
		json_decode(body, &said->message);
}

/* How many bytes the tag at the beginning of `html` takes: with what a style or a script holds. */
static size_t tag_len(struct span html)
{
	static const char *const unseen[] = {"<style", "<script", NULL};
	const char *end = memchr(html.at, '>', html.len);
	size_t len = end != NULL ? (size_t)(end - html.at) + 1 : html.len;

	for (size_t i = 0; unseen[i] != NULL; i++)
		if (html.len > strlen(unseen[i]) &&
		    strncasecmp(html.at, unseen[i], strlen(unseen[i])) == 0)
			while (len < html.len && html.at[len] != '<')
				len++;
	return len;
}

/* `html`: without tags. */
static void add_plain(struct span text, bool html, struct buffer *out)
{
	while (text.len > 0 && out->len < QUOTED_BYTES) {
		bool tag = html && text.at[0] == '<';

		if (!tag && (unsigned char)text.at[0] > ' ')
			buffer_add_char(out, text.at[0]);
		else if (out->len > 0 && out->at[out->len - 1] != ' ')
			buffer_add_char(out, ' ');
		text = span_from(text, tag ? tag_len(text) : 1);
	}
	while (out->len > 0 && out->at[out->len - 1] == ' ')
		out->len--;
	out->len -= utf8_incomplete_tail(buffer_span(out));
}

void failure_quote(struct span body, struct buffer *out)
{
	struct buffer plain = {0};

	body = json_trim(body);
	add_plain(body, body.len > 0 && body.at[0] == '<', &plain);
	if (plain.len == 0)
		add_plain(body, false, &plain);
	utf8_add(out, buffer_span(&plain));
	buffer_free(&plain);
}

/* ---- judging ---- */

static bool is_context(const char *code, const char *type, const char *message)
{
	static const char *const names[] = {
	    "context_length_exceeded",    "exceed_context_size",
	    "too_many_prompt_tokens",     "too_many_tokens",
	    "ContextWindowExceededError", "request_too_large",
	    "string_above_max_length",    NULL,
	};
	static const char *const phrases[] = {
	    "exceeds the context window",
	    "exceeds the available context size",
	    "prompt is too long",
	    "prompt too long",
	    "maximum context length",
	    "maximum prompt length",
	    "reduce the length of the messages",
	    "exceeds the maximum number of tokens allowed",
	    "longer than the model's context length",
	    "input is too long for requested model",
	    "input tokens exceeded",
	    "too many tokens",
	    "greater than the context length",
	    "exceeded model token limit",
	    "context window exceeds limit",
	    "range of input length should be",
	    "total length of all messages is too long",
	    "ContextWindowExceededError",
	    NULL,
	};

	/* Bedrock throttles with "Too many tokens, please wait before trying again". */
	if (contains(message, "rate limit") || contains(message, "per minute") ||
	    contains(message, "please wait before trying again") || contains(code, "rate_limit"))
		return false;
	return contains_any(code, names) || contains_any(type, names) ||
	       contains_any(message, phrases);
}

static bool is_quota(const struct said *said, const char *code, const char *type, const char *inner,
		     const char *message)
{
	static const char *const names[] = {"insufficient_quota", "billing", "insufficient_balance",
					    "usage_limit_reached", NULL};
	static const char *const phrases[] = {"usage limit reached",  "insufficient balance",
					      "insufficient credits", "credit balance is too low",
					      "out of credits",       NULL};

	/* 1308: the plan's limit at Z.AI, an HTTP 429 that no short wait cures. */
	return said->status == 402 || strcmp(code, "1308") == 0 || contains_any(code, names) ||
	       contains_any(type, names) || contains(inner, "PerDay") ||
	       contains_any(message, phrases);
}

static bool is_auth(const struct said *said, const char *code, const char *type, const char *inner,
		    const char *message)
{
	static const char *const names[] = {"invalid_api_key", "authentication_error",
					    "UNAUTHENTICATED", "API_KEY_INVALID", NULL};
	static const char *const phrases[] = {"incorrect api key", "invalid api key",
					      "api key not valid", "invalid x-api-key", NULL};

	return said->status == 401 || said->status == 403 || contains_any(code, names) ||
	       contains_any(type, names) || contains_any(inner, names) ||
	       contains_any(message, phrases);
}

static bool is_overloaded(const struct said *said, const char *code, const char *type,
			  const char *message)
{
	int status = said->status;

	return status == 503 || status == 529 || status == 498 || contains(type, "overloaded") ||
	       contains(code, "overloaded") || strcmp(type, "UNAVAILABLE") == 0 ||
	       contains(message, "overloaded") || contains(message, "at capacity");
}

static bool is_rate_limit(const struct said *said, const char *code, const char *type,
			  const char *message)
{
	return said->status == 429 || contains(code, "rate_limit") || contains(code, "RateLimit") ||
	       contains(type, "rate_limit") || strcmp(type, "RESOURCE_EXHAUSTED") == 0 ||
	       contains(message, "rate limit") || contains(message, "too many requests");
}

static bool is_filtered(const struct said *said, const char *code, const char *inner,
			const char *message)
{
	return strcmp(code, "content_filter") == 0 || contains(inner, "ResponsibleAIPolicy") ||
	       strcmp(code, "content_policy_violation") == 0 ||
	       (said->status == 403 && contains(message, "flagged"));
}

static enum error_kind kind_of(struct said *said)
{
	const char *code = buffer_string(&said->code), *type = buffer_string(&said->type);
	const char *inner = buffer_string(&said->inner), *message = buffer_string(&said->message);

	if (strcmp(code, "tool_use_failed") == 0)
		return ERROR_TOOL_VALIDATION;
	if (is_filtered(said, code, inner, message))
		return ERROR_CONTENT_FILTER;
	if (is_context(code, type, message))
		return ERROR_CONTEXT;
	if (is_quota(said, code, type, inner, message))
		return ERROR_QUOTA;
	if (is_auth(said, code, type, inner, message))
		return ERROR_AUTH;
	if (is_rate_limit(said, code, type, message))
		return ERROR_RATE_LIMIT;
	if (is_overloaded(said, code, type, message))
		return ERROR_OVERLOADED;
	if (said->status == 404 || contains(code, "not_found") || contains(code, "NotFound") ||
	    contains(type, "not_found"))
		return ERROR_NOT_FOUND;
	/* An error inside a stream that names no status is the server's until it says otherwise. */
	if (said->status >= 500 || said->status == 408 || said->status == 424 ||
	    said->status == CANCELLED || (said->status == 0 && !contains(type, "invalid")))
		return ERROR_SERVER;
	return ERROR_INVALID_REQUEST;
}

static bool is_retryable(enum error_kind kind, int status)
{
	bool passes = kind == ERROR_RATE_LIMIT || kind == ERROR_OVERLOADED || kind == ERROR_SERVER;

	if (kind == ERROR_QUOTA || kind == ERROR_AUTH || kind == ERROR_CONTEXT)
		return false;
	return status != 0 && status != CANCELLED ? retry_status(status) : passes;
}

/* ---- saying ---- */

static void add_key_names(const struct provider *provider, struct buffer *out)
{
	char *names = provider_key_names(provider);

	if (names != NULL)
		buffer_add_format(out, "; %s %s", provider->key.len > 0 ? "check" : "set", names);
	free(names);
}

/* A 403 may be about the key, or about what it is for. */
static const char *refusal(const struct failure *failure, const struct provider *provider,
			   const char *message)
{
	static const char *const of_keys[] = {"key",        "token",     "auth",
					      "credential", "signature", NULL};

	if (provider->key.len == 0)
		return "wants a key";
	return failure->http_status == 403 && !contains_any(message, of_keys) ? "refused access"
									      : "refused the key";
}

static void write_message(struct failure *failure, const struct provider *provider, int http_status,
			  struct said *said)
{
	struct buffer *out = &failure->message;
	struct span message = buffer_span(&said->message);

	while (message.len > 0 && strchr(". \n", message.at[message.len - 1]) != NULL)
		message.len--;
	if (failure->kind == ERROR_AUTH) {
		buffer_add_format(out, "%s %s (", provider->name,
				  refusal(failure, provider, buffer_string(&said->message)));
		if (failure->http_status != 0)
			buffer_add_format(out, "HTTP %d%s", failure->http_status,
					  message.len > 0 ? ": " : "");
		buffer_add_span(out, message);
		buffer_add_char(out, ')');
		add_key_names(provider, out);
		return;
	}
	buffer_add_text(out, provider->name);
	if (http_status != 0)
		buffer_add_format(out, " answered HTTP %d", http_status);
	else
		buffer_add_text(out, " reported an error");
	if (message.len > 0)
		buffer_add_text(out, ": ");
	buffer_add_span(out, message);
}

static void write_feedback(struct failure *failure, const struct said *said)
{
	struct buffer *out = &failure->feedback;

	buffer_add_text(out, "Your last tool call was refused: ");
	buffer_add_span(out, buffer_span(&said->message));
	if (said->failed_generation.len > 0) {
		buffer_add_text(out, "\nYou wrote: ");
		buffer_add_span(out, buffer_span(&said->failed_generation));
	}
	buffer_add_text(out, "\nTry again with one of the tools offered and arguments that match "
			     "its schema.");
}

bool failure_set(struct failure *failure, enum error_kind kind, bool retryable, const char *format,
		 ...)
{
	va_list args;

	if (failure->kind != ERROR_NONE)
		return false;
	failure->kind = kind;
	failure->retryable = retryable;
	va_start(args, format);
	buffer_add_format_list(&failure->message, format, args);
	va_end(args);
	return false;
}

/* "Please retry in 48.9s" */
static double retry_in_text(const char *message)
{
	const char *at = strstr(message, "retry in ");

	return at != NULL ? duration(at + strlen("retry in ")) : 0;
}

bool failure_read(struct failure *failure, const struct provider *provider, int http_status,
		  struct span body)
{
	struct said said = {.status = http_status};
	struct span json = json_trim(body);
	long code;

	if (failure->kind != ERROR_NONE)
		return false;
	if (json.len > 0 && json_check(json, NULL))
		read_json(json, &said);
	if (said.message.len == 0)
		failure_quote(body, &said.message);
	code = strtol(buffer_string(&said.code), NULL, 10);
	if (http_status == 0 && said.status == 0 && code >= 400 && code < 600)
		said.status = (int)code;

	failure->kind = kind_of(&said);
	failure->http_status = said.status;
	failure->retryable = is_retryable(failure->kind, said.status);
	failure->retry_after =
	    said.retry_after > 0 ? said.retry_after : retry_in_text(buffer_string(&said.message));
	buffer_add_span(&failure->code, buffer_span(said.code.len > 0 ? &said.code : &said.type));
	write_message(failure, provider, http_status, &said);
	if (failure->kind == ERROR_TOOL_VALIDATION)
		write_feedback(failure, &said);

	buffer_free(&said.message);
	buffer_free(&said.code);
	buffer_free(&said.type);
	buffer_free(&said.failed_generation);
	buffer_free(&said.inner);
	return false;
}

void failure_head(struct failure *failure, const struct http_head *head)
{
	static const char *const ids[] = {
	    "x-request-id",           "request-id",    "apim-request-id",  "x-generation-id",
	    "mistral-correlation-id", "x-ds-trace-id", "x-amzn-requestid", NULL,
	};
	struct span retry = http_header_value(head, "x-should-retry");
	double asked = retry_after(head, clock_realtime());

	for (size_t i = 0; ids[i] != NULL && failure->request_id.len == 0; i++)
		utf8_add(&failure->request_id, http_header_value(head, ids[i]));
	if (failure->kind == ERROR_NONE)
		return;
	if (asked >= 0)
		failure->retry_after = asked;
	/* OpenRouter: a balance that is topped up by itself. */
	if (failure->http_status == 402 && asked >= 0)
		failure->retryable = true;
	if (span_is(retry, "true"))
		failure->retryable = true;
	else if (span_is(retry, "false"))
		failure->retryable = false;
}

void failure_report(struct failure *failure, const struct provider *provider,
		    struct model_outcome *outcome)
{
	if (failure->kind == ERROR_NONE)
		return;
	if (failure->retry_after > RETRY_MAX_WAIT_SECONDS)
		buffer_add_format(&failure->message, "; it asks to wait %.0f seconds",
				  failure->retry_after);
	provider_mask(provider, &failure->message);
	provider_mask(provider, &failure->code);
	provider_mask(provider, &failure->feedback);
	outcome->finish =
	    failure->kind == ERROR_CONTENT_FILTER ? MODEL_CONTENT_FILTER : MODEL_ERROR;
	outcome->error = (struct model_error){
	    .kind = failure->kind,
	    .message = buffer_string(&failure->message),
	    .http_status = failure->http_status,
	    .code = failure->code.len > 0 ? buffer_string(&failure->code) : NULL,
	    .request_id = failure->request_id.len > 0 ? buffer_string(&failure->request_id) : NULL,
	    .retry_after_seconds = failure->retry_after > 0 ? failure->retry_after : -1,
	    .retryable = failure->retryable,
	    .feedback = failure->feedback.len > 0 ? buffer_string(&failure->feedback) : NULL,
	};
}

void failure_free(struct failure *failure)
{
	buffer_free(&failure->message);
	buffer_free(&failure->code);
	buffer_free(&failure->feedback);
	buffer_free(&failure->request_id);
	*failure = (struct failure){0};
}
