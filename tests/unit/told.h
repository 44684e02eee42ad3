/*
 * told: what a recorded answer is as a neutral message, for tests of conversations that go on.
 */
#ifndef TOLD_H
#define TOLD_H

#include "unit.h"

#include "model/protocol/protocol.h"
#include "net/sse.h"
#include "run/answer.h"

static void told_delta(void *context, const struct model_delta *delta)
{
	char *id = mem_copy(delta->id);

	answer_add(context, delta, id);
	free(id);
}

static void told_event(void *context, const struct sse_event *event)
{
	struct decoder *decoder = context;

	decoder->protocol->event(decoder, event->type, event->data);
}

static void told_read(struct decoder *decoder, const char *folder, int round)
{
	struct buffer path = {0}, bytes = {0};
	struct sse sse;

	buffer_add_format(&path, "tests/data/recordings/%s/%02d/response.sse", folder, round);
	if (file_read(buffer_string(&path), &bytes, NULL)) {
		sse_init(&sse, told_event, decoder);
		sse_feed(&sse, buffer_span(&bytes));
		sse_end(&sse);
		sse_free(&sse);
	} else {
		buffer_clear(&path);
		buffer_add_format(&path, "tests/data/recordings/%s/%02d/response.json", folder,
				  round);
		unit_read(buffer_string(&path), &bytes);
		decoder->protocol->document(decoder, buffer_span(&bytes));
	}
	buffer_free(&path);
	buffer_free(&bytes);
}

/* Append the answer of `round` in `folder`, below tests/data/recordings, as a message of `provider`
 * and `model`. */
static void told(const struct protocol *protocol, const char *provider, const char *model,
		 const char *folder, int round, struct buffer *out)
{
	struct provider entry = {.name = (char *)provider, .entry = SPAN("{}")};
	struct answer answer = {0};
	struct model_handler handler = {.context = &answer, .delta = told_delta};
	struct decoder *decoder = protocol->decoder_new(&(struct model_request){0});
	struct model_outcome outcome;

	decoder->handler = &handler;
	decoder->provider = &entry;
	told_read(decoder, folder, round);
	protocol->end(decoder, false, &outcome);
	answer_finish(&answer);
	answer_write_message(&answer, provider, model, outcome.refusal, out);
	answer_free(&answer);
	protocol->decoder_free(decoder);
}

#endif
