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

/* Whether Anthropic's "output_config.format" can express `schema`: its objects are closed and not
 * recursive. */
bool dialect_fits_anthropic(struct span schema);

/* Append `schema` in the form of "output_config.format": closed objects. What it does not accept is
 * described in "description". */
void dialect_write_anthropic(struct span schema, struct buffer *out);

/* Append `schema` in the form of Gemini's "responseJsonSchema". What it does not accept is
 * rewritten or described in "description". */
void dialect_write_gemini(struct span schema, struct buffer *out);

#endif
