/*
 * approval: which tools run freely, need a yes, or never run.
 */
#ifndef TOOL_APPROVAL_H
#define TOOL_APPROVAL_H

#include "tool/tool.h"

enum approval_rule { APPROVAL_NONE, APPROVAL_ALLOW, APPROVAL_ASK, APPROVAL_DENY };

/* --allow, --ask, --deny in the order of the command line; the strictest that matches counts
 * (deny, ask, allow), and a tool's own "approval": true asks unless --allow names it. */
struct approval_policy {
	const char **globs;
	enum approval_rule *rules;
	size_t count;
	const char *command; /* --approve-with; NULL: ask on /dev/tty */
};

void approval_add(struct approval_policy *policy, enum approval_rule rule, const char *glob);
enum approval_rule approval_rule_for(const struct approval_policy *policy, const struct tool *tool);
void approval_free(struct approval_policy *policy);

struct approval_handler {
	void *context;
	/* by: "policy", "user" or "hook"; reason: why, for the model (may be ""). Called exactly
	 * once unless cancelled. */
	void (*decided)(void *context, bool approved, const char *by, const char *reason);
};

struct approval;

/* Ask for one call: the program of the policy with the call as JSON on stdin (tool_call_id,
 * tool_name, args), or the person at /dev/tty; where there is no terminal the answer is no. One
 * question at a time is shown; others wait for their turn. `environment` is the program's. */
struct approval *approval_ask(struct loop *loop, const struct approval_policy *policy,
			      const struct tool *tool, struct span tool_call_id, struct span args,
			      char *const *environment, const struct approval_handler *handler);
void approval_cancel(struct approval *approval);

#endif
