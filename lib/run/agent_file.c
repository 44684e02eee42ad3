#include <stdlib.h>

#include "base/file.h"
#include "json/keys.h"
#include "run/agent.h"
#include "run/setting.h"

/* The file of an agent that is being read. */
struct agent_file {
	struct agent *agent;
	struct error *e;
};

/* A member of the file. */
struct agent_member {
	const char *key;
	enum json_type type; /* JSON_ABSENT: any */
	const char *fault;   /* the sentence for a value of another type */
	bool (*read)(struct agent_file *file, struct span value);
};

/* Fail for what stands at `where`. */
static bool fault(const struct agent_file *file, struct span where, const char *sentence)
{
	struct span text = buffer_span(&file->agent->text);

	return error_at(file->e, file->agent->source, text, (size_t)(where.at - text.at), "%s",
			sentence);
}

/* Fail for what stands at `where` if something went wrong with it; `e` says what, and is cleared.
 */
static bool check(const struct agent_file *file, struct span where, bool good, struct error *e)
{
	if (!good)
		fault(file, where, e->message);
	error_clear(e);
	return good;
}

static bool set_text(char **text, struct span value)
{
	free(*text);
	*text = json_text(value);
	return true;
}

/* ---- members of every kind ---- */

/* Whether the keys of `object` are those of `members` and of the settings. */
static bool check_keys(const struct agent_file *file, struct span object,
		       const struct agent_member *members, bool limits)
{
	const char **known = NULL;
	size_t count = 0;
	bool good;

	for (; members->key != NULL; members++) {
		known = array_grow(known, count, sizeof(*known));
		known[count++] = members->key;
	}
	for (const struct setting *setting = agent_settings; setting->key != NULL; setting++)
		if (setting->is_limit == limits) {
			known = array_grow(known, count, sizeof(*known));
			known[count++] = setting->key;
		}
	known = array_grow(known, count, sizeof(*known));
	known[count] = NULL;
	good = keys_are_known(file->agent->source, buffer_span(&file->agent->text), object, known,
			      file->e);
	free(known);
	return good;
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

/* Read every member of `object`, as its row of `members` says or as a setting. */
static bool read_members(struct agent_file *file, struct span object,
			 const struct agent_member *members, bool limits)
{
	bool good = check_keys(file, object, members, limits);

	for (struct json_walk walk = json_walk(object); good && json_next(&walk);) {
		const struct setting *setting = setting_find(json_plain(walk.key), limits);
		const struct agent_member *member = members;

		while (member->key != NULL && !json_is(walk.key, member->key))
			member++;
		if (setting != NULL)
			good = read_setting(file, setting, walk.value);
		else if (member->key == NULL)
			continue; /* "x-..." */
		else if (member->type != JSON_ABSENT && json_type(walk.value) != member->type)
			good = fault(file, walk.value, member->fault);
		else
			good = member->read(file, walk.value);
	}
	return good;
}

/* ---- each member ---- */

static bool read_limits(struct agent_file *file, struct span value)
{
	static const struct agent_member none = {0};

	return read_members(file, value, &none, true);
}

static bool read_name(struct agent_file *file, struct span value)
{
	return set_text(&file->agent->name, value);
}

static bool read_description(struct agent_file *file, struct span value)
{
	return set_text(&file->agent->description, value);
}

static bool read_instructions(struct agent_file *file, struct span value)
{
	struct agent *agent = file->agent;
	struct error e = {0};
	char *text = json_text(value);
	bool good = agent_set_instructions(agent, agent->folder, text, &e);

	free(text);
	return check(file, value, good, &e);
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

static const char model_fault[] = "\"model\" must be a string, such as \"openai:gpt-5.1\"";

static bool read_model(struct agent_file *file, struct span value)
{
	struct model_specs *models = &file->agent->models;
	char *list;

	if (json_is(value, ""))
		return fault(file, value, model_fault);
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
	for (struct json_walk walk = json_walk(value); json_next(&walk);) {
		char *key = json_text(walk.key);

		agent_add_option(file->agent, span_of(key), walk.value);
		free(key);
	}
	return true;
}

static bool read_tool(struct agent_file *file, struct span value)
{
	struct agent *agent = file->agent;
	struct span text = buffer_span(&agent->text);
	struct error e = {0};
	char *path;
	bool good;

	if (json_type(value) == JSON_OBJECT)
		return tool_set_add_inline(&agent->tools, text, (size_t)(value.at - text.at),
					   value.len, agent->source, agent->folder, file->e);
	if (json_type(value) != JSON_STRING)
		return fault(file, value, "a tool is a path, or a manifest");
	path = json_text(value);
	good = tool_set_add(&agent->tools, agent->folder, path, &e);
	free(path);
	return check(file, value, good, &e);
}

static bool read_tools(struct agent_file *file, struct span value)
{
	for (struct json_walk walk = json_walk(value); json_next(&walk);)
		if (!read_tool(file, walk.value))
			return false;
	return true;
}

static bool read_handoffs(struct agent_file *file, struct span value)
{
	for (struct json_walk walk = json_walk(value); json_next(&walk);)
		if (json_type(walk.value) != JSON_STRING || json_is(walk.value, ""))
			return fault(file, walk.value, "a handoff is the path of an agent's file");
	file->agent->handoffs = value;
	return true;
}

static bool read_handoff_input(struct agent_file *file, struct span value)
{
	file->agent->handoff_input = handoff_input_of(value);
	return file->agent->handoff_input != HANDOFF_DEFAULT ||
	       fault(file, value, "\"handoff_input\" must be all, last or none");
}

static struct schema *read_schema_file(const struct agent_file *file, struct span value)
{
	char *name = json_text(value), *path = path_join(file->agent->folder, name);
	struct error e = {0};
	struct buffer text = {0};
	struct schema *schema = NULL;
	bool good = file_read(path, &text, &e);

	if (check(file, value, good, &e))
		schema = schema_parse(path, buffer_span(&text), file->e);
	buffer_free(&text);
	free(path);
	free(name);
	return schema;
}

static bool read_output_schema(struct agent_file *file, struct span value)
{
	struct agent *agent = file->agent;
	struct span where = value;
	struct error e = {0};

	schema_free(agent->schema);
	agent->schema = NULL;
	if (json_type(value) == JSON_STRING) {
		agent->schema = read_schema_file(file, value);
		return agent->schema != NULL;
	}
	if (json_type(value) != JSON_OBJECT)
		return fault(file, value,
			     "\"output_schema\" must be a JSON Schema (an object) or its file");
	agent->schema = schema_compile(value, &where, &e);
	return check(file, where, agent->schema != NULL, &e);
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

static const struct agent_member agent_members[] = {
    {"name", JSON_STRING, "\"name\" must be a string", read_name},
    {"description", JSON_STRING, "\"description\" must be a string", read_description},
    {"model", JSON_STRING, model_fault, read_model},
    {"instructions", JSON_STRING, "\"instructions\" must be a string, or \"@FILE\"",
     read_instructions},
    {"tools", JSON_ARRAY, "\"tools\" must be an array of paths and manifests", read_tools},
    {"mcp", JSON_ABSENT, NULL, refuse_mcp},
    {"handoffs", JSON_ARRAY, "\"handoffs\" must be an array of agents' files", read_handoffs},
    {"handoff_input", JSON_ABSENT, NULL, read_handoff_input},
    {"output_schema", JSON_ABSENT, NULL, read_output_schema},
    {"options", JSON_OBJECT, "\"options\" must be an object, such as {\"temperature\": 0.2}",
     read_options},
    {"limits", JSON_OBJECT, "\"limits\" must be an object", read_limits},
    {"$schema", JSON_ABSENT, NULL, ignore},
    {0},
};

/* ---- the file ---- */

bool agent_file_read(struct agent *agent, const char *path, struct error *e)
{
	struct agent_file file = {agent, e};
	struct json_fault json = {0};
	struct span text, object;

	agent->source = mem_copy(span_of(path));
	agent->folder = path_folder(path);
	if (!file_read(path, &agent->text, e))
		return false;
	text = buffer_span(&agent->text);
	object = json_trim(text);
	if (!json_check(text, &json))
		return error_at(e, path, text, json.offset, "not JSON: %s", json.what);
	if (json_type(object) != JSON_OBJECT)
		return fault(&file, object, "an agent is a JSON object with a \"name\"");
	if (!keys_are_unique(path, text, e) || !read_members(&file, object, agent_members, false))
		return false;
	return (agent->name != NULL && agent->name[0] != '\0') ||
	       fault(&file, object, "the agent has no \"name\": add one");
}
