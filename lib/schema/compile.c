#include <math.h>
#include <stdlib.h>

#include "schema/checker.h"

/* "enum" lists that are longer are sorted. */
enum { MAX_UNSORTED = 8 };

struct schema_compiler {
	struct schema *schema;
	struct json_tree *tree;       /* of the document */
	struct schema_node **pending; /* created and not filled yet */
	size_t pending_count;
	struct schema_node *node; /* being filled */
	uint32_t wrong;           /* the place of a pattern or value that is not valid */
	struct error *e;          /* NULL is allowed */
};

/* ---- memory ---- */

static void *keep_block(struct schema *schema, void *block)
{
	schema->blocks = array_grow(schema->blocks, schema->block_count, sizeof(*schema->blocks));
	schema->blocks[schema->block_count++] = block;
	return block;
}

static void *new_block(struct schema_compiler *c, size_t size)
{
	return keep_block(c->schema, mem_zero(size));
}

/* ---- reading keywords ---- */

/* The place of a keyword's value; JSON_NO_NODE if the schema lacks it. */
static uint32_t find(const struct schema_compiler *c, const char *keyword)
{
	return json_tree_find(c->tree, c->node->place, span_of(keyword));
}

/* The same for a keyword that draft 7 does not know. */
static uint32_t find_newer(const struct schema_compiler *c, const char *keyword)
{
	return c->schema->document.draft7 ? JSON_NO_NODE : find(c, keyword);
}

static struct span text_at(const struct schema_compiler *c, uint32_t place)
{
	return place != JSON_NO_NODE ? json_tree_text(c->tree, place) : (struct span){0};
}

static enum json_type type_at(const struct schema_compiler *c, uint32_t place)
{
	return place != JSON_NO_NODE ? c->tree->nodes[place].type : JSON_ABSENT;
}

static bool is_list(const struct schema_compiler *c, uint32_t place)
{
	return type_at(c, place) == JSON_ARRAY;
}

static uint32_t count_at(const struct schema_compiler *c, uint32_t place)
{
	return place != JSON_NO_NODE ? c->tree->nodes[place].count : 0;
}

/* The decoded text of a string; absent for anything else. */
static struct span decode(struct schema_compiler *c, uint32_t place)
{
	struct span string = text_at(c, place), plain = json_plain(string);
	struct buffer text = {0};

	if (plain.at != NULL || !json_decode(string, &text))
		return plain;
	buffer_string(&text);
	keep_block(c->schema, text.at);
	return buffer_span(&text);
}

/* The place behind the parts of the container at `place`, which begin at place + 1; JSON_NO_NODE
 * has no parts. */
static uint32_t end_of(const struct schema_compiler *c, uint32_t place)
{
	return place != JSON_NO_NODE ? c->tree->nodes[place].after : 0;
}

static uint32_t next(const struct schema_compiler *c, uint32_t place)
{
	return c->tree->nodes[place].after;
}

/* The strings of an array. */
static struct schema_texts read_texts(struct schema_compiler *c, uint32_t array)
{
	struct schema_texts texts = {new_block(c, count_at(c, array) * sizeof(*texts.at)), 0};

	for (uint32_t part = array + 1; is_list(c, array) && part < end_of(c, array);
	     part = next(c, part))
		if (type_at(c, part) == JSON_STRING)
			texts.at[texts.count++] = decode(c, part);
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

static struct schema_node *part_at(struct schema_compiler *c, uint32_t place)
{
	return node_at(c, place, c->node->resource);
}

/* The schemas of an array or of an object's members. */
static struct schema_nodes read_nodes(struct schema_compiler *c, uint32_t container)
{
	struct schema_nodes nodes = {
	    new_block(c, count_at(c, container) * sizeof(struct schema_node *)), 0};

	for (uint32_t part = container + 1; part < end_of(c, container); part = next(c, part))
		nodes.at[nodes.count++] = part_at(c, part);
	return nodes;
}

/* What a reference leads to; NULL if it leads to nothing in this document. *anchor: the name of the
 * dynamic anchor that it leads to. */
static struct schema_node *follow(struct schema_compiler *c, uint32_t place, struct span *anchor)
{
	struct schema_document *document = &c->schema->document;
	struct span reference = decode(c, place), fragment;
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

/* ---- types and constants ---- */

static struct pattern *add_pattern(struct schema_compiler *c, struct span text, uint32_t place)
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
	for (enum json_type type = JSON_NULL; type <= JSON_OBJECT; type++)
		if (json_is(name, json_type_name(type)))
			return 1U << type;
	return json_is(name, "integer") ? SCHEMA_INTEGER : 0;
}

static void read_type(struct schema_compiler *c)
{
	uint32_t place = find(c, "type");

	c->node->typed = place != JSON_NO_NODE;
	c->node->types = type_bit(text_at(c, place));
	for (uint32_t name = place + 1; is_list(c, place) && name < end_of(c, place);
	     name = next(c, name))
		c->node->types |= type_bit(text_at(c, name));
}

static int compare_constants(const void *a, const void *b)
{
	const struct schema_constant *left = a, *right = b;

	return (left->hash > right->hash) - (left->hash < right->hash);
}

static void read_values(struct schema_compiler *c)
{
	struct schema_node *node = c->node;
	uint32_t values = find(c, "enum"), count = 0;

	node->constant = find(c, "const");
	if (!is_list(c, values))
		return;
	node->values = values;
	if (count_at(c, values) <= MAX_UNSORTED)
		return;
	node->sorted = new_block(c, count_at(c, values) * sizeof(*node->sorted));
	for (uint32_t part = values + 1; part < end_of(c, values); part = next(c, part))
		node->sorted[count++] =
		    (struct schema_constant){json_tree_hash(c->tree, part), part};
	qsort(node->sorted, count, sizeof(*node->sorted), compare_constants);
}

/* ---- what the values of keywords must be ---- */

/* Sets of values: a bit for each enum json_type, and for some of their values. */
enum {
	BOOLS = 1U << JSON_BOOL,
	NUMBERS = 1U << JSON_NUMBER,
	STRINGS = 1U << JSON_STRING,
	ARRAYS = 1U << JSON_ARRAY,
	OBJECTS = 1U << JSON_OBJECT,
	SCHEMAS = OBJECTS | BOOLS,
	COUNTS = 1U << 16,   /* whole numbers of at least 0 */
	DIVISORS = 1U << 17, /* numbers above 0 */
	TYPE_NAMES = 1U << 18,
	VALUES = ~0U >> 1,
};

/* `parts`: what the elements or members of an array or object must be. The boolean forms of
 * drafts 3 and 4 are accepted where "$schema" names an old draft. Annotations are not checked. */
static const struct keyword_value {
	const char *names[6];
	unsigned types, parts;
	const char *what;
} keyword_values[] = {
    {{"type"},
     TYPE_NAMES | ARRAYS,
     TYPE_NAMES,
     "null, boolean, number, integer, string, array or object, or an array of these"},
    {{"enum"}, ARRAYS, VALUES, "an array"},
    {{"required"}, ARRAYS, STRINGS, "an array of strings"},
    {{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}, NUMBERS, 0, "a number"},
    {{"multipleOf"}, DIVISORS, 0, "a number above 0"},
    {{"minLength", "maxLength", "minItems", "maxItems"}, COUNTS, 0, "a whole number of at least 0"},
    {{"minProperties", "maxProperties", "minContains", "maxContains"},
     COUNTS,
     0,
     "a whole number of at least 0"},
    {{"pattern", "$ref", "$dynamicRef"}, STRINGS, 0, "a string"},
    {{"uniqueItems"}, BOOLS, 0, "true or false"},
    {{"allOf", "anyOf", "oneOf", "prefixItems"}, ARRAYS, SCHEMAS, "an array of schemas"},
    {{"properties", "patternProperties", "dependentSchemas"},
     OBJECTS,
     SCHEMAS,
     "an object of schemas"},
    {{"$defs", "definitions"}, OBJECTS, VALUES, "an object of schemas"},
    {{"dependentRequired"}, OBJECTS, ARRAYS, "an object of arrays of strings"},
    {{"dependencies"}, OBJECTS, SCHEMAS | ARRAYS, "an object of schemas and arrays of strings"},
    {{"items"}, SCHEMAS | ARRAYS, VALUES, "a schema (an object, true or false)"},
    {{"contains", "additionalItems", "additionalProperties", "propertyNames", "not"},
     SCHEMAS,
     VALUES,
     "a schema (an object, true or false)"},
    {{"if", "then", "else", "unevaluatedItems", "unevaluatedProperties"},
     SCHEMAS,
     VALUES,
     "a schema (an object, true or false)"},
};

/* Whether the value at `place` belongs to the set. */
static bool is_of(const struct schema_compiler *c, uint32_t place, unsigned set)
{
	struct span text = text_at(c, place);
	double number = json_double(text, -1);
	unsigned of = 1U << type_at(c, place);

	of |= number >= 0 && floor(number) == number ? COUNTS : 0;
	of |= number > 0 ? DIVISORS : 0;
	of |= type_bit(text) != 0 ? TYPE_NAMES : 0;
	return (of & set) != 0;
}

static bool check_value(struct schema_compiler *c, uint32_t place, const char *name,
			const struct keyword_value *value)
{
	bool good = is_of(c, place, value->types) ||
		    (c->schema->document.draft7 && type_at(c, place) == JSON_BOOL);
	bool nested = type_at(c, place) == JSON_ARRAY || value->types == OBJECTS;

	c->wrong = place;
	for (uint32_t part = place + 1; good && nested && part < end_of(c, place);
	     part = next(c, part)) {
		good = is_of(c, part, value->parts);
		c->wrong = part;
	}
	if (!good)
		error_set(c->e, "usage", "\"%s\" must be %s", name, value->what);
	else
		c->wrong = JSON_NO_NODE;
	return good;
}

/* Whether the keywords of the node have values of their types. */
static bool check_keywords(struct schema_compiler *c)
{
	for (size_t i = 0; i < ARRAY_LEN(keyword_values); i++) {
		const struct keyword_value *value = &keyword_values[i];

		for (size_t n = 0; n < ARRAY_LEN(value->names) && value->names[n] != NULL; n++) {
			uint32_t place = find(c, value->names[n]);

			if (place != JSON_NO_NODE && !check_value(c, place, value->names[n], value))
				return false;
		}
	}
	return true;
}

/* ---- the rules ---- */

static bool read_number(struct schema_compiler *c, struct schema_rule *rule)
{
	return type_at(c, rule->place) == JSON_NUMBER;
}

static bool read_divisor(struct schema_compiler *c, struct schema_rule *rule)
{
	return json_double(text_at(c, rule->place), 0) > 0;
}

static bool read_limit(struct schema_compiler *c, struct schema_rule *rule)
{
	bool upper = (rule->keyword->flags & KEYWORD_UPPER) != 0;

	rule->limits = (struct schema_count){0, INT64_MAX};
	*(upper ? &rule->limits.most : &rule->limits.least) =
	    json_int(text_at(c, rule->place), upper ? INT64_MAX : 0);
	return true;
}

static bool read_pattern(struct schema_compiler *c, struct schema_rule *rule)
{
	struct span pattern = decode(c, rule->place);

	if (pattern.at != NULL)
		rule->pattern = add_pattern(c, pattern, rule->place);
	return rule->pattern != NULL;
}

static bool read_true(struct schema_compiler *c, struct schema_rule *rule)
{
	return json_true(text_at(c, rule->place));
}

static bool read_schema(struct schema_compiler *c, struct schema_rule *rule)
{
	rule->node = part_at(c, rule->place);
	return true;
}

static bool read_list(struct schema_compiler *c, struct schema_rule *rule)
{
	if (is_list(c, rule->place))
		rule->nodes = read_nodes(c, rule->place);
	return is_list(c, rule->place);
}

/* Alternatives are checked twice if none matches: the second time to report the faults. */
static bool read_alternatives(struct schema_compiler *c, struct schema_rule *rule)
{
	bool good = read_list(c, rule);

	for (size_t i = 0; i < rule->nodes.count; i++)
		rule->nodes.at[i]->remembered = true;
	return good;
}

/* "prefixItems" alone, or "items" with those before them; draft 7 has both in "items". */
static bool read_items(struct schema_compiler *c, struct schema_rule *rule)
{
	uint32_t items = find(c, "items"), first = find_newer(c, "prefixItems");
	bool list = is_list(c, items);

	first = list ? items : first;
	if (is_list(c, first))
		rule->nodes = read_nodes(c, first);
	rule->node = part_at(c, list ? find(c, "additionalItems") : items);
	return rule->place == items || items == JSON_NO_NODE;
}

static bool read_contains(struct schema_compiler *c, struct schema_rule *rule)
{
	rule->limits =
	    (struct schema_count){json_int(text_at(c, find_newer(c, "minContains")), 1),
				  json_int(text_at(c, find_newer(c, "maxContains")), INT64_MAX)};
	return read_schema(c, rule);
}

static bool read_required(struct schema_compiler *c, struct schema_rule *rule)
{
	c->node->required = rule->names = read_texts(c, rule->place);
	return rule->names.count > 0;
}

static void read_patterns(struct schema_compiler *c, struct member_rules *rules)
{
	uint32_t patterns = find(c, "patternProperties");
	size_t count = 0;

	if (type_at(c, patterns) != JSON_OBJECT)
		return;
	rules->by_pattern = read_nodes(c, patterns);
	rules->patterns = new_block(c, rules->by_pattern.count * sizeof(struct pattern *));
	for (uint32_t part = patterns + 1; part < end_of(c, patterns); part = next(c, part))
		rules->patterns[count++] = add_pattern(c, json_tree_key(c->tree, part), part);
}

/* Find the properties with "const" or "enum", which rule out most objects quickly. */
static void read_constants(struct schema_compiler *c, struct member_rules *rules)
{
	struct schema_nodes all = read_nodes(c, rules->properties);

	rules->constants.at = all.at;
	for (size_t i = 0; i < all.count; i++)
		if (json_tree_find(c->tree, all.at[i]->place, SPAN("const")) != JSON_NO_NODE ||
		    json_tree_find(c->tree, all.at[i]->place, SPAN("enum")) != JSON_NO_NODE)
			rules->constants.at[rules->constants.count++] = all.at[i];
}

/* One rule for the four keywords about members. */
static bool read_members(struct schema_compiler *c, struct schema_rule *rule)
{
	struct member_rules *rules;

	if (c->node->members != NULL)
		return false;
	c->node->members = rule->members = rules = new_block(c, sizeof(*rules));
	rules->properties = find(c, "properties");
	if (type_at(c, rules->properties) != JSON_OBJECT)
		rules->properties = JSON_NO_NODE;
	read_constants(c, rules);
	read_patterns(c, rules);
	rules->additional = part_at(c, find(c, "additionalProperties"));
	rules->names = part_at(c, find(c, "propertyNames"));
	return true;
}

static bool read_dependencies(struct schema_compiler *c, struct schema_rule *rule)
{
	struct schema_dependency *dependency;

	if (type_at(c, rule->place) != JSON_OBJECT)
		return false;
	dependency = rule->dependencies =
	    new_block(c, count_at(c, rule->place) * sizeof(*rule->dependencies));
	for (uint32_t part = rule->place + 1; part < end_of(c, rule->place); part = next(c, part))
		*dependency++ = (struct schema_dependency){
		    .name = json_tree_key(c->tree, part),
		    .required = read_texts(c, part),
		    .schema = is_list(c, part) ? NULL : part_at(c, part)};
	rule->dependency_count = count_at(c, rule->place);
	return true;
}

static bool read_condition(struct schema_compiler *c, struct schema_rule *rule)
{
	static const char *const keywords[] = {"if", "then", "else"};

	rule->nodes.at = new_block(c, ARRAY_LEN(keywords) * sizeof(struct schema_node *));
	for (; rule->nodes.count < ARRAY_LEN(keywords); rule->nodes.count++)
		rule->nodes.at[rule->nodes.count] =
		    part_at(c, find(c, keywords[rule->nodes.count]));
	return true;
}

/* In the order in which they are checked. */
static const struct schema_keyword keywords[] = {
    {"minimum", read_number, checker_bound, NUMBERS, 0},
    {"maximum", read_number, checker_bound, NUMBERS, KEYWORD_UPPER},
    {"exclusiveMinimum", read_number, checker_bound, NUMBERS, KEYWORD_OPEN},
    {"exclusiveMaximum", read_number, checker_bound, NUMBERS, KEYWORD_UPPER | KEYWORD_OPEN},
    {"multipleOf", read_divisor, checker_multiple, NUMBERS, 0},
    {"minLength", read_limit, checker_size, STRINGS, 0},
    {"maxLength", read_limit, checker_size, STRINGS, KEYWORD_UPPER},
    {"pattern", read_pattern, checker_pattern, STRINGS, 0},
    {"minItems", read_limit, checker_size, ARRAYS, 0},
    {"maxItems", read_limit, checker_size, ARRAYS, KEYWORD_UPPER},
    {"prefixItems", read_items, checker_items, ARRAYS, KEYWORD_NEWER},
    {"items", read_items, checker_items, ARRAYS, 0},
    {"contains", read_contains, checker_contains, ARRAYS, 0},
    {"uniqueItems", read_true, checker_unique, ARRAYS, 0},
    {"minProperties", read_limit, checker_size, OBJECTS, 0},
    {"maxProperties", read_limit, checker_size, OBJECTS, KEYWORD_UPPER},
    {"required", read_required, checker_required, OBJECTS, 0},
    {"properties", read_members, checker_members, OBJECTS, 0},
    {"patternProperties", read_members, checker_members, OBJECTS, 0},
    {"additionalProperties", read_members, checker_members, OBJECTS, 0},
    {"propertyNames", read_members, checker_members, OBJECTS, 0},
    {"dependentRequired", read_dependencies, checker_dependencies, OBJECTS, KEYWORD_NEWER},
    {"dependentSchemas", read_dependencies, checker_dependencies, OBJECTS, KEYWORD_NEWER},
    {"dependencies", read_dependencies, checker_dependencies, OBJECTS, 0},
    {"allOf", read_list, checker_all, VALUES, 0},
    {"anyOf", read_alternatives, checker_any, VALUES, 0},
    {"oneOf", read_alternatives, checker_one, VALUES, 0},
    {"if", read_condition, checker_condition, VALUES, 0},
    {"not", read_schema, checker_not, VALUES, 0},
};

static void read_rules(struct schema_compiler *c)
{
	struct schema_rule rules[ARRAY_LEN(keywords)];
	struct schema_node *node = c->node;

	for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
		struct schema_rule *rule = &rules[node->rule_count];

		*rule = (struct schema_rule){.keyword = &keywords[i]};
		rule->place =
		    (keywords[i].flags & KEYWORD_NEWER ? find_newer : find)(c, keywords[i].name);
		if (rule->place == JSON_NO_NODE || !keywords[i].read(c, rule))
			continue;
		if (keywords[i].check == checker_size && node->rule_count > 0 &&
		    rule[-1].keyword == &keywords[i - 1]) {
			rule[-1].limits.most = rule->limits.most; /* one check for both limits */
			continue;
		}
		node->combined |= keywords[i].types == VALUES;
		node->rule_count++;
	}
	node->rules = new_block(c, node->rule_count * sizeof(*rules));
	memcpy(node->rules, rules, node->rule_count * sizeof(*rules));
}

const struct schema_rule *schema_rule(const struct schema_node *node, const char *keyword)
{
	for (size_t i = 0; i < node->rule_count; i++)
		if (strcmp(node->rules[i].keyword->name, keyword) == 0)
			return &node->rules[i];
	return NULL;
}

static void read_keywords(struct schema_compiler *c)
{
	struct schema_node *node = c->node;
	struct span none = {0};

	read_type(c);
	node->reference = follow(c, find(c, "$ref"), &none);
	node->dynamic = follow(c, find_newer(c, "$dynamicRef"), &node->anchor);
	c->schema->dynamic |= node->anchor.at != NULL;
	read_values(c);
	read_rules(c);
	node->other_items = part_at(c, find_newer(c, "unevaluatedItems"));
	node->other_members = part_at(c, find_newer(c, "unevaluatedProperties"));
}

/* Fill the node. Draft 7 ignores all keywords beside a reference. */
static void fill(struct schema_compiler *c, struct schema_node *node)
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
	else if (check_keywords(c))
		read_keywords(c);
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
	uint32_t place = json_tree_find(&schema->document.tree, node->place, span_of(keyword));

	return place != JSON_NO_NODE ? json_tree_text(&schema->document.tree, place)
				     : (struct span){0};
}
