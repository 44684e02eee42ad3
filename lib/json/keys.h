/*
 * keys: check the keys of objects in files that people write. A misspelt key is an error, since
 * what it asks for would silently not happen.
 *
 * All functions take the name of the file and its whole text, for error_at.
 */
#ifndef JSON_KEYS_H
#define JSON_KEYS_H

#include "base/error.h"
#include "json/json.h"

/* Whether every key of `object`, a part of `text`, is one of `known` (NULL-terminated) or begins
 * with "x-". If not, sets `e`, with the known key that was probably meant and all of them. */
bool keys_are_known(const char *source, struct span text, struct span object,
		    const char *const *known, struct error *e);

/* The same with the types of values; null fits every type. The row whose name is NULL ends `known`,
 * which has at most KEYS_MAX rows before it. */
enum { KEYS_MAX = 64 };
struct key_type {
	const char *name;
	enum json_type type; /* JSON_ABSENT: any */
};
bool keys_have_types(const char *source, struct span text, struct span object,
		     const struct key_type *known, struct error *e);

/* Whether no object in `text` (valid JSON) has a key twice. If not, sets `e`. */
bool keys_are_unique(const char *source, struct span text, struct error *e);

#endif
