#include <stdlib.h>

#include "base/hash.h"
#include "model/parameters.h"
#include "model/protocol/openai_chat.h"
#include "model/protocol/openai_responses.h"
#include "model/protocol/transcript.h"
#include "model/provider.h"
#include "model/schema_dialect.h"

enum { MAX_ID = 64, MAX_NAME = 128 };

/* The items of a response while they are written. */
struct responses_transcript {
	struct transcript t;
	struct buffer reasoning; /* items that are only written with the one behind them */
	bool same;               /* the response is this very model's */
	bool ids;                /* and its items keep their ids */
	size_t texts_end; /* where the list of texts ends that was just written; 0: none was */
};

/* ---- ids ---- */

/* The id of a call for the API: the events' own, which is the provider's unless that one is not
 * unique. A very long or an odd one goes back to where it came from, and others get one that they
 * take. */
static void call_id(struct transcript *t, const struct part *call, struct span tool_call_id,
		    struct buffer *id)
{
	bool own = call != NULL && transcript_is_own(t, call->message);

	json_decode(transcript_own_id(t, call), id);
	if (id->len > MAX_ID)
		return;
	buffer_clear(id);
	json_decode(tool_call_id, id);
	if (!own && !transcript_id_fits(buffer_span(id), &t->ids)) {
		uint64_t hash = hash_add(HASH_START, buffer_span(id));

		buffer_clear(id);
		buffer_add_format(id, "call_%016llx", (unsigned long long)hash);
	}
}

static bool is_good_id(struct span id)
{
	return json_type(id) == JSON_STRING && id.len > 2 && id.len <= MAX_ID + 2;
}

static bool is_reasoning(const struct part *part)
{
	return part->type == PART_THINKING &&
	       json_is(json_get(part->provider_data, "type"), "reasoning");
}

/* Whether all items of a message have ids to send: a reasoning that is named by its id wants the
 * item behind it to be named too. */
static bool all_have_ids(const struct message *message)
{
	for (size_t i = 0; i < message->part_count; i++) {
		const struct part *part = &message->parts[i];
		bool is_text = part->type == PART_TEXT && part->text.len > 2;

		if ((is_text || part->type == PART_CALL || is_reasoning(part)) &&
		    !is_good_id(json_get(part->provider_data, "id")))
			return false;
	}
	return true;
}

static void put_id(struct responses_transcript *r, struct span data)
{
	if (r->ids)
		json_put_raw(r->t.out, "id", json_get(data, "id"));
}

/* ---- users ---- */

static void put_text(struct buffer *out, const char *type, struct span text)
{
	json_open(out, '{');
	json_put_text(out, "type", type);
	json_put_raw(out, "text", text);
	if (strcmp(type, "output_text") == 0)
		json_put_raw(out, "annotations", SPAN("[]"));
	json_close(out, '}');
}

static void put_attachment(struct buffer *out, const struct part *part)
{
	bool image = part->type == PART_IMAGE;

	json_open(out, '{');
	json_put_text(out, "type", image ? "input_image" : "input_file");
	if (!image)
		json_put_raw(out, "filename",
			     json_type(part->name) == JSON_STRING ? part->name : SPAN("\"file\""));
	transcript_put_data_url(out, image ? "image_url" : "file_data", part);
	json_close(out, '}');
}

static bool write_user_part(struct transcript *t, const struct part *part)
{
	bool attached = part->type == PART_IMAGE || part->type == PART_FILE;

	if (attached && transcript_takes(t, part))
		put_attachment(t->out, part);
	else if (part->type != PART_TEXT)
		return transcript_refuse(t, part);
	else if (part->text.len > 2)
		put_text(t->out, "input_text", part->text);
	return true;
}

static bool says_something(const struct message *message)
{
	for (size_t i = 0; i < message->part_count; i++)
		if (message->parts[i].type != PART_TEXT || message->parts[i].text.len > 2)
			return true;
	return false;
}

static bool write_user(struct transcript *t, const struct message *message)
{
	bool good = true;

	if (!says_something(message))
		return true;
	json_open(t->out, '{');
	json_put_text(t->out, "role", "user");
	if (message->part_count == 1 && message->parts[0].type == PART_TEXT) {
		json_put_raw(t->out, "content", message->parts[0].text);
	} else {
		json_key(t->out, "content");
		json_open(t->out, '[');
		for (size_t i = 0; good && i < message->part_count; i++)
			good = write_user_part(t, &message->parts[i]);
		json_close(t->out, ']');
	}
	json_close(t->out, '}');
	return good;
}

/* ---- responses ---- */

/* An item is about to be written: the reasoning that belongs to it goes first. */
static void write_reasoning(struct responses_transcript *r)
{
	if (r->reasoning.len == 0)
		return;
	json_comma(r->t.out);
	buffer_add_span(r->t.out, buffer_span(&r->reasoning));
	buffer_clear(&r->reasoning);
}

static void begin_item(struct responses_transcript *r)
{
	write_reasoning(r);
	json_open(r->t.out, '{');
}

/* An item as it came. */
static void write_item(struct responses_transcript *r, struct span item)
{
	if (json_type(item) != JSON_OBJECT || json_count(item) == 0)
		return;
	write_reasoning(r);
	json_comma(r->t.out);
	json_write_compact(r->t.out, item);
}

static void write_text(struct responses_transcript *r, const struct part *part)
{
	struct span data = part->provider_data, phase = json_get(data, "phase");
	bool has_phase = r->same && json_type(phase) == JSON_STRING;
	struct buffer *out = r->t.out;

	if (json_type(part->text) != JSON_STRING || part->text.len <= 2)
		return;
	/* Texts that nothing tells apart are one message. */
	if (!r->ids && !has_phase && r->reasoning.len == 0 && out->len > 0 &&
	    r->texts_end == out->len) {
		out->len -= strlen("]}");
		put_text(out, "output_text", part->text);
		buffer_add_text(out, "]}");
		r->texts_end = out->len;
		return;
	}
	begin_item(r);
	if (r->ids) {
		json_put_text(out, "type", "message");
		put_id(r, data);
		json_put_text(out, "status", "completed");
	}
	json_put_text(out, "role", "assistant");
	if (has_phase)
		json_put_raw(out, "phase", phase);
	json_key(out, "content");
	json_open(out, '[');
	put_text(out, "output_text", part->text);
	json_close(out, ']');
	json_close(out, '}');
	r->texts_end = has_phase ? 0 : out->len;
}

/* A refusal has no id: it was kept apart from the item it stood in. */
static void write_refusal(struct responses_transcript *r, struct span text)
{
	struct buffer *out = r->t.out;

	if (json_type(text) != JSON_STRING || text.len <= 2)
		return;
	begin_item(r);
	json_put_text(out, "role", "assistant");
	json_key(out, "content");
	json_open(out, '[');
	json_open(out, '{');
	json_put_text(out, "type", "refusal");
	json_put_raw(out, "refusal", text);
	json_close(out, '}');
	json_close(out, ']');
	json_close(out, '}');
}

/* The reasoning item of part `nth` where it came later than the part. */
static struct span late_item(const struct message *message, size_t nth)
{
	struct json_walk walk = json_walk(json_get(message->provider_data, "reasoning"));

	while (json_next(&walk))
		if (nth-- == 0)
			return walk.value;
	return (struct span){0};
}

/* Reasoning that the provider has not stored is only known to it by its encrypted content, or by
 * its own words. */
static void hold_reasoning(struct responses_transcript *r, const struct part *part, size_t nth)
{
	static const char *const without[] = {"type", "id", "summary", "content", NULL};
	struct span data = part->provider_data, late = late_item(part->message, nth);
	struct span item = json_type(late) == JSON_OBJECT ? late : data;
	struct span summary = json_get(item, "summary"), content = json_get(item, "content");
	struct buffer *out = &r->reasoning;
	bool stored = json_true(parameters_option(r->t.request, "store"));

	if (!stored && json_get(item, "encrypted_content").len <= 2 && json_count(content) == 0)
		return;
	json_open(out, '{');
	json_put_text(out, "type", "reasoning");
	if (r->ids)
		json_put_raw(out, "id", json_get(data, "id"));
	json_put_raw(out, "summary", json_type(summary) == JSON_ARRAY ? summary : SPAN("[]"));
	if (json_count(content) > 0)
		json_put_raw(out, "content", content);
	responses_members(item, without, out);
	json_close(out, '}');
}

/* Whether a reasoning of the message cannot be sent back: what follows must not name its own id
 * then, by which the provider would look for it. */
static bool lacks_reasoning(struct responses_transcript *r, const struct message *message)
{
	bool lacks = false;
	size_t nth = 0;

	for (size_t i = 0; !lacks && i < message->part_count; i++) {
		if (!is_reasoning(&message->parts[i]))
			continue;
		hold_reasoning(r, &message->parts[i], nth++);
		lacks = r->reasoning.len == 0;
		buffer_clear(&r->reasoning);
	}
	return lacks;
}

static bool is_custom(const struct transcript *t, const struct part *call)
{
	return transcript_is_own(t, call->message) &&
	       json_is(json_get(call->provider_data, "type"), "custom_tool_call");
}

static void write_call(struct responses_transcript *r, const struct part *part)
{
	static const char *const without[] = {"type", "id", NULL};
	struct span input = json_get(part->args, "input");
	bool custom = is_custom(&r->t, part);
	struct buffer *out = r->t.out;

	begin_item(r);
	json_put_text(out, "type", custom ? "custom_tool_call" : "function_call");
	put_id(r, part->provider_data);
	json_put_string(out, "call_id", transcript_call_id(&r->t, part));
	transcript_put_name(&r->t, part->tool_name, MAX_NAME);
	if (custom) {
		json_put_raw(out, "input", json_type(input) == JSON_STRING ? input : SPAN("\"\""));
	} else {
		buffer_clear(&r->t.scratch);
		transcript_args(part, &r->t.scratch);
		json_put_string(out, "arguments", buffer_span(&r->t.scratch));
	}
	if (r->same)
		responses_members(part->provider_data, without, out);
	json_close(out, '}');
}

/* A hosted call and its result. */
static void write_hosted(struct responses_transcript *r, const struct part *part)
{
	struct json_walk walk = json_walk(json_get(part->provider_data, "items"));

	while (json_next(&walk))
		write_item(r, walk.value);
}

static void write_part(struct responses_transcript *r, const struct part *part, size_t *reasonings)
{
	if (part->type == PART_TEXT)
		write_text(r, part);
	else if (part->type == PART_REFUSAL)
		write_refusal(r, part->text);
	else if (part->type == PART_CALL)
		write_call(r, part);
	else if (!r->same)
		return;
	else if (is_reasoning(part))
		hold_reasoning(r, part, (*reasonings)++);
	else if (part->type == PART_PROVIDER_CALL)
		write_hosted(r, part);
	else if (part->type == PART_OPAQUE)
		write_item(r, part->provider_data);
}

/* The API does not say what another model of the same provider makes of reasoning and ids: they are
 * sent to the one that wrote them. */
static void write_response(struct transcript *t, const struct message *message)
{
	struct responses_transcript *r = (struct responses_transcript *)t;
	bool calls_last = json_true(provider_quirk(t->provider, "calls_last"));
	size_t reasonings = 0;

	r->texts_end = 0;
	r->same = transcript_is_own(t, message) && json_is(message->model, t->model);
	r->ids = r->same && all_have_ids(message) && !lacks_reasoning(r, message);
	for (size_t i = 0; i < message->part_count; i++)
		if (!calls_last || message->parts[i].type != PART_CALL)
			write_part(r, &message->parts[i], &reasonings);
	for (size_t i = 0; calls_last && i < message->part_count; i++)
		if (message->parts[i].type == PART_CALL)
			write_part(r, &message->parts[i], &reasonings);
	/* Reasoning with nothing behind it is refused. */
	buffer_clear(&r->reasoning);
}

static void write_result(struct transcript *t, const struct transcript_call *call)
{
	buffer_clear(&t->scratch);
	if (call->result == NULL)
		buffer_add_text(&t->scratch,
				"Error: the call was interrupted before it had a result.");
	else
		transcript_result_text(call->result, &t->scratch);
	json_open(t->out, '{');
	json_put_text(t->out, "type",
		      is_custom(t, call->part) ? "custom_tool_call_output"
					       : "function_call_output");
	json_put_string(t->out, "call_id", call->id);
	json_put_string(t->out, "output", buffer_span(&t->scratch));
	json_close(t->out, '}');
}

/* A result whose call is not there is refused; those of hosted calls are no business of ours. */
static const struct transcript_form form = {
    .member = "input",
    .answers_calls = true,
    .id = call_id,
    .user = write_user,
    .response = write_response,
    .result = write_result,
};

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

	transcript_system(request, &text);
	if (!chat_schema_is_native(provider, request))
		dialect_instruction(request->schema, &text);
	if (text.len > 0)
		json_put_string(out, "instructions", buffer_span(&text));
	buffer_free(&text);
}

static void write_format(const struct provider *provider, const struct model_request *request,
			 struct buffer *out)
{
	if (request->schema.at == NULL)
		return;
	if (!chat_schema_is_native(provider, request)) {
		if (json_is(provider_quirk(provider, "schema"), "json_object"))
			json_put_raw(out, "text", SPAN("{\"format\":{\"type\":\"json_object\"}}"));
		return;
	}
	json_key(out, "text");
	json_open(out, '{');
	json_key(out, "format");
	json_open(out, '{');
	json_put_text(out, "type", "json_schema");
	dialect_put_named(request->schema, out);
	json_close(out, '}');
	json_close(out, '}');
}

/* What is asked of models that reason, by the quirk "reasoning": nothing is stored at the provider,
 * so reasoning must come in a form that can be sent back. */
static void add_reasoning(const struct provider *provider, const char *model, struct buffer *body)
{
	struct span members = SPAN("{\"include\":[\"reasoning.encrypted_content\"]}");

	if (provider_quirk(provider, "reasoning").at != NULL)
		members = parameters_quirk(provider, model, "reasoning");
	if (json_type(members) == JSON_OBJECT)
		json_merge_into(body, members);
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

static bool write_body(struct transcript *t)
{
	const struct model_request *request = t->request;
	struct buffer *body = t->out;

	json_open(body, '{');
	json_put_text(body, "model", t->model);
	json_put_bool(body, "stream", true);
	json_put_bool(body, "store", false);
	write_instructions(t->provider, request, body);
	transcript_put_messages(t);
	write_tools(request, body);
	if (request->max_tokens > 0)
		json_put_int(body, "max_output_tokens", request->max_tokens);
	write_format(t->provider, request, body);
	json_close(body, '}');
	add_reasoning(t->provider, t->model, body);
	return apply(t->provider, t->model, request, body, t->e);
}

bool responses_request(const struct provider *provider, const char *model, const char *base_url,
		       const struct model_request *request, struct http_request *out,
		       struct error *e)
{
	struct responses_transcript r = {
	    .t = {.provider = provider,
		  .model = model,
		  .request = request,
		  .out = &out->body,
		  .e = e,
		  .salt = json_true(parameters_option(request, "store")),
		  .ids = {.most = MAX_ID}}};
	bool good;

	out->url = chat_url(base_url, model, "/responses");
	http_request_add_header(out, false, "Content-Type: application/json");
	http_request_add_header(out, false, "Accept: text/event-stream");
	good = transcript_request(&r.t, &form, write_body);
	buffer_free(&r.reasoning);
	return good;
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
