#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/number.h"
#include "agents.h"
#include "option_table.h"
#include "run/attachment.h"
#include "run/setting.h"

/* ---- options that take more than a number or a name ---- */

static void add_models(struct options *o, const char *list)
{
	model_specs_add_list(&o->agent->models, list);
}

void options_default_models(struct options *o, const char *list)
{
	if (o->config.models.count > 0 || list == NULL)
		return;
	model_specs_add_list(&o->models, list);
	o->config.models = o->models;
}

static void add_option(struct options *o, const char *text)
{
	const char *equals = strchr(text, '=');
	struct buffer string = {0};
	struct span value;

	if (equals == NULL || equals == text)
		die(STATUS_USAGE, "-o takes KEY=VALUE, not '%s'", text);
	value = json_trim(span_of(equals + 1));
	if (!json_check(value, NULL)) {
		json_write_string(&string, span_of(equals + 1));
		value = buffer_span(&string);
	}
	agent_add_option(o->agent, (struct span){text, (size_t)(equals - text)}, value);
	buffer_free(&string);
}

static void set_instructions(struct options *o, const char *text)
{
	struct error e = {0};

	if (strcmp(text, "@") == 0)
		die(STATUS_USAGE, "--system @ names no file: write @FILE");
	if (!agent_set_instructions(o->agent, "", text, &e))
		die(STATUS_USAGE, "%s", e.message);
}

static void add_attachment(struct options *o, const char *path)
{
	struct error e = {0};

	if (!attachment_add(path, &o->attachments, &e))
		die(STATUS_USAGE, "%s", e.message);
	if (strcmp(path, "-") == 0)
		o->no_stdin = true;
}

static void add_agent(struct options *o, const char *path)
{
	o->agent_files = array_grow(o->agent_files, o->agent_file_count, sizeof(*o->agent_files));
	o->agent_files[o->agent_file_count++] = path;
}

static void read_schema(struct options *o, const char *path)
{
	struct error e = {0};

	schema_free(o->agent->schema);
	o->agent->schema = schema_read(path, &e);
	if (o->agent->schema == NULL)
		die(STATUS_USAGE, "%s", e.message);
}

static void set_session(struct options *o, const char *path)
{
	o->session = path;
	o->resume = false;
}

static void set_resume(struct options *o, const char *path)
{
	o->session = path;
	o->resume = true;
}

static void add_tool(struct options *o, const char *path)
{
	struct error e = {0};

	if (!tool_set_add(&o->agent->tools, path, &e))
		die(STATUS_USAGE, "%s", e.message);
}

static void allow(struct options *o, const char *glob)
{
	approval_add(&o->policy, APPROVAL_ALLOW, glob);
}

static void ask(struct options *o, const char *glob)
{
	approval_add(&o->policy, APPROVAL_ASK, glob);
}

static void deny(struct options *o, const char *glob)
{
	approval_add(&o->policy, APPROVAL_DENY, glob);
}

static _Noreturn void show_and_exit(const char *text)
{
	if (fputs(text, stdout) == EOF || fflush(stdout) == EOF)
		die(STATUS_FAILED, "standard output: %s", strerror(errno));
	exit(STATUS_OK);
}

static void show_version(struct options *o, const char *value)
{
	(void)o;
	(void)value;
	show_and_exit("agent-run " VERSION "\n");
}

static void show_help(struct options *o, const char *value);

/* ---- the table ---- */

#define AT(member) .offset = offsetof(struct options, member)

/* In the order of --help. */
static const struct option_row rows[] = {
    {KIND_HEADING, .help = "the model"},
    {KIND_TEXT, 'm', "model", "NAME[,NAME...]",
     "PROVIDER:MODEL, test, replay:FILE or exec:COMMAND; further names are fallbacks (default: "
     "$AGENT_MODEL)",
     .apply = add_models},
    {KIND_TEXT, 'o', "option", "KEY=VALUE",
     "set a request parameter; VALUE is JSON if it parses, else text", .apply = add_option},
    {KIND_SETTING, .name = "effort"},
    {KIND_SETTING, .name = "max_tokens"},
    {KIND_NAME, 0, "base-url", "URL", "send requests to URL instead of the provider's",
     AT(base_url)},

    {KIND_HEADING, .help = "the conversation"},
    {KIND_TEXT, 's', "system", "TEXT", "instructions; @FILE reads them from a file",
     .apply = set_instructions},
    {KIND_PATH, 'a', "attach", "FILE", "attach an image, a PDF or a text to the prompt (-: stdin)",
     .apply = add_attachment},
    {KIND_PATH, 'A', "agent", "FILE",
     "run the agent in FILE; repeat to name agents it can hand over to", .apply = add_agent},
    {KIND_PATH, 0, "schema", "FILE", "require an answer that satisfies a JSON Schema",
     .apply = read_schema},
    {KIND_PATH, 'c', "session", "FILE",
     "continue the conversation in FILE, an event log, and append to it", .apply = set_session},
    {KIND_PATH, 0, "resume", "FILE", "finish the interrupted run in FILE", .apply = set_resume},
    {KIND_NAME, 0, "history", "FILE",
     "start from an event log or a JSON array of messages (-: stdin)", AT(history)},
    {KIND_FLAG, 0, "no-stdin", NULL, "do not read standard input", AT(no_stdin)},

    {KIND_HEADING, .help = "batches"},
    {KIND_NAME, 0, "batch", "FILE",
     "one run for each line of FILE: text, or JSON with a \"prompt\"; PROMPT can use fields of the "
     "line: 'Summarise: {text}'",
     AT(batch)},
    {KIND_COUNT, 'j', "jobs", "N", "run at most N at once (default 8)", AT(jobs), .least = 1},

    {KIND_HEADING, .help = "tools"},
    {KIND_PATH, 't', "tool", "PATH",
     "a manifest, an executable, a folder of them, or the name of a shipped tool",
     .apply = add_tool},
    {KIND_SETTING, .name = "tool_choice"},
    {KIND_AMOUNT, 0, "tool-timeout", "SECONDS", "stop a tool after this time (default 120)",
     AT(config.tool_limits.timeout)},
    {KIND_FLAG, 0, "tool-output", NULL, "write the output of running tools as events",
     AT(config.tool_output)},
    {KIND_COUNT, 'P', "parallel", "N",
     "run at most N tool calls of one response at once (default 8)", AT(config.parallel),
     .least = 1},
    {KIND_PATH, 0, "allow", "GLOB", "run these tools without approval", .apply = allow},
    {KIND_PATH, 0, "ask", "GLOB", "run these tools only with approval", .apply = ask},
    {KIND_PATH, 0, "deny", "GLOB", "never run these tools", .apply = deny},
    {KIND_NAME, 0, "approve-with", "COMMAND", "ask a program instead of the user at the terminal",
     AT(policy.command)},
    {KIND_AMOUNT, 0, "approval-timeout", "SECONDS",
     "deny a call after this time without an answer (default 3600)", AT(policy.timeout)},

    {KIND_HEADING, .help = "limits"},
    {.kind = KIND_LIMITS},
    {KIND_FLAG, 0, "wrap-up", NULL, "at one of these limits, ask for a final answer without tools",
     AT(config.wrap_up)},
    {KIND_WHOLE, 0, "max-history-tokens", "N",
     "leave out the oldest turns of a longer conversation", AT(config.max_history_tokens),
     .least = 1},
    {KIND_AMOUNT, 0, "idle-timeout", "SECONDS", "time without data from the provider (default 300)",
     AT(limits.idle_seconds)},
    {KIND_COUNT, 0, "retries", "N", "repeat a failed request up to N times (default 4)",
     AT(config.retries), .least = 0},
    {KIND_COUNT, 0, "output-retries", "N",
     "ask up to N times to correct a malformed response (default 2)", AT(config.output_retries),
     .least = 0},

    {KIND_HEADING, .help = "the stream"},
    {KIND_AMOUNT, 0, "debounce", "SECONDS", "merge chunks that arrive within this time",
     AT(config.debounce_seconds)},
    {KIND_FLAG, 0, "raw", NULL, "also write every event of the provider", AT(raw)},
    {KIND_NAME, 'l', "log", "FILE", "also append every event to FILE", AT(log)},
    {KIND_FLAG, 0, "fsync", NULL, "write the log to disk at once, so that it survives a power cut",
     AT(fsync)},

    {KIND_HEADING, .help = "instead of a run"},
    {KIND_MODE, 'n', "dry-run", NULL, "print the request without sending it, and exit",
     .least = MODE_DRY_RUN},
    {KIND_MODE, 0, "list-models", NULL,
     "list the models of the provider in -m, or of all whose key is set",
     .least = MODE_LIST_MODELS},
    {KIND_MODE, 0, "list-providers", NULL, "list the providers, and which keys are set",
     .least = MODE_LIST_PROVIDERS},
    {KIND_MODE, 0, "list-tools", NULL, "list the tools given by --tool and --agent",
     .least = MODE_LIST_TOOLS},
    {KIND_TEXT, 'h', "help", NULL, "show this text", .apply = show_help},
    {KIND_TEXT, 'V', "version", NULL, "show the version", .apply = show_version},
};

static void add_setting(struct option_table *table, const struct setting *setting)
{
	table->rows[table->count++] = (struct option_row){.kind = KIND_SETTING,
							  .name = setting->option,
							  .value = setting->value,
							  .help = setting->help,
							  .setting = setting};
}

static struct option_table make_table(void)
{
	struct option_table table = {.count = 0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].kind == KIND_SETTING)
			add_setting(&table, setting_find(span_of(rows[i].name), false));
		else if (rows[i].kind != KIND_LIMITS)
			table.rows[table.count++] = rows[i];
		for (const struct setting *setting = agent_settings;
		     rows[i].kind == KIND_LIMITS && setting->option != NULL; setting++)
			if (setting->is_limit)
				add_setting(&table, setting);
	}
	return table;
}

static void show_help(struct options *o, const char *unused)
{
	struct option_table table = make_table();
	struct buffer out = {0};

	(void)o;
	(void)unused;
	help_write(&table, &out);
	show_and_exit(buffer_string(&out));
}

/* ---- reading ---- */

static void *member_of(struct options *o, const struct option_row *row)
{
	return (char *)o + row->offset;
}

static int64_t whole_number(const struct option_row *row, const char *text)
{
	int64_t value;

	if (!number_whole(text, &value) || value < row->least)
		die(STATUS_USAGE, "--%s takes a whole number of at least %d, not '%s'", row->name,
		    row->least, text);
	return value;
}

/* A count of things that happen: more than INT_MAX of them is the same as that many. */
static int count_of(const struct option_row *row, const char *text)
{
	int64_t value = whole_number(row, text);

	return value < INT_MAX ? (int)value : INT_MAX;
}

static void apply_setting(struct options *o, const struct setting *setting, const char *value)
{
	struct buffer fault = {0};

	if (!setting_parse(setting, o->agent, value, &fault))
		die(STATUS_USAGE, "%s", buffer_string(&fault));
}

static void apply(struct options *o, const struct option_row *row, const char *value)
{
	if ((row->kind == KIND_NAME || row->kind == KIND_PATH) && value[0] == '\0')
		die(STATUS_USAGE, "--%s takes a value that is not empty", row->name);
	switch (row->kind) {
	case KIND_FLAG:
		*(bool *)member_of(o, row) = true;
		break;
	case KIND_NAME:
		*(const char **)member_of(o, row) = value;
		break;
	case KIND_COUNT:
		*(int *)member_of(o, row) = count_of(row, value);
		break;
	case KIND_WHOLE:
		*(int64_t *)member_of(o, row) = whole_number(row, value);
		break;
	case KIND_AMOUNT:
		if (!number_amount(value, member_of(o, row)))
			die(STATUS_USAGE, "--%s takes a number of at least 0, not '%s'", row->name,
			    value);
		break;
	case KIND_MODE:
		o->mode = (enum mode)row->least;
		break;
	case KIND_SETTING:
		apply_setting(o, row->setting, value);
		break;
	case KIND_TEXT:
	case KIND_PATH:
		row->apply(o, value);
		break;
	case KIND_HEADING:
	case KIND_LIMITS:
		break;
	}
}

/* getopt_long over the table: the value of a long option is OWN and its place in it. */
static void read_options(struct options *o, int argc, char **argv)
{
	enum { OWN = 256 };
	struct option_table table = make_table();
	struct option names[MOST_ROWS + 1] = {{0}};
	struct buffer letters = {0};
	size_t count = 0;
	int got;

	for (size_t i = 0; i < table.count; i++) {
		const struct option_row *row = &table.rows[i];

		if (row->name == NULL)
			continue;
		names[count++] = (struct option){row->name, row->value != NULL, NULL, OWN + (int)i};
		if (row->letter != '\0')
			buffer_add_format(&letters, "%c%s", row->letter,
					  row->value != NULL ? ":" : "");
	}
	while ((got = getopt_long(argc, argv, buffer_string(&letters), names, NULL)) != -1) {
		size_t i = 0;

		while (i < table.count && got != OWN + (int)i &&
		       (got >= OWN || table.rows[i].letter != got))
			i++;
		if (i == table.count) {
			fputs("try 'agent-run --help'\n", stderr);
			exit(STATUS_USAGE);
		}
		apply(o, &table.rows[i], optarg);
	}
	buffer_free(&letters);
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

static void check_tool_choice(const struct agent *agent)
{
	const char *choice = agent->tool_choice;

	if (choice == NULL || strcmp(choice, "auto") == 0 || strcmp(choice, "none") == 0 ||
	    (strcmp(choice, "required") == 0 && agent->tools.count > 0) ||
	    tool_set_find(&agent->tools, span_of(choice)) != NULL)
		return;
	if (strcmp(choice, "required") == 0)
		die(STATUS_USAGE, "--tool-choice required needs a tool; add one with --tool");
	die(STATUS_USAGE, "--tool-choice %s: there is no such tool; add it with --tool", choice);
}

void options_parse(struct options *o, int argc, char **argv)
{
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
	read_options(o, argc, argv);
	take_prompt(o, argv + optind, argc - optind);
	agents_resolve(o);
	check_tool_choice(o->config.agent);
	check_logs(o);
	o->config.attachments = buffer_span(&o->attachments);
	o->config.policy = &o->policy;
}

void options_free(struct options *o)
{
	agent_free(o->agent);
	agent_set_free(&o->agents);
	model_specs_free(&o->models);
	free(o->agent_files);
	buffer_free(&o->attachments);
	buffer_free(&o->prompt);
	approval_free(&o->policy);
}
