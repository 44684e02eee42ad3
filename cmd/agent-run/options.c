#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "agents.h"
#include "run/attachment.h"

enum {
	OPT_EFFORT = 256,
	OPT_MAX_TOKENS,
	OPT_BASE_URL,
	OPT_HISTORY,
	OPT_NO_STDIN,
	OPT_TOOL_CHOICE,
	OPT_TOOL_TIMEOUT,
	OPT_TOOL_OUTPUT,
	OPT_ALLOW,
	OPT_ASK,
	OPT_DENY,
	OPT_APPROVE_WITH,
	OPT_APPROVAL_TIMEOUT,
	OPT_MAX_ITERATIONS,
	OPT_MAX_TOTAL_TOKENS,
	OPT_MAX_COST,
	OPT_MAX_TOOL_CALLS,
	OPT_WRAP_UP,
	OPT_MAX_HISTORY_TOKENS,
	OPT_TIMEOUT,
	OPT_IDLE_TIMEOUT,
	OPT_RETRIES,
	OPT_OUTPUT_RETRIES,
	OPT_DEBOUNCE,
	OPT_RAW,
	OPT_SCHEMA,
	OPT_RESUME,
	OPT_BATCH,
	OPT_FSYNC,
	OPT_LIST_MODELS,
	OPT_LIST_PROVIDERS,
	OPT_LIST_TOOLS,
};

static const struct option long_options[] = {
    {"model", required_argument, NULL, 'm'},
    {"option", required_argument, NULL, 'o'},
    {"effort", required_argument, NULL, OPT_EFFORT},
    {"max-tokens", required_argument, NULL, OPT_MAX_TOKENS},
    {"base-url", required_argument, NULL, OPT_BASE_URL},
    {"system", required_argument, NULL, 's'},
    {"attach", required_argument, NULL, 'a'},
    {"agent", required_argument, NULL, 'A'},
    {"schema", required_argument, NULL, OPT_SCHEMA},
    {"session", required_argument, NULL, 'c'},
    {"batch", required_argument, NULL, OPT_BATCH},
    {"jobs", required_argument, NULL, 'j'},
    {"resume", required_argument, NULL, OPT_RESUME},
    {"fsync", no_argument, NULL, OPT_FSYNC},
    {"history", required_argument, NULL, OPT_HISTORY},
    {"no-stdin", no_argument, NULL, OPT_NO_STDIN},
    {"tool", required_argument, NULL, 't'},
    {"tool-choice", required_argument, NULL, OPT_TOOL_CHOICE},
    {"tool-timeout", required_argument, NULL, OPT_TOOL_TIMEOUT},
    {"tool-output", no_argument, NULL, OPT_TOOL_OUTPUT},
    {"parallel", required_argument, NULL, 'P'},
    {"allow", required_argument, NULL, OPT_ALLOW},
    {"ask", required_argument, NULL, OPT_ASK},
    {"deny", required_argument, NULL, OPT_DENY},
    {"approve-with", required_argument, NULL, OPT_APPROVE_WITH},
    {"approval-timeout", required_argument, NULL, OPT_APPROVAL_TIMEOUT},
    {"max-iterations", required_argument, NULL, OPT_MAX_ITERATIONS},
    {"max-total-tokens", required_argument, NULL, OPT_MAX_TOTAL_TOKENS},
    {"max-cost", required_argument, NULL, OPT_MAX_COST},
    {"max-tool-calls", required_argument, NULL, OPT_MAX_TOOL_CALLS},
    {"wrap-up", no_argument, NULL, OPT_WRAP_UP},
    {"max-history-tokens", required_argument, NULL, OPT_MAX_HISTORY_TOKENS},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"idle-timeout", required_argument, NULL, OPT_IDLE_TIMEOUT},
    {"retries", required_argument, NULL, OPT_RETRIES},
    {"output-retries", required_argument, NULL, OPT_OUTPUT_RETRIES},
    {"debounce", required_argument, NULL, OPT_DEBOUNCE},
    {"raw", no_argument, NULL, OPT_RAW},
    {"log", required_argument, NULL, 'l'},
    {"dry-run", no_argument, NULL, 'n'},
    {"list-models", no_argument, NULL, OPT_LIST_MODELS},
    {"list-providers", no_argument, NULL, OPT_LIST_PROVIDERS},
    {"list-tools", no_argument, NULL, OPT_LIST_TOOLS},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

/* ---- values ---- */

static int64_t whole_number(const char *option, const char *text, int64_t least)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value < least)
		die(STATUS_USAGE, "%s takes a whole number of at least %lld, not '%s'", option,
		    (long long)least, text);
	return value;
}

/* A count of things that happen: more than INT_MAX of them is the same as that many. */
static int count_of(const char *option, const char *text, int least)
{
	int64_t value = whole_number(option, text, least);

	return value < INT_MAX ? (int)value : INT_MAX;
}

static double amount(const char *option, const char *text)
{
	char *end;
	double value;

	errno = 0;
	value = strtod(text, &end);
	if (errno != 0 || end == text || *end != '\0' || !(value >= 0) || isinf(value))
		die(STATUS_USAGE, "%s takes a number of at least 0, not '%s'", option, text);
	return value;
}

static const char *effort(const char *text)
{
	static const char *const levels[] = {"none", "low", "medium", "high", "max"};

	for (size_t i = 0; i < sizeof(levels) / sizeof(*levels); i++)
		if (strcmp(text, levels[i]) == 0)
			return levels[i];
	die(STATUS_USAGE, "--effort is none, low, medium, high or max, not '%s'", text);
}

void options_add_model(struct options *o, char *spec)
{
	model_specs_add(&o->models, spec);
	o->config.models = o->models.at;
	o->config.model_count = o->models.count;
}

static void add_models(struct options *o, const char *list)
{
	model_specs_add_list(&o->models, list);
	o->config.models = o->models.at;
	o->config.model_count = o->models.count;
}

static void add_option(struct options *o, const char *text)
{
	const char *equals = strchr(text, '=');
	struct buffer value = {0};
	struct model_option *option;
	struct span given;

	if (equals == NULL || equals == text)
		die(STATUS_USAGE, "-o takes KEY=VALUE, not '%s'", text);
	given = json_trim(span_of(equals + 1));
	if (json_check(given, NULL))
		json_write_line(&value, given);
	else
		json_write_string(&value, span_of(equals + 1));
	o->model_options =
	    mem_resize(o->model_options, (o->model_option_count + 1) * sizeof(*o->model_options));
	option = &o->model_options[o->model_option_count++];
	option->key = mem_copy((struct span){text, (size_t)(equals - text)});
	option->value.len = value.len;
	option->value.at = buffer_take(&value);
}

static void set_system(struct options *o, const char *text)
{
	struct error e = {0};

	buffer_clear(&o->system);
	if (text[0] != '@')
		buffer_add_text(&o->system, text);
	else if (text[1] == '\0')
		die(STATUS_USAGE, "--system @ names no file: write @FILE");
	else if (!file_read(text + 1, &o->system, &e))
		die(STATUS_USAGE, "%s", e.message);
	if (o->system.len > 0 && memchr(o->system.at, '\0', o->system.len) != NULL)
		die(STATUS_USAGE, "%s: holds a NUL byte; is it a binary file?", text + 1);
	o->config.system = buffer_string(&o->system);
}

static void add_attachment(struct options *o, const char *path)
{
	struct error e = {0};

	if (!attachment_add(path, &o->attachments, &e))
		die(STATUS_USAGE, "%s", e.message);
	if (strcmp(path, "-") == 0)
		o->no_stdin = true;
}

static void read_schema(struct options *o, const char *path)
{
	struct json_fault fault;
	struct error e = {0};

	buffer_clear(&o->schema);
	if (!file_read(path, &o->schema, &e))
		die(STATUS_USAGE, "%s", e.message);
	if (!json_check(buffer_span(&o->schema), &fault)) {
		error_at(&e, path, buffer_span(&o->schema), fault.offset, "not JSON: %s",
			 fault.what);
		die(STATUS_USAGE, "%s", e.message);
	}
	if (json_type(json_trim(buffer_span(&o->schema))) != JSON_OBJECT)
		die(STATUS_USAGE, "%s:1: a JSON Schema is an object", path);
}

static void add_tool(struct options *o, const char *path)
{
	struct error e = {0};

	if (!tool_set_add(&o->tools, path, &e))
		die(STATUS_USAGE, "%s", e.message);
}

/* ---- options ---- */

static void set_defaults(struct options *o)
{
	*o = (struct options){
	    .limits = {.connect_seconds = 30, .idle_seconds = 300},
	    .jobs = 8,
	    .policy = {.timeout = 3600},
	    .config =
		{
		    .agent_name = "agent",
		    .tool_limits = {.timeout = 120, .max_result = TOOL_MAX_RESULT},
		    .parallel = 8,
		    .retries = 4,
		    .output_retries = 2,
		},
	};
}

static _Noreturn void show_and_exit(const char *text)
{
	if (fputs(text, stdout) == EOF || fflush(stdout) == EOF)
		die(STATUS_FAILED, "standard output: %s", strerror(errno));
	exit(STATUS_OK);
}

/* What names a file, a URL, a tool or a program is not empty: it is a variable that is not set. */
static void check_value(int option, const char *value)
{
	static const int names[] = {'a',
				    'A',
				    'c',
				    'l',
				    't',
				    OPT_BASE_URL,
				    OPT_SCHEMA,
				    OPT_RESUME,
				    OPT_BATCH,
				    OPT_HISTORY,
				    OPT_TOOL_CHOICE,
				    OPT_ALLOW,
				    OPT_ASK,
				    OPT_DENY,
				    OPT_APPROVE_WITH};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		for (const struct option *o = long_options; o->name != NULL; o++)
			if (option == names[i] && o->val == option && *value == '\0')
				die(STATUS_USAGE, "--%s takes a value that is not empty", o->name);
}

static void apply(struct options *o, int option, const char *value)
{
	struct run_config *config = &o->config;

	check_value(option, value);
	switch (option) {
	case 'm':
		add_models(o, value);
		break;
	case 'o':
		add_option(o, value);
		break;
	case OPT_EFFORT:
		config->effort = effort(value);
		break;
	case OPT_MAX_TOKENS:
		config->max_tokens = whole_number("--max-tokens", value, 1);
		break;
	case OPT_BASE_URL:
		o->base_url = value;
		break;
	case 's':
		set_system(o, value);
		break;
	case 'a':
		add_attachment(o, value);
		break;
	case 'A':
		o->agent_files =
		    mem_resize(o->agent_files, (o->agent_file_count + 1) * sizeof(*o->agent_files));
		o->agent_files[o->agent_file_count++] = value;
		break;
	case OPT_SCHEMA:
		read_schema(o, value);
		break;
	case 'c':
	case OPT_RESUME:
		o->session = value;
		o->resume = option == OPT_RESUME;
		break;
	case OPT_BATCH:
		o->batch = value;
		break;
	case 'j':
		o->jobs = count_of("--jobs", value, 1);
		break;
	case OPT_FSYNC:
		o->fsync = true;
		break;
	case OPT_HISTORY:
		o->history = value;
		break;
	case OPT_NO_STDIN:
		o->no_stdin = true;
		break;
	case 't':
		add_tool(o, value);
		break;
	case OPT_TOOL_CHOICE:
		config->tool_choice = value;
		break;
	case OPT_TOOL_TIMEOUT:
		config->tool_limits.timeout = amount("--tool-timeout", value);
		break;
	case OPT_TOOL_OUTPUT:
		config->tool_output = true;
		break;
	case 'P':
		config->parallel = count_of("--parallel", value, 1);
		break;
	case OPT_ALLOW:
		approval_add(&o->policy, APPROVAL_ALLOW, value);
		break;
	case OPT_ASK:
		approval_add(&o->policy, APPROVAL_ASK, value);
		break;
	case OPT_DENY:
		approval_add(&o->policy, APPROVAL_DENY, value);
		break;
	case OPT_APPROVE_WITH:
		o->policy.command = value;
		break;
	case OPT_APPROVAL_TIMEOUT:
		o->policy.timeout = amount("--approval-timeout", value);
		break;
	case OPT_MAX_ITERATIONS:
		config->max_iterations = whole_number("--max-iterations", value, 1);
		break;
	case OPT_MAX_TOTAL_TOKENS:
		config->max_total_tokens = whole_number("--max-total-tokens", value, 1);
		break;
	case OPT_MAX_COST:
		config->max_cost_usd = amount("--max-cost", value);
		if (!(config->max_cost_usd > 0))
			die(STATUS_USAGE, "--max-cost takes a number above 0, not '%s'", value);
		break;
	case OPT_MAX_TOOL_CALLS:
		config->max_tool_calls = whole_number("--max-tool-calls", value, 1);
		break;
	case OPT_WRAP_UP:
		config->wrap_up = true;
		break;
	case OPT_MAX_HISTORY_TOKENS:
		config->max_history_tokens = whole_number("--max-history-tokens", value, 1);
		break;
	case OPT_TIMEOUT:
		config->timeout_seconds = amount("--timeout", value);
		break;
	case OPT_IDLE_TIMEOUT:
		o->limits.idle_seconds = amount("--idle-timeout", value);
		break;
	case OPT_RETRIES:
		config->retries = count_of("--retries", value, 0);
		break;
	case OPT_OUTPUT_RETRIES:
		config->output_retries = count_of("--output-retries", value, 0);
		break;
	case OPT_DEBOUNCE:
		config->debounce_seconds = amount("--debounce", value);
		break;
	case OPT_RAW:
		o->raw = true;
		break;
	case 'l':
		o->log = value;
		break;
	case 'n':
		o->mode = MODE_DRY_RUN;
		break;
	case OPT_LIST_MODELS:
		o->mode = MODE_LIST_MODELS;
		break;
	case OPT_LIST_PROVIDERS:
		o->mode = MODE_LIST_PROVIDERS;
		break;
	case OPT_LIST_TOOLS:
		o->mode = MODE_LIST_TOOLS;
		break;
	case 'h':
		show_and_exit(options_help);
	case 'V':
		show_and_exit("agent-run " VERSION "\n");
	default:
		fputs("try 'agent-run --help'\n", stderr);
		exit(STATUS_USAGE);
	}
}

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
		die(STATUS_USAGE, "%s and --history both say what was said before; give one", name);
	if (o->session != NULL && o->log != NULL)
		die(STATUS_USAGE, "%s appends the events to its file; leave --log out", name);
	if (o->batch != NULL && o->session != NULL)
		die(STATUS_USAGE, "%s is for one run; a batch goes on with its --log", name);
	if (o->fsync && o->session == NULL && o->log == NULL)
		die(STATUS_USAGE, "--fsync is about a log: add --log or --session");
	if (o->resume && (o->prompt.len > 0 || o->dash))
		die(STATUS_USAGE, "--resume goes on with the prompt of its run; to say more "
				  "afterwards, use --session");
}

static void check_tool_choice(const struct options *o)
{
	const char *choice = o->config.tool_choice;

	if (choice == NULL || strcmp(choice, "auto") == 0 || strcmp(choice, "none") == 0 ||
	    (strcmp(choice, "required") == 0 && o->config.tools->count > 0) ||
	    tool_set_find(o->config.tools, span_of(choice)) != NULL)
		return;
	if (strcmp(choice, "required") == 0)
		die(STATUS_USAGE, "--tool-choice required needs a tool; add one with --tool");
	die(STATUS_USAGE, "--tool-choice %s: there is no such tool; add it with --tool", choice);
}

void options_parse(struct options *o, int argc, char **argv)
{
	bool named;
	int option;

	set_defaults(o);
	while ((option = getopt_long(argc, argv, "m:o:s:a:A:c:j:t:P:l:nhV", long_options, NULL)) !=
	       -1)
		apply(o, option, optarg);
	take_prompt(o, argv + optind, argc - optind);
	o->config.options = o->model_options;
	o->config.option_count = o->model_option_count;
	if (o->schema.len > 0)
		o->config.schema = json_trim(buffer_span(&o->schema));
	named = o->models.count > 0;
	if (!named && o->mode != MODE_LIST_MODELS && getenv("AGENT_MODEL") != NULL)
		add_models(o, getenv("AGENT_MODEL"));
	agents_resolve(o, named);
	check_tool_choice(o);
	check_logs(o);
	o->config.attachments = buffer_span(&o->attachments);
	o->config.policy = &o->policy;
}

void options_free(struct options *o)
{
	model_specs_free(&o->models);
	for (size_t i = 0; i < o->model_option_count; i++) {
		free((char *)o->model_options[i].key);
		free((char *)o->model_options[i].value.at);
	}
	free(o->model_options);
	buffer_free(&o->attachments);
	buffer_free(&o->schema);
	buffer_free(&o->system);
	buffer_free(&o->prompt);
	tool_set_free(&o->tools);
	free(o->agent_files);
	agent_set_free(&o->agents);
	approval_free(&o->policy);
}
