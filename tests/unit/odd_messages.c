/*
 * Messages whose members are not what they should be, as a file of a conversation may hold them:
 * each protocol makes a request of them, or says what it cannot send.
 */
#include "mutations.h"
#include "requests.h"

struct trial {
	const char *spec;
	int fine;
	struct buffer worst;
};

static void try_message(void *context, struct span message)
{
	struct trial *trial = context;
	struct buffer got = {0};
	struct span result =
	    SPAN("{\"role\":\"tool\",\"content\":[{\"type\":\"tool_result\",\"tool_call_id\":\"c\","
		 "\"tool_name\":\"f\",\"result\":\"r\"}]}");
	struct span messages[] = {HI, message, result, HI};
	bool fine;

	request_body(trial->spec,
		     &(struct model_request){.messages = typed(messages, 4), .message_count = 4},
		     &got);
	fine = json_check(buffer_span(&got), NULL) ||
	       strstr(buffer_string(&got), "does not accept") != NULL ||
	       strstr(buffer_string(&got), "no known role") != NULL;
	trial->fine += fine;
	if (!fine && trial->worst.len == 0)
		buffer_add_format(&trial->worst, "# %.*s\n# %s\n", SPAN_ARG(message),
				  buffer_string(&got));
	buffer_free(&got);
}

/* `provider` and `model` wrote the answers, and are asked; `data` is the provider_data of parts. */
static void try_protocol(const char *provider, const char *model, const char *data)
{
	static const char *const users[] = {
	    "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":"
	    "\"image\","
	    "\"media_type\":\"image/png\",\"data\":\"QUJD\"},{\"type\":\"file\",\"media_type\":"
	    "\"application/pdf\",\"data\":\"QUJD\",\"name\":\"n\"}]}",
	    "{\"role\":\"system\",\"content\":\"a\"}",
	    ("{\"role\":\"tool\",\"content\":[{\"type\":\"tool_result\",\"tool_call_id\":\"c\","
	     "\"tool_name\":\"f\",\"result\":\"r\",\"is_error\":true}]}"),
	};
	struct trial trial = {0};
	struct buffer spec = {0}, answer = {0};
	int tried = 0;

	buffer_add_format(&spec, "%s:%s", provider, model);
	trial.spec = buffer_string(&spec);
	buffer_add_format(
	    &answer,
	    "{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"text\":\"hm\","
	    "\"provider_"
	    "data\":%s},{\"type\":\"text\",\"text\":\"a\",\"provider_data\":%s},{\"type\":\"tool_"
	    "call\",\"tool_call_id\":\"s\",\"tool_name\":\"w\",\"args\":{},\"executed_by\":"
	    "\"provider\",\"result\":\"r\",\"provider_data\":%s},{\"type\":\"opaque\",\"provider_"
	    "data\":%s},{\"type\":\"refusal\",\"text\":\"No.\"},{\"type\":\"tool_call\",\"tool_"
	    "call_"
	    "id\":\"c\",\"provider_id\":\"p\",\"tool_name\":\"f\",\"args\":{\"input\":\"x\"},"
	    "\"invalid_args\":\"x\",\"provider_data\":%s}],\"provider\":\"%s\",\"model\":\"%s\","
	    "\"provider_data\":%s}",
	    data, data, data, data, data, provider, model, data);
	for (size_t i = 0; i < sizeof(users) / sizeof(*users); i++)
		tried += mutations(span_of(users[i]), try_message, &trial);
	tried += mutations(buffer_span(&answer), try_message, &trial);
	unit_ok(tried > 500 && trial.fine == tried, "%s: %d of %d are sent or refused", trial.spec,
		trial.fine, tried);
	fputs(buffer_string(&trial.worst), stdout);
	buffer_free(&trial.worst);
	buffer_free(&spec);
	buffer_free(&answer);
}

int main(void)
{
	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	setenv("OPENAI_API_KEY", "test-key", 1);
	setenv("DEEPSEEK_API_KEY", "test-key", 1);
	setenv("MISTRAL_API_KEY", "test-key", 1);
	setenv("OPENROUTER_API_KEY", "test-key", 1);
	setenv("ANTHROPIC_API_KEY", "test-key", 1);
	setenv("GEMINI_API_KEY", "test-key", 1);
	setenv("AWS_BEARER_TOKEN_BEDROCK", "test-key", 1);
	setenv("AWS_REGION", "us-east-1", 1);
	try_protocol("openai-chat", "gpt-5",
		     "{\"reasoning_details\":[{\"type\":\"x\"}],\"extra_content\":{\"a\":1}}");
	try_protocol("openrouter", "m",
		     "{\"reasoning_details\":[{\"type\":\"x\"}],\"extra_content\":{\"a\":1}}");
	try_protocol("mistral", "m", "{\"a\":{\"b\":[1]}}");
	try_protocol("deepseek", "m", "{\"a\":{\"b\":[1]}}");
	try_protocol("openai", "gpt-5",
		     "{\"type\":\"reasoning\",\"id\":\"i\",\"summary\":[],\"content\":[{\"text\":"
		     "\"x\"}],\"encrypted_content\":\"x\",\"phase\":\"p\",\"items\":[{\"type\":"
		     "\"x\"}],\"reasoning\":[{\"type\":\"reasoning\"}]}");
	try_protocol("openai", "gpt-5.2-codex", "{\"type\":\"custom_tool_call\",\"id\":\"i\"}");
	try_protocol(
	    "anthropic", "claude-opus-5",
	    "{\"signature\":\"x\",\"citations\":[{\"url\":\"u\"}],\"type\":\"redacted_"
	    "thinking\",\"data\":\"x\",\"caller\":{\"type\":\"direct\"},\"call\":{\"type\":"
	    "\"server_tool_use\",\"id\":\"s\",\"name\":\"w\",\"input\":{}},\"result\":{"
	    "\"type\":\"x\"},\"container\":{\"id\":\"c\",\"expires_at\":\"x\"}}");
	try_protocol("bedrock", "us.anthropic.claude-opus-5",
		     "{\"reasoningText\":{\"text\":\"x\",\"signature\":\"x\"},\"redactedContent\":"
		     "\"eA==\",\"citations\":[{\"title\":\"x\"}]}");
	try_protocol(
	    "gemini", "gemini-3-pro",
	    "{\"thoughtSignature\":\"x\",\"parts\":[{\"executableCode\":{\"code\":\"x\"}}]}");
	try_protocol("ollama", "m", "{\"a\":{\"b\":[1]}}");
	return unit_done();
}
