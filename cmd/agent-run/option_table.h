/*
 * option_table: the options of agent-run, one row each; parsing and --help follow from it.
 */
#ifndef AGENT_RUN_OPTION_TABLE_H
#define AGENT_RUN_OPTION_TABLE_H

#include "options.h"
#include "run/setting.h"

enum option_kind {
	KIND_HEADING, /* of the help, no option */
	KIND_FLAG,    /* bool */
	KIND_NAME,    /* const char *: a file, a URL or a command; never empty: an unset variable */
	KIND_COUNT,   /* int: a whole number of at least `least` */
	KIND_WHOLE,   /* int64_t: the same */
	KIND_AMOUNT,  /* double: a number of at least 0 */
	KIND_MODE,    /* options.mode becomes `least` */
	KIND_SETTING, /* the setting of the agent whose key is `name`; the rest is in run/setting.h
		       */
	KIND_LIMITS,  /* the settings that are limits */
	KIND_TEXT,    /* `apply` takes it */
	KIND_PATH,    /* the same, never empty */
};

struct option_row {
	enum option_kind kind;
	char letter; /* 0: none */
	const char *name;
	const char *value; /* its name in the help; NULL: the option takes none */
	const char *help;  /* lines of it */
	size_t offset;     /* in struct options */
	int least;
	void (*apply)(struct options *options, const char *value);
	const struct setting *setting;
};

enum { MOST_ROWS = 128 };

/* The options in the order of --help, the settings in their places. */
struct option_table {
	struct option_row rows[MOST_ROWS];
	size_t count;
};

/* Append what --help shows. */
void help_write(const struct option_table *table, struct buffer *out);

#endif
