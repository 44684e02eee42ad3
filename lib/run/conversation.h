/*
 * conversation: the messages exchanged so far, in the neutral form of lib/model/model.h.
 */
#ifndef RUN_CONVERSATION_H
#define RUN_CONVERSATION_H

#include "base/message.h"
#include "json/json.h"

/* Zeroed: empty. Each message is owned by the conversation. */
struct conversation {
	struct span *messages;
	size_t count, capacity;
	struct buffer system; /* instructions found in a history; empty: none */
};

/* Append a message (JSON, copied). */
void conversation_add(struct conversation *conversation, struct span message);

/* Append {"role":"user","content":[{"type":"text","text":...}]}. */
void conversation_add_user(struct conversation *conversation, struct span text);

/* The same with what was attached before the text: the inside of an array of parts. */
void conversation_add_prompt(struct conversation *conversation, struct span attachments,
			     struct span text);

/* Forget all but the first `count` messages. */
void conversation_truncate(struct conversation *conversation, size_t count);

/* Append the messages of `text`, which came from `source` (for messages of errors): an event log,
 * of whose runs every prompt, answer and tool result is taken in order (answers that were discarded
 * are not; a tool call whose result is missing gets one that says it was interrupted), or a JSON
 * array of messages, neutral or {"role": ..., "content": "text"}. False with `e` when it is
 * neither. */
bool conversation_load(struct conversation *conversation, struct span text, const char *source,
		       struct error *e);

void conversation_free(struct conversation *conversation);

#endif
