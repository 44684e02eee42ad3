/*
 * schema: whether a JSON value satisfies a JSON Schema: 2020-12, or draft 7 if "$schema" says so.
 *
 * A schema is compiled once and checks any number of values. References lead to any place, $id or
 * anchor of the same document; references to other documents are not checked: they refuse nothing.
 * "format" is an annotation. Draft 7's "dependencies" and arrays of "items" are understood in any
 * schema. Patterns are those of ECMA-262 (schema/pattern.h). Numbers are compared exactly, whatever
 * their size: 1.0 is 1, and is an integer.
 *
 * A check is never expensive: its work is counted in steps, the same for the same schema and value,
 * and a value that needs too many is refused. Results are remembered for each pair of a schema and
 * a part of the value, so that the steps grow with the product of both sizes at most.
 */
#ifndef SCHEMA_SCHEMA_H
#define SCHEMA_SCHEMA_H

#include "base/error.h"
#include "json/json.h"

struct schema;

/* Compile `text`, valid JSON, of which a copy is made. NULL with `e` (kind "usage"), a sentence
 * that does not name the file, if a keyword has a value that it cannot have, a pattern is not
 * valid, or PCRE2, which is loaded if there is a pattern, is missing; `where` (may be NULL) gets
 * the part of `text` that is at fault. */
struct schema *schema_compile(struct span text, struct span *where, struct error *e);
void schema_free(struct schema *schema);

/* Compile the schema in the file `path`, which must be an object. NULL with `e`, a sentence that
 * begins with the file (and the line) or says that it cannot be read. */
struct schema *schema_read(const char *path, struct error *e);

/* The same for the text of the file, which need not be JSON. */
struct schema *schema_parse(const char *path, struct span text, struct error *e);

/* The text that was compiled, without white space around it, as long as the schema lives; absent
 * for NULL. */
struct span schema_text(const struct schema *schema);

/* Whether `value`, valid JSON, satisfies the schema. `why` (may be NULL) gets the faults, each with
 * the JSON Pointer to its value, separated by "; ": required property "path" is missing; /limit:
 * must be integer, not string. The schema's memory is used: one check at a time. */
bool schema_check(struct schema *schema, struct span value, struct buffer *why);

/* Whether the last check refused its value because it needed too many steps. */
bool schema_gave_up(const struct schema *schema);

/* The fault of such a value. */
#define SCHEMA_EXPENSIVE "the schema is too expensive to check"

/* Append a small value that satisfies the schema: only what is required, constants, the first of an
 * enum or of examples, defaults, the smallest that limits allow. The same schema always gives the
 * same value. Returns whether the value satisfies the schema: there may be none, or none so simple.
 */
bool schema_example(struct schema *schema, struct buffer *out);

#endif
