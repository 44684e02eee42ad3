/*
 * Bedrock's ConverseStream: its decoder on recordings, on every kind of block, and on what goes
 * wrong inside a stream.
 */
#define _GNU_SOURCE
#define PROTOCOL protocol_bedrock
#include "recordings.h"

#include "aws_frames.h"

static const char *want_finish(struct span expected, struct span error)
{
	struct span finish = json_get(expected, "finish");

	if (error.len > 0)
		return "error";
	if (json_is(finish, "guardrail_intervened"))
		return "content_filter";
	if (json_is(finish, "max_tokens"))
		return "length";
	return json_count(json_get(expected, "tool_calls")) > 0 ? "tool_calls" : "stop";
}

/* expected.json leaves out cached tokens of answers that did not stream. */
static void add_cached(struct span usage, struct model_usage *want)
{
	(void)usage;
	if (span_starts(recorded_response, "{"))
		want->cached_input =
		    json_int(json_path(recorded_response, "usage.cacheReadInputTokens"), -1);
}

/* And the texts that citations belong to. */
static void add_cited(struct buffer *text, struct buffer *thinking)
{
	struct span content = json_path(recorded_response, "output.message.content");
	struct json_walk walk = json_walk(content);
	bool cited = false;
	struct buffer whole = {0};

	(void)thinking;
	while (json_next(&walk)) {
		struct span part = json_path(walk.value, "citationsContent.content.0.text");

		cited = cited || part.at != NULL;
		json_decode(part.at != NULL ? part : json_get(walk.value, "text"), &whole);
	}
	if (cited) {
		buffer_clear(text);
		buffer_add_span(text, buffer_span(&whole));
	}
	buffer_free(&whole);
}

/* ---- streams of events ---- */

/* An event is a name and its payload; "!NAME" is an exception. */
#define EVENTS(title, want, ...) events(title, want, (const char *const[]){__VA_ARGS__, NULL})

static void put_events(struct buffer *out, const char *const *list)
{
	for (; *list != NULL; list += 2)
		if (**list == '!')
			frame(out, "exception", *list + 1, list[1]);
		else
			frame(out, "event", *list, list[1]);
}

static void events(const char *title, const char *want, const char *const *list)
{
	struct buffer bytes = {0};
	struct decoded a;

	put_events(&bytes, list);
	for (size_t step = 0; step < 2; step++) {
		decode_stream(&a, "prov", buffer_span(&bytes), step);
		same_summary(&a, want, title, step == 0 ? "" : " (byte by byte)");
	}
	buffer_free(&bytes);
}

#define TEXT(n, s)                                                                                 \
	"contentBlockDelta",                                                                       \
	    "{\"contentBlockIndex\":" #n ",\"delta\":{\"text\":\"" s "\"},\"p\":\"abcdefgh\"}"
#define THINK(n, s)                                                                                \
	"contentBlockDelta",                                                                       \
	    "{\"contentBlockIndex\":" #n ",\"delta\":{\"reasoningContent\":{\"text\":\"" s "\"}}}"
#define SIGN(n, s)                                                                                 \
	"contentBlockDelta", "{\"contentBlockIndex\":" #n                                          \
			     ",\"delta\":{\"reasoningContent\":{\"signature\":\"" s "\"}}}"
#define REDACTED(n, s)                                                                             \
	"contentBlockDelta", "{\"contentBlockIndex\":" #n                                          \
			     ",\"delta\":{\"reasoningContent\":{\"redactedContent\":\"" s "\"}}}"
#define CITE(n, s)                                                                                 \
	"contentBlockDelta", "{\"contentBlockIndex\":" #n ",\"delta\":{\"citation\":" s "}}"
#define CALL(n, id, name)                                                                          \
	"contentBlockStart",                                                                       \
	    "{\"contentBlockIndex\":" #n ",\"start\":{\"toolUse\":{\"toolUseId\":\"" id            \
	    "\",\"name\":\"" name "\"}}}"
#define ARGS(n, s)                                                                                 \
	"contentBlockDelta",                                                                       \
	    "{\"contentBlockIndex\":" #n ",\"delta\":{\"toolUse\":{\"input\":\"" s "\"}}}"
#define STOP(n)     "contentBlockStop", "{\"contentBlockIndex\":" #n "}"
#define START       "messageStart", "{\"role\":\"assistant\",\"p\":\"ab\"}"
#define END(reason) "messageStop", "{\"stopReason\":\"" reason "\"}"
#define USAGE                                                                                      \
	"metadata", "{\"usage\":{\"inputTokens\":5,\"outputTokens\":2,\"totalTokens\":7},"         \
		    "\"metrics\":{\"latencyMs\":3}}"

static void texts(void)
{
	EVENTS("quirk 61: padding in every payload, the usage behind the end",
	       "T(Hel)T(lo) stop in=5 out=2", START, TEXT(0, "Hel"), TEXT(0, "lo"), STOP(0),
	       END("end_turn"), USAGE);
	EVENTS("usage before the end", "T(a) stop in=5 out=2", USAGE, TEXT(0, "a"),
	       END("end_turn"));
	EVENTS("cached tokens are counted in", "T(a) stop in=35 out=2 cached=10 written=20",
	       TEXT(0, "a"), END("stop_sequence"), "metadata",
	       "{\"usage\":{\"inputTokens\":5,\"outputTokens\":2,\"cacheReadInputTokens\":10,"
	       "\"cacheWriteInputTokens\":20}}");
	EVENTS("no usage", "T(a) stop", TEXT(0, "a"), END("end_turn"));
	EVENTS("empty pieces say nothing", "T(a) stop", TEXT(0, ""), TEXT(0, "a"), TEXT(0, ""),
	       STOP(0), TEXT(1, ""), STOP(1), END("end_turn"));
	EVENTS("a code point in two pieces", "T(\xF0\x9F\x98\x80) stop", TEXT(0, "\\ud83d"),
	       TEXT(0, "\\ude00"), END("end_turn"));
	EVENTS("half a one at the end of a block", "T(\xEF\xBF\xBD)T(b) stop", TEXT(0, "\\ud83d"),
	       STOP(0), TEXT(1, "b"), END("end_turn"));
	EVENTS("no index", "T(a)T(b)C0(f)A0({)A0(}) tool_calls", TEXT(null, "a"), TEXT(0, "b"),
	       STOP(null), CALL(null, "t", "f"), ARGS(1, "{"), ARGS(null, "}"), STOP(1),
	       END("tool_use"));
	EVENTS("events and deltas that are not known", "T(a) stop", "newEvent", "{\"x\":1}",
	       "contentBlockDelta", "{\"contentBlockIndex\":0,\"delta\":{\"image\":{}}}",
	       TEXT(0, "a"), "contentBlockStart", "{\"contentBlockIndex\":1,\"start\":{}}", STOP(1),
	       END("end_turn"));
}

static void finishes(void)
{
	EVENTS("quirk 63: a guardrail intervened", "T(x) content_filter in=5 out=2", TEXT(0, "x"),
	       END("guardrail_intervened"), USAGE);
	EVENTS("the filter of the model", " content_filter", END("content_filtered"));
	EVENTS("the length", "T(x) length", TEXT(0, "x"), END("max_tokens"));
	EVENTS("the context's end", "T(x) length", TEXT(0, "x"),
	       END("model_context_window_exceeded"));
	EVENTS("a reason that is not known", "T(x) stop(bored)", TEXT(0, "x"), END("bored"));
	EVENTS("a malformed call",
	       " error [invalid_response, retry] prov ended its response because the model wrote "
	       "something malformed (malformed_tool_use)",
	       END("malformed_tool_use"));
	EVENTS("a call and another reason", "C0(f)A0({}) tool_calls(end_turn)", CALL(0, "a", "f"),
	       STOP(0), END("end_turn"));
}

static void calls(void)
{
	EVENTS("a call in pieces",
	       "T(so)C0(f)A0({\"n\":)A0( 12345678901234567890})C1(g)A1({}) tool_calls",
	       TEXT(0, "so"), STOP(0), CALL(1, "a", "f"), ARGS(1, ""), ARGS(1, "{\\\"n\\\":"),
	       ARGS(1, " 12345678901234567890}"), STOP(1), CALL(2, "b", "g"), STOP(2),
	       END("tool_use"));
	EVENTS("without the ends of blocks", "C0(f)A0({\"a\":1})C1(g)A1({}) tool_calls",
	       CALL(0, "a", "f"), ARGS(0, "{\\\"a\\\":1}"), CALL(1, "b", "g"), END("tool_use"));
	EVENTS("pieces of no call are left out", "T(a) stop", ARGS(0, "{}"), TEXT(1, "a"),
	       ARGS(1, "x"), END("end_turn"));
	EVENTS("a call without a name",
	       " error [invalid_response, retry] prov sent a tool call without a name",
	       CALL(0, "a", ""), END("tool_use"));
	EVENTS("a tool that the provider runs",
	       "P0(nova_grounding)A0({\"query\":\"x\"})R0E0([{\"json\":{\"n\": 1.10}},{\"text\":"
	       "\"t\"}])"
	       "T(done) stop",
	       "contentBlockStart",
	       "{\"contentBlockIndex\":0,\"start\":{\"toolUse\":{\"toolUseId\":\"s1\",\"name\":"
	       "\"nova_grounding\",\"type\":\"server_tool_use\"}}}",
	       ARGS(0, "{\\\"query\\\":\\\"x\\\"}"), STOP(0), "contentBlockStart",
	       "{\"contentBlockIndex\":1,\"start\":{\"toolResult\":{\"toolUseId\":\"s1\",\"type\":"
	       "\"nova_grounding_result\",\"status\":\"success\"}}}",
	       "contentBlockDelta",
	       "{\"contentBlockIndex\":1,\"delta\":{\"toolResult\":[{\"json\":{\"n\": 1.10}}]}}",
	       "contentBlockDelta",
	       "{\"contentBlockIndex\":1,\"delta\":{\"toolResult\":[{\"text\":\"t\"}]}}", STOP(1),
	       TEXT(2, "done"), STOP(2), END("end_turn"));
	EVENTS("a result of no call", "T(a) stop", "contentBlockStart",
	       "{\"contentBlockIndex\":1,\"start\":{\"toolResult\":{\"toolUseId\":\"s1\"}}}",
	       STOP(1), TEXT(2, "a"), END("end_turn"));
}

/* ---- what goes back ---- */

/* The deltas that carry data, with their texts. */
static void on_data(void *context, const struct model_delta *delta)
{
	static const char letters[] = "THCArepomR";

	buffer_add_format(context, "%c(%.*s)", letters[delta->type], SPAN_ARG(delta->text));
}

#define DATA(title, want, ...) data(title, want, (const char *const[]){__VA_ARGS__, NULL})

static void data(const char *title, const char *want, const char *const *list)
{
	struct buffer got = {0};
	struct model_handler handler = {.context = &got, .delta = on_data};
	struct decoded a;

	decoded_begin(&a, "prov");
	a.decoder->handler = &handler;
	for (; *list != NULL; list += 2)
		decoder_event(a.decoder, span_of(*list), span_of(list[1]));
	decoder_end(a.decoder, &a.outcome);
	unit_same(buffer_span(&got), span_of(want), title);
	decoded_free(&a);
	buffer_free(&got);
}

static void backs(void)
{
	DATA("a signature, in pieces, belongs to its block",
	     "H(hm)p({\"signature\":\"c2ln+/\"})H(ah)p({\"signature\":\"x\"})T(a)", THINK(0, "hm"),
	     SIGN(0, "c2ln"), SIGN(0, "+/"), STOP(0), THINK(1, "ah"), SIGN(1, "x"), STOP(1),
	     TEXT(2, "a"), END("end_turn"));
	DATA("a signature without its reasoning", "H()p({\"signature\":\"x\"})", SIGN(0, "x"),
	     STOP(0), END("end_turn"));
	DATA("reasoning without a signature", "H(hm)T(a)", THINK(0, "hm"), STOP(0), TEXT(1, "a"),
	     END("end_turn"));
	DATA("redacted reasoning stays where it was",
	     "o({\"redactedContent\":\"AAAB\"})o({\"redactedContent\":\"QQ==\"})o({"
	     "\"redactedContent\":"
	     "\"Qg==\"})T(a)",
	     REDACTED(0, "AA"), REDACTED(0, "AB"), STOP(0), REDACTED(1, "QQ=="),
	     REDACTED(1, "Qg=="), STOP(1), TEXT(2, "a"), END("end_turn"));
	DATA("citations belong to the text of their block",
	     "T(a )p({})T(b)T(c)p({\"citations\":[{\"title\":\"t\"},{\"n\": 1.10}]})T( d)",
	     TEXT(0, "a "), STOP(0), CITE(1, "{\"title\":\"t\"}"), TEXT(1, "b"),
	     CITE(1, "{\"n\": 1.10}"), TEXT(1, "c"), STOP(1), TEXT(2, " d"), STOP(2),
	     END("end_turn"));
	DATA("citations of nothing are left out", "T(a)", CITE(0, "{}"), STOP(0), TEXT(1, "a"),
	     END("end_turn"));
	DATA("what the provider's own tool gave",
	     "C()A({})r()e([{\"text\":\"t\"}])p({\"result\":{\"toolUseId\":\"s\",\"type\":\"w\"},"
	     "\"content\":[{\"text\":\"t\"}]})",
	     "contentBlockStart",
	     "{\"contentBlockIndex\":0,\"start\":{\"toolUse\":{\"toolUseId\":\"s\",\"name\":\"w\","
	     "\"type\":\"server_tool_use\"}}}",
	     STOP(0), "contentBlockStart",
	     "{\"contentBlockIndex\":1,\"start\":{\"toolResult\":{\"toolUseId\":\"s\",\"type\":"
	     "\"w\"}}}",
	     "contentBlockDelta",
	     "{\"contentBlockIndex\":1,\"delta\":{\"toolResult\":[{\"text\":\"t\"}]}}", STOP(1),
	     END("end_turn"));
}

/* ---- failures ---- */

static void failures(void)
{
	EVENTS("the stream breaks off",
	       "T(a) error [stream_truncated, retry] prov broke off in the middle of its response",
	       START, TEXT(0, "a"));
	EVENTS(
	    "throttled in the stream",
	    "T(a) error [rate_limit, retry] prov reported an error: Too many tokens, please wait "
	    "before trying again",
	    TEXT(0, "a"), "!throttlingException",
	    "{\"message\":\"Too many tokens, please wait before trying again.\"}");
	EVENTS("the service fails", " error [server, retry] prov reported an error: oops",
	       "!internalServerException", "{\"message\":\"oops\"}");
	EVENTS("it is too busy", " error [overloaded, retry] prov reported an error: busy",
	       "!serviceUnavailableException", "{\"message\":\"busy\"}");
	EVENTS("the model fails", " error [server, retry] prov reported an error: it fell over",
	       "!modelStreamErrorException",
	       "{\"originalStatusCode\":500,\"originalMessage\":\"it fell over\"}");
	EVENTS("the request was wrong",
	       " error [invalid_request] prov reported an error: no such thing",
	       "!validationException", "{\"message\":\"no such thing\"}");
	EVENTS("the conversation is too long",
	       " error [context] prov reported an error: Input is too long for requested model",
	       "!validationException", "{\"message\":\"Input is too long for requested model.\"}");
	EVENTS("an exception without words",
	       " error [server, retry] prov reported an error: newException", "!newException",
	       "{}");
	EVENTS("an exception that is no JSON", " error [server, retry] prov reported an error: no",
	       "!x", "no");
	EVENTS("an event that is no JSON",
	       " error [invalid_response, retry] prov sent an event that is not JSON (a value is "
	       "missing at byte 0)",
	       "messageStart", "hello");
	EVENTS("arguments of a wrong type",
	       "C0(f)A0({}) error [invalid_response, retry] prov sent a response in which "
	       "\"input\" is of "
	       "the type number instead of string or object",
	       "contentBlockStart",
	       "{\"contentBlockIndex\":0,\"start\":{\"toolUse\":{\"name\":\"f\"}}}",
	       "contentBlockDelta",
	       "{\"contentBlockIndex\":0,\"delta\":{\"toolUse\":{\"input\":7}}}", "messageStop",
	       "{\"stopReason\":\"tool_use\"}");
	EVENTS("nonsense", " stop", "messageStart", "[]", "contentBlockStart",
	       "{\"contentBlockIndex\":null,\"start\":null}", "contentBlockDelta",
	       ("{\"delta\":{\"text\":null,\"toolResult\":{}}}"), "contentBlockStop", "null",
	       "messageStop", "{\"stopReason\":{}}", "metadata", "{\"usage\":[1]}", "metadata",
	       "{\"usage\":{\"inputTokens\":\"x\"}}");
	http_error("quirk 66: {\"message\"}, and quirk 71: an unknown token as 403",
		   " error [auth] prov refused the key (HTTP 403: The security token included in "
		   "the request is invalid); check TEST_API_KEY",
		   403, "{\"message\":\"The security token included in the request is invalid.\"}");
	http_error(
	    "throttled",
	    " error [rate_limit, retry] prov answered HTTP 429: Too many tokens, please wait "
	    "before trying again",
	    429, "{\"message\":\"Too many tokens, please wait before trying again.\"}");
	http_error("the model was not in time",
		   " error [server, retry] prov answered HTTP 408: The model timed out", 408,
		   "{\"message\":\"The model timed out.\"}");
	document("a document that says what is wrong",
		 " error [server, retry] prov reported an error: no such operation",
		 "{\"Output\":{\"__type\":\"x\"},\"message\":\"no such operation\"}");
	document("a document that is none",
		 " error [invalid_response, retry] prov answered with something that is no event "
		 "stream: <html>",
		 "<html>");
	document("a document of every kind of block",
		 "H(hm)O({\"redactedContent\":\"QQ==\"})T(a)C0(f)A0({\"n\":1.10})T(c) tool_calls "
		 "in=1 out=2",
		 "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":["
		 "{\"reasoningContent\":{\"reasoningText\":{\"text\":\"hm\",\"signature\":\"s\"}}},"
		 "{\"reasoningContent\":{\"redactedContent\":\"QQ==\"}},{\"text\":\"a\"},"
		 "{\"toolUse\":{\"toolUseId\":\"t\",\"name\":\"f\",\"input\":{\"n\": 1.10}}},"
		 "{\"citationsContent\":{\"content\":[{\"text\":\"c\"}],\"citations\":[{}]}},"
		 "{\"new\":1},null]}},\"stopReason\":\"tool_use\",\"usage\":{\"inputTokens\":1,"
		 "\"outputTokens\":2}}");
}

int main(void)
{
	static const struct recording_hooks hooks = {
	    .folders = "bedrock/converse-",
	    .finish = want_finish,
	    .usage = add_cached,
	    .text = add_cited,
	};

	texts();
	finishes();
	calls();
	backs();
	failures();
	recordings_try(&hooks, 45);
	return unit_done();
}
