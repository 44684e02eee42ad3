/*
 * tool: tools that a model can call (agent-tool(5)).
 */
#ifndef TOOL_TOOL_H
#define TOOL_TOOL_H

#include "base/error.h"
#include "json/json.h"
#include "loop/loop.h"
#include "schema/schema.h"

/* ---- tools ---- */

struct agent; /* run/agent.h */
struct tool_kind;

struct tool {
	const struct tool_kind *kind; /* NULL until agent_file is read */
	char *name, *description;
	struct buffer manifest;        /* the JSON; the spans below point into it */
	struct buffer default_command; /* the command if the manifest has none */
	struct span parameters; /* JSON Schema; {"type":"object"} when the manifest has none */
	struct schema *schema;  /* the parameters, compiled */
	struct span command;    /* array of strings; absent: the tool is not a program */
	char *agent_file;       /* the other agent's definition; NULL: the tool is not an agent */
	const struct agent *agent; /* the same agent after loading; borrowed */
	char *folder; /* of the manifest; relative program names with a slash start here */
	char *source; /* the file, for messages */
	/* Seconds; 0: the caller's default; infinite: no limit. The latter without output; 0: no
	 * limit. */
	double timeout, idle_timeout;
	struct span env; /* variables that it gets even if they look like secrets; JSON array */
	bool env_only;   /* it gets no others */
	bool approval;   /* needs approval */
	bool idempotent; /* can run again after an interruption */
	bool poll;       /* the same call with the same result is no fault */
	bool stdin_args; /* no placeholder in command: arguments go to stdin */
};

struct tool_set {
	struct tool **tools;
	size_t count;
};

/* Add the tools at `path`, which is relative to `folder` ("": the current one): a manifest
 * (*.json), an executable (run with --describe, 5 s), a folder of them, or the name of a shipped
 * tool (share/agent/tools/NAME.json). Returns false and sets `e` (kind "usage") if `path` does not
 * exist, if a manifest is malformed (with file, line and remedy), or if a name is taken or is not
 * [a-zA-Z_][a-zA-Z0-9_-]{0,63}. */
bool tool_set_add(struct tool_set *set, const char *folder, const char *path, struct error *e);
/* Add the tool of a manifest inside another file, at byte `offset` of its text. */
bool tool_set_add_inline(struct tool_set *set, struct span text, size_t offset, size_t length,
			 const char *source, const char *folder, struct error *e);
/* Move all tools of `from` to the end of `set`. */
bool tool_set_take(struct tool_set *set, struct tool_set *from, struct error *e);
/* Whether the programs of all tools can be started. If not, sets `e` (kind "usage"), with file and
 * line of the manifest. */
bool tool_set_check(const struct tool_set *set, struct error *e);
/* The tool of this name; NULL: there is none. */
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
	int exit_status;    /* -1: no exit status (signal, timeout, could not start) */
	struct span reason; /* why a program failed, one line of the text; absent: unknown */
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

/* A call that runs; the first member of a kind's own struct. */
struct tool_call {
	const struct tool_kind *kind;
};

struct agent_run; /* run/run.h */

/* What a call is started with. */
struct tool_request {
	struct loop *loop;
	struct span args; /* a JSON object; borrowed during tool_start */
	char *const
	    *environment;     /* of a program: all of it, "NAME=value", NULL-terminated; borrowed */
	const char *withheld; /* names of secret variables that are not in it; NULL: none; borrowed
			       * until the call is gone */
	struct tool_limits limits;
	struct agent_run *caller; /* for kinds that are part of a run; NULL: there is none */
	const char *call_id;      /* the call's id in that run; borrowed until the call is gone */
};

/* A kind of tool: what stands behind the interface. A program is in program.c; agents and handoffs
 * are kinds of lib/run, which knows runs. To add a kind, write one file that defines it, declare it
 * here and set `tool->kind` where its tools are read. */
struct tool_kind {
	/* The tool acts outside this program: its tool_start must be in the log before it starts.
	 */
	bool is_external;
	/* As tool_start and tool_cancel. */
	struct tool_call *(*start)(const struct tool *tool, const struct tool_request *request,
				   const struct tool_handler *handler);
	void (*cancel)(struct tool_call *call, double grace);
};

/* A child in its own session, which gets the bytes of args unchanged: on stdin, or in the
 * places of its command. Failing to start is an error result. */
extern const struct tool_kind tool_program;

/* Start a call. A kind that answers at once calls handler->done inside and returns NULL; else
 * callbacks never run inside. */
struct tool_call *tool_start(const struct tool *tool, const struct tool_request *request,
			     const struct tool_handler *handler);

/* Stop the call without further callbacks; it is gone. A program, its descendants and its session
 * get TERM, and KILL after `grace` seconds; the loop reaps the child, or tool_cancel itself if
 * grace is 0. NULL: nothing happens. */
void tool_cancel(struct tool_call *call, double grace);

/* Whether the environment variable "NAME=value" looks like a secret by its name or its value, or is
 * named in `secrets` (NULL-terminated). */
bool tool_variable_is_secret(const char *variable, char *const *secrets);

/* Which variables of this process a tool gets. Zeroed: those that are not secret. */
struct tool_variables {
	char *const *secrets; /* names of secret ones, NULL-terminated; NULL: none */
	/* Those that `tool` (NULL: none) and --env name are passed in any case. */
	const struct tool *tool;
	const char *const *named;
	size_t named_count;
};

/* Build the environment of a tool from that of this process, plus `extra` ("NAME=value",
 * NULL-terminated). Free it with free(). The names of the secret variables that are left out are
 * appended to `withheld`, separated by ", " (NULL: nobody wants them). */
char **tool_environment(const struct tool_variables *variables, char *const *extra,
			struct buffer *withheld);

#endif
