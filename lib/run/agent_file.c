#include "run/agent_file.h"

#include <stdlib.h>

#include "base/file.h"
#include "run/setting.h"

/* One file that is being read. */
struct agent_file {
	struct agent *agent;
	struct error *e;
};

struct member {
	const char *key;
	bool (*read)(struct agent_file *file, struct span value);
};

static bool fault(const struct agent_file *file, struct span where, const char *sentence)
{
	struct span text = buffer_span(&file->agent->text);

	return error_at(file->e, file->agent->source, text, (size_t)(where.at - text.at), "%s",
			sentence);
}

/* ---- values ---- */

static bool read_text(const struct agent_file *file, struct span value, char **text,
		      const char *sentence)
{
	if (json_type(value) != JSON_STRING)
		return fault(file, value, sentence);
	free(*text);
	*text = json_text(value);
	return true;
}

static bool read_setting(const struct agent_file *file, const struct setting *setting,
			 struct span value)
{
	struct buffer sentence = {0};
	bool good = setting_read(setting, file->agent, value, &sentence) ||
		    fault(file, value, buffer_string(&sentence));

	buffer_free(&sentence);
	return good;
}

static void list_key(struct buffer *sentence, const char *key)
{
	buffer_add_text(sentence, sentence->at[sentence->len - 1] == ';' ? " the keys are " : ", ");
	buffer_add_text(sentence, key);
}

static bool unknown_key(const struct agent_file *file, struct span key,
			const struct member *members, bool limits)
{
	struct buffer sentence = {0};

	buffer_add_format(&sentence, "unknown key %.*s;", SPAN_ARG(key));
	for (; members->key != NULL; members++)
		list_key(&sentence, members->key);
	for (const struct setting *setting = agent_settings; setting->key != NULL; setting++)
		if (setting->is_limit == limits)
			list_key(&sentence, setting->key);
	fault(file, key, buffer_string(&sentence));
	buffer_free(&sentence);
	return false;
}

/* Every member of `object`, by its reader in `members` or as a setting. */
static bool read_members(struct agent_file *file, struct span object, const struct member *members,
			 bool limits)
{
	struct json_walk walk = json_walk(object);

	while (json_next(&walk)) {
		const struct setting *setting = setting_find(json_plain(walk.key), limits);
		const struct member *member = members;

		while (member->key != NULL && !json_is(walk.key, member->key))
			member++;
		if (member->key == NULL && setting == NULL)
			return unknown_key(file, walk.key, members, limits);
		if (setting != NULL ? !read_setting(file, setting, walk.value)
				    : !member->read(file, walk.value))
			return false;
	}
	return true;
}

static bool read_limits(struct agent_file *file, struct span value)
{
	static const struct member none = {NULL, NULL};

	if (json_type(value) != JSON_OBJECT)
		return fault(file, value, "\"limits\" must be an object");
	return read_members(file, value, &none, true);
}

/* ---- the members ---- */

static bool read_name(struct agent_file *file, struct span value)
{
	return read_text(file, value, &file->agent->name, "\"name\" must be a string");
}

static bool read_description(struct agent_file *file, struct span value)
{
	return read_text(file, value, &file->agent->description,
			 "\"description\" must be a string");
}

static bool read_instructions(struct agent_file *file, struct span value)
{
	struct agent *agent = file->agent;
	struct error e = {0};
	char *text = json_text(value);
	bool good;

	if (text == NULL)
		return fault(file, value, "\"instructions\" must be a string, or \"@FILE\"");
	good =
	    agent_set_instructions(agent, agent->folder, text, &e) || fault(file, value, e.message);
	error_clear(&e);
	free(text);
	return good;
}

/* The file of a recording is relative to this one. */
static char *resolve_spec(const struct agent *agent, char *spec)
{
	static const char replay[] = "replay:";
	struct buffer resolved = {0};
	char *path;

	if (strncmp(spec, replay, strlen(replay)) != 0)
		return spec;
	path = path_join(agent->folder, spec + strlen(replay));
	buffer_add_format(&resolved, "%s%s", replay, path);
	free(path);
	free(spec);
	return buffer_take(&resolved);
}

static bool read_model(struct agent_file *file, struct span value)
{
	struct model_specs *models = &file->agent->models;
	char *list;

	if (json_type(value) != JSON_STRING || json_is(value, ""))
		return fault(file, value, "\"model\" must be a string, such as \"openai:gpt-5.1\"");
	model_specs_free(models);
	list = json_text(value);
	model_specs_add_list(models, list);
	for (size_t i = 0; i < models->count; i++)
		models->at[i] = resolve_spec(file->agent, models->at[i]);
	free(list);
	return true;
}

static bool read_options(struct agent_file *file, struct span value)
{
	struct json_walk walk = json_walk(value);

	if (json_type(value) != JSON_OBJECT)
		return fault(file, value,
			     "\"options\" must be an object, such as {\"temperature\": 0.2}");
	while (json_next(&walk)) {
		char *key = json_text(walk.key);

		agent_add_option(file->agent, span_of(key), walk.value);
		free(key);
	}
	return true;
}

static bool read_tools(struct agent_file *file, struct span value)
{
	struct agent *agent = file->agent;
	struct json_walk walk = json_walk(value);
	struct span text = buffer_span(&agent->text);

	if (json_type(value) != JSON_ARRAY)
		return fault(file, value, "\"tools\" must be an array of paths and manifests");
	while (json_next(&walk)) {
		struct error e = {0};
		bool good;

		if (json_type(walk.value) == JSON_OBJECT) {
			if (!tool_set_add_inline(&agent->tools, text,
						 (size_t)(walk.value.at - text.at), walk.value.len,
						 agent->source, agent->folder, file->e))
				return false;
		} else if (json_type(walk.value) == JSON_STRING) {
			char *path = json_text(walk.value);

			good = tool_set_add_from(&agent->tools, agent->folder, path, &e) ||
			       fault(file, walk.value, e.message);
			free(path);
			error_clear(&e);
			if (!good)
				return false;
		} else {
			return fault(file, walk.value, "a tool is a path, or a manifest");
		}
	}
	return true;
}

static bool read_handoffs(struct agent_file *file, struct span value)
{
	struct json_walk walk = json_walk(value);

	if (json_type(value) != JSON_ARRAY)
		return fault(file, value, "\"handoffs\" must be an array of agents' files");
	while (json_next(&walk))
		if (json_type(walk.value) != JSON_STRING || json_is(walk.value, ""))
			return fault(file, walk.value, "a handoff is the path of an agent's file");
	file->agent->handoffs = value;
	return true;
}

static bool read_handoff_input(struct agent_file *file, struct span value)
{
	file->agent->handoff_input = handoff_input_of(value);
	return file->agent->handoff_input != HANDOFF_UNSAID ||
	       fault(file, value, "\"handoff_input\" must be all, last or none");
}

static struct schema *read_schema_file(const struct agent_file *file, struct span value)
{
	char *name = json_text(value), *path = path_join(file->agent->folder, name);
	struct error e = {0};
	struct buffer text = {0};
	struct schema *schema = NULL;

	if (file_read(path, &text, &e))
		schema = schema_parse(path, buffer_span(&text), file->e);
	else
		fault(file, value, e.message);
	buffer_free(&text);
	error_clear(&e);
	free(path);
	free(name);
	return schema;
}

static struct schema *compile_schema(const struct agent_file *file, struct span value)
{
	struct error e = {0};
	struct span where = value;
	struct schema *schema = schema_compile(value, &where, &e);

	if (schema == NULL)
		fault(file, where, e.message);
	error_clear(&e);
	return schema;
}

static bool read_output_schema(struct agent_file *file, struct span value)
{
	struct agent *agent = file->agent;

	schema_free(agent->schema);
	agent->schema = NULL;
	if (json_type(value) == JSON_STRING)
		agent->schema = read_schema_file(file, value);
	else if (json_type(value) == JSON_OBJECT)
		agent->schema = compile_schema(file, value);
	else
		return fault(file, value,
			     "\"output_schema\" must be a JSON Schema (an object) or its file");
	return agent->schema != NULL;
}

static bool refuse_mcp(struct agent_file *file, struct span value)
{
	return fault(
	    file, value,
	    "\"mcp\": this version knows no MCP servers; leave it out, or give the tools as "
	    "manifests");
}

static bool ignore(struct agent_file *file, struct span value)
{
	(void)file;
	(void)value;
	return true;
}

static bool read_all(struct agent_file *file)
{
	static const struct member members[] = {{"name", read_name},
						{"description", read_description},
						{"model", read_model},
						{"instructions", read_instructions},
						{"tools", read_tools},
						{"mcp", refuse_mcp},
						{"handoffs", read_handoffs},
						{"handoff_input", read_handoff_input},
						{"output_schema", read_output_schema},
						{"options", read_options},
						{"limits", read_limits},
						{"$schema", ignore},
						{NULL, NULL}};
	struct span text = buffer_span(&file->agent->text), object = json_trim(text);
	struct json_fault json = {0};

	if (!json_check(text, &json))
		return error_at(file->e, file->agent->source, text, json.offset, "not JSON: %s",
				json.what);
	if (json_type(object) != JSON_OBJECT)
		return fault(file, object, "an agent is a JSON object with a \"name\"");
	if (!read_members(file, object, members, false))
		return false;
	return (file->agent->name != NULL && file->agent->name[0] != '\0') ||
	       fault(file, object, "the agent has no \"name\": add one");
}

bool agent_file_read(struct agent *agent, const char *path, struct error *e)
{
	struct agent_file file = {agent, e};
	const char *slash = strrchr(path, '/');

	agent->source = mem_copy(span_of(path));
	agent->folder =
	    mem_copy((struct span){path, slash != NULL ? (size_t)(slash - path) + 1 : 0});
	return file_read(path, &agent->text, e) && read_all(&file);
}
