/*
 * ollama: Ollama's own protocol, /api/chat. Private to its files:
 *   ollama_decode.c    the decoder
 *   ollama_request.c   the request
 *
 * The response is NDJSON; its last line has "done": true. Calls come whole, their arguments as an
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

#endif
