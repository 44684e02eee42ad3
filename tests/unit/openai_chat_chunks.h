/*
 * openai_chat_chunks: pieces of Chat Completions streams, for the tests of its decoder.
 */
#ifndef OPENAI_CHAT_CHUNKS_H
#define OPENAI_CHAT_CHUNKS_H

#define PROTOCOL protocol_openai_chat
#include "decoded.h"

#define CONTENT(text)  "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" text "\"}}]}"
#define DELTA(members) "{\"choices\":[{\"index\":0,\"delta\":{" members "}}]}"
#define FINISH(reason) "{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"" reason "\"}]}"
#define CALL(members)  DELTA("\"tool_calls\":[{" members "}]")
#define USAGE          "{\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2}}"
#define DONE           "[DONE]"

#endif
