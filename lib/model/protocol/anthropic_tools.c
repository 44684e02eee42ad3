#include "model/protocol/anthropic.h"

#include "model/protocol/transcript.h"

/* What the API says of root-level combinations is no; they are told in words. */
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

/* A tool; its schema keeps its bytes unless the API refuses them: it must be of type object. */
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
	json_open(out, '{');
	json_put_text(out, "name", name);
	put_description(description, buffer_span(&words), out);
	json_key(out, "input_schema");
	if (patch.len > 2)
		json_merge(out, schema, buffer_span(&patch));
	else
		buffer_add_span(out, schema);
	if (cached)
		json_put_raw(out, "cache_control", SPAN("{\"type\":\"ephemeral\"}"));
	json_close(out, '}');
	buffer_free(&words);
	buffer_free(&patch);
}

/* ---- which of them may be called ---- */

/* A choice by its name alone, or of the tool `tool`. */
static void put_choice(const char *type, const char *tool, bool one_at_a_time, struct buffer *out)
{
	json_key(out, "tool_choice");
	json_open(out, '{');
	json_put_text(out, "type", type);
	if (tool != NULL)
		json_put_text(out, "name", tool);
	if (one_at_a_time && strcmp(type, "none") != 0)
		json_put_bool(out, "disable_parallel_tool_use", true);
	json_close(out, '}');
}

/* Whether a token budget for thinking is asked for: then no tool may be forced. */
static bool has_budget(const struct anthropic_writer *w)
{
	struct span levels = parameters_quirk(w->provider, w->model, "effort");
	struct span thinking = parameters_option(w->request, "thinking");
	const char *effort = w->request->effort;

	if (thinking.at != NULL || effort == NULL)
		return json_is(json_get(thinking, "type"), "enabled");
	if (provider_quirk(w->provider, "effort").at == NULL)
		return strcmp(effort, "none") != 0;
	return json_is(json_path(json_get(levels, effort), "thinking.type"), "enabled");
}

bool anthropic_can_force(const struct anthropic_writer *w)
{
	struct span quirk = parameters_quirk(w->provider, w->model, "force");

	return !has_budget(w) && (json_type(quirk) != JSON_BOOL || json_true(quirk));
}

/* The user's choice, and what becomes of it where a tool takes the answer. */
static const char *choice_of(const struct anthropic_writer *w, bool by_tool)
{
	const char *choice = w->request->tool_choice;
	bool none = choice != NULL && strcmp(choice, "none") == 0;
	bool any = choice == NULL || strcmp(choice, "auto") == 0;

	if (!by_tool || (!none && !any))
		return choice;
	if (!anthropic_can_force(w))
		return NULL;
	return none ? ANTHROPIC_ANSWER_TOOL : "required";
}

static void write_choice(const struct anthropic_writer *w, bool by_tool)
{
	struct span parallel = parameters_option(w->request, "parallel_tool_calls");
	bool single = json_type(parallel) == JSON_BOOL && !json_true(parallel);
	const char *choice = choice_of(w, by_tool);

	if (choice == NULL && !single)
		return;
	if (choice == NULL)
		put_choice("auto", NULL, single, w->out);
	else if (strcmp(choice, "auto") == 0 || strcmp(choice, "none") == 0)
		put_choice(choice, NULL, single, w->out);
	else if (strcmp(choice, "required") == 0)
		put_choice("any", NULL, single, w->out);
	else
		put_choice("tool", choice, single, w->out);
}

/* ---- all together ---- */

struct span anthropic_provider_tools(const struct model_request *request)
{
	struct span tools = parameters_option(request, "tools");

	return json_type(tools) == JSON_ARRAY ? tools : (struct span){0};
}

/* Where the conversation has calls, gateways want to see the member even if no tool is left. */
static bool has_calls(const struct model_request *request)
{
	for (size_t i = 0; i < request->message_count; i++)
		if (message_role(request->messages[i]->json) == MESSAGE_TOOL)
			return true;
	return false;
}

static void write_answer_tool(const struct anthropic_writer *w, bool cached)
{
	write_tool(ANTHROPIC_ANSWER_TOOL,
		   "Gives your final answer. Call it once, when the answer is complete, instead of "
		   "answering in text.",
		   w->request->schema, cached, w->out);
}

void anthropic_write_tools(const struct anthropic_writer *w, bool cached)
{
	const struct model_request *request = w->request;
	bool by_tool = anthropic_schema_way(w->provider, w->model, request) == SCHEMA_TOOL;
	struct span others = anthropic_provider_tools(request);
	struct json_walk walk = json_walk(others);
	size_t count = request->tool_count + json_count(others);

	if (count == 0 && !by_tool && !has_calls(request))
		return;
	json_key(w->out, "tools");
	json_open(w->out, '[');
	while (json_next(&walk)) {
		json_comma(w->out);
		buffer_add_span(w->out, walk.value);
	}
	for (size_t i = 0; i < request->tool_count; i++)
		write_tool(request->tools[i].name, request->tools[i].description,
			   request->tools[i].parameters,
			   cached && !by_tool && i + 1 == request->tool_count, w->out);
	if (by_tool)
		write_answer_tool(w, cached);
	json_close(w->out, ']');
	if (count > 0 || by_tool)
		write_choice(w, by_tool);
}
