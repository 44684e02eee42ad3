/*
 * list: the lists that agent-run prints instead of a run.
 */
#ifndef AGENT_RUN_LIST_H
#define AGENT_RUN_LIST_H

#include "event/secrets.h"
#include "model/model.h"
#include "tool/tool.h"

/* Write `text`, masked, to standard output, control characters made visible on a terminal. Exits on
 * a failure, except if the reader of a pipe is gone. */
void list_show(struct span text, const struct secrets *secrets);

void list_providers(const struct secrets *secrets);
void list_tools(const struct tool_set *tools, const struct secrets *secrets);

/* List the models of the providers that `specs` name, or of every provider whose key is set.
 * Returns the exit status: STATUS_FAILED if one of the requests fails. */
int list_models(struct model_host *host, char *const *specs, size_t count);

/* No model is given: print which providers can be used, and exit. */
_Noreturn void list_no_model(void);

#endif
