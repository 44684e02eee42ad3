#include <stdlib.h>

#include "base/utf8.h"
#include "json/decimal.h"
#include "schema/checker.h"

enum {
	MAX_LISTED = 20,   /* values of an enum that are written */
	BYTES_A_STEP = 64, /* comparing or counting so many bytes is one step */
};

/* ---- types and constants ---- */

static struct span value_text(const struct schema_checker *c, uint32_t value)
{
	return json_tree_text(c->value, value);
}

bool checker_has_type(const struct schema_checker *c, const struct schema_node *node,
		      uint32_t value)
{
	enum json_type type = json_tree_type(c->value, value);

	return !node->typed || (node->types & 1U << type) != 0 ||
	       (type == JSON_NUMBER && (node->types & SCHEMA_INTEGER) != 0 &&
		decimal_is_integer(value_text(c, value)));
}

/* The values of an array as "a, b or c". */
static void list_values(struct buffer *out, struct span array, bool plain)
{
	struct json_walk walk = json_walk(array);
	size_t count = json_count(array), i = 0;

	while (json_next(&walk) && i < MAX_LISTED) {
		if (i++ > 0)
			buffer_add_text(out, i == count ? " or " : ", ");
		if (plain)
			json_decode(walk.value, out);
		else
			json_write_compact(out, walk.value);
	}
	if (count > MAX_LISTED)
		buffer_add_format(out, ", ... (%zu in all)", count);
}

bool checker_wrong_type(struct schema_checker *c, const struct schema_node *node, uint32_t value)
{
	struct span type = schema_keyword(c->schema, node, "type");
	struct buffer names = {0};

	if (c->why == NULL)
		return false;
	if (!json_decode(type, &names))
		list_values(&names, type, true);
	checker_fault(c, "must be %s, not %s", buffer_string(&names),
		      json_type_name(json_tree_type(c->value, value)));
	buffer_free(&names);
	return false;
}

/* Whether the value equals the constant at `place` of the document. */
static bool equals(struct schema_checker *c, uint32_t place, uint32_t value)
{
	return checker_spend(c, 1 + c->value->nodes[value].len / BYTES_A_STEP) &&
	       json_tree_equal(&c->schema->document.tree, place, c->value, value);
}

/* Whether the value is in a long "enum". */
static bool is_sorted_value(struct schema_checker *c, const struct schema_node *node,
			    uint32_t value)
{
	size_t first = 0, count = json_tree_count(&c->schema->document.tree, node->values),
	       last = count;
	uint32_t hash;

	if (!checker_spend(c, 4 + c->value->nodes[value].len / BYTES_A_STEP))
		return false;
	hash = json_tree_hash(c->value, value);
	while (first < last) {
		size_t middle = first + (last - first) / 2;

		if (node->sorted[middle].hash < hash)
			first = middle + 1;
		else
			last = middle;
	}
	for (; first < count && node->sorted[first].hash == hash; first++)
		if (equals(c, node->sorted[first].place, value))
			return true;
	return false;
}

static bool is_value(struct schema_checker *c, const struct schema_node *node, uint32_t value)
{
	struct json_tree_walk constant = json_tree_walk(&c->schema->document.tree, node->values);

	if (node->values == JSON_NO_NODE)
		return true;
	if (node->sorted != NULL)
		return is_sorted_value(c, node, value);
	while (json_tree_next(&constant))
		if (equals(c, constant.node, value))
			return true;
	return false;
}

static bool is_constant(struct schema_checker *c, const struct schema_node *node, uint32_t value)
{
	return node->constant == JSON_NO_NODE || equals(c, node->constant, value);
}

bool checker_values(struct schema_checker *c, const struct schema_node *node, uint32_t value)
{
	struct buffer names = {0};
	bool good = is_value(c, node, value);

	if (!good && c->why != NULL) {
		list_values(&names, schema_keyword(c->schema, node, "enum"), false);
		checker_fault(c, "must be %s", buffer_string(&names));
	}
	if (!is_constant(c, node, value)) {
		buffer_clear(&names);
		if (c->why != NULL)
			json_write_compact(&names, schema_keyword(c->schema, node, "const"));
		good = checker_fault(c, "must be %s", buffer_string(&names));
	}
	buffer_free(&names);
	return good;
}

/* ---- numbers ---- */

static struct span rule_text(const struct schema_checker *c, const struct schema_rule *rule)
{
	return json_tree_text(&c->schema->document.tree, rule->place);
}

bool checker_bound(struct schema_checker *c, const struct schema_rule *rule, uint32_t value)
{
	static const char *const words[2][2] = {{"at least", "more than"},
						{"at most", "less than"}};
	bool upper = rule->keyword->flags & KEYWORD_UPPER;
	bool exclusive = rule->keyword->flags & KEYWORD_OPEN;
	struct span bound = rule_text(c, rule), number = value_text(c, value);
	int order = upper ? decimal_compare(bound, number) : decimal_compare(number, bound);

	if (!checker_spend(c, number.len / BYTES_A_STEP))
		return false;
	return order > 0 || (order == 0 && !exclusive) ||
	       checker_fault(c, "must be %s %.*s", words[upper][exclusive], SPAN_ARG(bound));
}

bool checker_multiple(struct schema_checker *c, const struct schema_rule *rule, uint32_t value)
{
	struct span divisor = rule_text(c, rule), number = value_text(c, value);

	return checker_spend(c, number.len / BYTES_A_STEP) &&
	       (decimal_is_multiple(number, divisor) ||
		checker_fault(c, "must be a multiple of %.*s", SPAN_ARG(divisor)));
}

/* ---- strings and sizes ---- */

static size_t code_points(struct span text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += !utf8_continues(text.at[i]);
	return count;
}

/* Whether the pattern is found; false if the search is too expensive. */
static bool matches(struct schema_checker *c, struct pattern *pattern, struct span text)
{
	enum pattern_result result;

	if (!checker_spend(c, 1))
		return false;
	result = pattern_match(pattern, text, &c->steps);
	c->expensive |= result == PATTERN_EXPENSIVE;
	return result == PATTERN_MATCHES;
}

static struct span string_text(struct schema_checker *c, uint32_t value, struct buffer *scratch)
{
	struct span string = value_text(c, value);

	checker_spend(c, string.len / BYTES_A_STEP);
	return json_string_text(string, scratch);
}

bool checker_size(struct schema_checker *c, const struct schema_rule *rule, uint32_t value)
{
	static const char *const words[][2] = {[JSON_STRING] = {"characters", "character"},
					       [JSON_ARRAY] = {"items", "item"},
					       [JSON_OBJECT] = {"properties", "property"}};
	enum json_type type = json_tree_type(c->value, value);
	struct buffer decoded = {0};
	size_t size = type == JSON_STRING ? code_points(string_text(c, value, &decoded))
					  : json_tree_count(c->value, value);
	bool few = (int64_t)size < rule->limits.least;
	int64_t limit = few ? rule->limits.least : rule->limits.most;

	buffer_free(&decoded);
	if (!few && (int64_t)size <= limit)
		return true;
	return checker_fault(c, "must have at %s %lld %s, not %zu", few ? "least" : "most",
			     (long long)limit, words[type][limit == 1], size);
}

bool checker_pattern(struct schema_checker *c, const struct schema_rule *rule, uint32_t value)
{
	struct buffer decoded = {0};
	bool good = matches(c, rule->pattern, string_text(c, value, &decoded));

	buffer_free(&decoded);
	return good || checker_fault(c, "does not match the pattern %.*s",
				     SPAN_ARG(pattern_text(rule->pattern)));
}

/* ---- arrays ---- */

bool checker_items(struct schema_checker *c, const struct schema_rule *rule, uint32_t value)
{
	struct json_tree_walk item = json_tree_walk(c->value, value);
	bool good = true;

	while (!checker_is_over(c, good) && json_tree_next(&item)) {
		const struct schema_node *node =
		    item.index < rule->nodes.count ? rule->nodes.at[item.index] : rule->node;

		if (node == NULL)
			break;
		checker_mark(c, value, item.index);
		good &= checker_part(c, node, item.node, item.index);
	}
	return good;
}

bool checker_unique(struct schema_checker *c, const struct schema_rule *rule, uint32_t value)
{
	struct json_tree_walk item = json_tree_walk(c->value, value);
	uint32_t count = json_tree_count(c->value, value), size = 16;
	struct seen {
		uint32_t item, index; /* item 0: free */
	} * seen;
	bool good = checker_spend(c, count + c->value->nodes[value].len / BYTES_A_STEP);

	(void)rule;
	if (!good)
		return false;
	while (size < 2 * (uint64_t)count)
		size *= 2;
	seen = mem_zero(size * sizeof(*seen));
	while (good && json_tree_next(&item)) {
		uint32_t hash = json_tree_hash(c->value, item.node), slot = hash & (size - 1);

		for (; seen[slot].item != 0 && good; slot = (slot + 1) & (size - 1)) {
			if (json_tree_hash(c->value, seen[slot].item) != hash)
				continue;
			good = checker_spend(c, 1 + c->value->nodes[item.node].len / BYTES_A_STEP);
			if (good && json_tree_equal(c->value, seen[slot].item, c->value, item.node))
				good = checker_fault(c, "items %u and %u are the same",
						     seen[slot].index, item.index);
		}
		seen[slot] = (struct seen){item.node, item.index};
	}
	free(seen);
	return good;
}

bool checker_contains(struct schema_checker *c, const struct schema_rule *rule, uint32_t value)
{
	struct json_tree_walk item = json_tree_walk(c->value, value);
	int64_t count = 0;

	while (!c->expensive && json_tree_next(&item))
		if (checker_silently(c, rule->node, item.node)) {
			checker_mark(c, value, item.index);
			count++;
		}
	if (count >= rule->limits.least && count <= rule->limits.most)
		return true;
	return checker_fault(c, "contains %lld items that satisfy \"contains\": too %s",
			     (long long)count, count < rule->limits.least ? "few" : "many");
}

/* ---- objects ---- */

static bool has_member(struct schema_checker *c, uint32_t value, struct span name)
{
	return checker_spend(c, 1) && json_tree_find(c->value, value, name) != JSON_NO_NODE;
}

static bool has_required(struct schema_checker *c, struct schema_texts names, uint32_t value)
{
	bool good = true;

	for (size_t i = 0; i < names.count && !checker_is_over(c, good); i++)
		if (!has_member(c, value, names.at[i]))
			good = checker_fault(c, "required property \"%.*s\" is missing",
					     SPAN_ARG(names.at[i]));
	return good;
}

bool checker_required(struct schema_checker *c, const struct schema_rule *rule, uint32_t value)
{
	return has_required(c, rule->names, value);
}

bool checker_may_fit(struct schema_checker *c, const struct schema_node *node, uint32_t value)
{
	const struct member_rules *rules = node->members;

	if (!is_constant(c, node, value) || !is_value(c, node, value))
		return false;
	if (json_tree_type(c->value, value) != JSON_OBJECT)
		return true;
	if (!has_required(c, node->required, value))
		return false;
	for (size_t i = 0; rules != NULL && i < rules->constants.count; i++) {
		const struct schema_node *property = rules->constants.at[i];
		struct span name = json_tree_key(&c->schema->document.tree, property->place);
		uint32_t member = json_tree_find(c->value, value, name);

		if (checker_spend(c, 1) && member != JSON_NO_NODE &&
		    !(is_constant(c, property, member) && is_value(c, property, member)))
			return false;
	}
	return true;
}

/* Check a member that is neither in "properties" nor matches one of "patternProperties". */
static bool check_additional(struct schema_checker *c, const struct member_rules *rules,
			     uint32_t member)
{
	const struct schema_document *document = &c->schema->document;
	struct json_walk walk = json_walk(json_tree_text(&document->tree, rules->properties));
	struct buffer known = {0};

	if (rules->additional->kind != SCHEMA_NOTHING || c->why == NULL)
		return checker_part(c, rules->additional, member, 0);
	while (json_next(&walk)) {
		buffer_add_text(&known, known.len > 0 ? ", " : "known: ");
		buffer_add_span(&known, walk.key);
	}
	checker_fault(c, "property \"%.*s\" is not allowed (%s)",
		      SPAN_ARG(json_tree_key(c->value, member)),
		      known.len > 0 ? buffer_string(&known) : "none is");
	buffer_free(&known);
	return false;
}

/* Check a member. *known: whether a keyword applies to it. */
static bool check_member(struct schema_checker *c, const struct member_rules *rules,
			 uint32_t member, bool *known)
{
	struct span key = json_tree_key(c->value, member);
	uint32_t property = json_tree_find(&c->schema->document.tree, rules->properties, key);
	bool good = checker_spend(c, 1);

	*known = property != JSON_NO_NODE;
	if (*known)
		good &= checker_part(c, c->schema->nodes[property], member, 0);
	for (size_t i = 0; i < rules->by_pattern.count && !checker_is_over(c, good); i++)
		if (matches(c, rules->patterns[i], key)) {
			*known = true;
			good &= checker_part(c, rules->by_pattern.at[i], member, 0);
		}
	if (*known || rules->additional == NULL || checker_is_over(c, good))
		return good;
	*known = true;
	return check_additional(c, rules, member);
}

static bool check_name(struct schema_checker *c, const struct member_rules *rules, uint32_t member)
{
	if (rules->names == NULL ||
	    checker_silently(c, rules->names, json_tree_key_node(c->value, member)))
		return true;
	return checker_fault(c, "the property name \"%.*s\" is not allowed",
			     SPAN_ARG(json_tree_key(c->value, member)));
}

bool checker_members(struct schema_checker *c, const struct schema_rule *rule, uint32_t value)
{
	struct json_tree_walk member = json_tree_walk(c->value, value);
	bool good = true, known;

	while (!checker_is_over(c, good) && json_tree_next(&member)) {
		good &= check_member(c, rule->members, member.node, &known);
		if (known)
			checker_mark(c, value, member.index);
		if (!checker_is_over(c, good))
			good &= check_name(c, rule->members, member.node);
	}
	return good;
}

/* If a member is present, the object must have other members, or satisfy a schema. */
bool checker_dependencies(struct schema_checker *c, const struct schema_rule *rule, uint32_t value)
{
	bool good = true;

	for (size_t i = 0; i < rule->dependency_count && !checker_is_over(c, good); i++) {
		const struct schema_dependency *dependency = &rule->dependencies[i];

		if (!has_member(c, value, dependency->name))
			continue;
		good &= has_required(c, dependency->required, value);
		if (!checker_is_over(c, good))
			good &= checker_check(c, dependency->schema, value);
	}
	return good;
}

/* ---- members and elements that no keyword has evaluated ---- */

bool checker_rest(struct schema_checker *c, const struct schema_node *node, uint32_t value)
{
	bool object = json_tree_type(c->value, value) == JSON_OBJECT, good = true;
	const struct schema_node *rest = object ? node->other_members : node->other_items;
	struct json_tree_walk part = json_tree_walk(c->value, value);
	size_t marks = c->marks.start;

	while (rest != NULL && !checker_is_over(c, good) && json_tree_next(&part)) {
		if (c->marked.at[marks + part.index] != 0)
			continue;
		if (rest->kind != SCHEMA_NOTHING || c->why == NULL)
			good &= checker_part(c, rest, part.node, part.index);
		else if (object)
			good = checker_fault(c, "property \"%.*s\" is not allowed",
					     SPAN_ARG(json_tree_key(c->value, part.node)));
		else
			good = checker_fault(c, "item %u is not allowed", part.index);
		checker_mark(c, value, part.index);
	}
	return good;
}
