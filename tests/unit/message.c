/* lib/model/message and lib/base/table: messages are parsed once, calls are found by their ids. */
#include "run/conversation.h"
#include "unit.h"

/* ---- the table ---- */

static struct span key_of(char *space, int number)
{
	return (struct span){space, (size_t)snprintf(space, 16, "key %d", number)};
}

/* Add 0..999, remove every third, and find exactly the others. */
static void tables(void)
{
	enum { MANY = 1000 };
	static char keys[MANY][16];
	struct table table = {0};
	int right = 0;

	unit_ok(table_find(&table, SPAN("a")) == NULL, "an empty table has no key");
	for (int i = 0; i < MANY; i++)
		*table_add(&table, key_of(keys[i], i)) = (uintptr_t)i;
	for (int i = 0; i < MANY; i += 3)
		table_remove(&table, span_of(keys[i]));
	for (int i = 0; i < MANY; i++) {
		const uintptr_t *value = table_find(&table, span_of(keys[i]));

		right += i % 3 == 0 ? value == NULL : value != NULL && *value == (size_t)i;
	}
	unit_ok(right == MANY, "keys that are not removed keep their numbers");
	unit_ok(table.count == MANY - (MANY + 2) / 3, "the others are not counted");
	table_remove(&table, SPAN("another"));
	*table_add(&table, SPAN("key 1")) += 1;
	unit_ok(*table_find(&table, SPAN("key 1")) == 2, "a key that is there keeps its number");
	unit_ok(table_key(&table, SPAN("key 1")).at == keys[1], "and its bytes");
	table_free(&table);
}

/* ---- parsing ---- */

static void parts(void)
{
	struct message *message = message_new(SPAN(
	    "{ \"role\" : \"assistant\", \"content\":[{\"type\":\"thinking\",\"text\":\"hm\","
	    "\"provider_data\":{\"s\": 1}},{\"type\":\"text\",\"text\":\"a\\u0062\"},"
	    "{\"type\":\"tool_call\",\"tool_call_id\":\"c1\",\"provider_id\":\"p\","
	    "\"tool_name\":\"f\",\"args\":{\"n\": 1.10}},"
	    "{\"type\":\"tool_call\",\"tool_call_id\":\"c2\",\"tool_name\":\"web\",\"args\":{},"
	    "\"executed_by\":\"provider\",\"result\":\"r\",\"is_error\":true},"
	    "{\"type\":\"opaque\"},{\"type\":\"new\"},7],"
	    "\"provider\":\"openai\",\"model\":\"m\",\"provider_data\":{\"k\":2}}"));
	static const enum part_type types[] = {PART_THINKING,      PART_TEXT,   PART_CALL,
					       PART_PROVIDER_CALL, PART_OPAQUE, PART_UNKNOWN,
					       PART_UNKNOWN};
	bool same = message->part_count == 7;

	for (size_t i = 0; same && i < 7; i++)
		same = message->parts[i].type == types[i];
	unit_ok(message->role == MESSAGE_ASSISTANT && same, "a response has typed parts");
	unit_same(message->parts[2].args, SPAN("{\"n\": 1.10}"), "arguments keep their bytes");
	unit_same(message->parts[1].text, SPAN("\"a\\u0062\""), "texts too");
	unit_same(message->parts[2].provider_id, SPAN("\"p\""), "a call has the provider's id");
	unit_ok(message->parts[3].is_error && !message->parts[2].is_error && message->calls == 1,
		"a call that the provider ran has its result, and is not counted");
	unit_same(message->provider_data, SPAN("{\"k\":2}"), "the message has data of its own");
	unit_ok(message_is_from(message, "openai") && !message_is_from(message, "open"),
		"and is from a provider");
	message_free(message);
}

static void odd(void)
{
	static const char *const texts[] = {"7", "[]", "{}", "{\"role\":\"judge\"}",
					    "{\"role\":1,\"content\":2}"};
	int unknown = 0;
	struct message *message;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		message = message_new(span_of(texts[i]));
		unknown += message->role == MESSAGE_UNKNOWN && message->part_count == 0;
		message_free(message);
	}
	unit_ok(unknown == 5, "what is no message has no role and no parts");
	message = message_new(SPAN("{\"role\":\"user\",\"role\":\"tool\",\"content\":\"hi\"}"));
	unit_ok(message->role == MESSAGE_USER, "of equal keys the first counts");
	unit_ok(message->part_count == 1 && message->parts[0].type == PART_TEXT &&
		    span_is(message->parts[0].text, "\"hi\""),
		"a content that is a string is one text");
	message_free(message);
	message = message_new(SPAN("{\"\\u0072ole\":\"tool\"}"));
	unit_ok(message->role == MESSAGE_TOOL, "a key may be written with escapes");
	message_free(message);
}

/* ---- the calls of a conversation ---- */

#define CALL(id, name)                                                                             \
	SPAN("{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_call\",\"tool_call_id\":\"" id \
	     "\",\"tool_name\":\"" name "\"}]}")
#define RESULT(id)                                                                                 \
	SPAN("{\"role\":\"tool\",\"content\":[{\"type\":\"tool_result\",\"tool_call_id\":\"" id    \
	     "\"}]}")

static void calls(void)
{
	struct conversation c = {0};
	const struct call_entry *entry;

	conversation_add(&c, CALL("c", "first"));
	conversation_add(&c, RESULT("c"));
	conversation_add(&c, CALL("c", "second"));
	conversation_add(&c, RESULT("c"));
	conversation_add(&c, RESULT("d"));
	entry = call_table_find(&c.calls, SPAN("\"c\""));
	unit_ok(c.messages[1]->parts[0].call == &c.messages[0]->parts[0],
		"a result belongs to the call before it");
	unit_ok(entry->call == &c.messages[2]->parts[0] &&
		    entry->result == &c.messages[3]->parts[0],
		"the last call of an id is found, with its result");
	unit_ok(c.messages[4]->parts[0].call == NULL &&
		    call_table_find(&c.calls, SPAN("\"d\"")) == NULL,
		"a result without a call has none");
	conversation_truncate(&c, 3);
	unit_ok(call_table_find(&c.calls, SPAN("\"c\""))->result == NULL,
		"without its message a result is gone");
	conversation_truncate(&c, 2);
	unit_ok(call_table_find(&c.calls, SPAN("\"c\""))->call == &c.messages[0]->parts[0],
		"without the last call the one before it is found again");
	conversation_truncate(&c, 0);
	unit_ok(call_table_find(&c.calls, SPAN("\"c\"")) == NULL && c.calls.count == 0,
		"an empty conversation has no calls");
	conversation_free(&c);
}

static void shared(void)
{
	struct conversation history = {0}, c = {0};

	conversation_add(&history, CALL("c", "f"));
	conversation_share(&c, &history);
	conversation_add(&c, RESULT("c"));
	unit_ok(c.messages[0] == history.messages[0] &&
		    c.messages[1]->parts[0].call == &history.messages[0]->parts[0],
		"a conversation goes on from another one's messages");
	conversation_free(&c);
	unit_ok(history.messages[0]->calls == 1, "which stay when it ends");
	conversation_free(&history);
}

int main(void)
{
	tables();
	parts();
	odd();
	calls();
	shared();
	return unit_done();
}
