#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "base/hash.h"
#include "model/parameters.h"
#include "model/protocol/schema_dialect.h"
#include "model/protocol/transcript.h"

/* ---- the provider and model of a message ---- */

bool transcript_is_own(const struct transcript *t, const struct message *message)
{
	return message_is_from(message, t->provider->name);
}

bool transcript_is_same_model(const struct transcript *t, const struct message *message)
{
	return transcript_is_own(t, message) &&
	       (message->model.at == NULL || json_is(message->model, t->model));
}

struct span transcript_data(const struct transcript *t, const struct part *part, const char *name)
{
	return t->readable ? json_get(part->provider_data, name) : (struct span){0};
}

/* ---- ids and names ---- */

static bool is_word(char c)
{
	return (unsigned char)c < 0x80 && (isalnum((unsigned char)c) || c == '_' || c == '-');
}

struct span transcript_own_id(const struct transcript *t, const struct part *call)
{
	return transcript_is_own(t, call->message) ? call->provider_id : (struct span){0};
}

bool transcript_id_fits(struct span id, const struct transcript_ids *rule)
{
	for (size_t i = 0; i < id.len; i++)
		if (!is_word(id.at[i]) || (rule->exact > 0 && (id.at[i] == '_' || id.at[i] == '-')))
			return false;
	return rule->exact > 0 ? id.len == rule->exact : id.len > 0 && id.len <= rule->most;
}

void transcript_make_id(struct buffer *id, const char *prefix, size_t digits, uint64_t hash)
{
	static const char digit[] =
	    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	buffer_clear(id);
	buffer_add_text(id, prefix);
	for (size_t i = 0; i < digits; i++) { /* a linear congruential generator */
		hash = hash * 6364136223846793005u + 1442695040888963407u;
		buffer_add_char(id, digit[(hash >> 33) % 62]);
	}
}

void transcript_safe_id(struct transcript *t, const struct part *call, struct buffer *id)
{
	struct span given = transcript_own_id(t, call);

	json_decode(given.at != NULL ? given : call->tool_call_id, id);
	if (id->len > 0 && transcript_is_own(t, call->message))
		return;
	if (id->len == 0)
		json_decode(call->tool_call_id, id);
	if (!transcript_id_fits(buffer_span(id), &t->ids))
		transcript_make_id(id, "", t->ids.exact > 0 ? t->ids.exact : t->ids.made,
				   hash_add(HASH_START, buffer_span(id)));
}

void transcript_make_name(struct buffer *name, size_t most)
{
	if (name->len > most)
		name->len = most;
	for (size_t i = 0; i < name->len; i++)
		if (!is_word(name->at[i]))
			name->at[i] = '_';
	if (name->len == 0)
		buffer_add_char(name, '_');
}

void transcript_put_name(struct transcript *t, struct span tool_name, size_t most)
{
	buffer_clear(&t->scratch);
	json_decode(tool_name, &t->scratch);
	transcript_make_name(&t->scratch, most);
	json_put_string(t->out, "name", buffer_span(&t->scratch));
}

/* ---- texts ---- */

struct span transcript_unless_empty(struct span text)
{
	return text.len > 0 ? text : (struct span){0};
}

void transcript_add_paragraph(struct span text, struct buffer *out)
{
	if (json_type(text) != JSON_STRING || text.len <= 2)
		return;
	if (out->len > 0)
		buffer_add_text(out, "\n\n");
	json_decode(text, out);
}

void transcript_add_texts(const struct message *message, struct buffer *out)
{
	for (size_t i = 0; i < message->part_count; i++)
		if (message->parts[i].type == PART_TEXT || message->parts[i].type == PART_REFUSAL)
			transcript_add_paragraph(message->parts[i].text, out);
}

void transcript_add_thinking(const struct message *message, struct buffer *out)
{
	for (size_t i = 0; i < message->part_count; i++)
		if (message->parts[i].type == PART_THINKING)
			json_decode(message->parts[i].text, out);
}

struct span transcript_instructions(struct transcript *t, bool schema_in_words)
{
	const struct model_request *request = t->request;
	struct buffer *out = &t->scratch;

	buffer_clear(out);
	if (request->system != NULL)
		buffer_add_text(out, request->system);
	for (size_t i = 0; i < request->message_count; i++) {
		const struct message *message = request->messages[i];

		if (message->role != MESSAGE_SYSTEM)
			continue;
		for (size_t j = 0; j < message->part_count; j++)
			transcript_add_paragraph(message->parts[j].text, out);
	}
	if (schema_in_words && request->schema.at != NULL)
		dialect_instruction(request->schema, out);
	return buffer_span(out);
}

/* ---- results and arguments ---- */

static void add_result(const struct part *result, struct buffer *out)
{
	if (!json_decode(result->result, out))
		buffer_add_span(out, result->result);
}

struct span transcript_result_text(struct transcript *t, const struct part *result)
{
	struct span text = result != NULL ? result->result : (struct span){0};
	bool says_error =
	    text.len > 5 && strncasecmp(text.at + (text.at[0] == '"'), "error", 5) == 0;

	if (result == NULL)
		return SPAN("Error: the call was interrupted before it had a result.");
	buffer_clear(&t->scratch);
	if (result->is_error && !says_error)
		buffer_add_text(&t->scratch, "Error: ");
	add_result(result, &t->scratch);
	return buffer_span(&t->scratch);
}

struct span transcript_call_result(struct transcript *t, const struct transcript_call *call)
{
	if (call->result == NULL)
		return SPAN("The call was interrupted: there is no result.");
	buffer_clear(&t->scratch);
	add_result(call->result, &t->scratch);
	return buffer_span(&t->scratch);
}

static void add_args(const struct part *call, struct buffer *out)
{
	if (call->invalid_args.at != NULL)
		json_pack(out, "{'INVALID_JSON':%j}", call->invalid_args);
	else
		buffer_add_span(out,
				json_type(call->args) == JSON_OBJECT ? call->args : SPAN("{}"));
}

struct span transcript_args_text(struct transcript *t, const struct part *call)
{
	buffer_clear(&t->scratch);
	add_args(call, &t->scratch);
	return buffer_span(&t->scratch);
}

void transcript_put_args(const struct part *call, const char *key, struct buffer *out)
{
	json_key(out, key);
	add_args(call, out);
}

void transcript_members(struct span object, const char *without, struct buffer *out)
{
	struct json_walk walk = json_walk(object);

	while (json_type(object) == JSON_OBJECT && json_next(&walk)) {
		if (without != NULL && json_is(walk.key, without))
			continue;
		json_copy_key(out, walk.key);
		buffer_add_span(out, walk.value);
	}
}

/* ---- attachments ---- */

bool transcript_accepts(const struct transcript *t, const struct part *part)
{
	bool image = part->type == PART_IMAGE;

	if (provider_quirk(t->provider, "attach").at == NULL)
		return image || !t->form->only_images;
	return parameters_quirk_has(t, "attach", image ? "image" : "file");
}

bool transcript_refuse(const struct transcript *t, const struct part *part)
{
	struct buffer type = {0};

	if (!json_decode(json_get(part->json, "type"), &type))
		buffer_add_text(&type, "(none)");
	if (part->media_type.at != NULL) {
		buffer_add_text(&type, " (");
		json_decode(part->media_type, &type);
		buffer_add_char(&type, ')');
	}
	error_set(t->e, "usage", "%s:%s does not accept a message part of type %s",
		  t->provider->name, t->model, buffer_string(&type));
	buffer_free(&type);
	return false;
}
