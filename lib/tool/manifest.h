/*
 * manifest: read and check the JSON description of a tool (agent-tool(5)).
 */
#ifndef TOOL_MANIFEST_H
#define TOOL_MANIFEST_H

#include "tool/tool.h"

/* The tool described by the manifest `text`. Messages name `source`; relative programs start at
 * `folder`. If the manifest has no command, calls run `program` ("./NAME" in `folder`); if
 * `program` is NULL, the manifest must have a command or an agent ("agent": FILE). Returns NULL and
 * sets `e` (FILE:LINE: the error and its remedy) if the manifest is malformed. */
struct tool *manifest_read(struct span text, const char *source, const char *folder,
			   const char *program, struct error *e);

/* Whether the program of the tool can be started; if not, sets `e` with file and line. */
bool manifest_check_program(const struct tool *tool, struct error *e);

/* Whether the command of `tool` mentions the file `name` of its folder. */
bool manifest_uses(const struct tool *tool, const char *name);

void tool_free(struct tool *tool);

#endif
