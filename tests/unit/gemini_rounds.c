/*
 * Conversations of several rounds, recorded: what gemini and vertex send in the last one, made of
 * their own responses in the rounds before and of the results recorded there, is what was sent
 * then.
 */
#include "rounds.h"

/* ---- what the user and the tools said, as neutral messages ---- */

static struct span member(struct span object, const char *camel, const char *snake)
{
	struct span value = json_get(object, camel);

	return value.at != NULL ? value : json_get(object, snake);
}

static struct span response_of(struct span part)
{
	return member(part, "functionResponse", "function_response");
}

/* The text of a result in one of the forms that clients have for it. */
static void result_text(struct span response, struct buffer *out)
{
	static const char *const paths[] = {"output", "return_value", "result", "content.0.text"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (json_decode(json_path(response, paths[i]), out))
			return;
	json_write_compact(out, response);
}

/* `before`: the message before it, whose calls have these results in order. */
static void add_said(struct span content, struct span before, struct buffer *out)
{
	struct json_walk walk = json_walk(json_get(content, "parts"));
	struct json_walk calls = json_walk(json_get(before, "content"));
	struct buffer text = {0};
	bool tool = response_of(json_path(content, "parts.0")).at != NULL;

	json_open(out, '{');
	json_put_text(out, "role", tool ? "tool" : "user");
	json_key(out, "content");
	json_open(out, '[');
	while (json_next(&walk)) {
		struct span response = response_of(walk.value);

		json_open(out, '{');
		if (tool && told_next_call(&calls)) {
			buffer_clear(&text);
			result_text(json_get(response, "response"), &text);
			json_put_text(out, "type", "tool_result");
			json_put_raw(out, "tool_call_id", json_get(calls.value, "tool_call_id"));
			json_put_raw(out, "tool_name", json_get(response, "name"));
			json_put_string(out, "result", buffer_span(&text));
			json_put_bool(out, "is_error", false);
		} else {
			json_put_text(out, "type", "text");
			json_put_raw(out, "text", json_get(walk.value, "text"));
		}
		json_close(out, '}');
	}
	json_close(out, ']');
	json_close(out, '}');
	buffer_free(&text);
}

/* ---- comparing ---- */

/* Base64 has two alphabets, and a client may write what it read in the other. */
static void write_signature(struct span signature, struct buffer *out)
{
	struct buffer text = {0};

	json_decode(signature, &text);
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] == '-' || text.at[i] == '_')
			text.at[i] = text.at[i] == '-' ? '+' : '/';
	json_put_string(out, "thoughtSignature", buffer_span(&text));
	buffer_free(&text);
}

/* An id that a client made up is none of the provider's. */
static void put_id(struct span id, struct buffer *out)
{
	if (id.at != NULL && !span_starts(id, "\"pyd_ai_"))
		json_put_raw(out, "id", id);
}

/* `before`: the part before in the same content. One client signs a second call as it did the
 * first, which is not where the signature came. */
static void write_part(struct span part, struct span before, struct buffer *out)
{
	struct span call = member(part, "functionCall", "function_call");
	struct span response = response_of(part), signature = json_get(part, "thoughtSignature");
	struct buffer text = {0};

	json_open(out, '{');
	if (call.at != NULL) {
		put_id(json_get(call, "id"), out);
		json_put_raw(out, "name", json_get(call, "name"));
		json_put_raw(out, "args", json_get(call, "args"));
	} else if (response.at != NULL) {
		put_id(json_get(response, "id"), out);
		json_put_raw(out, "response", json_get(response, "name"));
		result_text(json_get(response, "response"), &text);
		json_put_string(out, "result", buffer_span(&text));
	} else {
		json_put_raw(out, "text", json_get(part, "text"));
	}
	if (signature.at != NULL && !span_equal(signature, json_get(before, "thoughtSignature")))
		write_signature(signature, out);
	json_close(out, '}');
	buffer_free(&text);
}

static void write_contents(struct span contents, struct buffer *out)
{
	rounds_write(contents, "parts", write_part, out);
}

/* ---- conversations ---- */

static const struct rounds_form form = {.protocol = &protocol_gemini,
					.prefix = "gen-",
					.list = "contents",
					.role = "model",
					.said = add_said,
					.write = write_contents};

int main(void)
{
	setenv("GOOGLE_API_KEY", "test-key", 1);
	setenv("GOOGLE_CLOUD_ACCESS_TOKEN", "test-token", 1);
	setenv("GOOGLE_CLOUD_PROJECT", "p1", 1);
	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	rounds_try(&form, "gemini", "gemini-2.0-flash", "pai-google-model-iter-stream", 3);
	rounds_try(&form, "gemini", "gemini-2.5-pro", "pai-google-model-web-search-tool-stream", 2);
	rounds_try(&form, "gemini", "gemini-3-pro-preview",
		   "pai-google-streaming-tool-call-thought-signature", 2);
	rounds_try(&form, "gemini", "gemini-3-flash-preview",
		   "pai-native-output-with-function-tools-stream", 2);
	rounds_try(&form, "gemini", "gemini-3.6-flash", "llm-tools-with-nested-pydantic-models", 2);
	rounds_try(&form, "gemini", "gemini-2.5-flash",
		   "rb-tools-tools-without-parameters-in-multi-turn-streaming", 4);
	rounds_try(&form, "gemini", "gemini-2.5-flash",
		   "unary-parallel-can-use-parallel-tool-calls", 2);
	rounds_try(&form, "vertex", "gemini-2.5-flash",
		   "rb-tools-tools-with-multi-turn-streaming-conversations", 4);
	rounds_try(&form, "vertex", "gemini-2.5-flash",
		   "unary-parallel-can-handle-multiple-tool-calls-in-a-single", 2);
	rounds_try(&form, "vertex", "gemini-2.5-flash",
		   "unary-parallel-can-use-parallel-tool-calls", 2);
	return unit_done();
}
