/*
 * schema: whether a JSON value satisfies a JSON Schema: 2020-12, or draft 7 when "$schema" says so.
 *
 * References lead to any place, $id or anchor of the same document. References to other documents
 * and patterns without a POSIX counterpart are not checked: they refuse nothing; "format" is an
 * annotation. Draft 7's "dependencies" and arrays of "items" are understood in any schema.
 *
 * Numbers are compared exactly, whatever their size: 1.0 is 1, and is an integer.
 */
#ifndef SCHEMA_SCHEMA_H
#define SCHEMA_SCHEMA_H

#include "json/json.h"

/* Whether `value` satisfies `schema`; both are valid JSON. `why` (may be NULL) gets the faults,
 * each with the JSON Pointer to its value, parted by "; ": required property "path" is missing;
 * /limit: must be integer, not string */
bool schema_check(struct span schema, struct span value, struct buffer *why);

/* Append a small value that satisfies `schema`: only what is required, constants, the first of an
 * enum or of examples, defaults, the least that limits allow. The same schema always gives the same
 * value. Returns whether the value satisfies the schema: there may be none, or none so simple. */
bool schema_example(struct span schema, struct buffer *out);

/* What `schema`, a part of the document `root`, stands for: the schema that its "$ref", if it has
 * one, names in the document; absent when it names nothing there. */
struct span schema_resolve(struct span root, struct span schema);

#endif
