/* Estimates, and which messages of long conversations are sent. */
#include <stdlib.h>

#include "run/window.h"
#include "messages.h"
#include "unit.h"

static int64_t estimated(struct span message)
{
	return estimate_message(*typed(&message, 1));
}

static void estimates(void)
{
	struct model_tool tool = {"look", "Look around", SPAN("{\"type\":\"object\"}")};
	struct span message = SPAN("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
				   "\"12345678\"}]}");
	struct model_request request = {.system = "1234",
					.messages = typed(&message, 1),
					.message_count = 1,
					.tools = &tool,
					.tool_count = 1,
					.schema = SPAN("{\"type\":\"string\"}")};

	unit_ok(estimate_text(SPAN("")) == 0, "nothing is no token");
	unit_ok(estimate_text(SPAN("a")) == 1 && estimate_text(SPAN("abcd")) == 1 &&
		    estimate_text(SPAN("abcde")) == 2,
		"four characters are a token");
	unit_ok(estimate_text(SPAN("\xe6\xbc\xa2\xe5\xad\x97")) == 2, "so are three other bytes");
	unit_ok(estimated(message) == 6, "a message is four tokens and its text");
	unit_ok(estimated(SPAN("{\"role\":\"user\",\"content\":\"12345678\"}")) == 6,
		"which may be its content");
	unit_ok(estimated(SPAN("{\"content\":[{\"type\":\"image\",\"data\":\"AAAA\"}]}")) == 1004,
		"an image is a thousand");
	unit_ok(estimated(SPAN("{\"content\":[{\"type\":\"thinking\",\"text\":\"abcdefgh\","
			       "\"provider_data\":{\"x\":1}},{\"type\":\"tool_call\","
			       "\"tool_name\":\"look\",\"args\":{}}]}")) == 6,
		"reasoning counts nothing, a call its name and arguments");
	unit_ok(estimate_request(&request) == 6 + 1 + (4 + 1 + 3 + 5) + 5,
		"a request is all of it: messages, instructions, tools, schema");
}

/* ---- random conversations ---- */

/* The same ones everywhere. */
static int below(int most)
{
	static uint32_t state = 1;

	state = state * 1664525 + 1013904223;
	return (int)((state >> 8) % (uint32_t)most);
}

struct random_chat {
	struct conversation c;
	int64_t tokens;
};

static void say(struct random_chat *chat, const char *role, const char *part)
{
	struct buffer message = {0};
	int length = below(400);

	buffer_add_format(&message, "{\"role\":\"%s\",\"content\":[{%s,\"text\":\"%0*d\"}]}", role,
			  part, length + 1, (int)chat->c.count);
	conversation_add(&chat->c, buffer_span(&message));
	chat->tokens += estimate_message(chat->c.messages[chat->c.count - 1]);
	buffer_free(&message);
}

/* Turns of a prompt, some rounds of calls and results, and, except in the last, an answer. */
static void converse(struct random_chat *chat)
{
	int turns = below(4);

	for (int turn = 0; turn <= turns; turn++) {
		int rounds = below(4);

		say(chat, "user", "\"type\":\"text\"");
		for (int i = 0; i < rounds; i++) {
			say(chat, "assistant", "\"type\":\"tool_call\"");
			say(chat, "tool", "\"type\":\"tool_result\"");
		}
		if (turn < turns)
			say(chat, "assistant", "\"type\":\"text\"");
	}
}

/* What holds of every window. */
static bool is_sound(const struct random_chat *chat, const struct window *w, size_t prompt,
		     int64_t most)
{
	const struct conversation *c = &chat->c;
	int64_t tokens = 0;
	size_t at = 0, kept_after = 0;
	bool has_prompt = false, sound = w->count + w->dropped == c->count && w->count > 0;

	for (size_t i = 0; i < w->count && sound; i++) {
		while (at < c->count && c->messages[at] != w->messages[i])
			at++;
		sound = at < c->count; /* in their order */
		has_prompt |= at == prompt;
		kept_after += at > prompt;
		tokens += estimate_message(w->messages[i]);
		if (w->messages[i]->role == MESSAGE_TOOL)
			sound &= i > 0 && w->messages[i - 1] == c->messages[at - 1];
		if (w->messages[i]->role == MESSAGE_ASSISTANT && at + 1 < c->count &&
		    c->messages[at + 1]->role == MESSAGE_TOOL)
			sound &= i + 1 < w->count && w->messages[i + 1]->role == MESSAGE_TOOL;
	}
	sound &= has_prompt && w->messages[0]->role == MESSAGE_USER && at == c->count - 1;
	if (chat->tokens <= most)
		return sound && w->dropped == 0;
	/* too long still: nothing is left but the prompt and the last round */
	return sound && (tokens <= most || (w->messages[0]->role == MESSAGE_USER &&
					    kept_after <= 2 && w->count == kept_after + 1));
}

static void windows(void)
{
	size_t sound = 0, cut = 0;

	for (int i = 0; i < 5000; i++) {
		struct random_chat chat = {0};
		struct window w;
		int64_t most = 1 + below(1000);
		size_t prompt;

		converse(&chat);
		prompt = window_prompt(&chat.c);
		window_choose(&w, &chat.c, prompt, most, 1);
		sound += is_sound(&chat, &w, prompt, most);
		cut += w.own != NULL;
		window_free(&w);
		conversation_free(&chat.c);
	}
	unit_ok(sound == 5000,
		"of random conversations what is left fits, in order, calls with their results");
	unit_ok(cut > 100, "some of them lose rounds of the present turn");
}

static void nothing(void)
{
	struct conversation c = {0};
	struct window w;

	window_choose(&w, &c, window_prompt(&c), 1, 1);
	unit_ok(w.count == 0 && w.dropped == 0, "nothing said, nothing sent");
	window_free(&w);
}

int main(void)
{
	estimates();
	windows();
	nothing();
	return unit_done();
}
