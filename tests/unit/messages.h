/*
 * messages: typed messages for the tests of what reads them.
 */
#ifndef MESSAGES_H
#define MESSAGES_H

#include <stdlib.h>

#include "run/conversation.h"

/* All that were made; freed at the end of the program. */
static struct conversation **made;
static size_t made_count;

static void free_made(void)
{
	for (size_t i = 0; i < made_count; i++) {
		conversation_free(made[i]);
		free(made[i]);
	}
	free(made);
}

/* The messages of these texts, as one conversation. */
__attribute__((unused)) static struct message *const *typed(const struct span *texts, size_t count)
{
	struct conversation *conversation = mem_zero(sizeof(*conversation));

	if (made_count == 0)
		atexit(free_made);
	made = array_grow(made, made_count, sizeof(struct conversation *));
	made[made_count++] = conversation;
	for (size_t i = 0; i < count; i++)
		conversation_add(conversation, texts[i]);
	return conversation->messages;
}

#endif
