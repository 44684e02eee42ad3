#include "agents.h"

#include <stdlib.h>

/* When neither the command line nor the agent says how many responses a run may have. */
enum { MAX_ITERATIONS = 50 };

static void replace(char **text, const char *by)
{
	if (by == NULL)
		return;
	free(*text);
	*text = mem_copy(span_of(by));
}

/* What goes for every agent. */
static void override(struct agent *agent, const struct run_config *given, bool model_named)
{
	if (model_named)
		model_specs_free(&agent->models);
	for (size_t i = 0; i < given->option_count; i++)
		agent_add_option(agent, span_of(given->options[i].key), given->options[i].value);
	replace(&agent->effort, given->effort);
	if (given->max_tokens > 0)
		agent->max_tokens = given->max_tokens;
}

static void take_limits(struct run_config *config, const struct agent_limits *limits)
{
	if (config->max_iterations == 0)
		config->max_iterations = limits->max_iterations;
	if (config->max_total_tokens == 0)
		config->max_total_tokens = limits->max_total_tokens;
	if (config->max_tool_calls == 0)
		config->max_tool_calls = limits->max_tool_calls;
	if (config->max_cost_usd == 0)
		config->max_cost_usd = limits->max_cost_usd;
	if (config->timeout_seconds == 0)
		config->timeout_seconds = limits->timeout_seconds;
}

/* What goes for the agent that starts. */
static void begin_with(struct options *o, struct agent *first, struct error *e)
{
	struct run_config *config = &o->config;

	replace(&first->instructions, config->system);
	replace(&first->tool_choice, config->tool_choice);
	if (config->schema.at != NULL)
		first->schema = config->schema;
	if (!tool_set_take(&first->tools, &o->tools, e))
		die(STATUS_USAGE, "%s", e->message);
	take_limits(config, &first->limits);
	run_config_take_agent(config, first);
}

void agents_resolve(struct options *o, bool model_named)
{
	struct agent *first = NULL;
	struct error e = {0};

	o->config.agents = &o->agents;
	o->config.tools = &o->tools;
	for (size_t i = 0; i < o->agent_file_count; i++) {
		struct agent *agent = agent_set_add(&o->agents, o->agent_files[i], &e);

		if (agent == NULL)
			die(STATUS_USAGE, "%s", e.message);
		if (first == NULL)
			first = agent;
		else if (!agent_hands_over_to(first, agent) && !agent_add_handoff(first, agent, &e))
			die(STATUS_USAGE, "%s", e.message);
	}
	if (!agent_set_link(&o->agents, &o->tools, &e))
		die(STATUS_USAGE, "%s", e.message);
	for (size_t i = 0; i < o->agents.count; i++)
		override(o->agents.agents[i], &o->config, model_named);
	if (first != NULL)
		begin_with(o, first, &e);
	if (o->config.max_iterations == 0)
		o->config.max_iterations = MAX_ITERATIONS;
}

void agents_check_models(const struct options *o)
{
	for (size_t i = 0; i < o->agents.count; i++) {
		const struct model_specs *models = &o->agents.agents[i]->models;

		for (size_t k = 0; k < models->count; k++) {
			struct error e = {0};
			struct model *model = model_open(o->config.host, models->at[k], &e);

			if (model == NULL)
				die(STATUS_USAGE, "%s", e.message);
			model_close(model);
		}
	}
}
