/*
 * bedrock: Amazon Bedrock's ConverseStream, one protocol for the models of many makers. Private to
 * its files:
 *   bedrock_decode.c    the decoder
 *   bedrock_request.c   the request: URL and parameters
 *   bedrock_tools.c     the request's tools
 *   bedrock_messages.c  the request's conversation
 *   bedrock_files.c     its attachments
 *
 * The answer is an AWS event stream (net/aws_stream.h). Blocks of text and reasoning begin with
 * their first piece, only calls are announced; every payload has a member "p" of random length, to
 * be ignored; the counts come after the end (messageStop).
 */
#ifndef MODEL_BEDROCK_H
#define MODEL_BEDROCK_H

#include "model/protocol/protocol.h"

/* Longest id and longest name of a call. */
enum { BEDROCK_MAX_ID = 64 };

/* As protocol.h says. */
bool bedrock_answers_by_tool(const struct provider *provider, const char *model,
			     const struct model_request *request);
bool bedrock_request(const struct provider *provider, const char *model, const char *base_url,
		     const struct model_request *request, struct http_request *out,
		     struct error *e);

/* What a request is made of while it is written. */
struct bedrock_writer {
	const struct provider *provider;
	const char *model;
	const struct model_request *request;
	struct buffer *out;
	struct error *e;
};

/* Append the value of "messages". */
bool bedrock_write_messages(const struct bedrock_writer *w);

/* Append "toolConfig" where one is due: tools are offered, or the conversation holds calls. */
void bedrock_write_tools(const struct bedrock_writer *w);

/* Append what keeps Claude from making several calls at once. */
void bedrock_write_single(const struct bedrock_writer *w);

/* Append the block of an attachment; `count`, the documents so far, makes their names differ. False
 * with a usage error for what cannot be sent. */
bool bedrock_write_file(const struct bedrock_writer *w, struct span part, int *count,
			struct buffer *out);

#endif
