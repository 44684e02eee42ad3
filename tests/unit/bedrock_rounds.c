/*
 * Conversations of several rounds, recorded: what Bedrock is sent in the last one, made of its own
 * responses in the rounds before and of the results recorded there, is what was sent then.
 */
#include "rounds.h"

/* ---- what the user and the tools said, as neutral messages ---- */

static void add_said(struct span message, struct span response, struct buffer *out)
{
	struct json_walk walk = json_walk(json_get(message, "content"));
	bool tool = json_path(message, "content.0.toolResult").at != NULL;

	(void)response;
	json_open(out, '{');
	json_put_text(out, "role", tool ? "tool" : "user");
	json_key(out, "content");
	json_open(out, '[');
	while (json_next(&walk)) {
		struct span result = json_get(walk.value, "toolResult");
		struct span text = json_get(walk.value, "text");

		if (result.at == NULL && text.at == NULL)
			continue;
		json_open(out, '{');
		json_put_text(out, "type", tool ? "tool_result" : "text");
		if (tool) {
			json_put_raw(out, "tool_call_id", json_get(result, "toolUseId"));
			json_put_raw(out, "result", json_path(result, "content.0.text"));
		} else {
			json_put_raw(out, "text", text);
		}
		json_close(out, '}');
	}
	json_close(out, ']');
	json_close(out, '}');
}

/* ---- comparing ---- */

/* A block without what clients write in more than one way: that a result is a success. Documents,
 * which the recording clients sent with settings that we do not have, are left out. */
static void write_block(struct span block, struct span before, struct buffer *out)
{
	struct json_walk walk = json_walk(json_get(block, "toolResult"));

	(void)before;
	if (json_get(block, "document").at != NULL)
		return;
	json_comma(out);
	if (json_get(block, "toolResult").at == NULL) {
		json_write_compact(out, block);
		return;
	}
	json_open(out, '{');
	while (json_next(&walk)) {
		if (json_is(walk.key, "status") && json_is(walk.value, "success"))
			continue;
		json_comma(out);
		buffer_add_span(out, walk.key);
		buffer_add_char(out, ':');
		json_write_compact(out, walk.value);
	}
	json_close(out, '}');
}

static void write_messages(struct span messages, struct buffer *out)
{
	rounds_write(messages, "content", write_block, out);
}

/* ---- conversations ---- */

static const struct rounds_form form = {.protocol = &protocol_bedrock,
					.prefix = "converse-",
					.list = "messages",
					.role = "assistant",
					.said = add_said,
					.write = write_messages};

static void try_rounds(const char *name, int rounds)
{
	rounds_try(&form, "bedrock", "m", name, rounds);
}

/* Not among them: lc-agent-loop-streaming-v0, whose client left out the text beside a call. */
int main(void)
{
	setenv("AWS_BEARER_TOKEN_BEDROCK", "test-key", 1);
	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	try_rounds("rb-tools-tools-with-multi-turn-streaming-conversations", 2);
	try_rounds("rb-tools-tools-with-multi-turn-streaming-conversations", 4);
	try_rounds("pai-bedrock-model-iter-stream", 2);
	try_rounds("unary-parallel-can-handle-multiple-tool-calls-in-a-single", 2);
	try_rounds("lc-thinking-v0", 2);
	try_rounds("lc-thinking-v1", 2);
	try_rounds("lc-citations-document0", 2);
	try_rounds("lc-citations-document1", 2);
	try_rounds("lc-citations-v1-v0", 2);
	return unit_done();
}
