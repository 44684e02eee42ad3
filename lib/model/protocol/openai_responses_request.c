#include "base/hash.h"
#include "model/parameters.h"
#include "model/protocol/openai.h"
#include "model/protocol/openai_responses.h"

enum { MAX_ID = 64, MAX_NAME = 128 };

/* The items of a response while they are written. */
struct responses_transcript {
	struct transcript t;
	bool calls_last;         /* the quirk: calls are behind all other items */
	struct buffer reasoning; /* items that are only written with the one behind them */
	bool same;               /* the response is this very model's */
	bool ids;                /* and its items keep their ids */
	size_t texts_end; /* where the list of texts ends that was just written; 0: none was */
};

static struct span only_string(struct span value)
{
	return json_type(value) == JSON_STRING ? value : (struct span){0};
}

/* ---- ids ---- */

/* A provider id of more than MAX_ID bytes goes back to the provider that gave it. Other calls are
 * sent under tool_call_id, which is unique in the conversation; a call of another provider whose id
 * is not acceptable gets one made from its hash. */
static void call_id(struct transcript *t, const struct part *call, struct buffer *id)
{
	json_decode(transcript_own_id(t, call), id);
	if (id->len > MAX_ID)
		return;
	buffer_clear(id);
	json_decode(call->tool_call_id, id);
	if (!transcript_is_own(t, call->message) && !transcript_id_fits(buffer_span(id), &t->ids)) {
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

/* Whether all items of a message have ids to send: a reasoning that is named by its id requires the
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

static struct span id_of(const struct responses_transcript *r, const struct part *part)
{
	return r->ids ? json_get(part->provider_data, "id") : (struct span){0};
}

/* ---- users ---- */

static bool write_user_part(struct transcript *t, const struct part *part)
{
	bool is_image = part->type == PART_IMAGE, is_file = part->type == PART_FILE;

	if ((is_image || is_file) && transcript_accepts(t, part)) {
		json_pack(t->out, is_image ? "{'type':'input_image'" : "{'type':'input_file'");
		if (is_file)
			json_put_raw(t->out, "filename",
				     json_type(part->name) == JSON_STRING ? part->name
									  : SPAN("\"file\""));
		openai_put_data_url(t->out, is_image ? "image_url" : "file_data", part);
		json_close(t->out, '}');
	} else if (part->type != PART_TEXT) {
		return transcript_refuse(t, part);
	} else if (part->text.len > 2) {
		json_pack(t->out, "{'type':'input_text','text':%j}", part->text);
	}
	return true;
}

static bool is_empty(const struct message *message)
{
	for (size_t i = 0; i < message->part_count; i++)
		if (message->parts[i].type != PART_TEXT || message->parts[i].text.len > 2)
			return false;
	return true;
}

static bool write_user(struct transcript *t, const struct message *message)
{
	bool good = true;

	if (is_empty(message))
		return true;
	if (message->part_count == 1 && message->parts[0].type == PART_TEXT) {
		json_pack(t->out, "{'role':'user','content':%j}", message->parts[0].text);
		return true;
	}
	json_pack(t->out, "{'role':'user','content':[");
	for (size_t i = 0; good && i < message->part_count; i++)
		good = write_user_part(t, &message->parts[i]);
	buffer_add_text(t->out, "]}");
	return good;
}

/* ---- responses ---- */

/* Before an item is written: write the reasoning that belongs to it. */
static void write_reasoning(struct responses_transcript *r)
{
	if (r->reasoning.len > 0)
		json_pack(r->t.out, "%j", buffer_span(&r->reasoning));
	buffer_clear(&r->reasoning);
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
	static const char text[] = "{'type':'output_text','text':%j,'annotations':[]}";
	struct span phase = json_get(part->provider_data, "phase");
	bool has_phase = r->same && json_type(phase) == JSON_STRING;
	struct buffer *out = r->t.out;

	if (!decoder_is_text(part->text))
		return;
	/* Texts without ids and phases are one message. */
	if (!r->ids && !has_phase && r->reasoning.len == 0 && out->len > 0 &&
	    r->texts_end == out->len) {
		out->len -= strlen("]}");
	} else {
		write_reasoning(r);
		json_pack(out, "{");
		if (r->ids)
			json_pack(out, "'type':'message','id':%j,'status':'completed'",
				  id_of(r, part));
		json_pack(out, "'role':'assistant','phase':%j,'content':[",
			  has_phase ? phase : (struct span){0});
	}
	json_pack(out, text, part->text);
	buffer_add_text(out, "]}");
	r->texts_end = has_phase ? 0 : out->len;
}

/* A refusal has no id: it was stored apart from its item. */
static void write_refusal(struct responses_transcript *r, struct span text)
{
	if (!decoder_is_text(text))
		return;
	write_reasoning(r);
	json_pack(r->t.out, "{'role':'assistant','content':[{'type':'refusal','refusal':%j}]}",
		  text);
}

/* The reasoning item of the part `position` where it came later than the part. */
static struct span late_item(const struct message *message, size_t position)
{
	for (struct json_walk walk = json_walk(json_get(message->provider_data, "reasoning"));
	     json_next(&walk);)
		if (position-- == 0)
			return walk.value;
	return (struct span){0};
}

/* A provider that has not stored its reasoning only accepts it with its encrypted content or its
 * text. */
static void hold_reasoning(struct responses_transcript *r, const struct part *part, size_t position)
{
	static const char *const without[] = {"type", "id", "summary", "content", NULL};
	struct span late = late_item(part->message, position);
	struct span item = json_type(late) == JSON_OBJECT ? late : part->provider_data;
	struct span summary = json_get(item, "summary"), content = json_get(item, "content");
	bool stored = json_true(parameters_option(r->t.request, "store"));

	if (!stored && json_get(item, "encrypted_content").len <= 2 && json_count(content) == 0)
		return;
	json_pack(&r->reasoning, "{'type':'reasoning','id':%j,'summary':%j,'content':%j",
		  id_of(r, part), json_type(summary) == JSON_ARRAY ? summary : SPAN("[]"),
		  json_count(content) > 0 ? content : (struct span){0});
	responses_members(item, without, &r->reasoning);
	json_close(&r->reasoning, '}');
}

/* Whether a reasoning of the message cannot be sent back: then the items behind it must not have
 * their ids, by which the provider would look for it. */
static bool lacks_reasoning(struct responses_transcript *r, const struct message *message)
{
	bool lacks = false;
	size_t position = 0;

	for (size_t i = 0; !lacks && i < message->part_count; i++) {
		if (!is_reasoning(&message->parts[i]))
			continue;
		hold_reasoning(r, &message->parts[i], position++);
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
	struct span input = only_string(json_get(part->args, "input"));
	bool custom = is_custom(&r->t, part);
	struct buffer *out = r->t.out;

	write_reasoning(r);
	json_pack(out, "{'type':%t,'id':%j,'call_id':%s",
		  custom ? "custom_tool_call" : "function_call", id_of(r, part),
		  transcript_call_id(&r->t, part));
	transcript_put_name(&r->t, part->tool_name, MAX_NAME);
	if (custom)
		json_pack(out, "'input':%j", input.at != NULL ? input : SPAN("\"\""));
	else
		json_pack(out, "'arguments':%s", transcript_args_text(&r->t, part));
	if (r->same)
		responses_members(part->provider_data, without, out);
	json_close(out, '}');
}

/* A hosted call and its result. */
static void write_hosted(struct responses_transcript *r, const struct part *part)
{
	for (struct json_walk walk = json_walk(json_get(part->provider_data, "items"));
	     json_next(&walk);)
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

/* Reasoning and ids are only sent to the model that wrote them: the API does not say what another
 * model of the same provider makes of them. */
static void write_response(struct transcript *t, const struct message *message)
{
	struct responses_transcript *r = (struct responses_transcript *)t;
	size_t reasonings = 0;

	r->texts_end = 0;
	r->same = transcript_is_own(t, message) && json_is(message->model, t->model);
	r->ids = r->same && all_have_ids(message) && !lacks_reasoning(r, message);
	for (size_t i = 0; i < message->part_count; i++)
		if (!r->calls_last || message->parts[i].type != PART_CALL)
			write_part(r, &message->parts[i], &reasonings);
	for (size_t i = 0; r->calls_last && i < message->part_count; i++)
		if (message->parts[i].type == PART_CALL)
			write_call(r, &message->parts[i]);
	/* Reasoning with nothing behind it is refused. */
	buffer_clear(&r->reasoning);
}

static void write_result(struct transcript *t, const struct transcript_call *call)
{
	json_pack(t->out, "{'type':%t,'call_id':%s,'output':%s}",
		  is_custom(t, call->part) ? "custom_tool_call_output" : "function_call_output",
		  call->id, transcript_result_text(t, call->result));
}

/* A result without its call is refused, and results of hosted calls are not sent. */
static const struct transcript_form form = {
    .member = "input",
    .id = call_id,
    .user = write_user,
    .response = write_response,
    .result = write_result,
};

/* ---- parameters ---- */

/* The tools, and those that the provider runs. An absent "strict" means true. */
static void write_tools(struct transcript *t)
{
	const struct model_request *request = t->request;
	struct span hosted = parameters_provider_tools(request);
	const char *named = openai_named_tool(request);

	if (request->tool_count == 0 && hosted.at == NULL)
		return;
	json_pack(t->out, "'tools':[");
	for (size_t i = 0; i < request->tool_count; i++) {
		const struct model_tool *tool = &request->tools[i];

		json_pack(t->out,
			  "{'type':'function','name':%t,'description':%t,'parameters':%j,"
			  "'strict':false}",
			  tool->name, tool->description,
			  tool->parameters.at != NULL
			      ? tool->parameters
			      : SPAN("{\"type\":\"object\",\"properties\":{}}"));
	}
	json_copy_elements(t->out, hosted);
	json_close(t->out, ']');
	if (named != NULL)
		json_pack(t->out, "'tool_choice':{'type':'function','name':%t}", named);
	else
		json_pack(t->out, "'tool_choice':%t", request->tool_choice);
}

static void write_instructions(struct transcript *t)
{
	struct span text = openai_instructions(t);

	if (text.len > 0)
		json_put_string(t->out, "instructions", text);
}

/* What is requested of models that reason, by the quirk "reasoning": nothing is stored at the
 * provider, so reasoning must come in a form that can be sent back. The user's list of what to
 * include adds to ours. */
static void add_reasoning(struct transcript *t)
{
	struct span members = SPAN("{\"include\":[\"reasoning.encrypted_content\"]}");
	struct span include = parameters_option(t->request, "include");
	struct buffer both = {0};

	if (provider_quirk(t->provider, "reasoning").at != NULL)
		members = parameters_quirk(t, "reasoning");
	if (json_type(members) == JSON_OBJECT)
		json_merge_into(t->out, members);
	if (json_type(include) == JSON_ARRAY) {
		json_pack(&both, "{'include':[");
		json_copy_elements(&both, json_get(members, "include"));
		json_copy_elements(&both, include);
		json_pack(&both, "]}");
		json_merge_into(t->out, buffer_span(&both));
	}
	buffer_free(&both);
}

/* Lists that write_tools and add_reasoning add to ours. */
static const char *const used_lists[] = {"tools", "include", NULL};

static const struct parameter_rules rules = {
    .effort = "{\"none\":{\"reasoning\":{\"effort\":\"none\"}},"
	      "\"low\":{\"reasoning\":{\"effort\":\"low\"}},"
	      "\"medium\":{\"reasoning\":{\"effort\":\"medium\"}},"
	      "\"high\":{\"reasoning\":{\"effort\":\"high\"}},"
	      "\"max\":{\"reasoning\":{\"effort\":\"xhigh\"}}}",
    .used_lists = used_lists,
};

/* ---- the request ---- */

static bool write_body(struct transcript *t)
{
	json_pack(t->out, "{'model':%t,'stream':true,'store':false", t->model);
	write_instructions(t);
	transcript_put_messages(t);
	write_tools(t);
	if (t->request->max_tokens > 0)
		json_put_int(t->out, "max_output_tokens", t->request->max_tokens);
	openai_put_format(t, "'text':{'format':{'type':'json_schema',%j}}",
			  "'text':{'format':{'type':'json_object'}}");
	json_close(t->out, '}');
	add_reasoning(t);
	return parameters_apply(t, &rules);
}

bool responses_request(struct transcript *t, struct http_request *out)
{
	struct responses_transcript r = {
	    .t = *t, .calls_last = json_true(provider_quirk(t->provider, "calls_last"))};
	bool good;

	out->url = openai_url(t, "/responses");
	r.t.salt = json_true(parameters_option(t->request, "store"));
	r.t.ids.most = MAX_ID;
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
