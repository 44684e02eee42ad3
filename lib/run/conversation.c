#include "run/conversation.h"

#include <stdlib.h>

#include "base/utf8.h"

/* ---- ids of calls ---- */

static const char *use_id(struct conversation *c, struct span id)
{
	if (table_find(&c->ids, id) == NULL)
		table_add(&c->ids, (struct span){mem_copy(id), id.len});
	return table_key(&c->ids, id).at;
}

const char *conversation_new_id(struct conversation *c, struct span id)
{
	enum { MAX_ID = 128 };
	bool named = id.len > 0;
	size_t n = named ? 1 : c->ids.count + 1;
	const char *used;
	struct buffer unique = {0};

	if (id.len > MAX_ID) {
		id.len = MAX_ID;
		id.len -= utf8_incomplete_tail(id);
	}
	do {
		buffer_clear(&unique);
		buffer_add_span(&unique, named ? id : SPAN("call"));
		if (!named || n > 1)
			buffer_add_format(&unique, "_%zu", n);
		n++;
	} while (table_find(&c->ids, buffer_span(&unique)) != NULL);
	used = use_id(c, buffer_span(&unique));
	buffer_free(&unique);
	return used;
}

/* ---- messages ---- */

static void append(struct conversation *c, struct message *message)
{
	size_t known = c->calls.count;
	struct buffer id = {0};

	c->messages = array_grow(c->messages, c->count, sizeof(*c->messages));
	c->messages[c->count++] = message;
	call_table_add(&c->calls, message);
	for (size_t i = known; i < c->calls.count; i++) {
		buffer_clear(&id);
		if (json_decode(c->calls.entries[i].call->tool_call_id, &id))
			use_id(c, buffer_span(&id));
	}
	buffer_free(&id);
}

void conversation_add(struct conversation *c, struct span message)
{
	append(c, message_new(message));
}

void conversation_share(struct conversation *c, const struct conversation *other)
{
	for (size_t i = 0; i < other->count; i++)
		append(c, message_share(other->messages[i]));
}

void conversation_add_text(struct conversation *c, const char *role, struct span before,
			   struct span text)
{
	struct buffer message = {0};

	json_pack(&message, "{'role':%t,'content':[%j,{'type':'text','text':%s}]}", role, before,
		  text);
	conversation_add(c, buffer_span(&message));
	buffer_free(&message);
}

void conversation_truncate(struct conversation *c, size_t count)
{
	while (c->count > count) {
		struct message *last = c->messages[--c->count];

		call_table_remove(&c->calls, last);
		message_free(last);
	}
}

void conversation_free(struct conversation *c)
{
	for (size_t i = 0; i < c->count; i++)
		message_free(c->messages[i]);
	free(c->messages);
	call_table_free(&c->calls);
	buffer_free(&c->system);
	for (size_t i = 0; i < c->ids.capacity; i++)
		free((char *)c->ids.slots[i].key.at);
	table_free(&c->ids);
	*c = (struct conversation){0};
}

void conversation_add_system(struct conversation *c, struct span text)
{
	if (c->system.len > 0)
		buffer_add_text(&c->system, "\n\n");
	buffer_add_span(&c->system, text);
}

/* ---- handoffs ---- */

static const char *const inputs[] = {
    [HANDOFF_ALL] = "all", [HANDOFF_LAST] = "last", [HANDOFF_NONE] = "none"};

enum handoff_input handoff_input_of(struct span string)
{
	for (int i = HANDOFF_ALL; i <= HANDOFF_NONE; i++)
		if (json_is(string, inputs[i]))
			return (enum handoff_input)i;
	return HANDOFF_DEFAULT;
}

const char *handoff_input_name(enum handoff_input input)
{
	return inputs[input != HANDOFF_DEFAULT ? input : HANDOFF_ALL];
}

/* Keep only the last message of the user. */
static void keep_last_prompt(struct conversation *c)
{
	size_t last = c->count;
	struct message *kept;

	while (last > 0 && c->messages[last - 1]->role != MESSAGE_USER)
		last--;
	conversation_truncate(c, last);
	if (last == 0)
		return;
	kept = c->messages[--c->count];
	call_table_remove(&c->calls, kept);
	conversation_truncate(c, 0);
	append(c, kept);
}

void conversation_hand_over(struct conversation *c, enum handoff_input input, const char *from,
			    struct span reason)
{
	struct buffer text = {0};

	if (input != HANDOFF_LAST && input != HANDOFF_NONE)
		return;
	if (input == HANDOFF_LAST)
		keep_last_prompt(c);
	else
		conversation_truncate(c, 0);
	buffer_add_format(&text, "The agent %s handed over to you", from);
	if (reason.len > 0)
		buffer_add_format(&text, ": %.*s", SPAN_ARG(reason));
	else
		buffer_add_char(&text, '.');
	if (reason.len > 0 || c->count == 0)
		conversation_add_text(c, "user", (struct span){0}, buffer_span(&text));
	buffer_free(&text);
}
