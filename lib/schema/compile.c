#include <stdlib.h>

#include "schema/compiler.h"

/* ---- memory ---- */

static void *keep_block(struct schema *schema, void *block)
{
	schema->blocks = array_grow(schema->blocks, schema->block_count, sizeof(*schema->blocks));
	schema->blocks[schema->block_count++] = block;
	return block;
}

void *compiler_alloc(struct schema_compiler *c, size_t size)
{
	return keep_block(c->schema, mem_zero(size));
}

/* ---- strings ---- */

struct span compiler_string(struct schema_compiler *c, uint32_t place)
{
	struct buffer scratch = {0};
	struct span text = json_string_text(json_tree_text(c->tree, place), &scratch);

	if (scratch.at != NULL)
		keep_block(c->schema, scratch.at);
	return text;
}

struct schema_texts compiler_strings(struct schema_compiler *c, uint32_t array)
{
	struct json_tree_walk part = json_tree_walk(c->tree, array);
	struct schema_texts texts = {
	    compiler_alloc(c, json_tree_count(c->tree, array) * sizeof(*texts.at)), 0};

	while (json_tree_type(c->tree, array) == JSON_ARRAY && json_tree_next(&part))
		if (json_tree_type(c->tree, part.node) == JSON_STRING)
			texts.at[texts.count++] = compiler_string(c, part.node);
	return texts;
}

/* ---- schemas within the schema ---- */

/* The node of the schema at `place`; NULL for JSON_NO_NODE. It is filled later. */
static struct schema_node *node_at(struct schema_compiler *c, uint32_t place, uint32_t resource)
{
	uint32_t owner;
	struct schema_node *node;

	if (place == JSON_NO_NODE || c->schema->nodes[place] != NULL)
		return place != JSON_NO_NODE ? c->schema->nodes[place] : NULL;
	owner = c->schema->document.owners[place];
	node = compiler_alloc(c, sizeof(*node));
	*node = (struct schema_node){.place = place,
				     .resource = owner != 0 ? owner - 1 : resource,
				     .constant = JSON_NO_NODE,
				     .values = JSON_NO_NODE};
	c->schema->nodes[place] = node;
	c->pending = array_grow(c->pending, c->pending_count, sizeof(struct schema_node *));
	c->pending[c->pending_count++] = node;
	return node;
}

struct schema_node *compiler_node(struct schema_compiler *c, uint32_t place)
{
	return node_at(c, place, c->node->resource);
}

struct schema_nodes compiler_nodes(struct schema_compiler *c, uint32_t container)
{
	struct json_tree_walk part = json_tree_walk(c->tree, container);
	struct schema_nodes nodes = {
	    compiler_alloc(c, json_tree_count(c->tree, container) * sizeof(struct schema_node *)),
	    0};

	while (json_tree_next(&part))
		nodes.at[nodes.count++] = compiler_node(c, part.node);
	return nodes;
}

struct schema_node *compiler_follow(struct schema_compiler *c, uint32_t place, struct span *anchor)
{
	struct schema_document *document = &c->schema->document;
	struct span reference = compiler_string(c, place), fragment;
	struct schema_node *target;
	uint32_t resource = 0, found;

	if (reference.at == NULL)
		return NULL;
	found = schema_document_follow(document, c->node->resource, reference, &resource);
	target = node_at(c, found, resource);
	if (target == NULL)
		return NULL;
	target->remembered = true;
	fragment = schema_fragment(reference);
	if (fragment.len > 0 && schema_document_anchor(document, resource, fragment) == found)
		*anchor = fragment;
	return target;
}

/* ---- patterns ---- */

struct pattern *compiler_pattern(struct schema_compiler *c, struct span text, uint32_t place)
{
	struct schema *schema = c->schema;
	struct pattern *pattern;

	if (schema->engine == NULL)
		schema->engine = pattern_engine_open(c->e);
	pattern = schema->engine != NULL ? pattern_compile(schema->engine, text, c->e) : NULL;
	if (pattern == NULL) {
		c->wrong = place;
		return NULL;
	}
	schema->patterns =
	    array_grow(schema->patterns, schema->pattern_count, sizeof(struct pattern *));
	schema->patterns[schema->pattern_count++] = pattern;
	return pattern;
}

/* ---- the schemas ---- */

/* Fill the node. Draft 7 ignores all keywords beside a reference. */
static void fill(struct schema_compiler *c, struct schema_node *node)
{
	enum json_type type = json_tree_type(c->tree, node->place);
	struct span anchor = {0};
	uint32_t reference;

	c->node = node;
	if (type != JSON_OBJECT) {
		node->kind = type == JSON_BOOL && !json_true(json_tree_text(c->tree, node->place))
				 ? SCHEMA_NOTHING
				 : SCHEMA_ANYTHING;
		return;
	}
	reference = compiler_find(c, "$ref");
	if (c->schema->document.draft7 && json_tree_type(c->tree, reference) == JSON_STRING)
		node->reference = compiler_follow(c, reference, &anchor);
	else
		compiler_read_keywords(c);
}

/* ---- the whole ---- */

/* Compile all schemas of the document, so that every invalid pattern is found. */
static bool compile_all(struct schema_compiler *c)
{
	struct schema_document *document = &c->schema->document;

	node_at(c, 0, 0);
	for (uint32_t place = 0; place < document->tree.count; place++)
		if (document->owners[place] != 0)
			node_at(c, place, 0);
	for (size_t i = 0; i < c->pending_count && c->wrong == JSON_NO_NODE; i++)
		fill(c, c->pending[i]);
	free(c->pending);
	return c->wrong == JSON_NO_NODE;
}

struct schema *schema_compile(struct span text, struct span *where, struct error *e)
{
	struct schema *schema = mem_zero(sizeof(*schema));
	struct schema_compiler c = {
	    .schema = schema, .tree = &schema->document.tree, .wrong = JSON_NO_NODE, .e = e};

	text = json_trim(text);
	schema->oversized = !schema_document_read(&schema->document, text);
	if (schema->oversized)
		return schema;
	schema->nodes = mem_zero(c.tree->count * sizeof(struct schema_node *));
	if (compile_all(&c))
		return schema;
	if (where != NULL)
		*where =
		    (struct span){text.at + (c.tree->nodes[c.wrong].at - schema->document.text),
				  c.tree->nodes[c.wrong].len};
	schema_free(schema);
	return NULL;
}

void schema_free(struct schema *schema)
{
	if (schema == NULL)
		return;
	for (size_t i = 0; i < schema->pattern_count; i++)
		pattern_free(schema->patterns[i]);
	free(schema->patterns);
	pattern_engine_close(schema->engine);
	for (size_t i = 0; i < schema->block_count; i++)
		free(schema->blocks[i]);
	free(schema->blocks);
	free(schema->nodes);
	schema_document_free(&schema->document);
	json_tree_free(&schema->value);
	memo_free(&schema->memo);
	free(schema);
}

struct span schema_text(const struct schema *schema)
{
	return schema != NULL ? span_of(schema->document.text) : (struct span){0};
}

struct span schema_keyword(struct schema *schema, const struct schema_node *node,
			   const char *keyword)
{
	struct json_tree *tree = &schema->document.tree;

	return json_tree_text(tree, json_tree_find(tree, node->place, span_of(keyword)));
}

const struct schema_rule *schema_rule(const struct schema_node *node, const char *keyword)
{
	for (size_t i = 0; i < node->rule_count; i++)
		if (strcmp(node->rules[i].keyword->name, keyword) == 0)
			return &node->rules[i];
	return NULL;
}
