/*
 * openai: what OpenAI's two protocols have in common, and Ollama's with Chat Completions.
 */
#ifndef MODEL_OPENAI_H
#define MODEL_OPENAI_H

#include "model/protocol/protocol.h"

/* What was billed: OpenRouter, Perplexity, xAI. */
#define TOKENS_BILLED                                                                              \
	{SPAN_INIT("cost"), .count = TOKENS_COST},                                                 \
	    {SPAN_INIT("cost"), "total_cost", .count = TOKENS_COST},                               \
	{                                                                                          \
		SPAN_INIT("cost_in_usd_ticks"), .count = TOKENS_TICKS                              \
	}

/* OpenAI's list has no sizes and no names; servers that have them agree on no member. */
#define OPENAI_LIST                                                                                \
	{                                                                                          \
		.path = "/models", .lists = {"data"}, .ids = {"id"},                               \
		.names = {"name", "display_name"},                                                 \
		.windows = {"context_length", "context_window", "max_context_length",              \
			    "max_model_len"},                                                      \
	}

/* The base URL with the model in the place of {model}, and `path` behind it unless it ends with
 * `path`; the caller frees it. */
char *openai_url(const struct transcript *t, const char *path);

/* ---- the schema of the answer, by the quirk "schema": "json_schema" (absent too);
 * "json_object", which promises JSON but not its form; false: the provider accepts none. In the
 * latter two cases the instructions contain the schema ---- */

/* struct protocol.answers_by_tool: where the provider does not accept a schema, and the quirk is
 * not "words". */
bool openai_answers_by_tool(const struct transcript *t);

/* The instructions (transcript_instructions). */
struct span openai_instructions(struct transcript *t);

/* Write members of the body, by a template of json_pack that has the place of the members of the
 * schema (%j), or by one without it for "json_object". */
void openai_put_format(struct transcript *t, const char *schema, const char *object);

/* ---- tools ---- */

/* The name of the tool that must be called; NULL: tool_choice names none. */
const char *openai_named_tool(const struct model_request *request);

/* Write the member "tools", {"type":"function","function":{"name","description","parameters"}} for
 * each tool, or only for the tool `name`. */
void openai_put_functions(struct transcript *t, const char *name);

/* ---- messages ---- */

/* Write {"role":ROLE,"content":CONTENT}. */
void openai_put_message(struct transcript *t, const char *role, struct span content);

/* Write a response: its texts (`no_text`, JSON, if it has none), then what `reasoning` writes, then
 * "tool_calls", each by `call`, which is given its position. Nothing for a response without text
 * and calls. */
void openai_put_response(struct transcript *t, const struct message *message, const char *no_text,
			 void (*reasoning)(struct transcript *t, const struct message *message),
			 void (*call)(struct transcript *t, const struct part *part,
				      int64_t position));

/* Write the member `key`, the attachment `part` as "data:image/png;base64,...". */
void openai_put_data_url(struct buffer *out, const char *key, const struct part *part);

#endif
