/*
 * agent_file: one agent's file, member by member; inside of run/agent.h.
 */
#ifndef RUN_AGENT_FILE_H
#define RUN_AGENT_FILE_H

#include "run/agent.h"

/* Fill `agent`, which is zeroed, with what the file `path` says; other agents that it names are not
 * read. False with `e` when it is malformed. */
bool agent_file_read(struct agent *agent, const char *path, struct error *e);

#endif
