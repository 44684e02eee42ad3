#include "rules.h"

#include <fnmatch.h>

#include "base/suggestion.h"
#include "base/table.h"

/* Whether `pattern` matches a tool of the agent. Names of tools that it does not match are added to
 * `others`, and considered as what was meant. */
static bool matches_tool(const struct agent *agent, const char *pattern, struct table *seen,
			 struct buffer *others, struct suggestion *suggestion)
{
	for (size_t i = 0; i < agent->tools.count; i++) {
		const char *name = agent->tools.tools[i]->name;
		uintptr_t *times = table_add(seen, span_of(name));

		if (fnmatch(pattern, name, 0) == 0)
			return true;
		if ((*times)++ > 0)
			continue;
		buffer_add_format(others, "%s%s", others->len > 0 ? ", " : "; the tools are ",
				  name);
		suggestion_consider(suggestion, name);
	}
	return false;
}

/* A rule that matches no tool may be misspelt, and another tool runs that was to be denied: an
 * error if it is a name, a message if it is a pattern. */
static void check_rule(const struct options *o, const char *option, const char *pattern)
{
	struct suggestion suggestion = suggestion_for(pattern);
	struct buffer others = {0}, meant = {0};
	struct table seen = {0};
	bool matches = strcmp(pattern, "*") == 0 ||
		       matches_tool(o->config.agent, pattern, &seen, &others, &suggestion);

	for (size_t i = 0; i < o->agents.count && !matches; i++)
		matches = matches_tool(o->agents.agents[i], pattern, &seen, &others, &suggestion);
	if (others.len == 0)
		buffer_add_text(&others, "; add it with --tool");
	suggestion_write(&suggestion, &meant);
	/* Braces do not group, and no name has them. */
	if (!matches && (strpbrk(pattern, "*?[") == NULL || strpbrk(pattern, "{}") != NULL))
		die(STATUS_USAGE, "--%s %s: there is no such tool%s%s", option, pattern,
		    buffer_string(&meant), buffer_string(&others));
	if (!matches)
		warn("--%s '%s' matches no tool%s", option, pattern, buffer_string(&others));
	table_free(&seen);
	buffer_free(&others);
	buffer_free(&meant);
}

void rules_check(const struct options *o)
{
	static const char *const names[APPROVAL_RULES] = {
	    [APPROVAL_ALLOW] = "allow", [APPROVAL_ASK] = "ask", [APPROVAL_DENY] = "deny"};

	for (int rule = APPROVAL_ALLOW; rule < APPROVAL_RULES; rule++)
		for (size_t i = 0; i < o->policy.rules[rule].count; i++)
			check_rule(o, names[rule], o->policy.rules[rule].items[i]);
}
