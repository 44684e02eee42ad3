#include "tool/tool.h"

extern char **environ;

static const char *const secret_endings[] = {
    "_API_KEY", "_TOKEN", "_SECRET", "_SECRET_KEY", "_PASSWORD", NULL,
};

static struct span name_of(const char *variable)
{
	return (struct span){variable, strcspn(variable, "=")};
}

static bool is_secret(struct span name, char *const *secrets)
{
	for (size_t i = 0; secret_endings[i] != NULL; i++)
		if (span_ends(name, secret_endings[i]))
			return true;
	for (; secrets != NULL && *secrets != NULL; secrets++)
		if (span_is(name, *secrets))
			return true;
	return false;
}

static bool is_set_in(struct span name, char *const *variables)
{
	for (; variables != NULL && *variables != NULL; variables++)
		if (span_equal(name_of(*variables), name))
			return true;
	return false;
}

char **tool_environment(char *const *secrets, char *const *extra)
{
	struct buffer chosen = {0};
	char **environment;

	for (char **variable = environ; variable != NULL && *variable != NULL; variable++) {
		struct span name = name_of(*variable);

		if (!is_secret(name, secrets) && !is_set_in(name, extra))
			buffer_add(&chosen, variable, sizeof(*variable));
	}
	for (; extra != NULL && *extra != NULL; extra++)
		buffer_add(&chosen, extra, sizeof(*extra));
	buffer_add(&chosen, &(char *){NULL}, sizeof(char *));
	environment = strings_copy((char *const *)(void *)chosen.at);
	buffer_free(&chosen);
	return environment;
}
