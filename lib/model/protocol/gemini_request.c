#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "model/protocol/gemini.h"
#include "model/protocol/transcript.h"
#include "model/provider.h"
#include "model/schema_dialect.h"

/* Longest name of a function. */
enum { MAX_NAME = 64 };

/* Stands where models want a signature and the call has none, as it came from elsewhere:
 * "skip_thought_signature_validator" (ai.google.dev/gemini-api/docs/thought-signatures). */
static const char no_signature[] = "\"c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=\"";

/* ---- parts of contents ---- */

/* A text is not empty, unless it carries a signature. */
static void put_text(struct transcript *t, struct span text, bool thought, struct span signature)
{
	if (json_type(text) != JSON_STRING || (text.len <= 2 && signature.at == NULL))
		return;
	json_open(t->out, '{');
	json_put_raw(t->out, "text", text);
	if (thought)
		json_put_bool(t->out, "thought", true);
	if (signature.at != NULL)
		json_put_raw(t->out, "thoughtSignature", signature);
	json_close(t->out, '}');
}

static void user_text(struct transcript *t, struct span text)
{
	put_text(t, text, false, (struct span){0});
}

static bool takes(struct span media_type)
{
	static const char *const types[] = {
	    "image/png",       "image/jpeg", "image/webp", "image/heic", "image/heif",
	    "application/pdf", "text/",      "audio/",     "video/",     NULL};
	char *type = json_text(media_type);
	bool found = false;

	for (size_t i = 0; type != NULL && !found && types[i] != NULL; i++)
		found = strncasecmp(type, types[i], strlen(types[i])) == 0;
	free(type);
	return found;
}

static bool write_attachment(struct transcript *t, const struct part *part)
{
	if (!takes(part->media_type) || json_type(part->data) != JSON_STRING)
		return false;
	json_open(t->out, '{');
	json_key(t->out, "inlineData");
	json_open(t->out, '{');
	json_put_raw(t->out, "mimeType", part->media_type);
	json_put_raw(t->out, "data", part->data);
	json_close(t->out, '}');
	json_close(t->out, '}');
	return true;
}

/* ---- calls ---- */

/* The API takes more names than others do; what it does not take becomes something it does. */
static void put_name(struct transcript *t, struct span name)
{
	struct buffer *text = &t->scratch;
	bool good;

	buffer_clear(text);
	json_decode(name, text);
	good = text->len > 0 && text->len <= MAX_NAME && !isdigit((unsigned char)text->at[0]);
	for (size_t i = 0; i < text->len; i++)
		good = good && (unsigned char)text->at[i] < 0x80 &&
		       (isalnum((unsigned char)text->at[i]) || strchr("_.:-", text->at[i]) != NULL);
	if (!good)
		transcript_make_name(text, MAX_NAME);
	if (isdigit((unsigned char)text->at[0]))
		text->at[0] = '_';
	json_put_string(t->out, "name", buffer_span(text));
}

/* An id goes back to where it came from. Where there was none, calls and results belong together by
 * their order. */
static void call_id(struct transcript *t, const struct part *call, struct span tool_call_id,
		    struct buffer *id)
{
	struct span own = transcript_own_id(t, call);

	if (call != NULL && transcript_is_own(t, call->message))
		json_decode(own.at != NULL ? own : tool_call_id, id);
}

static void put_id(struct transcript *t, struct span id)
{
	if (id.len > 0)
		json_put_string(t->out, "id", id);
}

/* From generation 3 on the first call of a content must be signed. */
static void put_signature(struct transcript *t, struct span signature)
{
	bool wanted = !t->after_call && gemini_generation(t->provider, t->model) >= 3;

	if (signature.at != NULL)
		json_put_raw(t->out, "thoughtSignature", signature);
	else if (wanted)
		json_put_raw(t->out, "thoughtSignature", SPAN(no_signature));
	t->after_call = true;
}

static void write_call(struct transcript *t, const struct part *part, struct span signature)
{
	json_open(t->out, '{');
	json_key(t->out, "functionCall");
	json_open(t->out, '{');
	put_id(t, transcript_call_id(t, part));
	put_name(t, part->tool_name);
	transcript_put_args(part, "args", t->out);
	json_close(t->out, '}');
	put_signature(t, signature);
	json_close(t->out, '}');
}

static void write_result(struct transcript *t, const struct transcript_call *call)
{
	bool is_error = call->result == NULL || call->result->is_error;

	json_open(t->out, '{');
	json_key(t->out, "functionResponse");
	json_open(t->out, '{');
	put_id(t, call->id);
	put_name(t, call->part->tool_name);
	buffer_clear(&t->scratch);
	if (call->result == NULL)
		buffer_add_text(&t->scratch, "The call was interrupted: there is no result.");
	else
		transcript_result(call->result, &t->scratch);
	json_key(t->out, "response");
	json_open(t->out, '{');
	json_put_string(t->out, is_error ? "error" : "output", buffer_span(&t->scratch));
	json_close(t->out, '}');
	json_close(t->out, '}');
	json_close(t->out, '}');
}

/* A result whose call is not in the content before is no result to the API. */
static void write_late(struct transcript *t, const struct part *result)
{
	buffer_clear(&t->scratch);
	transcript_late(result, &t->scratch);
	transcript_result_text(result, &t->scratch);
	json_open(t->out, '{');
	json_put_string(t->out, "text", buffer_span(&t->scratch));
	json_close(t->out, '}');
}

/* ---- responses ---- */

/* A part as it came. */
static void put_raw(struct transcript *t, struct span part)
{
	if (json_type(part) != JSON_OBJECT || json_count(part) == 0)
		return;
	json_open(t->out, '{');
	transcript_members(part, NULL, t->out);
	json_close(t->out, '}');
}

/* `own`: this very model wrote it, and can read what it signed. */
static void write_part(struct transcript *t, const struct part *part, bool own)
{
	struct span signature =
	    own ? json_get(part->provider_data, "thoughtSignature") : (struct span){0};

	switch (part->type) {
	case PART_CALL:
		write_call(t, part, signature);
		break;
	case PART_TEXT:
		put_text(t, part->text, false, signature);
		break;
	case PART_REFUSAL:
		user_text(t, part->text);
		break;
	case PART_THINKING:
		if (own)
			put_text(t, part->text, true, signature);
		break;
	case PART_PROVIDER_CALL:
	case PART_OPAQUE:
		if (own)
			put_raw(t, part->provider_data);
		break;
	case PART_UNKNOWN:
	case PART_RESULT:
	case PART_IMAGE:
	case PART_FILE:
		break;
	}
}

static void write_response(struct transcript *t, const struct message *message)
{
	bool own = transcript_is_same_model(t, message);

	for (size_t i = 0; i < message->part_count; i++)
		write_part(t, &message->parts[i], own);
}

static const struct transcript_form form = {
    .member = "contents",
    .parts_key = "parts",
    .assistant = "model",
    .answers_calls = true,
    .orders_results = true,
    .id = call_id,
    .user_text = user_text,
    .attachment = write_attachment,
    .response = write_response,
    .result = write_result,
    .late = write_late,
};

/* ---- tools ---- */

/* The schema of the arguments is JSON Schema as it is; the older member "parameters" would take
 * only a part of it. */
static void write_declaration(const struct model_tool *tool, struct buffer *out)
{
	json_open(out, '{');
	json_put_text(out, "name", tool->name);
	if (tool->description != NULL && *tool->description != '\0')
		json_put_text(out, "description", tool->description);
	if (json_type(tool->parameters) == JSON_OBJECT && json_count(tool->parameters) > 0)
		json_put_raw(out, "parametersJsonSchema", tool->parameters);
	json_close(out, '}');
}

static void write_declarations(const struct model_request *request, struct buffer *out)
{
	json_open(out, '{');
	json_key(out, "functionDeclarations");
	json_open(out, '[');
	for (size_t i = 0; i < request->tool_count; i++)
		write_declaration(&request->tools[i], out);
	json_close(out, ']');
	json_close(out, '}');
}

static void write_choice(const char *choice, struct buffer *out)
{
	bool none, named;

	if (choice == NULL || strcmp(choice, "auto") == 0)
		return;
	none = strcmp(choice, "none") == 0;
	named = !none && strcmp(choice, "required") != 0;
	json_key(out, "functionCallingConfig");
	json_open(out, '{');
	json_put_text(out, "mode", none ? "NONE" : "ANY");
	if (named) {
		json_key(out, "allowedFunctionNames");
		json_open(out, '[');
		json_comma(out);
		json_write_string(out, span_of(choice));
		json_close(out, ']');
	}
	json_close(out, '}');
}

/* Functions stand beside the provider's tools from generation 3 on, if the calls of those are told
 * too. */
static void write_tool_config(struct transcript *t)
{
	struct buffer config = {0};

	json_open(&config, '{');
	if (t->request->tool_count > 0)
		write_choice(t->request->tool_choice, &config);
	if (t->request->tool_count > 0 && json_count(parameters_provider_tools(t->request)) > 0 &&
	    gemini_generation(t->provider, t->model) >= 3)
		json_put_bool(&config, "includeServerSideToolInvocations", true);
	json_close(&config, '}');
	if (config.len > 2)
		json_put_raw(t->out, "toolConfig", buffer_span(&config));
	buffer_free(&config);
}

static void write_tools(struct transcript *t)
{
	struct json_walk walk = json_walk(parameters_provider_tools(t->request));

	if (t->request->tool_count == 0 && json_count(parameters_provider_tools(t->request)) == 0)
		return;
	json_key(t->out, "tools");
	json_open(t->out, '[');
	if (t->request->tool_count > 0)
		write_declarations(t->request, t->out);
	while (json_next(&walk)) {
		json_comma(t->out);
		buffer_add_span(t->out, walk.value);
	}
	json_close(t->out, ']');
	write_tool_config(t);
}

/* ---- the schema of the answer ---- */

/* The quirk "schema" (false for models that take none) aside, older models take either a schema or
 * tools. */
static bool schema_is_native(const struct transcript *t)
{
	struct span quirk = parameters_quirk(t->provider, t->model, "schema");
	bool tools =
	    t->request->tool_count > 0 || json_count(parameters_provider_tools(t->request)) > 0;

	if (json_type(quirk) == JSON_BOOL)
		return json_true(quirk);
	return !tools || gemini_generation(t->provider, t->model) >= 3;
}

/* The API's own tools do not go together with others in older models. */
bool gemini_answers_by_tool(const struct provider *provider, const char *model,
			    const struct model_request *request)
{
	const struct transcript t = {.provider = provider, .model = model, .request = request};

	return !schema_is_native(&t) && json_count(parameters_provider_tools(request)) == 0;
}

static void write_schema(struct transcript *t)
{
	json_put_text(t->out, "responseMimeType", "application/json");
	json_key(t->out, "responseJsonSchema");
	gemini_lower_schema(t->request->schema, t->out);
}

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
static const char *const own[] = {"contents",          "tools",
				  "toolConfig",        "tool_config",
				  "safetySettings",    "cachedContent",
				  "safety_settings",   "cached_content",
				  "generationConfig",  "labels",
				  "serviceTier",       "service_tier",
				  "systemInstruction", "store",
				  "generation_config", "system_instruction",
				  "modelArmorConfig",  NULL};

static const struct parameter_place places[] = {{NULL, own}, {"generationConfig", NULL}};

static const char *const used[] = {"parallel_tool_calls", NULL};
static const char *const used_lists[] = {"tools", NULL};

static const struct parameter_rules rules = {
    .places = places, .used = used, .used_lists = used_lists};

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

static void write_system(struct transcript *t)
{
	struct buffer text = {0};

	transcript_system(t->request, &text);
	if (t->request->schema.at != NULL && !schema_is_native(t))
		dialect_instruction(t->request->schema, &text);
	if (text.len > 0) {
		json_key(t->out, "systemInstruction");
		json_open(t->out, '{');
		json_key(t->out, "parts");
		json_open(t->out, '[');
		json_open(t->out, '{');
		json_put_string(t->out, "text", buffer_span(&text));
		json_close(t->out, '}');
		json_close(t->out, ']');
		json_close(t->out, '}');
	}
	buffer_free(&text);
}

static void write_config(struct transcript *t)
{
	bool schema = t->request->schema.at != NULL && schema_is_native(t);

	if (t->request->max_tokens <= 0 && !schema)
		return;
	json_key(t->out, "generationConfig");
	json_open(t->out, '{');
	if (t->request->max_tokens > 0)
		json_put_int(t->out, "maxOutputTokens", t->request->max_tokens);
	if (schema)
		write_schema(t);
	json_close(t->out, '}');
}

static bool write_body(struct transcript *t)
{
	json_open(t->out, '{');
	write_system(t);
	transcript_put_messages(t);
	write_tools(t);
	write_config(t);
	json_close(t->out, '}');
	return parameters_apply(t->provider, t->model, t->request, &rules, t->out, t->e);
}

bool gemini_request(const struct provider *provider, const char *model, const char *base_url,
		    const struct model_request *request, struct http_request *out, struct error *e)
{
	struct transcript t = {
	    .provider = provider, .model = model, .request = request, .out = &out->body, .e = e};

	out->url = url_of(provider, base_url, model);
	http_request_add_header(out, false, "Content-Type: application/json");
	http_request_add_header(out, false, "Accept: text/event-stream");
	if (parameters_one_call(request)) /* there is no way to ask for it */
		return parameters_refuse_one_call(provider, model, e);
	return transcript_request(&t, &form, write_body);
}
