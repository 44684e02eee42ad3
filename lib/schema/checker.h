/*
 * checker: what the parts of the schema validator share.
 */
#ifndef SCHEMA_CHECKER_H
#define SCHEMA_CHECKER_H

#include "schema/schema.h"
#include "schema/names.h"

/* A schema being applied to a value: of those under way, to recognise a reference that leads back
 * to itself. */
struct checker_frame {
	const char *schema, *value;
	const struct checker_frame *below;
	size_t depth;
};

/* Which members or items of a value some keyword has evaluated. */
struct checker_marks {
	const char *value;
	bool *at;
	size_t count;
};

struct checker {
	struct schema_names *names; /* of the document that references point into */
	struct buffer path;         /* JSON Pointer to the value being checked */
	struct buffer *why;         /* NULL: nobody asks why */
	size_t faults;
	size_t steps; /* taken so far */
	const struct checker_frame *frames;
	struct checker_marks *marks; /* of the array or object being checked; NULL: not tracked */
};

/* Apply a schema to a value. */
bool checker_check(struct checker *c, struct span schema, struct span value);

/* The same without explaining. */
bool checker_silently(struct checker *c, struct span schema, struct span value);

/* Apply a schema to the member or element of a value at `key` (plain text) or `index`. */
bool checker_member(struct checker *c, struct span schema, struct span key, struct span value);
bool checker_element(struct checker *c, struct span schema, size_t index, struct span value);

/* Say what is wrong with the value, and return false. */
bool checker_fault(struct checker *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The member or item at `index` of the value being checked has been evaluated. */
void checker_mark(struct checker *c, size_t index);

/* Count `steps` of work; false, with a fault, when the whole has become too much. */
bool checker_spend(struct checker *c, size_t steps);

/* Keywords of one kind of value; those of other kinds are let pass. */
bool checker_scalar(struct checker *c, struct span schema, struct span value);
bool checker_array(struct checker *c, struct span schema, struct span value);
bool checker_object(struct checker *c, struct span schema, struct span value);

/* What no other keyword has evaluated. */
bool checker_unevaluated(struct checker *c, struct span schema, struct span value);

/* Whether `value` is of the JSON Schema type `name` (a string value). */
bool schema_type_is(struct span name, struct span value);

#endif
