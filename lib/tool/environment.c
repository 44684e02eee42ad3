#include "tool/tool.h"

#include <stdlib.h>

#include "event/secrets.h"

extern char **environ;

static struct span name_of(const char *variable)
{
	return (struct span){variable, strcspn(variable, "=")};
}

bool tool_variable_is_secret(const char *variable, char *const *secrets)
{
	struct span name = name_of(variable);
	struct span value = span_from(span_of(variable), name.len);

	for (; secrets != NULL && *secrets != NULL; secrets++)
		if (span_is(name, *secrets))
			return true;
	if (span_ends(name, "_CREDENTIALS") && span_starts(value, "=/"))
		return false; /* the name of a file, for the clients of Google and others */
	return secrets_is_name(name) || secrets_has_url(value);
}

static bool is_set_in(struct span name, char *const *variables)
{
	for (; variables != NULL && *variables != NULL; variables++)
		if (span_equal(name_of(*variables), name))
			return true;
	return false;
}

static bool is_named(struct span name, const struct tool_variables *variables)
{
	for (size_t i = 0; i < variables->named_count; i++)
		if (span_is(name, variables->named[i]))
			return true;
	if (variables->tool == NULL)
		return false;
	for (struct json_walk walk = json_walk(variables->tool->env); json_next(&walk);) {
		char *listed = json_text(walk.value);
		bool is_it = span_is(name, listed);

		free(listed);
		if (is_it)
			return true;
	}
	return false;
}

char **tool_environment(const struct tool_variables *variables, char *const *extra,
			struct buffer *withheld)
{
	bool only_named = variables->tool != NULL && variables->tool->env_only;
	struct buffer chosen = {0};
	char **environment;

	for (char **variable = environ; variable != NULL && *variable != NULL; variable++) {
		struct span name = name_of(*variable);
		bool is_secret = tool_variable_is_secret(*variable, variables->secrets);

		if (is_set_in(name, extra))
			continue;
		if (is_named(name, variables) || (!is_secret && !only_named))
			buffer_add(&chosen, variable, sizeof(*variable));
		else if (is_secret && withheld != NULL)
			buffer_add_format(withheld, "%s%.*s", withheld->len > 0 ? ", " : "",
					  SPAN_ARG(name));
	}
	for (; extra != NULL && *extra != NULL; extra++)
		buffer_add(&chosen, extra, sizeof(*extra));
	buffer_add(&chosen, &(char *){NULL}, sizeof(char *));
	environment = strings_copy((char *const *)(void *)chosen.at);
	buffer_free(&chosen);
	return environment;
}
