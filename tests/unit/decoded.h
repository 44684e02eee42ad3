/*
 * decoded: a response put together from the deltas of a protocol's decoder, for the decoders'
 * tests. PROTOCOL names the protocol: #define PROTOCOL protocol_openai_chat before including. With
 * LOG_DATA defined, the log of a response also has what is kept for the provider.
 */
#ifndef DECODED_H
#define DECODED_H

#include "framed.h"

#include "model/failure.h"

struct call {
	struct buffer id, name, args, data, result;
	bool by_provider, running, over, is_error;
};

struct decoded {
	struct buffer text, thinking, message_data, log;
	struct call calls[64];
	int call_count;
	struct model_outcome outcome;
	struct decoder *decoder;
	struct provider *provider;
	struct model_handler handler;
};

#ifdef LOG_DATA
enum { LOGS_DATA = true };
#else
enum { LOGS_DATA = false };
#endif

static void on_delta(void *context, const struct model_delta *delta)
{
	struct decoded *a = context;
	struct call *call = delta->index >= 0 ? &a->calls[delta->index] : NULL;

	switch (delta->type) {
	case MODEL_TEXT:
		buffer_add_span(&a->text, delta->text);
		buffer_add_format(&a->log, "T(%.*s)", SPAN_ARG(delta->text));
		break;
	case MODEL_THINKING:
		buffer_add_span(&a->thinking, delta->text);
		buffer_add_format(&a->log, "H(%.*s)", SPAN_ARG(delta->text));
		break;
	case MODEL_TOOL_CALL:
		if (delta->index != a->call_count++)
			buffer_add_text(&a->log, "!index");
		call->by_provider = delta->by_provider;
		buffer_add_span(&call->id, delta->id);
		buffer_add_span(&call->name, delta->name);
		buffer_add_format(&a->log, "%c%d(%.*s)", delta->by_provider ? 'P' : 'C',
				  delta->index, SPAN_ARG(delta->name));
		break;
	case MODEL_TOOL_ARGS:
		buffer_add_span(&call->args, delta->text);
		buffer_add_format(&a->log, "A%d(%.*s)", delta->index, SPAN_ARG(delta->text));
		break;
	case MODEL_TOOL_RUNNING:
		call->running = true;
		buffer_add_format(&a->log, "R%d", delta->index);
		break;
	case MODEL_TOOL_RESULT:
		call->over = true;
		call->is_error = delta->is_error;
		buffer_add_span(&call->result, delta->text);
		buffer_add_format(&a->log, "%c%d(%.*s)", LOGS_DATA && delta->is_error ? 'F' : 'E',
				  delta->index, SPAN_ARG(delta->text));
		break;
	case MODEL_OPAQUE:
		buffer_add_format(&a->log, "O(%.*s)", SPAN_ARG(delta->text));
		break;
	case MODEL_PART_DATA:
		if (call != NULL)
			buffer_add_span(&call->data, delta->text);
		if (LOGS_DATA && call != NULL)
			buffer_add_format(&a->log, "D%d(%.*s)", delta->index,
					  SPAN_ARG(delta->text));
		else if (LOGS_DATA)
			buffer_add_format(&a->log, "D(%.*s)", SPAN_ARG(delta->text));
		break;
	case MODEL_MESSAGE_DATA:
		buffer_add_span(&a->message_data, delta->text);
		if (LOGS_DATA)
			buffer_add_format(&a->log, "M(%.*s)", SPAN_ARG(delta->text));
		break;
	case MODEL_RAW:
		break;
	}
}

static struct provider *make_provider(const char *name)
{
	struct provider *provider = mem_zero(sizeof(*provider));

	provider->name = mem_copy(span_of(name));
	buffer_add_text(&provider->json, "{\"key_env\":\"TEST_API_KEY\"}");
	provider->entry = buffer_span(&provider->json);
	provider->quirks = json_get(provider->entry, "quirks");
	buffer_add_text(&provider->key, "test-key-0123456789");
	return provider;
}

static void decoded_begin(struct decoded *a, const char *provider)
{
	*a = (struct decoded){0};
	a->provider = make_provider(provider);
	a->handler = (struct model_handler){.context = a, .delta = on_delta};
	a->decoder = decoder_new(&PROTOCOL, a->provider, &a->handler);
}

static void decoded_free(struct decoded *a)
{
	for (size_t i = 0; i < sizeof(a->calls) / sizeof(a->calls[0]); i++) {
		buffer_free(&a->calls[i].id);
		buffer_free(&a->calls[i].name);
		buffer_free(&a->calls[i].args);
		buffer_free(&a->calls[i].data);
		buffer_free(&a->calls[i].result);
	}
	buffer_free(&a->text);
	buffer_free(&a->thinking);
	buffer_free(&a->message_data);
	buffer_free(&a->log);
	decoder_free(a->decoder);
	provider_free(a->provider);
}

/* Decode a stream, `step` bytes at a time (0: all at once). */
__attribute__((unused)) static void decode_stream(struct decoded *a, const char *provider,
						  struct span stream, size_t step)
{
	decoded_begin(a, provider);
	framed_read(a->decoder, stream, step);
	decoder_end(a->decoder, &a->outcome);
}

__attribute__((unused)) static void decode_document(struct decoded *a, const char *provider,
						    struct span json)
{
	decoded_begin(a, provider);
	decoder_document(a->decoder, json);
	decoder_end(a->decoder, &a->outcome);
}

/* ---- what a response amounts to, in one line ---- */

static void put_count(struct buffer *out, const char *name, int64_t count)
{
	if (count >= 0)
		buffer_add_format(out, " %s=%lld", name, (long long)count);
}

__attribute__((unused)) static void sum_up(const struct decoded *a, struct buffer *out)
{
	const struct model_outcome *o = &a->outcome;

	buffer_add_span(out, buffer_span(&a->log));
	buffer_add_format(out, " %s", model_finish_name(o->finish));
	if (o->provider_finish_reason != NULL)
		buffer_add_format(out, "(%s)", o->provider_finish_reason);
	put_count(out, "in", o->usage.input);
	put_count(out, "out", o->usage.output);
	put_count(out, "cached", o->usage.cached_input);
	put_count(out, "written", o->usage.cache_write);
	put_count(out, "reasoning", o->usage.reasoning);
	if (o->usage.cost_usd >= 0)
		buffer_add_format(out, " usd=%.7f", o->usage.cost_usd);
	if (o->refusal != NULL)
		buffer_add_format(out, " refusal=%s", o->refusal);
	if (o->error.kind != ERROR_NONE)
		buffer_add_format(out, " [%s%s] %s", error_kind_name(o->error.kind),
				  o->error.retryable ? ", retry" : "", o->error.message);
}

__attribute__((unused)) static void same_summary(struct decoded *a, const char *want,
						 const char *name, const char *how)
{
	struct buffer got = {0}, title = {0};

	sum_up(a, &got);
	buffer_add_format(&title, "%s%s", name, how);
	unit_same(buffer_span(&got), span_of(want), buffer_string(&title));
	buffer_free(&got);
	buffer_free(&title);
	decoded_free(a);
}

/* A whole stream, as it comes and byte by byte. */
__attribute__((unused)) static void stream(const char *name, const char *text, const char *want)
{
	struct decoded a;

	decode_stream(&a, "prov", span_of(text), 0);
	same_summary(&a, want, name, "");
	decode_stream(&a, "prov", span_of(text), 1);
	same_summary(&a, want, name, " (byte by byte)");
}

/* A stream of these chunks (NULL ends them), each an event of its own. */
#define CHUNKS(name, want, ...) chunks(name, want, (const char *const[]){__VA_ARGS__, NULL})

__attribute__((unused)) static void chunks(const char *name, const char *want,
					   const char *const *list)
{
	struct buffer text = {0};

	for (; *list != NULL; list++)
		buffer_add_format(&text, "data: %s\n\n", *list);
	stream(name, buffer_string(&text), want);
	buffer_free(&text);
}

__attribute__((unused)) static void document(const char *name, const char *want, const char *json)
{
	struct decoded a;

	decode_document(&a, "prov", span_of(json));
	same_summary(&a, want, name, "");
}

__attribute__((unused)) static void http_error(const char *name, const char *want, int status,
					       const char *body)
{
	struct decoded a;
	struct failure failure = {0};

	decoded_begin(&a, "prov");
	a.outcome = (struct model_outcome){.usage = MODEL_USAGE_NONE};
	failure_read(&failure, a.provider, status, span_of(body));
	failure_report(&failure, a.provider, &a.outcome);
	same_summary(&a, want, name, "");
	failure_free(&failure);
}

/* The response of a recording, for what its expected.json does not say. */
__attribute__((unused)) static void recording(const char *name, const char *folder,
					      const char *want)
{
	struct buffer path = {0}, bytes = {0};
	struct decoded a;

	buffer_add_format(&path, "tests/data/recordings/%s/response.sse", folder);
	unit_read(buffer_string(&path), &bytes);
	decode_stream(&a, "prov", buffer_span(&bytes), 0);
	buffer_clear(&a.log);
	same_summary(&a, want, name, "");
	buffer_free(&path);
	buffer_free(&bytes);
}

#endif
