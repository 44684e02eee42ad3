/*
 * What gemini sends, compared exactly: parameters, tools, schemas, conversations, URLs; and the
 * list of models.
 */
#define _GNU_SOURCE
#include "requests.h"

static const struct model_tool tools[] = {
    {"f", "does f", {"{ \"type\":\"object\", \"n\":1.10}", 28}},
    {"g.h", NULL, {"{}", 2}},
};

#define TOOLS                                                                                      \
	"\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\",\"description\":\"does f\","        \
	"\"parametersJsonSchema\":{ \"type\":\"object\", \"n\":1.10}},{\"name\":\"g.h\"}]}]"
#define CONTENTS(list)       "{\"contents\":[" list "]"
#define CONTENT(role, parts) "{\"role\":\"" role "\",\"parts\":[" parts "]}"
#define SAID                 CONTENT("user", "{\"text\":\"hi\"}")
#define TEXT(s)              "{\"type\":\"text\",\"text\":\"" s "\"}"
#define USER(s)              SPAN("{\"role\":\"user\",\"content\":[" s "]}")
#define MODEL(s)                                                                                   \
	SPAN("{\"role\":\"assistant\",\"content\":[" s                                             \
	     "],\"provider\":\"gemini\",\"model\":\"gemini-3-flash\"}")
#define ELDER(s)                                                                                   \
	SPAN("{\"role\":\"assistant\",\"content\":[" s                                             \
	     "],\"provider\":\"gemini\",\"model\":\"gemini-2.5-flash\"}")
#define OTHER(s) SPAN("{\"role\":\"assistant\",\"content\":[" s "],\"provider\":\"openai\"}")
#define TOOL(s)  SPAN("{\"role\":\"tool\",\"content\":[" s "]}")
#define SIG(s)   "\"provider_data\":{\"thoughtSignature\":\"" s "\"}"
#define CALL(id, more, name, args)                                                                 \
	"{\"type\":\"tool_call\",\"tool_call_id\":\"" id "\"," more "\"tool_name\":\"" name        \
	"\",\"args\":" args "}"
#define RESULT(id, name, text, error)                                                              \
	"{\"type\":\"tool_result\",\"tool_call_id\":\"" id "\",\"tool_name\":\"" name              \
	"\",\"result\":\"" text "\",\"is_error\":" error "}"
#define FILE_PART(type, media)                                                                     \
	"{\"type\":\"" type "\",\"media_type\":\"" media "\",\"data\":\"iVBO\",\"name\":\"a\"}"
#define DUMMY "\"thoughtSignature\":\"c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=\""

/* ---- parameters ---- */

static void thinking(const char *model, const char *effort, const char *want)
{
	struct buffer title = {0}, sent = {0}, spec = {0};

	buffer_add_format(&spec, "gemini:%s", model);
	buffer_add_format(&title, "%s, effort %s", model, effort);
	if (want != NULL && *want == '{')
		buffer_add_format(&sent, "%s,\"generationConfig\":{\"thinkingConfig\":%s}}",
				  CONTENTS(SAID), want);
	else if (want != NULL)
		buffer_add_format(&sent, "%s}", CONTENTS(SAID));
	else
		buffer_add_format(&sent, "gemini:%s has no effort level %s", model, effort);
	body(buffer_string(&title), buffer_string(&spec), REQUEST(MESSAGES(HI), .effort = effort),
	     buffer_string(&sent));
	buffer_free(&title);
	buffer_free(&sent);
	buffer_free(&spec);
}

#define LEVEL(l)  "{\"thinkingLevel\":\"" l "\",\"includeThoughts\":true}"
#define BUDGET(n) "{\"thinkingBudget\":" n ",\"includeThoughts\":true}"

static void efforts(void)
{
	thinking("gemini-3-flash-preview", "none", "{\"thinkingLevel\":\"MINIMAL\"}");
	thinking("gemini-3-flash-preview", "low", LEVEL("LOW"));
	thinking("gemini-3-flash-preview", "medium", LEVEL("MEDIUM"));
	thinking("gemini-3-flash-preview", "high", LEVEL("HIGH"));
	thinking("gemini-4-argon", "max", LEVEL("HIGH"));
	thinking("gemini-3-pro-preview", "none", NULL);
	thinking("gemini-3-pro-preview", "low", LEVEL("LOW"));
	thinking("gemini-3.1-pro-preview", "none", NULL);
	thinking("gemini-3.7-flash", "none", NULL);
	thinking("gemini-pro-latest", "none", NULL);
	thinking("gemini-2.5-pro", "none", NULL);
	thinking("gemini-2.5-pro", "max", BUDGET("32768"));
	thinking("gemini-2.5-flash", "none", "{\"thinkingBudget\":0}");
	thinking("gemini-2.5-flash-lite", "low", BUDGET("1024"));
	thinking("models/gemini-2.5-flash", "high", BUDGET("24576"));
	thinking("gemini-2.0-flash", "none", "");
	thinking("gemini-2.0-flash", "low", NULL);
}

static void parameters(void)
{
	body("a plain request", "gemini:gemini-3-flash", REQUEST(MESSAGES(HI)), CONTENTS(SAID) "}");
	body("instructions and a limit", "gemini:gemini-3-flash",
	     REQUEST(MESSAGES(HI), .system = "Be \"brief\".", .max_tokens = 9),
	     "{\"systemInstruction\":{\"parts\":[{\"text\":\"Be "
	     "\\\"brief\\\".\"}]},\"contents\":[" SAID
	     "],\"generationConfig\":{\"maxOutputTokens\":9}}");
	body("options: how to generate, and the request's", "gemini:gemini-3-flash",
	     REQUEST(MESSAGES(HI), .max_tokens = 9,
		     OPTIONS({"temperature", {"0.20", 4}}, {"topP", {"0.9", 3}},
			     {"safetySettings", {"[]", 2}}, {"maxOutputTokens", {"7", 1}},
			     {"cachedContent", {"\"c/1\"", 5}},
			     {"generationConfig", {"{\"seed\":1}", 10}},
			     {"parallel_tool_calls", {"true", 4}})),
	     CONTENTS(SAID) ",\"generationConfig\":{\"maxOutputTokens\":7,\"temperature\":0.20,"
			    "\"topP\":0.9,\"seed\":1},\"safetySettings\":[],\"cachedContent\":\"c/"
			    "1\"}");
	body("one call at a time", "gemini:gemini-3-flash",
	     REQUEST(MESSAGES(HI), OPTIONS({"parallel_tool_calls", {"false", 5}})),
	     "gemini:gemini-3-flash cannot be kept from making several calls at once "
	     "(-o parallel_tool_calls=false)");
	body("instructions among the messages", "gemini:gemini-3-flash",
	     REQUEST(MESSAGES(SPAN("{\"role\":\"system\",\"content\":\"b\"}"), HI), .system = "a"),
	     "{\"systemInstruction\":{\"parts\":[{\"text\":\"a\\n\\nb\"}]},\"contents\":[" SAID
	     "]}");
}

/* ---- tools ---- */

#define CHOICE(s) ",\"toolConfig\":{\"functionCallingConfig\":{" s "}}}"

static void tool_choices(void)
{
	body("tools, their schemas byte for byte", "gemini:gemini-2.5-flash",
	     REQUEST(MESSAGES(HI), .tools = tools, .tool_count = 2), CONTENTS(SAID) "," TOOLS "}");
	body("auto", "gemini:gemini-3-flash",
	     REQUEST(MESSAGES(HI), .tools = tools, .tool_count = 2, .tool_choice = "auto"),
	     CONTENTS(SAID) "," TOOLS "}");
	body("required", "gemini:gemini-3-flash",
	     REQUEST(MESSAGES(HI), .tools = tools, .tool_count = 2, .tool_choice = "required"),
	     CONTENTS(SAID) "," TOOLS CHOICE("\"mode\":\"ANY\""));
	body("none", "gemini:gemini-3-flash",
	     REQUEST(MESSAGES(HI), .tools = tools, .tool_count = 2, .tool_choice = "none"),
	     CONTENTS(SAID) "," TOOLS CHOICE("\"mode\":\"NONE\""));
	body(
	    "a named one", "gemini:gemini-3-flash",
	    REQUEST(MESSAGES(HI), .tools = tools, .tool_count = 2, .tool_choice = "g.h"),
	    CONTENTS(SAID) "," TOOLS CHOICE("\"mode\":\"ANY\",\"allowedFunctionNames\":[\"g.h\"]"));
	body("the provider's own tools", "gemini:gemini-2.5-flash",
	     REQUEST(MESSAGES(HI), OPTIONS({"tools", {"[{\"googleSearch\":{}}]", 21}})),
	     CONTENTS(SAID) ",\"tools\":[{\"googleSearch\":{}}]}");
	body("beside those that run here", "gemini:gemini-3-flash",
	     REQUEST(MESSAGES(HI), .tools = tools + 1, .tool_count = 1, .tool_choice = "required",
		     OPTIONS({"tools", {"[{\"googleSearch\":{}}]", 21}})),
	     CONTENTS(SAID) ",\"tools\":[{\"functionDeclarations\":[{\"name\":\"g.h\"}]},"
			    "{\"googleSearch\":{}}],\"toolConfig\":{\"functionCallingConfig\":{"
			    "\"mode\":\"ANY\"},\"includeServerSideToolInvocations\":true}}");
}

/* ---- schemas ---- */

static void schema(const char *title, const char *given, const char *want)
{
	struct buffer sent = {0};

	buffer_add_format(&sent,
			  "%s,\"generationConfig\":{\"responseMimeType\":\"application/json\","
			  "\"responseJsonSchema\":%s}}",
			  CONTENTS(SAID), want);
	body(title, "gemini:gemini-2.5-flash", REQUEST(MESSAGES(HI), .schema = span_of(given)),
	     buffer_string(&sent));
	buffer_free(&sent);
}

static void schemas(void)
{
	schema(
	    "a schema that is taken as it is",
	    "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":[\"string\",\"null\"],\"enum\":["
	    "\"x\",null]}},\"required\":[\"a\"],\"additionalProperties\":false}",
	    "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":[\"string\",\"null\"],\"enum\":["
	    "\"x\",null]}},\"required\":[\"a\"],\"additionalProperties\":false}");
	schema(
	    "keywords that it is silent about are told",
	    "{\"$schema\":\"s\",\"type\":\"number\",\"exclusiveMinimum\":1.50,\"multipleOf\":2,"
	    "\"minimum\":0,\"description\":\"d\",\"default\":3}",
	    "{\"type\":\"number\",\"minimum\":0,\"description\":\"d\\n\\n{exclusiveMinimum: 1.50, "
	    "multipleOf: 2}\"}");
	schema("a constant", "{\"const\": {\"a\":1}}", "{\"enum\":[{\"a\":1}]}");
	schema("references, by their newer name, and alone",
	       "{\"type\":\"array\",\"items\":{\"$ref\":\"#/definitions/x\",\"description\":\"d\"},"
	       "\"definitions\":{\"x\":{\"type\":\"string\",\"pattern\":\"^a\"}}}",
	       "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/x\"},\"$defs\":{\"x\":{\"type\":"
	       "\"string\",\"description\":\"{pattern: \\\"^a\\\"}\"}}}");
	schema("a reference at the top",
	       "{\"$defs\":{\"n\":{\"type\":\"object\",\"properties\":{\"n\":{\"$ref\":\"#/$defs/"
	       "n\"}}}},\"$ref\":\"#/$defs/n\"}",
	       "{\"$defs\":{\"n\":{\"type\":\"object\",\"properties\":{\"n\":{\"$ref\":\"#/$defs/"
	       "n\"}}}},\"$ref\":\"#/$defs/n\"}");
	schema(
	    "allOf of one, which is how some write a described reference",
	    "{\"properties\":{\"a\":{\"allOf\":[{\"$ref\":\"#/$defs/x\"}],\"title\":\"A\"},\"b\":{"
	    "\"title\":\"B\",\"allOf\":[{\"type\":\"string\",\"title\":\"C\"}]}},\"$defs\":{"
	    "\"x\":{}}}",
	    "{\"properties\":{\"a\":{\"$ref\":\"#/$defs/x\"},\"b\":{\"title\":\"B\",\"type\":"
	    "\"string\"}},\"$defs\":{\"x\":{}}}");
	schema(
	    "several are told", "{\"allOf\":[{\"type\":\"string\"},{\"minLength\":1}]}",
	    "{\"description\":\"{allOf: [{\\\"type\\\":\\\"string\\\"},{\\\"minLength\\\":1}]}\"}");
	schema("alternatives, tuples, and anything",
	       "{\"anyOf\":[{\"const\":1},true],\"prefixItems\":[{\"const\":2}],\"items\":false,"
	       "\"additionalProperties\":{\"const\":3}}",
	       "{\"anyOf\":[{\"enum\":[1]},{}],\"prefixItems\":[{\"enum\":[2]}],\"items\":false,"
	       "\"additionalProperties\":{\"enum\":[3]}}");
	schema("a tuple, as older drafts have it", "{\"items\":[{\"const\":1}]}",
	       "{\"prefixItems\":[{\"enum\":[1]}]}");
	schema("a property that is called like a keyword",
	       "{\"properties\":{\"pattern\":{\"type\":\"string\"},\"const\":{\"const\":1}}}",
	       "{\"properties\":{\"pattern\":{\"type\":\"string\"},\"const\":{\"enum\":[1]}}}");
	body("beside tools, to models that take both", "gemini:gemini-3-flash",
	     REQUEST(MESSAGES(HI), .schema = SPAN("{\"type\":\"object\"}"), .tools = tools + 1,
		     .tool_count = 1),
	     CONTENTS(SAID) ",\"tools\":[{\"functionDeclarations\":[{\"name\":\"g.h\"}]}],"
			    "\"generationConfig\":{\"responseMimeType\":\"application/json\","
			    "\"responseJsonSchema\":{\"type\":\"object\"}}}");
	body("and to those that do not", "gemini:gemini-2.5-flash",
	     REQUEST(MESSAGES(HI), .schema = SPAN("{\"type\":\"object\"}"), .tools = tools + 1,
		     .tool_count = 1, .system = "s"),
	     "{\"systemInstruction\":{\"parts\":[{\"text\":\"s\\n\\nAnswer with one JSON value and "
	     "nothing else: no explanation, no code fence. It must satisfy this JSON "
	     "Schema:\\n{\\\"type\\\":\\\"object\\\"}\"}]},\"contents\":[" SAID
	     "],\"tools\":[{\"functionDeclarations\":[{\"name\":\"g.h\"}]}]}");
}

/* ---- conversations ---- */

static void attachments(void)
{
	body("images and documents", "gemini:gemini-3-flash",
	     REQUEST(MESSAGES(USER(FILE_PART("image", "image/png") "," TEXT("what?") "," FILE_PART(
		 "file", "application/pdf") "," FILE_PART("file", "text/csv")))),
	     CONTENTS(CONTENT(
		 "user",
		 "{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"iVBO\"}},{\"text\":\"what?"
		 "\"},{\"inlineData\":{\"mimeType\":\"application/pdf\",\"data\":\"iVBO\"}},{"
		 "\"inlineData\":{\"mimeType\":\"text/csv\",\"data\":\"iVBO\"}}")) "}");
	body("an image of another kind", "gemini:gemini-3-flash",
	     REQUEST(MESSAGES(USER(FILE_PART("image", "image/gif")))),
	     "gemini:gemini-3-flash does not accept a message part of type image (image/gif)");
	body("a file of another kind", "gemini:gemini-3-flash",
	     REQUEST(MESSAGES(USER(FILE_PART("file", "application/zip")))),
	     "gemini:gemini-3-flash does not accept a message part of type file (application/zip)");
	body("a part of another kind", "gemini:gemini-3-flash",
	     REQUEST(MESSAGES(USER("{\"type\":\"hologram\"}"))),
	     "gemini:gemini-3-flash does not accept a message part of type hologram");
	body("a message of nobody", "gemini:gemini-3-flash", REQUEST(MESSAGES(SPAN("{}"))),
	     "a message of the conversation has no known role: {}");
}

static void own_parts(void)
{
	body("quirk 56: thoughts, texts and signatures where they came", "gemini:gemini-3-flash",
	     REQUEST(MESSAGES(
		 HI,
		 MODEL("{\"type\":\"thinking\",\"text\":\"hm\"},{\"type\":\"text\",\"text\":\"a\","
		       "\"provider_data\":{}},{\"type\":\"text\",\"text\":\"\"," SIG(
			   "S\\/=") "},{\"type\":\"text\",\"text\":\"\"}"),
		 HI)),
	     CONTENTS(SAID "," CONTENT(
		 "model", "{\"text\":\"hm\",\"thought\":true},{\"text\":\"a\"},{"
			  "\"text\":\"\",\"thoughtSignature\":\"S\\/=\"}") "," SAID) "}");
	body("what the provider ran goes back as it came", "gemini:gemini-3-flash",
	     REQUEST(MESSAGES(
		 HI,
		 MODEL("{\"type\":\"tool_call\",\"tool_call_id\":\"c\",\"provider_id\":\"\",\"tool_"
		       "name\":\"code_execution\",\"args\":{},\"executed_by\":\"provider\","
		       "\"result\":\"2\",\"is_error\":false,\"provider_data\":{\"executableCode\":{"
		       "\"code\":\"1+1\"},\"thoughtSignature\":\"S\"}},{\"type\":\"opaque\","
		       "\"provider_data\":{\"codeExecutionResult\":{\"output\":\"2\"}}},{\"type\":"
		       "\"tool_call\",\"tool_call_id\":\"d\",\"tool_name\":\"google_search\","
		       "\"args\":{},\"executed_by\":\"provider\",\"result\":\"[]\",\"is_error\":"
		       "false}"),
		 HI)),
	     CONTENTS(SAID
		      "," CONTENT("model", "{\"executableCode\":{\"code\":\"1+1\"},"
					   "\"thoughtSignature\":\"S\"},{\"codeExecutionResult\":{"
					   "\"output\":\"2\"}}") "," SAID) "}");
}

static void loops(void)
{
	body(
	    "a tool loop: one content, results in the order of the calls, ids where there were "
	    "any",
	    "gemini:gemini-3-flash",
	    REQUEST(MESSAGES(
		HI,
		MODEL(TEXT("so") "," CALL("call_1_1", SIG("S") ",", "f", "{\"n\": 1.10}") "," CALL(
		    "call_1_2", "\"provider_id\":\"\",", "f", "{}") "," CALL("x9", "", "g.h",
									     "{}")),
		TOOL(RESULT("x9", "g.h", "no", "true") "," RESULT("call_1_1", "f", "one", "false")),
		TOOL(RESULT("call_1_2", "f", "", "false")), HI)),
	    CONTENTS(SAID "," CONTENT(
		"model",
		"{\"text\":\"so\"},{\"functionCall\":{\"id\":\"call_1_1\",\"name\":\"f\","
		"\"args\":{"
		"\"n\": 1.10}},\"thoughtSignature\":\"S\"},{\"functionCall\":{\"name\":\"f\","
		"\"args\":{}}},{\"functionCall\":{\"id\":\"x9\",\"name\":\"g.h\",\"args\":{}}"
		"}") "," CONTENT("user",
				 "{\"functionResponse\":{\"id\":\"call_1_1\",\"name\":\"f\","
				 "\"response\":{"
				 "\"output\":\"one\"}}},{\"functionResponse\":{\"name\":\"f\","
				 "\"response\":{"
				 "\"output\":\"\"}}},{\"functionResponse\":{\"id\":\"x9\","
				 "\"name\":\"g.h\","
				 "\"response\":{\"error\":\"no\"}}},{\"text\":\"hi\"}")) "}");
	body("a call that was broken off, and a result of another time", "gemini:gemini-2.5-flash",
	     REQUEST(MESSAGES(HI, ELDER(CALL("a", "\"invalid_args\":\"{x\",", "f", "{}")),
			      TOOL(RESULT("b", "g", "old", "true")), HI)),
	     CONTENTS(SAID "," CONTENT(
		 "model",
		 "{\"functionCall\":{\"id\":\"a\",\"name\":\"f\","
		 "\"args\":{\"INVALID_JSON\":\"{x\"}}}") "," CONTENT("user",
								     "{\"functionResponse\":{"
								     "\"id\":\"a\",\"name\":"
								     "\"f\",\"response\":{"
								     "\"error\":\"The call was "
								     "interrupted: there is no "
								     "result.\"}}},"
								     "{\"text\":\"Result of "
								     "g:\\nError: "
								     "old\"},{\"text\":"
								     "\"hi\"}")) "}");
	body("another provider's words: no thoughts, no data, ids and odd names as they can be",
	     "gemini:gemini-3-flash",
	     REQUEST(MESSAGES(
		 HI,
		 OTHER("{\"type\":\"thinking\",\"text\":\"hm\"," SIG(
		     "S") "},{\"type\":\"opaque\","
			  "\"provider_data\":{"
			  "\"a\":1}}," TEXT(
			      "so") ",{\"type\":\"refusal\",\"text\":\"no\"},{\"type\":\"tool_"
				    "call\","
				    "\"tool_call_id\":\"s\",\"tool_name\":\"web\",\"args\":{},"
				    "\"executed_by\":\"provider\",\"result\":\"\"}," CALL(
					"call_b", "", "1 odd", "{\"n\":1}") "," CALL("call_c", "",
										     "f", "{}")),
		 TOOL(RESULT("call_b", "1 odd", "x", "false") "," RESULT("call_c", "f", "y",
									 "false")))),
	     CONTENTS(SAID "," CONTENT(
		 "model",
		 "{\"text\":\"so\"},{\"text\":\"no\"},{\"functionCall\":{\"name\":\"__odd\","
		 "\"args\":{\"n\":1}}," DUMMY "},{\"functionCall\":{\"name\":\"f\","
		 "\"args\":{}}}") "," CONTENT("user", "{\"functionResponse\":{\"name\":\"__odd\","
						      "\"response\":{\"output\":\"x\"}}},"
						      "{\"functionResponse\":{\"name\":\"f\","
						      "\"response\":{\"output\":\"y\"}}}")) "}");
	body(
	    "another model's signatures are not read, its ids are", "gemini:gemini-3-flash",
	    REQUEST(MESSAGES(HI,
			     ELDER("{\"type\":\"thinking\",\"text\":\"hm\"}," CALL(
				 "q", SIG("S") ",", "f", "{}")),
			     TOOL(RESULT("q", "f", "x", "false")))),
	    CONTENTS(SAID "," CONTENT(
		"model",
		"{\"functionCall\":{\"id\":\"q\",\"name\":\"f\","
		"\"args\":{}}," DUMMY
		"}") "," CONTENT("user",
				 "{\"functionResponse\":{\"id\":\"q\",\"name\":\"f\",\"response\":{"
				 "\"output\":\"x\"}}}")) "}");
	body(
	    "neighbours of one role are one content, silence is none", "gemini:gemini-2.5-flash",
	    REQUEST(MESSAGES(HI, HI, ELDER("{\"type\":\"text\",\"text\":\"\"}"), HI,
			     ELDER(TEXT("a")), ELDER(TEXT("b")))),
	    CONTENTS(
		CONTENT("user", "{\"text\":\"hi\"},{\"text\":\"hi\"},{\"text\":\"hi\"}") "," CONTENT(
		    "model", "{\"text\":\"a\"},{\"text\":\"b\"}")) "}");
}

/* ---- URLs ---- */

static void url(const char *name, const char *base_url, const char *model, const char *want)
{
	struct provider *provider = provider_open(name, base_url, NULL, NULL);
	struct http_request http = {0};
	struct model_request request = REQUEST(MESSAGES(HI));

	protocol_request(provider, model, &request, &http, NULL);
	unit_same(span_of(http.url), span_of(want), want);
	http_request_free(&http);
	provider_free(provider);
}

#define ASK ":streamGenerateContent?alt=sse"

static void urls(void)
{
	url("gemini", NULL, "gemini-3-flash",
	    "https://generativelanguage.googleapis.com/v1beta/models/gemini-3-flash" ASK);
	url("google", NULL, "models/gemini-3-flash",
	    "https://generativelanguage.googleapis.com/v1beta/models/gemini-3-flash" ASK);
	url("gemini", "http://h:1", "a b", "http://h:1/v1beta/models/a%20b" ASK);
	url("gemini", "http://h:1/v1/", "tunedModels/x", "http://h:1/v1/tunedModels/x" ASK);
	url("vertex", NULL, "gemini-3-flash",
	    "https://aiplatform.googleapis.com/v1/projects/p1/locations/global/publishers/google/"
	    "models/gemini-3-flash" ASK);
	url("vertex", "http://h:1", "m",
	    "http://h:1/v1/projects/p1/locations/global/publishers/google/models/m" ASK);
	setenv("GOOGLE_CLOUD_LOCATION", "europe-west4", 1);
	url("vertex", NULL, "m",
	    "https://europe-west4-aiplatform.googleapis.com/v1/projects/p1/locations/europe-west4/"
	    "publishers/google/models/m" ASK);
	setenv("GOOGLE_CLOUD_LOCATION", "global", 1);
	url("vertex", NULL, "m",
	    "https://aiplatform.googleapis.com/v1/projects/p1/locations/global/publishers/google/"
	    "models/m" ASK);
	unsetenv("GOOGLE_CLOUD_LOCATION");
	unsetenv("GOOGLE_CLOUD_PROJECT");
	setenv("GOOGLE_CLOUD_API_KEY", "test-key", 1);
	url("vertex", NULL, "m",
	    "https://aiplatform.googleapis.com/v1/publishers/google/models/m" ASK);
	unsetenv("GOOGLE_CLOUD_API_KEY");
	setenv("GOOGLE_CLOUD_PROJECT", "p1", 1);
	setenv("GOOGLE_GEMINI_BASE_URL", "https://proxy.example/", 1);
	url("gemini", NULL, "m", "https://proxy.example/v1beta/models/m" ASK);
	unsetenv("GOOGLE_GEMINI_BASE_URL");
}

/* ---- the list of models ---- */

static void list_url(const char *name, const char *want)
{
	struct provider *provider = provider_open(name, NULL, NULL, NULL);
	struct http_request http = {0};

	protocol_list_request(provider, &http, NULL);
	unit_same(span_of(http.url), span_of(want), want);
	http_request_free(&http);
	provider_free(provider);
}

static void lists(void)
{
	struct buffer out = {0};

	list_url("gemini", "https://generativelanguage.googleapis.com/v1beta/models?pageSize=1000");
	list_url("vertex", "https://aiplatform.googleapis.com/v1beta1/publishers/google/"
			   "models?pageSize=1000");
	protocol_list_read(
	    &protocol_gemini,
	    SPAN("{\"models\":[{\"name\":\"models/gemini-3-flash\",\"displayName\":\"Gemini 3 "
		 "Flash\",\"inputTokenLimit\":1048576,\"supportedGenerationMethods\":["
		 "\"countTokens\",\"generateContent\"]},{\"name\":\"models/embed\","
		 "\"supportedGenerationMethods\":[\"embedContent\"]},{\"name\":\"tunedModels/"
		 "mine\"},7,{\"name\":7}]}"),
	    &out);
	unit_same(buffer_span(&out),
		  SPAN("gemini-3-flash\t1048576\tGemini 3 Flash\ntunedModels/mine\t\t\n"),
		  "a list of models");
	buffer_clear(&out);
	protocol_list_read(
	    &protocol_gemini,
	    SPAN("{\"publisherModels\":[{\"name\":\"publishers/google/models/gemini-2.5-pro\"}]}"),
	    &out);
	unit_same(buffer_span(&out), SPAN("gemini-2.5-pro\t\t\n"), "and Vertex AI's");
	buffer_free(&out);
}

int main(void)
{
	setenv("GOOGLE_API_KEY", "test-key", 1);
	setenv("GOOGLE_CLOUD_ACCESS_TOKEN", "test-token", 1);
	setenv("GOOGLE_CLOUD_PROJECT", "p1", 1);
	unsetenv("GOOGLE_CLOUD_LOCATION");
	unsetenv("GOOGLE_GEMINI_BASE_URL");
	unsetenv("GEMINI_BASE_URL");
	unsetenv("GOOGLE_VERTEX_BASE_URL");
	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	efforts();
	parameters();
	tool_choices();
	schemas();
	attachments();
	own_parts();
	loops();
	urls();
	lists();
	return unit_done();
}
