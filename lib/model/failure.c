#include "model/failure.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "base/clock.h"
#include "base/number.h"
#include "base/utf8.h"
#include "net/retry.h"

/* The maximum number of bytes that a message quotes of a body that is not JSON. */
enum { QUOTED_BYTES = 300 };

/* The status of a request that Google's servers gave up. */
enum { CANCELLED = 499 };

/* The texts of an error body. */
enum field { MESSAGE, CODE, TYPE, INNER, STATUS, FAILED_GENERATION, FIELDS };

/* What an error body reports, before it is classified. */
struct report {
	struct buffer texts[FIELDS];
	int status;
	double retry_after;
};

/* ---- finding ---- */

/* Whether `part` is in `text`, without regard to case. */
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

static bool is_any(const char *text, const char *const *words)
{
	while (*words != NULL && strcmp(text, *words) != 0)
		words++;
	return *words != NULL;
}

/* Append a string decoded, a number as it is written. */
static void add_scalar(struct span value, struct buffer *out)
{
	if (!json_decode(value, out) && json_type(value) == JSON_NUMBER)
		buffer_add_span(out, value);
}

static void add_if_empty(struct span value, struct buffer *out)
{
	if (out->len == 0)
		add_scalar(value, out);
}

/* The duration with a unit at the beginning of `text`, such as "48.9s"; 0: there is none. */
static double duration(const char *text)
{
	size_t len = strspn(text, "0123456789.hms");
	double seconds = 0;

	while (len > 0 && text[len - 1] == '.')
		len--;
	return len > 0 && isalpha((unsigned char)text[len - 1]) &&
		       number_duration((struct span){text, len}, &seconds)
		   ? seconds
		   : 0;
}

/* google.rpc.RetryInfo among the details of an error. */
static void read_details(struct span details, struct report *report)
{
	struct buffer *inner = &report->texts[INNER];

	for (struct json_walk walk = json_walk(details); json_next(&walk);) {
		char *delay = json_text(json_get(walk.value, "retryDelay"));

		if (delay != NULL)
			report->retry_after = duration(delay);
		free(delay);
		add_if_empty(json_get(walk.value, "reason"), inner);
		add_scalar(json_path(walk.value, "violations.0.quotaId"), inner);
	}
}

static void read_object(struct span error, struct report *report)
{
	static const struct {
		const char *name;
		enum field field;
	} members[] = {{"message", MESSAGE},
		       {"Message", MESSAGE},
		       {"msg", MESSAGE},
		       {"code", CODE},
		       {"type", TYPE},
		       {"status", TYPE},
		       {"failed_generation", FAILED_GENERATION}};
	struct buffer *message = &report->texts[MESSAGE];

	for (struct json_walk walk = json_walk(error); json_next(&walk);) {
		struct span raw = json_get(walk.value, "raw");

		for (size_t i = 0; i < ARRAY_LEN(members); i++)
			if (json_is(walk.key, members[i].name))
				add_if_empty(walk.value, &report->texts[members[i].field]);
		if (json_is(walk.key, "status_code"))
			report->status = (int)json_int(walk.value, 0);
		else if (json_is(walk.key, "innererror"))
			add_if_empty(json_get(walk.value, "code"), &report->texts[INNER]);
		else if (json_is(walk.key, "details"))
			read_details(walk.value, report);
		else if (json_is(walk.key, "metadata") && json_type(raw) == JSON_STRING) {
			buffer_add_text(message, message->len > 0 ? ": " : "");
			json_decode(raw, message);
		}
	}
}

/* {"error": {...}}, {"error": "text"}, {"errors": [{...}]}, {"message": "text", ...}, {"detail":
 * "text"}, {"detail": [{"loc": ..., "msg": "text"}]}, "text", or any of them in an array. */
static void read_json(struct span body, struct report *report)
{
	struct buffer *message = &report->texts[MESSAGE];
	struct span error, detail;

	if (json_type(body) == JSON_ARRAY)
		body = json_path(body, "0");
	error = json_get(body, "error");
	if (json_type(error) <= JSON_NULL)
		error = json_path(body, "errors.0");
	detail = json_get(body, "detail");
	add_scalar(error, message);
	read_object(json_type(error) == JSON_OBJECT ? error : body, report);
	add_if_empty(detail, message);
	for (struct json_walk walk = json_walk(detail); message->len == 0 && json_next(&walk);)
		add_scalar(json_get(walk.value, "msg"), message);
	json_decode(body, message);
}

/* The length of the tag at the beginning of `html`, with the contents of a style or a script. */
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

/* Append `text` with single spaces; with `html`, without tags. */
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

/* ---- classifying ---- */

enum {
	IN_MESSAGE = 1 << MESSAGE,
	IN_CODE = 1 << CODE,
	IN_TYPE = 1 << TYPE,
	IN_INNER = 1 << INNER,
	IN_STATUS = 1 << STATUS,
	EXACT = 1 << FIELDS, /* the text is the phrase */
};

/* The phrases in these fields by which the kind of an error is known; the first rule that matches
 * applies. */
static const struct rule {
	enum error_kind kind;
	unsigned fields;
	const char *phrases[20];
} rules[] = {
    {ERROR_TOOL_VALIDATION, IN_CODE | EXACT, {"tool_use_failed"}},
    {ERROR_CONTENT_FILTER, IN_CODE | EXACT, {"content_filter", "content_policy_violation"}},
    {ERROR_CONTENT_FILTER, IN_INNER, {"ResponsibleAIPolicy"}},
    {ERROR_CONTEXT,
     IN_CODE | IN_TYPE,
     {"context_length_exceeded", "exceed_context_size", "too_many_prompt_tokens", "too_many_tokens",
      "ContextWindowExceededError", "request_too_large", "string_above_max_length"}},
    {ERROR_CONTEXT,
     IN_MESSAGE,
     {"exceeds the context window", "exceeds the available context size", "prompt is too long",
      "prompt too long", "maximum context length", "maximum prompt length",
      "reduce the length of the messages", "exceeds the maximum number of tokens allowed",
      "longer than the model's context length", "input is too long for requested model",
      "input tokens exceeded", "too many tokens", "greater than the context length",
      "exceeded model token limit", "context window exceeds limit",
      "range of input length should be", "total length of all messages is too long",
      "ContextWindowExceededError"}},
    {ERROR_QUOTA, IN_STATUS, {"402"}},
    /* The plan's limit at Z.AI, an HTTP 429 that no short wait cures. */
    {ERROR_QUOTA, IN_CODE | EXACT, {"1308"}},
    {ERROR_QUOTA,
     IN_CODE | IN_TYPE,
     {"insufficient_quota", "billing", "insufficient_balance", "usage_limit_reached"}},
    {ERROR_QUOTA, IN_INNER, {"PerDay"}},
    {ERROR_QUOTA,
     IN_MESSAGE,
     {"usage limit reached", "insufficient balance", "insufficient credits",
      "credit balance is too low", "out of credits"}},
    {ERROR_AUTH, IN_STATUS, {"401", "403"}},
    {ERROR_AUTH,
     IN_CODE | IN_TYPE | IN_INNER,
     {"invalid_api_key", "authentication_error", "UNAUTHENTICATED", "API_KEY_INVALID"}},
    {ERROR_AUTH,
     IN_MESSAGE,
     {"incorrect api key", "invalid api key", "api key not valid", "invalid x-api-key"}},
    {ERROR_RATE_LIMIT, IN_STATUS, {"429"}},
    {ERROR_RATE_LIMIT, IN_CODE | IN_TYPE, {"rate_limit"}},
    {ERROR_RATE_LIMIT, IN_CODE, {"RateLimit"}},
    {ERROR_RATE_LIMIT, IN_TYPE | EXACT, {"RESOURCE_EXHAUSTED"}},
    {ERROR_RATE_LIMIT, IN_MESSAGE, {"rate limit", "too many requests"}},
    {ERROR_OVERLOADED, IN_STATUS, {"503", "529", "498"}},
    {ERROR_OVERLOADED, IN_CODE | IN_TYPE | IN_MESSAGE, {"overloaded"}},
    {ERROR_OVERLOADED, IN_TYPE | EXACT, {"UNAVAILABLE"}},
    {ERROR_OVERLOADED, IN_MESSAGE, {"at capacity"}},
    {ERROR_NOT_FOUND, IN_STATUS, {"404"}},
    {ERROR_NOT_FOUND, IN_CODE | IN_TYPE, {"not_found"}},
    {ERROR_NOT_FOUND, IN_CODE, {"NotFound"}},
};

static bool matches(const struct rule *rule, struct report *report)
{
	for (int field = 0; field < FIELDS; field++) {
		const char *text = buffer_string(&report->texts[field]);

		if ((rule->fields & 1U << field) != 0 &&
		    ((rule->fields & EXACT) != 0 ? is_any(text, rule->phrases)
						 : contains_any(text, rule->phrases)))
			return true;
	}
	return false;
}

/* Bedrock throttles with "Too many tokens, please wait before trying again". */
static bool is_throttled(struct report *report)
{
	static const char *const phrases[] = {"rate limit", "per minute",
					      "please wait before trying again", NULL};

	return contains_any(buffer_string(&report->texts[MESSAGE]), phrases) ||
	       contains(buffer_string(&report->texts[CODE]), "rate_limit");
}

static enum error_kind kind_of(struct report *report)
{
	int status = report->status;
	bool throttled = is_throttled(report);

	buffer_add_format(&report->texts[STATUS], "%d", status);
	if (status == 403 && contains(buffer_string(&report->texts[MESSAGE]), "flagged"))
		return ERROR_CONTENT_FILTER;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (matches(&rules[i], report) && (rules[i].kind != ERROR_CONTEXT || !throttled))
			return rules[i].kind;
	/* An error inside a stream without a status is the server's, if it is not called invalid.
	 */
	if (status >= 500 || status == 408 || status == 424 || status == CANCELLED ||
	    (status == 0 && !contains(buffer_string(&report->texts[TYPE]), "invalid")))
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

/* ---- writing ---- */

static void add_key_names(const struct provider *provider, struct buffer *out)
{
	char *names = provider_key_names(provider);

	if (names != NULL)
		buffer_add_format(out, "; %s %s", provider->key.len > 0 ? "check" : "set", names);
	free(names);
}

/* The reason of a 403 may be the key, or what the key may be used for. */
static const char *refusal(const struct failure *failure, const struct provider *provider,
			   const char *message)
{
	static const char *const of_keys[] = {"key",        "token",     "auth",
					      "credential", "signature", NULL};

	if (provider->key.len == 0)
		return "requires a key";
	return failure->http_status == 403 && !contains_any(message, of_keys) ? "refused access"
									      : "refused the key";
}

static void write_message(struct failure *failure, const struct provider *provider, int http_status,
			  struct buffer *text)
{
	struct buffer *out = &failure->message;
	struct span message = buffer_span(text);

	while (message.len > 0 && strchr(". \n", message.at[message.len - 1]) != NULL)
		message.len--;
	buffer_add_text(out, provider->name);
	if (failure->kind == ERROR_AUTH) {
		buffer_add_format(out, " %s (", refusal(failure, provider, buffer_string(text)));
		if (failure->http_status != 0)
			buffer_add_format(out, "HTTP %d", failure->http_status);
		if (failure->http_status != 0 && message.len > 0)
			buffer_add_text(out, ": ");
		buffer_add_span(out, message);
		buffer_add_char(out, ')');
		add_key_names(provider, out);
		return;
	}
	if (http_status != 0)
		buffer_add_format(out, " answered HTTP %d", http_status);
	else
		buffer_add_text(out, " reported an error");
	buffer_add_text(out, message.len > 0 ? ": " : "");
	buffer_add_span(out, message);
}

static void write_feedback(struct buffer *out, const struct report *report)
{
	struct span wrote = buffer_span(&report->texts[FAILED_GENERATION]);

	buffer_add_text(out, "Your last tool call was refused: ");
	buffer_add_span(out, buffer_span(&report->texts[MESSAGE]));
	buffer_add_text(out, wrote.len > 0 ? "\nYou wrote: " : "");
	buffer_add_span(out, wrote);
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
	struct report report = {.status = http_status};
	struct buffer *message = &report.texts[MESSAGE], *code = &report.texts[CODE];
	struct span json = json_trim(body);
	long number;

	if (failure->kind != ERROR_NONE)
		return false;
	if (json.len > 0 && json_check(json, NULL))
		read_json(json, &report);
	if (message->len == 0)
		failure_quote(body, message);
	number = strtol(buffer_string(code), NULL, 10);
	if (http_status == 0 && report.status == 0 && number >= 400 && number < 600)
		report.status = (int)number;

	failure->kind = kind_of(&report);
	failure->http_status = report.status;
	failure->retryable = is_retryable(failure->kind, report.status);
	failure->retry_after =
	    report.retry_after > 0 ? report.retry_after : retry_in_text(buffer_string(message));
	buffer_add_span(&failure->code, buffer_span(code->len > 0 ? code : &report.texts[TYPE]));
	write_message(failure, provider, http_status, message);
	if (failure->kind == ERROR_TOOL_VALIDATION)
		write_feedback(&failure->feedback, &report);
	for (int i = 0; i < FIELDS; i++)
		buffer_free(&report.texts[i]);
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
	if (asked > 0)
		failure->retry_after = asked;
	/* OpenRouter: a balance that is topped up automatically. */
	if (failure->http_status == 402 && asked >= 0)
		failure->retryable = true;
	if (span_is(retry, "true") || span_is(retry, "false"))
		failure->retryable = span_is(retry, "true");
}

void failure_write(struct failure *failure, struct model_outcome *outcome)
{
	if (failure->kind == ERROR_NONE)
		return;
	outcome->finish =
	    failure->kind == ERROR_CONTENT_FILTER ? MODEL_CONTENT_FILTER : MODEL_ERROR;
	outcome->error = (struct model_error){
	    .kind = failure->kind,
	    .message = buffer_string(&failure->message),
	    .http_status = failure->http_status,
	    .code = buffer_string_or_null(&failure->code),
	    .request_id = buffer_string_or_null(&failure->request_id),
	    .retry_after_seconds = failure->retry_after > 0 ? failure->retry_after : -1,
	    .retryable = failure->retryable,
	    .unsent = failure->unsent,
	    .feedback = buffer_string_or_null(&failure->feedback),
	};
}

void failure_report(struct failure *failure, const struct provider *provider,
		    struct model_outcome *outcome)
{
	if (failure->retry_after > RETRY_MAX_WAIT_SECONDS)
		buffer_add_format(&failure->message, "; it asks to wait %.0f seconds",
				  failure->retry_after);
	provider_mask(provider, &failure->message);
	provider_mask(provider, &failure->code);
	provider_mask(provider, &failure->feedback);
	failure_write(failure, outcome);
}

void failure_free(struct failure *failure)
{
	buffer_free(&failure->message);
	buffer_free(&failure->code);
	buffer_free(&failure->feedback);
	buffer_free(&failure->request_id);
	*failure = (struct failure){0};
}
