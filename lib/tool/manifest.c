#include "tool/manifest.h"

#include <math.h>
#include <stdlib.h>

#include "base/file.h"
#include "json/keys.h"
#include "base/number.h"
#include "tool/command.h"

/* The parameters of an agent as a tool, unless its manifest has its own. */
#define PROMPT_PARAMETERS                                                                          \
	"{\"type\":\"object\",\"properties\":{\"prompt\":{\"type\":\"string\",\"description\":"    \
	"\"What the agent is to do, with all it needs to know\"}},\"required\":[\"prompt\"],"      \
	"\"additionalProperties\":false}"

/* The longest name that every provider accepts. */
enum { NAME_MAX_LENGTH = 64 };

/* ---- errors ---- */

/* Set an error about a value of the manifest, or about its beginning if the value is absent. */
static bool fault(const struct tool *tool, struct span value, struct error *e, const char *sentence)
{
	struct span text = buffer_span(&tool->manifest);
	const char *at = value.at != NULL ? value.at : json_trim(text).at;

	return error_at(e, tool->source, text, (size_t)(at - text.at), "%s", sentence);
}

/* ---- the members ---- */

/* The members that a manifest can have, and what their values must be. */
static const struct manifest_member {
	const char *name;
	enum json_type type; /* JSON_ABSENT: any, or checked where it is read */
	const char *sentence;
} members[] = {
    {"name", JSON_STRING,
     "\"name\" must be a string of at most 64 letters, digits, _ and -, beginning with a letter or "
     "_"},
    {"description", JSON_STRING, "\"description\" must be a string"},
    {"parameters", JSON_ABSENT, NULL},
    {"inputSchema", JSON_ABSENT, NULL},
    {"command", JSON_ABSENT, NULL},
    {"agent", JSON_STRING, "\"agent\" must name a file, agent-file(5)"},
    {"timeout", JSON_ABSENT, "\"timeout\" must be a duration, such as " NUMBER_DURATIONS},
    {"idle_timeout", JSON_ABSENT,
     "\"idle_timeout\" must be a duration, such as " NUMBER_DURATIONS
     ", of a tool with a \"command\""},
    {"env", JSON_ARRAY,
     "\"env\" must be a list of names of environment variables, of a tool with a "
     "\"command\""},
    {"env_only", JSON_BOOL, "\"env_only\" must be true or false, of a tool with a \"command\""},
    {"approval", JSON_BOOL, "\"approval\" must be true or false"},
    {"idempotent", JSON_BOOL, "\"idempotent\" must be true or false"},
    {"poll", JSON_BOOL, "\"poll\" must be true or false"},
    /* for other programs that read the same file; ignored */
    {"$schema", JSON_ABSENT, NULL},
    {"title", JSON_ABSENT, NULL},
    {"icons", JSON_ABSENT, NULL},
    {"annotations", JSON_ABSENT, NULL},
    {"outputSchema", JSON_ABSENT, NULL},
    {"execution", JSON_ABSENT, NULL},
    {"strict", JSON_ABSENT, NULL},
    {"_meta", JSON_ABSENT, NULL},
};

/* Set an error about the value of the member `name`. */
static bool bad_member(const struct tool *tool, struct span object, const char *name,
		       struct error *e)
{
	size_t i = 0;

	while (strcmp(members[i].name, name) != 0)
		i++;
	return fault(tool, json_get(object, name), e, members[i].sentence);
}

static bool check_members(const struct tool *tool, struct span object, struct error *e)
{
	struct span text = buffer_span(&tool->manifest);
	const char *known[ARRAY_LEN(members) + 1] = {NULL};

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		struct span value = json_get(object, members[i].name);

		known[i] = members[i].name;
		if (value.at != NULL && members[i].type != JSON_ABSENT &&
		    json_type(value) != members[i].type)
			return bad_member(tool, object, members[i].name, e);
	}
	return keys_are_known(tool->source, text, object, known, e) &&
	       keys_are_unique(tool->source, text, e);
}

static bool is_tool_name(const char *name)
{
	static const char allowed[] = "_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "-0123456789";
	size_t len = strspn(name, allowed);

	return len > 0 && len <= NAME_MAX_LENGTH && name[len] == '\0' &&
	       strchr("-0123456789", name[0]) == NULL;
}

static bool read_name(struct tool *tool, struct span object, struct error *e)
{
	struct span name = json_get(object, "name");

	if (name.at == NULL)
		return fault(tool, name, e, "the manifest has no \"name\": add one");
	tool->name = json_text(name);
	return is_tool_name(tool->name) || bad_member(tool, object, "name", e);
}

static bool compile_parameters(struct tool *tool, struct error *e)
{
	struct span where = {0};
	struct error wrong = {0};

	tool->schema = schema_compile(tool->parameters, &where, &wrong);
	if (tool->schema == NULL)
		fault(tool, where, e, wrong.message);
	error_clear(&wrong);
	return tool->schema != NULL;
}

static bool read_parameters(struct tool *tool, struct span object, struct error *e)
{
	struct span parameters = json_get(object, "parameters"), type, properties,
		    other = json_get(object, "inputSchema");

	if (parameters.at != NULL && other.at != NULL)
		return fault(tool, other, e,
			     "\"inputSchema\" is another name of \"parameters\": leave one out");
	if (parameters.at == NULL)
		parameters = other;
	tool->parameters = parameters;
	if (parameters.at == NULL)
		tool->parameters = tool->agent_file != NULL ? SPAN(PROMPT_PARAMETERS)
							    : SPAN("{\"type\":\"object\"}");
	if (json_type(tool->parameters) != JSON_OBJECT)
		return fault(tool, parameters, e,
			     "\"parameters\" must be a JSON Schema object, such as "
			     "{\"type\": \"object\", \"properties\": {}}");
	type = json_get(tool->parameters, "type");
	if (type.at != NULL && !json_is(type, "object"))
		return fault(tool, type, e,
			     "\"parameters\" must describe an object: its \"type\" must be "
			     "\"object\"");
	properties = json_get(tool->parameters, "properties");
	if (properties.at != NULL && json_type(properties) != JSON_OBJECT)
		return fault(tool, properties, e,
			     "the \"properties\" of \"parameters\" must be an object of schemas");
	return compile_parameters(tool, e);
}

/* `program`: what to run if the manifest has no command; NULL: the command is required. */
static bool read_command(struct tool *tool, struct span object, const char *program,
			 struct error *e)
{
	struct span command = json_get(object, "command"), where;
	struct buffer why = {0};
	bool placeholders, good;

	if (tool->agent_file != NULL)
		return true;
	if (command.at == NULL && program != NULL) {
		json_open(&tool->default_command, '[');
		json_write_string(&tool->default_command, span_of(program));
		json_close(&tool->default_command, ']');
		command = buffer_span(&tool->default_command);
	}
	if (command.at == NULL)
		return fault(tool, command, e,
			     "the manifest has no \"command\": add one, such as "
			     "[\"./program\", \"{name}\"]");
	good = command_check(command, tool->parameters, &placeholders, &where, &why);
	if (tool->default_command.len > 0)
		where = (struct span){0}; /* it is not in the manifest */
	if (!good)
		fault(tool, where, e, buffer_string(&why));
	buffer_free(&why);
	tool->kind = &tool_program;
	tool->command = command;
	tool->stdin_args = !placeholders;
	return good;
}

static bool read_agent(struct tool *tool, struct span object, const char *program, struct error *e)
{
	struct span agent = json_get(object, "agent");
	char *path;

	if (agent.at == NULL)
		return true;
	if (program != NULL || json_get(object, "command").at != NULL)
		return fault(tool, agent, e, "a tool has a \"command\" or an \"agent\", not both");
	if (json_is(agent, ""))
		return bad_member(tool, object, "agent", e);
	path = json_text(agent);
	tool->agent_file = path_join(tool->folder, path);
	free(path);
	return true;
}

/* Read the member `name` if there is one. 0 means no limit, which is infinite. */
static bool read_duration(struct tool *tool, struct span object, const char *name, double *seconds,
			  struct error *e)
{
	struct span value = json_get(object, name);

	if (value.at == NULL)
		return true;
	if (!number_duration(json_amount(value), seconds))
		return bad_member(tool, object, name, e);
	if (*seconds <= 0)
		*seconds = INFINITY;
	return true;
}

/* Whether the value is the name of an environment variable. */
static bool is_variable(struct span value)
{
	char *name = json_text(value);
	bool good = name != NULL && name[0] != '\0' && strchr(name, '=') == NULL;

	free(name);
	return good;
}

static bool read_rest(struct tool *tool, struct span object, struct error *e)
{
	static const char *const of_programs[] = {"idle_timeout", "env", "env_only"};

	tool->description = json_text(json_get(object, "description"));
	if (tool->description == NULL)
		tool->description = mem_copy(SPAN(""));
	tool->approval = json_true(json_get(object, "approval"));
	tool->idempotent = json_true(json_get(object, "idempotent"));
	tool->poll = json_true(json_get(object, "poll"));
	for (size_t i = 0; i < ARRAY_LEN(of_programs); i++)
		if (tool->agent_file != NULL && json_get(object, of_programs[i]).at != NULL)
			return bad_member(tool, object, of_programs[i], e);
	tool->env = json_get(object, "env");
	tool->env_only = json_true(json_get(object, "env_only"));
	for (struct json_walk walk = json_walk(tool->env); json_next(&walk);)
		if (!is_variable(walk.value))
			return bad_member(tool, object, "env", e);
	return read_duration(tool, object, "timeout", &tool->timeout, e) &&
	       read_duration(tool, object, "idle_timeout", &tool->idle_timeout, e);
}

/* ---- the complete manifest ---- */

/* Whether the file is that of an agent. */
static bool is_agent(struct span object)
{
	static const char *const keys[] = {"model", "instructions", "tools", "handoffs", NULL};

	if (json_get(object, "command").at != NULL || json_get(object, "agent").at != NULL)
		return false;
	for (struct json_walk walk = json_walk(object); json_next(&walk);)
		if (json_is_any(walk.key, keys))
			return true;
	return false;
}

static bool read_all(struct tool *tool, const char *program, struct error *e)
{
	struct json_fault json = {0};
	struct span object;

	if (!json_check(buffer_span(&tool->manifest), &json))
		return error_at(e, tool->source, buffer_span(&tool->manifest), json.offset,
				"not valid JSON: %s", json.what);
	object = json_trim(buffer_span(&tool->manifest));
	if (json_type(object) != JSON_OBJECT)
		return fault(tool, object, e,
			     "a manifest must be a JSON object with \"name\", \"description\", "
			     "\"parameters\" and \"command\"");
	if (is_agent(object))
		return fault(tool, object, e,
			     "this is the file of an agent: give it with --agent, or as the "
			     "\"agent\" of a tool");
	return check_members(tool, object, e) && read_name(tool, object, e) &&
	       read_agent(tool, object, program, e) && read_parameters(tool, object, e) &&
	       read_command(tool, object, program, e) && read_rest(tool, object, e);
}

struct tool *manifest_read(struct span text, const char *source, const char *folder,
			   const char *program, struct error *e)
{
	struct tool *tool = mem_zero(sizeof(*tool));

	buffer_add_span(&tool->manifest, text);
	tool->source = mem_copy(span_of(source));
	tool->folder = mem_copy(span_of(folder));
	if (!read_all(tool, program, e)) {
		tool_free(tool);
		return NULL;
	}
	return tool;
}

bool manifest_check_program(const struct tool *tool, struct error *e)
{
	struct buffer why = {0};
	bool good = tool->kind != &tool_program || tool->default_command.len > 0 ||
		    command_program_exists(tool, &why) ||
		    fault(tool, tool->command, e, buffer_string(&why));

	buffer_free(&why);
	return good;
}

bool manifest_uses(const struct tool *tool, const char *name)
{
	struct json_walk walk = json_walk(tool->command);
	bool uses = false;

	while (!uses && json_next(&walk)) {
		char *element = json_text(walk.value);

		uses = strcmp(element + (strncmp(element, "./", 2) == 0 ? 2 : 0), name) == 0;
		free(element);
	}
	return uses;
}

void tool_free(struct tool *tool)
{
	if (tool == NULL)
		return;
	free(tool->name);
	free(tool->description);
	free(tool->folder);
	free(tool->source);
	free(tool->agent_file);
	schema_free(tool->schema);
	buffer_free(&tool->manifest);
	buffer_free(&tool->default_command);
	free(tool);
}
