#include "model/model_type.h"

#include <stdlib.h>

#include "event/log.h"
#include "model/replay_log.h"

/* Built-in models come first; what none of them claims names a provider of the registry. */
static const struct model_type *const types[] = {
    &model_type_test,
    &model_type_replay,
    &model_type_exec,
    NULL,
};

const char *model_finish_name(enum model_finish finish)
{
	switch (finish) {
	case MODEL_STOP:
	case MODEL_PAUSE:
		return "stop";
	case MODEL_LENGTH:
		return "length";
	case MODEL_TOOL_CALLS:
		return "tool_calls";
	case MODEL_CONTENT_FILTER:
		return "content_filter";
	case MODEL_REFUSAL:
		return "refusal";
	case MODEL_ERROR:
		break;
	}
	return "error";
}

int64_t model_tokens(struct span number, int64_t fallback)
{
	static const int64_t most = (int64_t)1 << 40;
	int64_t count = json_int(number, -1);

	return count < 0 ? fallback : count < most ? count : most;
}

void model_usage_read(struct span usage, struct model_usage *out)
{
	int64_t *const counts[USAGE_KEYS] = {
	    [USAGE_INPUT] = &out->input,         [USAGE_OUTPUT] = &out->output,
	    [USAGE_CACHED] = &out->cached_input, [USAGE_CACHE_WRITE] = &out->cache_write,
	    [USAGE_REASONING] = &out->reasoning,
	};

	for (int i = 0; i < USAGE_KEYS; i++)
		*counts[i] = model_tokens(json_get(usage, usage_names[i]), -1);
	out->cost_usd = json_double(json_get(usage, "cost_usd"), -1);
}

void *model_new(size_t size, const char *provider, const char *name)
{
	struct model *model = mem_zero(size);

	model->provider = mem_copy(span_of(provider));
	model->name = mem_copy(span_of(name));
	return model;
}

/* Whether `type` takes `spec`; if so, what stands behind its prefix. */
static const char *argument_of(const struct model_type *type, const char *spec)
{
	size_t len = strlen(type->spec);

	if (len > 0 && type->spec[len - 1] != ':')
		return strcmp(spec, type->spec) == 0 ? spec + len : NULL;
	return strncmp(spec, type->spec, len) == 0 ? spec + len : NULL;
}

static struct model *find_shared(const struct model_host *host, const char *spec)
{
	struct model *model = host->shared;

	while (model != NULL && strcmp(model->spec, spec) != 0)
		model = model->next;
	return model;
}

static void share(struct model_host *host, struct model *model, const char *spec)
{
	model->spec = mem_copy(span_of(spec));
	model->next = host->shared;
	host->shared = model;
}

static void unshare(struct model *model)
{
	struct model **link = &model->host->shared;

	while (*link != model)
		link = &(*link)->next;
	*link = model->next;
	free(model->spec);
}

struct model *model_open(struct model_host *host, const char *spec, struct error *e)
{
	const struct model_type *type = &model_type_http;
	const char *argument = spec;
	struct model *model = find_shared(host, spec);

	if (model != NULL) {
		model->users++;
		return model;
	}

	for (size_t i = 0; types[i] != NULL; i++) {
		const char *rest = argument_of(types[i], spec);

		if (rest != NULL) {
			type = types[i];
			argument = rest;
			break;
		}
	}
	model = type->open(host, argument, e);
	if (model != NULL) {
		model->type = type;
		model->host = host;
		model->users = 1;
		if (type->shared)
			share(host, model, spec);
	}
	return model;
}

void model_close(struct model *model)
{
	if (model == NULL || --model->users > 0)
		return;
	if (model->spec != NULL)
		unshare(model);
	if (model->type->close != NULL)
		model->type->close(model);
	free(model->provider);
	free(model->name);
	free(model);
}

void model_host_free(struct model_host *host)
{
	if (host->http != NULL)
		http_free(host->http);
	replay_log_close_all(host);
	buffer_free(&host->keys.keys);
}

const char *model_provider(const struct model *model)
{
	return model->provider;
}

const char *model_name(const struct model *model)
{
	return model->name;
}

struct model_call *model_ask(struct model *model, const struct model_request *request,
			     const struct model_handler *handler, struct error *e)
{
	struct model_call *call = model->type->ask(model, request, handler, e);

	if (call != NULL)
		call->model = model;
	return call;
}

void model_cancel(struct model_call *call)
{
	if (call != NULL)
		call->model->type->cancel(call);
}

static void write_tools(const struct model_request *request, struct buffer *out)
{
	json_key(out, "tools");
	json_open(out, '[');
	for (size_t i = 0; i < request->tool_count; i++) {
		const struct model_tool *tool = &request->tools[i];

		json_open(out, '{');
		json_put_text(out, "name", tool->name);
		if (tool->description != NULL)
			json_put_text(out, "description", tool->description);
		json_put_raw(out, "parameters", tool->parameters);
		json_close(out, '}');
	}
	json_close(out, ']');
}

void model_write_request(const struct model *model, const struct model_request *request,
			 struct buffer *out)
{
	json_open(out, '{');
	json_put_text(out, "model", model->name);
	if (request->system != NULL)
		json_put_text(out, "system", request->system);
	json_key(out, "messages");
	json_open(out, '[');
	for (size_t i = 0; i < request->message_count; i++) {
		json_comma(out);
		json_write_compact(out, request->messages[i]->json);
	}
	json_close(out, ']');
	if (request->tool_count > 0)
		write_tools(request, out);
	if (request->tool_choice != NULL)
		json_put_text(out, "tool_choice", request->tool_choice);
	if (request->option_count > 0) {
		json_key(out, "options");
		json_open(out, '{');
		for (size_t i = 0; i < request->option_count; i++)
			json_put_raw(out, request->options[i].key, request->options[i].value);
		json_close(out, '}');
	}
	if (request->effort != NULL)
		json_put_text(out, "effort", request->effort);
	if (request->max_tokens > 0)
		json_put_int(out, "max_tokens", request->max_tokens);
	if (request->schema.at != NULL) {
		json_key(out, "schema");
		json_write_compact(out, request->schema);
	}
	json_close(out, '}');
}

bool model_show_request(struct model *model, const struct model_request *request,
			struct buffer *out, struct error *e)
{
	if (model->type->show_request != NULL)
		return model->type->show_request(model, request, out, e);
	model_write_request(model, request, out);
	buffer_add_char(out, '\n');
	return true;
}
