/*
 * schema_dialect: what providers make of JSON Schema.
 */
#ifndef MODEL_SCHEMA_DIALECT_H
#define MODEL_SCHEMA_DIALECT_H

#include "json/json.h"

/* Whether OpenAI's strict structured outputs take `schema` as it is: at the top an object, every
 * object with all its properties required and "additionalProperties": false, and none of the
 * keywords that are refused (platform.openai.com/docs/guides/structured-outputs, "Supported
 * schemas"). A schema that is not taken can still be sent with "strict": false. */
bool dialect_is_strict(struct span schema);

/* Append the name of `schema` as providers take one (letters, digits, _ and -, at most 64): its
 * "title", or "answer". */
void dialect_name(struct span schema, struct buffer *out);

/* Append, as a paragraph, an instruction to answer with nothing but JSON that satisfies `schema`:
 * for models that cannot be asked in any other way. */
void dialect_instruction(struct span schema, struct buffer *out);

/* Write the members "name", "strict" and "schema", as OpenAI's structured outputs take a schema. */
void dialect_put_named(struct span schema, struct buffer *out);

/* Write an array or an object of schemas, each by `write`. */
void dialect_write_schemas(struct span schemas,
			   void (*write)(struct span schema, struct buffer *out),
			   struct buffer *out);

/* Write the member "description": the schema's own, and behind it what else a value must satisfy
 * and `is_sent` says that the provider is not sent: "{minimum: 1, maximum: 9}". */
void dialect_describe(struct span schema,
		      bool (*is_sent)(struct span schema, struct span key, struct span value),
		      struct buffer *out);

#endif
