/*
 * manifest: a tool's description in JSON (agent-tool(5)), read and checked.
 */
#ifndef TOOL_MANIFEST_H
#define TOOL_MANIFEST_H

#include "tool/tool.h"

/* The tool that the manifest `text` describes. `source` names it in messages; `folder` is where
 * relative programs start. `program` is run when the manifest has no command ("./NAME", in
 * `folder`); NULL: it must have one, or be an agent ("agent": FILE), which has none. NULL with `e`
 * (FILE:LINE: what is wrong and what to do) when it is malformed. */
struct tool *manifest_read(struct span text, const char *source, const char *folder,
			   const char *program, struct error *e);

/* Whether a folder's file `name` belongs to `tool`, whose command mentions it. */
bool manifest_uses(const struct tool *tool, const char *name);

void tool_free(struct tool *tool);

#endif
