#include "schema/document.h"

#include <stdlib.h>

#include "base/uri.h"
#include "schema/node.h"

/* ---- the names ---- */

static struct span before_fragment(struct span uri)
{
	const char *hash = uri.len > 0 ? memchr(uri.at, '#', uri.len) : NULL;

	return (struct span){uri.at, hash != NULL ? (size_t)(hash - uri.at) : uri.len};
}

struct span schema_fragment(struct span reference)
{
	size_t before = before_fragment(reference).len;

	return span_from(reference, before < reference.len ? before + 1 : before);
}

/* What stands between a URI and an anchor. A $dynamicAnchor has a name as an anchor, and one that
 * only schema_document_anchor looks for. */
#define ANCHOR  "#"
#define DYNAMIC "\n"

static const struct schema_name *find_name(const struct schema_document *document, const char *uri,
					   const char *mark, struct span anchor)
{
	char *name = mem_format("%s%s%.*s", uri, mark, SPAN_ARG(anchor));
	const uintptr_t *found = table_find(&document->by_uri, span_of(name));

	free(name);
	return found != NULL ? &document->names[*found] : NULL;
}

/* Of equal names the first one in the document counts. */
static void add_name(struct schema_document *document, const char *mark, struct span anchor,
		     uint32_t place, uint32_t resource)
{
	const char *uri = document->resources[resource];
	char *name = mem_format("%s%s%.*s", uri, mark, SPAN_ARG(anchor));

	if (find_name(document, uri, mark, anchor) != NULL) {
		free(name);
		return;
	}
	*table_add(&document->by_uri, span_of(name)) = document->name_count;
	document->names =
	    array_grow(document->names, document->name_count, sizeof(*document->names));
	document->names[document->name_count++] = (struct schema_name){name, place, resource};
}

static uint32_t add_resource(struct schema_document *document, struct span uri, uint32_t place)
{
	uint32_t resource = document->resource_count++;

	document->resources = array_grow(document->resources, resource, sizeof(char *));
	document->resources[resource] = mem_copy(uri);
	add_name(document, "", SPAN(""), place, resource);
	return resource;
}

/* Append the decoded text of the string that the schema at `place` has as `keyword`. */
static bool keyword_text(struct schema_document *document, uint32_t place, const char *keyword,
			 struct buffer *out)
{
	uint32_t node = json_tree_find(&document->tree, place, span_of(keyword));

	return node != JSON_NO_NODE && json_decode(json_tree_text(&document->tree, node), out);
}

/* The resource of the schema at `place` within `resource`: a new one if it has an $id. In draft 7
 * an $id beside a reference means nothing, and the fragment of one is an anchor. */
static uint32_t own_resource(struct schema_document *document, uint32_t place, uint32_t resource)
{
	struct buffer id = {0}, uri = {0};
	struct span fragment;

	if (document->draft7 &&
	    json_tree_find(&document->tree, place, SPAN("$ref")) != JSON_NO_NODE)
		return resource;
	if (!keyword_text(document, place, "$id", &id))
		return resource;
	uri_resolve(before_fragment(buffer_span(&id)), span_of(document->resources[resource]),
		    &uri);
	if (!span_is(buffer_span(&uri), document->resources[resource]))
		resource = add_resource(document, buffer_span(&uri), place);
	fragment = schema_fragment(buffer_span(&id));
	if (document->draft7 && fragment.len > 0)
		add_name(document, ANCHOR, fragment, place, resource);
	buffer_free(&id);
	buffer_free(&uri);
	return resource;
}

static void read_anchors(struct schema_document *document, uint32_t place, uint32_t resource)
{
	struct buffer anchor = {0};

	if (document->draft7)
		return;
	if (keyword_text(document, place, "$anchor", &anchor))
		add_name(document, ANCHOR, buffer_span(&anchor), place, resource);
	buffer_clear(&anchor);
	if (keyword_text(document, place, "$dynamicAnchor", &anchor)) {
		add_name(document, ANCHOR, buffer_span(&anchor), place, resource);
		add_name(document, DYNAMIC, buffer_span(&anchor), place, resource);
	}
	buffer_free(&anchor);
}

static void read_schema(struct schema_document *document, uint32_t place, uint32_t resource)
{
	struct json_tree *tree = &document->tree;

	if (json_tree_type(tree, place) != JSON_OBJECT)
		return;
	resource = own_resource(document, place, resource);
	document->owners[place] = resource + 1;
	read_anchors(document, place, resource);
	for (struct json_tree_walk member = json_tree_walk(tree, place); json_tree_next(&member);) {
		enum schema_contents contents = schema_keyword_contents(
		    json_tree_key(tree, member.node), json_tree_type(tree, member.node));
		struct json_tree_walk part = json_tree_walk(tree, member.node);

		if (contents == CONTENTS_SCHEMA)
			read_schema(document, member.node, resource);
		while (contents == CONTENTS_SCHEMAS && json_tree_next(&part))
			read_schema(document, part.node, resource);
	}
}

/* ---- the document ---- */

static bool names_draft7(struct schema_document *document)
{
	struct buffer schema = {0};
	size_t prefix = strlen("http://json-schema.org/draft-0");
	bool draft7;

	keyword_text(document, 0, "$schema", &schema);
	draft7 = (span_starts(buffer_span(&schema), "http://json-schema.org/draft-0") ||
		  span_starts(buffer_span(&schema), "https://json-schema.org/draft-0")) &&
		 schema.len > prefix;
	buffer_free(&schema);
	return draft7;
}

bool schema_document_read(struct schema_document *document, struct span text)
{
	*document = (struct schema_document){.text = mem_copy(text)};
	if (!json_tree_parse(&document->tree, (struct span){document->text, text.len}))
		return false;
	document->draft7 = names_draft7(document);
	document->owners = mem_zero(document->tree.count * sizeof(*document->owners));
	add_resource(document, SPAN(""), 0);
	read_schema(document, 0, 0);
	return true;
}

void schema_document_free(struct schema_document *document)
{
	for (size_t i = 0; i < document->name_count; i++)
		free(document->names[i].uri);
	for (uint32_t i = 0; i < document->resource_count; i++)
		free(document->resources[i]);
	free(document->names);
	table_free(&document->by_uri);
	free(document->resources);
	free(document->owners);
	json_tree_free(&document->tree);
	free(document->text);
	*document = (struct schema_document){0};
}

/* ---- following references ---- */

static uint32_t find_element(const struct json_tree *tree, uint32_t array, struct span index)
{
	struct json_tree_walk element = json_tree_walk(tree, array);
	uint64_t wanted = 0;

	for (size_t i = 0; i < index.len; i++)
		if (index.at[i] >= '0' && index.at[i] <= '9' && wanted <= UINT32_MAX)
			wanted = wanted * 10 + (uint64_t)(index.at[i] - '0');
		else
			return JSON_NO_NODE;
	if (index.len == 0)
		return JSON_NO_NODE;
	while (json_tree_next(&element))
		if (element.index == wanted)
			return element.node;
	return JSON_NO_NODE;
}

/* The member or element that a step of a JSON Pointer, ~0 and ~1 undone, names. */
static uint32_t step(struct json_tree *tree, uint32_t place, struct span token)
{
	struct buffer key = {0};

	for (size_t i = 0; i < token.len; i++)
		if (token.at[i] == '~' && i + 1 < token.len)
			buffer_add_char(&key, token.at[++i] == '1' ? '/' : '~');
		else
			buffer_add_char(&key, token.at[i]);
	place = json_tree_type(tree, place) == JSON_ARRAY
		    ? find_element(tree, place, buffer_span(&key))
		    : json_tree_find(tree, place, buffer_span(&key));
	buffer_free(&key);
	return place;
}

/* Follow a JSON Pointer from `place`. The innermost schema on the way says which resource the place
 * belongs to. */
static uint32_t follow_pointer(struct schema_document *document, uint32_t place,
			       struct span pointer, uint32_t *resource)
{
	while (pointer.len > 0 && place != JSON_NO_NODE) {
		struct span token = span_from(pointer, 1);
		const char *slash = token.len > 0 ? memchr(token.at, '/', token.len) : NULL;

		if (slash != NULL)
			token.len = (size_t)(slash - token.at);
		place = step(&document->tree, place, token);
		if (place != JSON_NO_NODE && document->owners[place] != 0)
			*resource = document->owners[place] - 1;
		pointer = span_from(pointer, token.len + 1);
	}
	return place;
}

static uint32_t follow(struct schema_document *document, const char *uri, struct span fragment,
		       uint32_t *found_resource)
{
	bool is_anchor = fragment.len > 0 && fragment.at[0] != '/';
	const struct schema_name *found =
	    find_name(document, uri, is_anchor ? ANCHOR : "", is_anchor ? fragment : SPAN(""));

	if (found == NULL)
		return JSON_NO_NODE;
	*found_resource = found->resource;
	return is_anchor ? found->place
			 : follow_pointer(document, found->place, fragment, found_resource);
}

uint32_t schema_document_follow(struct schema_document *document, uint32_t resource,
				struct span reference, uint32_t *found_resource)
{
	struct buffer uri = {0}, fragment = {0};
	uint32_t found;

	uri_decode(schema_fragment(reference), &fragment);
	uri_resolve(before_fragment(reference), span_of(document->resources[resource]), &uri);
	found = follow(document, buffer_string(&uri), buffer_span(&fragment), found_resource);
	buffer_free(&uri);
	buffer_free(&fragment);
	return found;
}

struct span schema_document_resolve(struct schema_document *document, struct span schema)
{
	const struct json_tree *tree = &document->tree;
	uint32_t place = json_tree_at(tree, schema.at), owner, found;
	struct buffer reference = {0};

	if (place == JSON_NO_NODE || !keyword_text(document, place, "$ref", &reference))
		return schema;
	owner = document->owners[place];
	found = schema_document_follow(document, owner != 0 ? owner - 1 : 0,
				       buffer_span(&reference), &owner);
	buffer_free(&reference);
	return json_tree_text(tree, found);
}

uint32_t schema_document_anchor(const struct schema_document *document, uint32_t resource,
				struct span anchor)
{
	const struct schema_name *found =
	    find_name(document, document->resources[resource], DYNAMIC, anchor);

	return found != NULL ? found->place : JSON_NO_NODE;
}
