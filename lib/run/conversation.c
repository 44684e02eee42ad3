#include "run/conversation.h"

#include <stdlib.h>

void conversation_add(struct conversation *c, struct span message)
{
	if (c->count == c->capacity) {
		c->capacity = c->capacity * 2 + 8;
		c->messages = mem_resize(c->messages, c->capacity * sizeof(*c->messages));
	}
	c->messages[c->count++] = (struct span){mem_copy(message), message.len};
}

void conversation_add_text(struct conversation *c, const char *role, struct span before,
			   struct span text)
{
	struct buffer message = {0};

	json_open(&message, '{');
	json_put_text(&message, "role", role);
	json_key(&message, "content");
	json_open(&message, '[');
	buffer_add_span(&message, before);
	json_open(&message, '{');
	json_put_text(&message, "type", "text");
	json_put_string(&message, "text", text);
	json_close(&message, '}');
	json_close(&message, ']');
	json_close(&message, '}');
	conversation_add(c, buffer_span(&message));
	buffer_free(&message);
}

void conversation_truncate(struct conversation *c, size_t count)
{
	while (c->count > count)
		free((char *)c->messages[--c->count].at);
}

void conversation_free(struct conversation *c)
{
	conversation_truncate(c, 0);
	free(c->messages);
	buffer_free(&c->system);
	*c = (struct conversation){0};
}

void conversation_add_system(struct conversation *c, struct span text)
{
	if (c->system.len > 0)
		buffer_add_text(&c->system, "\n\n");
	buffer_add_span(&c->system, text);
}

static const char *const inputs[] = {
    [HANDOFF_ALL] = "all", [HANDOFF_LAST] = "last", [HANDOFF_NONE] = "none"};

enum handoff_input handoff_input_of(struct span string)
{
	for (int i = HANDOFF_ALL; i <= HANDOFF_NONE; i++)
		if (json_is(string, inputs[i]))
			return (enum handoff_input)i;
	return HANDOFF_UNSAID;
}

const char *handoff_input_name(enum handoff_input input)
{
	return inputs[input != HANDOFF_UNSAID ? input : HANDOFF_ALL];
}

/* Keep only the last message of the user. */
static void keep_last_prompt(struct conversation *c)
{
	size_t last = c->count;

	while (last > 0 && !json_is(json_get(c->messages[last - 1], "role"), "user"))
		last--;
	if (last > 0) {
		struct span kept = c->messages[last - 1];

		c->messages[last - 1] = c->messages[0];
		c->messages[0] = kept;
	}
	conversation_truncate(c, last > 0 ? 1 : 0);
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
