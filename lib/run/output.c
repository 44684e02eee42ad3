#include "run/output.h"

enum { LOOKS = 64 };

/* The text after white space and a line that opens a code fence. White space at its end stays: it
 * may be part of a string. */
static struct span skip_fence(struct span text)
{
	const char *newline;

	text = span_from(text, (size_t)(json_trim(text).at - text.at));
	if (!span_starts(text, "```"))
		return text;
	newline = memchr(text.at, '\n', text.len);
	return span_from(text, newline != NULL ? (size_t)(newline - text.at) : text.len);
}

bool output_add(struct output *output, struct span piece)
{
	struct buffer value = {0};
	bool changed;

	buffer_add_span(&output->text, piece);
	if (output->text.len - output->looked_at < output->looked_at / LOOKS)
		return false;
	output->looked_at = output->text.len;
	changed = json_complete(skip_fence(buffer_span(&output->text)), &value) &&
		  !span_equal(buffer_span(&value), buffer_span(&output->value));
	if (changed) {
		buffer_free(&output->value);
		output->value = value;
	} else {
		buffer_free(&value);
	}
	return changed;
}

void output_clear(struct output *output)
{
	buffer_clear(&output->text);
	buffer_clear(&output->value);
	output->looked_at = 0;
}

void output_free(struct output *output)
{
	buffer_free(&output->text);
	buffer_free(&output->value);
}

struct span output_json(struct span text)
{
	struct span json = json_trim(skip_fence(text));

	if (span_starts(json_trim(text), "```") && span_ends(json, "```"))
		json = json_trim((struct span){json.at, json.len - 3});
	return json.len > 0 && json_check(json, NULL) ? json : (struct span){0};
}

bool output_check(struct span text, struct schema *schema, struct buffer *why)
{
	struct span json = output_json(text);
	struct json_fault fault = {.what = "unexpected end of text"};

	if (json.at == NULL) {
		json_check(skip_fence(text), &fault);
		buffer_add_format(why, "it is not JSON: %s at byte %zu", fault.what,
				  fault.offset + 1);
		return false;
	}
	return schema_check(schema, json, why);
}

bool output_correction(struct span fault, struct buffer *out)
{
	struct span why;

	if (!span_starts(fault, OUTPUT_FAULT))
		return false;
	why = span_from(fault, strlen(OUTPUT_FAULT));
	buffer_add_format(out,
			  "Your answer does not satisfy the JSON Schema that was asked for: %.*s. "
			  "Answer again with the corrected JSON value and nothing else.",
			  SPAN_ARG(why));
	return true;
}
