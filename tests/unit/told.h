/*
 * told: what a recorded response is as a neutral message, for tests of conversations that go on.
 */
#ifndef TOLD_H
#define TOLD_H

#include "framed.h"

#include "run/response.h"

struct told {
	struct response response;
	int round;
};

/* A call without an id gets one, as in a run. */
static void told_delta(void *context, const struct model_delta *delta)
{
	struct told *told = context;
	struct buffer id = {0};

	if (delta->type == MODEL_TOOL_CALL && delta->id.len == 0)
		buffer_add_format(&id, "call_%d_%d", told->round, delta->index + 1);
	else
		buffer_add_span(&id, delta->id);
	response_add(&told->response, delta, buffer_string(&id));
	buffer_free(&id);
}

static void told_read(struct decoder *decoder, const char *folder, int round)
{
	static const char *const endings[] = {
	    [FRAMING_SSE] = "sse", [FRAMING_NDJSON] = "ndjson", [FRAMING_AWS] = "eventstream"};
	struct buffer path = {0}, bytes = {0};
	size_t stem;

	buffer_add_format(&path, "tests/data/recordings/%s/%02d/response.", folder, round);
	stem = path.len;
	buffer_add_text(&path, endings[decoder->protocol->framing]);
	if (file_read(buffer_string(&path), &bytes, NULL)) {
		framed_read(decoder, buffer_span(&bytes), 0);
	} else {
		path.len = stem;
		buffer_add_text(&path, "json");
		unit_read(buffer_string(&path), &bytes);
		decoder_document(decoder, buffer_span(&bytes));
	}
	buffer_free(&path);
	buffer_free(&bytes);
}

/* Append the response of `round` in `folder`, below tests/data/recordings, as a message of
 * `provider` and `model`. */
static void told(const struct protocol *protocol, const char *provider, const char *model,
		 const char *folder, int round, struct buffer *out)
{
	struct provider entry = {.name = (char *)provider, .entry = SPAN("{}")};
	struct told told = {.round = round};
	struct model_handler handler = {.context = &told, .delta = told_delta};
	struct decoder *decoder = decoder_new(protocol, &entry, &handler);
	struct model_outcome outcome;

	told_read(decoder, folder, round);
	decoder_end(decoder, &outcome);
	response_finish(&told.response);
	response_write_message(&told.response, provider, model, outcome.refusal, out);
	response_free(&told.response);
	decoder_free(decoder);
}

/* The next part of a message that is a call to be run here; false at the end. */
__attribute__((unused)) static bool told_next_call(struct json_walk *parts)
{
	while (json_next(parts))
		if (json_is(json_get(parts->value, "type"), "tool_call") &&
		    json_get(parts->value, "executed_by").at == NULL)
			return true;
	return false;
}

#endif
