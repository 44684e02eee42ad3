/* types: the tables of event types and of kinds of errors are complete in agent-events(5) and in
 * the schema of events. */
#include "event/types.h"

#include <stdlib.h>

#include "model/error_kind.h"
#include "unit.h"

static void test_table(void)
{
	for (int i = 0; i < EVENT_OTHER; i++) {
		enum event_type type = (enum event_type)i;
		const char *name = event_type_name(type);

		unit_ok(name != NULL, "type %d has a name", i);
		if (name == NULL)
			continue;
		unit_ok(event_type_of(span_of(name)) == type, "%s is found by its name", name);
		unit_ok(event_type_is(type, EVENT_IS_CHUNK) ==
			    (span_ends(span_of(name), "_chunk") || type == EVENT_RAW),
			"%s: a chunk is one by its name", name);
		unit_ok(event_type_is(type, EVENT_OF_TOOL) == span_starts(span_of(name), "tool_"),
			"%s: an event of a tool is one by its name", name);
	}
}

static void test_others(void)
{
	static const char *const names[] = {"",      "llm",       "llm_chunks", "llm_chun",
					    "Error", "agent_foo", "tool_call_"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		unit_ok(event_type_of(span_of(names[i])) == EVENT_OTHER, "'%s' is another type",
			names[i]);
	unit_ok(event_type_of((struct span){0}) == EVENT_OTHER, "an absent name is another type");
	unit_ok(event_type_name(EVENT_OTHER) == NULL, "other types have no name");
	unit_ok(!event_type_is(EVENT_OTHER, EVENT_IS_CHUNK), "another type is no chunk");
}

static void test_sets(void)
{
	event_set chunks = event_types(EVENT_IS_CHUNK);

	unit_ok(event_set_has(chunks, EVENT_TOOL_CHUNK), "the set of chunks has tool_chunk");
	unit_ok(!event_set_has(chunks, EVENT_TOOL_END), "the set of chunks lacks tool_end");
	unit_ok(!event_set_has(chunks, EVENT_OTHER), "the set of chunks lacks other types");
	unit_ok(event_types(EVENT_OF_CONVERSATION) ==
		    (EVENT_BIT(EVENT_AGENT_START) | EVENT_BIT(EVENT_AGENT_UPDATED) |
		     EVENT_BIT(EVENT_PROGRESS) | EVENT_BIT(EVENT_ERROR) |
		     EVENT_BIT(EVENT_AGENT_END) | EVENT_BIT(EVENT_LLM_END) |
		     EVENT_BIT(EVENT_TOOL_START) | EVENT_BIT(EVENT_TOOL_END)),
		"a conversation is restored from these");
}

/* ---- the manual page ---- */

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || c == '_' || (c >= '0' && c <= '9');
}

static struct span word_at(struct span text)
{
	size_t len = 0;

	while (len < text.len && is_word(text.at[len]))
		len++;
	return (struct span){text.at, len};
}

static bool has_word(struct span text, struct span word)
{
	while (text.len > 0) {
		struct span found = word_at(text);

		if (span_equal(found, word))
			return true;
		text = span_from(text, found.len + (found.len < text.len));
	}
	return false;
}

/* A text without its quotes. */
static struct span name_of(struct span string)
{
	return (struct span){string.at + 1, string.len - 2};
}

/* The entry names all keys that the schema has for this type. */
static void check_keys(struct span schema, enum event_type type, struct span entry)
{
	struct span of_type = json_get(json_get(schema, "$defs"), event_type_name(type));
	struct json_walk walk = json_walk(json_get(of_type, "properties"));
	int keys = 0;

	for (; json_next(&walk); keys++)
		unit_ok(has_word(entry, name_of(walk.key)), "the entry of %s names %.*s",
			event_type_name(type), SPAN_ARG(name_of(walk.key)));
	unit_ok(keys > 0, "the schema has the keys of %s", event_type_name(type));
}

static void test_manual(void)
{
	static const char item[] = ".It Sy ";
	struct buffer page = {0}, schema = {0};
	struct span rest, line, entry = {0};
	int next = 0;

	unit_read("man/agent-events.5", &page);
	unit_read("share/agent/events.schema.json", &schema);
	rest = buffer_span(&page);
	while ((line = unit_line(&rest)).at != NULL) {
		if (span_starts(line, ".It ") || span_starts(line, ".El")) {
			if (entry.at != NULL && next > 0)
				check_keys(buffer_span(&schema), (enum event_type)(next - 1),
					   (struct span){entry.at, (size_t)(line.at - entry.at)});
			entry = (struct span){0};
		}
		if (!span_starts(line, item) || next >= EVENT_OTHER)
			continue;
		entry = span_from(line, sizeof(item) - 1);
		unit_same(word_at(entry), span_of(event_type_name((enum event_type)next)),
			  "agent-events(5) lists the types in the table's order");
		next++;
	}
	unit_ok(next == EVENT_OTHER, "agent-events(5) lists all types");
	buffer_free(&page);
	buffer_free(&schema);
}

static void test_error_words(void)
{
	struct buffer page = {0};

	unit_read("man/agent-events.5", &page);
	for (int kind = ERROR_AUTH; kind <= ERROR_SYSTEM; kind++) {
		char *item = mem_format("\n.It Cm %s\n", error_kind_name((enum error_kind)kind));

		unit_ok(strstr(buffer_string(&page), item) != NULL, "agent-events(5) has %s",
			item + 8);
		free(item);
	}
	buffer_free(&page);
}

/* The words that the schema lists at `path`, members of objects. */
static struct json_walk words_of(struct span schema, const char *const *path)
{
	for (; *path != NULL; path++)
		schema = json_get(schema, *path);
	return json_walk(json_get(schema, "examples"));
}

static void test_schema(void)
{
	static const char *const types[] = {"properties", "event_type", NULL};
	static const char *const kinds[] = {"$defs", "error", "properties", "exception_type", NULL};
	struct buffer text = {0};
	struct json_walk walk;
	int next = 0;

	unit_read("share/agent/events.schema.json", &text);
	for (walk = words_of(buffer_span(&text), types); json_next(&walk) && next < EVENT_OTHER;
	     next++)
		unit_same(name_of(walk.value), span_of(event_type_name((enum event_type)next)),
			  "the schema lists the types in the table's order");
	unit_ok(next == EVENT_OTHER && !json_next(&walk), "the schema lists all types");
	next = ERROR_AUTH;
	for (walk = words_of(buffer_span(&text), kinds); json_next(&walk) && next <= ERROR_SYSTEM;
	     next++)
		unit_same(name_of(walk.value), span_of(error_kind_name((enum error_kind)next)),
			  "the schema lists the kinds of errors in the table's order");
	unit_ok(next == ERROR_SYSTEM + 1 && !json_next(&walk),
		"the schema lists all kinds of errors");
	buffer_free(&text);
}

int main(void)
{
	test_table();
	test_schema();
	test_others();
	test_sets();
	test_manual();
	test_error_words();
	return unit_done();
}
