/*
 * What anthropic sends: parameters, tools, schemas, the conversation.
 */
#include "requests.h"

#include "model/answer_tool.h"
#include "model/provider.h"

#define MODEL              "anthropic:claude-sonnet-5-5"
#define OLD                "anthropic:claude-sonnet-4-20250514"
#define HEAD               "{\"model\":\"claude-sonnet-5-5\",\"max_tokens\":128000,\"stream\":true,"
#define OLD_HEAD           "{\"model\":\"claude-sonnet-4-20250514\",\"max_tokens\":64000,\"stream\":true,"
#define USER(blocks)       "{\"role\":\"user\",\"content\":[" blocks "]}"
#define MODEL_SAYS(blocks) "{\"role\":\"assistant\",\"content\":[" blocks "]}"
#define TEXT(text)         "{\"type\":\"text\",\"text\":\"" text "\"}"
#define SENT_HI            "\"messages\":[" USER(TEXT("hi")) "]"

/* Neutral messages. */
#define SAYS_OF(provider, model, parts)                                                            \
	SPAN("{\"role\":\"assistant\",\"content\":[" parts "],\"provider\":\"" provider            \
	     "\",\"model\":\"" model "\"}")
#define SAYS(parts)    SAYS_OF("anthropic", "claude-sonnet-5-5", parts)
#define ASKS(parts)    SPAN(USER(parts))
#define RESULTS(parts) SPAN("{\"role\":\"tool\",\"content\":[" parts "]}")
#define CALL(id, more)                                                                             \
	"{\"type\":\"tool_call\",\"tool_call_id\":\"" id "\",\"tool_name\":\"f\"," more "}"
#define RESULT(id, more)                                                                           \
	"{\"type\":\"tool_result\",\"tool_call_id\":\"" id "\",\"tool_name\":\"f\"," more "}"

/* What it is on the wire. */
#define USE(id, more)  "{\"type\":\"tool_use\",\"id\":\"" id "\",\"name\":\"f\",\"input\":" more "}"
#define GAVE(id, more) "{\"type\":\"tool_result\",\"tool_use_id\":\"" id "\"" more "}"

#define F_SCHEMA "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"number\"}}}"

static const struct model_tool tool = {"f", "Does f.", {F_SCHEMA, sizeof(F_SCHEMA) - 1}};

#define TOOL                                                                                       \
	"{\"name\":\"f\",\"description\":\"Does f.\",\"input_schema\":{\"type\":\"object\","       \
	"\"properties\":{\"n\":{\"type\":\"number\"}}}}"
#define SENT_TOOLS ",\"tools\":[" TOOL "]"

/* ---- parameters ---- */

static void parameters(void)
{
	body("the least", MODEL, REQUEST(MESSAGES(HI)), HEAD SENT_HI "}");
	body("instructions, and what the user sets", MODEL,
	     REQUEST(MESSAGES(HI), .system = "Be \"terse\".", .max_tokens = 100,
		     OPTIONS({"stop_sequences", SPAN("[\"x\"]")}, {"stream", SPAN("false")})),
	     "{\"model\":\"claude-sonnet-5-5\",\"max_tokens\":100,\"stream\":false,\"system\":"
	     "\"Be \\\"terse\\\".\"," SENT_HI ",\"stop_sequences\":[\"x\"]}");
	body("system messages are instructions", MODEL,
	     REQUEST(MESSAGES(SPAN("{\"role\":\"system\",\"content\":\"Be kind.\"}"), HI),
		     .system = "Be terse."),
	     HEAD "\"system\":\"Be terse.\\n\\nBe kind.\"," SENT_HI "}");
	body("the limit of Claude 3", "anthropic:claude-3-haiku-20240307", REQUEST(MESSAGES(HI)),
	     "{\"model\":\"claude-3-haiku-20240307\",\"max_tokens\":4096,\"stream\":true," SENT_HI
	     "}");
	body("the limit of Opus 4.1", "anthropic:claude-opus-4-1-20250805", REQUEST(MESSAGES(HI)),
	     "{\"model\":\"claude-opus-4-1-20250805\",\"max_tokens\":32000,\"stream\":true," SENT_HI
	     "}");
	body(
	    "the limit of Haiku 4.5", "anthropic:claude-haiku-4-5-20251001", REQUEST(MESSAGES(HI)),
	    "{\"model\":\"claude-haiku-4-5-20251001\",\"max_tokens\":64000,\"stream\":true," SENT_HI
	    "}");
	body("the limit of a model that is not known", "anthropic:glm-5", REQUEST(MESSAGES(HI)),
	     "{\"model\":\"glm-5\",\"max_tokens\":32000,\"stream\":true," SENT_HI "}");
	body("a parameter that the model refuses", MODEL,
	     REQUEST(MESSAGES(HI), OPTIONS({"temperature", SPAN("0.5")})),
	     "anthropic:claude-sonnet-5-5 does not accept the parameter temperature (-o "
	     "temperature)");
	body("and one that an older one takes", OLD,
	     REQUEST(MESSAGES(HI), OPTIONS({"temperature", SPAN("0.5")})),
	     OLD_HEAD SENT_HI ",\"temperature\":0.5}");
	body("betas are a header, not a member", MODEL,
	     REQUEST(MESSAGES(HI), OPTIONS({"betas", SPAN("[\"a-1\",\"b-2\"]")})),
	     HEAD SENT_HI "}");
}

static void effort(void)
{
	body("effort of a model that thinks as it sees fit", MODEL,
	     REQUEST(MESSAGES(HI), .effort = "max"),
	     HEAD SENT_HI ",\"thinking\":{\"type\":\"adaptive\",\"display\":\"summarized\"},"
			  "\"output_config\":{\"effort\":\"max\"}}");
	body("effort of Opus 4.6", "anthropic:claude-opus-4-6",
	     REQUEST(MESSAGES(HI), .effort = "low"),
	     "{\"model\":\"claude-opus-4-6\",\"max_tokens\":128000,\"stream\":true," SENT_HI
	     ",\"thinking\":{\"type\":\"adaptive\"},\"output_config\":{\"effort\":\"low\"}}");
	body("effort none", MODEL, REQUEST(MESSAGES(HI), .effort = "none"),
	     HEAD SENT_HI ",\"thinking\":{\"type\":\"disabled\"}}");
	body("effort as a budget", OLD, REQUEST(MESSAGES(HI), .effort = "high"),
	     OLD_HEAD SENT_HI ",\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":24576}}");
	body("a budget leaves room for the answer", OLD,
	     REQUEST(MESSAGES(HI), .effort = "high", .max_tokens = 10000),
	     "{\"model\":\"claude-sonnet-4-20250514\",\"max_tokens\":10000,\"stream\":true," SENT_HI
	     ",\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":5000}}");
	body("and is never less than the API takes", OLD,
	     REQUEST(MESSAGES(HI), .effort = "low", .max_tokens = 1500),
	     "{\"model\":\"claude-sonnet-4-20250514\",\"max_tokens\":1500,\"stream\":true," SENT_HI
	     ",\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":1024}}");
	body("no room to think", OLD, REQUEST(MESSAGES(HI), .effort = "low", .max_tokens = 1024),
	     "anthropic:claude-sonnet-4-20250514 cannot think within 1024 tokens; --max-tokens "
	     "must be above 1024");
	body("a budget of the user's own stays", OLD,
	     REQUEST(MESSAGES(HI), OPTIONS({"thinking", SPAN("{\"type\":\"enabled\","
							     "\"budget_tokens\":99999}")})),
	     OLD_HEAD SENT_HI ",\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":99999}}");
	body("a model that does not think", "anthropic:claude-3-opus-20240229",
	     REQUEST(MESSAGES(HI), .effort = "low"),
	     "anthropic:claude-3-opus-20240229 has no effort level low");
	body("effort of a server that is not known", "minimax:MiniMax-M3",
	     REQUEST(MESSAGES(HI), .effort = "low"),
	     "{\"model\":\"MiniMax-M3\",\"max_tokens\":64000,\"stream\":true," SENT_HI
	     ",\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":4096}}");
	body("a loop that was begun without thinking goes on without", OLD,
	     REQUEST(MESSAGES(HI, SAYS_OF("groq", "m", CALL("c", "\"args\":{}")),
			      RESULTS(RESULT("c", "\"result\":\"r\""))),
		     .effort = "high"),
	     OLD_HEAD "\"messages\":[" USER(TEXT("hi")) "," MODEL_SAYS(USE("c", "{}")) "," USER(
		 GAVE("c", ",\"content\":\"r\"")) "],\"tools\":[]}");
}

/* ---- tools ---- */

static void tools(void)
{
#define WITH_TOOL .tools = &tool, .tool_count = 1
	body("a tool", MODEL, REQUEST(MESSAGES(HI), WITH_TOOL), HEAD SENT_HI SENT_TOOLS "}");
	body("none may be called", MODEL, REQUEST(MESSAGES(HI), WITH_TOOL, .tool_choice = "none"),
	     HEAD SENT_HI SENT_TOOLS ",\"tool_choice\":{\"type\":\"none\"}}");
	body("one must be called", MODEL,
	     REQUEST(MESSAGES(HI), WITH_TOOL, .tool_choice = "required"),
	     HEAD SENT_HI SENT_TOOLS ",\"tool_choice\":{\"type\":\"any\"}}");
	body("this one must be called, alone", MODEL,
	     REQUEST(MESSAGES(HI), WITH_TOOL, .tool_choice = "f",
		     OPTIONS({"parallel_tool_calls", SPAN("false")})),
	     HEAD SENT_HI SENT_TOOLS ",\"tool_choice\":{\"type\":\"tool\",\"name\":\"f\","
				     "\"disable_parallel_tool_use\":true}}");
	body("one at a time", MODEL,
	     REQUEST(MESSAGES(HI), WITH_TOOL, OPTIONS({"parallel_tool_calls", SPAN("false")})),
	     HEAD SENT_HI SENT_TOOLS
	     ",\"tool_choice\":{\"type\":\"auto\",\"disable_parallel_tool_use\":true}}");
	body("a tool of the provider's beside", MODEL,
	     REQUEST(MESSAGES(HI), WITH_TOOL,
		     OPTIONS({"tools", SPAN("[{\"type\":\"web_search_20250305\",\"name\":"
					    "\"web_search\"}]")})),
	     HEAD SENT_HI ",\"tools\":[{\"type\":\"web_search_20250305\",\"name\":\"web_search\"}"
			  "," TOOL "]}");
	body("a schema that is no object's, and none", MODEL,
	     REQUEST(MESSAGES(HI),
		     .tools = (const struct model_tool[]){{"f", NULL, {0}},
							  {"g", NULL, SPAN("{\"anyOf\":[{}]}")}},
		     .tool_count = 2),
	     HEAD SENT_HI
	     ",\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}},{\"name\":\"g\","
	     "\"description\":\"The arguments must also satisfy the JSON Schema {\\\"anyOf\\\":[{}]"
	     "}.\",\"input_schema\":{\"type\":\"object\"}}]}");
}

static void caching(void)
{
	struct buffer text = {0}, want = {0};

	while (text.len < 4096)
		buffer_add_text(&text, "Be terse. ");
	buffer_add_format(&want,
			  HEAD "\"system\":[{\"type\":\"text\",\"text\":\"%s\",\"cache_control\":{"
			       "\"type\":\"ephemeral\"}}]," SENT_HI SENT_TOOLS "}",
			  buffer_string(&text));
	body("long instructions are marked for the cache", MODEL,
	     REQUEST(MESSAGES(HI), WITH_TOOL, .system = buffer_string(&text)),
	     buffer_string(&want));
	buffer_clear(&want);
	buffer_add_format(&want,
			  HEAD SENT_HI ",\"tools\":[{\"name\":\"f\",\"description\":\"%s\","
				       "\"input_schema\":{\"type\":\"object\"},\"cache_control\":{"
				       "\"type\":\"ephemeral\"}}]}",
			  buffer_string(&text));
	body("long tools are marked for the cache", MODEL,
	     REQUEST(MESSAGES(HI),
		     .tools = (const struct model_tool[]){{"f", buffer_string(&text),
							   SPAN("{\"type\":\"object\"}")}},
		     .tool_count = 1),
	     buffer_string(&want));
	buffer_clear(&want);
	buffer_add_format(
	    &want, HEAD "\"system\":\"%s\"," SENT_HI ",\"cache_control\":{\"type\":\"ephemeral\"}}",
	    buffer_string(&text));
	body("unless the user has a mark of their own", MODEL,
	     REQUEST(MESSAGES(HI), .system = buffer_string(&text),
		     OPTIONS({"cache_control", SPAN("{\"type\":\"ephemeral\"}")})),
	     buffer_string(&want));
	buffer_free(&text);
	buffer_free(&want);
}

/* ---- schemas ---- */

/* As body, of a request whose schema may be the parameters of a tool. */
static void tool_body(const char *title, const char *spec, struct model_request request,
		      const char *want)
{
	struct provider *provider = provider_open("anthropic", "http://h", NULL, NULL);
	struct answer_request changed;
	bool by_tool = answer_request_make(&changed, provider, strchr(spec, ':') + 1, &request);

	body(title, spec, by_tool ? changed.request : request, want);
	answer_request_free(&changed);
	provider_free(provider);
}

static void schemas(void)
{
#define CLOSED "\"required\":[\"n\"],\"additionalProperties\":false"
#define FORMAT ",\"output_config\":{\"format\":{\"type\":\"json_schema\",\"schema\":"
	body("a schema", MODEL,
	     REQUEST(MESSAGES(HI), .schema = SPAN("{\"type\":\"object\",\"properties\":{\"n\":{"
						  "\"type\":\"number\"}}," CLOSED "}")),
	     HEAD SENT_HI FORMAT
	     "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"number\"}}," CLOSED "}}}}");
	body("what the API does not take is told", MODEL,
	     REQUEST(MESSAGES(HI),
		     .schema =
			 SPAN("{\"$schema\":\"s\",\"type\":\"object\",\"properties\":{\"n\":{"
			      "\"type\":\"integer\",\"description\":\"How many.\",\"minimum\":"
			      "1,\"maximum\":9},\"d\":{\"type\":\"string\",\"format\":\"date\"}"
			      ",\"l\":{\"type\":\"array\",\"items\":{\"oneOf\":[{\"type\":"
			      "\"string\",\"maxLength\":3}]},\"minItems\":2}}}")),
	     HEAD SENT_HI FORMAT
	     "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\",\"description\":"
	     "\"How many.\\n\\n{minimum: 1, maximum: 9}\"},\"d\":{\"type\":\"string\",\"format\":"
	     "\"date\"},\"l\":{\"type\":\"array\",\"items\":{\"anyOf\":[{\"type\":\"string\","
	     "\"description\":\"{maxLength: 3}\"}]},\"description\":\"{minItems: 2}\"}},"
	     "\"additionalProperties\":false}}}}");
	body("beside effort", MODEL,
	     REQUEST(MESSAGES(HI), .effort = "low", .schema = SPAN("{\"type\":\"string\"}")),
	     HEAD SENT_HI FORMAT
	     "{\"type\":\"string\"}},\"effort\":\"low\"},\"thinking\":{\"type\":"
	     "\"adaptive\",\"display\":\"summarized\"}}");
#define ANSWER(schema)                                                                             \
	"{\"name\":\"give_answer\",\"description\":\"Gives your final answer. Call it once, when " \
	"the answer is complete, instead of answering in text.\",\"input_schema\":" schema "}"
#define INSTRUCTION                                                                                \
	"Answer with one JSON value and nothing else: no explanation, no code fence. It must "     \
	"satisfy this JSON Schema:\\n"
#define OPEN "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"number\"}}"
	tool_body("an open object is asked for by a tool", MODEL,
		  REQUEST(MESSAGES(HI), .schema = SPAN(OPEN)),
		  HEAD SENT_HI ",\"tools\":[" ANSWER(OPEN) "],\"tool_choice\":{\"type\":\"any\"}}");
#define TREE "{\"type\":\"object\",\"properties\":{\"l\":{\"$ref\":\"#\"}}}"
	tool_body("so is an object of which nothing is said", MODEL,
		  REQUEST(MESSAGES(HI), .schema = SPAN("{\"type\":\"object\"}")),
		  HEAD SENT_HI ",\"tools\":[" ANSWER(
		      "{\"type\":\"object\"}") "],\"tool_choice\":{\"type\":\"any\"}}");
	tool_body("so is a schema within itself", MODEL,
		  REQUEST(MESSAGES(HI), .schema = SPAN(TREE)),
		  HEAD SENT_HI ",\"tools\":[" ANSWER(TREE) "],\"tool_choice\":{\"type\":\"any\"}}");
	tool_body("and anything from models that take no schema, beside the tools", OLD,
		  REQUEST(MESSAGES(HI), WITH_TOOL, .schema = SPAN("{\"type\":\"object\"}")),
		  OLD_HEAD SENT_HI
		  ",\"tools\":[" TOOL
		  "," ANSWER("{\"type\":\"object\"}") "],\"tool_choice\":{\"type\":\"any\"}}");
	tool_body("with a budget for thinking nothing can be forced", OLD,
		  REQUEST(MESSAGES(HI), .effort = "low", .schema = SPAN("{\"type\":\"object\"}")),
		  OLD_HEAD SENT_HI ",\"tools\":[" ANSWER(
		      "{\"type\":\"object\"}") "],\"thinking\":{\"type\":\"enabled\","
					       "\"budget_tokens\":4096}}");
	tool_body("where the user wants no tools, that one alone", OLD,
		  REQUEST(MESSAGES(HI), WITH_TOOL, .tool_choice = "none",
			  .schema = SPAN("{\"type\":\"object\"}")),
		  OLD_HEAD SENT_HI ",\"tools\":[" TOOL "," ANSWER(
		      "{\"type\":\"object\"}") "],\"tool_choice\":{\"type\":\"tool\",\"name\":"
					       "\"give_answer\"}}");
	tool_body("and none at all if its call cannot be forced", OLD,
		  REQUEST(MESSAGES(HI), WITH_TOOL, .tool_choice = "none", .effort = "low",
			  .schema = SPAN("{\"type\":\"object\"}")),
		  OLD_HEAD "\"system\":\"" INSTRUCTION "{\\\"type\\\":\\\"object\\\"}\"," SENT_HI
			   ",\"tools\":[" TOOL "],\"tool_choice\":{\"type\":\"none\"},"
			   "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":4096}}");
	tool_body("what is no object is asked for in words", OLD,
		  REQUEST(MESSAGES(HI), .schema = SPAN("{\"type\":\"array\"}")),
		  OLD_HEAD "\"system\":\"" INSTRUCTION "{\\\"type\\\":\\\"array\\\"}\"," SENT_HI
			   "}");
}

/* ---- the conversation ---- */

#define THINKING(text, data) "{\"type\":\"thinking\",\"text\":\"" text "\"" data "}"
#define SIGNED               ",\"provider_data\":{\"signature\":\"Eq\\u0045+/=\"}"

static void refusals(void)
{
	body("no call is forced on a model that thinks within a budget", OLD,
	     REQUEST(MESSAGES(HI), .tools = &tool, .tool_count = 1, .tool_choice = "f",
		     .effort = "low"),
	     "anthropic:claude-sonnet-4-20250514 cannot be made to call a tool with this --effort "
	     "(--tool-choice f)");
	body("nor on one that never takes it", "anthropic:claude-fable-5",
	     REQUEST(MESSAGES(HI), .tools = &tool, .tool_count = 1, .tool_choice = "required"),
	     "anthropic:claude-fable-5 cannot be made to call a tool (--tool-choice required)");
	body(
	    "no temperature while it thinks", OLD,
	    REQUEST(MESSAGES(HI), .effort = "low", OPTIONS({"temperature", SPAN("0.5")})),
	    "anthropic:claude-sonnet-4-20250514 does not accept the parameter temperature while it "
	    "reasons (-o temperature; --effort none turns that off)");
	body("nor where a model reasons unless it is told not to", "openai:gpt-5.6-sol",
	     REQUEST(MESSAGES(HI), OPTIONS({"top_p", SPAN("0.5")})),
	     "openai:gpt-5.6-sol does not accept the parameter top_p while it reasons (-o top_p; "
	     "--effort none turns that off)");
}

static void conversations(void)
{
	body(
	    "thinking, text, two calls; their results in one message, before the text", MODEL,
	    REQUEST(MESSAGES(
		HI,
		SAYS(THINKING(
		    "hm",
		    SIGNED) ",{\"type\":\"opaque\",\"provider_data\":{\"type\":"
			    "\"redacted_thinking\",\"data\":\"Zz=\"}}," TEXT("Look.") "," CALL(
				"toolu_1",
				"\"args\":{\"n\": 1.10}") "," CALL("toolu_2",
								   "\"args\":{},\"provider_data\":{"
								   "\"caller\":{\"type\":"
								   "\"direct\"}}")),
		RESULTS(RESULT("toolu_1", "\"result\":\"one\",\"is_error\":false")),
		RESULTS(RESULT("toolu_2", "\"result\":\"no\",\"is_error\":true")),
		ASKS(TEXT("go") "," TEXT("on")))),
	    HEAD "\"messages\":[" USER(TEXT("hi")) "," MODEL_SAYS(
		"{\"type\":\"thinking\",\"thinking\":\"hm\",\"signature\":\"Eq\\u0045+/"
		"=\"},{\"type\":"
		"\"redacted_thinking\",\"data\":\"Zz=\"}," TEXT("Look.") "," USE(
		    "toolu_1",
		    "{\"n\""
		    ": "
		    "1.10}") "," USE("toolu_2",
				     "{},\"caller\":{\"type\":\"direct\"}")) "," USER(GAVE("toolu_"
											   "1",
											   ",\"cont"
											   "ent\":"
											   "\"one"
											   "\"") "," GAVE("toolu_2",
													  ",\"content\":\"no\",\"is_error\":true") "," TEXT("go") "," TEXT("on")) "],\"tools\":[]}");
	body("of another provider: no thinking, no data, ids that do", MODEL,
	     REQUEST(MESSAGES(
		 HI,
		 SAYS_OF("openai-chat", "gpt",
			 THINKING("hm", SIGNED) "," TEXT(
			     "a") ",{\"type\":\"opaque\","
				  "\"provider_data\":{\"type\":\"x\"}}," CALL(
				      "call|1.2",
				      "\"args\":{},\"provider_id\":\"x y\",\"provider_data\":{"
				      "\"k\":1}") "," CALL("s", "\"args\":{},\"executed_by\":"
								"\"provider\",\"result\":\"r\"")),
		 RESULTS(RESULT("call|1.2", "\"result\":\"one\"")))),
	     HEAD "\"messages\":[" USER(TEXT("hi")) "," MODEL_SAYS(
		 TEXT("a") "," USE("toolu_stBuNjpDcvX0THopsUf8oW",
				   "{}")) "," USER(GAVE("toolu_stBuNjpDcvX0THopsUf8oW",
							",\"content\":\"one\"")) "],\"tools\":[]}");
	body(
	    "ids that come again are made unique, for the call and its result", MODEL,
	    REQUEST(MESSAGES(HI, SAYS_OF("ollama", "m", CALL("call", "\"args\":{}")),
			     RESULTS(RESULT("call", "\"result\":\"one\"")),
			     SAYS_OF("ollama", "m", CALL("call", "\"args\":{}")),
			     RESULTS(RESULT("call", "\"result\":\"two\"")))),
	    HEAD "\"messages\":[" USER(TEXT("hi")) "," MODEL_SAYS(USE("call", "{}")) "," USER(GAVE(
		"call",
		",\"content\":\"one\"")) "," MODEL_SAYS(USE("toolu_OoYa31Z0GOGxXz3pXfTBwl",
							    "{}")) "," USER(GAVE("toolu_"
										 "OoYa31Z0GOGxXz3pX"
										 "fTBwl",
										 ",\"content\":"
										 "\"two\"")) "],"
											     "\"too"
											     "ls\":"
											     "[]}");
	body("of another model of this provider: no thinking", MODEL,
	     REQUEST(MESSAGES(
		 HI,
		 SAYS_OF(
		     "anthropic", "claude-opus-5",
		     THINKING("hm",
			      SIGNED) ",{\"type\":\"opaque\","
				      "\"provider_data\":{\"type\":\"redacted_thinking\",\"data\":"
				      "\"Zz=\"}}," TEXT("a")),
		 HI)),
	     HEAD
	     "\"messages\":[" USER(TEXT("hi")) "," MODEL_SAYS(TEXT("a")) "," USER(TEXT("hi")) "]}");
	body("thinking without a signature does not go back; what is not shown does", MODEL,
	     REQUEST(MESSAGES(HI, SAYS(THINKING("cut", "") "," THINKING("", SIGNED) "," TEXT("a")),
			      HI)),
	     HEAD "\"messages\":[" USER(TEXT("hi")) "," MODEL_SAYS(
		 "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"Eq\\u0045+/=\"}," TEXT(
		     "a")) "," USER(TEXT("hi")) "]}");
	body("nothing is empty; neighbours are one message", MODEL,
	     REQUEST(MESSAGES(ASKS(TEXT("")), HI, SAYS(TEXT("")), SPAN(USER(TEXT("more"))))),
	     HEAD "\"messages\":[" USER(TEXT("hi") "," TEXT("more")) "]}");
	body("a result that never came", MODEL,
	     REQUEST(MESSAGES(HI, SAYS(CALL("t1", "\"args\":{}") "," CALL("t2", "\"args\":{}")),
			      RESULTS(RESULT("t2", "\"result\":\"\"")), HI)),
	     HEAD "\"messages\":[" USER(TEXT("hi")) "," MODEL_SAYS(USE("t1", "{}") "," USE(
		 "t2",
		 "{}")) "," USER(GAVE("t2",
				      "") "," GAVE("t1",
						   ",\"content\":\"The call was interrupted: there "
						   "is no result.\","
						   "\"is_error\":true") "," TEXT("hi")) "],"
											"\"tools\":"
											"[]}");
	body("a result without its call", MODEL,
	     REQUEST(MESSAGES(HI, RESULTS(RESULT("t9", "\"result\":{\"a\":1}")))),
	     HEAD "\"messages\":[" USER(
		 TEXT("hi") "," TEXT("Result of f:\\n{\\\"a\\\":1}")) "],\"tools\":[]}");
	body("arguments that were no JSON, a name that was none", MODEL,
	     REQUEST(MESSAGES(HI,
			      SAYS("{\"type\":\"tool_call\",\"tool_call_id\":\"t\",\"tool_name\":"
				   "\"a.b:c\",\"args\":{},\"invalid_args\":\"{\\\"a\"}"),
			      RESULTS(RESULT("t", "\"result\":\"\",\"is_error\":true")))),
	     HEAD "\"messages\":[" USER(TEXT("hi")) "," MODEL_SAYS(
		 "{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"a_b_c\",\"input\":{"
		 "\"INVALID_JSON\":\"{\\\"a\"}}") "," USER(GAVE("t",
								",\"content\":\"Error\",\"is_"
								"error\":true")) "],\"tools\":[]}");
	body("a refusal is said as text", MODEL,
	     REQUEST(MESSAGES(HI, SAYS("{\"type\":\"refusal\",\"text\":\"No.\"}"), HI)),
	     HEAD "\"messages\":[" USER(TEXT("hi")) "," MODEL_SAYS(TEXT("No.")) "," USER(
		 TEXT("hi")) "]}");
	body("an unknown role", MODEL, REQUEST(MESSAGES(SPAN("{\"role\":\"x\"}"))),
	     "a message of the conversation has no known role: {\"role\":\"x\"}");
}

/* ---- the provider's own tools ---- */

#define SEARCH                                                                                     \
	"{\"type\":\"tool_call\",\"tool_call_id\":\"s1\",\"tool_name\":\"web_search\",\"args\":{"  \
	"\"q\":\"x\"},\"executed_by\":\"provider\",\"result\":\"[]\",\"is_error\":false,"          \
	"\"provider_data\":{\"type\":\"server_tool_use\",\"caller\":1}}"
#define FOUND_BLOCK                                                                                \
	"{\"type\":\"web_search_tool_result\",\"tool_use_id\":\"s1\",\"content\":[{"               \
	"\"encrypted_content\":\"E==\"}]}"
#define FOUND "{\"type\":\"opaque\",\"provider_data\":" FOUND_BLOCK "}"
#define SENT_SEARCH                                                                                \
	"{\"type\":\"server_tool_use\",\"id\":\"s1\",\"name\":\"web_search\",\"input\":{\"q\":"    \
	"\"x\"},\"caller\":1}"

static void provider_calls(void)
{
	body("a search and what it found go back as they were", MODEL,
	     REQUEST(MESSAGES(HI, SAYS(SEARCH "," FOUND "," TEXT("a")), HI)),
	     HEAD "\"messages\":[" USER(TEXT("hi")) "," MODEL_SAYS(
		 SENT_SEARCH "," FOUND_BLOCK "," TEXT("a")) "," USER(TEXT("hi")) "]}");
	body("a paused answer is the last message", MODEL, REQUEST(MESSAGES(HI, SAYS(SEARCH))),
	     HEAD "\"messages\":[" USER(TEXT("hi")) "," MODEL_SAYS(SENT_SEARCH) "]}");
	body("and one message with what followed", MODEL,
	     REQUEST(MESSAGES(HI, SAYS(SEARCH), SAYS(FOUND "," TEXT("a")), HI)),
	     HEAD "\"messages\":[" USER(TEXT("hi")) "," MODEL_SAYS(
		 SENT_SEARCH "," FOUND_BLOCK "," TEXT("a")) "," USER(TEXT("hi")) "]}");
	body("a search that was abandoned is left out", MODEL,
	     REQUEST(MESSAGES(HI, SAYS(TEXT("a") "," SEARCH), HI)),
	     HEAD
	     "\"messages\":[" USER(TEXT("hi")) "," MODEL_SAYS(TEXT("a")) "," USER(TEXT("hi")) "]}");
	body("citations go back", MODEL,
	     REQUEST(MESSAGES(HI,
			      SAYS("{\"type\":\"text\",\"text\":\"a\",\"provider_data\":{"
				   "\"citations\":[{\"url\":\"u\"}]}}"),
			      HI)),
	     HEAD "\"messages\":[" USER(TEXT("hi")) "," MODEL_SAYS(
		 "{\"type\":\"text\",\"text\":\"a\",\"citations\":[{"
		 "\"url\":\"u\"}]}") "," USER(TEXT("hi")) "]}");
#define IN_CONTAINER                                                                               \
	SPAN("{\"role\":\"assistant\",\"content\":[" CALL(                                         \
	    "t", "\"args\":{}") "],\"provider\":\"anthropic\",\"model\":\"m\",\"provider_data\":{" \
				"\"container\":{"                                                  \
				"\"id\":\"c_1\",\"expires_at\":\"2026\"}}}")
	body("the container of the loop that is running", MODEL,
	     REQUEST(MESSAGES(HI, IN_CONTAINER, RESULTS(RESULT("t", "\"result\":\"r\"")))),
	     HEAD "\"messages\":[" USER(TEXT("hi")) "," MODEL_SAYS(USE("t", "{}")) "," USER(
		 GAVE("t", ",\"content\":\"r\"")) "],\"tools\":[],\"container\":\"c_1\"}");
}

/* ---- attachments ---- */

#define ATTACHED(type, media)                                                                      \
	ASKS("{\"type\":\"" type "\",\"media_type\":\"" media                                      \
	     "\",\"data\":\"QUJD\",\"name\":\"a\"}," TEXT("see"))

static void attachments(void)
{
	body("an image", MODEL, REQUEST(MESSAGES(ATTACHED("image", "image/png"))),
	     HEAD "\"messages\":[" USER(
		 "{\"type\":\"image\",\"source\":{\"type\":\"base64\","
		 "\"media_type\":\"image/png\",\"data\":\"QUJD\"}}," TEXT("see")) "]}");
	body("a PDF", MODEL, REQUEST(MESSAGES(ATTACHED("file", "application/pdf"))),
	     HEAD "\"messages\":[" USER("{\"type\":\"document\",\"source\":{\"type\":\"base64\","
					"\"media_type\":\"application/pdf\",\"data\":\"QUJD\"},"
					"\"title\":\"a\"}," TEXT("see")) "]}");
	body("an image of another kind", MODEL, REQUEST(MESSAGES(ATTACHED("image", "image/tiff"))),
	     "anthropic:claude-sonnet-5-5 does not accept a message part of type image "
	     "(image/tiff)");
	body("a file of another kind", MODEL,
	     REQUEST(MESSAGES(ATTACHED("file", "application/zip"))),
	     "anthropic:claude-sonnet-5-5 does not accept a message part of type file "
	     "(application/zip)");
	body("a server that takes none", "minimax:m",
	     REQUEST(MESSAGES(ATTACHED("image", "image/png"))),
	     "minimax:m does not accept a message part of type image (image/png)");
}

/* ---- URL, headers, the list of models ---- */

static void show(const char *base_url, const struct model_request *request, bool list,
		 struct buffer *out)
{
	struct error e = {0};
	struct provider *provider = provider_open("anthropic", base_url, NULL, &e);
	struct http_request http = {0};

	if (list)
		protocol_list_request(provider, &http, &e);
	else
		protocol_request(provider, "m", request, &http, &e);
	provider_complete_request(provider, &http, NULL, &e);
	buffer_add_text(out, http.url);
	for (size_t i = 0; i < http.header_count; i++)
		buffer_add_format(out, "\n%s", http.headers[i].line);
	http_request_free(&http);
	provider_free(provider);
	error_clear(&e);
}

static void same_head(const char *title, const char *base_url, struct model_request request,
		      bool list, const char *want)
{
	struct buffer got = {0};

	show(base_url, &request, list, &got);
	unit_same(buffer_span(&got), span_of(want), title);
	buffer_free(&got);
}

static void heads(void)
{
#define TYPES "\nContent-Type: application/json\nAccept: text/event-stream"
	same_head("URL and headers", "http://h/", REQUEST(MESSAGES(HI)), false,
		  "http://h/v1/messages" TYPES
		  "\nanthropic-version: 2023-06-01\nx-api-key: test-key");
	same_head("a URL that has the version already; betas", "http://h/x/v1",
		  REQUEST(MESSAGES(HI), OPTIONS({"betas", SPAN("[\"a-1\",\"b-2\"]")})), false,
		  "http://h/x/v1/messages" TYPES "\nanthropic-version: 2023-06-01\nanthropic-beta: "
		  "a-1,b-2\nx-api-key: test-key");
	same_head("betas as one string cannot add a line", "http://h",
		  REQUEST(MESSAGES(HI), OPTIONS({"betas", SPAN("\"a-1,b\\r\\nX: y\"")})), false,
		  "http://h/v1/messages" TYPES "\nanthropic-version: 2023-06-01\nanthropic-beta: "
		  "a-1,b  X: y\nx-api-key: test-key");
	same_head("the list of models", "http://h", REQUEST(MESSAGES(HI)), true,
		  "http://h/v1/models?limit=1000\nanthropic-version: 2023-06-01\nAccept: "
		  "application/json\nx-api-key: test-key");
	unsetenv("ANTHROPIC_API_KEY");
	setenv("ANTHROPIC_AUTH_TOKEN", "test-token", 1);
	same_head("a token", "http://h", REQUEST(MESSAGES(HI)), false,
		  "http://h/v1/messages" TYPES
		  "\nanthropic-version: 2023-06-01\nAuthorization: Bearer test-token");
}

static void list(void)
{
	struct buffer out = {0};

	protocol_list_read(
	    &protocol_anthropic,
	    SPAN("{\"data\":[{\"type\":\"model\",\"id\":\"claude-a\",\"display_name\":\"Claude A\","
		 "\"max_input_tokens\":200000},{\"id\":\"claude-b\"},{\"id\":7},3],\"has_more\":"
		 "false}"),
	    &out);
	unit_same(buffer_span(&out), SPAN("claude-a\t200000\tClaude A\nclaude-b\t\t\n"),
		  "the list of models is read");
	buffer_free(&out);
}

int main(void)
{
	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	setenv("OPENAI_API_KEY", "test-key", 1);
	setenv("ANTHROPIC_API_KEY", "test-key", 1);
	setenv("MINIMAX_API_KEY", "test-key", 1);
	unsetenv("ANTHROPIC_AUTH_TOKEN");
	unsetenv("ANTHROPIC_CUSTOM_HEADERS");
	parameters();
	effort();
	tools();
	caching();
	schemas();
	refusals();
	conversations();
	provider_calls();
	attachments();
	heads();
	list();
	return unit_done();
}
