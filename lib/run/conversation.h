/*
 * conversation: the messages so far, in the neutral form of lib/model/model.h.
 */
#ifndef RUN_CONVERSATION_H
#define RUN_CONVERSATION_H

#include "base/error.h"
#include "model/message.h"

/* Zeroed: empty. The conversation owns the messages, which do not move. */
struct conversation {
	struct message **messages;
	size_t count;
	struct call_table calls;
	struct table ids;     /* of all calls that were ever part of it; owned */
	struct buffer system; /* instructions found in a history; empty: none */
};

/* Append a message (JSON, copied and parsed). */
void conversation_add(struct conversation *conversation, struct span message);

/* An id for a new call: the provider's `id`, made unique within the conversation, because some
 * servers number their calls anew in every response, or send no ids or very long ones. Borrowed. */
const char *conversation_new_id(struct conversation *conversation, struct span id);

/* Append the messages of `other`, which both then share; `other` may be freed first. */
void conversation_share(struct conversation *conversation, const struct conversation *other);

/* Append {"role":ROLE,"content":[BEFORE,{"type":"text","text":...}]}; `before` is the inside of an
 * array of parts, or absent. */
void conversation_add_text(struct conversation *conversation, const char *role, struct span before,
			   struct span text);

/* Append a paragraph to the instructions. */
void conversation_add_system(struct conversation *conversation, struct span text);

/* How much of the conversation another agent gets when it takes over. */
enum handoff_input { HANDOFF_DEFAULT, HANDOFF_ALL, HANDOFF_LAST, HANDOFF_NONE };

/* The value of a JSON string: "all", "last", "none"; HANDOFF_DEFAULT for anything else. */
enum handoff_input handoff_input_of(struct span string);
const char *handoff_input_name(enum handoff_input input);

/* The agent `from` hands over to another agent. HANDOFF_LAST removes all messages but the last one
 * of the user, HANDOFF_NONE all; both add a message with the `reason` (may be empty). HANDOFF_ALL
 * and HANDOFF_DEFAULT change nothing. */
void conversation_hand_over(struct conversation *conversation, enum handoff_input input,
			    const char *from, struct span reason);

/* Remove all but the first `count` messages. */
void conversation_truncate(struct conversation *conversation, size_t count);

void conversation_free(struct conversation *conversation);

#endif
