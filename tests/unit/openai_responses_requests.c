/*
 * What openai-responses sends: parameters, tools, schemas, the conversation.
 */
#include "mutations.h"
#include "requests.h"

#include "model/provider.h"

#define MODEL         "openai:gpt-5.4"
#define OLD           "openai:gpt-4.1"
#define HEAD          "{\"model\":\"gpt-5.4\",\"stream\":true,\"store\":false,"
#define OLD_HEAD      "{\"model\":\"gpt-4.1\",\"stream\":true,\"store\":false,"
#define INCLUDE       "\"include\":[\"reasoning.encrypted_content\"]"
#define TAIL          "," INCLUDE ",\"reasoning\":{\"summary\":\"auto\"}}"
#define USER(content) "{\"role\":\"user\",\"content\":" content "}"
#define SENT_HI       "\"input\":[" USER("\"hi\"") "]"
#define THINKS(level) "," INCLUDE ",\"reasoning\":{\"summary\":\"auto\",\"effort\":\"" level "\"}}"

/* Neutral messages. */
#define TEXT(text) "{\"type\":\"text\",\"text\":\"" text "\"}"
#define SAYS_OF(provider, model, parts)                                                            \
	SPAN("{\"role\":\"assistant\",\"content\":[" parts "],\"provider\":\"" provider            \
	     "\",\"model\":\"" model "\"}")
#define SAYS(parts)    SAYS_OF("openai", "gpt-5.4", parts)
#define ASKS(parts)    SPAN(USER("[" parts "]"))
#define RESULTS(parts) SPAN("{\"role\":\"tool\",\"content\":[" parts "]}")
#define DATA(data)     ",\"provider_data\":{" data "}"
#define CALL(id, more)                                                                             \
	"{\"type\":\"tool_call\",\"tool_call_id\":\"" id "\",\"tool_name\":\"f\"," more "}"
#define RESULT(id, more)                                                                           \
	"{\"type\":\"tool_result\",\"tool_call_id\":\"" id "\",\"tool_name\":\"f\"," more "}"
#define SAID(text, data) "{\"type\":\"text\",\"text\":\"" text "\"" DATA(data) "}"
#define THOUGHT(data)                                                                              \
	"{\"type\":\"thinking\",\"text\":\"hm\"" DATA("\"type\":\"reasoning\"," data) "}"

/* What it is on the wire. */
#define OUTPUT_TEXT(text) "{\"type\":\"output_text\",\"text\":\"" text "\",\"annotations\":[]}"
#define ANSWER(text)      "{\"role\":\"assistant\",\"content\":[" OUTPUT_TEXT(text) "]}"
#define ITEM(id, more, text)                                                                       \
	"{\"type\":\"message\",\"id\":\"" id                                                       \
	"\",\"status\":\"completed\",\"role\":\"assistant\"," more                                 \
	"\"content\":[" OUTPUT_TEXT(text) "]}"
#define USE(more, args)                                                                            \
	"{\"type\":\"function_call\"," more ",\"name\":\"f\",\"arguments\":\"" args "\"}"
#define GAVE(id, output)                                                                           \
	"{\"type\":\"function_call_output\",\"call_id\":\"" id "\",\"output\":\"" output "\"}"
#define INPUT(items) "\"input\":[" USER("\"hi\"") "," items "]"

#define F_SCHEMA "{\"type\":\"object\",\"properties\":{\"n\":{\"type\": \"number\"}}}"

static const struct model_tool tool = {"f", "Does f.", {F_SCHEMA, sizeof(F_SCHEMA) - 1}};

#define WITH_TOOL .tools = &tool, .tool_count = 1
#define TOOL                                                                                       \
	"{\"type\":\"function\",\"name\":\"f\",\"description\":\"Does f.\",\"parameters\":"        \
	"" F_SCHEMA ",\"strict\":false}"
#define SENT_TOOLS ",\"tools\":[" TOOL "]"

/* ---- parameters ---- */

static void parameters(void)
{
	body("the least, of a model that reasons", MODEL, REQUEST(MESSAGES(HI)), HEAD SENT_HI TAIL);
	body("of one that does not", OLD, REQUEST(MESSAGES(HI)), OLD_HEAD SENT_HI "}");
	body("instructions and a limit", MODEL,
	     REQUEST(MESSAGES(SPAN("{\"role\":\"system\",\"content\":\"Be kind.\"}"), HI),
		     .system = "Be \"terse\".", .max_tokens = 100),
	     HEAD "\"instructions\":\"Be \\\"terse\\\".\\n\\nBe kind.\"," SENT_HI
		  ",\"max_output_tokens\":100" TAIL);
	body("what the user sets", OLD,
	     REQUEST(MESSAGES(HI),
		     OPTIONS({"temperature", SPAN("0.50")}, {"metadata", SPAN("{\"a\":\"b\"}")})),
	     OLD_HEAD SENT_HI ",\"temperature\":0.50,\"metadata\":{\"a\":\"b\"}}");
	body("what the user leaves out", MODEL,
	     REQUEST(MESSAGES(HI),
		     OPTIONS({"include", SPAN("null")}, {"reasoning", SPAN("{\"summary\":null}")})),
	     HEAD SENT_HI ",\"reasoning\":{}}");
	body("more to include", MODEL,
	     REQUEST(MESSAGES(HI),
		     OPTIONS({"include", SPAN("[\"web_search_call.action.sources\"]")})),
	     HEAD SENT_HI
	     ",\"include\":[\"reasoning.encrypted_content\","
	     "\"web_search_call.action.sources\"],\"reasoning\":{\"summary\":\"auto\"}}");
	body("what a model refuses", "openai:o3",
	     REQUEST(MESSAGES(HI), OPTIONS({"temperature", SPAN("0.5")})),
	     "openai:o3 does not take the parameter temperature (-o temperature)");
	body("how much it says", MODEL,
	     REQUEST(MESSAGES(HI), OPTIONS({"text", SPAN("{\"verbosity\":\"low\"}")})),
	     HEAD SENT_HI "," INCLUDE ",\"reasoning\":{\"summary\":\"auto\"},\"text\":{"
			  "\"verbosity\":\"low\"}}");
}

static void effort(void)
{
	body("effort low", MODEL, REQUEST(MESSAGES(HI), .effort = "low"),
	     HEAD SENT_HI THINKS("low"));
	body("effort max", MODEL, REQUEST(MESSAGES(HI), .effort = "max"),
	     HEAD SENT_HI THINKS("xhigh"));
	body("effort none", MODEL, REQUEST(MESSAGES(HI), .effort = "none"),
	     HEAD SENT_HI "," INCLUDE ",\"reasoning\":{\"effort\":\"none\"}}");
	body("effort none of gpt-5", "openai:gpt-5", REQUEST(MESSAGES(HI), .effort = "none"),
	     "{\"model\":\"gpt-5\",\"stream\":true,\"store\":false," SENT_HI THINKS("minimal"));
	body("effort max of o3", "openai:o3", REQUEST(MESSAGES(HI), .effort = "max"),
	     "{\"model\":\"o3\",\"stream\":true,\"store\":false," SENT_HI THINKS("high"));
	body("effort none of o3", "openai:o3", REQUEST(MESSAGES(HI), .effort = "none"),
	     "openai:o3 has no effort level none");
	body("effort of a model that does not reason", OLD, REQUEST(MESSAGES(HI), .effort = "low"),
	     "openai:gpt-4.1 has no effort level low");
	body("effort of another server", "xai-responses:grok-4.3",
	     REQUEST(MESSAGES(HI), .effort = "max"),
	     "{\"model\":\"grok-4.3\",\"stream\":true,\"store\":false," SENT_HI "," INCLUDE
	     ",\"reasoning\":{\"effort\":\"high\"}}");
}

/* ---- tools ---- */

static void tools(void)
{
	body("a tool", MODEL, REQUEST(MESSAGES(HI), WITH_TOOL), HEAD SENT_HI SENT_TOOLS TAIL);
	body("none may be called", MODEL, REQUEST(MESSAGES(HI), WITH_TOOL, .tool_choice = "none"),
	     HEAD SENT_HI SENT_TOOLS ",\"tool_choice\":\"none\"" TAIL);
	body("one must be called", MODEL,
	     REQUEST(MESSAGES(HI), WITH_TOOL, .tool_choice = "required"),
	     HEAD SENT_HI SENT_TOOLS ",\"tool_choice\":\"required\"" TAIL);
	body("this one must be called, alone", OLD,
	     REQUEST(MESSAGES(HI), WITH_TOOL, .tool_choice = "f",
		     OPTIONS({"parallel_tool_calls", SPAN("false")})),
	     OLD_HEAD SENT_HI SENT_TOOLS ",\"tool_choice\":{\"type\":\"function\",\"name\":\"f\"},"
					 "\"parallel_tool_calls\":false}");
	body("a choice among none", MODEL, REQUEST(MESSAGES(HI), .tool_choice = "required"),
	     HEAD SENT_HI TAIL);
	body("a tool of the provider's beside", OLD,
	     REQUEST(MESSAGES(HI), WITH_TOOL,
		     OPTIONS({"tools", SPAN("[{\"type\":\"web_search\"}]")})),
	     OLD_HEAD SENT_HI ",\"tools\":[" TOOL ",{\"type\":\"web_search\"}]}");
	body("a tool of the provider's alone, which must be used", OLD,
	     REQUEST(MESSAGES(HI), .tool_choice = "required",
		     OPTIONS({"tools", SPAN("[{\"type\":\"web_search\"}]")})),
	     OLD_HEAD SENT_HI
	     ",\"tool_choice\":\"required\",\"tools\":[{\"type\":\"web_search\"}]}");
	body("a tool without parameters", OLD,
	     REQUEST(MESSAGES(HI), .tools = (const struct model_tool[]){{"g", NULL, {0}}},
		     .tool_count = 1),
	     OLD_HEAD SENT_HI
	     ",\"tools\":[{\"type\":\"function\",\"name\":\"g\",\"parameters\":{\"type\":"
	     "\"object\",\"properties\":{}},\"strict\":false}]}");
}

/* ---- schemas ---- */

static void schemas(void)
{
#define FORMAT(name, strict, schema)                                                               \
	",\"text\":{\"format\":{\"type\":\"json_schema\",\"name\":\"" name "\",\"strict\":" strict \
	",\"schema\":" schema "}}"
#define CLOSED                                                                                     \
	"{\"title\":\"A number\",\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"number\"}}" \
	",\"required\":[\"n\"],\"additionalProperties\":false}"
	body("a schema that the API takes as it is", MODEL,
	     REQUEST(MESSAGES(HI), .schema = SPAN(CLOSED)),
	     HEAD SENT_HI FORMAT("A_number", "true", CLOSED) TAIL);
	body("one that it does not", MODEL, REQUEST(MESSAGES(HI), .schema = SPAN(F_SCHEMA)),
	     HEAD SENT_HI FORMAT("answer", "false", F_SCHEMA) TAIL);
	body(
	    "beside what the user says of the text", OLD,
	    REQUEST(MESSAGES(HI), .schema = SPAN(CLOSED),
		    OPTIONS({"text", SPAN("{\"verbosity\":\"low\"}")})),
	    OLD_HEAD SENT_HI
	    ",\"text\":{\"format\":{\"type\":\"json_schema\",\"name\":\"A_number\",\"strict\":true,"
	    "\"schema\":" CLOSED "},\"verbosity\":\"low\"}}");
}

/* ---- attachments ---- */

#define ATTACHED(type, media, name)                                                                \
	ASKS("{\"type\":\"" type "\",\"media_type\":\"" media "\",\"data\":\"QUJD\"" name          \
	     "}," TEXT("see"))

static void attachments(void)
{
	body("an image", OLD, REQUEST(MESSAGES(ATTACHED("image", "image/png", ",\"name\":\"a\""))),
	     OLD_HEAD
	     "\"input\":[" USER("[{\"type\":\"input_image\",\"image_url\":\"data:image/png;"
				"base64,QUJD\"},{\"type\":\"input_text\",\"text\":\"see\"}]") "]}");
	body("a file", OLD,
	     REQUEST(MESSAGES(ATTACHED("file", "application/pdf", ",\"name\":\"a b.pdf\""))),
	     OLD_HEAD "\"input\":[" USER(
		 "[{\"type\":\"input_file\",\"filename\":\"a "
		 "b.pdf\",\"file_data\":\"data:application"
		 "/pdf;base64,QUJD\"},{\"type\":\"input_text\",\"text\":\"see\"}]") "]}");
	body("a file without a name", OLD,
	     REQUEST(MESSAGES(ATTACHED("file", "application/pdf", ""))),
	     OLD_HEAD "\"input\":[" USER(
		 "[{\"type\":\"input_file\",\"filename\":\"file\",\"file_data\":\"data:application/"
		 "pdf;base64,QUJD\"},{\"type\":\"input_text\",\"text\":\"see\"}]") "]}");
	body("something else", OLD, REQUEST(MESSAGES(ATTACHED("video", "video/mp4", ""))),
	     "openai:gpt-4.1 cannot be sent a message part of type video");
	body("a server that takes none", "deepseek-responses:m",
	     REQUEST(MESSAGES(ATTACHED("image", "image/png", ""))),
	     "deepseek-responses:m cannot be sent a message part of type image");
}

/* ---- the conversation ---- */

static void conversations(void)
{
	body("texts", OLD,
	     REQUEST(MESSAGES(HI, SAYS(TEXT("a") "," TEXT("")), SPAN(USER("\"b\"")),
			      ASKS(TEXT("c") "," TEXT("d")), ASKS(TEXT("")), ASKS(""))),
	     OLD_HEAD INPUT(ANSWER("a") "," USER("\"b\"") "," USER(
		 "[{\"type\":\"input_text\",\"text\":\"c\"},{\"type\":\"input_text\",\"text\":"
		 "\"d\"}]")) "}");
	body(
	    "reasoning, commentary, calls and an answer, as they were", MODEL,
	    REQUEST(MESSAGES(
		HI,
		SAYS(THOUGHT(
		    "\"id\":\"rs_1\",\"summary\":[{\"type\":\"summary_text\",\"text\":"
		    "\"hm\"}],\"encrypted_content\":\"gA\\u0042+/=\"") "," SAID("Wait.",
										"\"id\":\"msg_"
										"1\",\"phase\":"
										"\"commentary"
										"\"") "," CALL("ca"
											       "ll"
											       "_"
											       "1",
											       "\""
											       "ar"
											       "gs"
											       "\""
											       ":{"
											       "\""
											       "n"
											       "\""
											       ": "
											       "1."
											       "10"
											       "}" DATA(
												   "\"id\":\"fc_1\"")) "," CALL("call_2",
																"\"args\":{}" DATA(
																    "\"id\":\"fc_2\",\"namespace\":\"s\""))),
		RESULTS(RESULT("call_2", "\"result\":\"no\",\"is_error\":true")),
		RESULTS(RESULT("call_1", "\"result\":\"one\"")),
		SAYS(SAID("Done.", "\"id\":\"msg_2\",\"phase\":\"final_answer\"")), HI)),
	    HEAD INPUT(
		"{\"type\":\"reasoning\",\"id\":\"rs_1\",\"summary\":[{\"type\":\"summary_text\","
		"\"text\":\"hm\"}],\"encrypted_content\":\"gA\\u0042+/=\"}," ITEM(
		    "msg_1", "\"phase\":\"commentary\",",
		    "Wait.") "," USE("\"id\":\"fc_1\",\"call_id\":\"call_1\"",
				     "{\\\"n\\\": 1.10}") ",{\"type\":\"function_call\",\"id\":"
							  "\"fc_2\",\"call_id\":"
							  "\"call_2\",\"name\":\"f\","
							  "\"arguments\":"
							  "\"{}\","
							  "\"namespace\":\"s\"}," GAVE(
							      "call_2",
							      "E"
							      "r"
							      "r"
							      "o"
							      "r"
							      ":"
							      " "
							      "n"
							      "o") "," GAVE("call_1",
									    "one") "," ITEM("msg_"
											    "2",
											    "\"pha"
											    "se\":"
											    "\"fin"
											    "al_"
											    "answe"
											    "r\",",
											    "Done"
											    ".") "," USER("\""
													  "hi"
													  "\""))
		TAIL);
	body("reasoning that is not encrypted stays behind, with all ids", MODEL,
	     REQUEST(MESSAGES(HI,
			      SAYS(THOUGHT("\"id\":\"rs_1\",\"summary\":[]") "," SAID(
				  "a", "\"id\":\"msg_1\",\"phase\":\"final_answer\"")),
			      HI)),
	     HEAD INPUT("{\"role\":\"assistant\",\"phase\":\"final_answer\",\"content\":"
			"[" OUTPUT_TEXT("a") "]}," USER("\"hi\"")) TAIL);
	body("unless the provider has stored it", MODEL,
	     REQUEST(MESSAGES(HI,
			      SAYS(THOUGHT("\"id\":\"rs_1\",\"summary\":[]") "," SAID(
				  "a", "\"id\":\"msg_1\"")),
			      HI),
		     OPTIONS({"store", SPAN("true")})),
	     "{\"model\":\"gpt-5.4\",\"stream\":true,\"store\":true," INPUT(
		 "{\"type\":\"reasoning\",\"id\":\"rs_1\",\"summary\":[]}," ITEM(
		     "msg_1", "", "a") "," USER("\"hi\"")) TAIL);
	body(
	    "reasoning that came later than its part", MODEL,
	    REQUEST(MESSAGES(
		HI,
		SPAN("{\"role\":\"assistant\",\"content\":[" THOUGHT(
		    "\"id\":\"rs_1\",\"summary\":"
		    "[]") "," SAID("a", "\"id\":\"msg_1\"") "],"
							    "\"provider\":\"openai\",\"model\":"
							    "\"gpt-5.4\","
							    "\"provider_data\":{\"reasoning\":"
							    "[{\"type\":\"reasoning\",\"summary\":["
							    "],\"encrypted_content\":\"gA=\"}]}}"),
		HI)),
	    HEAD INPUT("{\"type\":\"reasoning\",\"id\":\"rs_1\",\"summary\":[],"
		       "\"encrypted_content\":\"gA=\"}," ITEM("msg_1", "", "a") "," USER("\"hi\""))
		TAIL);
	body("reasoning with nothing behind it stays behind", MODEL,
	     REQUEST(MESSAGES(HI,
			      SAYS(THOUGHT("\"id\":\"rs_1\",\"summary\":[],"
					   "\"encrypted_content\":\"gA=\"")),
			      HI)),
	     HEAD INPUT(USER("\"hi\"")) TAIL);
	body(
	    "an item without an id: none has one", MODEL,
	    REQUEST(MESSAGES(HI,
			     SAYS(THOUGHT("\"id\":\"rs_1\",\"summary\":[],\"encrypted_content\":"
					  "\"gA=\"") "," CALL("c", "\"args\":{}")),
			     RESULTS(RESULT("c", "\"result\":\"r\"")))),
	    HEAD INPUT("{\"type\":\"reasoning\",\"summary\":[],\"encrypted_content\":\"gA=\"}," USE(
		"\"call_id\":\"c\"", "{}") "," GAVE("c", "r")) TAIL);
	body("of another model: no reasoning, no ids", "openai:gpt-5.5",
	     REQUEST(MESSAGES(
		 HI,
		 SAYS(THOUGHT("\"id\":\"rs_1\",\"summary\":[],\"encrypted_content\":"
			      "\"gA=\"") "," SAID("a",
						  "\"id\":\"m\"") "," CALL("c",
									   "\"args\":{}" DATA(
									       "\"id\":\"fc\""))),
		 RESULTS(RESULT("c", "\"result\":\"r\"")))),
	     "{\"model\":\"gpt-5.5\",\"stream\":true,\"store\":false," INPUT(
		 ANSWER("a") "," USE("\"call_id\":\"c\"", "{}") "," GAVE("c", "r")) TAIL);
	body(
	    "of another provider: texts and calls, with ids and names that the API takes", OLD,
	    REQUEST(MESSAGES(
		HI,
		SAYS_OF(
		    "anthropic", "claude",
		    "{\"type\":\"thinking\",\"text\":\"hm\"" DATA("\"signature\":\"x\"") "}," SAID(
			"a",
			"\"citations\":[]") ",{\"type\":"
					    "\"opaque\"" DATA(
						"\"type\":\"redacted_thinking\"") "},{"
										  "\"type\":"
										  "\"tool_"
										  "call\","
										  "\"tool_"
										  "call_id\":"
										  "\"s\","
										  "\"tool_"
										  "name\":"
										  "\"web_"
										  "search\","
										  "\"args\":{}"
										  ","
										  "\"executed_"
										  "by\":"
										  "\"provider"
										  "\","
										  "\"result\":"
										  "\"r\"" DATA(
										      "\"items"
										      "\":[{"
										      "\"type"
										      "\":"
										      "\"x\"}"
										      "]") "},"
											   "{"
											   "\""
											   "ty"
											   "pe"
											   "\""
											   ":"
											   "\""
											   "to"
											   "ol"
											   "_c"
											   "al"
											   "l"
											   "\""
											   ","
											   "\""
											   "to"
											   "ol"
											   "_c"
											   "al"
											   "l_"
											   "id"
											   "\""
											   ":"
											   "\""
											   "01"
											   "23"
											   "45"
											   "67"
											   "89"
											   "01"
											   "23"
											   "45"
											   "67"
											   "89"
											   "01"
											   "23"
											   "45"
											   "67"
											   "89"
											   "01"
											   "23"
											   "45"
											   "67"
											   "89"
											   "01"
											   "23"
											   "45"
											   "67"
											   "89"
											   "01"
											   "23"
											   "45"
											   "67"
											   "89"
											   "ab"
											   "cd"
											   "e"
											   "\""
											   ","
											   "\""
											   "to"
											   "ol"
											   "_n"
											   "am"
											   "e"
											   "\""
											   ":"
											   "\""
											   "fu"
											   "nc"
											   "ti"
											   "on"
											   "s."
											   "f"
											   "\""
											   ","
											   "\""
											   "ar"
											   "gs"
											   "\""
											   ":{"
											   "}" DATA(
											       "\"c"
											       "all"
											       "er"
											       "\":"
											       "1") "}"),
		RESULTS(RESULT("012345678901234567890123456789012345678901234567890123456789abcde",
			       "\"result\":\"r\"")))),
	    OLD_HEAD INPUT(
		ANSWER("a") ",{\"type\":\"function_call\",\"call_id\":\"call_733424a5a02e2dc0\","
			    "\"name\":\"functions_f\",\"arguments\":\"{}\"}," GAVE(
				"call_733424a5a02e2dc0", "r")) "}");
	body(
	    "a call without a result, and a result without a call", OLD,
	    REQUEST(MESSAGES(HI, SAYS(CALL("c", "\"args\":{}")),
			     RESULTS(RESULT("x", "\"result\":\"r\"")), HI)),
	    OLD_HEAD INPUT(USE("\"call_id\":\"c\"", "{}") "," GAVE(
		"c",
		"Error: the call was interrupted before it had a result.") "," USER("\"hi\"")) "}");
	body("arguments that are no JSON", OLD,
	     REQUEST(MESSAGES(HI, SAYS(CALL("c", "\"args\":{},\"invalid_args\":\"{\\\"n\"")),
			      RESULTS(RESULT("c", "\"result\":\"r\"")))),
	     OLD_HEAD INPUT(
		 USE("\"call_id\":\"c\"",
		     "{\\\"INVALID_JSON\\\":\\\"{\\\\\\\"n\\\"}") "," GAVE("c", "r")) "}");
	body(
	    "a custom tool's call and result", OLD,
	    REQUEST(MESSAGES(HI,
			     SAYS(CALL("c", "\"args\":{\"input\":\"a\\nb\"}" DATA(
						"\"type\":\"custom_tool_call\",\"id\":\"ctc\""))),
			     RESULTS(RESULT("c", "\"result\":\"r\"")))),
	    OLD_HEAD INPUT("{\"type\":\"custom_tool_call\",\"call_id\":\"c\",\"name\":\"f\","
			   "\"input\":\"a\\nb\"},{\"type\":\"custom_tool_call_output\",\"call_id\":"
			   "\"c\",\"output\":\"r\"}") "}");
	body(
	    "a refusal", OLD,
	    REQUEST(MESSAGES(HI, SAYS("{\"type\":\"refusal\",\"text\":\"No.\"}"), HI)),
	    OLD_HEAD INPUT("{\"role\":\"assistant\",\"content\":[{\"type\":\"refusal\",\"refusal\":"
			   "\"No.\"}]}," USER("\"hi\"")) "}");
	body(
	    "a hosted call and what else was kept go back as they were", MODEL,
	    REQUEST(MESSAGES(
		HI,
		SAYS(
		    "{\"type\":\"tool_call\",\"tool_call_id\":\"ws\",\"tool_name\":\"web_search\","
		    "\"args\":{},\"executed_by\":\"provider\",\"result\":\"\"" DATA(
			"\"items\":[{\"type\":\"web_search_call\",\"id\":\"ws\"}]") "},{\"type\":"
										    "\"opaque"
										    "\"" DATA(
											"\"ty"
											"pe\""
											":\"c"
											"ompa"
											"ctio"
											"n\","
											"\"en"
											"cryp"
											"ted_"
											"cont"
											"ent"
											"\":"
											"\"x"
											"\"") "}"
											      "," SAID(
												  "a",
												  "\"id\":"
												  "\"m\"")),
		HI)),
	    HEAD INPUT("{\"type\":\"web_search_call\",\"id\":\"ws\"},{\"type\":\"compaction\","
		       "\"encrypted_content\":\"x\"}," ITEM("m", "", "a") "," USER("\"hi\"")) TAIL);
	body("a server that wants the calls last", "deepseek-responses:m",
	     REQUEST(MESSAGES(
		 HI, SAYS_OF("deepseek-responses", "m", CALL("c", "\"args\":{}") "," TEXT("a")),
		 RESULTS(RESULT("c", "\"result\":\"r\"")))),
	     "{\"model\":\"m\",\"stream\":true,\"store\":false," INPUT(
		 ANSWER("a") "," USE("\"call_id\":\"c\"", "{}") "," GAVE("c", "r")) "}");
	body("a role that nobody knows", OLD,
	     REQUEST(MESSAGES(SPAN("{\"role\":\"judge\",\"content\":\"a\"}"))),
	     "a message of the conversation has no known role: "
	     "{\"role\":\"judge\",\"content\":\"a\"}");
}

/* ---- whatever the types are ---- */

static void try_message(void *context, struct span message)
{
	int *sent = context;
	struct buffer got = {0};
	struct span messages[] = {HI, message, RESULTS(RESULT("c", "\"result\":\"r\"")), HI};

	request_body(MODEL, &(struct model_request){.messages = messages, .message_count = 4},
		     &got);
	/* Either a request or one sentence that names what cannot be sent. */
	*sent += json_check(buffer_span(&got), NULL) ||
		 strstr(buffer_string(&got), "cannot be sent") != NULL ||
		 strstr(buffer_string(&got), "no known role") != NULL;
	buffer_free(&got);
}

static void wrong_types(void)
{
	const struct span messages[] = {
	    ASKS(TEXT("a") ",{\"type\":\"image\",\"media_type\":\"image/png\",\"data\":\"QUJD\"},{"
			   "\"type\":\"file\",\"media_type\":\"a/b\",\"data\":\"QUJD\",\"name\":"
			   "\"n\"}"),
	    SAYS(THOUGHT(
		"\"id\":\"rs\",\"summary\":[],\"content\":[{\"text\":\"x\"}],"
		"\"encrypted_content\":\"x\"") "," SAID("a",
							"\"id\":\"m\",\"phase\":"
							"\"p\"") "," CALL("c", "\"args\":{"
									       "\"input\":"
									       "\"x\"},"
									       "\"invalid_"
									       "args\":"
									       "\"x"
									       "\"" DATA("\"id\""
											 ":\"fc"
											 "\","
											 "\"type"
											 "\":"
											 "\"cust"
											 "om_"
											 "tool_"
											 "call"
											 "\""))),
	    SAYS(
		"{\"type\":\"tool_call\",\"tool_call_id\":\"s\",\"tool_name\":\"w\",\"args\":{},"
		"\"executed_by\":\"provider\"" DATA(
		    "\"items\":[{\"type\":\"x\"}]") "},{\"type\":"
						    "\"opaque\"" DATA(
							"\"type\":\"x\"") "},{\"type\":\"refusal\","
									  "\"text\":\"No.\"}"),
	    RESULTS(RESULT("c", "\"result\":\"r\",\"is_error\":true")),
	};
	int tried = 0, sent = 0;

	for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++)
		tried += mutations(messages[i], try_message, &sent);
	unit_ok(tried > 500 && sent == tried, "members of any type: %d of %d are sent or refused",
		sent, tried);
}

/* ---- URL, headers, the list of models ---- */

static void same_head(const char *title, const char *name, const char *base_url, bool list,
		      const char *want)
{
	struct error e = {0};
	struct provider *provider = provider_open(name, base_url, &e);
	struct http_request http = {0};
	struct buffer got = {0};

	if (provider == NULL)
		buffer_add_text(&got, e.message);
	else if (list)
		provider->protocol->list_request(provider, provider->base_url, &http, &e);
	else
		provider->protocol->request(provider, "m", provider->base_url,
					    &REQUEST(MESSAGES(HI)), &http, &e);
	if (provider != NULL) {
		provider_dress(provider, &http, &e);
		buffer_add_text(&got, http.url);
	}
	for (size_t i = 0; i < http.header_count; i++)
		buffer_add_format(&got, "\n%s", http.headers[i].line);
	unit_same(buffer_span(&got), span_of(want), title);
	buffer_free(&got);
	http_request_free(&http);
	provider_free(provider);
	error_clear(&e);
}

static void heads(void)
{
#define TYPES "\nContent-Type: application/json\nAccept: text/event-stream"
	same_head("URL and headers", "openai", NULL, false,
		  "https://api.openai.com/v1/responses" TYPES "\nAuthorization: Bearer test-key");
	same_head("a URL with a slash behind it", "openai", "http://h/x/v1/", false,
		  "http://h/x/v1/responses" TYPES "\nAuthorization: Bearer test-key");
	same_head(
	    "the list of models", "openai", NULL, true,
	    "https://api.openai.com/v1/models\nAccept: application/json\nAuthorization: Bearer "
	    "test-key");
	setenv("OPENAI_ORG_ID", "org-1", 1);
	setenv("OPENAI_PROJECT_ID", "proj-1", 1);
	same_head("whose organisation and project", "openai", NULL, false,
		  "https://api.openai.com/v1/responses" TYPES
		  "\nAuthorization: Bearer test-key\nOpenAI-Organization: org-1\nOpenAI-Project: "
		  "proj-1");
	setenv("AZURE_OPENAI_API_KEY", "azure-key", 1);
	setenv("AZURE_OPENAI_ENDPOINT", "https://res.openai.azure.com/", 1);
	same_head("Azure", "azure-responses", NULL, false,
		  "https://res.openai.azure.com/openai/v1/responses" TYPES "\napi-key: azure-key");
	unsetenv("AZURE_OPENAI_ENDPOINT");
	setenv("AZURE_OPENAI_RESOURCE_NAME", "other", 1);
	setenv("AZURE_OPENAI_AD_TOKEN", "azure-token", 1);
	same_head("Azure, with a token", "azure-responses", NULL, false,
		  "https://other.openai.azure.com/openai/v1/responses" TYPES
		  "\nAuthorization: Bearer azure-token");
}

int main(void)
{
	setenv("AGENT_SHARE", "share/agent", 1);
	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	setenv("OPENAI_API_KEY", "test-key", 1);
	setenv("XAI_API_KEY", "test-key", 1);
	setenv("DEEPSEEK_API_KEY", "test-key", 1);
	unsetenv("OPENAI_BASE_URL");
	unsetenv("OPENAI_ORG_ID");
	unsetenv("OPENAI_PROJECT_ID");
	unsetenv("OPENAI_CUSTOM_HEADERS");
	unsetenv("AZURE_OPENAI_AD_TOKEN");
	unsetenv("AZURE_OPENAI_BASE_URL");
	parameters();
	effort();
	tools();
	schemas();
	attachments();
	conversations();
	wrong_types();
	heads();
	return unit_done();
}
