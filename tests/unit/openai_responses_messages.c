/*
 * The conversation as openai-responses sends it.
 */
#include "mutations.h"
#include "openai_responses_texts.h"

/* Neutral messages. */
#define SAYS_OF(provider, model, parts)                                                            \
	SPAN("{\"role\":\"assistant\",\"content\":[" parts "],\"provider\":\"" provider            \
	     "\",\"model\":\"" model "\"}")
#define SAYS(parts)    SAYS_OF("openai", "gpt-5.4", parts)
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

/* ---- the conversation ---- */

static void answers(void)
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
}

static void reasoning(void)
{
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
}

static void answers_of_others(void)
{
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
}

static void calls_and_the_rest(void)
{
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

	request_body(MODEL,
		     &(struct model_request){.messages = typed(messages, 4), .message_count = 4},
		     &got);
	/* Either a request or one sentence that names what cannot be sent. */
	*sent += json_check(buffer_span(&got), NULL) ||
		 strstr(buffer_string(&got), "does not accept") != NULL ||
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

int main(void)
{
	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	setenv("OPENAI_API_KEY", "test-key", 1);
	setenv("DEEPSEEK_API_KEY", "test-key", 1);
	answers();
	reasoning();
	answers_of_others();
	calls_and_the_rest();
	wrong_types();
	return unit_done();
}
