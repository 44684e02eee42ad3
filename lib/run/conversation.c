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
