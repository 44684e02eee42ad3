/*
 * What openai-responses sends: parameters, tools, schemas, attachments; to which URL.
 */
#include "openai_responses_texts.h"

#include "model/provider.h"

#define SENT_HI       "\"input\":[" USER("\"hi\"") "]"
#define THINKS(level) "," INCLUDE ",\"reasoning\":{\"summary\":\"auto\",\"effort\":\"" level "\"}}"
#define F_SCHEMA      "{\"type\":\"object\",\"properties\":{\"n\":{\"type\": \"number\"}}}"

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
	     "openai:o3 does not accept the parameter temperature (-o temperature)");
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
	     ",\"tools\":[{\"type\":\"web_search\"}],\"tool_choice\":\"required\"}");
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
	     "openai:gpt-4.1 does not accept a message part of type video (video/mp4)");
	body("a server that takes none", "deepseek-responses:m",
	     REQUEST(MESSAGES(ATTACHED("image", "image/png", ""))),
	     "deepseek-responses:m does not accept a message part of type image (image/png)");
}

/* ---- URL, headers, the list of models ---- */

static void same_head(const char *title, const char *name, const char *base_url, bool list,
		      const char *want)
{
	struct error e = {0};
	struct provider *provider = provider_open(name, base_url, NULL, &e);
	struct http_request http = {0};
	struct buffer got = {0};

	if (provider == NULL)
		buffer_add_text(&got, e.message);
	else if (list)
		protocol_list_request(provider, &http, &e);
	else
		protocol_request(provider, "m", &REQUEST(MESSAGES(HI)), &http, &e);
	if (provider != NULL) {
		provider_complete_request(provider, &http, NULL, &e);
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
	heads();
	return unit_done();
}
