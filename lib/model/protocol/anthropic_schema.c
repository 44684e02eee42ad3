#include "schema/document.h"
#include "model/protocol/anthropic.h"
#include "model/schema_dialect.h"

/* The quirk "schema" says which models take one: "native", "tool" or false; by default all do. */
enum anthropic_schema anthropic_schema_way(const struct provider *provider, const char *model,
					   const struct model_request *request)
{
	struct span quirk = parameters_quirk(provider, model, "schema");

	if (request->schema.at == NULL)
		return SCHEMA_NONE;
	if (json_type(quirk) == JSON_BOOL && !json_true(quirk))
		return SCHEMA_WORDS;
	if (!json_is(quirk, "tool") && anthropic_schema_fits(request->schema))
		return SCHEMA_NATIVE;
	/* A tool takes an object. */
	return json_is(json_get(request->schema, "type"), "object") ? SCHEMA_TOOL : SCHEMA_WORDS;
}

/* ---- whether a schema can be told ---- */

static bool is_object_schema(struct span schema)
{
	struct span type = json_get(schema, "type");
	struct json_walk walk = json_walk(type);

	while (json_next(&walk))
		if (json_is(walk.value, "object"))
			return true;
	return json_is(type, "object") || json_get(schema, "properties").at != NULL;
}

/* Members that hold one schema, a list of schemas, and schemas by name. */
static const char *const single[] = {"items", NULL};
static const char *const lists[] = {"anyOf", "oneOf", "allOf", NULL};
static const char *const maps[] = {"properties", "$defs", "definitions", NULL};

/* How many schemas are looked at, references followed: more, and there is no end. */
enum { MAX_SCHEMAS = 1000 };

static bool fits(struct schema_document *document, struct span schema, int *budget);

static bool all_fit(struct schema_document *document, struct span schemas, int *budget)
{
	struct json_walk walk = json_walk(schemas);

	while (json_next(&walk))
		if (!fits(document, walk.value, budget))
			return false;
	return true;
}

static bool fits(struct schema_document *document, struct span schema, int *budget)
{
	static const char *const refused[] = {"patternProperties", "not",  "if",
					      "prefixItems",       "then", "else",
					      "additionalItems",   NULL};
	struct json_walk walk = json_walk(schema);

	if ((*budget)-- <= 0 || json_type(schema) != JSON_OBJECT ||
	    (is_object_schema(schema) && json_count(json_get(schema, "properties")) == 0))
		return false;
	while (json_next(&walk)) {
		bool open = json_is(walk.key, "additionalProperties") &&
			    (json_type(walk.value) != JSON_BOOL || json_true(walk.value));

		if (open || json_is_any(walk.key, refused))
			return false;
		if (json_is_any(walk.key, single) && !fits(document, walk.value, budget))
			return false;
		if ((json_is_any(walk.key, lists) || json_is_any(walk.key, maps)) &&
		    !all_fit(document, walk.value, budget))
			return false;
		if (json_is(walk.key, "$ref") &&
		    !fits(document, schema_document_resolve(document, schema), budget))
			return false;
	}
	return true;
}

bool anthropic_schema_fits(struct span schema)
{
	struct schema_document document;
	int budget = MAX_SCHEMAS;
	bool good = schema_document_read(&document, json_trim(schema)) &&
		    fits(&document, json_tree_text(&document.tree, 0), &budget);

	schema_document_free(&document);
	return good;
}

/* ---- telling it ---- */

/* Whether the member is taken as it is, schemas within it aside. */
static bool is_taken(struct span key, struct span value)
{
	static const char *const taken[] = {
	    "type",  "enum",  "const", "$ref",       "default", "required", "description", "title",
	    "items", "anyOf", "allOf", "properties", "$defs",   "oneOf",    "definitions", NULL};
	static const char *const formats[] = {"date-time", "time", "date", "duration",
					      "email",     "uri",  "ipv4", "hostname",
					      "ipv6",      "uuid", NULL};

	if (json_is(key, "format"))
		return json_is_any(value, formats);
	if (json_is(key, "minItems"))
		return span_is(value, "0") || span_is(value, "1");
	return json_is_any(key, taken);
}

/* Nothing an answer could fail by. */
static bool says_nothing(struct span key)
{
	static const char *const silent[] = {
	    "$schema", "$id", "$comment", "examples", "readOnly", "additionalProperties", NULL};

	return json_is_any(key, silent);
}

/* Whether the description needs no words about a member. */
static bool is_sent(struct span schema, struct span key, struct span value)
{
	(void)schema;
	return is_taken(key, value) || says_nothing(key);
}

static void put_key(struct buffer *out, struct span key)
{
	json_comma(out);
	buffer_add_span(out, key);
	buffer_add_char(out, ':');
}

static void write_schemas(struct span schemas, struct buffer *out)
{
	bool is_object = json_type(schemas) == JSON_OBJECT;
	struct json_walk walk = json_walk(schemas);

	json_open(out, is_object ? '{' : '[');
	while (json_next(&walk)) {
		if (is_object)
			put_key(out, walk.key);
		anthropic_write_schema(walk.value, out);
	}
	json_close(out, is_object ? '}' : ']');
}

void anthropic_write_schema(struct span schema, struct buffer *out)
{
	struct json_walk walk = json_walk(schema);

	json_open(out, '{');
	while (json_next(&walk)) {
		if (!is_taken(walk.key, walk.value) || json_is(walk.key, "description"))
			continue;
		put_key(out, json_is(walk.key, "oneOf") ? SPAN("\"anyOf\"") : walk.key);
		if (json_is_any(walk.key, single))
			anthropic_write_schema(walk.value, out);
		else if (json_is_any(walk.key, lists) || json_is_any(walk.key, maps))
			write_schemas(walk.value, out);
		else
			json_write_line(out, walk.value);
	}
	if (is_object_schema(schema))
		json_put_bool(out, "additionalProperties", false);
	dialect_describe(schema, is_sent, out);
	json_close(out, '}');
}
