#include "model/protocol/anthropic.h"
#include "model/protocol/schema_dialect.h"

/* ---- tools ---- */

/* The API refuses combinations at the root of a schema: describe them in words. */
static void add_combinations(struct span schema, struct buffer *words, struct buffer *patch)
{
	static const char *const names[] = {"anyOf", "oneOf", "allOf", NULL};

	for (size_t i = 0; names[i] != NULL; i++) {
		struct span value = json_get(schema, names[i]);

		if (value.at == NULL)
			continue;
		json_put_null(patch, names[i]);
		buffer_add_format(words, "%s\"%s\":", words->len > 0 ? "," : "", names[i]);
		json_write_compact(words, value);
	}
}

static void put_description(const char *description, struct span words, struct buffer *out)
{
	struct buffer text = {0};

	if (description != NULL)
		buffer_add_text(&text, description);
	if (words.len > 0) {
		buffer_add_text(&text, text.len > 0 ? "\n\n" : "");
		buffer_add_text(&text, "The arguments must also satisfy the JSON Schema {");
		buffer_add_span(&text, words);
		buffer_add_text(&text, "}.");
	}
	if (text.len > 0)
		json_put_string(out, "description", buffer_span(&text));
	buffer_free(&text);
}

/* A tool. Its schema is sent unchanged unless the API refuses it: it must be of type object. */
static void write_tool(const char *name, const char *description, struct span parameters,
		       bool cached, struct buffer *out)
{
	struct span schema = json_type(parameters) == JSON_OBJECT ? parameters : SPAN("{}");
	struct buffer words = {0}, patch = {0};

	json_open(&patch, '{');
	add_combinations(schema, &words, &patch);
	if (!json_is(json_get(schema, "type"), "object"))
		json_put_text(&patch, "type", "object");
	json_close(&patch, '}');
	json_pack(out, "{'name':%t", name);
	put_description(description, buffer_span(&words), out);
	json_key(out, "input_schema");
	if (patch.len > 2)
		json_merge(out, schema, buffer_span(&patch));
	else
		buffer_add_span(out, schema);
	json_pack(out, "'cache_control':%j}",
		  cached ? SPAN("{\"type\":\"ephemeral\"}") : (struct span){0});
	buffer_free(&words);
	buffer_free(&patch);
}

/* ---- which of them may be called ---- */

void anthropic_put_choice(const char *choice, bool one_call, struct buffer *out)
{
	static const char *const types[] = {[CHOICE_AUTO] = "auto",
					    [CHOICE_NONE] = "none",
					    [CHOICE_ANY] = "any",
					    [CHOICE_NAMED] = "tool"};
	enum tool_choice kind = parameters_choice(choice);

	json_pack(out, "'tool_choice':{'type':%t,'name':%t,'disable_parallel_tool_use':%f}",
		  types[kind], kind == CHOICE_NAMED ? choice : NULL,
		  one_call && kind != CHOICE_NONE);
}

/* Whether a token budget for thinking is requested: then no tool can be forced. */
static bool has_budget(const struct transcript *t)
{
	struct span levels = parameters_quirk(t, "effort");
	struct span thinking = parameters_option(t->request, "thinking");
	const char *effort = t->request->effort;

	if (thinking.at != NULL || effort == NULL)
		return json_is(json_get(thinking, "type"), "enabled");
	if (provider_quirk(t->provider, "effort").at == NULL)
		return strcmp(effort, "none") != 0;
	return json_is(json_path(json_get(levels, effort), "thinking.type"), "enabled");
}

bool anthropic_can_force(const struct transcript *t)
{
	struct span quirk = parameters_quirk(t, "force");

	return !has_budget(t) && !json_false(quirk);
}

/* ---- all together ---- */

/* Where the conversation has calls, gateways want to see the member even if no tool is left. */
static bool has_calls(const struct model_request *request)
{
	for (size_t i = 0; i < request->message_count; i++)
		if (request->messages[i]->role == MESSAGE_TOOL)
			return true;
	return false;
}

void anthropic_write_tools(const struct transcript *t, bool cached)
{
	const struct model_request *request = t->request;
	size_t count = parameters_tool_count(request);
	bool one_call = parameters_one_call(request);

	if (count == 0 && !has_calls(request))
		return;
	json_key(t->out, "tools");
	json_open(t->out, '[');
	json_copy_elements(t->out, parameters_provider_tools(request));
	for (size_t i = 0; i < request->tool_count; i++)
		write_tool(request->tools[i].name, request->tools[i].description,
			   request->tools[i].parameters, cached && i + 1 == request->tool_count,
			   t->out);
	json_close(t->out, ']');
	if (count > 0 && (request->tool_choice != NULL || one_call))
		anthropic_put_choice(request->tool_choice, one_call, t->out);
}

/* ---- the schema of the answer ---- */

bool anthropic_accepts_schema(const struct transcript *t)
{
	struct span quirk = parameters_quirk(t, "schema"), schema = t->request->schema;

	return schema.at != NULL && !json_false(quirk) && !json_is(quirk, "tool") &&
	       dialect_fits_anthropic(schema);
}

bool anthropic_answers_by_tool(const struct transcript *t)
{
	return !json_false(parameters_quirk(t, "schema")) && !anthropic_accepts_schema(t);
}
