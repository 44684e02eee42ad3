#include <stdlib.h>

#include "model/protocol/transcript.h"
#include "model/protocol/gemini.h"
#include "model/provider.h"
#include "model/schema_dialect.h"

/* ---- URL ---- */

/* The path of a URL, from its slash on; "" when it has none. */
static const char *path_of(const char *url)
{
	const char *host = strstr(url, "://"), *slash;

	slash = strchr(host != NULL ? host + 3 : url, '/');
	return slash != NULL ? slash : "";
}

/* The URL of the entry itself, whatever variables say, which the caller frees; NULL: none. */
static char *own_url(const struct provider *provider)
{
	struct buffer entry = {0};
	char *url;

	json_merge(&entry, provider->entry, SPAN("{\"base_url_env\":null}"));
	url = provider_url(buffer_span(&entry), provider->name, NULL);
	buffer_free(&entry);
	return url;
}

void gemini_base_url(const struct provider *provider, const char *base_url, struct buffer *out)
{
	static const char global[] = "https://global-aiplatform.";
	char *own = own_url(provider);
	struct buffer url = {0};

	buffer_add_text(&url, base_url);
	while (url.len > 0 && url.at[url.len - 1] == '/')
		url.len--;
	/* The one location of Vertex AI that is not part of a host's name. */
	if (span_starts(buffer_span(&url), global)) {
		buffer_add_text(out, "https://");
		buffer_drop(&url, strlen("https://global-"));
	}
	buffer_add_span(out, buffer_span(&url));
	if (*path_of(buffer_string(&url)) == '\0' && own != NULL)
		buffer_add_text(out, path_of(own));
	free(own);
	buffer_free(&url);
}

/* A model may be named with its collection: "tunedModels/mine". */
static char *url_of(const struct provider *provider, const char *base_url, const char *model)
{
	struct buffer url = {0};

	gemini_base_url(provider, base_url, &url);
	buffer_add_text(&url, strchr(model, '/') == NULL ? "/models/" : "/");
	for (size_t len; *model != '\0'; model += len) {
		char *part = mem_copy((struct span){model, strcspn(model, "/")});

		len = strlen(part);
		provider_escape(part, &url);
		free(part);
		if (model[len] == '/') {
			buffer_add_char(&url, '/');
			len++;
		}
	}
	buffer_add_text(&url, ":streamGenerateContent?alt=sse");
	return buffer_take(&url);
}

/* ---- parameters ---- */

/* What is not a part of the request itself says how to generate. Either spelling is taken. */
static const char *place(const char *key)
{
	static const char *const own[] = {"contents",          "tools",
					  "toolConfig",        "tool_config",
					  "safetySettings",    "cachedContent",
					  "safety_settings",   "cached_content",
					  "generationConfig",  "labels",
					  "serviceTier",       "service_tier",
					  "systemInstruction", "store",
					  "generation_config", "system_instruction",
					  "modelArmorConfig",  NULL};

	for (size_t i = 0; own[i] != NULL; i++)
		if (strcmp(own[i], key) == 0)
			return NULL;
	return "generationConfig";
}

static const struct parameter_rules rules = {.place = place};

/* The user's options, without those that were dealt with already. */
static bool apply(const struct gemini_writer *w)
{
	struct model_request request = *w->request;
	struct model_option *options = mem_zero((request.option_count + 1) * sizeof(*options));
	size_t count = 0;
	bool ok;

	for (size_t i = 0; i < request.option_count; i++) {
		const struct model_option *option = &request.options[i];
		bool tools =
		    strcmp(option->key, "tools") == 0 && json_type(option->value) == JSON_ARRAY;

		if (!tools && strcmp(option->key, "parallel_tool_calls") != 0)
			options[count++] = *option;
	}
	request.options = options;
	request.option_count = count;
	ok = parameters_apply(w->provider, w->model, &request, &rules, w->out, w->e);
	free(options);
	return ok;
}

/* ---- the body ---- */

int gemini_generation(const struct provider *provider, const char *model)
{
	int64_t known = json_int(parameters_quirk(provider, model, "generation"), 0);

	if (known > 0)
		return (int)known;
	if (strstr(model, "gemini-1") != NULL)
		return 1;
	return strstr(model, "gemini-2") != NULL || strstr(model, "gemma") != NULL ||
		       strstr(model, "gemini-robotics-er-1.5") != NULL
		   ? 2
		   : 3;
}

static void write_system(const struct gemini_writer *w)
{
	struct buffer text = {0};

	message_system(w->request, &text);
	if (w->request->schema.at != NULL && !gemini_schema_is_native(w))
		dialect_instruction(w->request->schema, &text);
	if (text.len > 0) {
		json_key(w->out, "systemInstruction");
		json_open(w->out, '{');
		json_key(w->out, "parts");
		json_open(w->out, '[');
		json_open(w->out, '{');
		json_put_string(w->out, "text", buffer_span(&text));
		json_close(w->out, '}');
		json_close(w->out, ']');
		json_close(w->out, '}');
	}
	buffer_free(&text);
}

static void write_config(const struct gemini_writer *w)
{
	bool schema = w->request->schema.at != NULL && gemini_schema_is_native(w);

	if (w->request->max_tokens <= 0 && !schema)
		return;
	json_key(w->out, "generationConfig");
	json_open(w->out, '{');
	if (w->request->max_tokens > 0)
		json_put_int(w->out, "maxOutputTokens", w->request->max_tokens);
	if (schema)
		gemini_write_schema(w);
	json_close(w->out, '}');
}

bool gemini_request(const struct provider *provider, const char *model, const char *base_url,
		    const struct model_request *request, struct http_request *out, struct error *e)
{
	struct gemini_writer w = {
	    .provider = provider, .model = model, .request = request, .out = &out->body, .e = e};

	out->url = url_of(provider, base_url, model);
	http_request_add_header(out, false, "Content-Type: application/json");
	http_request_add_header(out, false, "Accept: text/event-stream");
	if (parameters_one_call(request)) /* there is no way to ask for it */
		return parameters_refuse_one_call(provider, model, e);
	json_open(w.out, '{');
	write_system(&w);
	json_key(w.out, "contents");
	if (!gemini_write_contents(&w))
		return false;
	gemini_write_tools(&w);
	write_config(&w);
	json_close(w.out, '}');
	return apply(&w);
}
