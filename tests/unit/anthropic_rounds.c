/*
 * Conversations of several rounds, recorded: what anthropic sends in the last one, made of its own
 * responses in the rounds before and of the results recorded there, is what was sent then.
 */
#include "rounds.h"

/* ---- what the user and the tools said, as neutral messages ---- */

static void add_result(struct span block, struct buffer *out)
{
	struct span content = json_get(block, "content");
	struct buffer text = {0};

	if (!json_decode(content, &text))
		json_decode(json_path(content, "0.text"), &text);
	json_open(out, '{');
	json_put_text(out, "type", "tool_result");
	json_put_raw(out, "tool_call_id", json_get(block, "tool_use_id"));
	json_put_string(out, "result", buffer_span(&text));
	json_put_bool(out, "is_error", json_true(json_get(block, "is_error")));
	json_close(out, '}');
	buffer_free(&text);
}

static void add_said(struct span message, struct span response, struct buffer *out)
{
	struct json_walk walk = json_walk(json_get(message, "content"));
	bool tool = json_is(json_path(message, "content.0.type"), "tool_result");

	(void)response;
	json_open(out, '{');
	json_put_text(out, "role", tool ? "tool" : "user");
	json_key(out, "content");
	json_open(out, '[');
	while (json_next(&walk)) {
		if (tool) {
			add_result(walk.value, out);
		} else {
			json_comma(out);
			buffer_add_span(out, walk.value);
		}
	}
	json_close(out, ']');
	json_close(out, '}');
}

/* ---- comparing ---- */

/* Quotes and dashes that a recorder folded in what was sent. */
static void fold(struct span text, struct buffer *out)
{
	for (size_t i = 0; i < text.len; i++) {
		bool quote = span_starts(span_from(text, i), "\xE2\x80\x99");
		bool dash = span_starts(span_from(text, i), "\xE2\x80\x93");

		buffer_add_char(out, (char)(quote ? '\'' : dash ? '-' : text.at[i]));
		i += quote || dash ? 2 : 0;
	}
}

/* A block without what clients write in more than one way: the form of a result's text, marks for
 * the cache, what is so anyway. */
static void write_block(struct span block, struct span before, struct buffer *out)
{
	struct json_walk walk = json_walk(block);
	bool result = json_is(json_get(block, "type"), "tool_result");

	(void)before;
	/* One client has a text before calls, whether there was one or not. */
	if (json_is(json_get(block, "text"), " "))
		return;

	json_open(out, '{');
	while (json_next(&walk)) {
		struct buffer text = {0};

		if (json_is(walk.key, "cache_control") ||
		    (json_is(walk.key, "is_error") && !json_true(walk.value)) ||
		    json_is(json_get(walk.value, "type"), "direct"))
			continue;
		json_comma(out);
		buffer_add_span(out, walk.key);
		buffer_add_char(out, ':');
		if (result && json_is(walk.key, "content")) {
			if (!json_decode(walk.value, &text))
				json_decode(json_path(walk.value, "0.text"), &text);
			json_write_string(out, buffer_span(&text));
		} else {
			json_write_compact(out, walk.value);
		}
		buffer_free(&text);
	}
	json_close(out, '}');
}

static void write_messages(struct span messages, struct buffer *out)
{
	struct buffer folded = {0};

	fold(messages, &folded);
	rounds_write(buffer_span(&folded), "content", write_block, out);
	buffer_free(&folded);
}

/* ---- conversations ---- */

static const struct rounds_form form = {.protocol = &protocol_anthropic,
					.prefix = "messages-",
					.list = "messages",
					.role = "assistant",
					.said = add_said,
					.write = write_messages};

static void try_rounds(const char *name, int rounds)
{
	rounds_try(&form, "anthropic", NULL, name, rounds);
}

int main(void)
{
	setenv("ANTHROPIC_API_KEY", "test-key", 1);
	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	try_rounds("llm-async-prompt", 2);
	try_rounds("llm-tools", 2);
	try_rounds("pai-pause-turn-web-search-streaming-vcr", 2);
	try_rounds("rb-tools-tools-with-multi-turn-streaming-conversations", 4);
	try_rounds("rb-tools-tools-without-parameters-in-multi-turn-streaming", 4);
	try_rounds("rb-web-search-with-anthropic-streams-search-turns-and-reco", 2);
	try_rounds("unary-parallel-test-multiple-parallel-tool-calls", 2);
	return unit_done();
}
