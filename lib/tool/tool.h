/*
 * tool: programs that a model may call (agent-tool(5)).
 */
#ifndef TOOL_TOOL_H
#define TOOL_TOOL_H

#include "base/message.h"
#include "json/json.h"
#include "loop/loop.h"
#include "schema/schema.h"

/* ---- tools ---- */

enum tool_kind {
	TOOL_PROGRAM,
	TOOL_AGENT,   /* a nested run of another agent answers the call */
	TOOL_HANDOFF, /* the call hands the conversation over to another agent */
};

struct agent; /* run/agent.h */

struct tool {
	enum tool_kind kind;
	char *name, *description;
	struct buffer manifest;    /* the JSON; the spans below point into it */
	struct span parameters;    /* JSON Schema; {"type":"object"} when the manifest has none */
	struct schema *schema;     /* the parameters, compiled */
	struct span command;       /* array of strings; absent: the tool is not a program */
	char *agent_file;          /* the other agent's definition; NULL: the tool is a program */
	const struct agent *agent; /* the same agent after loading; borrowed */
	char *folder;    /* of the manifest; relative program names with a slash start here */
	char *source;    /* the file, for messages */
	double timeout;  /* seconds; 0: the caller's default */
	bool approval;   /* needs approval */
	bool idempotent; /* can run again after an interruption */
	bool stdin_args; /* no placeholder in command: arguments go to stdin */
};

struct tool_set {
	struct tool **tools;
	size_t count;
};

/* Add the tools at `path`: a manifest (*.json), an executable (run with --describe, 5 s), a folder
 * of them, or the name of a shipped tool (share/agent/tools/NAME.json). Returns false and sets `e`
 * (kind "usage") if `path` does not exist, if a manifest is malformed (with file, line and remedy),
 * or if a name is taken or is not [a-zA-Z_][a-zA-Z0-9_-]{0,63}. */
bool tool_set_add(struct tool_set *set, const char *path, struct error *e);
/* The same for a `path` relative to `folder` ("": the current one). */
bool tool_set_add_from(struct tool_set *set, const char *folder, const char *path, struct error *e);
/* Add the tool of a manifest inside another file, at byte `offset` of its text. */
bool tool_set_add_inline(struct tool_set *set, struct span text, size_t offset, size_t length,
			 const char *source, const char *folder, struct error *e);
/* Move all tools of `from` to the end of `set`. */
bool tool_set_take(struct tool_set *set, struct tool_set *from, struct error *e);
const struct tool *tool_set_find(const struct tool_set *set, struct span name);
void tool_set_free(struct tool_set *set);

/* ---- running one ---- */

struct tool_limits {
	double timeout;    /* seconds, for tools without a timeout of their own */
	size_t max_result; /* maximum bytes of a result; the rest is cut out of the middle */
};

enum { TOOL_MAX_RESULT = 256 * 1024, TOOL_MAX_STREAMED = 16 * 1024 * 1024 };

struct tool_result {
	struct span text; /* stdout, or the error text for the model; valid UTF-8 */
	bool is_error;
	bool truncated;
	int exit_status; /* -1: no exit status (signal, timeout, could not start) */
	double seconds;
};

struct tool_handler {
	void *context;
	/* Called for each piece of stdout (complete code points; invalid bytes are U+FFFD). After
	 * TOOL_MAX_STREAMED bytes, a final line says that there is more output. May be NULL. */
	void (*output)(void *context, struct span text);
	/* Called exactly once unless the call is cancelled. The call is freed afterwards. */
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

/* Stop the tool (TERM, KILL after TOOL_GRACE_SECONDS) and wait for it as usual: `done` is called
 * with an error result that ends in "cancelled". */
void tool_stop(struct tool_call *call);

/* The time between TERM and KILL. */
#define TOOL_GRACE_SECONDS 2.0

/* Build the environment of a tool: that of this process, without the variables named in `secrets`
 * (NULL-terminated) and without variables whose names end in _API_KEY, _TOKEN, _SECRET, _SECRET_KEY
 * or _PASSWORD, plus `extra` ("NAME=value", NULL-terminated). Free it with free(). */
char **tool_environment(char *const *secrets, char *const *extra);

#endif
