/*
 * options: the command line of agent-run, as its man page describes it.
 */
#ifndef AGENT_RUN_OPTIONS_H
#define AGENT_RUN_OPTIONS_H

#include "run/run.h"

enum mode {
	MODE_RUN,
	MODE_DRY_RUN,
	MODE_LIST_PROVIDERS,
	MODE_LIST_MODELS,
	MODE_LIST_TOOLS,
};

struct options {
	enum mode mode;
	struct run_config config; /* what the options say; the rest is filled by main */
	struct http_limits limits;
	const char *base_url, *log, *history, *session, *batch;
	int jobs;                        /* of a batch, at a time */
	bool resume;                     /* finish the last run of the log `session` */
	bool allow_unpriced;             /* --max-cost accepts models without a price */
	bool fsync, raw, no_stdin, dash; /* dash: "-" stands for standard input explicitly */

	struct agent *agent;       /* the agent that the command line describes; owned, as below */
	struct model_specs models; /* asked where no agent names any: of --model, or $AGENT_MODEL */
	const char **masks;        /* --mask: names of variables */
	size_t mask_count;
	const char **agent_files; /* the names are borrowed */
	size_t agent_file_count;
	const char **inputs; /* further files that are read, the same */
	size_t input_count;
	const char **attached; /* files of attachments, the same */
	size_t attached_count;
	struct agent_set agents;
	struct buffer attachments; /* read by main */
	struct buffer prompt;      /* the arguments, joined by spaces */
	struct approval_policy policy;
};

/* Parse the command line; exits 0 after --help and --version, 2 after a mistake. */
void options_parse(struct options *options, int argc, char **argv);

/* Name the models of the run if none are named yet: NAME[,NAME...]. */
void options_default_models(struct options *options, const char *list);

/* Exit unless the programs of all tools can be started. */
void options_check_tools(const struct options *options);

/* Open the models that agents name, so that a mistake shows before anything is sent, and keep them
 * open: a run then shares them, and a key is asked for once. If --max-cost needs prices, open those
 * of the run too, and check all. Exits if one cannot be opened or has no price. */
void options_open_models(const struct options *options, struct open_models *models);

void options_free(struct options *options);

#endif
