#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "json/decimal.h"
#include "schema/checker.h"

/* The generator gives up at values deeper than MAX_DEPTH, after MAX_TRIES schemas, or after
 * MAX_STEPS steps of checking its values. */
enum { MAX_DEPTH = 40, MAX_TRIES = 20000, MAX_STEPS = 200000, MAX_LENGTH = 100000 };

/* The schemas that one value must satisfy together: a schema, what it refers to, all of its allOf,
 * one each of its anyOf and oneOf. A keyword is searched in each of them. */
struct schema_parts {
	struct span *at;
	size_t count;
};

struct generator {
	struct schema *schema; /* the whole */
	int depth, max_depth;
	size_t tries;
	int64_t steps;  /* of checking, left */
	size_t variant; /* different values for items that must differ */
};

static bool generate(struct generator *g, struct span schema, struct buffer *out);

static bool is_over(const struct generator *g)
{
	return g->tries > MAX_TRIES || g->steps < 0;
}

static void put_value(struct buffer *out, struct span value)
{
	json_comma(out);
	json_write_compact(out, value);
}

/* The compiled form of a schema of the document; NULL if it is none. */
static const struct schema_node *node_of(const struct generator *g, struct span schema)
{
	uint32_t place = json_tree_at(&g->schema->document.tree, schema.at);

	return place != JSON_NO_NODE ? g->schema->nodes[place] : NULL;
}

static struct span keyword(const struct schema_parts *parts, const char *name)
{
	struct span found = {0};

	for (size_t i = 0; i < parts->count && found.at == NULL; i++)
		found = json_get(parts->at[i], name);
	return found;
}

static int64_t keyword_int(const struct schema_parts *parts, const char *name, int64_t otherwise)
{
	return json_int(keyword(parts, name), otherwise);
}

/* ---- choosing ---- */

static struct span element(struct span array, size_t index)
{
	struct json_walk walk = json_walk(array);
	size_t count = json_count(array);

	index = count > 0 ? index % count : 0;
	while (json_next(&walk))
		if (index-- == 0)
			return walk.value;
	return (struct span){0};
}

static void add_part(struct generator *g, struct schema_parts *parts, struct span schema,
		     size_t choice)
{
	static const char *const alternatives[] = {"anyOf", "oneOf"};
	const struct schema_node *node;
	size_t count = 1;

	if (json_type(schema) != JSON_OBJECT || parts->count > MAX_DEPTH)
		return;
	parts->at = array_grow(parts->at, parts->count, sizeof(*parts->at));
	parts->at[parts->count++] = schema;
	node = node_of(g, schema);
	if (node != NULL && node->reference != NULL)
		add_part(g, parts,
			 json_tree_text(&g->schema->document.tree, node->reference->place), choice);
	for (struct json_walk all = json_walk(json_get(schema, "allOf")); json_next(&all);)
		add_part(g, parts, all.value, choice);
	for (size_t i = 0; i < 2; i++) {
		struct span array = json_get(schema, alternatives[i]);

		add_part(g, parts, element(array, choice), choice);
		count = json_count(array) > count ? json_count(array) : count;
	}
	add_part(g, parts, json_get(schema, choice < count ? "else" : "then"), choice);
}

/* How many choices there are: alternatives, with "else" and with "then". */
static size_t count_choices(struct generator *g, struct span schema)
{
	struct schema_parts parts = {0};
	size_t most = 1;

	add_part(g, &parts, schema, 0);
	for (size_t i = 0; i < parts.count; i++) {
		size_t any = json_count(json_get(parts.at[i], "anyOf"));
		size_t one = json_count(json_get(parts.at[i], "oneOf"));

		any = any > one ? any : one;
		any = (any > 0 ? any : 1) * (json_get(parts.at[i], "if").at != NULL ? 2 : 1);
		most = any > most ? any : most;
	}
	free(parts.at);
	return most;
}

static bool satisfies(struct generator *g, struct span schema, struct span value)
{
	const struct schema_node *node = node_of(g, schema);

	return node == NULL || schema_check_part(g->schema, node->place, value, &g->steps);
}

/* ---- numbers ---- */

struct range {
	double least, most, step;
	bool integer;
};

static struct range range_of(const struct schema_parts *parts, bool integer)
{
	double least = json_double(keyword(parts, "minimum"), -INFINITY);
	double most = json_double(keyword(parts, "maximum"), INFINITY);
	double above = json_double(keyword(parts, "exclusiveMinimum"), -INFINITY);
	double below = json_double(keyword(parts, "exclusiveMaximum"), INFINITY);
	struct range range = {least, most, json_double(keyword(parts, "multipleOf"), 0), integer};
	/* There must be room for a number between two exclusive bounds. */
	double inside = isinf(above) || isinf(below) || integer ? 1 : (below - above) / 2;

	if (above >= least)
		range.least = integer ? floor(above) + 1 : above + inside;
	if (below <= most)
		range.most = integer ? ceil(below) - 1 : below - inside;
	if (integer) {
		range.least = ceil(range.least);
		range.most = floor(range.most);
		range.step = range.step > 0 ? range.step : 1;
	}
	return range;
}

static void write_number(struct generator *g, const struct schema_parts *parts, bool integer,
			 struct buffer *out)
{
	struct range range = range_of(parts, integer);
	struct span least = keyword(parts, "minimum");
	double value = range.least > 0 ? range.least : range.most < 0 ? range.most : 0;

	/* A bound keeps its digits, of which there may be more than a double has. */
	if (g->variant == 0 && value == range.least && range.step <= 1 &&
	    json_type(least) == JSON_NUMBER && json_double(least, 0) == value &&
	    (!integer || decimal_is_integer(least))) {
		put_value(out, least);
		return;
	}
	if (range.step > 0)
		value =
		    (value < 0 ? floor(value / range.step) : ceil(value / range.step)) * range.step;
	value += (double)g->variant * (range.step > 0 ? range.step : 1) * (value < 0 ? -1 : 1);
	json_comma(out);
	if (fabs(value) < 9e15 && value == floor(value))
		json_write_int(out, (int64_t)value);
	else
		json_write_double(out, value);
}

/* ---- strings ---- */

static const char *format_example(struct span format)
{
	static const char *const examples[][2] = {
	    {"date", "2024-01-01"},          {"date-time", "2024-01-01T00:00:00Z"},
	    {"time", "00:00:00Z"},           {"duration", "PT1S"},
	    {"email", "a@example.com"},      {"hostname", "example.com"},
	    {"ipv4", "127.0.0.1"},           {"ipv6", "::1"},
	    {"uri", "https://example.com/"}, {"uri-reference", "/"},
	    {"url", "https://example.com/"}, {"uuid", "00000000-0000-4000-8000-000000000000"},
	};

	for (size_t i = 0; i < ARRAY_LEN(examples); i++)
		if (json_is(format, examples[i][0]))
			return examples[i][1];
	return NULL;
}

/* The first pattern that the string must match; NULL: any. */
static struct pattern *pattern_of(const struct generator *g, const struct schema_parts *parts)
{
	for (size_t i = 0; i < parts->count; i++) {
		const struct schema_node *node = node_of(g, parts->at[i]);
		const struct schema_rule *rule = node != NULL ? schema_rule(node, "pattern") : NULL;

		if (rule != NULL)
			return rule->pattern;
	}
	return NULL;
}

static void write_string(struct generator *g, const struct schema_parts *parts, struct buffer *out)
{
	int64_t least = keyword_int(parts, "minLength", 0);
	int64_t most = keyword_int(parts, "maxLength", INT64_MAX);
	const char *format = format_example(keyword(parts, "format"));
	struct pattern *pattern = pattern_of(g, parts);
	struct buffer text = {0};

	if (pattern != NULL) {
		pattern_example(pattern, &text);
	} else if (format != NULL) {
		buffer_add_text(&text, format);
	} else {
		if (least == 0 && most > 0)
			least = 1;
		for (int64_t i = 0; i < least && i < MAX_LENGTH; i++)
			buffer_add_char(&text, (char)('a' + (g->variant + (size_t)i / 26) % 26));
	}
	json_comma(out);
	json_write_string(out, buffer_span(&text));
	buffer_free(&text);
}

/* ---- arrays and objects ---- */

static void write_array(struct generator *g, const struct schema_parts *parts, struct buffer *out)
{
	struct span items = keyword(parts, "items"), first = keyword(parts, "prefixItems");
	int64_t least = keyword_int(parts, "minItems", -1);
	int64_t most = keyword_int(parts, "maxItems", INT64_MAX), count;
	size_t variant = g->variant;

	if (json_type(items) == JSON_ARRAY) {
		first = items;
		items = (struct span){0};
	}
	if (items.at == NULL && keyword(parts, "contains").at != NULL)
		items = keyword(parts, "contains");
	count = (int64_t)json_count(first);
	if (count == 0 && least < 0)
		count = 1;
	count = count > least ? count : least;
	count = count < most ? count : most;
	json_open(out, '[');
	for (int64_t i = 0; i < count && !is_over(g); i++) {
		bool is_first = i < (int64_t)json_count(first);

		if (json_true(keyword(parts, "uniqueItems")))
			g->variant = (size_t)i;
		generate(g, is_first ? element(first, (size_t)i) : items, out);
	}
	g->variant = variant;
	json_close(out, ']');
}

static void write_member(struct generator *g, const struct schema_parts *parts, const char *name,
			 struct buffer *out)
{
	struct span property = {0};

	for (size_t i = 0; i < parts->count && property.at == NULL; i++)
		property = json_get(json_get(parts->at[i], "properties"), name);
	if (property.at == NULL)
		property = keyword(parts, "additionalProperties");
	json_key(out, name);
	generate(g, property, out);
}

/* Write the members that the strings in `names` (or its keys) name, unless they are in `written`,
 * until it has `wanted` members. */
static void write_members(struct generator *g, const struct schema_parts *parts, struct span names,
			  struct table *written, int64_t wanted, struct buffer *out)
{
	for (struct json_walk walk = json_walk(names);
	     (int64_t)written->count < wanted && json_next(&walk);) {
		char *name = json_text(walk.is_object ? walk.key : walk.value);

		if (name == NULL || table_find(written, span_of(name)) != NULL) {
			free(name);
			continue;
		}
		table_add(written, span_of(name));
		write_member(g, parts, name, out);
	}
}

static void write_object(struct generator *g, const struct schema_parts *parts, struct buffer *out)
{
	int64_t least = keyword_int(parts, "minProperties", 0);
	struct table written = {0}; /* it owns the names */

	json_open(out, '{');
	for (size_t i = 0; i < parts->count; i++)
		write_members(g, parts, json_get(parts->at[i], "required"), &written, INT64_MAX,
			      out);
	for (size_t i = 0; i < parts->count; i++)
		write_members(g, parts, json_get(parts->at[i], "properties"), &written, least, out);
	for (int64_t i = (int64_t)written.count; i < least && !is_over(g); i++) {
		char *name = mem_format("extra_%lld", (long long)(i - (int64_t)written.count) + 1);

		write_member(g, parts, name, out);
		free(name);
	}
	json_close(out, '}');
	for (size_t i = 0; i < written.capacity; i++)
		free((char *)written.slots[i].key.at);
	table_free(&written);
}

/* ---- any value ---- */

/* The type to generate: that of "type", else the one that other keywords apply to. */
static enum json_type choose_type(const struct schema_parts *parts, bool *integer)
{
	static const char *const hints[][7] = {
	    [JSON_OBJECT] = {"properties", "required", "minProperties"},
	    [JSON_ARRAY] = {"items", "prefixItems", "minItems"},
	    [JSON_NUMBER] = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
			     "multipleOf"}};
	struct span type = keyword(parts, "type");

	if (json_type(type) == JSON_ARRAY)
		type = element(type, json_is(element(type, 0), "null"));
	*integer = json_is(type, "integer");
	if (*integer)
		return JSON_NUMBER;
	for (enum json_type i = JSON_NULL; i <= JSON_OBJECT; i++)
		if (json_is(type, json_type_name(i)))
			return i;
	for (size_t i = ARRAY_LEN(hints); i-- > 0;)
		for (const char *const *hint = hints[i]; *hint != NULL; hint++)
			if (keyword(parts, *hint).at != NULL)
				return (enum json_type)i;
	return JSON_STRING;
}

static void write_typed(struct generator *g, const struct schema_parts *parts, struct buffer *out)
{
	bool integer;
	enum json_type type = choose_type(parts, &integer);

	if (g->depth > g->max_depth && (type == JSON_OBJECT || type == JSON_ARRAY))
		type = JSON_NULL;
	switch (type) {
	case JSON_OBJECT:
		write_object(g, parts, out);
		break;
	case JSON_ARRAY:
		write_array(g, parts, out);
		break;
	case JSON_STRING:
		write_string(g, parts, out);
		break;
	case JSON_NUMBER:
		write_number(g, parts, integer, out);
		break;
	default:
		put_value(out, type == JSON_NULL     ? SPAN("null")
			       : g->variant % 2 != 0 ? SPAN("true")
						     : SPAN("false"));
	}
}

/* A value that the schema contains. */
static struct span given_value(struct generator *g, const struct schema_parts *parts)
{
	struct span value = keyword(parts, "const");

	if (value.at == NULL)
		value = element(keyword(parts, "enum"), g->variant);
	if (value.at == NULL)
		value = element(keyword(parts, "examples"), g->variant);
	return value.at == NULL && g->variant == 0 ? keyword(parts, "default") : value;
}

static void write_choice(struct generator *g, struct span schema, size_t choice, bool given,
			 struct buffer *out)
{
	struct schema_parts parts = {0};
	struct span value;

	add_part(g, &parts, schema, choice);
	value = given ? given_value(g, &parts) : (struct span){0};
	if (value.at != NULL)
		put_value(out, value);
	else
		write_typed(g, &parts, out);
	free(parts.at);
}

/* The value written behind `start`, without the comma before it. */
static struct span written(const struct buffer *out, size_t start)
{
	struct span value = span_from(buffer_span(out), start);

	return json_trim(value.len > 0 && value.at[0] == ',' ? span_from(value, 1) : value);
}

/* Append the value of the first choice that satisfies the schema, else that of the last one. */
static bool generate(struct generator *g, struct span schema, struct buffer *out)
{
	size_t start = out->len, choices;
	bool good = false;

	g->tries++;
	choices = is_over(g) ? 0 : count_choices(g, schema);
	g->depth++;
	if (choices == 0)
		put_value(out, SPAN("null"));
	for (size_t i = 0; !good && i < 2 * choices; i++) {
		out->len = start;
		write_choice(g, schema, i / 2, i % 2 == 0, out);
		good = schema.at == NULL || satisfies(g, schema, written(out, start));
	}
	g->depth--;
	return good;
}

/* Try small depths first: a schema that contains itself would otherwise give the deepest value. */
bool schema_example(struct schema *schema, struct buffer *out)
{
	struct generator g = {.schema = schema, .steps = MAX_STEPS};
	struct buffer value = {0};
	bool good = false;

	while (!good && !schema->oversized && g.max_depth < MAX_DEPTH && g.steps >= 0) {
		g.max_depth = g.max_depth < 8 ? g.max_depth + 1 : g.max_depth * 2;
		g.tries = 0;
		buffer_clear(&value);
		good = generate(&g, json_tree_text(&schema->document.tree, 0), &value);
	}
	buffer_add_span(out, buffer_span(&value));
	buffer_free(&value);
	return good;
}
