/*
 * schema_dialect: the forms in which providers accept a JSON Schema.
 */
#ifndef MODEL_SCHEMA_DIALECT_H
#define MODEL_SCHEMA_DIALECT_H

#include "json/json.h"

/* Whether OpenAI's strict structured outputs accept `schema` unchanged: an object at the top, every
 * object with all its properties required and "additionalProperties": false, and none of the
 * refused keywords (platform.openai.com/docs/guides/structured-outputs, "Supported schemas"). Other
 * schemas are sent with "strict": false. */
bool dialect_is_strict(struct span schema);

/* Append a name for `schema` in the form that providers accept (letters, digits, _ and -, at most
 * 64): its "title", or "answer". */
void dialect_name(struct span schema, struct buffer *out);

/* Append, as a paragraph, the instruction to answer only with JSON that satisfies `schema`, for
 * models without structured output. */
void dialect_instruction(struct span schema, struct buffer *out);

/* Write the members "name", "strict" and "schema" of OpenAI's structured outputs. */
void dialect_put_named(struct span schema, struct buffer *out);

/* Write an array or an object of schemas, each by `write`. */
void dialect_write_schemas(struct span schemas,
			   void (*write)(struct span schema, struct buffer *out),
			   struct buffer *out);

/* Write the member "description": the schema's own, then the keywords that are not sent, as
 * `is_sent` says: "{minimum: 1, maximum: 9}". */
void dialect_describe(struct span schema,
		      bool (*is_sent)(struct span schema, struct span key, struct span value),
		      struct buffer *out);

#endif
