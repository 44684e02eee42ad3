#include "model/protocol/protocol.h"

#include <stdlib.h>

#include "model/provider.h"

static const struct protocol *const protocols[] = {
    &protocol_openai_chat, &protocol_openai_responses, &protocol_ollama,
    &protocol_bedrock,     &protocol_anthropic,        &protocol_gemini,
};

void protocol_names(struct buffer *out)
{
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
		buffer_add_format(out, "%s%s", i > 0 ? ", " : "", protocols[i]->name);
}

const struct protocol *protocol_find(struct span name)
{
	if (name.at == NULL)
		return protocols[0];
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
		if (json_is(name, protocols[i]->name))
			return protocols[i];
	return NULL;
}

/* ---- requests ---- */

bool protocol_request(const struct provider *provider, const char *model,
		      const struct model_request *request, struct http_request *out,
		      struct error *e)
{
	static const char *const accepted[] = {
	    [FRAMING_SSE] = "text/event-stream",
	    [FRAMING_NDJSON] = "application/x-ndjson",
	    [FRAMING_AWS] = "application/vnd.amazon.eventstream",
	};
	const struct protocol *protocol = provider->protocol;
	struct transcript t = {
	    .provider = provider, .model = model, .request = request, .out = &out->body, .e = e};

	http_request_add_header(out, false, "Content-Type: application/json");
	http_request_add_header(out, false, "Accept: %s", accepted[protocol->framing]);
	return protocol->request(&t, out);
}

/* ---- the list of models ---- */

/* Append the base URL without what the list is not below. */
static void write_base(const struct provider *provider, struct buffer *out)
{
	const struct model_list_form *list = &provider->protocol->list;
	const char *base_url = provider->base_url;
	const char *host = list->host[0] != NULL ? strstr(base_url, list->host[0]) : NULL;

	if (host != NULL) {
		buffer_add(out, base_url, (size_t)(host - base_url));
		buffer_add_text(out, list->host[1]);
		base_url = host + strlen(list->host[0]);
	}
	buffer_add_text(out, base_url);
	for (size_t i = 0; list->without[i] != NULL; i++)
		if (span_ends(buffer_span(out), list->without[i])) {
			out->len -= strlen(list->without[i]);
			return;
		}
}

char *protocol_url(const struct provider *provider, const char *path)
{
	struct buffer url = {0};

	write_base(provider, &url);
	buffer_add_text(&url, path);
	return buffer_take(&url);
}

bool protocol_list_request(const struct provider *provider, struct http_request *out,
			   struct error *e)
{
	const struct model_list_form *list = &provider->protocol->list;
	struct buffer url = {0};

	/* Each model has a server of its own. */
	if (strstr(provider->base_url, "{model}") != NULL)
		return error_set(e, "usage", "%s has no list of models to ask for", provider->name);
	if (list->base != NULL)
		list->base(provider, &url);
	else
		write_base(provider, &url);
	buffer_add_text(&url, list->path);
	out->url = buffer_take(&url);
	if (list->headers != NULL)
		list->headers(provider, out);
	http_request_add_header(out, false, "Accept: application/json");
	return true;
}

static struct span first_member(struct span object, const char *const *names)
{
	struct span value = {0};

	for (; *names != NULL && value.at == NULL; names++)
		value = json_get(object, *names);
	return value;
}

static int64_t context_window(struct span model, const char *const *names)
{
	int64_t tokens = 0;

	for (; *names != NULL && tokens <= 0; names++)
		tokens = json_int(json_get(model, *names), 0);
	return tokens;
}

/* "models/gemini-2.5-flash", "publishers/google/models/gemini-2.5-flash"; but all of
 * "tunedModels/mine" names the model. */
static void write_last_step(struct span id, struct buffer *out)
{
	char *path = json_text(id);
	const char *last = path != NULL ? strrchr(path, '/') : NULL;

	if (last != NULL && strncmp(path, "tunedModels/", 12) != 0)
		json_write_string(out, span_of(last + 1));
	free(path);
}

static void add_model(const struct model_list_form *list, struct span model, struct buffer *out)
{
	struct span id = first_member(model, list->ids);
	struct buffer step = {0};

	if (list->answers != NULL && !list->answers(model))
		return;
	if (list->id_is_path)
		write_last_step(id, &step);
	provider_list_line(step.len > 0 ? buffer_span(&step) : id,
			   context_window(model, list->windows), first_member(model, list->names),
			   out);
	buffer_free(&step);
}

void protocol_list_read(const struct protocol *protocol, struct span json, struct buffer *out)
{
	const struct model_list_form *list = &protocol->list;
	struct json_walk walk =
	    json_walk(json_type(json) == JSON_ARRAY ? json : first_member(json, list->lists));

	while (json_next(&walk))
		add_model(list, walk.value, out);
}
