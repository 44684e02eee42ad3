/*
 * setting: the settings of an agent that are one number or one word.
 *
 * One table gives each setting its option of agent-run ("--max-total-tokens N"), its line of --help
 * and its key in an agent file ("max_total_tokens"; the limits stand in the member "limits").
 */
#ifndef RUN_SETTING_H
#define RUN_SETTING_H

#include "base/buffer.h"
#include "base/span.h"

struct agent;

enum setting_kind {
	SETTING_COUNT,    /* int64_t: a whole number of at least 1; 0: not set */
	SETTING_REPEATS,  /* the same, or 0 for no limit, which is -1 here */
	SETTING_AMOUNT,   /* double: a number above 0; 0: not set */
	SETTING_DURATION, /* double: seconds; infinite: 0 was given, which means no limit; 0: not
			   * set */
	SETTING_EFFORT,   /* char *: none, low, medium, high or max; owned; NULL: not set */
	SETTING_TEXT,     /* char *: owned; NULL: not set */
};

struct setting {
	const char *option, *key;
	enum setting_kind kind;
	bool is_limit;
	bool starts;              /* on the command line it is for the agent that starts */
	size_t offset;            /* in struct agent */
	const char *value, *help; /* for --help: a name for the value, and what it is */
};

/* Ends with a row whose option is NULL. */
extern const struct setting agent_settings[];

/* The row with this key; NULL if there is none. `limits`: among the limits, else among the others.
 */
const struct setting *setting_find(struct span key, bool limits);

/* Set from the command line (not empty if it is a text) or from an agent file (JSON). False, with a
 * sentence in `fault`, if the value does not fit. */
bool setting_parse(const struct setting *setting, struct agent *agent, const char *value,
		   struct buffer *fault);
bool setting_read(const struct setting *setting, struct agent *agent, struct span value,
		  struct buffer *fault);

/* Copy the setting from `from` if it is set there. */
void setting_copy(const struct setting *setting, struct agent *to, const struct agent *from);

#endif
