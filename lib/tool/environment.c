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

/* Copy the pointers and the strings into one block of memory, the strings last. */
static char **pack(char *const *chosen, size_t count)
{
	size_t size = (count + 1) * sizeof(char *);
	char **environment, *at;

	for (size_t i = 0; i < count; i++)
		size += strlen(chosen[i]) + 1;
	environment = mem_alloc(size);
	at = (char *)(environment + count + 1);
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(chosen[i]) + 1;

		environment[i] = memcpy(at, chosen[i], len);
		at += len;
	}
	environment[count] = NULL;
	return environment;
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
	environment = pack((char *const *)(void *)chosen.at, chosen.len / sizeof(char *));
	buffer_free(&chosen);
	return environment;
}
