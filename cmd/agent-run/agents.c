#include "agents.h"

#include <stdlib.h>

/* The limit of model responses if neither the command line nor the agent's file gives one. */
enum { MAX_ITERATIONS = 50 };

/* Read the files of --agent, and all that they name. Returns the first agent; NULL: there is none.
 */
static struct agent *read_files(struct options *o)
{
	struct agent *first = NULL;
	struct error e = {0};

	for (size_t i = 0; i < o->agent_file_count; i++) {
		struct agent *agent = agent_set_add(&o->agents, o->agent_files[i], &e);

		if (agent == NULL)
			die(STATUS_USAGE, "%s", e.message);
		if (first == NULL)
			first = agent;
		else if (!agent_hands_over_to(first, agent) && !agent_add_handoff(first, agent, &e))
			die(STATUS_USAGE, "%s", e.message);
	}
	if (!agent_set_link(&o->agents, &o->agent->tools, &e))
		die(STATUS_USAGE, "%s", e.message);
	return first;
}

void agents_resolve(struct options *o)
{
	struct agent *first = read_files(o);
	struct error e = {0};

	for (size_t i = 0; i < o->agents.count; i++)
		if (!agent_override(o->agents.agents[i], o->agent, o->agents.agents[i] == first,
				    &e))
			die(STATUS_USAGE, "%s", e.message);
	if (first == NULL)
		first = o->agent;
	o->config.agent = first;
	o->config.agents = &o->agents;
	o->config.models = o->agent->models.count > 0 ? o->agent->models : first->models;
	if (o->mode != MODE_LIST_MODELS)
		options_default_models(o, getenv("AGENT_MODEL"));
	o->config.limits = first->limits;
	if (o->config.limits.max_iterations == 0)
		o->config.limits.max_iterations = MAX_ITERATIONS;
}

bool agents_have_tools(const struct options *o)
{
	bool any = o->config.agent->tools.count > 0;

	for (size_t i = 0; i < o->agents.count; i++)
		any = any || o->agents.agents[i]->tools.count > 0;
	return any;
}

void agents_open_models(const struct options *o, struct open_models *models)
{
	struct error e = {0};

	for (size_t i = 0; i < o->agents.count; i++)
		if (!open_models_add(models, o->config.host, &o->agents.agents[i]->models, &e))
			die(STATUS_USAGE, "%s", e.message);
}
