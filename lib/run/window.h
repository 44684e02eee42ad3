/*
 * window: which messages of a long conversation are sent.
 *
 * A turn is a prompt with all that followed it. The oldest turns are left out first, then the
 * oldest rounds (an answer with the results of its calls) of the present turn. Its prompt and its
 * last round always stay, and no call is parted from its result.
 */
#ifndef RUN_WINDOW_H
#define RUN_WINDOW_H

#include "run/conversation.h"

struct window {
	struct message *const *messages; /* of the conversation, or `own` */
	size_t count, dropped;
	struct message **own;
};

/* The prompt of the present turn: the position of the last message of the user. */
size_t window_prompt(const struct conversation *conversation);

/* Choose messages of at most `most` tokens together (0: no limit), estimated and multiplied by
 * `scale`. `prompt` is that of the present turn. The messages are the conversation's. */
void window_choose(struct window *window, const struct conversation *conversation, size_t prompt,
		   int64_t most, double scale);
void window_free(struct window *window);

#endif
