/*
 * framed: a stream of bytes, taken apart by the framing of a protocol, for its decoder.
 */
#ifndef FRAMED_H
#define FRAMED_H

#include "unit.h"

#include "model/protocol/protocol.h"
#include "net/aws_stream.h"
#include "net/ndjson.h"
#include "net/sse.h"

struct framed {
	struct decoder *decoder;
	bool stopped; /* the decoder wants no more */
};

static void framed_event(struct framed *framed, struct span name, struct span data)
{
	if (!framed->stopped && !decoder_event(framed->decoder, name, data))
		framed->stopped = true;
}

static void framed_on_event(void *context, const struct sse_event *event)
{
	struct span name = event->type;

	if (span_is(name, "message"))
		name = (struct span){0};
	framed_event(context, name, event->data);
}

static void framed_on_line(void *context, struct span line)
{
	framed_event(context, (struct span){0}, line);
}

static void framed_on_message(void *context, const struct aws_message *message)
{
	struct buffer name = {0};

	if (!span_is(message->type, "event"))
		buffer_add_char(&name, '!');
	buffer_add_span(&name, message->name);
	framed_event(context, buffer_span(&name), message->payload);
	buffer_free(&name);
}

/* Give `decoder` a stream, `step` bytes at a time (0: all at once). */
static void framed_read(struct decoder *decoder, struct span stream, size_t step)
{
	struct framed framed = {.decoder = decoder};
	enum framing framing = decoder->protocol->framing;
	struct sse sse;
	struct ndjson ndjson;
	struct aws_stream aws;

	sse_init(&sse, framed_on_event, &framed);
	ndjson_init(&ndjson, framed_on_line, &framed);
	aws_stream_init(&aws, framed_on_message, &framed);
	for (size_t at = 0; at < stream.len;) {
		size_t len = step == 0 || stream.len - at < step ? stream.len - at : step;
		/* In memory of its own, so that reading beyond it shows. */
		char *piece = mem_copy((struct span){stream.at + at, len});

		if (framing == FRAMING_NDJSON)
			ndjson_feed(&ndjson, (struct span){piece, len});
		else if (framing == FRAMING_AWS)
			aws_stream_feed(&aws, (struct span){piece, len});
		else
			sse_feed(&sse, (struct span){piece, len});
		free(piece);
		at += len;
	}
	sse_end(&sse);
	sse_free(&sse);
	ndjson_end(&ndjson);
	ndjson_free(&ndjson);
	aws_stream_free(&aws);
}

#endif
