#include "model/protocol/openai_chat.h"
#include "model/schema_dialect.h"

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

void chat_schema_write(const struct provider *provider, const struct model_request *request,
		       struct buffer *out)
{
	struct buffer name = {0};

	if (request->schema.at == NULL)
		return;
	if (!chat_schema_is_native(provider, request)) {
		if (json_is(provider_quirk(provider, "schema"), "json_object"))
			json_put_raw(out, "response_format", SPAN("{\"type\":\"json_object\"}"));
		return;
	}
	dialect_name(request->schema, &name);
	json_key(out, "response_format");
	json_open(out, '{');
	json_put_text(out, "type", "json_schema");
	json_key(out, "json_schema");
	json_open(out, '{');
	json_put_text(out, "name", buffer_string(&name));
	json_put_bool(out, "strict", dialect_is_strict(request->schema));
	json_put_raw(out, "schema", request->schema);
	json_close(out, '}');
	json_close(out, '}');
	buffer_free(&name);
}
