/*
 * agent: the definitions of agents, read from files (agent-file(5)).
 *
 * A file names other files: agents that this one can hand over to, and agents that are its tools.
 * All of them are read at once, so that a mistake shows before anything is sent. Files may name
 * each other in circles.
 */
#ifndef RUN_AGENT_H
#define RUN_AGENT_H

#include <sys/stat.h>

#include "model/model.h"
#include "run/conversation.h"
#include "tool/tool.h"

/* The limits of a whole run. Zero: no limit. */
struct run_limits {
	int64_t max_iterations, max_total_tokens, max_tool_calls, max_repeats;
	double max_cost_usd, timeout_seconds;
};

/* The settings of an agent, from a file or from the command line. A setting that is not given is
 * NULL, zero or absent. */
struct agent {
	char *name, *description, *instructions, *effort, *tool_choice;
	struct model_specs models;
	struct model_option *options; /* keys and values are owned */
	size_t option_count;
	int64_t max_tokens;
	struct schema *schema; /* of the answer; NULL: text */
	struct tool_set tools; /* including handoffs */
	enum handoff_input handoff_input;
	struct run_limits limits;
	/* private */
	char *source, *folder;
	struct buffer text; /* owns the spans */
	struct span handoffs;
	struct stat file; /* to read it once */
};

/* An agent without settings, called `name`; agent_free releases it. */
struct agent *agent_new(const char *name);
void agent_free(struct agent *agent);

/* Set the instructions to `text`, or to the contents of FILE if it is "@FILE" (relative to
 * `folder`, "": the current one). False with `e` (kind "usage") if the file cannot be read. */
bool agent_set_instructions(struct agent *agent, const char *folder, const char *text,
			    struct error *e);

/* Set the settings of the command line, `from`, over those of a file: models, request parameters,
 * effort and max_tokens for every agent; instructions, tools, schema, tool_choice and limits for
 * the one that starts (`starts`). The schema and the tools move from `from`; everything else is
 * copied. This is the one place that decides which setting goes first. False with `e` if two tools
 * have the same name. */
bool agent_override(struct agent *agent, struct agent *from, bool starts, struct error *e);

/* Zeroed: empty. No two agents have the same name. */
struct agent_set {
	struct agent **agents;
	size_t count;
};

/* Read the agent of the file `path` and the agents that it names, unless they are in the set
 * already. NULL with `e` (kind "usage": FILE:LINE, the fault and the remedy). */
struct agent *agent_set_add(struct agent_set *set, const char *path, struct error *e);

/* Read the agents that `tools` name. */
bool agent_set_link(struct agent_set *set, struct tool_set *tools, struct error *e);

/* Add a tool transfer_to_NAME to `from`, which hands over to `to`. */
bool agent_add_handoff(struct agent *from, const struct agent *to, struct error *e);

/* Whether `from` has a tool that hands over to `to`. */
bool agent_hands_over_to(const struct agent *from, const struct agent *to);

/* Add a request parameter; `value` (JSON) is copied. */
void agent_add_option(struct agent *agent, struct span key, struct span value);

/* NULL: there is none of this name. */
const struct agent *agent_set_find(const struct agent_set *set, const char *name);

void agent_set_free(struct agent_set *set);

/* Inside (agent_file.c): fill `agent`, which is zeroed, with what the file `path` says; other
 * agents that it names are not read. False with `e` if it is malformed. */
bool agent_file_read(struct agent *agent, const char *path, struct error *e);

/* Kinds of tools that are agents: a nested run answers the call (nested.c), or the call gives the
 * conversation to the other agent (handoff.c). */
extern const struct tool_kind tool_agent;
extern const struct tool_kind tool_handoff;

#endif
