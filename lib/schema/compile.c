#include <stdlib.h>

#include "schema/node.h"

/* "enum" lists that are longer are sorted. */
enum { MAX_UNSORTED = 8 };

struct compiler {
	struct schema *schema;
	struct json_tree *tree;       /* of the document */
	struct schema_node **pending; /* created and not filled yet */
	size_t pending_count;
	struct schema_node *node; /* being filled */
	uint32_t wrong;           /* the place of a pattern that is not valid */
	struct error *e;          /* NULL is allowed */
};

/* ---- memory ---- */

static void *keep_block(struct schema *schema, void *block)
{
	schema->blocks = array_grow(schema->blocks, schema->block_count, sizeof(*schema->blocks));
	schema->blocks[schema->block_count++] = block;
	return block;
}

static void *new_block(struct compiler *c, size_t size)
{
	return keep_block(c->schema, mem_zero(size));
}

/* ---- reading keywords ---- */

/* The place of a keyword's value; JSON_NO_NODE if the schema lacks it. */
static uint32_t find(const struct compiler *c, const char *keyword)
{
	return json_tree_find(c->tree, c->node->place, span_of(keyword));
}

/* The same for a keyword that draft 7 does not know. */
static uint32_t find_newer(const struct compiler *c, const char *keyword)
{
	return c->schema->document.draft7 ? JSON_NO_NODE : find(c, keyword);
}

static struct span text_at(const struct compiler *c, uint32_t place)
{
	return place != JSON_NO_NODE ? json_tree_text(c->tree, place) : (struct span){0};
}

static enum json_type type_at(const struct compiler *c, uint32_t place)
{
	return place != JSON_NO_NODE ? c->tree->nodes[place].type : JSON_ABSENT;
}

static bool is_list(const struct compiler *c, uint32_t place)
{
	return type_at(c, place) == JSON_ARRAY;
}

static uint32_t count_at(const struct compiler *c, uint32_t place)
{
	return place != JSON_NO_NODE ? c->tree->nodes[place].count : 0;
}

/* Whether the schema has one of `keywords`, which NULL ends. */
static bool has_any(const struct compiler *c, const char *const *keywords)
{
	for (; *keywords != NULL; keywords++)
		if (find(c, *keywords) != JSON_NO_NODE)
			return true;
	return false;
}

/* A number; absent for anything else. */
static struct span find_number(const struct compiler *c, const char *keyword)
{
	uint32_t place = find(c, keyword);

	return type_at(c, place) == JSON_NUMBER ? text_at(c, place) : (struct span){0};
}

static struct schema_count find_count(const struct compiler *c, const char *least, const char *most)
{
	return (struct schema_count){json_int(text_at(c, find(c, least)), 0),
				     json_int(text_at(c, find(c, most)), INT64_MAX)};
}

/* The decoded text of a string; absent for anything else. */
static struct span decode(struct compiler *c, uint32_t place)
{
	struct span string = text_at(c, place), plain = json_plain(string);
	struct buffer text = {0};

	if (plain.at != NULL || !json_decode(string, &text))
		return plain;
	buffer_string(&text);
	keep_block(c->schema, text.at);
	return buffer_span(&text);
}

/* The strings of an array. */
static struct schema_texts read_texts(struct compiler *c, uint32_t array)
{
	uint32_t count = is_list(c, array) ? count_at(c, array) : 0, place = array + 1;
	struct schema_texts texts = {0};

	if (count > 0)
		texts.at = new_block(c, count * sizeof(*texts.at));
	for (uint32_t i = 0; i < count; i++) {
		struct span text = decode(c, place);

		if (text.at != NULL)
			texts.at[texts.count++] = text;
		place = c->tree->nodes[place].after;
	}
	return texts;
}

/* ---- schemas within the schema ---- */

/* The node of the schema at `place`; NULL for JSON_NO_NODE. It is filled later. */
static struct schema_node *node_at(struct compiler *c, uint32_t place, uint32_t resource)
{
	uint32_t owner;
	struct schema_node *node;

	if (place == JSON_NO_NODE || c->schema->nodes[place] != NULL)
		return place != JSON_NO_NODE ? c->schema->nodes[place] : NULL;
	owner = c->schema->document.owners[place];
	node = new_block(c, sizeof(*node));
	*node = (struct schema_node){.place = place,
				     .resource = owner != 0 ? owner - 1 : resource,
				     .constant = JSON_NO_NODE,
				     .values = JSON_NO_NODE};
	c->schema->nodes[place] = node;
	c->pending = array_grow(c->pending, c->pending_count, sizeof(struct schema_node *));
	c->pending[c->pending_count++] = node;
	return node;
}

static struct schema_node *part_at(struct compiler *c, uint32_t place)
{
	return node_at(c, place, c->node->resource);
}

/* The schemas of an array or of an object's members. */
static struct schema_nodes read_nodes(struct compiler *c, uint32_t container)
{
	uint32_t count = count_at(c, container), place = container + 1;
	struct schema_nodes nodes = {0};

	if (count > 0)
		nodes.at = new_block(c, count * sizeof(struct schema_node *));
	for (; nodes.count < count; nodes.count++) {
		nodes.at[nodes.count] = part_at(c, place);
		place = c->tree->nodes[place].after;
	}
	return nodes;
}

static struct schema_nodes read_list(struct compiler *c, uint32_t place)
{
	return is_list(c, place) ? read_nodes(c, place) : (struct schema_nodes){0};
}

/* Alternatives are tried first and explained afterwards. */
static struct schema_nodes read_alternatives(struct compiler *c, uint32_t place)
{
	struct schema_nodes nodes = read_list(c, place);

	for (size_t i = 0; i < nodes.count; i++)
		nodes.at[i]->remembered = true;
	return nodes;
}

/* What a reference leads to; NULL if it leads to nothing in this document. *anchor: the name of the
 * dynamic anchor that it leads to. */
static struct schema_node *follow(struct compiler *c, uint32_t place, struct span *anchor)
{
	struct schema_document *document = &c->schema->document;
	struct span reference = decode(c, place), fragment;
	const struct schema_name *name;
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
	name = fragment.len > 0 ? schema_document_anchor(document, resource, fragment) : NULL;
	if (name != NULL && name->place == found)
		*anchor = fragment;
	return target;
}

/* ---- rules ---- */

static struct pattern *add_pattern(struct compiler *c, struct span text, uint32_t place)
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

static unsigned type_bit(struct span name)
{
	static const char *const names[] = {
	    [JSON_NULL] = "null",     [JSON_BOOL] = "boolean", [JSON_NUMBER] = "number",
	    [JSON_STRING] = "string", [JSON_ARRAY] = "array",  [JSON_OBJECT] = "object"};

	for (unsigned type = JSON_NULL; type <= JSON_OBJECT; type++)
		if (json_is(name, names[type]))
			return 1U << type;
	return json_is(name, "integer") ? SCHEMA_INTEGER : 0;
}

static void read_type(struct compiler *c)
{
	uint32_t place = find(c, "type"), name = place + 1;

	c->node->typed = place != JSON_NO_NODE;
	if (!is_list(c, place)) {
		c->node->types = type_bit(text_at(c, place));
		return;
	}
	for (uint32_t i = count_at(c, place); i > 0; i--) {
		c->node->types |= type_bit(text_at(c, name));
		name = c->tree->nodes[name].after;
	}
}

static int compare_constants(const void *a, const void *b)
{
	const struct schema_constant *left = a, *right = b;

	return (left->hash > right->hash) - (left->hash < right->hash);
}

static void read_values(struct compiler *c)
{
	struct schema_node *node = c->node;
	uint32_t values = find(c, "enum"), place = values + 1, count = count_at(c, values);

	node->constant = find(c, "const");
	if (!is_list(c, values))
		return;
	node->values = values;
	if (count <= MAX_UNSORTED)
		return;
	node->sorted = new_block(c, count * sizeof(*node->sorted));
	for (uint32_t i = 0; i < count; i++) {
		node->sorted[i] = (struct schema_constant){json_tree_hash(c->tree, place), place};
		place = c->tree->nodes[place].after;
	}
	qsort(node->sorted, count, sizeof(*node->sorted), compare_constants);
}

static void read_number(struct compiler *c)
{
	static const char *const keywords[] = {"minimum",          "maximum",    "exclusiveMinimum",
					       "exclusiveMaximum", "multipleOf", NULL};
	struct number_rules *rules;

	if (!has_any(c, keywords))
		return;
	rules = c->node->number = new_block(c, sizeof(*rules));
	rules->minimum = find_number(c, "minimum");
	rules->maximum = find_number(c, "maximum");
	rules->exclusive_minimum = find_number(c, "exclusiveMinimum");
	rules->exclusive_maximum = find_number(c, "exclusiveMaximum");
	rules->divisor = find_number(c, "multipleOf");
	if (json_double(rules->divisor, 0) <= 0)
		rules->divisor = (struct span){0};
}

static void read_string(struct compiler *c)
{
	static const char *const keywords[] = {"minLength", "maxLength", "pattern", NULL};
	struct string_rules *rules;
	struct span pattern;

	if (!has_any(c, keywords))
		return;
	rules = c->node->string = new_block(c, sizeof(*rules));
	rules->length = find_count(c, "minLength", "maxLength");
	pattern = decode(c, find(c, "pattern"));
	if (pattern.at != NULL)
		rules->pattern = add_pattern(c, pattern, find(c, "pattern"));
}

static void read_array(struct compiler *c)
{
	static const char *const keywords[] = {"minItems",        "maxItems", "items",
					       "prefixItems",     "contains", "uniqueItems",
					       "additionalItems", NULL};
	uint32_t items = find(c, "items");
	struct array_rules *rules;

	if (!has_any(c, keywords))
		return;
	rules = c->node->array = new_block(c, sizeof(*rules));
	rules->items = find_count(c, "minItems", "maxItems");
	/* Draft 7 has both in "items". */
	if (is_list(c, items)) {
		rules->first = read_nodes(c, items);
		rules->rest = part_at(c, find(c, "additionalItems"));
	} else {
		rules->first = read_list(c, find_newer(c, "prefixItems"));
		rules->rest = part_at(c, items);
	}
	rules->contains = part_at(c, find(c, "contains"));
	rules->contained = (struct schema_count){1, INT64_MAX};
	if (!c->schema->document.draft7) {
		rules->contained = find_count(c, "minContains", "maxContains");
		rules->contained.least = json_int(text_at(c, find(c, "minContains")), 1);
	}
	rules->unique = json_true(text_at(c, find(c, "uniqueItems")));
}

static void read_patterns(struct compiler *c, struct object_rules *rules)
{
	uint32_t patterns = find(c, "patternProperties"), place = patterns + 1;

	if (type_at(c, patterns) != JSON_OBJECT)
		return;
	rules->by_pattern = read_nodes(c, patterns);
	if (rules->by_pattern.count > 0)
		rules->patterns = new_block(c, rules->by_pattern.count * sizeof(struct pattern *));
	for (size_t i = 0; i < rules->by_pattern.count; i++) {
		rules->patterns[i] = add_pattern(c, json_tree_key(c->tree, place), place);
		place = c->tree->nodes[place].after;
	}
}

/* Properties whose values tell at once that an object is not what a schema describes. */
static void read_constants(struct compiler *c, struct object_rules *rules)
{
	uint32_t place = rules->properties + 1, count = count_at(c, rules->properties);
	struct schema_nodes *constants = &rules->constants;

	for (uint32_t i = 0; i < count; i++) {
		if (json_tree_find(c->tree, place, SPAN("const")) != JSON_NO_NODE ||
		    json_tree_find(c->tree, place, SPAN("enum")) != JSON_NO_NODE) {
			if (constants->at == NULL)
				constants->at = new_block(c, count * sizeof(*constants->at));
			constants->at[constants->count++] = part_at(c, place);
		}
		place = c->tree->nodes[place].after;
	}
}

/* Add what a keyword requires of objects that have certain members. */
static void read_dependencies(struct compiler *c, struct object_rules *rules, uint32_t keyword)
{
	uint32_t count = type_at(c, keyword) == JSON_OBJECT ? count_at(c, keyword) : 0;
	uint32_t place = keyword + 1;
	size_t old = rules->dependency_count;
	struct schema_dependency *all;

	if (count == 0)
		return;
	all = new_block(c, (old + count) * sizeof(*all));
	if (old > 0)
		memcpy(all, rules->dependencies, old * sizeof(*all));
	rules->dependencies = all;
	rules->dependency_count += count;
	for (all += old; count > 0; count--, all++) {
		all->name = json_tree_key(c->tree, place);
		all->required = read_texts(c, place);
		all->schema = is_list(c, place) ? NULL : part_at(c, place);
		place = c->tree->nodes[place].after;
	}
}

static void read_object(struct compiler *c)
{
	static const char *const keywords[] = {"minProperties",
					       "maxProperties",
					       "required",
					       "properties",
					       "patternProperties",
					       "additionalProperties",
					       "propertyNames",
					       "dependentRequired",
					       "dependentSchemas",
					       "dependencies",
					       NULL};
	struct object_rules *rules;

	if (!has_any(c, keywords))
		return;
	rules = c->node->object = new_block(c, sizeof(*rules));
	rules->members = find_count(c, "minProperties", "maxProperties");
	rules->required = read_texts(c, find(c, "required"));
	rules->properties = find(c, "properties");
	if (type_at(c, rules->properties) != JSON_OBJECT)
		rules->properties = JSON_NO_NODE;
	read_nodes(c, rules->properties);
	read_constants(c, rules);
	read_patterns(c, rules);
	rules->additional = part_at(c, find(c, "additionalProperties"));
	rules->names = part_at(c, find(c, "propertyNames"));
	read_dependencies(c, rules, find_newer(c, "dependentRequired"));
	read_dependencies(c, rules, find_newer(c, "dependentSchemas"));
	read_dependencies(c, rules, find(c, "dependencies"));
}

static void read_combined(struct compiler *c)
{
	static const char *const keywords[] = {"allOf", "anyOf", "oneOf", "if", "not", NULL};
	struct combined_rules *rules;

	if (!has_any(c, keywords))
		return;
	rules = c->node->combined = new_block(c, sizeof(*rules));
	rules->all = read_list(c, find(c, "allOf"));
	rules->any = read_alternatives(c, find(c, "anyOf"));
	rules->one = read_alternatives(c, find(c, "oneOf"));
	rules->has_any = is_list(c, find(c, "anyOf"));
	rules->has_one = is_list(c, find(c, "oneOf"));
	rules->condition = part_at(c, find(c, "if"));
	rules->then = part_at(c, find(c, "then"));
	rules->otherwise = part_at(c, find(c, "else"));
	rules->not = part_at(c, find(c, "not"));
}

static void read_rules(struct compiler *c)
{
	struct schema_node *node = c->node;
	struct span none = {0};

	read_type(c);
	node->reference = follow(c, find(c, "$ref"), &none);
	node->dynamic = follow(c, find_newer(c, "$dynamicRef"), &node->anchor);
	c->schema->dynamic |= node->anchor.at != NULL;
	read_values(c);
	read_number(c);
	read_string(c);
	read_array(c);
	read_object(c);
	read_combined(c);
	node->other_items = part_at(c, find_newer(c, "unevaluatedItems"));
	node->other_members = part_at(c, find_newer(c, "unevaluatedProperties"));
}

/* Fill the node. Beside a reference, draft 7 knows no keywords. */
static void fill(struct compiler *c, struct schema_node *node)
{
	enum json_type type = type_at(c, node->place);
	struct span anchor = {0};
	uint32_t reference;

	c->node = node;
	if (type != JSON_OBJECT) {
		node->kind = type == JSON_BOOL && !json_true(text_at(c, node->place))
				 ? SCHEMA_NOTHING
				 : SCHEMA_ANYTHING;
		return;
	}
	reference = find(c, "$ref");
	if (c->schema->document.draft7 && type_at(c, reference) == JSON_STRING)
		node->reference = follow(c, reference, &anchor);
	else
		read_rules(c);
}

/* ---- the whole ---- */

/* Every place of a schema, so that a pattern that is not valid is found wherever it stands. */
static bool compile_all(struct compiler *c)
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
	struct compiler c = {
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
	uint32_t place = json_tree_find(&schema->document.tree, node->place, span_of(keyword));

	return place != JSON_NO_NODE ? json_tree_text(&schema->document.tree, place)
				     : (struct span){0};
}
