/*
 * What openai-chat sends: parameters, tools, efforts, the conversation; as the entries of the
 * registry have it.
 */
#define OWN_FILE "providers.json"
#include "own_file.h"
#include "requests.h"

static const struct model_tool tools[] = {
    {"f", "does f", {"{ \"type\":\"object\",\n \"n\":1.10}", 29}},
    {"g", NULL, {"{}", 2}},
};

#define HEAD "\"stream\":true,\"stream_options\":{\"include_usage\":true},"
#define SAID "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"
#define F_TOOL                                                                                     \
	"{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"does f\","          \
	"\"parameters\":{ \"type\":\"object\",\n \"n\":1.10}}}"
#define G_TOOL "{\"type\":\"function\",\"function\":{\"name\":\"g\",\"parameters\":{}}}"

#define A_PDF                                                                                      \
	"{\"type\":\"file\",\"media_type\":\"application/"                                         \
	"pdf\",\"name\":\"d.pdf\",\"data\":\"ZGQ=\"}"
#define TWICE                                                                                      \
	"{\"type\":\"tool_call\",\"tool_call_id\":\"0_2\",\"provider_id\":\"0\",\"tool_name\":"    \
	"\"f\","                                                                                   \
	"\"args\":{}}"
#define RESULT_TWICE                                                                               \
	SPAN("{\"role\":\"tool\",\"content\":[{\"type\":\"tool_result\",\"tool_call_id\":\"0_2\"," \
	     "\"tool_name\":\"f\",\"result\":\"r\",\"is_error\":false}]}")

/* The body of a request is JSON, and exactly `want`; or the message is. */
static void json_body(const char *title, const char *spec, struct model_request request,
		      const char *want)
{
	struct buffer got = {0};
	bool refused;

	request_body(spec, &request, &got);
	refused = !span_starts(buffer_span(&got), "{");
	unit_ok(refused || json_check(buffer_span(&got), NULL), "%s: a body of JSON", title);
	unit_same(buffer_span(&got), span_of(want), title);
	buffer_free(&got);
}

static void parameters(void)
{
	json_body("a plain request", "lab:m", REQUEST(MESSAGES(HI)),
		  "{\"model\":\"m\"," HEAD SAID "}");
	json_body(
	    "instructions, effort, a limit", "lab:m",
	    REQUEST(MESSAGES(HI), .system = "Be \"brief\".", .effort = "high", .max_tokens = 9),
	    "{\"model\":\"m\"," HEAD "\"messages\":[{\"role\":\"system\",\"content\":\"Be "
	    "\\\"brief\\\".\"},{\"role\":\"user\",\"content\":\"hi\"}],\"max_tokens\":9,"
	    "\"reasoning_effort\":\"high\"}");
	json_body("the name of the limit", "openai-chat:m", REQUEST(MESSAGES(HI), .max_tokens = 9),
		  "{\"model\":\"m\"," HEAD SAID ",\"max_completion_tokens\":9}");
	json_body("options replace what is there, and null leaves it out", "lab:m",
		  REQUEST(MESSAGES(HI), .effort = "max", .max_tokens = 9,
			  OPTIONS({"temperature", {"0.20", 4}},
				  {"reasoning_effort", {"\"low\"", 5}}, {"max_tokens", {"7", 1}},
				  {"model", {"\"x\"", 3}}, {"temperature", {"0.3", 3}},
				  {"a\"b", {"{\"c\":1.10}", 10}}, {"stream_options", {"null", 4}})),
		  "{\"model\":\"x\",\"stream\":true," SAID ",\"max_tokens\":7,"
		  "\"reasoning_effort\":\"low\",\"temperature\":0.3,\"a\\\"b\":{\"c\":1.10}}");
	json_body("no stream, then no stream_options either", "lab:m",
		  REQUEST(MESSAGES(HI), OPTIONS({"stream", {"false", 5}})),
		  "{\"model\":\"m\",\"stream\":false," SAID "}");
	json_body("tools, their schemas byte for byte", "lab:m",
		  REQUEST(MESSAGES(HI), .tools = tools, .tool_count = 2),
		  "{\"model\":\"m\"," HEAD SAID ",\"tools\":[" F_TOOL "," G_TOOL "]}");
	json_body("a tool that must be called", "lab:m",
		  REQUEST(MESSAGES(HI), .tools = tools, .tool_count = 1, .tool_choice = "f"),
		  "{\"model\":\"m\"," HEAD SAID ",\"tools\":[" F_TOOL
		  "],\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}}}");
	json_body(
	    "any tool", "lab:m",
	    REQUEST(MESSAGES(HI), .tools = tools + 1, .tool_count = 1, .tool_choice = "required"),
	    "{\"model\":\"m\"," HEAD SAID ",\"tools\":[" G_TOOL "],\"tool_choice\":\"required\"}");
	json_body("no choice without tools", "lab:m",
		  REQUEST(MESSAGES(HI), .tool_choice = "required"),
		  "{\"model\":\"m\"," HEAD SAID "}");
	json_body(
	    "Mistral: any, and no stream_options", "mistral:m",
	    REQUEST(MESSAGES(HI), .tools = tools + 1, .tool_count = 1, .tool_choice = "required"),
	    "{\"model\":\"m\",\"stream\":true," SAID ",\"tools\":[" G_TOOL
	    "],\"tool_choice\":\"any\"}");
	json_body("Mistral: a named tool is the only one", "mistral:m",
		  REQUEST(MESSAGES(HI), .tools = tools, .tool_count = 2, .tool_choice = "g"),
		  "{\"model\":\"m\",\"stream\":true," SAID ",\"tools\":[" G_TOOL
		  "],\"tool_choice\":\"any\"}");
	json_body("Ollama knows no choice: none leaves the tools out", "ollama-openai:m",
		  REQUEST(MESSAGES(HI), .tools = tools, .tool_count = 2, .tool_choice = "none"),
		  "{\"model\":\"m\"," HEAD SAID "}");
	json_body("Ollama: a named tool is the only one", "ollama-openai:m",
		  REQUEST(MESSAGES(HI), .tools = tools, .tool_count = 2, .tool_choice = "g"),
		  "{\"model\":\"m\"," HEAD SAID ",\"tools\":[" G_TOOL "]}");
}

static void efforts(void)
{
	static const struct {
		const char *spec, *effort, *want;
	} cases[] = {
	    {"openai-chat:m", "max", "\"reasoning_effort\":\"xhigh\""},
	    {"groq:qwen/qwen3-32b", "none", "\"reasoning_effort\":\"none\""},
	    {"groq:qwen/qwen3-32b", "high", "\"reasoning_effort\":\"default\""},
	    {"groq:openai/gpt-oss-20b", "max", "\"reasoning_effort\":\"high\""},
	    {"deepseek:m", "none", "\"thinking\":{\"type\":\"disabled\"}"},
	    {"deepseek:m", "high",
	     "\"thinking\":{\"type\":\"enabled\"},\"reasoning_effort\":\"high\""},
	    {"openrouter:a/b", "low", "\"reasoning\":{\"effort\":\"low\"}"},
	    {"zai:glm-5.1", "high", "\"thinking\":{\"type\":\"enabled\"}"},
	    {"zai:glm-5.3-flash", "max",
	     "\"thinking\":{\"type\":\"enabled\"},\"reasoning_effort\":\"max\""},
	    {"alibaba:m", "none", "\"enable_thinking\":false"},
	    {"vllm:m", "none", "\"chat_template_kwargs\":{\"enable_thinking\":false}"},
	    {"together:m", "none", "\"reasoning\":{\"enabled\":false}"},
	    {"ollama-openai:m", "medium", "\"reasoning_effort\":\"medium\""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buffer want = {0}, title = {0};
		char *model = mem_copy(span_of(strchr(cases[i].spec, ':') + 1));

		buffer_add_format(&want, "{\"model\":\"%s\"," HEAD SAID ",%s}", model,
				  cases[i].want);
		buffer_add_format(&title, "effort %s of %s", cases[i].effort, cases[i].spec);
		json_body(buffer_string(&title), cases[i].spec,
			  REQUEST(MESSAGES(HI), .effort = cases[i].effort), buffer_string(&want));
		buffer_free(&want);
		buffer_free(&title);
		free(model);
	}
	write_own("{\"deepseek\":{\"quirks\":{\"effort\":{\"*-mine\":{\"high\":{\"deep\":1}}}}}}");
	json_body("a user's pattern goes before *", "deepseek:x-mine",
		  REQUEST(MESSAGES(HI), .effort = "high"),
		  "{\"model\":\"x-mine\"," HEAD SAID ",\"deep\":1}");
	json_body("and leaves the others alone", "deepseek:x",
		  REQUEST(MESSAGES(HI), .effort = "none"),
		  "{\"model\":\"x\"," HEAD SAID ",\"thinking\":{\"type\":\"disabled\"}}");
	write_own("{\"lab\":{}}");
	json_body("an effort that there is not", "groq:openai/gpt-oss-20b",
		  REQUEST(MESSAGES(HI), .effort = "none"),
		  "groq:openai/gpt-oss-20b has no effort level none");
}

#define ASKED SPAN("{\"role\":\"user\",\"content\":\"do it\"}")
#define THOUGHT(provider)                                                                          \
	SPAN(                                                                                      \
	    "{\"role\":\"assistant\",\"provider\":\"" provider                                     \
	    "\",\"provider_data\":{\"reasoning_details\":[{\"type\":\"reasoning.encrypted\"}]},"   \
	    "\"content\":[{\"type\":\"thinking\",\"text\":\"hm\"},{\"type\":\"text\",\"text\":"    \
	    "\"ok\"},{\"type\":\"tool_call\",\"tool_call_id\":\"call_1\",\"tool_name\":\"f\","     \
	    "\"args\":{\"n\": 1.10, \"s\":\"\\u00e4\\\"\"},\"provider_data\":{\"extra_content\":{" \
	    "\"google\":{\"thought_signature\":\"s\"}}}},{\"type\":\"tool_call\","                 \
	    "\"tool_call_id\":\"call_2\",\"tool_name\":\"g\",\"args\":{},\"invalid_args\":"        \
	    "\"{a\"}]}")
#define RESULTS                                                                                    \
	SPAN("{\"role\":\"tool\",\"content\":[{\"type\":\"tool_result\",\"tool_call_id\":"         \
	     "\"call_1\",\"tool_name\":\"f\",\"result\":\"r\\n\",\"is_error\":false},{\"type\":"   \
	     "\"tool_result\",\"tool_call_id\":\"call_2\",\"tool_name\":\"g\",\"result\":\"no\","  \
	     "\"is_error\":true}]}")
#define CALLS(one, two, extra)                                                                     \
	"\"tool_calls\":[{\"id\":\"" one "\",\"type\":\"function\",\"function\":{\"name\":\"f\","  \
	"\"arguments\":\"{\\\"n\\\": 1.10, \\\"s\\\":\\\"\\\\u00e4\\\\\\\"\\\"}\"}" extra          \
	"},{\"id\":\"" two "\",\"type\":\"function\",\"function\":{\"name\":\"g\",\"arguments\":"  \
	"\"{\\\"INVALID_JSON\\\":\\\"{a\\\"}\"}}]"
#define ANSWERED(one, two)                                                                         \
	"{\"role\":\"tool\",\"tool_call_id\":\"" one "\",\"content\":\"r\\n\"},{\"role\":"         \
	"\"tool\",\"tool_call_id\":\"" two "\",\"content\":\"Error: no\"}"
#define DO_IT "{\"role\":\"user\",\"content\":\"do it\"}"
#define OK_   "{\"role\":\"assistant\",\"content\":\"ok\","

static void conversations(void)
{
	json_body("a tool loop; reasoning of another provider stays away", "lab:m",
		  REQUEST(MESSAGES(ASKED, THOUGHT("groq"), RESULTS)),
		  "{\"model\":\"m\"," HEAD "\"messages\":[" DO_IT
		  "," OK_ CALLS("call_1", "call_2", "") "}," ANSWERED("call_1", "call_2") "]}");
	json_body(
	    "the provider's own data goes back", "openrouter:m",
	    REQUEST(MESSAGES(ASKED, THOUGHT("openrouter"), RESULTS)),
	    "{\"model\":\"m\"," HEAD "\"messages\":[" DO_IT "," OK_
	    "\"reasoning_details\":[{\"type\":\"reasoning."
	    "encrypted\"}]," CALLS("call_1", "call_2",
				   ",\"extra_content\":{\"google\":{\"thought_"
				   "signature\":\"s\"}}") "}," ANSWERED("call_1", "call_2") "]}");
	json_body("reasoning as text goes back in the loop that is running", "deepseek:m",
		  REQUEST(MESSAGES(ASKED, THOUGHT("deepseek"), RESULTS)),
		  "{\"model\":\"m\"," HEAD "\"messages\":[" DO_IT "," OK_
		  "\"reasoning_content\":\"hm\"," CALLS(
		      "call_1", "call_2",
		      ",\"extra_content\":{\"google\":{\"thought_"
		      "signature\":\"s\"}}") "}," ANSWERED("call_1", "call_2") "]"
									       "}");
	json_body("and not after it", "deepseek:m",
		  REQUEST(MESSAGES(ASKED, THOUGHT("deepseek"), RESULTS, HI)),
		  "{\"model\":\"m\"," HEAD "\"messages\":[" DO_IT
		  "," OK_ CALLS("call_1", "call_2",
				",\"extra_content\":{\"google\":{\"thought_"
				"signature\":\"s\"}}") "}," ANSWERED("call_1", "call_2") ",{"
											 "\""
											 "ro"
											 "le"
											 "\""
											 ":"
											 "\""
											 "us"
											 "er"
											 "\""
											 ","
											 "\""
											 "co"
											 "nt"
											 "en"
											 "t"
											 "\""
											 ":"
											 "\""
											 "hi"
											 "\""
											 "}]"
											 "}");
	json_body("where all reasoning goes back", "moonshot:m",
		  REQUEST(MESSAGES(
		      ASKED,
		      SPAN("{\"role\":\"assistant\",\"provider\":\"moonshot\",\"content\":[{"
			   "\"type\":\"thinking\",\"text\":\"hm\"},{\"type\":\"text\",\"text\":"
			   "\"ok\"}]}"),
		      HI)),
		  "{\"model\":\"m\"," HEAD "\"messages\":[" DO_IT "," OK_
		  "\"reasoning_content\":\"hm\"},"
		  "{\"role\":\"user\",\"content\":\"hi\"}]}");
	json_body("Mistral: ids of nine letters and digits, no user message behind a tool's",
		  "mistral:m", REQUEST(MESSAGES(ASKED, THOUGHT("groq"), RESULTS, HI)),
		  "{\"model\":\"m\",\"stream\":true,\"messages\":[" DO_IT
		  "," OK_ CALLS("7EOIZ7mdk", "DNyP21c2i", "") "}," ANSWERED(
		      "7EOIZ7mdk", "DNyP21c2i") ",{\"role\":\"assistant\",\"content\":\"OK.\"},{"
						"\"role\":\"user\",\"content\":\"hi\"}]}");
	json_body("user messages with nothing but an empty response between them are one", "lab:m",
		  REQUEST(MESSAGES(
		      ASKED, SPAN("{\"role\":\"assistant\",\"content\":[]}"),
		      SPAN("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
			   "{\"type\":\"text\",\"text\":\"b\"}]}"),
		      HI)),
		  "{\"model\":\"m\"," HEAD "\"messages\":["
		  "{\"role\":\"user\",\"content\":\"do it\\n\\na\\n\\nb\\n\\nhi\"}]}");
	json_body("instructions among the messages come first", "lab:m",
		  REQUEST(MESSAGES(HI, SPAN("{\"role\":\"system\",\"content\":\"two\"}")),
			  .system = "one"),
		  "{\"model\":\"m\"," HEAD
		  "\"messages\":[{\"role\":\"system\",\"content\":\"one\\n\\ntwo\"},"
		  "{\"role\":\"user\",\"content\":\"hi\"}]}");
	json_body(
	    "an answer of calls only, one without a result", "lab:m",
	    REQUEST(MESSAGES(HI,
			     SPAN("{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_call\","
				  "\"tool_call_id\":\"c\",\"tool_name\":\"f\",\"args\":{}},{"
				  "\"type\":\"tool_call\",\"tool_call_id\":\"d\",\"tool_name\":"
				  "\"f\",\"args\":{}}]}"),
			     SPAN("{\"role\":\"tool\",\"content\":[{\"type\":\"tool_result\","
				  "\"tool_call_id\":\"d\",\"result\":\"error: x\","
				  "\"is_error\":true}]}"))),
	    "{\"model\":\"m\"," HEAD
	    "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},{\"role\":"
	    "\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\","
	    "\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}},{\"id\":\"d\",\"type\":"
	    "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},{\"role\":"
	    "\"tool\",\"tool_call_id\":\"d\",\"content\":\"error: x\"},{\"role\":\"tool\","
	    "\"tool_call_id\":\"c\",\"content\":\"Error: the call was interrupted before it had "
	    "a result.\"}]}");
	json_body(
	    "a result without its call is a text of the user", "lab:m",
	    REQUEST(MESSAGES(HI, SPAN("{\"role\":\"tool\",\"content\":[{\"type\":\"tool_result\","
				      "\"tool_call_id\":\"c\",\"tool_name\":\"f\",\"result\":\"x\","
				      "\"is_error\":true}]}"))),
	    "{\"model\":\"m\"," HEAD
	    "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"user\","
	    "\"content\":\"Result of f:\\nError: x\"}]}");
	json_body(
	    "an image between texts", "lab:m",
	    REQUEST(
		MESSAGES(SPAN("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
			      "{\"type\":\"image\",\"media_type\":\"image/png\",\"name\":\"i.png\","
			      "\"data\":\"aWk=\"},{\"type\":\"text\",\"text\":\"b\"}]}"),
			 HI)),
	    "{\"model\":\"m\"," HEAD "\"messages\":[{\"role\":\"user\",\"content\":["
	    "{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"image_url\",\"image_url\":{\"url\":"
	    "\"data:image/png;base64,aWk=\"}},{\"type\":\"text\",\"text\":\"b\\n\\nhi\"}]}]}");
	json_body("a document where the server takes none", "lab:m",
		  REQUEST(MESSAGES(SPAN("{\"role\":\"user\",\"content\":[" A_PDF "]}"))),
		  "lab:m does not accept a message part of type file (application/pdf)");
	json_body("a document", "openai-chat:m",
		  REQUEST(MESSAGES(SPAN("{\"role\":\"user\",\"content\":[" A_PDF "]}"))),
		  "{\"model\":\"m\"," HEAD "\"messages\":[{\"role\":\"user\",\"content\":["
		  "{\"type\":\"file\",\"file\":{\"filename\":\"d.pdf\",\"file_data\":"
		  "\"data:application/pdf;base64,ZGQ=\"}}]}]}");
	json_body(
	    "ids are the provider's own where the answer was its own", "lab:m",
	    REQUEST(MESSAGES(
		SPAN("{\"role\":\"assistant\",\"provider\":\"lab\",\"content\":[" TWICE "]}"),
		RESULT_TWICE)),
	    "{\"model\":\"m\"," HEAD "\"messages\":[{\"role\":\"assistant\",\"content\":null,"
	    "\"tool_calls\":[{\"id\":\"0\",\"type\":\"function\",\"function\":{\"name\":\"f\","
	    "\"arguments\":\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"0\",\"content\":\"r\"}"
	    "]}");
	json_body(
	    "and the events' where it was another's", "lab:m",
	    REQUEST(MESSAGES(
		SPAN("{\"role\":\"assistant\",\"provider\":\"x\",\"content\":[" TWICE "]}"),
		RESULT_TWICE)),
	    "{\"model\":\"m\"," HEAD "\"messages\":[{\"role\":\"assistant\",\"content\":null,"
	    "\"tool_calls\":[{\"id\":\"0_2\",\"type\":\"function\",\"function\":{\"name\":\"f\","
	    "\"arguments\":\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"0_2\",\"content\":"
	    "\"r\"}]}");
	json_body(
	    "what another provider ran, and what only it understands, is left out", "lab:m",
	    REQUEST(MESSAGES(SPAN(
		"{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"text\":\"hm\"},"
		"{\"type\":\"tool_call\",\"tool_call_id\":\"s\",\"tool_name\":\"web_search\","
		"\"args\":{},"
		"\"executed_by\":\"provider\",\"result\":\"r\",\"is_error\":false},"
		"{\"type\":\"opaque\",\"provider_data\":{}},{\"type\":\"refusal\",\"text\":\"No."
		"\"}]}"))),
	    "{\"model\":\"m\"," HEAD
	    "\"messages\":[{\"role\":\"assistant\",\"content\":\"No.\"}]}");
	json_body(
	    "an answer that satisfies a schema", "lab:m",
	    REQUEST(MESSAGES(HI), .schema = SPAN("{\"title\":\"Two words\",\"type\":\"object\"}")),
	    "{\"model\":\"m\"," HEAD SAID ",\"response_format\":{\"type\":\"json_schema\","
	    "\"json_schema\":{\"name\":\"Two_words\",\"strict\":false,\"schema\":{\"title\":"
	    "\"Two words\",\"type\":\"object\"}}}}");
	json_body(
	    "the same where a server knows only JSON", "deepseek:m",
	    REQUEST(MESSAGES(HI), .schema = SPAN("{\"type\":\"object\"}")),
	    "{\"model\":\"m\"," HEAD "\"messages\":[{\"role\":\"system\",\"content\":\"Answer "
	    "with one JSON value and nothing "
	    "else: no explanation, no code fence. It must satisfy this JSON "
	    "Schema:\\n{\\\"type\\\":\\\"object\\\"}\"},{\"role\":\"user\",\"content\":\"hi\"}],"
	    "\"response_format\":{\"type\":\"json_object\"}}");
	json_body("a part that cannot be sent", "lab:m",
		  REQUEST(MESSAGES(SPAN("{\"role\":\"user\",\"content\":[{\"type\":\"video\"}]}"))),
		  "lab:m does not accept a message part of type video");
	json_body("a message without a role", "lab:m", REQUEST(MESSAGES(SPAN("{}"))),
		  "a message of the conversation has no known role: {}");
}

int main(void)
{
	open_folder();
	setenv("OPENAI_API_KEY", "k", 1);
	setenv("GROQ_API_KEY", "k", 1);
	setenv("MISTRAL_API_KEY", "k", 1);
	setenv("DEEPSEEK_API_KEY", "k", 1);
	setenv("OPENROUTER_API_KEY", "k", 1);
	setenv("ZAI_API_KEY", "k", 1);
	setenv("DASHSCOPE_API_KEY", "k", 1);
	setenv("TOGETHER_API_KEY", "k", 1);
	setenv("MOONSHOT_API_KEY", "k", 1);
	write_own("{\"lab\":{}}");
	parameters();
	efforts();
	conversations();
	remove_own();
	rmdir(folder);
	return unit_done();
}
