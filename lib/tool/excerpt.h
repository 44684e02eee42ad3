/*
 * excerpt: store the beginning and the end of a text of any length in bounded memory.
 */
#ifndef TOOL_EXCERPT_H
#define TOOL_EXCERPT_H

#include <stdint.h>

#include "base/buffer.h"

struct excerpt {
	size_t head_max, tail_max; /* bytes stored of the beginning and of the end */
	/* private */
	struct buffer head, tail;
	uint64_t total;
};

/* Add the next piece of the text: complete code points of well-formed UTF-8. */
void excerpt_add(struct excerpt *excerpt, struct span text);

/* Append the text to `out`. If it is longer than head_max + tail_max, append its beginning and its
 * end, cut between code points, with a line "[... 12345 bytes cut ...]" between them. Returns
 * whether the text was cut. */
bool excerpt_write(const struct excerpt *excerpt, struct buffer *out);

void excerpt_free(struct excerpt *excerpt);

#endif
