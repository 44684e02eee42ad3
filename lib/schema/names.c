#include "schema/names.h"

#include <stdlib.h>

#include "base/uri.h"
#include "json/json.h"

/* ---- finding the names ---- */

/* How the value of a keyword holds schemas. */
enum shape { NO_SCHEMA, ONE_SCHEMA, SCHEMAS, NAMED_SCHEMAS };

static enum shape shape_of(struct span key, struct span value)
{
	static const char *const single[] = {"additionalProperties",
					     "additionalItems",
					     "contains",
					     "propertyNames",
					     "not",
					     "if",
					     "then",
					     "else",
					     "unevaluatedProperties",
					     "items",
					     "contentSchema",
					     "unevaluatedItems",
					     NULL};
	static const char *const lists[] = {"allOf",       "anyOf", "oneOf",
					    "prefixItems", "items", NULL};
	static const char *const maps[] = {"properties",  "patternProperties", "$defs",
					   "definitions", "dependentSchemas",  "dependencies",
					   NULL};
	bool list = json_type(value) == JSON_ARRAY;

	for (size_t i = 0; !list && single[i] != NULL; i++)
		if (json_is(key, single[i]))
			return ONE_SCHEMA;
	for (size_t i = 0; list && lists[i] != NULL; i++)
		if (json_is(key, lists[i]))
			return SCHEMAS;
	for (size_t i = 0; maps[i] != NULL; i++)
		if (json_is(key, maps[i]))
			return NAMED_SCHEMAS;
	return NO_SCHEMA;
}

static struct span before_fragment(struct span uri)
{
	const char *hash = uri.len > 0 ? memchr(uri.at, '#', uri.len) : NULL;

	return (struct span){uri.at, hash != NULL ? (size_t)(hash - uri.at) : uri.len};
}

/* What stands behind the "#". */
static struct span fragment_of(struct span uri)
{
	size_t before = before_fragment(uri).len;

	return span_from(uri, before < uri.len ? before + 1 : before);
}

static void add_name(struct schema_names *names, struct schema_name name)
{
	/* Room for twice as many whenever the count is a power of two. */
	if ((names->count & (names->count - 1)) == 0)
		names->at = mem_resize(names->at, (names->count > 0 ? names->count * 2 : 1) *
						      sizeof *names->at);
	names->at[names->count++] = name;
}

static void add_anchor(struct schema_names *names, struct span schema, struct span base,
		       struct span anchor, bool is_dynamic)
{
	struct buffer uri = {0};

	buffer_add_span(&uri, base);
	buffer_add_char(&uri, '#');
	buffer_add_span(&uri, anchor);
	add_name(names, (struct schema_name){buffer_take(&uri), schema, true, is_dynamic});
}

/* Append the URI that the schema's own $id, if it has one, makes of `base`. In draft 7 that of a
 * reference means nothing. */
static void own_base(struct schema_names *names, struct span schema, struct span base,
		     struct buffer *own)
{
	struct buffer id = {0};

	if (names->draft7 && json_get(schema, "$ref").at != NULL) {
		buffer_add_span(own, base);
		return;
	}
	json_decode(json_get(schema, "$id"), &id);
	uri_resolve(before_fragment(buffer_span(&id)), base, own);
	if (names->draft7 && fragment_of(buffer_span(&id)).len > 0)
		add_anchor(names, schema, buffer_span(own), fragment_of(buffer_span(&id)), false);
	buffer_free(&id);
}

static void read_anchors(struct schema_names *names, struct span schema, struct span base)
{
	static const char *const keywords[] = {"$anchor", "$dynamicAnchor"};

	for (int dynamic = 0; dynamic < 2 && !names->draft7; dynamic++) {
		struct buffer anchor = {0};

		if (json_decode(json_get(schema, keywords[dynamic]), &anchor))
			add_anchor(names, schema, base, buffer_span(&anchor), dynamic);
		buffer_free(&anchor);
	}
}

static void read_schema(struct schema_names *names, struct span schema, struct span base);

static void read_parts(struct schema_names *names, struct span schema, struct span base)
{
	struct json_walk walk = json_walk(schema);

	while (json_next(&walk)) {
		enum shape shape = shape_of(walk.key, walk.value);
		struct json_walk parts = json_walk(walk.value);

		if (shape == ONE_SCHEMA)
			read_schema(names, walk.value, base);
		while (shape > ONE_SCHEMA && json_next(&parts))
			read_schema(names, parts.value, base);
	}
}

static void read_schema(struct schema_names *names, struct span schema, struct span base)
{
	struct buffer own = {0};

	if (json_type(schema) != JSON_OBJECT)
		return;
	own_base(names, schema, base, &own);
	if (!span_equal(buffer_span(&own), base))
		add_name(names,
			 (struct schema_name){mem_copy(buffer_span(&own)), schema, false, false});
	read_anchors(names, schema, buffer_span(&own));
	read_parts(names, schema, buffer_span(&own));
	buffer_free(&own);
}

static void read_names(struct schema_names *names)
{
	if (names->read)
		return;
	names->read = true;
	add_name(names, (struct schema_name){mem_copy(SPAN("")), names->root, false, false});
	read_schema(names, names->root, SPAN(""));
}

/* ---- the document ---- */

static bool holds(struct span text, struct span word)
{
	for (size_t i = 0; i + word.len <= text.len; i++) {
		const char *found = memchr(text.at + i, word.at[0], text.len - word.len - i + 1);

		if (found == NULL)
			return false;
		if (memcmp(found, word.at, word.len) == 0)
			return true;
		i = (size_t)(found - text.at);
	}
	return false;
}

static bool says_draft7(struct span root)
{
	struct buffer schema = {0};
	size_t prefix = strlen("http://json-schema.org/draft-0");
	bool draft7;

	json_decode(json_get(root, "$schema"), &schema);
	draft7 = (span_starts(buffer_span(&schema), "http://json-schema.org/draft-0") ||
		  span_starts(buffer_span(&schema), "https://json-schema.org/draft-0")) &&
		 schema.len > prefix;
	buffer_free(&schema);
	return draft7;
}

void schema_names_start(struct schema_names *names, struct span root)
{
	*names = (struct schema_names){.root = root};
	names->draft7 = says_draft7(root);
	names->unevaluated = !names->draft7 && holds(root, SPAN("\"unevaluated"));
	names->plain = !holds(root, SPAN("\"$id\""));
}

void schema_names_free(struct schema_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->at[i].uri);
	free(names->at);
	*names = (struct schema_names){0};
}

/* ---- following references ---- */

static const struct schema_name *find_name(const struct schema_names *names, struct span uri,
					   bool is_anchor)
{
	for (size_t i = 0; i < names->count; i++)
		if (names->at[i].is_anchor == is_anchor && span_is(uri, names->at[i].uri))
			return &names->at[i];
	return NULL;
}

/* The URI of the innermost document that `place` belongs to. */
static struct span base_of(const struct schema_names *names, const char *place)
{
	const struct schema_name *innermost = NULL;

	for (size_t i = 0; i < names->count; i++) {
		const struct schema_name *name = &names->at[i];

		if (!name->is_anchor && name->schema.at <= place &&
		    place < name->schema.at + name->schema.len &&
		    (innermost == NULL || name->schema.len <= innermost->schema.len))
			innermost = name;
	}
	return innermost != NULL ? span_of(innermost->uri) : SPAN("");
}

/* The member or item that a step of a JSON Pointer, ~0 and ~1 undone, names. */
static struct span step(struct span value, struct span token)
{
	struct buffer key = {0};
	struct span found = {0};

	for (size_t i = 0; i < token.len; i++)
		if (token.at[i] == '~' && i + 1 < token.len)
			buffer_add_char(&key, token.at[++i] == '1' ? '/' : '~');
		else
			buffer_add_char(&key, token.at[i]);
	if (json_type(value) == JSON_ARRAY) {
		struct json_walk walk = json_walk(value);
		unsigned long index = strtoul(buffer_string(&key), NULL, 10);

		while (found.at == NULL && json_next(&walk))
			if (index-- == 0)
				found = walk.value;
	} else {
		found = json_get(value, buffer_string(&key));
	}
	buffer_free(&key);
	return found;
}

static struct span follow_pointer(struct span value, struct span pointer)
{
	while (pointer.len > 0 && value.at != NULL) {
		struct span token = span_from(pointer, 1);
		const char *slash = token.len > 0 ? memchr(token.at, '/', token.len) : NULL;

		if (slash != NULL)
			token.len = (size_t)(slash - token.at);
		value = step(value, token);
		pointer = span_from(pointer, token.len + 1);
	}
	return value;
}

static struct span follow(const struct schema_names *names, struct span uri, struct span fragment)
{
	const struct schema_name *found;
	struct buffer anchor = {0};

	if (fragment.len == 0 || fragment.at[0] == '/') {
		found = find_name(names, uri, false);
		return found != NULL ? follow_pointer(found->schema, fragment) : (struct span){0};
	}
	buffer_add_span(&anchor, uri);
	buffer_add_char(&anchor, '#');
	buffer_add_span(&anchor, fragment);
	found = find_name(names, buffer_span(&anchor), true);
	buffer_free(&anchor);
	return found != NULL ? found->schema : (struct span){0};
}

struct span schema_names_follow(struct schema_names *names, struct span schema,
				struct span reference)
{
	struct buffer text = {0}, uri = {0}, fragment = {0};
	struct span found;

	json_decode(reference, &text);
	uri_decode(fragment_of(buffer_span(&text)), &fragment);
	if (names->plain &&
	    (span_is(buffer_span(&text), "#") || span_starts(buffer_span(&text), "#/"))) {
		found = follow_pointer(names->root, buffer_span(&fragment));
	} else {
		read_names(names);
		uri_resolve(before_fragment(buffer_span(&text)), base_of(names, schema.at), &uri);
		found = follow(names, buffer_span(&uri), buffer_span(&fragment));
	}
	buffer_free(&text);
	buffer_free(&uri);
	buffer_free(&fragment);
	return found;
}

struct span schema_names_dynamic(const struct schema_names *names, struct span target,
				 struct span reference)
{
	struct buffer text = {0};
	struct span anchor = {0};

	json_decode(reference, &text);
	for (size_t i = 0; i < names->count; i++)
		if (names->at[i].is_dynamic && names->at[i].schema.at == target.at &&
		    span_equal(fragment_of(span_of(names->at[i].uri)),
			       fragment_of(buffer_span(&text))))
			anchor = fragment_of(span_of(names->at[i].uri));
	buffer_free(&text);
	return anchor;
}

struct span schema_names_anchor(const struct schema_names *names, const char *place,
				struct span anchor)
{
	struct span base = base_of(names, place);

	for (size_t i = 0; i < names->count; i++) {
		struct span uri = span_of(names->at[i].uri);

		if (names->at[i].is_dynamic && span_equal(before_fragment(uri), base) &&
		    span_equal(fragment_of(uri), anchor))
			return names->at[i].schema;
	}
	return (struct span){0};
}
