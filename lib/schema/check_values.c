#include <stdlib.h>

#include "json/decimal.h"
#include "schema/pattern.h"
#include "schema/checker.h"

bool schema_type_is(struct span name, struct span value)
{
	enum json_type type = json_type(value);

	if (json_is(name, "integer"))
		return type == JSON_NUMBER && decimal_is_integer(value);
	return (type == JSON_NULL && json_is(name, "null")) ||
	       (type == JSON_BOOL && json_is(name, "boolean")) ||
	       (type == JSON_NUMBER && json_is(name, "number")) ||
	       (type == JSON_STRING && json_is(name, "string")) ||
	       (type == JSON_ARRAY && json_is(name, "array")) ||
	       (type == JSON_OBJECT && json_is(name, "object"));
}

/* The value of a keyword that draft 7 does not know. */
static struct span newer(const struct checker *c, struct span schema, const char *keyword)
{
	return c->names->draft7 ? (struct span){0} : json_get(schema, keyword);
}

/* The count that a keyword sets. */
static int64_t limit(struct span schema, const char *keyword, int64_t otherwise)
{
	return json_int(json_get(schema, keyword), otherwise);
}

/* What is counted, one and several of it. */
struct countable {
	const char *one, *many;
};

/* Whether `count` is within the limits of two keywords. */
static bool check_count(struct checker *c, struct span schema, const char *least_keyword,
			const char *most_keyword, size_t count, struct countable what)
{
	int64_t least = limit(schema, least_keyword, 0);
	int64_t most = limit(schema, most_keyword, INT64_MAX);

	if ((int64_t)count < least)
		return checker_fault(c, "must have at least %lld %s, not %zu", (long long)least,
				     least == 1 ? what.one : what.many, count);
	if ((int64_t)count > most)
		return checker_fault(c, "must have at most %lld %s, not %zu", (long long)most,
				     most == 1 ? what.one : what.many, count);
	return true;
}

/* ---- numbers ---- */

static bool check_bound(struct checker *c, struct span schema, const char *keyword,
			struct span value, const char *meaning)
{
	struct span bound = json_get(schema, keyword);
	bool upper = strstr(keyword, "aximum") != NULL, exclusive = keyword[0] == 'e';
	int order;

	if (json_type(bound) != JSON_NUMBER)
		return true;
	order = upper ? decimal_compare(bound, value) : decimal_compare(value, bound);
	if (order > 0 || (order == 0 && !exclusive))
		return true;
	return checker_fault(c, "must be %s %.*s", meaning, SPAN_ARG(bound));
}

static bool check_number(struct checker *c, struct span schema, struct span value)
{
	struct span divisor = json_get(schema, "multipleOf");
	bool good = check_bound(c, schema, "minimum", value, "at least");

	good &= check_bound(c, schema, "maximum", value, "at most");
	good &= check_bound(c, schema, "exclusiveMinimum", value, "more than");
	good &= check_bound(c, schema, "exclusiveMaximum", value, "less than");
	if (json_type(divisor) == JSON_NUMBER && json_double(divisor, 0) > 0 &&
	    !decimal_is_multiple(value, divisor))
		good = checker_fault(c, "must be a multiple of %.*s", SPAN_ARG(divisor));
	return good;
}

/* ---- strings ---- */

static size_t code_points(struct span text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += ((unsigned char)text.at[i] & 0xC0) != 0x80;
	return count;
}

static bool check_pattern(struct checker *c, struct span pattern, struct span text)
{
	struct buffer decoded = {0};
	bool good = true;

	if (json_decode(pattern, &decoded) &&
	    pattern_match(buffer_span(&decoded), text) == PATTERN_DIFFERS)
		good = checker_fault(c, "does not match the pattern %s", buffer_string(&decoded));
	buffer_free(&decoded);
	return good;
}

static bool check_string(struct checker *c, struct span schema, struct span value)
{
	struct buffer text = {0};
	bool good;

	json_decode(value, &text);
	good = check_count(c, schema, "minLength", "maxLength", code_points(buffer_span(&text)),
			   (struct countable){"character", "characters"});
	good &= check_pattern(c, json_get(schema, "pattern"), buffer_span(&text));
	buffer_free(&text);
	return good;
}

bool checker_scalar(struct checker *c, struct span schema, struct span value)
{
	if (json_type(value) == JSON_NUMBER)
		return check_number(c, schema, value);
	return json_type(value) != JSON_STRING || check_string(c, schema, value);
}

/* ---- arrays ---- */

static bool check_items(struct checker *c, struct span schema, struct span value)
{
	struct span first = newer(c, schema, "prefixItems"), rest = json_get(schema, "items");
	struct json_walk items = json_walk(value), firsts;
	bool good = true;

	/* Draft 7 has both in "items". */
	if (json_type(rest) == JSON_ARRAY) {
		first = rest;
		rest = json_get(schema, "additionalItems");
	}
	firsts = json_walk(first);
	for (size_t i = 0; json_next(&items); i++) {
		struct span item = json_next(&firsts) ? firsts.value : rest;

		if (item.at == NULL)
			break;
		checker_mark(c, i);
		good &= checker_element(c, item, i, items.value);
	}
	return good;
}

static bool check_unique(struct checker *c, struct span value)
{
	struct json_walk walk = json_walk(value);
	size_t index = 0;

	for (; json_next(&walk); index++) {
		struct json_walk earlier = json_walk(value);

		if (!checker_spend(c, index))
			return false;
		for (size_t i = 0; i < index && json_next(&earlier); i++)
			if (json_equal(earlier.value, walk.value))
				return checker_fault(c, "items %zu and %zu are the same", i, index);
	}
	return true;
}

static bool check_contains(struct checker *c, struct span schema, struct span value)
{
	struct span wanted = json_get(schema, "contains");
	struct json_walk walk = json_walk(value);
	int64_t least = json_int(newer(c, schema, "minContains"), 1), count = 0;
	int64_t most = json_int(newer(c, schema, "maxContains"), INT64_MAX);

	if (wanted.at == NULL)
		return true;
	for (size_t i = 0; json_next(&walk); i++) {
		if (!checker_silently(c, wanted, walk.value))
			continue;
		checker_mark(c, i);
		count++;
	}
	if (count >= least && count <= most)
		return true;
	return checker_fault(c, "contains %lld items that satisfy \"contains\": too %s",
			     (long long)count, count < least ? "few" : "many");
}

bool checker_array(struct checker *c, struct span schema, struct span value)
{
	bool good;

	if (json_type(value) != JSON_ARRAY)
		return true;
	good = check_count(c, schema, "minItems", "maxItems", json_count(value),
			   (struct countable){"item", "items"});
	good &= check_items(c, schema, value);
	good &= check_contains(c, schema, value);
	if (json_true(json_get(schema, "uniqueItems")))
		good &= check_unique(c, value);
	return good;
}

/* ---- objects ---- */

static bool check_required(struct checker *c, struct span names, struct span value)
{
	struct json_walk walk = json_walk(names);
	bool good = true;

	while (json_next(&walk)) {
		char *name = json_text(walk.value);

		if (name != NULL && json_get(value, name).at == NULL)
			good = checker_fault(c, "required property \"%s\" is missing", name);
		free(name);
	}
	return good;
}

static void list_keys(struct span object, struct buffer *out)
{
	struct json_walk walk = json_walk(object);

	while (json_next(&walk)) {
		buffer_add_text(out, out->len > 0 ? ", " : "");
		buffer_add_span(out, walk.key);
	}
}

/* A member that no other keyword knows. */
static bool check_additional(struct checker *c, struct span schema, struct span key,
			     struct span value)
{
	struct span additional = json_get(schema, "additionalProperties");
	struct buffer known = {0};

	if (json_type(additional) != JSON_BOOL)
		return checker_member(c, additional, key, value);
	if (json_true(additional))
		return true;
	list_keys(json_get(schema, "properties"), &known);
	checker_fault(c, "property \"%.*s\" is not allowed (%s%s)", SPAN_ARG(key),
		      known.len > 0 ? "known: " : "none is", buffer_string(&known));
	buffer_free(&known);
	return false;
}

/* `known`: whether a keyword is meant for the member. */
static bool check_member(struct checker *c, struct span schema, const char *name, struct span value,
			 bool *known)
{
	struct span property = json_get(json_get(schema, "properties"), name);
	struct json_walk patterns = json_walk(json_get(schema, "patternProperties"));
	struct span key = span_of(name);
	bool good = property.at == NULL || checker_member(c, property, key, value);

	*known = property.at != NULL;
	while (json_next(&patterns)) {
		struct buffer pattern = {0};

		json_decode(patterns.key, &pattern);
		if (pattern_match(buffer_span(&pattern), key) != PATTERN_DIFFERS) {
			*known = true;
			good &= checker_member(c, patterns.value, key, value);
		}
		buffer_free(&pattern);
	}
	if (*known || json_get(schema, "additionalProperties").at == NULL)
		return good;
	*known = true;
	return check_additional(c, schema, key, value);
}

static bool check_members(struct checker *c, struct span schema, struct span value)
{
	struct span names = json_get(schema, "propertyNames");
	struct json_walk walk = json_walk(value);
	bool good = true, known;

	for (size_t i = 0; json_next(&walk); i++) {
		char *name = json_text(walk.key);

		good &= check_member(c, schema, name, walk.value, &known);
		if (known)
			checker_mark(c, i);
		if (names.at != NULL && !checker_silently(c, names, walk.key))
			good = checker_fault(c, "the property name \"%s\" is not allowed", name);
		free(name);
	}
	return good;
}

/* What the presence of a member asks of the whole: names of other members, or a schema. */
static bool check_dependent(struct checker *c, struct span needs, struct span value)
{
	struct json_walk walk = json_walk(needs);
	bool good = true;

	while (json_next(&walk)) {
		char *name = json_text(walk.key);

		if (json_get(value, name).at != NULL)
			good &= json_type(walk.value) == JSON_ARRAY
				    ? check_required(c, walk.value, value)
				    : checker_check(c, walk.value, value);
		free(name);
	}
	return good;
}

bool checker_object(struct checker *c, struct span schema, struct span value)
{
	bool good;

	if (json_type(value) != JSON_OBJECT)
		return true;
	good = check_count(c, schema, "minProperties", "maxProperties", json_count(value),
			   (struct countable){"property", "properties"});
	good &= check_required(c, json_get(schema, "required"), value);
	good &= check_members(c, schema, value);
	good &= check_dependent(c, newer(c, schema, "dependentRequired"), value);
	good &= check_dependent(c, newer(c, schema, "dependentSchemas"), value);
	good &= check_dependent(c, json_get(schema, "dependencies"), value);
	return good;
}

/* ---- what is left over ---- */

static bool check_leftover(struct checker *c, struct span schema, size_t index, struct span key,
			   struct span value)
{
	struct buffer name = {0};
	bool good = true;

	json_decode(key, &name);
	if (json_type(schema) != JSON_BOOL && key.at != NULL)
		good = checker_member(c, schema, buffer_span(&name), value);
	else if (json_type(schema) != JSON_BOOL)
		good = checker_element(c, schema, index, value);
	else if (!json_true(schema) && key.at != NULL)
		good = checker_fault(c, "property \"%s\" is not allowed", buffer_string(&name));
	else if (!json_true(schema))
		good = checker_fault(c, "item %zu is not allowed", index);
	buffer_free(&name);
	return good;
}

bool checker_unevaluated(struct checker *c, struct span schema, struct span value)
{
	bool object = json_type(value) == JSON_OBJECT;
	struct span rest = json_get(schema, object ? "unevaluatedProperties" : "unevaluatedItems");
	struct json_walk walk = json_walk(value);
	bool good = true;

	for (size_t i = 0; rest.at != NULL && json_next(&walk); i++) {
		if (c->marks->at[i])
			continue;
		good &=
		    check_leftover(c, rest, i, object ? walk.key : (struct span){0}, walk.value);
		checker_mark(c, i);
	}
	return good;
}
