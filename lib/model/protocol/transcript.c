#include "model/protocol/transcript.h"

#include <stdlib.h>

#include "base/hash.h"

/* Stands for the messages while the rest of the body is written and changed. */
#define MARK "\"(the messages)\""

/* ---- the form of a message, kept with it ---- */

static uint64_t add_number(uint64_t hash, uint64_t number)
{
	hash = (hash ^ number) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 32;
}

/* The ids of the calls at hand, where they depend on those before. They end in the hash, so that
 * "ab" and "c" are not "a" and "bc". */
static uint64_t add_ids(const struct transcript *t, uint64_t hash)
{
	for (size_t i = 0; t->form->ids_in_order && i < t->call_count; i++)
		hash = add_number(hash_add(hash, t->calls[i].id), t->calls[i].id.len);
	return hash;
}

/* What every message depends on. */
static uint64_t base_key(const struct transcript *t)
{
	uint64_t key = hash_add(HASH_START, span_of(t->provider->name));

	key = add_number(hash_add(key, span_of(t->model)), t->salt);
	return add_number(key, (uint64_t)(uintptr_t)t->form);
}

/* Write what follows to the message's own buffer, under `key`. False: it is there already. */
static bool begin_wire(struct transcript *t, struct message *message, uint64_t key)
{
	struct message_wire *wire = &message->wire;

	if (wire->known && wire->key == key)
		return false;
	buffer_clear(&wire->text);
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

/* The list is kept in pieces until the body is put together: forms that are kept with messages, and
 * between them what is in t->own. */
static void add_piece(struct transcript *t, struct span text)
{
	t->pieces = array_grow(t->pieces, t->piece_count, sizeof(*t->pieces));
	t->pieces[t->piece_count++] = text;
	t->length += text.len;
}

static void add_own(struct transcript *t, struct span text)
{
	struct span *last = t->piece_count > 0 ? &t->pieces[t->piece_count - 1] : NULL;

	buffer_add_span(&t->own, text);
	if (last == NULL || last->at != NULL) {
		add_piece(t, (struct span){NULL, text.len});
		return;
	}
	last->len += text.len;
	t->length += text.len;
}

static void close_message(struct transcript *t)
{
	if (t->role != NULL)
		add_own(t, SPAN("]}"));
	t->role = NULL;
}

/* Go on with a message of `role`; false: it is a new one. */
static bool open_message(struct transcript *t, const char *role)
{
	if (t->role != NULL && strcmp(t->role, role) == 0)
		return true;
	close_message(t);
	if (t->piece_count > 0)
		add_own(t, SPAN(","));
	t->role = role;
	t->after_call = false;
	add_own(t, SPAN("{\"role\":\""));
	add_own(t, span_of(role));
	add_own(t, SPAN("\",\""));
	add_own(t, span_of(t->form->parts_key));
	add_own(t, SPAN("\":["));
	return false;
}

/* Append what was written for a message. */
static void append(struct transcript *t, const char *role, struct buffer *wire)
{
	if (wire->len == 0)
		return;
	if (t->form->parts_key != NULL ? open_message(t, role) : t->piece_count > 0)
		add_own(t, SPAN(","));
	if (wire == &t->piece) {
		add_own(t, buffer_span(wire));
		return;
	}
	buffer_shrink(wire);
	add_piece(t, buffer_span(wire));
}

/* ---- users ---- */

static bool add_user_part(struct transcript *t, const struct part *part)
{
	switch (part->type) {
	case PART_TEXT:
		if (t->form->user_text != NULL)
			t->form->user_text(t, part->text);
		else
			t->form->parts[PART_TEXT](t, part);
		return true;
	case PART_IMAGE:
	case PART_FILE:
		return (transcript_takes(t, part) && t->form->attachment(t, part)) ||
		       transcript_refuse(t, part);
	default:
		return transcript_refuse(t, part);
	}
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

/* Write messages of the user that follow each other; what they have become is kept with the first
 * one. */
static bool add_users(struct transcript *t, struct message *const *users, size_t count)
{
	uint64_t key = add_number(add_number(t->key, count), t->after_tool);
	bool kept = true, good = true;

	for (size_t i = 0; i < count; i++)
		kept = kept && !has_attachments(users[i]);
	if (!kept)
		begin_piece(t);
	else if (!begin_wire(t, users[0], key)) {
		append(t, "user", &users[0]->wire.text);
		return true;
	}
	for (size_t i = 0; good && i < count; i++)
		good = add_user_parts(t, users[i]);
	if (good && t->form->end_users != NULL)
		t->form->end_users(t);
	users[0]->wire.known = kept && good;
	append(t, "user", t->out);
	return good;
}

static bool flush_users(struct transcript *t)
{
	size_t count = t->user_count;

	t->user_count = 0;
	if (count == 0)
		return true;
	if (!add_users(t, t->users, count))
		return false;
	t->after_tool = false;
	return true;
}

static bool add_user(struct transcript *t, struct message *message)
{
	if (!t->form->joins_users)
		return add_users(t, &message, 1);
	t->users = array_grow(t->users, t->user_count, sizeof(*t->users));
	t->users[t->user_count++] = message;
	return true;
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
	t->form->id(t, call->part, call->tool_call_id, &id);
	len = id.len;
	call->id = (struct span){buffer_take(&id), len};
}

static void write_result(struct transcript *t, struct transcript_call *call)
{
	choose_id(t, call);
	t->form->result(t, call);
}

struct span transcript_call_id(struct transcript *t, const struct part *call)
{
	for (size_t i = 0; i < t->call_count; i++) {
		struct transcript_call *waiting = &t->calls[(t->next_call + i) % t->call_count];

		if (waiting->part != call)
			continue;
		t->next_call = (size_t)(waiting - t->calls) + 1;
		choose_id(t, waiting);
		return waiting->id;
	}
	return (struct span){0};
}

/* The calls of a response wait for their results from now on. */
static void add_calls(struct transcript *t, const struct message *message)
{
	free_calls(t);
	for (size_t i = 0; message->calls > 0 && i < message->part_count; i++) {
		const struct part *part = &message->parts[i];

		if (part->type != PART_CALL)
			continue;
		t->calls = array_grow(t->calls, t->call_count, sizeof(*t->calls));
		t->calls[t->call_count] =
		    (struct transcript_call){.part = part, .tool_call_id = part->tool_call_id};
		if (t->form->ids_in_order)
			choose_id(t, &t->calls[t->call_count]);
		t->call_count++;
	}
}

/* The first call of the id that has no result yet; NULL: there is none. Results mostly come in the
 * order of the calls: the search begins behind the last one found. */
static struct transcript_call *find_waiting(struct transcript *t, struct span tool_call_id)
{
	for (size_t i = 0; i < t->call_count; i++) {
		struct transcript_call *call = &t->calls[(t->next_call + i) % t->call_count];

		if (call->result != NULL || !span_equal(call->tool_call_id, tool_call_id))
			continue;
		t->next_call = (size_t)(call - t->calls) + 1;
		return call;
	}
	return NULL;
}

/* The calls get their results, or none. With orders_results they are still to be written. */
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
	uint64_t key = add_number(t->key, t->in_loop && t->form->keeps_loop);

	/* What is continued must be known before the message is written. */
	t->after_call = t->after_call && t->role == t->form->assistant;
	key = add_number(key, t->after_call);
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

/* A form that does not wait for results writes each for itself. */
static bool add_single_results(struct transcript *t, struct message *message)
{
	free_calls(t);
	for (size_t i = 0; i < message->part_count; i++) {
		const struct part *part = &message->parts[i];

		if (part->type != PART_RESULT)
			return transcript_refuse(t, part);
		t->calls = array_grow(t->calls, t->call_count, sizeof(*t->calls));
		t->calls[t->call_count++] = (struct transcript_call){
		    .part = part->call, .result = part, .tool_call_id = part->tool_call_id};
	}
	if (begin_wire(t, message, t->key))
		for (size_t i = 0; i < t->call_count; i++)
			write_result(t, &t->calls[i]);
	if (!flush_users(t))
		return false;
	append(t, "tool", &message->wire.text);
	t->after_tool = true;
	free_calls(t);
	return true;
}

/* Whether the message has exactly the results of all calls that wait; they are noted with the
 * calls, or none is. */
static bool answers_all(struct transcript *t, const struct message *message)
{
	size_t found = 0;

	for (size_t i = 0; i < t->call_count; i++)
		if (t->calls[i].result != NULL)
			return false;
	for (; found < message->part_count; found++) {
		const struct part *part = &message->parts[found];
		struct transcript_call *call =
		    part->type == PART_RESULT ? find_waiting(t, part->tool_call_id) : NULL;

		if (call == NULL)
			break;
		call->result = part;
	}
	if (found == message->part_count && found == t->call_count)
		return true;
	for (size_t i = 0; i < t->call_count; i++)
		t->calls[i].result = NULL;
	return false;
}

/* The call whose result `part` is. */
static struct transcript_call *call_of(const struct transcript *t, const struct part *part,
				       size_t expected)
{
	if (t->calls[expected].result == part)
		return &t->calls[expected];
	for (size_t i = 0; i < t->call_count; i++)
		if (t->calls[i].result == part)
			return &t->calls[i];
	return NULL;
}

/* The usual message of results. */
static void add_all_results(struct transcript *t, struct message *message)
{
	if (begin_wire(t, message, add_ids(t, t->key)))
		for (size_t i = 0; i < t->call_count; i++)
			write_result(t, t->form->orders_results
					    ? &t->calls[i]
					    : call_of(t, &message->parts[i], i));
	append(t, "user", &message->wire.text);
	free_calls(t);
}

static void add_late(struct transcript *t, const struct part *part)
{
	if (t->form->orders_results)
		close_calls(t);
	if (t->form->late == NULL)
		return;
	begin_piece(t);
	t->form->late(t, part);
	append(t, "user", &t->piece);
}

/* Some results, others' results, or parts that are none. */
static bool add_odd_results(struct transcript *t, const struct message *message)
{
	for (size_t i = 0; i < message->part_count; i++) {
		const struct part *part = &message->parts[i];
		struct transcript_call *call;

		if (part->type != PART_RESULT)
			return transcript_refuse(t, part);
		call = find_waiting(t, part->tool_call_id);
		if (call == NULL) {
			add_late(t, part);
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
	if (!t->form->answers_calls)
		return add_single_results(t, message);
	if (!answers_all(t, message))
		return add_odd_results(t, message);
	add_all_results(t, message);
	return true;
}

/* ---- all of them ---- */

static bool refuse_role(const struct transcript *t, struct span message)
{
	return error_set(t->e, "usage", "a message of the conversation has no known role: %.*s",
			 message.len < 80 ? (int)message.len : 80, message.at);
}

static bool add_message(struct transcript *t, struct message *message)
{
	switch (message->role) {
	case MESSAGE_SYSTEM:
		return true; /* one of the instructions */
	case MESSAGE_USER:
		if (t->form->answers_calls)
			close_calls(t);
		return add_user(t, message);
	case MESSAGE_ASSISTANT:
		if (t->form->answers_calls)
			close_calls(t);
		return add_assistant(t, message);
	case MESSAGE_TOOL:
		return add_results(t, message);
	case MESSAGE_UNKNOWN:
		break;
	}
	return refuse_role(t, message->json);
}

static bool write_messages(struct transcript *t)
{
	const struct transcript_form *form = t->form;
	const struct model_request *request = t->request;
	size_t last_user = 0;
	bool good = true;

	for (size_t i = request->message_count; i-- > 0 && last_user == 0;)
		if (request->messages[i]->role == MESSAGE_USER)
			last_user = i;
	if (form->system != NULL) {
		begin_piece(t);
		form->system(t);
		append(t, "system", &t->piece);
	}
	for (size_t i = 0; good && i < request->message_count; i++) {
		t->in_loop = i > last_user;
		good = add_message(t, request->messages[i]);
	}
	if (good && form->answers_calls)
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

/* Put the messages in the place of their mark. */
static void insert_messages(struct transcript *t)
{
	struct span mark = json_get(buffer_span(t->out), t->form->member),
		    own = buffer_span(&t->own);
	size_t before = (size_t)(mark.at - t->out->at);
	struct buffer behind = {0};

	if (!span_is(mark, MARK))
		return;
	buffer_add_span(&behind, span_from(buffer_span(t->out), before + mark.len));
	t->out->len = before;
	buffer_reserve(t->out, t->length + behind.len + 2);
	buffer_add_char(t->out, '[');
	for (size_t i = 0; i < t->piece_count; i++) {
		struct span piece = t->pieces[i];

		if (piece.at == NULL) {
			piece.at = own.at;
			own = span_from(own, piece.len);
		}
		buffer_add_span(t->out, piece);
	}
	buffer_add_char(t->out, ']');
	buffer_add_span(t->out, buffer_span(&behind));
	buffer_free(&behind);
}

static void release(struct transcript *t)
{
	free_calls(t);
	free(t->calls);
	free(t->users);
	free(t->pieces);
	buffer_free(&t->own);
	buffer_free(&t->piece);
	buffer_free(&t->text);
	buffer_free(&t->parts);
	buffer_free(&t->scratch);
}

bool transcript_request(struct transcript *t, const struct transcript_form *form,
			bool (*write_body)(struct transcript *t))
{
	struct buffer *body = t->out;
	bool good;

	t->form = form;
	t->key = base_key(t);
	good = write_messages(t);
	t->out = body;
	good = good && write_body(t);
	if (good)
		insert_messages(t);
	release(t);
	return good;
}
