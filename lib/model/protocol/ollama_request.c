#include "model/protocol/ollama.h"

#include <stdlib.h>

#include "model/protocol/transcript.h"
#include "model/parameters.h"
#include "model/provider.h"

/* ---- parameters ---- */

/* There is no choice to send: "none" offers no tools, a name only that one. */
static bool is_offered(const struct model_request *request, const struct model_tool *tool)
{
	const char *choice = request->tool_choice;

	if (choice == NULL || strcmp(choice, "auto") == 0 || strcmp(choice, "required") == 0)
		return true;
	return strcmp(choice, tool->name) == 0;
}

/* Returns whether any is offered. */
static bool write_tools(const struct model_request *request, struct buffer *out)
{
	bool any = false;

	for (size_t i = 0; i < request->tool_count; i++) {
		if (!is_offered(request, &request->tools[i]))
			continue;
		if (!any) {
			json_key(out, "tools");
			json_open(out, '[');
		}
		any = true;
		message_put_function(out, &request->tools[i]);
	}
	if (any)
		json_close(out, ']');
	return any;
}

/* What belongs to the request; all else is an option of the model. */
static const char *place(const char *key)
{
	static const char *const own[] = {
	    "model", "messages", "stream", "format",   "keep_alive",   "tools", "options",
	    "think", "truncate", "shift",  "logprobs", "top_logprobs", NULL,
	};

	for (size_t i = 0; own[i] != NULL; i++)
		if (strcmp(own[i], key) == 0)
			return NULL;
	return "options";
}

static const struct parameter_rules rules = {
    .effort = "{\"none\":{\"think\":false},\"low\":{\"think\":true},\"medium\":{\"think\":true},"
	      "\"high\":{\"think\":true},\"max\":{\"think\":true}}",
    .place = place,
};

/* With tools on offer a format would keep the model from calling one. */
bool ollama_answers_by_tool(const struct provider *provider, const char *model,
			    const struct model_request *request)
{
	const char *choice = request->tool_choice;

	(void)provider;
	(void)model;
	return request->tool_count > 0 && (choice == NULL || strcmp(choice, "none") != 0);
}

static bool write_body(const struct provider *provider, const char *model,
		       const struct model_request *request, struct buffer *out, struct error *e)
{
	json_open(out, '{');
	json_put_text(out, "model", model);
	json_put_bool(out, "stream", true);
	json_key(out, "messages");
	if (!ollama_messages(provider, model, request, out, e))
		return false;
	if (!write_tools(request, out) && request->schema.at != NULL)
		json_put_raw(out, "format", request->schema);
	if (request->max_tokens > 0) {
		json_key(out, "options");
		json_open(out, '{');
		json_put_int(out, "num_predict", request->max_tokens);
		json_close(out, '}');
	}
	json_close(out, '}');
	return parameters_apply(provider, model, request, &rules, out, e);
}

/* `path` behind the URL of the server, which may have been given with a path of one of its two
 * protocols. */
static char *make_url(const char *base_url, const char *path)
{
	static const char *const known[] = {"/api/chat", "/api", "/v1", NULL};
	struct buffer url = {0};

	buffer_add_text(&url, base_url);
	while (url.len > 0 && url.at[url.len - 1] == '/')
		url.len--;
	for (size_t i = 0; known[i] != NULL; i++) {
		if (span_ends(buffer_span(&url), known[i])) {
			url.len -= strlen(known[i]);
			break;
		}
	}
	buffer_add_text(&url, path);
	return buffer_take(&url);
}

bool ollama_request(const struct provider *provider, const char *model, const char *base_url,
		    const struct model_request *request, struct http_request *out, struct error *e)
{
	/* Neither can be said. */
	if (request->tool_count > 0 && request->tool_choice != NULL &&
	    strcmp(request->tool_choice, "required") == 0)
		return parameters_refuse_force(provider, model, request, e);
	if (parameters_one_call(request))
		return parameters_refuse_one_call(provider, model, e);
	out->url = make_url(base_url, "/api/chat");
	http_request_add_header(out, false, "Content-Type: application/json");
	http_request_add_header(out, false, "Accept: application/x-ndjson");
	return write_body(provider, model, request, &out->body, e);
}
