#include <stdlib.h>

#include "schema/checker.h"

enum {
	MAX_FAULTS = 10, /* that are written */
	/* The steps of a check. Large values may take more, in proportion. */
	MAX_STEPS = 200000,
	STEPS_A_NODE = 16,
	STEPS_A_BYTE = 1,
	STEPS_A_PARSE = 10, /* of a part of an example */
	MAX_DEPTH = 2000,   /* schemas applied inside each other */
	MARKS_A_STEP = 64,
};

/* ---- reporting what is wrong ---- */

static void write_path(const struct schema_checker *c, const struct checker_step *step,
		       struct buffer *out)
{
	struct span key;

	if (step == NULL)
		return;
	write_path(c, step->outer, out);
	buffer_add_char(out, '/');
	key = json_tree_key(c->value, step->value);
	if (key.at == NULL) {
		buffer_add_format(out, "%zu", step->index);
		return;
	}
	for (size_t i = 0; i < key.len; i++)
		if (key.at[i] == '~' || key.at[i] == '/')
			buffer_add_text(out, key.at[i] == '~' ? "~0" : "~1");
		else if (key.at[i] == '\0')
			buffer_add_text(out, "\xEF\xBF\xBD");
		else
			buffer_add_char(out, key.at[i]);
}

bool checker_fault(struct schema_checker *c, const char *format, ...)
{
	va_list args;

	if (c->why == NULL || c->expensive || c->faults++ >= MAX_FAULTS)
		return false;
	if (c->why->len > 0)
		buffer_add_text(c->why, "; ");
	write_path(c, c->step, c->why);
	if (c->step != NULL)
		buffer_add_text(c->why, ": ");
	va_start(args, format);
	buffer_add_format_list(c->why, format, args);
	va_end(args);
	return false;
}

bool checker_spend(struct schema_checker *c, uint64_t steps)
{
	if (steps > INT64_MAX / 2 || (c->steps -= (int64_t)steps) < 0)
		c->expensive = true;
	return !c->expensive;
}

bool checker_silently(struct schema_checker *c, const struct schema_node *node, uint32_t value)
{
	struct buffer *why = c->why;
	bool good;

	c->why = NULL;
	good = checker_check(c, node, value);
	c->why = why;
	return good;
}

bool checker_part(struct schema_checker *c, const struct schema_node *node, uint32_t part,
		  size_t index)
{
	struct checker_step step = {part, index, c->step};
	bool good;

	c->step = &step;
	good = checker_check(c, node, part);
	c->step = step.outer;
	return good;
}

/* ---- what is evaluated ---- */

void checker_mark(struct schema_checker *c, uint32_t value, size_t index)
{
	if (c->marks.value == value)
		c->marked.at[c->marks.start + index] = 1;
}

/* No member of `value` is marked yet. */
static struct checker_marks new_marks(struct schema_checker *c, uint32_t value)
{
	size_t count = json_tree_count(c->value, value);
	struct checker_marks marks = {value, c->marked.len};

	if (checker_spend(c, 1 + count / MARKS_A_STEP)) {
		buffer_reserve(&c->marked, count + 1);
		memset(c->marked.at + c->marked.len, 0, count);
		c->marked.len += count;
	} else {
		marks.value = JSON_NO_NODE;
	}
	return marks;
}

/* Copy the marks of a schema that `value` satisfies to those of the schema around it. */
static void add_marks(struct schema_checker *c, uint32_t value, size_t start)
{
	size_t count = json_tree_count(c->value, value);

	if (c->marks.value != value || c->marks.start == start ||
	    !checker_spend(c, count / MARKS_A_STEP))
		return;
	for (size_t i = 0; i < count; i++)
		if (c->marked.at[start + i] != 0)
			c->marked.at[c->marks.start + i] = 1;
}

/* ---- references ---- */

/* Enter the resource of a schema; entering it again inside itself changes nothing. */
static uint32_t enter(struct schema_checker *c, uint32_t resource)
{
	uint32_t scope = c->scope, steps = 0;

	for (; scope != 0; scope = c->scopes[scope - 1].outer, steps++)
		if (c->scopes[scope - 1].resource == resource)
			return c->scope;
	for (; scope < c->scope_count; scope++, steps++)
		if (c->scopes[scope].outer == c->scope && c->scopes[scope].resource == resource)
			break;
	checker_spend(c, steps);
	if (scope == c->scope_count) {
		c->scopes = array_grow(c->scopes, c->scope_count, sizeof(*c->scopes));
		c->scopes[c->scope_count++] = (struct checker_scope){c->scope, resource};
	}
	return scope + 1;
}

/* A dynamic anchor refers to the outermost resource of the scope that has this anchor. */
static const struct schema_node *dynamic_target(struct schema_checker *c,
						const struct schema_node *node)
{
	const struct schema_node *target = node->dynamic;

	for (uint32_t scope = c->scope; scope != 0 && node->anchor.at != NULL;
	     scope = c->scopes[scope - 1].outer) {
		uint32_t place = schema_document_anchor(
		    &c->schema->document, c->scopes[scope - 1].resource, node->anchor);

		if (place != JSON_NO_NODE && c->schema->nodes[place] != NULL)
			target = c->schema->nodes[place];
		checker_spend(c, 4);
	}
	return target;
}

/* ---- schemas made of schemas ---- */

bool checker_all(struct schema_checker *c, const struct schema_rule *rule, uint32_t value)
{
	bool good = true;

	for (size_t i = 0; i < rule->nodes.count && !checker_is_over(c, good); i++)
		good &= checker_check(c, rule->nodes.at[i], value);
	return good;
}

/* Count the alternatives that `value` satisfies, at most `enough` unless their marks are wanted.
 * *meant becomes the alternative for the type of the value, if there is only one. */
static size_t count_matching(struct schema_checker *c, struct schema_nodes nodes, uint32_t value,
			     size_t enough, const struct schema_node **meant)
{
	size_t matching = 0, candidates = 0;

	if (c->marks.value == value)
		enough = nodes.count + 1;
	for (size_t i = 0; i < nodes.count && matching < enough && !c->expensive; i++) {
		const struct schema_node *node = nodes.at[i];

		matching += checker_silently(c, node, value);
		if (checker_has_type(c, node->reference != NULL ? node->reference : node, value)) {
			*meant = node;
			candidates++;
		}
	}
	if (candidates != 1)
		*meant = NULL;
	return matching;
}

/* Report why no alternative matches: the faults of `meant` if there is such an alternative. */
static bool explain_alternatives(struct schema_checker *c, const struct schema_rule *rule,
				 const struct schema_node *meant, uint32_t value)
{
	if (c->why == NULL)
		return false;
	if (meant != NULL)
		return checker_check(c, meant, value);
	return checker_fault(c, "satisfies none of the %zu schemas of %s", rule->nodes.count,
			     rule->keyword->name);
}

bool checker_any(struct schema_checker *c, const struct schema_rule *rule, uint32_t value)
{
	const struct schema_node *meant = NULL;

	return count_matching(c, rule->nodes, value, 1, &meant) > 0 ||
	       explain_alternatives(c, rule, meant, value);
}

bool checker_one(struct schema_checker *c, const struct schema_rule *rule, uint32_t value)
{
	const struct schema_node *meant = NULL;
	size_t enough = c->why == NULL ? 2 : rule->nodes.count + 1;
	size_t matching = count_matching(c, rule->nodes, value, enough, &meant);

	if (matching > 1)
		return checker_fault(c, "satisfies %zu schemas of oneOf instead of one", matching);
	return matching == 1 || explain_alternatives(c, rule, meant, value);
}

bool checker_condition(struct schema_checker *c, const struct schema_rule *rule, uint32_t value)
{
	return checker_check(
	    c, rule->nodes.at[checker_silently(c, rule->nodes.at[0], value) ? 1 : 2], value);
}

bool checker_not(struct schema_checker *c, const struct schema_rule *rule, uint32_t value)
{
	return !checker_silently(c, rule->node, value) ||
	       checker_fault(c, "must not satisfy the schema of \"not\"");
}

/* ---- one schema ---- */

static bool check_rules(struct schema_checker *c, const struct schema_node *node, uint32_t value)
{
	bool good = checker_check(c, node->reference, value);
	unsigned type = 1U << json_tree_type(c->value, value);

	if (node->dynamic != NULL && !checker_is_over(c, good))
		good &= checker_check(c, dynamic_target(c, node), value);
	if (!checker_is_over(c, good))
		good &= checker_values(c, node, value);
	for (size_t i = 0; i < node->rule_count && !checker_is_over(c, good); i++)
		if ((node->rules[i].keyword->types & type) != 0)
			good &= node->rules[i].keyword->check(c, &node->rules[i], value);
	return good;
}

/* Whether marks of the members of `value` are wanted: by a schema around this one, or by itself. */
static bool is_marked(const struct schema_checker *c, const struct schema_node *node,
		      uint32_t value)
{
	enum json_type type = json_tree_type(c->value, value);

	return c->marks.value == value || (type == JSON_ARRAY && node->other_items != NULL) ||
	       (type == JSON_OBJECT && node->other_members != NULL);
}

/* Apply all keywords; *start becomes where the marks of the members are, if they are wanted. */
static bool apply(struct schema_checker *c, const struct schema_node *node, uint32_t value,
		  size_t *start)
{
	struct checker_marks outer = c->marks;
	uint32_t scope = c->scope;
	bool good, marked = is_marked(c, node, value);

	if (c->depth++ == MAX_DEPTH)
		c->expensive = true;
	if (c->schema->dynamic)
		c->scope = enter(c, node->resource);
	if (marked)
		c->marks = new_marks(c, value);
	*start = c->marks.start;
	good = !c->expensive && check_rules(c, node, value);
	if (marked && good)
		good = checker_rest(c, node, value);
	c->marks = outer;
	if (marked && good)
		add_marks(c, value, *start);
	c->scope = scope;
	c->depth--;
	return good;
}

/* Whether the result is worth remembering: a look-up costs as much as a few keywords. */
static bool is_remembered(const struct schema_checker *c, const struct schema_node *node,
			  uint32_t value)
{
	enum json_type type = json_tree_type(c->value, value);

	return node->remembered &&
	       (type == JSON_ARRAY || type == JSON_OBJECT || node->reference != NULL ||
		node->dynamic != NULL || node->combined);
}

/* Apply the schema and remember the result, unless it depends on the assumed result of a schema
 * around this one. */
static bool apply_and_remember(struct schema_checker *c, const struct schema_node *node,
			       uint32_t value, struct memo_key key)
{
	size_t lowest = c->lowest, depth = c->depth, faults = c->faults, start = 0;
	struct memo_entry *entry = memo_find(&c->schema->memo, key);
	bool good;

	entry->state = MEMO_UNDER_WAY;
	entry->depth = depth;
	c->lowest = SIZE_MAX;
	good = apply(c, node, value, &start);
	entry = memo_find(&c->schema->memo, key);
	if (c->lowest < depth || c->expensive)
		entry->state = MEMO_UNKNOWN;
	else
		entry->state = good ? MEMO_GOOD : MEMO_BAD;
	entry->marks = start;
	entry->faults = c->faults - faults;
	if (c->lowest >= depth || lowest < c->lowest)
		c->lowest = lowest;
	return good;
}

/* A schema that is applied to the same value inside itself is assumed to match. A schema that has
 * failed before is applied again only to report its faults. */
static bool check_remembered(struct schema_checker *c, const struct schema_node *node,
			     uint32_t value)
{
	struct memo_key key = {node->place, value, c->scope, c->marks.value == value};
	const struct memo_entry *entry = memo_find(&c->schema->memo, key);

	switch (entry->state) {
	case MEMO_UNDER_WAY:
		c->lowest = entry->depth < c->lowest ? entry->depth : c->lowest;
		return true;
	case MEMO_GOOD:
		add_marks(c, value, entry->marks);
		return true;
	case MEMO_BAD:
		if (c->why == NULL)
			return false;
		if (entry->faults > 0 && c->faults >= MAX_FAULTS) {
			c->faults += entry->faults;
			return false;
		}
		break;
	case MEMO_UNKNOWN:
		break;
	}
	return apply_and_remember(c, node, value, key);
}

bool checker_check(struct schema_checker *c, const struct schema_node *node, uint32_t value)
{
	size_t start;

	if (node == NULL || node->kind == SCHEMA_ANYTHING)
		return true;
	if (node->kind == SCHEMA_NOTHING)
		return checker_fault(c, "nothing is allowed here");
	if (!checker_spend(c, 1))
		return false;
	if (!checker_has_type(c, node, value))
		return checker_wrong_type(c, node, value);
	if (c->why == NULL && !checker_may_fit(c, node, value))
		return false;
	return is_remembered(c, node, value) ? check_remembered(c, node, value)
					     : apply(c, node, value, &start);
}

/* ---- the whole ---- */

static bool run(struct schema_checker *c, uint32_t place, int64_t steps, struct buffer *why)
{
	c->steps = steps;
	c->lowest = SIZE_MAX;
	c->why = why;
	c->marks.value = JSON_NO_NODE;
	return checker_check(c, c->schema->nodes[place], 0) && !c->expensive;
}

static void explain(struct schema_checker *c, int64_t steps, struct buffer *why)
{
	if (!c->expensive)
		run(c, 0, steps, why);
	if (c->expensive)
		buffer_add_text(why, c->faults > 0 ? "; " SCHEMA_EXPENSIVE : SCHEMA_EXPENSIVE);
	else if (c->faults == 0)
		buffer_add_text(why, "does not satisfy the schema");
	else if (c->faults > MAX_FAULTS)
		buffer_add_format(why, "; and %zu more", c->faults - MAX_FAULTS);
}

/* Parse the value; false if it is too large to be checked. */
static bool parse(struct schema *schema, struct span value)
{
	memo_clear(&schema->memo);
	return !schema->oversized && json_tree_parse(&schema->value, json_trim(value));
}

/* Check the parsed value against the schema at `place`. */
static bool check(struct schema *schema, uint32_t place, int64_t *steps, struct buffer *why)
{
	struct schema_checker c = {.schema = schema, .value = &schema->value};
	int64_t budget = *steps;
	bool good = run(&c, place, budget, NULL);

	*steps = c.expensive ? -1 : c.steps;
	schema->gave_up = c.expensive;
	if (!good && why != NULL)
		explain(&c, budget, why);
	free(c.scopes);
	buffer_free(&c.marked);
	return good;
}

bool schema_check(struct schema *schema, struct span value, struct buffer *why)
{
	int64_t steps = MAX_STEPS + STEPS_A_BYTE * (int64_t)value.len;

	schema->gave_up = !parse(schema, value);
	if (schema->gave_up) {
		if (why != NULL)
			buffer_add_text(why, SCHEMA_EXPENSIVE);
		return false;
	}
	steps += STEPS_A_NODE * (int64_t)schema->value.count;
	return check(schema, 0, &steps, why);
}

bool schema_gave_up(const struct schema *schema)
{
	return schema->gave_up;
}

bool schema_check_part(struct schema *schema, uint32_t place, struct span value, int64_t *steps)
{
	*steps -= STEPS_A_PARSE;
	return parse(schema, value) && check(schema, place, steps, NULL);
}
