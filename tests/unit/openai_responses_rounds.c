/*
 * Conversations of several rounds, recorded: what openai-responses sends in the last one, made of
 * its own responses in the rounds before and of the results recorded there, is what was sent then.
 */
#include "rounds.h"

enum { MAX_CALLS = 32 };

/* A conversation while it is made. */
struct talk {
	struct rounds rounds;
	struct span recorded_ids[MAX_CALLS], our_ids[MAX_CALLS]; /* of the calls, in order */
	size_t recorded_calls, our_calls;
	bool answering; /* the item before was the model's, too */
};

/* ---- the messages ---- */

static void add_response(struct talk *t)
{
	struct json_walk walk = json_walk(json_get(rounds_add_response(&t->rounds), "content"));

	while (told_next_call(&walk))
		t->our_ids[t->our_calls++] = json_get(walk.value, "tool_call_id");
}

static void add_user(struct span item, struct buffer *message)
{
	json_open(message, '{');
	json_put_text(message, "role", "user");
	json_put_raw(message, "content", json_get(item, "content"));
	json_close(message, '}');
}

static void add_result(struct talk *t, struct span item)
{
	struct buffer *message = rounds_add(&t->rounds);
	struct span id = json_get(item, "call_id");

	for (size_t i = 0; i < t->recorded_calls && i < t->our_calls; i++)
		if (span_equal(t->recorded_ids[i], json_get(item, "call_id")))
			id = t->our_ids[i];
	buffer_add_text(message, "{\"role\":\"tool\",\"content\":[{\"type\":\"tool_result\"");
	json_put_raw(message, "tool_call_id", id);
	json_put_raw(message, "result", json_get(item, "output"));
	buffer_add_text(message, "}]}");
}

static void add_item(struct talk *t, struct span item)
{
	bool user = json_is(json_get(item, "role"), "user");
	bool result = json_is(json_get(item, "type"), "function_call_output");

	if (json_is(json_get(item, "type"), "function_call"))
		t->recorded_ids[t->recorded_calls++] = json_get(item, "call_id");
	if (user)
		add_user(item, rounds_add(&t->rounds));
	else if (result)
		add_result(t, item);
	else if (!t->answering)
		add_response(t);
	t->answering = !user && !result;
}

/* ---- comparing ---- */

/* A search without what it found, which one client leaves out. */
static void write_action(struct span action, struct buffer *out)
{
	struct json_walk walk = json_walk(action);

	json_open(out, '{');
	while (json_next(&walk)) {
		if (json_is(walk.key, "sources"))
			continue;
		json_comma(out);
		buffer_add_span(out, walk.key);
		buffer_add_char(out, ':');
		buffer_add_span(out, walk.value);
	}
	json_close(out, '}');
}

/* The content of a message as a list of parts; what servers add to texts is left out. */
static void write_content(struct span item, struct span content, struct buffer *out)
{
	bool user = json_is(json_get(item, "role"), "user");
	struct json_walk walk = json_walk(content);

	json_open(out, '[');
	if (json_type(content) == JSON_STRING) {
		json_open(out, '{');
		json_put_text(out, "type", user ? "input_text" : "output_text");
		json_put_raw(out, "text", content);
		json_close(out, '}');
	}
	while (json_next(&walk)) {
		json_open(out, '{');
		json_put_raw(out, "type", json_get(walk.value, "type"));
		json_put_raw(out, "text", json_get(walk.value, "text"));
		json_close(out, '}');
	}
	json_close(out, ']');
}

static void write_call_id(struct span id, const struct span *ids, size_t count, struct buffer *out)
{
	for (size_t i = 0; i < count; i++)
		if (span_equal(ids[i], id)) {
			json_put_int(out, "call_id", (int64_t)i);
			return;
		}
	json_put_raw(out, "call_id", id);
}

/* An item without what clients write in more than one way: `ids`, when its calls are known by their
 * number; its own id unless it is in the recording. */
static void write_item(struct span item, bool id, const struct span *ids, size_t count,
		       struct buffer *out)
{
	struct json_walk walk = json_walk(item);

	json_open(out, '{');
	while (json_next(&walk)) {
		struct buffer text = {0};

		if (json_type(walk.value) == JSON_NULL || json_is(walk.key, "status") ||
		    json_is(walk.value, "message") || (json_is(walk.key, "id") && !id))
			continue;
		if (json_is(walk.key, "call_id")) {
			write_call_id(walk.value, ids, count, out);
		} else if (json_is(walk.key, "content")) {
			json_key(out, "content");
			write_content(item, walk.value, out);
		} else if (json_is(walk.key, "action")) {
			json_key(out, "action");
			write_action(walk.value, out);
		} else if (json_is(walk.key, "arguments") && json_decode(walk.value, &text)) {
			json_put_raw(out, "arguments", buffer_span(&text));
		} else {
			json_comma(out);
			buffer_add_span(out, walk.key);
			buffer_add_char(out, ':');
			buffer_add_span(out, walk.value);
		}
		buffer_free(&text);
	}
	json_close(out, '}');
}

/* `numbered`: the client that was recorded gave the calls ids of its own. */
static void same_input(const struct talk *t, bool numbered)
{
	const struct rounds *r = &t->rounds;
	struct json_walk ours = json_walk(json_get(buffer_span(&r->sent), "input"));
	struct json_walk theirs = json_walk(json_get(buffer_span(&r->recorded), "input"));
	struct buffer a = {0}, b = {0};

	json_open(&a, '[');
	json_open(&b, '[');
	for (;;) {
		bool more = json_next(&theirs), some = json_next(&ours);
		bool id = more && json_get(theirs.value, "id").at != NULL;

		if (some)
			write_item(ours.value, id, t->our_ids, numbered ? t->our_calls : 0, &a);
		if (more)
			write_item(theirs.value, id, t->recorded_ids,
				   numbered ? t->recorded_calls : 0, &b);
		if (!some && !more)
			break;
	}
	json_close(&a, ']');
	json_close(&b, ']');
	rounds_same(&a, &b, r->folder);
	buffer_free(&a);
	buffer_free(&b);
}

/* ---- a conversation ---- */

static void try_rounds(const char *provider, const char *folder, int rounds, bool numbered)
{
	struct talk t = {0};
	struct json_walk walk;

	rounds_open(&t.rounds, &protocol_openai_responses, provider, NULL, folder, rounds);
	walk = json_walk(json_get(buffer_span(&t.rounds.recorded), "input"));
	while (json_next(&walk))
		add_item(&t, walk.value);
	rounds_send(&t.rounds);
	same_input(&t, numbered);
	rounds_close(&t.rounds);
}

/* ---- what the provider's own tools did ---- */

/* The item `id` as a stream says it when it is done. */
static struct span done_item(struct span stream, struct span id)
{
	struct span line;

	while ((line = unit_line(&stream)).at != NULL) {
		struct span event = span_starts(line, "data: ") ? span_from(line, 6) : SPAN("");

		if (json_is(json_get(event, "type"), "response.output_item.done") &&
		    span_equal(json_path(event, "item.id"), id))
			return json_get(event, "item");
	}
	return (struct span){0};
}

/* The items of a response: as each was when it was done, or as they are at the end. */
static void all_items(struct span stream, struct buffer *out)
{
	struct span rest = stream, line;

	json_open(out, '[');
	while ((line = unit_line(&rest)).at != NULL) {
		struct span event = span_starts(line, "data: ") ? span_from(line, 6) : SPAN("");
		struct json_walk walk = json_walk(json_path(event, "response.output"));

		while (json_is(json_get(event, "type"), "response.completed") && json_next(&walk)) {
			struct span item = done_item(stream, json_get(walk.value, "id"));

			json_comma(out);
			buffer_add_span(out, item.at != NULL ? item : walk.value);
		}
	}
	json_close(out, ']');
}

/* Append the items that are neither said nor called by the model. */
static void hosted_items(struct span items, struct buffer *out)
{
	static const char *const others[] = {"message", "reasoning", "function_call",
					     "function_call_output"};
	struct json_walk walk = json_walk(items);

	while (json_next(&walk)) {
		struct span type = json_get(walk.value, "type");
		bool hosted = type.len > 0;

		for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
			hosted = hosted && !json_is(type, others[i]);
		if (!hosted)
			continue;
		json_write_compact(out, walk.value);
		buffer_add_char(out, '\n');
	}
}

/* What the provider's tools did in a recorded response goes back in order, byte for byte. */
static void try_hosted(const char *folder, const char *model, int round)
{
	struct buffer path = {0}, stream = {0}, message = {0}, sent = {0}, got = {0}, want = {0};
	struct buffer items = {0};
	struct span messages[] = {HI, {0}, HI};

	buffer_add_format(&path, "tests/data/recordings/%s/%02d/response.sse", folder, round);
	unit_read(buffer_string(&path), &stream);
	told(&protocol_openai_responses, "openai", model, folder, round, &message);
	messages[1] = buffer_span(&message);
	buffer_clear(&path);
	buffer_add_format(&path, "openai:%s", model);
	request_body(buffer_string(&path),
		     &(struct model_request){.messages = typed(messages, 3), .message_count = 3},
		     &sent);
	hosted_items(json_get(buffer_span(&sent), "input"), &got);
	all_items(buffer_span(&stream), &items);
	hosted_items(buffer_span(&items), &want);
	unit_ok(want.len > 0, "%s/%02d: there are such items", folder, round);
	unit_same(buffer_span(&got), buffer_span(&want), folder);
	buffer_free(&path);
	buffer_free(&stream);
	buffer_free(&message);
	buffer_free(&sent);
	buffer_free(&got);
	buffer_free(&want);
	buffer_free(&items);
}

int main(void)
{
	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	setenv("OPENAI_API_KEY", "test-key", 1);
	setenv("XAI_API_KEY", "test-key", 1);
	setenv("DEEPSEEK_API_KEY", "test-key", 1);
	setenv("OPENROUTER_API_KEY", "test-key", 1);
	setenv("AWS_BEARER_TOKEN_BEDROCK", "test-key", 1);
	setenv("AWS_REGION", "us-east-1", 1);
	try_rounds("openai", "openai/responses-pai-openai-responses-model-web-search-tool-stream",
		   2, false);
	for (int round = 2; round <= 4; round++) {
		try_rounds(
		    "openai",
		    "openai/responses-rb-tools-tools-with-multi-turn-streaming-conversations",
		    round, false);
		try_rounds("xai-responses",
			   "xai/responses-rb-tools-tools-with-multi-turn-streaming-conversations",
			   round, false);
	}
	try_rounds("openai", "openai/responses-tl-music-composer-handoff-hierarchy", 3, false);
	try_rounds("openai", "openai/responses-tl-router-analytics-complete-workflow", 5, false);
	try_rounds("openai", "openai/responses-unary-parallel-can-use-parallel-tool-calls", 2,
		   false);
	try_rounds("xai-responses",
		   "xai/responses-unary-parallel-can-handle-multiple-tool-calls-in-a-single", 2,
		   false);
	try_rounds("deepseek-responses",
		   "deepseek/responses-pai-deepseek-responses-function-tool-stream", 2, false);
	try_rounds("openrouter-responses", "openrouter/responses-llm-tool-calls", 2, false);
	try_rounds("bedrock-mantle", "bedrock/responses-pai-reused-tool-call-ids-stream", 3, true);
	try_hosted("openai/responses-pai-openai-native-tool-search-streaming", "gpt-5.4", 1);
	try_hosted("openai/responses-pai-openai-responses-model-web-search-tool-stream", "gpt-5",
		   1);
	try_hosted("openai/responses-pai-openai-responses-model-file-search-tool-stream", "gpt-4o",
		   1);
	try_hosted("openai/responses-pai-openai-responses-code-execution-return-image-stream",
		   "gpt-5", 1);
	try_hosted("openai/responses-pai-openai-responses-model-mcp-list-tools-stream-backfills",
		   "gpt-4.1", 1);
	try_hosted("openai/responses-vc-openai-code-interpreter-tool", "gpt-5-nano", 1);
	try_hosted("openai/responses-vc-openai-mcp-tool", "gpt-5-mini", 1);
	try_hosted("openai/responses-vc-openai-shell-skills", "gpt-5.2", 1);
	try_hosted("openai/responses-vc-programmatic-tool-calling", "gpt-5.6-sol", 1);
	try_hosted("openai/responses-vc-programmatic-tool-calling", "gpt-5.6-sol", 3);
	return unit_done();
}
