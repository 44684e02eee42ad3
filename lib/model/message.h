/*
 * message: a message of the conversation, parsed once.
 *
 * model/model.h describes the neutral form. A message owns its bytes; its parts have spans into
 * them, so that arguments, results and provider_data are sent byte for byte. The call table
 * connects results with their calls when a message is added.
 */
#ifndef MODEL_MESSAGE_H
#define MODEL_MESSAGE_H

#include <stdint.h>

#include "base/table.h"
#include "json/json.h"

enum message_role {
	MESSAGE_UNKNOWN,
	MESSAGE_SYSTEM, /* "developer" too */
	MESSAGE_USER,
	MESSAGE_ASSISTANT,
	MESSAGE_TOOL,
};

/* "user"; NULL for MESSAGE_UNKNOWN. */
const char *message_role_name(enum message_role role);

enum part_type {
	PART_UNKNOWN,
	PART_TEXT,
	PART_THINKING,
	PART_REFUSAL,
	PART_CALL,          /* to be run here */
	PART_PROVIDER_CALL, /* a hosted call: executed_by is set */
	PART_RESULT,
	PART_IMAGE,
	PART_FILE,
	PART_OPAQUE,
};

enum { PART_TYPES = PART_OPAQUE + 1 };

/* A part of a message. Members are the JSON values of the part's members of that name; absent where
 * the part has none. */
struct part {
	enum part_type type;
	struct span json; /* the part itself */
	struct span text;
	struct span tool_call_id, provider_id, tool_name;
	struct span args, invalid_args, result;
	struct span media_type, data, name; /* of an image or a file */
	struct span provider_data;
	bool is_error;
	const struct message *message; /* that it is part of */
	const struct part *call;       /* of a result: its call; NULL: none is known */
};

/* The wire form of a message, stored for the next request. */
struct message_wire {
	uint64_t key; /* a hash of everything else that it depends on */
	struct buffer text;
	bool known;
};

struct message {
	struct span json; /* owned */
	enum message_role role;
	struct span provider, model, provider_data; /* JSON values, absent: none */
	/* A content that is a string is one text. */
	struct part *parts;
	size_t part_count;
	size_t calls;   /* how many parts are PART_CALL */
	int64_t tokens; /* as run/window.h estimates them; 0: not yet */
	struct message_wire wire;
	int users; /* conversations and others that hold it; see message_share */
};

/* Parse a copy of `json`, any JSON. What is not a message has the role MESSAGE_UNKNOWN; a part of
 * an unknown type is PART_UNKNOWN. */
struct message *message_new(struct span json);
/* The same message for another owner; the last message_free frees it. Conversations that share a
 * message also share what is before it. */
struct message *message_share(struct message *message);
void message_free(struct message *message);

/* Whether the message is from the provider of this name, so that its provider_data may be sent
 * back. */
bool message_is_from(const struct message *message, const char *provider);

/* ---- the calls of a conversation ---- */

/* A call and its result, which is NULL as long as there is none. */
struct call_entry {
	const struct part *call, *result;
	size_t previous; /* the entry before this one with the same id, plus 1; 0: none */
};

/* All calls of a conversation, also those that the provider ran, by id. Zeroed: empty. */
struct call_table {
	struct table ids; /* of the entries, to their positions plus 1 */
	struct call_entry *entries;
	size_t count;
};

/* Add the calls of `message`, and connect its results with their calls, the last ones of their ids.
 * Messages are added in the order of the conversation. */
void call_table_add(struct call_table *table, struct message *message);

/* Remove the calls and results of `message`, the last one that was added. */
void call_table_remove(struct call_table *table, const struct message *message);

/* The last call `tool_call_id` (JSON); NULL: there is none. Valid until the table changes. */
const struct call_entry *call_table_find(const struct call_table *table, struct span tool_call_id);

void call_table_free(struct call_table *table);

#endif
