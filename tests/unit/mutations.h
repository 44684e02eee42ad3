/*
 * mutations: a JSON text in which the value of each member in turn is one of every type.
 */
#ifndef MUTATIONS_H
#define MUTATIONS_H

#include "unit.h"

/* How long the value is that `text` begins with, up to the comma or bracket behind it. */
static size_t mutations_value(struct span text)
{
	size_t depth = 0, len = 0;
	bool quoted = false;

	for (; len < text.len; len++) {
		char c = text.at[len];

		if (c == '\\') {
			len++;
			continue;
		}
		if (c == '"')
			quoted = !quoted;
		if (quoted)
			continue;
		if (depth == 0 && (c == ',' || c == '}' || c == ']'))
			break;
		depth += c == '{' || c == '[';
		depth -= c == '}' || c == ']';
	}
	return len;
}

/* Call `take` with each; returns how many there are. */
static int mutations(struct span json, void (*take)(void *context, struct span text), void *context)
{
	static const char *const values[] = {
	    "null", "true",       "-1", "1e400", "9223372036854775807",
	    "\"\"", "\"x\"",      "[]", "[[]]",  "[null,{\"type\":1}]",
	    "{}",   "{\"a\":[]}", NULL};
	int count = 0;

	for (size_t i = 0; i + 1 < json.len; i++) {
		struct span rest = span_from(json, i + 1);

		if (json.at[i] != ':' || json.at[i - 1] != '"')
			continue;
		for (size_t v = 0; values[v] != NULL; v++) {
			struct buffer text = {0};

			buffer_add(&text, json.at, i + 1);
			buffer_add_text(&text, values[v]);
			buffer_add_span(&text, span_from(rest, mutations_value(rest)));
			take(context, buffer_span(&text));
			buffer_free(&text);
			count++;
		}
	}
	return count;
}

#endif
