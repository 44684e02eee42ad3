/*
 * compiler: what the functions that compile a schema share. A place is the number of a node of the
 * document's tree; JSON_NO_NODE is the place of a keyword that the schema lacks.
 */
#ifndef SCHEMA_COMPILER_H
#define SCHEMA_COMPILER_H

#include "schema/node.h"

struct schema_compiler {
	struct schema *schema;
	struct json_tree *tree;       /* of the document */
	struct schema_node **pending; /* created and not filled yet */
	size_t pending_count;
	struct schema_node *node; /* being filled */
	uint32_t wrong;           /* the place of a pattern or value that is not valid */
	struct error *e;          /* NULL is allowed */
};

/* The place of a keyword's value. */
static inline uint32_t compiler_find(const struct schema_compiler *c, const char *keyword)
{
	return json_tree_find(c->tree, c->node->place, span_of(keyword));
}

/* The same for a keyword that draft 7 does not know. */
static inline uint32_t compiler_find_newer(const struct schema_compiler *c, const char *keyword)
{
	return c->schema->document.draft7 ? JSON_NO_NODE : compiler_find(c, keyword);
}

/* Zeroed memory that lives as long as the schema. */
void *compiler_alloc(struct schema_compiler *c, size_t size);

/* The decoded text of a string; absent for anything else. */
struct span compiler_string(struct schema_compiler *c, uint32_t place);

/* The strings of an array; none for anything else. */
struct schema_texts compiler_strings(struct schema_compiler *c, uint32_t array);

/* The node of the schema at a place within the schema being filled; NULL for JSON_NO_NODE. It is
 * filled later. */
struct schema_node *compiler_node(struct schema_compiler *c, uint32_t place);

/* The nodes of the schemas in an array or in an object's members. */
struct schema_nodes compiler_nodes(struct schema_compiler *c, uint32_t container);

/* The node of the schema that a reference leads to; NULL if it leads to nothing in this document.
 * *anchor: the name of the dynamic anchor that it leads to. */
struct schema_node *compiler_follow(struct schema_compiler *c, uint32_t place, struct span *anchor);

/* The compiled pattern `text`, which is in the document at `place`. NULL, with c->wrong set, if it
 * is not valid. */
struct pattern *compiler_pattern(struct schema_compiler *c, struct span text, uint32_t place);

/* Read all keywords of the schema being filled, up to one whose value is not valid: then c->wrong
 * is set (keywords.c). */
void compiler_read_keywords(struct schema_compiler *c);

#endif
