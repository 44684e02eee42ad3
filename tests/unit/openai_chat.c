/*
 * The decoder of openai-chat against recordings of real servers.
 */
#define _GNU_SOURCE
#define PROTOCOL protocol_openai_chat
#include "recordings.h"

/* "<think>" at the start of the expected text is reasoning here: expected.json leaves it in. */
static void split_thinking(struct buffer *text, struct buffer *thinking)
{
	char *whole = buffer_take(text);
	char *start = whole + strspn(whole, " \t\r\n"), *end;

	if (strncmp(start, "<think>", 7) != 0) {
		buffer_add_text(text, whole);
	} else if ((end = strstr(start, "</think>")) == NULL) {
		buffer_add_text(thinking, start + 7);
	} else {
		buffer_add(thinking, start + 7, (size_t)(end - start) - 7);
		buffer_add_text(text, end + 8);
	}
	free(whole);
}

static const char *want_finish(struct span expected, struct span error)
{
	struct span finish = json_get(expected, "finish");
	bool calls = json_count(json_get(expected, "tool_calls")) > 0;

	if (error.len > 0)
		return memmem(error.at, error.len, "filtered", 8) != NULL ? "content_filter"
									  : "error";
	if (json_get(expected, "refusal").len > 2)
		return "refusal";
	if (json_is(finish, "length"))
		return "length";
	return calls ? "tool_calls" : "stop";
}

/* xAI: completion_tokens without reasoning. */
static void add_reasoning(struct span usage, struct model_usage *want)
{
	if (want->reasoning > 0 &&
	    json_int(json_get(usage, "total"), -1) == want->input + want->output + want->reasoning)
		want->output += want->reasoning;
}

int main(void)
{
	static const struct recording_hooks hooks = {
	    .folders = "/chat-",
	    .finish = want_finish,
	    .usage = add_reasoning,
	    .text = split_thinking,
	};

	recordings_try(&hooks, 100);
	return unit_done();
}
