/*
 * Conversations of several rounds, recorded: what Bedrock is sent in the last one, made of its own
 * answers in the rounds before and of the results recorded there, is what was sent then.
 */
#include "requests.h"

#include "json/schema.h"
#include "net/aws_stream.h"
#include "run/answer.h"

enum { MAX_MESSAGES = 16 };

/* ---- what was answered, as neutral messages ---- */

static void on_delta(void *context, const struct model_delta *delta)
{
	char *id = mem_copy(delta->id);

	answer_add(context, delta, id);
	free(id);
}

static void on_message(void *context, const struct aws_message *message)
{
	protocol_bedrock.event(context, message->name, message->payload);
}

static void decode(struct decoder *decoder, const char *folder, int round)
{
	struct buffer path = {0}, bytes = {0};
	struct aws_stream stream;

	buffer_add_format(&path, "%s/%02d/response.eventstream", folder, round);
	if (file_read(buffer_string(&path), &bytes, NULL)) {
		aws_stream_init(&stream, on_message, decoder);
		aws_stream_feed(&stream, buffer_span(&bytes));
		aws_stream_free(&stream);
	} else {
		buffer_clear(&path);
		buffer_add_format(&path, "%s/%02d/response.json", folder, round);
		unit_read(buffer_string(&path), &bytes);
		protocol_bedrock.document(decoder, buffer_span(&bytes));
	}
	buffer_free(&path);
	buffer_free(&bytes);
}

static void add_answer(const char *folder, int round, struct buffer *out)
{
	struct provider provider = {.name = "bedrock", .entry = SPAN("{}")};
	struct answer answer = {0};
	struct model_handler handler = {.context = &answer, .delta = on_delta};
	struct decoder *decoder = protocol_bedrock.decoder_new(&(struct model_request){0});
	struct model_outcome outcome;

	decoder->handler = &handler;
	decoder->provider = &provider;
	decode(decoder, folder, round);
	protocol_bedrock.end(decoder, false, &outcome);
	answer_finish(&answer);
	answer_write_message(&answer, "bedrock", "m", outcome.refusal, out);
	answer_free(&answer);
	protocol_bedrock.decoder_free(decoder);
}

/* ---- what the user and the tools said, likewise ---- */

static void add_said(struct span message, struct buffer *out)
{
	struct json_walk walk = json_walk(json_get(message, "content"));
	bool tool = json_path(message, "content.0.toolResult").at != NULL;

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
static void write_block(struct span block, struct buffer *out)
{
	struct json_walk walk = json_walk(json_get(block, "toolResult"));

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
	struct json_walk walk = json_walk(messages);

	json_open(out, '[');
	while (json_next(&walk)) {
		struct json_walk blocks = json_walk(json_get(walk.value, "content"));

		json_open(out, '{');
		json_put_raw(out, "role", json_get(walk.value, "role"));
		json_key(out, "content");
		json_open(out, '[');
		while (json_next(&blocks))
			write_block(blocks.value, out);
		json_close(out, ']');
		json_close(out, '}');
	}
	json_close(out, ']');
}

static void same_messages(struct span got, struct span want, const char *title)
{
	struct buffer a = {0}, b = {0};

	write_messages(got, &a);
	write_messages(want, &b);
	if (json_equal(buffer_span(&a), buffer_span(&b)))
		unit_ok(true, "%s", title);
	else
		unit_same(buffer_span(&a), buffer_span(&b), title);
	buffer_free(&a);
	buffer_free(&b);
}

/* ---- a conversation ---- */

static void try_rounds(const char *name, int rounds)
{
	struct buffer folder = {0}, path = {0}, recorded = {0}, messages[MAX_MESSAGES] = {{0}};
	struct buffer sent = {0};
	struct span list[MAX_MESSAGES];
	struct json_walk walk;
	size_t count = 0;
	int answered = 0;

	buffer_add_format(&folder, "tests/data/recordings/bedrock/converse-%s", name);
	buffer_add_format(&path, "%s/%02d/request.json", buffer_string(&folder), rounds);
	unit_read(buffer_string(&path), &recorded);
	walk = json_walk(json_get(buffer_span(&recorded), "messages"));
	while (json_next(&walk) && count < MAX_MESSAGES) {
		if (json_is(json_get(walk.value, "role"), "assistant"))
			add_answer(buffer_string(&folder), ++answered, &messages[count]);
		else
			add_said(walk.value, &messages[count]);
		list[count] = buffer_span(&messages[count]);
		count++;
	}
	request_body("bedrock:m", &(struct model_request){.messages = list, .message_count = count},
		     &sent);
	same_messages(json_get(buffer_span(&sent), "messages"),
		      json_get(buffer_span(&recorded), "messages"), name);
	for (size_t i = 0; i < MAX_MESSAGES; i++)
		buffer_free(&messages[i]);
	buffer_free(&folder);
	buffer_free(&path);
	buffer_free(&recorded);
	buffer_free(&sent);
}

/* Not among them: lc-agent-loop-streaming-v0, whose client left out the text beside a call. */
int main(void)
{
	setenv("AWS_BEARER_TOKEN_BEDROCK", "test-key", 1);
	setenv("AGENT_SHARE", "share/agent", 1);
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
