/* stream: server-sent events and NDJSON give the same in whatever pieces their bytes arrive. */
#include "fuzz.h"
#include "net/ndjson.h"
#include "net/sse.h"

static void put(struct buffer *log, struct span text)
{
	buffer_add_format(log, "%zu:", text.len);
	buffer_add_span(log, text);
}

static void on_event(void *context, const struct sse_event *event)
{
	put(context, event->type);
	put(context, event->data);
	put(context, event->id);
	buffer_add_char(context, '\n');
}

static void on_line(void *context, struct span line)
{
	must(line.len > 0 && memchr(line.at, '\n', line.len) == NULL);
	put(context, line);
}

static bool feed_sse(void *sse, struct span piece)
{
	return sse_feed(sse, piece);
}

static bool feed_ndjson(void *ndjson, struct span piece)
{
	return ndjson_feed(ndjson, piece);
}

static void try_sse(struct span text, uint32_t seed)
{
	struct buffer whole = {0}, pieces = {0};
	struct sse sse;
	int64_t retry;

	sse_init(&sse, on_event, &whole);
	must(sse_feed(&sse, text));
	sse_end(&sse);
	sse_free(&sse);
	retry = sse.retry;
	sse_init(&sse, on_event, &pieces);
	must(fuzz_feed(text, seed, feed_sse, &sse));
	sse_end(&sse);
	sse_free(&sse);
	must(retry == sse.retry);
	must(span_equal(buffer_span(&whole), buffer_span(&pieces)));
	buffer_free(&whole);
	buffer_free(&pieces);
}

static void try_ndjson(struct span text, uint32_t seed)
{
	struct buffer whole = {0}, pieces = {0};
	struct ndjson ndjson;

	ndjson_init(&ndjson, on_line, &whole);
	must(ndjson_feed(&ndjson, text));
	ndjson_end(&ndjson);
	ndjson_free(&ndjson);
	ndjson_init(&ndjson, on_line, &pieces);
	must(fuzz_feed(text, seed, feed_ndjson, &ndjson));
	ndjson_end(&ndjson);
	ndjson_free(&ndjson);
	must(span_equal(buffer_span(&whole), buffer_span(&pieces)));
	buffer_free(&whole);
	buffer_free(&pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer copy = fuzz_copy(data, size);

	for (uint32_t seed = 0; seed < 4; seed++) {
		try_sse(buffer_span(&copy), seed * 2654435769U + (uint32_t)size);
		try_ndjson(buffer_span(&copy), seed * 2654435769U + (uint32_t)size);
	}
	buffer_free(&copy);
	return 0;
}
