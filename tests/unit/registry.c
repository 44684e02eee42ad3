/*
 * The registry against the environment: URLs, keys, the user's file; and the requests that the
 * entries give rise to.
 */
#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "model/model.h"
#include "model/protocol/protocol.h"
#include "model/registry.h"

static char folder[] = "/tmp/unit-registry-XXXXXX";

static void write_own(const char *text)
{
	struct buffer path = {0};
	FILE *file;

	buffer_add_format(&path, "%s/agent", folder);
	mkdir(buffer_string(&path), 0700);
	buffer_add_text(&path, "/providers.json");
	file = fopen(buffer_string(&path), "w");
	fputs(text, file);
	fclose(file);
	buffer_free(&path);
}

static void remove_own(void)
{
	struct buffer path = {0};

	buffer_add_format(&path, "%s/agent/providers.json", folder);
	unlink(buffer_string(&path));
	path.len -= strlen("/providers.json");
	rmdir(buffer_string(&path));
	buffer_free(&path);
}

/* ---- opening ---- */

/* Set the variables "A=1", "B=2", ..., NULL; or unset them again. */
static void with(const char *const *variables, bool set)
{
	for (; variables != NULL && *variables != NULL; variables++) {
		const char *equals = strchr(*variables, '=');
		char *name = mem_copy((struct span){*variables, (size_t)(equals - *variables)});

		if (set)
			setenv(name, equals + 1, 1);
		else
			unsetenv(name);
		free(name);
	}
}

/* What provider_open makes of `name`: "URL key auth", or the message. */
static void opens(const char *title, const char *name, const char *base_url,
		  const char *const *variables, const char *want)
{
	struct error e = {0};
	struct provider *provider;
	struct buffer got = {0};

	with(variables, true);
	provider = provider_open(name, base_url, &e);
	with(variables, false);
	if (provider != NULL)
		buffer_add_format(&got, "%s %s %s", provider->base_url,
				  provider->key.len > 0 ? buffer_string(&provider->key) : "-",
				  provider->auth);
	else
		buffer_add_format(&got, "%s: %s", e.kind, e.message);
	unit_same(buffer_span(&got), span_of(want), title);
	provider_free(provider);
	error_clear(&e);
	buffer_free(&got);
}

#define OPENS(title, name, base_url, want, ...)                                                    \
	opens(title, name, base_url, (const char *const[]){__VA_ARGS__, NULL}, want)

static void urls(void)
{
	OPENS("the registry's URL", "groq", NULL, "https://api.groq.com/openai/v1 k bearer",
	      "GROQ_API_KEY=k");
	OPENS("--base-url", "groq", "http://h/x", "http://h/x k bearer", "GROQ_API_KEY=k",
	      "GROQ_BASE_URL=http://other");
	OPENS("a variable, less the slash at its end", "openai-chat", NULL, "http://h/v1 k bearer",
	      "OPENAI_API_KEY=k", "OPENAI_BASE_URL=http://h/v1/");
	OPENS("AWS_DEFAULT_REGION is a region, too", "bedrock-mantle", NULL,
	      "https://bedrock-mantle.eu-west-1.api.aws/openai/v1 k bearer",
	      "AWS_BEARER_TOKEN_BEDROCK=k", "AWS_DEFAULT_REGION=eu-west-1");
	OPENS("GROQ_BASE_URL is only the host", "groq", NULL, "https://h/openai/v1 k bearer",
	      "GROQ_API_KEY=k", "GROQ_BASE_URL=https://h");
	OPENS("or more than that", "groq", NULL, "https://h/openai/v1 k bearer", "GROQ_API_KEY=k",
	      "GROQ_BASE_URL=https://h/openai/v1");
	OPENS("an empty variable is none", "groq", NULL, "https://api.groq.com/openai/v1 k bearer",
	      "GROQ_API_KEY=k", "GROQ_BASE_URL=");
	opens("ollama needs no key", "ollama", NULL, NULL, "http://127.0.0.1:11434 - bearer");
	OPENS("OLLAMA_HOST is a host", "ollama", NULL, "http://box:11434 - bearer",
	      "OLLAMA_HOST=box");
	OPENS("with a port", "ollama", NULL, "http://box:1 - bearer", "OLLAMA_HOST=box:1");
	OPENS("only a port", "ollama", NULL, "http://127.0.0.1:1 - bearer", "OLLAMA_HOST=:1");
	OPENS("all interfaces", "ollama", NULL, "http://127.0.0.1:11434 - bearer",
	      "OLLAMA_HOST=0.0.0.0");
	OPENS("an address of version 6", "ollama", NULL, "http://[::1]:11434 - bearer",
	      "OLLAMA_HOST=[::1]");
	OPENS("such an address with a port", "ollama", NULL, "http://[::1]:1 - bearer",
	      "OLLAMA_HOST=[::1]:1");
	OPENS("a URL", "ollama", NULL, "https://box/sub k bearer", "OLLAMA_HOST=https://box/sub/",
	      "OLLAMA_API_KEY=k");
	OPENS("a host that is known", "ollama", NULL, "https://ollama.com k bearer",
	      "OLLAMA_HOST=ollama.com", "OLLAMA_API_KEY=k");
	opens("Ollama's cloud needs a key", "ollama-cloud", NULL, NULL,
	      "usage: provider ollama-cloud needs a key; set OLLAMA_API_KEY");
	OPENS("Ollama in OpenAI's dialect", "ollama-openai", NULL, "http://box:11434/v1 - bearer",
	      "OLLAMA_HOST=box");
	OPENS("there OLLAMA_BASE_URL has /v1 or not", "ollama-openai", NULL,
	      "http://box:5/v1 - bearer", "OLLAMA_BASE_URL=http://box:5/v1");
	OPENS("Azure by resource", "azure", NULL,
	      "https://res.openai.azure.com/openai/v1 k api-key", "AZURE_OPENAI_API_KEY=k",
	      "AZURE_OPENAI_RESOURCE_NAME=res");
	OPENS("Azure by endpoint", "azure", NULL, "https://e/openai/v1 k api-key",
	      "AZURE_OPENAI_API_KEY=k", "AZURE_OPENAI_ENDPOINT=https://e/");
	OPENS("Azure with a version of the interface", "azure", NULL,
	      "https://e/openai/deployments/{model} k api-key", "AZURE_OPENAI_API_KEY=k",
	      "AZURE_OPENAI_ENDPOINT=https://e/", "OPENAI_API_VERSION=2024-10-21");
	OPENS("Azure's Entra token is sent as Bearer", "azure", NULL,
	      "https://e/openai/v1 t bearer", "AZURE_OPENAI_AD_TOKEN=t", "AZURE_OPENAI_API_KEY=k",
	      "AZURE_OPENAI_ENDPOINT=https://e");
	OPENS("Azure without its URL", "azure", NULL,
	      "usage: no URL for provider azure; set AZURE_OPENAI_BASE_URL or "
	      "AZURE_OPENAI_ENDPOINT or AZURE_OPENAI_RESOURCE_NAME, or give --base-url",
	      "AZURE_OPENAI_API_KEY=k");
}

static void keys(void)
{
	opens("a missing key", "groq", NULL, NULL,
	      "usage: provider groq needs a key; set GROQ_API_KEY");
	opens("a missing key, --base-url or not", "zai", "http://127.0.0.1:1", NULL,
	      "usage: provider zai needs a key; set ZAI_API_KEY or ZHIPU_API_KEY");
	OPENS("the first variable that is set wins", "zai", NULL,
	      "https://api.z.ai/api/paas/v4 b bearer", "ZAI_API_KEY=", "ZHIPU_API_KEY=b");
	OPENS("white space around a key", "groq", NULL, "https://api.groq.com/openai/v1 k bearer",
	      "GROQ_API_KEY= k\n");
	OPENS("a line break in a key", "groq", NULL,
	      "usage: the key of provider groq contains a line break or another control character "
	      "(GROQ_API_KEY)",
	      "GROQ_API_KEY=a\nb");
	OPENS("a key of white space", "groq", NULL,
	      "usage: the key of provider groq is empty (GROQ_API_KEY)", "GROQ_API_KEY= ");
}

static void unknown(void)
{
	struct error e = {0};

	unit_ok(provider_open("gorq", NULL, &e) == NULL &&
		    span_starts(span_of(e.message),
				"there is no provider gorq (did you mean groq?); "
				"known are openai, openai-chat, azure, "),
		"an unknown provider: %s", e.message != NULL ? e.message : "");
	unit_same(span_of(e.kind), SPAN("usage"), "is the user's mistake");
	error_clear(&e);
	unit_ok(provider_open("openrout", NULL, &e) == NULL &&
		    span_starts(span_of(e.message),
				"there is no provider openrout (did you mean openrouter?); known "),
		"the beginning of a name: %s", e.message != NULL ? e.message : "");
	error_clear(&e);
	unit_ok(
	    provider_open("nothing-like-it", NULL, &e) == NULL &&
		span_starts(span_of(e.message), "there is no provider nothing-like-it; known are "),
	    "no guess is made without likeness");
	error_clear(&e);
	unit_ok(provider_open("", NULL, &e) == NULL, "no name: %s",
		e.message != NULL ? e.message : "");
	error_clear(&e);
}

static void own_file(void)
{
	struct buffer want = {0};

	write_own(
	    "{\n"
	    "  \"lab\": {\n"
	    "    \"base_url\": \"http://lab:1/v1\",\n"
	    "    \"key_env\": \"LAB_KEY\"\n"
	    "  },\n"
	    "  \"groq\": {\"base_url_env\": null, \"auth\": \"x-key\"},\n"
	    "  \"vault\": {\"base_url\": \"http://v\", \"api_key_command\": [\"printf\", "
	    "\" %s\\\\n\", \"a b\"]},\n"
	    "  \"shell\": {\"base_url\": \"http://v\", \"api_key_command\": \"echo $((40+2))\", "
	    "\"key_env\": \"SHELL_KEY\"},\n"
	    "  \"bad\": {\"base_url\": \"http://v\", \"api_key_command\": [\"false\"]},\n"
	    "  \"gone\": {\"base_url\": \"http://v\", \"api_key_command\": "
	    "[\"/nonexistent/program\"]},\n"
	    "  \"silent\": {\"base_url\": \"http://v\", \"api_key_command\": [\"true\"]},\n"
	    "  \"odd\": {\"base_url\": \"http://v\", \"api_key_command\": 7},\n"
	    "  \"open\": {\"base_url\": \"http://o\"},\n"
	    "  \"future\": {\"protocol\": \"telepathy\"},\n"
	    "  \"nowhere\": {}\n"
	    "}\n");
	OPENS("a server of the user's", "lab", NULL, "http://lab:1/v1 k bearer", "LAB_KEY=k");
	OPENS("members over the shipped ones, null removes one", "groq", NULL,
	      "https://api.groq.com/openai/v1 k x-key", "GROQ_API_KEY=k", "GROQ_BASE_URL=http://x");
	OPENS("the others stay", "zai", NULL, "https://api.z.ai/api/paas/v4 k bearer",
	      "ZAI_API_KEY=k");
	opens("the key from a program", "vault", NULL, NULL, "http://v a b bearer");
	opens("the key from a shell", "shell", NULL, NULL, "http://v 42 bearer");
	OPENS("a variable goes before the program", "shell", NULL, "http://v k bearer",
	      "SHELL_KEY=k");
	opens("a program that fails", "bad", NULL, NULL,
	      "usage: api_key_command of provider bad exited with status 1");
	opens("a program that is not there", "gone", NULL, NULL,
	      "usage: api_key_command of provider gone: cannot run /nonexistent/program");
	opens("a program that prints nothing", "silent", NULL, NULL,
	      "usage: the key of provider silent is empty (api_key_command)");
	opens("a command that is none", "odd", NULL, NULL,
	      "usage: api_key_command of provider odd must be a list of words or a string");
	opens("a server without a key", "open", NULL, NULL, "http://o - bearer");
	opens("an unknown protocol", "future", NULL, NULL,
	      "usage: provider future has the unknown protocol \"telepathy\"");
	opens("no URL", "nowhere", NULL, NULL,
	      "usage: no URL for provider nowhere; give --base-url");
	opens("but one that is given", "nowhere", "http://n", NULL, "http://n - bearer");

	write_own("{\n  \"lab\": {\n    oops\n}}\n");
	buffer_add_format(&want, "usage: %s/agent/providers.json:3: not JSON: ", folder);
	{
		struct error e = {0};
		struct buffer got = {0};

		provider_open("lab", NULL, &e);
		buffer_add_format(&got, "%s: %s", e.kind, e.message != NULL ? e.message : "");
		unit_ok(span_starts(buffer_span(&got), buffer_string(&want)),
			"a file that is not JSON: %s", buffer_string(&got));
		error_clear(&e);
		buffer_free(&got);
	}
	write_own("[1]");
	buffer_clear(&want);
	buffer_add_format(&want,
			  "usage: %s/agent/providers.json:1: must be a JSON object, from provider "
			  "names to providers",
			  folder);
	opens("a file that is no object", "lab", NULL, NULL, buffer_string(&want));
	buffer_free(&want);
	remove_own();
}

static void lists(void)
{
	struct buffer list = {0};
	struct span rest, line;
	char **secrets;
	bool found = false, terminated = true;
	int lines = 0;

	write_own("{\"lab\":{\"base_url\":\"http://lab\",\"key_env\":[\"LAB_A\",\"LAB_B\"],"
		  "\"headers_env\":\"LAB_HEADERS\"},\"open\":{\"base_url\":\"http://o\"}}");
	setenv("LAB_B", "x", 1);
	unit_ok(model_list_providers(&list, NULL), "the providers can be listed");
	unsetenv("LAB_B");
	rest = buffer_span(&list);
	while ((line = unit_line(&rest)).at != NULL) {
		lines++;
		if (span_starts(line, "groq\t"))
			unit_same(line,
				  SPAN("groq\topenai-chat\thttps://api.groq.com/openai/v1\t"
				       "GROQ_API_KEY\tmissing"),
				  "one whose key is missing");
		else if (span_starts(line, "lab\t"))
			unit_same(line, SPAN("lab\topenai-chat\thttp://lab\tLAB_A,LAB_B\tset"),
				  "one whose key is set");
		else if (span_starts(line, "open\t"))
			unit_same(line, SPAN("open\topenai-chat\thttp://o\t-\t-"),
				  "one that has no key");
		else if (span_starts(line, "ollama\t"))
			unit_same(line,
				  SPAN("ollama\tollama\thttp://127.0.0.1:11434\t"
				       "OLLAMA_API_KEY\toptional"),
				  "one that needs none");
	}
	unit_ok(lines > 25, "%d providers", lines);
	secrets = model_secret_variables();
	for (char **name = secrets; *name != NULL; name++) {
		found |= strcmp(*name, "LAB_B") == 0;
		terminated &= strlen(*name) > 0;
	}
	unit_ok(found && terminated, "the variables of keys, the user's among them");
	free(secrets);
	write_own("{");
	found = false;
	secrets = model_secret_variables();
	for (char **name = secrets; *name != NULL; name++)
		found |= strcmp(*name, "GROQ_API_KEY") == 0;
	unit_ok(found, "the shipped ones even if the user's file is broken");
	free(secrets);
	buffer_free(&list);
	remove_own();
}

/* agent-providers(5) has a table of the shipped providers. */
static void documented(void)
{
	struct buffer file = {0}, page = {0}, missing = {0};
	struct json_walk walk;

	unit_read("share/agent/providers.json", &file);
	unit_read("man/agent-providers.5", &page);
	walk = json_walk(json_trim(buffer_span(&file)));
	while (json_next(&walk)) {
		char *name = json_text(walk.key);
		struct buffer row = {0};

		buffer_add_format(&row, "\n.It %s Ta ", name);
		if (strstr(buffer_string(&page), buffer_string(&row)) == NULL)
			buffer_add_format(&missing, " %s", name);
		buffer_free(&row);
		free(name);
	}
	unit_same(buffer_span(&missing), SPAN(""), "every shipped provider is in the manual page");
	buffer_free(&file);
	buffer_free(&page);
	buffer_free(&missing);
}

/* ---- masking ---- */

static void masks(const char *text, const char *want)
{
	struct provider provider = {0};
	struct buffer got = {0};

	buffer_add_text(&provider.key, "hunter2-hunter2");
	buffer_add_text(&got, text);
	provider_mask(&provider, &got);
	unit_same(buffer_span(&got), span_of(want), text);
	buffer_free(&got);
	buffer_free(&provider.key);
}

static void masking(void)
{
	masks("key hunter2-hunter2 and hunter2-hunter2hunter2", "key *** and ***hunter2");
	masks("Incorrect API key provided: sk-proj-abcdef.", "Incorrect API key provided: ***.");
	masks("Bearer abcdefgh123, then more", "Bearer ***, then more");
	masks("a risk-based sk- task-oriented word", "a risk-based sk- task-oriented word");
	masks("gsk_0123456789abcdefXYZ", "***");
	masks("", "");
}

/* ---- requests ---- */

static const struct model_tool tools[] = {
    {"f", "does f", {"{ \"type\":\"object\",\n \"n\":1.10}", 29}},
    {"g", NULL, {"{}", 2}},
};

static void body(const char *title, const char *spec, struct model_request request,
		 const char *want)
{
	const char *colon = strchr(spec, ':');
	char *name = mem_copy((struct span){spec, (size_t)(colon - spec)});
	struct provider *provider;
	struct http_request http = {0};
	struct error e = {0};
	struct buffer got = {0};

	provider = provider_open(name, "http://h", &e);
	if (provider != NULL && provider->protocol->request(provider, colon + 1, provider->base_url,
							    &request, &http, &e))
		buffer_add_span(&got, buffer_span(&http.body));
	else
		buffer_add_text(&got, e.message);
	unit_ok(provider == NULL || e.message != NULL || json_check(buffer_span(&got), NULL),
		"%s: a body of JSON", title);
	unit_same(buffer_span(&got), span_of(want), title);
	http_request_free(&http);
	provider_free(provider);
	error_clear(&e);
	buffer_free(&got);
	free(name);
}

#define MESSAGES(...)                                                                              \
	.messages = (const struct span[]){__VA_ARGS__},                                            \
	.message_count = sizeof((const struct span[]){__VA_ARGS__}) / sizeof(struct span)
#define OPTIONS(...)                                                                               \
	.options = (const struct model_option[]){__VA_ARGS__},                                     \
	.option_count =                                                                            \
	    sizeof((const struct model_option[]){__VA_ARGS__}) / sizeof(struct model_option)
#define REQUEST(...) ((struct model_request){__VA_ARGS__})
#define HI           SPAN("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]}")
#define HEAD         "\"stream\":true,\"stream_options\":{\"include_usage\":true},"
#define SAID         "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"
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

static void parameters(void)
{
	body("a plain request", "lab:m", REQUEST(MESSAGES(HI)), "{\"model\":\"m\"," HEAD SAID "}");
	body("instructions, effort, a limit", "lab:m",
	     REQUEST(MESSAGES(HI), .system = "Be \"brief\".", .effort = "high", .max_tokens = 9),
	     "{\"model\":\"m\"," HEAD "\"messages\":[{\"role\":\"system\",\"content\":\"Be "
	     "\\\"brief\\\".\"},{\"role\":\"user\",\"content\":\"hi\"}],\"max_tokens\":9,"
	     "\"reasoning_effort\":\"high\"}");
	body("the name of the limit", "openai-chat:m", REQUEST(MESSAGES(HI), .max_tokens = 9),
	     "{\"model\":\"m\"," HEAD SAID ",\"max_completion_tokens\":9}");
	body("options replace what is there, and null leaves it out", "lab:m",
	     REQUEST(MESSAGES(HI), .effort = "max", .max_tokens = 9,
		     OPTIONS({"temperature", {"0.20", 4}}, {"reasoning_effort", {"\"low\"", 5}},
			     {"max_tokens", {"7", 1}}, {"model", {"\"x\"", 3}},
			     {"temperature", {"0.3", 3}}, {"a\"b", {"{\"c\":1.10}", 10}},
			     {"stream_options", {"null", 4}})),
	     "{\"model\":\"x\",\"stream\":true," SAID ",\"max_tokens\":7,"
	     "\"reasoning_effort\":\"low\",\"temperature\":0.3,\"a\\\"b\":{\"c\":1.10}}");
	body("no stream, then no stream_options either", "lab:m",
	     REQUEST(MESSAGES(HI), OPTIONS({"stream", {"false", 5}})),
	     "{\"model\":\"m\",\"stream\":false," SAID "}");
	body("tools, their schemas byte for byte", "lab:m",
	     REQUEST(MESSAGES(HI), .tools = tools, .tool_count = 2),
	     "{\"model\":\"m\"," HEAD SAID ",\"tools\":[" F_TOOL "," G_TOOL "]}");
	body("a tool that must be called", "lab:m",
	     REQUEST(MESSAGES(HI), .tools = tools, .tool_count = 1, .tool_choice = "f"),
	     "{\"model\":\"m\"," HEAD SAID ",\"tools\":[" F_TOOL
	     "],\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}}}");
	body("any tool", "lab:m",
	     REQUEST(MESSAGES(HI), .tools = tools + 1, .tool_count = 1, .tool_choice = "required"),
	     "{\"model\":\"m\"," HEAD SAID ",\"tools\":[" G_TOOL "],\"tool_choice\":\"required\"}");
	body("no choice without tools", "lab:m", REQUEST(MESSAGES(HI), .tool_choice = "required"),
	     "{\"model\":\"m\"," HEAD SAID "}");
	body("Mistral: any, and no stream_options", "mistral:m",
	     REQUEST(MESSAGES(HI), .tools = tools + 1, .tool_count = 1, .tool_choice = "required"),
	     "{\"model\":\"m\",\"stream\":true," SAID ",\"tools\":[" G_TOOL
	     "],\"tool_choice\":\"any\"}");
	body("Mistral: a named tool is the only one", "mistral:m",
	     REQUEST(MESSAGES(HI), .tools = tools, .tool_count = 2, .tool_choice = "g"),
	     "{\"model\":\"m\",\"stream\":true," SAID ",\"tools\":[" G_TOOL
	     "],\"tool_choice\":\"any\"}");
	body("Ollama knows no choice: none leaves the tools out", "ollama-openai:m",
	     REQUEST(MESSAGES(HI), .tools = tools, .tool_count = 2, .tool_choice = "none"),
	     "{\"model\":\"m\"," HEAD SAID "}");
	body("Ollama: a named tool is the only one", "ollama-openai:m",
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
		body(buffer_string(&title), cases[i].spec,
		     REQUEST(MESSAGES(HI), .effort = cases[i].effort), buffer_string(&want));
		buffer_free(&want);
		buffer_free(&title);
		free(model);
	}
	write_own("{\"deepseek\":{\"quirks\":{\"effort\":{\"*-mine\":{\"high\":{\"deep\":1}}}}}}");
	body("a user's pattern goes before *", "deepseek:x-mine",
	     REQUEST(MESSAGES(HI), .effort = "high"),
	     "{\"model\":\"x-mine\"," HEAD SAID ",\"deep\":1}");
	body("and leaves the others alone", "deepseek:x", REQUEST(MESSAGES(HI), .effort = "none"),
	     "{\"model\":\"x\"," HEAD SAID ",\"thinking\":{\"type\":\"disabled\"}}");
	write_own("{\"lab\":{}}");
	body("an effort that there is not", "groq:openai/gpt-oss-20b",
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
	body("a tool loop; reasoning of another provider stays away", "lab:m",
	     REQUEST(MESSAGES(ASKED, THOUGHT("groq"), RESULTS)),
	     "{\"model\":\"m\"," HEAD "\"messages\":[" DO_IT
	     "," OK_ CALLS("call_1", "call_2", "") "}," ANSWERED("call_1", "call_2") "]}");
	body("the provider's own data goes back", "openrouter:m",
	     REQUEST(MESSAGES(ASKED, THOUGHT("openrouter"), RESULTS)),
	     "{\"model\":\"m\"," HEAD "\"messages\":[" DO_IT "," OK_
	     "\"reasoning_details\":[{\"type\":\"reasoning."
	     "encrypted\"}]," CALLS("call_1", "call_2",
				    ",\"extra_content\":{\"google\":{\"thought_"
				    "signature\":\"s\"}}") "}," ANSWERED("call_1", "call_2") "]}");
	body("reasoning as text goes back in the loop that is running", "deepseek:m",
	     REQUEST(MESSAGES(ASKED, THOUGHT("deepseek"), RESULTS)),
	     "{\"model\":\"m\"," HEAD "\"messages\":[" DO_IT "," OK_
	     "\"reasoning_content\":\"hm\"," CALLS(
		 "call_1", "call_2",
		 ",\"extra_content\":{\"google\":{\"thought_"
		 "signature\":\"s\"}}") "}," ANSWERED("call_1", "call_2") "]"
									  "}");
	body("and not after it", "deepseek:m",
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
	body("where all reasoning goes back", "moonshot:m",
	     REQUEST(
		 MESSAGES(ASKED,
			  SPAN("{\"role\":\"assistant\",\"provider\":\"moonshot\",\"content\":[{"
			       "\"type\":\"thinking\",\"text\":\"hm\"},{\"type\":\"text\",\"text\":"
			       "\"ok\"}]}"),
			  HI)),
	     "{\"model\":\"m\"," HEAD "\"messages\":[" DO_IT "," OK_
	     "\"reasoning_content\":\"hm\"},"
	     "{\"role\":\"user\",\"content\":\"hi\"}]}");
	body("Mistral: ids of nine letters and digits, no user message behind a tool's",
	     "mistral:m", REQUEST(MESSAGES(ASKED, THOUGHT("groq"), RESULTS, HI)),
	     "{\"model\":\"m\",\"stream\":true,\"messages\":[" DO_IT
	     "," OK_ CALLS("7EOIZ7mdk", "DNyP21c2i", "") "}," ANSWERED(
		 "7EOIZ7mdk", "DNyP21c2i") ",{\"role\":\"assistant\",\"content\":\"OK.\"},{"
					   "\"role\":\"user\",\"content\":\"hi\"}]}");
	body("user messages that follow each other are one, empty answers none", "lab:m",
	     REQUEST(
		 MESSAGES(ASKED, SPAN("{\"role\":\"assistant\",\"content\":[]}"),
			  SPAN("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
			       "{\"type\":\"text\",\"text\":\"b\"}]}"),
			  HI)),
	     "{\"model\":\"m\"," HEAD "\"messages\":[" DO_IT
	     ",{\"role\":\"user\",\"content\":\"a\\n\\nb\\n\\nhi\"}]}");
	body("instructions among the messages come first", "lab:m",
	     REQUEST(MESSAGES(HI, SPAN("{\"role\":\"system\",\"content\":\"two\"}")),
		     .system = "one"),
	     "{\"model\":\"m\"," HEAD
	     "\"messages\":[{\"role\":\"system\",\"content\":\"one\\n\\ntwo\"},"
	     "{\"role\":\"user\",\"content\":\"hi\"}]}");
	body("an answer of calls only", "lab:m",
	     REQUEST(
		 MESSAGES(HI, SPAN("{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_call\","
				   "\"tool_call_id\":\"c\",\"tool_name\":\"f\",\"args\":{}}]}"))),
	     "{\"model\":\"m\"," HEAD
	     "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},{\"role\":"
	     "\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\","
	     "\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}]}");
	body("an error that says so itself", "lab:m",
	     REQUEST(MESSAGES(
		 SPAN("{\"role\":\"tool\",\"content\":[{\"type\":\"tool_result\","
		      "\"tool_call_id\":\"c\",\"result\":\"error: x\",\"is_error\":true}]}"))),
	     "{\"model\":\"m\"," HEAD "\"messages\":[{\"role\":\"tool\",\"tool_call_id\":\"c\","
	     "\"content\":\"error: x\"}]}");
	body("an image between texts", "lab:m",
	     REQUEST(MESSAGES(
		 SPAN("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
		      "{\"type\":\"image\",\"media_type\":\"image/png\",\"name\":\"i.png\","
		      "\"data\":\"aWk=\"},{\"type\":\"text\",\"text\":\"b\"}]}"),
		 HI)),
	     "{\"model\":\"m\"," HEAD "\"messages\":[{\"role\":\"user\",\"content\":["
	     "{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"image_url\",\"image_url\":{\"url\":"
	     "\"data:image/png;base64,aWk=\"}},{\"type\":\"text\",\"text\":\"b\\n\\nhi\"}]}]}");
	body("a document where the server takes none", "lab:m",
	     REQUEST(MESSAGES(SPAN("{\"role\":\"user\",\"content\":[" A_PDF "]}"))),
	     "lab:m cannot be sent a message part of type file");
	body("a document", "openai-chat:m",
	     REQUEST(MESSAGES(SPAN("{\"role\":\"user\",\"content\":[" A_PDF "]}"))),
	     "{\"model\":\"m\"," HEAD "\"messages\":[{\"role\":\"user\",\"content\":["
	     "{\"type\":\"file\",\"file\":{\"filename\":\"d.pdf\",\"file_data\":"
	     "\"data:application/pdf;base64,ZGQ=\"}}]}]}");
	body("ids are the provider's own where the answer was its own", "lab:m",
	     REQUEST(MESSAGES(
		 SPAN("{\"role\":\"assistant\",\"provider\":\"lab\",\"content\":[" TWICE "]}"),
		 RESULT_TWICE)),
	     "{\"model\":\"m\"," HEAD "\"messages\":[{\"role\":\"assistant\",\"content\":null,"
	     "\"tool_calls\":[{\"id\":\"0\",\"type\":\"function\",\"function\":{\"name\":\"f\","
	     "\"arguments\":\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"0\",\"content\":\"r\"}"
	     "]}");
	body("and the events' where it was another's", "lab:m",
	     REQUEST(MESSAGES(
		 SPAN("{\"role\":\"assistant\",\"provider\":\"x\",\"content\":[" TWICE "]}"),
		 RESULT_TWICE)),
	     "{\"model\":\"m\"," HEAD "\"messages\":[{\"role\":\"assistant\",\"content\":null,"
	     "\"tool_calls\":[{\"id\":\"0_2\",\"type\":\"function\",\"function\":{\"name\":\"f\","
	     "\"arguments\":\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"0_2\",\"content\":"
	     "\"r\"}]}");
	body("what another provider ran, and what only it understands, is left out", "lab:m",
	     REQUEST(MESSAGES(SPAN(
		 "{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"text\":\"hm\"},"
		 "{\"type\":\"tool_call\",\"tool_call_id\":\"s\",\"tool_name\":\"web_search\","
		 "\"args\":{},"
		 "\"executed_by\":\"provider\",\"result\":\"r\",\"is_error\":false},"
		 "{\"type\":\"opaque\",\"provider_data\":{}},{\"type\":\"refusal\",\"text\":\"No."
		 "\"}]}"))),
	     "{\"model\":\"m\"," HEAD
	     "\"messages\":[{\"role\":\"assistant\",\"content\":\"No.\"}]}");
	body("an answer that satisfies a schema", "lab:m",
	     REQUEST(MESSAGES(HI), .schema = SPAN("{\"title\":\"Two words\",\"type\":\"object\"}")),
	     "{\"model\":\"m\"," HEAD SAID ",\"response_format\":{\"type\":\"json_schema\","
	     "\"json_schema\":{\"name\":\"Two_words\",\"strict\":false,\"schema\":{\"title\":"
	     "\"Two words\",\"type\":\"object\"}}}}");
	body("the same where a server knows only JSON", "deepseek:m",
	     REQUEST(MESSAGES(HI), .schema = SPAN("{\"type\":\"object\"}")),
	     "{\"model\":\"m\"," HEAD "\"messages\":[{\"role\":\"system\",\"content\":\"Answer "
	     "with one JSON value and nothing "
	     "else: no explanation, no code fence. It must satisfy this JSON "
	     "Schema:\\n{\\\"type\\\":\\\"object\\\"}\"},{\"role\":\"user\",\"content\":\"hi\"}],"
	     "\"response_format\":{\"type\":\"json_object\"}}");
	body("a part that cannot be sent", "lab:m",
	     REQUEST(MESSAGES(SPAN("{\"role\":\"user\",\"content\":[{\"type\":\"video\"}]}"))),
	     "lab:m cannot be sent a message part of type video");
	body("a message without a role", "lab:m", REQUEST(MESSAGES(SPAN("{}"))),
	     "a message of the conversation has no known role: {}");
}

static void azure_url(void)
{
	struct model_host host = {0};
	struct model_request request = REQUEST(MESSAGES(HI));
	struct buffer shown = {0};
	struct model *model;
	struct span rest;

	setenv("AZURE_OPENAI_API_KEY", "k-0123456789", 1);
	setenv("AZURE_OPENAI_ENDPOINT", "https://e", 1);
	setenv("OPENAI_API_VERSION", "2024-10-21", 1);
	model = model_open(&host, "azure:my model", NULL);
	model_show_request(model, &request, &shown, NULL);
	rest = buffer_span(&shown);
	unit_same(unit_line(&rest),
		  SPAN("POST https://e/openai/deployments/my%20model/chat/completions?api-version="
		       "2024-10-21"),
		  "Azure: the deployment in the path, the version in the query");
	unit_line(&rest);
	unit_line(&rest);
	unit_same(unit_line(&rest), SPAN("api-key: ***"), "Azure: the key in its own header");
	model_close(model);
	buffer_free(&shown);
	unsetenv("AZURE_OPENAI_API_KEY");
	unsetenv("AZURE_OPENAI_ENDPOINT");
	unsetenv("OPENAI_API_VERSION");
}

static void base_query(void)
{
	struct model_host host = {.base_url =
				      "http://me:pass@h/v1beta/?tenant=a&api_key=S3CRET&x#part"};
	struct model_request request = REQUEST(MESSAGES(HI));
	struct buffer shown = {0};
	struct model *model;
	struct span rest;

	setenv("GOOGLE_API_KEY", "k-0123456789", 1);
	model = model_open(&host, "gemini:m", NULL);
	model_show_request(model, &request, &shown, NULL);
	rest = buffer_span(&shown);
	unit_same(unit_line(&rest),
		  SPAN("POST http://***@h/v1beta/models/m:streamGenerateContent?alt=sse&tenant=a&"
		       "api_key=***&x"),
		  "the query of a base URL ends every URL; what is secret in it is not shown");
	model_close(model);
	buffer_free(&shown);
	unsetenv("GOOGLE_API_KEY");
}

static void specs(void)
{
	struct model_host host = {0};
	struct error e = {0};
	struct model *model;

	model = model_open(&host, "ollama:qwen3:8b", NULL);
	unit_same(span_of(model_name(model)), SPAN("qwen3:8b"), "a spec splits at its first colon");
	unit_same(span_of(model_provider(model)), SPAN("ollama"), "in front of it is the provider");
	model_close(model);
	unit_ok(model_open(&host, "gpt-4o", &e) == NULL, "a spec without a colon");
	unit_same(
	    span_of(e.message),
	    SPAN(
		"a model is named PROVIDER:MODEL (or test, replay:FILE, exec:COMMAND), not gpt-4o"),
	    "says how models are named");
	error_clear(&e);
	unit_ok(model_open(&host, "ollama:", &e) == NULL, "a spec without a model");
	unit_same(span_of(e.message), SPAN("which model of ollama? name it ollama:MODEL"),
		  "asks for the model");
	error_clear(&e);
}

int main(void)
{
	if (mkdtemp(folder) == NULL)
		return 2;
	setenv("AGENT_SHARE", "share/agent", 1);
	setenv("XDG_CONFIG_HOME", folder, 1);
	urls();
	keys();
	unknown();
	own_file();
	lists();
	documented();
	masking();
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
	azure_url();
	base_query();
	specs();
	remove_own();
	rmdir(folder);
	return unit_done();
}
