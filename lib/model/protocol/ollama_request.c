#include "model/protocol/ollama.h"

#include <stdlib.h>

#include "model/parameters.h"
#include "model/protocol/transcript.h"
#include "model/provider.h"
#include "model/schema_dialect.h"

/* ---- messages ---- */

static void begin(struct transcript *t, const char *role, struct span content)
{
	json_open(t->out, '{');
	json_put_text(t->out, "role", role);
	json_put_string(t->out, "content", content);
}

/* What "format" forces on the model, it does not know: the instructions tell it. */
static void write_system(struct transcript *t)
{
	struct buffer text = {0};

	transcript_system(t->request, &text);
	if (t->request->schema.at != NULL)
		dialect_instruction(t->request->schema, &text);
	if (text.len > 0) {
		begin(t, "system", buffer_span(&text));
		json_close(t->out, '}');
	}
	buffer_free(&text);
}

static void user_text(struct transcript *t, struct span text)
{
	transcript_add_paragraph(text, &t->text);
}

/* Images stand beside the text; there are no files. */
static bool write_attachment(struct transcript *t, const struct part *part)
{
	if (part->type != PART_IMAGE)
		return false;
	json_comma(&t->parts);
	buffer_add_span(&t->parts, part->data);
	return true;
}

static void end_users(struct transcript *t)
{
	if (t->text.len == 0 && t->parts.len == 0)
		return;
	begin(t, "user", buffer_span(&t->text));
	if (t->parts.len > 0) {
		json_key(t->out, "images");
		json_open(t->out, '[');
		buffer_add_span(t->out, buffer_span(&t->parts));
		json_close(t->out, ']');
	}
	json_close(t->out, '}');
	buffer_clear(&t->text);
	buffer_clear(&t->parts);
}

/* The id that the server itself gave the call; empty where it gave none. */
static void call_id(struct transcript *t, const struct part *call, struct span tool_call_id,
		    struct buffer *id)
{
	struct span own = transcript_own_id(t, call);

	json_decode(own.at != NULL ? own : tool_call_id, id);
}

static void write_call(struct transcript *t, const struct part *part, int64_t index)
{
	struct span id = transcript_call_id(t, part);

	json_open(t->out, '{');
	if (id.len > 0)
		json_put_string(t->out, "id", id);
	json_key(t->out, "function");
	json_open(t->out, '{');
	json_put_int(t->out, "index", index);
	json_put_raw(t->out, "name", part->tool_name);
	transcript_put_args(part, "arguments", t->out);
	json_close(t->out, '}');
	json_close(t->out, '}');
}

static void write_calls(struct transcript *t, const struct message *message)
{
	int64_t index = 0;

	if (message->calls == 0)
		return;
	json_key(t->out, "tool_calls");
	json_open(t->out, '[');
	for (size_t i = 0; i < message->part_count; i++)
		if (message->parts[i].type == PART_CALL)
			write_call(t, &message->parts[i], index++);
	json_close(t->out, ']');
}

/* Reasoning goes back within the tool loop that is running, as the models' templates have it. */
static void write_thinking(struct transcript *t, const struct message *message)
{
	buffer_clear(&t->scratch);
	if (t->in_loop && transcript_is_own(t, message))
		transcript_add_thinking(message, &t->scratch);
	if (t->scratch.len > 0)
		json_put_string(t->out, "thinking", buffer_span(&t->scratch));
}

static void write_response(struct transcript *t, const struct message *message)
{
	struct buffer text = {0};

	transcript_add_texts(message, &text);
	if (message->calls > 0 || text.len > 0) {
		begin(t, "assistant", buffer_span(&text));
		write_thinking(t, message);
		write_calls(t, message);
		json_close(t->out, '}');
	}
	buffer_free(&text);
}

static void write_result(struct transcript *t, const struct transcript_call *call)
{
	buffer_clear(&t->scratch);
	transcript_result_text(call->result, &t->scratch);
	begin(t, "tool", buffer_span(&t->scratch));
	json_put_raw(t->out, "tool_name", call->result->tool_name);
	if (call->id.len > 0)
		json_put_string(t->out, "tool_call_id", call->id);
	json_close(t->out, '}');
}

static const struct transcript_form form = {
    .member = "messages",
    .joins_users = true,
    .keeps_loop = true,
    .id = call_id,
    .system = write_system,
    .user_text = user_text,
    .attachment = write_attachment,
    .end_users = end_users,
    .response = write_response,
    .result = write_result,
};

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
		transcript_put_function(out, &request->tools[i]);
	}
	if (any)
		json_close(out, ']');
	return any;
}

/* What belongs to the request; all else is an option of the model. */
static const char *const own[] = {
    "model", "messages", "stream", "format",   "keep_alive",   "tools", "options",
    "think", "truncate", "shift",  "logprobs", "top_logprobs", NULL,
};

static const struct parameter_place places[] = {{NULL, own}, {"options", NULL}};

static const struct parameter_rules rules = {
    .effort = "{\"none\":{\"think\":false},\"low\":{\"think\":true},\"medium\":{\"think\":true},"
	      "\"high\":{\"think\":true},\"max\":{\"think\":true}}",
    .places = places,
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

static bool write_body(struct transcript *t)
{
	const struct model_request *request = t->request;

	json_open(t->out, '{');
	json_put_text(t->out, "model", t->model);
	json_put_bool(t->out, "stream", true);
	transcript_put_messages(t);
	if (!write_tools(request, t->out) && request->schema.at != NULL)
		json_put_raw(t->out, "format", request->schema);
	if (request->max_tokens > 0) {
		json_key(t->out, "options");
		json_open(t->out, '{');
		json_put_int(t->out, "num_predict", request->max_tokens);
		json_close(t->out, '}');
	}
	json_close(t->out, '}');
	return parameters_apply(t->provider, t->model, request, &rules, t->out, t->e);
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
	struct transcript t = {
	    .provider = provider, .model = model, .request = request, .out = &out->body, .e = e};

	/* Neither can be said. */
	if (request->tool_count > 0 && request->tool_choice != NULL &&
	    strcmp(request->tool_choice, "required") == 0)
		return parameters_refuse_force(provider, model, request, e);
	if (parameters_one_call(request))
		return parameters_refuse_one_call(provider, model, e);
	out->url = make_url(base_url, "/api/chat");
	http_request_add_header(out, false, "Content-Type: application/json");
	http_request_add_header(out, false, "Accept: application/x-ndjson");
	return transcript_request(&t, &form, write_body);
}
