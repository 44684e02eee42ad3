/*
 * option: the options of a program's command line as a table, from which parsing and --help follow.
 */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include <stddef.h>

enum option_kind {
	OPTION_HEADING,  /* a line of --help, not an option */
	OPTION_PLACE,    /* for rows that the program adds here before it parses */
	OPTION_FLAG,     /* bool: becomes true */
	OPTION_CHOICE,   /* int, such as an enum: becomes `number`; a program has one such member,
			  * and two different rows exclude each other */
	OPTION_TEXT,     /* const char *, or `apply` gets the value (NULL: no optional value) */
	OPTION_NAME,     /* the same for the name of a file, a URL or a command: not empty */
	OPTION_COUNT,    /* int: a whole number of at least `number` (number_count) */
	OPTION_WHOLE,    /* int64_t: the same */
	OPTION_DURATION, /* double: seconds (number_duration) */
	OPTION_HELP,     /* print --help and exit */
	OPTION_VERSION,  /* print the version and exit */
};

/* One option. The kind says the type of the member of the program's struct that it sets. */
struct option_row {
	enum option_kind kind;
	char letter; /* 0: none */
	const char *name;
	const char *value; /* its name in --help, "[=VALUE]" if it is optional; NULL: no value */
	const char *help;
	size_t offset; /* of the member */
	int number;
	/* Instead of setting a member; NULL: none. */
	void (*apply)(void *program, const struct option_row *row, const char *value);
	const void *context; /* for `apply` */
};

/* The options in the order of --help; zeroed at first. */
struct option_list {
	struct option_row *at; /* owned; their texts are not copied */
	size_t count;
	struct option *names; /* private: for getopt_long */
};

void option_list_add(struct option_list *list, const struct option_row *rows, size_t count);

/* Parse the command line into the struct `program`, and free the list. Returns the index of the
 * first operand in `argv`. --help prints `usage`, the options, and `end` unless it is NULL. Exits
 * with STATUS_OK after --help and --version, with STATUS_USAGE after a mistake. */
int option_list_parse(struct option_list *list, void *program, int argc, char **argv,
		      const char *usage, const char *end);

#endif
