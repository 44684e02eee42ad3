/*
 * transcript: what the adapters share that turn neutral messages (model.h) into a provider's.
 */
#ifndef MODEL_TRANSCRIPT_H
#define MODEL_TRANSCRIPT_H

#include "model/model.h"
#include "model/registry.h"

/* Whether `message` was answered by `provider`, so that its provider_data may be sent back. */
bool message_is_own(struct span message, const struct provider *provider);

/* The call `tool_call_id` (a JSON string) of an assistant message of `request`; absent: there is
 * none, or another provider made it. */
struct span message_own_call(const struct model_request *request, struct span tool_call_id,
			     const struct provider *provider);

/* The id by which `provider` knows the call `tool_call_id` (a JSON string): its own, decoded, where
 * the assistant message of `request` that made the call came from it; else the one of the events.
 * Appended to `out`, which stays empty where the provider gave none. */
void message_call_id(const struct model_request *request, struct span tool_call_id,
		     const struct provider *provider, struct buffer *out);

/* The same for a provider that takes only ids of letters, digits, '_' and '-', at most `most` long
 * (at least 16): another provider's that will not do becomes one that does, the same for the call
 * and for its result. Never empty. */
void message_safe_id(const struct model_request *request, struct span tool_call_id,
		     const struct provider *provider, size_t most, struct buffer *out);

/* Append the name of a call, a JSON string, as such providers take one: models make up others.
 * Never empty. */
void message_safe_name(struct span tool_name, size_t most, struct buffer *out);

/* Append `text` paragraphs: the string value `text` with a blank line before it when something is
 * there. */
void message_add_paragraph(struct span text, struct buffer *out);

/* Append the instructions: request->system, then the system messages among the messages, parted by
 * blank lines. */
void message_system(const struct model_request *request, struct buffer *out);

/* What a message's role is; MESSAGE_SYSTEM for "developer" too. */
enum message_role message_role(struct span message);

/* Append the result of a tool_result part as text: what the tool printed, with "Error: " before it
 * when it failed and does not say so itself. */
void message_result_text(struct span part, struct buffer *out);

/* Write the member `key`, the attachment `part` as "data:image/png;base64,...". */
void message_put_data_url(struct buffer *out, const char *key, struct span part);

/* Write a tool as OpenAI and those who follow it take one: {"type":"function","function":{"name",
 * "description","parameters"}}. */
void message_put_function(struct buffer *out, const struct model_tool *tool);

/* Whether `part` is a call that was run here; what a provider ran itself is its own affair. */
bool message_is_call(struct span part);

/* Append the arguments of the call `part`, a JSON object, as they came; what the model wrote in
 * their place when that was no JSON stands in its member "INVALID_JSON". */
void message_args(struct span part, struct buffer *out);

/* "openai:gpt-5 cannot be sent a message part of type image": usage error; returns false. */
bool message_refuse_part(const struct provider *provider, const char *model, struct span part,
			 struct error *e);

/* The same for a message whose role is unknown. */
bool message_refuse_role(struct span message, struct error *e);

#endif
