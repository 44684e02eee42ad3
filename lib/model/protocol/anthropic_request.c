#include <stdlib.h>

#include "base/hash.h"
#include "base/number.h"
#include "model/protocol/anthropic.h"
#include "model/protocol/schema_dialect.h"

/* The least bytes of a prefix that are worth a mark for the prompt cache (the API caches from about
 * 1024 tokens), and the smallest thinking budget in tokens that the API accepts. */
enum { LONG_PREFIX = 4096, LEAST_BUDGET = 1024 };

/* The API requires a limit of output tokens; this one is sent if the registry has none. */
enum { MAX_TOKENS = 32000 };

/* Longest id of a call. */
enum { MAX_ID = 64 };

static const char version[] = "2023-06-01";

/* The messages while they are written. */
struct anthropic_transcript {
	struct transcript t;
	struct table sent; /* ids of calls so far; the keys are owned */
	size_t sent_count;
	struct table results; /* ids of the provider's calls that have a result */
	bool results_known;
};

/* ---- ids ---- */

static bool is_sent(const struct transcript *t, const struct buffer *id)
{
	const struct anthropic_transcript *a = (const struct anthropic_transcript *)t;

	return table_find(&a->sent, buffer_span(id)) != NULL;
}

/* Whether another call of the same response is sent with this id. */
static bool is_waiting(const struct transcript *t, const struct buffer *id)
{
	for (size_t i = 0; i < t->call_count; i++)
		if (span_equal(t->calls[i].id, buffer_span(id)))
			return true;
	return false;
}

static void note_sent(struct transcript *t, const struct buffer *id)
{
	struct anthropic_transcript *a = (struct anthropic_transcript *)t;

	a->sent_count++;
	if (!is_sent(t, id))
		table_add(&a->sent, (struct span){mem_copy(buffer_span(id)), id->len});
}

/* Replace `id`, which the API refuses, by one that it accepts, always the same for the same call.
 */
static void replace_id(const struct transcript *t, struct buffer *id)
{
	const struct anthropic_transcript *a = (const struct anthropic_transcript *)t;
	uint64_t hash = hash_add(HASH_START, buffer_span(id));

	transcript_make_id(id, "toolu_", 22, hash_add_number(hash, a->sent_count));
}

/* The provider's own id goes back as it came, even if a server repeats it in every response. An id
 * of another provider may be refused here, and two runs of one conversation may have used the same
 * id. */
static void call_id(struct transcript *t, const struct part *call, struct buffer *id)
{
	bool own = transcript_is_own(t, call->message);
	struct span given = transcript_own_id(t, call);

	json_decode(given, id);
	if (id->len == 0 || is_waiting(t, id)) {
		buffer_clear(id);
		json_decode(call->tool_call_id, id);
		if (is_sent(t, id) || id->len == 0 ||
		    (!transcript_id_fits(buffer_span(id), &t->ids) && (!own || given.at != NULL)))
			replace_id(t, id);
	}
	note_sent(t, id);
}

/* ---- blocks ---- */

/* A text block is never empty. */
static void write_text(struct transcript *t, const struct part *part)
{
	if (json_type(part->text) == JSON_STRING && part->text.len > 2)
		json_pack(t->out, "{'type':'text','text':%j,'citations':%j}", part->text,
			  transcript_data(t, part, "citations"));
}

static bool write_attachment(struct transcript *t, const struct part *part)
{
	static const char *const images[] = {"image/png", "image/jpeg", "image/gif", "image/webp",
					     NULL};
	bool image = part->type == PART_IMAGE;
	bool titled = !image && part->name.len > 2;

	if (image ? !json_is_any(part->media_type, images)
		  : !json_is(part->media_type, "application/pdf"))
		return false;
	json_pack(t->out,
		  "{'type':%t,'source':{'type':'base64','media_type':%j,'data':%j},'title':%j}",
		  image ? "image" : "document", part->media_type, part->data,
		  titled ? part->name : (struct span){0});
	return true;
}

/* ---- results ---- */

static void write_result(struct transcript *t, const struct transcript_call *call)
{
	bool is_error = call->result == NULL || call->result->is_error;
	struct span content = transcript_call_result(t, call);

	if (content.len == 0)
		content = is_error ? SPAN("Error") : (struct span){0};
	json_pack(t->out, "{'type':'tool_result','tool_use_id':%s,'content':%s,'is_error':%f}",
		  call->id, content, is_error);
}

/* ---- responses ---- */

static bool is_same_model(const struct transcript *t, const struct message *message)
{
	return transcript_is_own(t, message) && json_is(message->model, t->model);
}

/* Thinking goes back with its signature, and only to the model that wrote it. */
static void write_thinking(struct transcript *t, const struct part *part)
{
	struct span signature = transcript_data(t, part, "signature");

	if (signature.at != NULL && is_same_model(t, part->message))
		json_pack(t->out, "{'type':'thinking','thinking':%j,'signature':%j}", part->text,
			  signature);
}

static void write_call(struct transcript *t, const struct part *part)
{
	json_pack(t->out, "{'type':'tool_use','id':%s", transcript_call_id(t, part));
	transcript_put_name(t, part->tool_name, SIZE_MAX);
	transcript_put_args(part, "input", t->out);
	if (t->readable)
		transcript_members(part->provider_data, "type", t->out);
	json_close(t->out, '}');
}

/* The ids of the provider's calls that have a result in the conversation. */
static void find_results(struct anthropic_transcript *a)
{
	const struct model_request *request = a->t.request;

	a->results_known = true;
	for (size_t i = 0; i < request->message_count; i++)
		for (size_t j = 0; j < request->messages[i]->part_count; j++) {
			const struct part *part = &request->messages[i]->parts[j];
			struct span id = json_get(part->provider_data, "tool_use_id");

			if (json_type(id) == JSON_STRING)
				table_add(&a->results, id);
		}
}

/* Whether a call that the provider ran has no result, which would follow it as an opaque part. The
 * API refuses such a call. */
static bool is_abandoned(struct transcript *t, struct span id)
{
	struct anthropic_transcript *a = (struct anthropic_transcript *)t;

	if (t->in_loop)
		return false;
	if (!a->results_known)
		find_results(a);
	return table_find(&a->results, id) == NULL;
}

static void write_provider_call(struct transcript *t, const struct part *part)
{
	struct span id = part->provider_id.at != NULL ? part->provider_id : part->tool_call_id;
	struct span type = transcript_data(t, part, "type");

	if (json_type(type) != JSON_STRING || is_abandoned(t, id))
		return;
	json_pack(t->out, "{'type':%j,'id':%j,'name':%j", type, id, part->tool_name);
	transcript_put_args(part, "input", t->out);
	transcript_members(part->provider_data, "type", t->out);
	json_close(t->out, '}');
}

/* A block as it came. Redacted thinking goes only to the model that wrote it. */
static void write_opaque(struct transcript *t, const struct part *part)
{
	struct span type = transcript_data(t, part, "type");

	if (json_type(type) != JSON_STRING ||
	    (json_is(type, "redacted_thinking") && !is_same_model(t, part->message)))
		return;
	json_pack(t->out, "{'type':%j", type);
	transcript_members(part->provider_data, "type", t->out);
	json_close(t->out, '}');
}

static const struct transcript_form form = {
    .member = "messages",
    .parts_key = "content",
    .assistant = "assistant",
    .uses_in_loop = true,
    .ids_in_order = true,
    .id = call_id,
    .attachment = write_attachment,
    .parts =
	{
	    [PART_TEXT] = write_text,
	    [PART_THINKING] = write_thinking,
	    [PART_CALL] = write_call,
	    [PART_PROVIDER_CALL] = write_provider_call,
	    [PART_OPAQUE] = write_opaque,
	},
    .result = write_result,
};

/* ---- URL and headers ---- */

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

static int64_t max_tokens(struct transcript *t)
{
	int64_t tokens = MAX_TOKENS;

	if (t->request->max_tokens > 0)
		return t->request->max_tokens;
	number_count(json_amount(parameters_quirk(t, "max_tokens")), &tokens);
	return tokens;
}

/* Whether to set marks for the prompt cache: not if the user sets them. */
static bool marks_cache(struct transcript *t)
{
	struct span quirk = provider_quirk(t->provider, "cache");

	return parameters_option(t->request, "cache_control").at == NULL && !json_false(quirk);
}

static size_t tools_length(const struct model_request *request)
{
	size_t length = json_count(parameters_provider_tools(request)) > 0
			    ? parameters_provider_tools(request).len
			    : 0;

	for (size_t i = 0; i < request->tool_count; i++) {
		const struct model_tool *tool = &request->tools[i];

		length += strlen(tool->name) + tool->parameters.len;
		length += tool->description != NULL ? strlen(tool->description) : 0;
	}
	return length;
}

/* The instructions follow the tools in the cached prefix: a mark on them caches both. */
static void write_system(struct transcript *t, bool schema_in_words, size_t tools)
{
	struct span text = transcript_instructions(t, schema_in_words);

	if (text.len > 0 && (!marks_cache(t) || text.len + tools < LONG_PREFIX))
		json_put_string(t->out, "system", text);
	else if (text.len > 0)
		json_pack(
		    t->out,
		    "'system':[{'type':'text','text':%s,'cache_control':{'type':'ephemeral'}}]",
		    text);
}

static void write_format(struct transcript *t)
{
	json_pack(t->out, "'output_config':{'format':{'type':'json_schema','schema':");
	dialect_write_anthropic(t->request->schema, t->out);
	json_pack(t->out, "}}");
}

/* The container in which the provider ran code for the loop that is running. */
static void write_container(struct transcript *t)
{
	for (size_t i = t->request->message_count; i-- > 0;) {
		const struct message *message = t->request->messages[i];
		struct span id = json_path(message->provider_data, "container.id");

		if (message->role == MESSAGE_USER)
			return;
		if (id.at != NULL && transcript_is_own(t, message)) {
			json_put_raw(t->out, "container", id);
			return;
		}
	}
}

/* ---- parameters ---- */

static const char *const used[] = {"betas", "parallel_tool_calls", NULL};
static const char *const used_lists[] = {"tools", NULL};

/* Thinking budgets: all servers whose models think accept them. */
static const struct parameter_rules rules = {
    .effort = "{\"none\":{\"thinking\":{\"type\":\"disabled\"}},"
	      "\"low\":{\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":4096}},"
	      "\"medium\":{\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":10240}},"
	      "\"high\":{\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":24576}},"
	      "\"max\":{\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":28672}}}",
    .used = used,
    .used_lists = used_lists,
};

/* Whether the model's last message of a running loop begins with its own thinking, which the API
 * wants to see there when thinking has a budget. */
static bool loop_has_thinking(const struct transcript *t)
{
	const struct model_request *request = t->request;

	for (size_t i = request->message_count; i-- > 0;) {
		const struct message *message = request->messages[i];
		struct span data = {0};

		if (message->role == MESSAGE_USER)
			return true;
		if (message->role != MESSAGE_ASSISTANT)
			continue;
		if (message->part_count > 0)
			data = message->parts[0].provider_data;
		return is_same_model(t, message) &&
		       (json_get(data, "signature").at != NULL ||
			json_is(json_get(data, "type"), "redacted_thinking"));
	}
	return true;
}

/* A budget that --effort brought must leave room for text. */
static bool fit_budget(struct transcript *t)
{
	struct span body = buffer_span(t->out);
	int64_t budget = json_int(json_path(body, "thinking.budget_tokens"), 0);
	int64_t most = json_int(json_get(body, "max_tokens"), INT64_MAX);
	struct buffer patch = {0};

	if (budget == 0 || parameters_option(t->request, "thinking").at != NULL)
		return true;
	if (!loop_has_thinking(t)) {
		json_merge_into(t->out, SPAN("{\"thinking\":null}"));
		return true;
	}
	if (budget < most)
		return true;
	if (most <= LEAST_BUDGET)
		return error_set(t->e, "usage",
				 "%s:%s cannot think within %lld tokens; --max-tokens must be "
				 "above %d",
				 t->provider->name, t->model, (long long)most, LEAST_BUDGET);
	budget = most / 2 > LEAST_BUDGET ? most / 2 : LEAST_BUDGET;
	buffer_add_format(&patch, "{\"thinking\":{\"budget_tokens\":%lld}}", (long long)budget);
	json_merge_into(t->out, buffer_span(&patch));
	buffer_free(&patch);
	return true;
}

/* ---- the request ---- */

static bool write_body(struct transcript *t)
{
	size_t tools = tools_length(t->request);
	bool native = anthropic_accepts_schema(t);

	json_pack(t->out, "{'model':%t,'max_tokens':%d,'stream':true", t->model, max_tokens(t));
	write_system(t, !native, tools);
	transcript_put_messages(t);
	anthropic_write_tools(t, marks_cache(t) && tools >= LONG_PREFIX);
	if (native)
		write_format(t);
	write_container(t);
	json_close(t->out, '}');
	return parameters_apply(t, &rules) && fit_budget(t);
}

static void free_sent(struct table *sent)
{
	for (size_t i = 0; i < sent->capacity; i++)
		free((char *)sent->slots[i].key.at);
	table_free(sent);
}

bool anthropic_request(struct transcript *t, struct http_request *out)
{
	struct anthropic_transcript a = {.t = *t};
	bool good;

	if (parameters_force_tool(t->request) && !anthropic_can_force(t))
		return parameters_refuse_force(t);
	out->url = protocol_url(t->provider, "/v1/messages");
	anthropic_version(t->provider, out);
	add_betas(t->request, out);
	a.t.ids.most = MAX_ID;
	good = transcript_request(&a.t, &form, write_body);
	free_sent(&a.sent);
	table_free(&a.results);
	return good;
}
