#include "model/parameters.h"

#include <fnmatch.h>
#include <stdlib.h>

struct span parameters_option(const struct model_request *request, const char *key)
{
	for (size_t i = request->option_count; i-- > 0;)
		if (strcmp(request->options[i].key, key) == 0)
			return request->options[i].value;
	return (struct span){0};
}

struct span parameters_provider_tools(const struct model_request *request)
{
	struct span tools = parameters_option(request, "tools");

	return json_type(tools) == JSON_ARRAY ? tools : (struct span){0};
}

size_t parameters_tool_count(const struct model_request *request)
{
	return request->tool_count + json_count(parameters_provider_tools(request));
}

/* "*" applies last, wherever it is: a user's patterns follow the shipped ones. */
struct span parameters_quirk(const struct transcript *t, const char *quirk)
{
	struct span patterns = provider_quirk(t->provider, quirk);

	for (struct json_walk walk = json_walk(patterns); json_next(&walk);) {
		char *pattern = json_text(walk.key);
		bool matches = pattern != NULL && strcmp(pattern, "*") != 0 &&
			       fnmatch(pattern, t->model, 0) == 0;

		free(pattern);
		if (matches)
			return walk.value;
	}
	return json_get(patterns, "*");
}

bool parameters_quirk_has(const struct transcript *t, const char *quirk, const char *word)
{
	return json_has(parameters_quirk(t, quirk), word);
}

static bool apply_effort(const struct transcript *t, const struct parameter_rules *rules)
{
	const char *effort = t->request->effort;
	struct span levels, members;

	if (effort == NULL)
		return true;
	if (provider_quirk(t->provider, "effort").at != NULL)
		levels = parameters_quirk(t, "effort");
	else
		levels = rules->effort != NULL ? span_of(rules->effort) : (struct span){0};
	members = json_get(levels, effort);
	if (json_type(members) != JSON_OBJECT)
		return error_set(t->e, "usage", "%s:%s has no effort level %s", t->provider->name,
				 t->model, effort);
	json_merge_into(t->out, members);
	return true;
}

bool parameters_reasons(const struct model_request *request)
{
	return request->effort != NULL && strcmp(request->effort, "none") != 0;
}

/* Whether one of the user's options sets how the model reasons. */
static bool sets_reasoning(const struct transcript *t)
{
	struct span names = provider_quirk(t->provider, "reasoning_options");

	for (size_t i = 0; i < t->request->option_count; i++)
		if (json_has(names, t->request->options[i].key))
			return true;
	return false;
}

/* Whether the model would refuse `key` because it reasons, as far as that is known. */
static bool refuses_reasoning(const struct transcript *t, const char *key)
{
	bool reasons = parameters_reasons(t->request);
	bool is_default = t->request->effort == NULL;

	if (sets_reasoning(t))
		return false;
	return (reasons && parameters_quirk_has(t, "refuses_reasoning", key)) ||
	       ((reasons || is_default) && parameters_quirk_has(t, "refuses_unless_none", key));
}

static const char *place_of(const struct parameter_rules *rules, const char *key)
{
	const struct parameter_place *place = rules->places;

	if (place == NULL)
		return NULL;
	while (place->options != NULL && !span_is_any(span_of(key), place->options))
		place++;
	return place->object;
}

static bool is_used(const struct parameter_rules *rules, const struct model_option *option)
{
	struct span key = span_of(option->key);

	return (rules->used != NULL && span_is_any(key, rules->used)) ||
	       (rules->used_lists != NULL && json_type(option->value) == JSON_ARRAY &&
		span_is_any(key, rules->used_lists));
}

static bool apply_option(const struct transcript *t, const struct parameter_rules *rules,
			 const struct model_option *option)
{
	const char *place = place_of(rules, option->key);
	struct buffer patch = {0};

	if (is_used(rules, option))
		return true;
	if (parameters_quirk_has(t, "refuses", option->key))
		return error_set(t->e, "usage", "%s:%s does not accept the parameter %s (-o %s)",
				 t->provider->name, t->model, option->key, option->key);
	if (refuses_reasoning(t, option->key))
		return error_set(t->e, "usage",
				 "%s:%s does not accept the parameter %s while it reasons (-o %s; "
				 "--effort none turns that off)",
				 t->provider->name, t->model, option->key, option->key);
	if (place != NULL)
		json_pack(&patch, "{%t:{%t:%j}}", place, option->key, option->value);
	else
		json_pack(&patch, "{%t:%j}", option->key, option->value);
	json_merge_into(t->out, buffer_span(&patch));
	buffer_free(&patch);
	return true;
}

bool parameters_apply(const struct transcript *t, const struct parameter_rules *rules)
{
	struct span members = provider_quirk(t->provider, "body");
	bool ok;

	if (json_type(members) == JSON_OBJECT)
		json_merge_into(t->out, members);
	ok = apply_effort(t, rules);
	for (size_t i = 0; ok && i < t->request->option_count; i++)
		ok = apply_option(t, rules, &t->request->options[i]);
	return ok;
}

enum tool_choice parameters_choice(const char *choice)
{
	if (choice == NULL || strcmp(choice, "auto") == 0)
		return CHOICE_AUTO;
	if (strcmp(choice, "none") == 0)
		return CHOICE_NONE;
	return strcmp(choice, "required") == 0 ? CHOICE_ANY : CHOICE_NAMED;
}

bool parameters_force_tool(const struct model_request *request)
{
	return request->tool_count > 0 && parameters_choice(request->tool_choice) >= CHOICE_ANY;
}

bool parameters_one_call(const struct model_request *request)
{
	struct span parallel = parameters_option(request, "parallel_tool_calls");

	return json_false(parallel);
}

bool parameters_refuse_force(const struct transcript *t)
{
	return error_set(t->e, "usage", "%s:%s cannot be made to call a tool%s (--tool-choice %s)",
			 t->provider->name, t->model,
			 parameters_reasons(t->request) ? " with this --effort" : "",
			 t->request->tool_choice);
}

bool parameters_refuse_one_call(const struct transcript *t)
{
	return error_set(t->e, "usage",
			 "%s:%s cannot be kept from making several calls at once "
			 "(-o parallel_tool_calls=false)",
			 t->provider->name, t->model);
}
