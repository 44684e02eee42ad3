#include "model/schema_dialect.h"

#include <ctype.h>

enum { MAX_NAME = 64 };

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

	if (json_type(additional) != JSON_BOOL || json_true(additional))
		return false;
	for (struct json_walk walk = json_walk(json_get(schema, "properties")); json_next(&walk);)
		if (!is_required(schema, walk.key))
			return false;
	return true;
}

static bool has_type(struct span schema, const char *name)
{
	struct span type = json_get(schema, "type");

	return json_is(type, name) || json_has(type, name);
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
	static const char *const maps[] = {"properties", "$defs", "definitions", NULL};

	if (json_type(schema) != JSON_OBJECT ||
	    (has_type(schema, "object") && !object_is_strict(schema)) ||
	    (has_type(schema, "array") && json_get(schema, "items").at == NULL) ||
	    (json_get(schema, "$ref").at != NULL && json_count(schema) > 1))
		return false;
	for (struct json_walk walk = json_walk(schema); json_next(&walk);) {
		if (json_is_any(walk.key, refused))
			return false;
		if ((json_is_any(walk.key, maps) || json_is(walk.key, "anyOf")) &&
		    !all_are_strict(walk.value))
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

void dialect_describe(struct span schema,
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

void dialect_put_named(struct span schema, struct buffer *out)
{
	struct buffer name = {0};

	dialect_name(schema, &name);
	json_put_string(out, "name", buffer_span(&name));
	json_put_bool(out, "strict", dialect_is_strict(schema));
	json_put_raw(out, "schema", schema);
	buffer_free(&name);
}

void dialect_write_schemas(struct span schemas,
			   void (*write)(struct span schema, struct buffer *out),
			   struct buffer *out)
{
	bool is_object = json_type(schemas) == JSON_OBJECT;

	json_open(out, is_object ? '{' : '[');
	for (struct json_walk walk = json_walk(schemas); json_next(&walk);) {
		if (is_object)
			json_copy_key(out, walk.key);
		else
			json_comma(out);
		write(walk.value, out);
	}
	json_close(out, is_object ? '}' : ']');
}
