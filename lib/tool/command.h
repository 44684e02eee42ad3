/*
 * command: a manifest's "command" and the arguments of a call make the argument vector of a program
 * (agent-tool(5), "Placeholders"). No shell is involved.
 */
#ifndef TOOL_COMMAND_H
#define TOOL_COMMAND_H

#include "tool/tool.h"

/* Whether `command` is a command whose placeholders all name properties of `parameters`. On failure
 * returns false with the element at fault in `where` and a sentence in `why`. `placeholders` tells
 * whether there are any. */
bool command_check(struct span command, struct span parameters, bool *placeholders,
		   struct span *where, struct buffer *why);

/* The argument vector for a call of `tool` with `args`, NULL-terminated; free it with command_free.
 * NULL with a sentence in `why` when an argument cannot be passed (it holds a NUL). */
char **command_build(const struct tool *tool, struct span args, struct buffer *why);
void command_free(char **argv);

#endif
