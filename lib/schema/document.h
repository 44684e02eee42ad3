/*
 * document: a schema document and what its references lead to: resources ($id), anchors and the
 * places of JSON Pointers. Nothing outside the document is ever fetched.
 *
 * A place in the document is the number of a node of its tree (json/tree.h).
 */
#ifndef SCHEMA_DOCUMENT_H
#define SCHEMA_DOCUMENT_H

#include "json/tree.h"

/* What a reference can name: "URI", or "URI#anchor". */
struct schema_name {
	char *uri;
	uint32_t place, resource;
};

struct schema_document {
	char *text;
	struct json_tree tree;
	bool draft7;      /* "$schema" names draft 7 or an older one; otherwise 2020-12 */
	char **resources; /* the URIs of the document itself, and of the schemas that have an $id */
	uint32_t resource_count;
	struct schema_name *names;
	size_t name_count;
	struct table by_uri; /* the names */
	uint32_t *owners;    /* of each place that holds a schema: 1 + its resource; others: 0 */
};

/* Read the document `text`, valid JSON without white space around it, of which a copy is made.
 * False if it is too long or nested too deep (json_tree_parse). Free it in both cases. */
bool schema_document_read(struct schema_document *document, struct span text);
void schema_document_free(struct schema_document *document);

/* The place that `reference` (a URI reference, decoded), written in a schema of `resource`, leads
 * to, and the resource that the place belongs to; JSON_NO_NODE: nothing in this document. */
uint32_t schema_document_follow(struct schema_document *document, uint32_t resource,
				struct span reference, uint32_t *found_resource);

/* What `schema`, a part of the document's own text, stands for: the schema that its "$ref", if it
 * has one, leads to; absent if that is nothing in this document. */
struct span schema_document_resolve(struct schema_document *document, struct span schema);

/* The place of the dynamic anchor `anchor` of a resource; JSON_NO_NODE: it has none. */
uint32_t schema_document_anchor(const struct schema_document *document, uint32_t resource,
				struct span anchor);

/* The text behind the "#" of a URI reference; empty if there is none. */
struct span schema_fragment(struct span reference);

#endif
