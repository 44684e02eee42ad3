#include <stdlib.h>

#include "schema/checker.h"

enum {
	MAX_FAULTS = 10,     /* that are told */
	MAX_STEPS = 1000000, /* after which a schema counts as too complex */
	MAX_FRAMES = 2000,   /* schemas applied inside each other */
	MAX_LISTED = 20,     /* values of an enum that are told */
};

/* ---- saying what is wrong ---- */

bool checker_fault(struct checker *c, const char *format, ...)
{
	va_list args;

	if (c->why == NULL || c->faults++ >= MAX_FAULTS)
		return false;
	if (c->why->len > 0)
		buffer_add_text(c->why, "; ");
	if (c->path.len > 0) {
		buffer_add_span(c->why, buffer_span(&c->path));
		buffer_add_text(c->why, ": ");
	}
	va_start(args, format);
	buffer_add_format_list(c->why, format, args);
	va_end(args);
	return false;
}

bool checker_spend(struct checker *c, size_t steps)
{
	c->steps += steps;
	return c->steps <= MAX_STEPS || checker_fault(c, "the schema is too complex to check");
}

bool checker_silently(struct checker *c, struct span schema, struct span value)
{
	struct buffer *why = c->why;
	bool good;

	c->why = NULL;
	good = checker_check(c, schema, value);
	c->why = why;
	return good;
}

bool checker_member(struct checker *c, struct span schema, struct span key, struct span value)
{
	size_t len = c->path.len;
	bool good;

	buffer_add_char(&c->path, '/');
	for (size_t i = 0; i < key.len; i++)
		if (key.at[i] == '~' || key.at[i] == '/')
			buffer_add_text(&c->path, key.at[i] == '~' ? "~0" : "~1");
		else
			buffer_add_char(&c->path, key.at[i]);
	good = checker_check(c, schema, value);
	c->path.len = len;
	return good;
}

bool checker_element(struct checker *c, struct span schema, size_t index, struct span value)
{
	size_t len = c->path.len;
	bool good;

	buffer_add_format(&c->path, "/%zu", index);
	good = checker_check(c, schema, value);
	c->path.len = len;
	return good;
}

/* ---- any value ---- */

static const char *type_name(struct span value)
{
	switch (json_type(value)) {
	case JSON_NULL:
		return "null";
	case JSON_BOOL:
		return "boolean";
	case JSON_NUMBER:
		return "number";
	case JSON_STRING:
		return "string";
	case JSON_ARRAY:
		return "array";
	default:
		return "object";
	}
}

static bool has_type(struct span type, struct span value)
{
	struct json_walk walk = json_walk(type);

	if (json_type(type) != JSON_ARRAY)
		return type.at == NULL || schema_type_is(type, value);
	while (json_next(&walk))
		if (schema_type_is(walk.value, value))
			return true;
	return false;
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

static bool check_type(struct checker *c, struct span type, struct span value)
{
	struct buffer names = {0};

	if (has_type(type, value))
		return true;
	if (!json_decode(type, &names))
		list_values(&names, type, true);
	checker_fault(c, "must be %s, not %s", buffer_string(&names), type_name(value));
	buffer_free(&names);
	return false;
}

static bool check_values(struct checker *c, struct span schema, struct span value)
{
	struct span values = json_get(schema, "enum"), constant = json_get(schema, "const");
	struct json_walk walk = json_walk(values);
	struct buffer names = {0};
	bool good = json_type(values) != JSON_ARRAY;

	while (!good && json_next(&walk))
		good = json_equal(walk.value, value);
	if (!good) {
		list_values(&names, values, false);
		checker_fault(c, "must be %s", buffer_string(&names));
	}
	if (constant.at != NULL && !json_equal(constant, value)) {
		buffer_clear(&names);
		json_write_compact(&names, constant);
		good = checker_fault(c, "must be %s", buffer_string(&names));
	}
	buffer_free(&names);
	return good;
}

/* ---- schemas made of schemas ---- */

static bool check_all(struct checker *c, struct span schemas, struct span value)
{
	struct json_walk walk = json_walk(schemas);
	bool good = true;

	while (json_next(&walk))
		good &= checker_check(c, walk.value, value);
	return good;
}

/* The alternatives of `schemas` that `value` satisfies, and the only one that is of its type. */
static size_t count_matching(struct checker *c, struct span schemas, struct span value,
			     struct span *candidate)
{
	struct json_walk walk = json_walk(schemas);
	size_t matching = 0, candidates = 0;

	while (json_next(&walk)) {
		struct span alternative = walk.value;
		struct span reference = json_get(alternative, "$ref");

		if (json_type(reference) == JSON_STRING)
			alternative = schema_names_follow(c->names, walk.value, reference);
		matching += checker_silently(c, walk.value, value);
		if (has_type(json_get(alternative, "type"), value)) {
			*candidate = walk.value;
			candidates++;
		}
	}
	if (candidates != 1)
		*candidate = (struct span){0};
	return matching;
}

/* What is wrong is told by the one alternative that can be meant, if there is one. */
static bool check_alternatives(struct checker *c, const char *keyword, struct span schemas,
			       struct span value)
{
	struct span candidate = {0};
	bool one = strcmp(keyword, "oneOf") == 0;
	size_t matching;

	if (json_type(schemas) != JSON_ARRAY)
		return true;
	matching = count_matching(c, schemas, value, &candidate);
	if (matching == 1 || (matching > 1 && !one))
		return true;
	if (matching > 1)
		return checker_fault(c, "satisfies %zu schemas of oneOf instead of one", matching);
	if (candidate.at != NULL)
		return checker_check(c, candidate, value);
	return checker_fault(c, "satisfies none of the %zu schemas of %s", json_count(schemas),
			     keyword);
}

static bool check_condition(struct checker *c, struct span schema, struct span value)
{
	struct span condition = json_get(schema, "if"), branch;

	if (condition.at == NULL)
		return true;
	branch = json_get(schema, checker_silently(c, condition, value) ? "then" : "else");
	return branch.at == NULL || checker_check(c, branch, value);
}

static bool check_combined(struct checker *c, struct span schema, struct span value)
{
	struct span not = json_get(schema, "not");
	bool good = check_all(c, json_get(schema, "allOf"), value);

	good &= check_alternatives(c, "anyOf", json_get(schema, "anyOf"), value);
	good &= check_alternatives(c, "oneOf", json_get(schema, "oneOf"), value);
	good &= check_condition(c, schema, value);
	if (not .at != NULL && checker_silently(c, not, value))
		good = checker_fault(c, "must not satisfy the schema of \"not\"");
	return good;
}

/* ---- references ---- */

struct span schema_resolve(struct span root, struct span schema)
{
	struct span reference = json_get(schema, "$ref"), found;
	struct schema_names names;

	if (json_type(reference) != JSON_STRING)
		return schema;
	schema_names_start(&names, root);
	found = schema_names_follow(&names, schema, reference);
	schema_names_free(&names);
	return found;
}

/* A dynamic anchor stands for that of the outermost document being gone through that has it. */
static struct span dynamic_target(const struct checker *c, struct span target,
				  struct span reference)
{
	struct span anchor = schema_names_dynamic(c->names, target, reference), found;

	for (const struct checker_frame *f = c->frames; f != NULL && anchor.at != NULL;
	     f = f->below) {
		found = schema_names_anchor(c->names, f->schema, anchor);
		if (found.at != NULL)
			target = found;
	}
	return target;
}

static bool is_under_way(const struct checker *c, struct span schema, struct span value)
{
	const struct checker_frame *frame = c->frames;

	while (frame != NULL && !(frame->schema == schema.at && frame->value == value.at))
		frame = frame->below;
	return frame != NULL;
}

/* A reference that leads back to where it is being followed from says nothing. */
static bool check_reference(struct checker *c, const char *keyword, struct span schema,
			    struct span value)
{
	struct span reference = json_get(schema, keyword), target;
	bool dynamic = strcmp(keyword, "$dynamicRef") == 0;

	if (json_type(reference) != JSON_STRING)
		return true;
	if (!checker_spend(c, c->names->count * (dynamic ? c->frames->depth : 1)))
		return false;
	target = schema_names_follow(c->names, schema, reference);
	if (dynamic)
		target = dynamic_target(c, target, reference);
	return target.at == NULL || is_under_way(c, target, value) ||
	       checker_check(c, target, value);
}

/* ---- the whole ---- */

static bool check_keywords(struct checker *c, struct span schema, struct span value)
{
	bool good;

	/* Beside a reference, draft 7 knows no keywords. */
	if (c->names->draft7 && json_type(json_get(schema, "$ref")) == JSON_STRING)
		return check_reference(c, "$ref", schema, value);
	if (!check_type(c, json_get(schema, "type"), value))
		return false;
	good = check_reference(c, "$ref", schema, value);
	if (!c->names->draft7)
		good &= check_reference(c, "$dynamicRef", schema, value);
	good &= check_values(c, schema, value);
	good &= checker_scalar(c, schema, value);
	good &= checker_array(c, schema, value);
	good &= checker_object(c, schema, value);
	good &= check_combined(c, schema, value);
	return good;
}

void checker_mark(struct checker *c, size_t index)
{
	if (c->marks != NULL)
		c->marks->at[index] = true;
}

/* What a schema that the value satisfies has evaluated counts for the schema around it. */
static bool check_tracked(struct checker *c, struct span schema, struct span value)
{
	struct checker_marks *outer = c->marks, own = {value.at, NULL, json_count(value)};
	bool good;

	own.at = mem_zero(own.count + 1);
	c->marks = &own;
	good = check_keywords(c, schema, value) && checker_unevaluated(c, schema, value);
	c->marks = outer;
	if (good && outer != NULL && outer->value == own.value)
		for (size_t i = 0; i < own.count; i++)
			outer->at[i] |= own.at[i];
	free(own.at);
	return good;
}

bool checker_check(struct checker *c, struct span schema, struct span value)
{
	struct checker_frame frame = {schema.at, value.at, c->frames, 1};
	enum json_type type = json_type(value);
	bool good;

	if (json_type(schema) == JSON_BOOL)
		return json_true(schema) || checker_fault(c, "nothing is allowed here");
	if (json_type(schema) != JSON_OBJECT)
		return true;
	if (frame.below != NULL)
		frame.depth = frame.below->depth + 1;
	if (!checker_spend(c, frame.depth > MAX_FRAMES ? MAX_STEPS : 1))
		return false;
	c->frames = &frame;
	if (c->names->unevaluated && (type == JSON_ARRAY || type == JSON_OBJECT))
		good = check_tracked(c, schema, value);
	else
		good = check_keywords(c, schema, value);
	c->frames = frame.below;
	return good;
}

bool schema_check(struct span schema, struct span value, struct buffer *why)
{
	struct schema_names names;
	struct checker c = {.names = &names, .why = why};
	bool good;

	schema_names_start(&names, json_trim(schema));
	good = checker_check(&c, names.root, json_trim(value));

	if (why != NULL && c.faults > MAX_FAULTS)
		buffer_add_format(why, "; and %zu more", c.faults - MAX_FAULTS);
	buffer_free(&c.path);
	schema_names_free(&names);
	return good;
}
