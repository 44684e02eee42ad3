#include "model/model_type.h"

#include <stdlib.h>

#include "event/event.h"
#include "model/replay_log.h"

/* Built-in models come first; what none of them claims names a provider of the registry. */
static const struct model_type *const types[] = {
    &model_type_test,
    &model_type_replay,
    &model_type_exec,
};

const char *model_finish_name(enum model_finish finish)
{
	static const char *const names[] = {
	    [MODEL_STOP] = "stop",
	    [MODEL_PAUSE] = "stop",
	    [MODEL_LENGTH] = "length",
	    [MODEL_TOOL_CALLS] = "tool_calls",
	    [MODEL_CONTENT_FILTER] = "content_filter",
	    [MODEL_REFUSAL] = "refusal",
	    [MODEL_ERROR] = "error",
	};

	return names[finish];
}

enum model_finish model_finish_of(struct span name, enum model_finish fallback)
{
	for (enum model_finish finish = MODEL_STOP; finish <= MODEL_ERROR; finish++)
		if (json_is(name, model_finish_name(finish)))
			return finish;
	return fallback;
}

struct span model_bare_name(struct span name)
{
	name = span_trim(name);
	return span_starts(name, "functions.") ? span_from(name, strlen("functions.")) : name;
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

void model_usage_write(struct buffer *out, const struct model_usage *usage, int64_t requests)
{
	json_pack(out, "'usage':{%t:%U,%t:%U,%t:%U,%t:%U,%t:%U,'requests':%d}",
		  usage_names[USAGE_INPUT], usage->input, usage_names[USAGE_OUTPUT], usage->output,
		  usage_names[USAGE_CACHED], usage->cached_input, usage_names[USAGE_CACHE_WRITE],
		  usage->cache_write, usage_names[USAGE_REASONING], usage->reasoning, requests);
}

void *model_new(size_t size, const char *provider, const char *name, enum model_charge charge)
{
	struct model *model = mem_zero(size);

	model->charge = charge;
	model->provider = mem_copy(span_of(provider));
	model->name = mem_copy(span_of(name));
	return model;
}

/* ---- lists of models ---- */

static void add_spec(struct model_specs *specs, char *spec)
{
	specs->at = array_grow(specs->at, specs->count, sizeof(*specs->at));
	specs->at[specs->count++] = spec;
}

void model_specs_add_list(struct model_specs *specs, const char *list)
{
	struct span rest = span_of(list);

	while (rest.len > 0) {
		const char *comma = memchr(rest.at, ',', rest.len);
		size_t len = rest.len;

		if (comma != NULL && !span_starts(rest, "exec:") && !span_starts(rest, "replay:"))
			len = (size_t)(comma - rest.at);
		if (len > 0)
			add_spec(specs, mem_copy((struct span){rest.at, len}));
		rest = span_from(rest, len < rest.len ? len + 1 : len);
	}
}

void model_specs_free(struct model_specs *specs)
{
	for (size_t i = 0; i < specs->count; i++)
		free(specs->at[i]);
	free(specs->at);
	*specs = (struct model_specs){0};
}

/* ---- models ---- */

/* Store the type of model that `spec` names. Returns its argument. */
static const char *find_type(const char *spec, const struct model_type **type)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct span name = span_of(types[i]->spec);

		*type = types[i];
		if (strcmp(spec, name.at) == 0 ||
		    (span_ends(name, ":") && span_starts(span_of(spec), name.at)))
			return spec + name.len;
	}
	*type = &model_type_http;
	return spec;
}

bool model_is_built_in(const char *spec)
{
	const struct model_type *type;

	find_type(spec, &type);
	return type != &model_type_http;
}

/* The link to the model that is shared as `spec`, or to the end of the list. */
static struct model **find_shared(struct model_host *host, const char *spec)
{
	struct model **link = &host->shared;

	while (*link != NULL && strcmp((*link)->spec, spec) != 0)
		link = &(*link)->next;
	return link;
}

struct model *model_open(struct model_host *host, const char *spec, struct error *e)
{
	struct model **shared = find_shared(host, spec), *model = *shared;
	const struct model_type *type;
	const char *argument;

	if (model == NULL) {
		argument = find_type(spec, &type);
		model = type->open(host, argument, e);
		if (model == NULL)
			return NULL;
		model->type = type;
		model->host = host;
		if (type->shared) {
			model->spec = mem_copy(span_of(spec));
			*shared = model;
		}
	}
	model->users++;
	return model;
}

void model_close(struct model *model)
{
	if (model == NULL || --model->users > 0)
		return;
	if (model->spec != NULL)
		*find_shared(model->host, model->spec) = model->next;
	free(model->spec);
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

enum model_charge model_charge(const struct model *model)
{
	return model->charge;
}

struct model_call *model_ask(struct model *model, const struct model_request *request,
			     const struct model_handler *handler, struct error *e)
{
	struct model_call *call = model->type->ask(model, request, handler, e);

	if (call != NULL)
		call->model = model;
	return call;
}

bool model_cancel(struct model_call *call)
{
	return call != NULL && call->model->type->cancel(call);
}

static void write_tools(const struct model_request *request, struct buffer *out)
{
	json_key(out, "tools");
	json_open(out, '[');
	for (size_t i = 0; i < request->tool_count; i++)
		json_pack(out, "{'name':%t,'description':%t,'parameters':%J}",
			  request->tools[i].name, request->tools[i].description,
			  request->tools[i].parameters);
	json_close(out, ']');
}

void model_write_request(const struct model *model, const struct model_request *request,
			 struct buffer *out)
{
	json_open(out, '{');
	json_pack(out, "'model':%t,'system':%t", model->name, request->system);
	json_key(out, "messages");
	json_open(out, '[');
	for (size_t i = 0; i < request->message_count; i++) {
		json_comma(out);
		json_write_compact(out, request->messages[i]->json);
	}
	json_close(out, ']');
	if (request->tool_count > 0)
		write_tools(request, out);
	json_pack(out, "'tool_choice':%t", request->tool_choice);
	if (request->option_count > 0) {
		json_key(out, "options");
		json_open(out, '{');
		for (size_t i = 0; i < request->option_count; i++)
			json_put_raw(out, request->options[i].key, request->options[i].value);
		json_close(out, '}');
	}
	json_pack(out, "'effort':%t", request->effort);
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
