#include "model/protocol/schema_dialect.h"

#include <ctype.h>

#include "schema/document.h"

enum { MAX_NAME = 64 };

/* ---- what several dialects share ---- */

/* Members that hold schemas, in a list or by name; "items" holds one. */
static const char *const many[] = {"anyOf",      "oneOf", "allOf",       "prefixItems",
				   "properties", "$defs", "definitions", NULL};

static bool has_type(struct span schema, const char *name)
{
	struct span type = json_get(schema, "type");

	return json_is(type, name) || json_has(type, name);
}

/* Write an array or an object of schemas, each by `write`. */
static void write_schemas(struct span schemas,
			  void (*write)(struct span schema, struct buffer *out), struct buffer *out)
{
	bool is_object = json_type(schemas) == JSON_OBJECT;

	json_open(out, is_object ? '{' : '[');
	for (struct json_walk walk = json_walk(schemas); json_next(&walk);) {
		json_copy_key(out, walk.key);
		write(walk.value, out);
	}
	json_close(out, is_object ? '}' : ']');
}

/* Write the member "description": the schema's own, then the keywords that are not sent, as
 * `is_sent` says: "{minimum: 1, maximum: 9}". */
static void describe(struct span schema,
		     bool (*is_sent)(struct span schema, struct span key, struct span value),
		     struct buffer *out)
{
	struct buffer text = {0}, rest = {0};

	json_decode(json_get(schema, "description"), &text);
	for (struct json_walk walk = json_walk(schema); json_next(&walk);) {
		if (is_sent(schema, walk.key, walk.value))
			continue;
		buffer_add_text(&rest, rest.len > 0 ? ", " : "");
		json_decode(walk.key, &rest);
		buffer_add_text(&rest, ": ");
		json_write_compact(&rest, walk.value);
	}
	if (rest.len > 0)
		buffer_add_format(&text, "%s{%s}", text.len > 0 ? "\n\n" : "",
				  buffer_string(&rest));
	if (text.len > 0)
		json_put_string(out, "description", buffer_span(&text));
	buffer_free(&text);
	buffer_free(&rest);
}

void dialect_name(struct span schema, struct buffer *out)
{
	struct buffer title = {0};

	json_decode(json_get(schema, "title"), &title);
	for (size_t i = 0; i < title.len && i < MAX_NAME; i++) {
		unsigned char c = (unsigned char)title.at[i];

		buffer_add_char(out, (char)(c < 0x80 && (isalnum(c) || c == '-') ? c : '_'));
	}
	if (title.len == 0)
		buffer_add_text(out, "answer");
	buffer_free(&title);
}

void dialect_instruction(struct span schema, struct buffer *out)
{
	if (out->len > 0)
		buffer_add_text(out, "\n\n");
	buffer_add_text(out, "Answer with one JSON value and nothing else: no explanation, no code "
			     "fence. It must satisfy this JSON Schema:\n");
	json_write_line(out, schema);
}

/* ---- OpenAI ---- */

static bool is_required(struct span schema, struct span name)
{
	for (struct json_walk walk = json_walk(json_get(schema, "required")); json_next(&walk);)
		if (span_equal(walk.value, name))
			return true;
	return false;
}

static bool object_is_strict(struct span schema)
{
	struct span additional = json_get(schema, "additionalProperties");

	if (!json_false(additional))
		return false;
	for (struct json_walk walk = json_walk(json_get(schema, "properties")); json_next(&walk);)
		if (!is_required(schema, walk.key))
			return false;
	return true;
}

static bool is_strict(struct span schema);

static bool all_are_strict(struct span schemas)
{
	for (struct json_walk walk = json_walk(schemas); json_next(&walk);)
		if (!is_strict(walk.value))
			return false;
	return true;
}

static bool is_strict(struct span schema)
{
	static const char *const refused[] = {"allOf",
					      "oneOf",
					      "not",
					      "if",
					      "then",
					      "else",
					      "default",
					      "minLength",
					      "maxLength",
					      "dependentRequired",
					      "dependentSchemas",
					      "patternProperties",
					      "propertyNames",
					      "minProperties",
					      "maxProperties",
					      "unevaluatedProperties",
					      "unevaluatedItems",
					      "contains",
					      "minContains",
					      "maxContains",
					      "uniqueItems",
					      "prefixItems",
					      NULL};

	if (json_type(schema) != JSON_OBJECT ||
	    (has_type(schema, "object") && !object_is_strict(schema)) ||
	    (has_type(schema, "array") && json_get(schema, "items").at == NULL) ||
	    (json_get(schema, "$ref").at != NULL && json_count(schema) > 1))
		return false;
	for (struct json_walk walk = json_walk(schema); json_next(&walk);) {
		if (json_is_any(walk.key, refused))
			return false;
		if (json_is_any(walk.key, many) && !all_are_strict(walk.value))
			return false;
		if (json_is(walk.key, "items") && !is_strict(walk.value))
			return false;
	}
	return true;
}

bool dialect_is_strict(struct span schema)
{
	return json_is(json_get(schema, "type"), "object") && is_strict(schema);
}

void dialect_put_named(struct span schema, struct buffer *out)
{
	struct buffer name = {0};

	dialect_name(schema, &name);
	json_put_string(out, "name", buffer_span(&name));
	json_put_bool(out, "strict", dialect_is_strict(schema));
	json_put_raw(out, "schema", schema);
	buffer_free(&name);
}

/* ---- Anthropic ---- */

static bool is_object_schema(struct span schema)
{
	return has_type(schema, "object") || json_get(schema, "properties").at != NULL;
}

/* How many schemas are visited, including those of references: more means that it is recursive. */
enum { MAX_SCHEMAS = 1000 };

static bool fits(struct schema_document *document, struct span schema, int *budget);

static bool all_fit(struct schema_document *document, struct span schemas, int *budget)
{
	for (struct json_walk walk = json_walk(schemas); json_next(&walk);)
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
		bool open = json_is(walk.key, "additionalProperties") && !json_false(walk.value);

		if (open || json_is_any(walk.key, refused))
			return false;
		if (json_is(walk.key, "items") && !fits(document, walk.value, budget))
			return false;
		if (json_is_any(walk.key, many) && !all_fit(document, walk.value, budget))
			return false;
		if (json_is(walk.key, "$ref") &&
		    !fits(document, schema_document_resolve(document, schema), budget))
			return false;
	}
	return true;
}

bool dialect_fits_anthropic(struct span schema)
{
	struct schema_document document;
	int budget = MAX_SCHEMAS;
	bool good = schema_document_read(&document, json_trim(schema)) &&
		    fits(&document, json_tree_text(&document.tree, 0), &budget);

	schema_document_free(&document);
	return good;
}

/* Whether the member is sent unchanged, apart from schemas within it. */
static bool anthropic_accepts(struct span key, struct span value)
{
	static const char *const accepted[] = {
	    "type",  "enum",  "const", "$ref",       "default", "required", "description", "title",
	    "items", "anyOf", "allOf", "properties", "$defs",   "oneOf",    "definitions", NULL};
	static const char *const formats[] = {"date-time", "time", "date", "duration",
					      "email",     "uri",  "ipv4", "hostname",
					      "ipv6",      "uuid", NULL};

	if (json_is(key, "format"))
		return json_is_any(value, formats);
	if (json_is(key, "minItems"))
		return span_is(value, "0") || span_is(value, "1");
	return json_is_any(key, accepted);
}

/* Whether the description needs no words about a member: it is sent, or no answer fails by it. */
static bool anthropic_sends(struct span schema, struct span key, struct span value)
{
	static const char *const silent[] = {
	    "$schema", "$id", "$comment", "examples", "readOnly", "additionalProperties", NULL};

	(void)schema;
	return anthropic_accepts(key, value) || json_is_any(key, silent);
}

void dialect_write_anthropic(struct span schema, struct buffer *out)
{
	struct json_walk walk = json_walk(schema);

	json_open(out, '{');
	while (json_next(&walk)) {
		if (!anthropic_accepts(walk.key, walk.value) || json_is(walk.key, "description"))
			continue;
		json_copy_key(out, json_is(walk.key, "oneOf") ? SPAN("\"anyOf\"") : walk.key);
		if (json_is(walk.key, "items"))
			dialect_write_anthropic(walk.value, out);
		else if (json_is_any(walk.key, many))
			write_schemas(walk.value, dialect_write_anthropic, out);
		else
			json_write_line(out, walk.value);
	}
	if (is_object_schema(schema))
		json_put_bool(out, "additionalProperties", false);
	describe(schema, anthropic_sends, out);
	json_close(out, '}');
}

/* ---- Gemini ---- */

/* The keywords of "responseJsonSchema" (ai.google.dev/api/generate-content). A schema with "$ref"
 * has nothing else; "type" may be a list. Other keywords are rewritten if possible, else described
 * in "description". */
static const char *const gemini_keywords[] = {"$id",         "$defs",       "$ref",
					      "$anchor",     "type",        "format",
					      "title",       "enum",        "items",
					      "prefixItems", "description", "minItems",
					      "anyOf",       "maxItems",    "minimum",
					      "maximum",     "properties",  "additionalProperties",
					      "oneOf",       "required",    "propertyOrdering",
					      NULL};

/* Members of it that hold one schema. */
static const char *const single[] = {"items", "additionalProperties", NULL};

/* allOf of one schema is that schema: what is around it stands beside its members. */
static struct span only_part(struct span schema)
{
	struct span all = json_get(schema, "allOf");

	return json_count(all) == 1 ? json_path(all, "0") : (struct span){0};
}

/* Whether the description needs no words about a member. */
static bool gemini_sends(struct span schema, struct span key, struct span value)
{
	/* No answer fails by these, or another keyword says the same. */
	static const char *const silent[] = {"$schema",     "$comment",    "examples", "readOnly",
					     "writeOnly",   "const",       "default",  "deprecated",
					     "definitions", "$vocabulary", NULL};

	(void)value;
	return json_is_any(key, gemini_keywords) || json_is_any(key, silent) ||
	       (json_is(key, "allOf") && json_type(only_part(schema)) == JSON_OBJECT);
}

/* Definitions have but one name: "#/definitions/x" is "#/$defs/x". */
static void write_reference(struct span reference, struct buffer *out)
{
	static const char old[] = "#/definitions/";
	struct buffer text = {0}, new = {0};

	json_decode(reference, &text);
	if (span_starts(buffer_span(&text), old))
		buffer_add_format(&new, "#/$defs/%s", buffer_string(&text) + strlen(old));
	else
		buffer_add_span(&new, buffer_span(&text));
	json_put_string(out, "$ref", buffer_span(&new));
	buffer_free(&text);
	buffer_free(&new);
}

/* Lists of types such as ["string","null"] are accepted, and so is null among the values of an
 * enum. */
static void write_gemini_member(struct span key, struct span value, struct buffer *out)
{
	bool tuple = json_is(key, "items") && json_type(value) == JSON_ARRAY;

	json_copy_key(out, json_is(key, "definitions") ? SPAN("\"$defs\"")
			   : tuple                     ? SPAN("\"prefixItems\"")
						       : key);
	if (json_is_any(key, single) && json_type(value) == JSON_OBJECT)
		dialect_write_gemini(value, out);
	else if (tuple || json_is_any(key, many))
		write_schemas(value, dialect_write_gemini, out);
	else
		json_write_line(out, value);
}

/* Whether `schema` has the member `key`, as raw JSON. */
static bool has_key(struct span schema, struct span key)
{
	struct json_walk walk = json_walk(schema);

	while (json_next(&walk))
		if (span_equal(walk.key, key))
			return true;
	return false;
}

/* Write the members that `around`, the schema that this one is a part of, does not have itself. */
static void write_gemini_members(struct span schema, struct span around, struct buffer *out)
{
	struct json_walk walk = json_walk(schema);
	bool has_defs = json_get(schema, "$defs").at != NULL;

	while (json_next(&walk)) {
		if (has_key(around, walk.key))
			continue;
		if (json_is(walk.key, "const") && json_get(schema, "enum").at == NULL) {
			json_pack(out, "'enum':[");
			json_write_line(out, walk.value);
			json_close(out, ']');
		} else if (json_is(walk.key, "description")) {
			continue;
		} else if (json_is_any(walk.key, gemini_keywords) ||
			   (json_is(walk.key, "definitions") && !has_defs)) {
			write_gemini_member(walk.key, walk.value, out);
		}
	}
}

void dialect_write_gemini(struct span schema, struct buffer *out)
{
	struct span reference = json_get(schema, "$ref"), part = only_part(schema);
	struct span defs = json_get(schema, "$defs");

	if (json_type(schema) != JSON_OBJECT) {
		/* true: anything */
		buffer_add_text(out, "{}");
		return;
	}
	if (json_type(part) == JSON_OBJECT && reference.at == NULL)
		reference = json_get(part, "$ref");
	json_open(out, '{');
	if (json_type(reference) == JSON_STRING) {
		if (defs.at == NULL)
			defs = json_get(schema, "definitions");
		if (json_type(defs) == JSON_OBJECT)
			write_gemini_member(SPAN("\"$defs\""), defs, out);
		write_reference(reference, out);
	} else {
		write_gemini_members(schema, (struct span){0}, out);
		if (json_type(part) == JSON_OBJECT)
			write_gemini_members(part, schema, out);
		describe(schema, gemini_sends, out);
	}
	json_close(out, '}');
}
