#include "model/parameters.h"
#include "model/protocol/bedrock.h"

/* The parameters of a tool: always the schema of an object. */
static void write_schema(struct span parameters, struct buffer *out)
{
	json_key(out, "inputSchema");
	json_open(out, '{');
	if (json_get(parameters, "type").at != NULL)
		json_put_raw(out, "json", parameters);
	else
		json_put_raw(out, "json", SPAN("{\"type\":\"object\",\"properties\":{}}"));
	json_close(out, '}');
}

static void write_tool(struct span name, const char *description, struct span parameters,
		       struct buffer *out)
{
	json_open(out, '{');
	json_key(out, "toolSpec");
	json_open(out, '{');
	json_put_string(out, "name", name);
	if (description != NULL && *description != '\0')
		json_put_text(out, "description", description);
	write_schema(parameters, out);
	json_close(out, '}');
	json_close(out, '}');
}

/* ---- what the conversation speaks of ---- */

/* Declare the tool of a call, unless it is among `seen`. */
static void write_called_tool(const struct part *call, struct buffer *seen, struct buffer *out)
{
	struct buffer name = {0}, line = {0};

	json_decode(call->tool_name, &name);
	transcript_make_name(&name, BEDROCK_MAX_ID);
	buffer_add_format(&line, "\n%s\n", buffer_string(&name));
	if (strstr(buffer_string(seen), buffer_string(&line)) == NULL) {
		buffer_add_span(seen, buffer_span(&line));
		write_tool(buffer_span(&name), "Not available any more.", (struct span){0}, out);
	}
	buffer_free(&name);
	buffer_free(&line);
}

/* The tools that were called, by name. Without them the calls would be refused. */
static void write_called(const struct model_request *request, struct buffer *out)
{
	struct buffer seen = {0};

	for (size_t i = 0; i < request->message_count; i++) {
		const struct message *message = request->messages[i];

		for (size_t j = 0; message->calls > 0 && j < message->part_count; j++)
			if (message->parts[j].type == PART_CALL)
				write_called_tool(&message->parts[j], &seen, out);
	}
	buffer_free(&seen);
}

static bool has_calls(const struct model_request *request)
{
	for (size_t i = 0; i < request->message_count; i++)
		if (request->messages[i]->calls > 0)
			return true;
	return false;
}

/* ---- the configuration ---- */

static bool is_auto(const char *choice)
{
	return choice == NULL || strcmp(choice, "auto") == 0 || strcmp(choice, "none") == 0;
}

static void write_choice(const char *choice, struct buffer *out)
{
	if (is_auto(choice))
		return;
	json_key(out, "toolChoice");
	json_open(out, '{');
	if (strcmp(choice, "required") == 0) {
		json_put_raw(out, "any", SPAN("{}"));
	} else {
		json_key(out, "tool");
		json_open(out, '{');
		json_put_text(out, "name", choice);
		json_close(out, '}');
	}
	json_close(out, '}');
}

/* One call at a time is nothing that the API itself knows: Claude is told in its own words, which
 * say as well what else the choice is. */
void bedrock_write_single(const struct transcript *t)
{
	const char *choice = t->request->tool_choice;
	bool named = !is_auto(choice) && strcmp(choice, "required") != 0;
	struct buffer *out = t->out;

	if (t->request->tool_count == 0 || (choice != NULL && strcmp(choice, "none") == 0))
		return;
	json_key(out, "additionalModelRequestFields");
	json_open(out, '{');
	json_key(out, "tool_choice");
	json_open(out, '{');
	json_put_text(out, "type", named ? "tool" : is_auto(choice) ? "auto" : "any");
	if (named)
		json_put_text(out, "name", choice);
	json_put_bool(out, "disable_parallel_tool_use", true);
	json_close(out, '}');
	json_close(out, '}');
}

/* "none" cannot be said: no tools are offered, unless the conversation holds calls of them. */
void bedrock_write_tools(const struct transcript *t)
{
	const struct model_request *request = t->request;
	bool none = request->tool_choice != NULL && strcmp(request->tool_choice, "none") == 0;

	if ((request->tool_count == 0 || none) && !has_calls(request))
		return;
	json_key(t->out, "toolConfig");
	json_open(t->out, '{');
	json_key(t->out, "tools");
	json_open(t->out, '[');
	for (size_t i = 0; i < request->tool_count; i++)
		write_tool(span_of(request->tools[i].name), request->tools[i].description,
			   request->tools[i].parameters, t->out);
	if (request->tool_count == 0)
		write_called(request, t->out);
	json_close(t->out, ']');
	if (request->tool_count > 0 && !parameters_one_call(request))
		write_choice(request->tool_choice, t->out);
	json_close(t->out, '}');
}
