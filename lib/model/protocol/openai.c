#include "model/protocol/openai.h"

#include "base/uri.h"
#include "model/parameters.h"
#include "model/protocol/schema_dialect.h"

char *openai_url(const struct transcript *t, const char *path)
{
	const char *base_url = t->provider->base_url;
	const char *hole = strstr(base_url, "{model}");
	struct buffer url = {0};

	if (hole != NULL) {
		buffer_add(&url, base_url, (size_t)(hole - base_url));
		uri_encode(span_of(t->model), "", &url);
		base_url = hole + strlen("{model}");
	}
	buffer_add_text(&url, base_url);
	if (!span_ends(buffer_span(&url), path))
		buffer_add_text(&url, path);
	return buffer_take(&url);
}

/* ---- the schema of the answer ---- */

static bool accepts_schema(const struct provider *provider)
{
	struct span quirk = provider_quirk(provider, "schema");

	return quirk.at == NULL || json_is(quirk, "json_schema");
}

bool openai_answers_by_tool(const struct transcript *t)
{
	return !accepts_schema(t->provider) &&
	       !json_is(provider_quirk(t->provider, "schema"), "words");
}

struct span openai_instructions(struct transcript *t)
{
	return transcript_instructions(t, !accepts_schema(t->provider));
}

void openai_put_format(struct transcript *t, const char *schema, const char *object)
{
	struct buffer members = {0};

	if (t->request->schema.at == NULL)
		return;
	if (accepts_schema(t->provider)) {
		dialect_put_named(t->request->schema, &members);
		json_pack(t->out, schema, buffer_span(&members));
	} else if (json_is(provider_quirk(t->provider, "schema"), "json_object")) {
		json_pack(t->out, object);
	}
	buffer_free(&members);
}

/* ---- tools ---- */

const char *openai_named_tool(const struct model_request *request)
{
	const char *choice = request->tool_choice;

	return parameters_choice(choice) == CHOICE_NAMED ? choice : NULL;
}

void openai_put_functions(struct transcript *t, const char *name)
{
	const struct model_request *request = t->request;

	json_pack(t->out, "'tools':[");
	for (size_t i = 0; i < request->tool_count; i++) {
		const struct model_tool *tool = &request->tools[i];

		if (name == NULL || strcmp(tool->name, name) == 0)
			json_pack(t->out,
				  "{'type':'function','function':"
				  "{'name':%t,'description':%t,'parameters':%j}}",
				  tool->name, tool->description, tool->parameters);
	}
	json_close(t->out, ']');
}

/* ---- messages ---- */

void openai_put_message(struct transcript *t, const char *role, struct span content)
{
	json_pack(t->out, "{'role':%t,'content':%s}", role, content);
}

void openai_put_response(struct transcript *t, const struct message *message, const char *no_text,
			 void (*reasoning)(struct transcript *t, const struct message *message),
			 void (*call)(struct transcript *t, const struct part *part,
				      int64_t position))
{
	struct buffer text = {0}, content = {0};
	int64_t position = 0;

	transcript_add_texts(message, &text);
	if (text.len > 0)
		json_write_string(&content, buffer_span(&text));
	else
		buffer_add_text(&content, no_text);
	if (message->calls > 0 || text.len > 0) {
		json_pack(t->out, "{'role':'assistant','content':%j", buffer_span(&content));
		reasoning(t, message);
		if (message->calls > 0)
			json_pack(t->out, "'tool_calls':[");
		for (size_t i = 0; message->calls > 0 && i < message->part_count; i++)
			if (message->parts[i].type == PART_CALL)
				call(t, &message->parts[i], position++);
		buffer_add_text(t->out, message->calls > 0 ? "]}" : "}");
	}
	buffer_free(&text);
	buffer_free(&content);
}

void openai_put_data_url(struct buffer *out, const char *key, const struct part *part)
{
	json_key(out, key);
	buffer_add_text(out, "\"data:");
	buffer_add_span(out, json_plain(part->media_type));
	buffer_add_text(out, ";base64,");
	buffer_add_span(out, json_plain(part->data));
	buffer_add_char(out, '"');
}
