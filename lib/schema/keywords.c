/* The keywords of JSON Schema: what their values must be, how these are read, and what checks a
 * value against them. */
#include <math.h>
#include <stdlib.h>

#include "schema/checker.h"
#include "schema/compiler.h"

/* "enum" lists that are longer are sorted. */
enum { MAX_UNSORTED = 8 };

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

/* A form of values. The boolean forms of drafts 3 and 4 are accepted too where "$schema" names an
 * old draft. */
struct schema_form {
	unsigned values;
	unsigned parts; /* what their elements or members must be; 0: anything */
	enum schema_contents contents;
	const char *what;
};

#define A_SCHEMA "a schema (an object, true or false)"

static const struct schema_form
    anything = {VALUES, 0, CONTENTS_OTHER, "anything"},
    boolean = {BOOLS, 0, CONTENTS_OTHER, "true or false"},
    number = {NUMBERS, 0, CONTENTS_OTHER, "a number"},
    divisor = {DIVISORS, 0, CONTENTS_OTHER, "a number above 0"},
    count = {COUNTS, 0, CONTENTS_OTHER, "a whole number of at least 0"},
    string = {STRINGS, 0, CONTENTS_OTHER, "a string"},
    strings = {ARRAYS, STRINGS, CONTENTS_OTHER, "an array of strings"},
    array = {ARRAYS, 0, CONTENTS_OTHER, "an array"},
    types = {TYPE_NAMES | ARRAYS, TYPE_NAMES, CONTENTS_OTHER,
	     "null, boolean, number, integer, string, array or object, or an array of these"},
    schema = {SCHEMAS, 0, CONTENTS_SCHEMA, A_SCHEMA},
    content = {VALUES, 0, CONTENTS_SCHEMA, A_SCHEMA},
    items = {SCHEMAS | ARRAYS, 0, CONTENTS_SCHEMA, A_SCHEMA},
    schemas = {ARRAYS, SCHEMAS, CONTENTS_SCHEMAS, "an array of schemas"},
    members = {OBJECTS, SCHEMAS, CONTENTS_SCHEMAS, "an object of schemas"},
    definitions = {OBJECTS, 0, CONTENTS_SCHEMAS, "an object of schemas"},
    requirements = {OBJECTS, ARRAYS, CONTENTS_OTHER, "an object of arrays of strings"},
    dependencies = {OBJECTS, SCHEMAS | ARRAYS, CONTENTS_SCHEMAS,
		    "an object of schemas and arrays of strings"};

static bool is_list(const struct schema_compiler *c, uint32_t place)
{
	return json_tree_type(c->tree, place) == JSON_ARRAY;
}

static unsigned type_bit(struct span name)
{
	for (enum json_type type = JSON_NULL; type <= JSON_OBJECT; type++)
		if (json_is(name, json_type_name(type)))
			return 1U << type;
	return json_is(name, "integer") ? SCHEMA_INTEGER : 0;
}

/* Whether the value at `place` belongs to the set. */
static bool is_of(const struct schema_compiler *c, uint32_t place, unsigned set)
{
	struct span text = json_tree_text(c->tree, place);
	double value = json_double(text, -1);
	unsigned of = 1U << json_tree_type(c->tree, place);

	of |= value >= 0 && floor(value) == value ? COUNTS : 0;
	of |= value > 0 ? DIVISORS : 0;
	of |= type_bit(text) != 0 ? TYPE_NAMES : 0;
	return (of & set) != 0;
}

/* Whether the value of a keyword has its form. If not, c->wrong is set, unless the value is a
 * boolean as drafts 3 and 4 have it where "$schema" names an old draft. */
static bool has_form(struct schema_compiler *c, const struct schema_keyword *keyword,
		     uint32_t place)
{
	const struct schema_form *form = keyword->form;
	struct json_tree_walk part =
	    json_tree_walk(c->tree, form->parts != 0 ? place : JSON_NO_NODE);
	bool good = is_of(c, place, form->values);

	if (!good && c->schema->document.draft7 && json_tree_type(c->tree, place) == JSON_BOOL)
		return false;
	while (good && json_tree_next(&part)) {
		place = part.node;
		good = is_of(c, place, form->parts);
	}
	if (good)
		return true;
	c->wrong = place;
	return error_set(c->e, "usage", "\"%s\" must be %s", keyword->name, form->what);
}

/* ---- types and constants ---- */

static void read_type(struct schema_compiler *c)
{
	uint32_t place = compiler_find(c, "type");
	struct json_tree_walk name = json_tree_walk(c->tree, place);

	c->node->typed = place != JSON_NO_NODE;
	c->node->types = type_bit(json_tree_text(c->tree, place));
	while (json_tree_next(&name))
		c->node->types |= type_bit(json_tree_text(c->tree, name.node));
}

static int compare_constants(const void *a, const void *b)
{
	const struct schema_constant *left = a, *right = b;

	return (left->hash > right->hash) - (left->hash < right->hash);
}

static void read_values(struct schema_compiler *c)
{
	struct schema_node *node = c->node;
	uint32_t values = compiler_find(c, "enum"), length = json_tree_count(c->tree, values);
	struct json_tree_walk value = json_tree_walk(c->tree, values);

	node->constant = compiler_find(c, "const");
	if (!is_list(c, values))
		return;
	node->values = values;
	if (length <= MAX_UNSORTED)
		return;
	node->sorted = compiler_alloc(c, length * sizeof(*node->sorted));
	while (json_tree_next(&value))
		node->sorted[value.index] =
		    (struct schema_constant){json_tree_hash(c->tree, value.node), value.node};
	qsort(node->sorted, length, sizeof(*node->sorted), compare_constants);
}

/* ---- the rules ---- */

static bool read_limit(struct schema_compiler *c, struct schema_rule *rule)
{
	bool upper = (rule->keyword->flags & KEYWORD_UPPER) != 0;

	rule->limits = (struct schema_count){0, INT64_MAX};
	*(upper ? &rule->limits.most : &rule->limits.least) =
	    json_int(json_tree_text(c->tree, rule->place), upper ? INT64_MAX : 0);
	return true;
}

static bool read_pattern(struct schema_compiler *c, struct schema_rule *rule)
{
	rule->pattern = compiler_pattern(c, compiler_string(c, rule->place), rule->place);
	return true;
}

static bool read_true(struct schema_compiler *c, struct schema_rule *rule)
{
	return json_true(json_tree_text(c->tree, rule->place));
}

static bool read_schema(struct schema_compiler *c, struct schema_rule *rule)
{
	rule->node = compiler_node(c, rule->place);
	return true;
}

static bool read_list(struct schema_compiler *c, struct schema_rule *rule)
{
	rule->nodes = compiler_nodes(c, rule->place);
	return true;
}

/* Alternatives are checked twice if none matches: the second time to report the faults. */
static bool read_alternatives(struct schema_compiler *c, struct schema_rule *rule)
{
	read_list(c, rule);
	for (size_t i = 0; i < rule->nodes.count; i++)
		rule->nodes.at[i]->remembered = true;
	return true;
}

/* "prefixItems" alone, or "items" with those before them; draft 7 has both in "items". */
static bool read_items(struct schema_compiler *c, struct schema_rule *rule)
{
	uint32_t place = compiler_find(c, "items"), first = compiler_find_newer(c, "prefixItems");
	bool list = is_list(c, place);

	first = list ? place : first;
	if (is_list(c, first))
		rule->nodes = compiler_nodes(c, first);
	rule->node = compiler_node(c, list ? compiler_find(c, "additionalItems") : place);
	return rule->place == place || place == JSON_NO_NODE;
}

static bool read_contains(struct schema_compiler *c, struct schema_rule *rule)
{
	uint32_t least = compiler_find_newer(c, "minContains");
	uint32_t most = compiler_find_newer(c, "maxContains");

	rule->limits = (struct schema_count){json_int(json_tree_text(c->tree, least), 1),
					     json_int(json_tree_text(c->tree, most), INT64_MAX)};
	return read_schema(c, rule);
}

static bool read_required(struct schema_compiler *c, struct schema_rule *rule)
{
	c->node->required = rule->names = compiler_strings(c, rule->place);
	return rule->names.count > 0;
}

static void read_patterns(struct schema_compiler *c, struct member_rules *rules)
{
	uint32_t patterns = compiler_find(c, "patternProperties");
	struct json_tree_walk part = json_tree_walk(c->tree, patterns);

	rules->by_pattern = compiler_nodes(c, patterns);
	rules->patterns = compiler_alloc(c, rules->by_pattern.count * sizeof(struct pattern *));
	while (json_tree_next(&part))
		rules->patterns[part.index] =
		    compiler_pattern(c, json_tree_key(c->tree, part.node), part.node);
}

/* Find the properties with "const" or "enum", which rule out most objects quickly. */
static void read_constants(struct schema_compiler *c, struct member_rules *rules)
{
	struct schema_nodes all = compiler_nodes(c, rules->properties);

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
	c->node->members = rule->members = rules = compiler_alloc(c, sizeof(*rules));
	rules->properties = compiler_find(c, "properties");
	read_constants(c, rules);
	read_patterns(c, rules);
	rules->additional = compiler_node(c, compiler_find(c, "additionalProperties"));
	rules->names = compiler_node(c, compiler_find(c, "propertyNames"));
	return true;
}

static bool read_dependencies(struct schema_compiler *c, struct schema_rule *rule)
{
	struct json_tree_walk part = json_tree_walk(c->tree, rule->place);

	rule->dependencies =
	    compiler_alloc(c, json_tree_count(c->tree, rule->place) * sizeof(*rule->dependencies));
	while (json_tree_next(&part))
		rule->dependencies[part.index] = (struct schema_dependency){
		    .name = json_tree_key(c->tree, part.node),
		    .required = compiler_strings(c, part.node),
		    .schema = is_list(c, part.node) ? NULL : compiler_node(c, part.node)};
	rule->dependency_count = json_tree_count(c->tree, rule->place);
	return true;
}

static bool read_condition(struct schema_compiler *c, struct schema_rule *rule)
{
	static const char *const keywords[] = {"if", "then", "else"};

	rule->nodes.at = compiler_alloc(c, ARRAY_LEN(keywords) * sizeof(struct schema_node *));
	for (; rule->nodes.count < ARRAY_LEN(keywords); rule->nodes.count++)
		rule->nodes.at[rule->nodes.count] =
		    compiler_node(c, compiler_find(c, keywords[rule->nodes.count]));
	return true;
}

/* ---- the table ---- */

/* In the order in which values are checked. */
static const struct schema_keyword keywords[] = {
    {"type", &types, NULL, NULL, 0, 0},
    {"$ref", &string, NULL, NULL, 0, 0},
    {"$dynamicRef", &string, NULL, NULL, 0, KEYWORD_NEWER},
    {"enum", &array, NULL, NULL, 0, 0},
    {"const", &anything, NULL, NULL, 0, 0},
    {"minimum", &number, NULL, checker_bound, NUMBERS, 0},
    {"maximum", &number, NULL, checker_bound, NUMBERS, KEYWORD_UPPER},
    {"exclusiveMinimum", &number, NULL, checker_bound, NUMBERS, KEYWORD_OPEN},
    {"exclusiveMaximum", &number, NULL, checker_bound, NUMBERS, KEYWORD_UPPER | KEYWORD_OPEN},
    {"multipleOf", &divisor, NULL, checker_multiple, NUMBERS, 0},
    {"minLength", &count, read_limit, checker_size, STRINGS, 0},
    {"maxLength", &count, read_limit, checker_size, STRINGS, KEYWORD_UPPER},
    {"pattern", &string, read_pattern, checker_pattern, STRINGS, 0},
    {"minItems", &count, read_limit, checker_size, ARRAYS, 0},
    {"maxItems", &count, read_limit, checker_size, ARRAYS, KEYWORD_UPPER},
    {"prefixItems", &schemas, read_items, checker_items, ARRAYS, KEYWORD_NEWER},
    {"items", &items, read_items, checker_items, ARRAYS, 0},
    {"additionalItems", &schema, NULL, NULL, 0, 0},
    {"minContains", &count, NULL, NULL, 0, 0},
    {"maxContains", &count, NULL, NULL, 0, 0},
    {"contains", &schema, read_contains, checker_contains, ARRAYS, 0},
    {"uniqueItems", &boolean, read_true, checker_unique, ARRAYS, 0},
    {"minProperties", &count, read_limit, checker_size, OBJECTS, 0},
    {"maxProperties", &count, read_limit, checker_size, OBJECTS, KEYWORD_UPPER},
    {"required", &strings, read_required, checker_required, OBJECTS, 0},
    {"properties", &members, read_members, checker_members, OBJECTS, 0},
    {"patternProperties", &members, read_members, checker_members, OBJECTS, 0},
    {"additionalProperties", &schema, read_members, checker_members, OBJECTS, 0},
    {"propertyNames", &schema, read_members, checker_members, OBJECTS, 0},
    {"dependentRequired", &requirements, read_dependencies, checker_dependencies, OBJECTS,
     KEYWORD_NEWER},
    {"dependentSchemas", &members, read_dependencies, checker_dependencies, OBJECTS, KEYWORD_NEWER},
    {"dependencies", &dependencies, read_dependencies, checker_dependencies, OBJECTS, 0},
    {"allOf", &schemas, read_list, checker_all, VALUES, 0},
    {"anyOf", &schemas, read_alternatives, checker_any, VALUES, 0},
    {"oneOf", &schemas, read_alternatives, checker_one, VALUES, 0},
    {"if", &schema, read_condition, checker_condition, VALUES, 0},
    {"then", &schema, NULL, NULL, 0, 0},
    {"else", &schema, NULL, NULL, 0, 0},
    {"not", &schema, read_schema, checker_not, VALUES, 0},
    {"unevaluatedItems", &schema, NULL, NULL, 0, KEYWORD_NEWER},
    {"unevaluatedProperties", &schema, NULL, NULL, 0, KEYWORD_NEWER},
    {"$defs", &definitions, NULL, NULL, 0, 0},
    {"definitions", &definitions, NULL, NULL, 0, 0},
    {"contentSchema", &content, NULL, NULL, 0, 0},
};

static void read_rules(struct schema_compiler *c)
{
	struct schema_rule rules[ARRAY_LEN(keywords)];
	struct schema_node *node = c->node;

	for (const struct schema_keyword *keyword = keywords;
	     keyword < keywords + ARRAY_LEN(keywords) && c->wrong == JSON_NO_NODE; keyword++) {
		struct schema_rule *rule = &rules[node->rule_count];
		bool ignored = keyword->flags & KEYWORD_NEWER && c->schema->document.draft7;

		*rule = (struct schema_rule){.keyword = keyword,
					     .place = compiler_find(c, keyword->name)};
		if (rule->place == JSON_NO_NODE || !has_form(c, keyword, rule->place) || ignored ||
		    keyword->check == NULL || (keyword->read != NULL && !keyword->read(c, rule)))
			continue;
		if (keyword->check == checker_size && node->rule_count > 0 &&
		    rule[-1].keyword == keyword - 1) {
			rule[-1].limits.most = rule->limits.most; /* one check for both limits */
			continue;
		}
		node->combined |= keyword->types == VALUES;
		node->rule_count++;
	}
	if (node->rule_count == 0)
		return;
	node->rules = compiler_alloc(c, node->rule_count * sizeof(*rules));
	memcpy(node->rules, rules, node->rule_count * sizeof(*rules));
}

void compiler_read_keywords(struct schema_compiler *c)
{
	struct schema_node *node = c->node;
	struct span none;

	read_type(c);
	node->reference = compiler_follow(c, compiler_find(c, "$ref"), &none);
	node->dynamic = compiler_follow(c, compiler_find_newer(c, "$dynamicRef"), &node->anchor);
	c->schema->dynamic |= node->anchor.at != NULL;
	read_values(c);
	read_rules(c);
	node->other_items = compiler_node(c, compiler_find_newer(c, "unevaluatedItems"));
	node->other_members = compiler_node(c, compiler_find_newer(c, "unevaluatedProperties"));
}

enum schema_contents schema_keyword_contents(struct span name, enum json_type type)
{
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
		const struct schema_form *form = keywords[i].form;

		if (!span_is(name, keywords[i].name))
			continue;
		if ((form->values & 1U << type) == 0)
			return CONTENTS_OTHER;
		return form->contents == CONTENTS_SCHEMA && type == JSON_ARRAY ? CONTENTS_SCHEMAS
									       : form->contents;
	}
	return CONTENTS_OTHER;
}
