/*
 * window: how many tokens messages take, and which messages of a long conversation are sent.
 *
 * Until a provider has counted them, tokens are estimated: one token per 4 ASCII characters or 3
 * bytes of other text, 4 more per message, and 1000 per image or document of any size. That is a
 * little less than most models count.
 *
 * A turn is a prompt and everything up to the next prompt. The oldest turns are left out first,
 * then the oldest rounds (a response with the results of its calls) of the present turn. The
 * present prompt and the last round always stay, and a call always stays with its result.
 */
#ifndef RUN_WINDOW_H
#define RUN_WINDOW_H

#include "model/model.h"
#include "run/conversation.h"

int64_t estimate_text(struct span text);

/* The estimate of a neutral message, which is stored in it. Thinking and provider_data, which may
 * not be sent back, count nothing. */
int64_t estimate_message(struct message *message);

/* The estimate of instructions, tools, schema and messages together. */
int64_t estimate_request(const struct model_request *request);

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
