#include "model/protocol/openai_chat.h"

#include <ctype.h>
#include <stdlib.h>

#include "model/protocol/transcript.h"
#include "model/parameters.h"
#include "model/schema_dialect.h"

/* One request's messages while they are written. */
struct writer {
	const struct provider *provider;
	const char *model;
	const struct model_request *request;
	struct buffer *out;
	struct buffer scratch;
	struct buffer user; /* text of user messages that follow each other, not yet written */
	struct buffer
	    parts;       /* what stands before it where there is not only text: an array's inside */
	bool after_tool; /* the message written last is a tool's */
	bool in_loop;    /* no user message follows: this is the tool loop that is running */
	struct error *e;
};

/* ---- pieces ---- */

/* The id of a call that another provider made, as this server takes it: letters, digits, '_' and
 * '-', no more of them than the strictest allows, or exactly as many as it wants. */
static void foreign_id(struct writer *w)
{
	enum { MOST = 40 };
	static const char digits[] =
	    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	int64_t exact = json_int(provider_quirk(w->provider, "tool_call_id_length"), 0);
	int64_t most = json_int(provider_quirk(w->provider, "tool_call_id_max"), MOST);
	int64_t len = (int64_t)w->scratch.len;
	uint64_t hash = 0xCBF29CE484222325; /* FNV-1a, then a linear congruential generator */
	bool good = exact > 0 ? len == exact : len > 0 && len <= most;

	for (size_t i = 0; i < w->scratch.len; i++) {
		unsigned char c = (unsigned char)w->scratch.at[i];

		good &= c < 0x80 && (isalnum(c) || (exact == 0 && (c == '_' || c == '-')));
		hash = (hash ^ c) * 0x100000001B3;
	}
	if (good)
		return;
	buffer_clear(&w->scratch);
	for (int64_t i = 0; i < (exact > 0 ? exact : 9); i++) {
		hash = hash * 6364136223846793005u + 1442695040888963407u;
		buffer_add_char(&w->scratch, digits[(hash >> 33) % 62]);
	}
}

/* The id of a call: the server's own, as it came; of one that it would refuse, or did not give, one
 * that it takes, the same for the call and for its result. Stays valid until the next call. */
static struct span wire_id(struct writer *w, struct span id)
{
	bool own = message_own_call(w->request, id, w->provider).at != NULL;

	buffer_clear(&w->scratch);
	message_call_id(w->request, id, w->provider, &w->scratch);
	if (own && w->scratch.len > 0)
		return buffer_span(&w->scratch);
	if (w->scratch.len == 0)
		json_decode(id, &w->scratch);
	foreign_id(w);
	return buffer_span(&w->scratch);
}

static void begin(struct writer *w, const char *role)
{
	json_open(w->out, '{');
	json_put_text(w->out, "role", role);
	w->after_tool = strcmp(role, "tool") == 0;
}

/* ---- messages ---- */

static void flush_user_text(struct writer *w)
{
	if (w->user.len == 0)
		return;
	json_open(&w->parts, '{');
	json_put_text(&w->parts, "type", "text");
	json_put_string(&w->parts, "text", buffer_span(&w->user));
	json_close(&w->parts, '}');
	buffer_clear(&w->user);
}

static void flush_user(struct writer *w)
{
	if (w->user.len == 0 && w->parts.len == 0)
		return;
	if (w->after_tool && json_true(provider_quirk(w->provider, "no_user_after_tool"))) {
		begin(w, "assistant");
		json_put_text(w->out, "content", "OK.");
		json_close(w->out, '}');
	}
	begin(w, "user");
	if (w->parts.len == 0) {
		json_put_string(w->out, "content", buffer_span(&w->user));
	} else {
		flush_user_text(w);
		json_key(w->out, "content");
		json_open(w->out, '[');
		buffer_add_span(w->out, buffer_span(&w->parts));
		json_close(w->out, ']');
	}
	json_close(w->out, '}');
	buffer_clear(&w->user);
	buffer_clear(&w->parts);
}

/* Whether the models of this server take parts of `type`: quirk "attach", a list for each pattern
 * of model names; images where it says nothing. */
static bool takes(const struct writer *w, const char *type)
{
	if (provider_quirk(w->provider, "attach").at == NULL)
		return strcmp(type, "image") == 0;
	return parameters_quirk_has(w->provider, w->model, "attach", type);
}

static bool add_attachment(struct writer *w, struct span part)
{
	bool is_image = json_is(json_get(part, "type"), "image");
	const char *type = is_image ? "image_url" : "file";

	if (!takes(w, is_image ? "image" : "file"))
		return message_refuse_part(w->provider, w->model, part, w->e);
	flush_user_text(w);
	json_open(&w->parts, '{');
	json_put_text(&w->parts, "type", type);
	json_key(&w->parts, type);
	json_open(&w->parts, '{');
	if (!is_image)
		json_put_raw(&w->parts, "filename", json_get(part, "name"));
	message_put_data_url(&w->parts, is_image ? "url" : "file_data", part);
	json_close(&w->parts, '}');
	json_close(&w->parts, '}');
	return true;
}

static bool add_user(struct writer *w, struct span message)
{
	struct span content = json_get(message, "content");
	struct json_walk walk = json_walk(content);

	message_add_paragraph(content, &w->user);
	while (json_next(&walk)) {
		struct span type = json_get(walk.value, "type");

		if (json_is(type, "text"))
			message_add_paragraph(json_get(walk.value, "text"), &w->user);
		else if (!json_is(type, "image") && !json_is(type, "file"))
			return message_refuse_part(w->provider, w->model, walk.value, w->e);
		else if (!add_attachment(w, walk.value))
			return false;
	}
	return true;
}

static void write_call(struct writer *w, struct span part, bool own)
{
	struct span extra = json_path(part, "provider_data.extra_content");
	struct buffer args = {0};

	message_args(part, &args);
	json_open(w->out, '{');
	json_put_string(w->out, "id", wire_id(w, json_get(part, "tool_call_id")));
	json_put_text(w->out, "type", "function");
	json_key(w->out, "function");
	json_open(w->out, '{');
	json_put_raw(w->out, "name", json_get(part, "tool_name"));
	json_put_string(w->out, "arguments", buffer_span(&args));
	json_close(w->out, '}');
	if (own && extra.at != NULL)
		json_put_raw(w->out, "extra_content", extra);
	json_close(w->out, '}');
	buffer_free(&args);
}

static void write_calls(struct writer *w, struct span content, bool own)
{
	struct json_walk walk = json_walk(content);
	bool any = false;

	while (json_next(&walk)) {
		if (!message_is_call(walk.value))
			continue;
		if (!any) {
			json_key(w->out, "tool_calls");
			json_open(w->out, '[');
			any = true;
		}
		write_call(w, walk.value, own);
	}
	if (any)
		json_close(w->out, ']');
}

/* Send reasoning back where the provider wants it. */
static void write_reasoning(struct writer *w, struct span message)
{
	struct span quirk = provider_quirk(w->provider, "reasoning_back");
	struct span details = json_path(message, "provider_data.reasoning_details");
	struct json_walk walk = json_walk(json_get(message, "content"));
	char *field;

	if (!message_is_own(message, w->provider))
		return;
	if (json_is(quirk, "reasoning_details")) {
		if (details.at != NULL)
			json_put_raw(w->out, "reasoning_details", details);
		return;
	}
	field = json_text(quirk);
	if (field == NULL ||
	    !(w->in_loop || json_true(provider_quirk(w->provider, "reasoning_back_all")))) {
		free(field);
		return;
	}
	buffer_clear(&w->scratch);
	while (json_next(&walk))
		if (json_is(json_get(walk.value, "type"), "thinking"))
			json_decode(json_get(walk.value, "text"), &w->scratch);
	if (w->scratch.len > 0)
		json_put_string(w->out, field, buffer_span(&w->scratch));
	free(field);
}

static bool has_calls(struct span content)
{
	struct json_walk walk = json_walk(content);

	while (json_next(&walk))
		if (message_is_call(walk.value))
			return true;
	return false;
}

/* The text of an answer; a refusal is said as text. */
static void add_answer(struct span content, struct buffer *out)
{
	struct json_walk walk = json_walk(content);

	message_add_paragraph(content, out);
	while (json_next(&walk)) {
		struct span type = json_get(walk.value, "type");

		if (json_is(type, "text") || json_is(type, "refusal"))
			message_add_paragraph(json_get(walk.value, "text"), out);
	}
}

static void write_assistant(struct writer *w, struct span message)
{
	struct span content = json_get(message, "content");
	struct buffer text = {0};
	bool calls = has_calls(content);

	flush_user(w);
	add_answer(content, &text);
	if (calls || text.len > 0) {
		begin(w, "assistant");
		if (text.len > 0)
			json_put_string(w->out, "content", buffer_span(&text));
		else
			json_put_null(w->out, "content");
		write_reasoning(w, message);
		write_calls(w, content, message_is_own(message, w->provider));
		json_close(w->out, '}');
	}
	buffer_free(&text);
}

/* A result is text; an error says so in it, for there is no flag. */
static bool write_results(struct writer *w, struct span message)
{
	struct json_walk walk = json_walk(json_get(message, "content"));
	struct buffer text = {0};
	bool ok = true;

	flush_user(w);
	while (ok && json_next(&walk)) {
		if (!json_is(json_get(walk.value, "type"), "tool_result")) {
			ok = message_refuse_part(w->provider, w->model, walk.value, w->e);
			break;
		}
		buffer_clear(&text);
		message_result_text(walk.value, &text);
		begin(w, "tool");
		json_put_string(w->out, "tool_call_id",
				wire_id(w, json_get(walk.value, "tool_call_id")));
		json_put_string(w->out, "content", buffer_span(&text));
		json_close(w->out, '}');
	}
	buffer_free(&text);
	return ok;
}

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

/* All instructions become one message at the start: many servers take no other. */
static void write_system(struct writer *w)
{
	struct buffer text = {0};

	message_system(w->request, &text);
	if (!chat_schema_is_native(w->provider, w->request))
		dialect_instruction(w->request->schema, &text);
	if (text.len > 0) {
		begin(w, "system");
		json_put_string(w->out, "content", buffer_span(&text));
		json_close(w->out, '}');
	}
	buffer_free(&text);
}

bool chat_messages(const struct provider *provider, const char *model,
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
	buffer_free(&w.scratch);
	buffer_free(&w.user);
	buffer_free(&w.parts);
	return ok;
}
