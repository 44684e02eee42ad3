#include <stdlib.h>

#include "model/failure.h"
#include "model/model_type.h"
#include "model/protocol/protocol.h"
#include "model/provider.h"

/* The maximum number of bytes stored of a list. */
enum { MAX_LIST = 64 * 1024 * 1024 };

/* The longest time of the exchange: some servers never end a body. */
static const double list_seconds = 30;

struct listing {
	struct provider *provider;
	struct http_request request;
	struct buffer body;
	void (*done)(void *context, struct span lines, const struct model_error *error);
	void *context;
};

static void listing_free(struct listing *listing)
{
	provider_free(listing->provider);
	http_request_free(&listing->request);
	buffer_free(&listing->body);
	free(listing);
}

static void on_body(void *context, const struct http_head *head, struct span bytes)
{
	struct listing *listing = context;

	(void)head;
	if (listing->body.len + bytes.len <= MAX_LIST)
		buffer_add_span(&listing->body, bytes);
}

/* "PROVIDER:" before each line. */
static void add_provider(const char *name, struct span lines, struct buffer *out)
{
	struct span line;

	while (span_next_line(&lines, &line, NULL)) {
		buffer_add_format(out, "%s:", name);
		buffer_add_span(out, line);
		buffer_add_char(out, '\n');
	}
}

static void read_models(struct listing *listing, const struct http_result *result,
			struct failure *failure, struct buffer *lines)
{
	const struct provider *provider = listing->provider;
	struct span body = json_trim(buffer_span(&listing->body));
	int status = result->head->status;
	struct buffer models = {0};

	if (status != 0 && (status < 200 || status > 299)) {
		failure_read(failure, provider, status, body);
	} else if (result->outcome != HTTP_COMPLETE) {
		failure_set(failure, ERROR_NETWORK, result->retryable, "%s cannot be reached: %s",
			    provider->name,
			    result->message != NULL ? result->message : "the connection broke");
	} else if (!json_check(body, NULL)) {
		failure_set(failure, ERROR_INVALID_RESPONSE, false,
			    "%s did not send a list of models", provider->name);
	} else {
		protocol_list_read(provider->protocol, body, &models);
		add_provider(provider->name, buffer_span(&models), lines);
	}
	buffer_free(&models);
}

static void on_done(void *context, const struct http_result *result)
{
	struct listing *listing = context;
	struct model_outcome outcome = {.error = {.retry_after_seconds = -1}};
	struct failure failure = {0};
	struct buffer lines = {0};

	read_models(listing, result, &failure, &lines);
	if (failure.kind != ERROR_NONE)
		failure_report(&failure, listing->provider, &outcome);
	listing->done(listing->context, buffer_span(&lines),
		      failure.kind != ERROR_NONE ? &outcome.error : NULL);
	failure_free(&failure);
	buffer_free(&lines);
	listing_free(listing);
}

static bool build(struct listing *listing, struct secrets *secrets, struct error *e)
{
	const struct provider *provider = listing->provider;

	listing->request.method = mem_copy(SPAN("GET"));
	return protocol_list_request(provider, &listing->request, e) &&
	       provider_complete_request(provider, &listing->request, secrets, e);
}

static bool list_provider(struct model_host *host, const char *spec,
			  void (*done)(void *context, struct span lines,
				       const struct model_error *error),
			  void *context, struct error *e)
{
	char *name = mem_copy((struct span){spec, strcspn(spec, ":")});
	struct listing *listing = mem_zero(sizeof(*listing));
	struct http_limits limits = host->limits;

	limits.total_seconds = list_seconds;
	listing->provider = provider_open(name, host->base_url, &host->keys, e);
	listing->done = done;
	listing->context = context;
	free(name);
	if (listing->provider == NULL || !build(listing, host->secrets, e)) {
		listing_free(listing);
		return false;
	}
	http_start(model_http(host), &listing->request, &limits,
		   &(struct http_handler){.context = listing, .body = on_body, .done = on_done});
	return true;
}

bool model_list(struct model_host *host, const char *spec,
		void (*done)(void *context, struct span lines, const struct model_error *error),
		void *context, struct error *e)
{
	if (model_is_built_in(spec))
		return error_set(e, "usage",
				 "%s is a built-in model; only providers have lists of models",
				 spec);
	return list_provider(host, spec, done, context, e);
}
