/*
 * What Anthropic and the servers that speak its protocol really send: the decoder of anthropic on
 * streams of a few events.
 */
#define PROTOCOL protocol_anthropic
#define LOG_DATA
#include "decoded.h"

#include "model/answer_tool.h"

#define START                                                                                      \
	"{\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":" \
	"\"assistant\",\"model\":\"claude\",\"content\":[],\"stop_reason\":null,\"usage\":{"       \
	"\"input_tokens\":5,\"output_tokens\":1}}}"
#define BLOCK(i, block)                                                                            \
	"{\"type\":\"content_block_start\",\"index\":" i ",\"content_block\":{" block "}}"
#define DELTA(i, delta) "{\"type\":\"content_block_delta\",\"index\":" i ",\"delta\":{" delta "}}"
#define STOP(i)         "{\"type\":\"content_block_stop\",\"index\":" i "}"
#define TEXT(i)         BLOCK(i, "\"type\":\"text\",\"text\":\"\"")
#define SAY(i, text)    DELTA(i, "\"type\":\"text_delta\",\"text\":\"" text "\"")
#define CALL(i, more)   BLOCK(i, "\"type\":\"tool_use\",\"input\":{},\"id\":\"toolu_" i "\"," more)
#define ARGS(i, json)   DELTA(i, "\"type\":\"input_json_delta\",\"partial_json\":\"" json "\"")
#define END(reason)                                                                                \
	"{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"" reason                         \
	"\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":7}}"
#define DONE "{\"type\":\"message_stop\"}"
#define ALL  " in=5 out=7"

static void text(void)
{
	CHUNKS("text in pieces", "T(Hel)T(lo) stop" ALL, START, TEXT("0"), SAY("0", "Hel"),
	       SAY("0", "lo"), STOP("0"), END("end_turn"), DONE);
	CHUNKS("quirk 15: padding, and a ping anywhere", "T(a)T(b) stop" ALL,
	       "{\"type\": \"ping\"}", START, "{\"type\": \"ping\"}", TEXT("0") "      ",
	       "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\","
	       "\"text\":\"a\"}           }",
	       "{\"type\": \"ping\"}", SAY("0", "b"), STOP("0"), "{\"type\": \"ping\"}",
	       END("end_turn"), "{\"type\": \"ping\"}", DONE);
	CHUNKS("text at the beginning of its block", "T(a)T(b) stop" ALL, START,
	       BLOCK("0", "\"type\":\"text\",\"text\":\"a\""), SAY("0", "b"), STOP("0"),
	       END("stop_sequence"), DONE);
	CHUNKS("text without a beginning", "T(a) stop" ALL, START, SAY("0", "a"), STOP("0"),
	       END("end_turn"), DONE);
	CHUNKS("no index", "T(a)T(b)D({})T(c) stop" ALL, START, TEXT("null"), SAY("0", "a"),
	       SAY("null", "b"), STOP("0"), TEXT("1"), SAY("null", "c"), END("end_turn"), DONE);
	CHUNKS("a block without a type",
	       " error [invalid_response, retry] prov sent a block of its response without a type",
	       "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"text\":\"x\"}}");
	CHUNKS("an event without a type",
	       " error [invalid_response, retry] prov sent an event without a type",
	       "{\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"x\"}}");
	CHUNKS("half a surrogate pair", "T(\xF0\x9F\x98\x80) stop" ALL, START, TEXT("0"),
	       SAY("0", "\\ud83d"), SAY("0", "\\ude00"), STOP("0"), END("end_turn"), DONE);
	CHUNKS("half a pair at the end of a block", "T(a)T(\xEF\xBF\xBD)D({})T(b) stop" ALL, START,
	       TEXT("0"), SAY("0", "a\\ud83d"), STOP("0"), TEXT("1"), SAY("1", "b"), STOP("1"),
	       END("end_turn"), DONE);
	CHUNKS("invalid UTF-8", "T(a\xEF\xBF\xBD) stop" ALL, START, TEXT("0"), SAY("0", "a\xFF"),
	       STOP("0"), END("end_turn"), DONE);
	CHUNKS("events and deltas that nobody knows", "T(a) stop" ALL, START,
	       "{\"type\":\"vertex_event\",\"usage\":{\"input_tokens\":9}}", TEXT("0"),
	       DELTA("0", "\"type\":\"sparkle_delta\",\"text\":\"x\""), SAY("0", "a"),
	       DELTA("7", "\"type\":\"sparkle_delta\""), STOP("0"), STOP("7"), END("end_turn"),
	       DONE);
}

static void thinking(void)
{
	CHUNKS("quirk 46: a signature is kept",
	       "H(hm)D({\"signature\":\"Eq\\u0045==\"})T(a) stop" ALL, START,
	       BLOCK("0", "\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\""),
	       DELTA("0", "\"type\":\"thinking_delta\",\"thinking\":\"hm\""),
	       DELTA("0", "\"type\":\"thinking_delta\",\"thinking\":\"\""),
	       DELTA("0", "\"type\":\"signature_delta\",\"signature\":\"Eq\\u0045==\""), STOP("0"),
	       TEXT("1"), SAY("1", "a"), STOP("1"), END("end_turn"), DONE);
	CHUNKS("quirk 46: redacted thinking is kept",
	       "O({\"type\":\"redacted_thinking\",\"data\":\"Eqk/+=\"})T(a) stop" ALL, START,
	       BLOCK("0", "\"type\":\"redacted_thinking\",\"data\":\"Eqk/+=\""), STOP("0"),
	       TEXT("1"), SAY("1", "a"), STOP("1"), END("end_turn"), DONE);
	CHUNKS("blocks that do not stop keep their order",
	       "O({\"type\":\"x\",\"n\":1})O({\"type\":\"x\",\"n\":2})"
	       "O({\"type\":\"x\",\"n\":3})O({\"type\":\"x\",\"n\":4}) stop" ALL,
	       START, BLOCK("0", "\"type\":\"x\",\"n\":1"), BLOCK("1", "\"type\":\"x\",\"n\":2"),
	       BLOCK("2", "\"type\":\"x\",\"n\":3"), BLOCK("3", "\"type\":\"x\",\"n\":4"),
	       END("end_turn"), DONE);
	CHUNKS("thinking that is not shown is a part of its own",
	       "H()D({\"signature\":\"A\"})H()D({\"signature\":\"B\"}) stop" ALL, START,
	       BLOCK("0", "\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\""),
	       DELTA("0", "\"type\":\"signature_delta\",\"signature\":\"A\""), STOP("0"),
	       BLOCK("1", "\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"B\""), STOP("1"),
	       END("end_turn"), DONE);
	CHUNKS("thinking without a signature does not become part of what has one",
	       "H(a)D({})H(b)D({\"signature\":\"B\"}) stop" ALL, START,
	       BLOCK("0", "\"type\":\"thinking\",\"thinking\":\"a\""), STOP("0"),
	       BLOCK("1", "\"type\":\"thinking\",\"thinking\":\"b\",\"signature\":\"B\""),
	       STOP("1"), END("end_turn"), DONE);
	CHUNKS("blocks of text stay blocks; citations are kept",
	       "T(a)D({})T(b)D({\"citations\":[{\"url\":\"u\"},{\"url\":\"v\"}]})T(c) stop" ALL,
	       START, TEXT("0"), SAY("0", "a"), STOP("0"),
	       BLOCK("1", "\"citations\":[],\"type\":\"text\",\"text\":\"\""), SAY("1", "b"),
	       DELTA("1", "\"type\":\"citations_delta\",\"citation\":{\"url\":\"u\"}"),
	       DELTA("1", "\"type\":\"citations_delta\",\"citation\":{\"url\":\"v\"}"), STOP("1"),
	       TEXT("2"), SAY("2", "c"), STOP("2"), END("end_turn"), DONE);
}

static void calls(void)
{
	CHUNKS("quirk 45: no arguments", "C0(f)A0({}) tool_calls" ALL, START,
	       CALL("0", "\"name\":\"f\""), ARGS("0", ""), STOP("0"), END("tool_use"), DONE);
	CHUNKS("no arguments and no delta", "C0(f)A0({}) tool_calls" ALL, START,
	       CALL("0", "\"name\":\"f\""), STOP("0"), END("tool_use"), DONE);
	CHUNKS("calls at once, interleaved",
	       "C0(f)C1(g)A0({\"a\":)A1({\"b\":)A0(1})A1(2}) tool_calls" ALL, START,
	       CALL("0", "\"name\":\"f\""), CALL("1", "\"name\":\"g\""), ARGS("0", "{\\\"a\\\":"),
	       ARGS("1", "{\\\"b\\\":"), ARGS("0", "1}"), STOP("0"), ARGS("1", "2}"), STOP("1"),
	       END("tool_use"), DONE);
	CHUNKS("arguments keep their bytes",
	       "C0(f)A0({\"n\": 12345678901234567890 , \"x\":1.10}) "
	       "tool_calls" ALL,
	       START, CALL("0", "\"name\":\"f\""),
	       ARGS("0", "{\\\"n\\\": 12345678901234567890 , \\\"x\\\":1.10}"), STOP("0"),
	       END("tool_use"), DONE);
	CHUNKS("arguments at the beginning of the block, where no delta comes",
	       "C0(f)A0({\"n\": 1.10})D0({\"caller\":{\"type\":\"direct\"}}) tool_calls" ALL, START,
	       BLOCK("0", "\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{\"n\": "
			  "1.10},\"caller\":{\"type\":\"direct\"}"),
	       STOP("0"), END("tool_use"), DONE);
	CHUNKS("quirk 50: everything in message_start",
	       "C0(f)A0({\"p\":2})D0({\"caller\":{\"type\":\"code\"}})M({\"container\":{\"id\":"
	       "\"c_1\"}}) tool_calls in=0 out=0",
	       "{\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"claude\","
	       "\"content\":[{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{\"p\":2}"
	       ",\"caller\":{\"type\":\"code\"}}],\"container\":{\"id\":\"c_1\"},\"stop_reason\":"
	       "\"tool_use\",\"usage\":{\"input_tokens\":0,\"output_tokens\":0}}}",
	       DONE);
	CHUNKS("a call in an answer that says it ended", "C0(f)A0({}) tool_calls(end_turn)" ALL,
	       START, CALL("0", "\"name\":\"f\""), STOP("0"), END("end_turn"), DONE);
	CHUNKS("a call that the limit cut", "C0(f)A0({\"a\":) length" ALL, START,
	       CALL("0", "\"name\":\"f\""), ARGS("0", "{\\\"a\\\":"), END("max_tokens"), DONE);
	CHUNKS("a call without a name",
	       " error in=5 out=1 [invalid_response, retry] prov sent a tool call without a name",
	       START, CALL("0", "\"name\":\"\""), ARGS("0", "{}"), STOP("0"), END("tool_use"),
	       DONE);
}

#define SEARCH(i, id)                                                                              \
	BLOCK(i, "\"type\":\"server_tool_use\",\"id\":\"" id                                       \
		 "\",\"name\":\"web_search\",\"input\":{}")
#define FOUND(i, id, content)                                                                      \
	BLOCK(i, "\"type\":\"web_search_tool_result\",\"tool_use_id\":\"" id                       \
		 "\",\"content\":" content)

static void provider_calls(void)
{
	CHUNKS("quirk 51: a search is the provider's own",
	       "P0(web_search)A0({\"q\":1})R0D0({\"type\":\"server_tool_use\"})"
	       "E0([{\"title\":\"x\",\"page_age\":null}])"
	       "O({\"type\":\"web_search_tool_result\",\"tool_use_id\":\"s1\",\"content\":[{"
	       "\"title\":\"x\",\"encrypted_content\":\"Eo==\",\"page_age\":null}]})T(a) stop" ALL,
	       START, SEARCH("0", "s1"), ARGS("0", ""), ARGS("0", "{\\\"q\\\":1}"), STOP("0"),
	       FOUND("1", "s1",
		     "[{\"title\":\"x\",\"encrypted_content\":\"Eo==\",\"page_age\":null}]"),
	       STOP("1"), TEXT("2"), SAY("2", "a"), STOP("2"), END("end_turn"), DONE);
	CHUNKS(
	    "a search that failed",
	    "P0(web_search)A0({})R0D0({\"type\":\"server_tool_use\"})"
	    "F0({\"type\":\"web_search_tool_result_error\",\"error_code\":\"unavailable\"})"
	    "O({\"type\":\"web_search_tool_result\",\"tool_use_id\":\"s1\",\"content\":{"
	    "\"type\":\"web_search_tool_result_error\",\"error_code\":\"unavailable\"}}) stop" ALL,
	    START, SEARCH("0", "s1"), STOP("0"),
	    FOUND("1", "s1",
		  "{\"type\":\"web_search_tool_result_error\",\"error_code\":\"unavailable\"}"),
	    STOP("1"), END("end_turn"), DONE);
	CHUNKS("a tool of an MCP server says text",
	       "P0(echo)A0({})R0D0({\"type\":\"mcp_tool_use\",\"server_name\":\"s\"})E0(a\nb)"
	       "O({\"type\":\"mcp_tool_result\",\"tool_use_id\":\"m1\",\"is_error\":false,"
	       "\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":"
	       "\"b\"}]}) stop" ALL,
	       START,
	       BLOCK("0", "\"type\":\"mcp_tool_use\",\"id\":\"m1\",\"name\":\"echo\",\"input\":{},"
			  "\"server_name\":\"s\""),
	       STOP("0"),
	       BLOCK("1", "\"type\":\"mcp_tool_result\",\"tool_use_id\":\"m1\",\"is_error\":false,"
			  "\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\","
			  "\"text\":\"b\"}]"),
	       STOP("1"), END("end_turn"), DONE);
	CHUNKS("quirk 47: a pause, and a call whose result is still to come",
	       "P0(web_search)A0({})R0D0({\"type\":\"server_tool_use\"}) stop" ALL, START,
	       SEARCH("0", "s1"), STOP("0"), END("pause_turn"), DONE);
	CHUNKS("the result of a call of the answer before",
	       "O({\"type\":\"web_search_tool_result\","
	       "\"tool_use_id\":\"s1\",\"content\":[]}) "
	       "stop" ALL,
	       START, FOUND("0", "s1", "[]"), STOP("0"), END("end_turn"), DONE);
	CHUNKS("a block that nobody knows grows and is kept",
	       "O({\"type\":\"compaction\",\"content\":\"Sum\\u006dary\"}) stop" ALL, START,
	       BLOCK("0", "\"type\":\"compaction\",\"content\":null"),
	       DELTA("0", "\"type\":\"compaction_delta\",\"content\":\"Sum\""),
	       DELTA("0", "\"type\":\"compaction_delta\",\"content\":\"\\u006dary\""), STOP("0"),
	       END("compaction"), DONE);
}

static void endings(void)
{
	CHUNKS(
	    "quirk 48: a refusal without content", " refusal" ALL " refusal=No cyber.", START,
	    "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"refusal\",\"stop_details\":"
	    "{\"type\":\"refusal\",\"category\":\"cyber\",\"explanation\":\"No cyber.\"}},"
	    "\"usage\":{\"output_tokens\":7}}",
	    DONE);
	CHUNKS("quirk 48: a refusal after text and a call", "T(a)C0(f)A0({}) refusal" ALL, START,
	       TEXT("0"), SAY("0", "a"), STOP("0"), CALL("1", "\"name\":\"f\""), STOP("1"),
	       END("refusal"), DONE);
	CHUNKS("the limit", "T(a) length" ALL, START, TEXT("0"), SAY("0", "a"), STOP("0"),
	       END("max_tokens"), DONE);
	CHUNKS("the context's end", "T(a) length" ALL, START, TEXT("0"), SAY("0", "a"), STOP("0"),
	       END("model_context_window_exceeded"), DONE);
	CHUNKS("a reason that nobody knows", "T(a) stop(bored)" ALL, START, TEXT("0"),
	       SAY("0", "a"), STOP("0"), END("bored"), DONE);
	CHUNKS("no message_stop, but a reason", "T(a) stop" ALL, START, TEXT("0"), SAY("0", "a"),
	       STOP("0"), END("end_turn"));
	CHUNKS("message_stop without a reason", "T(a) stop in=5 out=1", START, TEXT("0"),
	       SAY("0", "a"), STOP("0"), DONE);
	CHUNKS(
	    "broken off",
	    "T(a) error in=5 out=1 [stream_truncated, retry] prov broke off in the middle of its "
	    "response",
	    START, TEXT("0"), SAY("0", "a"));
	CHUNKS(
	    "broken off within an event",
	    "T(a) error in=5 out=1 [stream_truncated, retry] prov broke off in the middle of its "
	    "response",
	    START, TEXT("0"), SAY("0", "a"), "{\"type\":\"content_bl");
	CHUNKS(
	    "half an event in the middle",
	    " error in=5 out=1 [invalid_response, retry] prov sent half an event in the middle of "
	    "its response",
	    START, "{\"type\":\"content_bl", END("end_turn"), DONE);
	CHUNKS("no JSON",
	       " error in=5 out=1 [invalid_response, retry] prov sent an event that is not JSON "
	       "(a key is missing at byte 1)",
	       START, "{x}", END("end_turn"), DONE);
	CHUNKS("nothing at all",
	       " error [stream_truncated, retry] prov broke off in the middle of its response", "");
	CHUNKS("an end and nothing before it", " stop", DONE);
}

static void beginnings(void)
{
	CHUNKS("message_start twice, of one answer", "T(a)T(b) stop" ALL, START, TEXT("0"),
	       SAY("0", "a"), START, SAY("0", "b"), STOP("0"), END("end_turn"), DONE);
	CHUNKS("a second response within the first",
	       "H(one)D({\"signature\":\"s\"})C0(f)A0({\"v\":) error in=5 out=1 [invalid_response, "
	       "retry] prov began a second response in the middle of the first",
	       START, BLOCK("0", "\"type\":\"thinking\",\"thinking\":\"\""),
	       DELTA("0", "\"type\":\"thinking_delta\",\"thinking\":\"one\""),
	       DELTA("0", "\"type\":\"signature_delta\",\"signature\":\"s\""), STOP("0"),
	       CALL("1", "\"name\":\"f\""), ARGS("1", "{\\\"v\\\":"),
	       "{\"type\":\"message_start\",\"message\":{\"id\":\"msg_2\",\"content\":[],\"usage\":"
	       "{\"input_tokens\":17,\"output_tokens\":1}}}",
	       TEXT("0"), SAY("0", "x"), STOP("0"), END("end_turn"), DONE);
}

static void usage(void)
{
#define USAGE(start, end)                                                                          \
	"{\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"content\":[],\"usage\":{" start   \
	"}}}",                                                                                     \
	    "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{" end \
	    "}}",                                                                                  \
	    DONE
	CHUNKS("quirk 49: the last counts hold, none are added", " stop in=61 out=2",
	       USAGE("\"input_tokens\":43,\"output_tokens\":1",
		     "\"input_tokens\":61,\"output_tokens\":2"));
	CHUNKS("quirk 49: a count that is left out or null stays", " stop in=43 out=2",
	       USAGE("\"input_tokens\":43,\"output_tokens\":1",
		     "\"input_tokens\":null,\"output_tokens\":2"));
	CHUNKS("quirk 49: input in message_delta only", " stop in=3 out=2",
	       USAGE("", "\"input_tokens\":3,\"output_tokens\":2"));
	CHUNKS("input includes what is read from the cache and written to it; thinking is output",
	       " stop in=1110 out=20 cached=1000 written=100 reasoning=8",
	       USAGE("\"input_tokens\":10,\"cache_creation_input_tokens\":100,"
		     "\"cache_read_input_tokens\":1000,\"output_tokens\":1",
		     "\"output_tokens\":20,\"output_tokens_details\":{\"thinking_tokens\":8}"));
	CHUNKS("counts of another kind are none", " stop",
	       USAGE("\"input_tokens\":\"10\",\"output_tokens\":{}",
		     "\"output_tokens\":-1,\"output_tokens_details\":[]"));
}

static void errors(void)
{
	CHUNKS("an overloaded server",
	       " error in=5 out=1 [overloaded, retry] prov reported an error: Overloaded", START,
	       "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":"
	       "\"Overloaded\"}}");
	CHUNKS(
	    "an error within the text",
	    "T(a) error in=5 out=1 [server, retry] prov reported an error: Internal server error",
	    START, TEXT("0"), SAY("0", "a"),
	    "{\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":"
	    "\"Internal server error\"}}");
	CHUNKS("a rate limit", " error [rate_limit, retry] prov reported an error: slow down",
	       "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":"
	       "\"slow down\"}}");
	CHUNKS("a bad request", " error [invalid_request] prov reported an error: no",
	       "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":"
	       "\"no\"}}");
	CHUNKS("an error of another shape", " error [server, retry] prov reported an error: oops",
	       "{\"error\":{\"message\":\"oops\"}}");
	http_error("quirk 66: 529", " error [overloaded, retry] prov answered HTTP 529: Overloaded",
		   529,
		   "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":"
		   "\"Overloaded\"},\"request_id\":\"req_1\"}");
	http_error("quirk 66: 401",
		   " error [auth] prov refused the key (HTTP 401: invalid x-api-key); check "
		   "TEST_API_KEY",
		   401,
		   "{\"type\":\"error\",\"error\":{\"type\":\"authentication_error\",\"message\":"
		   "\"invalid x-api-key\"}}");
	http_error("413: too large for the context",
		   " error [context] prov answered HTTP 413: Request exceeds the maximum size", 413,
		   "{\"type\":\"error\",\"error\":{\"type\":\"request_too_large\",\"message\":"
		   "\"Request exceeds the maximum size\"}}");
	http_error("402: no money",
		   " error [quota] prov answered HTTP 402: Your credit balance is "
		   "too low",
		   402,
		   "{\"type\":\"error\",\"error\":{\"type\":\"billing_error\",\"message\":"
		   "\"Your credit balance is too low\"}}");
	http_error("504", " error [server, retry] prov answered HTTP 504: timed out", 504,
		   "{\"type\":\"error\",\"error\":{\"type\":\"timeout_error\",\"message\":"
		   "\"timed out\"}}");
}

static void documents(void)
{
	document(
	    "a whole message",
	    "H(hm)D({\"signature\":\"S\"})T(a)C0(f)A0({\"x\":1.0}) tool_calls in=3 out=4",
	    "{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":"
	    "\"thinking\",\"thinking\":\"hm\",\"signature\":\"S\"},{\"type\":\"text\",\"text\":"
	    "\"a\"},{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{\"x\":1.0}}],"
	    "\"stop_reason\":\"tool_use\",\"usage\":{\"input_tokens\":3,\"output_tokens\":4}}");
	document("an error as a document",
		 " error [overloaded, retry] prov reported an error: busy",
		 "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":"
		 "\"busy\"}}");
	document("something else",
		 " error [invalid_response, retry] prov answered with something that is not a "
		 "message: {\"hello\":1}",
		 "{\"hello\":1}");
	document("no JSON",
		 " error [invalid_response, retry] prov answered with something that is not a "
		 "message: hello",
		 "hello");
}

static void keep_outcome(void *context, const struct model_outcome *outcome)
{
	((struct decoded *)context)->outcome = *outcome;
}

/* Where a schema is asked for by a tool, its arguments are the answer's text. */
static void answers_by_tool(void)
{
	static const char *const events[] = {START,
					     TEXT("0"),
					     SAY("0", "Here:"),
					     STOP("0"),
					     BLOCK("1", "\"type\":\"tool_use\",\"id\":\"t\","
							"\"name\":\"give_answer\",\"input\":{}"),
					     ARGS("1", "{\\\"n\\\": "),
					     ARGS("1", "1.0}"),
					     STOP("1"),
					     END("tool_use"),
					     DONE};
	struct answer_tool tool = {0};
	struct model_handler handler;
	struct decoded a;

	decoded_begin(&a, "prov");
	a.handler.done = keep_outcome;
	tool.handler = a.handler;
	handler = answer_tool_handler(&tool);
	a.decoder->handler = &handler;
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		decoder_event(a.decoder, (struct span){0}, span_of(events[i]));
	decoder_end(a.decoder, &a.outcome);
	handler.done(handler.context, &a.outcome);
	same_summary(&a, "H(Here:)T({\"n\": )T(1.0}) stop" ALL, "an answer by a tool", "");
	answer_tool_free(&tool);
}

/* What says nothing is ignored; wrong types of texts and calls are in wrong_types.c. */
static void nonsense(void)
{
	CHUNKS("nonsense", " stop" ALL, START, "[]", "null", "{}",
	       "{\"type\":\"content_block_start\"}",
	       "{\"type\":\"content_block_stop\",\"index\":[]}",
	       "{\"type\":\"message_delta\",\"delta\":null,\"usage\":[]}",
	       "{\"type\":\"message_start\"}", BLOCK("2", "\"type\":\"thinking\",\"signature\":{}"),
	       STOP("2"), END("end_turn"), DONE);
}

int main(void)
{
	text();
	thinking();
	calls();
	provider_calls();
	endings();
	beginnings();
	usage();
	errors();
	documents();
	answers_by_tool();
	nonsense();
	return unit_done();
}
