/*
 * bedrock: Amazon Bedrock's ConverseStream, one protocol for the models of many makers. Private to
 * its files:
 *   bedrock_decode.c    the decoder
 *   bedrock_request.c   the request
 *
 * The response is an AWS event stream (net/aws_stream.h). Blocks of text and reasoning begin with
 * their first piece, only calls are announced; every payload has a member "p" of random length, to
 * be ignored; the counts come after the end (messageStop).
 */
#ifndef MODEL_BEDROCK_H
#define MODEL_BEDROCK_H

#include "model/protocol/protocol.h"

/* See protocol.h. */
bool bedrock_request(struct transcript *t, struct http_request *out);

#endif
