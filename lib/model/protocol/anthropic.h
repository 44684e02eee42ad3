/*
 * anthropic: Anthropic's Messages API and the servers that speak it. Private to its files, but for
 * what Bedrock asks of tools and schemas:
 *   anthropic_decode.c    the decoder
 *   anthropic_request.c   the request: URL, headers, messages and parameters
 *   anthropic_tools.c     the tools, which of them may be called, and how a schema is asked for
 */
#ifndef MODEL_ANTHROPIC_H
#define MODEL_ANTHROPIC_H

#include "model/parameters.h"
#include "model/protocol/protocol.h"

/* See protocol.h. */
bool anthropic_request(struct transcript *t, struct http_request *out);
bool anthropic_can_force(const struct transcript *t);

/* Add the header that says which version of the API is spoken. */
void anthropic_version(const struct provider *provider, struct http_request *out);

/* Append "tools" and "tool_choice"; with `cached`, the tools end with a mark for the prompt cache.
 */
void anthropic_write_tools(const struct transcript *t, bool cached);

/* Write the member "tool_choice" for the user's choice; with `one_call`, of one call at a time. */
void anthropic_put_choice(const char *choice, bool one_call, struct buffer *out);

/* Whether the request has a schema that can be a member of it: the model accepts a schema (the
 * quirk "schema" is not "tool" or false), and the API can express this one. */
bool anthropic_accepts_schema(const struct transcript *t);

/* struct protocol.answers_by_tool: if the schema cannot be a member, unless the quirk is false. */
bool anthropic_answers_by_tool(const struct transcript *t);

#endif
