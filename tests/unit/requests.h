/*
 * requests: what a protocol makes of a neutral request, for the tests of its adapter.
 */
#ifndef REQUESTS_H
#define REQUESTS_H

#include "messages.h"
#include "unit.h"

#include "model/model.h"
#include "model/protocol/protocol.h"

#define MESSAGES(...)                                                                              \
	.messages = typed((const struct span[]){__VA_ARGS__},                                      \
			  sizeof((const struct span[]){__VA_ARGS__}) / sizeof(struct span)),       \
	.message_count = sizeof((const struct span[]){__VA_ARGS__}) / sizeof(struct span)
#define OPTIONS(...)                                                                               \
	.options = (const struct model_option[]){__VA_ARGS__},                                     \
	.option_count =                                                                            \
	    sizeof((const struct model_option[]){__VA_ARGS__}) / sizeof(struct model_option)
#define REQUEST(...) ((struct model_request){__VA_ARGS__})
#define HI           SPAN("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]}")

/* The body of the request to "PROVIDER:MODEL", or the message of the error. */
static void request_body(const char *spec, const struct model_request *request, struct buffer *out)
{
	const char *colon = strchr(spec, ':');
	char *name = mem_copy((struct span){spec, (size_t)(colon - spec)});
	struct http_request http = {0};
	struct error e = {0};
	struct provider *provider = provider_open(name, "http://h", NULL, &e);

	if (provider != NULL && protocol_request(provider, colon + 1, request, &http, &e)) {
		buffer_add_span(out, buffer_span(&http.body));
		if (!json_check(buffer_span(&http.body), NULL))
			buffer_add_text(out, " (not JSON)");
	} else {
		buffer_add_text(out, e.message);
	}
	http_request_free(&http);
	provider_free(provider);
	error_clear(&e);
	free(name);
}

/* It is exactly `want`. */
__attribute__((unused)) static void body(const char *title, const char *spec,
					 struct model_request request, const char *want)
{
	struct buffer got = {0};

	request_body(spec, &request, &got);
	unit_same(buffer_span(&got), span_of(want), title);
	buffer_free(&got);
}

#endif
