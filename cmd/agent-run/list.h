/*
 * list: what agent-run can be asked about without running anything.
 */
#ifndef AGENT_RUN_LIST_H
#define AGENT_RUN_LIST_H

#include "model/model.h"
#include "tool/tool.h"

/* Write `text` to standard output; a failure ends the program, a closed pipe does not. */
void list_show(const struct buffer *text);

void list_providers(void);
void list_tools(const struct tool_set *tools);

/* The models of the providers that `specs` name, or of every provider whose key is set. Returns the
 * exit status: that of a failure when one of them could not tell. */
int list_models(struct model_host *host, char *const *specs, size_t count);

/* No model was named: say which could be, and exit. */
_Noreturn void list_no_model(void);

#endif
