/*
 * rules: whether --allow, --ask and --deny are about tools that there are.
 */
#ifndef AGENT_RUN_RULES_H
#define AGENT_RUN_RULES_H

#include "options.h"

/* Exit with STATUS_USAGE if a rule names a tool that no agent has; report a pattern that matches
 * none. The agents are complete. */
void rules_check(const struct options *options);

#endif
