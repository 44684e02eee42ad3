#include <ctype.h>
#include <stdlib.h>

#include "model/parameters.h"
#include "model/protocol/anthropic.h"
#include "model/protocol/bedrock.h"
#include "model/provider.h"
#include "model/schema_dialect.h"

/* ---- the user's messages ---- */

static bool is_blank(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (strchr(" \t\r\n", text.at[i]) == NULL)
			return false;
	return true;
}

static void put_text(struct transcript *t, struct span text)
{
	json_open(t->out, '{');
	json_put_string(t->out, "text", text);
	json_close(t->out, '}');
}

/* A text that is blank would be refused. */
static void user_text(struct transcript *t, struct span text)
{
	buffer_clear(&t->scratch);
	json_decode(text, &t->scratch);
	if (!is_blank(buffer_span(&t->scratch)))
		put_text(t, buffer_span(&t->scratch));
}

/* What the API calls a media type; NULL: it does not take it. */
static const char *format_of(struct span media_type, bool image)
{
	static const struct {
		const char *type, *format;
		bool image;
	} known[] = {
	    {"image/png", "png", true},
	    {"image/jpeg", "jpeg", true},
	    {"image/jpg", "jpeg", true},
	    {"image/gif", "gif", true},
	    {"image/webp", "webp", true},
	    {"application/pdf", "pdf", false},
	    {"text/csv", "csv", false},
	    {"text/html", "html", false},
	    {"text/plain", "txt", false},
	    {"text/markdown", "md", false},
	    {"application/msword", "doc", false},
	    {"application/vnd.ms-excel", "xls", false},
	    {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx",
	     false},
	    {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i].image == image && json_is(media_type, known[i].type))
			return known[i].format;
	return NULL;
}

/* Letters, digits, hyphens, brackets and single spaces; no two documents of one request may have
 * the same name. */
static void put_file_name(struct span name, int number, struct buffer *out)
{
	enum { MAX_NAME = 190 };
	struct buffer plain = {0}, clean = {0};

	json_decode(name, &plain);
	for (size_t i = 0; i < plain.len && clean.len < MAX_NAME; i++) {
		unsigned char c = (unsigned char)plain.at[i];

		if (c < 0x80 && (isalnum(c) || strchr("-()[] ", c) != NULL))
			buffer_add_char(&clean, (char)c);
		else if (clean.len > 0 && clean.at[clean.len - 1] != '-')
			buffer_add_char(&clean, '-');
		if (clean.len > 1 && clean.at[clean.len - 1] == ' ' &&
		    clean.at[clean.len - 2] == ' ')
			clean.len--;
	}
	if (clean.len == 0)
		buffer_add_text(&clean, "document");
	if (number > 1)
		buffer_add_format(&clean, "-%d", number);
	json_put_string(out, "name", buffer_span(&clean));
	buffer_free(&plain);
	buffer_free(&clean);
}

static bool write_attachment(struct transcript *t, const struct part *part)
{
	bool image = part->type == PART_IMAGE;
	const char *format = format_of(part->media_type, image);

	if (format == NULL)
		return false;
	json_open(t->out, '{');
	json_key(t->out, image ? "image" : "document");
	json_open(t->out, '{');
	json_put_text(t->out, "format", format);
	if (!image)
		put_file_name(part->name, ++t->files, t->out);
	json_key(t->out, "source");
	json_open(t->out, '{');
	json_put_raw(t->out, "bytes", part->data);
	json_close(t->out, '}');
	json_close(t->out, '}');
	json_close(t->out, '}');
	return true;
}

/* ---- results ---- */

/* {"KEY":{ ... up to close_block */
static void open_block(struct transcript *t, const char *key)
{
	json_open(t->out, '{');
	json_key(t->out, key);
	json_open(t->out, '{');
}

static void close_block(struct transcript *t)
{
	json_close(t->out, '}');
	json_close(t->out, '}');
}

/* Only some families of models take a flag for errors: quirk "result_status". */
static bool takes_status(const struct transcript *t)
{
	return json_true(parameters_quirk(t->provider, t->model, "result_status"));
}

static void write_result(struct transcript *t, const struct transcript_call *call)
{
	bool is_error = call->result == NULL || call->result->is_error;

	buffer_clear(&t->scratch);
	if (call->result == NULL)
		buffer_add_text(&t->scratch,
				"Error: the call was interrupted, there is no result.");
	else
		transcript_result_text(call->result, &t->scratch);
	open_block(t, "toolResult");
	json_put_string(t->out, "toolUseId", call->id);
	json_key(t->out, "content");
	json_open(t->out, '[');
	put_text(t, is_blank(buffer_span(&t->scratch)) ? SPAN("(no output)")
						       : buffer_span(&t->scratch));
	json_close(t->out, ']');
	if (is_error && takes_status(t))
		json_put_text(t->out, "status", "error");
	close_block(t);
}

/* A result whose call is not in the message before is no result to the API. */
static void write_late(struct transcript *t, const struct part *result)
{
	buffer_clear(&t->scratch);
	transcript_late(result, &t->scratch);
	transcript_result_text(result, &t->scratch);
	put_text(t, buffer_span(&t->scratch));
}

/* ---- responses ---- */

static void write_call(struct transcript *t, const struct part *part, struct span id)
{
	open_block(t, "toolUse");
	json_put_string(t->out, "toolUseId", id);
	transcript_put_name(t, part->tool_name, BEDROCK_MAX_ID);
	transcript_put_args(part, "input", t->out);
	if (part->type == PART_PROVIDER_CALL)
		json_put_text(t->out, "type", "server_tool_use");
	close_block(t);
}

/* A call that the provider ran goes back with its result, as it came. */
static void write_provider_call(struct transcript *t, const struct part *part)
{
	struct span content = json_get(part->provider_data, "content");
	struct buffer id = {0};

	if (json_type(content) != JSON_ARRAY)
		return;
	transcript_safe_id(t, part, part->tool_call_id, &id);
	write_call(t, part, buffer_span(&id));
	open_block(t, "toolResult");
	transcript_members(json_get(part->provider_data, "result"), NULL, t->out);
	json_put_raw(t->out, "content", content);
	close_block(t);
	buffer_free(&id);
}

/* Reasoning goes back signed or not at all. */
static void write_thinking(struct transcript *t, const struct part *part)
{
	struct span signature = json_get(part->provider_data, "signature");

	if (signature.at == NULL)
		return;
	open_block(t, "reasoningContent");
	json_key(t->out, "reasoningText");
	json_open(t->out, '{');
	json_put_raw(t->out, "text", part->text);
	json_put_raw(t->out, "signature", signature);
	json_close(t->out, '}');
	close_block(t);
}

static void write_opaque(struct transcript *t, const struct part *part)
{
	struct span redacted = json_get(part->provider_data, "redactedContent");

	if (redacted.at == NULL)
		return;
	open_block(t, "reasoningContent");
	json_put_raw(t->out, "redactedContent", redacted);
	close_block(t);
}

static void write_cited(struct transcript *t, const struct part *part, struct span citations)
{
	open_block(t, "citationsContent");
	json_key(t->out, "content");
	json_open(t->out, '[');
	json_open(t->out, '{');
	json_put_raw(t->out, "text", part->text);
	json_close(t->out, '}');
	json_close(t->out, ']');
	json_put_raw(t->out, "citations", citations);
	close_block(t);
}

/* What only the model that wrote the response can read of it. */
static void write_own_part(struct transcript *t, const struct part *part)
{
	if (part->type == PART_PROVIDER_CALL)
		write_provider_call(t, part);
	else if (part->type == PART_THINKING)
		write_thinking(t, part);
	else if (part->type == PART_OPAQUE)
		write_opaque(t, part);
}

static void write_part(struct transcript *t, const struct part *part, bool own)
{
	struct span citations = json_get(part->provider_data, "citations");

	if (part->type == PART_CALL)
		write_call(t, part, transcript_call_id(t, part));
	else if (part->type == PART_TEXT && own && citations.at != NULL)
		write_cited(t, part, citations);
	else if (part->type == PART_TEXT || part->type == PART_REFUSAL)
		user_text(t, part->text);
	else if (own)
		write_own_part(t, part);
}

/* The provider has models of many makers, none of which can read another's signatures. */
static void write_response(struct transcript *t, const struct message *message)
{
	bool own = transcript_is_same_model(t, message);

	for (size_t i = 0; i < message->part_count; i++)
		write_part(t, &message->parts[i], own);
}

static const struct transcript_form form = {
    .member = "messages",
    .parts_key = "content",
    .assistant = "assistant",
    .answers_calls = true,
    .id = transcript_safe_id,
    .user_text = user_text,
    .attachment = write_attachment,
    .response = write_response,
    .result = write_result,
    .late = write_late,
};

/* ---- parameters ---- */

/* What is not the API's own is the model's. */
static const char *const own[] = {
    "messages",
    "system",
    "inferenceConfig",
    "toolConfig",
    "guardrailConfig",
    "additionalModelRequestFields",
    "additionalModelResponseFieldPaths",
    "promptVariables",
    "requestMetadata",
    "performanceConfig",
    "serviceTier",
    "outputConfig",
    NULL,
};
static const char *const inference[] = {"temperature", "topP", "maxTokens", "stopSequences", NULL};

static const struct parameter_place places[] = {
    {NULL, own}, {"inferenceConfig", inference}, {"additionalModelRequestFields", NULL}};

static const char *const used[] = {"parallel_tool_calls", NULL};

static const struct parameter_rules rules = {.places = places, .used = used};

/* ---- the schema of the answer ---- */

/* Whether the model takes a schema (quirk "schema": "tool" or false where it does not), and this
 * one. */
static bool schema_is_native(const struct transcript *t)
{
	struct span quirk = parameters_quirk(t->provider, t->model, "schema");

	return (quirk.at == NULL || json_true(quirk)) && anthropic_schema_fits(t->request->schema);
}

/* By default a tool does what the API does not. */
bool bedrock_answers_by_tool(const struct provider *provider, const char *model,
			     const struct model_request *request)
{
	const struct transcript t = {.provider = provider, .model = model, .request = request};
	struct span quirk = parameters_quirk(provider, model, "schema");

	return !schema_is_native(&t) && (json_type(quirk) != JSON_BOOL || json_true(quirk));
}

/* The schema is a text, in the dialect that Claude has elsewhere too. */
static void write_schema(struct transcript *t)
{
	struct buffer schema = {0}, name = {0};
	struct buffer *out = t->out;

	anthropic_write_schema(t->request->schema, &schema);
	dialect_name(t->request->schema, &name);
	json_key(out, "outputConfig");
	json_open(out, '{');
	json_key(out, "textFormat");
	json_open(out, '{');
	json_put_text(out, "type", "json_schema");
	json_key(out, "structure");
	json_open(out, '{');
	json_key(out, "jsonSchema");
	json_open(out, '{');
	json_put_string(out, "schema", buffer_span(&schema));
	json_put_string(out, "name", buffer_span(&name));
	json_close(out, '}');
	json_close(out, '}');
	json_close(out, '}');
	json_close(out, '}');
	buffer_free(&schema);
	buffer_free(&name);
}

/* ---- the request ---- */

static void write_system(struct transcript *t, bool with_schema)
{
	struct buffer text = {0};

	transcript_system(t->request, &text);
	if (with_schema)
		dialect_instruction(t->request->schema, &text);
	if (text.len > 0) {
		json_key(t->out, "system");
		json_open(t->out, '[');
		json_open(t->out, '{');
		json_put_string(t->out, "text", buffer_span(&text));
		json_close(t->out, '}');
		json_close(t->out, ']');
	}
	buffer_free(&text);
}

/* What the model would refuse: a forced call while it thinks within a budget, or one call at a time
 * where it has no word for it (quirk "parallel"). */
static bool check_tools(struct transcript *t)
{
	const struct model_request *request = t->request;
	struct span levels = parameters_quirk(t->provider, t->model, "effort");
	struct span members = json_get(levels, request->effort != NULL ? request->effort : "");
	struct span type = json_path(members, "additionalModelRequestFields.thinking.type");

	if (parameters_force_tool(request) && json_is(type, "enabled"))
		return parameters_refuse_force(t->provider, t->model, request, t->e);
	return !parameters_one_call(request) ||
	       json_true(parameters_quirk(t->provider, t->model, "parallel")) ||
	       parameters_refuse_one_call(t->provider, t->model, t->e);
}

static bool write_body(struct transcript *t)
{
	bool schema = t->request->schema.at != NULL, native = schema && schema_is_native(t);

	json_open(t->out, '{');
	transcript_put_messages(t);
	write_system(t, schema && !native);
	if (t->request->max_tokens > 0) {
		json_key(t->out, "inferenceConfig");
		json_open(t->out, '{');
		json_put_int(t->out, "maxTokens", t->request->max_tokens);
		json_close(t->out, '}');
	}
	bedrock_write_tools(t);
	if (native)
		write_schema(t);
	if (parameters_one_call(t->request))
		bedrock_write_single(t);
	json_close(t->out, '}');
	return parameters_apply(t->provider, t->model, t->request, &rules, t->out, t->e);
}

bool bedrock_request(const struct provider *provider, const char *model, const char *base_url,
		     const struct model_request *request, struct http_request *out, struct error *e)
{
	struct transcript t = {.provider = provider,
			       .model = model,
			       .request = request,
			       .out = &out->body,
			       .e = e,
			       .ids = {.most = BEDROCK_MAX_ID, .made = 16}};
	struct buffer url = {0};

	buffer_add_text(&url, base_url);
	while (url.len > 0 && url.at[url.len - 1] == '/')
		url.len--;
	buffer_add_text(&url, "/model/");
	provider_escape(model, &url);
	buffer_add_text(&url, "/converse-stream");
	out->url = buffer_take(&url);
	http_request_add_header(out, false, "Content-Type: application/json");
	http_request_add_header(out, false, "Accept: application/vnd.amazon.eventstream");
	return check_tools(&t) && transcript_request(&t, &form, write_body);
}
