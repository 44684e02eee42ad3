#include "model/protocol/openai_chat.h"

#include <fnmatch.h>
#include <stdlib.h>

#include "model/provider.h"

/* ---- parameters ---- */

static bool user_sets(const struct model_request *request, const char *key)
{
	for (size_t i = 0; i < request->option_count; i++)
		if (strcmp(request->options[i].key, key) == 0)
			return true;
	return false;
}

/* The user's options come last and replace whatever would have been sent under their names; of two
 * with one name the later counts. */
static void write_options(const struct model_request *request, struct buffer *out)
{
	for (size_t i = 0; i < request->option_count; i++) {
		struct model_request rest = {.options = request->options + i + 1,
					     .option_count = request->option_count - i - 1};

		if (!user_sets(&rest, request->options[i].key))
			json_put_raw(out, request->options[i].key, request->options[i].value);
	}
}

static void write_tool(const struct model_tool *tool, struct buffer *out)
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

/* Which tools are offered: all, or only `name`. */
static void write_tools(const struct model_request *request, const char *name, struct buffer *out)
{
	json_key(out, "tools");
	json_open(out, '[');
	for (size_t i = 0; i < request->tool_count; i++)
		if (name == NULL || strcmp(request->tools[i].name, name) == 0)
			write_tool(&request->tools[i], out);
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
	if (!user_sets(request, "tools"))
		write_tools(request, named && (any || !known) ? choice : NULL, out);
	if (choice == NULL || !known || user_sets(request, "tool_choice"))
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

/* ---- effort ---- */

/* OpenAI's own: reasoning_effort, whose highest level is called xhigh. */
static const char usual_effort[] =
    "{\"none\":{\"reasoning_effort\":\"none\"},\"low\":{\"reasoning_effort\":\"low\"},"
    "\"medium\":{\"reasoning_effort\":\"medium\"},\"high\":{\"reasoning_effort\":\"high\"},"
    "\"max\":{\"reasoning_effort\":\"xhigh\"}}";

/* The levels of `model`: the value of the first pattern in the quirk "effort" that matches, and
 * that of "*" if no other does, wherever it stands: a user's patterns come behind the shipped ones.
 */
static struct span effort_levels(const struct provider *provider, const char *model)
{
	struct span quirk = provider_quirk(provider, "effort");
	struct json_walk walk = json_walk(quirk);

	if (quirk.at == NULL)
		return SPAN(usual_effort);
	while (json_next(&walk)) {
		char *pattern = json_text(walk.key);
		bool matches =
		    pattern != NULL && strcmp(pattern, "*") != 0 && fnmatch(pattern, model, 0) == 0;

		free(pattern);
		if (matches)
			return walk.value;
	}
	return json_get(quirk, "*");
}

static bool write_effort(const struct provider *provider, const char *model,
			 const struct model_request *request, struct buffer *out, struct error *e)
{
	struct span members;
	struct json_walk walk;

	if (request->effort == NULL)
		return true;
	members = json_get(effort_levels(provider, model), request->effort);
	if (json_type(members) != JSON_OBJECT)
		return error_set(e, "usage", "%s:%s has no effort level %s", provider->name, model,
				 request->effort);
	walk = json_walk(members);
	while (json_next(&walk)) {
		char *key = json_text(walk.key);

		if (key != NULL && !user_sets(request, key))
			json_put_raw(out, key, walk.value);
		free(key);
	}
	return true;
}

/* ---- the request ---- */

/* Members of the quirk "body": what every request to this server carries. */
static void write_extra(const struct provider *provider, const struct model_request *request,
			struct buffer *out)
{
	struct json_walk walk = json_walk(provider_quirk(provider, "body"));

	while (json_next(&walk)) {
		char *key = json_text(walk.key);

		if (key != NULL && !user_sets(request, key))
			json_put_raw(out, key, walk.value);
		free(key);
	}
}

static void write_max_tokens(const struct provider *provider, const struct model_request *request,
			     struct buffer *out)
{
	char *name = json_text(provider_quirk(provider, "max_tokens"));
	const char *key = name != NULL ? name : "max_tokens";

	if (request->max_tokens > 0 && !user_sets(request, key))
		json_put_int(out, key, request->max_tokens);
	free(name);
}

static bool write_body(const struct provider *provider, const char *model,
		       const struct model_request *request, struct buffer *out, struct error *e)
{
	struct span stream_options = provider_quirk(provider, "stream_options");

	json_open(out, '{');
	if (!user_sets(request, "model"))
		json_put_text(out, "model", model);
	if (!user_sets(request, "stream"))
		json_put_bool(out, "stream", true);
	if (stream_options.at == NULL && !user_sets(request, "stream_options") &&
	    !user_sets(request, "stream"))
		json_put_raw(out, "stream_options", SPAN("{\"include_usage\":true}"));
	else if (json_type(stream_options) == JSON_OBJECT && !user_sets(request, "stream_options"))
		json_put_raw(out, "stream_options", stream_options);
	if (!user_sets(request, "messages")) {
		json_key(out, "messages");
		if (!chat_messages(provider, request, out, e))
			return false;
	}
	if (request->tool_count > 0)
		write_tool_choice(provider, request, out);
	write_max_tokens(provider, request, out);
	write_extra(provider, request, out);
	if (!write_effort(provider, model, request, out, e))
		return false;
	write_options(request, out);
	json_close(out, '}');
	return true;
}

static char *make_url(const char *base_url, const char *model)
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
	if (!span_ends(buffer_span(&url), "/chat/completions"))
		buffer_add_text(&url, "/chat/completions");
	return buffer_take(&url);
}

bool chat_request(const struct provider *provider, const char *model, const char *base_url,
		  const struct model_request *request, struct http_request *out, struct error *e)
{
	out->url = make_url(base_url, model);
	http_request_add_header(out, false, "Content-Type: application/json");
	http_request_add_header(out, false, "Accept: text/event-stream");
	return write_body(provider, model, request, &out->body, e);
}
