#include "model/message.h"

#include <stdlib.h>

/* ---- members ---- */

/* A member to be found: its key, and where its value goes. */
struct member {
	const char *key;
	struct span *value;
};

/* Of equal keys the first counts. */
static void read_member(const struct json_walk *walk, const struct member *members, size_t count)
{
	struct span key = json_plain(walk->key);

	for (size_t i = 0; i < count; i++) {
		if (key.at != NULL ? !span_is(key, members[i].key)
				   : !json_is(walk->key, members[i].key))
			continue;
		if (members[i].value->at == NULL)
			*members[i].value = walk->value;
		return;
	}
}

static void read_members(struct span object, const struct member *members, size_t count)
{
	struct json_walk walk = json_walk(object);

	if (!walk.is_object)
		return;
	while (json_next(&walk))
		read_member(&walk, members, count);
}

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

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (json_is(type, known[i].name))
			return known[i].type == PART_CALL && by_provider ? PART_PROVIDER_CALL
									 : known[i].type;
	return PART_UNKNOWN;
}

static void read_part(struct part *part, const struct message *message, struct span json)
{
	struct span type = {0}, executed_by = {0}, is_error = {0};
	const struct member members[] = {
	    {"type", &type},
	    {"text", &part->text},
	    {"tool_call_id", &part->tool_call_id},
	    {"provider_id", &part->provider_id},
	    {"tool_name", &part->tool_name},
	    {"args", &part->args},
	    {"invalid_args", &part->invalid_args},
	    {"result", &part->result},
	    {"is_error", &is_error},
	    {"executed_by", &executed_by},
	    {"provider_data", &part->provider_data},
	    {"media_type", &part->media_type},
	    {"data", &part->data},
	    {"name", &part->name},
	};

	*part = (struct part){.json = json, .message = message};
	read_members(json, members, sizeof(members) / sizeof(members[0]));
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
	struct json_walk walk = json_walk(content);

	if (json_type(content) == JSON_STRING)
		*add_part(message) = (struct part){
		    .type = PART_TEXT, .json = content, .text = content, .message = message};
	while (json_next(&walk))
		read_part(add_part(message), message, walk.value);
	for (size_t i = 0; i < message->part_count; i++)
		message->calls += message->parts[i].type == PART_CALL;
}

/* ---- messages ---- */

static enum message_role role_of(struct span role)
{
	if (json_is(role, "user"))
		return MESSAGE_USER;
	if (json_is(role, "assistant"))
		return MESSAGE_ASSISTANT;
	if (json_is(role, "tool"))
		return MESSAGE_TOOL;
	if (json_is(role, "system") || json_is(role, "developer"))
		return MESSAGE_SYSTEM;
	return MESSAGE_UNKNOWN;
}

struct message *message_new(struct span json)
{
	struct message *message = mem_zero(sizeof(*message));
	struct span role = {0}, content = {0};
	const struct member members[] = {
	    {"role", &role},
	    {"content", &content},
	    {"provider", &message->provider},
	    {"model", &message->model},
	    {"provider_data", &message->provider_data},
	};

	message->json = (struct span){mem_copy(json), json.len};
	read_members(message->json, members, sizeof(members) / sizeof(members[0]));
	message->role = role_of(role);
	read_content(message, content);
	return message;
}

void message_free(struct message *message)
{
	if (message == NULL)
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
	size_t *last = table_add(&table->ids, call->tool_call_id);

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
	size_t *last = table_find(&table->ids, id);

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
	struct call_entry entry = table->entries[--table->count];

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
