/*
 * The decoder of gemini: each quirk of QUIRKS that real streams have, each way an answer ends, and
 * what no server should send.
 */
#define _GNU_SOURCE
#define PROTOCOL protocol_gemini
#define LOG_DATA
#include "decoded.h"
#include "mutations.h"

#define PARTS(list) "{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[" list "]}}]}"
#define LAST(list, why)                                                                            \
	"{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[" list                       \
	"]},\"finishReason\":\"" why "\"}]}"
#define TEXT(text)        "{\"text\":\"" text "\"}"
#define THOUGHT(text)     "{\"text\":\"" text "\",\"thought\":true}"
#define SIGNED(text, sig) "{\"text\":\"" text "\",\"thoughtSignature\":\"" sig "\"}"
#define CALL(name, args)  "{\"functionCall\":{\"name\":\"" name "\",\"args\":" args "}}"
#define SIG(s)            "{\"thoughtSignature\":\"" s "\"}"
#define STOP              LAST("", "STOP")

/* ---- text and thoughts ---- */

static void texts(void)
{
	CHUNKS("text in pieces", "T(Hel)T(lo) stop", PARTS(TEXT("Hel")), LAST(TEXT("lo"), "STOP"));
	CHUNKS("thoughts, then text", "H(hm)H(!)T(a) stop", PARTS(THOUGHT("hm")),
	       PARTS(THOUGHT("!")), LAST(TEXT("a"), "STOP"));
	CHUNKS("thoughts and text in one chunk", "H(hm)T(a)T(b) stop",
	       LAST(THOUGHT("hm") "," TEXT("a") "," TEXT("b"), "STOP"));
	CHUNKS("quirk 55: the last chunk is an empty text with a signature",
	       "T(a)D({})T()D(" SIG("S=") ") stop", PARTS(TEXT("a")),
	       LAST(SIGNED("", "S="), "STOP"));
	CHUNKS("a signed text is a part of its own", "T(a)D({})T(b)D(" SIG("S") ")T(c)T(d) stop",
	       PARTS(TEXT("a")), PARTS(SIGNED("b", "S")), PARTS(TEXT("c")),
	       LAST(TEXT("d"), "STOP"));
	CHUNKS("a signed thought", "H(hm)D(" SIG("S") ")T(a) stop",
	       PARTS("{\"text\":\"hm\",\"thought\":true,\"thoughtSignature\":\"S\"}"),
	       LAST(TEXT("a"), "STOP"));
	CHUNKS("two signed texts", "T(a)D(" SIG("1") ")T(b)D(" SIG("2") ") stop",
	       PARTS(SIGNED("a", "1")), LAST(SIGNED("b", "2"), "STOP"));
	CHUNKS("a signature without a text", "T()D(" SIG("S") ") stop",
	       LAST("{\"thoughtSignature\":\"S\"}", "STOP"));
	CHUNKS("an empty text says nothing", "T(a)T(b) stop", PARTS(TEXT("a")), PARTS(TEXT("")),
	       LAST(TEXT("b"), "STOP"));
	CHUNKS("quirk 17: half a surrogate pair, another thought in between",
	       "T(\xF0\x9F\x98\x80) stop", PARTS(TEXT("\\ud83d")), PARTS(THOUGHT("")),
	       LAST(TEXT("\\ude00"), "STOP"));
	CHUNKS("half a pair behind another part, and the rest is signed",
	       "O({\"k\":{}})T(\xF0\x9F\x98\x80)D(" SIG("S") ") stop", PARTS("{\"k\":{}}"),
	       PARTS(TEXT("\\ud83d")), LAST(SIGNED("\\ude00", "S"), "STOP"));
	CHUNKS("half a pair at the end of a thought", "H(a)H(\xEF\xBF\xBD)T(b) stop",
	       PARTS(THOUGHT("a\\ud83d")), LAST(TEXT("b"), "STOP"));
	CHUNKS("half a UTF-8 sequence", "T(\xC3\xBC) stop", PARTS(TEXT("\xC3")),
	       LAST(TEXT("\xBC"), "STOP"));
	CHUNKS("only the first candidate is the answer", "T(a) stop",
	       "{\"candidates\":[{\"index\":1,\"content\":{\"parts\":[" TEXT(
		   "x") "]},\"finishReason\":\"SAFETY\"},{\"index\":0,\"content\":{\"parts\":"
			"[" TEXT("a") "]},"
				      "\"finish"
				      "Reason\":"
				      "\"STOP\"}"
				      "]}");
	CHUNKS("text behind a finish reason, which every chunk has", "T(a)T(b) stop",
	       LAST(TEXT("a"), "STOP"), LAST(TEXT("b"), "STOP"));
}

/* ---- calls ---- */

static void calls(void)
{
	CHUNKS("quirk 53: STOP after a call, arguments an object, no id",
	       "C0(f)A0({\"n\":12345678901234567890, \"x\":1.10}) tool_calls",
	       LAST(CALL("f", "{\"n\":12345678901234567890, \"x\":1.10}"), "STOP"));
	CHUNKS("several calls in one chunk and one later",
	       "C0(f)A0({})C1(g)A1({\"a\":[]})C2(f)A2({\"b\":1}) tool_calls",
	       PARTS(CALL("f", "{}") "," CALL("g", "{\"a\":[]}")),
	       LAST(CALL("f", "{\"b\":1}"), "STOP"));
	CHUNKS("quirk 56: the signature of a call",
	       "C0(f)D0(" SIG("A\\/+=") ")A0({})C1(g)A1({}) tool_calls",
	       LAST("{\"functionCall\":{\"name\":\"f\",\"args\":{}},\"thoughtSignature\":\"A\\/"
		    "+=\"}," CALL("g", "{}"),
		    "STOP"));
	CHUNKS("no arguments, and null", "C0(f)A0({})C1(f)A1({}) tool_calls",
	       LAST("{\"functionCall\":{\"name\":\"f\"}}," CALL("f", "null"), "STOP"));
	CHUNKS("arguments as text", "C0(f)A0({\"a\":1}) tool_calls",
	       LAST(CALL("f", "\"{\\\"a\\\":1}\""), "STOP"));
	CHUNKS("text before a call and behind it", "T(a)C0(f)A0({})T(b) tool_calls",
	       LAST(TEXT("a") "," CALL("f", "{}") "," TEXT("b"), "STOP"));
	CHUNKS("a whole call before the limit", "C0(f)A0({}) length",
	       LAST(CALL("f", "{}"), "MAX_TOKENS"));
	CHUNKS("a call without a name",
	       " error [invalid_response, retry] prov sent a function call without a name",
	       LAST("{\"functionCall\":{\"args\":{\"a\":1}}}", "STOP"));
	CHUNKS("a call with a text in its part", "T(a)C0(f)D0(" SIG("S") ")A0({}) tool_calls",
	       LAST("{\"text\":\"a\",\"functionCall\":{\"name\":\"f\"},\"thoughtSignature\":"
		    "\"S\"}",
		    "STOP"));
	CHUNKS("the end of a call that nobody began", "T(a) stop",
	       LAST("{\"functionCall\":{}}," TEXT("a"), "STOP"));
}

static void ids(void)
{
	static const char text[] = "data: " LAST(
	    "{\"functionCall\":{\"id\":\"96c1su3s\",\"name\":\"f\"}}," CALL("f", "{}"),
	    "STOP") "\n\n";
	struct decoded a;

	decode_stream(&a, "prov", SPAN(text), 0);
	unit_same(buffer_span(&a.calls[0].id), SPAN("96c1su3s"), "the id of a call");
	unit_same(buffer_span(&a.calls[1].id), SPAN(""), "a call without an id has none");
	decoded_free(&a);
}

#define BEGIN(name) PARTS("{\"functionCall\":{\"name\":\"" name "\",\"willContinue\":true}}")
#define MORE(pieces)                                                                               \
	PARTS("{\"functionCall\":{\"partialArgs\":[" pieces "],\"willContinue\":true}}")
#define OVER "{\"functionCall\":{}}"
#define STRING(path, text, more)                                                                   \
	"{\"jsonPath\":\"" path "\",\"stringValue\":\"" text "\",\"willContinue\":" more "}"
#define VALUE(path, kind, value) "{\"jsonPath\":\"" path "\",\"" kind "\":" value "}"

static void streamed_calls(void)
{
	static const char *const no_paths[] = {
	    MORE("{\"stringValue\":\"x\"}"),    MORE(STRING("$", "x", "false")),
	    MORE(STRING("$[0]", "x", "false")), MORE(STRING("$.a[", "x", "false")),
	    MORE(STRING("$..a", "x", "false")),
	};

	CHUNKS(
	    "quirk 60: arguments in pieces",
	    "C0(f)D0(" SIG("S") ")A0({\"at\":\"Boston\"})C1(f)A1({\"at\":\"Paris\"}) tool_calls",
	    PARTS("{\"functionCall\":{\"name\":\"f\",\"willContinue\":true},\"thoughtSignature\":"
		  "\"S\"}"),
	    MORE(STRING("$.at", "Bos", "true")), MORE(STRING("$.at", "ton", "true")),
	    MORE(STRING("$.at", "", "false")), PARTS(OVER), BEGIN("f"),
	    MORE(STRING("$.at", "Paris", "false")), LAST(OVER, "STOP"));
	CHUNKS(
	    "values of every kind, nested",
	    "C0(f)A0({\"a\":{\"n\":12345678901234567890,\"t\":true},\"z\":null,\"l\":[1.10,{\"x\":"
	    "\"y\"}]}) tool_calls",
	    BEGIN("f"),
	    MORE(VALUE("$.a.n", "numberValue",
		       "12345678901234567890") "," VALUE("$.a.t", "boolValue", "true")),
	    MORE(VALUE("$.z", "nullValue", "\"NULL_VALUE\"")),
	    MORE(VALUE("$.l[0]", "numberValue", "1.10") "," STRING("$.l[1].x", "y", "false")),
	    LAST(OVER, "STOP"));
	CHUNKS("keys in brackets", "C0(f)A0({\"a b\":{\"c.d\":1,\"e'f\":2}}) tool_calls",
	       BEGIN("f"),
	       MORE(VALUE("$['a b']['c.d']", "numberValue", "1") "," VALUE("$['a b']['e\\\\'f']",
									   "numberValue", "2")),
	       LAST(OVER, "STOP"));
	CHUNKS("a string cut within an escape that JSON does not know of",
	       "C0(f)A0({\"t\":\"\\ud83d\\ude00\\n\\\"x\"}) tool_calls", BEGIN("f"),
	       MORE(STRING("$.t", "\\ud83d", "true")),
	       MORE(STRING("$.t", "\\ude00\\n\\\"x", "true")), LAST(OVER, "STOP"));
	CHUNKS("two strings that grow by turns", "C0(f)A0({\"a\":\"12\",\"b\":\"34\"}) tool_calls",
	       BEGIN("f"), MORE(STRING("$.a", "1", "true") "," STRING("$.b", "3", "true")),
	       MORE(STRING("$.a", "2", "false") "," STRING("$.b", "4", "false")),
	       LAST(OVER, "STOP"));
	CHUNKS("a string that was not said to continue", "C0(f)A0({\"a\":\"12\"}) tool_calls",
	       BEGIN("f"), MORE(STRING("$.a", "1", "false")), MORE(STRING("$.a", "2", "false")),
	       LAST(OVER, "STOP"));
	CHUNKS("the call never gets its closing part", "C0(f)A0({\"a\":\"1\"}) tool_calls",
	       BEGIN("f"), MORE(STRING("$.a", "1", "true")), STOP);
	CHUNKS("one that the limit cuts off has no end, and will not run",
	       "C0(f)A0({\"a\":\"1\") length", BEGIN("f"), MORE(STRING("$.a", "1", "true")),
	       LAST("", "MAX_TOKENS"));
	CHUNKS("nor does one before another", "C0(f)A0({\"a\":\"1\"})C1(g)A1({}) tool_calls",
	       BEGIN("f"), MORE(STRING("$.a", "1", "true")), LAST(CALL("g", "{}"), "STOP"));
	CHUNKS("text does not end a call", "C0(f)T(x)A0({\"a\":1}) tool_calls", BEGIN("f"),
	       PARTS(TEXT("x")), MORE(VALUE("$.a", "numberValue", "1")), LAST(OVER, "STOP"));
	CHUNKS("every piece names the call", "C0(f)A0({\"a\":\"12\"}) tool_calls",
	       PARTS("{\"functionCall\":{\"name\":\"f\",\"id\":\"i\",\"willContinue\":true}}"),
	       PARTS("{\"functionCall\":{\"name\":\"f\",\"id\":\"i\",\"partialArgs\":[" STRING(
		   "$.a", "1", "true") "],\"willContinue\":true}}"),
	       PARTS("{\"functionCall\":{\"name\":\"f\",\"id\":\"i\",\"partialArgs\":[" STRING(
		   "$.a", "2", "false") "]}}"),
	       STOP);
	CHUNKS("all in one part", "C0(f)A0({\"a\":\"1\"}) tool_calls",
	       LAST("{\"functionCall\":{\"name\":\"f\",\"partialArgs\":[" STRING("$.a", "1",
										 "false") "]}}",
		    "STOP"));
	CHUNKS("pieces without a value", "C0(f)A0({\"a\":1}) tool_calls", BEGIN("f"),
	       MORE("null,{},{\"jsonPath\":\"$.b\"}," VALUE("$.a", "numberValue", "1")),
	       LAST(OVER, "STOP"));
	for (size_t i = 0; i < sizeof(no_paths) / sizeof(no_paths[0]); i++)
		CHUNKS("a piece whose path leads nowhere",
		       "C0(f) error [invalid_response, retry] prov sent a piece of arguments "
		       "without a place (\"jsonPath\")",
		       BEGIN("f"), no_paths[i], LAST(OVER, "STOP"));
	CHUNKS("the stream breaks off within a call",
	       "C0(f) error [stream_truncated, retry] prov broke off in the middle of its response",
	       BEGIN("f"), MORE(STRING("$.a", "1", "true")));
}

/* ---- what the provider runs ---- */

#define CODE   "{\"executableCode\":{\"language\":\"PYTHON\",\"code\":\"1+1\"}}"
#define RESULT "{\"codeExecutionResult\":{\"outcome\":\"OUTCOME_OK\",\"output\":\"2\"}}"
#define SEARCH                                                                                     \
	"{\"toolCall\":{\"toolType\":\"GOOGLE_SEARCH_WEB\",\"args\":{\"queries\":[\"q\"]},\"id\":" \
	"\"t1\"},\"thoughtSignature\":\"S\"}"
#define FOUND                                                                                      \
	"{\"toolResponse\":{\"toolType\":\"GOOGLE_SEARCH_WEB\",\"response\":{\"a\":1},\"id\":"     \
	"\"t1\"}}"

static void provider_calls(void)
{
	CHUNKS("code that the provider runs",
	       "T(a)P0(code_execution)D0(" CODE
	       ")A0({\"language\":\"PYTHON\",\"code\":\"1+1\"})R0E0("
	       "2)O(" RESULT ")T(b) stop",
	       PARTS(TEXT("a")), PARTS(CODE), PARTS(RESULT), LAST(TEXT("b"), "STOP"));
	CHUNKS(
	    "code that fails",
	    "P0(code_execution)D0({\"executableCode\":{\"code\":\"x\",\"id\":\"7\"}})A0({\"code\":"
	    "\"x\"})R0F0(Traceback)O({\"codeExecutionResult\":{\"outcome\":\"OUTCOME_FAILED\","
	    "\"output\":\"Traceback\",\"id\":\"7\"}}) stop",
	    PARTS("{\"executableCode\":{\"code\":\"x\",\"id\":\"7\"}}"),
	    LAST("{\"codeExecutionResult\":{\"outcome\":\"OUTCOME_FAILED\",\"output\":"
		 "\"Traceback\",\"id\":\"7\"}}",
		 "STOP"));
	CHUNKS("a result that nobody waits for", "O(" RESULT ") stop", LAST(RESULT, "STOP"));
	CHUNKS("a search, told as it is made",
	       "P0(google_search_web)D0(" SEARCH ")A0({\"queries\":[\"q\"]})R0E0({\"a\":1})O(" FOUND
	       ")T(b) stop",
	       PARTS(SEARCH "," TEXT("")), PARTS(FOUND),
	       "{\"candidates\":[{\"content\":{\"parts\":[" TEXT(
		   "b") "]},\"finishReason\":\"STOP\",\"groundingMetadata\":{\"webSearchQueries\":["
			"\"q\"]}}]}");
	CHUNKS(
	    "a search, told afterwards",
	    "T(a)P0(google_search)A0({\"queries\":[\"q\"]})R0E0([{\"web\":{\"uri\":\"u\"}}]) stop",
	    "{\"candidates\":[{\"content\":{\"parts\":[" TEXT("a") "]},\"groundingMetadata\":{}}]}",
	    "{\"candidates\":[{\"finishReason\":\"STOP\",\"groundingMetadata\":{"
	    "\"webSearchQueries\":[\"q\"],\"groundingChunks\":[{\"web\":{\"uri\":\"u\"}}]}}]}");
	CHUNKS("pages that were read",
	       "T(a)P0(url_context)A0({\"urls\":[\"u\"]})R0E0([{\"retrievedUrl\":\"u\","
	       "\"urlRetrievalStatus\":\"OK\"}]) stop",
	       "{\"candidates\":[{\"content\":{\"parts\":[" TEXT(
		   "a") "]},\"urlContextMetadata\":{\"urlMetadata\":[{\"retrievedUrl\":\"u\","
			"\"urlRetrievalStatus\":\"OK\"}]}}]}",
	       "{\"candidates\":[{\"finishReason\":\"STOP\",\"groundingMetadata\":{"
	       "\"groundingChunks\":[{\"web\":{\"uri\":\"u\"}}]}}]}");
	CHUNKS("an image, and a part nobody knows",
	       "O({\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"AA==\"}})O({\"newKind\":{"
	       "\"a\":1},\"thoughtSignature\":\"S\"}) stop",
	       LAST("{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"AA==\"}},{\"newKind\":{"
		    "\"a\":1},\"thoughtSignature\":\"S\"}",
		    "STOP"));
}

/* ---- how an answer ends ---- */

static void ends(const char *reason, const char *want)
{
	struct buffer text = {0}, summary = {0};

	buffer_add_format(&text,
			  "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},"
			  "\"finishReason\":%s,\"finishMessage\":\"why\"}]}\n\n",
			  reason);
	buffer_add_format(&summary, "T(a) %s", want);
	stream(reason, buffer_string(&text), buffer_string(&summary));
	buffer_free(&text);
	buffer_free(&summary);
}

static void endings(void)
{
	static const char *const filters[] = {"\"SAFETY\"",
					      "\"RECITATION\"",
					      "\"BLOCKLIST\"",
					      "\"PROHIBITED_CONTENT\"",
					      "\"SPII\"",
					      "\"IMAGE_SAFETY\"",
					      "\"IMAGE_PROHIBITED_CONTENT\"",
					      "\"IMAGE_RECITATION\"",
					      "\"MODEL_ARMOR\"",
					      "3",
					      "7"};
	static const char *const bad[] = {"OTHER",    "LANGUAGE",    "TOO_MANY_TOOL_CALLS",
					  "NO_IMAGE", "IMAGE_OTHER", "MISSING_THOUGHT_SIGNATURE"};
	struct buffer reason = {0}, want = {0};

	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++)
		ends(filters[i], "content_filter");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		buffer_clear(&reason);
		buffer_clear(&want);
		buffer_add_format(&reason, "\"%s\"", bad[i]);
		buffer_add_format(&want, "error [server] prov ended its response with %s: why",
				  bad[i]);
		ends(buffer_string(&reason), buffer_string(&want));
	}
	buffer_free(&reason);
	buffer_free(&want);
	ends("\"STOP\"", "stop");
	ends("\"MAX_TOKENS\"", "length");
	ends("\"CONTINUATION\"", "length");
	ends("\"MALFORMED_RESPONSE\"",
	     "error [server, retry] prov ended its response with MALFORMED_RESPONSE: why");
	ends("\"MALFORMED_FUNCTION_CALL\"",
	     "error [tool_validation, retry] prov refused the model's tool call: why");
	ends("\"UNEXPECTED_TOOL_CALL\"",
	     "error [tool_validation, retry] prov refused the model's tool call: why");
	ends("\"FAKE_ENUM\"", "stop(FAKE_ENUM)");
	ends("1", "stop");
	ends("2", "length");
	ends("99", "stop(99)");
	ends("\"FINISH_REASON_UNSPECIFIED\"",
	     "error [stream_truncated, retry] prov broke off in the middle of its response");
	ends("null",
	     "error [stream_truncated, retry] prov broke off in the middle of its response");
	CHUNKS("quirk 59: STOP as a number after a call", "C0(f)A0({}) tool_calls",
	       "{\"candidates\":[{\"content\":{\"parts\":[" CALL("f",
								 "{}") "]},\"finishReason\":1}]}");
	CHUNKS("quirk 58: a candidate without content, and content without parts",
	       "T(a) content_filter", PARTS(TEXT("a")),
	       "{\"candidates\":[{\"content\":{\"role\":\"model\"}}]}",
	       "{\"candidates\":[{\"finishReason\":\"RECITATION\"}]}");
	CHUNKS("quirk 57: the prompt is blocked",
	       " content_filter [content_filter] prov refused the prompt (blocked: SAFETY)",
	       "{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}");
	CHUNKS("the prompt is blocked, and why",
	       " content_filter in=9 [content_filter] prov refused the prompt (blocked: OTHER: no)",
	       "{\"promptFeedback\":{\"blockReason\":\"OTHER\",\"blockReasonMessage\":\"no\"},"
	       "\"usageMetadata\":{\"promptTokenCount\":9}}");
	CHUNKS("ratings of a prompt are no block", "T(a) stop",
	       "{\"promptFeedback\":{\"safetyRatings\":[]},\"candidates\":[{\"content\":{\"parts\":"
	       "[" TEXT("a") "]},\"finishReason\":\"STOP\"}]}");
}

static void feedback(void)
{
	static const char text[] =
	    "data: "
	    "{\"candidates\":[{\"finishReason\":\"MALFORMED_FUNCTION_CALL\",\"finishMessage\":"
	    "\"Malformed function call: print(f(\"}]}\n\n";
	struct decoded a;

	decode_stream(&a, "prov", SPAN(text), 0);
	unit_same(
	    span_of(a.outcome.error.feedback),
	    SPAN("Your last tool call was refused: Malformed function call: print(f(\nTry again "
		 "with one of the tools offered and arguments that match its schema."),
	    "a malformed call is told to the model");
	unit_same(span_of(a.outcome.error.code), SPAN("MALFORMED_FUNCTION_CALL"), "and its code");
	decoded_free(&a);
}

/* ---- counts ---- */

static void counts(void)
{
	CHUNKS(
	    "quirk 55: counts in every chunk, the last ones hold; thoughts are no part of the "
	    "answer",
	    "T(a)T(b) stop in=79 out=31 cached=64 reasoning=20",
	    "{\"candidates\":[{\"content\":{\"parts\":[" TEXT(
		"a") "]}}],\"usageMetadata\":{\"promptTokenCount\":169,\"totalTokenCount\":169}}",
	    "{\"candidates\":[{\"content\":{\"parts\":[" TEXT(
		"b") "]},\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":79,"
		     "\"candidatesTokenCount\":11,\"thoughtsTokenCount\":20,"
		     "\"cachedContentTokenCount\":64,\"totalTokenCount\":110}}",
	    "{\"usageMetadata\":{\"trafficType\":\"ON_DEMAND\"}}");
	CHUNKS("what tools read is input", "T(a) stop in=392 out=7",
	       "{\"candidates\":[{\"content\":{\"parts\":[" TEXT(
		   "a") "]},\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":32,"
			"\"toolUsePromptTokenCount\":360,\"candidatesTokenCount\":7}}");
	CHUNKS("counts beyond all measure", " stop in=1099511627781",
	       "{\"candidates\":[{\"finishReason\":\"STOP\"}],\"usageMetadata\":{"
	       "\"promptTokenCount\":9223372036854775807,\"toolUsePromptTokenCount\":5,"
	       "\"candidatesTokenCount\":-3,\"thoughtsTokenCount\":\"x\"}}");
}

static void names(void)
{
	static const char text[] =
	    "data: {\"responseId\":\"r1\",\"modelVersion\":\"gemini-3-flash\",\"candidates\":[{"
	    "\"finishReason\":\"STOP\"}]}\n\n";
	struct decoded a;

	decode_stream(&a, "prov", SPAN(text), 0);
	unit_same(span_of(a.outcome.response_id), SPAN("r1"), "the id of a response");
	unit_same(span_of(a.outcome.model), SPAN("gemini-3-flash"), "the version of a model");
	decoded_free(&a);
}

/* ---- framing ---- */

static void framing(void)
{
	stream("quirk 1: CRLF",
	       "data: " PARTS(TEXT("a")) "\r\n\r\ndata: " LAST(TEXT("b"), "STOP") "\r\n\r\n",
	       "T(a)T(b) stop");
	stream("quirk 12: the last event is not closed", "data: " LAST(TEXT("a"), "STOP"),
	       "T(a) stop");
	stream("no space, comments, an event split into lines",
	       ": hi\n\ndata:" PARTS(TEXT("a")) "\n\nid: 7\ndata: {\"candidates\":\ndata: [{"
						"\"finishReason\":\"STOP\"}]}\n\n",
	       "T(a) stop");
	CHUNKS("a list of chunks in one event", "T(a)T(b) stop",
	       "[" PARTS(TEXT("a")) "," LAST(TEXT("b"), "STOP") "]");
	CHUNKS("[DONE] where a gateway sends one", "T(a) stop", LAST(TEXT("a"), "STOP"), "[DONE]");
	CHUNKS("[DONE] without a reason", "T(a) stop", PARTS(TEXT("a")), "[DONE]");
	CHUNKS("[DONE] and nothing else", " stop", "[DONE]");
	document("quirk 54: the list that is sent without alt=sse", "T(a)T(b) stop",
		 "[" PARTS(TEXT("a")) ",\r\n" LAST(TEXT("b"), "STOP") "]\n");
	document("a whole answer", "C0(f)A0({}) tool_calls", LAST(CALL("f", "{}"), "STOP"));
	document("a whole answer without a reason", "T(a) stop", PARTS(TEXT("a")));
	document(
	    "a list that ends in an error",
	    "T(a) error [overloaded, retry] prov reported an error: overloaded",
	    "[" PARTS(TEXT("a")) ",{\"error\":{\"code\":503,\"message\":\"overloaded\",\"status\":"
				 "\"UNAVAILABLE\"}}]");
	document("no answer at all",
		 " error [invalid_response, retry] prov answered with something that is not a "
		 "response: {\"hello\":1}",
		 "{\"hello\":1}");
	document("an empty list",
		 " error [invalid_response, retry] prov answered with something that is not a "
		 "response: []",
		 "[]");
	document("half a document",
		 " error [invalid_response, retry] prov answered with something that is not a "
		 "response: [{\"candidates\":[",
		 "[{\"candidates\":[");
}

/* ---- failures ---- */

static void failures(void)
{
	CHUNKS("quirk 8: an error among the events",
	       "T(a) error [server, retry] prov reported an error: The operation was cancelled",
	       PARTS(TEXT("a")),
	       "{\"error\":{\"code\":499,\"message\":\"The operation was cancelled.\",\"status\":"
	       "\"CANCELLED\"}}");
	CHUNKS("the stream breaks off",
	       "T(a) error [stream_truncated, retry] prov broke off in the middle of its response",
	       PARTS(TEXT("a")));
	CHUNKS("in the middle of an event",
	       "T(a) error [stream_truncated, retry] prov broke off in the middle of its response",
	       PARTS(TEXT("a")), "{\"candidates\":[{\"cont");
	CHUNKS("half an event behind the end", "T(a) stop", LAST(TEXT("a"), "STOP"), "{\"usage");
	CHUNKS("half an event, then more",
	       " error [invalid_response, retry] prov sent half an event in the middle of its "
	       "response",
	       "{\"candidates\":[{\"cont", LAST(TEXT("a"), "STOP"));
	CHUNKS("an event that is not JSON",
	       " error [invalid_response, retry] prov sent an event that is not JSON (a value is "
	       "missing at byte 0)",
	       "<html>");
	stream("nothing", "",
	       " error [stream_truncated, retry] prov broke off in the middle of its response");
	CHUNKS("nonsense", " stop", "null", "[null,{}]",
	       "{\"candidates\":null,\"usageMetadata\":[],\"error\":null}",
	       "{\"candidates\":[null,{\"content\":null},{\"content\":{\"parts\":null}},"
	       "{\"content\":{\"parts\":[null,{},{\"thoughtSignature\":{}}]},\"finishMessage\":7,"
	       "\"finishReason\":[]}]}",
	       "{\"responseId\":7,\"modelVersion\":[],\"promptFeedback\":7,\"candidates\":[{"
	       "\"groundingMetadata\":7,\"urlContextMetadata\":[7],\"finishReason\":\"STOP\"}]}");
	http_error("quirk 70: 429, and when to try again in the body",
		   " error [rate_limit, retry] prov answered HTTP 429: Quota exceeded", 429,
		   "{\"error\":{\"code\":429,\"message\":\"Quota exceeded\",\"status\":"
		   "\"RESOURCE_EXHAUSTED\",\"details\":[{\"@type\":\"type.googleapis.com/"
		   "google.rpc.RetryInfo\",\"retryDelay\":\"48s\"}]}}");
	http_error("a quota of the day", " error [quota] prov answered HTTP 429: Quota exceeded",
		   429,
		   "{\"error\":{\"code\":429,\"message\":\"Quota exceeded\",\"status\":"
		   "\"RESOURCE_EXHAUSTED\",\"details\":[{\"violations\":[{\"quotaId\":"
		   "\"GenerateRequestsPerDayPerProjectPerModel\"}]}]}}");
	http_error(
	    "quirk 71: a wrong key is 400",
	    " error [auth] prov refused the key (HTTP 400: API key not valid. Please pass a "
	    "valid API key); check TEST_API_KEY",
	    400,
	    "{\"error\":{\"code\":400,\"message\":\"API key not valid. Please pass a valid API "
	    "key.\",\"status\":\"INVALID_ARGUMENT\",\"details\":[{\"reason\":"
	    "\"API_KEY_INVALID\"}]}}");
	http_error("quirk 66: an error in a list",
		   " error [context] prov answered HTTP 400: The input token count (2) exceeds the "
		   "maximum number of tokens allowed (1)",
		   400,
		   "[{\"error\":{\"code\":400,\"message\":\"The input token count (2) exceeds the "
		   "maximum number of tokens allowed (1).\",\"status\":\"INVALID_ARGUMENT\"}}]");
}

/* ---- members of any type ---- */

/* An answer in which one member is of another type is still an answer, or fails in a sentence. */
static void try_chunk(void *context, struct span chunk)
{
	struct buffer text = {0};
	struct decoded a;
	int *good = context;

	buffer_add_format(&text, "data: %.*s\n\ndata: " STOP "\n\n", SPAN_ARG(chunk));
	decode_stream(&a, "prov", buffer_span(&text), 0);
	*good += a.outcome.error.kind == ERROR_NONE || a.outcome.error.message != NULL;
	decoded_free(&a);
	buffer_clear(&text);
	buffer_add_format(&text, "[%.*s," STOP "]", SPAN_ARG(chunk));
	decode_document(&a, "prov", buffer_span(&text));
	*good += a.outcome.error.kind == ERROR_NONE || a.outcome.error.message != NULL;
	decoded_free(&a);
	buffer_free(&text);
}

static void any_types(void)
{
	static const char *const chunks_of_all_kinds[] = {
	    "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\",\"thought\":true,"
	    "\"thoughtSignature\":\"S\"}]},\"finishReason\":\"STOP\",\"finishMessage\":\"m\","
	    "\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":1},\"responseId\":\"r\","
	    "\"modelVersion\":\"m\",\"promptFeedback\":{\"blockReason\":\"SAFETY\","
	    "\"blockReasonMessage\":\"m\"},\"error\":null}",
	    PARTS("{\"functionCall\":{\"name\":\"f\",\"id\":\"i\",\"args\":{\"a\":1},"
		  "\"partialArgs\":[{\"jsonPath\":\"$.b[0].c\",\"stringValue\":\"x\","
		  "\"willContinue\":true}],\"willContinue\":true},\"thoughtSignature\":\"S\"}"),
	    PARTS(CODE "," RESULT "," SEARCH "," FOUND),
	    "{\"candidates\":[{\"groundingMetadata\":{\"webSearchQueries\":[\"q\"],"
	    "\"groundingChunks\":[{\"web\":{\"uri\":\"u\"}}]},\"urlContextMetadata\":{"
	    "\"urlMetadata\":[{\"retrievedUrl\":\"u\"}]}}]}",
	};
	int good = 0, tried = 0;

	for (size_t i = 0; i < sizeof(chunks_of_all_kinds) / sizeof(chunks_of_all_kinds[0]); i++)
		tried += 2 * mutations(span_of(chunks_of_all_kinds[i]), try_chunk, &good);
	unit_ok(tried > 1000 && good == tried,
		"members of any type: %d of %d answers end as they should", good, tried);
}

int main(void)
{
	texts();
	calls();
	ids();
	streamed_calls();
	provider_calls();
	endings();
	feedback();
	counts();
	names();
	framing();
	failures();
	any_types();
	return unit_done();
}
