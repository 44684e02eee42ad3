/*
 * What Bedrock is asked: parameters, tools, attachments, and conversations in the form it takes.
 */
#include "requests.h"

#include "model/protocol/bedrock.h"

static const struct model_tool tools[] = {
    {"f", "does f", {"{ \"type\":\"object\", \"n\":1.10}", 28}},
    {"g", NULL, {"{}", 2}},
    {"h", "", {NULL, 0}},
};

#define F_TOOL                                                                                     \
	"{\"toolSpec\":{\"name\":\"f\",\"description\":\"does f\",\"inputSchema\":{\"json\":"      \
	"{ \"type\":\"object\", \"n\":1.10}}}}"
#define EMPTY  "\"inputSchema\":{\"json\":{\"type\":\"object\",\"properties\":{}}}"
#define G_TOOL "{\"toolSpec\":{\"name\":\"g\"," EMPTY "}}"
#define H_TOOL "{\"toolSpec\":{\"name\":\"h\"," EMPTY "}}"
#define GONE(n)                                                                                    \
	"{\"toolSpec\":{\"name\":\"" n "\",\"description\":\"Not available any more.\"," EMPTY "}" \
	"}"
#define HEAD      "{\"messages\":["
#define SAID      "{\"role\":\"user\",\"content\":[{\"text\":\"hi\"}]}"
#define SONNET    "bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0"
#define FIELDS(m) HEAD SAID "],\"additionalModelRequestFields\":{" m "}}"

static void parameters(void)
{
	body("a plain request", "bedrock:m", REQUEST(MESSAGES(HI)), HEAD SAID "]}");
	body("instructions and a limit", "bedrock:m",
	     REQUEST(MESSAGES(HI), .system = "Be brief.", .max_tokens = 9),
	     HEAD SAID "],\"system\":[{\"text\":\"Be brief.\"}],\"inferenceConfig\":{\"maxTokens\":"
		       "9}}");
	body("options: of the request, of inference, of the model", "bedrock:m",
	     REQUEST(MESSAGES(HI), .max_tokens = 9,
		     OPTIONS({"temperature", {"0.20", 4}}, {"maxTokens", {"7", 1}},
			     {"top_k", {"5", 1}}, {"guardrailConfig", {"{\"a\":1}", 7}},
			     {"additionalModelRequestFields", {"{\"b\":2}", 7}})),
	     HEAD SAID "],\"inferenceConfig\":{\"maxTokens\":7,\"temperature\":0.20},"
		       "\"additionalModelRequestFields\":{\"top_k\":5,\"b\":2},"
		       "\"guardrailConfig\":{\"a\":1}}");
}

static void efforts(void)
{
	body("effort: a budget", SONNET, REQUEST(MESSAGES(HI), .effort = "low"),
	     FIELDS("\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":4096}"));
	body("effort: none", SONNET, REQUEST(MESSAGES(HI), .effort = "none"),
	     FIELDS("\"thinking\":{\"type\":\"disabled\"}"));
	body("effort: Claude 4", "bedrock:us.anthropic.claude-sonnet-4-20250514-v1:0",
	     REQUEST(MESSAGES(HI), .effort = "max"),
	     FIELDS("\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":49152}"));
	body("effort: Claude 4.6", "bedrock:us.anthropic.claude-opus-4-6-v1",
	     REQUEST(MESSAGES(HI), .effort = "max"),
	     FIELDS("\"thinking\":{\"type\":\"adaptive\"},\"output_config\":{\"effort\":\"max\"}"));
	body("effort: Claude 5", "bedrock:us.anthropic.claude-sonnet-5",
	     REQUEST(MESSAGES(HI), .effort = "high"),
	     FIELDS("\"thinking\":{\"type\":\"adaptive\",\"display\":\"summarized\"},"
		    "\"output_config\":{\"effort\":\"high\"}"));
	body("effort: Nova", "bedrock:us.amazon.nova-2-lite-v1:0",
	     REQUEST(MESSAGES(HI), .effort = "medium"),
	     FIELDS("\"reasoningConfig\":{\"type\":\"enabled\",\"maxReasoningEffort\":"
		    "\"medium\"}"));
	body("effort: gpt-oss", "bedrock:openai.gpt-oss-120b-1:0",
	     REQUEST(MESSAGES(HI), .effort = "high"), FIELDS("\"reasoning_effort\":\"high\""));
	body("effort: a model that does not reason",
	     "bedrock:anthropic.claude-3-haiku-20240307-v1:0",
	     REQUEST(MESSAGES(HI), .effort = "high"),
	     "bedrock:anthropic.claude-3-haiku-20240307-v1:0 has no effort level high");
}

static void schemas(void)
{
	static const char schema[] = "{\"title\":\"a b\",\"type\":\"object\",\"properties\":{"
				     "\"n\":{\"type\":\"integer\",\"minimum\":1}}}";

	body("a schema", SONNET, REQUEST(MESSAGES(HI), .schema = SPAN(schema)),
	     HEAD SAID
	     "],\"outputConfig\":{\"textFormat\":{\"type\":\"json_schema\",\"structure\":"
	     "{\"jsonSchema\":{\"schema\":\"{\\\"title\\\":\\\"a b\\\",\\\"type\\\":\\\"object\\\","
	     "\\\"properties\\\":{\\\"n\\\":{\\\"type\\\":\\\"integer\\\",\\\"description\\\":"
	     "\\\"{minimum: 1}\\\"}},\\\"additionalProperties\\\":false}\",\"name\":\"a_b\"}}}}}");
	body(
	    "a model that takes none", "bedrock:us.amazon.nova-2-lite-v1:0",
	    REQUEST(MESSAGES(HI), .schema = SPAN("{\"type\":\"object\"}"), .system = "Be brief."),
	    HEAD SAID
	    "],\"system\":[{\"text\":\"Be brief.\\n\\nAnswer with one JSON value and nothing else: "
	    "no explanation, no code fence. It must satisfy this JSON "
	    "Schema:\\n{\\\"type\\\":\\\"object\\\"}\"}]}");
}

#define CONFIG(list) "],\"toolConfig\":{\"tools\":[" list "]"

static void lists(void)
{
	struct provider *provider = provider_open(
	    "bedrock", "https://bedrock-runtime.eu-west-1.amazonaws.com/", NULL, NULL);
	struct http_request http = {0};

	protocol_list_request(provider, &http, NULL);
	unit_same(span_of(http.url),
		  SPAN("https://bedrock.eu-west-1.amazonaws.com/foundation-models"),
		  "models are listed by another host");
	http_request_free(&http);
	provider_free(provider);
}

static void tool_choices(void)
{
	body("tools, their schemas byte for byte and never none", "bedrock:m",
	     REQUEST(MESSAGES(HI), .tools = tools, .tool_count = 3),
	     HEAD SAID CONFIG(F_TOOL "," G_TOOL "," H_TOOL) "}}");
	body("any tool", "bedrock:m",
	     REQUEST(MESSAGES(HI), .tools = tools, .tool_count = 1, .tool_choice = "required"),
	     HEAD SAID CONFIG(F_TOOL) ",\"toolChoice\":{\"any\":{}}}}");
	body("one tool", "bedrock:m",
	     REQUEST(MESSAGES(HI), .tools = tools, .tool_count = 1, .tool_choice = "f"),
	     HEAD SAID CONFIG(F_TOOL) ",\"toolChoice\":{\"tool\":{\"name\":\"f\"}}}}");
	body("auto is not said", "bedrock:m",
	     REQUEST(MESSAGES(HI), .tools = tools, .tool_count = 1, .tool_choice = "auto"),
	     HEAD SAID CONFIG(F_TOOL) "}}");
	body("one call at a time, in Claude's words", "bedrock:anthropic.claude-x",
	     REQUEST(MESSAGES(HI), .tools = tools, .tool_count = 1, .tool_choice = "f",
		     OPTIONS({"parallel_tool_calls", SPAN("false")})),
	     HEAD SAID CONFIG(F_TOOL) "},\"additionalModelRequestFields\":{\"tool_choice\":{"
				      "\"type\":\"tool\",\"name\":\"f\","
				      "\"disable_parallel_tool_use\":true}}}");
	body("which other models have no word for", "bedrock:amazon.nova-lite-v1:0",
	     REQUEST(MESSAGES(HI), .tools = tools, .tool_count = 1,
		     OPTIONS({"parallel_tool_calls", SPAN("false")})),
	     "bedrock:amazon.nova-lite-v1:0 cannot be kept from making several calls at once (-o "
	     "parallel_tool_calls=false)");
	body("no call is forced on a model that thinks within a budget",
	     "bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0",
	     REQUEST(MESSAGES(HI), .tools = tools, .tool_count = 1, .tool_choice = "required",
		     .effort = "low"),
	     "bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0 cannot be made to call a tool "
	     "with this --effort (--tool-choice required)");
	body("a parameter that newer models refuse", "bedrock:us.anthropic.claude-opus-4-8",
	     REQUEST(MESSAGES(HI), OPTIONS({"temperature", SPAN("1")})),
	     "bedrock:us.anthropic.claude-opus-4-8 does not accept the parameter temperature (-o "
	     "temperature)");
	body("none offers none", "bedrock:m",
	     REQUEST(MESSAGES(HI), .tools = tools, .tool_count = 1, .tool_choice = "none"),
	     HEAD SAID "]}");
}

/* ---- conversations ---- */

#define TEXT(s) "{\"type\":\"text\",\"text\":\"" s "\"}"
#define USER(s) SPAN("{\"role\":\"user\",\"content\":[" s "]}")
#define MODEL(s)                                                                                   \
	SPAN("{\"role\":\"assistant\",\"content\":[" s                                             \
	     "],\"provider\":\"bedrock\",\"model\":\"m\"}")
#define ELDER(s)                                                                                   \
	SPAN("{\"role\":\"assistant\",\"content\":[" s                                             \
	     "],\"provider\":\"bedrock\",\"model\":\"n\"}")
#define OTHER(s)                                                                                   \
	SPAN("{\"role\":\"assistant\",\"content\":[" s "],\"provider\":\"openai\",\"model\":"      \
	     "\"m\"}")
#define TOOL(s) SPAN("{\"role\":\"tool\",\"content\":[" s "]}")
#define THOUGHT                                                                                    \
	"{\"type\":\"thinking\",\"text\":\"hm\",\"provider_data\":{\"signature\":\"c2ln/+\"}}"
#define UNSIGNED "{\"type\":\"thinking\",\"text\":\"ah\"}"
#define OPAQUE   "{\"type\":\"opaque\",\"provider_data\":{\"redactedContent\":\"QQ==\"}}"
#define A_CALL                                                                                     \
	"{\"type\":\"tool_call\",\"tool_call_id\":\"call_a\",\"tool_name\":\"f\",\"args\":{\"n\":" \
	" 1.10}}"
#define ODD_CALL                                                                                   \
	"{\"type\":\"tool_call\",\"tool_call_id\":\"fc:1|x\",\"tool_name\":\"g\",\"args\":{},"     \
	"\"invalid_args\":\"{a\"}"
#define WEB_CALL                                                                                   \
	"{\"type\":\"tool_call\",\"tool_call_id\":\"s1\",\"tool_name\":\"web\",\"args\":{\"q\":1}" \
	","                                                                                        \
	"\"executed_by\":\"provider\",\"result\":\"[]\",\"is_error\":false,\"provider_data\":{"    \
	"\"result\":{\"toolUseId\":\"s1\",\"type\":\"web_result\"},\"content\":[{\"json\":{}}]}}"
#define RESULT(id, text, error)                                                                    \
	"{\"type\":\"tool_result\",\"tool_call_id\":\"" id                                         \
	"\",\"tool_name\":\"f\",\"result\":\"" text "\",\"is_error\":" error "}"
#define BACK(id, text)                                                                             \
	"{\"toolResult\":{\"toolUseId\":\"" id "\",\"content\":[{\"text\":\"" text "\"}]}}"
#define A_USE  "{\"toolUse\":{\"toolUseId\":\"call_a\",\"name\":\"f\",\"input\":{\"n\": 1.10}}}"
#define ODD_ID "fc:1|x"
#define ODD_USE                                                                                    \
	"{\"toolUse\":{\"toolUseId\":\"" ODD_ID                                                    \
	"\",\"name\":\"g\",\"input\":{\"INVALID_JSON\":\"{a\"}}}"
#define ROLE(role, s) "{\"role\":\"" role "\",\"content\":[" s "]}"

static void loops(void)
{
	body("a tool loop: signatures and order kept, results in one message, its own ids",
	     "bedrock:m",
	     REQUEST(
		 MESSAGES(HI, MODEL(THOUGHT "," OPAQUE "," TEXT("so") "," A_CALL "," ODD_CALL),
			  TOOL(RESULT("call_a", "one", "false") "," RESULT("fc:1|x", "no", "true")),
			  HI),
		 .tools = tools, .tool_count = 1),
	     HEAD SAID
	     "," ROLE("assistant",
		      "{\"reasoningContent\":{\"reasoningText\":{\"text\":\"hm\",\"signature\":"
		      "\"c2ln/+\"}}},{\"reasoningContent\":{\"redactedContent\":\"QQ==\"}},"
		      "{\"text\":\"so\"}," A_USE
		      "," ODD_USE) "," ROLE("user",
					    BACK("call_a", "one") "," BACK(
						ODD_ID, "Error: no") ","
								     "{\"text\":\"hi\"}")
		 CONFIG(F_TOOL) "}}");
	body("a flag for errors where the model takes one", SONNET,
	     REQUEST(MESSAGES(HI, OTHER(A_CALL), TOOL(RESULT("call_a", "no", "true"))),
		     .tools = tools, .tool_count = 1),
	     HEAD SAID "," ROLE("assistant", A_USE) "," ROLE(
		 "user", "{\"toolResult\":{\"toolUseId\":\"call_a\",\"content\":[{\"text\":"
			 "\"Error: no\"}],\"status\":\"error\"}}") CONFIG(F_TOOL) "}}");
	body("calls of tools that are not offered: they are named all the same", "bedrock:m",
	     REQUEST(MESSAGES(HI, MODEL(A_CALL "," A_CALL "," ODD_CALL),
			      TOOL(RESULT("call_a", " ", "false")))),
	     HEAD SAID "," ROLE("assistant", A_USE "," A_USE "," ODD_USE) "," ROLE(
		 "user",
		 BACK("call_a", "(no output)") "," BACK(
		     "call_a",
		     "Error: the call was interrupted, "
		     "there is no result.") "," BACK(ODD_ID, "Error: the call was interrupted, "
							     "there is no result."))
		 CONFIG(GONE("f") "," GONE("g")) "}}");
	body("a result without its call", "bedrock:m",
	     REQUEST(MESSAGES(HI, MODEL(TEXT("a")), TOOL(RESULT("call_a", "one", "false")))),
	     HEAD SAID "," ROLE("assistant", "{\"text\":\"a\"}") "," ROLE(
		 "user", "{\"text\":\"Result of f:\\none\"}") "]}");
}

static void others(void)
{
	body("what the provider's own tool gave goes back", "bedrock:m",
	     REQUEST(MESSAGES(HI, MODEL(WEB_CALL "," TEXT("a")), HI)),
	     HEAD SAID "," ROLE(
		 "assistant",
		 "{\"toolUse\":{\"toolUseId\":\"s1\",\"name\":\"web\",\"input\":{\"q\":1},"
		 "\"type\":\"server_tool_use\"}},{\"toolResult\":{\"toolUseId\":\"s1\",\"type\":"
		 "\"web_result\",\"content\":[{\"json\":{}}]}},{\"text\":\"a\"}") "," SAID "]}");
	body("citations go back with their text", "bedrock:m",
	     REQUEST(MESSAGES(HI,
			      MODEL("{\"type\":\"text\",\"text\":\"a\",\"provider_data\":{"
				    "\"citations\":[{\"n\":1.10}]}}," TEXT(" b")),
			      HI)),
	     HEAD SAID "," ROLE(
		 "assistant",
		 "{\"citationsContent\":{\"content\":[{\"text\":\"a\"}],\"citations\":[{\"n\":1.10}"
		 "]}},{\"text\":\" b\"}") "," SAID "]}");
	body("reasoning without a signature does not", "bedrock:m",
	     REQUEST(MESSAGES(HI, MODEL(UNSIGNED "," TEXT("a")), HI)),
	     HEAD SAID "," ROLE("assistant", "{\"text\":\"a\"}") "," SAID "]}");
	body("another model's signature does not, nor its own tools", "bedrock:m",
	     REQUEST(MESSAGES(HI, ELDER(THOUGHT "," OPAQUE "," WEB_CALL "," TEXT("a")), HI)),
	     HEAD SAID "," ROLE("assistant", "{\"text\":\"a\"}") "," SAID "]}");
	body("another provider's neither", "bedrock:m",
	     REQUEST(MESSAGES(HI, OTHER(THOUGHT "," OPAQUE "," WEB_CALL "," TEXT("a")), HI)),
	     HEAD SAID "," ROLE("assistant", "{\"text\":\"a\"}") "," SAID "]}");
	body("blank texts are left out, and messages of nothing; neighbours are one", "bedrock:m",
	     REQUEST(MESSAGES(HI, MODEL(TEXT(" \\n")), HI, MODEL(TEXT("a")), MODEL(TEXT("b")), HI)),
	     HEAD ROLE("user", "{\"text\":\"hi\"},{\"text\":\"hi\"}") "," ROLE(
		 "assistant", "{\"text\":\"a\"},{\"text\":\"b\"}") "," SAID "]}");
	body("a refusal is said as text", "bedrock:m",
	     REQUEST(MESSAGES(HI, OTHER("{\"type\":\"refusal\",\"text\":\"no\"}"), HI)),
	     HEAD SAID "," ROLE("assistant", "{\"text\":\"no\"}") "," SAID "]}");
}

#define ATTACHED(type, media, name)                                                                \
	"{\"type\":\"" type "\",\"media_type\":\"" media "\",\"name\":\"" name                     \
	"\",\"data\":\"QUJD\"}"

static void attachments(void)
{
	body("an image and two documents", "bedrock:m",
	     REQUEST(MESSAGES(USER(ATTACHED("image", "image/jpeg", "a.jpg") "," ATTACHED(
		 "file", "application/pdf", "my  file_1.pdf") "," ATTACHED("file", "text/csv",
									   "") "," TEXT("hi")))),
	     HEAD ROLE("user",
		       "{\"image\":{\"format\":\"jpeg\",\"source\":{\"bytes\":\"QUJD\"}}},"
		       "{\"document\":{\"format\":\"pdf\",\"name\":\"my file-1-pdf\",\"source\":"
		       "{\"bytes\":\"QUJD\"}}},{\"document\":{\"format\":\"csv\",\"name\":"
		       "\"document-2\",\"source\":{\"bytes\":\"QUJD\"}}},{\"text\":\"hi\"}") "]}");
	body("a kind of image that it does not take", "bedrock:m",
	     REQUEST(MESSAGES(USER(ATTACHED("image", "image/tiff", "a")))),
	     "bedrock:m does not accept a message part of type image (image/tiff)");
	body("a kind of file", "bedrock:m",
	     REQUEST(MESSAGES(USER(ATTACHED("file", "video/mp4", "a")))),
	     "bedrock:m does not accept a message part of type file (video/mp4)");
}

static void url(const char *model, const char *want)
{
	struct provider *provider = provider_open("bedrock", "http://h/", NULL, NULL);
	struct model_request request = REQUEST(MESSAGES(HI));
	struct http_request http = {0};

	protocol_request(provider, model, &request, &http, NULL);
	unit_same(span_of(http.url), span_of(want), model);
	http_request_free(&http);
	provider_free(provider);
}

int main(void)
{
	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	setenv("AWS_BEARER_TOKEN_BEDROCK", "key", 1);
	parameters();
	efforts();
	schemas();
	lists();
	tool_choices();
	loops();
	others();
	attachments();
	url("anthropic.claude-3-haiku-20240307-v1:0",
	    "http://h/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse-stream");
	url("arn:aws:bedrock:us-east-1:1:application-inference-profile/x",
	    "http://h/model/"
	    "arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aapplication-inference-profile%2Fx/"
	    "converse-stream");
	return unit_done();
}
