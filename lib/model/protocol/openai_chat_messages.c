#include "model/protocol/openai_chat.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

/* One request's messages while they are written. */
struct writer {
	const struct provider *provider;
	struct buffer *out;
	struct buffer scratch;
	struct buffer user; /* text of user messages that follow each other, not yet written */
	bool after_tool;    /* the message written last is a tool's */
	bool in_loop;       /* no user message follows: this is the tool loop that is running */
	struct error *e;
};

/* ---- pieces ---- */

/* Append a paragraph: parted from what is there by a blank line. */
static void add_paragraph(struct span string, struct buffer *out)
{
	if (json_type(string) != JSON_STRING || string.len <= 2)
		return;
	if (out->len > 0)
		buffer_add_text(out, "\n\n");
	json_decode(string, out);
}

static bool refuse_part(struct writer *w, struct span type)
{
	char *name = json_text(type);

	error_set(w->e, "usage", "%s cannot be sent a message part of type %s", w->provider->name,
		  name != NULL ? name : "(none)");
	free(name);
	return false;
}

/* Append the text of a message, whose content is a string or an array of parts. */
static bool add_text(struct writer *w, struct span message, struct buffer *out)
{
	struct span content = json_get(message, "content");
	struct json_walk walk = json_walk(content);

	add_paragraph(content, out);
	while (json_next(&walk)) {
		struct span type = json_get(walk.value, "type");

		if (json_is(type, "text"))
			add_paragraph(json_get(walk.value, "text"), out);
		else if (!json_is(type, "thinking") && !json_is(type, "tool_call"))
			return refuse_part(w, type);
	}
	return true;
}

/* An id as this server takes it: one that it would refuse becomes letters and digits, the same for
 * the call and for its result. Stays valid until the next call. */
static struct span wire_id(struct writer *w, struct span id)
{
	static const char digits[] =
	    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	int64_t exact = json_int(provider_quirk(w->provider, "tool_call_id_length"), 0);
	int64_t most = json_int(provider_quirk(w->provider, "tool_call_id_max"), INT64_MAX);
	uint64_t hash = 0xCBF29CE484222325; /* FNV-1a, then a linear congruential generator */
	bool good = true;

	buffer_clear(&w->scratch);
	json_decode(id, &w->scratch);
	for (size_t i = 0; i < w->scratch.len; i++) {
		good &= isalnum((unsigned char)w->scratch.at[i]) != 0;
		hash = (hash ^ (unsigned char)w->scratch.at[i]) * 0x100000001B3;
	}
	if (exact == 0 ? (int64_t)w->scratch.len <= most : good && (int64_t)w->scratch.len == exact)
		return buffer_span(&w->scratch);
	buffer_clear(&w->scratch);
	for (int64_t i = 0; i < (exact > 0 ? exact : 9); i++) {
		hash = hash * 6364136223846793005u + 1442695040888963407u;
		buffer_add_char(&w->scratch, digits[(hash >> 33) % 62]);
	}
	return buffer_span(&w->scratch);
}

static void begin(struct writer *w, const char *role)
{
	json_open(w->out, '{');
	json_put_text(w->out, "role", role);
	w->after_tool = strcmp(role, "tool") == 0;
}

/* ---- messages ---- */

static void flush_user(struct writer *w)
{
	if (w->user.len == 0)
		return;
	if (w->after_tool && json_true(provider_quirk(w->provider, "no_user_after_tool"))) {
		begin(w, "assistant");
		json_put_text(w->out, "content", "OK.");
		json_close(w->out, '}');
	}
	begin(w, "user");
	json_put_string(w->out, "content", buffer_span(&w->user));
	json_close(w->out, '}');
	buffer_clear(&w->user);
}

static void write_call(struct writer *w, struct span part, bool own)
{
	struct span args = json_get(part, "args"), invalid = json_get(part, "invalid_args");
	struct span extra = json_path(part, "provider_data.extra_content");
	struct buffer object = {0};

	if (invalid.at != NULL) {
		json_open(&object, '{');
		json_put_raw(&object, "INVALID_JSON", invalid);
		json_close(&object, '}');
		args = buffer_span(&object);
	}
	json_open(w->out, '{');
	json_put_string(w->out, "id", wire_id(w, json_get(part, "tool_call_id")));
	json_put_text(w->out, "type", "function");
	json_key(w->out, "function");
	json_open(w->out, '{');
	json_put_raw(w->out, "name", json_get(part, "tool_name"));
	json_put_string(w->out, "arguments", args.at != NULL ? args : SPAN("{}"));
	json_close(w->out, '}');
	if (own && extra.at != NULL)
		json_put_raw(w->out, "extra_content", extra);
	json_close(w->out, '}');
	buffer_free(&object);
}

static void write_calls(struct writer *w, struct span content, bool own)
{
	struct json_walk walk = json_walk(content);
	bool any = false;

	while (json_next(&walk)) {
		if (!json_is(json_get(walk.value, "type"), "tool_call"))
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

	if (!json_is(json_get(message, "provider"), w->provider->name))
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
		if (json_is(json_get(walk.value, "type"), "tool_call"))
			return true;
	return false;
}

static bool write_assistant(struct writer *w, struct span message)
{
	bool own = json_is(json_get(message, "provider"), w->provider->name);
	struct span content = json_get(message, "content");
	struct buffer text = {0};
	bool calls = has_calls(content);

	flush_user(w);
	if (!add_text(w, message, &text)) {
		buffer_free(&text);
		return false;
	}
	if (calls || text.len > 0) {
		begin(w, "assistant");
		if (text.len > 0)
			json_put_string(w->out, "content", buffer_span(&text));
		else
			json_put_null(w->out, "content");
		write_reasoning(w, message);
		write_calls(w, content, own);
		json_close(w->out, '}');
	}
	buffer_free(&text);
	return true;
}

/* A result is text; an error says so in it, for there is no flag. */
static void write_result(struct writer *w, struct span part)
{
	struct span result = json_get(part, "result");
	struct buffer text = {0};

	if (json_type(result) == JSON_STRING)
		json_decode(result, &text);
	else
		buffer_add_span(&text, result);
	begin(w, "tool");
	json_put_string(w->out, "tool_call_id", wire_id(w, json_get(part, "tool_call_id")));
	json_key(w->out, "content");
	buffer_add_char(w->out, '"');
	if (json_true(json_get(part, "is_error")) &&
	    (text.len < 5 || strncasecmp(text.at, "error", 5) != 0))
		buffer_add_text(w->out, "Error: ");
	json_write_escaped(w->out, buffer_span(&text));
	buffer_add_char(w->out, '"');
	json_close(w->out, '}');
	buffer_free(&text);
}

static bool write_results(struct writer *w, struct span message)
{
	struct json_walk walk = json_walk(json_get(message, "content"));

	flush_user(w);
	while (json_next(&walk)) {
		if (!json_is(json_get(walk.value, "type"), "tool_result"))
			return refuse_part(w, json_get(walk.value, "type"));
		write_result(w, walk.value);
	}
	return true;
}

static bool is_system(struct span role)
{
	return json_is(role, "system") || json_is(role, "developer");
}

static bool write_message(struct writer *w, struct span message)
{
	struct span role = json_get(message, "role");

	if (is_system(role))
		return true;
	if (json_is(role, "user"))
		return add_text(w, message, &w->user);
	if (json_is(role, "assistant"))
		return write_assistant(w, message);
	if (json_is(role, "tool"))
		return write_results(w, message);
	return error_set(w->e, "usage", "a message of the conversation has no known role: %.*s",
			 message.len < 80 ? (int)message.len : 80, message.at);
}

/* All instructions become one message at the start: many servers take no other. */
static bool write_system(struct writer *w, const struct model_request *request)
{
	struct buffer text = {0};
	bool ok = true;

	if (request->system != NULL)
		buffer_add_text(&text, request->system);
	for (size_t i = 0; ok && i < request->message_count; i++)
		if (is_system(json_get(request->messages[i], "role")))
			ok = add_text(w, request->messages[i], &text);
	if (ok && text.len > 0) {
		begin(w, "system");
		json_put_string(w->out, "content", buffer_span(&text));
		json_close(w->out, '}');
	}
	buffer_free(&text);
	return ok;
}

bool chat_messages(const struct provider *provider, const struct model_request *request,
		   struct buffer *out, struct error *e)
{
	struct writer w = {.provider = provider, .out = out, .e = e};
	size_t last_user = 0;
	bool ok;

	for (size_t i = 0; i < request->message_count; i++)
		if (json_is(json_get(request->messages[i], "role"), "user"))
			last_user = i;
	json_open(out, '[');
	ok = write_system(&w, request);
	for (size_t i = 0; ok && i < request->message_count; i++) {
		w.in_loop = i > last_user;
		ok = write_message(&w, request->messages[i]);
	}
	flush_user(&w);
	json_close(out, ']');
	buffer_free(&w.scratch);
	buffer_free(&w.user);
	return ok;
}
