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

/* What the presence of the member `name` requires. */
struct schema_dependency {
	struct span name;
	struct schema_texts required;
	const struct schema_node *schema; /* NULL: none */
};

/* The keywords about each member of an object. */
struct member_rules {
	uint32_t properties;            /* the place of the object of schemas; JSON_NO_NODE: none */
	struct schema_nodes constants;  /* of the properties, those with "const" or "enum" */
	struct pattern **patterns;      /* of "patternProperties", */
	struct schema_nodes by_pattern; /* each with its schema */
	const struct schema_node *additional, *names;
};

/* A keyword of a node, or several keywords that are checked together, and its value in the form
 * that the check needs. Each keyword uses some of the members. */
struct schema_rule {
	const struct schema_keyword *keyword;
	uint32_t place; /* of the keyword's value */
	struct schema_count limits;
	struct schema_nodes nodes; /* the schemas of a list; of "if": if, then, else */
	const struct schema_node
	    *node; /* a schema; of "items": that of the items behind the list */
	struct schema_texts names;
	struct pattern *pattern;
	const struct member_rules *members;
	struct schema_dependency *dependencies;
	size_t dependency_count;
};

struct schema_checker;
struct schema_compiler;

/* Whether the value satisfies the rule. */
typedef bool schema_keyword_check(struct schema_checker *c, const struct schema_rule *rule,
				  uint32_t value);

struct schema_keyword {
	const char *name;
	const struct schema_form *form; /* what its value must be */
	/* Read the value at rule->place; false if there is nothing to check. May be NULL. */
	bool (*read)(struct schema_compiler *c, struct schema_rule *rule);
	schema_keyword_check *check; /* NULL: not a rule of its own */
	unsigned types; /* of the values that it applies to: a bit for each enum json_type */
	unsigned flags; /* of enum schema_keyword_flag */
};

enum schema_keyword_flag {
	KEYWORD_NEWER = 1, /* than draft 7 */
	KEYWORD_UPPER = 2, /* an upper limit */
	KEYWORD_OPEN = 4,  /* the limit itself is excluded */
};

/* What the value of a keyword contains. */
enum schema_contents {
	CONTENTS_OTHER,
	CONTENTS_SCHEMA,  /* it is a schema */
	CONTENTS_SCHEMAS, /* its members or elements are schemas */
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
	bool combined;            /* some rule applies to values of any type */
	bool typed;               /* has "type": */
	unsigned types;           /* a bit for each enum json_type, and SCHEMA_INTEGER */
	const struct schema_node *reference, *dynamic; /* "$ref" and "$dynamicRef" */
	struct span anchor;                            /* of `dynamic`; absent: it is not dynamic */
	uint32_t constant, values;                     /* places; JSON_NO_NODE: none */
	struct schema_constant *sorted;                /* the values of a long "enum" */
	struct schema_rule *rules;                     /* in the order in which they are checked */
	size_t rule_count;
	struct schema_texts required;
	const struct member_rules *members;                    /* NULL: none */
	const struct schema_node *other_items, *other_members; /* "unevaluated..." */
};

enum { SCHEMA_INTEGER = 1 << 8 };

struct schema {
	struct schema_document document;
	struct schema_node **nodes;    /* by place; NULL: there is no schema */
	bool dynamic;                  /* there is a "$dynamicRef" */
	bool oversized;                /* the document is too large: every check is too expensive */
	struct pattern_engine *engine; /* NULL: there is no pattern */
	struct pattern **patterns;
	size_t pattern_count;
	void **blocks; /* the memory of the nodes */
	size_t block_count;
	bool gave_up; /* the last check needed too many steps */
	/* Of the current check: */
	struct json_tree value;
	struct memo memo;
};

/* What a value of the keyword `name` contains; CONTENTS_OTHER for other names (keywords.c). */
enum schema_contents schema_keyword_contents(struct span name, enum json_type type);

/* The rule of a node for a keyword; NULL: there is none. */
const struct schema_rule *schema_rule(const struct schema_node *node, const char *keyword);

/* The text of a keyword of a node, as it stands in the document; absent if there is none. */
struct span schema_keyword(struct schema *schema, const struct schema_node *node,
			   const char *keyword);

#endif
