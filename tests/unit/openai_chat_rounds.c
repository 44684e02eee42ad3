/*
 * Conversations of several rounds, recorded: what a chat completions server is sent in the last
 * one, made of its own responses in the rounds before and of the results recorded there, is what
 * was sent then.
 */
#include "rounds.h"

/* ---- what the user and the tools said, as neutral messages ---- */

static bool is_instruction(struct span role)
{
	return json_is(role, "system") || json_is(role, "developer");
}

static void add_said(struct span message, struct buffer *out)
{
	struct span content = json_get(message, "content");
	struct span id = json_get(message, "tool_call_id");

	json_open(out, '{');
	json_put_text(out, "role", id.at != NULL ? "tool" : "user");
	json_key(out, "content");
	if (json_type(content) == JSON_ARRAY) {
		json_write_compact(out, content);
	} else {
		json_open(out, '[');
		json_open(out, '{');
		json_put_text(out, "type", id.at != NULL ? "tool_result" : "text");
		if (id.at != NULL)
			json_put_raw(out, "tool_call_id", id);
		json_put_raw(out, id.at != NULL ? "result" : "text", content);
		json_close(out, '}');
		json_close(out, ']');
	}
	json_close(out, '}');
}

/* ---- comparing ---- */

/* Arguments as JSON: some clients write them anew. */
static void write_call(struct span call, struct buffer *out)
{
	struct buffer args = {0};

	json_decode(json_path(call, "function.arguments"), &args);
	json_open(out, '{');
	json_put_raw(out, "id", json_get(call, "id"));
	json_put_raw(out, "type", json_get(call, "type"));
	json_put_raw(out, "name", json_path(call, "function.name"));
	json_put_raw(out, "arguments", buffer_span(&args));
	json_close(out, '}');
	buffer_free(&args);
}

/* A message without what clients write in more than one way: no text, text in parts, and how
 * reasoning goes back (see openai_chat_quirks). Nothing for one that says nothing. */
static void write_message(struct span message, struct buffer *out)
{
	struct span content = json_get(message, "content");
	struct json_walk calls = json_walk(json_get(message, "tool_calls"));
	struct buffer text = {0};

	if (!json_decode(content, &text))
		json_decode(json_path(content, "0.text"), &text);
	if (is_instruction(json_get(message, "role")) ||
	    (text.len == 0 && json_get(message, "tool_calls").at == NULL))
		goto done;
	json_open(out, '{');
	json_put_raw(out, "role", json_get(message, "role"));
	json_put_string(out, "content", buffer_span(&text));
	if (json_get(message, "tool_call_id").at != NULL)
		json_put_raw(out, "tool_call_id", json_get(message, "tool_call_id"));
	json_key(out, "tool_calls");
	json_open(out, '[');
	while (json_next(&calls))
		write_call(calls.value, out);
	json_close(out, ']');
	json_close(out, '}');
done:
	buffer_free(&text);
}

static void write_messages(struct span messages, struct buffer *out)
{
	struct json_walk walk = json_walk(messages);

	json_open(out, '[');
	while (json_next(&walk))
		write_message(walk.value, out);
	json_close(out, ']');
}

/* ---- a conversation ---- */

static void try_rounds(const char *provider, const char *folder, int rounds)
{
	struct rounds r;
	struct json_walk walk;

	rounds_open(&r, &protocol_openai_chat, provider, NULL, folder, rounds);
	walk = json_walk(json_get(buffer_span(&r.recorded), "messages"));
	while (json_next(&walk)) {
		struct span role = json_get(walk.value, "role");

		/* One client says nothing first. */
		if (is_instruction(role) ||
		    (json_is(role, "assistant") && json_count(walk.value) == 1) ||
		    (json_is(role, "assistant") && json_get(walk.value, "tool_calls").at == NULL &&
		     json_get(walk.value, "content").len <= 4))
			continue;
		if (json_is(role, "assistant"))
			rounds_add_response(&r);
		else
			add_said(walk.value, rounds_add(&r));
	}
	rounds_send(&r);
	rounds_compare(&r, "messages", write_messages, folder);
	rounds_close(&r);
}

/* Not among them: conversations whose requests do not go on from each other, and
 * chat-llm-tools-streaming-variant-c, whose client gave the call an id of its own. */
int main(void)
{
	static const char *const keys[] = {"AZURE_API_KEY",      "OPENAI_API_KEY",
					   "DEEPSEEK_API_KEY",   "MISTRAL_API_KEY",
					   "OPENROUTER_API_KEY", "OLLAMA_API_KEY"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		setenv(keys[i], "test-key", 1);
	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	try_rounds("azure", "azure/chat-rb-tools-tools-without-parameters-in-multi-turn-streaming",
		   4);
	try_rounds("azure", "azure/chat-unary-parallel-can-use-parallel-tool-calls", 2);
	try_rounds("deepseek",
		   "deepseek/chat-rb-tools-tools-without-parameters-in-multi-turn-streaming", 4);
	try_rounds("deepseek", "deepseek/chat-unary-parallel-can-use-parallel-tool-calls", 2);
	try_rounds("mistral", "mistral/chat-rb-tools-tools-with-multi-turn-streaming-conversations",
		   4);
	try_rounds("mistral", "mistral/chat-unary-parallel-can-use-parallel-tool-calls", 2);
	try_rounds("openrouter",
		   "openrouter/chat-rb-tools-tools-with-multi-turn-streaming-conversations", 4);
	try_rounds("openrouter",
		   "openrouter/chat-rb-tools-tools-without-parameters-in-multi-turn-streaming", 4);
	try_rounds("openrouter", "openrouter/chat-unary-parallel-can-use-parallel-tool-calls", 2);
	try_rounds("ollama-openai",
		   "ollama/chat-rb-tools-cloud-gpt-oss-120b-tools-without-parameters-in-mu", 3);
	try_rounds("ollama-openai",
		   "ollama/chat-rb-tools-qwen3-tools-with-multi-turn-streaming-conversatio", 4);
	try_rounds("ollama-openai",
		   "ollama/chat-unary-parallel-can-handle-multiple-tool-calls-in-a-single", 2);
	try_rounds("openai-chat", "openai/chat-llm-tool-use-basic", 2);
	try_rounds("openai-chat", "openai/chat-llm-tools-streaming-variant-b", 2);
	try_rounds("openai-chat", "openai/chat-llm-tools-streaming-variant-d", 2);
	try_rounds("openai-chat", "openai/chat-pai-complex-agent-run-in-workflow", 3);
	try_rounds("openai-chat", "openai/chat-pai-run-stream-sync-streams-real-model", 2);
	return unit_done();
}
