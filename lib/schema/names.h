/*
 * names: what the references of a schema document lead to: its $id's, anchors and the places
 * of JSON Pointers. Nothing outside the document is ever fetched.
 */
#ifndef SCHEMA_NAMES_H
#define SCHEMA_NAMES_H

#include "base/buffer.h"

/* A schema that has a name: the URI of a document within the document, or of an anchor. */
struct schema_name {
	char *uri; /* an anchor's ends with "#anchor" */
	struct span schema;
	bool is_anchor, is_dynamic;
};

struct schema_names {
	struct span root;
	bool draft7;      /* "$schema" says so, or an older draft; else 2020-12 */
	bool plain;       /* there is no $id: every URI is that of the root */
	bool unevaluated; /* unevaluatedItems or unevaluatedProperties are used */
	bool read;        /* the names have been looked for */
	struct schema_name *at;
	size_t count;
};

/* Begin with the document `root`, valid JSON, which must outlive the names. */
void schema_names_start(struct schema_names *names, struct span root);
void schema_names_free(struct schema_names *names);

/* What `reference` (a JSON string) within `schema`, a part of the document, leads to; absent:
 * nothing in this document. */
struct span schema_names_follow(struct schema_names *names, struct span schema,
				struct span reference);

/* The dynamic anchor's name that made `target` the target of `reference`; absent: it is none. It is
 * of the names and lives as long. */
struct span schema_names_dynamic(const struct schema_names *names, struct span target,
				 struct span reference);

/* The schema with the dynamic anchor `anchor` in the document, of those within the document, that
 * the text at `place` belongs to; absent: there is none. */
struct span schema_names_anchor(const struct schema_names *names, const char *place,
				struct span anchor);

#endif
