#include <stdlib.h>

#include "model/parameters.h"
#include "model/protocol/openai_chat.h"
#include "model/protocol/transcript.h"
#include "model/provider.h"
#include "model/schema_dialect.h"

/* ---- messages ---- */

static void begin(struct transcript *t, const char *role)
{
	json_open(t->out, '{');
	json_put_text(t->out, "role", role);
}

static void put_message(struct transcript *t, const char *role, struct span content)
{
	begin(t, role);
	json_put_string(t->out, "content", content);
	json_close(t->out, '}');
}

/* All instructions become one message at the start: many servers take no other. */
static void write_system(struct transcript *t)
{
	struct buffer text = {0};

	transcript_system(t->request, &text);
	if (!chat_schema_is_native(t->provider, t->request))
		dialect_instruction(t->request->schema, &text);
	if (text.len > 0)
		put_message(t, "system", buffer_span(&text));
	buffer_free(&text);
}

static void user_text(struct transcript *t, struct span text)
{
	transcript_add_paragraph(text, &t->text);
}

/* The text so far becomes a part. */
static void end_text(struct transcript *t)
{
	if (t->text.len == 0)
		return;
	json_open(&t->parts, '{');
	json_put_text(&t->parts, "type", "text");
	json_put_string(&t->parts, "text", buffer_span(&t->text));
	json_close(&t->parts, '}');
	buffer_clear(&t->text);
}

static bool write_attachment(struct transcript *t, const struct part *part)
{
	bool is_image = part->type == PART_IMAGE;
	const char *type = is_image ? "image_url" : "file";

	end_text(t);
	json_open(&t->parts, '{');
	json_put_text(&t->parts, "type", type);
	json_key(&t->parts, type);
	json_open(&t->parts, '{');
	if (!is_image)
		json_put_raw(&t->parts, "filename", part->name);
	transcript_put_data_url(&t->parts, is_image ? "url" : "file_data", part);
	json_close(&t->parts, '}');
	json_close(&t->parts, '}');
	return true;
}

static void end_users(struct transcript *t)
{
	if (t->text.len == 0 && t->parts.len == 0)
		return;
	if (t->after_tool && json_true(provider_quirk(t->provider, "no_user_after_tool")))
		put_message(t, "assistant", SPAN("OK."));
	if (t->parts.len == 0) {
		put_message(t, "user", buffer_span(&t->text));
	} else {
		end_text(t);
		begin(t, "user");
		json_key(t->out, "content");
		json_open(t->out, '[');
		buffer_add_span(t->out, buffer_span(&t->parts));
		json_close(t->out, ']');
		json_close(t->out, '}');
	}
	buffer_clear(&t->text);
	buffer_clear(&t->parts);
}

static void write_call(struct transcript *t, const struct part *part, bool own)
{
	struct span extra = json_path(part->provider_data, "extra_content");

	buffer_clear(&t->scratch);
	transcript_args(part, &t->scratch);
	json_open(t->out, '{');
	json_put_string(t->out, "id", transcript_call_id(t, part));
	json_put_text(t->out, "type", "function");
	json_key(t->out, "function");
	json_open(t->out, '{');
	json_put_raw(t->out, "name", part->tool_name);
	json_put_string(t->out, "arguments", buffer_span(&t->scratch));
	json_close(t->out, '}');
	if (own && extra.at != NULL)
		json_put_raw(t->out, "extra_content", extra);
	json_close(t->out, '}');
}

static void write_calls(struct transcript *t, const struct message *message)
{
	bool own = transcript_is_own(t, message);

	if (message->calls == 0)
		return;
	json_key(t->out, "tool_calls");
	json_open(t->out, '[');
	for (size_t i = 0; i < message->part_count; i++)
		if (message->parts[i].type == PART_CALL)
			write_call(t, &message->parts[i], own);
	json_close(t->out, ']');
}

/* Send reasoning back where the provider wants it. */
static void write_reasoning(struct transcript *t, const struct message *message)
{
	struct span quirk = provider_quirk(t->provider, "reasoning_back");
	struct span details = json_path(message->provider_data, "reasoning_details");
	char *field;

	if (!transcript_is_own(t, message))
		return;
	if (json_is(quirk, "reasoning_details")) {
		if (details.at != NULL)
			json_put_raw(t->out, "reasoning_details", details);
		return;
	}
	field = json_text(quirk);
	buffer_clear(&t->scratch);
	if (field != NULL &&
	    (t->in_loop || json_true(provider_quirk(t->provider, "reasoning_back_all"))))
		transcript_add_thinking(message, &t->scratch);
	if (t->scratch.len > 0)
		json_put_string(t->out, field, buffer_span(&t->scratch));
	free(field);
}

static void write_response(struct transcript *t, const struct message *message)
{
	struct buffer text = {0};

	transcript_add_texts(message, &text);
	if (message->calls > 0 || text.len > 0) {
		begin(t, "assistant");
		if (text.len > 0)
			json_put_string(t->out, "content", buffer_span(&text));
		else
			json_put_null(t->out, "content");
		write_reasoning(t, message);
		write_calls(t, message);
		json_close(t->out, '}');
	}
	buffer_free(&text);
}

/* A result is text; an error says so in it, for there is no flag. */
static void write_result(struct transcript *t, const struct transcript_call *call)
{
	buffer_clear(&t->scratch);
	transcript_result_text(call->result, &t->scratch);
	begin(t, "tool");
	json_put_string(t->out, "tool_call_id", call->id);
	json_put_string(t->out, "content", buffer_span(&t->scratch));
	json_close(t->out, '}');
}

static const struct transcript_form form = {
    .member = "messages",
    .joins_users = true,
    .keeps_loop = true,
    .only_images = true,
    .id = transcript_safe_id,
    .system = write_system,
    .user_text = user_text,
    .attachment = write_attachment,
    .end_users = end_users,
    .response = write_response,
    .result = write_result,
};

/* ---- parameters ---- */

/* Which tools are offered: all, or only `name`. */
static void write_tools(const struct model_request *request, const char *name, struct buffer *out)
{
	json_key(out, "tools");
	json_open(out, '[');
	for (size_t i = 0; i < request->tool_count; i++)
		if (name == NULL || strcmp(request->tools[i].name, name) == 0)
			transcript_put_function(out, &request->tools[i]);
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

/* ---- the schema of the answer ---- */

bool chat_schema_is_native(const struct provider *provider, const struct model_request *request)
{
	struct span quirk = provider_quirk(provider, "schema");

	return request->schema.at == NULL || quirk.at == NULL || json_is(quirk, "json_schema");
}

bool chat_answers_by_tool(const struct provider *provider, const char *model,
			  const struct model_request *request)
{
	(void)model;
	return !chat_schema_is_native(provider, request) &&
	       !json_is(provider_quirk(provider, "schema"), "words");
}

static void write_schema(const struct provider *provider, const struct model_request *request,
			 struct buffer *out)
{
	if (request->schema.at == NULL)
		return;
	if (!chat_schema_is_native(provider, request)) {
		if (json_is(provider_quirk(provider, "schema"), "json_object"))
			json_put_raw(out, "response_format", SPAN("{\"type\":\"json_object\"}"));
		return;
	}
	json_key(out, "response_format");
	json_open(out, '{');
	json_put_text(out, "type", "json_schema");
	json_key(out, "json_schema");
	json_open(out, '{');
	dialect_put_named(request->schema, out);
	json_close(out, '}');
	json_close(out, '}');
}

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

static struct transcript_ids call_ids(const struct provider *provider)
{
	return (struct transcript_ids){
	    .most = (size_t)json_int(provider_quirk(provider, "tool_call_id_max"), 40),
	    .exact = (size_t)json_int(provider_quirk(provider, "tool_call_id_length"), 0),
	    .made = 9,
	};
}

static bool write_body(struct transcript *t)
{
	json_open(t->out, '{');
	json_put_text(t->out, "model", t->model);
	json_put_bool(t->out, "stream", true);
	write_stream_options(t->provider, t->request, t->out);
	transcript_put_messages(t);
	if (t->request->tool_count > 0)
		write_tool_choice(t->provider, t->request, t->out);
	write_max_tokens(t->provider, t->request, t->out);
	write_schema(t->provider, t->request, t->out);
	json_close(t->out, '}');
	return parameters_apply(t->provider, t->model, t->request, &rules, t->out, t->e);
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
	struct transcript t = {.provider = provider,
			       .model = model,
			       .request = request,
			       .out = &out->body,
			       .e = e,
			       .ids = call_ids(provider)};

	out->url = chat_url(base_url, model, "/chat/completions");
	http_request_add_header(out, false, "Content-Type: application/json");
	http_request_add_header(out, false, "Accept: text/event-stream");
	return transcript_request(&t, &form, write_body);
}
