#include <ctype.h>
#include <stdlib.h>

#include "model/protocol/transcript.h"
#include "model/parameters.h"
#include "model/protocol/openai_responses.h"

enum { MAX_ID = 64, MAX_NAME = 128 };

/* A call that was written and waits for its result. */
struct waiting {
	struct span id; /* the events' (a JSON string) */
	bool custom;
};

/* One request's items while they are written. */
struct writer {
	const struct provider *provider;
	const char *model;
	const struct model_request *request;
	struct buffer *out;
	struct buffer reasoning; /* items that are only written with the one behind them */
	struct buffer scratch;
	struct waiting *waiting;
	size_t waiting_count, waiting_cap;
	bool same;        /* the message at hand was answered by this very model */
	bool ids;         /* and its items keep their ids */
	size_t texts_end; /* where the list of texts of this message ends that was just written */
	struct error *e;
};

/* ---- ids ---- */

/* The id of a call for the API: the events' own, which is the provider's unless that one is not
 * unique. A very long or an odd one goes back to where it came from, and others get one that they
 * take. Valid until the next call. */
static struct span call_id(struct writer *w, struct span id)
{
	struct span own = message_own_call(w->request, id, w->provider);
	uint64_t hash = 0xCBF29CE484222325; /* FNV-1a */
	bool good;

	buffer_clear(&w->scratch);
	json_decode(json_get(own, "provider_id"), &w->scratch);
	if (w->scratch.len > MAX_ID)
		return buffer_span(&w->scratch);
	buffer_clear(&w->scratch);
	json_decode(id, &w->scratch);
	good = w->scratch.len > 0 && w->scratch.len <= MAX_ID;
	for (size_t i = 0; i < w->scratch.len; i++) {
		unsigned char c = (unsigned char)w->scratch.at[i];

		good = good && c < 0x80 && (isalnum(c) || c == '_' || c == '-');
		hash = (hash ^ c) * 0x100000001B3;
	}
	if (!good && own.at == NULL) {
		buffer_clear(&w->scratch);
		buffer_add_format(&w->scratch, "call_%016llx", (unsigned long long)hash);
	}
	return buffer_span(&w->scratch);
}

static bool is_good_id(struct span id)
{
	return json_type(id) == JSON_STRING && id.len > 2 && id.len <= MAX_ID + 2;
}

static bool is_reasoning(struct span part)
{
	return json_is(json_get(part, "type"), "thinking") &&
	       json_is(json_path(part, "provider_data.type"), "reasoning");
}

/* Whether all items of a message have ids to send: a reasoning that is named by its id wants the
 * item behind it to be named too. */
static bool all_have_ids(struct span content)
{
	struct json_walk walk = json_walk(content);

	while (json_next(&walk)) {
		bool is_text = json_is(json_get(walk.value, "type"), "text") &&
			       json_get(walk.value, "text").len > 2;

		if ((is_text || message_is_call(walk.value) || is_reasoning(walk.value)) &&
		    !is_good_id(json_path(walk.value, "provider_data.id")))
			return false;
	}
	return true;
}

static void put_id(struct writer *w, struct span data)
{
	if (w->ids)
		json_put_raw(w->out, "id", json_get(data, "id"));
}

/* ---- what waits ---- */

static void wait_for(struct writer *w, struct span id, bool custom)
{
	if (w->waiting_count == w->waiting_cap) {
		w->waiting_cap = w->waiting_cap > 0 ? 2 * w->waiting_cap : 8;
		w->waiting = mem_resize(w->waiting, w->waiting_cap * sizeof(*w->waiting));
	}
	w->waiting[w->waiting_count++] = (struct waiting){.id = id, .custom = custom};
}

static void write_output(struct writer *w, const struct waiting *call, struct span text)
{
	json_open(w->out, '{');
	json_put_text(w->out, "type",
		      call->custom ? "custom_tool_call_output" : "function_call_output");
	json_put_string(w->out, "call_id", call_id(w, call->id));
	json_put_string(w->out, "output", text);
	json_close(w->out, '}');
}

/* Every call must have its result before the conversation goes on. */
static void close_calls(struct writer *w)
{
	for (size_t i = 0; i < w->waiting_count; i++)
		write_output(w, &w->waiting[i],
			     SPAN("Error: the call was interrupted before it had a result."));
	w->waiting_count = 0;
}

/* An item is about to be written: the reasoning that belongs to it goes first. */
static void write_reasoning(struct writer *w)
{
	if (w->reasoning.len == 0)
		return;
	json_comma(w->out);
	buffer_add_span(w->out, buffer_span(&w->reasoning));
	buffer_clear(&w->reasoning);
}

static void begin_item(struct writer *w)
{
	write_reasoning(w);
	json_open(w->out, '{');
}

/* An item as it came. */
static void write_item(struct writer *w, struct span item)
{
	if (json_type(item) != JSON_OBJECT || json_count(item) == 0)
		return;
	write_reasoning(w);
	json_comma(w->out);
	json_write_compact(w->out, item);
}

/* ---- users ---- */

/* Whether the model takes parts of `type`: quirk "attach"; both where it says nothing. */
static bool takes(const struct writer *w, const char *type)
{
	return provider_quirk(w->provider, "attach").at == NULL ||
	       parameters_quirk_has(w->provider, w->model, "attach", type);
}

static void write_text(struct writer *w, const char *type, struct span text)
{
	json_open(w->out, '{');
	json_put_text(w->out, "type", type);
	json_put_raw(w->out, "text", text);
	if (strcmp(type, "output_text") == 0)
		json_put_raw(w->out, "annotations", SPAN("[]"));
	json_close(w->out, '}');
}

static bool write_part(struct writer *w, struct span part)
{
	struct span type = json_get(part, "type"), name = json_get(part, "name");

	if (json_is(type, "text")) {
		if (json_get(part, "text").len > 2)
			write_text(w, "input_text", json_get(part, "text"));
		return true;
	}
	if (json_is(type, "image") && takes(w, "image")) {
		json_open(w->out, '{');
		json_put_text(w->out, "type", "input_image");
		message_put_data_url(w->out, "image_url", part);
	} else if (json_is(type, "file") && takes(w, "file")) {
		json_open(w->out, '{');
		json_put_text(w->out, "type", "input_file");
		json_put_raw(w->out, "filename",
			     json_type(name) == JSON_STRING ? name : SPAN("\"file\""));
		message_put_data_url(w->out, "file_data", part);
	} else {
		return message_refuse_part(w->provider, w->model, part, w->e);
	}
	json_close(w->out, '}');
	return true;
}

static bool says_something(struct span content)
{
	struct json_walk walk = json_walk(content);

	while (json_next(&walk))
		if (!json_is(json_get(walk.value, "type"), "text") ||
		    json_get(walk.value, "text").len > 2)
			return true;
	return json_type(content) == JSON_STRING && content.len > 2;
}

static bool write_user(struct writer *w, struct span message)
{
	struct span content = json_get(message, "content");
	struct span only = json_path(content, "0");
	struct json_walk walk = json_walk(content);

	if (!says_something(content))
		return true;
	json_open(w->out, '{');
	json_put_text(w->out, "role", "user");
	if (json_type(content) == JSON_STRING) {
		json_put_raw(w->out, "content", content);
	} else if (json_count(content) == 1 && json_is(json_get(only, "type"), "text")) {
		json_put_raw(w->out, "content", json_get(only, "text"));
	} else {
		json_key(w->out, "content");
		json_open(w->out, '[');
		while (json_next(&walk))
			if (!write_part(w, walk.value))
				return false;
		json_close(w->out, ']');
	}
	json_close(w->out, '}');
	return true;
}

/* ---- answers ---- */

static void write_answer(struct writer *w, struct span part, struct span text)
{
	struct span data = json_get(part, "provider_data"), phase = json_get(data, "phase");
	bool has_phase = w->same && json_type(phase) == JSON_STRING;

	if (json_type(text) != JSON_STRING || text.len <= 2)
		return;
	/* Texts that nothing tells apart are one message. */
	if (!w->ids && !has_phase && w->reasoning.len == 0 && w->texts_end == w->out->len) {
		w->out->len -= strlen("]}");
		write_text(w, "output_text", text);
		buffer_add_text(w->out, "]}");
		w->texts_end = w->out->len;
		return;
	}
	begin_item(w);
	if (w->ids) {
		json_put_text(w->out, "type", "message");
		put_id(w, data);
		json_put_text(w->out, "status", "completed");
	}
	json_put_text(w->out, "role", "assistant");
	if (has_phase)
		json_put_raw(w->out, "phase", phase);
	json_key(w->out, "content");
	json_open(w->out, '[');
	write_text(w, "output_text", text);
	json_close(w->out, ']');
	json_close(w->out, '}');
	w->texts_end = has_phase ? 0 : w->out->len;
}

/* A refusal has no id: it was kept apart from the item it stood in. */
static void write_refusal(struct writer *w, struct span text)
{
	if (json_type(text) != JSON_STRING || text.len <= 2)
		return;
	begin_item(w);
	json_put_text(w->out, "role", "assistant");
	json_key(w->out, "content");
	json_open(w->out, '[');
	json_open(w->out, '{');
	json_put_text(w->out, "type", "refusal");
	json_put_raw(w->out, "refusal", text);
	json_close(w->out, '}');
	json_close(w->out, ']');
	json_close(w->out, '}');
}

/* The reasoning item of part `nth` where it came later than the part. */
static struct span late_item(struct span message, size_t nth)
{
	struct json_walk walk = json_walk(json_path(message, "provider_data.reasoning"));

	while (json_next(&walk))
		if (nth-- == 0)
			return walk.value;
	return (struct span){0};
}

/* Reasoning that the provider has not stored is only known to it by its encrypted content, or by
 * its own words. */
static void hold_reasoning(struct writer *w, struct span message, struct span part, size_t nth)
{
	static const char *const without[] = {"type", "id", "summary", "content", NULL};
	struct span data = json_get(part, "provider_data"), late = late_item(message, nth);
	struct span item = json_type(late) == JSON_OBJECT ? late : data;
	struct span summary = json_get(item, "summary"), content = json_get(item, "content");
	struct buffer *out = &w->reasoning;
	bool stored = json_true(parameters_option(w->request, "store"));

	if (!stored && json_get(item, "encrypted_content").len <= 2 && json_count(content) == 0)
		return;
	json_open(out, '{');
	json_put_text(out, "type", "reasoning");
	if (w->ids)
		json_put_raw(out, "id", json_get(data, "id"));
	json_put_raw(out, "summary", json_type(summary) == JSON_ARRAY ? summary : SPAN("[]"));
	if (json_count(content) > 0)
		json_put_raw(out, "content", content);
	responses_members(item, without, out);
	json_close(out, '}');
}

/* Whether a reasoning of the message cannot be sent back: what follows must not name its own id
 * then, by which the provider would look for it. */
static bool lacks_reasoning(struct writer *w, struct span message)
{
	struct json_walk walk = json_walk(json_get(message, "content"));
	bool lacks = false;
	size_t nth = 0;

	while (!lacks && json_next(&walk)) {
		if (!is_reasoning(walk.value))
			continue;
		hold_reasoning(w, message, walk.value, nth++);
		lacks = w->reasoning.len == 0;
		buffer_clear(&w->reasoning);
	}
	return lacks;
}

static void write_call(struct writer *w, struct span part, bool own)
{
	static const char *const without[] = {"type", "id", NULL};
	struct span data = json_get(part, "provider_data"), id = json_get(part, "tool_call_id");
	bool custom = own && json_is(json_get(data, "type"), "custom_tool_call");
	struct span input = json_path(part, "args.input");
	struct buffer args = {0};

	message_args(part, &args);
	begin_item(w);
	json_put_text(w->out, "type", custom ? "custom_tool_call" : "function_call");
	put_id(w, data);
	json_put_string(w->out, "call_id", call_id(w, id));
	buffer_clear(&w->scratch);
	message_safe_name(json_get(part, "tool_name"), MAX_NAME, &w->scratch);
	json_put_string(w->out, "name", buffer_span(&w->scratch));
	if (!custom)
		json_put_string(w->out, "arguments", buffer_span(&args));
	else
		json_put_raw(w->out, "input",
			     json_type(input) == JSON_STRING ? input : SPAN("\"\""));
	if (w->same)
		responses_members(data, without, w->out);
	json_close(w->out, '}');
	wait_for(w, id, custom);
	buffer_free(&args);
}

/* A hosted call and what it gave. */
static void write_hosted(struct writer *w, struct span part)
{
	struct json_walk walk = json_walk(json_path(part, "provider_data.items"));

	while (json_next(&walk))
		write_item(w, walk.value);
}

static void write_assistant_part(struct writer *w, struct span message, struct span part,
				 size_t *reasonings)
{
	struct span type = json_get(part, "type");
	bool own = message_is_own(message, w->provider);

	if (json_is(type, "text")) {
		write_answer(w, part, json_get(part, "text"));
	} else if (json_is(type, "refusal")) {
		write_refusal(w, json_get(part, "text"));
	} else if (message_is_call(part)) {
		write_call(w, part, own);
	} else if (!w->same) {
		return;
	} else if (is_reasoning(part)) {
		hold_reasoning(w, message, part, (*reasonings)++);
	} else if (json_is(type, "tool_call")) {
		write_hosted(w, part);
	} else if (json_is(type, "opaque")) {
		write_item(w, json_get(part, "provider_data"));
	}
}

/* What reasoning and ids are worth to another model of the same provider is not said: they are sent
 * to the one that wrote them. */
static void write_assistant(struct writer *w, struct span message)
{
	struct span content = json_get(message, "content");
	struct json_walk walk = json_walk(content);
	bool calls_last = json_true(provider_quirk(w->provider, "calls_last"));
	size_t reasonings = 0;

	w->texts_end = 0;
	w->same =
	    message_is_own(message, w->provider) && json_is(json_get(message, "model"), w->model);
	w->ids = w->same && all_have_ids(content) && !lacks_reasoning(w, message);
	write_answer(w, (struct span){0}, content);
	while (json_next(&walk))
		if (!calls_last || !message_is_call(walk.value))
			write_assistant_part(w, message, walk.value, &reasonings);
	walk = json_walk(content);
	while (calls_last && json_next(&walk))
		if (message_is_call(walk.value))
			write_assistant_part(w, message, walk.value, &reasonings);
	/* Reasoning with nothing behind it is refused. */
	buffer_clear(&w->reasoning);
}

/* ---- results ---- */

/* A result whose call is not there is refused; those of hosted calls are no business of ours. */
static bool write_results(struct writer *w, struct span message)
{
	struct json_walk walk = json_walk(json_get(message, "content"));

	while (json_next(&walk)) {
		struct span id = json_get(walk.value, "tool_call_id");
		struct buffer text = {0};

		if (!json_is(json_get(walk.value, "type"), "tool_result"))
			return message_refuse_part(w->provider, w->model, walk.value, w->e);
		for (size_t i = 0; i < w->waiting_count; i++) {
			if (!span_equal(w->waiting[i].id, id))
				continue;
			message_result_text(walk.value, &text);
			write_output(w, &w->waiting[i], buffer_span(&text));
			memmove(&w->waiting[i], &w->waiting[i + 1],
				(w->waiting_count - i - 1) * sizeof(*w->waiting));
			w->waiting_count--;
			break;
		}
		buffer_free(&text);
	}
	return true;
}

static bool write_message(struct writer *w, struct span message)
{
	enum message_role role = message_role(message);

	if (role == MESSAGE_USER || role == MESSAGE_ASSISTANT)
		close_calls(w);
	switch (role) {
	case MESSAGE_SYSTEM:
		return true; /* written as instructions */
	case MESSAGE_USER:
		return write_user(w, message);
	case MESSAGE_ASSISTANT:
		write_assistant(w, message);
		return true;
	case MESSAGE_TOOL:
		return write_results(w, message);
	case MESSAGE_UNKNOWN:
		break;
	}
	return message_refuse_role(message, w->e);
}

bool responses_input(const struct provider *provider, const char *model,
		     const struct model_request *request, struct buffer *out, struct error *e)
{
	struct writer w = {
	    .provider = provider, .model = model, .request = request, .out = out, .e = e};
	bool ok = true;

	json_open(out, '[');
	for (size_t i = 0; ok && i < request->message_count; i++)
		ok = write_message(&w, request->messages[i]->json);
	close_calls(&w);
	json_close(out, ']');
	buffer_free(&w.reasoning);
	buffer_free(&w.scratch);
	free(w.waiting);
	return ok;
}
