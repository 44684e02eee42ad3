/*
 * The registry against the environment: URLs, keys, the user's file, the names of models.
 */
#define OWN_FILE "providers.json"
#include "own_file.h"
#include "requests.h"

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
	provider = provider_open(name, base_url, NULL, &e);
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

static void is_local(const char *base_url, bool want)
{
	struct provider *provider = provider_open("ollama", base_url, NULL, NULL);

	unit_ok(provider != NULL && provider_is_local(provider) == want, "%s is %s", base_url,
		want ? "on this machine" : "elsewhere");
	provider_free(provider);
}

static void local(void)
{
	is_local("http://127.0.0.1:8080/v1", true);
	is_local("http://127.9.9.9", true);
	is_local("http://LOCALHOST/v1", true);
	is_local("http://me:secret@localhost:1/v1", true);
	is_local("http://[::1]:8080/v1", true);
	is_local("http://127.0.0.1.example.com/v1", false);
	is_local("http://localhost.example.com", false);
	is_local("http://example.com/127.0.0.1", false);
	is_local("http://127.0.0.1@example.com", false);
	is_local("http://[fe80::1]/v1", false);
	is_local("http://192.168.0.1", false);
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

	unit_ok(provider_open("gorq", NULL, NULL, &e) == NULL &&
		    span_starts(span_of(e.message),
				"there is no provider gorq (did you mean groq?); "
				"the providers are openai, openai-chat, azure, "),
		"an unknown provider: %s", e.message != NULL ? e.message : "");
	unit_same(span_of(e.kind), SPAN("usage"), "is the user's mistake");
	error_clear(&e);
	unit_ok(provider_open("openrout", NULL, NULL, &e) == NULL &&
		    span_starts(span_of(e.message),
				"there is no provider openrout (did you mean openrouter?); the "),
		"the beginning of a name: %s", e.message != NULL ? e.message : "");
	error_clear(&e);
	unit_ok(provider_open("nothing-like-it", NULL, NULL, &e) == NULL &&
		    span_starts(span_of(e.message),
				"there is no provider nothing-like-it; the providers are "),
		"no guess is made without likeness");
	error_clear(&e);
	unit_ok(provider_open("", NULL, NULL, &e) == NULL, "no name: %s",
		e.message != NULL ? e.message : "");
	error_clear(&e);
}

static void own_file(void)
{
	struct buffer want = {0};
	char *future;

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
	    "  \"killed\": {\"base_url\": \"http://v\", \"api_key_command\": \"kill -9 $$\"},\n"
	    "  \"endless\": {\"base_url\": \"http://v\", \"api_key_command\": [\"yes\"]},\n"
	    "  \"long\": {\"base_url\": \"http://v\", \"api_key_command\": \"printf %017000d "
	    "1\"},\n"
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
	opens("a program that is ended", "killed", NULL, NULL,
	      "usage: api_key_command of provider killed was killed by signal 9");
	opens("a program that prints without end", "endless", NULL, NULL,
	      "usage: api_key_command of provider endless printed more than 1048576 bytes");
	opens("a key that is too long", "long", NULL, NULL,
	      "usage: the key of provider long is longer than 16384 bytes (api_key_command)");
	opens("a server without a key", "open", NULL, NULL, "http://o - bearer");
	future =
	    mem_format("usage: %s/agent/providers.json:17: provider future has the unknown "
		       "protocol \"telepathy\"; the protocols are openai-chat, openai-responses, "
		       "ollama, bedrock, anthropic, gemini",
		       getenv("XDG_CONFIG_HOME"));
	opens("an unknown protocol", "future", NULL, NULL, future);
	free(future);
	opens("no URL", "nowhere", NULL, NULL,
	      "usage: no URL for provider nowhere; give --base-url, or \"base_url\" in "
	      "providers.json");
	opens("but one that is given", "nowhere", "http://n", NULL, "http://n - bearer");

	write_own("{\n  \"lab\": {\n    oops\n}}\n");
	buffer_add_format(&want, "usage: %s/agent/providers.json:3: not JSON: ", folder);
	{
		struct error e = {0};
		struct buffer got = {0};

		provider_open("lab", NULL, NULL, &e);
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
	struct error e = {0};
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
	secrets = model_secret_variables(&e);
	for (char **name = secrets; *name != NULL; name++) {
		found |= strcmp(*name, "LAB_B") == 0;
		terminated &= strlen(*name) > 0;
	}
	unit_ok(found && terminated, "the variables of keys, the user's among them");
	free(secrets);
	write_own("{\"lab\":{\"key_evn\":\"LAB\"}}");
	unit_ok(model_secret_variables(&e) == NULL && strstr(e.message, "\"key_evn\"") != NULL,
		"the user's file must not be broken");
	error_clear(&e);
	buffer_free(&list);
	remove_own();
}

/* agent-providers(5) has a list of the shipped providers. */
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

		buffer_add_format(&row, "\n.It Ic %s\n", name);
		if (strcmp(name, "sets") != 0 &&
		    strstr(buffer_string(&page), buffer_string(&row)) == NULL)
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

/* ---- models ---- */

/* The request to `spec` as it is shown. */
static void show(const char *spec, const char *base_url, struct buffer *out)
{
	struct model_host host = {.base_url = base_url};
	struct model_request request = REQUEST(MESSAGES(HI));
	struct model *model = model_open(&host, spec, NULL);

	model_show_request(model, &request, out, NULL);
	model_close(model);
}

static void azure_url(void)
{
	struct buffer shown = {0};
	struct span rest;

	setenv("AZURE_OPENAI_API_KEY", "k-0123456789", 1);
	setenv("AZURE_OPENAI_ENDPOINT", "https://e", 1);
	setenv("OPENAI_API_VERSION", "2024-10-21", 1);
	show("azure:my model", NULL, &shown);
	rest = buffer_span(&shown);
	unit_same(unit_line(&rest),
		  SPAN("POST https://e/openai/deployments/my%20model/chat/completions?api-version="
		       "2024-10-21"),
		  "Azure: the deployment in the path, the version in the query");
	unit_line(&rest);
	unit_line(&rest);
	unit_same(unit_line(&rest), SPAN("api-key: ***"), "Azure: the key in its own header");
	setenv("AZURE_OPENAI_ENDPOINT", "https://e/?tenant=a", 1);
	unsetenv("OPENAI_API_VERSION");
	buffer_clear(&shown);
	show("azure:m", NULL, &shown);
	rest = buffer_span(&shown);
	unit_same(unit_line(&rest), SPAN("POST https://e/openai/v1/chat/completions?tenant=a"),
		  "Azure: the path goes before a query of the endpoint");
	buffer_free(&shown);
	unsetenv("AZURE_OPENAI_API_KEY");
	unsetenv("AZURE_OPENAI_ENDPOINT");
}

static void base_query(void)
{
	struct buffer shown = {0};
	struct span rest;

	setenv("GOOGLE_API_KEY", "k-0123456789", 1);
	show("gemini:m", "http://me:pass@h/v1beta/?tenant=a&api_key=S3CRET&x#part", &shown);
	rest = buffer_span(&shown);
	unit_same(unit_line(&rest),
		  SPAN("POST http://***@h/v1beta/models/m:streamGenerateContent?alt=sse&tenant=a&"
		       "api_key=***&x"),
		  "the query of a base URL ends every URL; what is secret in it is not shown");
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
	open_folder();
	urls();
	local();
	keys();
	unknown();
	own_file();
	lists();
	documented();
	masking();
	azure_url();
	base_query();
	specs();
	rmdir(folder);
	return unit_done();
}
