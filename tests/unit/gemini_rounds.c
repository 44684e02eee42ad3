/*
 * Conversations of several rounds, recorded: what gemini and vertex send in the last one, made of
 * their own answers in the rounds before and of the results recorded there, is what was sent then.
 */
#include "requests.h"

#include "json/schema.h"
#include "net/sse.h"
#include "run/answer.h"

enum { MAX_MESSAGES = 16 };

/* A conversation: what was said so far, as neutral messages, and the calls of the last answer. */
struct talk {
	const char *folder, *provider, *model;
	int round; /* answers so far */
	struct buffer messages[MAX_MESSAGES];
	struct span list[MAX_MESSAGES];
	size_t count;
	struct buffer ids; /* of the calls of the last answer: JSON strings, an array */
	int calls;         /* so far */
};

/* ---- what was answered ---- */

struct listener {
	struct answer answer;
	struct talk *talk;
	struct decoder *decoder;
};

/* The ids are the run's own, as in a real run. */
static void on_delta(void *context, const struct model_delta *delta)
{
	struct listener *l = context;
	struct buffer id = {0};

	if (delta->type == MODEL_TOOL_CALL) {
		if (delta->id.len > 0)
			buffer_add_span(&id, delta->id);
		else
			buffer_add_format(&id, "call_%d", ++l->talk->calls);
		json_comma(&l->talk->ids);
		json_write_string(&l->talk->ids, buffer_span(&id));
	}
	answer_add(&l->answer, delta, buffer_string(&id));
	buffer_free(&id);
}

static void on_event(void *context, const struct sse_event *event)
{
	struct listener *l = context;

	(void)event->type;
	protocol_gemini.event(l->decoder, (struct span){0}, event->data);
}

static void decode(struct listener *l)
{
	struct buffer path = {0}, bytes = {0};
	struct sse sse;

	buffer_add_format(&path, "%s/%02d/response.sse", l->talk->folder, l->talk->round);
	if (file_read(buffer_string(&path), &bytes, NULL)) {
		sse_init(&sse, on_event, l);
		sse_feed(&sse, buffer_span(&bytes));
		sse_end(&sse);
		sse_free(&sse);
	} else {
		buffer_clear(&path);
		buffer_add_format(&path, "%s/%02d/response.json", l->talk->folder, l->talk->round);
		unit_read(buffer_string(&path), &bytes);
		protocol_gemini.document(l->decoder, buffer_span(&bytes));
	}
	buffer_free(&path);
	buffer_free(&bytes);
}

static void add_answer(struct talk *talk)
{
	struct provider provider = {.name = (char *)talk->provider, .entry = SPAN("{}")};
	struct listener l = {.talk = talk};
	struct model_handler handler = {.context = &l, .delta = on_delta};
	struct model_outcome outcome;

	talk->round++;
	buffer_clear(&talk->ids);
	json_open(&talk->ids, '[');
	l.decoder = protocol_gemini.decoder_new(&(struct model_request){0});
	l.decoder->handler = &handler;
	l.decoder->provider = &provider;
	decode(&l);
	protocol_gemini.end(l.decoder, false, &outcome);
	json_close(&talk->ids, ']');
	answer_finish(&l.answer);
	answer_write_message(&l.answer, talk->provider, talk->model, outcome.refusal,
			     &talk->messages[talk->count]);
	answer_free(&l.answer);
	protocol_gemini.decoder_free(l.decoder);
}

/* ---- what the user and the tools said ---- */

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

static void add_said(struct talk *talk, struct span content)
{
	struct json_walk walk = json_walk(json_get(content, "parts"));
	struct json_walk ids = json_walk(buffer_span(&talk->ids));
	struct buffer *out = &talk->messages[talk->count], text = {0};
	bool tool = response_of(json_path(content, "parts.0")).at != NULL;

	json_open(out, '{');
	json_put_text(out, "role", tool ? "tool" : "user");
	json_key(out, "content");
	json_open(out, '[');
	while (json_next(&walk)) {
		struct span response = response_of(walk.value);

		json_open(out, '{');
		if (tool && json_next(&ids)) {
			buffer_clear(&text);
			result_text(json_get(response, "response"), &text);
			json_put_text(out, "type", "tool_result");
			json_put_raw(out, "tool_call_id", ids.value);
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
	struct json_walk walk = json_walk(contents);

	json_open(out, '[');
	while (json_next(&walk)) {
		struct json_walk parts = json_walk(json_get(walk.value, "parts"));
		struct span before = {0};

		json_open(out, '{');
		json_put_raw(out, "role", json_get(walk.value, "role"));
		json_key(out, "parts");
		json_open(out, '[');
		while (json_next(&parts)) {
			write_part(parts.value, before, out);
			before = parts.value;
		}
		json_close(out, ']');
		json_close(out, '}');
	}
	json_close(out, ']');
}

static void same_contents(struct span got, struct span want, const char *title)
{
	struct buffer a = {0}, b = {0};

	write_contents(got, &a);
	write_contents(want, &b);
	if (json_equal(buffer_span(&a), buffer_span(&b)))
		unit_ok(true, "%s", title);
	else
		unit_same(buffer_span(&a), buffer_span(&b), title);
	buffer_free(&a);
	buffer_free(&b);
}

/* ---- a conversation ---- */

static void try_rounds(const char *provider, const char *model, const char *name, int rounds)
{
	struct buffer folder = {0}, path = {0}, recorded = {0}, sent = {0};
	struct talk talk = {.provider = provider, .model = model};
	struct json_walk walk;

	buffer_add_format(&folder, "tests/data/recordings/%s/gen-%s", provider, name);
	talk.folder = buffer_string(&folder);
	buffer_add_format(&path, "%s/%02d/request.json", talk.folder, rounds);
	unit_read(buffer_string(&path), &recorded);
	walk = json_walk(json_get(buffer_span(&recorded), "contents"));
	while (json_next(&walk) && talk.count < MAX_MESSAGES) {
		if (json_is(json_get(walk.value, "role"), "model"))
			add_answer(&talk);
		else
			add_said(&talk, walk.value);
		talk.list[talk.count] = buffer_span(&talk.messages[talk.count]);
		talk.count++;
	}
	buffer_clear(&path);
	buffer_add_format(&path, "%s:%s", provider, model);
	request_body(buffer_string(&path),
		     &(struct model_request){.messages = talk.list, .message_count = talk.count},
		     &sent);
	same_contents(json_get(buffer_span(&sent), "contents"),
		      json_get(buffer_span(&recorded), "contents"), name);
	for (size_t i = 0; i < MAX_MESSAGES; i++)
		buffer_free(&talk.messages[i]);
	buffer_free(&talk.ids);
	buffer_free(&folder);
	buffer_free(&path);
	buffer_free(&recorded);
	buffer_free(&sent);
}

int main(void)
{
	setenv("GOOGLE_API_KEY", "test-key", 1);
	setenv("GOOGLE_CLOUD_ACCESS_TOKEN", "test-token", 1);
	setenv("GOOGLE_CLOUD_PROJECT", "p1", 1);
	setenv("AGENT_SHARE", "share/agent", 1);
	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	try_rounds("gemini", "gemini-2.0-flash", "pai-google-model-iter-stream", 3);
	try_rounds("gemini", "gemini-2.5-pro", "pai-google-model-web-search-tool-stream", 2);
	try_rounds("gemini", "gemini-3-pro-preview",
		   "pai-google-streaming-tool-call-thought-signature", 2);
	try_rounds("gemini", "gemini-3-flash-preview",
		   "pai-native-output-with-function-tools-stream", 2);
	try_rounds("gemini", "gemini-3.6-flash", "llm-tools-with-nested-pydantic-models", 2);
	try_rounds("gemini", "gemini-2.5-flash",
		   "rb-tools-tools-without-parameters-in-multi-turn-streaming", 4);
	try_rounds("gemini", "gemini-2.5-flash", "unary-parallel-can-use-parallel-tool-calls", 2);
	try_rounds("vertex", "gemini-2.5-flash",
		   "rb-tools-tools-with-multi-turn-streaming-conversations", 4);
	try_rounds("vertex", "gemini-2.5-flash",
		   "unary-parallel-can-handle-multiple-tool-calls-in-a-single", 2);
	try_rounds("vertex", "gemini-2.5-flash", "unary-parallel-can-use-parallel-tool-calls", 2);
	return unit_done();
}
