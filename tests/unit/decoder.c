/* lib/model/protocol/decoder: what the decoders of all protocols do alike. */
#include "model/protocol/protocol.h"

static const struct protocol *protocol;
#define PROTOCOL (*protocol)
#include "decoded.h"

/* A stream of each protocol: a text "a" and its end. */
static const struct sample {
	const struct protocol *protocol;
	const char *text, *end;
} samples[] = {
    {&protocol_openai_chat, "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n",
     "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"},
    {&protocol_openai_responses,
     "data: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"a\"}\n\n",
     "data: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\"}}\n\n"},
    {&protocol_anthropic,
     "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\","
     "\"text\":\"a\"}}\n\n",
     "data: {\"type\":\"message_stop\"}\n\n"},
    {&protocol_gemini, "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}\n\n",
     "data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\n\ndata: [DONE]\n\n"},
    {&protocol_ollama, "{\"message\":{\"content\":\"a\"}}\n", "{\"done\":true}\n"},
};

/* The stream of the sample: its text, `between`, its end, `after`. */
static void try(const struct sample *sample, const char *between, const char *after,
		const char *want, const char *what)
{
	struct buffer text = {0}, title = {0};

	protocol = sample->protocol;
	buffer_add_format(&text, "%s%s%s%s", sample->text, between, sample->end, after);
	buffer_add_format(&title, "%s: %s", protocol->name, what);
	stream(buffer_string(&title), buffer_string(&text), want);
	buffer_free(&text);
	buffer_free(&title);
}

static void try_lines(const struct sample *sample)
{
	try(sample, "", "", "T(a) stop", "a text");
	try(sample, " \t \n\n", "", "T(a) stop", "blank lines are ignored");
	try(sample, "", sample->text, "T(a) stop", "what follows the end is ignored");
	try(sample, "hello\n", "",
	    "T(a) error [invalid_response, retry] prov sent a line that is not JSON (a value is "
	    "missing at byte 0)",
	    "a line that is not JSON");
	try(sample, "{\"a\n", "",
	    "T(a) error [invalid_response, retry] prov sent half a line in the middle of its "
	    "response",
	    "half a line");
}

static void try_events(const struct sample *sample)
{
	bool has_done = sample->protocol->done_ends || sample->protocol == &protocol_anthropic;

	try(sample, "", "", "T(a) stop", "a text");
	try(sample, "data:   \n\n", "", "T(a) stop", "blank events are ignored");
	if (has_done)
		try(sample, "", sample->text, "T(a) stop", "what follows the end is ignored");
	try(sample, "data: hello\n\n", "",
	    "T(a) error [invalid_response, retry] prov sent an event that is not JSON (a value is "
	    "missing at byte 0)",
	    "an event that is not JSON");
	try(sample, "data: {\"a\n\n", "",
	    "T(a) error [invalid_response, retry] prov sent half an event in the middle of its "
	    "response",
	    "half an event");
	try(sample, "data: {\"a\n\nevent: error\ndata: {\"error\":{\"message\":\"Oops\"}}\n\n", "",
	    "T(a) error [server, retry] prov reported an error: Oops",
	    "an error after half an event");
	try(sample, "event: error\ndata: Oops\n\n", "",
	    "T(a) error [server, retry] prov reported an error: Oops",
	    "an error event that is not JSON");
}

/* Without its end the response broke off, also if its last event is torn. */
static void try_cut(const struct sample *sample)
{
	static const char *const tails[] = {"", "data: {\"a\n\n", NULL};
	struct buffer text = {0};

	protocol = sample->protocol;
	for (size_t i = 0; tails[i] != NULL; i++) {
		buffer_clear(&text);
		buffer_add_format(&text, "%s%s", sample->text,
				  protocol->framing == FRAMING_SSE ? tails[i] : "");
		stream(protocol->name, buffer_string(&text),
		       "T(a) error [stream_truncated, retry] prov broke off in the middle of its "
		       "response");
	}
	buffer_free(&text);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		if (samples[i].protocol->framing == FRAMING_SSE)
			try_events(&samples[i]);
		else
			try_lines(&samples[i]);
		try_cut(&samples[i]);
	}
	return unit_done();
}
