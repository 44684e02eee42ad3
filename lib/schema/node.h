/*
 * node: a compiled schema: the keywords of each schema of a document, ready to be applied.
 */
#ifndef SCHEMA_NODE_H
#define SCHEMA_NODE_H

#include "schema/document.h"
#include "schema/memo.h"
#include "schema/pattern.h"
#include "schema/schema.h"

struct schema_node;

struct schema_nodes {
	struct schema_node **at;
	size_t count;
};

struct schema_texts {
	struct span *at; /* decoded */
	size_t count;
};

/* The limits of a count. */
struct schema_count {
	int64_t least, most;
};

struct number_rules {
	struct span minimum, maximum, exclusive_minimum, exclusive_maximum, divisor;
};

struct string_rules {
	struct schema_count length;
	struct pattern *pattern; /* NULL: any */
};

struct array_rules {
	struct schema_count items, contained;
	struct schema_nodes first; /* "prefixItems" */
	const struct schema_node *rest, *contains;
	bool unique;
};

/* What the presence of the member `name` requires. */
struct schema_dependency {
	struct span name;
	struct schema_texts required;
	const struct schema_node *schema; /* NULL: none */
};

struct object_rules {
	struct schema_count members;
	struct schema_texts required;
	uint32_t properties;            /* the place of the object of schemas; JSON_NO_NODE: none */
	struct schema_nodes constants;  /* of the properties, those with "const" or "enum" */
	struct pattern **patterns;      /* of "patternProperties", */
	struct schema_nodes by_pattern; /* each with its schema */
	const struct schema_node *additional, *names;
	struct schema_dependency *dependencies;
	size_t dependency_count;
};

struct combined_rules {
	struct schema_nodes all, any, one;
	bool has_any, has_one; /* an empty list allows nothing */
	const struct schema_node *condition, *then, *otherwise, *not ;
};

/* A value of an "enum". */
struct schema_constant {
	uint32_t hash, place;
};

enum schema_kind {
	SCHEMA_RULES,
	SCHEMA_ANYTHING, /* true */
	SCHEMA_NOTHING,  /* false */
};

struct schema_node {
	enum schema_kind kind;
	uint32_t place, resource; /* in the document; the place identifies the node */
	bool remembered;          /* several ways may lead here: results are remembered */
	bool typed;               /* has "type": */
	unsigned types;           /* a bit for each enum json_type, and SCHEMA_INTEGER */
	const struct schema_node *reference, *dynamic; /* "$ref" and "$dynamicRef" */
	struct span anchor;                            /* of `dynamic`; absent: it is not dynamic */
	uint32_t constant, values;                     /* places; JSON_NO_NODE: none */
	struct schema_constant *sorted;                /* the values of a long "enum" */
	struct number_rules *number;                   /* NULL: there are none, as with all below */
	struct string_rules *string;
	struct array_rules *array;
	struct object_rules *object;
	struct combined_rules *combined;
	const struct schema_node *other_items, *other_members; /* "unevaluated..." */
};

enum { SCHEMA_INTEGER = 1 << 8 };

struct schema {
	struct schema_document document;
	struct schema_node **nodes;    /* by place; NULL: no schema that anything leads to */
	bool dynamic;                  /* there is a "$dynamicRef" */
	bool oversized;                /* the document is too large: every check is too expensive */
	struct pattern_engine *engine; /* NULL: there is no pattern */
	struct pattern **patterns;
	size_t pattern_count;
	void **blocks; /* the memory of the nodes */
	size_t block_count;
	bool gave_up; /* the last check needed too many steps */
	/* Of the check under way: */
	struct json_tree value;
	struct memo memo;
};

/* The text of a keyword of a node, as it stands in the document; absent if there is none. */
struct span schema_keyword(struct schema *schema, const struct schema_node *node,
			   const char *keyword);

#endif
