#include <stdlib.h>

#include "model/parameters.h"
#include "model/protocol/openai_chat.h"

/* Quirks that concern every response are looked up once. */
struct chat_transcript {
	struct transcript t;
	struct span reasoning_back; /* the member in which reasoning goes back; absent: none */
	bool reasoning_back_all;    /* not only in the tool loop that is running */
};

/* ---- messages ---- */

/* All instructions become one message at the start: many servers accept no other. */
static void write_system(struct transcript *t)
{
	struct span text = openai_instructions(t);

	if (text.len > 0)
		openai_put_message(t, "system", text);
}

/* The text so far becomes a part. */
static void end_text(struct transcript *t)
{
	if (t->text.len > 0)
		json_pack(&t->parts, "{'type':'text','text':%s}", buffer_span(&t->text));
	buffer_clear(&t->text);
}

static bool write_attachment(struct transcript *t, const struct part *part)
{
	struct span name = part->name.at != NULL ? part->name : SPAN("null");
	bool is_image = part->type == PART_IMAGE;

	end_text(t);
	if (is_image)
		json_pack(&t->parts, "{'type':'image_url','image_url':{");
	else
		json_pack(&t->parts, "{'type':'file','file':{'filename':%j", name);
	openai_put_data_url(&t->parts, is_image ? "url" : "file_data", part);
	buffer_add_text(&t->parts, "}}");
	return true;
}

static void end_users(struct transcript *t)
{
	if (t->text.len == 0 && t->parts.len == 0)
		return;
	if (t->after_tool && json_true(provider_quirk(t->provider, "no_user_after_tool")))
		openai_put_message(t, "assistant", SPAN("OK."));
	if (t->parts.len == 0) {
		openai_put_message(t, "user", buffer_span(&t->text));
	} else {
		end_text(t);
		json_pack(t->out, "{'role':'user','content':[%j]}", buffer_span(&t->parts));
	}
	buffer_clear(&t->text);
	buffer_clear(&t->parts);
}

static void write_call(struct transcript *t, const struct part *part, int64_t position)
{
	bool own = transcript_is_own(t, part->message);
	struct span extra = json_get(part->provider_data, "extra_content");

	(void)position;
	json_pack(t->out,
		  "{'id':%s,'type':'function','function':{'name':%j,'arguments':%s},"
		  "'extra_content':%j}",
		  transcript_call_id(t, part), part->tool_name, transcript_args_text(t, part),
		  own ? extra : (struct span){0});
}

/* Send reasoning back in the member that the provider reads. */
static void write_reasoning(struct transcript *t, const struct message *message)
{
	const struct chat_transcript *c = (struct chat_transcript *)t;
	char *member;

	if (c->reasoning_back.at == NULL || !transcript_is_own(t, message))
		return;
	if (json_is(c->reasoning_back, "reasoning_details")) {
		json_pack(t->out, "'reasoning_details':%j",
			  json_get(message->provider_data, "reasoning_details"));
		return;
	}
	member = json_text(c->reasoning_back);
	buffer_clear(&t->scratch);
	if (member != NULL && (t->in_loop || c->reasoning_back_all))
		transcript_add_thinking(message, &t->scratch);
	if (t->scratch.len > 0)
		json_put_string(t->out, member, buffer_span(&t->scratch));
	free(member);
}

static void write_response(struct transcript *t, const struct message *message)
{
	openai_put_response(t, message, "null", write_reasoning, write_call);
}

/* There is no flag for errors: the text of a failed result begins with "Error". */
static void write_result(struct transcript *t, const struct transcript_call *call)
{
	json_pack(t->out, "{'role':'tool','tool_call_id':%s,'content':%s}", call->id,
		  transcript_result_text(t, call->result));
}

static const struct transcript_form form = {
    .member = "messages",
    .joins_users = true,
    .uses_in_loop = true,
    .only_images = true,
    .id = transcript_safe_id,
    .system = write_system,
    .attachment = write_attachment,
    .end_users = end_users,
    .response = write_response,
    .result = write_result,
};

/* ---- parameters ---- */

/* The quirk "tool_choice" describes what the server accepts: absent, what OpenAI does; "any":
 * Mistral's word for "required", and no named choice; false: not at all. */
static void write_tools(struct transcript *t)
{
	struct span quirk = provider_quirk(t->provider, "tool_choice");
	const char *named = openai_named_tool(t->request);
	enum tool_choice choice = parameters_choice(t->request->tool_choice);
	bool known = !json_false(quirk);
	bool any = json_is(quirk, "any");

	if (t->request->tool_count == 0 || (!known && choice == CHOICE_NONE))
		return;
	openai_put_functions(t, any || !known ? named : NULL);
	if (!known)
		return;
	if (any && choice >= CHOICE_ANY)
		json_pack(t->out, "'tool_choice':'any'");
	else if (named != NULL)
		json_pack(t->out, "'tool_choice':{'type':'function','function':{'name':%t}}",
			  named);
	else
		json_pack(t->out, "'tool_choice':%t", t->request->tool_choice);
}

/* OpenAI's own parameter, reasoning_effort: its highest level is xhigh. */
static const struct parameter_rules rules = {
    .effort = "{\"none\":{\"reasoning_effort\":\"none\"},"
	      "\"low\":{\"reasoning_effort\":\"low\"},"
	      "\"medium\":{\"reasoning_effort\":\"medium\"},"
	      "\"high\":{\"reasoning_effort\":\"high\"},"
	      "\"max\":{\"reasoning_effort\":\"xhigh\"}}",
};

static void write_max_tokens(struct transcript *t)
{
	char *name = json_text(provider_quirk(t->provider, "max_tokens"));

	if (t->request->max_tokens > 0)
		json_put_int(t->out, name != NULL ? name : "max_tokens", t->request->max_tokens);
	free(name);
}

/* A stream contains usage only if the request asks for it. The quirk "stream_options" is the
 * member to send, or false for a server that refuses it. */
static void write_stream_options(struct transcript *t)
{
	struct span quirk = provider_quirk(t->provider, "stream_options");

	if (quirk.at == NULL && parameters_option(t->request, "stream").at == NULL)
		quirk = SPAN("{\"include_usage\":true}");
	if (json_type(quirk) == JSON_OBJECT)
		json_put_raw(t->out, "stream_options", quirk);
}

static bool write_body(struct transcript *t)
{
	json_pack(t->out, "{'model':%t,'stream':true", t->model);
	write_stream_options(t);
	transcript_put_messages(t);
	write_tools(t);
	write_max_tokens(t);
	openai_put_format(t, "'response_format':{'type':'json_schema','json_schema':{%j}}",
			  "'response_format':{'type':'json_object'}");
	json_close(t->out, '}');
	return parameters_apply(t, &rules);
}

bool chat_request(struct transcript *t, struct http_request *out)
{
	const struct provider *provider = t->provider;
	struct chat_transcript c = {
	    .t = *t,
	    .reasoning_back = provider_quirk(provider, "reasoning_back"),
	    .reasoning_back_all = json_true(provider_quirk(provider, "reasoning_back_all")),
	};

	out->url = openai_url(t, "/chat/completions");
	c.t.ids = (struct transcript_ids){
	    .most = (size_t)json_int(provider_quirk(provider, "tool_call_id_max"), 40),
	    .exact = (size_t)json_int(provider_quirk(provider, "tool_call_id_length"), 0),
	    .made = 9,
	};
	return transcript_request(&c.t, &form, write_body);
}
