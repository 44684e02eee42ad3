#include "model/protocol/openai_chat.h"
#include "model/provider.h"

bool chat_list_request(const struct provider *provider, const char *base_url,
		       struct http_request *out, struct error *e)
{
	struct buffer url = {0};

	if (strstr(base_url, "{model}") != NULL)
		return error_set(e, "usage", "%s has no list of models to ask for", provider->name);
	buffer_add_text(&url, base_url);
	while (url.len > 0 && url.at[url.len - 1] == '/')
		url.len--;
	buffer_add_text(&url, "/models");
	out->url = buffer_take(&url);
	http_request_add_header(out, false, "Accept: application/json");
	return true;
}

/* OpenAI says nothing about sizes; the servers that do agree on no name. */
static int64_t context_window(struct span model)
{
	static const char *const names[] = {"context_length", "context_window",
					    "max_context_length", "max_model_len", NULL};

	for (size_t i = 0; names[i] != NULL; i++) {
		int64_t tokens = json_int(json_get(model, names[i]), 0);

		if (tokens > 0)
			return tokens;
	}
	return 0;
}

void chat_list_read(struct span json, struct buffer *out)
{
	struct span data = json_get(json, "data");
	struct json_walk walk = json_walk(json_type(json) == JSON_ARRAY ? json : data);

	while (json_next(&walk)) {
		struct span id = json_get(walk.value, "id");
		struct span name = json_get(walk.value, "name");
		int64_t tokens = context_window(walk.value);

		if (name.at == NULL)
			name = json_get(walk.value, "display_name");
		provider_list_line(id, tokens, name, out);
	}
}
