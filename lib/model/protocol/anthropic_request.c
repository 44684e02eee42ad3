#include "model/protocol/anthropic.h"

#include <stdlib.h>

#include "model/protocol/transcript.h"
#include "model/schema_dialect.h"

/* What a request has at least to say for it to pay to keep it in the prompt cache (some 1024
 * tokens: less is not kept), and the least that the API takes as a budget for thinking. */
enum { LONG_PREFIX = 4096, LEAST_BUDGET = 1024 };

/* The limit of an answer, which the API wants to be told, where the registry says nothing. */
enum { MAX_TOKENS = 32000 };

static const char version[] = "2023-06-01";

/* Budgets for thinking: what every server takes that thinks at all. */
static const struct parameter_rules rules = {
    .effort = "{\"none\":{\"thinking\":{\"type\":\"disabled\"}},"
	      "\"low\":{\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":4096}},"
	      "\"medium\":{\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":10240}},"
	      "\"high\":{\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":24576}},"
	      "\"max\":{\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":28672}}}",
};

/* ---- URL and headers ---- */

char *anthropic_url(const char *base_url, const char *path)
{
	struct buffer url = {0};

	buffer_add_text(&url, base_url);
	while (url.len > 0 && url.at[url.len - 1] == '/')
		url.len--;
	if (!span_ends(buffer_span(&url), "/v1"))
		buffer_add_text(&url, "/v1");
	buffer_add_text(&url, path);
	return buffer_take(&url);
}

void anthropic_version(const struct provider *provider, struct http_request *out)
{
	struct span headers = json_get(provider->entry, "headers");

	if (json_get(headers, "anthropic-version").at == NULL)
		http_request_add_header(out, false, "anthropic-version: %s", version);
}

/* The option "betas", a list of names or one string, as a header. */
static void add_betas(const struct model_request *request, struct http_request *out)
{
	struct span betas = parameters_option(request, "betas");
	struct json_walk walk = json_walk(betas);
	struct buffer list = {0};

	json_decode(betas, &list);
	while (json_next(&walk)) {
		if (list.len > 0)
			buffer_add_char(&list, ',');
		json_decode(walk.value, &list);
	}
	for (size_t i = 0; i < list.len; i++)
		if ((unsigned char)list.at[i] < ' ')
			list.at[i] = ' ';
	if (list.len > 0)
		http_request_add_header(out, false, "anthropic-beta: %s", buffer_string(&list));
	buffer_free(&list);
}

/* ---- the body ---- */

static int64_t max_tokens(const struct anthropic_writer *w)
{
	if (w->request->max_tokens > 0)
		return w->request->max_tokens;
	return json_int(parameters_quirk(w->provider, w->model, "max_tokens"), MAX_TOKENS);
}

/* Whether marks for the prompt cache are set here: not where the user sets them. */
static bool marks_cache(const struct anthropic_writer *w)
{
	struct span quirk = provider_quirk(w->provider, "cache");

	return parameters_option(w->request, "cache_control").at == NULL &&
	       (json_type(quirk) != JSON_BOOL || json_true(quirk));
}

static size_t tools_length(const struct model_request *request)
{
	size_t length = json_count(anthropic_provider_tools(request)) > 0
			    ? anthropic_provider_tools(request).len
			    : 0;

	for (size_t i = 0; i < request->tool_count; i++) {
		const struct model_tool *tool = &request->tools[i];

		length += strlen(tool->name) + tool->parameters.len;
		length += tool->description != NULL ? strlen(tool->description) : 0;
	}
	return length;
}

/* The instructions stand behind the tools: a mark on them keeps both. */
static void write_system(const struct anthropic_writer *w, size_t tools)
{
	struct buffer text = {0};

	message_system(w->request, &text);
	if (anthropic_schema_way(w->provider, w->model, w->request) == SCHEMA_WORDS)
		dialect_instruction(w->request->schema, &text);
	if (text.len > 0 && (!marks_cache(w) || text.len + tools < LONG_PREFIX)) {
		json_put_string(w->out, "system", buffer_span(&text));
	} else if (text.len > 0) {
		json_key(w->out, "system");
		json_open(w->out, '[');
		json_open(w->out, '{');
		json_put_text(w->out, "type", "text");
		json_put_string(w->out, "text", buffer_span(&text));
		json_put_raw(w->out, "cache_control", SPAN("{\"type\":\"ephemeral\"}"));
		json_close(w->out, '}');
		json_close(w->out, ']');
	}
	buffer_free(&text);
}

static void write_format(const struct anthropic_writer *w)
{
	if (anthropic_schema_way(w->provider, w->model, w->request) != SCHEMA_NATIVE)
		return;
	json_key(w->out, "output_config");
	json_open(w->out, '{');
	json_key(w->out, "format");
	json_open(w->out, '{');
	json_put_text(w->out, "type", "json_schema");
	json_key(w->out, "schema");
	anthropic_write_schema(w->request->schema, w->out);
	json_close(w->out, '}');
	json_close(w->out, '}');
}

/* The container in which the provider ran code for the loop that is running. */
static void write_container(const struct anthropic_writer *w)
{
	for (size_t i = w->request->message_count; i-- > 0;) {
		struct span message = w->request->messages[i]->json;
		struct span id = json_path(message, "provider_data.container.id");

		if (message_role(message) == MESSAGE_USER)
			return;
		if (id.at != NULL && message_is_own(message, w->provider)) {
			json_put_raw(w->out, "container", id);
			return;
		}
	}
}

/* ---- parameters ---- */

/* Merge `patch`, which is filled from here, into `body`. */
static void merge(struct buffer *body, struct buffer *patch)
{
	struct buffer merged = {0};

	json_merge(&merged, buffer_span(body), buffer_span(patch));
	buffer_free(body);
	buffer_free(patch);
	*body = merged;
}

/* Whether the model's last message of a running loop begins with its own thinking, which the API
 * wants to see there when thinking has a budget. */
static bool loop_has_thinking(const struct anthropic_writer *w)
{
	const struct model_request *request = w->request;
	struct span first = {0};

	for (size_t i = request->message_count; i-- > 0;) {
		struct span message = request->messages[i]->json;

		if (message_role(message) == MESSAGE_USER)
			return true;
		if (message_role(message) != MESSAGE_ASSISTANT)
			continue;
		first = json_path(message, "content.0");
		return message_is_own(message, w->provider) &&
		       json_is(json_get(message, "model"), w->model) &&
		       (json_path(first, "provider_data.signature").at != NULL ||
			json_is(json_path(first, "provider_data.type"), "redacted_thinking"));
	}
	return true;
}

/* A budget that --effort brought must leave room for the answer. */
static bool fit_budget(const struct anthropic_writer *w, struct error *e)
{
	struct span body = buffer_span(w->out);
	int64_t budget = json_int(json_path(body, "thinking.budget_tokens"), 0);
	int64_t most = json_int(json_get(body, "max_tokens"), INT64_MAX);
	struct buffer patch = {0};

	if (budget == 0 || parameters_option(w->request, "thinking").at != NULL)
		return true;
	if (!loop_has_thinking(w)) {
		buffer_add_text(&patch, "{\"thinking\":null}");
		merge(w->out, &patch);
		return true;
	}
	if (budget < most)
		return true;
	if (most <= LEAST_BUDGET)
		return error_set(e, "usage",
				 "%s:%s cannot think within %lld tokens (--max-tokens); it takes "
				 "more than %d",
				 w->provider->name, w->model, (long long)most, LEAST_BUDGET);
	budget = most / 2 > LEAST_BUDGET ? most / 2 : LEAST_BUDGET;
	buffer_add_format(&patch, "{\"thinking\":{\"budget_tokens\":%lld}}", (long long)budget);
	merge(w->out, &patch);
	return true;
}

/* The user's options, without those that are no members of the body. */
static bool apply(const struct anthropic_writer *w, struct error *e)
{
	struct model_request request = *w->request;
	struct model_option *options = mem_zero((request.option_count + 1) * sizeof(*options));
	size_t count = 0;
	bool ok;

	for (size_t i = 0; i < request.option_count; i++) {
		const struct model_option *option = &request.options[i];
		bool own_tools =
		    strcmp(option->key, "tools") == 0 && json_type(option->value) == JSON_ARRAY;

		if (!own_tools && strcmp(option->key, "betas") != 0 &&
		    strcmp(option->key, "parallel_tool_calls") != 0)
			options[count++] = *option;
	}
	request.options = options;
	request.option_count = count;
	ok = parameters_apply(w->provider, w->model, &request, &rules, w->out, e) &&
	     fit_budget(w, e);
	free(options);
	return ok;
}

/* ---- the request ---- */

bool anthropic_request(const struct provider *provider, const char *model, const char *base_url,
		       const struct model_request *request, struct http_request *out,
		       struct error *e)
{
	struct anthropic_writer w = {
	    .provider = provider, .model = model, .request = request, .out = &out->body, .e = e};
	size_t tools = tools_length(request);

	if (parameters_force_tool(request) && !anthropic_can_force(&w))
		return parameters_refuse_force(provider, model, request, e);
	out->url = anthropic_url(base_url, "/messages");
	http_request_add_header(out, false, "Content-Type: application/json");
	http_request_add_header(out, false, "Accept: text/event-stream");
	anthropic_version(provider, out);
	add_betas(request, out);
	json_open(w.out, '{');
	json_put_text(w.out, "model", model);
	json_put_int(w.out, "max_tokens", max_tokens(&w));
	json_put_bool(w.out, "stream", true);
	write_system(&w, tools);
	json_key(w.out, "messages");
	if (!anthropic_write_messages(&w))
		return false;
	anthropic_write_tools(&w, marks_cache(&w) && tools >= LONG_PREFIX);
	write_format(&w);
	write_container(&w);
	json_close(w.out, '}');
	return apply(&w, e);
}
