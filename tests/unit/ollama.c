/*
 * Ollama's own protocol: its decoder on recordings and on what else servers of any version send,
 * and the requests it is asked with.
 */
#define _GNU_SOURCE
#define PROTOCOL protocol_ollama
#include "recordings.h"
#include "requests.h"

#define LINE(message)    "{\"model\":\"m\",\"message\":{" message "},\"done\":false}\n"
#define SAY(text)        LINE("\"role\":\"assistant\",\"content\":\"" text "\"")
#define THINK(text)      LINE("\"role\":\"assistant\",\"content\":\"\",\"thinking\":\"" text "\"")
#define CALLS(list)      LINE("\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[" list "]")
#define CALL(name, args) "{\"function\":{\"name\":\"" name "\",\"arguments\":" args "}}"
#define END(reason)                                                                                \
	"{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,"    \
	"\"done_reason\":\"" reason "\",\"prompt_eval_count\":5,\"eval_count\":2}\n"

static const char *want_finish(struct span expected, struct span error)
{
	if (error.len > 0)
		return "error";
	return json_count(json_get(expected, "tool_calls")) > 0 ? "tool_calls" : "stop";
}

/* ---- answers ---- */

static void answers(void)
{
	stream("text in pieces", SAY("Hel") SAY("lo") END("stop"), "T(Hel)T(lo) stop in=5 out=2");
	stream("reasoning, then text", THINK("hm") SAY("a") END("stop"),
	       "H(hm)T(a) stop in=5 out=2");
	stream("reasoning in tags", SAY("<thi") SAY("nk>hm</think>") SAY("a") END("stop"),
	       "H(hm)T(a) stop in=5 out=2");
	stream("quirk 65: stop after a call, arguments an object, no id",
	       CALLS(CALL("f", "{\"n\":12345678901234567890, \"x\":1.10}")) END("stop"),
	       "C0(f)A0({\"n\":12345678901234567890,\"x\":1.10}) tool_calls in=5 out=2");
	stream("two calls at once and a third later",
	       CALLS(CALL("f", "{}") "," CALL("g", "{\"a\":[]}")) CALLS(CALL("f", "{\"b\":1}"))
		   END("stop"),
	       "C0(f)A0({})C1(g)A1({\"a\":[]})C2(f)A2({\"b\":1}) tool_calls in=5 out=2");
	stream("a call without arguments, and with none",
	       CALLS("{\"function\":{\"name\":\"f\"}}," CALL("f", "null")) END("stop"),
	       "C0(f)A0({})C1(f)A1({}) tool_calls in=5 out=2");
	stream("arguments as text", CALLS(CALL("f", "\"{\\\"a\\\":1}\"")) END("stop"),
	       "C0(f)A0({\"a\":1}) tool_calls in=5 out=2");
	stream("the calls in the last line",
	       "{\"message\":{\"content\":\"x\",\"tool_calls\":[" CALL("f", "{}") "]},\"done\":"
										  "true}\n",
	       "T(x)C0(f)A0({}) tool_calls");
	stream("the length", SAY("a") END("length"), "T(a) length in=5 out=2");
	stream("CRLF, blank lines, no line end at last",
	       "\r\n" SAY("a") "\r\n\n{\"message\":{\"content\":\"b\"},\"done\":true}",
	       "T(a)T(b) stop");
	stream("no counts when they are not said", "{\"done\":true}\n", " stop");
	stream("an empty reason, as a model that was only loaded gives", END("load"),
	       " stop(load) in=5 out=2");
	stream("quirk 17: half a surrogate pair", SAY("\\ud83d") SAY("\\ude00") END("stop"),
	       "T(\xF0\x9F\x98\x80) stop in=5 out=2");
	stream("half a pair at the end", SAY("a\\ud83d") END("stop"),
	       "T(a)T(\xEF\xBF\xBD) stop in=5 out=2");
	stream("invalid UTF-8", SAY("a\xFF") END("stop"), "T(a\xEF\xBF\xBD) stop in=5 out=2");
	stream("what comes behind the end is not read", END("stop") SAY("a") "junk\n",
	       " stop in=5 out=2");
}

static void ids(void)
{
	static const char text[] = CALLS(
	    "{\"id\":\"call_x\",\"function\":{\"index\":0,\"name\":\"f\",\"arguments\":{}}}," CALL(
		"f", "{}")) END("stop");
	struct decoded a;

	decode_stream(&a, "prov", SPAN(text), 0);
	unit_same(buffer_span(&a.calls[0].id), SPAN("call_x"), "the id of a call");
	unit_same(buffer_span(&a.calls[1].id), SPAN(""), "a call without an id has none");
	unit_same(span_of(a.outcome.model), SPAN("m"), "the model's name");
	decoded_free(&a);
}

static void failures(void)
{
	stream("quirk 66: an error in the stream is a string",
	       SAY("a") "{\"error\":\"an error was encountered while running the model\"}\n",
	       "T(a) error [server, retry] prov reported an error: an error was encountered while "
	       "running the model");
	stream("the stream breaks off", SAY("a"),
	       "T(a) error [stream_truncated, retry] prov broke off in the middle of its response");
	stream("in the middle of a line", SAY("a") "{\"model\":\"m\",\"mess",
	       "T(a) error [stream_truncated, retry] prov broke off in the middle of its response");
	stream("half a line, then more", "{\"model\":\n" END("stop"),
	       " error [invalid_response, retry] prov sent half a line in the middle of its "
	       "response");
	stream("a line that is not JSON", "<html>\n",
	       " error [invalid_response, retry] prov sent a line that is not JSON (a value is "
	       "missing at byte 0)");
	stream("a line that is no object", "1\n",
	       " error [invalid_response, retry] prov sent a line that is no object");
	stream("a call without a name", CALLS(CALL("", "{}")) END("stop"),
	       " error [invalid_response, retry] prov sent a tool call without a name");
	stream("nonsense",
	       "{\"model\":1,\"message\":{},\"done\":\"no\",\"eval_count\":\"x\"}\n"
	       "{\"message\":{\"content\":null,\"tool_calls\":null},\"done\":1}\n"
	       "{\"error\":null,\"message\":null,\"done\":true,\"done_reason\":null}\n",
	       " stop");
	http_error("a model that was not pulled",
		   " error [not_found] prov answered HTTP 404: model 'x' not found", 404,
		   "{\"error\":\"model 'x' not found\"}");
	http_error("a cloud model without signing in",
		   " error [auth] prov refused the key (HTTP 401: unauthorized); check "
		   "TEST_API_KEY",
		   401, "{\"error\":\"unauthorized\",\"signin_url\":\"https://ollama.com/x\"}");
	http_error("a server with too much to do",
		   " error [overloaded, retry] prov answered HTTP 503: server busy, please try "
		   "again",
		   503, "{\"error\":\"server busy, please try again.\"}");
}

/* ---- requests ---- */

static const struct model_tool tools[] = {
    {"f", "does f", {"{ \"type\":\"object\", \"n\":1.10}", 28}},
    {"g", NULL, {"{}", 2}},
};

#define F_TOOL                                                                                     \
	"{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"does f\","          \
	"\"parameters\":{ \"type\":\"object\", \"n\":1.10}}}"
#define G_TOOL "{\"type\":\"function\",\"function\":{\"name\":\"g\",\"parameters\":{}}}"
#define INSTRUCTION                                                                                \
	"Answer with one JSON value and nothing else: no explanation, no code fence. It must "     \
	"satisfy this JSON Schema:\\n"
#define HEAD     "{\"model\":\"m\",\"stream\":true,\"messages\":["
#define SAID     "{\"role\":\"user\",\"content\":\"hi\"}"
#define TEXT(s)  "{\"type\":\"text\",\"text\":\"" s "\"}"
#define USER(s)  SPAN("{\"role\":\"user\",\"content\":[" s "]}")
#define MODEL(s) SPAN("{\"role\":\"assistant\",\"content\":[" s "],\"provider\":\"ollama\"}")
#define OTHER(s) SPAN("{\"role\":\"assistant\",\"content\":[" s "],\"provider\":\"openai\"}")
#define TOOL(s)  SPAN("{\"role\":\"tool\",\"content\":[" s "]}")
#define THOUGHT  "{\"type\":\"thinking\",\"text\":\"hm\"}"
#define PICTURE                                                                                    \
	"{\"type\":\"image\",\"media_type\":\"image/"                                              \
	"png\",\"data\":\"iVBO\",\"name\":\"a.png\"}"
#define A_CALL                                                                                     \
	"{\"type\":\"tool_call\",\"tool_call_id\":\"call_1_1\",\"provider_id\":\"\","              \
	"\"tool_name\":\"f\",\"args\":{\"n\": 1.10}}"
#define B_CALL                                                                                     \
	"{\"type\":\"tool_call\",\"tool_call_id\":\"call_b\",\"tool_name\":\"g\",\"args\":{},"     \
	"\"invalid_args\":\"{a\"}"
#define RESULT(id, name, text, error)                                                              \
	"{\"type\":\"tool_result\",\"tool_call_id\":\"" id "\",\"tool_name\":\"" name              \
	"\",\"result\":\"" text "\",\"is_error\":" error "}"

static void parameters(void)
{
	body("a plain request", "ollama:m", REQUEST(MESSAGES(HI)), HEAD SAID "]}");
	body("instructions and a limit", "ollama:m",
	     REQUEST(MESSAGES(HI), .system = "Be \"brief\".", .max_tokens = 9),
	     HEAD "{\"role\":\"system\",\"content\":\"Be \\\"brief\\\".\"}," SAID
		  "],\"options\":{\"num_predict\":9}}");
	body("options: the model's and the request's", "ollama:m",
	     REQUEST(MESSAGES(HI), .max_tokens = 9,
		     OPTIONS({"num_ctx", {"32768", 5}}, {"keep_alive", {"\"5m\"", 4}},
			     {"temperature", {"0.20", 4}}, {"truncate", {"false", 5}},
			     {"options", {"{\"seed\":1}", 10}}, {"num_predict", {"7", 1}})),
	     HEAD SAID "],\"options\":{\"num_predict\":7,\"num_ctx\":32768,\"temperature\":0.20,"
		       "\"seed\":1},\"keep_alive\":\"5m\",\"truncate\":false}");
	body("reasoning on", "ollama:m", REQUEST(MESSAGES(HI), .effort = "high"),
	     HEAD SAID "],\"think\":true}");
	body("reasoning off", "ollama:m", REQUEST(MESSAGES(HI), .effort = "none"),
	     HEAD SAID "],\"think\":false}");
	body("reasoning by levels", "ollama:gpt-oss:20b", REQUEST(MESSAGES(HI), .effort = "low"),
	     "{\"model\":\"gpt-oss:20b\",\"stream\":true,\"messages\":[" SAID
	     "],\"think\":\"low\"}");
	body("which cannot be switched off", "ollama:gpt-oss:20b",
	     REQUEST(MESSAGES(HI), .effort = "none"),
	     "ollama:gpt-oss:20b has no effort level none");
	body("tools, their schemas byte for byte", "ollama:m",
	     REQUEST(MESSAGES(HI), .tools = tools, .tool_count = 2),
	     HEAD SAID "],\"tools\":[" F_TOOL "," G_TOOL "]}");
	body("a named tool is the only one", "ollama:m",
	     REQUEST(MESSAGES(HI), .tools = tools, .tool_count = 2, .tool_choice = "g"),
	     HEAD SAID "],\"tools\":[" G_TOOL "]}");
	body("none offers none", "ollama:m",
	     REQUEST(MESSAGES(HI), .tools = tools, .tool_count = 2, .tool_choice = "none"),
	     HEAD SAID "]}");
	body("no call can be forced", "ollama:m",
	     REQUEST(MESSAGES(HI), .tools = tools, .tool_count = 2, .tool_choice = "required"),
	     "ollama:m cannot be made to call a tool (--tool-choice required)");
	body("nor one call at a time be asked for", "ollama:m",
	     REQUEST(MESSAGES(HI), OPTIONS({"parallel_tool_calls", SPAN("false")})),
	     "ollama:m cannot be kept from making several calls at once (-o "
	     "parallel_tool_calls=false)");
	body("a schema is the format, and the instructions say so", "ollama:m",
	     REQUEST(MESSAGES(HI), .schema = SPAN("{\"type\":\"object\"}")),
	     HEAD "{\"role\":\"system\",\"content\":\"" INSTRUCTION
		  "{\\\"type\\\":\\\"object\\\"}\"}," SAID "],\"format\":{\"type\":\"object\"}}");
	body("with tools it is only in the instructions", "ollama:m",
	     REQUEST(MESSAGES(HI), .schema = SPAN("{\"type\":\"object\"}"), .tools = tools + 1,
		     .tool_count = 1),
	     HEAD "{\"role\":\"system\",\"content\":\"" INSTRUCTION
		  "{\\\"type\\\":\\\"object\\\"}\"}," SAID "],\"tools\":[" G_TOOL "]}");
}

static void conversations(void)
{
	body(
	    "images stand beside the text", "ollama:m",
	    REQUEST(MESSAGES(USER(PICTURE "," TEXT("what?")), USER(PICTURE "," TEXT("and?")))),
	    HEAD
	    "{\"role\":\"user\",\"content\":\"what?\\n\\nand?\",\"images\":[\"iVBO\",\"iVBO\"]}]}");
	body("a document cannot be sent", "ollama:m",
	     REQUEST(MESSAGES(USER("{\"type\":\"file\",\"data\":\"ZGQ=\"}"))),
	     "ollama:m does not accept a message part of type file");
	body("a tool loop: results by name, ids where the server gave them, errors in words",
	     "ollama:m",
	     REQUEST(MESSAGES(HI, MODEL(THOUGHT "," TEXT("so") "," A_CALL "," B_CALL),
			      TOOL(RESULT("call_1_1", "f", "one",
					  "false") "," RESULT("call_b", "g", "no", "true")))),
	     HEAD SAID
	     ",{\"role\":\"assistant\",\"content\":\"so\",\"thinking\":\"hm\",\"tool_calls\":["
	     "{\"function\":{\"index\":0,\"name\":\"f\",\"arguments\":{\"n\": 1.10}}},"
	     "{\"id\":\"call_b\",\"function\":{\"index\":1,\"name\":\"g\",\"arguments\":"
	     "{\"INVALID_JSON\":\"{a\"}}}]},"
	     "{\"role\":\"tool\",\"content\":\"one\",\"tool_name\":\"f\"},"
	     "{\"role\":\"tool\",\"content\":\"Error: no\",\"tool_name\":\"g\","
	     "\"tool_call_id\":\"call_b\"}]}");
	body("reasoning of loops that are over stays here", "ollama:m",
	     REQUEST(MESSAGES(HI, MODEL(THOUGHT "," TEXT("so")), HI)),
	     HEAD SAID ",{\"role\":\"assistant\",\"content\":\"so\"}," SAID "]}");
	body("and so does that of others, with what they ran themselves", "ollama:m",
	     REQUEST(MESSAGES(
		 HI,
		 OTHER(THOUGHT ",{\"type\":\"opaque\",\"provider_data\":{}},{\"type\":\"tool_"
			       "call\",\"tool_call_id\":\"s\",\"tool_name\":\"web\",\"args\":{},"
			       "\"executed_by\":\"provider\",\"result\":\"\",\"is_error\":"
			       "false}," B_CALL),
		 TOOL(RESULT("call_b", "g", "x", "false")))),
	     HEAD SAID
	     ",{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"id\":\"call_b\","
	     "\"function\":{\"index\":0,\"name\":\"g\",\"arguments\":{\"INVALID_JSON\":\"{a\"}}}]},"
	     "{\"role\":\"tool\",\"content\":\"x\",\"tool_name\":\"g\",\"tool_call_id\":\"call_b\"}"
	     "]}");
	body("an answer that says nothing is left out", "ollama:m",
	     REQUEST(MESSAGES(HI, MODEL(THOUGHT), HI)),
	     HEAD "{\"role\":\"user\",\"content\":\"hi\\n\\nhi\"}]}");
}

static void url(const char *base_url, const char *want)
{
	struct provider *provider = provider_open("ollama", base_url, NULL, NULL);
	struct http_request http = {0};
	struct model_request request = REQUEST(MESSAGES(HI));

	protocol_request(provider, "m", &request, &http, NULL);
	unit_same(span_of(http.url), span_of(want), base_url);
	http_request_free(&http);
	provider_free(provider);
}

static void urls(void)
{
	url("http://h:1", "http://h:1/api/chat");
	url("http://h:1/", "http://h:1/api/chat");
	url("http://h:1/sub/v1", "http://h:1/sub/api/chat");
	url("http://h:1/api/chat", "http://h:1/api/chat");
}

static void lists(void)
{
	struct buffer out = {0};

	protocol_list_read(
	    &protocol_ollama,
	    SPAN("{\"models\":[{\"name\":\"a:1b\",\"model\":\"a:1b\",\"size\":1},{\"name\":\"b\"},"
		 "{\"size\":2},7]}"),
	    &out);
	unit_same(buffer_span(&out), SPAN("a:1b\t\t\nb\t\t\n"), "the list of models");
	buffer_clear(&out);
	protocol_list_read(&protocol_ollama, SPAN("[]"), &out);
	unit_same(buffer_span(&out), SPAN(""), "no list");
	buffer_free(&out);
}

int main(void)
{
	static const struct recording_hooks hooks = {.folders = "/api-", .finish = want_finish};

	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	answers();
	ids();
	failures();
	parameters();
	conversations();
	urls();
	lists();
	recordings_try(&hooks, 3);
	return unit_done();
}
