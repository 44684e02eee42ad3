#include <stdlib.h>

#include "model/protocol/transcript.h"
#include "model/parameters.h"
#include "model/protocol/bedrock.h"

/* The messages while they are written: what stands side by side from one role is one message. */
struct conversation {
	const struct bedrock_writer *w;
	struct buffer blocks; /* of the message that is being written */
	const char *role;     /* its role; NULL: none yet */
	struct span *waiting; /* ids of calls that want their results in the next message */
	size_t waiting_count, waiting_capacity;
	int documents;
	struct buffer id, text; /* to work in */
};

/* ---- blocks ---- */

static void flush(struct conversation *c)
{
	struct buffer *out = c->w->out;

	if (c->blocks.len == 0)
		return;
	json_open(out, '{');
	json_put_text(out, "role", c->role);
	json_key(out, "content");
	json_open(out, '[');
	buffer_add_span(out, buffer_span(&c->blocks));
	json_close(out, ']');
	json_close(out, '}');
	buffer_clear(&c->blocks);
}

static void speak(struct conversation *c, const char *role)
{
	if (c->role == NULL || strcmp(c->role, role) != 0)
		flush(c);
	c->role = role;
}

/* {"KEY":{ ... up to close_block */
static void open_block(struct conversation *c, const char *role, const char *key)
{
	speak(c, role);
	json_open(&c->blocks, '{');
	json_key(&c->blocks, key);
	json_open(&c->blocks, '{');
}

static void close_block(struct conversation *c)
{
	json_close(&c->blocks, '}');
	json_close(&c->blocks, '}');
}

static bool is_blank(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (strchr(" \t\r\n", text.at[i]) == NULL)
			return false;
	return true;
}

static void put_text(struct conversation *c, struct span text)
{
	json_open(&c->blocks, '{');
	json_put_string(&c->blocks, "text", text);
	json_close(&c->blocks, '}');
}

/* A text that is blank would be refused. */
static void add_text(struct conversation *c, const char *role, struct span value)
{
	buffer_clear(&c->text);
	json_decode(value, &c->text);
	if (is_blank(buffer_span(&c->text)))
		return;
	speak(c, role);
	put_text(c, buffer_span(&c->text));
}

static void put_id(struct conversation *c, struct span id)
{
	buffer_clear(&c->id);
	message_safe_id(c->w->request, id, c->w->provider, BEDROCK_MAX_ID, &c->id);
	json_put_string(&c->blocks, "toolUseId", buffer_span(&c->id));
}

/* ---- the user's messages ---- */

static bool add_user(struct conversation *c, struct span message)
{
	struct span content = json_get(message, "content");
	struct json_walk walk = json_walk(content);

	add_text(c, "user", content);
	while (json_next(&walk)) {
		struct span type = json_get(walk.value, "type");

		if (json_is(type, "text")) {
			add_text(c, "user", json_get(walk.value, "text"));
		} else if (json_is(type, "image") || json_is(type, "file")) {
			speak(c, "user");
			if (!bedrock_write_file(c->w, walk.value, &c->documents, &c->blocks))
				return false;
		} else {
			return message_refuse_part(c->w->provider, c->w->model, walk.value,
						   c->w->e);
		}
	}
	return true;
}

/* ---- results ---- */

static void wait_for(struct conversation *c, struct span id)
{
	if (c->waiting_count == c->waiting_capacity) {
		c->waiting_capacity = c->waiting_capacity * 2 + 4;
		c->waiting = mem_resize(c->waiting, c->waiting_capacity * sizeof(*c->waiting));
	}
	c->waiting[c->waiting_count++] = id;
}

/* Whether a result for `id` is waited for; it is not any more. */
static bool got(struct conversation *c, struct span id)
{
	for (size_t i = 0; i < c->waiting_count; i++) {
		if (!span_equal(c->waiting[i], id))
			continue;
		c->waiting_count--;
		memmove(&c->waiting[i], &c->waiting[i + 1],
			(c->waiting_count - i) * sizeof(*c->waiting));
		return true;
	}
	return false;
}

/* Only some families of models take a flag for errors: quirk "result_status". */
static void add_result(struct conversation *c, struct span id, struct span text, bool is_error)
{
	struct span flag = parameters_quirk(c->w->provider, c->w->model, "result_status");

	open_block(c, "user", "toolResult");
	put_id(c, id);
	json_key(&c->blocks, "content");
	json_open(&c->blocks, '[');
	put_text(c, is_blank(text) ? SPAN("(no output)") : text);
	json_close(&c->blocks, ']');
	if (is_error && json_true(flag))
		json_put_text(&c->blocks, "status", "error");
	close_block(c);
}

/* Every call has its result in the very next message, even one that never came. */
static void add_missing(struct conversation *c)
{
	for (size_t i = 0; i < c->waiting_count; i++)
		add_result(c, c->waiting[i],
			   SPAN("Error: the call was interrupted, there is no result."), true);
	c->waiting_count = 0;
}

/* A result whose call is not in the message before is no result to the API. */
static void add_late(struct conversation *c, struct span part, struct span text)
{
	struct buffer words = {0};

	buffer_add_text(&words, "Result of ");
	json_decode(json_get(part, "tool_name"), &words);
	buffer_add_text(&words, ":\n");
	buffer_add_span(&words, text);
	speak(c, "user");
	put_text(c, buffer_span(&words));
	buffer_free(&words);
}

static bool add_results(struct conversation *c, struct span content)
{
	struct json_walk walk = json_walk(content);
	struct buffer text = {0};
	bool ok = true;

	while (ok && json_next(&walk)) {
		struct span id = json_get(walk.value, "tool_call_id");

		if (!json_is(json_get(walk.value, "type"), "tool_result")) {
			ok = message_refuse_part(c->w->provider, c->w->model, walk.value, c->w->e);
			break;
		}
		buffer_clear(&text);
		message_result_text(walk.value, &text);
		if (got(c, id))
			add_result(c, id, buffer_span(&text),
				   json_true(json_get(walk.value, "is_error")));
		else
			add_late(c, walk.value, buffer_span(&text));
	}
	add_missing(c);
	buffer_free(&text);
	return ok;
}

/* ---- the model's messages ---- */

static void add_call(struct conversation *c, struct span part, bool by_provider)
{
	struct buffer args = {0};

	message_args(part, &args);
	open_block(c, "assistant", "toolUse");
	put_id(c, json_get(part, "tool_call_id"));
	buffer_clear(&c->text);
	message_safe_name(json_get(part, "tool_name"), BEDROCK_MAX_ID, &c->text);
	json_put_string(&c->blocks, "name", buffer_span(&c->text));
	json_put_raw(&c->blocks, "input", buffer_span(&args));
	if (by_provider)
		json_put_text(&c->blocks, "type", "server_tool_use");
	close_block(c);
	buffer_free(&args);
}

/* A call that the provider ran goes back with what it gave, as it came. */
static void add_provider_call(struct conversation *c, struct span part)
{
	struct span head = json_path(part, "provider_data.result");
	struct span content = json_path(part, "provider_data.content");
	struct json_walk walk = json_walk(head);

	if (json_type(content) != JSON_ARRAY)
		return;
	add_call(c, part, true);
	open_block(c, "assistant", "toolResult");
	while (json_next(&walk)) {
		json_comma(&c->blocks);
		buffer_add_span(&c->blocks, walk.key);
		buffer_add_char(&c->blocks, ':');
		buffer_add_span(&c->blocks, walk.value);
	}
	json_put_raw(&c->blocks, "content", content);
	close_block(c);
}

/* Reasoning goes back signed or not at all. */
static void add_thinking(struct conversation *c, struct span part)
{
	struct span signature = json_path(part, "provider_data.signature");

	if (signature.at == NULL)
		return;
	open_block(c, "assistant", "reasoningContent");
	json_key(&c->blocks, "reasoningText");
	json_open(&c->blocks, '{');
	json_put_raw(&c->blocks, "text", json_get(part, "text"));
	json_put_raw(&c->blocks, "signature", signature);
	json_close(&c->blocks, '}');
	close_block(c);
}

static void add_opaque(struct conversation *c, struct span part)
{
	struct span redacted = json_path(part, "provider_data.redactedContent");

	if (redacted.at == NULL)
		return;
	open_block(c, "assistant", "reasoningContent");
	json_put_raw(&c->blocks, "redactedContent", redacted);
	close_block(c);
}

static void add_cited(struct conversation *c, struct span part, struct span citations)
{
	open_block(c, "assistant", "citationsContent");
	json_key(&c->blocks, "content");
	json_open(&c->blocks, '[');
	json_open(&c->blocks, '{');
	json_put_raw(&c->blocks, "text", json_get(part, "text"));
	json_close(&c->blocks, '}');
	json_close(&c->blocks, ']');
	json_put_raw(&c->blocks, "citations", citations);
	close_block(c);
}

/* `own`: what the provider wants back of its answer can be read by this model. */
static void add_part(struct conversation *c, struct span part, bool own)
{
	struct span type = json_get(part, "type");
	struct span citations = json_path(part, "provider_data.citations");

	if (message_is_call(part)) {
		add_call(c, part, false);
		wait_for(c, json_get(part, "tool_call_id"));
	} else if (json_is(type, "text") && own && citations.at != NULL) {
		add_cited(c, part, citations);
	} else if (json_is(type, "text") || json_is(type, "refusal")) {
		add_text(c, "assistant", json_get(part, "text"));
	} else if (own && json_is(type, "tool_call")) {
		add_provider_call(c, part);
	} else if (own && json_is(type, "thinking")) {
		add_thinking(c, part);
	} else if (own && json_is(type, "opaque")) {
		add_opaque(c, part);
	}
}

/* The provider has models of many makers, none of which can read another's signatures. */
static bool is_own(const struct conversation *c, struct span message)
{
	struct span model = json_get(message, "model");

	return message_is_own(message, c->w->provider) &&
	       (model.at == NULL || json_is(model, c->w->model));
}

static void add_assistant(struct conversation *c, struct span message)
{
	struct json_walk walk = json_walk(json_get(message, "content"));
	bool own = is_own(c, message);

	add_text(c, "assistant", json_get(message, "content"));
	while (json_next(&walk))
		add_part(c, walk.value, own);
}

/* ---- all of them ---- */

static bool add_message(struct conversation *c, struct span message)
{
	enum message_role role = message_role(message);

	if (role != MESSAGE_TOOL && role != MESSAGE_SYSTEM)
		add_missing(c);
	switch (role) {
	case MESSAGE_SYSTEM:
		return true; /* written beside the messages */
	case MESSAGE_USER:
		return add_user(c, message);
	case MESSAGE_ASSISTANT:
		add_assistant(c, message);
		return true;
	case MESSAGE_TOOL:
		return add_results(c, json_get(message, "content"));
	case MESSAGE_UNKNOWN:
		break;
	}
	return message_refuse_role(message, c->w->e);
}

bool bedrock_write_messages(const struct bedrock_writer *w)
{
	struct conversation c = {.w = w};
	bool ok = true;

	json_open(w->out, '[');
	for (size_t i = 0; ok && i < w->request->message_count; i++)
		ok = add_message(&c, w->request->messages[i]->json);
	add_missing(&c);
	flush(&c);
	json_close(w->out, ']');
	buffer_free(&c.blocks);
	buffer_free(&c.id);
	buffer_free(&c.text);
	free(c.waiting);
	return ok;
}
