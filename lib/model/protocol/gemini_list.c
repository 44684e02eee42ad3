#include <stdlib.h>

#include "model/protocol/gemini.h"
#include "model/provider.h"

/* Where a project of Vertex AI begins in its base URL: the list of models is no project's. */
static const char projects[] = "/v1/projects/";

bool gemini_list_request(const struct provider *provider, const char *base_url,
			 struct http_request *out, struct error *e)
{
	struct buffer url = {0};
	const char *project;

	(void)e;
	gemini_base_url(provider, base_url, &url);
	project = strstr(buffer_string(&url), projects);
	if (project != NULL) {
		url.len = (size_t)(project - url.at);
		buffer_add_text(&url, "/v1beta1/publishers/google");
	}
	buffer_add_text(&url, "/models?pageSize=1000");
	out->url = buffer_take(&url);
	http_request_add_header(out, false, "Accept: application/json");
	return true;
}

/* Models that embed or draw are in the list too. */
static bool generates(struct span model)
{
	struct span methods = json_get(model, "supportedGenerationMethods");
	struct json_walk walk = json_walk(methods);

	while (json_next(&walk))
		if (json_is(walk.value, "generateContent"))
			return true;
	return methods.at == NULL;
}

/* "models/gemini-2.5-flash", "publishers/google/models/gemini-2.5-flash" */
static void add_line(struct span model, struct buffer *out)
{
	struct span name = json_get(model, "name");
	char *path = json_text(name);
	const char *last = path != NULL ? strrchr(path, '/') : NULL;
	struct buffer id = {0};

	if (last != NULL && strncmp(path, "tunedModels/", 12) != 0)
		json_write_string(&id, span_of(last + 1));
	provider_list_line(id.len > 0 ? buffer_span(&id) : name,
			   json_int(json_get(model, "inputTokenLimit"), 0),
			   json_get(model, "displayName"), out);
	free(path);
	buffer_free(&id);
}

void gemini_list_read(struct span json, struct buffer *out)
{
	struct span models = json_get(json, "models");
	struct json_walk walk =
	    json_walk(models.at != NULL ? models : json_get(json, "publisherModels"));

	while (json_next(&walk))
		if (generates(walk.value))
			add_line(walk.value, out);
}
