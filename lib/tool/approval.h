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
	double timeout;      /* seconds for one answer, then it is no; 0: as long as it takes */
	/* A person answered "quit": called when that call has been denied, to end all that goes on.
	 * NULL: nothing more than that call's run ends. */
	void (*quit)(void *context);
	void *quit_context;
	bool quitting; /* nobody is asked any more */
	/* private: the questions for the terminal, the first one shown, and the tools that need no
	 * question any more */
	struct approval *waiting;
	char **always;
	size_t always_count;
};

/* The glob (fnmatch(3)) is borrowed. */
void approval_add(struct approval_policy *policy, enum approval_rule rule, const char *glob);

/* APPROVAL_NONE: nothing is said about the tool, it runs freely. */
enum approval_rule approval_rule_for(const struct approval_policy *policy, const struct tool *tool);

/* All questions must have been decided or cancelled. */
void approval_free(struct approval_policy *policy);

struct approval_handler {
	void *context;
	/* by: "policy", "user" or "hook"; reason: why, for the model (may be ""). Called exactly
	 * once unless cancelled. */
	void (*decided)(void *context, bool approved, const char *by, const char *reason);
};

struct approval;

/* Ask for one call: the program of the policy (run by sh -c) with the call as JSON on stdin
 * (tool_call_id, tool_name, args): exit status 0 approves, and its stdout is the reason. Or the
 * person at /dev/tty: y, or a for always this tool; q is no, and sets `quitting`; anything else is
 * no, and is the reason. Where there is no terminal to ask on, or no answer in time, the answer is
 * no ("policy"). One question at a time is shown; others wait for their turn, as their time does.
 * `environment` is the program's. Callbacks never run inside. */
struct approval *approval_ask(struct loop *loop, struct approval_policy *policy,
			      const struct tool *tool, struct span tool_call_id, struct span args,
			      char *const *environment, const struct approval_handler *handler);
void approval_cancel(struct approval *approval);

#endif
