/*
 * think: the text and the reasoning of a response, where a server may leave the reasoning in the
 * text as <think>...</think>.
 *
 * Tags count only at the very beginning of a response, after optional white space; they may be
 * split over pieces anywhere. Everything else passes through byte for byte.
 */
#ifndef MODEL_THINK_H
#define MODEL_THINK_H

#include "model/protocol/decoder.h"

/* Zeroed: nothing was received. */
struct think {
	struct partial_char partial_text, partial_thinking;
	enum { THINK_BEFORE, THINK_INSIDE, THINK_AFTER } state;
	struct buffer held; /* what may be the beginning of a tag */
};

/* Emit a piece of the text, or of the reasoning that comes apart from it: strings; nothing is
 * emitted for other types. The second returns whether `value` is a string that is not empty. */
void think_text(struct think *think, struct decoder *d, struct span value);
bool think_reasoning(struct think *think, struct decoder *d, struct span value);

/* Emit what was held back. */
void think_end(struct think *think, struct decoder *d);

void think_free(struct think *think);

#endif
