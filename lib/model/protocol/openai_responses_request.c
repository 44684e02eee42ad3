#include <stdlib.h>

#include "model/protocol/transcript.h"
#include "model/parameters.h"
#include "model/protocol/openai_chat.h"
#include "model/protocol/openai_responses.h"
#include "model/provider.h"
#include "model/schema_dialect.h"

/* ---- tools ---- */

static void write_tool(const struct model_tool *tool, struct buffer *out)
{
	json_open(out, '{');
	json_put_text(out, "type", "function");
	json_put_text(out, "name", tool->name);
	if (tool->description != NULL)
		json_put_text(out, "description", tool->description);
	json_put_raw(out, "parameters",
		     tool->parameters.at != NULL ? tool->parameters
						 : SPAN("{\"type\":\"object\",\"properties\":{}}"));
	json_put_bool(out, "strict", false); /* what is left out is taken for true */
	json_close(out, '}');
}

static void write_tools(const struct model_request *request, struct buffer *out)
{
	const char *choice = request->tool_choice;

	if (request->tool_count > 0) {
		json_key(out, "tools");
		json_open(out, '[');
		for (size_t i = 0; i < request->tool_count; i++)
			write_tool(&request->tools[i], out);
		json_close(out, ']');
	}
	if (choice == NULL ||
	    (request->tool_count == 0 && parameters_option(request, "tools").at == NULL))
		return;
	if (strcmp(choice, "auto") == 0 || strcmp(choice, "required") == 0 ||
	    strcmp(choice, "none") == 0) {
		json_put_text(out, "tool_choice", choice);
		return;
	}
	json_key(out, "tool_choice");
	json_open(out, '{');
	json_put_text(out, "type", "function");
	json_put_text(out, "name", choice);
	json_close(out, '}');
}

/* ---- parameters ---- */

static void write_instructions(const struct provider *provider, const struct model_request *request,
			       struct buffer *out)
{
	struct buffer text = {0};

	message_system(request, &text);
	if (!chat_schema_is_native(provider, request))
		dialect_instruction(request->schema, &text);
	if (text.len > 0)
		json_put_string(out, "instructions", buffer_span(&text));
	buffer_free(&text);
}

static void write_format(const struct provider *provider, const struct model_request *request,
			 struct buffer *out)
{
	struct buffer name = {0};

	if (request->schema.at == NULL)
		return;
	if (!chat_schema_is_native(provider, request)) {
		if (json_is(provider_quirk(provider, "schema"), "json_object"))
			json_put_raw(out, "text", SPAN("{\"format\":{\"type\":\"json_object\"}}"));
		return;
	}
	dialect_name(request->schema, &name);
	json_key(out, "text");
	json_open(out, '{');
	json_key(out, "format");
	json_open(out, '{');
	json_put_text(out, "type", "json_schema");
	json_put_text(out, "name", buffer_string(&name));
	json_put_bool(out, "strict", dialect_is_strict(request->schema));
	json_put_raw(out, "schema", request->schema);
	json_close(out, '}');
	json_close(out, '}');
	buffer_free(&name);
}

/* What is asked of models that reason, by the quirk "reasoning": nothing is stored at the provider,
 * so reasoning must come in a form that can be sent back. */
static void add_reasoning(const struct provider *provider, const char *model, struct buffer *body)
{
	struct span members = SPAN("{\"include\":[\"reasoning.encrypted_content\"]}");
	struct buffer merged = {0};

	if (provider_quirk(provider, "reasoning").at != NULL)
		members = parameters_quirk(provider, model, "reasoning");
	if (json_type(members) != JSON_OBJECT || json_count(members) == 0)
		return;
	json_merge(&merged, buffer_span(body), members);
	buffer_free(body);
	*body = merged;
}

static const struct parameter_rules rules = {
    .effort = "{\"none\":{\"reasoning\":{\"effort\":\"none\"}},"
	      "\"low\":{\"reasoning\":{\"effort\":\"low\"}},"
	      "\"medium\":{\"reasoning\":{\"effort\":\"medium\"}},"
	      "\"high\":{\"reasoning\":{\"effort\":\"high\"}},"
	      "\"max\":{\"reasoning\":{\"effort\":\"xhigh\"}}}",
};

/* Append the elements of two lists. */
static void join_lists(struct span first, struct span second, struct buffer *out)
{
	struct json_walk walks[] = {json_walk(first), json_walk(second)};

	json_open(out, '[');
	for (size_t i = 0; i < 2; i++)
		while (json_next(&walks[i])) {
			json_comma(out);
			buffer_add_span(out, walks[i].value);
		}
	json_close(out, ']');
}

/* The user's options; lists of tools (the provider's own) and of what to include add to ours. */
static bool apply(const struct provider *provider, const char *model,
		  const struct model_request *request, struct buffer *body, struct error *e)
{
	struct model_option *options = mem_zero((request->option_count + 1) * sizeof(*options));
	struct buffer *lists = mem_zero((request->option_count + 1) * sizeof(*lists));
	struct model_request changed = *request;
	bool ok;

	for (size_t i = 0; i < request->option_count; i++) {
		const char *key = request->options[i].key;
		struct span value = request->options[i].value;

		if (json_type(value) == JSON_ARRAY &&
		    (strcmp(key, "tools") == 0 || strcmp(key, "include") == 0)) {
			join_lists(json_get(buffer_span(body), key), value, &lists[i]);
			value = buffer_span(&lists[i]);
		}
		options[i] = (struct model_option){.key = key, .value = value};
	}
	changed.options = options;
	ok = parameters_apply(provider, model, &changed, &rules, body, e);
	for (size_t i = 0; i < request->option_count; i++)
		buffer_free(&lists[i]);
	free(lists);
	free(options);
	return ok;
}

/* ---- the request ---- */

bool responses_request(const struct provider *provider, const char *model, const char *base_url,
		       const struct model_request *request, struct http_request *out,
		       struct error *e)
{
	struct buffer *body = &out->body;

	out->url = chat_url(base_url, model, "/responses");
	http_request_add_header(out, false, "Content-Type: application/json");
	http_request_add_header(out, false, "Accept: text/event-stream");
	json_open(body, '{');
	json_put_text(body, "model", model);
	json_put_bool(body, "stream", true);
	json_put_bool(body, "store", false);
	write_instructions(provider, request, body);
	json_key(body, "input");
	if (!responses_input(provider, model, request, body, e))
		return false;
	write_tools(request, body);
	if (request->max_tokens > 0)
		json_put_int(body, "max_output_tokens", request->max_tokens);
	write_format(provider, request, body);
	json_close(body, '}');
	add_reasoning(provider, model, body);
	return apply(provider, model, request, body, e);
}

void responses_advise(const struct provider *provider, const char *model, struct failure *failure)
{
	const char *message = buffer_string(&failure->message);

	(void)provider;
	(void)model;
	if (strstr(message, "ncrypted content is not supported") != NULL)
		buffer_add_text(&failure->message, "; -o include=null does not ask for it");
	else if (strstr(message, "reasoning.summary") != NULL ||
		 strstr(message, "reasoning summaries") != NULL)
		buffer_add_text(&failure->message,
				"; -o 'reasoning={\"summary\":null}' does not ask for them");
}
