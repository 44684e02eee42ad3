/*
 * Conversations that begin with one provider and go on with another: texts, calls and results stay;
 * what only the first one can read is left behind. The answers are recorded ones.
 */
#include "requests.h"
#include "told.h"

/* `json` with its long strings cut. */
static void abridge(struct span json, struct buffer *out)
{
	size_t len = 0;
	bool inside = false;

	for (size_t i = 0; i < json.len; i++) {
		char c = json.at[i];

		if (c == '"') {
			if (inside && len > 48)
				buffer_add_text(out, "...");
			inside = !inside;
			len = 0;
			buffer_add_char(out, c);
			continue;
		}
		len++;
		if (!inside || len <= 48)
			buffer_add_char(out, c);
		if (c == '\\' && ++i < json.len && (!inside || len <= 48))
			buffer_add_char(out, json.at[i]);
	}
}

/* Append a message with a result for each call of `answer` that is to be run here. */
static void add_results(struct span answer, struct buffer *out)
{
	struct json_walk walk = json_walk(json_get(answer, "content"));

	json_open(out, '{');
	json_put_text(out, "role", "tool");
	json_key(out, "content");
	json_open(out, '[');
	while (told_next_call(&walk)) {
		json_open(out, '{');
		json_put_text(out, "type", "tool_result");
		json_put_raw(out, "tool_call_id", json_get(walk.value, "tool_call_id"));
		json_put_text(out, "result", "done");
		json_close(out, '}');
	}
	json_close(out, ']');
	json_close(out, '}');
}

/* What `to` is asked, in its member `member`, after the recorded answer in `folder`. */
static void goes_on(const struct protocol *from, const char *provider, const char *model,
		    const char *folder, const char *to, const char *member, const char *want)
{
	struct buffer answer = {0}, results = {0}, sent = {0}, got = {0}, title = {0};
	struct span messages[] = {HI, {0}, {0}, HI};

	told(from, provider, model, folder, 1, &answer);
	add_results(buffer_span(&answer), &results);
	messages[1] = buffer_span(&answer);
	messages[2] = buffer_span(&results);
	request_body(
	    to, &(struct model_request){.messages = typed(messages, 4), .message_count = 4}, &sent);
	abridge(json_get(buffer_span(&sent), member), &got);
	buffer_add_format(&title, "%s, then %s", folder, to);
	unit_same(buffer_span(&got), span_of(want), buffer_string(&title));
	buffer_free(&answer);
	buffer_free(&results);
	buffer_free(&sent);
	buffer_free(&got);
	buffer_free(&title);
}

#define ANTHROPIC(folder, to, want)                                                                \
	goes_on(&protocol_anthropic, "anthropic", "claude", "anthropic/messages-" folder, to,      \
		"input", want)
#define RESPONSES(provider, model, folder, to, want)                                               \
	goes_on(&protocol_openai_responses, provider, model, folder, to, "messages", want)

static void from_anthropic(void)
{
	ANTHROPIC(
	    "oi-completion-streaming-with-extended-thinking-anthropic", "openai:gpt-5.4",
	    "[{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\",\"content\":[{"
	    "\"type\":\"output_text\",\"text\":\"2 + 2 = 4\\n\\nThis is a basic addition problem: "
	    "whe...\",\"annotations\":[]}]},{\"role\":\"user\",\"content\":\"hi\"}]");
	ANTHROPIC("rb-tools-tools-with-multi-turn-streaming-conversations", "openai:gpt-5.4",
		  "[{\"role\":\"user\",\"content\":\"hi\"},{\"type\":\"function_call\",\"call_id\":"
		  "\"toolu_01MKSN7NHsBVKr7Jvw5pqCQq\",\"name\":\"weather\",\"arguments\":\"{"
		  "\\\"latitude\\\": \\\"52.5200\\\", \\\"longitude\\\": "
		  "\\\"13.4050\\\"}\"},{\"type\":\"function_call_output\",\"call_id\":\"toolu_"
		  "01MKSN7NHsBVKr7Jvw5pqCQq\",\"output\":\"done\"},{\"role\":\"user\",\"content\":"
		  "\"hi\"}]");
	ANTHROPIC(
	    "unary-parallel-test-multiple-parallel-tool-calls", "xai-responses:grok-4.3",
	    "[{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\",\"content\":[{"
	    "\"type\":\"output_text\",\"text\":\"I'll help you find out who is the youngest by "
	    "re...\",\"annotations\":[]}]},{\"type\":\"function_call\",\"call_id\":\"toolu_"
	    "0167cfEnoQaPviGdVXA95zcu\",\"name\":\"retrieve_entity_info\",\"arguments\":\"{"
	    "\\\"name\\\": "
	    "\\\"Alice\\\"}\"},{\"type\":\"function_call\",\"call_id\":\"toolu_"
	    "01EEe2V5HD1Ac4rKiUR4HD2T\",\"name\":\"retrieve_entity_info\",\"arguments\":\"{"
	    "\\\"name\\\": "
	    "\\\"Bob\\\"}\"},{\"type\":\"function_call\",\"call_id\":\"toolu_"
	    "01XFyAjstT3966qvRynZyVPo\",\"name\":\"retrieve_entity_info\",\"arguments\":\"{"
	    "\\\"name\\\": "
	    "\\\"Charlie\\\"}\"},{\"type\":\"function_call\",\"call_id\":\"toolu_"
	    "013mnQZbgtK2oe3Mo3XKJsx3\",\"name\":\"retrieve_entity_info\",\"arguments\":\"{"
	    "\\\"name\\\": "
	    "\\\"Daisy\\\"}\"},{\"type\":\"function_call_output\",\"call_id\":\"toolu_"
	    "0167cfEnoQaPviGdVXA95zcu\",\"output\":\"done\"},{\"type\":\"function_call_output\","
	    "\"call_id\":\"toolu_01EEe2V5HD1Ac4rKiUR4HD2T\",\"output\":\"done\"},{\"type\":"
	    "\"function_call_output\",\"call_id\":\"toolu_01XFyAjstT3966qvRynZyVPo\",\"output\":"
	    "\"done\"},{\"type\":\"function_call_output\",\"call_id\":\"toolu_"
	    "013mnQZbgtK2oe3Mo3XKJsx3\",\"output\":\"done\"},{\"role\":\"user\",\"content\":\"hi\"}"
	    "]");
	ANTHROPIC(
	    "rb-web-search-with-anthropic-streams-search-turns-and-reco", "openai:gpt-4.1",
	    "[{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\",\"content\":[{"
	    "\"type\":\"output_text\",\"text\":\"The latest stable Ruby version is "
	    "4.0.6\",\"annotations\":[]},{\"type\":\"output_text\",\"text\":\", which "
	    "\",\"annotations\":[]},{\"type\":\"output_text\",\"text\":\"was released in July "
	    "2026\",\"annotations\":[]},{\"type\":\"output_text\",\"text\":\".\",\"annotations\":[]"
	    "}]},{\"role\":\"user\",\"content\":\"hi\"}]");
	ANTHROPIC("vc-anthropic-refusal", "openai:gpt-4.1",
		  "[{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\",\"content\":[{"
		  "\"type\":\"refusal\",\"refusal\":\"This request triggered restrictions on "
		  "violative...\"}]},{\"role\":\"user\",\"content\":\"hi\"}]");
}

static void to_anthropic(void)
{
	RESPONSES("openai", "gpt-5-nano",
		  "openai/responses-rb-tools-tools-with-multi-turn-streaming-conversations",
		  "anthropic:claude-opus-5",
		  "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]},{"
		  "\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"call_"
		  "E9m0fralKLjUmND1MuTXjnqm\",\"name\":\"weather\",\"input\":{\"latitude\":\"52."
		  "5200\",\"longitude\":\"13.4050\"}}]},{\"role\":\"user\",\"content\":[{\"type\":"
		  "\"tool_result\",\"tool_use_id\":\"call_E9m0fralKLjUmND1MuTXjnqm\",\"content\":"
		  "\"done\"},{\"type\":\"text\",\"text\":\"hi\"}]}]");
	RESPONSES(
	    "xai-responses", "grok-4.3",
	    "xai/responses-unary-parallel-can-handle-multiple-tool-calls-in-a-single",
	    "anthropic:claude-opus-5",
	    "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]},{\"role\":"
	    "\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"call-c1cb687a-5838-4276-"
	    "a567-d2f58ff41ce1-0\",\"name\":\"dice_roll\",\"input\":{}},{\"type\":\"tool_use\","
	    "\"id\":\"call-c1cb687a-5838-4276-a567-d2f58ff41ce1-1\",\"name\":\"dice_roll\","
	    "\"input\":{}},{\"type\":\"tool_use\",\"id\":\"call-c1cb687a-5838-4276-a567-"
	    "d2f58ff41ce1-2\",\"name\":\"dice_roll\",\"input\":{}}]},{\"role\":\"user\","
	    "\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"call-c1cb687a-5838-4276-a567-"
	    "d2f58ff41ce1-0\",\"content\":\"done\"},{\"type\":\"tool_result\",\"tool_use_id\":"
	    "\"call-c1cb687a-5838-4276-a567-d2f58ff41ce1-1\",\"content\":\"done\"},{\"type\":"
	    "\"tool_result\",\"tool_use_id\":\"call-c1cb687a-5838-4276-a567-d2f58ff41ce1-2\","
	    "\"content\":\"done\"},{\"type\":\"text\",\"text\":\"hi\"}]}]");
	RESPONSES(
	    "openai", "gpt-5",
	    "openai/responses-pai-openai-responses-code-execution-return-image-stream",
	    "anthropic:claude-opus-5",
	    "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]},{\"role\":"
	    "\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"Here’s the chart of y = x^2 "
	    "for x from -5 to "
	    "5...\"}]},{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]}]");
	RESPONSES(
	    "openai", "gpt-5.2-codex", "openai/responses-vc-openai-custom-tool",
	    "anthropic:claude-opus-5",
	    "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]},{\"role\":"
	    "\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"call_custom_sql_001\","
	    "\"name\":\"write_sql\",\"input\":{\"input\":\"SELECT * FROM users WHERE age > "
	    "25\"}}]},{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":"
	    "\"call_custom_sql_001\",\"content\":\"done\"},{\"type\":\"text\",\"text\":\"hi\"}]}]");
	RESPONSES("openai", "gpt-5.6-sol", "openai/responses-vc-programmatic-tool-calling",
		  "anthropic:claude-opus-5",
		  "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]},{"
		  "\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"call_"
		  "VgDSZztLociNcutQZWkC2fmL\",\"name\":\"getInventory\",\"input\":{\"sku\":\"sku_"
		  "123\"}}]},{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_"
		  "id\":\"call_VgDSZztLociNcutQZWkC2fmL\",\"content\":\"done\"},{\"type\":\"text\","
		  "\"text\":\"hi\"}]}]");
	RESPONSES("openai", "gpt-5-codex", "openai/responses-vc-openai-local-shell-tool",
		  "anthropic:claude-opus-5",
		  "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"},{\"type\":"
		  "\"text\",\"text\":\"hi\"}]}]");
}

static void within_the_protocol(void)
{
	goes_on(&protocol_openai_responses, "openai", "gpt-5-nano",
		"openai/responses-rb-tools-tools-with-multi-turn-streaming-conversations",
		"azure-responses:gpt-5-nano", "input",
		"[{\"role\":\"user\",\"content\":\"hi\"},{\"type\":\"function_call\",\"call_id\":"
		"\"call_E9m0fralKLjUmND1MuTXjnqm\",\"name\":\"weather\",\"arguments\":\"{"
		"\\\"latitude\\\":\\\"52.5200\\\",\\\"longitude\\\":\\\"13.4050\\\"}\"},{\"type\":"
		"\"function_call_output\",\"call_id\":\"call_E9m0fralKLjUmND1MuTXjnqm\",\"output\":"
		"\"done\"},{\"role\":\"user\",\"content\":\"hi\"}]");
	goes_on(&protocol_openai_responses, "bedrock-mantle", "openai.gpt-5.6-luna",
		"bedrock/responses-pai-reused-tool-call-ids-stream", "openai:gpt-5.6-luna", "input",
		"[{\"role\":\"user\",\"content\":\"hi\"},{\"type\":\"function_call\",\"call_id\":"
		"\"call_0\",\"name\":\"first_tool\",\"arguments\":\"{}\"},{\"type\":\"function_"
		"call_output\",\"call_id\":\"call_0\",\"output\":\"done\"},{\"role\":\"user\","
		"\"content\":\"hi\"}]");
	RESPONSES("openai", "gpt-5-nano",
		  "openai/responses-rb-tools-tools-with-multi-turn-streaming-conversations",
		  "openai-chat:gpt-5-nano",
		  "[{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\",\"content\":"
		  "null,\"tool_calls\":[{\"id\":\"call_E9m0fralKLjUmND1MuTXjnqm\",\"type\":"
		  "\"function\",\"function\":{\"name\":\"weather\",\"arguments\":\"{"
		  "\\\"latitude\\\":\\\"52.5200\\\",\\\"longitude\\\":\\\"13.4050\\\"}\"}}]},{"
		  "\"role\":\"tool\",\"tool_call_id\":\"call_E9m0fralKLjUmND1MuTXjnqm\","
		  "\"content\":\"done\"},{\"role\":\"user\",\"content\":\"hi\"}]");
}

int main(void)
{
	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	setenv("OPENAI_API_KEY", "test-key", 1);
	setenv("XAI_API_KEY", "test-key", 1);
	setenv("ANTHROPIC_API_KEY", "test-key", 1);
	setenv("AZURE_API_KEY", "test-key", 1);
	from_anthropic();
	to_anthropic();
	within_the_protocol();
	return unit_done();
}
