#include "tool/manifest.h"

#include <math.h>
#include <stdlib.h>

#include "base/file.h"
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

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_tool_name(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > NAME_MAX_LENGTH || !is_letter(name[0]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_letter(name[i]) && name[i] != '-' && !(name[i] >= '0' && name[i] <= '9'))
			return false;
	return true;
}

static bool read_name(struct tool *tool, struct span object, struct error *e)
{
	struct span name = json_get(object, "name");

	if (name.at == NULL)
		return fault(tool, name, e, "the manifest has no \"name\": add one");
	if (json_type(name) == JSON_STRING)
		tool->name = json_text(name);
	if (tool->name == NULL || !is_tool_name(tool->name))
		return fault(tool, name, e,
			     "\"name\" must be a string of at most 64 letters, digits, _ and -, "
			     "beginning with a letter or _");
	return true;
}

static bool read_description(struct tool *tool, struct span object, struct error *e)
{
	struct span description = json_get(object, "description");

	if (description.at != NULL && json_type(description) != JSON_STRING)
		return fault(tool, description, e, "\"description\" must be a string");
	tool->description = description.at != NULL ? json_text(description) : mem_copy(SPAN(""));
	return true;
}

/* Compile the parameters, which are an object. */
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
	struct span parameters = json_get(object, "parameters"), type, properties;

	if (parameters.at == NULL)
		parameters = json_get(object, "inputSchema");
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

static bool read_command(struct tool *tool, struct span object, struct error *e)
{
	struct span command = json_get(object, "command"), where;
	struct buffer why = {0};
	bool placeholders, good;

	if (command.at == NULL) {
		if (tool->agent_file != NULL)
			return true;
		return fault(tool, command, e,
			     "the manifest has no \"command\": add one, such as "
			     "[\"./program\", \"{name}\"]");
	}
	good = command_check(command, tool->parameters, &placeholders, &where, &why);
	if (!good)
		fault(tool, where, e, buffer_string(&why));
	buffer_free(&why);
	tool->kind = &tool_program;
	tool->command = command;
	tool->stdin_args = !placeholders;
	return good;
}

static bool read_agent(struct tool *tool, struct span object, struct error *e)
{
	struct span agent = json_get(object, "agent");
	char *path;

	if (agent.at == NULL)
		return true;
	if (json_get(object, "command").at != NULL)
		return fault(tool, agent, e, "a tool has a \"command\" or an \"agent\", not both");
	if (json_type(agent) != JSON_STRING || json_is(agent, ""))
		return fault(tool, agent, e, "\"agent\" must name a file, agent-file(5)");
	path = json_text(agent);
	tool->agent_file = path_join(tool->folder, path);
	free(path);
	return true;
}

static bool read_running(struct tool *tool, struct span object, struct error *e)
{
	struct span timeout = json_get(object, "timeout");
	struct span approval = json_get(object, "approval");
	struct span idempotent = json_get(object, "idempotent");

	if (timeout.at != NULL) {
		tool->timeout = json_double(timeout, -1);
		if (!(tool->timeout > 0) || isinf(tool->timeout))
			return fault(tool, timeout, e,
				     "\"timeout\" must be a number of seconds above 0");
	}
	if (approval.at != NULL && json_type(approval) != JSON_BOOL)
		return fault(tool, approval, e, "\"approval\" must be true or false");
	tool->approval = json_true(approval);
	if (idempotent.at != NULL && json_type(idempotent) != JSON_BOOL)
		return fault(tool, idempotent, e, "\"idempotent\" must be true or false");
	tool->idempotent = json_true(idempotent);
	return true;
}

/* ---- the complete manifest ---- */

/* Add a command that runs `program` to the manifest that the program printed. */
static void insert_command(struct tool *tool, const char *program)
{
	struct span whole = json_trim(buffer_span(&tool->manifest));
	struct buffer text = {0};

	if (json_get(whole, "command").at != NULL)
		return;
	buffer_add(&text, tool->manifest.at, (size_t)(whole.at - tool->manifest.at));
	buffer_add_text(&text, "{\"command\":[");
	json_write_string(&text, span_of(program));
	buffer_add_text(&text, json_count(whole) > 0 ? "]," : "]");
	buffer_add_span(&text, (struct span){whole.at + 1, whole.len - 1});
	buffer_free(&tool->manifest);
	tool->manifest = text;
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
	if (program != NULL)
		insert_command(tool, program);
	object = json_trim(buffer_span(&tool->manifest));
	return read_name(tool, object, e) && read_description(tool, object, e) &&
	       read_agent(tool, object, e) && read_parameters(tool, object, e) &&
	       read_command(tool, object, e) && read_running(tool, object, e);
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

bool manifest_uses(const struct tool *tool, const char *name)
{
	struct json_walk walk = json_walk(tool->command);
	bool uses = false;

	while (!uses && json_next(&walk)) {
		char *element = json_text(walk.value);
		bool here = strncmp(element, "./", 2) == 0;

		uses = strcmp(element + (here ? 2 : 0), name) == 0;
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
	free(tool);
}
