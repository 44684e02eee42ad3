#include "model/protocol/gemini.h"
#include "model/schema_dialect.h"

/*
 * What "responseJsonSchema" takes of JSON Schema (ai.google.dev/api/generate-content): the keywords
 * in `taken`; a schema with "$ref" has nothing else; "type" may be a list. Other keywords are
 * rewritten if possible, else described in "description".
 */

static const char *const taken[] = {"$id",         "$defs",       "$ref",
				    "$anchor",     "type",        "format",
				    "title",       "enum",        "items",
				    "prefixItems", "description", "minItems",
				    "anyOf",       "maxItems",    "minimum",
				    "maximum",     "properties",  "additionalProperties",
				    "oneOf",       "required",    "propertyOrdering",
				    NULL};

/* Members that hold a schema, and schemas in a list or by name. */
static const char *const single[] = {"items", "additionalProperties", NULL};
static const char *const many[] = {"anyOf", "oneOf",       "prefixItems", "properties",
				   "$defs", "definitions", NULL};

/* allOf of one schema is that schema: what is around it stands beside its members. */
static struct span only_part(struct span schema)
{
	struct span all = json_get(schema, "allOf");

	return json_count(all) == 1 ? json_path(all, "0") : (struct span){0};
}

/* Whether the description needs no words about a member. */
static bool is_sent(struct span schema, struct span key, struct span value)
{
	/* No answer fails by these, or another keyword says the same. */
	static const char *const silent[] = {"$schema",     "$comment",    "examples", "readOnly",
					     "writeOnly",   "const",       "default",  "deprecated",
					     "definitions", "$vocabulary", NULL};

	(void)value;
	return json_is_any(key, taken) || json_is_any(key, silent) ||
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

/* ["string","null"] and the like are taken as they are; a null among an enum's values is too. */
static void write_member(struct span key, struct span value, struct buffer *out)
{
	bool tuple = json_is(key, "items") && json_type(value) == JSON_ARRAY;

	json_copy_key(out, json_is(key, "definitions") ? SPAN("\"$defs\"")
			   : tuple                     ? SPAN("\"prefixItems\"")
						       : key);
	if (json_is_any(key, single) && json_type(value) == JSON_OBJECT)
		gemini_write_schema(value, out);
	else if (tuple || json_is_any(key, many))
		dialect_write_schemas(value, gemini_write_schema, out);
	else
		json_write_line(out, value);
}

/* Whether `schema` has the member `key`, as raw JSON. */
static bool has(struct span schema, struct span key)
{
	struct json_walk walk = json_walk(schema);

	while (json_next(&walk))
		if (span_equal(walk.key, key))
			return true;
	return false;
}

/* Without what `around`, the schema that this one is a part of, says itself. */
static void write_members(struct span schema, struct span around, struct buffer *out)
{
	struct json_walk walk = json_walk(schema);
	bool has_defs = json_get(schema, "$defs").at != NULL;

	while (json_next(&walk)) {
		if (has(around, walk.key))
			continue;
		if (json_is(walk.key, "const") && json_get(schema, "enum").at == NULL) {
			json_pack(out, "'enum':[");
			json_write_line(out, walk.value);
			json_close(out, ']');
		} else if (json_is(walk.key, "description")) {
			continue;
		} else if (json_is_any(walk.key, taken) ||
			   (json_is(walk.key, "definitions") && !has_defs)) {
			write_member(walk.key, walk.value, out);
		}
	}
}

void gemini_write_schema(struct span schema, struct buffer *out)
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
			write_member(SPAN("\"$defs\""), defs, out);
		write_reference(reference, out);
	} else {
		write_members(schema, (struct span){0}, out);
		if (json_type(part) == JSON_OBJECT)
			write_members(part, schema, out);
		dialect_describe(schema, is_sent, out);
	}
	json_close(out, '}');
}
