#include "run/agent.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "run/setting.h"

/* ---- one file ---- */

struct agent *agent_new(const char *name)
{
	struct agent *agent = mem_zero(sizeof(*agent));

	agent->name = mem_copy(span_of(name));
	return agent;
}

void agent_free(struct agent *agent)
{
	if (agent == NULL)
		return;
	free(agent->name);
	free(agent->description);
	free(agent->instructions);
	free(agent->effort);
	free(agent->tool_choice);
	model_specs_free(&agent->models);
	for (size_t i = 0; i < agent->option_count; i++) {
		free((char *)agent->options[i].key);
		free((char *)agent->options[i].value.at);
	}
	free(agent->options);
	tool_set_free(&agent->tools);
	free(agent->source);
	free(agent->folder);
	buffer_free(&agent->text);
	schema_free(agent->schema);
	free(agent);
}

/* ---- the set ---- */

const struct agent *agent_set_find(const struct agent_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->agents[i]->name, name) == 0)
			return set->agents[i];
	return NULL;
}

static struct agent *find_file(const struct agent_set *set, const struct stat *status)
{
	for (size_t i = 0; i < set->count; i++)
		if (file_is_same(&set->agents[i]->file, status))
			return set->agents[i];
	return NULL;
}

/* Add the agent in the file `path`, which is named at `where` of the file `source`. */
static struct agent *add_named(struct agent_set *set, const char *path, const char *source,
			       struct span text, struct span where, struct error *e)
{
	if (access(path, R_OK) == 0)
		return agent_set_add(set, path, e);
	error_at(e, source, text, (size_t)(where.at - text.at), "%s: %s", path, strerror(errno));
	return NULL;
}

bool agent_set_link(struct agent_set *set, struct tool_set *tools, struct error *e)
{
	for (size_t i = 0; i < tools->count; i++) {
		struct tool *tool = tools->tools[i];
		struct span text;

		if (tool->agent_file == NULL || tool->agent != NULL)
			continue;
		tool->kind = &tool_agent;
		text = buffer_span(&tool->manifest);
		tool->agent = add_named(set, tool->agent_file, tool->source, text,
					json_get(json_trim(text), "agent"), e);
		if (tool->agent == NULL)
			return false;
	}
	return true;
}

/* Read what the agent names. */
static bool link_agent(struct agent_set *set, struct agent *agent, struct error *e)
{
	for (struct json_walk walk = json_walk(agent->handoffs); json_next(&walk);) {
		char *name = json_text(walk.value), *path = path_join(agent->folder, name);
		const struct agent *to =
		    add_named(set, path, agent->source, buffer_span(&agent->text), walk.value, e);

		free(path);
		free(name);
		if (to == NULL || !agent_add_handoff(agent, to, e))
			return false;
	}
	return agent_set_link(set, &agent->tools, e);
}

/* A name can be given once. */
static bool check_name(const struct agent_set *set, const struct agent *agent, struct error *e)
{
	const struct agent *other = agent_set_find(set, agent->name);

	return other == NULL ||
	       error_set(e, "usage", "%s: the name \"%s\" is used by %s: rename one of them",
			 agent->source, agent->name, other->source);
}

struct agent *agent_set_add(struct agent_set *set, const char *path, struct error *e)
{
	struct agent *agent;
	struct stat status = {0};

	if (stat(path, &status) == 0) { /* file_read says why not */
		agent = find_file(set, &status);
		if (agent != NULL)
			return agent;
	}
	agent = mem_zero(sizeof(*agent));
	agent->file = status;
	if (!agent_file_read(agent, path, e) || !check_name(set, agent, e)) {
		agent_free(agent);
		return NULL;
	}
	set->agents = array_grow(set->agents, set->count, sizeof(*set->agents));
	set->agents[set->count++] = agent;
	return link_agent(set, agent, e) ? agent : NULL;
}

void agent_set_free(struct agent_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		agent_free(set->agents[i]);
	free(set->agents);
	*set = (struct agent_set){0};
}

/* ---- what agents are given ---- */

static bool read_instructions(const char *folder, const char *name, struct buffer *text,
			      struct error *e)
{
	char *path = path_join(folder, name);
	bool good = file_read(path, text, e);

	if (good && text->len > 0 && memchr(text->at, '\0', text->len) != NULL)
		good = error_set(e, "usage", "%s: contains a NUL byte; is it a binary file?", path);
	free(path);
	return good;
}

bool agent_set_instructions(struct agent *agent, const char *folder, const char *text,
			    struct error *e)
{
	struct buffer instructions = {0};
	bool good = true;

	if (text[0] == '@')
		good = read_instructions(folder, text + 1, &instructions, e);
	else
		buffer_add_text(&instructions, text);
	if (good) {
		free(agent->instructions);
		agent->instructions = buffer_take(&instructions);
	}
	buffer_free(&instructions);
	return good;
}

bool agent_override(struct agent *agent, struct agent *from, bool starts, struct error *e)
{
	if (from->models.count > 0)
		model_specs_free(&agent->models); /* then those of the run are asked */
	for (size_t i = 0; i < from->option_count; i++)
		agent_add_option(agent, span_of(from->options[i].key), from->options[i].value);
	for (const struct setting *setting = agent_settings; setting->option != NULL; setting++)
		if (starts || !setting->starts)
			setting_copy(setting, agent, from);
	if (!starts)
		return true;
	if (from->instructions != NULL) {
		free(agent->instructions);
		agent->instructions = mem_copy(span_of(from->instructions));
	}
	if (from->schema != NULL) {
		schema_free(agent->schema);
		agent->schema = from->schema;
		from->schema = NULL;
	}
	return tool_set_take(&agent->tools, &from->tools, e);
}

void agent_add_option(struct agent *agent, struct span key, struct span value)
{
	struct buffer line = {0};
	struct model_option *option;

	json_write_line(&line, value);
	agent->options = array_grow(agent->options, agent->option_count, sizeof(*agent->options));
	option = &agent->options[agent->option_count++];
	option->key = mem_copy(key);
	option->value.len = line.len;
	option->value.at = buffer_take(&line);
}

bool agent_hands_over_to(const struct agent *from, const struct agent *to)
{
	for (size_t i = 0; i < from->tools.count; i++)
		if (from->tools.tools[i]->kind == &tool_handoff &&
		    from->tools.tools[i]->agent == to)
			return true;
	return false;
}

/* The name of the tool that hands over to `agent`: "Symphony Composer" is
 * transfer_to_symphony_composer. */
static void write_tool_name(struct buffer *out, const char *agent)
{
	enum { MAX = 64 };
	size_t begin = out->len;

	buffer_add_text(out, "transfer_to_");
	for (const char *at = agent; *at != '\0' && out->len - begin < MAX; at++) {
		bool upper = *at >= 'A' && *at <= 'Z';
		bool good = upper || (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9');

		if (((unsigned char)*at & 0xC0) != 0x80) /* one for each code point */
			buffer_add_char(out, (char)(!good ? '_' : upper ? *at - 'A' + 'a' : *at));
	}
}

bool agent_add_handoff(struct agent *from, const struct agent *to, struct error *e)
{
	struct buffer text = {0}, name = {0}, description = {0};
	bool good;

	if (from == to)
		return error_set(e, "usage", "%s: an agent cannot hand over to itself",
				 from->source);
	write_tool_name(&name, to->name);
	buffer_add_format(&description, "Handoff to the %s agent to handle the request. %s",
			  to->name, to->description != NULL ? to->description : "");
	json_pack(&text,
		  "{'name':%s,'description':%s,'agent':%t,'parameters':{'type':'object',"
		  "'properties':{'reason':{'type':'string','description':%t}},"
		  "'additionalProperties':false}}",
		  buffer_span(&name), buffer_span(&description), to->source,
		  "Why the other agent is to go on, in a sentence");
	good =
	    tool_set_add_inline(&from->tools, buffer_span(&text), 0, text.len, from->source, "", e);
	if (good) {
		struct tool *tool = from->tools.tools[from->tools.count - 1];

		tool->kind = &tool_handoff;
		tool->idempotent = true;
		tool->agent = to;
	}
	buffer_free(&text);
	buffer_free(&name);
	buffer_free(&description);
	return good;
}
