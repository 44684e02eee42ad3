/* decoder: whatever a provider streams becomes deltas as model.h describes them. tests/fuzz/run
 * builds it once for each protocol: -DPROTOCOL=protocol_openai_chat. */
#include "fuzz.h"
#include "model/protocol/protocol.h"
#include "net/ndjson.h"
#include "net/sse.h"

#ifndef PROTOCOL
#define PROTOCOL protocol_openai_chat
#endif

struct decoding {
	struct decoder *decoder;
	int call_count;
	bool failed;
};

static void on_delta(void *context, const struct model_delta *delta)
{
	struct decoding *a = context;

	must(is_utf8(delta->text) || delta->type == MODEL_RAW);
	switch (delta->type) {
	case MODEL_TOOL_CALL:
		must(delta->index == a->call_count && delta->name.len > 0);
		a->call_count++;
		break;
	case MODEL_TOOL_ARGS:
	case MODEL_TOOL_RUNNING:
	case MODEL_TOOL_RESULT:
		must(delta->index >= 0 && delta->index < a->call_count);
		break;
	case MODEL_PART_DATA:
		must(delta->index < a->call_count);
		must(json_check(delta->text, NULL));
		break;
	case MODEL_OPAQUE:
	case MODEL_MESSAGE_DATA:
		must(json_check(delta->text, NULL));
		break;
	case MODEL_TEXT:
	case MODEL_THINKING:
	case MODEL_RAW:
		break;
	}
}

static void take(struct decoding *a, struct span name, struct span data)
{
	if (!a->failed)
		a->failed = !decoder_event(a->decoder, name, data);
}

static void on_event(void *context, const struct sse_event *event)
{
	take(context, event->type, event->data);
}

static void on_line(void *context, struct span line)
{
	take(context, (struct span){0}, line);
}

static void take_stream(struct decoding *a, struct span text)
{
	if (PROTOCOL.framing == FRAMING_SSE) {
		struct sse sse;

		sse_init(&sse, on_event, a);
		sse_feed(&sse, text);
		sse_end(&sse);
		sse_free(&sse);
	} else {
		struct ndjson ndjson;

		ndjson_init(&ndjson, on_line, a);
		ndjson_feed(&ndjson, text);
		ndjson_end(&ndjson);
		ndjson_free(&ndjson);
	}
}

static void try_response(struct span text, bool whole)
{
	struct provider provider = {.name = "fuzz", .entry = SPAN("{}")};
	struct decoding response = {0};
	struct model_handler handler = {.context = &response, .delta = on_delta};
	struct model_outcome outcome = {.error = {.retry_after_seconds = -1}};

	response.decoder = decoder_new(&PROTOCOL, &provider, &handler);
	if (whole)
		response.failed = !decoder_document(response.decoder, text);
	else
		take_stream(&response, text);
	decoder_end(response.decoder, &outcome);
	must(!response.failed || outcome.error.kind != ERROR_NONE);
	must(outcome.error.kind == ERROR_NONE ||
	     (outcome.error.message != NULL && is_utf8(span_of(outcome.error.message))));
	must(outcome.refusal == NULL || is_utf8(span_of(outcome.refusal)));
	decoder_free(response.decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer copy = fuzz_copy(data, size), list = {0};
	struct span text = buffer_span(&copy);

	try_response(text, false);
	try_response(text, true);
	if (json_check(text, NULL))
		protocol_list_read(&PROTOCOL, text, &list);
	buffer_free(&copy);
	buffer_free(&list);
	return 0;
}
