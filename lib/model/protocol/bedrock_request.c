#include <stdlib.h>

#include "model/protocol/transcript.h"
#include "model/parameters.h"
#include "model/protocol/anthropic.h"
#include "model/protocol/bedrock.h"
#include "model/provider.h"
#include "model/schema_dialect.h"

/* ---- parameters ---- */

static bool is_one_of(const char *key, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, key) == 0)
			return true;
	return false;
}

/* What is not the API's own is the model's. */
static const char *place(const char *key)
{
	static const char *const own[] = {
	    "messages",
	    "system",
	    "inferenceConfig",
	    "toolConfig",
	    "guardrailConfig",
	    "additionalModelRequestFields",
	    "additionalModelResponseFieldPaths",
	    "promptVariables",
	    "requestMetadata",
	    "performanceConfig",
	    "serviceTier",
	    "outputConfig",
	    NULL,
	};
	static const char *const inference[] = {"temperature", "topP", "maxTokens", "stopSequences",
						NULL};

	if (is_one_of(key, own))
		return NULL;
	return is_one_of(key, inference) ? "inferenceConfig" : "additionalModelRequestFields";
}

static const struct parameter_rules rules = {.place = place};

/* ---- the schema of the answer ---- */

/* Whether the model takes a schema (quirk "schema": "tool" or false where it does not), and this
 * one. */
static bool schema_is_native(const struct bedrock_writer *w)
{
	struct span quirk = parameters_quirk(w->provider, w->model, "schema");

	return (quirk.at == NULL || json_true(quirk)) && anthropic_schema_fits(w->request->schema);
}

/* By default a tool does what the API does not. */
bool bedrock_answers_by_tool(const struct provider *provider, const char *model,
			     const struct model_request *request)
{
	const struct bedrock_writer w = {.provider = provider, .model = model, .request = request};
	struct span quirk = parameters_quirk(provider, model, "schema");

	return !schema_is_native(&w) && (json_type(quirk) != JSON_BOOL || json_true(quirk));
}

/* The schema is a text, in the dialect that Claude has elsewhere too. */
static void write_schema(const struct bedrock_writer *w)
{
	struct buffer schema = {0}, name = {0};
	struct buffer *out = w->out;

	anthropic_write_schema(w->request->schema, &schema);
	dialect_name(w->request->schema, &name);
	json_key(out, "outputConfig");
	json_open(out, '{');
	json_key(out, "textFormat");
	json_open(out, '{');
	json_put_text(out, "type", "json_schema");
	json_key(out, "structure");
	json_open(out, '{');
	json_key(out, "jsonSchema");
	json_open(out, '{');
	json_put_string(out, "schema", buffer_span(&schema));
	json_put_string(out, "name", buffer_span(&name));
	json_close(out, '}');
	json_close(out, '}');
	json_close(out, '}');
	json_close(out, '}');
	buffer_free(&schema);
	buffer_free(&name);
}

/* ---- the request ---- */

static void write_system(const struct bedrock_writer *w, bool with_schema)
{
	struct buffer text = {0};

	message_system(w->request, &text);
	if (with_schema)
		dialect_instruction(w->request->schema, &text);
	if (text.len > 0) {
		json_key(w->out, "system");
		json_open(w->out, '[');
		json_open(w->out, '{');
		json_put_string(w->out, "text", buffer_span(&text));
		json_close(w->out, '}');
		json_close(w->out, ']');
	}
	buffer_free(&text);
}

/* What the model would refuse: a forced call while it thinks within a budget, or one call at a time
 * where it has no word for it (quirk "parallel"). */
static bool check_tools(const struct bedrock_writer *w)
{
	const struct model_request *request = w->request;
	struct span levels = parameters_quirk(w->provider, w->model, "effort");
	struct span members = json_get(levels, request->effort != NULL ? request->effort : "");
	struct span type = json_path(members, "additionalModelRequestFields.thinking.type");

	if (parameters_force_tool(request) && json_is(type, "enabled"))
		return parameters_refuse_force(w->provider, w->model, request, w->e);
	return !parameters_one_call(request) ||
	       json_true(parameters_quirk(w->provider, w->model, "parallel")) ||
	       parameters_refuse_one_call(w->provider, w->model, w->e);
}

/* The user's options, less the one that was written already. */
static bool apply(const struct bedrock_writer *w)
{
	struct model_request request = *w->request;
	struct model_option *options = mem_zero((request.option_count + 1) * sizeof(*options));
	size_t count = 0;
	bool ok;

	for (size_t i = 0; i < request.option_count; i++)
		if (strcmp(request.options[i].key, "parallel_tool_calls") != 0)
			options[count++] = request.options[i];
	request.options = options;
	request.option_count = count;
	ok = parameters_apply(w->provider, w->model, &request, &rules, w->out, w->e);
	free(options);
	return ok;
}

static bool write_body(const struct bedrock_writer *w)
{
	bool schema = w->request->schema.at != NULL, native = schema && schema_is_native(w);

	json_open(w->out, '{');
	json_key(w->out, "messages");
	if (!bedrock_write_messages(w))
		return false;
	write_system(w, schema && !native);
	if (w->request->max_tokens > 0) {
		json_key(w->out, "inferenceConfig");
		json_open(w->out, '{');
		json_put_int(w->out, "maxTokens", w->request->max_tokens);
		json_close(w->out, '}');
	}
	bedrock_write_tools(w);
	if (native)
		write_schema(w);
	if (parameters_one_call(w->request))
		bedrock_write_single(w);
	json_close(w->out, '}');
	return apply(w);
}

bool bedrock_request(const struct provider *provider, const char *model, const char *base_url,
		     const struct model_request *request, struct http_request *out, struct error *e)
{
	struct bedrock_writer w = {
	    .provider = provider, .model = model, .request = request, .out = &out->body, .e = e};
	struct buffer url = {0};

	buffer_add_text(&url, base_url);
	while (url.len > 0 && url.at[url.len - 1] == '/')
		url.len--;
	buffer_add_text(&url, "/model/");
	provider_escape(model, &url);
	buffer_add_text(&url, "/converse-stream");
	out->url = buffer_take(&url);
	http_request_add_header(out, false, "Content-Type: application/json");
	http_request_add_header(out, false, "Accept: application/vnd.amazon.eventstream");
	return check_tools(&w) && write_body(&w);
}
