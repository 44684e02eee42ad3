/* lib/net/sse on real answers of providers whose protocols frame their events in odd ways: CRLF,
 * padding, comments, no event names, lines of 100 kB and more, several data lines, no final blank
 * line. */
#include "net/sse.h"
#include "unit.h"

static const char *const recordings[] = {
    "anthropic/messages-rb-streaming-responses-anthropic-reports-consistent-token/01",
    "gemini/gen-rb-streaming-responses-gemini-supports-streaming-responses/01",
    "openai/responses-pai-openai-responses-code-execution-return-image-stream/01",
    "openai/responses-vc-openai-error/01",
    "openrouter/responses-llm-tool-calls/01",
    "other/replicate-test-replicate-llama-stream-le/01",
    "perplexity/chat-rb-streaming-responses-perplexity-sonar-supports-streaming/01",
    "vertex/gen-fb-success-quotes-escaped/01",
};

/* What was delivered: "TYPE\nDATA\n\n" of each event. */
struct seen {
	struct buffer text;
	int64_t events, odd; /* odd: data that is neither JSON nor [DONE] */
};

static void take(void *context, const struct sse_event *event)
{
	struct seen *seen = context;

	seen->events++;
	seen->odd += !json_check(event->data, NULL) && !span_is(event->data, "[DONE]");
	buffer_add_span(&seen->text, event->type);
	buffer_add_char(&seen->text, '\n');
	buffer_add_span(&seen->text, event->data);
	buffer_add_text(&seen->text, "\n\n");
}

/* Feed `bytes` in pieces of `size`. */
static void parse(struct span bytes, size_t size, struct seen *seen)
{
	struct sse sse;

	*seen = (struct seen){0};
	sse_init(&sse, take, seen);
	while (bytes.len > 0) {
		size_t n = size < bytes.len ? size : bytes.len;

		sse_feed(&sse, (struct span){bytes.at, n});
		bytes = span_from(bytes, n);
	}
	sse_end(&sse);
	sse_free(&sse);
}

/* The stream with its line ends written as `eol`. */
static void rewrite(struct span text, const char *eol, struct buffer *out)
{
	struct span line;

	while ((line = unit_line(&text)).at != NULL) {
		if (span_ends(line, "\r"))
			line.len--;
		buffer_add_span(out, line);
		buffer_add_text(out, eol);
	}
}

static void check(const char *recording)
{
	static const char *const ends[] = {"\n", "\r\n", "\r"};
	struct buffer path = {0}, stream = {0}, expected = {0}, other = {0};
	struct seen whole, pieces;
	bool is_text = strncmp(recording, "other/", 6) == 0; /* Replicate's data are words */
	int64_t want;

	buffer_add_format(&path, "tests/data/recordings/%s/response.sse", recording);
	unit_read(buffer_string(&path), &stream);
	buffer_clear(&path);
	buffer_add_format(&path, "tests/data/recordings/%s/expected.json", recording);
	unit_read(buffer_string(&path), &expected);
	want = json_int(json_get(json_trim(buffer_span(&expected)), "n_events"), -1);

	parse(buffer_span(&stream), stream.len, &whole);
	unit_ok(whole.events == want, "%s: %lld events (got %lld)", recording, (long long)want,
		(long long)whole.events);
	unit_ok(is_text || whole.odd == 0, "%s: all data are JSON or [DONE]", recording);
	for (size_t size = 1; size < 5; size++) {
		parse(buffer_span(&stream), size, &pieces);
		unit_ok(span_equal(buffer_span(&pieces.text), buffer_span(&whole.text)),
			"%s: the same in pieces of %zu", recording, size);
		buffer_free(&pieces.text);
	}
	for (size_t i = 0; i < 3; i++) {
		buffer_clear(&other);
		rewrite(buffer_span(&stream), ends[i], &other);
		parse(buffer_span(&other), 7, &pieces);
		unit_ok(span_equal(buffer_span(&pieces.text), buffer_span(&whole.text)),
			"%s: the same with line end %zu", recording, i);
		buffer_free(&pieces.text);
	}
	buffer_free(&whole.text);
	buffer_free(&path);
	buffer_free(&stream);
	buffer_free(&expected);
	buffer_free(&other);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(recordings) / sizeof(*recordings); i++)
		check(recordings[i]);
	return unit_done();
}
