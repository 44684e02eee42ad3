#include "run/window.h"

#include <stdlib.h>

/* ---- estimates ---- */

enum { ASCII_PER_TOKEN = 4, BYTES_PER_TOKEN = 3, OF_MESSAGE = 4, OF_ATTACHMENT = 1000 };

int64_t estimate_text(struct span text)
{
	int64_t ascii = 0, other;

	for (size_t i = 0; i < text.len; i++)
		ascii += (unsigned char)text.at[i] < 0x80;
	other = (int64_t)text.len - ascii;
	return (ascii + ASCII_PER_TOKEN - 1) / ASCII_PER_TOKEN +
	       (other + BYTES_PER_TOKEN - 1) / BYTES_PER_TOKEN;
}

/* A member's value; strings without their quotes. */
static int64_t of_value(struct span value)
{
	if (json_type(value) == JSON_STRING)
		value = (struct span){value.at + 1, value.len - 2};
	return estimate_text(value);
}

static int64_t of_part(const struct part *part)
{
	if (part->data.at != NULL)
		return OF_ATTACHMENT;
	if (part->type == PART_THINKING)
		return 0;
	return of_value(part->text) + of_value(part->tool_name) + of_value(part->args) +
	       of_value(part->invalid_args) + of_value(part->result);
}

int64_t estimate_message(struct message *message)
{
	if (message->tokens > 0)
		return message->tokens;
	message->tokens = OF_MESSAGE;
	for (size_t i = 0; i < message->part_count; i++)
		message->tokens += of_part(&message->parts[i]);
	return message->tokens;
}

int64_t estimate_request(const struct model_request *request)
{
	int64_t tokens = estimate_text(request->schema);

	if (request->system != NULL)
		tokens += estimate_text(span_of(request->system));
	for (size_t i = 0; i < request->tool_count; i++)
		tokens += OF_MESSAGE + estimate_text(span_of(request->tools[i].name)) +
			  estimate_text(span_of(request->tools[i].description)) +
			  estimate_text(request->tools[i].parameters);
	for (size_t i = 0; i < request->message_count; i++)
		tokens += estimate_message(request->messages[i]);
	return tokens;
}

/* ---- the window ---- */

size_t window_prompt(const struct conversation *c)
{
	size_t at = c->count;

	while (at > 0 && c->messages[at - 1]->role != MESSAGE_USER)
		at--;
	return at > 0 ? at - 1 : 0;
}

/* The next message after `at` with `role`, before `end`; `end` when there is none. */
static size_t next(const struct conversation *c, size_t at, size_t end, enum message_role role)
{
	do
		at++;
	while (at < end && c->messages[at]->role != role);
	return at < end ? at : end;
}

/* Drop what begins at `from`, step by step up to `end`, until `*excess` is gone. */
static size_t drop(const struct conversation *c, size_t from, size_t end, enum message_role role,
		   double scale, double *excess)
{
	while (*excess > 0 && from < end) {
		size_t to = next(c, from, end, role);

		for (; from < to; from++)
			*excess -= scale * (double)estimate_message(c->messages[from]);
	}
	return from;
}

/* Where the last round begins: after the prompt, when there is none. */
static size_t last_round(const struct conversation *c, size_t prompt)
{
	size_t at = c->count;

	while (at > prompt + 1 && c->messages[at - 1]->role != MESSAGE_ASSISTANT)
		at--;
	return at > prompt + 1 ? at - 1 : prompt + 1;
}

void window_choose(struct window *window, const struct conversation *c, size_t prompt, int64_t most,
		   double scale)
{
	double excess = -(double)most;
	size_t first, rounds, tail;

	*window = (struct window){.messages = c->messages, .count = c->count};
	if (most <= 0 || c->count == 0)
		return;
	for (size_t i = 0; i < c->count; i++)
		excess += scale * (double)estimate_message(c->messages[i]);
	first = drop(c, 0, prompt, MESSAGE_USER, scale, &excess);
	rounds = first < prompt ? prompt + 1
				: drop(c, prompt + 1, last_round(c, prompt), MESSAGE_ASSISTANT,
				       scale, &excess);
	tail = c->count - rounds;
	window->dropped = first + (rounds - prompt - 1);
	window->count = c->count - window->dropped;
	window->messages = c->messages + first;
	if (rounds == prompt + 1)
		return;
	window->own = mem_zero(window->count * sizeof(*window->own));
	window->own[0] = c->messages[prompt];
	memcpy(window->own + 1, c->messages + rounds, tail * sizeof(*window->own));
	window->messages = window->own;
}

void window_free(struct window *window)
{
	free(window->own);
	*window = (struct window){0};
}
