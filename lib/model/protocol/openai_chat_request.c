#include "model/protocol/openai_chat.h"

#include <stdlib.h>

#include "model/protocol/transcript.h"
#include "model/parameters.h"
#include "model/provider.h"

/* ---- parameters ---- */

/* Which tools are offered: all, or only `name`. */
static void write_tools(const struct model_request *request, const char *name, struct buffer *out)
{
	json_key(out, "tools");
	json_open(out, '[');
	for (size_t i = 0; i < request->tool_count; i++)
		if (name == NULL || strcmp(request->tools[i].name, name) == 0)
			message_put_function(out, &request->tools[i]);
	json_close(out, ']');
}

/* The quirk "tool_choice" says how the server takes it: absent, as OpenAI does; "any": Mistral's
 * word for "required", and no named choice; false: not at all. */
static void write_tool_choice(const struct provider *provider, const struct model_request *request,
			      struct buffer *out)
{
	struct span quirk = provider_quirk(provider, "tool_choice");
	const char *choice = request->tool_choice;
	bool named = choice != NULL && strcmp(choice, "auto") != 0 &&
		     strcmp(choice, "required") != 0 && strcmp(choice, "none") != 0;
	bool known = json_type(quirk) != JSON_BOOL || json_true(quirk);
	bool any = json_is(quirk, "any");

	if (!known && choice != NULL && strcmp(choice, "none") == 0)
		return;
	write_tools(request, named && (any || !known) ? choice : NULL, out);
	if (choice == NULL || !known)
		return;
	if (any && (named || strcmp(choice, "required") == 0)) {
		json_put_text(out, "tool_choice", "any");
	} else if (!named) {
		json_put_text(out, "tool_choice", choice);
	} else {
		json_key(out, "tool_choice");
		json_open(out, '{');
		json_put_text(out, "type", "function");
		json_key(out, "function");
		json_open(out, '{');
		json_put_text(out, "name", choice);
		json_close(out, '}');
		json_close(out, '}');
	}
}

/* OpenAI's own: reasoning_effort, whose highest level is called xhigh. */
static const struct parameter_rules rules = {
    .effort = "{\"none\":{\"reasoning_effort\":\"none\"},"
	      "\"low\":{\"reasoning_effort\":\"low\"},"
	      "\"medium\":{\"reasoning_effort\":\"medium\"},"
	      "\"high\":{\"reasoning_effort\":\"high\"},"
	      "\"max\":{\"reasoning_effort\":\"xhigh\"}}",
};

/* ---- the request ---- */

static void write_max_tokens(const struct provider *provider, const struct model_request *request,
			     struct buffer *out)
{
	char *name = json_text(provider_quirk(provider, "max_tokens"));
	const char *key = name != NULL ? name : "max_tokens";

	if (request->max_tokens > 0)
		json_put_int(out, key, request->max_tokens);
	free(name);
}

/* Usage comes with a stream only where it is asked for; the quirk "stream_options" says how, false
 * that it must not be asked for. */
static void write_stream_options(const struct provider *provider,
				 const struct model_request *request, struct buffer *out)
{
	struct span quirk = provider_quirk(provider, "stream_options");

	if (quirk.at == NULL && parameters_option(request, "stream").at == NULL)
		json_put_raw(out, "stream_options", SPAN("{\"include_usage\":true}"));
	else if (json_type(quirk) == JSON_OBJECT)
		json_put_raw(out, "stream_options", quirk);
}

static bool write_body(const struct provider *provider, const char *model,
		       const struct model_request *request, struct buffer *out, struct error *e)
{
	json_open(out, '{');
	json_put_text(out, "model", model);
	json_put_bool(out, "stream", true);
	write_stream_options(provider, request, out);
	json_key(out, "messages");
	if (!chat_messages(provider, model, request, out, e))
		return false;
	if (request->tool_count > 0)
		write_tool_choice(provider, request, out);
	write_max_tokens(provider, request, out);
	chat_schema_write(provider, request, out);
	json_close(out, '}');
	return parameters_apply(provider, model, request, &rules, out, e);
}

char *chat_url(const char *base_url, const char *model, const char *path)
{
	const char *hole = strstr(base_url, "{model}");
	struct buffer url = {0};

	if (hole != NULL) {
		buffer_add(&url, base_url, (size_t)(hole - base_url));
		provider_escape(model, &url);
		buffer_add_text(&url, hole + strlen("{model}"));
	} else {
		buffer_add_text(&url, base_url);
	}
	while (url.len > 0 && url.at[url.len - 1] == '/')
		url.len--;
	if (!span_ends(buffer_span(&url), path))
		buffer_add_text(&url, path);
	return buffer_take(&url);
}

bool chat_request(const struct provider *provider, const char *model, const char *base_url,
		  const struct model_request *request, struct http_request *out, struct error *e)
{
	out->url = chat_url(base_url, model, "/chat/completions");
	http_request_add_header(out, false, "Content-Type: application/json");
	http_request_add_header(out, false, "Accept: text/event-stream");
	return write_body(provider, model, request, &out->body, e);
}
