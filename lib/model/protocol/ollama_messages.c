#include "model/protocol/ollama.h"

#include "model/protocol/transcript.h"
#include "model/parameters.h"
#include "model/schema_dialect.h"

/* One request's messages while they are written. */
struct writer {
	const struct provider *provider;
	const char *model;
	const struct model_request *request;
	struct buffer *out;
	struct buffer text, images; /* of user messages that follow each other, not yet written;
				     * images are the inside of an array */
	struct buffer scratch;
	bool in_loop; /* no user message follows: this is the tool loop that is running */
	struct error *e;
};

static void begin(struct writer *w, const char *role, struct span content)
{
	json_open(w->out, '{');
	json_put_text(w->out, "role", role);
	json_put_string(w->out, "content", content);
}

/* ---- the user's ---- */

static void flush_user(struct writer *w)
{
	if (w->text.len == 0 && w->images.len == 0)
		return;
	begin(w, "user", buffer_span(&w->text));
	if (w->images.len > 0) {
		json_key(w->out, "images");
		json_open(w->out, '[');
		buffer_add_span(w->out, buffer_span(&w->images));
		json_close(w->out, ']');
	}
	json_close(w->out, '}');
	buffer_clear(&w->text);
	buffer_clear(&w->images);
}

/* Whether the model takes images: all may, unless the quirk "attach" says otherwise. */
static bool takes_images(const struct writer *w)
{
	return provider_quirk(w->provider, "attach").at == NULL ||
	       parameters_quirk_has(w->provider, w->model, "attach", "image");
}

static bool add_user(struct writer *w, struct span message)
{
	struct span content = json_get(message, "content");
	struct json_walk walk = json_walk(content);

	message_add_paragraph(content, &w->text);
	while (json_next(&walk)) {
		struct span type = json_get(walk.value, "type");

		if (json_is(type, "text")) {
			message_add_paragraph(json_get(walk.value, "text"), &w->text);
		} else if (json_is(type, "image") && takes_images(w)) {
			json_comma(&w->images);
			buffer_add_span(&w->images, json_get(walk.value, "data"));
		} else {
			return message_refuse_part(w->provider, w->model, walk.value, w->e);
		}
	}
	return true;
}

/* ---- the model's ---- */

/* The id that the server itself gave the call; empty where it gave none. */
static struct span wire_id(struct writer *w, struct span id)
{
	buffer_clear(&w->scratch);
	message_call_id(w->request, id, w->provider, &w->scratch);
	return buffer_span(&w->scratch);
}

static void write_call(struct writer *w, struct span part, int64_t index)
{
	struct span id = wire_id(w, json_get(part, "tool_call_id"));
	struct buffer args = {0};

	message_args(part, &args);
	json_open(w->out, '{');
	if (id.len > 0)
		json_put_string(w->out, "id", id);
	json_key(w->out, "function");
	json_open(w->out, '{');
	json_put_int(w->out, "index", index);
	json_put_raw(w->out, "name", json_get(part, "tool_name"));
	json_put_raw(w->out, "arguments", buffer_span(&args));
	json_close(w->out, '}');
	json_close(w->out, '}');
	buffer_free(&args);
}

static int64_t count_calls(struct span content)
{
	struct json_walk walk = json_walk(content);
	int64_t count = 0;

	while (json_next(&walk))
		count += message_is_call(walk.value);
	return count;
}

static void write_calls(struct writer *w, struct span content)
{
	struct json_walk walk = json_walk(content);
	int64_t index = 0;

	json_key(w->out, "tool_calls");
	json_open(w->out, '[');
	while (json_next(&walk))
		if (message_is_call(walk.value))
			write_call(w, walk.value, index++);
	json_close(w->out, ']');
}

/* Append what the parts of these two types say. */
static void add_texts(struct span content, const char *type, const char *other, struct buffer *out)
{
	struct json_walk walk = json_walk(content);

	message_add_paragraph(content, out);
	while (json_next(&walk)) {
		struct span is = json_get(walk.value, "type");

		if (json_is(is, type) || json_is(is, other))
			message_add_paragraph(json_get(walk.value, "text"), out);
	}
}

/* Reasoning goes back within the tool loop that is running, as the models' templates have it. */
static void write_thinking(struct writer *w, struct span message)
{
	struct json_walk walk = json_walk(json_get(message, "content"));

	buffer_clear(&w->scratch);
	if (!w->in_loop || !message_is_own(message, w->provider))
		return;
	while (json_next(&walk))
		if (json_is(json_get(walk.value, "type"), "thinking"))
			json_decode(json_get(walk.value, "text"), &w->scratch);
	if (w->scratch.len > 0)
		json_put_string(w->out, "thinking", buffer_span(&w->scratch));
}

static void write_assistant(struct writer *w, struct span message)
{
	struct span content = json_get(message, "content");
	bool calls = count_calls(content) > 0;
	struct buffer text = {0};

	add_texts(content, "text", "refusal", &text);
	if (calls || text.len > 0) {
		flush_user(w);
		begin(w, "assistant", buffer_span(&text));
		write_thinking(w, message);
		if (calls)
			write_calls(w, content);
		json_close(w->out, '}');
	}
	buffer_free(&text);
}

/* ---- the tools' ---- */

static bool write_results(struct writer *w, struct span message)
{
	struct json_walk walk = json_walk(json_get(message, "content"));
	struct buffer text = {0};
	bool ok = true;

	flush_user(w);
	while (ok && json_next(&walk)) {
		struct span id;

		if (!json_is(json_get(walk.value, "type"), "tool_result")) {
			ok = message_refuse_part(w->provider, w->model, walk.value, w->e);
			break;
		}
		buffer_clear(&text);
		message_result_text(walk.value, &text);
		begin(w, "tool", buffer_span(&text));
		json_put_raw(w->out, "tool_name", json_get(walk.value, "tool_name"));
		id = wire_id(w, json_get(walk.value, "tool_call_id"));
		if (id.len > 0)
			json_put_string(w->out, "tool_call_id", id);
		json_close(w->out, '}');
	}
	buffer_free(&text);
	return ok;
}

/* ---- all of them ---- */

static bool write_message(struct writer *w, struct span message)
{
	switch (message_role(message)) {
	case MESSAGE_SYSTEM:
		return true; /* written at the start */
	case MESSAGE_USER:
		return add_user(w, message);
	case MESSAGE_ASSISTANT:
		write_assistant(w, message);
		return true;
	case MESSAGE_TOOL:
		return write_results(w, message);
	case MESSAGE_UNKNOWN:
		break;
	}
	return message_refuse_role(message, w->e);
}

/* What "format" forces on the model, it does not know: the instructions tell it. */
static void write_system(struct writer *w)
{
	struct buffer text = {0};

	message_system(w->request, &text);
	if (w->request->schema.at != NULL)
		dialect_instruction(w->request->schema, &text);
	if (text.len > 0) {
		begin(w, "system", buffer_span(&text));
		json_close(w->out, '}');
	}
	buffer_free(&text);
}

bool ollama_messages(const struct provider *provider, const char *model,
		     const struct model_request *request, struct buffer *out, struct error *e)
{
	struct writer w = {
	    .provider = provider, .model = model, .request = request, .out = out, .e = e};
	size_t last_user = 0;
	bool ok = true;

	for (size_t i = 0; i < request->message_count; i++)
		if (message_role(request->messages[i]->json) == MESSAGE_USER)
			last_user = i;
	json_open(out, '[');
	write_system(&w);
	for (size_t i = 0; ok && i < request->message_count; i++) {
		w.in_loop = i > last_user;
		ok = write_message(&w, request->messages[i]->json);
	}
	flush_user(&w);
	json_close(out, ']');
	buffer_free(&w.text);
	buffer_free(&w.images);
	buffer_free(&w.scratch);
	return ok;
}
