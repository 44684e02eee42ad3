/*
 * What servers that speak openai-responses do beyond the specification, each trap by its number in
 * the list of quirks (SOURCE.txt says where the recordings are from), and events that are not what
 * they should be.
 */
#define _GNU_SOURCE
#define LOG_DATA
#define PROTOCOL protocol_openai_responses
#include "decoded.h"
#include "mutations.h"

/* ---- events ---- */

#define ADDED(index, item)                                                                         \
	"{\"type\":\"response.output_item.added\",\"output_index\":" index ",\"item\":" item "}"
#define DONE(index, item)                                                                          \
	"{\"type\":\"response.output_item.done\",\"output_index\":" index ",\"item\":" item "}"
#define EVENT(type, index, id, more)                                                               \
	"{\"type\":\"response." type "\",\"output_index\":" index ",\"item_id\":\"" id "\"," more  \
	"}"
#define DELTA(index, id, text) EVENT("output_text.delta", index, id, "\"delta\":\"" text "\"")
#define ARGS(index, id, text)                                                                      \
	EVENT("function_call_arguments.delta", index, id, "\"delta\":\"" text "\"")
#define OVER(type, more)                                                                           \
	"{\"type\":\"response." type "\",\"response\":{\"id\":\"resp_1\",\"model\":\"m\"," more "}}"
#define COMPLETED(output)                                                                          \
	OVER("completed", "\"status\":\"completed\",\"error\":null,\"output\":[" output "]")
#define END COMPLETED("")

/* ---- items ---- */

#define MESSAGE(id, content)                                                                       \
	"{\"type\":\"message\",\"id\":\"" id "\",\"role\":\"assistant\",\"content\":[" content "]" \
	"}"
#define TEXT(text) "{\"type\":\"output_text\",\"text\":\"" text "\",\"annotations\":[]}"
#define CALL(id, call_id, args)                                                                    \
	"{\"type\":\"function_call\",\"id\":\"" id "\",\"call_id\":\"" call_id                     \
	"\",\"name\":\"f\",\"arguments\":\"" args "\",\"status\":\"completed\"}"
#define REASONING(id, more) "{\"type\":\"reasoning\",\"id\":\"" id "\",\"summary\":[]" more "}"
#define SUMMARY(text)       "{\"type\":\"summary_text\",\"text\":\"" text "\"}"

/* ---- framing ---- */

static void framing(void)
{
	stream("quirk 1: CRLF line ends",
	       "data: " DELTA("0", "m", "a") "\r\n\r\ndata: " END "\r\n\r\n", "T(a) stop");
	stream("quirk 3: no space after the colon",
	       "data:" DELTA("0", "m", "a") "\n\ndata:" END "\n\ndata:[DONE]\n\n", "T(a) stop");
	stream("quirk 5: bare comments, no event names, [DONE] at the end",
	       ": \n\ndata: " DELTA("0", "m", "a") "\n\n: \n\ndata: " END "\n\ndata: [DONE]\n\n",
	       "T(a) stop");
	stream("quirk 6: no event names, the type is the last member",
	       "data: {\"output_index\":0,\"delta\":\"a\",\"type\":\"response.output_text.delta\"}"
	       "\n\ndata: {\"response\":{\"status\":\"completed\"},\"type\":\"response.completed\"}"
	       "\n\n",
	       "T(a) stop");
	stream(
	    "quirk 6: the name of an event says nothing, unless the data has no type",
	    "event: response.failed\ndata: " DELTA(
		"0", "m",
		"a") "\n\nevent: response.output_text.delta\ndata: {\"delta\":\"b\"}\n\ndata: " END
		     "\n\n",
	    "T(a)T(b) stop");
	recording("quirk 11: an error and then response.failed is one error",
		  "openai/responses-vc-openai-error/01",
		  " error [quota] prov reported an error: You exceeded your current quota, please "
		  "check your plan and billing details. For more information on this error, read "
		  "the docs: https://platform.openai.com/docs/guides/error-codes/api-errors");
	stream("quirk 12: the last event is not closed by a blank line",
	       "data: " DELTA("0", "m", "a") "\n\ndata: " END, "T(a) stop");
	stream("quirk 13: data over several lines, and id fields",
	       "id: 1\ndata: {\"type\":\"response.output_text.delta\",\ndata: \"delta\":\"a\"}\n\n"
	       "id: 2\ndata: " END "\n\n",
	       "T(a) stop");
	CHUNKS("quirk 17: a surrogate pair in two pieces", "T(\xF0\x9F\x98\x80!) stop",
	       DELTA("0", "m", "\\ud83d"), DELTA("0", "m", "\\ude00!"), END);
	CHUNKS("quirk 17: half a surrogate pair at the end", "T(a)T(\xEF\xBF\xBD) stop",
	       DELTA("0", "m", "a\\ud83d"), END);
	CHUNKS("quirk 38: padding is ignored", "T(a) stop",
	       EVENT("output_text.delta", "0", "m", "\"delta\":\"a\",\"obfuscation\":\"xY9\""),
	       END);
}

static void long_line(void)
{
	struct buffer text = {0}, want = {0};
	struct decoded a;

	for (int i = 0; i < 1 << 20; i++)
		buffer_add_char(&want, (char)('a' + i % 26));
	buffer_add_format(&text, "data: " DELTA("0", "m", "%s") "\n\ndata: " END "\n\n",
			  buffer_string(&want));
	decode_stream(&a, "prov", buffer_span(&text), 0);
	unit_ok(span_equal(buffer_span(&a.text), buffer_span(&want)),
		"quirk 14: one line of a megabyte");
	decoded_free(&a);
	buffer_free(&text);
	buffer_free(&want);
}

/* ---- Responses ---- */

static void quirks(void)
{
	CHUNKS("quirk 39: arguments that only .done has",
	       "C0(f)A0({\"n\":1})D0({\"id\":\"fc\"}) tool_calls", ADDED("0", CALL("fc", "c", "")),
	       EVENT("function_call_arguments.done", "0", "fc", "\"arguments\":\"{\\\"n\\\":1}\""),
	       DONE("0", CALL("fc", "c", "{\\\"n\\\":1}")), END);
	CHUNKS("quirk 39: arguments that only the item has",
	       "C0(f)A0({\"n\":1})D0({\"id\":\"fc\"}) tool_calls", ADDED("0", CALL("fc", "c", "")),
	       DONE("0", CALL("fc", "c", "{\\\"n\\\":1}")), END);
	CHUNKS(
	    "quirk 40: reasoning_text",
	    "H(hm)H(m)D({\"id\":\"rs\",\"type\":\"reasoning\",\"summary\":[],\"content\":[{"
	    "\"type\":\"reasoning_text\",\"text\":\"hmm\"}]})T(a) stop",
	    EVENT("reasoning_text.delta", "0", "rs", "\"delta\":\"hm\",\"content_index\":0"),
	    EVENT("reasoning_text.delta", "0", "rs", "\"delta\":\"m\",\"content_index\":0"),
	    DONE("0",
		 REASONING("rs", ",\"content\":[{\"type\":\"reasoning_text\",\"text\":\"hmm\"}]")),
	    DELTA("1", "m", "a"), END);
	CHUNKS("quirk 41: response.reasoning.delta",
	       "H(hm)D({\"id\":\"rs\",\"type\":\"reasoning\",\"summary\":[]})T(a) stop",
	       EVENT("reasoning.delta", "0", "rs", "\"delta\":\"hm\""), DELTA("1", "m", "a"), END);
	CHUNKS("quirk 41: whose delta is an object", "H(hm) stop",
	       EVENT("reasoning.delta", "0", "rs", "\"delta\":{\"text\":\"hm\"}"), END);
	CHUNKS("quirk 40: unknown events are ignored", "T(a) stop",
	       EVENT("steer.begun", "0", "m", "\"delta\":\"x\""),
	       EVENT("new_thing_call.delta", "7", "x", "\"delta\":\"x\""),
	       "{\"type\":\"keepalive\",\"sequence_number\":3}", "{\"type\":\"codex.rate_limits\"}",
	       "{\"type\":\"response.\"}", "{}", DELTA("0", "m", "a"), END);
	CHUNKS("quirk 42: commentary, a call, the answer: in their order, with their phases",
	       "T(Let me see.)D({\"id\":\"m1\",\"phase\":\"commentary\"})C0(f)A0({})D0({\"id\":"
	       "\"fc\"})T(Done.)D({\"id\":\"m2\",\"phase\":\"final_answer\"}) tool_calls",
	       DELTA("0", "m1", "Let me see."),
	       DONE("0", "{\"type\":\"message\",\"id\":\"m1\",\"phase\":\"commentary\",\"content\":"
			 "[" TEXT("Let me see.") "]}"),
	       DONE("1", CALL("fc", "c", "{}")), DELTA("2", "m2", "Done."),
	       DONE("2", "{\"type\":\"message\",\"id\":\"m2\",\"phase\":\"final_answer\","
			 "\"content\":[" TEXT("Done.") "]}"),
	       END);
	CHUNKS("quirk 42: two texts at once are told one after the other",
	       "T(a1)T(a2)D({\"id\":\"m1\"})T(b1b2)D({\"id\":\"m2\"}) stop",
	       ADDED("0", MESSAGE("m1", "")), ADDED("1", MESSAGE("m2", "")), DELTA("1", "m2", "b1"),
	       DELTA("0", "m1", "a1"), DELTA("1", "m2", "b2"), DELTA("0", "m1", "a2"),
	       DONE("1", MESSAGE("m2", TEXT("b1b2"))), DONE("0", MESSAGE("m1", TEXT("a1a2"))), END);
	CHUNKS("quirk 43: incomplete", "T(a) length in=5 out=2 cached=1 reasoning=1",
	       DELTA("0", "m", "a"),
	       OVER("incomplete",
		    "\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":"
		    "\"max_output_tokens\"},\"usage\":{\"input_tokens\":5,\"output_tokens\":2,"
		    "\"input_tokens_details\":{\"cached_tokens\":1},\"output_tokens_details\":{"
		    "\"reasoning_tokens\":1}}"));
	CHUNKS("quirk 43: incomplete, by a filter", "T(a) content_filter", DELTA("0", "m", "a"),
	       OVER("incomplete", "\"incomplete_details\":{\"reason\":\"content_filter\"}"));
	CHUNKS("quirk 43: incomplete, in the middle of a call", "C0(f)A0({\"n\") length",
	       ADDED("0", CALL("fc", "c", "")), ARGS("0", "fc", "{\\\"n\\\""),
	       OVER("incomplete", "\"status\":\"incomplete\""));
	CHUNKS("quirk 44: the input of a custom tool is text",
	       "C0(sql)A0(SELECT)A0( 1)D0({\"type\":\"custom_tool_call\",\"id\":\"ctc\"}) "
	       "tool_calls",
	       ADDED("0", "{\"type\":\"custom_tool_call\",\"id\":\"ctc\",\"call_id\":\"c\","
			  "\"name\":\"sql\",\"input\":\"\"}"),
	       EVENT("custom_tool_call_input.delta", "0", "ctc", "\"delta\":\"SELECT\""),
	       EVENT("custom_tool_call_input.done", "0", "ctc", "\"input\":\"SELECT 1\""),
	       DONE("0", "{\"type\":\"custom_tool_call\",\"id\":\"ctc\",\"call_id\":\"c\","
			 "\"name\":\"sql\",\"input\":\"SELECT 1\"}"),
	       END);
}

/* ---- items that are not where they should be ---- */

static void ids(void)
{
	CHUNKS("an item with another id in every event", "T(a)T(b)C0(f)A0({}) tool_calls",
	       ADDED("0", MESSAGE("m1", "")), DELTA("0", "m2", "a"), DELTA("0", "m3", "b"),
	       DONE("0", MESSAGE("m4", TEXT("ab"))), ADDED("1", CALL("f1", "c", "")),
	       ARGS("1", "f2", "{}"), DONE("1", CALL("f3", "c", "{}")),
	       COMPLETED(MESSAGE("m5", TEXT("ab")) "," CALL("f4", "c", "{}")));
	CHUNKS("the same without positions", "T(a)T(b)C0(f)A0({}) tool_calls",
	       "{\"type\":\"response.output_item.added\",\"item\":" MESSAGE("m1", "") "}",
	       "{\"type\":\"response.output_text.delta\",\"item_id\":\"m2\",\"delta\":\"a\"}",
	       "{\"type\":\"response.output_text.delta\",\"item_id\":\"m3\",\"delta\":\"b\"}",
	       "{\"type\":\"response.output_item.done\",\"item\":" MESSAGE("m4", TEXT("ab")) "}",
	       "{\"type\":\"response.output_item.added\",\"item\":" CALL("f1", "c", "") "}",
	       "{\"type\":\"response.function_call_arguments.delta\",\"item_id\":\"f2\",\"delta\":"
	       "\"{}\"}",
	       "{\"type\":\"response.output_item.done\",\"item\":" CALL("f3", "c", "{}") "}",
	       COMPLETED(MESSAGE("m5", TEXT("ab")) "," CALL("f4", "c", "{}")));
	CHUNKS("two calls at once without positions, by their ids",
	       "C0(f)C1(f)A0({\"a\":)A1({\"b\":)A0(1})A1(2})D1({\"id\":\"f2\"})D0({\"id\":\"f1\"}) "
	       "tool_calls",
	       "{\"type\":\"response.output_item.added\",\"item\":" CALL("f1", "c1", "") "}",
	       "{\"type\":\"response.output_item.added\",\"item\":" CALL("f2", "c2", "") "}",
	       "{\"type\":\"response.function_call_arguments.delta\",\"item_id\":\"f1\",\"delta\":"
	       "\"{\\\"a\\\":\"}",
	       "{\"type\":\"response.function_call_arguments.delta\",\"item_id\":\"f2\",\"delta\":"
	       "\"{\\\"b\\\":\"}",
	       "{\"type\":\"response.function_call_arguments.delta\",\"item_id\":\"f1\",\"delta\":"
	       "\"1}\"}",
	       "{\"type\":\"response.function_call_arguments.delta\",\"item_id\":\"f2\",\"delta\":"
	       "\"2}\"}",
	       "{\"type\":\"response.output_item.done\",\"item\":" CALL("f2", "c2",
									"{\\\"b\\\":2}") "}",
	       "{\"type\":\"response.output_item.done\",\"item\":" CALL("f1", "c1",
									"{\\\"a\\\":1}") "}",
	       END);
	CHUNKS("calls that all are at position 0, told apart by their call_id",
	       "C0(f)C1(f)A0({\"a\":1})A1({\"b\":2}) tool_calls", ADDED("0", CALL("x1", "c1", "")),
	       ADDED("0", CALL("x2", "c2", "")), DONE("0", CALL("x3", "c1", "{\\\"a\\\":1}")),
	       DONE("0", CALL("x4", "c2", "{\\\"b\\\":2}")), END);
	CHUNKS("a position that only some events have", "T(a)T(b)D({\"id\":\"m1\"}) stop",
	       "{\"type\":\"response.output_item.added\",\"item\":" MESSAGE("m1", "") "}",
	       DELTA("0", "x", "a"),
	       "{\"type\":\"response.output_text.delta\",\"item_id\":\"y\",\"delta\":\"b\"}",
	       DONE("0", MESSAGE("m1", TEXT("ab"))), COMPLETED(MESSAGE("m1", TEXT("ab"))));
	CHUNKS("a position that added and done do not agree on", "T(a)D({\"id\":\"m1\"}) stop",
	       ADDED("0", MESSAGE("m1", "")), DELTA("0", "m1", "a"),
	       DONE("3", MESSAGE("m1", TEXT("a"))), END);
	CHUNKS("an item that is announced twice", "C0(f)A0({})D0({\"id\":\"fc\"}) tool_calls",
	       ADDED("0", CALL("fc", "c", "")), ADDED("0", CALL("fc", "c", "")),
	       DONE("0", CALL("fc", "c", "{}")), END);
	CHUNKS("an item that is done twice", "T(a)D({\"id\":\"m1\"}) stop",
	       DONE("0", MESSAGE("m1", TEXT("a"))), DONE("0", MESSAGE("m1", TEXT("a"))),
	       COMPLETED(MESSAGE("m1", TEXT("a"))));
	CHUNKS("deltas before their item is announced",
	       "T(a)T(b)D({\"id\":\"m1\"})C0(f)A0({})D0({\"id\":\"fc\"}) tool_calls",
	       DELTA("0", "m1", "a"), ADDED("0", MESSAGE("m1", "")), DELTA("0", "m1", "b"),
	       DONE("0", MESSAGE("m1", TEXT("ab"))), ARGS("1", "fc", "{}"),
	       ADDED("1", CALL("fc", "c", "")), DONE("1", CALL("fc", "c", "{}")), END);
	CHUNKS("deltas without positions before their item is announced",
	       "T(a)D({\"id\":\"m1\"}) stop",
	       "{\"type\":\"response.output_text.delta\",\"item_id\":\"m1\",\"delta\":\"a\"}",
	       "{\"type\":\"response.output_item.added\",\"item\":" MESSAGE("m1", "") "}",
	       "{\"type\":\"response.output_item.done\",\"item\":" MESSAGE("m1", TEXT("a")) "}",
	       END);
	CHUNKS("texts without ids are parts of their own", "T(a)D({})T(b) stop",
	       DONE("0", MESSAGE("", TEXT("a"))), DONE("1", MESSAGE("", TEXT("b"))), END);
	CHUNKS("call ids that begin anew in every answer stay the provider's affair",
	       "C0(f)A0({})D0({\"id\":\"fc\"}) tool_calls", DONE("0", CALL("fc", "call_0", "{}")),
	       END);
}

static void left_out(void)
{
	CHUNKS("deltas without announcement or end", "T(a)T(b) stop", DELTA("0", "m", "a"),
	       DELTA("0", "m", "b"), END);
	CHUNKS("items that come whole",
	       "T(a)D({\"id\":\"m1\"})C0(f)A0({})D0({\"id\":\"fc\"}) tool_calls",
	       DONE("0", MESSAGE("m1", TEXT("a"))), DONE("1", CALL("fc", "c", "{}")), END);
	CHUNKS("text that only .done has", "T(a)T(b)D({\"id\":\"m1\"}) stop",
	       ADDED("0", MESSAGE("m1", "")),
	       EVENT("output_text.done", "0", "m1", "\"text\":\"a\",\"content_index\":0"),
	       EVENT("output_text.done", "0", "m1", "\"text\":\"b\",\"content_index\":1"),
	       DONE("0", MESSAGE("m1", TEXT("a") "," TEXT("b"))), END);
	CHUNKS("a refusal that only the item has", " refusal refusal=No.",
	       DONE("0", MESSAGE("m1", "{\"type\":\"refusal\",\"refusal\":\"No.\"}")), END);
	CHUNKS("a refusal in pieces, after a text that only the item has",
	       "T(a)D({\"id\":\"m1\"}) refusal refusal=No.",
	       EVENT("refusal.delta", "0", "m1", "\"delta\":\"No\""),
	       EVENT("refusal.delta", "0", "m1", "\"delta\":\".\""),
	       DONE("0", MESSAGE("m1", TEXT("a") ",{\"type\":\"refusal\",\"refusal\":\"No.\"}")),
	       END);
	CHUNKS(
	    "an answer that was never streamed",
	    "H(hm)D({\"id\":\"rs\",\"type\":\"reasoning\",\"summary\":[{\"type\":\"summary_text\","
	    "\"text\":\"hm\"}],\"encrypted_content\":\"gA=\"})T(a)D({\"id\":\"m1\"})C0(f)A0({})D0({"
	    "\"id\":\"fc\"}) tool_calls",
	    COMPLETED("{\"type\":\"reasoning\",\"id\":\"rs\",\"summary\":[" SUMMARY(
		"hm") "],\"encrypted_content\":\"gA=\"}," MESSAGE("m1", TEXT("a")) "," CALL("fc",
											    "c",
											    "{}")));
	CHUNKS("an answer of which half was streamed",
	       "T(a)T(b)D({\"id\":\"m1\"})T(c)D({\"id\":\"m2\"}) stop", DELTA("0", "m1", "a"),
	       COMPLETED(MESSAGE("m1", TEXT("ab")) "," MESSAGE("m2", TEXT("c"))));
	CHUNKS("what was streamed stands, though the end says otherwise",
	       "T(ab)D({\"id\":\"m1\"}) stop", DELTA("0", "m1", "ab"),
	       COMPLETED(MESSAGE("m1", TEXT("xy"))));
	CHUNKS(
	    "encrypted reasoning that only the end has",
	    "H(hm)D({\"id\":\"rs\",\"type\":\"reasoning\",\"summary\":[]})T(a)D({\"id\":\"m1\"})M({"
	    "\"reasoning\":[{\"type\":\"reasoning\",\"summary\":[],\"encrypted_content\":\"gA=\"}]}"
	    ") "
	    "stop",
	    EVENT("reasoning_summary_text.delta", "0", "rs", "\"delta\":\"hm\""),
	    DONE("0", REASONING("rs", "")), DONE("1", MESSAGE("m1", TEXT("a"))),
	    COMPLETED(
		REASONING("rs", ",\"encrypted_content\":\"gA=\"") "," MESSAGE("m1", TEXT("a"))));
	CHUNKS(
	    "reasoning that is done after what follows it",
	    "H(hm)D({\"id\":\"r1\",\"type\":\"reasoning\",\"summary\":[]})H()D({\"id\":\"r2\","
	    "\"type\":"
	    "\"reasoning\",\"summary\":[]})C0(f)A0({})D0({\"id\":\"fc\"})M({\"reasoning\":[{"
	    "\"type\":"
	    "\"reasoning\",\"summary\":[],\"encrypted_content\":\"gA=\"},{\"type\":\"reasoning\","
	    "\"summary\":[],\"encrypted_content\":\"gB=\"}]}) tool_calls",
	    EVENT("reasoning_text.delta", "0", "r1", "\"delta\":\"hm\""),
	    ADDED("1", REASONING("r2", "")), ADDED("2", CALL("fc", "c", "")),
	    DONE("2", CALL("fc", "c", "{}")),
	    DONE("1", REASONING("r2", ",\"encrypted_content\":\"gB=\"")),
	    DONE("0", REASONING("r1", ",\"encrypted_content\":\"gA=\"")), END);
	CHUNKS(
	    "summaries are parted by blank lines", "H(a)H(\n\n)H(b) stop",
	    EVENT("reasoning_summary_text.delta", "0", "rs", "\"delta\":\"a\",\"summary_index\":0"),
	    EVENT("reasoning_summary_text.delta", "0", "rs", "\"delta\":\"b\",\"summary_index\":1"),
	    END);
	CHUNKS("reasoning that is announced within a text that it follows",
	       "T(a)T(b)D({\"id\":\"m1\"})H(hm)D({\"id\":\"rs\",\"type\":\"reasoning\",\"summary\":"
	       "[]})T(c) stop",
	       DELTA("0", "m1", "a"), ADDED("1", REASONING("rs", "")), DELTA("0", "m1", "b"),
	       DONE("0", MESSAGE("m1", TEXT("ab"))),
	       EVENT("reasoning_text.delta", "1", "rs", "\"delta\":\"hm\""),
	       DONE("1", REASONING("rs", "")), DELTA("2", "m2", "c"), END);
	CHUNKS("a response that ends twice", "T(a)D({\"id\":\"m1\"}) stop",
	       COMPLETED(MESSAGE("m1", TEXT("a"))),
	       OVER("done", "\"status\":\"completed\",\"output\":[" MESSAGE("m1", TEXT("a")) "]"));
	CHUNKS("a response that ends without saying anything", " stop",
	       "{\"type\":\"response.completed\"}");
	CHUNKS("response.done for response.completed", "T(a) stop", DELTA("0", "m", "a"),
	       OVER("done", "\"status\":\"completed\""));
	CHUNKS("a call without a name",
	       " error [invalid_response, retry] prov sent a tool call without "
	       "a name",
	       ARGS("0", "fc", "{}"), END);
	CHUNKS("a call without arguments", "C0(f)D0({\"id\":\"fc\"})A0({}) tool_calls",
	       DONE("0", CALL("fc", "c", "")), END);
	CHUNKS("arguments that are an object", "C0(f)A0({\"n\":1})D0({\"id\":\"fc\"}) tool_calls",
	       DONE("0",
		    "{\"type\":\"function_call\",\"id\":\"fc\",\"call_id\":\"c\",\"name\":\"f\","
		    "\"arguments\":{\"n\": 1}}"),
	       END);
}

/* ---- calls that the provider runs ---- */

#define WEB_SEARCH(more) "{\"type\":\"web_search_call\",\"id\":\"ws\",\"status\":" more "}"
#define SEARCHED                                                                                   \
	WEB_SEARCH("\"completed\",\"action\":{\"type\":\"search\",\"query\":\"q\",\"sources\":[1]" \
		   "}")
#define CODE(code, outputs)                                                                        \
	"{\"type\":\"code_interpreter_call\",\"id\":\"ci\",\"code\":" code ",\"outputs\":" outputs \
	"}"
#define MCP(more)                                                                                  \
	"{\"type\":\"mcp_call\",\"id\":\"x\",\"server_label\":\"s\",\"name\":\"look\"," more "}"
#define SHELL                                                                                      \
	"{\"type\":\"shell_call\",\"id\":\"sh\",\"call_id\":\"c\",\"action\":{\"commands\":["      \
	"\"ls\"]}}"
#define SHELL_GAVE                                                                                 \
	"{\"type\":\"shell_call_output\",\"id\":\"so\",\"call_id\":\"c\",\"output\":[{\"stdout\":" \
	"\"a\"}]}"

#define LOST(type, index, id) EVENT(type ".delta", index, id, "\"delta\":[\"NOT \"]")
#define WRONG                                                                                      \
	" error [invalid_response, retry] prov sent a piece of its response (\"delta\") of a "     \
	"wrong type"

/* What a piece of a wrong type lost is completed from the whole. */
static void lost(void)
{
	CHUNKS("a lost piece of text, and the item as a whole",
	       "T(You must )T(NOT press it.)D({\"id\":\"m\"}) stop", DELTA("0", "m", "You must "),
	       LOST("output_text", "0", "m"), DELTA("0", "m", "press it."),
	       DONE("0", MESSAGE("m", TEXT("You must NOT press it."))), END);
	CHUNKS("a lost piece of text, and the response as a whole",
	       "T(You must )T(NOT press it.)D({\"id\":\"m\"}) stop", DELTA("0", "m", "You must "),
	       LOST("output_text", "0", "m"), DELTA("0", "m", "press it."),
	       COMPLETED(MESSAGE("m", TEXT("You must NOT press it."))));
	CHUNKS("the first piece is lost, and the part comes as a whole", "T(NOT now) stop",
	       LOST("output_text", "0", "m"), DELTA("0", "m", "now"),
	       EVENT("output_text.done", "0", "m", "\"text\":\"NOT now\""), END);
	CHUNKS("a lost piece of text that nothing repeats", "T(You must )" WRONG,
	       DELTA("0", "m", "You must "), LOST("output_text", "0", "m"),
	       DELTA("0", "m", "press it."), END);
	CHUNKS("a piece without text, and the item as a whole",
	       "T(You must )T(NOT press it.)D({\"id\":\"m\"}) stop", DELTA("0", "m", "You must "),
	       EVENT("output_text.delta", "0", "m", "\"delta\":null"), DELTA("0", "m", "press it."),
	       DONE("0", MESSAGE("m", TEXT("You must NOT press it."))), END);
	CHUNKS("a piece under another name that nothing repeats", "T(You must )" WRONG,
	       DELTA("0", "m", "You must "),
	       EVENT("output_text.delta", "0", "m", "\"text\":\"NOT \""),
	       DELTA("0", "m", "press it."), END);
	CHUNKS(
	    "a whole that has more between the pieces",
	    "T(You must )T(press it.)D({\"id\":\"m\"}) error [invalid_response, retry] prov left "
	    "out a piece of its text",
	    DELTA("0", "m", "You must "), DELTA("0", "m", "press it."),
	    DONE("0", MESSAGE("m", TEXT("You must NOT press it."))), END);
	CHUNKS("a whole that is trimmed", "T( a)T( )D({\"id\":\"m\"}) stop", DELTA("0", "m", " a"),
	       DELTA("0", "m", " "), DONE("0", MESSAGE("m", TEXT("a"))), END);
	CHUNKS("an event and an item without a type",
	       " error [invalid_response, retry] prov sent an event without a type",
	       "{\"output_index\":0,\"delta\":\"x\"}", END);
	CHUNKS("an item without a type",
	       " error [invalid_response, retry] prov sent an item of its response without a type",
	       DONE("0", "{\"id\":\"m\",\"content\":[]}"), END);
	CHUNKS("a lost piece of arguments, and all of them",
	       "C0(f)A0({\"a\":)A0([1]})D0({\"id\":\"i\"}) tool_calls",
	       ADDED("0", CALL("i", "c", "")), ARGS("0", "i", "{\\\"a\\\":"),
	       LOST("function_call_arguments", "0", "i"), ARGS("0", "i", "}"),
	       DONE("0", CALL("i", "c", "{\\\"a\\\":[1]}")), END);
	CHUNKS("a lost piece of arguments that nothing repeats", "C0(f)A0({\"a\":)" WRONG,
	       ADDED("0", CALL("i", "c", "")), ARGS("0", "i", "{\\\"a\\\":"),
	       LOST("function_call_arguments", "0", "i"), ARGS("0", "i", "}"), END);
	CHUNKS("arguments that are others as a whole",
	       "C0(f)A0({\"a\":1})D0({\"id\":\"i\"}) error [invalid_response, retry] prov sent the "
	       "arguments of a call twice, and not the same",
	       ADDED("0", CALL("i", "c", "")), ARGS("0", "i", "{\\\"a\\\":1}"),
	       DONE("0", CALL("i", "c", "{\\\"a\\\":2}")), END);
	CHUNKS(
	    "the same arguments in another spelling, and none",
	    "C0(f)A0({\"a\":1})D0({\"id\":\"i\"})C1(f)A1({\"a\":1})D1({\"id\":\"j\"}) tool_calls",
	    ADDED("0", CALL("i", "c", "")), ARGS("0", "i", "{\\\"a\\\":1}"),
	    DONE("0", CALL("i", "c", "{ \\\"a\\\": 1 }")), ADDED("1", CALL("j", "d", "")),
	    ARGS("1", "j", "{\\\"a\\\":1}"), DONE("1", CALL("j", "d", "")), END);
}

static void hosted(void)
{
	CHUNKS("a search: what was asked and what was found",
	       "P0(web_search)A0({\"type\":\"search\",\"query\":\"q\"})R0E0([1])T(a)D0({\"items\":"
	       "[" SEARCHED "]}) stop",
	       ADDED("0", WEB_SEARCH("\"in_progress\"")),
	       EVENT("web_search_call.searching", "0", "ws", "\"sequence_number\":1"),
	       DONE("0", SEARCHED), DELTA("1", "m", "a"), END);
	CHUNKS(
	    "code, in pieces",
	    "P0(code_interpreter)A0({\"code\":\"x\\\")A0(\\ny)A0(\"})R0E0([])D0({\"items\":[" CODE(
		"\"x\\\"\\ny\"", "[]") "]}) stop",
	    ADDED("0", CODE("\"\"", "null")),
	    EVENT("code_interpreter_call_code.delta", "0", "ci", "\"delta\":\"x\\\"\""),
	    EVENT("code_interpreter_call_code.delta", "0", "ci", "\"delta\":\"\\ny\""),
	    EVENT("code_interpreter_call_code.done", "0", "ci", "\"code\":\"x\\\"\\ny\""),
	    DONE("0", CODE("\"x\\\"\\ny\"", "[]")), END);
	CHUNKS(
	    "an MCP server's tool that failed",
	    "P0(look)A0({\"a\":)A0(1})R0F0(Not there)D0({\"items\":[" MCP(
		"\"arguments\":\"{\\\"a\\\":1}\",\"error\":{\"message\":\"Not there\"}") "]}) stop",
	    ADDED("0", MCP("\"arguments\":\"\"")),
	    EVENT("mcp_call_arguments.delta", "0", "x", "\"delta\":\"{\\\"a\\\":\""),
	    EVENT("mcp_call_arguments.done", "0", "x", "\"arguments\":\"{\\\"a\\\":1}\""),
	    DONE("0", MCP("\"arguments\":\"{\\\"a\\\":1}\",\"error\":{\"message\":\"Not there\"}")),
	    END);
	CHUNKS("a shell whose result is an item of its own",
	       "P0(shell)A0({\"commands\":[\"ls\"]})R0E0([{\"stdout\":\"a\"}])D0({\"items\":[" SHELL
	       "," SHELL_GAVE "]}) stop",
	       DONE("0", SHELL), DONE("1", SHELL_GAVE), END);
	CHUNKS("a shell that is left to the client",
	       "P0(shell)A0({\"commands\":[\"ls\"]})R0F0(Not run: the provider leaves this tool to "
	       "its "
	       "client.) stop",
	       DONE("0", SHELL), END);
	CHUNKS("a kind of call that is not known",
	       "P0(time_travel)A0({\"to\":1999})R0E0()D0({\"items\":[{"
	       "\"type\":\"time_travel_call\",\"to\":1999}]}) stop",
	       DONE("0", "{\"type\":\"time_travel_call\",\"to\":1999}"), END);
	CHUNKS("an item that is not known goes back as it came",
	       "O({\"type\":\"compaction\",\"encrypted_content\":\"x\"})T(a) stop",
	       DONE("0", "{\"type\":\"compaction\",\"encrypted_content\":\"x\"}"),
	       DELTA("1", "m", "a"), END);
}

/* ---- failures ---- */

static void failures(void)
{
	CHUNKS("broken off",
	       "T(a) error [stream_truncated, retry] prov broke off in the middle of its "
	       "response",
	       DELTA("0", "m", "a"));
	CHUNKS("broken off, though [DONE]",
	       "T(a) error [stream_truncated, retry] prov broke off in the middle of its response",
	       DELTA("0", "m", "a"), "[DONE]");
	CHUNKS(
	    "a flat error", "T(a) error [server, retry] prov reported an error: Try later",
	    DELTA("0", "m", "a"),
	    "{\"type\":\"error\",\"code\":\"server_error\",\"message\":\"Try "
	    "later.\",\"param\":null}",
	    OVER("failed", "\"status\":\"failed\",\"error\":{\"code\":\"x\",\"message\":\"y\"}"));
	CHUNKS("a flat error without a code", " error [server, retry] prov reported an error: Oops",
	       "{\"type\":\"error\",\"message\":\"Oops\"}");
	CHUNKS("an error that cannot pass",
	       " error [invalid_request] prov reported an error: Bad prompt",
	       "{\"type\":\"error\",\"code\":\"invalid_prompt\",\"message\":\"Bad prompt\"}");
	CHUNKS("a nested error with a status",
	       " error [server, retry] prov reported an error: Bad gateway",
	       "{\"type\":\"error\",\"error\":{\"code\":502,\"message\":\"Bad gateway\"}}");
	CHUNKS("an error without a type",
	       " error [overloaded, retry] prov reported an error: Overloaded",
	       "{\"error\":{\"code\":503,\"message\":\"Overloaded\"}}");
	CHUNKS("failed, rate limit",
	       " error [rate_limit, retry] prov reported an error: Rate limit reached",
	       OVER("failed", "\"status\":\"failed\",\"error\":{\"code\":\"rate_limit_exceeded\","
			      "\"message\":\"Rate limit reached\"}"));
	CHUNKS("failed, context",
	       " error [context] prov reported an error: Your input exceeds the context window of "
	       "this "
	       "model",
	       OVER("failed",
		    "\"status\":\"failed\",\"error\":{\"code\":\"context_length_exceeded\","
		    "\"message\":\"Your input exceeds the context window of this model.\"}"));
	CHUNKS("failed, for a reason that cannot pass",
	       " error [invalid_request] prov reported an error: Bad image",
	       OVER("failed",
		    "\"status\":\"failed\",\"error\":{\"code\":\"invalid_image\",\"message\":"
		    "\"Bad image\"}"));
	CHUNKS("failed, nothing said", " error [server, retry] prov did not finish its response",
	       OVER("failed", "\"status\":\"failed\",\"error\":null"));
	CHUNKS("cancelled", " error [server, retry] prov did not finish its response",
	       OVER("cancelled", "\"status\":\"cancelled\""));
	CHUNKS("completed, but failed", " error [server, retry] prov reported an error: Oops",
	       OVER("completed", "\"status\":\"failed\",\"error\":{\"code\":\"server_error\","
				 "\"message\":\"Oops\"}"));
	CHUNKS("half an event at the end",
	       "T(a) error [stream_truncated, retry] prov broke off in the "
	       "middle of its response",
	       DELTA("0", "m", "a"), "{\"type\":\"response.comp");
	CHUNKS("half an event in the middle",
	       "T(a) error [invalid_response, retry] prov sent half an event in the middle of its "
	       "response",
	       DELTA("0", "m", "a"), "{\"type\":\"respo", END);
	CHUNKS("an event that is not JSON",
	       " error [invalid_response, retry] prov sent an event that is "
	       "not JSON (a value is missing at byte 0)",
	       "oops", END);
	stream("an error that is plain text", "event: error\ndata: upstream gone\n\n",
	       " error [server, retry] prov reported an error: upstream gone");
	http_error("an unknown model",
		   " error [not_found] prov answered HTTP 404: The model 'x' does not exist", 404,
		   "{\"error\":{\"message\":\"The model 'x' does not exist\",\"type\":"
		   "\"invalid_request_error\",\"param\":\"model\",\"code\":\"model_not_found\"}}");
}

static void documents(void)
{
	document(
	    "a whole answer", "T(a)D({\"id\":\"m1\"}) stop in=5 out=2",
	    "{\"id\":\"resp_1\",\"object\":\"response\",\"status\":\"completed\",\"error\":null,"
	    "\"output\":[" MESSAGE("m1", TEXT("a")) "],\"usage\":{\"input_tokens\":5,"
						    "\"output_tokens\":2}}");
	document(
	    "a whole answer that is cut", "T(a)D({\"id\":\"m1\"}) length",
	    "{\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":\"max_output_tokens\"},"
	    "\"output\":[" MESSAGE("m1", TEXT("a")) "]}");
	document(
	    "a whole answer that failed", " error [server, retry] prov reported an error: Oops",
	    "{\"status\":\"failed\",\"output\":[],\"error\":{\"code\":\"server_error\",\"message\":"
	    "\"Oops\"}}");
	document("an answer that is not complete",
		 " error [invalid_response] prov answered with a response that is not complete",
		 "{\"status\":\"queued\",\"output\":[]}");
	document("an error instead", " error [server, retry] prov reported an error: Oops",
		 "{\"error\":{\"message\":\"Oops\"}}");
	document("no JSON",
		 " error [invalid_response, retry] prov answered with something that is not a "
		 "response: <html>",
		 "<html>");
	document("nothing",
		 " error [invalid_response, retry] prov answered with something that is not a "
		 "response: ",
		 "");
}

/* ---- whatever the types are ---- */

static void try_event(void *context, struct span event)
{
	int *told = context;
	struct buffer text = {0};
	struct decoded a;

	buffer_add_text(&text, "data: " DELTA("9", "z", "a") "\n\ndata: ");
	buffer_add_span(&text, event);
	buffer_add_text(&text, "\n\ndata: " END "\n\n");
	decode_stream(&a, "prov", buffer_span(&text), 0);
	*told += span_starts(buffer_span(&a.text), "a") || span_ends(buffer_span(&a.text), "a");
	decoded_free(&a);
	buffer_free(&text);
}

/* Every member of every event with a value of every type: an answer or an error, and the text
 * before it is told. */
static void wrong_types(void)
{
	static const char *const events[] = {
	    ADDED("0", CALL("fc", "c", "")),
	    DELTA("0", "m", "b"),
	    ARGS("0", "fc", "{}"),
	    DONE("0", CALL("fc", "c", "{}")),
	    DONE("1", MESSAGE("m", TEXT("b"))),
	    DONE("0",
		 REASONING("rs", ",\"encrypted_content\":\"x\",\"content\":[" SUMMARY("x") "]")),
	    DONE("0", "{\"type\":\"web_search_call\",\"id\":\"ws\",\"status\":\"completed\","
		      "\"action\":{\"type\":\"search\",\"query\":\"q\",\"sources\":[1]}}"),
	    DONE("0", "{\"type\":\"mcp_call\",\"id\":\"x\",\"name\":\"n\",\"arguments\":\"{}\","
		      "\"output\":\"o\",\"error\":null}"),
	    DONE("0", "{\"type\":\"shell_call_output\",\"call_id\":\"x\",\"output\":[]}"),
	    DONE("0", "{\"type\":\"compaction\",\"id\":\"x\",\"encrypted_content\":\"o\"}"),
	    EVENT("reasoning_summary_text.delta", "0", "rs", "\"delta\":\"x\",\"summary_index\":0"),
	    EVENT("code_interpreter_call_code.delta", "0", "rs", "\"delta\":\"x\""),
	    OVER("failed", "\"status\":\"failed\",\"error\":{\"code\":\"x\",\"message\":\"y\"}"),
	    OVER("completed",
		 "\"status\":\"completed\",\"output\":[" MESSAGE(
		     "m",
		     TEXT("b")) "],\"usage\":{\"input_tokens\":1,\"output_tokens_details\":{}}"),
	    "{\"type\":\"error\",\"error\":{\"code\":\"x\",\"message\":\"y\"}}",
	    NULL};
	int tried = 0, told = 0;

	for (size_t i = 0; events[i] != NULL; i++)
		tried += mutations(span_of(events[i]), try_event, &told);
	unit_ok(tried > 1000 && told == tried,
		"members of any type: %d of %d answers have their text", told, tried);
}

int main(void)
{
	framing();
	long_line();
	quirks();
	ids();
	left_out();
	lost();
	hosted();
	failures();
	documents();
	wrong_types();
	return unit_done();
}
