/*
 * approval: which tools run without approval, need approval, or never run.
 */
#ifndef TOOL_APPROVAL_H
#define TOOL_APPROVAL_H

#include "base/patterns.h"
#include "tool/tool.h"

/* The stricter rule is the greater one. */
enum approval_rule { APPROVAL_NONE, APPROVAL_ALLOW, APPROVAL_ASK, APPROVAL_DENY };
enum { APPROVAL_RULES = APPROVAL_DENY + 1 };

struct approval_policy {
	/* The names of the tools of each rule: --allow, --ask, --deny. If several match, the
	 * strictest applies. "approval": true of a tool asks unless --allow names the tool. */
	struct patterns rules[APPROVAL_RULES];
	const char *command; /* --approve-with; NULL: ask on /dev/tty */
	double timeout;      /* seconds until an unanswered call is denied; 0: never */
	/* Called after a call was denied with the answer "quit", to end all runs. If it is NULL,
	 * only the run of that call ends. */
	void (*quit)(void *context);
	void *quit_context;
	bool quitting; /* no more questions are shown */
	/* private: the questions for the terminal, of which the first is shown, and the tools that
	 * were approved for all calls */
	struct approval *waiting;
	char **always;
	size_t always_count;
};

/* The rule for a tool. APPROVAL_NONE: no rule matches, so the tool runs without approval. */
enum approval_rule approval_rule_for(const struct approval_policy *policy, const struct tool *tool);

/* Free the policy. All questions must have been decided or cancelled. */
void approval_free(struct approval_policy *policy);

struct approval_handler {
	void *context;
	/* by: "policy", "user" or "hook"; reason: why, for the model (may be ""). Called exactly
	 * once unless cancelled. */
	void (*decided)(void *context, bool approved, const char *by, const char *reason);
};

struct approval;

/* Ask for approval of one call. If the policy has a program, it runs with sh -c, with
 * `environment`, and with the call as JSON on stdin (tool_call_id, tool_name, args): exit status 0
 * approves, and its stdout is the reason. Otherwise the user is asked on /dev/tty: y approves, a
 * approves all calls of this tool, q denies and sets `quitting`, and anything else denies and is
 * the reason. Without a terminal or an answer in time the call is denied ("policy"). Only one
 * question is shown at a time; the time of the others starts when they are shown. Callbacks never
 * run inside this function. */
struct approval *approval_ask(struct loop *loop, struct approval_policy *policy,
			      const struct tool *tool, struct span tool_call_id, struct span args,
			      char *const *environment, const struct approval_handler *handler);
void approval_cancel(struct approval *approval);

#endif
