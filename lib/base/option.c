#include "base/option.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/number.h"
#include "base/file.h"
#include "base/suggestion.h"

void option_list_add(struct option_list *list, const struct option_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		list->at = array_grow(list->at, list->count, sizeof(*list->at));
		list->at[list->count++] = rows[i];
	}
}

/* ---- --help ---- */

enum { HELP_COLUMN = 30, HELP_WIDTH = 80 };

/* Write words from HELP_COLUMN on; `column` is where the line is. */
static void write_words(struct buffer *out, size_t column, const char *words)
{
	bool first = true;

	while (*words != '\0') {
		size_t len = strcspn(words, " ");

		if (column >= HELP_COLUMN && !first && column + 1 + len <= HELP_WIDTH) {
			buffer_add_char(out, ' ');
			column++;
		} else {
			if (!first || column + 2 > HELP_COLUMN) {
				buffer_add_char(out, '\n');
				column = 0;
			}
			buffer_add_format(out, "%*s", (int)(HELP_COLUMN - column), "");
			column = HELP_COLUMN;
		}
		buffer_add(out, words, len);
		column += len;
		words += len + strspn(words + len, " ");
		first = false;
	}
	buffer_add_char(out, '\n');
}

static bool is_optional(const struct option_row *row)
{
	return row->value != NULL && row->value[0] == '[';
}

static void write_row(struct buffer *out, const struct option_row *row)
{
	size_t start = out->len;

	if (row->kind == OPTION_HEADING) {
		buffer_add_format(out, "\n%s\n", row->help);
		return;
	}
	if (row->letter != '\0')
		buffer_add_format(out, "  -%c, --%s", row->letter, row->name);
	else
		buffer_add_format(out, "      --%s", row->name);
	if (row->value != NULL)
		buffer_add_format(out, "%s%s", is_optional(row) ? "" : " ", row->value);
	write_words(out, out->len - start, row->help);
}

static _Noreturn void show_and_exit(struct buffer *out)
{
	stdout_write(out);
	exit(STATUS_OK);
}

static _Noreturn void show_help(const struct option_list *list, const char *usage, const char *end)
{
	struct buffer out = {0};

	buffer_add_text(&out, usage);
	if (list->at[0].kind != OPTION_HEADING)
		buffer_add_char(&out, '\n');
	for (size_t i = 0; i < list->count; i++)
		write_row(&out, &list->at[i]);
	if (end != NULL)
		buffer_add_format(&out, "\n%s", end);
	show_and_exit(&out);
}

static _Noreturn void show_version(void)
{
	struct buffer out = {0};

	buffer_add_format(&out, "%s " VERSION "\n", program_name());
	show_and_exit(&out);
}

/* ---- parsing ---- */

static int64_t whole_number(const struct option_row *row, const char *text)
{
	int64_t value;

	if (!number_count(span_of(text), &value) || value < row->number)
		die(STATUS_USAGE,
		    "--%s must be a whole number of at least %d, such as %s, not '%s'", row->name,
		    row->number, number_counts(row->name), text);
	return value;
}

/* A larger count than INT_MAX has the effect of INT_MAX. */
static int count_of(const struct option_row *row, const char *text)
{
	int64_t value = whole_number(row, text);

	return value < INT_MAX ? (int)value : INT_MAX;
}

static void apply(void *program, const struct option_row *row, const char *value)
{
	void *member = (char *)program + row->offset;

	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)member = true;
		break;
	case OPTION_CHOICE:
		*(int *)member = row->number;
		break;
	case OPTION_TEXT:
	case OPTION_NAME:
		if (row->apply != NULL)
			row->apply(program, row, value);
		else
			*(const char **)member = value;
		break;
	case OPTION_COUNT:
		*(int *)member = count_of(row, value);
		break;
	case OPTION_WHOLE:
		*(int64_t *)member = whole_number(row, value);
		break;
	case OPTION_DURATION:
		if (!number_duration(span_of(value), member))
			die(STATUS_USAGE,
			    "--%s must be a duration, such as " NUMBER_DURATIONS ", not '%s'",
			    row->name, value);
		break;
	case OPTION_VERSION:
		show_version();
	case OPTION_HELP:
	case OPTION_HEADING:
	case OPTION_PLACE:
		break;
	}
}

/* The values that getopt_long returns: a letter, or LONG and the index of the row. */
enum { LONG = 256 };

/* Write the rows in the form of getopt_long: the long options, and the letters. */
static void make_names(struct option_list *list, struct buffer *letters)
{
	size_t count = 0;

	list->names = mem_zero((list->count + 1) * sizeof(*list->names));
	buffer_add_char(letters, ':'); /* getopt_long returns ':' for a missing value */
	for (size_t i = 0; i < list->count; i++) {
		const struct option_row *row = &list->at[i];
		int argument = is_optional(row)     ? optional_argument
			       : row->value != NULL ? required_argument
						    : no_argument;

		if (row->kind == OPTION_HEADING)
			continue;
		list->names[count++] = (struct option){row->name, argument, NULL, LONG + (int)i};
		if (row->letter != '\0')
			buffer_add_format(letters, "%c%s", row->letter,
					  argument == required_argument ? ":" : "");
	}
}

static _Noreturn void refuse(struct buffer *sentence)
{
	warn("%s", buffer_string(sentence));
	fprintf(stderr, "try '%s --help'\n", program_name());
	exit(STATUS_USAGE);
}

/* The word "--NAME" or "--NAME=VALUE" is no option. */
static _Noreturn void refuse_name(const struct option_list *list, const char *word)
{
	char *name = mem_copy((struct span){word + 2, strcspn(word + 2, "=")});
	struct suggestion suggestion = suggestion_for(name);
	struct buffer sentence = {0};

	for (size_t i = 0; list->names[i].name != NULL; i++)
		suggestion_consider(&suggestion, list->names[i].name);
	buffer_add_format(&sentence, "unrecognized option '--%s'", name);
	if (suggestion.meant != NULL)
		buffer_add_format(&sentence, " (did you mean --%s?)", suggestion.meant);
	refuse(&sentence);
}

/* getopt_long returned '?' or ':'. */
static _Noreturn void refuse_word(const struct option_list *list, int got, const char *word)
{
	struct buffer sentence = {0};

	if (optopt == 0)
		refuse_name(list, word);
	if (optopt >= LONG)
		buffer_add_format(&sentence, "option '--%s' %s", list->at[optopt - LONG].name,
				  got == ':' ? "requires an argument" : "has no argument");
	else
		buffer_add_format(&sentence, "%s -- '%c'%s",
				  got == ':' ? "option requires an argument" : "invalid option",
				  optopt,
				  optopt == '=' ? " (only --NAME=VALUE has a value after =)" : "");
	refuse(&sentence);
}

/* The row of a value of getopt_long. Abbreviated names, which getopt_long accepts, are refused: a
 * script that has one would break when an option is added. */
static const struct option_row *find_row(const struct option_list *list, int got, char **argv)
{
	const char *word = argv[optind - 1];
	const struct option_row *row = NULL;

	if (got == '?' || got == ':')
		refuse_word(list, got, word);
	if (got >= LONG) {
		row = &list->at[got - LONG];
		if (optarg == word)
			word = argv[optind - 2];
		if (strcspn(word + 2, "=") != strlen(row->name))
			refuse_name(list, word);
	}
	for (size_t i = 0; row == NULL; i++)
		if (list->at[i].letter == got)
			row = &list->at[i];
	return row;
}

int option_list_parse(struct option_list *list, void *program, int argc, char **argv,
		      const char *usage, const char *end)
{
	struct buffer letters = {0};
	const struct option_row *chosen = NULL;
	int got;

	make_names(list, &letters);
	opterr = 0;
	while ((got = getopt_long(argc, argv, buffer_string(&letters), list->names, NULL)) != -1) {
		const struct option_row *row = find_row(list, got, argv);

		if (row->kind == OPTION_NAME && span_trim(span_of(optarg)).len == 0)
			die(STATUS_USAGE, "--%s needs a value that is not empty", row->name);
		if (row->kind == OPTION_HELP)
			show_help(list, usage, end);
		if (row->kind == OPTION_CHOICE && chosen != NULL && chosen != row)
			die(STATUS_USAGE, "--%s and --%s exclude each other; give one",
			    chosen->name, row->name);
		if (row->kind == OPTION_CHOICE)
			chosen = row;
		apply(program, row, optarg);
	}
	buffer_free(&letters);
	free(list->names);
	free(list->at);
	*list = (struct option_list){0};
	return optind;
}
