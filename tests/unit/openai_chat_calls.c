/*
 * Tool calls put together from pieces as servers send them, and how an answer is judged to have
 * ended.
 */
#include "openai_chat_chunks.h"

static void pieces(void)
{
	CHUNKS("a call in pieces", "C0(f)A0({\"a\":)A0(1}) tool_calls",
	       CALL("\"index\":0,\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"f\","
		    "\"arguments\":\"\"}"),
	       CALL("\"index\":0,\"function\":{\"arguments\":\"{\\\"a\\\":\"}"),
	       CALL("\"index\":0,\"function\":{\"arguments\":\"1}\"}"), FINISH("tool_calls"), DONE);
	CHUNKS("two calls, their pieces interleaved", "C0(f)C1(g)A0([)A1({)A0(])A1(}) tool_calls",
	       CALL("\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"f\"}"),
	       CALL("\"index\":1,\"id\":\"c2\",\"function\":{\"name\":\"g\"}"),
	       CALL("\"index\":0,\"function\":{\"arguments\":\"[\"}"),
	       CALL("\"index\":1,\"function\":{\"arguments\":\"{\"}"),
	       CALL("\"index\":0,\"function\":{\"arguments\":\"]\"}"),
	       CALL("\"index\":1,\"function\":{\"arguments\":\"}\"}"), FINISH("tool_calls"));
	CHUNKS("quirk 25: a call without index, complete, in the chunk that finishes (Mistral)",
	       "C0(f)A0({\"a\":1}) tool_calls in=5 out=2",
	       "{\"choices\":[{\"index\":0,\"delta\":{\"content\":null,\"tool_calls\":[{\"id\":"
	       "\"gSIMJiOkT\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}}]},"
	       "\"finish_reason\":\"tool_calls\"}],\"usage\":{\"prompt_tokens\":5,"
	       "\"completion_tokens\":2}}",
	       DONE);
	CHUNKS("quirk 26: the index starts at 1", "C0(f)A0({)A0(}) tool_calls",
	       CALL("\"index\":1,\"id\":\"c1\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"}"),
	       CALL("\"index\":1,\"function\":{\"arguments\":\"}\"}"), FINISH("tool_calls"));
	CHUNKS("quirk 27: id, name and type in every piece, and no finish_reason",
	       "C0(f)A0({)A0(}) tool_calls in=5 out=2",
	       CALL("\"index\":0,\"id\":\"0\",\"type\":\"function\",\"function\":{\"name\":\"f\","
		    "\"arguments\":\"{\"}"),
	       CALL("\"index\":0,\"id\":\"0\",\"type\":\"function\",\"function\":{\"name\":\"f\","
		    "\"arguments\":\"}\"}"),
	       USAGE, DONE);
	CHUNKS("quirk 28: no arguments in the first piece, null ones, an empty piece at the end",
	       "C0(f)A0({)A0(}) tool_calls",
	       CALL("\"index\":0,\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"f\"}"),
	       CALL("\"index\":0,\"type\":\"function\",\"function\":{\"arguments\":null}"),
	       CALL("\"index\":0,\"type\":\"function\",\"function\":{\"arguments\":\"{\"}"),
	       CALL("\"index\":0,\"type\":\"function\",\"function\":{\"arguments\":\"}\"}"),
	       FINISH("tool_calls"), CALL("\"index\":0,\"function\":{\"arguments\":\"\"}"), DONE);
	CHUNKS("quirk 29: arguments null or absent are {}", "C0(f)C1(g)A0({})A1({}) tool_calls",
	       CALL("\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":null}"),
	       CALL("\"index\":1,\"id\":\"d\",\"function\":{\"name\":\"g\"}"),
	       FINISH("tool_calls"));
	CHUNKS("arguments of white space are {}", "C0(f)A0( )A0({}) tool_calls",
	       CALL("\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":\" \"}"),
	       FINISH("tool_calls"));
	CHUNKS("quirk 30: an empty name later does not replace the name",
	       "C0(f)A0({})C1(g)A1([)A1(]) tool_calls",
	       CALL("\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}"),
	       CALL("\"index\":0,\"function\":{\"name\":\"\",\"arguments\":\"\"}"),
	       CALL("\"index\":1,\"id\":\"d\",\"function\":{\"name\":\"g\",\"arguments\":\"[\"}"),
	       CALL("\"index\":1,\"function\":{\"name\":\"\",\"arguments\":\"]\"}"),
	       FINISH("tool_calls"));
	CHUNKS(
	    "an empty id goes on with the call (Alibaba)", "C0(f)A0({)A0(}) tool_calls",
	    CALL("\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"}"),
	    CALL(
		"\"index\":0,\"id\":\"\",\"type\":\"function\",\"function\":{\"arguments\":\"}\"}"),
	    FINISH("tool_calls"));
	CHUNKS("two calls under one index, told apart by their ids",
	       "C0(f)A0({})C1(g)A1([]) tool_calls",
	       CALL("\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}"),
	       CALL("\"index\":0,\"id\":\"d\",\"function\":{\"name\":\"g\",\"arguments\":\"[]\"}"),
	       FINISH("tool_calls"));
	CHUNKS("neither id nor index: a name begins the next call",
	       "C0(f)A0({)A0(})C1(g)A1([]) tool_calls(stop)",
	       CALL("\"function\":{\"name\":\"f\",\"arguments\":\"{\"}"),
	       CALL("\"function\":{\"arguments\":\"}\"}"),
	       CALL("\"function\":{\"name\":\"g\",\"arguments\":\"[]\"}"), FINISH("stop"));
	CHUNKS("two calls in one chunk, neither id nor index",
	       "C0(f)A0({})C1(f)A1([]) tool_calls(stop)",
	       DELTA("\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}},"
		     "{\"function\":{\"name\":\"f\",\"arguments\":\"[]\"}}]"),
	       FINISH("stop"));
	CHUNKS("calls are numbered as they are announced, by their names",
	       "C0(g)A0([)C1(f)A1({})A0(]) tool_calls",
	       CALL("\"index\":0,\"id\":\"c\",\"function\":{\"arguments\":\"{}\"}"),
	       CALL("\"index\":1,\"id\":\"d\",\"function\":{\"name\":\"g\",\"arguments\":\"[\"}"),
	       CALL("\"index\":0,\"function\":{\"name\":\"f\"}"),
	       CALL("\"index\":1,\"function\":{\"arguments\":\"]\"}"), FINISH("tool_calls"));
	CHUNKS("the name comes after the arguments", "C0(f)A0({}) tool_calls",
	       CALL("\"index\":0,\"id\":\"c\",\"function\":{\"arguments\":\"{}\"}"),
	       CALL("\"index\":0,\"function\":{\"name\":\"f\"}"), FINISH("tool_calls"));
	CHUNKS("the id comes after the name", "C0(f)A0({)A0(}) tool_calls",
	       CALL("\"index\":0,\"function\":{\"name\":\"f\",\"arguments\":\"{\"}"),
	       CALL("\"index\":0,\"id\":\"late\",\"function\":{\"arguments\":\"}\"}"),
	       FINISH("tool_calls"));
	CHUNKS("arguments that are an object instead of its text",
	       "C0(f)A0({\"a\":[1.10,12345678901234567890]}) tool_calls",
	       CALL("\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":{\"a\": [1.10, "
		    "12345678901234567890]}}"),
	       FINISH("tool_calls"));
	CHUNKS("an empty object before the pieces of the arguments",
	       "C0(f)A0({\"a\":1}) tool_calls",
	       CALL("\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":{}}"),
	       CALL("\"index\":0,\"function\":{\"arguments\":\"{\\\"a\\\":1}\"}"),
	       FINISH("tool_calls"), DONE);
	CHUNKS("arguments in pieces and then the same as an object",
	       "C0(f)A0({\"a\":1}) tool_calls",
	       CALL("\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":"
		    "\"{\\\"a\\\":1}\"}"),
	       CALL("\"index\":0,\"function\":{\"arguments\":{\"a\": 1}}"), FINISH("tool_calls"),
	       DONE);
	CHUNKS(
	    "arguments in pieces and then others as an object",
	    "C0(f)A0({\"a\":1}) error [invalid_response, retry] prov sent the arguments of a call "
	    "twice, and not the same",
	    CALL("\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":"
		 "\"{\\\"a\\\":1}\"}"),
	    CALL("\"index\":0,\"function\":{\"arguments\":{\"a\":2}}"), FINISH("tool_calls"), DONE);
	CHUNKS("an older server: function_call", "C0(f)A0({\"a\":)A0(1}) tool_calls",
	       DELTA("\"function_call\":{\"name\":\"f\",\"arguments\":\"\"}"),
	       DELTA("\"function_call\":{\"arguments\":\"{\\\"a\\\":\"}"),
	       DELTA("\"function_call\":{\"arguments\":\"1}\"}"), FINISH("function_call"), DONE);
	CHUNKS(
	    "function_call beside tool_calls is the same call", "C0(f)A0({}) tool_calls",
	    DELTA("\"function_call\":{\"name\":\"f\",\"arguments\":\"{}\"},\"tool_calls\":[{"
		  "\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]"),
	    FINISH("tool_calls"), DONE);
	CHUNKS("no function_call", "T(a) stop", DELTA("\"content\":\"a\",\"function_call\":null"),
	       DELTA("\"function_call\":{}"), FINISH("stop"), DONE);
	CHUNKS("a server that writes [] for {}", "T(a) stop", CONTENT("a"),
	       "{\"choices\":[{\"index\":0,\"delta\":[],\"finish_reason\":\"stop\"}]}", DONE);
	CHUNKS("several chunks in one event", "T(a)T(b) stop",
	       "[" CONTENT("a") "," CONTENT("b") "]", FINISH("stop"), DONE);
	CHUNKS("a call without a name",
	       " error [invalid_response, retry] prov sent a tool call without a name",
	       CALL("\"id\":\"c\",\"function\":{\"arguments\":\"{}\"}"), FINISH("tool_calls"));
	document("calls of a whole message", "T(hi)C0(f)A0({})C1(g)A1([]) tool_calls",
		 "{\"choices\":[{\"message\":{\"content\":\"hi\",\"tool_calls\":[{\"id\":\"a\","
		 "\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}},{\"id\":\"b\",\"function\":{"
		 "\"name\":\"g\",\"arguments\":\"[]\"}}]},\"finish_reason\":\"tool_calls\"}]}");
}

static void which_call(void)
{
	CHUNKS("each piece has another id, but one index", "C0(f)A0({\"a\":)A0(1}) tool_calls",
	       CALL("\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}"),
	       CALL("\"index\":0,\"id\":\"b\",\"function\":{\"arguments\":\"{\\\"a\\\":\"}"),
	       CALL("\"index\":0,\"id\":\"c\",\"function\":{\"arguments\":\"1}\"}"),
	       FINISH("tool_calls"), DONE);
	CHUNKS("each piece has another id and no index", "C0(f)A0({\"a\":)A0(1}) tool_calls",
	       CALL("\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}"),
	       CALL("\"id\":\"b\",\"function\":{\"arguments\":\"{\\\"a\\\":\"}"),
	       CALL("\"id\":\"c\",\"function\":{\"arguments\":\"1}\"}"), FINISH("tool_calls"),
	       DONE);
	CHUNKS("another id after the arguments are complete, without a name",
	       "C0(f)A0({\"a\":1}) tool_calls",
	       CALL("\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{"
		    "\\\"a\\\":1}\"}"),
	       CALL("\"index\":0,\"id\":\"b\",\"function\":{\"arguments\":\"\"}"),
	       FINISH("tool_calls"), DONE);
	CHUNKS("one id at two indexes: two calls",
	       "C0(f)A0({\"a\":\"Oslo\"})C1(f)A1({\"a\":\"Rome\"}) tool_calls",
	       CALL("\"index\":0,\"id\":\"f\",\"function\":{\"name\":\"f\",\"arguments\":\"{"
		    "\\\"a\\\":\\\"Oslo\\\"}\"}"),
	       CALL("\"index\":1,\"id\":\"f\",\"function\":{\"name\":\"f\",\"arguments\":\"{"
		    "\\\"a\\\":\\\"Rome\\\"}\"}"),
	       FINISH("tool_calls"), DONE);
	CHUNKS("one id at two indexes, in pieces", "C0(f)C1(f)A0({)A1([)A0(})A1(]) tool_calls",
	       CALL("\"index\":0,\"id\":\"f\",\"function\":{\"name\":\"f\"}"),
	       CALL("\"index\":1,\"id\":\"f\",\"function\":{\"name\":\"f\"}"),
	       CALL("\"index\":0,\"id\":\"f\",\"function\":{\"arguments\":\"{\"}"),
	       CALL("\"index\":1,\"id\":\"f\",\"function\":{\"arguments\":\"[\"}"),
	       CALL("\"index\":0,\"function\":{\"arguments\":\"}\"}"),
	       CALL("\"index\":1,\"function\":{\"arguments\":\"]\"}"), FINISH("tool_calls"), DONE);
	CHUNKS("one id and no index: two calls",
	       "C0(f)A0({\"a\":\"Oslo\"})C1(f)A1({\"a\":\"Rome\"}) tool_calls",
	       CALL("\"id\":\"f\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":"
		    "\\\"Oslo\\\"}\"}"),
	       CALL("\"id\":\"f\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":"
		    "\\\"Rome\\\"}\"}"),
	       FINISH("tool_calls"), DONE);
	CHUNKS("one index and no id: a name begins the next call",
	       "C0(f)A0({\"a\":\"Oslo\"})C1(f)A1({\"a\":\"Rome\"}) tool_calls(stop)",
	       CALL("\"index\":0,\"id\":\"\",\"function\":{\"name\":\"f\",\"arguments\":\"{"
		    "\\\"a\\\":\\\"Oslo\\\"}\"}"),
	       CALL("\"index\":0,\"id\":\"\",\"function\":{\"name\":\"f\",\"arguments\":\"{"
		    "\\\"a\\\":\\\"Rome\\\"}\"}"),
	       FINISH("stop"), DONE);
	CHUNKS("one index, other ids and names, and calls without arguments",
	       "C0(f)C1(g)A0({})A1({}) tool_calls",
	       CALL("\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}"),
	       CALL("\"index\":0,\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":\"\"}"),
	       FINISH("tool_calls"), DONE);
	CHUNKS("neither id nor index, and calls in pieces with their names",
	       "C0(f)A0({)A0(})C1(g)A1([)A1(]) tool_calls",
	       CALL("\"function\":{\"name\":\"f\",\"arguments\":\"{\"}"),
	       CALL("\"function\":{\"name\":\"f\",\"arguments\":\"}\"}"),
	       CALL("\"function\":{\"name\":\"g\",\"arguments\":\"[\"}"),
	       CALL("\"function\":{\"name\":\"g\",\"arguments\":\"]\"}"), FINISH("tool_calls"),
	       DONE);
	CHUNKS("an index that only later pieces have", "C0(f)A0({)A0(}) tool_calls",
	       CALL("\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}"),
	       CALL("\"index\":0,\"function\":{\"arguments\":\"{\"}"),
	       CALL("\"index\":0,\"function\":{\"arguments\":\"}\"}"), FINISH("tool_calls"), DONE);
	CHUNKS("null for an id and a name is none", "C0(f)A0({\"a\":1}) tool_calls",
	       CALL("\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}"),
	       CALL("\"id\":null,\"type\":null,\"function\":{\"name\":null,\"arguments\":\"\"}"),
	       FINISH("tool_calls"), DONE);
	CHUNKS("an index with neither name nor arguments is dropped alone",
	       "C0(f)A0({\"a\":1}) tool_calls",
	       CALL("\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{"
		    "\\\"a\\\":1}\"}"),
	       CALL("\"index\":1,\"id\":\"b\",\"function\":{\"arguments\":\"\"}"),
	       FINISH("tool_calls"), DONE);
}

static void repeated_arguments(void)
{
	CHUNKS("each piece has all arguments so far",
	       "C0(f)A0({\"a\")A0(:\"Os)A0(lo\"}) tool_calls",
	       CALL("\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{"
		    "\\\"a\\\"\"}"),
	       CALL("\"index\":0,\"function\":{\"arguments\":\"{\\\"a\\\":\\\"Os\"}"),
	       CALL("\"index\":0,\"function\":{\"arguments\":\"{\\\"a\\\":\\\"Oslo\\\"}\"}"),
	       FINISH("tool_calls"), DONE);
	CHUNKS(
	    "the same from the first character, with the name each time",
	    "C0(f)A0({)A0(\"a\":\"O)A0(slo\"}) tool_calls",
	    CALL("\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"}"),
	    CALL("\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":\\\"O\"}"),
	    CALL("\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":"
		 "\\\"Oslo\\\"}\"}"),
	    FINISH("tool_calls"), DONE);
	CHUNKS("all so far, where it could also be more of it",
	       "C0(f)A0({\"a\":)A0({\"b\":1}}) tool_calls",
	       CALL("\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{"
		    "\\\"a\\\":\"}"),
	       CALL("\"index\":0,\"function\":{\"arguments\":\"{\\\"a\\\":{\\\"b\\\":\"}"),
	       CALL("\"index\":0,\"function\":{\"arguments\":\"{\\\"a\\\":{\\\"b\\\":1}}\"}"),
	       FINISH("tool_calls"), DONE);
	CHUNKS("the same, and the response ends there", "C0(f)A0({\"a\":)A0(1}) tool_calls",
	       CALL("\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{"
		    "\\\"a\\\":\"}"),
	       CALL("\"index\":0,\"function\":{\"arguments\":\"{\\\"a\\\":1}\"}"),
	       FINISH("tool_calls"), DONE);
	CHUNKS("more arguments that begin as the arguments do",
	       "C0(f)A0({\"a\":)A0({\"a\":)A0(1}})C1(g)A1({\"a\":)A1({\"a\":1}}) tool_calls",
	       CALL("\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{"
		    "\\\"a\\\":\"}"),
	       CALL("\"index\":0,\"function\":{\"arguments\":\"{\\\"a\\\":\"}"),
	       CALL("\"index\":0,\"function\":{\"arguments\":\"1}}\"}"),
	       CALL("\"index\":1,\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":\"{"
		    "\\\"a\\\":\"}"),
	       CALL("\"index\":1,\"function\":{\"arguments\":\"{\\\"a\\\":1}}\"}"),
	       FINISH("tool_calls"), DONE);
	CHUNKS("all arguments once more at the end", "C0(f)A0({\"a\":)A0(1}) tool_calls",
	       CALL("\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{"
		    "\\\"a\\\":\"}"),
	       CALL("\"index\":0,\"function\":{\"arguments\":\"1}\"}"),
	       CALL("\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{"
		    "\\\"a\\\":1}\"}"),
	       FINISH("tool_calls"), DONE);
	CHUNKS("{} twice", "C0(f)A0({}) tool_calls",
	       CALL("\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}"),
	       CALL("\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}"),
	       FINISH("tool_calls"), DONE);
	CHUNKS("{} before the arguments", "C0(f)A0({\"a\":)A0(1}) tool_calls",
	       CALL("\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}"),
	       CALL("\"index\":0,\"function\":{\"arguments\":\"{\\\"a\\\":\"}"),
	       CALL("\"index\":0,\"function\":{\"arguments\":\"1}\"}"), FINISH("tool_calls"), DONE);
	CHUNKS("{} and then nothing", "C0(f)A0({}) tool_calls",
	       CALL("\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}"),
	       CALL("\"index\":0,\"function\":{\"arguments\":\"\"}"), FINISH("tool_calls"), DONE);
}

static void ids(void)
{
	struct decoded a;
	struct span id;
	bool alnum = true;

	decode_stream(
	    &a, "prov",
	    SPAN("data: " CALL("\"function\":{\"name\":\"f\"}") "\n\ndata: " CALL(
		"\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}") "\n\ndata: [DONE]\n\n"),
	    0);
	id = buffer_span(&a.calls[0].id);
	for (size_t i = 5; i < id.len; i++)
		alnum &= (id.at[i] >= '0' && id.at[i] <= '9') ||
			 ((id.at[i] | 32) >= 'a' && (id.at[i] | 32) <= 'z');
	unit_ok(id.len == 14 && span_starts(id, "call_") && alnum,
		"a missing id is made up: call_ and nine letters or digits, here %.*s",
		SPAN_ARG(id));
	decoded_free(&a);
}

static void many_calls(void)
{
	struct buffer text = {0};
	struct decoded a;

	for (int i = 0; i < 15; i++)
		buffer_add_format(&text,
				  "data: " CALL("\"index\":%d,\"id\":\"c%d\",\"function\":{"
						"\"name\":\"f%d\",\"arguments\":\"[%d]\"}") "\n\n",
				  i, i, i, i);
	buffer_add_text(&text, "data: [DONE]\n\n");
	decode_stream(&a, "prov", buffer_span(&text), 0);
	unit_ok(a.call_count == 15, "fifteen calls");
	unit_same(buffer_span(&a.calls[14].args), SPAN("[14]"), "each with its own arguments");
	decoded_free(&a);
	buffer_free(&text);
}

#define WHOLE_CALL "\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}"
#define HALF_CALL  "\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":\"}"
#define BAD_CALL   "\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":\"{a:1}\"}"

static void ends(void)
{
	static const char *const spellings[][2] = {
	    {FINISH("MAX_TOKENS"), "T(a) length"},
	    {FINISH("Length"), "T(a) length"},
	    {FINISH("max-output-tokens"), "T(a) length"},
	    {FINISH("FinishReason.MAX_TOKENS"), "T(a) length"},
	    {FINISH("STOP"), "T(a) stop"},
	    {FINISH("end_turn"), "T(a) stop"},
	    {FINISH("COMPLETE"), "T(a) stop"},
	    {FINISH("SAFETY"), "T(a) content_filter"},
	    {FINISH("contentFilter"), "T(a) content_filter"},
	    {FINISH("Refusal"), "T(a) refusal"},
	};

	CHUNKS("the last reason that is not empty counts", "T(a) length", CONTENT("a"),
	       FINISH("stop"), FINISH("length"), FINISH(""),
	       "{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":null}]}", DONE);
	CHUNKS(
	    "empty reasons on every chunk are none (old Ollama)",
	    "T(a) error [stream_truncated, retry] prov broke off in the middle of its response",
	    "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"\"}]}");
	CHUNKS("[DONE] without a reason is a stop", "T(a) stop", CONTENT("a"), DONE);
	CHUNKS("[DONE] without a reason after a call is tool_calls", "C0(f)A0({}) tool_calls",
	       CALL(WHOLE_CALL), DONE);
	CHUNKS("stop after a complete call is tool_calls", "C0(f)A0({}) tool_calls(stop)",
	       CALL(WHOLE_CALL), FINISH("stop"), DONE);
	CHUNKS("an unknown reason after a call is tool_calls", "C0(f)A0({}) tool_calls(eos)",
	       CALL(WHOLE_CALL), FINISH("eos"), DONE);
	CHUNKS("function_call", "C0(f)A0({}) tool_calls", CALL(WHOLE_CALL), FINISH("function_call"),
	       DONE);
	CHUNKS("length after a complete call stays length", "C0(f)A0({}) length", CALL(WHOLE_CALL),
	       FINISH("length"), DONE);
	CHUNKS("stop with arguments without their end: the model ended them",
	       "C0(f)A0({\"a\":) tool_calls(stop)", CALL(HALF_CALL), FINISH("stop"), DONE);
	CHUNKS("tool_calls with arguments that were cut off is length (vLLM)",
	       "C0(f)A0({\"a\":) length(tool_calls)", CALL(HALF_CALL), FINISH("tool_calls"), DONE);
	CHUNKS("tool_calls with arguments that are no JSON stays tool_calls",
	       "C0(f)A0({a:1}) tool_calls", CALL(BAD_CALL), FINISH("tool_calls"), DONE);
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++)
		CHUNKS("a reason as a proxy spells it", spellings[i][1], CONTENT("a"),
		       spellings[i][0], DONE);
	CHUNKS("an unknown reason is kept", "T(a) stop(because)", CONTENT("a"), FINISH("because"),
	       DONE);
	CHUNKS("the reason of calls without one", "T(a) tool_calls", CONTENT("a"),
	       FINISH("tool_calls"), DONE);
	CHUNKS("model_length", "T(a) length", CONTENT("a"), FINISH("model_length"), DONE);
	CHUNKS("content_filter", "T(a) content_filter", CONTENT("a"), FINISH("content_filter"),
	       DONE);
	CHUNKS("sensitive", "T(a) content_filter", CONTENT("a"), FINISH("sensitive"), DONE);
	CHUNKS("error as a reason",
	       "T(a) error [server, retry] prov ended its response with an error", CONTENT("a"),
	       FINISH("error"), DONE);
	CHUNKS("insufficient_system_resource",
	       "T(a) error [overloaded, retry] prov interrupted its response for lack of resources",
	       CONTENT("a"), FINISH("insufficient_system_resource"), DONE);
	CHUNKS("the bytes end without a reason or [DONE]",
	       "T(a) error [stream_truncated, retry] prov broke off in the middle of its response",
	       CONTENT("a"));
	CHUNKS("the bytes end in the middle of an event",
	       "T(a) error [stream_truncated, retry] prov broke off in the middle of its response",
	       CONTENT("a"), "{\"choices\":[{\"index\":0,\"del");
	CHUNKS("the bytes end in the middle of an event after the reason", "T(a) stop",
	       CONTENT("a"), FINISH("stop"), "{\"choices\":[],\"usage\":{\"prom");
	CHUNKS("half an event in the middle of a stream",
	       "T(a) error [invalid_response, retry] prov sent half an event in the middle "
	       "of its response",
	       CONTENT("a"), "{\"choices\":[{\"index\":0,\"del", CONTENT("b"), FINISH("stop"));
	CHUNKS("calls that the end of the bytes cut off",
	       "C0(f)A0({\"a\":) error [stream_truncated, retry] prov broke off in the middle of "
	       "its response",
	       CALL(HALF_CALL));
	CHUNKS("an empty stream that ends well", " stop", DONE);
	CHUNKS("an empty answer with a reason", " stop in=5 out=2",
	       DELTA("\"role\":\"assistant\",\"content\":\"\""), FINISH("stop"), USAGE, DONE);
	stream("no bytes at all", "",
	       " error [stream_truncated, retry] prov broke off in the middle of its response");
}

static void text(void)
{
	CHUNKS("halves of a surrogate pair in two chunks", "T(a)T(\xF0\x9F\x98\x80z) stop",
	       CONTENT("a\\ud83d"), CONTENT("\\ude00z"), FINISH("stop"), DONE);
	CHUNKS("a half alone, then other text", "T(\xEF\xBF\xBDz) stop", CONTENT("\\ud83d"),
	       CONTENT("z"), FINISH("stop"), DONE);
	CHUNKS("a half alone at the end", "T(z)T(\xEF\xBF\xBD) stop", CONTENT("z\\uD83D"),
	       FINISH("stop"), DONE);
	CHUNKS("what only looks like a half", "T(\\ud83d)T(\\ude00) stop", CONTENT("\\\\ud83d"),
	       CONTENT("\\\\ude00"), FINISH("stop"), DONE);
	CHUNKS("halves in reasoning and in arguments",
	       "H(\xF0\x9F\x98\x80)C0(f)A0(\")A0(\xF0\x9F\x98\x80\") tool_calls",
	       DELTA("\"reasoning\":\"\\ud83d\""), DELTA("\"reasoning\":\"\\ude00\""),
	       CALL("\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":"
		    "\"\\\"\\ud83d\"}"),
	       CALL("\"index\":0,\"function\":{\"arguments\":\"\\ude00\\\"\"}"),
	       FINISH("tool_calls"), DONE);
	CHUNKS("a code point whose bytes are in two chunks",
	       "T(a)T(\xC3\xA4"
	       "b) stop",
	       CONTENT("a\xC3"),
	       CONTENT("\xA4"
		       "b"),
	       FINISH("stop"), DONE);
	CHUNKS("bytes that are no UTF-8",
	       "T(\xEF\xBF\xBD"
	       "b)T(\xEF\xBF\xBD) stop",
	       CONTENT("\xFF"
		       "b"),
	       CONTENT("\xC3"), FINISH("stop"), DONE);
	CHUNKS("escapes", "T(\"\\/\n\t\xE2\x82\xAC) stop", CONTENT("\\\"\\\\\\/\\n\\t\\u20ac"),
	       FINISH("stop"), DONE);
}

int main(void)
{
	pieces();
	which_call();
	repeated_arguments();
	ids();
	many_calls();
	ends();
	text();
	return unit_done();
}
