#define _DEFAULT_SOURCE /* realpath */
#include "options.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/number.h"
#include "base/option.h"
#include "run/budget.h"
#include "run/setting.h"
#include "rules.h"

/* ---- options that take more than a number or a name ---- */

void options_default_models(struct options *o, const char *list)
{
	if (o->config.models.count > 0 || list == NULL)
		return;
	model_specs_add_list(&o->models, list);
	o->config.models = o->models;
}

static void add_models(void *self, const struct option_row *row, const char *list)
{
	struct options *o = self;

	(void)row;
	model_specs_add_list(&o->agent->models, list);
}

static void add_option(void *self, const struct option_row *row, const char *text)
{
	struct options *o = self;
	const char *equals = strchr(text, '=');
	struct buffer string = {0};
	struct span value;

	(void)row;
	if (equals == NULL || equals == text)
		die(STATUS_USAGE, "-o must be KEY=VALUE, not '%s'", text);
	value = json_trim(span_of(equals + 1));
	if (!json_check(value, NULL)) {
		if (!number_write_json(value, &string))
			json_write_string(&string, span_of(equals + 1));
		value = buffer_span(&string);
	}
	agent_add_option(o->agent, (struct span){text, (size_t)(equals - text)}, value);
	buffer_free(&string);
}

static void set_instructions(void *self, const struct option_row *row, const char *text)
{
	struct options *o = self;
	struct error e = {0};

	(void)row;
	if (strcmp(text, "@") == 0)
		die(STATUS_USAGE, "--system @ names no file: write @FILE");
	die_unless(agent_set_instructions(o->agent, "", text, &e), &e);
}

static void add_input(struct options *o, const char *path)
{
	o->inputs = array_grow(o->inputs, o->input_count, sizeof(*o->inputs));
	o->inputs[o->input_count++] = path;
}

static void add_attachment(void *self, const struct option_row *row, const char *path)
{
	struct options *o = self;

	(void)row;
	o->attached = array_grow(o->attached, o->attached_count, sizeof(*o->attached));
	o->attached[o->attached_count++] = path;
	if (strcmp(path, "-") == 0)
		o->no_stdin = true;
	add_input(o, path);
}

static void add_agent(void *self, const struct option_row *row, const char *path)
{
	struct options *o = self;

	(void)row;
	o->agent_files = array_grow(o->agent_files, o->agent_file_count, sizeof(*o->agent_files));
	o->agent_files[o->agent_file_count++] = path;
	add_input(o, path);
}

static void read_schema(void *self, const struct option_row *row, const char *path)
{
	struct options *o = self;
	struct error e = {0};

	(void)row;
	schema_free(o->agent->schema);
	o->agent->schema = schema_read(path, &e);
	die_unless(o->agent->schema != NULL, &e);
	add_input(o, path);
}

static void set_session(void *self, const struct option_row *row, const char *path)
{
	struct options *o = self;

	o->session = path;
	o->resume = row->number;
}

static void add_tool(void *self, const struct option_row *row, const char *path)
{
	struct options *o = self;
	struct error e = {0};

	(void)row;
	die_unless(tool_set_add(&o->agent->tools, "", path, &e), &e);
	add_input(o, path);
}

/* The tools get the folder, which `source` names, in their environment. */
static void pass_root(const char *source, const char *path)
{
	struct stat status;
	char *root = realpath(path, NULL);

	if (root == NULL || stat(root, &status) != 0)
		die(STATUS_USAGE, "%s %s: %s", source, path, strerror(errno));
	if (!S_ISDIR(status.st_mode))
		die(STATUS_USAGE, "%s %s: not a directory", source, path);
	setenv("AGENT_ROOT", root, true);
	free(root);
}

static void set_root(void *self, const struct option_row *row, const char *path)
{
	(void)self;
	(void)row;
	pass_root("--root", path);
}

static void add_env(void *self, const struct option_row *row, const char *name)
{
	struct run_config *config = &((struct options *)self)->config;
	int len = (int)strcspn(name, "=");

	if (name[len] == '=')
		die(STATUS_USAGE,
		    "--%s needs the name of a variable, such as %.*s, without a value; to set "
		    "it, write %.*s=... before agent-run",
		    row->name, len, name, len, name);
	if (getenv(name) == NULL)
		warn("--%s %s: the variable is not set", row->name, name);
	config->env = array_grow(config->env, config->env_count, sizeof(*config->env));
	config->env[config->env_count++] = name;
}

static void add_mask(void *self, const struct option_row *row, const char *name)
{
	struct options *o = self;
	const char *value = getenv(name);
	size_t len = value != NULL ? strlen(value) : 0;

	if (value == NULL)
		die(STATUS_USAGE, "--%s %s: the variable is not set", row->name, name);
	if (len < SECRET_MIN)
		die(STATUS_USAGE, "--%s %s: its value has fewer than %d characters", row->name,
		    name, SECRET_MIN);
	o->masks = array_grow(o->masks, o->mask_count, sizeof(*o->masks));
	o->masks[o->mask_count++] = name;
}

static void add_rule(void *self, const struct option_row *row, const char *list)
{
	struct options *o = self;
	struct error e = {0};

	die_unless(patterns_add(&o->policy.rules[row->number], row->name, list, &e), &e);
}

static void set_unpriced(void *self, const struct option_row *row, const char *value)
{
	struct options *o = self;

	o->allow_unpriced = strcmp(value, "allow") == 0;
	if (!o->allow_unpriced && strcmp(value, "refuse") != 0)
		die(STATUS_USAGE, "--%s must be allow or refuse, not '%s'", row->name, value);
}

static void set_setting(void *self, const struct option_row *row, const char *value)
{
	struct options *o = self;
	struct buffer fault = {0};

	if (!setting_parse(row->context, o->agent, value, &fault))
		die(STATUS_USAGE, "%s", buffer_string(&fault));
}

/* ---- the table ---- */

#define AT(member) .offset = offsetof(struct options, member)

/* In the order of --help. OPTION_PLACE: the setting with the key `name`; without a name, the
 * settings that are limits. */
static const struct option_row rows[] = {
    {OPTION_HEADING, .help = "the model"},
    {OPTION_TEXT, 'm', "model", "NAME[,NAME...]",
     "PROVIDER:MODEL, test, replay:FILE or exec:COMMAND; further names are fallbacks (default: "
     "$AGENT_MODEL)",
     .apply = add_models},
    {OPTION_TEXT, 'o', "option", "KEY=VALUE",
     "set a request parameter; VALUE is JSON if it parses, else text", .apply = add_option},
    {OPTION_PLACE, .name = "effort"},
    {OPTION_PLACE, .name = "max_tokens"},
    {OPTION_NAME, 0, "base-url", "URL", "send requests to URL instead of the provider's",
     AT(base_url)},

    {OPTION_HEADING, .help = "the conversation"},
    {OPTION_TEXT, 's', "system", "TEXT", "instructions; @FILE reads them from a file",
     .apply = set_instructions},
    {OPTION_NAME, 'a', "attach", "FILE",
     "attach an image, a PDF or a text to the prompt (-: stdin)", .apply = add_attachment},
    {OPTION_NAME, 'A', "agent", "FILE",
     "run the agent in FILE; repeat to name agents it can hand over to", .apply = add_agent},
    {OPTION_NAME, 0, "schema", "FILE", "require an answer that satisfies a JSON Schema",
     .apply = read_schema},
    {OPTION_NAME, 'c', "session", "FILE",
     "continue the conversation in FILE, an event log, and append to it", .apply = set_session},
    {OPTION_NAME, 0, "resume", "FILE", "finish the interrupted run in FILE", .apply = set_session,
     .number = true},
    {OPTION_NAME, 0, "history", "FILE",
     "start from an event log or a JSON array of messages (-: stdin)", AT(history)},
    {OPTION_FLAG, 0, "no-stdin", NULL, "do not read standard input", AT(no_stdin)},

    {OPTION_HEADING, .help = "batches"},
    {OPTION_NAME, 0, "batch", "FILE",
     "start one run for each line of FILE: text, or JSON with a \"prompt\"; PROMPT can use fields "
     "of the line: 'Summarise: {text}'",
     AT(batch)},
    {OPTION_COUNT, 'j', "jobs", "N", "run at most N at once (default 8)", AT(jobs), .number = 1},

    {OPTION_HEADING, .help = "tools"},
    {OPTION_NAME, 't', "tool", "PATH",
     "let the model call a tool: a manifest, an executable, a folder of them, or the name of a "
     "shipped tool",
     .apply = add_tool},
    {OPTION_NAME, 0, "root", "DIR",
     "let read_file and list_dir read what is below DIR (default: the working directory)",
     .apply = set_root},
    {OPTION_NAME, 0, "env", "NAME", "give tools this variable even if it looks like a secret",
     .apply = add_env},
    {OPTION_NAME, 0, "mask", "NAME", "mask the value of this variable in results and events",
     .apply = add_mask},
    {OPTION_PLACE, .name = "tool_choice"},
    {OPTION_DURATION, 0, "tool-timeout", "TIME", "stop a tool after this time (default 120)",
     AT(config.tool_limits.timeout)},
    {OPTION_FLAG, 0, "tool-output", NULL, "write the output of running tools as events",
     AT(config.tool_output)},
    {OPTION_COUNT, 'P', "parallel", "N",
     "run at most N tool calls of one response at once (default 8)", AT(config.parallel),
     .number = 1},
    {OPTION_NAME, 0, "allow", "GLOBS", "run these tools without approval", .apply = add_rule,
     .number = APPROVAL_ALLOW},
    {OPTION_NAME, 0, "ask", "GLOBS", "run these tools only with approval", .apply = add_rule,
     .number = APPROVAL_ASK},
    {OPTION_NAME, 0, "deny", "GLOBS", "never run these tools", .apply = add_rule,
     .number = APPROVAL_DENY},
    {OPTION_NAME, 0, "approve-with", "COMMAND", "ask a program instead of the user at the terminal",
     AT(policy.command)},
    {OPTION_DURATION, 0, "approval-timeout", "TIME",
     "deny a call after this time without an answer (default 3600)", AT(policy.timeout)},

    {OPTION_HEADING, .help = "limits"},
    {.kind = OPTION_PLACE},
    {OPTION_NAME, 0, "unpriced", "WHAT",
     "with --max-cost, allow or refuse models whose price is not known (default refuse)",
     .apply = set_unpriced},
    {OPTION_FLAG, 0, "wrap-up", NULL,
     "at one of these limits except --timeout, ask for a final answer without tools",
     AT(config.wrap_up)},
    {OPTION_WHOLE, 0, "max-history-tokens", "N",
     "leave out the oldest turns of a longer conversation", AT(config.max_history_tokens),
     .number = 1},
    {OPTION_DURATION, 0, "idle-timeout", "TIME",
     "time without data from the provider (default 300)", AT(limits.idle_seconds)},
    {OPTION_COUNT, 0, "retries", "N", "repeat a failed request up to N times (default 4)",
     AT(config.retries), .number = 0},
    {OPTION_COUNT, 0, "output-retries", "N",
     "ask up to N times to correct a malformed response (default 2)", AT(config.output_retries),
     .number = 0},

    {OPTION_HEADING, .help = "the stream"},
    {OPTION_DURATION, 0, "debounce", "TIME", "merge chunks that arrive within this time",
     AT(config.debounce_seconds)},
    {OPTION_FLAG, 0, "raw", NULL, "also write every event of the provider", AT(raw)},
    {OPTION_NAME, 'l', "log", "FILE", "also append every event to FILE", AT(log)},
    {OPTION_FLAG, 0, "fsync", NULL,
     "write the log to disk at once, so that it survives a power cut", AT(fsync)},

    {OPTION_HEADING, .help = "instead of a run"},
    {OPTION_CHOICE, 'n', "dry-run", NULL, "print the request without sending it, and exit",
     AT(mode), .number = MODE_DRY_RUN},
    {OPTION_CHOICE, 0, "list-models", NULL,
     "list the models of the provider in -m, or of all whose key is set", AT(mode),
     .number = MODE_LIST_MODELS},
    {OPTION_CHOICE, 0, "list-providers", NULL, "list the providers, and which keys are set",
     AT(mode), .number = MODE_LIST_PROVIDERS},
    {OPTION_CHOICE, 0, "list-tools", NULL, "list the tools given by --tool and --agent", AT(mode),
     .number = MODE_LIST_TOOLS},
    {OPTION_HELP, 'h', "help", .help = "show this text"},
    {OPTION_VERSION, 'V', "version", .help = "show the version"},
};

static const char usage[] =
    "usage: agent-run [options] [PROMPT ...]\n"
    "Run one agent: send the prompt to a model, run the tools it calls, and write every event as "
    "a\n"
    "line of JSON. Standard input, if it is a pipe or a file, follows the prompt.\n";

static const char help_end[] =
    "Exit status: 0 success, 1 failure, 2 wrong usage, 3 limit, 5 invalid output, 6 refused,\n"
    "124 timeout, 129, 130, 141 and 143 signals. See agent-run(1).\n";

static void add_setting(struct option_list *list, const struct setting *setting)
{
	const struct option_row row = {.kind = setting->kind == SETTING_TEXT ? OPTION_NAME
									     : OPTION_TEXT,
				       .name = setting->option,
				       .value = setting->value,
				       .help = setting->help,
				       .apply = set_setting,
				       .context = setting};

	option_list_add(list, &row, 1);
}

static void add_limits(struct option_list *list)
{
	for (const struct setting *setting = agent_settings; setting->option != NULL; setting++)
		if (setting->is_limit)
			add_setting(list, setting);
}

/* The rows, and the settings in their places. */
static struct option_list make_list(void)
{
	struct option_list list = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].kind != OPTION_PLACE)
			option_list_add(&list, &rows[i], 1);
		else if (rows[i].name != NULL)
			add_setting(&list, setting_find(span_of(rows[i].name), false));
		else
			add_limits(&list);
	}
	return list;
}

/* ---- the agents ---- */

/* The limit of model responses if neither the command line nor the agent's file gives one. */
enum { MAX_ITERATIONS = 50 };

/* Read the files of --agent, and all that they name. Returns the first agent; NULL: there is none.
 */
static struct agent *read_agents(struct options *o)
{
	struct agent *first = NULL;
	struct error e = {0};

	for (size_t i = 0; i < o->agent_file_count; i++) {
		struct agent *agent = agent_set_add(&o->agents, o->agent_files[i], &e);

		die_unless(agent != NULL, &e);
		if (first == NULL)
			first = agent;
		else if (!agent_hands_over_to(first, agent))
			die_unless(agent_add_handoff(first, agent, &e), &e);
	}
	die_unless(agent_set_link(&o->agents, &o->agent->tools, &e), &e);
	return first;
}

/* Whether the cost of the first agent's run or of another one's is limited. */
static bool limits_cost(const struct agent *first, const struct agent_set *agents)
{
	bool limited = first->limits.max_cost_usd > 0;

	for (size_t i = 0; i < agents->count; i++)
		limited = limited || agents->agents[i]->limits.max_cost_usd > 0;
	return limited;
}

/* Read the agents' files, put the command line before them, and fill in who starts, its models and
 * its limits. */
static void resolve_agents(struct options *o)
{
	struct agent *first = read_agents(o);
	struct error e = {0};

	for (size_t i = 0; i < o->agents.count; i++) {
		struct agent *agent = o->agents.agents[i];

		die_unless(agent_override(agent, o->agent, agent == first, &e), &e);
	}
	if (first == NULL)
		first = o->agent;
	o->config.agent = first;
	o->config.agents = &o->agents;
	o->config.models = o->agent->models.count > 0 ? o->agent->models : first->models;
	if (o->mode != MODE_LIST_MODELS)
		options_default_models(o, getenv("AGENT_MODEL"));
	o->config.limits = first->limits;
	o->config.needs_prices =
	    o->mode == MODE_RUN && !o->allow_unpriced && limits_cost(first, &o->agents);
	if (o->config.limits.max_iterations == 0)
		o->config.limits.max_iterations = MAX_ITERATIONS;
}

void options_check_tools(const struct options *o)
{
	struct error e = {0};

	die_unless(tool_set_check(&o->config.agent->tools, &e), &e);
	for (size_t i = 0; i < o->agents.count; i++)
		die_unless(tool_set_check(&o->agents.agents[i]->tools, &e), &e);
}

/* Exit if the cost of the model cannot be limited. */
static void check_price(const struct options *o, const struct model *model)
{
	struct prices *prices = o->config.prices;
	struct error e = {0};

	die_unless(usage_check_price(prices, model, &e), &e);
	if (model_charge(model) == MODEL_LOCAL &&
	    !prices_known(prices, model_provider(model), model_name(model)))
		warn("%s:%s has no price; it runs on this machine and counts as 0 for --max-cost",
		     model_provider(model), model_name(model));
}

void options_open_models(const struct options *o, struct open_models *models)
{
	struct error e = {0};

	for (size_t i = 0; i < o->agents.count; i++) {
		const struct agent *agent = o->agents.agents[i];
		struct span text = buffer_span(&agent->text),
			    where = json_get(json_trim(text), "model");
		struct error at = {0};

		if (!open_models_add(models, o->config.host, &agent->models, &e))
			die_unless(error_at(&at, agent->source, text, (size_t)(where.at - text.at),
					    "%s", e.message),
				   &at);
	}
	if (!o->config.needs_prices)
		return;
	die_unless(open_models_add(models, o->config.host, &o->config.models, &e), &e);
	for (size_t i = 0; i < models->count; i++)
		check_price(o, models->at[i]);
}

/* ---- the whole command line ---- */

static void take_prompt(struct options *o, char **words, int count)
{
	for (int i = 0; i < count; i++) {
		if (strcmp(words[i], "-") == 0) {
			o->dash = true;
			continue;
		}
		if (o->prompt.len > 0)
			buffer_add_char(&o->prompt, ' ');
		buffer_add_text(&o->prompt, words[i]);
	}
}

static void check_logs(const struct options *o)
{
	const char *name = o->resume ? "--resume" : "--session";

	if (o->session != NULL && o->history != NULL)
		die(STATUS_USAGE, "%s and --history both give the earlier messages; use only one",
		    name);
	if (o->batch != NULL && o->mode == MODE_DRY_RUN)
		die(STATUS_USAGE, "--dry-run shows one request; give one line of the batch as "
				  "PROMPT, and leave --batch out");
	if (o->session != NULL && o->log != NULL)
		die(STATUS_USAGE, "%s appends the events to its file, so --log is not allowed",
		    name);
	if (o->batch != NULL && o->session != NULL)
		die(STATUS_USAGE, "%s is for one run; --log continues a batch", name);
	if (o->fsync && o->session == NULL && o->log == NULL)
		die(STATUS_USAGE, "--fsync needs a log: add --log or --session");
	if (o->resume && (o->prompt.len > 0 || o->dash))
		die(STATUS_USAGE,
		    "--resume continues the prompt of the earlier run, so PROMPT is not allowed; "
		    "to send another prompt afterwards, use --session");
}

/* Exit if the agent has no tool that its tool_choice could mean. */
static void check_tool_choice(const struct options *o, const struct agent *agent)
{
	const char *choice = agent->tool_choice;
	bool required = choice != NULL && strcmp(choice, "required") == 0;
	struct span text = buffer_span(&agent->text),
		    where = json_get(json_trim(text), "tool_choice");
	struct error e = {0};

	if (choice == NULL || strcmp(choice, "auto") == 0 || strcmp(choice, "none") == 0 ||
	    (required && agent->tools.count > 0) ||
	    tool_set_find(&agent->tools, span_of(choice)) != NULL)
		return;
	if (agent->source == NULL || (agent == o->config.agent && o->agent->tool_choice != NULL))
		die(STATUS_USAGE, "--tool-choice %s%s", choice,
		    required ? " needs a tool; add one with --tool"
			     : ": there is no such tool; add it with --tool");
	die_unless(error_at(&e, agent->source, text, (size_t)(where.at - text.at),
			    "\"tool_choice\": %s%s", choice,
			    required ? " needs a tool; add one to \"tools\""
				     : ": the agent has no such tool; add it to \"tools\""),
		   &e);
}

void options_parse(struct options *o, int argc, char **argv)
{
	struct option_list list = make_list();
	const char *root;
	int first;

	*o = (struct options){
	    .limits = {.connect_seconds = 30, .idle_seconds = 300},
	    .jobs = 8,
	    .policy = {.timeout = 3600},
	    .agent = agent_new("agent"),
	    .config =
		{
		    .tool_limits = {.timeout = 120, .max_result = TOOL_MAX_RESULT},
		    .parallel = 8,
		    .retries = 4,
		    .output_retries = 2,
		},
	};
	first = option_list_parse(&list, o, argc, argv, usage, help_end);
	take_prompt(o, argv + first, argc - first);
	resolve_agents(o);
	root = getenv("AGENT_ROOT");
	if (root != NULL && root[0] != '\0' && (o->mode == MODE_RUN || o->mode == MODE_DRY_RUN))
		pass_root("AGENT_ROOT", root);
	check_tool_choice(o, o->config.agent);
	for (size_t i = 0; i < o->agents.count; i++)
		check_tool_choice(o, o->agents.agents[i]);
	rules_check(o);
	check_logs(o);
	o->config.policy = &o->policy;
}

void options_free(struct options *o)
{
	agent_free(o->agent);
	agent_set_free(&o->agents);
	model_specs_free(&o->models);
	free(o->agent_files);
	free(o->masks);
	free(o->config.env);
	free(o->inputs);
	free(o->attached);
	buffer_free(&o->attachments);
	buffer_free(&o->prompt);
	approval_free(&o->policy);
}
