/*
 * command: build the argument vector of a program from the "command" of a manifest and the
 * arguments of a call (agent-tool(5), ARGUMENTS). No shell is involved.
 */
#ifndef TOOL_COMMAND_H
#define TOOL_COMMAND_H

#include "tool/tool.h"

/* Check that `command` is valid and that all placeholders name properties of `parameters`. On
 * failure returns false with the invalid element in `where` and a sentence in `why`. Sets
 * `placeholders` if there is at least one. */
bool command_check(struct span command, struct span parameters, bool *placeholders,
		   struct span *where, struct buffer *why);

/* Append the arguments of a call as the command of `tool` gets them: `args`, an object, byte for
 * byte, and the defaults that fill placeholders for which they have no value. */
void command_complete_args(const struct tool *tool, struct span args, struct buffer *out);

/* The NULL-terminated argument vector for a call of `tool` with `args`; free it with command_free.
 * Returns NULL with a sentence in `why` if an argument cannot be passed because it contains a NUL.
 */
char **command_build(const struct tool *tool, struct span args, struct buffer *why);
void command_free(char **argv);

/* Whether command_build succeeds. */
bool command_accepts(const struct tool *tool, struct span args, struct buffer *why);

/* Whether the program of `tool` can be started: it is there and executable, and so is the
 * interpreter that its first line may name. If not, a sentence is appended to `why`. */
bool command_program_exists(const struct tool *tool, struct buffer *why);

#endif
