#include "model/protocol/transcript.h"

#include <ctype.h>
#include <strings.h>

bool message_is_own(struct span message, const struct provider *provider)
{
	return json_is(json_get(message, "provider"), provider->name);
}

/* The part of `message` that is the call `id`. */
static struct span find_call(struct span message, struct span id)
{
	struct json_walk walk = json_walk(json_get(message, "content"));

	while (json_next(&walk))
		if (json_is(json_get(walk.value, "type"), "tool_call") &&
		    span_equal(json_get(walk.value, "tool_call_id"), id))
			return walk.value;
	return (struct span){0};
}

/* The call `id` that was made last, and the message that made it. */
static struct span last_call(const struct model_request *request, struct span id,
			     struct span *message)
{
	for (size_t i = request->message_count; i-- > 0;) {
		struct span call = {0};

		*message = request->messages[i]->json;
		if (message_role(*message) == MESSAGE_ASSISTANT)
			call = find_call(*message, id);
		if (call.at != NULL)
			return call;
	}
	return (struct span){0};
}

struct span message_own_call(const struct model_request *request, struct span tool_call_id,
			     const struct provider *provider)
{
	struct span message, call = last_call(request, tool_call_id, &message);

	return call.at != NULL && message_is_own(message, provider) ? call : (struct span){0};
}

void message_call_id(const struct model_request *request, struct span tool_call_id,
		     const struct provider *provider, struct buffer *out)
{
	struct span call = message_own_call(request, tool_call_id, provider);
	struct span own = json_get(call, "provider_id");

	json_decode(own.at != NULL ? own : tool_call_id, out);
}

static bool is_word(char c)
{
	return (unsigned char)c < 0x80 && (isalnum((unsigned char)c) || c == '_' || c == '-');
}

void message_safe_id(const struct model_request *request, struct span tool_call_id,
		     const struct provider *provider, size_t most, struct buffer *out)
{
	static const char digits[] =
	    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	uint64_t hash = 0xCBF29CE484222325; /* FNV-1a, then a linear congruential generator */
	struct buffer id = {0};
	bool good, own;

	message_call_id(request, tool_call_id, provider, &id);
	own = id.len > 0 && message_own_call(request, tool_call_id, provider).at != NULL;
	if (id.len == 0)
		json_decode(tool_call_id, &id);
	good = own || (id.len > 0 && id.len <= most);
	for (size_t i = 0; i < id.len; i++) {
		good = good && (own || is_word(id.at[i]));
		hash = (hash ^ (unsigned char)id.at[i]) * 0x100000001B3;
	}
	if (!good) {
		buffer_clear(&id);
		for (int i = 0; i < 16; i++) {
			hash = hash * 6364136223846793005u + 1442695040888963407u;
			buffer_add_char(&id, digits[(hash >> 33) % 62]);
		}
	}
	buffer_add_span(out, buffer_span(&id));
	buffer_free(&id);
}

void message_safe_name(struct span tool_name, size_t most, struct buffer *out)
{
	struct buffer name = {0};

	json_decode(tool_name, &name);
	for (size_t i = 0; i < name.len && i < most; i++)
		buffer_add_char(out, is_word(name.at[i]) ? name.at[i] : '_');
	if (name.len == 0)
		buffer_add_char(out, '_');
	buffer_free(&name);
}

void message_add_paragraph(struct span text, struct buffer *out)
{
	if (json_type(text) != JSON_STRING || text.len <= 2)
		return;
	if (out->len > 0)
		buffer_add_text(out, "\n\n");
	json_decode(text, out);
}

void message_system(const struct model_request *request, struct buffer *out)
{
	if (request->system != NULL)
		buffer_add_text(out, request->system);
	for (size_t i = 0; i < request->message_count; i++) {
		struct span content = json_get(request->messages[i]->json, "content");
		struct json_walk walk = json_walk(content);

		if (message_role(request->messages[i]->json) != MESSAGE_SYSTEM)
			continue;
		message_add_paragraph(content, out);
		while (json_next(&walk))
			message_add_paragraph(json_get(walk.value, "text"), out);
	}
}

enum message_role message_role(struct span message)
{
	struct span role = json_get(message, "role");

	if (json_is(role, "user"))
		return MESSAGE_USER;
	if (json_is(role, "assistant"))
		return MESSAGE_ASSISTANT;
	if (json_is(role, "tool"))
		return MESSAGE_TOOL;
	if (json_is(role, "system") || json_is(role, "developer"))
		return MESSAGE_SYSTEM;
	return MESSAGE_UNKNOWN;
}

void message_result_text(struct span part, struct buffer *out)
{
	struct span result = json_get(part, "result");
	struct buffer text = {0};

	if (!json_decode(result, &text))
		buffer_add_span(&text, result);
	if (json_true(json_get(part, "is_error")) &&
	    (text.len < 5 || strncasecmp(text.at, "error", 5) != 0))
		buffer_add_text(out, "Error: ");
	buffer_add_span(out, buffer_span(&text));
	buffer_free(&text);
}

bool message_is_call(struct span part)
{
	return json_is(json_get(part, "type"), "tool_call") &&
	       json_get(part, "executed_by").at == NULL;
}

void message_args(struct span part, struct buffer *out)
{
	struct span args = json_get(part, "args"), invalid = json_get(part, "invalid_args");

	if (invalid.at != NULL) {
		json_open(out, '{');
		json_put_raw(out, "INVALID_JSON", invalid);
		json_close(out, '}');
	} else if (json_type(args) == JSON_OBJECT) {
		buffer_add_span(out, args);
	} else {
		buffer_add_text(out, "{}");
	}
}

bool message_refuse_part(const struct provider *provider, const char *model, struct span part,
			 struct error *e)
{
	struct buffer type = {0};

	if (!json_decode(json_get(part, "type"), &type))
		buffer_add_text(&type, "(none)");
	error_set(e, "usage", "%s:%s cannot be sent a message part of type %s", provider->name,
		  model, buffer_string(&type));
	buffer_free(&type);
	return false;
}

bool message_refuse_role(struct span message, struct error *e)
{
	return error_set(e, "usage", "a message of the conversation has no known role: %.*s",
			 message.len < 80 ? (int)message.len : 80, message.at);
}

void message_put_data_url(struct buffer *out, const char *key, struct span part)
{
	json_key(out, key);
	buffer_add_text(out, "\"data:");
	buffer_add_span(out, json_plain(json_get(part, "media_type")));
	buffer_add_text(out, ";base64,");
	buffer_add_span(out, json_plain(json_get(part, "data")));
	buffer_add_char(out, '"');
}

void message_put_function(struct buffer *out, const struct model_tool *tool)
{
	json_open(out, '{');
	json_put_text(out, "type", "function");
	json_key(out, "function");
	json_open(out, '{');
	json_put_text(out, "name", tool->name);
	if (tool->description != NULL)
		json_put_text(out, "description", tool->description);
	if (tool->parameters.at != NULL)
		json_put_raw(out, "parameters", tool->parameters);
	json_close(out, '}');
	json_close(out, '}');
}
