/* The final text of each run, parted by blank lines. */
#include "collect.h"

static void write_text(struct collection *collection, const struct result *result)
{
	struct buffer *out = &collection->output.pending;
	struct buffer text = {0};

	if (result->run->parent_id == NULL && result_output(result, &text) && text.len > 0) {
		if (collection->first_done)
			buffer_add_char(out, '\n');
		collection->first_done = true;
		buffer_add_span(out, buffer_span(&text));
		if (!span_ends(buffer_span(&text), "\n"))
			buffer_add_char(out, '\n');
	}
	buffer_free(&text);
}

const struct format format_text = {.name = "text", .result = write_text};
