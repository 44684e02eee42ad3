#include "model/protocol/anthropic.h"

#include <ctype.h>
#include <stdlib.h>

#include "model/protocol/transcript.h"

/* Longest id of a call. */
enum { MAX_ID = 64 };

/* A call that was sent. */
struct call {
	struct span id; /* as the messages have it */
	char *sent;     /* as the API has it */
	bool waiting;   /* for its result, in the next message */
};

/* The messages while they are written: what stands side by side from one role is one message. */
struct conversation {
	const struct anthropic_writer *w;
	struct buffer blocks; /* of the message that is being written */
	const char *role;     /* its role; NULL: none yet */
	struct call *calls;
	size_t call_count, call_capacity;
	struct buffer text; /* to work in */
	bool in_loop;       /* no message of the user follows the one at hand */
};

/* ---- ids and names ---- */

static bool is_word(char c)
{
	return isalnum((unsigned char)c) != 0 || c == '_' || c == '-';
}

/* Whether a call was sent with this id; of those that wait for their results, or of all. */
static bool is_sent(const struct conversation *c, const struct buffer *id, bool waiting)
{
	for (size_t i = 0; i < c->call_count; i++)
		if (span_is(buffer_span(id), c->calls[i].sent) && (!waiting || c->calls[i].waiting))
			return true;
	return false;
}

static bool is_good_id(const struct buffer *id)
{
	for (size_t i = 0; i < id->len; i++)
		if (!is_word(id->at[i]))
			return false;
	return id->len > 0 && id->len <= MAX_ID;
}

/* Of `id`, which the API would not take, one that it does; always the same one for the same call.
 */
static void replace_id(const struct conversation *c, struct buffer *id)
{
	static const char digits[] =
	    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	uint64_t hash = 0xCBF29CE484222325; /* FNV-1a, then a linear congruential generator */

	for (size_t i = 0; i < id->len; i++)
		hash = (hash ^ (unsigned char)id->at[i]) * 0x100000001B3;
	hash = (hash ^ c->call_count) * 0x100000001B3;
	buffer_clear(id);
	buffer_add_text(id, "toolu_");
	for (int i = 0; i < 22; i++) {
		hash = hash * 6364136223846793005u + 1442695040888963407u;
		buffer_add_char(id, digits[(hash >> 33) % 62]);
	}
}

/* The provider's own id goes back as it came, also one that a server gives in every answer. Another
 * provider's may not do here, and two runs of one conversation may have the same. */
static void choose_id(const struct conversation *c, struct span part, bool own, struct buffer *id)
{
	struct span given = own ? json_get(part, "provider_id") : (struct span){0};

	json_decode(given, id);
	if (id->len > 0 && !is_sent(c, id, true))
		return;
	buffer_clear(id);
	json_decode(json_get(part, "tool_call_id"), id);
	if (is_sent(c, id, false) || (!is_good_id(id) && (!own || given.at != NULL)) ||
	    id->len == 0)
		replace_id(c, id);
}

static struct call *remember(struct conversation *c, struct span part, bool own)
{
	struct buffer sent = {0};
	struct call *call;

	choose_id(c, part, own, &sent);
	if (c->call_count == c->call_capacity) {
		c->call_capacity = c->call_capacity * 2 + 4;
		c->calls = mem_resize(c->calls, c->call_capacity * sizeof(*c->calls));
	}
	call = &c->calls[c->call_count++];
	*call = (struct call){
	    .id = json_get(part, "tool_call_id"), .sent = buffer_take(&sent), .waiting = true};
	return call;
}

/* The name of a call; models have made up names that the API would not take back. */
static void put_name(struct conversation *c, struct span name)
{
	struct buffer *out = &c->text;

	buffer_clear(out);
	json_decode(name, out);
	for (size_t i = 0; i < out->len; i++)
		if (!is_word(out->at[i]))
			out->at[i] = '_';
	json_put_string(&c->blocks, "name", out->len > 0 ? buffer_span(out) : SPAN("_"));
}

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

static void open_block(struct conversation *c, const char *role, const char *type)
{
	if (c->role == NULL || strcmp(c->role, role) != 0)
		flush(c);
	c->role = role;
	json_open(&c->blocks, '{');
	json_put_text(&c->blocks, "type", type);
}

static void close_block(struct conversation *c)
{
	json_close(&c->blocks, '}');
}

/* A text block is never empty. */
static void add_text(struct conversation *c, const char *role, struct span text,
		     struct span citations)
{
	if (json_type(text) != JSON_STRING || text.len <= 2)
		return;
	open_block(c, role, "text");
	json_put_raw(&c->blocks, "text", text);
	if (citations.at != NULL)
		json_put_raw(&c->blocks, "citations", citations);
	close_block(c);
}

/* Content that is one string, and so one text. */
static void add_plain(struct conversation *c, const char *role, struct span content)
{
	add_text(c, role, content, (struct span){0});
}

/* ---- the user's messages ---- */

static bool takes(const struct conversation *c, const char *type)
{
	const struct anthropic_writer *w = c->w;

	return provider_quirk(w->provider, "attach").at == NULL ||
	       parameters_quirk_has(w->provider, w->model, "attach", type);
}

static bool is_image(struct span media_type)
{
	static const char *const types[] = {"image/png", "image/jpeg", "image/gif", "image/webp",
					    NULL};

	for (size_t i = 0; types[i] != NULL; i++)
		if (json_is(media_type, types[i]))
			return true;
	return false;
}

static bool add_attachment(struct conversation *c, struct span part)
{
	struct span media_type = json_get(part, "media_type"), name = json_get(part, "name");
	bool image = json_is(json_get(part, "type"), "image");

	if (image ? !takes(c, "image") || !is_image(media_type)
		  : !takes(c, "file") || !json_is(media_type, "application/pdf"))
		return message_refuse_part(c->w->provider, c->w->model, part, c->w->e);
	open_block(c, "user", image ? "image" : "document");
	json_key(&c->blocks, "source");
	json_open(&c->blocks, '{');
	json_put_text(&c->blocks, "type", "base64");
	json_put_raw(&c->blocks, "media_type", media_type);
	json_put_raw(&c->blocks, "data", json_get(part, "data"));
	json_close(&c->blocks, '}');
	if (!image && name.len > 2)
		json_put_raw(&c->blocks, "title", name);
	close_block(c);
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

/* ---- results ---- */

/* The call `id` that waits for its result; NULL: there is none. */
static struct call *find_waiting(struct conversation *c, struct span id)
{
	for (size_t i = c->call_count; i-- > 0;)
		if (c->calls[i].waiting && span_equal(c->calls[i].id, id))
			return &c->calls[i];
	return NULL;
}

static void add_result(struct conversation *c, struct call *call, struct span text, bool is_error)
{
	call->waiting = false;
	open_block(c, "user", "tool_result");
	json_put_text(&c->blocks, "tool_use_id", call->sent);
	if (text.len == 0 && is_error)
		text = SPAN("Error");
	if (text.len > 0)
		json_put_string(&c->blocks, "content", text);
	if (is_error)
		json_put_bool(&c->blocks, "is_error", true);
	close_block(c);
}

/* Every call has its result in the very next message, even one that never came. */
static void add_missing(struct conversation *c)
{
	for (size_t i = 0; i < c->call_count; i++)
		if (c->calls[i].waiting)
			add_result(c, &c->calls[i],
				   SPAN("The call was interrupted: there is no result."), true);
}

/* A result whose call is not in the message before is no result to the API. */
static void add_late(struct conversation *c, struct span part, struct span text)
{
	struct buffer words = {0};

	buffer_add_text(&words, "Result of ");
	json_decode(json_get(part, "tool_name"), &words);
	buffer_add_text(&words, ":\n");
	buffer_add_span(&words, text);
	open_block(c, "user", "text");
	json_put_string(&c->blocks, "text", buffer_span(&words));
	close_block(c);
	buffer_free(&words);
}

static bool add_results(struct conversation *c, struct span content)
{
	struct json_walk walk = json_walk(content);

	while (json_next(&walk)) {
		struct call *call = find_waiting(c, json_get(walk.value, "tool_call_id"));
		struct span result = json_get(walk.value, "result");
		struct buffer text = {0};

		if (!json_is(json_get(walk.value, "type"), "tool_result"))
			return message_refuse_part(c->w->provider, c->w->model, walk.value,
						   c->w->e);
		if (!json_decode(result, &text))
			buffer_add_span(&text, result);
		if (call != NULL)
			add_result(c, call, buffer_span(&text),
				   json_true(json_get(walk.value, "is_error")));
		else
			add_late(c, walk.value, buffer_span(&text));
		buffer_free(&text);
	}
	return true;
}

/* ---- the model's messages ---- */

/* Thinking goes back as it came, with its signature, and only to the model it came from. */
static void add_thinking(struct conversation *c, struct span part)
{
	struct span signature = json_path(part, "provider_data.signature");

	if (signature.at == NULL)
		return;
	open_block(c, "assistant", "thinking");
	json_put_raw(&c->blocks, "thinking", json_get(part, "text"));
	json_put_raw(&c->blocks, "signature", signature);
	close_block(c);
}

/* The arguments, which must be an object. */
static void put_input(struct conversation *c, struct span part)
{
	struct span args = json_get(part, "args"), invalid = json_get(part, "invalid_args");

	if (invalid.at != NULL) {
		json_key(&c->blocks, "input");
		json_open(&c->blocks, '{');
		json_put_raw(&c->blocks, "INVALID_JSON", invalid);
		json_close(&c->blocks, '}');
	} else {
		json_put_raw(&c->blocks, "input",
			     json_type(args) == JSON_OBJECT ? args : SPAN("{}"));
	}
}

/* What a call carried beside id, name and arguments. */
static void put_rest(struct conversation *c, struct span data)
{
	struct json_walk walk = json_walk(data);

	while (json_type(data) == JSON_OBJECT && json_next(&walk)) {
		if (json_is(walk.key, "type"))
			continue;
		json_comma(&c->blocks);
		buffer_add_span(&c->blocks, walk.key);
		buffer_add_char(&c->blocks, ':');
		buffer_add_span(&c->blocks, walk.value);
	}
}

static void add_call(struct conversation *c, struct span part, bool own)
{
	open_block(c, "assistant", "tool_use");
	json_put_text(&c->blocks, "id", remember(c, part, own)->sent);
	put_name(c, json_get(part, "tool_name"));
	put_input(c, part);
	if (own)
		put_rest(c, json_get(part, "provider_data"));
	close_block(c);
}

/* Whether the result of the provider's call `id` is in the conversation. */
static bool has_result(const struct conversation *c, struct span id)
{
	const struct model_request *request = c->w->request;

	for (size_t i = 0; i < request->message_count; i++) {
		struct json_walk walk = json_walk(json_get(request->messages[i]->json, "content"));

		while (json_next(&walk))
			if (json_type(id) == JSON_STRING &&
			    span_equal(json_path(walk.value, "provider_data.tool_use_id"), id))
				return true;
	}
	return false;
}

/* A call that the provider ran: its result stands behind it as an opaque part. One that was
 * abandoned has none, and the API would not have it. */
static void add_provider_call(struct conversation *c, struct span part)
{
	struct span data = json_get(part, "provider_data"), id = json_get(part, "tool_call_id");
	char *type = json_text(json_get(data, "type"));

	if (json_get(part, "provider_id").at != NULL)
		id = json_get(part, "provider_id");
	if (type != NULL && (c->in_loop || has_result(c, id))) {
		open_block(c, "assistant", type);
		json_put_raw(&c->blocks, "id", id);
		json_put_raw(&c->blocks, "name", json_get(part, "tool_name"));
		put_input(c, part);
		put_rest(c, data);
		close_block(c);
	}
	free(type);
}

/* A block as it came; hidden thinking is the model's own, as any other. */
static void add_opaque(struct conversation *c, struct span block, bool same_model)
{
	char *type = json_text(json_get(block, "type"));

	if (type != NULL && (same_model || strcmp(type, "redacted_thinking") != 0)) {
		open_block(c, "assistant", type);
		put_rest(c, block);
		close_block(c);
	}
	free(type);
}

static void add_assistant(struct conversation *c, struct span message)
{
	struct span content = json_get(message, "content");
	struct json_walk walk = json_walk(content);
	bool own = message_is_own(message, c->w->provider);
	bool same_model = own && json_is(json_get(message, "model"), c->w->model);

	add_plain(c, "assistant", content);
	while (json_next(&walk)) {
		struct span part = walk.value, type = json_get(part, "type");
		bool by_provider = json_get(part, "executed_by").at != NULL;

		if (json_is(type, "text"))
			add_text(c, "assistant", json_get(part, "text"),
				 own ? json_path(part, "provider_data.citations")
				     : (struct span){0});
		else if (json_is(type, "refusal"))
			add_plain(c, "assistant", json_get(part, "text"));
		else if (json_is(type, "thinking") && same_model)
			add_thinking(c, part);
		else if (json_is(type, "tool_call") && !by_provider)
			add_call(c, part, own);
		else if (json_is(type, "tool_call") && own)
			add_provider_call(c, part);
		else if (json_is(type, "opaque") && own)
			add_opaque(c, json_get(part, "provider_data"), same_model);
	}
}

/* ---- the conversation ---- */

static bool add_message(struct conversation *c, struct span message)
{
	struct span content = json_get(message, "content");

	switch (message_role(message)) {
	case MESSAGE_SYSTEM:
		return true; /* written at the top */
	case MESSAGE_USER:
		add_missing(c);
		return add_user(c, content);
	case MESSAGE_ASSISTANT:
		add_missing(c);
		add_assistant(c, message);
		return true;
	case MESSAGE_TOOL:
		return add_results(c, content);
	case MESSAGE_UNKNOWN:
		break;
	}
	return message_refuse_role(message, c->w->e);
}

bool anthropic_write_messages(const struct anthropic_writer *w)
{
	const struct model_request *request = w->request;
	struct conversation c = {.w = w};
	size_t last_user = 0;
	bool ok = true;

	for (size_t i = 0; i < request->message_count; i++)
		if (message_role(request->messages[i]->json) == MESSAGE_USER)
			last_user = i;
	json_open(w->out, '[');
	for (size_t i = 0; ok && i < request->message_count; i++) {
		c.in_loop = i > last_user;
		ok = add_message(&c, request->messages[i]->json);
	}
	add_missing(&c);
	flush(&c);
	json_close(w->out, ']');
	for (size_t i = 0; i < c.call_count; i++)
		free(c.calls[i].sent);
	free(c.calls);
	buffer_free(&c.blocks);
	buffer_free(&c.text);
	return ok;
}
