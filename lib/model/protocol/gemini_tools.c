#include "model/protocol/transcript.h"
#include "model/protocol/gemini.h"

/* ---- tools ---- */

/* The provider's own tools: the user's option "tools", a list as the API has it. */
static struct span provider_tools(const struct model_request *request)
{
	struct span tools = parameters_option(request, "tools");

	return json_type(tools) == JSON_ARRAY ? tools : (struct span){0};
}

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
static void write_config(const struct gemini_writer *w)
{
	struct buffer config = {0};

	json_open(&config, '{');
	if (w->request->tool_count > 0)
		write_choice(w->request->tool_choice, &config);
	if (w->request->tool_count > 0 && json_count(provider_tools(w->request)) > 0 &&
	    gemini_generation(w->provider, w->model) >= 3)
		json_put_bool(&config, "includeServerSideToolInvocations", true);
	json_close(&config, '}');
	if (config.len > 2)
		json_put_raw(w->out, "toolConfig", buffer_span(&config));
	buffer_free(&config);
}

void gemini_write_tools(const struct gemini_writer *w)
{
	struct json_walk walk = json_walk(provider_tools(w->request));

	if (w->request->tool_count == 0 && json_count(provider_tools(w->request)) == 0)
		return;
	json_key(w->out, "tools");
	json_open(w->out, '[');
	if (w->request->tool_count > 0)
		write_declarations(w->request, w->out);
	while (json_next(&walk)) {
		json_comma(w->out);
		buffer_add_span(w->out, walk.value);
	}
	json_close(w->out, ']');
	write_config(w);
}

/* ---- the schema of the answer ---- */

/* The quirk "schema" (false for models that take none) aside, older models take either a schema or
 * tools. */
bool gemini_schema_is_native(const struct gemini_writer *w)
{
	struct span quirk = parameters_quirk(w->provider, w->model, "schema");
	bool tools = w->request->tool_count > 0 || json_count(provider_tools(w->request)) > 0;

	if (json_type(quirk) == JSON_BOOL)
		return json_true(quirk);
	return !tools || gemini_generation(w->provider, w->model) >= 3;
}

/* The API's own tools do not go together with others in older models. */
bool gemini_answers_by_tool(const struct provider *provider, const char *model,
			    const struct model_request *request)
{
	const struct gemini_writer w = {.provider = provider, .model = model, .request = request};

	return !gemini_schema_is_native(&w) && json_count(provider_tools(request)) == 0;
}

void gemini_write_schema(const struct gemini_writer *w)
{
	json_put_text(w->out, "responseMimeType", "application/json");
	json_key(w->out, "responseJsonSchema");
	gemini_lower_schema(w->request->schema, w->out);
}
