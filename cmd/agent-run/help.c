#include "option_table.h"

static const char help_start[] =
    "usage: agent-run [options] [PROMPT ...]\n"
    "Run one agent: send the prompt to a model, run the tools it calls, and write every event as "
    "a\n"
    "line of JSON. Standard input, if it is a pipe or a file, follows the prompt.\n";

static const char help_end[] =
    "\n"
    "Exit status: 0 success, 1 failure, 2 wrong usage, 3 limit, 5 invalid output, 6 refused,\n"
    "124 timeout, 130 and 143 signals. See agent-run(1).\n";

enum { HELP_COLUMN = 30, HELP_WIDTH = 80 };

/* Write words from HELP_COLUMN on; `column` is where the line is. */
static void write_help(struct buffer *out, size_t column, const char *words)
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

static void write_row(struct buffer *out, const struct option_row *row)
{
	size_t start = out->len;

	if (row->letter != '\0')
		buffer_add_format(out, "  -%c, --%s", row->letter, row->name);
	else
		buffer_add_format(out, "      --%s", row->name);
	if (row->value != NULL)
		buffer_add_format(out, " %s", row->value);
	write_help(out, out->len - start, row->help);
}

void help_write(const struct option_table *table, struct buffer *out)
{
	buffer_add_text(out, help_start);
	for (size_t i = 0; i < table->count; i++)
		if (table->rows[i].kind == KIND_HEADING)
			buffer_add_format(out, "\n%s\n", table->rows[i].help);
		else
			write_row(out, &table->rows[i]);
	buffer_add_text(out, help_end);
}
