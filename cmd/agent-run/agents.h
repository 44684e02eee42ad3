/*
 * agents: the agents of the command line (--agent, and tools that are agents), and what the command
 * line says itself: it goes before what the files say.
 */
#ifndef AGENT_RUN_AGENTS_H
#define AGENT_RUN_AGENTS_H

#include "options.h"

/* Read the agents' files, and give the run what they and the command line say: the model when it
 * was named there, parameters, --effort and --max-tokens for all of them; instructions, tools,
 * --tool-choice, --schema and limits for the first one. Exits after a mistake. */
void agents_resolve(struct options *options, bool model_named);

/* Whether the models that agents name can be opened, which is known before anything is sent. Exits
 * when one cannot. */
void agents_check_models(const struct options *options);

#endif
