#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "model/protocol/transcript.h"
#include "model/protocol/gemini.h"

/* Longest name of a function. */
enum { MAX_NAME = 64 };

/* Stands where models want a signature and the call has none, as it came from elsewhere:
 * "skip_thought_signature_validator" (ai.google.dev/gemini-api/docs/thought-signatures). */
static const char no_signature[] = "\"c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=\"";

/* A call that wants its result in the next message. */
struct waiting {
	struct span id, name; /* as in the neutral message */
	struct span result;   /* the part tool_result; absent: there is none yet */
};

/* The contents while they are written: what stands side by side from one role is one of them. */
struct conversation {
	const struct gemini_writer *w;
	struct buffer parts; /* of the content that is being written */
	const char *role;    /* its role; NULL: none yet */
	struct waiting *waiting;
	size_t waiting_count, waiting_capacity;
	bool called; /* the content at hand has a call */
	struct buffer text;
};

/* ---- parts ---- */

static void flush(struct conversation *c)
{
	struct buffer *out = c->w->out;

	c->called = false;
	if (c->parts.len == 0)
		return;
	json_open(out, '{');
	json_put_text(out, "role", c->role);
	json_key(out, "parts");
	json_open(out, '[');
	buffer_add_span(out, buffer_span(&c->parts));
	json_close(out, ']');
	json_close(out, '}');
	buffer_clear(&c->parts);
}

static void open_part(struct conversation *c, const char *role)
{
	if (c->role == NULL || strcmp(c->role, role) != 0)
		flush(c);
	c->role = role;
	json_open(&c->parts, '{');
}

static void close_part(struct conversation *c)
{
	json_close(&c->parts, '}');
}

/* A text is not empty, unless it carries a signature. */
static void add_text(struct conversation *c, const char *role, struct span text, bool thought,
		     struct span signature)
{
	if (json_type(text) != JSON_STRING || (text.len <= 2 && signature.at == NULL))
		return;
	open_part(c, role);
	json_put_raw(&c->parts, "text", text);
	if (thought)
		json_put_bool(&c->parts, "thought", true);
	if (signature.at != NULL)
		json_put_raw(&c->parts, "thoughtSignature", signature);
	close_part(c);
}

static void add_plain(struct conversation *c, const char *role, struct span text)
{
	add_text(c, role, text, false, (struct span){0});
}

/* A part as it came. */
static void add_raw(struct conversation *c, struct span part)
{
	struct json_walk walk = json_walk(part);

	if (json_type(part) != JSON_OBJECT || json_count(part) == 0)
		return;
	open_part(c, "model");
	while (json_next(&walk)) {
		json_comma(&c->parts);
		buffer_add_span(&c->parts, walk.key);
		buffer_add_char(&c->parts, ':');
		buffer_add_span(&c->parts, walk.value);
	}
	close_part(c);
}

/* ---- names and ids ---- */

/* The API takes more names than others do; what it does not take becomes something it does. */
static void put_name(struct conversation *c, struct span name)
{
	bool good;

	buffer_clear(&c->text);
	json_decode(name, &c->text);
	good = c->text.len > 0 && c->text.len <= MAX_NAME && !isdigit((unsigned char)c->text.at[0]);
	for (size_t i = 0; i < c->text.len; i++)
		good = good && (unsigned char)c->text.at[i] < 0x80 &&
		       (isalnum((unsigned char)c->text.at[i]) ||
			strchr("_.:-", c->text.at[i]) != NULL);
	if (!good) {
		buffer_clear(&c->text);
		message_safe_name(name, MAX_NAME, &c->text);
		if (isdigit((unsigned char)c->text.at[0]))
			c->text.at[0] = '_';
	}
	json_put_string(&c->parts, "name", buffer_span(&c->text));
}

/* An id goes back to where it came from. Where there was none, calls and results belong together by
 * their order. */
static void put_id(struct conversation *c, struct span id)
{
	if (message_own_call(c->w->request, id, c->w->provider).at == NULL)
		return;
	buffer_clear(&c->text);
	message_call_id(c->w->request, id, c->w->provider, &c->text);
	if (c->text.len > 0)
		json_put_string(&c->parts, "id", buffer_span(&c->text));
}

/* ---- results ---- */

static void wait_for(struct conversation *c, struct span part)
{
	if (c->waiting_count == c->waiting_capacity) {
		c->waiting_capacity = c->waiting_capacity * 2 + 4;
		c->waiting = mem_resize(c->waiting, c->waiting_capacity * sizeof(*c->waiting));
	}
	c->waiting[c->waiting_count++] = (struct waiting){.id = json_get(part, "tool_call_id"),
							  .name = json_get(part, "tool_name")};
}

/* Whether the result `part` was waited for. */
static bool got(struct conversation *c, struct span part)
{
	struct span id = json_get(part, "tool_call_id");

	for (size_t i = 0; i < c->waiting_count; i++) {
		if (c->waiting[i].result.at != NULL || !span_equal(c->waiting[i].id, id))
			continue;
		c->waiting[i].result = part;
		return true;
	}
	return false;
}

static void result_text(struct span part, struct buffer *out)
{
	struct span result = json_get(part, "result");

	if (!json_decode(result, out))
		buffer_add_span(out, result);
}

static void add_result(struct conversation *c, const struct waiting *call)
{
	bool is_error = call->result.at == NULL || json_true(json_get(call->result, "is_error"));
	struct buffer text = {0};

	if (call->result.at == NULL)
		buffer_add_text(&text, "The call was interrupted: there is no result.");
	else
		result_text(call->result, &text);
	open_part(c, "user");
	json_key(&c->parts, "functionResponse");
	json_open(&c->parts, '{');
	put_id(c, call->id);
	put_name(c, call->name);
	json_key(&c->parts, "response");
	json_open(&c->parts, '{');
	json_put_string(&c->parts, is_error ? "error" : "output", buffer_span(&text));
	json_close(&c->parts, '}');
	json_close(&c->parts, '}');
	close_part(c);
	buffer_free(&text);
}

/* Every call has its result in the very next content, in the order of the calls, even one whose
 * result never came. */
static void settle(struct conversation *c)
{
	for (size_t i = 0; i < c->waiting_count; i++)
		add_result(c, &c->waiting[i]);
	c->waiting_count = 0;
}

/* A result whose call is not in the content before is no result to the API. */
static void add_late(struct conversation *c, struct span part)
{
	struct buffer words = {0};

	buffer_add_text(&words, "Result of ");
	json_decode(json_get(part, "tool_name"), &words);
	buffer_add_text(&words, ":\n");
	message_result_text(part, &words);
	open_part(c, "user");
	json_put_string(&c->parts, "text", buffer_span(&words));
	close_part(c);
	buffer_free(&words);
}

static bool is_result(struct span part)
{
	return json_is(json_get(part, "type"), "tool_result");
}

static bool add_results(struct conversation *c, struct span content)
{
	struct json_walk walk = json_walk(content);

	while (json_next(&walk)) {
		if (!is_result(walk.value))
			return message_refuse_part(c->w->provider, c->w->model, walk.value,
						   c->w->e);
		if (!got(c, walk.value)) {
			settle(c);
			add_late(c, walk.value);
		}
	}
	return true;
}

/* ---- the user's messages ---- */

static bool takes(struct span media_type)
{
	static const char *const types[] = {
	    "image/png",       "image/jpeg", "image/webp", "image/heic", "image/heif",
	    "application/pdf", "text/",      "audio/",     "video/",     NULL};
	char *type = json_text(media_type);
	bool found = false;

	for (size_t i = 0; type != NULL && !found && types[i] != NULL; i++)
		found = strncasecmp(type, types[i], strlen(types[i])) == 0;
	free(type);
	return found;
}

static bool add_attachment(struct conversation *c, struct span part)
{
	struct span media_type = json_get(part, "media_type"), data = json_get(part, "data");
	const char *type = json_is(json_get(part, "type"), "image") ? "image" : "file";
	bool may = provider_quirk(c->w->provider, "attach").at == NULL ||
		   parameters_quirk_has(c->w->provider, c->w->model, "attach", type);

	if (!may || !takes(media_type) || json_type(data) != JSON_STRING)
		return message_refuse_part(c->w->provider, c->w->model, part, c->w->e);
	open_part(c, "user");
	json_key(&c->parts, "inlineData");
	json_open(&c->parts, '{');
	json_put_raw(&c->parts, "mimeType", media_type);
	json_put_raw(&c->parts, "data", data);
	json_close(&c->parts, '}');
	close_part(c);
	return true;
}

static bool add_user(struct conversation *c, struct span content)
{
	struct json_walk walk = json_walk(content);

	add_plain(c, "user", content);
	while (json_next(&walk)) {
		struct span type = json_get(walk.value, "type");

		if (json_is(type, "text"))
			add_plain(c, "user", json_get(walk.value, "text"));
		else if (!json_is(type, "image") && !json_is(type, "file"))
			return message_refuse_part(c->w->provider, c->w->model, walk.value,
						   c->w->e);
		else if (!add_attachment(c, walk.value))
			return false;
	}
	return true;
}

/* ---- the model's messages ---- */

/* From generation 3 on the first call of a content must be signed. */
static void put_signature(struct conversation *c, struct span signature)
{
	bool wanted = !c->called && gemini_generation(c->w->provider, c->w->model) >= 3;

	if (signature.at != NULL)
		json_put_raw(&c->parts, "thoughtSignature", signature);
	else if (wanted)
		json_put_raw(&c->parts, "thoughtSignature", SPAN(no_signature));
	c->called = true;
}

static void add_call(struct conversation *c, struct span part, struct span signature)
{
	struct buffer args = {0};

	message_args(part, &args);
	open_part(c, "model");
	json_key(&c->parts, "functionCall");
	json_open(&c->parts, '{');
	put_id(c, json_get(part, "tool_call_id"));
	put_name(c, json_get(part, "tool_name"));
	json_put_raw(&c->parts, "args", buffer_span(&args));
	json_close(&c->parts, '}');
	put_signature(c, signature);
	close_part(c);
	wait_for(c, part);
	buffer_free(&args);
}

/* `own`: this very model wrote it, and can read what it signed. */
static void add_part(struct conversation *c, struct span part, bool own)
{
	struct span type = json_get(part, "type"), data = json_get(part, "provider_data");
	struct span signature = own ? json_get(data, "thoughtSignature") : (struct span){0};

	if (message_is_call(part))
		add_call(c, part, signature);
	else if (json_is(type, "text"))
		add_text(c, "model", json_get(part, "text"), false, signature);
	else if (json_is(type, "refusal"))
		add_plain(c, "model", json_get(part, "text"));
	else if (own && json_is(type, "thinking"))
		add_text(c, "model", json_get(part, "text"), true, signature);
	else if (own && (json_is(type, "tool_call") || json_is(type, "opaque")))
		add_raw(c, data);
}

static void add_assistant(struct conversation *c, struct span message)
{
	struct json_walk walk = json_walk(json_get(message, "content"));
	struct span model = json_get(message, "model");
	bool own = message_is_own(message, c->w->provider) &&
		   (model.at == NULL || json_is(model, c->w->model));

	add_plain(c, "model", json_get(message, "content"));
	while (json_next(&walk))
		add_part(c, walk.value, own);
}

/* ---- all of them ---- */

static bool add_message(struct conversation *c, struct span message)
{
	struct span content = json_get(message, "content");

	switch (message_role(message)) {
	case MESSAGE_SYSTEM:
		return true; /* written beside the contents */
	case MESSAGE_USER:
		settle(c);
		return add_user(c, content);
	case MESSAGE_ASSISTANT:
		settle(c);
		add_assistant(c, message);
		return true;
	case MESSAGE_TOOL:
		return add_results(c, content);
	case MESSAGE_UNKNOWN:
		break;
	}
	return message_refuse_role(message, c->w->e);
}

bool gemini_write_contents(const struct gemini_writer *w)
{
	struct conversation c = {.w = w};
	bool ok = true;

	json_open(w->out, '[');
	for (size_t i = 0; ok && i < w->request->message_count; i++)
		ok = add_message(&c, w->request->messages[i]->json);
	settle(&c);
	flush(&c);
	json_close(w->out, ']');
	free(c.waiting);
	buffer_free(&c.parts);
	buffer_free(&c.text);
	return ok;
}
