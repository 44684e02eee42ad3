/*
 * agents: the agents of a run: the one that the command line describes, those of --agent, and those
 * that these name.
 */
#ifndef AGENT_RUN_AGENTS_H
#define AGENT_RUN_AGENTS_H

#include "options.h"

/* Read the agents' files, put the command line before them (agent_override), and fill in who
 * starts, its models and its limits. Exits after a mistake. */
void agents_resolve(struct options *options);

/* Whether any agent has a tool. */
bool agents_have_tools(const struct options *options);

/* Open the models that agents name, so that a mistake shows before anything is sent, and keep them
 * open: a run then shares them, and a key is asked for once. Exits if one cannot be opened. */
void agents_open_models(const struct options *options, struct open_models *models);

#endif
