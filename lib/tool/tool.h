/*
 * tool: programs that a model may call (agent-tool(5)).
 */
#ifndef TOOL_TOOL_H
#define TOOL_TOOL_H

#include "base/message.h"
#include "json/json.h"
#include "loop/loop.h"
#include "schema/schema.h"

/* ---- what a tool is ---- */

enum tool_kind {
	TOOL_PROGRAM,
	TOOL_AGENT,   /* a nested run of another agent answers the call */
	TOOL_HANDOFF, /* the call gives the conversation to another agent */
};

struct agent; /* run/agent.h */

struct tool {
	enum tool_kind kind;
	char *name, *description;
	struct buffer manifest;    /* its JSON, which owns the spans */
	struct span parameters;    /* JSON Schema; {"type":"object"} when the manifest has none */
	struct schema *schema;     /* the parameters, compiled */
	struct span command;       /* array of strings; absent: the tool is no program */
	char *agent_file;          /* the other agent's definition; NULL: the tool is a program */
	const struct agent *agent; /* the same, found by who loads agents; borrowed */
	char *folder;    /* of the manifest: a relative program name with a slash starts here */
	char *source;    /* the file, for messages */
	double timeout;  /* seconds; 0: the caller's default */
	bool approval;   /* asks first */
	bool idempotent; /* may run again when it was interrupted */
	bool stdin_args; /* no placeholder in command: arguments go to stdin */
};

struct tool_set {
	struct tool **tools;
	size_t count;
};

/* Add what `path` names: a manifest (*.json), an executable (asked with --describe, 5 s), a folder
 * of them, or the name of a shipped tool (share/agent/tools/NAME.json). False with `e` (kind
 * "usage"): not found, malformed (file, line and remedy), a name that is taken or is not
 * [a-zA-Z_][a-zA-Z0-9_-]{0,63}. */
bool tool_set_add(struct tool_set *set, const char *path, struct error *e);
/* The same for a relative `path` that starts at `folder` ("": the current one). */
bool tool_set_add_from(struct tool_set *set, const char *folder, const char *path, struct error *e);
/* Add the tool of a manifest that stands in another file, at byte `offset` of its text. */
bool tool_set_add_inline(struct tool_set *set, struct span text, size_t offset, size_t length,
			 const char *source, const char *folder, struct error *e);
/* Move all tools of `from` to the end of `set`. */
bool tool_set_take(struct tool_set *set, struct tool_set *from, struct error *e);
const struct tool *tool_set_find(const struct tool_set *set, struct span name);
void tool_set_free(struct tool_set *set);

/* ---- running one ---- */

struct tool_limits {
	double timeout;    /* seconds, for tools which do not say themselves */
	size_t max_result; /* bytes of result kept: the rest is cut out of the middle */
};

enum { TOOL_MAX_RESULT = 256 * 1024, TOOL_MAX_STREAMED = 16 * 1024 * 1024 };

struct tool_result {
	struct span text; /* stdout, or for errors what the model is told; valid UTF-8 */
	bool is_error;
	bool truncated;
	int exit_status; /* -1: did not exit by itself (signal, timeout, could not start) */
	double seconds;
};

struct tool_handler {
	void *context;
	/* A piece of stdout as it is printed (whole code points; invalid bytes have become U+FFFD).
	 * After TOOL_MAX_STREAMED bytes a line says that there is more, and nothing follows. May be
	 * NULL. */
	void (*output)(void *context, struct span text);
	/* Called exactly once unless the call is cancelled; the call is gone afterwards. */
	void (*done)(void *context, const struct tool_result *result);
	/* The same as output for stderr. May be NULL. */
	void (*errors)(void *context, struct span text);
};

struct tool_call;

/* Run `tool` with `args` (a JSON object, whose bytes reach stdin unchanged) as a child in its own
 * process group. `environment` is the whole environment ("NAME=value", NULL-terminated, borrowed).
 * Callbacks never run inside tool_start; failing to start is an error result. */
struct tool_call *tool_start(struct loop *loop, const struct tool *tool, struct span args,
			     char *const *environment, const struct tool_limits *limits,
			     const struct tool_handler *handler);

/* Stop the whole process group (TERM, and KILL after `grace` seconds) without further callbacks.
 * The child is reaped by the loop, or at once by tool_cancel itself when grace is 0. */
void tool_cancel(struct tool_call *call, double grace);

/* Ask the tool to end (TERM, KILL after TOOL_GRACE_SECONDS) and wait for it as usual: `done` comes
 * with an error result that ends in "cancelled". */
void tool_stop(struct tool_call *call);

/* How long a tool has between TERM and KILL. */
#define TOOL_GRACE_SECONDS 2.0

/* Build a tool's environment: this process's, without the variables named in `secrets`
 * (NULL-terminated) and without any whose name ends in _API_KEY, _TOKEN, _SECRET, _SECRET_KEY or
 * _PASSWORD, plus the `extra` ones ("NAME=value", NULL-terminated). One free releases it. */
char **tool_environment(char *const *secrets, char *const *extra);

#endif
