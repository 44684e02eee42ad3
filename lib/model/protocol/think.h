/*
 * think: reasoning that a server leaves in the answer as <think>...</think>.
 *
 * Tags count only at the very beginning of an answer, after optional white space; they may be split
 * over pieces anywhere. Everything else passes through byte for byte.
 */
#ifndef MODEL_THINK_H
#define MODEL_THINK_H

#include "base/buffer.h"

struct think {
	void (*emit)(void *context, bool thinking, struct span text); /* never an empty text */
	void *context;
	enum { THINK_BEFORE, THINK_INSIDE, THINK_AFTER } state;
	struct buffer held; /* what may be the beginning of a tag */
};

void think_feed(struct think *think, struct span text);

/* Give out what was held back. */
void think_end(struct think *think);

#endif
