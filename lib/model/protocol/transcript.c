#include "model/protocol/transcript.h"

#include <stdlib.h>

#include "base/hash.h"

/* Stands for the messages while the rest of the body is written and changed. */
#define MARK "\"(the messages)\""

/* ---- what was written for a message is kept with it ---- */

/* The ids of the waiting calls, where they depend on those before. Their lengths are added, so that
 * "ab" and "c" are not "a" and "bc". */
static uint64_t add_ids(const struct transcript *t, uint64_t hash)
{
	for (size_t i = 0; t->form->ids_in_order && i < t->call_count; i++)
		hash = hash_add_number(hash_add(hash, t->calls[i].id), t->calls[i].id.len);
	return hash;
}

/* What every message depends on. */
static uint64_t base_key(const struct transcript *t)
{
	uint64_t key = hash_add(HASH_START, span_of(t->provider->name));

	key = hash_add_number(hash_add(key, span_of(t->model)), t->salt);
	return hash_add_number(key, (uint64_t)(uintptr_t)t->form);
}

/* Write what follows to the message's own buffer, under `key`. False: it is there already. */
static bool begin_wire(struct transcript *t, struct message *message, uint64_t key)
{
	struct message_wire *wire = &message->wire;

	if (wire->known && wire->key == key)
		return false;
	buffer_clear(&wire->text);
	buffer_reserve(&wire->text, message->json.len);
	*wire = (struct message_wire){.key = key, .text = wire->text, .known = true};
	t->out = &wire->text;
	return true;
}

/* Write what follows to a buffer that is used again. */
static void begin_piece(struct transcript *t)
{
	buffer_clear(&t->piece);
	t->out = &t->piece;
}

/* ---- the list of messages ---- */

static void close_message(struct transcript *t)
{
	if (t->role != NULL)
		buffer_add_text(t->body, "]}");
	t->role = NULL;
}

/* Go on with a message of `role`, or begin one. */
static void open_message(struct transcript *t, const char *role)
{
	if (t->role != NULL && strcmp(t->role, role) == 0)
		return;
	close_message(t);
	t->role = role;
	t->after_call = false;
	json_pack(t->body, "{'role':%t,%t:[", role, t->form->parts_key);
}

/* Append what was written for a message. */
static void append(struct transcript *t, const char *role, struct buffer *wire)
{
	if (wire->len == 0)
		return;
	if (t->form->parts_key != NULL)
		open_message(t, role);
	json_comma(t->body);
	buffer_add_span(t->body, buffer_span(wire));
	if (wire != &t->piece)
		buffer_shrink(wire);
}

/* ---- users ---- */

static void put_user_text(struct transcript *t, const struct part *part)
{
	if (t->form->joins_users)
		transcript_add_paragraph(part->text, &t->text);
	else
		t->form->parts[PART_TEXT](t, part);
}

static bool add_user_part(struct transcript *t, const struct part *part)
{
	bool is_attachment = part->type == PART_IMAGE || part->type == PART_FILE;

	if (is_attachment && transcript_accepts(t, part) && t->form->attachment(t, part))
		return true;
	if (part->type != PART_TEXT)
		return transcript_refuse(t, part);
	put_user_text(t, part);
	return true;
}

static bool add_user_parts(struct transcript *t, const struct message *message)
{
	t->readable = false;
	if (t->form->user != NULL)
		return t->form->user(t, message);
	for (size_t i = 0; i < message->part_count; i++)
		if (!add_user_part(t, &message->parts[i]))
			return false;
	return true;
}

/* Attachments are long, and only copied anyway: they are not kept twice. */
static bool has_attachments(const struct message *message)
{
	for (size_t i = 0; i < message->part_count; i++)
		if (message->parts[i].type != PART_TEXT)
			return true;
	return false;
}

/* Write the waiting messages of the user. If it is a single one, its text is stored for the next
 * request. */
static bool flush_users(struct transcript *t)
{
	struct message *const *users = t->users;
	bool keeps = t->user_count == 1 && !has_attachments(*users);
	struct message *kept = keeps ? *users : NULL;
	bool good = true;

	if (t->user_count == 0)
		return true;
	if (!keeps || begin_wire(t, kept, hash_add_number(t->key, t->after_tool))) {
		if (!keeps)
			begin_piece(t);
		for (; good && t->user_count > 0; users++) {
			if ((*users)->role != MESSAGE_USER)
				continue;
			good = add_user_parts(t, *users);
			t->user_count--;
		}
		if (good && t->form->end_users != NULL)
			t->form->end_users(t);
	}
	if (keeps)
		kept->wire.known = good;
	t->user_count = 0;
	t->after_tool = false;
	append(t, "user", keeps ? &kept->wire.text : &t->piece);
	return good;
}

static bool add_user(struct transcript *t, struct message *const *message)
{
	if (t->user_count++ == 0)
		t->users = message;
	return t->form->joins_users || flush_users(t);
}

/* ---- calls that wait for their results ---- */

static void free_calls(struct transcript *t)
{
	for (size_t i = 0; i < t->call_count; i++)
		free((char *)t->calls[i].id.at);
	t->call_count = t->next_call = 0;
}

static void choose_id(struct transcript *t, struct transcript_call *call)
{
	struct buffer id = {0};
	size_t len;

	if (call->id.at != NULL)
		return;
	t->form->id(t, call->part, &id);
	len = id.len;
	call->id = (struct span){buffer_take(&id), len};
}

/* The waiting call that `part` is, or that the result `part` is of: noted as its result, or the
 * first of its id without one. NULL: there is none. Parts usually come in the order of the
 * calls, so the search begins behind the last call found. */
static struct transcript_call *find_call(struct transcript *t, const struct part *part)
{
	for (size_t i = 0; i < t->call_count; i++) {
		struct transcript_call *call = &t->calls[(t->next_call + i) % t->call_count];

		if (part != call->part && part != call->result &&
		    (part->type != PART_RESULT || call->result != NULL ||
		     !span_equal(call->part->tool_call_id, part->tool_call_id)))
			continue;
		t->next_call = (size_t)(call - t->calls) + 1;
		return call;
	}
	return NULL;
}

struct span transcript_call_id(struct transcript *t, const struct part *part)
{
	struct transcript_call *call = find_call(t, part);

	if (call == NULL)
		return (struct span){0};
	choose_id(t, call);
	return call->id;
}

/* The calls of a response wait for their results from now on. */
static void add_calls(struct transcript *t, const struct message *message)
{
	free_calls(t);
	for (size_t i = 0; message->calls > 0 && i < message->part_count; i++) {
		if (message->parts[i].type != PART_CALL)
			continue;
		t->calls = array_grow(t->calls, t->call_count, sizeof(*t->calls));
		t->calls[t->call_count] = (struct transcript_call){.part = &message->parts[i]};
		if (t->form->ids_in_order)
			choose_id(t, &t->calls[t->call_count]);
		t->call_count++;
	}
}

static void write_result(struct transcript *t, struct transcript_call *call)
{
	choose_id(t, call);
	t->form->result(t, call);
	t->after_tool = true;
}

/* Write the results that are still to be written: of calls that have none, and with orders_results
 * all. No call waits any more. */
static void close_calls(struct transcript *t)
{
	begin_piece(t);
	for (size_t i = 0; i < t->call_count; i++)
		if (t->calls[i].result == NULL || t->form->orders_results)
			write_result(t, &t->calls[i]);
	append(t, "user", &t->piece);
	free_calls(t);
}

/* ---- responses ---- */

static void write_response(struct transcript *t, const struct message *message)
{
	if (t->form->response != NULL) {
		t->form->response(t, message);
		return;
	}
	t->readable = t->form->own_model ? transcript_is_same_model(t, message)
					 : transcript_is_own(t, message);
	for (size_t i = 0; i < message->part_count; i++) {
		const struct part *part = &message->parts[i];
		enum part_type type = part->type == PART_REFUSAL ? PART_TEXT : part->type;
		bool needs_own =
		    type == PART_THINKING || type == PART_PROVIDER_CALL || type == PART_OPAQUE;

		if (t->form->parts[type] != NULL && (t->readable || !needs_own))
			t->form->parts[type](t, part);
	}
}

static bool add_assistant(struct transcript *t, struct message *message)
{
	uint64_t key = hash_add_number(t->key, t->in_loop && t->form->uses_in_loop);

	/* What is continued must be known before the message is written. */
	t->after_call = t->after_call && t->role == t->form->assistant;
	key = hash_add_number(key, t->after_call);
	add_calls(t, message);
	if (begin_wire(t, message, add_ids(t, key)))
		write_response(t, message);
	if (message->wire.text.len == 0)
		return true;
	if (!flush_users(t))
		return false;
	append(t, t->form->assistant, &message->wire.text);
	t->after_call = t->after_call || message->calls > 0;
	t->after_tool = false;
	return true;
}

/* ---- results ---- */

/* Whether the message has exactly the results of all calls that wait; they are noted with the
 * calls, or none is. */
static bool answers_all(struct transcript *t, const struct message *message)
{
	size_t noted = 0;

	for (size_t i = 0; i < t->call_count; i++)
		if (t->calls[i].result != NULL)
			return false;
	for (size_t i = 0; i < message->part_count; i++) {
		const struct part *part = &message->parts[i];
		struct transcript_call *call =
		    part->type == PART_RESULT ? find_call(t, part) : NULL;

		if (call == NULL)
			break;
		call->result = part;
		noted++;
	}
	if (noted == message->part_count && noted == t->call_count)
		return true;
	for (size_t i = 0; i < t->call_count; i++)
		t->calls[i].result = NULL;
	return false;
}

/* The usual message of results. */
static void add_all_results(struct transcript *t, struct message *message)
{
	if (begin_wire(t, message, add_ids(t, t->key)))
		for (size_t i = 0; i < t->call_count; i++)
			write_result(t, t->form->orders_results ? &t->calls[i]
								: find_call(t, &message->parts[i]));
	t->after_tool = true;
	append(t, "user", &message->wire.text);
	free_calls(t);
}

/* A result without a call that waits is sent as a text of the user. */
static bool add_unmatched(struct transcript *t, const struct part *result)
{
	struct buffer text = {0}, json = {0};

	if (t->form->orders_results)
		close_calls(t);
	if (t->form->user != NULL)
		return true;
	if (!flush_users(t))
		return false;
	buffer_add_text(&text, "Result of ");
	json_decode(result->tool_name, &text);
	buffer_add_text(&text, ":\n");
	buffer_add_span(&text, transcript_result_text(t, result));
	json_write_string(&json, buffer_span(&text));
	begin_piece(t);
	t->readable = false;
	put_user_text(t, &(struct part){.type = PART_TEXT, .text = buffer_span(&json)});
	if (t->form->end_users != NULL)
		t->form->end_users(t);
	append(t, "user", &t->piece);
	buffer_free(&text);
	buffer_free(&json);
	return true;
}

/* Some results, others' results, or parts that are none. */
static bool add_odd_results(struct transcript *t, const struct message *message)
{
	for (size_t i = 0; i < message->part_count; i++) {
		const struct part *part = &message->parts[i];
		struct transcript_call *call;

		if (part->type != PART_RESULT)
			return transcript_refuse(t, part);
		call = find_call(t, part);
		if (call == NULL) {
			if (!add_unmatched(t, part))
				return false;
			continue;
		}
		call->result = part;
		if (t->form->orders_results)
			continue;
		begin_piece(t);
		write_result(t, call);
		append(t, "user", &t->piece);
	}
	return true;
}

static bool add_results(struct transcript *t, struct message *message)
{
	if (!answers_all(t, message))
		return add_odd_results(t, message);
	add_all_results(t, message);
	return true;
}

/* ---- all of them ---- */

static bool add_message(struct transcript *t, struct message *const *message)
{
	struct span json = (*message)->json;

	switch ((*message)->role) {
	case MESSAGE_SYSTEM:
		return true; /* one of the instructions */
	case MESSAGE_USER:
		close_calls(t);
		return add_user(t, message);
	case MESSAGE_ASSISTANT:
		close_calls(t);
		return add_assistant(t, *message);
	case MESSAGE_TOOL:
		return add_results(t, *message);
	case MESSAGE_UNKNOWN:
		break;
	}
	return error_set(t->e, "usage", "a message of the conversation has no known role: %.*s",
			 json.len < 80 ? (int)json.len : 80, json.at);
}

static bool write_messages(struct transcript *t)
{
	const struct model_request *request = t->request;
	size_t last_user = 0;
	bool good = true;

	for (size_t i = request->message_count; i-- > 0 && last_user == 0;)
		if (request->messages[i]->role == MESSAGE_USER)
			last_user = i;
	if (t->form->system != NULL) {
		begin_piece(t);
		t->form->system(t);
		append(t, "system", &t->piece);
	}
	for (size_t i = 0; good && i < request->message_count; i++) {
		t->in_loop = i > last_user;
		good = add_message(t, &request->messages[i]);
	}
	if (good)
		close_calls(t);
	good = good && flush_users(t);
	close_message(t);
	return good;
}

/* ---- the body ---- */

void transcript_put_messages(struct transcript *t)
{
	json_put_raw(t->out, t->form->member, SPAN(MARK));
}

/* Write the messages in the place of their mark. */
static bool insert_messages(struct transcript *t)
{
	struct span mark = json_get(buffer_span(t->body), t->form->member);
	struct buffer behind = {0};
	bool good;

	if (!span_is(mark, MARK))
		return true;
	buffer_add_span(&behind, (struct span){mark.at + mark.len,
					       t->body->at + t->body->len - mark.at - mark.len});
	t->body->len = (size_t)(mark.at - t->body->at);
	buffer_add_char(t->body, '[');
	good = write_messages(t);
	buffer_add_char(t->body, ']');
	buffer_add_span(t->body, buffer_span(&behind));
	buffer_free(&behind);
	return good;
}

bool transcript_request(struct transcript *t, const struct transcript_form *form,
			bool (*write_body)(struct transcript *t))
{
	bool good;

	t->form = form;
	t->body = t->out;
	t->key = base_key(t);
	good = write_body(t) && insert_messages(t);
	t->out = t->body;
	free_calls(t);
	free(t->calls);
	buffer_free(&t->piece);
	buffer_free(&t->text);
	buffer_free(&t->parts);
	buffer_free(&t->scratch);
	return good;
}
