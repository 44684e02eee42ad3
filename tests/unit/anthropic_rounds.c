/*
 * Conversations of several rounds, recorded: what anthropic sends in the last one, made of its own
 * answers in the rounds before and of the results recorded there, is what was sent then.
 */
#include "requests.h"

#include "json/schema.h"
#include "net/sse.h"
#include "run/answer.h"

enum { MAX_MESSAGES = 16 };

/* ---- what was answered, as neutral messages ---- */

static void on_delta(void *context, const struct model_delta *delta)
{
	char *id = mem_copy(delta->id);

	answer_add(context, delta, id);
	free(id);
}

static void on_event(void *context, const struct sse_event *event)
{
	protocol_anthropic.event(context, event->type, event->data);
}

static void decode(struct decoder *decoder, const char *folder, int round)
{
	struct buffer path = {0}, bytes = {0};
	struct sse sse;

	buffer_add_format(&path, "%s/%02d/response.sse", folder, round);
	if (file_read(buffer_string(&path), &bytes, NULL)) {
		sse_init(&sse, on_event, decoder);
		sse_feed(&sse, buffer_span(&bytes));
		sse_end(&sse);
		sse_free(&sse);
	} else {
		buffer_clear(&path);
		buffer_add_format(&path, "%s/%02d/response.json", folder, round);
		unit_read(buffer_string(&path), &bytes);
		protocol_anthropic.document(decoder, buffer_span(&bytes));
	}
	buffer_free(&path);
	buffer_free(&bytes);
}

static void add_answer(const char *folder, int round, const char *model, struct buffer *out)
{
	struct provider provider = {.name = "anthropic", .entry = SPAN("{}")};
	struct answer answer = {0};
	struct model_handler handler = {.context = &answer, .delta = on_delta};
	struct decoder *decoder = protocol_anthropic.decoder_new(&(struct model_request){0});
	struct model_outcome outcome;

	decoder->handler = &handler;
	decoder->provider = &provider;
	decode(decoder, folder, round);
	protocol_anthropic.end(decoder, false, &outcome);
	answer_finish(&answer);
	answer_write_message(&answer, "anthropic", model, outcome.refusal, out);
	answer_free(&answer);
	protocol_anthropic.decoder_free(decoder);
}

/* ---- what the user and the tools said, likewise ---- */

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

static void add_said(struct span message, struct buffer *out)
{
	struct json_walk walk = json_walk(json_get(message, "content"));
	bool tool = json_is(json_path(message, "content.0.type"), "tool_result");

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
static void write_block(struct span block, struct buffer *out)
{
	struct json_walk walk = json_walk(block);
	bool result = json_is(json_get(block, "type"), "tool_result");

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
	struct buffer a = {0}, b = {0}, folded = {0};

	fold(got, &folded);
	write_messages(buffer_span(&folded), &a);
	buffer_clear(&folded);
	fold(want, &folded);
	write_messages(buffer_span(&folded), &b);
	if (json_equal(buffer_span(&a), buffer_span(&b)))
		unit_ok(true, "%s", title);
	else
		unit_same(buffer_span(&a), buffer_span(&b), title);
	buffer_free(&a);
	buffer_free(&b);
	buffer_free(&folded);
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
	char *model;

	buffer_add_format(&folder, "tests/data/recordings/anthropic/messages-%s", name);
	buffer_add_format(&path, "%s/%02d/request.json", buffer_string(&folder), rounds);
	unit_read(buffer_string(&path), &recorded);
	model = json_text(json_get(buffer_span(&recorded), "model"));
	walk = json_walk(json_get(buffer_span(&recorded), "messages"));
	while (json_next(&walk) && count < MAX_MESSAGES) {
		if (json_is(json_get(walk.value, "role"), "assistant"))
			add_answer(buffer_string(&folder), ++answered, model, &messages[count]);
		else
			add_said(walk.value, &messages[count]);
		list[count] = buffer_span(&messages[count]);
		count++;
	}
	buffer_clear(&path);
	buffer_add_format(&path, "anthropic:%s", model);
	request_body(buffer_string(&path),
		     &(struct model_request){.messages = list, .message_count = count}, &sent);
	same_messages(json_get(buffer_span(&sent), "messages"),
		      json_get(buffer_span(&recorded), "messages"), name);
	for (size_t i = 0; i < MAX_MESSAGES; i++)
		buffer_free(&messages[i]);
	free(model);
	buffer_free(&folder);
	buffer_free(&path);
	buffer_free(&recorded);
	buffer_free(&sent);
}

int main(void)
{
	setenv("ANTHROPIC_API_KEY", "test-key", 1);
	setenv("AGENT_SHARE", "share/agent", 1);
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
