#include <ctype.h>
#include <stdlib.h>

#include "base/uri.h"
#include "model/parameters.h"
#include "model/protocol/anthropic.h"
#include "model/protocol/bedrock.h"
#include "model/protocol/schema_dialect.h"

/* Longest id and longest name of a call. */
enum { MAX_ID = 64 };

/* ---- the user's messages ---- */

static void put_text(struct transcript *t, struct span text)
{
	json_pack(t->out, "{'text':%s}", text);
}

/* The API's name of a media type; NULL: it does not accept the type. */
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
static void make_file_name(struct span name, int number, struct buffer *out)
{
	enum { MAX_NAME = 190 };
	struct buffer plain = {0};

	json_decode(name, &plain);
	for (size_t i = 0; i < plain.len && out->len < MAX_NAME; i++) {
		unsigned char c = (unsigned char)plain.at[i];
		char last = (char)(out->len > 0 ? out->at[out->len - 1] : '-');

		if (c < 0x80 && (isalnum(c) || strchr("-()[] ", c) != NULL)) {
			if (c != ' ' || last != ' ')
				buffer_add_char(out, (char)c);
		} else if (last != '-') {
			buffer_add_char(out, '-');
		}
	}
	if (out->len == 0)
		buffer_add_text(out, "document");
	if (number > 1)
		buffer_add_format(out, "-%d", number);
	buffer_free(&plain);
}

static bool write_attachment(struct transcript *t, const struct part *part)
{
	bool image = part->type == PART_IMAGE;
	const char *format = format_of(part->media_type, image);
	struct buffer name = {0};

	if (format == NULL)
		return false;
	if (!image)
		make_file_name(part->name, ++t->files, &name);
	json_pack(t->out, "{%t:{'format':%t,'name':%s,'source':{'bytes':%j}}}",
		  image ? "image" : "document", format,
		  image ? (struct span){0} : buffer_span(&name), part->data);
	buffer_free(&name);
	return true;
}

/* ---- results ---- */

/* Only some families of models accept a flag for errors: quirk "result_status". */
static bool accepts_status(const struct transcript *t)
{
	return json_true(parameters_quirk(t, "result_status"));
}

static void write_result(struct transcript *t, const struct transcript_call *call)
{
	bool is_error = call->result == NULL || call->result->is_error;
	struct span text = SPAN("Error: the call was interrupted, there is no result.");

	if (call->result != NULL)
		text = transcript_result_text(t, call->result);
	json_pack(t->out, "{'toolResult':{'toolUseId':%s,'content':[{'text':%s}],'status':%t}}",
		  call->id, span_trim(text).len == 0 ? SPAN("(no output)") : text,
		  is_error && accepts_status(t) ? "error" : NULL);
}

/* ---- parts ---- */

/* A text that is blank would be refused. */
static void write_text(struct transcript *t, const struct part *part)
{
	struct span citations = transcript_data(t, part, "citations");

	buffer_clear(&t->scratch);
	json_decode(part->text, &t->scratch);
	if (citations.at != NULL)
		json_pack(t->out, "{'citationsContent':{'content':[{'text':%j}],'citations':%j}}",
			  part->text, citations);
	else if (span_trim(buffer_span(&t->scratch)).len > 0)
		put_text(t, buffer_span(&t->scratch));
}

static void put_call(struct transcript *t, const struct part *part, struct span id)
{
	json_pack(t->out, "{'toolUse':{'toolUseId':%s", id);
	transcript_put_name(t, part->tool_name, MAX_ID);
	transcript_put_args(part, "input", t->out);
	json_pack(t->out, "'type':%t}}",
		  part->type == PART_PROVIDER_CALL ? "server_tool_use" : NULL);
}

static void write_call(struct transcript *t, const struct part *part)
{
	put_call(t, part, transcript_call_id(t, part));
}

/* A call that the provider ran goes back with its result, as it came. */
static void write_provider_call(struct transcript *t, const struct part *part)
{
	struct span content = transcript_data(t, part, "content");
	struct buffer id = {0};

	if (json_type(content) != JSON_ARRAY)
		return;
	transcript_safe_id(t, part, &id);
	put_call(t, part, buffer_span(&id));
	json_pack(t->out, "{'toolResult':{");
	transcript_members(transcript_data(t, part, "result"), NULL, t->out);
	json_pack(t->out, "'content':%j}}", content);
	buffer_free(&id);
}

/* Reasoning goes back signed or not at all. */
static void write_thinking(struct transcript *t, const struct part *part)
{
	struct span signature = transcript_data(t, part, "signature");

	if (signature.at != NULL)
		json_pack(t->out,
			  "{'reasoningContent':{'reasoningText':{'text':%j,'signature':%j}}}",
			  part->text, signature);
}

static void write_opaque(struct transcript *t, const struct part *part)
{
	struct span redacted = transcript_data(t, part, "redactedContent");

	if (redacted.at != NULL)
		json_pack(t->out, "{'reasoningContent':{'redactedContent':%j}}", redacted);
}

/* The provider has models of many makers, none of which can read another's signatures. */
static const struct transcript_form form = {
    .member = "messages",
    .parts_key = "content",
    .assistant = "assistant",
    .own_model = true,
    .id = transcript_safe_id,
    .attachment = write_attachment,
    .parts =
	{
	    [PART_TEXT] = write_text,
	    [PART_THINKING] = write_thinking,
	    [PART_CALL] = write_call,
	    [PART_PROVIDER_CALL] = write_provider_call,
	    [PART_OPAQUE] = write_opaque,
	},
    .result = write_result,
};

/* ---- parameters ---- */

/* Options that are not members of the API's body belong to the model. */
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

/* The schema is a text, in the dialect that Claude has elsewhere too. */
static void write_schema(struct transcript *t)
{
	struct buffer schema = {0}, name = {0};

	dialect_write_anthropic(t->request->schema, &schema);
	dialect_name(t->request->schema, &name);
	json_pack(t->out,
		  "'outputConfig':{'textFormat':{'type':'json_schema','structure':{'jsonSchema':"
		  "{'schema':%s,'name':%s}}}}",
		  buffer_span(&schema), buffer_span(&name));
	buffer_free(&schema);
	buffer_free(&name);
}

/* ---- tools ---- */

/* The parameters of a tool are always the schema of an object. */
static void write_tool(struct span name, const char *description, struct span parameters,
		       struct buffer *out)
{
	if (json_get(parameters, "type").at == NULL)
		parameters = SPAN("{\"type\":\"object\",\"properties\":{}}");
	json_pack(out, "{'toolSpec':{'name':%s,'description':%t,'inputSchema':{'json':%j}}}", name,
		  description != NULL && *description != '\0' ? description : NULL, parameters);
}

/* Declare the tool of a call, unless it is among `seen`. */
static void write_called_tool(const struct part *call, struct buffer *seen, struct buffer *out)
{
	struct buffer name = {0}, line = {0};

	json_decode(call->tool_name, &name);
	transcript_make_name(&name, MAX_ID);
	buffer_add_format(&line, "\n%s\n", buffer_string(&name));
	if (strstr(buffer_string(seen), buffer_string(&line)) == NULL) {
		buffer_add_span(seen, buffer_span(&line));
		write_tool(buffer_span(&name), "Not available any more.", (struct span){0}, out);
	}
	buffer_free(&name);
	buffer_free(&line);
}

/* The tools that the conversation calls, by name. Without them the calls would be refused. */
static void write_called(const struct model_request *request, struct buffer *out)
{
	struct buffer seen = {0};

	for (size_t i = 0; i < request->message_count; i++) {
		const struct message *message = request->messages[i];

		for (size_t j = 0; message->calls > 0 && j < message->part_count; j++)
			if (message->parts[j].type == PART_CALL)
				write_called_tool(&message->parts[j], &seen, out);
	}
	buffer_free(&seen);
}

static bool has_calls(const struct model_request *request)
{
	for (size_t i = 0; i < request->message_count; i++)
		if (request->messages[i]->calls > 0)
			return true;
	return false;
}

/* The API has no "none": no tools are offered, unless the conversation holds calls of them. */
static void write_tools(const struct transcript *t)
{
	const struct model_request *request = t->request;
	enum tool_choice choice = parameters_choice(request->tool_choice);

	if ((request->tool_count == 0 || choice == CHOICE_NONE) && !has_calls(request))
		return;
	json_pack(t->out, "'toolConfig':{'tools':[");
	for (size_t i = 0; i < request->tool_count; i++)
		write_tool(span_of(request->tools[i].name), request->tools[i].description,
			   request->tools[i].parameters, t->out);
	if (request->tool_count == 0)
		write_called(request, t->out);
	json_close(t->out, ']');
	if (parameters_force_tool(request) && !parameters_one_call(request))
		json_pack(t->out,
			  choice == CHOICE_ANY ? "'toolChoice':{'any':{}}"
					       : "'toolChoice':{'tool':{'name':%t}}",
			  request->tool_choice);
	json_close(t->out, '}');
}

/* The API has no option for one call at a time. Claude accepts its own option, a member of the tool
 * choice. */
static void write_single(const struct transcript *t)
{
	const char *choice = t->request->tool_choice;

	if (t->request->tool_count == 0 || parameters_choice(choice) == CHOICE_NONE)
		return;
	json_pack(t->out, "'additionalModelRequestFields':{");
	anthropic_put_choice(choice, true, t->out);
	json_close(t->out, '}');
}

/* ---- the request ---- */

static void write_system(struct transcript *t, bool schema_in_words)
{
	struct span text = transcript_instructions(t, schema_in_words);

	if (text.len > 0)
		json_pack(t->out, "'system':[{'text':%s}]", text);
}

/* Refuse what the model would refuse: a forced call while it thinks within a budget, or one call at
 * a time if it has no option for it (quirk "parallel"). */
static bool check_tools(struct transcript *t)
{
	const struct model_request *request = t->request;
	struct span levels = parameters_quirk(t, "effort");
	struct span members = json_get(levels, request->effort != NULL ? request->effort : "");
	struct span type = json_path(members, "additionalModelRequestFields.thinking.type");

	if (parameters_force_tool(request) && json_is(type, "enabled"))
		return parameters_refuse_force(t);
	return !parameters_one_call(request) || json_true(parameters_quirk(t, "parallel")) ||
	       parameters_refuse_one_call(t);
}

static bool write_body(struct transcript *t)
{
	bool native = anthropic_accepts_schema(t);

	json_open(t->out, '{');
	transcript_put_messages(t);
	write_system(t, !native);
	if (t->request->max_tokens > 0)
		json_pack(t->out, "'inferenceConfig':{'maxTokens':%d}", t->request->max_tokens);
	write_tools(t);
	if (native)
		write_schema(t);
	if (parameters_one_call(t->request))
		write_single(t);
	json_close(t->out, '}');
	return parameters_apply(t, &rules);
}

bool bedrock_request(struct transcript *t, struct http_request *out)
{
	struct buffer url = {0};

	buffer_add_format(&url, "%s/model/", t->provider->base_url);
	uri_encode(span_of(t->model), "", &url);
	buffer_add_text(&url, "/converse-stream");
	out->url = buffer_take(&url);
	t->ids = (struct transcript_ids){.most = MAX_ID, .made = 16};
	return check_tools(t) && transcript_request(t, &form, write_body);
}
