/*
 * checker: what the functions of a check share. A value is named by its node in the value's tree.
 */
#ifndef SCHEMA_CHECKER_H
#define SCHEMA_CHECKER_H

#include "schema/node.h"

/* A member or element being checked, of those around it: the path that faults begin with. */
struct checker_step {
	uint32_t value;
	size_t index; /* of an element */
	const struct checker_step *outer;
};

/* The dynamic scope: the resources that have been entered, the innermost one first. Each list of
 * resources has one number; 0 is the empty one. */
struct checker_scope {
	uint32_t outer, resource;
};

/* Which members or elements of `value` some keyword has evaluated. */
struct checker_marks {
	uint32_t value; /* JSON_NO_NODE: no marks are wanted */
	size_t start;   /* of a byte for each member, in checker.marked */
};

struct schema_checker {
	struct schema *schema;
	struct json_tree *value;
	struct buffer *why; /* NULL: only the result is wanted */
	size_t faults;      /* found so far; only the first ones are written */
	int64_t steps;      /* left */
	bool expensive;     /* none was left: the results mean nothing */
	size_t depth;       /* of schemas being applied */
	size_t lowest;      /* the smallest depth whose result was assumed (recursion) */
	const struct checker_step *step;
	struct checker_marks marks;
	struct buffer marked;
	uint32_t scope;
	struct checker_scope *scopes;
	uint32_t scope_count;
};

/* Apply a schema to a value; NULL: no schema, which everything satisfies. */
bool checker_check(struct schema_checker *c, const struct schema_node *node, uint32_t value);

/* The same without explaining. */
bool checker_silently(struct schema_checker *c, const struct schema_node *node, uint32_t value);

/* Apply a schema to a member or, at `index`, an element of the value being checked. */
bool checker_part(struct schema_checker *c, const struct schema_node *node, uint32_t part,
		  size_t index);

/* Whether the check can stop: the result is false, and no reason is wanted. */
static inline bool checker_is_over(const struct schema_checker *c, bool good)
{
	return c->expensive || (!good && c->why == NULL);
}

/* Report what is wrong with the value, and return false. */
bool checker_fault(struct schema_checker *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Mark the member or element at `index` of `value` as evaluated. */
void checker_mark(struct schema_checker *c, uint32_t value, size_t index);

/* Count `steps` of work; false if none is left. */
bool checker_spend(struct schema_checker *c, uint64_t steps);

/* Whether a value is of the node's "type". */
bool checker_has_type(const struct schema_checker *c, const struct schema_node *node,
		      uint32_t value);

/* Report that it is not, and return false. */
bool checker_wrong_type(struct schema_checker *c, const struct schema_node *node, uint32_t value);

/* Whether the value satisfies the keywords that are checked quickly: "const", "enum", "required",
 * and the first two of properties. */
bool checker_may_fit(struct schema_checker *c, const struct schema_node *node, uint32_t value);

/* "enum" and "const". */
bool checker_values(struct schema_checker *c, const struct schema_node *node, uint32_t value);

/* The rules: numbers and sizes, */
schema_keyword_check checker_bound, checker_multiple, checker_size, checker_pattern;
/* arrays, */
schema_keyword_check checker_items, checker_contains, checker_unique;
/* objects, */
schema_keyword_check checker_required, checker_members, checker_dependencies;
/* schemas made of schemas. */
schema_keyword_check checker_all, checker_any, checker_one, checker_condition, checker_not;

/* "unevaluatedItems" and "unevaluatedProperties". */
bool checker_rest(struct schema_checker *c, const struct schema_node *node, uint32_t value);

/* Check a value against the schema at `place`, with at most *steps; *steps becomes those that
 * are left. For the generator of examples. */
bool schema_check_part(struct schema *schema, uint32_t place, struct span value, int64_t *steps);

#endif
