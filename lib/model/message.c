#include "model/message.h"

#include <stdlib.h>

/* ---- parts ---- */

static enum part_type type_of(struct span type, bool by_provider)
{
	static const struct {
		const char *name;
		enum part_type type;
	} known[] = {
	    {"text", PART_TEXT},          {"thinking", PART_THINKING}, {"tool_call", PART_CALL},
	    {"tool_result", PART_RESULT}, {"image", PART_IMAGE},       {"file", PART_FILE},
	    {"refusal", PART_REFUSAL},    {"opaque", PART_OPAQUE},
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (json_is(type, known[i].name))
			return known[i].type == PART_CALL && by_provider ? PART_PROVIDER_CALL
									 : known[i].type;
	return PART_UNKNOWN;
}

static void read_part(struct part *part, const struct message *message, struct span json)
{
	static const struct span names[] = {
	    SPAN_INIT("type"),         SPAN_INIT("text"),          SPAN_INIT("tool_call_id"),
	    SPAN_INIT("provider_id"),  SPAN_INIT("tool_name"),     SPAN_INIT("args"),
	    SPAN_INIT("invalid_args"), SPAN_INIT("result"),        SPAN_INIT("is_error"),
	    SPAN_INIT("executed_by"),  SPAN_INIT("provider_data"), SPAN_INIT("media_type"),
	    SPAN_INIT("data"),         SPAN_INIT("name"),          {0}};
	struct span type, is_error, executed_by, values[ARRAY_LEN(names) - 1];
	struct span *const members[ARRAY_LEN(values)] = {&type,
							 &part->text,
							 &part->tool_call_id,
							 &part->provider_id,
							 &part->tool_name,
							 &part->args,
							 &part->invalid_args,
							 &part->result,
							 &is_error,
							 &executed_by,
							 &part->provider_data,
							 &part->media_type,
							 &part->data,
							 &part->name};

	*part = (struct part){.json = json, .message = message};
	json_members(json_walk(json), names, values);
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		*members[i] = values[i];
	part->type = type_of(type, executed_by.at != NULL);
	part->is_error = json_true(is_error);
}

static struct part *add_part(struct message *message)
{
	message->parts = array_grow(message->parts, message->part_count, sizeof(*message->parts));
	return &message->parts[message->part_count++];
}

static void read_content(struct message *message, struct span content)
{
	if (json_type(content) == JSON_STRING)
		*add_part(message) = (struct part){
		    .type = PART_TEXT, .json = content, .text = content, .message = message};
	for (struct json_walk walk = json_walk(content); json_next(&walk);)
		read_part(add_part(message), message, walk.value);
	message->parts = mem_resize(message->parts, message->part_count * sizeof(*message->parts));
	for (size_t i = 0; i < message->part_count; i++)
		message->calls += message->parts[i].type == PART_CALL;
}

/* ---- messages ---- */

static const char *const role_names[] = {[MESSAGE_SYSTEM] = "system",
					 [MESSAGE_USER] = "user",
					 [MESSAGE_ASSISTANT] = "assistant",
					 [MESSAGE_TOOL] = "tool"};

const char *message_role_name(enum message_role role)
{
	return role_names[role];
}

static enum message_role role_of(struct span name)
{
	for (enum message_role role = MESSAGE_SYSTEM; role <= MESSAGE_TOOL; role++)
		if (json_is(name, role_names[role]))
			return role;
	return json_is(name, "developer") ? MESSAGE_SYSTEM : MESSAGE_UNKNOWN;
}

struct message *message_new(struct span json)
{
	enum { ROLE, CONTENT, PROVIDER, MODEL, PROVIDER_DATA, MEMBERS };
	static const struct span names[MEMBERS + 1] = {
	    SPAN_INIT("role"),  SPAN_INIT("content"),       SPAN_INIT("provider"),
	    SPAN_INIT("model"), SPAN_INIT("provider_data"), {0}};
	struct message *message = mem_zero(sizeof(*message));
	struct span values[MEMBERS];

	message->users = 1;
	message->json = (struct span){mem_copy(json), json.len};
	json_members(json_walk(message->json), names, values);
	message->role = role_of(values[ROLE]);
	message->provider = values[PROVIDER];
	message->model = values[MODEL];
	message->provider_data = values[PROVIDER_DATA];
	read_content(message, values[CONTENT]);
	return message;
}

struct message *message_share(struct message *message)
{
	message->users++;
	return message;
}

void message_free(struct message *message)
{
	if (message == NULL || --message->users > 0)
		return;
	free(message->parts);
	buffer_free(&message->wire.text);
	free((char *)message->json.at);
	free(message);
}

bool message_is_from(const struct message *message, const char *provider)
{
	return json_is(message->provider, provider);
}

/* ---- the calls of a conversation ---- */

static void add_call(struct call_table *table, const struct part *call)
{
	uintptr_t *last = table_add(&table->ids, call->tool_call_id);

	table->entries = array_grow(table->entries, table->count, sizeof(*table->entries));
	table->entries[table->count++] = (struct call_entry){.call = call, .previous = *last};
	*last = table->count;
}

static bool is_call(const struct part *part)
{
	return (part->type == PART_CALL || part->type == PART_PROVIDER_CALL) &&
	       part->tool_call_id.at != NULL;
}

static struct call_entry *find(const struct call_table *table, struct span id)
{
	uintptr_t *last = table_find(&table->ids, id);

	return last != NULL ? &table->entries[*last - 1] : NULL;
}

void call_table_add(struct call_table *table, struct message *message)
{
	for (size_t i = 0; i < message->part_count; i++) {
		struct part *part = &message->parts[i];
		struct call_entry *entry;

		if (message->role == MESSAGE_ASSISTANT && is_call(part))
			add_call(table, part);
		entry = part->type == PART_RESULT ? find(table, part->tool_call_id) : NULL;
		if (entry == NULL)
			continue;
		part->call = entry->call;
		entry->result = part;
	}
}

/* The key of the table is a span of the message that named the id first. */
static void remove_call(struct call_table *table, const struct part *call)
{
	struct call_entry entry;

	if (table->count == 0 || table->entries == NULL)
		return;
	entry = table->entries[--table->count];
	if (entry.previous == 0)
		table_remove(&table->ids, call->tool_call_id);
	else
		*table_find(&table->ids, call->tool_call_id) = entry.previous;
}

void call_table_remove(struct call_table *table, const struct message *message)
{
	for (size_t i = message->part_count; i-- > 0;) {
		const struct part *part = &message->parts[i];
		struct call_entry *entry =
		    part->type == PART_RESULT ? find(table, part->tool_call_id) : NULL;

		if (entry != NULL && entry->result == part)
			entry->result = NULL;
		if (message->role == MESSAGE_ASSISTANT && is_call(part))
			remove_call(table, part);
	}
}

const struct call_entry *call_table_find(const struct call_table *table, struct span tool_call_id)
{
	return find(table, tool_call_id);
}

void call_table_free(struct call_table *table)
{
	table_free(&table->ids);
	free(table->entries);
	*table = (struct call_table){0};
}
