#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "model/protocol/gemini.h"
#include "base/uri.h"
#include "model/protocol/schema_dialect.h"
#include "model/provider.h"

/* Longest name of a function. */
enum { MAX_NAME = 64 };

/* Sent as the signature of a call that has none because another model wrote it:
 * "skip_thought_signature_validator" (ai.google.dev/gemini-api/docs/thought-signatures). */
static const char no_signature[] = "\"c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=\"";

/* Which generation the model is of: 1, 2 or 3 (and later), by the quirk "generation". From 3 on
 * calls carry signatures, and tools go together with a schema of the answer. */
static int generation_of(const struct transcript *t)
{
	int64_t known = json_int(parameters_quirk(t, "generation"), 0);
	const char *model = t->model;

	if (known > 0)
		return (int)known;
	if (strstr(model, "gemini-1") != NULL)
		return 1;
	return strstr(model, "gemini-2") != NULL || strstr(model, "gemma") != NULL ||
		       strstr(model, "gemini-robotics-er-1.5") != NULL
		   ? 2
		   : 3;
}

/* ---- parts of contents ---- */

/* A text is not empty, unless it carries a signature. */
static void write_text(struct transcript *t, const struct part *part)
{
	struct span signature = transcript_data(t, part, "thoughtSignature");

	if (json_type(part->text) == JSON_STRING && (part->text.len > 2 || signature.at != NULL))
		json_pack(t->out, "{'text':%j,'thought':%f,'thoughtSignature':%j}", part->text,
			  part->type == PART_THINKING, signature);
}

static bool accepts(struct span media_type)
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
	if (!accepts(part->media_type) || json_type(part->data) != JSON_STRING)
		return false;
	json_pack(t->out, "{'inlineData':{'mimeType':%j,'data':%j}}", part->media_type, part->data);
	return true;
}

/* ---- calls ---- */

/* The API accepts more names than others. What it does not accept is replaced. */
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
static void call_id(struct transcript *t, const struct part *call, struct buffer *id)
{
	struct span own = transcript_own_id(t, call);

	if (transcript_is_own(t, call->message))
		json_decode(own.at != NULL ? own : call->tool_call_id, id);
}

/* From generation 3 on (t->salt) the first call of a content must be signed. */
static void write_call(struct transcript *t, const struct part *part)
{
	struct span signature = transcript_data(t, part, "thoughtSignature");

	if (signature.at == NULL && !t->after_call && t->salt >= 3)
		signature = SPAN(no_signature);
	t->after_call = true;
	json_pack(t->out, "{'functionCall':{'id':%s",
		  transcript_unless_empty(transcript_call_id(t, part)));
	put_name(t, part->tool_name);
	transcript_put_args(part, "args", t->out);
	json_pack(t->out, "},'thoughtSignature':%j}", signature);
}

static void write_result(struct transcript *t, const struct transcript_call *call)
{
	bool is_error = call->result == NULL || call->result->is_error;

	json_pack(t->out, "{'functionResponse':{'id':%s", transcript_unless_empty(call->id));
	put_name(t, call->part->tool_name);
	json_pack(t->out, "'response':{%t:%s}}}", is_error ? "error" : "output",
		  transcript_call_result(t, call));
}

/* A part as it came. */
static void write_raw(struct transcript *t, const struct part *part)
{
	if (json_type(part->provider_data) != JSON_OBJECT || json_count(part->provider_data) == 0)
		return;
	json_open(t->out, '{');
	transcript_members(part->provider_data, NULL, t->out);
	json_close(t->out, '}');
}

static const struct transcript_form form = {
    .member = "contents",
    .parts_key = "parts",
    .assistant = "model",
    .orders_results = true,
    .own_model = true,
    .id = call_id,
    .attachment = write_attachment,
    .parts =
	{
	    [PART_TEXT] = write_text,
	    [PART_THINKING] = write_text,
	    [PART_CALL] = write_call,
	    [PART_PROVIDER_CALL] = write_raw,
	    [PART_OPAQUE] = write_raw,
	},
    .result = write_result,
};

/* ---- tools ---- */

/* The older member "parameters" accepts only a part of JSON Schema. */
static void write_declarations(const struct model_request *request, struct buffer *out)
{
	json_pack(out, "{'functionDeclarations':[");
	for (size_t i = 0; i < request->tool_count; i++) {
		const struct model_tool *tool = &request->tools[i];
		bool described = tool->description != NULL && *tool->description != '\0';
		bool has_schema =
		    json_type(tool->parameters) == JSON_OBJECT && json_count(tool->parameters) > 0;

		json_pack(out, "{'name':%t,'description':%t,'parametersJsonSchema':%j}", tool->name,
			  described ? tool->description : NULL,
			  has_schema ? tool->parameters : (struct span){0});
	}
	json_pack(out, "]}");
}

/* From generation 3 on, functions can be combined with the provider's tools if
 * includeServerSideToolInvocations is set. */
static void write_tool_config(struct transcript *t)
{
	enum tool_choice choice = parameters_choice(t->request->tool_choice);
	bool both = json_count(parameters_provider_tools(t->request)) > 0 && generation_of(t) >= 3;

	if (t->request->tool_count == 0 || (choice == CHOICE_AUTO && !both))
		return;
	json_pack(t->out, "'toolConfig':{");
	if (choice != CHOICE_AUTO)
		json_pack(t->out,
			  choice == CHOICE_NAMED
			      ? "'functionCallingConfig':{'mode':%t,'allowedFunctionNames':[%t]}"
			      : "'functionCallingConfig':{'mode':%t}",
			  choice == CHOICE_NONE ? "NONE" : "ANY", t->request->tool_choice);
	json_pack(t->out, "'includeServerSideToolInvocations':%f}", both);
}

static void write_tools(struct transcript *t)
{
	if (parameters_tool_count(t->request) == 0)
		return;
	json_pack(t->out, "'tools':[");
	if (t->request->tool_count > 0)
		write_declarations(t->request, t->out);
	json_copy_elements(t->out, parameters_provider_tools(t->request));
	json_close(t->out, ']');
	write_tool_config(t);
}

/* ---- the schema of the answer ---- */

/* Whether the schema is a member of the request: the quirk "schema" decides; without it, models
 * before generation 3 accept either a schema or tools. */
static bool schema_is_native(const struct transcript *t)
{
	struct span quirk = parameters_quirk(t, "schema");

	if (json_type(quirk) == JSON_BOOL)
		return json_true(quirk);
	return parameters_tool_count(t->request) == 0 || generation_of(t) >= 3;
}

/* The API's own tools do not go together with others in older models. */
bool gemini_answers_by_tool(const struct transcript *t)
{
	return !schema_is_native(t) && json_count(parameters_provider_tools(t->request)) == 0;
}

/* ---- URL ---- */

/* The path of a URL, from its slash on; "" when it has none. */
static const char *path_of(const char *url)
{
	const char *host = strstr(url, "://"), *slash;

	slash = strchr(host != NULL ? host + 3 : url, '/');
	return slash != NULL ? slash : "";
}

/* The URL of the entry without base_url_env, which the caller frees; NULL: none. */
static char *own_url(const struct provider *provider)
{
	struct buffer entry = {0};
	char *url;

	json_merge(&entry, provider->entry, SPAN("{\"base_url_env\":null}"));
	url = provider_url(buffer_span(&entry), provider->name, NULL, NULL);
	buffer_free(&entry);
	return url;
}

void gemini_base_url(const struct provider *provider, struct buffer *out)
{
	const char *base_url = provider->base_url;
	/* The one location of Vertex AI that is not part of a host's name. */
	bool global = span_starts(span_of(base_url), "https://global-aiplatform.");
	char *own = own_url(provider);

	if (global)
		buffer_add_text(out, "https://");
	buffer_add_text(out, base_url + (global ? strlen("https://global-") : 0));
	if (*path_of(base_url) == '\0' && own != NULL)
		buffer_add_text(out, path_of(own));
	free(own);
}

/* A model may be named with its collection: "tunedModels/mine". */
static char *url_of(const struct transcript *t)
{
	struct buffer url = {0};

	gemini_base_url(t->provider, &url);
	buffer_add_text(&url, strchr(t->model, '/') == NULL ? "/models/" : "/");
	uri_encode(span_of(t->model), "/", &url);
	buffer_add_text(&url, ":streamGenerateContent?alt=sse");
	return buffer_take(&url);
}

/* ---- parameters ---- */

/* Options that are members of the request; all others are parameters of the generation. Either
 * spelling is accepted. */
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

static void write_system(struct transcript *t)
{
	struct span text = transcript_instructions(t, !schema_is_native(t));

	if (text.len > 0)
		json_pack(t->out, "'systemInstruction':{'parts':[{'text':%s}]}", text);
}

static void write_config(struct transcript *t)
{
	bool schema = t->request->schema.at != NULL && schema_is_native(t);

	if (t->request->max_tokens <= 0 && !schema)
		return;
	json_pack(t->out, "'generationConfig':{");
	if (t->request->max_tokens > 0)
		json_put_int(t->out, "maxOutputTokens", t->request->max_tokens);
	if (schema) {
		json_pack(t->out, "'responseMimeType':'application/json','responseJsonSchema':");
		dialect_write_gemini(t->request->schema, t->out);
	}
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
	return parameters_apply(t, &rules);
}

bool gemini_request(struct transcript *t, struct http_request *out)
{
	if (parameters_one_call(t->request)) /* the API has no option for it */
		return parameters_refuse_one_call(t);
	out->url = url_of(t);
	t->salt = (uint64_t)generation_of(t);
	return transcript_request(t, &form, write_body);
}
