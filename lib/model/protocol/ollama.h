/*
 * ollama: Ollama's own protocol, /api/chat. Private to its files:
 *   ollama.c           the decoder: lines into deltas, and how an answer ends
 *   ollama_request.c   the request: URL and parameters; the list of models
 *   ollama_messages.c  the request's messages
 *
 * The answer is NDJSON, its last line says "done": true. Calls come whole, their arguments as an
 * object; their ids, where the server gives any, need not come back: a result says which tool it is
 * of. What a model takes for sampling and memory (temperature, num_ctx) is in the member "options",
 * so that is where options of the user go, but for those of the request itself (keep_alive).
 */
#ifndef MODEL_OLLAMA_H
#define MODEL_OLLAMA_H

#include "model/protocol/protocol.h"

/* As protocol.h says. */
bool ollama_answers_by_tool(const struct provider *provider, const char *model,
			    const struct model_request *request);
bool ollama_request(const struct provider *provider, const char *model, const char *base_url,
		    const struct model_request *request, struct http_request *out, struct error *e);
bool ollama_list_request(const struct provider *provider, const char *base_url,
			 struct http_request *out, struct error *e);
void ollama_list_read(struct span json, struct buffer *out);

/* Append the value of "messages". */
bool ollama_messages(const struct provider *provider, const char *model,
		     const struct model_request *request, struct buffer *out, struct error *e);

#endif
