/*
 * openai_responses_texts: the pieces that requests of openai-responses are made of, for its tests.
 */
#ifndef OPENAI_RESPONSES_TEXTS_H
#define OPENAI_RESPONSES_TEXTS_H

#include "requests.h"

#define MODEL    "openai:gpt-5.4"
#define OLD      "openai:gpt-4.1"
#define HEAD     "{\"model\":\"gpt-5.4\",\"stream\":true,\"store\":false,"
#define OLD_HEAD "{\"model\":\"gpt-4.1\",\"stream\":true,\"store\":false,"
#define INCLUDE  "\"include\":[\"reasoning.encrypted_content\"]"
#define TAIL     "," INCLUDE ",\"reasoning\":{\"summary\":\"auto\"}}"

#define USER(content) "{\"role\":\"user\",\"content\":" content "}"
#define TEXT(text)    "{\"type\":\"text\",\"text\":\"" text "\"}"
#define ASKS(parts)   SPAN(USER("[" parts "]"))

#endif
