/*
 * What servers that speak openai-chat do beyond the specification, each trap by its number in the
 * list of quirks: SSE framing and chat completions. Tool calls are in openai_chat_calls.c, HTTP
 * errors in failure.c.
 */
#include "openai_chat_chunks.h"

/* ---- SSE framing ---- */

static void framing(void)
{
	stream("quirk 1: CRLF line ends",
	       "data: " CONTENT("a") "\r\n\r\ndata: " FINISH("stop") "\r\n\r\ndata: [DONE]\r\n\r\n",
	       "T(a) stop");
	recording("quirk 2: CRLF line ends from Perplexity, whose cost is an object",
		  "perplexity/chat-rb-streaming-responses-perplexity-sonar-supports-streaming/01",
		  " stop in=8 out=5 usd=0.0050100");
	stream("quirk 3: no space after the colon",
	       "data:" CONTENT("a") "\n\ndata:" FINISH("stop") "\n\ndata:[DONE]\n\n", "T(a) stop");
	stream("quirk 4: comment keep-alives before and between events",
	       ": OPENROUTER PROCESSING\n\n: \n\ndata: " CONTENT(
		   "a") "\n: ping\n\n: x\n\ndata: " FINISH("stop") "\n\ndata: [DONE]\n\n",
	       "T(a) stop");
	stream("quirk 5: bare comment lines",
	       ": \n: \n\ndata: " CONTENT("a") "\n\n: \n\ndata: " FINISH("stop") "\n\n",
	       "T(a) stop");
	stream("quirk 6: the event's name says nothing, the JSON does",
	       "event: whatever\ndata: " CONTENT("a") "\n\nevent: x\ndata: " FINISH("stop") "\n\n",
	       "T(a) stop");
	stream("quirk 7: an error as an SSE field, then nothing",
	       "data: " CONTENT("a") "\n\nerror: {\"detail\":\"failed to decode\",\"error\":"
				     "{\"message\":\"failed to decode\"}}\n\n",
	       "T(a) error [server, retry] prov reported an error: failed to decode");
	stream("quirk 7: an error as an SSE field, then [DONE]",
	       "error: {\"code\":400,\"message\":\"the request exceeds the available context "
	       "size\",\"type\":\"invalid_request_error\"}\n\ndata: [DONE]\n\n",
	       " error [context] prov reported an error: the request exceeds the available "
	       "context size");
	stream("quirk 9: event: error without finish or [DONE]",
	       "data: " CONTENT("a") "\n\nevent: error\ndata: {\"error\":{\"message\":\"Failed to "
				     "call a function.\",\"code\":\"tool_use_failed\","
				     "\"failed_generation\":\"{}\",\"status_code\":400}}\n\n",
	       "T(a) error [tool_validation] prov reported an error: Failed to call a function");
	stream("quirk 9: event: error that is plain text", "event: error\ndata: upstream gone\n\n",
	       " error [server, retry] prov reported an error: upstream gone");
	stream("an error in a choice",
	       "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":"
	       "\"error\",\"error\":{\"code\":502,\"message\":\"Upstream failed\"}}]}\n\n",
	       "T(a) error [server, retry] prov reported an error: Upstream failed");
	recording("quirk 10: an error in a chunk with choices and usage, after a finish reason",
		  "openrouter/chat-pai-openrouter-stream-error/01",
		  " error in=43 out=10 cached=0 reasoning=11 usd=0.0000000 [invalid_request] prov "
		  "reported an error: Token limit reached");
	stream("quirk 12: the last event is not closed by a blank line",
	       "data: " CONTENT("a") "\n\ndata: " FINISH("stop") "\n\ndata: " USAGE,
	       "T(a) stop in=5 out=2");
	stream(
	    "quirk 13: data over several lines, and id fields",
	    "id: 1\ndata: {\"choices\":[{\"index\":0,\ndata: \"delta\":{\"content\":\"a\"}}]}\n\n"
	    "id: 2\ndata: " FINISH("stop") "\n\n",
	    "T(a) stop");
	stream("quirk 15: spaces before closing braces",
	       "data: {\"choices\":[{\"index\":0  ,\"delta\":{\"content\":\"a\"   }  }  ]   }\n\n"
	       "data: " FINISH("stop") "\n\n",
	       "T(a) stop");
	CHUNKS("quirk 16: no [DONE] at all", "T(a) stop", CONTENT("a"), FINISH("stop"));
	CHUNKS("quirk 17: escaped surrogate pairs and escaped angle brackets",
	       "T(\xF0\x9F\x98\x80 <b>) stop", CONTENT("\\ud83d\\ude00 \\u003cb\\u003e"),
	       FINISH("stop"), DONE);
	stream("an event whose data is empty is a keep-alive",
	       "data:\n\ndata: \n\ndata: " CONTENT("a") "\n\ndata: " FINISH("stop") "\n\n",
	       "T(a) stop");
	CHUNKS("an event that is not JSON",
	       "T(a) error [invalid_response, retry] prov sent an event that is not JSON "
	       "(a value is missing at byte 0)",
	       CONTENT("a"), "oops", CONTENT("b"), DONE);
}

static void long_line(void)
{
	struct buffer text = {0}, want = {0};
	struct decoded a;

	for (int i = 0; i < 1 << 20; i++)
		buffer_add_char(&want, (char)('a' + i % 26));
	buffer_add_format(&text, "data: " CONTENT("%s") "\n\ndata: " FINISH("stop") "\n\n",
			  buffer_string(&want));
	decode_stream(&a, "prov", buffer_span(&text), 0);
	unit_ok(span_equal(buffer_span(&a.text), buffer_span(&want)),
		"quirk 14: one line of a megabyte");
	decoded_free(&a);
	buffer_free(&text);
	buffer_free(&want);
}

/* ---- chat completions ---- */

static void usage(void)
{
	CHUNKS("quirk 18: usage with empty choices after finish_reason", "T(a) stop in=5 out=2",
	       CONTENT("a"), FINISH("stop"), USAGE, DONE);
	CHUNKS("quirk 19: usage in the chunk that finishes", "T(a) stop in=5 out=2", CONTENT("a"),
	       "{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{"
	       "\"prompt_tokens\":5,\"completion_tokens\":2}}",
	       DONE);
	CHUNKS("quirk 20: usage only in x_groq", "T(a) stop in=5 out=2", CONTENT("a"),
	       "{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"x_groq\":{"
	       "\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2}}}",
	       DONE);
	CHUNKS("x_groq.error says why a stream stopped early",
	       "T(a) error [overloaded, retry] prov reported an error: over capacity, model "
	       "overloaded",
	       CONTENT("a"),
	       "{\"choices\":[],\"x_groq\":{\"error\":\"over capacity, model overloaded\"}}");
	CHUNKS("quirk 21: usage in every chunk, cumulative; a last chunk with the whole message",
	       "T(a)T(b) stop in=5 out=2",
	       "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}],\"usage\":{"
	       "\"prompt_tokens\":5,\"completion_tokens\":1}}",
	       "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"b\"}}],\"usage\":{"
	       "\"prompt_tokens\":5,\"completion_tokens\":2}}",
	       "{\"object\":\"chat.completion.done\",\"usage\":{\"prompt_tokens\":5,"
	       "\"completion_tokens\":2},\"choices\":[{\"index\":0,\"finish_reason\":\"stop\","
	       "\"message\":{\"content\":\"ab\"},\"delta\":{\"content\":\"\"}}]}");
	CHUNKS("usage in the choice (Moonshot), cached tokens beside it",
	       "T(a) stop in=5 out=2 cached=3", CONTENT("a"),
	       "{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\",\"usage\":{"
	       "\"prompt_tokens\":5,\"completion_tokens\":2,\"cached_tokens\":3}}]}");
	CHUNKS("DeepSeek's cache hits, cache writes, details that are null",
	       "T(a) stop in=5 out=2 cached=4 written=1 reasoning=1", CONTENT("a"), FINISH("stop"),
	       "{\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2,"
	       "\"prompt_tokens_details\":{\"cache_write_tokens\":1},\"prompt_cache_hit_tokens\":4,"
	       "\"completion_tokens_details\":null,\"reasoning_tokens\":1}}");
	recording("xAI: reasoning is not in completion_tokens; the cost in ticks",
		  "xai/chat-vc-xai-text-2/01",
		  " stop in=12 out=291 cached=11 reasoning=290 usd=0.0001466");
	recording("OpenRouter: the cost as billed", "openai/chat-llm-tools-streaming-variant-b/01",
		  " tool_calls in=57 out=17 cached=0 reasoning=0 usd=0.0000716");
}

static void content(void)
{
	CHUNKS("quirk 22: message beside delta, null content at the end", "T(a) stop",
	       "{\"choices\":[{\"index\":0,\"message\":{\"content\":\"a\"},\"delta\":{\"content\":"
	       "\"a\"}}]}",
	       "{\"choices\":[{\"index\":0,\"message\":{\"content\":null},\"delta\":{\"content\":"
	       "null},\"finish_reason\":\"stop\"}]}");
	CHUNKS("quirk 23: a first chunk with empty choices, an empty model and filter results",
	       "T(a) stop",
	       "{\"choices\":[],\"created\":0,\"id\":\"\",\"model\":\"\",\"object\":\"\","
	       "\"prompt_filter_results\":[{\"prompt_index\":0,\"content_filter_results\":{}}]}",
	       "{\"choices\":null}", "{\"choices\":[{\"index\":0,\"delta\":null}]}", CONTENT("a"),
	       FINISH("stop"), DONE);
	CHUNKS("quirk 24: content is an array of parts (Mistral)", "H(hm)H(m)T(a) stop",
	       "{\"choices\":[{\"index\":0,\"delta\":{\"content\":[{\"type\":\"thinking\","
	       "\"thinking\":[{\"type\":\"text\",\"text\":\"hm\"},{\"type\":\"text\",\"text\":"
	       "\"m\"}]}]}}]}",
	       "{\"choices\":[{\"index\":0,\"delta\":{\"content\":[{\"type\":\"text\",\"text\":"
	       "\"a\"}]}}]}",
	       FINISH("stop"), DONE);
	CHUNKS(
	    "quirk 31: no finish_reason at all, empty id, reasoning only in reasoning_details",
	    "H(hm)H(m)T(a) stop",
	    "{\"id\":\"\",\"created\":0,\"choices\":[{\"delta\":{\"content\":\"\","
	    "\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":\"hm\",\"index\":0}]},"
	    "\"index\":0}]}",
	    DELTA(
		"\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":\"m\",\"index\":0}]"),
	    CONTENT("a"), DONE);
	CHUNKS("quirk 32: reasoning in reasoning_content", "H(hm)T(a) stop",
	       DELTA("\"content\":null,\"reasoning_content\":\"hm\""),
	       DELTA("\"content\":\"a\",\"reasoning_content\":null"), FINISH("stop"));
	CHUNKS("quirk 33: reasoning in reasoning", "H(hm)T(a) stop", DELTA("\"reasoning\":\"hm\""),
	       CONTENT("a"), FINISH("stop"));
	CHUNKS("reasoning in reasoning_text", "H(hm)T(a) stop", DELTA("\"reasoning_text\":\"hm\""),
	       CONTENT("a"), FINISH("stop"));
	CHUNKS("the same reasoning under two names counts once", "H(hm)T(a) stop",
	       DELTA("\"reasoning_content\":\"hm\",\"reasoning\":\"hm\""), CONTENT("a"),
	       FINISH("stop"));
	CHUNKS("quirk 36: only choice 0 of several, interleaved", "T(a)T(b) stop",
	       "{\"choices\":[{\"index\":1,\"delta\":{\"content\":\"x\"}}]}", CONTENT("a"),
	       "{\"choices\":[{\"delta\":{\"content\":\"y\"},\"index\":1,\"finish_reason\":"
	       "\"length\"}]}",
	       CONTENT("b"), FINISH("stop"), DONE);
	CHUNKS("quirk 37: a refusal that ends with stop", " refusal refusal=I can't.",
	       DELTA("\"refusal\":\"I can\""), DELTA("\"refusal\":\"'t.\",\"content\":null"),
	       FINISH("stop"), DONE);
	document("quirk 37: a refusal in a whole message", " refusal in=5 out=2 refusal=No.",
		 "{\"choices\":[{\"index\":0,\"message\":{\"content\":null,\"refusal\":\"No.\"},"
		 "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":5,\"completion_"
		 "tokens\":2}}");
	CHUNKS("quirk 38: padding fields", "T(a) stop",
	       "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}],\"obfuscation\":\"xY3\","
	       "\"p\":\"abc\"}",
	       FINISH("stop"), DONE);
}

static void details(void)
{
	struct decoded a;

	decode_stream(
	    &a, "prov",
	    SPAN("data: " DELTA(
		"\"reasoning\":\"h\\u00e4\",\"reasoning_details\":[{\"type\":"
		"\"reasoning.text\",\"text\":\"h\\u00e4\",\"index\":0,\"format\":"
		"\"x\"}]") "\n\ndata: " DELTA("\"reasoning\":\"m\",\"reasoning_details\":[{"
					      "\"type\":"
					      "\"reasoning.text\",\"text\":\"m\",\"signature\":"
					      "\"sig=\","
					      "\"index\":0}]") "\n\n"
							       "data: " DELTA(
								   "\"reasoning_details\":[{"
								   "\"type\":\"reasoning."
								   "encrypted\",\"data\":"
								   "\"b64\", \"index\":1}]") "\n\nd"
											     "ata:"
											     " " CONTENT("a") "\n\ndata: " FINISH(
												 "s"
												 "t"
												 "o"
												 "p") "\n\n"),
	    0);
	unit_same(buffer_span(&a.log), SPAN("H(h\xC3\xA4)H(m)T(a)"),
		  "quirk 34: reasoning and reasoning_details say the same, once");
	unit_same(
	    buffer_span(&a.message_data),
	    SPAN("{\"reasoning_details\":[{\"type\":\"reasoning.text\",\"index\":0,\"format\":"
		 "\"x\",\"text\":\"h\\u00e4m\",\"signature\":\"sig=\"},{\"type\":"
		 "\"reasoning.encrypted\",\"data\":\"b64\",\"index\":1}]}"),
	    "quirk 34: signed and encrypted parts are kept, texts put together");
	decoded_free(&a);
	decode_stream(
	    &a, "prov",
	    SPAN("data: " CALL(
		"\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"},"
		"\"extra_content\":{\"google\":{\"thought_signature\":\"s\"}}") "\n\n"
										"data: [DONE]\n\n"),
	    0);
	unit_same(buffer_span(&a.calls[0].data),
		  SPAN("{\"extra_content\":{\"google\":{\"thought_signature\":\"s\"}}}"),
		  "a thought signature of Gemini's is kept with its call");
	decoded_free(&a);
	decode_stream(&a, "prov",
		      SPAN("data: " DELTA(
			  "\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":\"a\xC3\"}"
			  "]") "\n\n"
			       "data: " DELTA("\"reasoning_details\":[{\"type\":\"reasoning.text\","
					      "\"text\":\"\xA4\xFF\"}]") "\n\n"
									 "data: [DONE]\n\n"),
		      0);
	unit_same(buffer_span(&a.message_data),
		  SPAN("{\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":\"a\xC3\xA4"
		       "\xEF\xBF\xBD\"}]}"),
		  "what is kept is UTF-8 whatever came");
	decoded_free(&a);
}

static void think(void)
{
	CHUNKS("quirk 35: <think> in the content", "H(hm)T(a) stop", CONTENT("<think>"),
	       CONTENT("hm"), CONTENT("</think>"), CONTENT("a"), FINISH("stop"));
	CHUNKS("quirk 35: <think> split anywhere, after white space, not alone in its chunk",
	       "H(h)H(<m)H(</think\\)T( a</think>) stop", CONTENT("\\n <th"), CONTENT("ink>h"),
	       CONTENT("<m"), CONTENT("</thin"), CONTENT("k\\\\</thi"), CONTENT("nk> a</think>"),
	       FINISH("stop"));
	CHUNKS("quirk 35: everything in one chunk", "H(hm)T(a) stop", CONTENT("<think>hm</think>a"),
	       FINISH("stop"));
	CHUNKS("quirk 35: reasoning that never ends", "H(hm)H(</thi) length",
	       CONTENT("<think>hm</thi"), FINISH("length"));
	CHUNKS("<think> later in an answer is text", "T(x)T(<think>y</think>) stop", CONTENT("x"),
	       CONTENT("<think>y</think>"), FINISH("stop"));
	CHUNKS("what only looks like <think> is text", "T( <thing>) stop", CONTENT(" "),
	       CONTENT("<thin"), CONTENT("g>"), FINISH("stop"));
	CHUNKS("white space alone is text", "T( \n) stop", CONTENT(" "), CONTENT("\\n"),
	       FINISH("stop"));
}

int main(void)
{
	framing();
	long_line();
	usage();
	content();
	details();
	think();
	return unit_done();
}
