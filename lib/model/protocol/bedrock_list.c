#include "model/protocol/bedrock.h"
#include "model/provider.h"

/* Models are listed by another host than the one that runs them. */
bool bedrock_list_request(const struct provider *provider, const char *base_url,
			  struct http_request *out, struct error *e)
{
	static const char runs[] = "://bedrock-runtime.", lists[] = "://bedrock.";
	const char *host = strstr(base_url, runs);
	struct buffer url = {0};

	(void)provider;
	(void)e;
	if (host != NULL) {
		buffer_add(&url, base_url, (size_t)(host - base_url));
		buffer_add_text(&url, lists);
		base_url = host + strlen(runs);
	}
	buffer_add_text(&url, base_url);
	while (url.len > 0 && url.at[url.len - 1] == '/')
		url.len--;
	buffer_add_text(&url, "/foundation-models");
	out->url = buffer_take(&url);
	http_request_add_header(out, false, "Accept: application/json");
	return true;
}

/* Whether `list` holds `word`; what is not said is not held against a model. */
static bool may(struct span list, const char *word)
{
	struct json_walk walk = json_walk(list);

	while (json_next(&walk))
		if (json_is(walk.value, word))
			return true;
	return json_type(list) != JSON_ARRAY;
}

void bedrock_list_read(struct span json, struct buffer *out)
{
	struct json_walk walk = json_walk(json_get(json, "modelSummaries"));

	while (json_next(&walk)) {
		struct span streams = json_get(walk.value, "responseStreamingSupported");

		if (may(json_get(walk.value, "outputModalities"), "TEXT") &&
		    (json_type(streams) != JSON_BOOL || json_true(streams)))
			provider_list_line(json_get(walk.value, "modelId"), 0,
					   json_get(walk.value, "modelName"), out);
	}
}
